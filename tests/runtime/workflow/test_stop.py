"""Nodes that end their scope (W14)."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf


@tf.exec_node
async def work(ctx: tf.Context, log: tf.FromServices[list], seconds: float = 0) -> str:
    """Take some time, and tell when it is over."""
    await trio.sleep(seconds)
    log.append(ctx.node.id)
    return ctx.node.id


async def run(graph, **more):
    log: list[str] = []
    return log, await tf.run(graph, services={list: log}, **more)


@pytest.mark.parametrize("limit", [None, 9])
async def test_it_ends_at_once(limit, autojump_clock):
    """What is under way is cancelled, what is ready does not start, and the run completes (W14)."""
    with tf.workflow(limit=limit) as w:
        start = w.add(tf.nodes.Start)
        quick, slow, late = w.add(work, "quick", seconds=1.0), w.add(work, "slow", seconds=5.0), w.add(work, "late")
        behind = w.add(work, "behind", seconds=3.0)
        w.after(start, quick, slow, *[w.add(work, f"more {n}", seconds=9.0) for n in range(3)])
        w.after(quick, w.add(tf.nodes.Stop), behind)
        w.after(slow, late)
    told: list[str] = []
    log, result = await run(
        w.graph, observers=[tf.observe(lambda e: told.append(str(e.node)), kinds=["NodeCancelled"])]
    )
    assert log == ["quick"]
    assert "slow" in told
    assert trio.current_time() == 1.0
    assert result.outputs["quick"] == {"result": "quick"}
    assert "slow" not in result.outputs


async def test_joins_do_not_fire(autojump_clock):
    """Tokens that wait at joins are gone: there is nothing behind an end (W14)."""
    with tf.workflow() as w:
        a, b = w.add(work, "a"), w.add(work, "b")
        first, every = w.add(work, "first", join="first", min=2), w.add(work, "every")
        w.after(a, b, first, every)
        w.connect(b, first, when="out.result == 'no'")
        w.connect(b, every, when="out.result == 'no'")
        w.connect(b, w.add(tf.nodes.Stop, "stop"), otherwise=True)
    log, _ = await run(w.graph)
    assert log == ["a", "b"]


async def test_a_scope_of_its_own(autojump_clock):
    """In the body of a loop it ends the item, and not the loop (W13, W14)."""
    with tf.workflow() as w:
        each = w.add(tf.nodes.ForEach, "each", items=[1, 2])
        step, rest = w.add(work, "step"), w.add(work, "rest", seconds=1.0)
        w.connect(each.body, step)
        w.after(step, w.add(tf.nodes.Stop), rest)
        w.connect(each.done, w.add(work, "done"))
    log, _ = await run(w.graph)
    assert log == ["step", "step", "done"]


async def test_a_strand_that_waits_to_go_on(autojump_clock):
    """What would have gone on when a place is free does not (W14, W16)."""
    with tf.workflow(limit=1) as w:
        start = w.add(tf.nodes.Start)
        a, b = w.add(work, "a"), w.add(work, "b")
        w.after(start, a, w.add(tf.nodes.Stop, "stop"))
        w.after(a, b)
    log, _ = await run(w.graph)
    assert log == ["a"]


async def test_what_was_done_stays_done(autojump_clock):
    """A scope that was ended has completed: nothing is undone, but with the scope around it (W14, W17)."""
    with tf.workflow() as w:
        a = w.add(work, "a", undo="u")
        w.add(work, "u")
        w.after(a, w.add(tf.nodes.Stop))
    log, _ = await run(w.graph)
    assert log == ["a"]


def test_nothing_comes_after_it():
    """A wire that leads away from a node that stops is an error (W14)."""
    with tf.workflow() as w:
        stop = w.add(tf.nodes.Stop, "stop")
        w.connect(stop, w.add(work, "a"), on="ended")
    problems = tf.validate(w.graph, tf.Registry.standard()).errors
    assert [(each.code, each.path) for each in problems] == [("wired-stop", "connections[0]")]


def test_where_they_mean_nothing():
    """In a graph that calls they have nothing to act on, and undoing needs something that can be undone (W1)."""
    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start, "start").then, g.add(tf.nodes.Stop, "stop").enter)
    assert "flow.stop of 'stop' has nothing to act on" in str(tf.validate(g.graph, tf.Registry.standard()))
    with tf.workflow() as w:
        w.add(tf.nodes.Undo, "back")
    assert "no node says how that is done" in str(tf.validate(w.graph, tf.Registry.standard()))
