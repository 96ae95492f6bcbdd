"""Days of the calendar, without a time or a zone, from the year 1 to 9999. Beyond these a date is an error.

A moment (`time`) is not a date: `time.date` gives its day. Patterns are those of `time.format`, without times.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import trioflow as tf
from trioflow.model.clock import SYSTEM_CLOCK, Clock
from trioflow.nodes import _expect as expect
from trioflow.nodes._calendar import formatted, months_later, parsed, zone_named
from trioflow.nodes._slices import Steps, mapped, sliced

Date = datetime.date
Unit = Literal["week", "month", "quarter", "year"]

_LETTERS = "YmdBbAayjuVG%"
_DAY = datetime.timedelta(days=1)
_SHAPE = re.compile(r"\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d(-?\d)?", re.ASCII)
"""What looks like a date by ISO 8601."""


def _valid(node: str, make: Callable[[], Date]) -> Date:
    try:
        return make()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{node}: there is no such date from the year 1 to 9999: {error}.") from None


@tf.data_node(id="date.literal")
def literal(date: Date) -> Date:
    """The date itself, to write one down in the graph.

    >>> str(evaluate("date.literal", date="2026-02-28"))
    '2026-02-28'
    """
    return date


@tf.data_node(id="date.from_parts")
def from_parts(year: int, month: int = 1, day: int = 1) -> Date:
    """The date with this year, month and day. One that does not exist is an error.

    >>> str(from_parts(2026, 2, 28))
    '2026-02-28'
    """
    return _valid("date.from_parts", lambda: Date(year, month, day))


class Parts(NamedTuple):
    """Year, month and day."""

    year: int
    month: int
    day: int


@tf.data_node(id="date.parts")
def parts(date: Date) -> Parts:
    """The year, the month and the day.

    >>> parts(from_parts(2026, 2, 28))
    Parts(year=2026, month=2, day=28)
    """
    return Parts(date.year, date.month, date.day)


@tf.data_node(id="date.parse")
def parse(text: str, pattern: str = "") -> Date:
    """The date that a text writes by ISO 8601, such as 2026-02-28, or by a pattern, such as `%d.%m.%Y`.

    Any other text, a pattern without a year, and a date that does not exist, are errors.

    >>> str(parse("28.2.2026", "%d.%m.%Y"))
    '2026-02-28'
    """
    if pattern:
        return parsed("date.parse", text, pattern, _LETTERS).date()
    try:
        return Date.fromisoformat(text)
    except ValueError as error:
        if _SHAPE.fullmatch(text):
            raise ValueError(f"date.parse: {text!r} is not a date from the year 1 to 9999: {error}.") from None
        raise ValueError(f"date.parse: expected a date such as '2026-02-28', got {expect.short(text)}.") from None


@tf.data_node(id="date.write")
def write(date: Date) -> str:
    """The date by ISO 8601.

    >>> write(from_parts(2026, 2, 28))
    '2026-02-28'
    """
    return date.isoformat()


@tf.data_node(id="date.format")
def format_(date: Date, pattern: str = "%d %B %Y") -> str:
    """The date by a pattern: %Y year, %m month, %d day, %B name of the month, %A of the day, %j day of the year.

    Names are English; %b and %a are the short ones. %y is the year in two digits, %V the week and %G its year by ISO
    8601, %u the day of the week from 1, Monday. Any other letter after % is an error.

    >>> format_(from_parts(2026, 2, 28), "%A, %d %B")
    'Saturday, 28 February'
    """
    moment = datetime.datetime(date.year, date.month, date.day)  # noqa: DTZ001 - a day has no zone
    return formatted("date.format", moment, pattern, _LETTERS)


@tf.data_node(id="date.today", durable="recorded", volatile=True)
def today(zone: str = "UTC", clock: tf.FromServices[Clock] = SYSTEM_CLOCK) -> Date:
    """The day that it is in a zone, on the host's clock. Not the same in every run. An unknown zone is an error.

    >>> today().year > 2000
    True
    """
    return clock.now().astimezone(zone_named("date.today", zone)).date()


@tf.data_node(id="date.add_days")
def add_days(date: Date, days: int = 1) -> Date:
    """So many days later, or earlier for a negative number.

    >>> str(add_days(from_parts(2026, 2, 28)))
    '2026-03-01'
    """
    return _valid("date.add_days", lambda: date + datetime.timedelta(days=days))


@tf.data_node(id="date.add_months")
def add_months(date: Date, months: int = 1) -> Date:
    """The same day so many months later, or earlier; the last day of the month if it is too short.

    >>> str(add_months(from_parts(2026, 1, 31)))
    '2026-02-28'
    """
    return _valid("date.add_months", lambda: Date(*months_later(date, months)))


@tf.data_node(id="date.add_years")
def add_years(date: Date, years: int = 1) -> Date:
    """The same day so many years later, or earlier; 28 February for the 29th where there is none.

    >>> str(add_years(from_parts(2024, 2, 29)))
    '2025-02-28'
    """
    return _valid("date.add_years", lambda: Date(*months_later(date, years * 12)))


@tf.data_node(id="date.days_between")
def days_between(start: Date, end: Date) -> int:
    """How many days the second date is after the first; negative if it is before.

    >>> days_between(from_parts(2026, 2, 28), from_parts(2026, 3, 1))
    1
    """
    return (end - start).days


@tf.data_node(id="date.years_between")
def years_between(start: Date, end: Date) -> int:
    """How many whole years the second date is after the first, as ages are counted; negative if it is before.

    Who is born on 29 February is a year older on 1 March where there is no such day.

    >>> years_between(from_parts(1990, 6, 15), from_parts(2026, 6, 14))
    35
    """
    if end < start:
        return -years_between(end, start)
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


@tf.data_node(id="date.compare")
def compare(a: Date, b: Date) -> int:
    """-1 if the first is earlier, 0 if they are equal, 1 if it is later.

    >>> compare(from_parts(2026), from_parts(2027))
    -1
    """
    return (a > b) - (a < b)


@tf.data_node(id="date.weekday")
def weekday(date: Date) -> int:
    """The day of the week, from 1, Monday, to 7, Sunday.

    >>> weekday(from_parts(2026, 2, 28))
    6
    """
    return date.isoweekday()


class Week(NamedTuple):
    """A week by ISO 8601: the first has the year's first Thursday."""

    year: int
    week: int


