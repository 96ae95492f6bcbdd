"""Who is told what, and what is kept of it: kinds, nodes, values, durations, keys, memory (E1, E3-E5)."""

from __future__ import annotations

import datetime
import gc
import weakref

import attrs
import pytest
import trio
import trio.testing
from support import Items, Note, chain, increment

import trioflow as tf
from trioflow import events
from trioflow.runtime.base.watch import Watch
from trioflow.semantics.identity import Identity
from trioflow.testing import EventLog, run_virtual


def virtually(main):
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


class Names(list):
    """An observer that keeps the names of the kinds that it was told."""

    def __init__(self, kinds=None):
        super().__init__()
        self.kinds = kinds

    def __call__(self, event):
        self.append(type(event).__name__)


class Pauses(tf.Node, id="telling.pauses"):
    """Calls the host, after a while."""

    enter = tf.ExecIn()
    then = tf.ExecOut()
    out = tf.DataOut(int)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_output(self.out, 1)
        await trio.sleep(1)
        ctx.services.get("host")()
        await trio.sleep(2)
        return self.then


def loop_graph(times=3):
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, "loop", times=times)
        note = g.add(Note, "note", value=g.add(increment, "inc", x=loop.index).result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, note.enter)
    return g.graph


def run_loop(*observers, times=3):
    return run_virtual(loop_graph(times), services={"notes": []}, observers=observers)


# --- kinds ---


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (["run"], ["RunStarted", "RunCompleted"]),
        ([events.RunCompleted], ["RunCompleted"]),
        ("EvaluationStarted", ["EvaluationStarted"] * 3),
        (["EvaluationCompleted", "RunStarted"], ["RunStarted", *["EvaluationCompleted"] * 3]),
        (["failures", "messages", "strands"], []),
        ([], []),
    ],
)
def test_an_observer_is_told_what_it_wants(kinds, told):
    """An observer with `kinds`, and one by `observe`, is told of these kinds alone (E3)."""
    own, seen = Names(kinds), []
    run_loop(own, tf.observe(lambda event: seen.append(type(event).__name__), kinds=kinds))
    assert own == seen == told


def test_two_observers_with_different_kinds():
    """Each is told of its kinds, and the numbers are those of what anybody is told (E3)."""
    steps, data, all_kinds = EventLog(), EventLog(), EventLog()
    run_loop(tf.observe(steps, kinds=["steps"]), tf.observe(data, kinds=["data"]), tf.observe(all_kinds))
    assert [*all_kinds] == sorted(
        [*steps, *data, all_kinds.events[0], all_kinds.events[-1]], key=lambda event: event.sequence
    )
    assert [event.sequence for event in all_kinds] == list(range(len(all_kinds.events)))


def test_nodes_that_are_observed():
    """An observer of nodes is told of these, and of nothing that belongs to none (E3)."""
    seen = EventLog()
    run_loop(tf.observe(seen, nodes=["note", "inc"], kinds=["steps", "data", "run"]))
    assert {event.node for event in seen} == {"note", "inc"}


@pytest.mark.parametrize("kinds", ["NodeComplete", ["stesp"], [3]])
def test_kinds_that_do_not_exist(kinds):
    """What wants kinds that do not exist is refused before anything runs, however it says so."""

    async def main():
        with pytest.raises(tf.UnknownName):
            tf.observe(print, kinds=kinds)
        with pytest.raises(tf.UnknownName):
            await tf.run(loop_graph(), observers=[Names(kinds)], services={"notes": []})
        with pytest.raises(tf.UnknownName):
            tf.stream(loop_graph(), kinds=kinds)
        async with tf.open_run(loop_graph(), services={"notes": []}) as run:
            for refused in (
                lambda: run.observe(Names(kinds)),
                lambda: run.events(kinds=kinds),
                lambda: run.events(keep=kinds),
            ):
                with pytest.raises(tf.UnknownName):
                    refused()
            names = Names()
            run.observe(names)  # what was refused left nothing behind
        assert names[-1] == "RunCompleted"

    virtually(main)


