"""Nodes that remember: each keeps it in node state, which forks and merges (F6)."""

from __future__ import annotations

import pytest
import trio
from support import Note

import trioflow as tf
from trioflow.testing import fire


def outputs(fired):
    return [output for output, _ in fired]


@pytest.mark.parametrize(("node_type", "inputs", "enter", "expected"), [
    ("flow.gate", {}, "enter close enter open enter", "then then"),
    ("flow.gate", {"starts_open": False}, "enter toggle enter toggle enter", "then"),
    ("flow.gate", {"starts_open": False}, "open open enter close close enter", "then"),
    ("flow.once", {}, "enter enter enter", "then again again"),
    ("flow.once", {}, "reset enter reset enter enter", "then then again"),
    ("flow.at_most", {"times": 2}, "enter enter enter reset enter", "then then over then"),
    ("flow.at_most", {"times": 0}, "enter", "over"),
    ("flow.at_most", {"times": -1}, "enter", "over"),
    ("flow.flip_flop", {}, "enter enter enter reset enter", "a b a a"),
    ("flow.flip_flop", {}, "enter reset reset enter", "a a"),
    ("flow.cycle", {}, "enter enter reset enter", "a b a"),
    ("flow.wait_for", {"times": 1}, "enter enter", "then then"),
    ("flow.wait_for", {"times": 3}, "enter enter reset enter enter enter", "waiting waiting waiting waiting then"),
    ("flow.every_nth", {"n": 1}, "enter enter", "then then"),
    ("flow.every_nth", {"n": 2}, "enter enter reset enter enter", "then other then other"),
    ("flow.join", {"count": 2}, "a a b a b", "then then"),
    ("flow.join", {"count": 1}, "d d", "then then"),
    ("flow.join", {"count": 4}, "d c b a a", "then"),
    ("flow.join", {"count": 2}, "a reset b reset reset c d", "then"),
])  # fmt: skip
def test_which_way(node_type, inputs, enter, expected):
    """Where it goes on depends on how it was entered before."""
    assert outputs(fire(node_type, enter=enter.split(), **inputs)) == expected.split()


@pytest.mark.parametrize(("node_type", "output", "entered", "reset"), [
    ("flow.at_most", "count", 1, 0), ("flow.wait_for", "missing", 2, 3),
])  # fmt: skip
def test_a_reset_is_seen_at_the_output(bench, node_type, output, entered, reset):
    """At once, and not only when it is entered again."""
    with tf.build() as g:
        in_turn, node = g.add("flow.sequence"), g.add(node_type, times=3)
        g.connect(g.add("flow.start").then, in_turn.enter)
        for way, socket in ("first", node.enter), ("second", None), ("third", node.reset), ("fourth", None):
            g.connect(in_turn[way], socket if socket is not None else g.add(Note, way, value=node[output]).enter)
    bench.run(g.graph)
    assert bench.notes == [entered, reset]


def test_a_cycle_without_outputs(bench):
    """Outputs that lead nowhere do not count; without any it does nothing."""
    with tf.build() as g:
        cycle, loop = g.add("flow.cycle"), g.add("flow.repeat", times=3)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, cycle.enter)
        for way in "b", "d":
            g.connect(cycle[way], g.add(Note, way, value=way).enter)
    bench.run(g.graph)
    assert bench.notes == ["b", "d", "b"]
    with tf.build() as g:
        g.connect(g.add("flow.start").then, g.add("flow.cycle").enter)
    bench.run(g.graph)


@pytest.mark.parametrize(("node_type", "inputs"), [
    ("flow.wait_for", {"times": 0}), ("flow.every_nth", {"n": 0}), ("flow.join", {"count": 0}),
])  # fmt: skip
def test_numbers_that_make_no_sense(node_type, inputs):
    with pytest.raises(ValueError, match=f"{node_type} needs 1 or more, got 0."):
        fire(node_type, **inputs)


def test_a_join_of_more_than_there_are():
    with pytest.raises(ValueError, match="flow.join has 4 inputs and can't wait for 5."):
        fire("flow.join", count=5)


def test_a_counter():
    """It counts from its start in steps; a reset tells the start and goes nowhere."""
    fired = fire("flow.counter", start=1, step=-2, enter=["enter", "reset", "enter", "enter"])
    assert [values["count"] for _, values in fired] == [-1, -1, -3]


def watched(bench, *values):
    with tf.build() as g:
        each, watch = g.add("flow.for_each", items=list(values)), g.add("flow.on_change")
        g.connect(g.add("flow.start").then, each.enter)
        g.connect(each.body, watch.enter)
        g.connect(each.item, watch.value)
        for way in "changed", "same":
            g.connect(watch[way], g.add(Note, way, value=way).enter)
    bench.run(g.graph)
    return bench.notes


def test_on_change(bench):
    """Equal is equal in value and type; the first value is a change, also none."""
    assert watched(bench, 1, 1, 2, 1) == ["changed", "same", "changed", "changed"]
    assert watched(bench, None, None, 1, True, 1.0) == ["changed", "same", "changed", "changed", "changed"]


def test_throttle():
    """Once in so many seconds; what is dropped does not make it longer."""
    fired = fire(
        "flow.throttle", seconds=2.0, enter=["enter"] * 5, then=lambda: trio.sleep(1.5), dropped=lambda: trio.sleep(0.3)
    )
    assert outputs(fired) == ["then", "dropped", "dropped", "then", "dropped"]
    assert outputs(fire("flow.throttle", seconds=0.0, enter=["enter", "enter"])) == ["then", "then"]
    with pytest.raises(ValueError, match="flow.throttle needs 0 seconds or more, got nan."):
        fire("flow.throttle", seconds=float("nan"))


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_concurrent_strands_start_with_what_was_known(bench, limit):
    """Each has its own view from the fork on, whatever the limit: none sees that another was there (F1, F6)."""
    with tf.build() as g:
        once = g.add("flow.once")
        start, each = g.add("flow.start"), g.add("flow.parallel_for_each", items=[1, 2, 3], limit=limit)
        again = g.add("flow.start", "again")
        g.connect(start.then, each.enter)
        g.connect(each.body, once.enter)
        g.connect(again.then, once.enter)
        for way in "then", "again":
            g.connect(once[way], g.add(Note, f"note {way}", value=way).enter)
    bench.run(g.graph)
    assert bench.notes == ["then", "then", "then", "again"]


def test_runs_share_nothing(bench):
    """What was remembered is forgotten when the run ends (R7)."""
    with tf.build() as g:
        once = g.add("flow.once")
        g.connect(g.add("flow.start").then, once.enter)
        g.connect(once.then, g.add(Note, value="first").enter)
    plan = tf.make_plan(g.graph, tf.Registry.standard())
    for _ in range(2):
        bench.run(plan)
        assert bench.notes == ["first"]
