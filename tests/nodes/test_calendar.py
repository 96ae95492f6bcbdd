"""Dates, moments with zones, durations: what their nodes do at the edges, and the laws that they keep."""

from __future__ import annotations

import datetime
import sys
import zoneinfo

import pytest
from data_nodes import call, law, value_of
from hypothesis import assume, given
from hypothesis import strategies as st

import trioflow as tf
from trioflow.nodes import _calendar

DAY = datetime.date(2026, 2, 28)
NOON = datetime.datetime(2026, 2, 28, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "-03:30")

dates = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 12, 31))
zones = st.sampled_from(ZONES)
durations = st.timedeltas(datetime.timedelta(-10_000), datetime.timedelta(10_000))


@st.composite
def moments(draw):
    shown = draw(st.datetimes(datetime.datetime(1970, 1, 2), datetime.datetime(2099, 12, 30)))
    return call("time.to_zone", moment=shown.replace(tzinfo=datetime.UTC), zone=draw(zones))


def berlin(text, **inputs):
    return call("time.parse", text=text, zone="Europe/Berlin", **inputs)


@pytest.mark.parametrize(
    ("type_id", "inputs", "expected"),
    [
        ("date.add_months", {"date": "2024-01-31", "months": 1}, "2024-02-29"),
        ("date.add_months", {"date": "2026-03-31", "months": -13}, "2025-02-28"),
        ("date.add_years", {"date": "2024-02-29", "years": 4}, "2028-02-29"),
        ("date.parse", {"text": "28 Feb 2026", "pattern": "%d %b %Y"}, "2026-02-28"),
        ("date.parse", {"text": "Saturday, 28 February 2026", "pattern": "%A, %d %B %Y"}, "2026-02-28"),
        ("date.parse", {"text": "2026", "pattern": "%Y"}, "2026-01-01"),
        ("date.parse", {"text": "100%: 2026", "pattern": "100%%: %Y"}, "2026-01-01"),
        ("date.end_of", {"date": "2024-02-03"}, "2024-02-29"),
        ("date.end_of", {"date": "2026-05-03", "unit": "quarter"}, "2026-06-30"),
        ("date.end_of", {"date": "2026-05-03", "unit": "year"}, "2026-12-31"),
        ("date.end_of", {"date": "2026-05-03", "unit": "week"}, "2026-05-03"),
        ("date.start_of", {"date": "2026-05-03", "unit": "week"}, "2026-04-27"),
        ("date.start_of", {"date": "2026-12-31", "unit": "year"}, "2026-01-01"),
        ("date.years_between", {"start": "2024-02-29", "end": "2025-02-28"}, "0"),
        ("date.years_between", {"start": "2026-06-15", "end": "1990-06-15"}, "-36"),
        ("date.format", {"date": "0009-01-05", "pattern": "%Y %y %j %u %V %G %B %b %a 100%%"}, "0009 09 005 1 02 0009 January Jan Mon 100%"),
        ("date.range", {"start": "2026-01-03", "stop": "2026-01-01", "step": -1}, "[datetime.date(2026, 1, 3), datetime.date(2026, 1, 2)]"),
        ("date.range", {"start": "2026-01-03", "stop": "2026-01-01"}, "[]"),
        ("time.parse", {"text": "2026-02-28T12:00:00+01:00", "zone": "UTC"}, "2026-02-28 12:00:00+01:00"),
        ("time.parse", {"text": "20260228T12", "zone": "UTC"}, "2026-02-28 12:00:00+00:00"),
        ("time.parse", {"text": "1/2/2026 12:05 AM", "pattern": "%m/%d/%Y %I:%M %p", "zone": "UTC"}, "2026-01-02 00:05:00+00:00"),
        ("time.parse", {"text": "2026 7 PM", "pattern": "%Y %I %p", "zone": "UTC"}, "2026-01-01 19:00:00+00:00"),
        ("time.parse", {"text": "2026 1 AM", "pattern": "%Y %I %p", "zone": "UTC"}, "2026-01-01 01:00:00+00:00"),
        ("time.format", {"moment": "2026-02-28T12:00:00Z", "pattern": "%z %Z"}, "+00:00 UTC"),
        ("time.parse", {"text": "2026 .5 -0330", "pattern": "%Y .%f %z"}, "2026-01-01 00:00:00.500000-03:30"),
        ("time.parse", {"text": "2026Z", "pattern": "%Y%z"}, "2026-01-01 00:00:00+00:00"),
        ("time.format", {"moment": "2026-02-28T00:05:06.000007+01:00", "pattern": "%I %p %f %z %Z"}, "12 AM 000007 +01:00 UTC+01:00"),
        ("time.zone", {"moment": "2026-02-28T12:00:00"}, ""),
        ("time.zone", {"moment": "2026-02-28T12:00:00+05:30"}, "+05:30"),
        ("time.from_timestamp", {"seconds": -0.5}, "1969-12-31 23:59:59.500000+00:00"),
        ("time.from_timestamp", {"seconds": 0, "zone": "Asia/Kathmandu"}, "1970-01-01 05:30:00+05:30"),
        ("time.start_of", {"moment": "2026-02-28T12:34:56.7+00:00", "unit": "week"}, "2026-02-23 00:00:00+00:00"),
        ("time.start_of", {"moment": "2026-02-28T12:34:56.7+00:00", "unit": "year"}, "2026-01-01 00:00:00+00:00"),
        ("time.start_of", {"moment": "2026-02-28T12:34:56.7+00:00", "unit": "month"}, "2026-02-01 00:00:00+00:00"),
        ("time.start_of", {"moment": "2026-02-28T12:34:56.7+00:00", "unit": "minute"}, "2026-02-28 12:34:00+00:00"),
        ("time.start_of", {"moment": "2026-02-28T12:34:56.7+00:00", "unit": "second"}, "2026-02-28 12:34:56+00:00"),
        ("duration.format", {"duration": "-PT1H30M"}, "-1:30:00"),
        ("duration.format", {"duration": "P1DT0.999999S", "decimals": 3}, "24:00:00.999"),
        ("time.shift", {"moment": "2024-02-29T12:00:00Z", "years": 1, "months": -1, "days": -1}, "2025-01-28 12:00:00+00:00"),
        ("duration.format", {"duration": "PT0S"}, "0:00:00"),
        ("duration.round", {"duration": "PT30S", "to": "PT1M"}, "0:00:00"),
        ("duration.round", {"duration": "PT1M30S", "to": "PT1M"}, "0:02:00"),
        ("duration.round", {"duration": "-PT31S", "to": "PT1M"}, "-1 day, 23:59:00"),
        ("duration.parts", {"duration": "-PT25H0.5S"}, "{'days': -1, 'hours': -1, 'minutes': 0, 'seconds': 0, 'microseconds': -500000}"),
        ("duration.sum", {"items": []}, "0:00:00"),
    ],
)  # fmt: skip
def test_edge(type_id, inputs, expected):
    """What a node gives at its edges is as its documentation says; dates, moments and durations are written in graphs."""
    assert str(value_of(type_id, **inputs)) == expected


