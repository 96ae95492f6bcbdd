"""Observers and events: E1-E5."""

from __future__ import annotations

import logging
import math
import time
from types import MethodType

import pytest
import trio
import trio.testing
from support import Add, Items, Note, Wait, chain, increment

import trioflow as tf
from trioflow.runtime.base.watch import Watch
from trioflow.semantics.events import ROOT, NodeStarted, fields_of
from trioflow.testing import EventLog, ShuffledSchedule, run_virtual


def virtually(main):
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def loop_graph(times=3):
    with tf.build() as g:
        start, loop, note = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=times), g.add(Note)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, note.enter)
    return g.graph


def test_events_carry_run_sequence_and_time(bench):
    """Events carry the run's id, strictly increasing numbers and monotonic times (E3)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Wait), g.add(Wait))
    bench.run(g.graph)
    log = bench.log.events
    assert len({event.run for event in log}) == 1
    assert [event.sequence for event in log] == list(range(len(log)))
    assert [event.time for event in log] == sorted(event.time for event in log)
    assert log[-1].time - log[0].time == 2.0


def test_failing_observer_is_removed(caplog):
    """An observer that raises is reported and removed; the run and the others go on (E4)."""
    log = EventLog()
    seen = []

    def broken(event):
        seen.append(event)
        raise RuntimeError("observer")

    with caplog.at_level(logging.ERROR, logger="trioflow"):
        run_virtual(loop_graph(), observers=[broken, log], services={"notes": []})
    assert len(seen) == 1
    assert [row[0] for row in log.rows()][:2] == ["ObserverFailed", "RunStarted"]
    assert log.rows()[-1] == ("RunCompleted", None, "root")
    assert "failed and was removed from run" in caplog.text


def test_unobserved_run_makes_no_events(monkeypatch):
    """Without an observer no event is made (E4)."""
    for maker in ("base.watch.Watch.tell", "dispatch.new_started", "dispatch.new_completed"):
        monkeypatch.setattr(f"trioflow.runtime.{maker}", lambda *_: pytest.fail("an event was made"))
    run_virtual(loop_graph(), services={"notes": []})


def test_several_subscribers():
    """Several consumers each get all events, live (E3)."""

    async def main():
        async with tf.open_run(loop_graph(), services={"notes": []}) as run:
            first, second = run.events(), run.events()
            kinds = [[type(event).__name__ async for event in each] for each in (first, second)]
        assert kinds[0] == kinds[1]
        assert (kinds[0][0], kinds[0][-1], len(kinds[0])) == ("RunStarted", "RunCompleted", 12)
        assert [event async for event in run.events()] == []  # the run is over

    virtually(main)


def test_overflow_drops_the_oldest_and_says_so():
    """A consumer that falls behind loses the oldest events, and is told how many (E3)."""

    async def main():
        async with tf.open_run(loop_graph(), services={"notes": []}) as run:
            log = run.events(buffer=4)
            assert repr(log) == "<Subscription: 0 of 4 buffered, 0 dropped>"
            await run.result()
            assert repr(log) == "<Subscription: 4 of 4 buffered, 8 dropped>"
            events = [event async for event in log]
        assert [type(event).__name__ for event in events] == [
            "EventsDropped", "NodeStarted", "NodeCompleted", "NodeCompleted", "RunCompleted"
        ]  # fmt: skip
        assert (events[0].count, events[0].sequence + 1) == (8, events[1].sequence)

    virtually(main)


def test_unsubscribing():
    """A subscription that is closed gets nothing more, and costs nothing more (E4)."""

    async def main():
        async with tf.open_run(loop_graph(), services={"notes": []}) as run:
            async with run.events() as log:
                assert isinstance(await anext(log), tf.events.RunStarted)
            assert run._state.watch is None
            log.close()  # once more, without effect
            left = [event async for event in log]
            await run.result()
            assert all(event.sequence < 12 for event in left)
            with pytest.raises(ValueError, match="must be at least 1, got 0"):
                run.events(buffer=0)
        with pytest.raises(ValueError, match="must be at least 1, got 0"):
            tf.Subscription(0, print)

    trio.run(main)


def test_feedback_and_progress(bench):
    """Bodies tell watchers of feedback and progress (E3)."""

    class Tells(tf.Node, id="tells", initiator=True):
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            ctx.emit_feedback("hello", "warning", tag=7)
            ctx.report_progress(1, 2, "half")

    with tf.build() as g:
        g.add(Tells)
    bench.run(g.graph)
    feedback, progress = bench.log.events[2:4]
    assert (feedback.message, feedback.level, feedback.tag) == ("hello", "warning", 7)
    assert (progress.done, progress.total, progress.message) == (1, 2, "half")


@pytest.mark.parametrize("limit", [1, 2, None])
def test_canonical_trace_is_the_same_under_every_schedule(limit):
    """The canonical trace is equal for every schedule and limit of the same run (E5, promise 3)."""
    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        g.variable("last", "int", 0)
        start, items = g.add(tf.nodes.Start), g.add(Items, count=4)
        value = g.add(increment, x=g.add(increment, x=items.item).result).result
        add, last = g.add(Add, by=value), g.add(tf.nodes.SetVariable, name="last", value=value)
        chance = g.add(Note, value=g.add("random.uniform").result)
        shared = g.add(Note, value=g.add(increment, x=1).result)
        g.connect(start.then, items.enter)
        g.connect(items.body, add.enter)
        chain(g, add, last, chance, shared)
        g.configure(items, limit=limit)
    seen = []
    for seed in range(8):
        log = EventLog()
        result = run_virtual(
            g.graph, observers=[log], services={"notes": []}, middleware=[ShuffledSchedule(seed)] if seed else []
        )
        seen.append((result.variables, result.outputs, log.trace()))
    assert all(each == seen[0] for each in seen[1:])
    trace = seen[0][2]
    assert len(trace.evaluations) == 4 + 4 + 4 + 1
    assert trace.conflicts == tuple(((0, 1, i), "last") for i in (1, 2, 3))


def test_trace_shows_what_is_left_open():
    """An activation without an end is visible in the trace (E1)."""
    log = EventLog()
    run_virtual(loop_graph(1), observers=[log], services={"notes": []})
    log.events = [event for event in log.events if not isinstance(event, tf.events.NodeCompleted)]
    assert {row[3] for row in log.trace().activations} == {"open"}
    assert len(log.open()) == 3


def test_virtual_runs_ignore_real_time():
    """Turns in run_virtual come by count only, so that logs are the same each time (T2)."""
    assert run_virtual(loop_graph(), services={"notes": []}, options=tf.RunOptions(turn_after=math.inf)).variables == {}


def like(event):
    """The event of a step, made by hand."""
    if isinstance(event, NodeStarted):
        twin = NodeStarted(event.entered)
    else:
        twin = tf.events.NodeCompleted(event.handed_over, event.time - event.duration)
    return twin.at(event.run, event.sequence, event.time, event.path, event.node, event.strand)


class Counter:
    """An observer that is an object, as most are."""

    def __init__(self, fails_at=None):
        self.seen = []
        self.fails_at = fails_at

    def __call__(self, event):
        self.seen.append(event)
        if len(self.seen) == self.fails_at:
            raise ValueError("no more")


def test_events_of_steps_are_as_any_other():
    """The events that each step makes are of their class, equal to such as are made by hand, and can't be changed (E4)."""
    counter = Counter()
    run_virtual(loop_graph(), services={"notes": []}, observers=[counter])
    steps = [each for each in counter.seen if isinstance(each, tf.events.NodeStarted | tf.events.NodeCompleted)]
    assert len(steps) >= 4
    for event in steps:
        assert type(event) in {tf.events.NodeStarted, tf.events.NodeCompleted}
        fields = fields_of(type(event))
        twin = like(event)
        assert (event, hash(event), repr(event)) == (twin, hash(twin), repr(twin))
        for name in fields:
            with pytest.raises(AttributeError):
                setattr(event, name, None)


