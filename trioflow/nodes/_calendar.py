"""What dates and times share: zones by name, months, and patterns that do not depend on the process's language."""

from __future__ import annotations

import calendar
import datetime
import functools
import os
import re
import zoneinfo
from collections.abc import Callable

import attrs

from trioflow.errors import did_you_mean
from trioflow.nodes import _expect as expect

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):?([0-5]\d)")


@attrs.frozen
class _Code:
    """What a percent sign and a letter stand for: how it is written, and what it matches; empty if it can't be read."""

    write: Callable[[datetime.datetime], str]
    read: str = ""


_CODES: dict[str, _Code] = {
    "Y": _Code(lambda t: f"{t.year:04}", r"\d{4}"),
    "m": _Code(lambda t: f"{t.month:02}", r"\d{1,2}"),
    "d": _Code(lambda t: f"{t.day:02}", r"\d{1,2}"),
    "H": _Code(lambda t: f"{t.hour:02}", r"\d{1,2}"),
    "I": _Code(lambda t: f"{t.hour % 12 or 12:02}", r"\d{1,2}"),
    "M": _Code(lambda t: f"{t.minute:02}", r"\d{1,2}"),
    "S": _Code(lambda t: f"{t.second:02}", r"\d{1,2}"),
    "f": _Code(lambda t: f"{t.microsecond:06}", r"\d{1,6}"),
    "p": _Code(lambda t: "AM" if t.hour < 12 else "PM", "AM|PM"),
    "B": _Code(lambda t: MONTHS[t.month - 1], "|".join(MONTHS)),
    "b": _Code(lambda t: MONTHS[t.month - 1][:3], "|".join(name[:3] for name in MONTHS)),
    "A": _Code(lambda t: DAYS[t.weekday()], "|".join(DAYS)),
    "a": _Code(lambda t: DAYS[t.weekday()][:3], "|".join(name[:3] for name in DAYS)),
    "z": _Code(lambda t: offset_text(t.utcoffset()), rf"Z|{_OFFSET.pattern.replace('(', '(?:')}"),
    "Z": _Code(lambda t: t.tzname() or ""),
    "y": _Code(lambda t: f"{t.year % 100:02}"),
    "j": _Code(lambda t: f"{t.timetuple().tm_yday:03}"),
    "u": _Code(lambda t: str(t.isoweekday())),
    "V": _Code(lambda t: f"{t.isocalendar().week:02}"),
    "G": _Code(lambda t: f"{t.isocalendar().year:04}"),
    "%": _Code(lambda _: "%", "%"),
}


def zone_named(node: str, zone: str) -> datetime.tzinfo:
    """The zone with a name such as `Europe/Berlin`, or UTC, or with an offset such as `+01:00`."""
    if zone == "UTC":
        return datetime.UTC
    if offset := _OFFSET.fullmatch(zone):
        return _fixed(*offset.groups())
    try:
        return zoneinfo.ZoneInfo(zone)
    except (LookupError, ValueError, OSError):  # no such file, or a name that could not be one, or a folder
        near = (
            did_you_mean(zone, [name for name in _known_zones() if name[:1] == zone[:1].upper()])
            if len(zone) < 50
            else ""
        )
    if not _known_zones():
        raise ValueError(f"{node}: this system knows no time zones. Install the package tzdata.")
    raise ValueError(
        f"{node}: there is no zone {expect.short(zone)}; write one such as 'Europe/Berlin', 'UTC', '+01:00'.{near}"
    )


@functools.cache  # by the names of files: to look into each would take several times as long
def _known_zones() -> frozenset[str]:
    found: set[str] = set()
    for root in zoneinfo.TZPATH:
        for folder, folders, files in os.walk(root):
            folders[:] = [each for each in folders if each[:1].isupper()]
            above = os.path.relpath(folder, root)
            found.update(each if above == "." else f"{above}/{each}" for each in files if each[:1].isupper())
    return frozenset(found or zoneinfo.available_timezones())


def _fixed(sign: str, hours: str, minutes: str) -> datetime.timezone:
    offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
    return datetime.timezone(-offset if sign == "-" else offset)


def offset_text(offset: datetime.timedelta | None) -> str:
    """An offset from UTC as `+01:00`; empty if there is none."""
    if offset is None:
        return ""
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def months_later(date: datetime.date, months: int) -> tuple[int, int, int]:
    """Year, month and day so many months later; the last day of the month if it is too short. The year may be any."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1] if 1 <= year <= 9999 else 31
    return year, month + 1, min(date.day, last)


def formatted(node: str, moment: datetime.datetime, pattern: str, known: str) -> str:
    """The moment by a pattern, in which only these letters may stand behind a percent sign."""
    _check(node, pattern, known)
    return re.sub("%(.)", lambda found: _CODES[found[1]].write(moment), pattern, flags=re.DOTALL)


def parsed(node: str, text: str, pattern: str, known: str) -> datetime.datetime:
    """The date and time that a text writes by a pattern, with the offset that it says, or without a zone."""
    letters = _check(node, pattern, "".join(letter for letter in known if _CODES[letter].read))
    names = [letter for letter in letters if letter != "%"]
    if "Y" not in names or len({*names}) < len(names):
        raise ValueError(f"{node}: expected a pattern with %Y, and with nothing twice, got {expect.short(pattern)}.")
    parts = re.split("%(.)", pattern)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = ["%" if letter == "%" else f"(?P<{letter}>{_CODES[letter].read})" for letter in letters]
    match = re.fullmatch("".join(parts), text, re.ASCII)
    if match is None:
        raise ValueError(f"{node}: expected a text such as {expect.short(pattern)} writes, got {expect.short(text)}.")
    try:
        return _assembled(match.groupdict())
    except ValueError as error:
        raise ValueError(f"{node}: {expect.short(text)}: {error}.") from None


def _assembled(found: dict[str, str]) -> datetime.datetime:
    month = int(found.get("m", 1))
    for letter, length in (("B", None), ("b", 3)):
        if letter in found:
            month = [name[:length] for name in MONTHS].index(found[letter]) + 1
    hour = int(found.get("H", 0))
    if "I" in found:
        if not 1 <= int(found["I"]) <= 12:
            raise ValueError("hour must be in 1..12")
        hour = int(found["I"]) % 12 + 12 * (found.get("p") == "PM")
    offset = _OFFSET.fullmatch(found.get("z", ""))
    moment = datetime.datetime(
        int(found["Y"]), month, int(found.get("d", 1)), hour, int(found.get("M", 0)), int(found.get("S", 0)),
        int(found.get("f", "0").ljust(6, "0")),
        tzinfo=_fixed(*offset.groups()) if offset else datetime.UTC if found.get("z") == "Z" else None,
    )  # fmt: skip
    day = DAYS[moment.weekday()]
    for letter, name in (("A", day), ("a", day[:3])):
        if found.get(letter, name) != name:
            raise ValueError(f"that day is a {day}")
    return moment


_LONGEST = 1000
"""Characters of a pattern."""


def _check(node: str, pattern: str, known: str) -> list[str]:
    if len(pattern) > _LONGEST:
        raise ValueError(f"{node}: expected a pattern of {_LONGEST} characters at most, got {len(pattern)}.")
    letters = re.findall("%(.?)", pattern, re.DOTALL)
    for letter in letters:
        if not letter or letter not in known:
            codes = " ".join(f"%{each}" for each in known)
            raise ValueError(f"{node}: {'%' + letter!r} in the pattern {expect.short(pattern)} is none of {codes}.")
    return letters
