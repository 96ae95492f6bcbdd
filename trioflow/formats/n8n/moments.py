# Methods of any arguments.
# pyright: reportUnknownLambdaType=false
"""`$now` and `$today` of n8n: a moment as Luxon has it, as far as its fields and usual methods go."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from trioflow.formats.javascript import WithMethods

_FIELDS = ("year", "month", "day", "hour", "minute", "second")
_UNITS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds")
_TOKENS = re.compile(r"'([^']*)'|yyyy|yy|MMMM|MMM|MM|M|dd|d|EEEE|EEE|cccc|ccc|HH|H|hh|h|mm|m|ss|s|SSS|a|ZZ|[A-Za-z]+")


def moment_in(now: datetime.datetime, zone: str = "") -> Moment:
    """A moment in a time zone; without one in that of the host."""
    return Moment(now.astimezone(ZoneInfo(zone) if zone else None))


class Moment(WithMethods):
    """A date and time, which no method changes: they make another one."""

    def __init__(self, at: datetime.datetime) -> None:
        self.at = at

    def __getitem__(self, name: str) -> Any:
        if name in _FIELDS:
            return getattr(self.at, name)
        further: dict[str, Any] = {
            "millisecond": self.at.microsecond // 1000,
            "weekday": self.at.isoweekday(),
            "weekNumber": self.at.isocalendar().week,
            "ordinal": self.at.timetuple().tm_yday,
            "quarter": (self.at.month + 2) // 3,
            "daysInMonth": calendar.monthrange(self.at.year, self.at.month)[1],
            "monthLong": calendar.month_name[self.at.month],
            "monthShort": calendar.month_abbr[self.at.month],
            "weekdayLong": calendar.day_name[self.at.weekday()],
            "weekdayShort": calendar.day_abbr[self.at.weekday()],
        }
        return further[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)

    def __str__(self) -> str:
        return self.at.isoformat(timespec="milliseconds")

    def __float__(self) -> float:
        return float(int(self.at.timestamp() * 1000))

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """What can be called on it."""
        return {
            "plus": lambda amount, unit="": self._moved(amount, unit, 1),
            "minus": lambda amount, unit="": self._moved(amount, unit, -1),
            "set": self._set,
            "startOf": self.start_of,
            "endOf": lambda unit: self.start_of(unit)._moved(1, unit, 1)._moved(1, "millisecond", -1),
            "setZone": lambda zone: moment_in(self.at, zone),
            "toUTC": lambda: Moment(self.at.astimezone(datetime.UTC)),
            "toISO": lambda *_: str(self),
            "toString": lambda: str(self),
            "toJSON": lambda: str(self),
            "toISODate": lambda: self.at.date().isoformat(),
            "toISOTime": lambda: self.at.timetz().isoformat(timespec="milliseconds"),
            "toMillis": lambda: int(float(self)),
            "valueOf": lambda: int(float(self)),
            "toSeconds": lambda: float(self) / 1000,
            "toUnixInteger": lambda: int(float(self) // 1000),
            "toFormat": self._written,
            "format": self._written,
        }

    def _set(self, fields: Mapping[str, Any]) -> Moment:
        given: dict[str, Any] = {name: int(value) for name, value in fields.items()}
        return Moment(self.at.replace(**given))

    def _moved(self, amount: Any, unit: str, sign: int) -> Moment:
        amounts: Mapping[str, Any] = amount if isinstance(amount, Mapping) else {unit or "milliseconds": amount}
        at = self.at
        for said, given in amounts.items():
            name, count = f"{str(said).removesuffix('s')}s", sign * given
            if name in ("months", "quarters", "years"):
                months = at.month - 1 + int(count * {"months": 1, "quarters": 3, "years": 12}[name])
                year, month = at.year + months // 12, months % 12 + 1
                at = at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))
            elif name in _UNITS:
                at += datetime.timedelta(**{name: count})
            else:
                raise ValueError(f"{name!r} is not a unit of time")
        return Moment(at)

    def start_of(self, unit: str) -> Moment:
        """Where a year, quarter, month, week, day, hour, minute or second of it begins."""
        unit, at = str(unit).removesuffix("s"), self.at
        if unit == "week":
            at, unit = at - datetime.timedelta(days=at.weekday()), "day"
        if unit == "quarter":
            at, unit = at.replace(month=3 * ((at.month - 1) // 3) + 1), "month"
        if unit not in _FIELDS:
            raise ValueError(f"{unit!r} is not a unit of time")
        below: dict[str, Any] = {name: int(name in ("month", "day")) for name in _FIELDS[_FIELDS.index(unit) + 1 :]}
        return Moment(at.replace(microsecond=0, **below))

    def _written(self, pattern: str = "yyyy-MM-dd") -> str:
        at = self.at

        def token(match: re.Match[str]) -> str:
            if match[1] is not None:
                return match[1]
            found: str | None = {
                "yyyy": f"{at.year:04}", "yy": f"{at.year % 100:02}", "MMMM": self["monthLong"],
                "MMM": self["monthShort"], "MM": f"{at.month:02}", "M": str(at.month), "dd": f"{at.day:02}",
                "d": str(at.day), "EEEE": self["weekdayLong"], "EEE": self["weekdayShort"],
                "cccc": self["weekdayLong"], "ccc": self["weekdayShort"], "HH": f"{at.hour:02}", "H": str(at.hour),
                "hh": f"{(at.hour - 1) % 12 + 1:02}", "h": str((at.hour - 1) % 12 + 1), "mm": f"{at.minute:02}",
                "m": str(at.minute), "ss": f"{at.second:02}", "s": str(at.second),
                "SSS": f"{at.microsecond // 1000:03}", "a": "AM" if at.hour < 12 else "PM",
                "ZZ": at.isoformat()[-6:],
            }.get(match[0])  # fmt: skip
            if found is None:
                raise ValueError(f"{match[0]!r} in the format {pattern!r} is not understood")
            return found

        return _TOKENS.sub(token, pattern)
