"""Drawings of graphs inside graphs: shown once each, or folded (C1)."""

from __future__ import annotations

import attrs
import pytest

import trioflow as tf
from trioflow.formats import to_dot, to_mermaid, to_text

STANDARD = tf.Registry.standard(plugins=False)


def nested():
    """A graph that calls one that it holds, which calls itself and a graph in Python that calls another one."""
    with tf.build(STANDARD) as leaf:
        leaf.connect(leaf.declare_input("a", "int", 3, lazy=True), leaf.declare_output("b"))
    with tf.build(STANDARD) as python:
        python.add(tf.graph_node(leaf.graph, id="leaf"), "leaf")
        python.declare_output("c")
    with tf.build(STANDARD) as inner:
        inner.connect(inner.declare_entry("in"), inner.add_recursive("inner", "again")["in"])
        inner.declare_exit("out", callback=True)
        inner.add(tf.graph_node(python.graph, id="python"), "calls")
        inner.event("e", shared=True)
    with tf.build(STANDARD) as g:
        start, call = g.add(tf.nodes.Start), g.add(g.define("inner", inner.graph), "call")
        g.connect(start.then, call["in"])
    return g.graph


def test_text():
    """In the outline each graph follows indented, with its interface; graphs from elsewhere stand below."""
    assert (
        to_text(nested(), STANDARD)
        == """\
* start (flow.start)
    then => call.in
call (graph:inner)

graph inner:
    entries:
        in

    exits:
        out (callback)

    events:
        e (shared)

    * enter (graph.enter)
        in => again.in
    again (graph:inner)

    not reached:
    leave (graph.leave)

    data:
    calls (python)

graph python:
    outputs:
        c: any

    data:
    leaf (leaf)
    leave (graph.leave)

graph leaf:
    inputs:
        a: int = 3 (lazy)

    outputs:
        b: any

    data:
    enter (graph.enter)
    leave (graph.leave)
        b <- enter.a
"""
    )


def test_mermaid():
    """In Mermaid they are subgraphs, nested as the graphs are."""
    assert (
        to_mermaid(nested(), STANDARD)
        == """\
flowchart LR
    n0(["start<br/>flow.start"])
    n1["call<br/>graph:inner"]
    n0 ==>|"then → in"| n1
    subgraph g1["inner"]
        g1n0(["enter<br/>graph.enter"])
        g1n1["again<br/>graph:inner"]
        g1n2["leave<br/>graph.leave"]
        g1n3("calls<br/>python")
        g1n0 ==>|"in → in"| g1n1
    end
    subgraph g2["python"]
        g2n0("leaf<br/>leaf")
        g2n1("leave<br/>graph.leave")
    end
    subgraph g3["leaf"]
        g3n0("enter<br/>graph.enter")
        g3n1("leave<br/>graph.leave")
        g3n0 -.->|"a → b"| g3n1
    end
"""
    )


def test_dot():
    """In DOT they are clusters; what is missing in one is drawn in it."""
    graph = nested()
    broken = attrs.evolve(graph.graphs["inner"], nodes=graph.graphs["inner"].nodes[:1])
    assert (
        to_dot(attrs.evolve(graph, graphs={"inner": broken}), STANDARD)
        == """\
digraph trioflow {
    rankdir=LR;
    node [fontname="sans-serif"];
    n0 [shape=ellipse, peripheries=2, label="start\\nflow.start"];
    n1 [shape=box, label="call\\ngraph:inner"];
    n0 -> n1 [style=bold, taillabel="then", headlabel="in"];
    subgraph cluster_g1 {
        label="inner";
        g1n0 [shape=ellipse, peripheries=2, label="enter\\ngraph.enter"];
        g1missing0 [shape=box, style=dotted, label="again\\nnot in the graph"];
        g1n0 -> g1missing0 [style=bold, taillabel="in", headlabel="in"];
    }
}
"""
    )


@pytest.mark.parametrize("draw", [to_text, to_mermaid, to_dot])
def test_folded(draw):
    """Folded, the graphs that are called are only nodes."""
    graph = nested()
    without = attrs.evolve(graph, graphs={})
    folded = draw(graph, STANDARD, fold=True)
    assert "call" in folded
    assert not any(word in folded for word in ("enter", "python", "leaf", "subgraph", "graph inner"))
    assert len(folded.splitlines()) <= len(draw(without, STANDARD).splitlines())
