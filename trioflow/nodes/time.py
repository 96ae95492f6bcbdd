"""Moments, which have a date, a time and a zone; one without a zone is an error, `time.with_zone` gives it one.

Zones have the names of the IANA database, such as Europe/Berlin, or are UTC, or an offset such as +01:00. Durations are
what passes on a stopwatch: a day more is not always the same time of the next day; for that take `time.shift`. Years
are from 1 to 9999, and beyond these a moment is an error.

Clocks change by themselves: each activation that asks gets one answer of its own, and keeps it until something that it
has triggered has come back.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Literal, NamedTuple, cast

import trio

import trioflow as tf
from trioflow.model.clock import SYSTEM_CLOCK, Clock
from trioflow.nodes import _expect as expect
from trioflow.nodes._calendar import formatted, months_later, offset_text, parsed, zone_named

Date = datetime.date
Moment = datetime.datetime
Duration = datetime.timedelta
Number = int | float
Unit = Literal["second", "minute", "hour", "day", "week", "month", "year"]

_LETTERS = "YmdHMSfIpBbAazZyjuVG%"
_EPOCH = Moment(1970, 1, 1, tzinfo=datetime.UTC)


def _utc(node: str, moment: Moment) -> Moment:
    """The moment in UTC: Python compares and subtracts moments of one zone by what their clocks show."""
    if moment.tzinfo is None:
        raise ValueError(f"{node}: {moment.isoformat()} has no zone. Give it one with time.with_zone.")
    return _valid(node, lambda: moment.astimezone(datetime.UTC))


def _valid(node: str, make: Callable[[], Moment]) -> Moment:
    try:
        return make()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{node}: there is no such moment from the year 1 to 9999: {error}.") from None


def _in_zone(node: str, shown: Moment, zone: datetime.tzinfo, second: bool = False) -> Moment:
    """The moment at which clocks of a zone show this.

    Moments that clocks skip are moved on by what is skipped; of two moments at which they show the same, take one.
    """

    def make() -> Moment:
        first = shown.replace(tzinfo=zone, fold=0).astimezone(datetime.UTC).astimezone(zone)
        if not second or first.replace(tzinfo=None) != shown.replace(tzinfo=None):
            return first
        return shown.replace(tzinfo=zone, fold=1).astimezone(datetime.UTC).astimezone(zone)

    return _valid(node, make)


@tf.data_node(id="time.now", durable="recorded", volatile=True)
def now(clock: tf.FromServices[Clock] = SYSTEM_CLOCK) -> Moment:
    """The date and time, with the zone UTC, on the host's clock. Not the same in every run.

    >>> now().tzinfo
    datetime.timezone.utc
    """
    return clock.now()


@tf.data_node(id="time.monotonic", durable="recorded", volatile=True)
def monotonic() -> float:
    """Seconds on trio's clock, from an arbitrary start. Not the same in every run.

    >>> evaluate("time.monotonic")
    0.0
    """
    return trio.current_time()


@tf.data_node(id="time.literal")
def literal(moment: Moment) -> Moment:
    """The moment itself, to write one down in the graph.

    >>> str(evaluate("time.literal", moment="2026-02-28T12:00:00Z"))
    '2026-02-28 12:00:00+00:00'
    """
    return moment


@tf.data_node(id="time.from_parts")
def from_parts(
    year: int,
    month: int = 1,
    day: int = 1,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    microsecond: int = 0,
    zone: str = "UTC",
) -> Moment:
    """The moment at which a calendar and a clock in a zone show this.

    A time that clocks skip is moved on by what they skip, of a time that they show twice it is the first. A date or
    time that no calendar or clock shows, and an unknown zone, are errors.

    >>> str(from_parts(2026, 2, 28, 12, zone="+01:00"))
    '2026-02-28 12:00:00+01:00'
    """
    tz = zone_named("time.from_parts", zone)
    shown = _valid("time.from_parts", lambda: Moment(year, month, day, hour, minute, second, microsecond, tz))
    return _in_zone("time.from_parts", shown, tz)


class Parts(NamedTuple):
    """What a calendar and a clock show."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int


