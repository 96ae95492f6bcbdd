"""Events that are kept with a run: each once, whatever dies (J29)."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
import trio
from durable.graphs import NEVER, REGISTRY, STOP, Stop, chain, resume
from durable.open_graphs import called, concurrent_items, source, workflow
from durable.test_moments import FUEL, nested
from durable.test_moments import REGISTRY as MOMENTS_REGISTRY
from durable.test_moments import run as run_with_moments
from trio.testing import MockClock

import trioflow as tf
from trioflow.durable.moment import moments_among
from trioflow.durable.outbox import kept_events
from trioflow.durable.retrying import retry


def items(times=4):
    with tf.build(REGISTRY) as g:
        each = g.add("flow.parallel_for", "each", times=times, limit=2)
        work = g.add("durable.effect", "work")
        g.connect(g.add("flow.start").then, each.enter)
        g.connect(each.body, work.enter)
        g.connect(each.index, work.value)
    return g.graph


def follow(graph, journal, after=None, *, stop=NEVER, kinds=("steps",), registry=REGISTRY):
    """Run, and read what is told; the process dies where it is to stop."""
    STOP["at"] = stop
    seen = []

    async def main():
        async with tf.open_run(graph, journal=journal, run_id="a", registry=registry) as run:
            log = run.events(durable=True, kinds=kinds, after=after)

            async def read():
                async for event in log:
                    assert event in kept_events(journal.entries("a"))
                    seen.append(event)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(read)
                with contextlib.suppress(ValueError):
                    await run.result()

    try:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    except BaseExceptionGroup as error:
        if error.split((Stop, ValueError))[0] is None:
            raise
    return seen


def said(events):
    return [(each.kind, each.path) for each in events]


@pytest.mark.parametrize("dying", [[], [0], [1, 3], [2, 2, 2]])
def test_without_gaps_or_doubles(dying):
    """J29: what several processes are told together is what one is told that nothing disturbs."""
    undisturbed = follow(items(), tf.MemoryJournal())
    journal, seen = tf.MemoryJournal(), []
    for at in dying:
        seen += follow(items(), journal, seen[-1].number if seen else 0, stop=at)
    seen += follow(items(), journal, seen[-1].number if seen else 0)
    assert [each.number for each in seen] == [*range(1, len(undisturbed) + 1)]
    assert sorted(said(seen)) == sorted(said(undisturbed))
    assert follow(items(), journal) == []
    assert follow(items(), journal, 0) == seen
    assert follow(items(), journal, 5) == seen[5:]


@pytest.mark.unmeasured
@pytest.mark.parametrize("graph", [called, concurrent_items, source, workflow, lambda: nested("flow.while", rounds=20)])
def test_beside_moments(graph):
    """J26: what a moment stands for is not told again, what comes after it is, and none of it is superseded."""
    kept = tf.MemoryJournal()
    kept.checkpoint = tf.Checkpoint(every=1, history=False)
    has_order = graph is not concurrent_items
    graph = graph()
    undisturbed = follow(graph, tf.MemoryJournal(), kinds=None, registry=MOMENTS_REGISTRY)
    seen, dead, taken = [], 0, []
    while True:
        FUEL["left"] = 4
        try:
            seen += follow(graph, kept, seen[-1].number if seen else 0, kinds=None, registry=MOMENTS_REGISTRY)
            if kept.show("a").status == "completed":
                break
        finally:
            FUEL.clear()
        dead += 1
        taken += moments_among(kept.entries("a"))
        kept.steal("a")
    assert dead
    assert taken
    assert [each.number for each in seen] == [*range(1, len(seen) + 1)]
    assert told_of_steps(seen) == told_of_steps(undisturbed)
    # Data nodes may be evaluated once more; which strand of several is the first to ask is a matter of the schedule.
    assert not has_order or Counter(told(seen)) >= Counter(told(undisturbed))
    assert follow(graph, kept, 0, kinds=None, registry=MOMENTS_REGISTRY) == seen


def told(events):
    return [(each.kind, each.path, each.node or "") for each in events]


def told_of_steps(events):
    return Counter(each for each in told(events) if not each[0].startswith("Evaluation"))


def test_nobody_asks_for_them_any_more():
    """J26: then there are no moments, as who asks for them again is told of all that was not told."""
    kept = tf.MemoryJournal()
    kept.checkpoint = tf.Checkpoint(every=1)
    graph = called()
    FUEL["left"] = 2
    seen = follow(graph, kept, kinds=None, registry=MOMENTS_REGISTRY)
    FUEL["left"] = 9
    with pytest.raises(Stop):
        run_with_moments(graph, kept)
    FUEL.clear()
    assert not moments_among(kept.entries("a"))
    kept.steal("a")
    seen += follow(graph, kept, seen[-1].number, kinds=None, registry=MOMENTS_REGISTRY)
    undisturbed = follow(graph, tf.MemoryJournal(), kinds=None, registry=MOMENTS_REGISTRY)
    assert told_of_steps(seen) == told_of_steps(undisturbed)


def test_what_it_has():
    """The data of the event, and whatever the reader asks for."""
    (event, *_) = follow(items(1), tf.MemoryJournal(), kinds=["NodeStarted"])
    assert (event.number, event.kind, event.path, event.node) == (1, "NodeStarted", (0, 0), "start")
    assert event.data["event"] == "NodeStarted"


def test_after_a_failure():
    """J18: what is retried is told again, with numbers that nothing had; what had failed beside it does not hang."""
    journal = tf.MemoryJournal()
    graph = chain(("durable.effect", {"value": 1}), ("durable.failing", {"value": 2}), ("durable.effect", {"value": 3}))
    seen = follow(graph, journal, 0)
    assert said(seen)[-1] == ("NodeFailed", (0, 2))
    STOP["mended"] = True
    try:
        session = journal.take("a")
        retry(session)
        session.close()
        more = follow(graph, journal, seen[-1].number)
    finally:
        del STOP["mended"]
    assert said(more)[:2] == [("NodeStarted", (0, 2)), ("NodeCompleted", (0, 2))]
    assert more[0].number == seen[-1].number + 1


def test_a_run_that_nobody_follows_any_more():
    """J12: that events were kept before makes no difference; and live events are as of any run."""
    journal = tf.MemoryJournal()
    follow(items(), journal, stop=2)
    assert resume(items(), journal).statistics.status is tf.RunStatus.COMPLETED

    async def main():
        async with tf.open_run(items(), journal=tf.MemoryJournal(), run_id="b", registry=REGISTRY) as run:
            return [type(each).__name__ async for each in run.events(kinds=["run"])]

    assert trio.run(main)[-1] == "RunCompleted"