def test_what_nobody_wants_is_not_made(monkeypatch):
    """No event is made of a kind that nobody wants (E4)."""
    for made in (
        "NodeFailed",
        "NodeStarted",
        "NodeCompleted",
        "RunStarted",
        "EvaluationStarted",
        "EvaluationCompleted",
    ):
        monkeypatch.setattr(getattr(events, made), "told", lambda *_: pytest.fail("an event was made"))
    for made in (
        "base.watch.new_evaluating",
        "base.watch.new_evaluated",
        "dispatch.new_started",
        "dispatch.new_completed",
    ):
        monkeypatch.setattr(f"trioflow.runtime.{made}", lambda *_: pytest.fail("an event was made"))
    run_loop(Names(["failures"]), Names(["strands"]))


@tf.data_node(id="telling.odd")
def odd(x: int) -> int:
    if x % 4 == 1:
        raise ValueError("odd")
    return x


@tf.data_node(id="telling.slowly")
async def slowly(x: int) -> int:
    await trio.sleep(x)
    if x == 1:
        raise ValueError("one")
    return x


class Cuts(tf.Node, id="telling.cuts"):
    """Cancels its body."""

    enter = tf.ExecIn()
    body = tf.ExecOut()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        with trio.move_on_after(1):
            await ctx.trigger(self.body)
        return self.then


def everything():
    """A graph whose run tells events of almost all kinds."""
    with tf.build() as g:
        g.variable("v", "int", 0)
        start, items = g.add(tf.nodes.Start), g.add(Items, "items", count=5)
        cuts = g.add(Cuts)
        chain(g, start, cuts, items)
        g.connect(cuts.body, g.add("flow.delay", seconds=5).enter)
        quick = g.add(odd, "quick", x=g.add(increment, "inc", x=items.item).result).result
        slow = g.add(slowly, "slow", x=items.item).result
        first, second, last = (
            g.add(Note, "first", value=quick),
            g.add(Note, "second", value=slow),
            g.add(Note, value=slow),
        )
        sets = g.add(tf.nodes.SetVariable, "set", name="v", value=items.item)
        g.connect(items.body, sets.enter)
        chain(g, sets, first, second, last)
        g.configure(items, on_error="collect")
    return g.graph


SEEN = [
    "RunStarted", "RunCompleted", "NodeStarted", "NodeCompleted", "NodeFailed", "NodeSkipped", "NodeCancelled",
    "EvaluationStarted", "EvaluationCompleted", "EvaluationReused", "EvaluationFailed", "EvaluationCancelled",
    "StrandForked", "StrandJoined", "MergeConflict",
]  # fmt: skip


@pytest.mark.parametrize("kinds", [*SEEN, *(group for group in events.GROUPS if group not in {"ahead", "policies"})])
def test_a_kind_alone_is_told_as_among_all(kinds):
    """Who wants one kind or group is told just what it would be told of that among all others (E3)."""

    def told(log):
        return sorted(
            (type(event).__name__, str(event.path), event.node or "", event.strand or 0, str(getattr(event, "key", "")))
            for event in log
            if isinstance(event, events.kinds_of(kinds))
        )

    logs = [EventLog(), EventLog()]
    for observer in (logs[0], tf.observe(logs[1], kinds=kinds)):
        run_virtual(
            everything(),
            services={"notes": []},
            observers=[observer],
            middleware=[tf.SkipOnError(nodes=["second"]), tf.TimeLimit(2.5, nodes=["second"])],
        )
    assert told(logs[0]) == told(logs[1])
    assert told(logs[0]) or kinds == "messages"
    assert len(told(logs[1])) == len(logs[1].events)


class Meter(tf.Middleware):
    def applies(self, node, node_type):
        return node_type.is_exec

    async def __call__(self, invocation):
        invocation.tell(Measured(1.5))
        return await invocation()


@attrs.frozen(eq=False, repr=False)
class Measured(events.Event):
    """Somebody has measured."""

    seconds: float


def test_a_kind_of_ones_own_is_told():
    """A kind of another package is told by a middleware, to who wants it, and belongs to the node (A8)."""
    log, others = EventLog(), Names(["steps"])
    run_virtual(
        loop_graph(1),
        services={"notes": []},
        middleware=[Meter()],
        observers=[tf.observe(log, kinds=[Measured]), others],
    )
    assert [(event.seconds, event.node, str(event.path), event.strand) for event in log] == [
        (1.5, "start", "0.0", 0), (1.5, "loop", "0.1", 0), (1.5, "note", "0.1.0", 0),
    ]  # fmt: skip
    assert "Measured" not in others


