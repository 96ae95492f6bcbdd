"""Written forms of durations, exact to the microsecond: `1.5s`, `24h`, and ISO 8601, such as `PT1.5S` or `P2DT3H`."""

from __future__ import annotations

import datetime
import re

_MICROSECONDS = {
    "weeks": 604_800_000_000,
    "days": 86_400_000_000,
    "hours": 3_600_000_000,
    "minutes": 60_000_000,
    "seconds": 1_000_000,
}
_NUMBER = r"[0-9]{1,18}(?:[.,][0-9]{1,18})?"
_WRITTEN = re.compile(
    rf"([+-]?)P(?!$)(?:(?P<weeks>{_NUMBER})W)?(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?!$)(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?"
)
_SHORT = re.compile(r"([+-]?)(?P<number>[0-9]{1,18}(?:\.[0-9]{1,18})?)(?P<unit>ms|s|m|h|d)")
_UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def parse_duration(text: str) -> datetime.timedelta:
    """The duration that a text writes: a number and its unit, `10ms`, `30s`, `5m`, `24h`, `7d`, or by ISO 8601.

    That is `P1W`, `P2DT3H4M`, `PT0.5S`, `-PT1H`, where only the last number may have a fraction. Years and months have
    no fixed length, so they are refused, and so is what is finer than a microsecond or beyond a `timedelta`. Raises
    `ValueError`.
    """
    short = _SHORT.fullmatch(text)
    if short is not None:
        return _made(text, short[1], [(_UNITS[short["unit"]], short["number"])])
    match = _WRITTEN.fullmatch(text)
    given = {unit: number for unit, number in match.groupdict().items() if number} if match else {}
    whole, fractional = [*given.values()][:-1], [*given.values()][-1:]
    if match is None or not fractional or not all(map(str.isdigit, whole)):
        raise ValueError(
            f"expected a duration such as '30s' (ms, s, m, h or d), 'PT1.5S' or 'P2DT3H' (weeks, days, hours, minutes, "
            f"seconds), got {text[:60]!r}"
        )
    return _made(text, match[1], [(_MICROSECONDS[unit], number) for unit, number in given.items()])


def _made(text: str, sign: str, parts: list[tuple[int, str]]) -> datetime.timedelta:
    total = 0
    for unit, number in parts:
        digits, _, decimals = number.replace(",", ".").partition(".")
        scaled, rest = divmod(int(digits + decimals) * unit, 10 ** len(decimals))
        if rest:
            raise ValueError(f"a duration is exact to the microsecond, and {text[:60]!r} is finer")
        total += scaled
    try:
        return datetime.timedelta(microseconds=-total if sign == "-" else total)
    except OverflowError:
        raise ValueError(f"a duration has less than 1,000,000,000 days, and {text[:60]!r} has more") from None


def format_duration(duration: datetime.timedelta) -> str:
    """The duration as `parse_duration` reads it: days, hours, minutes and seconds, without those that are 0."""
    total = duration // datetime.timedelta(microseconds=1)
    sign, total = "-" if total < 0 else "", abs(total)
    days, total = divmod(total, _MICROSECONDS["days"])
    hours, total = divmod(total, _MICROSECONDS["hours"])
    minutes, total = divmod(total, _MICROSECONDS["minutes"])
    whole, micro = divmod(total, _MICROSECONDS["seconds"])
    seconds = f"{whole}.{micro:06}".rstrip("0") if micro else str(whole)
    date = f"{days}D" if days else ""
    clock = "".join(
        f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number not in (0, "0")
    )
    return f"{sign}P{date}T{clock}" if clock else f"{sign}P{date or 'T0S'}"


def short_duration(seconds: float) -> str:
    """Seconds of 0 or more as a number and its unit, in the largest one of which it is a whole number: `90s`, `24h`.

    What is no whole number of milliseconds is written in seconds.
    """
    total = round(seconds * 1_000_000)
    for unit, size in reversed(_UNITS.items()):
        if total % size == 0 and (total or unit == "s"):
            return f"{total // size}{unit}"
    whole, micro = divmod(total, _UNITS["s"])
    return f"{whole}.{micro:06}".rstrip("0") + "s"
