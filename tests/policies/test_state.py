"""What policies remember, as data: a run that goes on elsewhere goes on with it (P6)."""

from __future__ import annotations

import json

from policies.flaky import calling, log
from policies.test_breaker import QUICK, calls

import trioflow as tf


def again(data, now=0.0):
    """Through JSON, as whoever keeps it would."""
    state = tf.PolicyState()
    state.restore(json.loads(json.dumps(data)), now)
    return state


def test_an_open_breaker_stays_open(bench):
    """For what is left of its time, and then it lets probes through."""
    state = tf.PolicyState()
    bench.run(calls(2, breaker=QUICK), services={"script": [OSError(), OSError()], tf.PolicyState: state})
    data = state.as_data(2.0)
    assert data["circuits"] == {
        "flaky.calls": {
            "state": "open",
            "why": "2 of 2 calls within 10 s have failed",
            "until": 4.0,
            "passed": 0,
            "slices": [],
        }
    }
    bench.run(calls(6, breaker=QUICK), services={"script": [], tf.PolicyState: again(data)})
    assert [row[1] for row in log(bench.log) if row[1].startswith("Breaker")] == [
        *["BreakerBlocked"] * 4, "BreakerChanged", "BreakerAttempted", "BreakerAttempted", "BreakerChanged",
    ]  # fmt: skip


def test_failures_are_still_counted(bench):
    """A closed breaker remembers what has failed in its window."""
    state = tf.PolicyState()
    slow = tf.BreakerPolicy(calls=3, window="10s")
    bench.run(calls(2, breaker=slow), services={"script": [OSError(), OSError()], tf.PolicyState: state})
    bench.run(calls(1, breaker=slow), services={"script": [OSError()], tf.PolicyState: again(state.as_data(2.0))})
    assert [row[1:2] + row[5:7] for row in log(bench.log) if row[1] == "BreakerChanged"] == [
        ("BreakerChanged", "closed", "open")
    ]


def test_a_budget_stays_spent(bench):
    """So do retries, tokens, places that were taken away, and failures of a node in quarantine."""
    policy = {
        "retry": tf.RetryPolicy(budget=1, backoff="none"), "rate": tf.RatePolicy("1/m", burst=2), "quarantine": 1,
        "limit": tf.LimitPolicy(4, adapt=True),
    }  # fmt: skip
    state = tf.PolicyState()
    bench.fails(OSError, calling(**policy), services={"script": [OSError(), OSError()], tf.PolicyState: state})
    data = state.as_data(0.0)
    assert {name: data[name] for name in ("budgets", "failures", "full_at", "throttles")} == {
        "budgets": {"node call": 1}, "failures": {"call": 1}, "full_at": {"flaky.calls": 120.0},
        "throttles": {"flaky.calls": 1},
    }  # fmt: skip
    bench.run(calling(**policy), services={"script": [], tf.PolicyState: again(data)})
    assert log(bench.log)[-1][1] == "NodeSkipped"
    kept = again(data | {"failures": {}})
    bench.fails(OSError, calling(**policy), services={"script": [OSError()], tf.PolicyState: kept})
    assert log(bench.log)[-1][:2] == (60.0, "NodeFailed")
    assert kept.as_data(60.0)["budgets"] == {"node call": 1}
    assert again(data).as_data(0.0) == data