def test_an_object_that_fails_is_removed(caplog):
    """An observer that is an object is removed where it fails, and another that is equal to it stays (E4)."""
    failing, staying = Counter(fails_at=3), Counter()
    run_virtual(loop_graph(), services={"notes": []}, observers=[failing, staying, staying])
    assert len(failing.seen) == 3
    assert len(staying.seen) > 6
    assert [type(each).__name__ for each in staying.seen].count("ObserverFailed") == 2
    assert repr(failing) in caplog.text


def test_a_subclass_and_a_builtin_observe():
    """Whatever can be called can observe: also what inherits its `__call__`, and what is not written in Python."""

    class Inherits(Counter):
        pass

    inherits, seen = Inherits(), []
    run_virtual(loop_graph(), services={"notes": []}, observers=[inherits, seen.append])
    assert inherits.seen == seen


def test_what_was_dropped():
    """What stands for dropped events has run, number, time, path and node of the last of them; the count begins anew (E3)."""

    async def main():
        log = EventLog()
        async with tf.open_run(loop_graph(), services={"notes": []}, observers=[log]) as run:
            events = run.events(buffer=1)
            await run.result()
            assert repr(events) == "<Subscription: 1 of 1 buffered, 11 dropped>"
            dropped = await anext(events)
            assert repr(events) == "<Subscription: 1 of 1 buffered, 0 dropped>"
            assert dropped.count == 11
            last = log.events[-2]
            assert last.node is not None
            for field in ("run", "sequence", "time", "path", "node"):
                assert getattr(dropped, field) == getattr(last, field)

    virtually(main)


