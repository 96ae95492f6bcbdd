"""What `check` says of bodies of loops in workflows (W13)."""

from __future__ import annotations

import pytest

import trioflow as tf

MARKER = "flow.marker"


def told(loop, wires, **settings):
    """The codes of what is told of a loop `l` with two nodes, wired so, and where."""
    kinds = {"s": "flow.start", "l": loop, "a": MARKER, "b": MARKER}
    with tf.workflow() as w:
        nodes = {name: w.add(kind, name, **settings.get(name, {})) for name, kind in kinds.items()}
        for wire in wires.split():
            source, output, target = wire.split("-")
            w.connect(nodes[source][output], nodes[target])
    report = tf.validate(w.graph, tf.Registry.standard(plugins=False))
    return [
        (each.code, w.graph.nodes[int(each.path[6])].id) for each in report.problems if each.code != "missing-input"
    ]


@pytest.mark.parametrize("loop", ["flow.for_each", "flow.while", "flow.parallel_for_each"])
def test_a_body_that_leads_back(loop):
    """It would begin the loop in itself; that its circle has no `most` is not the point."""
    assert told(loop, "s-then-l l-body-a a-then-l l-done-b") == [("body-comes-back", "l")]
    assert told(loop, "s-then-l l-body-a a-then-b b-then-l") == [("body-comes-back", "l")]
    assert told(loop, "s-then-l l-body-a l-done-b b-then-l") == [("circle-without-most", "l")]
    assert told(loop, "s-then-l l-body-a a-then-l", a={"most": 3}) == []
    assert told(loop, "s-then-l l-body-a l-done-b") == []


@pytest.mark.parametrize(
    ("minimum", "found"), [("every", [("join-across-scopes", "b")]), (2, [("join-across-scopes", "b")]), (1, [])]
)
def test_a_join_of_a_body_and_what_comes_after(minimum, found):
    """Tokens of different scopes never meet; one of them is enough if it needs no more."""
    wires = "s-then-l l-body-a a-then-b l-done-b"
    assert told("flow.for_each", wires, b={"min": minimum}) == found


def test_a_join_in_a_body():
    """All that it needs is there, or comes from both sides of the loop."""
    assert told("flow.for_each", "s-then-l l-body-a l-body-b a-then-b", b={"min": "every"}) == []
    assert told("flow.for_each", "s-then-l l-body-a l-done-a a-then-b s-then-b", b={"min": "every"}) == []