@tf.data_node(id="date.week")
def week(date: Date) -> Week:
    """The week by ISO 8601, and the year that it counts in, which may be the one before or after.

    >>> week(from_parts(2027, 1, 1))
    Week(year=2026, week=53)
    """
    found = date.isocalendar()
    return Week(found.year, found.week)


@tf.data_node(id="date.from_week")
def from_week(year: int, week: int, weekday: int = 1) -> Date:
    """A day of a week by ISO 8601, Monday is 1. A week or day that the year does not have is an error.

    >>> str(from_week(2026, 53, 5))
    '2027-01-01'
    """
    return _valid("date.from_week", lambda: Date.fromisocalendar(year, week, weekday))


@tf.data_node(id="date.day_of_year")
def day_of_year(date: Date) -> int:
    """The number of the day in its year, from 1.

    >>> day_of_year(from_parts(2026, 2, 1))
    32
    """
    return date.timetuple().tm_yday


@tf.data_node(id="date.days_in_month")
def days_in_month(year: int, month: int) -> int:
    """How many days a month has. A month that does not exist is an error.

    >>> days_in_month(2024, 2)
    29
    """
    _valid("date.days_in_month", lambda: Date(year, month, 1))
    return calendar.monthrange(year, month)[1]


@tf.data_node(id="date.is_leap_year")
def is_leap_year(year: int) -> bool:
    """Whether a year has a 29 February.

    >>> is_leap_year(1900)
    False
    """
    return calendar.isleap(year)


def _start(date: Date, unit: Unit) -> Date:
    if unit == "week":
        return date - _DAY * date.weekday()
    month = {"month": date.month, "quarter": (date.month - 1) // 3 * 3 + 1, "year": 1}[unit]
    return Date(date.year, month, 1)


@tf.data_node(id="date.start_of")
def start_of(date: Date, unit: Unit = "month") -> Date:
    """The first day of the week, which is Monday, of the month, the quarter or the year.

    >>> str(start_of(from_parts(2026, 5, 17), "quarter"))
    '2026-04-01'
    """
    return _valid("date.start_of", lambda: _start(date, unit))


@tf.data_node(id="date.end_of")
def end_of(date: Date, unit: Unit = "month") -> Date:
    """The last day of the week, which is Sunday, of the month, the quarter or the year.

    >>> str(end_of(from_parts(2026, 2, 3)))
    '2026-02-28'
    """
    if unit == "week":
        return _valid("date.end_of", lambda: date + _DAY * (6 - date.weekday()))
    month = _start(date, unit).month + {"month": 0, "quarter": 2, "year": 11}[unit]
    return Date(date.year, month, calendar.monthrange(date.year, month)[1])


@sliced(id="date.range")
def range_(start: Date, stop: Date, step: int = 1) -> Steps[list[Date]]:
    """The days from `start` up to, not including, `stop`, or each second, third and so on.

    A negative step goes back. A step of 0 is an error.

    >>> [str(day) for day in range_(from_parts(2026, 2, 27), from_parts(2026, 3, 5), 2)]
    ['2026-02-27', '2026-03-01', '2026-03-03']
    """
    if step == 0:
        raise ValueError("date.range: the step must not be zero.")
    days = range(0, (stop - start).days, step)
    return (yield from mapped(lambda number: start + _DAY * number, days))


@tf.data_node(id="date.is_weekend")
def is_weekend(date: Date) -> bool:
    """Whether it is a Saturday or a Sunday.

    >>> is_weekend(from_parts(2026, 2, 28))
    True
    """
    return date.isoweekday() >= 6
