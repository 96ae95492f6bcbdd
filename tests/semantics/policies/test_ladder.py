"""Whose a policy is: node, type, graph, run, each field from the innermost that says it (P8)."""

from __future__ import annotations

import trioflow as tf
from trioflow.semantics.policies.ladder import laddered


@tf.exec_node(id="ladder.act", policy=tf.Policy(retry=2, skip=True))
def act() -> None: ...


def test_the_rungs():
    """A node before its type, before patterns of its graph in their order, before the run: names, then patterns."""
    node = tf.GraphNode("a", "ladder.act", policy=tf.Policy(retry=1))
    graph = tf.Graph(
        nodes=(node,),
        policies={
            "ladder.*": tf.Policy(timeout=1, quarantine=1),
            "*": tf.Policy(timeout=2, breaker=0.5),
            "other.*": tf.Policy(priority="high"),
        },
    )
    run = {"*": tf.Policy(rate="1/s", limit=1), "call/a": tf.Policy(rate="2/s", skip=False), "b": tf.Policy(limit=9)}
    found = laddered(graph, node, act.type, run, "call/a")
    assert found.policy == tf.Policy(
        retry=1, skip=True, timeout=1, quarantine=1, breaker=0.5, rate="2/s", limit=1,
    )  # fmt: skip
    assert {name: str(rung) for name, rung in found.said_by.items()} == {
        "retry": "node call/a",
        "skip": "type ladder.act",
        "timeout": "graph ladder.*",
        "quarantine": "graph ladder.*",
        "breaker": "graph *",
        "rate": "run call/a",
        "limit": "run *",
    }


def test_nothing_is_said():
    """Without a policy anywhere there is none."""
    node = tf.GraphNode("a", "flow.start")
    assert laddered(tf.Graph(nodes=(node,)), node, tf.nodes.Start.type, {"b": tf.Policy(skip=True)}, "a") is None
