"""Policies around the firings of workflows (P5, P8, W2, W12)."""

from __future__ import annotations

import attrs
from policies.flaky import calling, log

import trioflow as tf


def workflow(**policy):
    """The same graph as a workflow."""
    return attrs.evolve(calling(**policy), kind="workflow")


def told(bench):
    return [(row[0], row[1], row[2]) for row in log(bench.log) if row[2] in ("call", "stored")]


def test_retry_and_fallback(bench):
    """A firing is tried again, then another node takes its place, which does not fire by itself."""
    graph = workflow(retry=tf.RetryPolicy(2, jitter=0), fallback="stored")
    result = bench.run(graph, services={"script": [OSError("a"), OSError("b")]})
    assert result.variables["kept"] == "stored 1: OSError: b"
    assert told(bench) == [
        (0.0, "NodeStarted", "call"), (0.0, "RetryScheduled", "call"), (1.0, "FellBack", "call"),
        (1.0, "NodeStarted", "stored"), (1.0, "NodeCompleted", "stored"), (1.0, "NodeCompleted", "call"),
    ]  # fmt: skip
    bench.run(graph, services={"script": []})
    assert told(bench) == [(0.0, "NodeStarted", "call"), (0.0, "NodeCompleted", "call")]


def test_the_priority_of_the_node(bench):
    """What a node of a workflow says of its priority is what it costs where a rate is limited (P7)."""
    graph = workflow(rate=tf.RatePolicy("1/s", burst=4))
    state = tf.PolicyState()
    nodes = [attrs.evolve(node, priority="critical") if node.id == "call" else node for node in graph.nodes]
    bench.run(attrs.evolve(graph, nodes=nodes), services={"script": [], tf.PolicyState: state})
    assert state.as_data(0.0)["full_at"] == {"flaky.calls": 0.5}
