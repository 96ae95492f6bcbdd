"""A workflow without a run: dependencies, layers, and what is ready."""

from __future__ import annotations

import pytest
from nets import step

import trioflow as tf


def plan(*wires, **settings):
    names = sorted({name for wire in wires for name in wire[:2]})
    with tf.workflow(**settings) as w:
        nodes = {name: w.add(step, name) for name in names}
        for wire in wires:
            w.connect(nodes[wire[0]], nodes[wire[1]], **(wire[2] if len(wire) > 2 else {}))
    return tf.workflow_plan(w.graph)


def test_dependencies_and_layers():
    """Nodes that can run at the same time are in one layer; a circle is one thing."""
    made = plan("ab", "ac", "bd", "cd", "ef", "fe", "df", "fg")
    assert made.dependencies("d") == ["b", "c"]
    assert made.layers() == [["a"], ["b", "c"], ["d"], ["e", "f"], ["g"]]
    with pytest.raises(tf.UnknownName, match="There is no exec node 'x'"):
        made.dependencies("x")


def test_nodes_that_undo_are_in_no_layer():
    """They fire when something fails, and for what was done then (W17)."""
    with tf.workflow() as w:
        a, b = w.add(step, "a", undo="c"), w.add(step, "b")
        w.add(step, "c")
        w.connect(a, b)
    assert tf.workflow_plan(w.graph).layers() == [["a"], ["b"]]


def test_carried_out_by_somebody_else():
    """`ready`, `begin`, `end`: what fires, without a run."""
    machine = plan("ab", "ac", "bd", "cd", ("a", "e", {"on": "failed"}), ("d", "f", {"when": "round > 1"})).start()
    log = []
    while not machine.is_over:
        firing = machine.ready()[-1]
        machine.begin(firing)
        log.append(firing.net.id)
        machine.end(firing, "then", when=lambda wire: wire.when == "round > 1")
    assert log == ["a", "c", "b", "d", "f"]


def test_failures_and_limits():
    """A failure takes its wires, and what has no turn left is passed over."""
    machine = plan("ab", "bb", ("a", "c", {"on": "failed"}), limit=1).start()
    (first,) = machine.ready()
    machine.begin(first)
    machine.end(first, ValueError())
    assert [each.net.id for each in machine.ready()] == ["c"]
    with pytest.raises(ValueError, match="has not begun"):
        machine.end(first, "then")
    with pytest.raises(ValueError, match="is not ready"):
        machine.begin(first)
    with tf.workflow() as w:
        a, b = w.add(step, "a", most=2), w.add(step, "b")
        w.connect(a, a)
        w.connect(a, b, on="exhausted")
    machine, log = tf.workflow_plan(w.graph).start(), []
    while machine.ready():
        firing = machine.ready()[0]
        machine.begin(firing)
        log.append(firing.net.id)
        machine.end(firing, "then")
    assert (log, machine.is_over) == (["a", "a", "b"], True)


def test_graphs_that_call():
    """They have no dependencies."""
    with pytest.raises(ValueError, match="Only a workflow has dependencies"):
        tf.workflow_plan(tf.build().graph)
