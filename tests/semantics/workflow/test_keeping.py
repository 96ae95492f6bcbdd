"""Workflows that let go of outputs which nothing needs (W20)."""

from __future__ import annotations

import tracemalloc

import attrs
import pytest
import trio

import trioflow as tf
from trioflow.conformance.engine import REGISTRY, answer_for
from trioflow.conformance.workflows import random_workflow
from trioflow.model.structure import graph_from

SIZE = 100_000
"""Bytes of an output."""


@tf.exec_node(id="keeping.make")
async def make(x: object = None, fail: bool = False) -> object:
    """Much, out of something."""
    if fail:
        raise ValueError(len(x) if isinstance(x, bytearray) else None)
    return bytearray(SIZE)


@tf.data_node(id="keeping.size")
def size(x: object) -> int:
    return len(x)  # type: ignore[arg-type]


@tf.exec_node(id="keeping.see")
async def see(x: object, seen: tf.FromServices[list]) -> None:
    seen.append(x)


def outputs(w, **services):
    """The nodes whose outputs are left in the end."""
    return {*trio.run(lambda: tf.run(w.graph, services=services)).outputs}


def test_a_chain():
    """Two outputs are there at a time: the one that is read, and the one that is written."""

    def most(keep, nodes=100):
        with tf.workflow(keep_outputs=keep) as w:
            before = w.add(make)
            for _ in range(nodes):
                node = w.add(make, x=before.result)
                w.after(before, node)
                before = node
        plan = tf.make_plan(w.graph, tf.Registry.standard(plugins=False))
        tracemalloc.start()
        try:
            result = trio.run(lambda: tf.run(plan))
            return tracemalloc.get_traced_memory()[1], {*result.outputs}
        finally:
            tracemalloc.stop()

    peak, left = most("needed")
    assert peak < 25 * SIZE
    assert left == {"make_100", "make_101"}, "the last, and what it read"
    assert most("all")[0] > 90 * SIZE


def test_what_is_read_later_stays():
    """By a node further on, over a data node, in a join of what ran at once; then it goes."""
    seen: list[object] = []
    with tf.workflow(keep_outputs="needed") as w:
        a, b, c = (w.add(make, name) for name in "abc")
        join = w.add(see, "join", x=w.add(size, x=a.result).result)
        after, end = w.add(see, "after", x=b.result), w.add(make, "end")
        w.after(a, b, c)
        w.after(b, join)
        w.after(c, join)
        w.after(join, after)
        w.after(after, end)
    assert outputs(w, seen=seen) == {"end"}
    assert seen == [SIZE, bytearray(SIZE)]


def test_circles_and_conditions():
    """What a node reads of itself in its next turn stays; conditions see what they speak of."""
    seen: list[object] = []
    with tf.workflow(keep_outputs="needed") as w:
        a, b = w.add(make, "a"), w.add(see, "b", most=3)
        w._nodes["b"] = tf.GraphNode("b", "keeping.see", {}, most=3)
        w.connect(a.result, b.x)
        w.after(a, b)
        w.connect(b, b)
        w.connect(b, w.add(make, "end"), on="exhausted")
    assert outputs(w, seen=seen) == {"end"}
    assert len(seen) == 3


def test_bodies_of_loops():
    """What is behind a body is followed by what comes after the loop, which may read it."""
    seen: list[object] = []
    with tf.workflow(keep_outputs="needed") as w:
        loop = w.add(tf.nodes.ForEach, "loop", items=[1, 2])
        inside, more = w.add(make, "inside"), w.add(make, "more")
        w.connect(loop.body, inside)
        w.after(inside, more)
        w.connect(loop.done, w.add(see, "after", x=inside.result))
    assert outputs(w, seen=seen) >= {"inside"}
    assert seen == [bytearray(SIZE)]


def test_undo():
    """Who undoes finds what was there when that had completed."""
    seen: list[object] = []
    with tf.workflow(keep_outputs="needed") as w:
        a, b, c = w.add(make, "a", undo="back"), w.add(make, "b"), w.add(make, "c", fail=True)
        w.add(see, "back", x=a.result)
        w.after(a, b)
        w.after(b, c)
    with pytest.raises(ValueError, match="None"):
        outputs(w, seen=seen)
    assert seen == [bytearray(SIZE)]


def test_in_a_calls_graph_it_means_nothing():
    graph = tf.Graph(keep_outputs="needed", nodes=[tf.GraphNode("a", "flow.start")])
    (problem,) = tf.validate(graph, tf.Registry.standard(plugins=False)).problems
    assert (problem.code, problem.path) == ("no-meaning", "keep_outputs")
    wrong = tf.Graph(kind="workflow", keep_outputs="some", nodes=[tf.GraphNode("a", "flow.start")])  # type: ignore[arg-type]
    (problem,) = tf.validate(wrong, tf.Registry.standard(plugins=False)).errors
    assert problem.path == "keep_outputs"


@pytest.mark.unmeasured
def test_random_workflows_leave_the_same():
    """But for outputs: what each node found, and so all that it did, is the same (W20)."""
    compared = dropped = 0
    for number in range(16):
        request = {**random_workflow(f"keep/{number}"), "options": {"max_steps": 100}, "choices": []}
        graph = graph_from(request["graph"])
        if not tf.validate(graph, REGISTRY).ok:
            continue
        kept = answer_for(graph, request)
        plan = tf.make_plan(attrs.evolve(graph, keep_outputs="needed"), REGISTRY)
        let_go = answer_for(plan, request)
        dropped += bool(plan.drops)
        assert {**kept, "outputs": let_go["outputs"]} == let_go, number
        compared += 1
    assert min(compared, dropped) > 8