@pytest.mark.parametrize(
    ("type_id", "inputs", "error", "message"),
    [
        ("date.from_parts", {"year": 2026, "month": 2, "day": 29}, ValueError, "date.from_parts: there is no such date.*day is out of range"),
        ("date.from_parts", {"year": 10_000}, ValueError, "from the year 1 to 9999"),
        ("date.parse", {"text": "2026-2-28"}, ValueError, "expected a date such as '2026-02-28', got '2026-2-28'"),
        ("date.parse", {"text": "x", "pattern": "%Y"}, ValueError, "expected a text such as '%Y' writes, got 'x'"),
        ("date.parse", {"text": "2", "pattern": "%d"}, ValueError, "expected a pattern with %Y"),
        ("date.parse", {"text": "2", "pattern": "%Y%Y"}, ValueError, "with nothing twice"),
        ("date.parse", {"text": "2", "pattern": "%Y %"}, ValueError, "'%' in the pattern '%Y %' is none of %Y %m"),
        ("date.parse", {"text": "2", "pattern": "%Y %j"}, ValueError, "'%j' in the pattern"),
        ("date.parse", {"text": "30.2.2026", "pattern": "%d.%m.%Y"}, ValueError, "day is out of range"),
        ("date.parse", {"text": "Mon 28 2 2026", "pattern": "%a %d %m %Y"}, ValueError, "that day is a Saturday"),
        ("date.format", {"date": DAY, "pattern": "%H"}, ValueError, "'%H' in the pattern '%H' is none of"),
        ("date.add_days", {"date": DAY, "days": 10**12}, ValueError, "date.add_days: there is no such date"),
        ("date.add_years", {"date": DAY, "years": -3000}, ValueError, "there is no such date"),
        ("date.end_of", {"date": datetime.date.max, "unit": "week"}, ValueError, "there is no such date"),
        ("date.days_in_month", {"year": 2026, "month": 13}, ValueError, "there is no such date"),
        ("date.from_week", {"year": 2026, "week": 54}, ValueError, "Invalid week"),
        ("date.range", {"start": DAY, "stop": DAY, "step": 0}, ValueError, "must not be zero"),
        ("date.today", {"zone": "Europe/Berlni"}, ValueError, "no zone 'Europe/Berlni'.*Did you mean 'Europe/Berlin'"),
        ("date.weekday", {"date": NOON}, tf.InvalidGraph, "Expected date, got datetime"),
        ("time.parse", {"text": "2026-02-28T12:00"}, ValueError, "says no zone: give one"),
        ("time.parse", {"text": "noon"}, ValueError, "time.parse: expected a moment such as .*, got 'noon'"),
        ("time.parse", {"text": "2026 13 PM", "pattern": "%Y %I %p", "zone": "UTC"}, ValueError, "hour must be in 1..12"),
        ("time.from_parts", {"year": 2026, "hour": 24}, ValueError, "hour must be in 0..23"),
        ("time.from_parts", {"year": 2026, "zone": "/etc/passwd"}, ValueError, "there is no zone '/etc/passwd'"),
        ("time.from_parts", {"year": 2026, "zone": "Europe"}, ValueError, "there is no zone 'Europe'"),
        ("time.from_timestamp", {"seconds": 1e15}, ValueError, "no such moment"),
        ("time.from_timestamp", {"seconds": float("nan")}, ValueError, "a finite number, got nan"),
        ("time.add", {"moment": "9999-12-31T23:00:00Z", "duration": "P1D"}, ValueError, "time.add: there is no such moment"),
        ("time.shift", {"moment": NOON, "years": 9000}, ValueError, "time.shift: there is no such moment"),
        ("time.earliest", {"items": []}, ValueError, "time.earliest: the list is empty"),
        ("time.latest", {"items": [1]}, tf.InvalidGraph, "got int 1"),
        *[
            (f"time.{name}", {"moment": "2026-02-28T12:00:00", **inputs}, ValueError, "2026-02-28T12:00:00 has no zone")
            for name, inputs in (
                ("to_zone", {"zone": "UTC"}), ("to_timestamp", {}), ("offset", {}), ("add", {"duration": "P1D"}),
                ("subtract", {"duration": "P1D"}), ("shift", {"days": 1}), ("start_of", {}),
            )
        ],
        ("duration.from_parts", {"days": 10**9}, OverflowError, "less than 1,000,000,000 days"),
        ("duration.from_seconds", {"seconds": float("inf")}, ValueError, "a finite number, got inf"),
        ("duration.add", {"a": "P999999999D", "b": "P1D"}, OverflowError, "duration.add"),
        ("duration.multiply", {"duration": "P1D", "by": 1e300}, OverflowError, "duration.multiply"),
        ("duration.divide", {"duration": "P1D", "by": 0}, ZeroDivisionError, "duration.divide: division by zero"),
        ("duration.ratio", {"a": "P1D", "b": "PT0S"}, ZeroDivisionError, "by a duration of zero"),
        ("duration.round", {"duration": "P1D", "to": "PT0S"}, ValueError, "more than zero to round to"),
        ("duration.parse", {"text": "P1Y"}, ValueError, "duration.parse: expected a duration such as '30s'"),
        ("duration.format", {"duration": "P1D", "decimals": 7}, ValueError, "from 0 to 6"),
    ],
)  # fmt: skip
def test_error(type_id, inputs, error, message):
    """What a node can't do is an error that says what was expected and what came."""
    with pytest.raises(error, match=message):
        value_of(type_id, **inputs)