@tf.data_node(id="time.parts")
def parts(moment: Moment) -> Parts:
    """What a calendar and a clock in the moment's zone show.

    >>> parts(from_parts(2026, 2, 28, 12))
    Parts(year=2026, month=2, day=28, hour=12, minute=0, second=0, microsecond=0)
    """
    return Parts(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond
    )  # fmt: skip


@tf.data_node(id="time.from_date")
def from_date(date: Date, hour: int = 0, minute: int = 0, second: int = 0, zone: str = "UTC") -> Moment:
    """The moment on a day at which clocks in a zone show this, by the rules of `time.from_parts`.

    >>> str(from_date(Date(2026, 2, 28), 8, 30))
    '2026-02-28 08:30:00+00:00'
    """
    tz = zone_named("time.from_date", zone)
    shown = _valid("time.from_date", lambda: Moment(date.year, date.month, date.day, hour, minute, second, tzinfo=tz))
    return _in_zone("time.from_date", shown, tz)


@tf.data_node(id="time.date")
def date(moment: Moment) -> Date:
    """The day that a calendar in the moment's zone shows.

    >>> str(date(from_parts(2026, 2, 28, 12)))
    '2026-02-28'
    """
    return moment.date()


@tf.data_node(id="time.parse")
def parse(text: str, pattern: str = "", zone: str = "") -> Moment:
    """The moment that a text writes by ISO 8601, or by a pattern, such as `%d.%m.%Y %H:%M`.

    The zone is for texts that say no offset: without both it is an error. Errors are also any other text, what is finer
    than a microsecond, a pattern without a year, a date or time that does not exist, and an unknown zone.

    >>> str(parse("28.2.2026 12:30", "%d.%m.%Y %H:%M", "+01:00"))
    '2026-02-28 12:30:00+01:00'
    """
    shown = parsed("time.parse", text, pattern, _LETTERS) if pattern else _of_iso(text)
    if shown.tzinfo is not None:
        return shown
    if not zone:
        raise ValueError(f"time.parse: {expect.short(text)} says no zone: give one, such as 'Europe/Berlin' or 'UTC'.")
    return _in_zone("time.parse", shown, zone_named("time.parse", zone))


_SHAPE = re.compile(r"(\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d-?\d).\d\d.*", re.ASCII | re.DOTALL)
"""What looks like a moment by ISO 8601."""

_FINER = re.compile(r"[.,]\d{6}\d*[1-9]", re.ASCII)


def _of_iso(text: str) -> Moment:
    try:
        moment = Moment.fromisoformat(text)
    except ValueError as error:
        if _SHAPE.fullmatch(text):
            told = f"{expect.short(text)} is not a moment from the year 1 to 9999: {error}"
            raise ValueError(f"time.parse: {told}.") from None
        example = "2026-02-28T12:00:00Z"
        raise ValueError(f"time.parse: expected a moment such as {example!r}, got {expect.short(text)}.") from None
    if _FINER.search(text):
        raise ValueError(f"time.parse: a moment is exact to the microsecond, and {expect.short(text)} is finer.")
    return moment


@tf.data_node(id="time.write")
def write(moment: Moment) -> str:
    """The moment by ISO 8601, with its offset from UTC if it has a zone.

    >>> write(from_parts(2026, 2, 28, 12))
    '2026-02-28T12:00:00+00:00'
    """
    return moment.isoformat()


