"""Workflow patterns in which time decides, or a limit does; the others are vectors in spec/vectors/pattern."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf


@tf.exec_node
async def work(ctx: tf.Context, log: tf.FromServices[list], seconds: float = 0.0, fail: bool = False) -> None:
    """Take some time, and tell when it is over, or that it was cancelled."""
    try:
        await trio.sleep(seconds)
    except trio.Cancelled:
        log.append(f"{ctx.node.id} cancelled at {trio.current_time():g}")
        raise
    log.append(f"{ctx.node.id} {trio.current_time():g}")
    if fail:
        raise OSError("broken")


def branches(*seconds, **join):
    """`start`, one branch for each number of seconds, and `end`, where they meet."""
    with tf.workflow() as w:
        start, end = w.add(tf.nodes.Start, "start"), w.add(work, "end", **join)
        for name, each in zip("abcd", seconds, strict=False):
            branch = w.add(work, name, seconds=float(each))
            w.connect(start, branch)
            w.connect(branch, end)
    return w.graph


async def firings(graph, **more):
    log = []
    await tf.run(graph, services={list: log}, **more)
    return log


JOINS = {
    "9, 28: a discriminator": ((2, 1, 3), {"join": "first"}, "b 1; end 1; a 2; c 3"),
    "29: a cancelling discriminator": (
        (2, 1, 3),
        {"join": "first", "rest": "cancel"},
        "b 1; end 1; a cancelled at 1; c cancelled at 1",
    ),
    "30, 31: a partial join": ((2, 1, 3), {"join": "first", "min": 2}, "b 1; a 2; end 2; c 3"),
    "32: a cancelling partial join": (
        (2, 1, 3),
        {"join": "first", "min": 2, "rest": "cancel"},
        "b 1; a 2; end 2; c cancelled at 2",
    ),
    "12: instances without synchronization": ((2, 1), {"join": "each"}, "b 1; end 1; a 2; end 2"),
}


@pytest.mark.parametrize("name", JOINS)
async def test_joins_of_the_first(name, autojump_clock):
    """The join fires when so many have come, and what comes later is dropped, or does not come (W4, W8)."""
    seconds, join, expected = JOINS[name]
    log = await firings(branches(*seconds, **join))
    assert sorted(log) == sorted(expected.split("; "))


async def test_a_discriminator_in_a_loop(autojump_clock):
    """28: what is late does not keep the join from firing in the next round."""
    with tf.workflow() as w:
        again = w.add(work, "again", most=2)
        slow, fast = w.add(work, "slow", seconds=5.0), w.add(work, "fast", seconds=1.0)
        end = w.add(work, "end", join="first")
        w.after(again, slow, fast)
        w.after(slow, end)
        w.after(fast, end)
        w.connect(end, again, when="turn < 2")
    assert await firings(w.graph) == ["again 0", "fast 1", "end 1", "again 1", "fast 2", "end 2", "slow 5", "slow 6"]


async def test_interleaved_routing(autojump_clock):
    """17, 39, 40: those of one group, one at a time; in what order is nobody's promise but by priority."""
    with tf.workflow(groups={"desk": 1}) as w:
        start, end = w.add(tf.nodes.Start, "start"), w.add(work, "end")
        for name, seconds, priority in (("a", 3.0, "normal"), ("b", 1.0, "high"), ("c", 2.0, "low")):
            each = w.add(work, name, seconds=seconds, group="desk", priority=priority)
            w.connect(start, each)
            w.connect(each, end)
    assert await firings(w.graph) == ["b 1", "a 4", "c 6", "end 6"]


async def test_cancel_a_task_and_a_region(autojump_clock):
    """19, 25: a limit of time, or who is faster, cancels a node, and all that leads nowhere else."""
    with tf.workflow() as w:
        start, end = w.add(tf.nodes.Start, "start"), w.add(work, "end", join="first", rest="cancel")
        one, two = w.add(work, "one", seconds=2.0), w.add(work, "two", seconds=9.0)
        deadline = w.add(work, "deadline", seconds=5.0)
        w.after(start, one, deadline)
        w.after(one, two)
        w.after(two, end)
        w.after(deadline, end)
    assert await firings(w.graph) == ["one 2", "deadline 5", "two cancelled at 5", "end 5"]
    with tf.workflow() as w:
        slow, late = w.add(work, "slow", seconds=9.0, policy=tf.Policy(timeout=3.0)), w.add(work, "late")
        w.connect(slow, late, on="failed")
    assert await firings(w.graph) == ["slow cancelled at 8", "late 8"]


async def test_cancelling_of_instances(autojump_clock):
    """26: an item that fails cancels the others, which are scopes of their own."""
    with tf.workflow() as w:
        each = w.add(tf.nodes.ForEach, "each", items=[3.0, 1.0, 2.0])
        w.configure(each, mode="concurrent")
        body, sorry = w.add(work, "body", seconds=each.item, fail=True), w.add(work, "sorry")
        w.connect(each.body, body)
        w.connect(each, sorry, on="failed")
    log = await firings(w.graph)
    assert sorted(log) == ["body 1", "body cancelled at 1", "body cancelled at 1", "sorry 1"]


@pytest.mark.parametrize(("join", "times"), [("parallel", 2), ("all", 1)])
async def test_a_generalized_join(autojump_clock, join, times):
    """33: it takes one token from each wire, and again; a join of all takes all that comes, once."""
    with tf.workflow() as w:
        start = w.add(tf.nodes.Start, "start")
        merge, other, end = (
            w.add(work, "merge", join="each"),
            w.add(work, "other", join="each"),
            w.add(work, "end", join=join),
        )
        for name in "abcd":
            each = w.add(work, name)
            w.connect(start, each)
            w.connect(each, merge if name in "ab" else other)
        w.after(merge, end)
        w.after(other, end)
    assert sorted(await firings(w.graph)) == [
        f"{name} 0" for name in ["a", "b", "c", "d", *["end"] * times, *"merge merge other other".split()]
    ]