def test_who_failed(caplog):
    """The event of an observer that failed, and the log, tell which it was and why, and of which run (E4)."""
    log = EventLog()
    failing = Counter(fails_at=3)
    run_virtual(loop_graph(), services={"notes": []}, observers=[failing, log])
    (told,) = (each for each in log.events if isinstance(each, tf.events.ObserverFailed))
    assert (told.observer, str(told.error), told.node) == (repr(failing), "no more", None)
    (record,) = caplog.records
    assert record.getMessage() == f"Observer {failing!r} failed and was removed from run {told.run}"
    assert record.exc_info[1] is told.error


@pytest.mark.parametrize("at", range(1, 13))
def test_the_only_observer_fails(caplog, at):
    """The run goes on without anybody who watches, whichever event it was that the only observer failed at (E4)."""
    failing = Counter(fails_at=at)
    run_virtual(loop_graph(), services={"notes": []}, observers=[failing])
    assert len(failing.seen) == at
    (record,) = caplog.records
    assert str(record.exc_info[1]) == "no more"


@pytest.mark.parametrize("clock", [None, trio.testing.MockClock(rate=1000)])
def test_times_of_events(clock):
    """Events have the seconds since the run began, on trio's clock, whichever clock that is (E3)."""

    async def main():
        log = EventLog()
        before = trio.current_time()
        async with tf.open_run(loop_graph(), services={"notes": []}, observers=[log]) as run:
            await run.result()
            began = run._state.started_at
        times = [before - began, 0, *(event.time for event in log.events), trio.current_time() - began]
        assert times == sorted(times)

    trio.run(main, clock=clock)


class Shifted(trio.abc.Clock):
    """A clock of the host's own, which has an `offset` that means something else to it than to trio's."""

    offset = -1e9

    def start_clock(self) -> None: ...

    def current_time(self) -> float:
        return time.perf_counter()

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return deadline - time.perf_counter()


def test_the_clock_of_a_watch():
    """A watch reckons with `perf_counter` only where that is what trio's clock does (E3)."""

    async def watch_offset():
        return Watch("run", ()).offset

    async def clock_offset():
        return trio.lowlevel.current_clock().offset, Watch("run", ()).offset

    assert trio.run(watch_offset, clock=Shifted()) is None
    assert trio.run(watch_offset, clock=trio.testing.MockClock()) is None
    clock, watch = trio.run(clock_offset)
    assert watch == clock is not None


async def test_the_only_observer_is_called_itself():
    """One observer alone is called without anything in between, an object by its method; several in turn (E4)."""
    counter, seen = Counter(), []

    class Inherits(Counter):
        pass

    inherits, append = Inherits(), seen.append
    for observer, call in ((counter, counter.__call__), (inherits, inherits.__call__), (append, append)):
        assert Watch("run", [observer]).call_for(tf.events.RunStarted) == call
    assert isinstance(Watch("run", [counter]).started, MethodType)
    assert Watch("run", [append]).completed is append
    counter.seen.clear()
    both = Watch("run", [counter, append])
    both.tell(tf.events.RunStarted(), None, ROOT, None)
    assert len(counter.seen) == 1
    assert seen == counter.seen


def test_a_static_method_observes():
    """An object whose `__call__` is not a plain method can observe, too."""
    log, seen = EventLog(), []

    class Static:
        __call__ = staticmethod(seen.append)

    run_virtual(loop_graph(), services={"notes": []}, observers=[Static(), log])
    assert seen == log.events


async def test_an_observer_that_fails_within_its_failure(caplog):
    """One that fails at an event that itself has caused is removed once, and the first failure is all (E4)."""
    seen = []

    def causes(event):
        seen.append(event)
        if len(seen) == 1:
            watch.tell(tf.events.RunStarted(), None, ROOT, None)
        raise ValueError(len(seen))

    watch = Watch("run", [causes, lambda event: None])
    watch.tell(tf.events.RunStarted(), None, ROOT, None)
    assert (len(seen), len(watch.observers)) == (2, 1)
    (record,) = caplog.records
    assert str(record.exc_info[1]) == "2"