def test_kinds_keep_their_observers_when_one_fails(caplog):
    """An observer of some kinds that fails is removed; the others are told of theirs, and who wants it of the failure (E4)."""

    def broken(event):
        raise ValueError("no")

    steps, failed = Names(["steps"]), EventLog()
    run_loop(tf.observe(broken, kinds=["EvaluationStarted"]), steps, tf.observe(failed, kinds=["ObserverFailed"]))
    assert len(steps) == 2 * 5
    (event,) = failed
    assert (str(event.error), "observing by" in event.observer) == ("no", True)
    assert len(caplog.records) == 1


# --- numbers, strands, times ---


def test_ids_are_there_once():
    """Numbers go on when observers come and go, so that no two events of a run have one id (E3)."""
    log = EventLog()

    async def main():
        def host():
            for _ in range(3):
                run.unobserve(log)
                run.observe(log)

        with tf.build() as g:
            chain(g, g.add(tf.nodes.Start), g.add(Pauses), g.add(Pauses))
        async with tf.open_run(g.graph, observers=[log], services={"host": host}) as run:
            pass

    virtually(main)
    ids = [event.id for event in log]
    assert len(set(ids)) == len(ids) == 8
    assert ids[-1] == f"{log.events[0].run}/7"


def test_strands_have_numbers(bench):
    """Each event in a strand has the strand's number: 0 for the first, then in the order of the forks (E3)."""
    with tf.build() as g:
        start, items = g.add(tf.nodes.Start), g.add(Items, "items", count=3)
        chain(g, start, items)
        g.connect(items.body, g.add(Note, "note", value=g.add(increment, x=items.item).result).enter)
    bench.run(g.graph)
    numbers = {event.path.as_tuple(): event.strand for event in bench.log if event.node == "note"}
    assert numbers == {(0, 1, 0, 0): 1, (0, 1, 1, 0): 2, (0, 1, 2, 0): 3}
    forked = [event for event in bench.log if isinstance(event, events.StrandForked | events.StrandJoined)]
    assert [event.strand for event in forked] == [1, 2, 3, 1, 2, 3]
    assert {event.strand for event in bench.log if event.node == "items" and event not in forked} == {0}
    assert (bench.log.events[0].strand, bench.log.events[-1].strand) == (None, None)


def test_ends_tell_how_long_it_took(bench):
    """Each end has the seconds since the beginning, on trio's clock (E3)."""

    @tf.data_node(id="telling.slow")
    async def slow() -> int:
        await trio.sleep(2)
        return 1

    with tf.build() as g:
        chain(
            g,
            g.add(tf.nodes.Start),
            g.add(Note, "note", value=g.add(slow, "slow").result),
            g.add("flow.delay", seconds=5),
        )
    bench.run(g.graph)
    durations = {event.node: event.duration for event in bench.log if hasattr(event, "duration")}
    assert durations == {"start": 0, "slow": 2, "note": 2, "delay": 5, None: 7}


@pytest.mark.parametrize("ends", ["fails", "is cancelled"])
def test_bad_ends_tell_how_long_it_took(bench, ends):
    """So does what fails or is cancelled, also an evaluation (E3)."""

    @tf.data_node(id="telling.fails")
    async def fails() -> int:
        await trio.sleep(2)
        raise ValueError

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, "note", value=g.add(fails, "fails").result))
    if ends == "fails":
        bench.fails(ValueError, g.graph)
    else:
        bench.fails(tf.LimitExceeded, g.graph, options=tf.RunOptions(timeout=1))
    durations = {event.node: event.duration for event in bench.log if hasattr(event, "duration")}
    assert durations == ({"start": 0, "fails": 2, "note": 2, None: 2} if ends == "fails" else
                         {"start": 0, "fails": 1, "note": 1, None: 1})  # fmt: skip


