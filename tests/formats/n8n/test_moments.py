"""`$now` and `$today` in expressions."""

from __future__ import annotations

import datetime

import pytest

from trioflow.formats import javascript, n8n
from trioflow.formats.n8n.expressions import filled, names_for
from trioflow.formats.n8n.moments import Moment, moment_in

NOW = moment_in(datetime.datetime(2026, 3, 31, 13, 4, 5, 67000, tzinfo=datetime.UTC), "Europe/Berlin")


def value(text):
    return filled(f"={{{{ {text} }}}}", names_for([{"n": 2}], 0, {}, NOW))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$now", "2026-03-31T15:04:05.067+02:00"),
        ("$today", "2026-03-31T00:00:00.000+02:00"),
        ("$now.year + $now.quarter", 2027),
        ("$now.weekdayLong + ' ' + $now.weekNumber", "Tuesday 14"),
        ("$now.toISODate()", "2026-03-31"),
        ("$now.plus({days: 1, hours: $json.n}).toISO()", "2026-04-01T17:04:05.067+02:00"),
        ("$now.minus(1, 'month').toFormat('d MMMM yyyy')", "28 February 2026"),
        ("$now.plus({years: 1}).toFormat(\"dd.MM.yy 'at' h:mm a ZZ\")", "31.03.27 at 3:04 PM +02:00"),
        ("$today.plus(1, 'quarters').toISODate()", "2026-06-30"),
        ("$now.startOf('week').toISODate()", "2026-03-30"),
        ("$now.startOf('quarter').toISODate()", "2026-01-01"),
        ("$now.endOf('month').toISO()", "2026-03-31T23:59:59.999+02:00"),
        ("$now.set({day: 1}).toISODate()", "2026-03-01"),
        ("$now.toUTC().toISOTime()", "13:04:05.067+00:00"),
        ("$now.setZone('America/New_York').hour", 9),
        ("$now.toMillis() - $today.toMillis()", 54245067),
        ("$now > $today", True),
        ("$now.toSeconds()", 1774962245.067),
    ],
)
def test_what_it_gives(text, found):
    assert value(text) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("$now.plus(1, 'moons')", "'moons' is not a unit of time"),
        ("$now.startOf('moon')", "'moon' is not a unit of time"),
        ("$now.toFormat('qq')", "'qq' in the format 'qq' is not understood"),
        ("$now.at()", "There is no function"),
    ],
)
def test_what_it_can_not(text, problem):
    with pytest.raises(javascript.ScriptFailed, match=problem):
        value(text)


def test_its_fields():
    assert dict(NOW) == {"year": 2026, "month": 3, "day": 31, "hour": 15, "minute": 4, "second": 5}
    assert (len(NOW), NOW["millisecond"], Moment(NOW.at)["daysInMonth"]) == (6, 67, 31)


def test_the_time_zone_of_a_workflow():
    """One that is not there is said with its place."""
    text = '{"nodes": [], "connections": {}, "settings": {"timezone": "%s"}}'
    assert n8n.loads(text % "Europe/Berlin").errors == ()
    (problem,) = n8n.loads(text % "Europe/Nowhere").errors
    assert (problem.code, problem.path) == ("bad-field", "settings.timezone")
