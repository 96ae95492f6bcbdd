"""Time limits, of each attempt and of all together, and which of them an error tells of (P5)."""

from __future__ import annotations

import pytest
from policies.flaky import calling, log

import trioflow as tf


def test_of_each_attempt(bench):
    """An attempt that takes too long fails, and is tried again."""
    bench.run(
        calling(attempt_timeout="2s", retry=tf.RetryPolicy(jitter=0)), services={"script": [5, (1, OSError("x")), 1]}
    )
    assert log(bench.log) == [
        (0.0, "NodeStarted", "call", "0.1"),
        (2.0, "RetryScheduled", "call", "0.1", 1, 1.0, "NodeTimeout: An attempt of node 'call' took longer than its time limit of 2 s."),
        (4.0, "RetryScheduled", "call", "0.1", 2, 2.0, "OSError: x"),
        (7.0, "NodeCompleted", "call", "0.1"),
    ]  # fmt: skip


def test_of_all_together(bench):
    """Attempts and the waits between them take no longer in all, and the error says which limit it was."""
    graph = calling(timeout="4s", attempt_timeout="2s", retry=tf.RetryPolicy(jitter=0, attempts=9))
    error = bench.fails(tf.NodeTimeout, graph, services={"script": [5, 5, 5]})
    assert (str(error), error.limit, error.seconds) == (
        "Node 'call' took longer than its time limit of 4 s.",
        "total",
        4,
    )
    assert [(row[0], row[1]) for row in log(bench.log)] == [
        (0.0, "NodeStarted"), (2.0, "RetryScheduled"), (4.0, "NodeFailed"),
    ]  # fmt: skip
    error = bench.fails(tf.NodeTimeout, calling(attempt_timeout=2), services={"script": [5]})
    assert (error.limit, error.seconds) == ("attempt", 2)


def test_bad_limits():
    """It must be more than nothing."""
    with pytest.raises(ValueError, match="expected a duration of more than 0, got '0s'"):
        tf.TimeLimit("0s")
    assert repr(tf.TimeLimit("1m")) == "TimeLimit(60)"