def test_items_are_looked_at_when_they_are_used():
    """A wire checks the list, not its items: a node that needs items of a type looks itself."""
    with pytest.raises(TypeError, match="duration.sum: expected durations, but item 0 is int 1"):
        call("duration.sum", items=[1])
    with pytest.raises(TypeError, match="time.latest: expected moments, but item 1 is None"):
        call("time.latest", items=[NOON, None])


def test_a_system_without_zones(monkeypatch):
    """Where the system has no time zones, the error names the package that brings them."""
    before = zoneinfo.TZPATH
    _calendar._known_zones.cache_clear()
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zoneinfo.reset_tzpath(to=())
    try:
        with pytest.raises(ValueError, match="knows no time zones. Install the package tzdata"):
            call("time.to_zone", moment=NOON, zone="Europe/Nowhere")
    finally:
        zoneinfo.reset_tzpath(to=before)
        _calendar._known_zones.cache_clear()


def test_time_that_clocks_skip():
    """A time that clocks skip is moved on by what they skip, wherever it comes from."""
    skipped = "2026-03-29 03:30:00+02:00"
    assert str(berlin("2026-03-29T02:30")) == skipped
    assert str(berlin("29.3.2026 2:30", pattern="%d.%m.%Y %H:%M")) == skipped
    parts = {"year": 2026, "month": 3, "day": 29, "hour": 2, "minute": 30, "zone": "Europe/Berlin"}
    assert str(call("time.from_parts", **parts)) == skipped
    day = {"date": datetime.date(2026, 3, 29), "hour": 2, "minute": 30, "zone": "Europe/Berlin"}
    assert str(call("time.from_date", **day)) == skipped
    naive = datetime.datetime(2026, 3, 29, 2, 30)
    assert str(call("time.with_zone", moment=naive, zone="Europe/Berlin", second=True)) == skipped
    assert str(call("time.shift", moment=berlin("2026-03-28T02:30"), days=1)) == skipped


