"""What a kept run has put off, and what its host has published: the same after a resume (J24, J25)."""

from __future__ import annotations

import datetime
from contextlib import suppress

import pytest
import trio
from durable.graphs import REGISTRY, STOP, WORLD, Stop
from durable.test_moments import REGISTRY as MOMENTS
from durable.test_moments import Noting
from durable.test_running import Clock
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance.crashing import Faults, FaultyJournal
from trioflow.durable.moment import moments_among


class Process:
    """Processes of one run, whose clock is turned while none has it."""

    def __init__(self, graph):
        self.graph = graph
        self.journal = tf.MemoryJournal()
        self.clock = Clock()

    def run(self, until=float("inf"), at=None, **arguments):
        """What was done, by whom it ended, and when each was done."""
        WORLD.clear()
        if at is not None:
            STOP["at"] = at
        began = self.clock.time

        async def main():
            start = trio.current_time()

            class Goes(tf.Clock):
                def now(self):
                    return began + datetime.timedelta(seconds=trio.current_time() - start)

            with trio.move_on_after(until):
                await tf.run(
                    self.graph, registry=REGISTRY, journal=self.journal, run_id="a",
                    services={tf.Clock: Goes()}, **arguments,
                )  # fmt: skip

        try:
            trio.run(main, clock=MockClock(autojump_threshold=0))
        except BaseException as error:
            if not isinstance(error, Stop):
                raise
            self.journal.steal("a")
        return [*WORLD]

    def turn(self, seconds):
        self.clock.time += datetime.timedelta(seconds=seconds)


def put_off(g, seconds, what):
    later = g.add("flow.later", seconds=seconds)
    g.connect(later.done, g.add("durable.effect", value=what).enter)
    return later


def three():
    with tf.build(REGISTRY) as g:
        last = g.add("flow.start").then
        for seconds, what in ((3600.0, "hour"), (60.0, "minute"), (86400.0, "day")):
            later = put_off(g, seconds, what)
            g.connect(last, later.enter)
            last = later.then
        g.connect(last, g.add("durable.effect", value="now").enter)
    return g.graph


def test_timers_of_the_agenda():
    """J24, J10: the time goes on while nobody has the run, and nothing is handled twice."""
    process = Process(three())
    assert process.run(until=100) == ["now", "minute"]
    process.turn(3599)
    assert process.run(until=10) == ["hour"]
    process.turn(100_000)
    assert process.run() == ["day"]
    assert process.run() == []


def test_it_is_put_away_in_between():
    """J22, J24: it waits for nothing else."""
    process = Process(three())
    with pytest.raises(tf.RunSuspended) as caught:
        process.run(suspend_after=10)
    assert WORLD == ["now"]
    assert caught.value.due == process.clock.time + datetime.timedelta(seconds=60)
    process.turn(60)
    with pytest.raises(tf.RunSuspended) as caught:
        process.run(suspend_after=10)
    assert (WORLD, caught.value.due) == (["minute"], process.clock.time + datetime.timedelta(seconds=3540))


@pytest.mark.parametrize("at", ["a", "b"])
def test_of_the_same_time(at):
    """J24: in the same order again, also for what was put off while something was handled."""
    with tf.build(REGISTRY) as g:
        first, second, third = put_off(g, 1.0, "a"), put_off(g, 1.0, "b"), put_off(g, 0.5, "c")
        g.connect(g.add("flow.start").then, first.enter)
        g.connect(first.then, second.enter)
        g.connect(first.done, third.enter)
    process = Process(g.graph)
    before = process.run(at=at)
    process.turn(10)
    assert before + process.run() == ["a", "b", "c"]


def test_what_is_taken_back():
    """J24: stays taken back."""
    with tf.build(REGISTRY) as g:
        g.event("e")
        gone, stays = put_off(g, 100.0, "gone"), g.add("durable.slow", value="slow", seconds=10.0)
        post, listen = g.add("event.post", event="e", payload={"n": 1}), g.add("event.listen", event="e")
        g.connect(g.add("flow.start").then, gone.enter)
        first = g.add("flow.once")
        g.connect(gone.then, first.enter)
        g.connect(first.then, post.enter)
        g.connect(post.then, stays.enter)
        g.connect(stays.then, gone.cancel)
        effect = g.add("durable.effect", value=listen.payload)
        g.connect(listen.then, effect.enter)
    process = Process(g.graph)
    assert process.run(until=5) == ["slow begins"]
    assert process.run(at={"n": 1}) == ["slow begins", "slow ends"]
    process.turn(1000)
    assert process.run() == [{"n": 1}]


def test_it_puts_off_something_else():
    """J12: what was handled before is not put off any more."""
    process = Process(three())
    process.run(until=100)
    with tf.build(REGISTRY) as g:
        g.connect(g.add("flow.start").then, g.add("durable.effect", "effect_4", value="now").enter)
    with pytest.raises(tf.Diverged):
        process.graph = g.graph
        trio.run(lambda: other(process))


async def other(process):
    async with tf.resume_run(
        process.journal,
        "a",
        process.graph,
        registry=REGISTRY,
        on_change="compatible",
        services={tf.Clock: process.clock},
    ) as run:
        await run.result()