def test_a_skip_tells_how_long_it_took(bench):
    """So does an activation that a middleware skips (E3)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add("flow.delay", "wait", seconds=5))
    bench.run(g.graph, middleware=[tf.SkipOnError(nodes=["wait"]), tf.TimeLimit(2, nodes=["wait"])])
    (skipped,) = (event for event in bench.log if isinstance(event, events.NodeSkipped))
    assert skipped.duration == 2


def test_who_begins_to_watch_in_the_middle():
    """An end whose beginning nobody watched has no duration, and tells no values; what begins later has both (E3)."""
    log = EventLog()

    async def main():
        with tf.build() as g:
            chain(g, g.add(tf.nodes.Start), g.add(Pauses, "first"), g.add(Pauses, "second"))
        added = []

        def once():
            if not added:
                added.append(run.observe(log_values))

        log_values = tf.observe(log, kinds=["NodeCompleted"], values=True)
        async with tf.open_run(g.graph, services={"host": once}) as run:
            pass

    virtually(main)
    assert [(event.node, event.duration, event.outputs) for event in log] == [
        ("first", None, None),
        ("second", 3, {"out": 1}),
    ]


def test_values_are_those_since_the_beginning_of_the_step():
    """Who asks for values in the middle of a step that others have watched is not told older ones for its own (E3)."""
    log = EventLog()

    async def main():
        def once():
            if not added:
                added.append(run.observe(tf.observe(log, kinds=["NodeCompleted"], values=True)))

        added = []
        with tf.build() as g:
            start, loop, pauses = (
                g.add(tf.nodes.Start),
                g.add(tf.nodes.ForLoop, "loop", times=2),
                g.add(Pauses, "pauses"),
            )
            g.connect(start.then, loop.enter)
            g.connect(loop.body, pauses.enter)
        async with tf.open_run(g.graph, observers=[Names()], services={"host": once}) as run:
            pass

    virtually(main)
    assert [(event.node, event.outputs) for event in log] == [("pauses", None), ("pauses", {"out": 1}), ("loop", None)]


def test_wall_time():
    """A run knows when it began, by the host's clock; with the time of an event that is when it was told (E3)."""

    class Clock(tf.Clock):
        def now(self):
            return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=trio.current_time())

    async def main():
        await trio.sleep(100)
        log = EventLog()
        with tf.build() as g:
            chain(g, g.add(tf.nodes.Start), g.add("flow.delay", seconds=5))
        async with tf.open_run(g.graph, observers=[log], services={"clock": Clock()}) as run:
            assert run.started_at is None
            await trio.sleep(2)
            began = run.started_at
            await run.result()
        assert log.events[0].time == 0
        return began, began + datetime.timedelta(seconds=log.events[-1].time), run.started_at

    began, ended, later = virtually(main)
    assert (began - datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)).total_seconds() == 100
    assert (ended - began).total_seconds() == 5
    assert began == later


# --- values ---


class Writes(tf.Node, id="telling.writes"):
    """Writes an output and a variable, and triggers what may write more."""

    enter = tf.ExecIn()
    x = tf.DataOut(int)
    y = tf.DataOut(int)
    body = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        ctx.set_output(self.x, 1)
        ctx.set_variable("v", 2)
        await ctx.trigger(self.body)


def test_values():
    """Who asks for values is told what an activation wrote, and what an evaluation gave; others are not (E3)."""
    with tf.build() as g:
        g.variable("v", "int", 0)
        g.variable("w", "int", 0)
        writes, note = g.add(Writes, "writes"), g.add(Note, "note")
        chain(g, g.add(tf.nodes.Start, "start"), writes)
        g.connect(writes.body, note.enter)
        g.connect(g.add(increment, "inc", x=writes.x).result, note.value)
        more = g.add(tf.nodes.SetVariable, "more", name="w", value=3)
        chain(g, note, more)
    seen = {}
    for values in (True, False):
        log = EventLog()
        run_virtual(
            g.graph, services={"notes": []}, observers=[tf.observe(log, kinds=["steps", "data"], values=values)]
        )
        seen[values] = {
            event.node: (event.outputs, getattr(event, "variables", "-")) for event in log if hasattr(event, "outputs")
        }
    assert seen[True] == {
        "start": ({}, {}), "inc": ({"result": 2}, "-"), "note": ({}, {}), "more": ({}, {"w": 3}),
        "writes": ({"x": 1}, {"v": 2, "w": 3}),
    }  # fmt: skip
    assert {each[0] for each in seen[False].values()} == {None}


async def test_values_in_a_subscription(autojump_clock):
    """A subscription and a stream can ask for values, too (E3)."""
    async with tf.open_run(loop_graph(1), services={"notes": []}) as run:
        found = [event.outputs async for event in run.events(kinds=["EvaluationCompleted"], values=True)]
    arguments = {"kinds": [events.EvaluationCompleted], "values": True, "services": {"notes": []}}
    assert found == [event.outputs async for event in tf.stream(loop_graph(1), **arguments)] == [{"result": 1}]


