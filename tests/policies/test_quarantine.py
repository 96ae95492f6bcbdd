"""Quarantine: a node that has failed often enough in a run is skipped from then on (P5)."""

from __future__ import annotations

import pytest
from policies.flaky import Calls, calling, log
from policies.test_breaker import calls

import trioflow as tf


def test_skipped_from_then_on(bench):
    """So many failures go on as ever; then it is skipped at once, and that is told."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start, loop = g.add(tf.nodes.Start), g.add("flow.for", "loop", times=4)
        attempt, call = g.add("flow.try", "try"), g.add(Calls, "call")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, attempt.enter)
        g.connect(attempt.body, call.enter)
        g.connect(attempt["catch"], g.add(tf.nodes.Sequence, "caught").enter)
        g.configure(call, policy=tf.Policy(quarantine=2))
    bench.run(g.graph, services={"script": [OSError("a"), OSError("b"), OSError("never")]})
    rows = [row for row in log(bench.log) if row[2] == "call" and row[1] != "NodeStarted"]
    assert [row[1] for row in rows] == ["NodeFailed", "Quarantined", "NodeFailed", "NodeSkipped", "NodeSkipped"]
    assert rows[1] == (0.0, "Quarantined", "call", "0.1.1.0", 2, "OSError: b")
    skipped = [each.error for each in bench.log if isinstance(each, tf.events.NodeSkipped)]
    assert (type(skipped[0]), str(skipped[0])) == (
        tf.QuarantinedNode, "Node 'call' has failed 2 times, and is skipped from then on.",
    )  # fmt: skip


def test_what_is_skipped_does_not_count(bench):
    """It is outside of skipping: what that has skipped has not failed."""
    bench.run(calls(4, quarantine=2), services={"script": [OSError("a")] * 4})
    assert [row[1] for row in log(bench.log) if row[1] == "Quarantined"] == []


def test_alone(bench):
    """As a middleware it counts as long as it is used."""
    quarantine = tf.Quarantine(1, nodes=["call"])
    bench.fails(OSError, calling(), services={"script": [OSError()]}, middleware=[quarantine])
    bench.run(calling(), services={"script": []}, middleware=[quarantine])
    assert [row[1] for row in log(bench.log)] == ["NodeStarted", "NodeSkipped"]
    assert repr(quarantine) == "Quarantine(1)"
    with pytest.raises(ValueError, match="Quarantine needs 1 failure at least, got 0"):
        tf.Quarantine(0)