def hosted():
    """Listens for events, each of which adds to a variable and does something."""
    with tf.build(REGISTRY) as g:
        g.event("e")
        g.variable("sum", "int", default=0, merge="sum")
        listen, add = g.add("event.listen", event="e"), g.add("variable.add", name="sum")
        effect, slow = g.add("durable.effect"), g.add("durable.slow", value="slow", seconds=10.0)
        g.connect(listen.then, effect.enter)
        g.connect(listen.payload, effect.value)
        g.connect(effect.then, add.enter)
        g.connect(listen.payload, add.value)
        g.connect(g.add("flow.start").then, slow.enter)
        later = put_off(g, 5.0, "later")
        g.connect(add.then, later.enter)
    return g.graph


@pytest.mark.parametrize("resumed_by", ["run", "resume_run"])
def test_the_hosts_events(resumed_by):
    """J25: they are there after a resume, in their order, and what was done because of them is not done again."""
    journal, graph = tf.MemoryJournal(), hosted()

    async def first():
        async with tf.open_run(graph, registry=REGISTRY, journal=journal, run_id="a") as run:
            await trio.sleep(1)
            await run.publish("e", 1)
            run.publish_nowait("e", 20)
            STOP["at"] = 20
            with pytest.raises(tf.Unrecordable, match="the payload of event 'e'"):
                run.publish_nowait("e", object())
            with pytest.raises(tf.UnknownName):
                run.publish_nowait("f")
            await trio.sleep_forever()

    WORLD.clear()
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the process stops
        trio.run(first, clock=MockClock(autojump_threshold=0))
    assert caught.type is Stop
    assert WORLD == ["slow begins", 1]
    journal.steal("a")
    assert [each.node for each in journal.entries("a") if each.kind == "published"] == ["e", "e"]

    async def again():
        if resumed_by == "run":
            return await tf.run(graph, registry=REGISTRY, journal=journal, run_id="a")
        async with tf.resume_run(journal, "a", registry=REGISTRY) as run:
            await run.publish("e", 300)
            return await run.result()

    WORLD.clear()
    result = trio.run(again, clock=MockClock(autojump_threshold=0))
    more = [] if resumed_by == "run" else [300]
    assert sorted(map(str, WORLD)) == sorted(
        map(str, ["slow begins", "slow ends", 20, *more, *["later"] * (2 + len(more))])
    )
    assert result.variables["sum"] == 21 + sum(more)


def test_a_run_that_has_ended_takes_none():
    """J25: nothing is recorded of what is not accepted."""
    journal, graph = tf.MemoryJournal(), hosted()

    async def main():
        async with tf.open_run(graph, registry=REGISTRY, journal=journal, run_id="a") as run:
            await run.result()
            with pytest.raises(tf.RunFinished):
                await run.publish("e", 1)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert not [each for each in journal.entries("a") if each.kind == "published"]


def putting_off_for_the_host():
    """Two events of the host put something off; what comes of the second one is due when the rest has ended."""
    with tf.build(MOMENTS) as g:
        g.variable("sum", "int", default=0, merge="sum")
        total = g.add("variable.get", name="sum").result
        note, more = g.add(Noting, "note", value=total), g.add("variable.add", "more", name="sum", value=100)
        g.connect(note.then, more.enter)
        for event, seconds in (("early", 0.1), ("late", 4.0)):
            g.event(event)
            listen, slow = g.add("event.listen", event=event), g.add("durable.slow", value=event, seconds=seconds)
            add, later = g.add("variable.add", name="sum", value=1), g.add("flow.later", seconds=1.0)
            for left, right in (
                (listen.then, add.enter), (add.then, slow.enter), (slow.then, later.enter), (later.done, note.enter),
            ):  # fmt: skip
                g.connect(left, right)
        first, last = g.add("flow.later", "first", seconds=0.2), g.add("flow.later", "again", seconds=0.2)
        again = g.add("flow.branch", condition=g.add("logic.less", a=total, b=5).result)
        each, one = g.add(Noting, "each", value=total), g.add("variable.add", "one", name="sum", value=1)
        for left, right in (
            (g.add("flow.start").then, first.enter), (first.done, each.enter),
            (each.then, one.enter), (one.then, again.enter),
        ):  # fmt: skip
            g.connect(left, right)
        g.connect(again.true, last.enter)
        g.connect(last.done, each.enter)
        g.connect(g.add("flow.start", "second").then, g.add("durable.slow", value="slow", seconds=2.0).enter)
    return g.graph


def for_the_host(kept):
    WORLD.clear()

    async def main():
        options = tf.RunOptions(seed=1)
        async with tf.open_run(
            putting_off_for_the_host(), registry=MOMENTS, journal=kept, run_id="a", options=options
        ) as run:
            for event in ("early", "late")[run.recorder.published_so_far :]:
                run.publish_nowait(event)
            result = await run.result()
            return result.variables["sum"], result.statistics.steps

    return trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize("every", [1, 10**9])
def test_what_the_hosts_events_put_off(every):
    """J24, J25, J26: what was handled before their strand was joined, or after that, is so again; with moments."""
    counting = Faults()
    undisturbed = for_the_host(FaultyJournal(checkpointed(every), counting))
    moments = 0
    for at in range(2, counting.count + 1, 5):
        kept = checkpointed(every)
        with suppress(BaseException):  # the process dies
            for_the_host(FaultyJournal(kept, Faults(at)))
        kept.steal("a")
        moments += any(each.node == "later" for each in moments_among(kept.entries("a")))
        if kept.show("a").status == "running":
            assert for_the_host(kept) == undisturbed, at
    assert (moments > 3) == (every == 1)


def checkpointed(every):
    kept = tf.MemoryJournal()
    kept.checkpoint = tf.Checkpoint(every=every)
    return kept