async def test_nodes_in_a_subscription(autojump_clock):
    """A subscription may be of some nodes (E3)."""
    async with tf.open_run(loop_graph(2), services={"notes": []}) as run:
        assert [event.node async for event in run.events(nodes=["note"], kinds=["NodeStarted"])] == ["note"] * 2


async def test_what_is_kept(autojump_clock):
    """Events of the kinds `keep` are never dropped, and come in their place among the others (E3)."""
    async with tf.open_run(loop_graph(20), services={"notes": []}) as run:
        subscription = run.events(2, keep=["EvaluationStarted", "run"])
        await run.result()
        told = [event async for event in subscription]
    names = [type(event).__name__ for event in told]
    assert (names[0], names[-1], names.count("EvaluationStarted")) == ("RunStarted", "RunCompleted", 20)
    numbers = [event.sequence for event in told]
    assert numbers == sorted(numbers)
    assert sum(getattr(event, "count", 1) for event in told) == numbers[-1] + 1
    assert len(told) < 40


# --- keys ---


def looped():
    """Data nodes that read outputs, variables, items of forks, and each other."""

    @tf.data_node(id="telling.reads")
    def reads(x: int, ctx: tf.DataContext) -> int:
        return ctx.get_variable("v") + x

    with tf.build() as g:
        g.variable("v", "int", 0, merge="sum")
        start, items = g.add(tf.nodes.Start), g.add(Items, "items", count=3)
        value = g.add(increment, "b", x=g.add(reads, "a", x=g.add(increment, "c", x=items.item).result).result).result
        note, add = g.add(Note, "note", value=value), g.add(tf.nodes.UpdateVariable, "add", name="v", value=1)
        after = g.add(Note, "after", value=g.add(reads, "d", x=5).result)
        chain(g, start, items)
        g.connect(items.body, note.enter)
        chain(g, note, add)
        g.connect(items.done, after.enter)
    return g.graph


def test_keys_are_the_same_whenever_they_are_read():
    """A key that is read at once, at the end, or after the run has gone, is that of a run that is watched whole (E5)."""
    early, logs = [], [EventLog(), EventLog(), EventLog()]
    kinds = ["EvaluationCompleted", "EvaluationReused"]
    run_virtual(looped(), services={"notes": []}, observers=[logs[0]])
    run_virtual(looped(), services={"notes": []}, observers=[tf.observe(logs[1], kinds=kinds)])
    reads = tf.observe(lambda event: early.append(event.key), kinds=kinds)
    run_virtual(looped(), services={"notes": []}, observers=[reads])
    gc.collect()
    whole, late = [[e.key for e in log if type(e).__name__ in kinds] for log in logs[:2]]
    assert sorted(set(whole)) == sorted(set(late)) == sorted(set(early))
    assert len(set(whole)) > 6


@pytest.mark.parametrize("others", [(), (EventLog,)])
def test_who_does_without_keys(others):
    """Evaluations have none if all who are told of them do without; what else is told is the same (E5)."""

    class Keyless(EventLog):
        keys = False

    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=3)
        one = g.add("math.add", a=loop.index, b=1)
        two = g.add("math.multiply", a=one.result, b=g.add("math.add", a=1, b=2).result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, g.add("debug.inspect", value=two.result).enter)
    log, full = Keyless(), EventLog()
    run_virtual(g.graph, observers=[log, *(each() for each in others)])
    run_virtual(g.graph, observers=[full])
    assert log.rows() == full.rows()
    keys = {each.key for each in log.events if isinstance(each, tf.events.EvaluationCompleted)}
    assert (keys == {""}) is not bool(others)


@pytest.mark.unmeasured
def test_the_last_key_of_a_long_chain():
    """The key at the end of 30,000 evaluations, each of which used the one before, is made without recursion (D10)."""
    with tf.build() as g:
        start, value = g.add(tf.nodes.Start), g.add(increment, "n0", x=0)
        for place in range(1, 30_000):
            value = g.add(increment, f"n{place}", x=value.result)
        chain(g, start, g.add(Note, value=value.result))
    log = EventLog()
    run_virtual(g.graph, services={"notes": []}, observers=[tf.observe(log, kinds=["EvaluationCompleted"])])
    last = log.events[-1]
    assert (last.node, last.key.partition("#")[0], len(log.events)) == ("n29999", "n29999", 30_000)


