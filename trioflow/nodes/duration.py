"""Durations, exact to the microsecond. Days are 24 hours: those of calendars are the business of `date` and `time`.

What is not a number, infinite, or a billion days long is an error. Written by ISO 8601, such as `PT1.5S` or `P2DT3H`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import NamedTuple

import trioflow as tf
from trioflow.nodes import _expect as expect

Number = int | float
Duration = datetime.timedelta

_SECOND = datetime.timedelta(seconds=1)


def _exact(node: str, compute: Callable[[], Duration]) -> Duration:
    try:
        return compute()
    except OverflowError:
        raise OverflowError(f"{node}: a duration has less than 1,000,000,000 days.") from None


@tf.data_node(id="duration.literal")
def literal(duration: Duration) -> Duration:
    """The duration itself, to write one down in the graph.

    >>> evaluate("duration.literal", duration="PT1M30S").total_seconds()
    90.0
    """
    return duration


@tf.data_node(id="duration.from_parts")
def from_parts(days: Number = 0, hours: Number = 0, minutes: Number = 0, seconds: Number = 0) -> Duration:
    """So many days, hours, minutes and seconds together; each may be negative, or a fraction.

    >>> str(from_parts(1, 2, 30))
    '1 day, 2:30:00'
    """
    for number in (days, hours, minutes, seconds):
        expect.finite("duration.from_parts", number)
    return _exact(
        "duration.from_parts",
        lambda: Duration(days=days, hours=hours, minutes=minutes, seconds=seconds),
    )


@tf.data_node(id="duration.from_seconds")
def from_seconds(seconds: Number) -> Duration:
    """So many seconds, rounded to the nearest microsecond.

    >>> str(from_seconds(90.5))
    '0:01:30.500000'
    """
    expect.finite("duration.from_seconds", seconds)
    return _exact("duration.from_seconds", lambda: Duration(seconds=seconds))


@tf.data_node(id="duration.to_seconds")
def to_seconds(duration: Duration) -> float:
    """The duration in seconds.

    >>> to_seconds(from_parts(hours=1))
    3600.0
    """
    return duration / _SECOND


class Parts(NamedTuple):
    """A duration in days, hours, minutes, seconds and microseconds; all negative, or 0, if it is."""

    days: int
    hours: int
    minutes: int
    seconds: int
    microseconds: int


@tf.data_node(id="duration.parts")
def parts(duration: Duration) -> Parts:
    """The duration in days, hours, minutes, seconds and microseconds. Of a negative one, none is positive.

    >>> parts(from_seconds(3723.5))
    Parts(days=0, hours=1, minutes=2, seconds=3, microseconds=500000)
    """
    sign = -1 if duration < Duration(0) else 1
    length = duration * sign
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return Parts(sign * length.days, sign * hours, sign * minutes, sign * seconds, sign * length.microseconds)


@tf.data_node(id="duration.parse")
def parse(text: str) -> Duration:
    """The duration that a text writes by ISO 8601: weeks, days, hours, minutes, seconds, the last with a fraction.

    Years and months, which have no fixed length, are errors, and so is what is finer than a microsecond.

    >>> str(parse("PT1H30M"))
    '1:30:00'
    """
    try:
        return tf.parse_duration(text)
    except ValueError as error:
        raise ValueError(f"duration.parse: {error}.") from None


@tf.data_node(id="duration.write")
def write(duration: Duration) -> str:
    """The duration by ISO 8601, in days, hours, minutes and seconds.

    >>> write(from_seconds(5400))
    'PT1H30M'
    """
    return tf.format_duration(duration)


@tf.data_node(id="duration.format")
def format_(duration: Duration, decimals: int = 0) -> str:
    """The duration as a clock shows it, hours as many as there are; so many decimals of a second, the rest cut off.

    Decimals beyond 0 and 6 are an error.

    >>> format_(from_seconds(93784.567), 1)
    '26:03:04.5'
    """
    if not 0 <= decimals <= 6:
        raise ValueError(f"duration.format: expected decimals from 0 to 6, got {expect.short(decimals)}.")
    length = abs(duration)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06}"[: decimals + 1] if decimals else ""
    sign = "-" if duration < Duration(0) else ""
    return f"{sign}{length.days * 24 + hours}:{minutes:02}:{seconds:02}{fraction}"


@tf.data_node(id="duration.add")
def add(a: Duration, b: Duration) -> Duration:
    """Both together.

    >>> str(add(from_seconds(50), from_seconds(20)))
    '0:01:10'
    """
    return _exact("duration.add", lambda: a + b)


@tf.data_node(id="duration.subtract")
def subtract(a: Duration, b: Duration) -> Duration:
    """The first less the second.

    >>> str(subtract(from_seconds(50), from_seconds(20)))
    '0:00:30'
    """
    return _exact("duration.subtract", lambda: a - b)


@tf.data_node(id="duration.multiply")
def multiply(duration: Duration, by: Number) -> Duration:
    """So many times the duration, rounded to the nearest microsecond.

    >>> str(multiply(from_seconds(20), 1.5))
    '0:00:30'
    """
    expect.finite("duration.multiply", by)
    return _exact("duration.multiply", lambda: duration * by)


@tf.data_node(id="duration.divide")
def divide(duration: Duration, by: Number) -> Duration:
    """One of so many equal parts, rounded to the nearest microsecond. Dividing by zero is an error.

    >>> str(divide(from_seconds(30), 4))
    '0:00:07.500000'
    """
    expect.finite("duration.divide", by)
    if by == 0:
        raise ZeroDivisionError("duration.divide: division by zero.")
    return _exact("duration.divide", lambda: duration / by)


@tf.data_node(id="duration.ratio")
def ratio(a: Duration, b: Duration) -> float:
    """How many times the second fits into the first. A second one of zero is an error.

    >>> ratio(from_parts(hours=1), from_parts(minutes=8))
    7.5
    """
    if not b:
        raise ZeroDivisionError("duration.ratio: division by a duration of zero.")
    return a / b


@tf.data_node(id="duration.negate")
def negate(duration: Duration) -> Duration:
    """The duration with the other sign.

    >>> to_seconds(negate(from_seconds(5)))
    -5.0
    """
    return _exact("duration.negate", lambda: -duration)


@tf.data_node(id="duration.absolute")
def absolute(duration: Duration) -> Duration:
    """The duration without its sign.

    >>> to_seconds(absolute(from_seconds(-5)))
    5.0
    """
    return _exact("duration.absolute", lambda: abs(duration))


@tf.data_node(id="duration.round")
def round_(duration: Duration, to: Duration) -> Duration:
    """The nearest multiple of another duration, halves to the even one. One that is not more than zero is an error.

    >>> str(round_(from_seconds(100), from_parts(minutes=1)))
    '0:02:00'
    """
    if to <= Duration(0):
        raise ValueError(f"duration.round: expected a duration of more than zero to round to, got {to}.")
    below, rest = divmod(duration, to)
    up = rest > to - rest or (rest == to - rest and below % 2)
    return _exact("duration.round", lambda: duration - rest + (to if up else Duration(0)))


@tf.data_node(id="duration.compare")
def compare(a: Duration, b: Duration) -> int:
    """-1 if the first is shorter, 0 if they are equal, 1 if it is longer; negative ones are shorter than zero.

    >>> compare(from_seconds(60), from_parts(minutes=1))
    0
    """
    return (a > b) - (a < b)


@tf.data_node(id="duration.sum")
def sum_(items: list[Duration]) -> Duration:
    """All together; zero for an empty list. An item that is no duration is an error.

    >>> str(sum_([from_seconds(30), from_seconds(45)]))
    '0:01:15'
    """
    for place, item in enumerate(items):
        if not isinstance(item, Duration):
            raise TypeError(f"duration.sum: expected durations, but item {place} is {expect.shown(item)}.")
    return _exact("duration.sum", lambda: sum(items, Duration(0)))