@tf.data_node(id="time.format")
def format_(moment: Moment, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """The moment by a pattern: %Y year, %m month, %d day, %H hour, %M minute, %S second, %f microsecond, %z offset.

    %I and %p are the hour from 1 to 12 and AM or PM, %Z the short name of the zone; others are those of `date.format`.
    Any other letter after % is an error.

    >>> format_(from_parts(2026, 2, 28, 13, 5), "%a %d %b, %I:%M %p")
    'Sat 28 Feb, 01:05 PM'
    """
    return formatted("time.format", moment, pattern, _LETTERS)


@tf.data_node(id="time.from_timestamp")
def from_timestamp(seconds: Number, zone: str = "UTC") -> Moment:
    """The moment so many seconds after the start of 1970 in UTC, in a zone. Rounded to the nearest microsecond.

    Infinity, not-a-number and an unknown zone are errors.

    >>> str(from_timestamp(86400))
    '1970-01-02 00:00:00+00:00'
    """
    expect.finite("time.from_timestamp", seconds)
    tz = zone_named("time.from_timestamp", zone)
    return _valid("time.from_timestamp", lambda: (_EPOCH + Duration(seconds=seconds)).astimezone(tz))


@tf.data_node(id="time.to_timestamp")
def to_timestamp(moment: Moment) -> float:
    """The seconds since the start of 1970 in UTC; negative before.

    >>> to_timestamp(from_parts(1970, 1, 2))
    86400.0
    """
    return (_utc("time.to_timestamp", moment) - _EPOCH).total_seconds()


@tf.data_node(id="time.to_zone")
def to_zone(moment: Moment, zone: str) -> Moment:
    """The same moment in another zone. An unknown zone is an error.

    >>> str(to_zone(from_parts(2026, 2, 28, 12), "+05:30"))
    '2026-02-28 17:30:00+05:30'
    """
    tz = zone_named("time.to_zone", zone)
    utc = _utc("time.to_zone", moment)
    return _valid("time.to_zone", lambda: utc.astimezone(tz))


@tf.data_node(id="time.with_zone")
def with_zone(moment: Moment, zone: str, second: bool = False) -> Moment:
    """The moment at which clocks in a zone show the same as this one's, which may have no zone.

    A time that clocks skip is moved on by what they skip; of a time that they show twice take the first, or the second.
    An unknown zone is an error.

    >>> str(with_zone(from_parts(2026, 2, 28, 12), "+05:30"))
    '2026-02-28 12:00:00+05:30'
    """
    return _in_zone("time.with_zone", moment, zone_named("time.with_zone", zone), second)


@tf.data_node(id="time.zone")
def zone(moment: Moment) -> str:
    """The zone: its name, such as Europe/Berlin or UTC, or its offset, such as +01:00; empty if there is none.

    >>> zone(from_parts(2026, zone="-03:00"))
    '-03:00'
    """
    if moment.tzinfo is datetime.UTC:
        return "UTC"
    return getattr(moment.tzinfo, "key", None) or offset_text(moment.utcoffset())


@tf.data_node(id="time.offset")
def offset(moment: Moment) -> Duration:
    """How far clocks in the moment's zone are ahead of UTC at that moment; negative if they are behind.

    >>> str(offset(from_parts(2026, zone="+05:30")))
    '5:30:00'
    """
    _utc("time.offset", moment)
    return cast("Duration", moment.utcoffset())


@tf.data_node(id="time.add")
def add(moment: Moment, duration: Duration) -> Moment:
    """The moment so much later, on a stopwatch, in the same zone; earlier for a negative duration.

    >>> str(add(from_parts(2026, 2, 28, 23), Duration(hours=2)))
    '2026-03-01 01:00:00+00:00'
    """
    utc = _utc("time.add", moment)
    return _valid("time.add", lambda: (utc + duration).astimezone(moment.tzinfo))


@tf.data_node(id="time.subtract")
def subtract(moment: Moment, duration: Duration) -> Moment:
    """The moment so much earlier, on a stopwatch, in the same zone; later for a negative duration.

    >>> str(subtract(from_parts(2026, 3, 1, 1), Duration(hours=2)))
    '2026-02-28 23:00:00+00:00'
    """
    utc = _utc("time.subtract", moment)
    return _valid("time.subtract", lambda: (utc - duration).astimezone(moment.tzinfo))


@tf.data_node(id="time.shift")
def shift(moment: Moment, days: int = 0, months: int = 0, years: int = 0) -> Moment:
    """The same time of day so many years, months and days later, or earlier, as calendars in the zone show it.

    The months come first: the last day of a month that is too short, then so many days on. A time that clocks skip is
    moved on by what they skip.

    >>> str(shift(from_parts(2026, 1, 31, 12), days=1, months=1))
    '2026-03-01 12:00:00+00:00'
    """
    _utc("time.shift", moment)
    year, month, day = months_later(moment, months + years * 12)
    shown = _valid("time.shift", lambda: moment.replace(year=year, month=month, day=day) + Duration(days=days))
    return _in_zone("time.shift", shown, cast("datetime.tzinfo", moment.tzinfo), bool(moment.fold))


@tf.data_node(id="time.difference")
def difference(start: Moment, end: Moment) -> Duration:
    """How much later the second moment is, on a stopwatch; negative if it is earlier. Their zones may differ.

    >>> str(difference(from_parts(2026, 2, 28), from_parts(2026, 3, 1, 1, zone="+01:00")))
    '1 day, 0:00:00'
    """
    return _utc("time.difference", end) - _utc("time.difference", start)


@tf.data_node(id="time.compare")
def compare(a: Moment, b: Moment) -> int:
    """-1 if the first is earlier, 0 if they are the same moment, 1 if it is later. Their zones may differ.

    >>> compare(from_parts(2026, 2, 28, 12), from_parts(2026, 2, 28, 13, zone="+01:00"))
    0
    """
    first, second = _utc("time.compare", a), _utc("time.compare", b)
    return (first > second) - (first < second)


@tf.data_node(id="time.is_before")
def is_before(a: Moment, b: Moment) -> bool:
    """Whether the first moment is earlier than the second. Their zones may differ.

    >>> is_before(from_parts(2026), from_parts(2027))
    True
    """
    return _utc("time.is_before", a) < _utc("time.is_before", b)


@tf.data_node(id="time.earliest")
def earliest(items: list[Moment]) -> Moment:
    """The earliest moment, the first of equal ones. An empty list is an error, and an item that is no moment.

    >>> earliest([from_parts(2027), from_parts(2026)]).year
    2026
    """
    return min(_moments("time.earliest", items), key=lambda moment: _utc("time.earliest", moment))


@tf.data_node(id="time.latest")
def latest(items: list[Moment]) -> Moment:
    """The latest moment, the first of equal ones. An empty list is an error, and an item that is no moment.

    >>> latest([from_parts(2027), from_parts(2026)]).year
    2027
    """
    return max(_moments("time.latest", items), key=lambda moment: _utc("time.latest", moment))


def _moments(node: str, items: list[Moment]) -> list[Moment]:
    if not items:
        raise ValueError(f"{node}: the list is empty.")
    for place, item in enumerate(items):
        if not isinstance(item, Moment):
            raise TypeError(f"{node}: expected moments, but item {place} is {expect.shown(item)}.")
    return items


@tf.data_node(id="time.start_of")
def start_of(moment: Moment, unit: Unit = "day") -> Moment:
    """The start of the second, minute, hour, day, week (its Monday), month or year, as clocks in the zone show it.

    Where clocks skip the start, it is the first time that they show.

    >>> str(start_of(from_parts(2026, 2, 28, 12, 34), "hour"))
    '2026-02-28 12:00:00+00:00'
    """
    _utc("time.start_of", moment)
    smaller = {
        "second": ("microsecond",),
        "minute": ("second", "microsecond"),
        "hour": ("minute", "second", "microsecond"),
    }
    shown = moment.replace(**dict.fromkeys(smaller.get(unit, ("hour", *smaller["hour"])), 0), tzinfo=None)
    if unit == "week":
        shown = _valid("time.start_of", lambda: shown - Duration(days=moment.weekday()))
    elif unit in ("month", "year"):
        shown = shown.replace(day=1, month=1 if unit == "year" else shown.month)
    # An hour that comes twice starts twice, but no day does.
    again = unit in smaller and bool(moment.fold)
    return _in_zone("time.start_of", shown, cast("datetime.tzinfo", moment.tzinfo), again)