def test_a_long_chain_of_names_goes_without_recursion():
    """Names that nobody has read, each made of the one before, are freed whatever their number is (D10)."""
    name = Identity("n", ["@"])
    for _ in range(100_000):
        name = Identity("n", [(name, "result")])
    other = Identity("n", [(name, "result")])
    del name, other


# --- memory ---


class Value:
    """What must be gone."""

    living = weakref.WeakSet()

    def __init__(self):
        self.living.add(self)


class Makes(tf.Node, id="telling.makes"):
    """Writes values wherever it can."""

    enter = tf.ExecIn()
    value = tf.DataOut(object)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_output(self.value, Value())
        ctx.set_variable("v", Value())
        ctx.state["kept"] = Value()
        ctx.random.random()
        await trio.lowlevel.checkpoint()
        return self.then


class MakesItems(tf.Node, id="telling.makes_items"):
    """Emits values, to forks."""

    enter = tf.ExecIn()
    item = tf.DataOut(object)
    body = tf.ExecOut()
    done = tf.ExecOut()
    stream = tf.Stream(item, fires=body, done=done, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        for _ in range(3):
            await ctx.emit(self.item, Value())


class Discards(tf.Node, id="telling.discards"):
    """Emits values, to forks of which nothing is merged."""

    enter = tf.ExecIn()
    item = tf.DataOut(object)
    body = tf.ExecOut()
    stream = tf.Stream(item, fires=body, mode="concurrent", discard=True)
    execute = MakesItems.execute


class Publishes(tf.Node, id="telling.publishes"):
    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await ctx.publish("news", Value())
        return self.then


@tf.data_node(id="telling.same")
def same(value: object) -> object:
    return value


@tf.data_node(id="telling.wrapped")
def wrapped(value: object) -> object:
    return Value()


class FailsLater(tf.Node, id="telling.fails_later"):
    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        await trio.sleep(1)
        if ctx.path[-2] == 2:
            raise ValueError


def steps(g):
    makes = g.add(Makes)
    chain(g, g.add(tf.nodes.Start), makes, g.add(Note, value=g.add(wrapped, value=makes.value).result))


def forks(g):
    items, makes = g.add(MakesItems), g.add(Makes)
    chain(g, g.add(tf.nodes.Start), items)
    g.connect(items.body, makes.enter)
    chain(g, makes, g.add(Note, value=g.add(wrapped, value=items.item).result))


def discarded(g):
    items, makes = g.add(Discards), g.add(Makes)
    chain(g, g.add(tf.nodes.Start), items)
    g.connect(items.body, makes.enter)


def failing(g):
    items, makes, fails = g.add(MakesItems), g.add(Makes), g.add(FailsLater)
    chain(g, g.add(tf.nodes.Start), items)
    g.connect(items.body, makes.enter)
    chain(g, makes, fails)


def payloads(g):
    g.event("news")
    chain(g, g.add(tf.nodes.Start), g.add(Publishes))
    chain(g, g.add("event.listen", event="news"), g.add(Note))


def called(g):
    with tf.build() as inner:
        enter, done = inner.declare_entry("enter"), inner.declare_exit("done")
        given = inner.declare_input("given", "any")
        makes = inner.add(Makes)
        inner.variable("v", "any")
        inner.connect(enter, makes.enter)
        note = inner.add(Note, value=inner.add(wrapped, value=given).result)
        chain(inner, makes, note)
        inner.connect(note.then, done)
    with tf.build() as asked:
        given, found = asked.declare_input("given", "any"), asked.declare_output("found", "any")
        asked.connect(asked.add(wrapped, value=asked.add(same, value=given).result).result, found)
    makes = g.add(Makes)
    call = g.add(g.define("inner", inner.graph), "call", given=makes.value)
    data = g.add(g.define("asked", asked.graph), "data", given=makes.value)
    chain(g, g.add(tf.nodes.Start), makes)
    g.connect(makes.then, call.enter)
    g.connect(call.done, g.add(Note, value=data.found).enter)


@pytest.fixture
def values():
    Value.living.clear()  # what a failing test holds is its own
    return Value.living


@pytest.mark.slow
@pytest.mark.parametrize("watched", ["throughout", "at first"])
@pytest.mark.parametrize("parts", [steps, forks, discarded, failing, payloads, called])
def test_a_log_keeps_no_values(parts, watched, values):
    """Events that are kept keep paths alone: nothing that a run wrote, sent or computed lives on with them."""
    with tf.build() as g:
        g.variable("v", "any", merge="first")  # a conflict would tell of the values
        parts(g)
        ends = g.add(tf.nodes.Start, "z")
        chain(g, ends, g.add("flow.delay", seconds=3))
    log = EventLog()

    async def main():
        try:
            async with tf.open_run(g.graph, services={"notes": []}, observers=[log]) as run:
                if watched == "at first":
                    await trio.testing.wait_all_tasks_blocked()
                    run.unobserve(log)
        except ValueError:
            pass

    virtually(main)
    # The traceback of a failure has frames, which have values: that is no matter of the log.
    log.events = [event for event in log if not hasattr(event, "error")]
    assert len(log.events) > 4
    gc.collect()
    assert len(values) == 0
    assert all(event.path is not None for event in log)


def test_a_run_with_several_observers_is_freed_at_once():
    """However many watch: when a run has ended, nothing of it waits for the garbage collector (R5)."""
    gc.collect()
    gc.disable()
    try:
        logs = [EventLog(), EventLog()]
        gone = [weakref.ref(log) for log in logs]
        run_loop(*logs, Names(["failures"]))
        del logs
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


async def test_an_observer_of_some_kinds_is_called_itself():
    """For a kind that one alone wants it is called without anything in between; for what nobody wants nobody is (E4)."""
    both = Watch("run", [print, tf.observe(repr, kinds=["steps"])])
    assert both.call_for(events.RunStarted) is print
    assert both.started is not print
    assert Watch("run", [Names(["run"])]).started is None


class Says(tf.Node, id="telling.says"):
    """Says a list that it goes on to use."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        rows = [1]
        ctx.emit_feedback("rows", tag=rows)
        ctx.services.get("notes").append(rows)


def listed(x: int) -> list:
    return [x]


def spoils(*found):
    """Changes every container that an event gives."""
    for value in found:
        if isinstance(value, list):
            value.append("spoilt")
        elif isinstance(value, dict):
            spoils(*value.values())


def watched_by_a_spoiler(graph, **arguments):
    """Runs it twice, unwatched and watched by an observer that changes what it is told; gives both ends."""
    told = []

    def observer(event):
        told.append(type(event).__name__)
        for name in ("outputs", "variables", "tag", "kept", "lost", "value"):
            spoils(getattr(event, name, None))

    def end(*observers):
        notes = []
        result = virtually(lambda: tf.run(graph, services={"notes": notes}, observers=observers, **arguments))
        return notes, result.variables

    return end(), end(tf.observe(observer, values=True)), told


def test_values_of_evaluations_are_copies():
    """What an observer does to a list that an evaluation gave is not seen by whoever uses it (E4)."""
    with tf.build() as g:
        start, made = g.add(tf.nodes.Start), g.add(listed, "made", x=3)
        first, second = g.add(Note, "first", value=made.result), g.add(Note, "second", value=made.result)
        chain(g, start, first, second)
    unwatched, watched, told = watched_by_a_spoiler(g.graph)
    assert "EvaluationCompleted" in told
    assert watched == unwatched == ([[3], [3]], {})


def test_tags_of_feedback_are_copies():
    """What an observer does to a tag is not seen by the body that goes on to use it (E4)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Says, "says"))
    unwatched, watched, told = watched_by_a_spoiler(g.graph)
    assert "Feedback" in told
    assert watched == unwatched == ([[1]], {})


def test_values_of_conflicts_are_copies():
    """What an observer does to the values of a conflict is not seen by whoever reads the variable (E4)."""
    with tf.build() as g:
        g.variable("rows", "list", [], merge="last")
        start, items = g.add(tf.nodes.Start), g.add(Items, "items", count=2)
        write = g.add(tf.nodes.SetVariable, "write", name="rows", value=g.add(listed, "made", x=items.item).result)
        g.connect(start.then, items.enter)
        g.connect(items.body, write.enter)
    unwatched, watched, told = watched_by_a_spoiler(g.graph)
    assert "MergeConflict" in told
    assert watched == unwatched == ([], {"rows": [1]})