def test_time_that_clocks_show_twice():
    """A time that clocks show twice is the first of the two, unless the second is asked for; both are told apart."""
    naive = datetime.datetime(2026, 10, 25, 2, 30)
    first, second = (
        call("time.with_zone", moment=naive, zone="Europe/Berlin", second=second) for second in (False, True)
    )
    assert [str(first), str(second)] == ["2026-10-25 02:30:00+02:00", "2026-10-25 02:30:00+01:00"]
    assert first == berlin("2026-10-25T02:30")
    assert call("time.difference", start=first, end=second) == HOUR
    assert call("time.is_before", a=first, b=second)
    assert call("time.compare", a=first, b=second) == -1
    assert call("time.latest", items=[first, second, first]) is second
    assert call("time.earliest", items=[second, first]) is first
    assert str(call("time.add", moment=first, duration=HOUR)) == str(second)
    assert str(call("time.subtract", moment=second, duration=HOUR)) == str(first)
    assert [str(call("time.start_of", moment=each, unit="hour")) for each in (first, second)] == [
        "2026-10-25 02:00:00+02:00",
        "2026-10-25 02:00:00+01:00",
    ]
    assert str(call("time.start_of", moment=second)) == "2026-10-25 00:00:00+02:00"


def test_a_day_is_not_always_24_hours():
    """`time.add` counts what passes on a stopwatch, `time.shift` days of the calendar."""
    before = berlin("2026-03-28T12:00")
    assert str(call("time.add", moment=before, duration=24 * HOUR)) == "2026-03-29 13:00:00+02:00"
    assert str(call("time.shift", moment=before, days=1)) == "2026-03-29 12:00:00+02:00"
    assert call("time.difference", start=before, end=call("time.shift", moment=before, days=1)) == 23 * HOUR


