"""Signals (J21): sent from outside, taken once, in order."""

from __future__ import annotations

import datetime

import pytest
import trio
from durable.graphs import REGISTRY, WORLD, chain, go
from durable.test_stores import MAKE, POSTGRES, new
from trio.testing import MockClock

import trioflow as tf
from trioflow.durable.signals import make_signal


@pytest.fixture(params=[*(each for each in MAKE if each != "postgres"), POSTGRES])
def store(request, tmp_path):
    return MAKE[request.param](tmp_path)


def test_stores_keep_them(store):
    """Whether somebody has the run or not; of two with one key the first counts; an ended run takes none."""
    session = store.take("a", new())
    assert tf.send_signal(store, "a", "x", {"n": 1}, key="k", by="eve")
    assert not tf.send_signal(store, "a", "x", {"n": 2}, key="k")
    session.close()
    assert tf.send_signal(store, "a", "y")
    first, second = store.signals("a")
    assert (first.number, first.name, first.payload, first.key, first.by) == (0, "x", '{"n":1}', "k", "eve")
    assert (second.number, second.name, second.payload) == (1, "y", "null")
    assert store.signals("a", 0) == [second]
    session = store.take("a")
    session.set_state("completed", 1.0, "{}")
    session.close()
    with pytest.raises(tf.JournalError, match="is completed: it takes no signals any more"):
        tf.send_signal(store, "a", "z")
    with pytest.raises(tf.RunNotFound):
        tf.send_signal(store, "b", "z")
    with pytest.raises(tf.Unrecordable, match="the payload of signal 'z'"):
        tf.send_signal(store, "a", "z", object())


def waiting(*names):
    """A graph that waits for these signals, and does something with each."""
    with tf.build(REGISTRY) as g:
        last = g.add("flow.start").then
        for name in names:
            wait, act = g.add("flow.wait_signal", name=name), g.add("durable.effect")
            g.connect(last, wait.enter)
            g.connect(wait.received, act.enter)
            g.connect(wait.payload, act.value)
            last = act.then
    return g.graph


def test_each_is_taken_once_in_order():
    """J21: also those that arrived before anybody waited, and not again after a resume."""
    journal = tf.MemoryJournal()
    graph = waiting("a", "b", "a", "a")

    async def first():
        with trio.move_on_after(10):
            await tf.run(graph, registry=REGISTRY, journal=journal, run_id="a")

    WORLD.clear()
    trio.run(first, clock=MockClock(autojump_threshold=0))
    for name, payload in (("a", 1), ("a", 2), ("b", 3)):
        tf.send_signal(journal, "a", name, payload)
    trio.run(first, clock=MockClock(autojump_threshold=0))
    assert WORLD == [1, 3, 2]
    tf.send_signal(journal, "a", "a", 4)
    go(graph, journal)
    assert WORLD == [4]


def test_whoever_waits_looks_at_once():
    """A signal that is sent by the host of the run."""
    journal = tf.MemoryJournal()

    async def main():
        async with tf.open_run(waiting("a"), registry=REGISTRY, journal=journal, run_id="a") as run:
            await trio.sleep(0.2)
            assert WORLD == []
            assert await run.signal("a", "now", key="k")
            assert not await run.signal("a", "again", key="k")
            began = trio.current_time()
            await run.result()
            assert trio.current_time() - began < 0.1

    WORLD.clear()
    trio.run(main)
    assert WORLD == ["now"]


class Clock(tf.Clock):
    def __init__(self):
        self.time = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    def now(self):
        return self.time


@pytest.mark.parametrize(
    ("sent", "way", "comment"),
    [
        ([True], "approved", ""),
        ([False], "rejected", ""),
        (["perhaps", {"ok": True, "comment": "fine"}], "approved", "fine"),
        ([], "timed_out", None),
    ],
)
def test_approval(sent, way, comment):
    """Overnight, by a clock that is turned: the process need not live meanwhile."""
    clock, journal = Clock(), tf.MemoryJournal()
    with tf.build(REGISTRY) as g:
        ask = g.add("flow.approve", "ask", timeout="12h")
        g.connect(g.add("flow.start").then, ask.enter)
        for each in ("approved", "rejected", "timed_out"):
            g.connect(ask[each], g.add("durable.effect", each, value=each).enter)
    arguments = {"registry": REGISTRY, "journal": journal, "run_id": "a", "services": {tf.Clock: clock}}

    async def evening():
        with trio.move_on_after(5):
            await tf.run(g.graph, **arguments)

    WORLD.clear()
    trio.run(evening, clock=MockClock(autojump_threshold=0))
    assert WORLD == []
    for said in sent:
        tf.send_signal(journal, "a", "approve", said, by="eve")
    clock.time += datetime.timedelta(hours=11 if sent else 13)
    result = trio.run(lambda: tf.run(g.graph, **arguments), clock=MockClock(autojump_threshold=0))
    assert WORLD == [way]
    if comment is not None:
        assert result.output("ask", "comment") == comment


def test_how_long_is_recorded():
    """J21: nothing arrived, and that stays so."""
    journal = tf.MemoryJournal()
    with tf.build(REGISTRY) as g:
        wait, late = g.add("flow.wait_signal", name="x", timeout="10s"), g.add("durable.effect", value="late")
        more = g.add("durable.slow", value="slow", seconds=5.0)
        g.connect(g.add("flow.start").then, wait.enter)
        g.connect(wait.timed_out, late.enter)
        g.connect(late.then, more.enter)

    async def first():
        with trio.move_on_after(12):
            await tf.run(g.graph, registry=REGISTRY, journal=journal, run_id="a", services={tf.Clock: Virtual()})

    class Virtual(tf.Clock):
        def now(self):
            return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=trio.current_time())

    WORLD.clear()
    trio.run(first, clock=MockClock(autojump_threshold=0))
    assert WORLD == ["late", "slow begins"]
    tf.send_signal(journal, "a", "x", 1)
    go(g.graph, journal)
    assert WORLD == ["slow begins", "slow ends"]


def test_only_in_runs_that_are_kept():
    """Nobody could send one to another."""
    with pytest.raises(tf.NodeError, match="nobody can send one to a run that is not kept"):
        trio.run(lambda: tf.run(waiting("a"), registry=REGISTRY))


def test_sleeping_for_days():
    """Seconds, or a text."""
    journal = tf.MemoryJournal()

    async def main():
        began = trio.current_time()
        graph = chain(("flow.sleep", {"duration": "2d 1h"}))
        await tf.run(graph, registry=REGISTRY, journal=journal, run_id="a", services={tf.Clock: Clock()})
        return trio.current_time() - began

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == pytest.approx(49 * 3600)


def test_signals_that_are_damaged(tmp_path):
    """J19: are refused."""
    journal = tf.FileJournal(tmp_path)
    journal.take("a", new()).close()
    tf.send_signal(journal, "a", "x", 1)
    (path,) = tmp_path.glob("*.signals.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"y"'))
    with pytest.raises(tf.JournalUnusable, match="signal 0 is not what was written"):
        journal.signals("a")
    made = make_signal("x", 1, key=None, by=None, at=0.0)
    assert len(made.key) == 32
