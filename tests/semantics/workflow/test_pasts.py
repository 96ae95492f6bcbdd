"""`check` says which values can't be there: what a node reads is in its past, or nobody has written it (W9)."""

from __future__ import annotations

import attrs
import pytest

import trioflow as tf
from trioflow.semantics.workflow import pasts

REGISTRY = tf.Registry.standard(plugins=False)


@tf.exec_node
def make(n: int = 1) -> int:
    """Make a number."""
    return n


def warned(graph):
    found = [each for each in tf.validate(graph, REGISTRY).problems if each.code == "not-in-the-past"]
    assert all((each.rule, each.severity.value) == ("W9", "warning") for each in found)
    return sorted(each.message.partition(", and no")[0] for each in found)


def test_a_data_wire_orders_nothing():
    """A reader that no exec wire leads to is told, straight and through data nodes; one that comes after is not."""
    with tf.workflow() as w:
        a, after = w.add(make, "a"), w.add(make, "after")
        text = w.add(lambda n: n, "through", n=a.result)
        w.add(make, "beside", n=a.result)
        w.add(make, "behind", n=text.result)
        w.after(a, after)
        w.after(after, w.add(make, "late", n=text.result))
    assert warned(w.graph) == ["'behind' reads a.result", "'beside' reads a.result"]


def test_implicit_wires():
    """Where a data wire draws the exec wire too, there is nothing to say."""
    with tf.workflow(implicit=True) as w:
        a = w.add(make, "a")
        w.add(make, "b", n=a.result)
    assert warned(w.graph) == []


def test_its_own_output():
    """A node in a circle reads what it has left in the turn before."""
    with tf.workflow() as w:
        a = w.add(make, "a", most=3)
        w.connect(a, a)
    own = tf.Connection(tf.Endpoint("a", "result"), tf.Endpoint("a", "n"))
    assert warned(attrs.evolve(w.graph, connections=[*w.graph.connections, own])) == []


def test_scopes():
    """What the body of a loop has left is there for whoever comes after the loop."""
    with tf.workflow() as w:
        each = w.add(tf.nodes.ForEach, "each", items=[1])
        inside = w.add(make, "inside", n=each.item)
        w.connect(each.body, inside)
        w.connect(each.done, w.add(make, "after", n=inside.result))
    assert warned(w.graph) == []


def test_who_undoes():
    """A node that undoes reads what was there when that which it undoes had completed (W17)."""
    with tf.workflow() as w:
        a = w.add(make, "a")
        w.add(make, "step", undo="back")
        w.add(make, "back", n=a.result)
    assert warned(w.graph) == ["'back' reads a.result"]


def test_who_undoes_what_comes_after():
    """So there is nothing to say if that comes after the source, or is it."""
    with tf.workflow() as w:
        a = w.add(make, "a", undo="back")
        step = w.add(make, "step", undo="back too")
        w.add(make, "back", n=a.result)
        w.add(make, "back too", n=a.result)
        w.after(a, step)
    assert warned(w.graph) == []


def test_who_fires_at_any_time():
    """Of a node that an event fires, or a policy, nobody knows what it comes after."""
    with tf.workflow() as w:
        w.event("ping")
        a = w.add(make, "a")
        heard = w.add("event.listen", "heard", event="ping")
        w.after(heard, w.add(make, "told", n=a.result))
        w.add(make, "instead", n=a.result)
        w.add(make, "fails", policy=tf.Policy(fallback="instead"))
    assert warned(w.graph) == []


def test_a_call():
    """The inputs of a graph are there from its beginning."""
    interface = tf.Interface(entries=[tf.Entry("enter")], inputs=[tf.Input("n", "int")])
    nodes = [tf.GraphNode("in", "graph.enter"), tf.GraphNode("p", "debug.print")]
    wires = [
        tf.Connection(tf.Endpoint("in", "enter"), tf.Endpoint("p", "enter")),
        tf.Connection(tf.Endpoint("in", "n"), tf.Endpoint("p", "value")),
    ]
    assert warned(tf.Graph(kind="workflow", interface=interface, nodes=nodes, connections=wires)) == []


@pytest.mark.parametrize(("most", "told"), [(1, []), (100, ["'last' reads beside.result"])])
def test_not_for_too_long(most, told, monkeypatch):
    """After so many wires it says nothing any more, rather than to take minutes."""
    monkeypatch.setattr(pasts, "_MOST_LOOKED_AT", most)
    with tf.workflow() as w:
        beside = w.add(make, "beside")
        first = w.add(make, "first")
        w.after(beside, w.add(make, "end 1"), w.add(make, "end 2"))
        w.after(first, w.add(make, "last", n=beside.result))
    assert warned(w.graph) == told