def test_starts_that_clocks_skip():
    """Where clocks skip the start of a day or an hour, it is the first time that they show."""
    noon = call("time.parse", text="2018-11-04T12:00", zone="America/Sao_Paulo")
    assert str(call("time.start_of", moment=noon)) == "2018-11-04 01:00:00-02:00"
    late = call("time.parse", text="2026-10-04T02:40", zone="Australia/Lord_Howe")
    assert str(call("time.start_of", moment=late, unit="hour")) == "2026-10-04 02:30:00+11:00"


def test_clocks():
    """Clocks give the time with its zone, and the day in the zone that is asked for."""
    assert abs(datetime.datetime.now(datetime.UTC) - value_of("time.now")) < HOUR
    ahead, behind = value_of("date.today", zone="+14:00"), value_of("date.today", zone="-12:00")
    assert datetime.timedelta(days=1) <= ahead - behind <= datetime.timedelta(days=2)


@law
@given(dates, st.sampled_from(["%Y-%m-%d", "%d %B %Y", "%a %d.%m.%Y", "%A, %b %d %Y", "%%%Y(%m)%d"]))
def test_dates_written_and_read(date, pattern):
    """What is written by a pattern, or by ISO 8601, is read back; parts and weeks make the date again."""
    assert call("date.parse", text=call("date.format", date=date, pattern=pattern), pattern=pattern) == date
    assert call("date.parse", text=call("date.write", date=date)) == date
    assert call("date.from_parts", **call("date.parts", date=date)._asdict()) == date
    week = call("date.week", date=date)
    assert call("date.from_week", **week._asdict(), weekday=call("date.weekday", date=date)) == date


@law
@given(dates, st.integers(-1000, 1000), st.sampled_from(["week", "month", "quarter", "year"]))
def test_reckoning_with_days(date, count, unit):
    """Days added are days between; months keep the day or are cut; a unit starts and ends around its days."""
    later = call("date.add_days", date=date, days=count)
    assert call("date.days_between", start=date, end=later) == count
    assert call("date.compare", a=later, b=date) == (count > 0) - (count < 0)
    months = call("date.add_months", date=date, months=count)
    length = call("date.days_in_month", year=months.year, month=months.month)
    assert months.day == min(date.day, length)
    assert (months.year - date.year) * 12 + months.month - date.month == count
    start, end = (call(f"date.{name}_of", date=date, unit=unit) for name in ("start", "end"))
    assert start <= date <= end
    assert call("date.start_of", date=end + datetime.timedelta(days=1), unit=unit) == end + datetime.timedelta(days=1)
    assert call("date.is_weekend", date=date) is (call("date.weekday", date=date) > 5)
    new_year = call("date.start_of", date=date, unit="year")
    assert call("date.day_of_year", date=date) == call("date.days_between", start=new_year, end=date) + 1
    leap = call("date.days_in_month", year=date.year, month=2) == 29
    assert call("date.is_leap_year", year=date.year) is leap


@law
@given(dates, dates, st.integers(1, 400))
def test_range_of_dates(start, stop, step):
    """A range starts at its start, keeps its step and ends before its stop."""
    days = call("date.range", start=start, stop=stop, step=step)
    assert bool(days) is (start < stop)
    if days:
        assert days[0] == start
        assert days[-1] < stop <= days[-1] + datetime.timedelta(days=step)
        assert {b - a for a, b in zip(days, days[1:], strict=False)} <= {datetime.timedelta(days=step)}


@law
@given(dates, st.integers(0, 200))
def test_ages(birth, years):
    """So many years later one is that old, and the day before not yet."""
    assume((birth.month, birth.day) != (2, 29))
    birthday = call("date.add_years", date=birth, years=years)
    assert call("date.years_between", start=birth, end=birthday) == years
    if years:
        assert call("date.years_between", start=birth, end=birthday - datetime.timedelta(days=1)) == years - 1


