"""The written form of durations."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trioflow as tf
from trioflow.model.duration import short_duration

DAY, HOUR, SECOND = datetime.timedelta(days=1), datetime.timedelta(hours=1), datetime.timedelta(seconds=1)


@given(st.timedeltas())
def test_round_trip(duration):
    """Every duration is read as it was written, to the microsecond."""
    assert tf.parse_duration(tf.format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "duration", "written"),
    [
        ("PT0S", 0 * DAY, "PT0S"),
        ("-PT0S", 0 * DAY, "PT0S"),
        ("P1W", 7 * DAY, "P7D"),
        ("P2DT3H", 2 * DAY + 3 * HOUR, "P2DT3H"),
        ("PT1.5S", 1.5 * SECOND, "PT1.5S"),
        ("PT1,5H", 1.5 * HOUR, "PT1H30M"),
        ("P0.5D", 12 * HOUR, "PT12H"),
        ("-P1DT1S", -DAY - SECOND, "-P1DT1S"),
        ("+PT90M", 1.5 * HOUR, "PT1H30M"),
        ("PT0.000001S", datetime.timedelta(microseconds=1), "PT0.000001S"),
        ("P999999999DT23H59M59.999999S", datetime.timedelta.max, "P999999999DT23H59M59.999999S"),
    ],
)
def test_forms(text, duration, written):
    """Weeks, signs, commas and a fraction of the last unit are read; the shortest usual form is written."""
    assert tf.parse_duration(text) == duration
    assert tf.format_duration(duration) == written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a duration such as '30s' (ms, s, m, h or d), 'PT1.5S'"),
        ("1w", "got '1w'"),
        ("P", "expected a duration"),
        ("PT", "expected a duration"),
        ("P1DT", "expected a duration"),
        ("P1Y", "(weeks, days, hours, minutes, seconds)"),
        ("P1M", "expected a duration"),
        ("PT1.5H2M", "expected a duration"),
        ("PT1S ", "expected a duration"),
        ("PT\u0661S", "expected a duration"),
        ("PT0.0000001S", "exact to the microsecond, and 'PT0.0000001S' is finer"),
        ("P1000000000D", "less than 1,000,000,000 days"),
    ],
)
def test_refused(text, said):
    """Whatever has no exact length in microseconds is refused, with what was expected and what came."""
    with pytest.raises(ValueError) as caught:
        tf.parse_duration(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds", "written"),
    [
        ("10ms", 0.01, "10ms"), ("30s", 30, "30s"), ("1.5s", 1.5, "1500ms"), ("90s", 90, "90s"), ("5m", 300, "5m"),
        ("24h", 86400, "1d"), ("36h", 129600, "36h"), ("0s", 0, "0s"), ("0.0015s", 0.0015, "0.0015s"), ("7d", 604800, "7d"),
    ],
)  # fmt: skip
def test_short_forms(text, seconds, written):
    """A number and its unit; written in the largest unit of which it is a whole number."""
    assert tf.parse_duration(text).total_seconds() == seconds
    assert short_duration(seconds) == written
    assert tf.parse_duration(written).total_seconds() == seconds
    assert tf.parse_duration("-" + text).total_seconds() == -seconds