@law
@given(moments(), zones)
def test_zones(moment, zone):
    """A moment stays the same in every zone, written by ISO 8601, by a pattern, as a timestamp, and by its parts."""
    moved = call("time.to_zone", moment=moment, zone=zone)
    assert call("time.zone", moment=moved) == zone
    assert call("time.compare", a=moment, b=moved) == 0
    assert call("time.difference", start=moment, end=moved) == datetime.timedelta(0)
    assert call("time.compare", a=call("time.parse", text=call("time.write", moment=moved)), b=moment) == 0
    pattern = "%d.%m.%Y %H:%M:%S.%f %z"
    read = call("time.parse", text=call("time.format", moment=moved, pattern=pattern), pattern=pattern)
    assert call("time.compare", a=read, b=moment) == 0
    stamp = call("time.to_timestamp", moment=moved)
    assert abs(call("time.from_timestamp", seconds=stamp, zone=zone) - moment) <= datetime.timedelta(microseconds=1)
    parts = call("time.parts", moment=moved)
    again = call("time.from_parts", **parts._asdict(), zone=zone)
    assert call("time.difference", start=again, end=moved) in (datetime.timedelta(0), HOUR, HOUR / 2)
    assert call("time.date", moment=moved) == datetime.date(parts.year, parts.month, parts.day)
    shown = call("time.with_zone", moment=moved.replace(tzinfo=None), zone=zone, second=bool(moved.fold))
    assert call("time.compare", a=shown, b=moved) == 0
    utc = call("time.with_zone", moment=moved, zone="UTC")
    assert call("time.difference", start=moved, end=utc) == call("time.offset", moment=moved)


@law
@given(moments(), durations)
def test_reckoning_with_moments(moment, duration):
    """What is added is the difference, and subtracting it gives the moment again, in its zone."""
    later = call("time.add", moment=moment, duration=duration)
    assert call("time.difference", start=moment, end=later) == duration
    back = call("time.subtract", moment=later, duration=duration)
    assert (str(back), call("time.zone", moment=back)) == (str(moment), call("time.zone", moment=moment))


@law
@given(moments(), st.sampled_from(["second", "minute", "hour", "day", "week", "month", "year"]))
def test_starts(moment, unit):
    """A start is not later than the moment, and is its own start; shifting by nothing changes nothing."""
    start = call("time.start_of", moment=moment, unit=unit)
    assert call("time.compare", a=start, b=moment) <= 0
    assert call("time.compare", a=call("time.start_of", moment=start, unit=unit), b=start) == 0
    assert str(call("time.shift", moment=moment)) == str(moment)


@law
@given(durations, durations, st.integers(1, 1000))
def test_durations(a, b, number):
    """Durations follow the laws of arithmetic; parts and both written forms make them again."""
    total = call("duration.add", a=a, b=b)
    assert call("duration.subtract", a=total, b=b) == a
    assert call("duration.sum", items=[a, b]) == total
    assert call("duration.negate", duration=call("duration.negate", duration=a)) == a
    assert call("duration.add", a=a, b=call("duration.negate", duration=a)) == datetime.timedelta(0)
    assert call("duration.absolute", duration=a) == max(a, -a)
    assert call("duration.compare", a=a, b=b) == (a > b) - (a < b)
    assert call("duration.divide", duration=call("duration.multiply", duration=a, by=number), by=number) == a
    assert call("duration.parse", text=call("duration.write", duration=a)) == a
    parts = call("duration.parts", duration=a)._asdict()
    seconds = parts.pop("seconds") + parts.pop("microseconds") / 1e6
    assert abs(call("duration.from_parts", **parts, seconds=seconds) - a) <= datetime.timedelta(microseconds=1)
    assert call("duration.from_seconds", seconds=call("duration.to_seconds", duration=a)) == a
    if b:
        assert call("duration.ratio", a=b * number, b=b) == number


@law
@given(durations, st.timedeltas(datetime.timedelta(microseconds=1), datetime.timedelta(1)))
def test_rounding_durations(duration, to):
    """A rounded duration is a multiple, and none is nearer."""
    rounded = call("duration.round", duration=duration, to=to)
    assert rounded % to == datetime.timedelta(0)
    assert abs(rounded - duration) * 2 <= to
