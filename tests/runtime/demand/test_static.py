"""Static demands: plain functions behind plain functions are evaluated as any data node is (D1, D4, D10, D11, R4)."""

from __future__ import annotations

import contextlib
import math
from typing import NamedTuple

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from support import Add, Items, Note, chain, increment

import trioflow as tf
from trioflow.model.sockets import UNSET
from trioflow.runtime.base.schedule import current_schedule
from trioflow.semantics.events import BASE, fields_of
from trioflow.testing import EventLog

STANDARD = tf.Registry.standard(plugins=False)


class Both(NamedTuple):
    low: int
    high: int


class Calls(list):
    """Data nodes that write down each call of their functions."""

    def __init__(self):
        super().__init__()

        @tf.data_node(id="static.sum")
        def total(name: str, a: int = 1, b: int = 2) -> int:
            self.append((name, a, b))
            return a + b

        @tf.data_node(id="static.real")
        def real(name: str, a: float = 1.5, b: float = 2.5) -> float:
            self.append((name, a, b))
            return a * b

        @tf.data_node(id="static.both")
        def both(name: str, a: int = 1, b: int = 2) -> Both:
            self.append((name, a, b))
            return Both(min(a, b), max(a, b))

        @tf.data_node(id="static.picky")
        def picky(name: str, a: int = 1, b: int = 2) -> int:
            self.append((name, a, b))
            if a % 3 == 0:
                raise ValueError(name)
            if a % 3 == 1:
                raise StopIteration
            return UNSET if b % 2 else a

        self.kinds = {"sum": total, "real": real, "both": both, "picky": picky}


def outputs(kind, node):
    return [node.low, node.high] if kind == "both" else [node.result]


def fits(kind, source):
    return kind == "real" or source != "real"


class Twice(tf.Node, id="static.twice"):
    """Asks for its input, writes, and asks again."""

    enter = tf.ExecIn()
    value = tf.DataIn(object, lazy=True)
    leaf = tf.DataOut(int)
    seen = tf.DataOut(list)

    async def execute(self, ctx: tf.Context) -> None:
        seen = []
        for leaf in (0, 1, 1):
            ctx.set_output(self.leaf, leaf)
            for _ in range(2):
                try:
                    seen.append(await ctx.try_get_input(self.value, "nothing"))
                except (RuntimeError, ValueError, tf.TrioflowError) as error:
                    seen.append((type(error), str(error), error.__notes__))
        ctx.set_output(self.seen, seen)


Kinds = st.lists(
    st.tuples(st.sampled_from(["sum", "sum", "sum", "real", "both", "picky"]), st.integers(0), st.integers(0)),
    max_size=12,
)


def wired(g, calls, drawn, *leaves):
    """The outputs of the data nodes that were drawn, with their kinds, behind outputs of exec nodes, which come first."""
    made = [("sum", leaf) for leaf in leaves]
    for place, (kind, *sources) in enumerate(drawn):
        node = g.add(calls.kinds[kind], f"n{place}", name=f"n{place}")
        for socket, source in zip((node.a, node.b), sources, strict=True):
            wanted, output = ([*made, ("sum", None)])[source % (len(made) + 1)]
            if output is not None and fits(kind, wanted):
                g.connect(output, socket)
        made += [(kind, output) for output in outputs(kind, node)]
    return made


@pytest.mark.unmeasured
@given(Kinds)
def test_the_same_as_any_other_way(drawn):
    """What is evaluated, in which order, and what comes of it, does not depend on who watches (D4, E4)."""
    calls = Calls()
    with tf.build(STANDARD) as g:
        start, twice = g.add(tf.nodes.Start), g.add(Twice, "twice")
        g.connect(wired(g, calls, drawn, twice.leaf)[-1][1], twice.value)
        g.connect(start.then, twice.enter)
    in_every_way(g.graph, calls)


class Rounds(tf.Node, id="static.rounds"):
    """Writes and triggers, again and again."""

    enter = tf.ExecIn()
    leaf = tf.DataOut(int)
    seen = tf.DataOut(list)
    each = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        seen = []
        for leaf in (0, 1, 2, 2):
            ctx.set_output(self.leaf, leaf)
            try:
                await ctx.trigger(self.each)
            except (RuntimeError, ValueError, tf.TrioflowError) as error:
                seen.append((type(error), str(error), error.__notes__))
        ctx.set_output(self.seen, seen)


@pytest.mark.unmeasured
@given(Kinds, st.lists(st.integers(0), min_size=4, max_size=4))
def test_functions_get_the_same_any_other_way(drawn, sources):
    """Nor does it where the inputs of functions are asked for (D4, D7, D11, E4)."""
    calls = Calls()

    @tf.exec_node(id="static.takes_one")
    def takes_one(a: int = 7) -> int:
        calls.append(a)
        return a

    @tf.exec_node(id="static.takes_all")
    def takes_all(a: object, b: float, c: int = 5) -> int:
        calls.append((a, b, c))
        return c

    with tf.build(STANDARD) as g:
        start, rounds = g.add(tf.nodes.Start), g.add(Rounds, "rounds")
        one, several = g.add(takes_one, "one"), g.add(takes_all, "several")
        made = wired(g, calls, drawn, rounds.leaf)
        wanted = [(several.a, "real"), (several.b, "real"), (several.c, "sum"), (one.a, "sum")]
        for (socket, type_), source in zip(wanted, sources, strict=True):
            kind, output = made[source % len(made)]
            if fits(type_, kind):
                g.connect(output, socket)
        chain(g, start, rounds)
        g.connect(rounds.each, several.enter)
        g.connect(several.then, one.enter)
    in_every_way(g.graph, calls)


def in_every_way(graph, calls):
    """What comes of a graph, and what observers are told, is the same whoever watches and whatever the schedule."""
    plan = tf.make_plan(graph, STANDARD)

    def outcome(**arguments):
        calls.clear()
        result = trio.run(lambda: tf.run(plan, options=tf.RunOptions(turn_after=math.inf), **arguments))
        # As text, in which 1 and 1.0 differ.
        return repr((result.outputs, calls)), result.statistics.evaluations

    assert outcome() == outcome(observers=[lambda event: None])
    quickly, carefully = EventLog(), EventLog()
    outcome(observers=[quickly])
    with controlled():
        outcome(observers=[carefully])
    assert told(quickly) == told(carefully)


class Turns:
    """A schedule that lets everybody go on. While there is one, no data node is evaluated in the quick way."""

    async def turn(self, label: str) -> None:
        await trio.lowlevel.checkpoint()


@contextlib.contextmanager
def controlled():
    token = current_schedule.set(Turns())
    try:
        yield
    finally:
        current_schedule.reset(token)


def told(log):
    """All that a log tells, but for the run and when."""
    return [
        (type(event).__name__, str(event.path), event.node)
        + tuple(str(getattr(event, name)) for name in fields_of(type(event))[len(BASE) :] if name != "duration")
        for event in log
    ]


def long_chain(length, last=increment):
    with tf.build() as g:
        start, value = g.add(tf.nodes.Start), g.add(increment, "n0", x=0)
        for place in range(1, length):
            value = g.add(increment if place < length - 1 else last, f"n{place}", x=value.result)
        chain(g, start, g.add(Note, value=value.result))
    return g.graph


async def test_others_get_their_turns(bench):
    """A chain of functions gives the scheduler its turn after every 64 of them (T2)."""
    turns = 0

    async def other():
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await tf.run(long_chain(1000), services={"notes": bench.notes}, options=tf.RunOptions(turn_after=math.inf))
        nursery.cancel_scope.cancel()
    assert bench.notes == [1000]
    assert turns >= 1000 // 64 - 1  # who comes first in a round, trio draws


class WritesAndAsks(tf.Node, id="static.writes_and_asks"):
    """Writes and asks for what depends on it, ten times."""

    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)
    leaf = tf.DataOut(int)

    async def execute(self, ctx: tf.Context) -> None:
        for leaf in range(10):
            ctx.set_output(self.leaf, leaf)
            await ctx.get_input(self.value)


@tf.exec_node(id="static.ten")
def ten(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int, i: int, j: int) -> int:
    return a


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({"turn_after": 1e-9}, 8),
        ({"turn_after": math.inf, "turn_every": 1}, 8),
        ({"turn_after": math.inf, "turn_every": 2}, 3),
    ],
)
@pytest.mark.parametrize("way", ["inputs of a function", "demands of a body"])
async def test_turns_between_single_functions(way, options, least):
    """The scheduler gets its turn between functions that are asked for one by one, by the clock and by number (T2)."""
    turns = 0
    seen = []

    async def other():
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    @tf.data_node(id="static.turn")
    def turn(x: int) -> int:
        seen.append(turns)
        return x

    with tf.build() as g:
        if way == "demands of a body":
            node = g.add(WritesAndAsks)
            g.connect(g.add(turn, x=node.leaf).result, node.value)
            g.connect(g.add(tf.nodes.Start).then, node.enter)
        else:
            loop, node = g.add(tf.nodes.ForLoop, times=1), g.add(ten)
            for socket in "abcdefghij":
                g.connect(g.add(turn, x=loop.index).result, getattr(node, socket))
            g.connect(g.add(tf.nodes.Start).then, loop.enter)
            g.connect(loop.body, node.enter)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await tf.run(g.graph, options=tf.RunOptions(**options))
        nursery.cancel_scope.cancel()
    assert len(seen) == 10
    assert seen[-1] - seen[0] >= least  # who comes first in a round, trio draws


async def test_cancelled_between_two_functions(bench):
    """A chain of functions is cancelled at a turn of the scheduler; nothing failed (R5)."""
    with trio.CancelScope() as scope:
        graph = long_chain(1000, tf.data_node(id="static.cancels")(lambda x: x))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_soon, scope)
            await tf.run(graph, services={"notes": bench.notes}, options=tf.RunOptions(turn_every=1))
    assert scope.cancelled_caught
    assert bench.notes == []


async def cancel_soon(scope):
    for _ in range(20):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_who_comes_to_watch_sees_what_is_left(bench):
    """Whoever subscribes while functions are evaluated gets the events of those that follow (E3)."""
    seen = []
    async with tf.open_run(
        long_chain(500), services={"notes": bench.notes}, options=tf.RunOptions(turn_after=math.inf)
    ) as run:
        while run.statistics().evaluations < 100:
            await trio.lowlevel.checkpoint()
        async with run.events() as subscription:
            async for event in subscription:
                seen.append(event)
    evaluated = [event.node for event in seen if isinstance(event, tf.events.EvaluationCompleted)]
    assert bench.notes == [500]
    assert 300 <= len(evaluated) <= 400
    assert evaluated == [f"n{place}" for place in range(500 - len(evaluated), 500)]


class Doubles(tf.Middleware):
    def applies(self, node, node_type):
        return node.id == "n1"

    async def __call__(self, invocation):
        outcome = await invocation()
        return invocation.answer({"result": 2 * outcome.outputs["result"]})


def unwatched(graph, **arguments):
    notes = []
    trio.run(lambda: tf.run(graph, services={"notes": notes}, **arguments))
    return notes


def test_a_middleware_in_the_middle():
    """A middleware for one of the functions is applied to it (promise of `Middleware`)."""
    assert unwatched(long_chain(3), middleware=[Doubles()]) == [5]


class Times(tf.Middleware):
    """Multiplies by a variable."""

    def applies(self, node, node_type):
        return node.id == "n1"

    async def __call__(self, invocation):
        outcome = await invocation()
        return invocation.answer({"result": invocation.context.get_variable("total") * outcome.outputs["result"]})


@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
def test_a_middleware_that_asks(observers):
    """What a middleware asks for besides is an input like any other, also of a plain function (D4, D8)."""
    with tf.build() as g:
        g.variable("total", "int", 1)
        first = g.add(increment, "n1", x=g.add(increment, x=0).result)
        value = g.add(increment, x=first.result)
        nodes = [g.add(Note, value=value.result), g.add(Note, value=value.result), g.add(Add)]
        chain(g, g.add(tf.nodes.Start), *nodes, g.add(Note, value=value.result))
    assert unwatched(g.graph, middleware=[Times()], observers=observers) == [3, 3, 5]


def test_an_output_that_was_not_set():
    """A function may leave its output unset: then its consumer has its default (D1)."""
    with tf.build() as g:
        start, empty = g.add(tf.nodes.Start), g.add(tf.data_node(id="static.empty")(empty_handed))
        chain(g, start, g.add(Note, value=g.add(increment, x=empty.result).result))
    with tf.build() as other:
        start, empty = other.add(tf.nodes.Start), other.add(tf.data_node(id="static.empty")(empty_handed))
        filled = other.add(tf.data_node(id="static.filled")(filled_in), x=empty.result)
        chain(other, start, other.add(Note, value=filled.result))
    with tf.build() as third:
        start, empty = third.add(tf.nodes.Start), third.add(tf.data_node(id="static.empty")(empty_handed))
        filled = third.add(tf.data_node(id="static.anything")(anything), x=empty.result)
        chain(third, start, third.add(Note, value=filled.result))
    with pytest.raises(tf.MissingInput):
        unwatched(g.graph)
    assert unwatched(other.graph) == [7]
    assert unwatched(third.graph) == [8]


def test_an_output_that_another_strand_found_unset():
    """An evaluation that left its output unset is used again as such: its consumers have their defaults (D1, D4)."""
    with tf.build() as g:
        empty, consumer = g.add(empty_handed), tf.data_node(id="static.anything")(anything)
        for _ in range(2):
            filled = g.add(consumer, x=empty.result)
            chain(g, g.add(tf.nodes.Start), g.add(Note, value=filled.result))
    assert unwatched(g.graph, options=tf.RunOptions(parallel_initiators=True)) == [8, 8]


def test_an_unset_output_stays_unset():
    """An output that was left unset is missing each time it is asked for (D1)."""

    class AsksTwice(tf.Node, id="static.asks_twice"):
        enter = tf.ExecIn()
        value = tf.DataIn(int, lazy=True)

        async def execute(self, ctx: tf.Context) -> None:
            for _ in range(2):
                with pytest.raises(tf.MissingInput):
                    await ctx.get_input(self.value)

    with tf.build() as g:
        empty = g.add(tf.data_node(id="static.empty")(empty_handed))
        chain(g, g.add(tf.nodes.Start), g.add(AsksTwice, value=empty.result))
    unwatched(g.graph)


def empty_handed() -> int:
    return UNSET


@pytest.mark.parametrize("way", [contextlib.nullcontext, controlled], ids=["alone", "controlled"])
@pytest.mark.parametrize("watched", [False, True], ids=["quiet", "watched"])
def test_a_field_too_few(watched, way):
    """A function that returns fewer fields than it declares fails, and is told as failed only (E1)."""
    log = EventLog()

    @tf.data_node(id="static.short")
    def short() -> Both:
        return (1,)

    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        chain(g, start, g.add(Note, value=g.add(short, "short").low))
    with pytest.raises(ValueError, match="shorter") as caught:
        with way():
            unwatched(g.graph, observers=[log] if watched else [])
    assert "short" in caught.value.__notes__[0]
    kinds = [type(event).__name__ for event in log if getattr(event, "node", None) == "short"]
    assert kinds == (["EvaluationStarted", "EvaluationFailed"] if watched else [])


def anything(x: object = 8) -> object:
    return x


def filled_in(x: int = 7) -> int:
    return x


class Owner(tf.Node, id="static.owner"):
    """Lets a strand write, writes itself, and asks before and after the join."""

    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)
    item = tf.DataOut(int)
    own = tf.DataOut(int)
    seen = tf.DataOut(list)
    body = tf.ExecOut()
    stream = tf.Stream(item, fires=body, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.emit(self.item, 5)
        for _ in range(5):
            await trio.lowlevel.checkpoint()  # the strand writes meanwhile
        ctx.set_output(self.own, 10)
        before = await ctx.get_input(self.value)
        await ctx.join()
        ctx.set_output(self.seen, [before, await ctx.get_input(self.value)])


@tf.exec_node(id="static.keep")
def keep(value: int) -> int:
    return value


@tf.data_node(id="static.plus")
def plus(a: int = 1, b: int = 0) -> int:
    return a + b


def test_older_writes_that_come_in_later():
    """What a fork wrote before the owner did is asked for afresh after the join (D4, F3)."""
    with tf.build() as g:
        start, owner, kept = g.add(tf.nodes.Start), g.add(Owner, "owner"), g.add(keep)
        g.connect(start.then, owner.enter)
        g.connect(owner.body, kept.enter)
        g.connect(owner.item, kept.value)
        g.connect(g.add(plus, a=kept.result, b=owner.own).result, owner.value)
    assert trio.run(tf.run, g.graph).output("owner", "seen") == [11, 15]


class Splits(tf.Node, id="static.splits"):
    """Twice: forks strands that ask and write, writes and asks itself, joins, and asks again."""

    enter = tf.ExecIn()
    value = tf.DataIn(object, lazy=True)
    item = tf.DataOut(int)
    own = tf.DataOut(int)
    seen = tf.DataOut(list)
    body = tf.ExecOut()
    stream = tf.Stream(item, fires=body, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        seen = []
        for number in range(2):
            seen.append(await ctx.try_get_input(self.value))
            for item in range(3):
                await ctx.emit(self.item, item)
            if number:
                ctx.set_output(self.own, number)
            seen.append(await ctx.try_get_input(self.value))
            await ctx.join()
            seen.append(await ctx.try_get_input(self.value))
        ctx.set_output(self.seen, seen)


@pytest.mark.unmeasured
@settings(max_examples=40)
@given(Kinds.map(lambda drawn: [("sum" if kind == "picky" else kind, *sources) for kind, *sources in drawn]))
def test_the_same_where_strands_share(drawn):
    """Nothing is evaluated twice, whoever asks first, nor left out, whether somebody watches or not (D4, D5, F3)."""
    calls = Calls()
    with tf.build(STANDARD) as g:
        start, splits, kept = g.add(tf.nodes.Start), g.add(Splits, "splits"), g.add(keep_any, "kept")
        made = wired(g, calls, drawn, splits.item, splits.own, kept.result)
        g.connect(made[-1][1], splits.value)
        g.connect(made[-len(made) // 2][1], kept.value)
        g.connect(start.then, splits.enter)
        g.connect(splits.body, kept.enter)

    plan = tf.make_plan(g.graph, STANDARD)

    def outcome(**arguments):
        calls.clear()
        result = trio.run(lambda: tf.run(plan, options=tf.RunOptions(turn_after=math.inf), **arguments))
        return result.output("splits", "seen"), result.statistics.evaluations, sorted(calls)

    assert outcome() == outcome(observers=[lambda event: None])
    quickly, carefully = EventLog(), EventLog()
    outcome(observers=[quickly])
    with controlled():
        outcome(observers=[carefully])
    assert quickly.trace() == carefully.trace()


@tf.data_node(id="static.later")
async def later(x: int) -> int:
    await trio.lowlevel.checkpoint()
    return x


class Asks(tf.Node, id="static.asks"):
    """Lets a strand ask, joins it, and asks itself."""

    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)
    leaf = tf.DataOut(int)
    item = tf.DataOut(int)
    body = tf.ExecOut()
    stream = tf.Stream(item, fires=body, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        ctx.set_output(self.leaf, 1)
        await ctx.emit(self.item, 0)
        await ctx.join()
        await ctx.get_input(self.value)
        await ctx.get_input(self.value)


@pytest.mark.parametrize(("kind", "reused"), [(increment, ["b", "b"]), (later, ["b"])])
def test_what_is_reused(kind, reused):
    """Of what was evaluated before, observers are told what was demanded, and not what that depends on (D4, E3)."""
    with tf.build() as g:
        start, asks, kept = g.add(tf.nodes.Start), g.add(Asks), g.add(keep_any)
        first = g.add(increment, "a", x=asks.leaf)
        second = g.add(kind, "b", x=first.result)
        g.connect(second.result, asks.value)
        g.connect((second if kind is increment else first).result, kept.value)
        g.connect(start.then, asks.enter)
        g.connect(asks.body, kept.enter)
    quickly, carefully = EventLog(), EventLog()
    trio.run(lambda: tf.run(g.graph, observers=[quickly]))
    with controlled():
        trio.run(lambda: tf.run(g.graph, observers=[carefully]))
    assert [event.node for event in quickly if isinstance(event, tf.events.EvaluationReused)] == reused
    assert told(quickly) == told(carefully)


class Watchers(tf.Node, id="static.watchers"):
    """Writes and asks while somebody watches and while nobody does, and asks again while somebody does."""

    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)
    leaf = tf.DataOut(int)

    async def execute(self, ctx: tf.Context) -> None:
        notes, runs = ctx.services.get("notes"), ctx.services.get("runs")
        while not runs:
            await trio.lowlevel.checkpoint()
        for leaf, watched in ((1, True), (2, False), (None, True)):
            log = runs[0].events() if watched else None
            if leaf is not None:
                ctx.set_output(self.leaf, leaf)
            notes.append(await ctx.get_input(self.value))
            if log is not None:
                log.close()
                notes.append([type(event).__name__ async for event in log])


async def test_who_watches_again_sees_what_is_current(bench):
    """What somebody was told of before nobody watched is not taken for what was computed meanwhile (D4, E3)."""
    with tf.build() as g:
        start, node = g.add(tf.nodes.Start), g.add(Watchers)
        g.connect(g.add(increment, x=node.leaf).result, node.value)
        g.connect(start.then, node.enter)
    runs = []
    async with tf.open_run(g.graph, services={"notes": bench.notes, "runs": runs}) as run:
        runs.append(run)
    assert bench.notes == [2, ["EvaluationStarted", "EvaluationCompleted"], 3, 3, ["EvaluationReused"]]


class AwaitsRun(tf.Node, id="static.awaits_run"):
    """Goes on when the host has handed in the run."""

    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        while not ctx.services.get("runs"):
            await trio.lowlevel.checkpoint()
        return self.then


class BeginsToWatch(tf.Node, id="static.begins_to_watch"):
    """Asks, subscribes, and asks again, without giving anybody a turn."""

    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.get_input(self.value)
        await ctx.get_input(self.value)
        log = ctx.services.get("runs")[0].events()
        await ctx.get_input(self.value)
        log.close()
        ctx.services.get("notes").append([type(event).__name__ async for event in log])


@pytest.mark.parametrize("item", [False, True])
async def test_who_begins_to_watch_in_the_middle_of_a_body(bench, item):
    """What the same body uses again from then on is told, also in a strand that has just begun (E3)."""
    with tf.build() as g:
        start, awaits, items = g.add(tf.nodes.Start), g.add(AwaitsRun), g.add(Items, count=1)
        node = g.add(BeginsToWatch, value=g.add(increment, x=0).result)
        chain(g, start, awaits, items if item else node)
        if item:
            g.connect(items.body, node.enter)
    runs = []
    async with tf.open_run(g.graph, services={"notes": bench.notes, "runs": runs}) as run:
        runs.append(run)
    assert bench.notes == [["EvaluationReused"]]


def test_what_items_ask_again_is_told(bench):
    """What is there when an item asks for it is told as used again, each time (E1)."""
    with tf.build() as g:
        one = g.add(increment, "one", x=0)
        items, asks = g.add(Items, count=2), g.add(AsksThrice, value=one.result)
        chain(g, g.add(tf.nodes.Start), g.add(keep_any, value=one.result), items)
        g.connect(items.body, asks.enter)
    bench.run(g.graph)
    assert [event.node for event in bench.log if isinstance(event, tf.events.EvaluationReused)] == ["one"] * 6


class AsksThrice(tf.Node, id="static.asks_thrice"):
    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)

    async def execute(self, ctx: tf.Context) -> None:
        for _ in range(3):
            await ctx.get_input(self.value)


async def test_what_an_observer_counts(bench):
    """An observer finds in the run's statistics all evaluations that it was told of (R3, E3)."""
    counts = []

    def count(event):
        if isinstance(event, tf.events.EvaluationStarted):
            counts.append(runs[0].statistics().evaluations)

    runs = []
    async with tf.open_run(long_chain(200), services={"notes": bench.notes}, observers=[count]) as run:
        runs.append(run)
    assert counts == [*range(1, 201)]


class AsksIt(tf.Node, id="static.asks_it"):
    """Asks for its input, or takes what it is to take if there is none."""

    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.services.get("notes").append(await ctx.try_get_input(self.value, "nothing"))
        return self.then


class OneItem(tf.Node, id="static.one_item"):
    """Starts one strand, as often as it is to, and goes on after each join; it writes nothing itself."""

    enter = tf.ExecIn()
    times = tf.DataIn(int, default=1)
    each = tf.ExecOut()
    between = tf.ExecOut()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        for _ in range(await ctx.get_input(self.times)):
            async with ctx.branches() as branches:
                branches.start(self.each)
            await ctx.trigger(self.between)
        return self.then


def noted(graph, **arguments):
    """What is noted in a run, and how many evaluations there were."""
    notes = []
    result = trio.run(lambda: tf.run(graph, services={"notes": notes}, **arguments))
    return notes, result.statistics.evaluations


def test_a_fork_knows_what_was_left_unset():
    """Where an output was left unset before a fork, its consumers in the fork have their defaults (D1, F1)."""
    with tf.build() as g:
        empty = g.add(tf.data_node(id="static.empty")(empty_handed))
        asks, forks = g.add(AsksIt, value=empty.result), g.add(OneItem)
        filled = g.add(tf.data_node(id="static.anything")(anything), x=empty.result)
        chain(g, g.add(tf.nodes.Start), asks, forks)
        g.connect(forks.each, g.add(AsksIt, value=filled.result).enter)
    assert noted(g.graph) == (["nothing", 8], 2)


@tf.exec_node(id="static.count")
def count(ctx: tf.Context) -> int:
    ctx.state["count"] = ctx.state.get("count", 0) + 1
    return ctx.state["count"]


@tf.data_node(id="static.waits")
async def waits(x: int) -> int:
    await trio.lowlevel.checkpoint()
    return x * 10


def test_a_second_join():
    """What was computed after a join is not current after the next, even if nothing else was written (D4, F3)."""
    with tf.build() as g:
        forks, counts = g.add(OneItem, times=3), g.add(count)
        chain(g, g.add(tf.nodes.Start), forks)
        g.connect(forks.each, counts.enter)
        g.connect(forks.between, g.add(AsksIt, value=g.add(waits, x=counts.result).result).enter)
    assert noted(g.graph) == ([10, 20, 30], 3)


def test_what_a_fork_computes_after_a_join_of_its_own():
    """What a fork computes of what it wrote is there for its owner, also if it has joined forks itself (D4, F3)."""
    with tf.build() as g:
        outer, inner, counts = g.add(OneItem), g.add(OneItem), g.add(count)
        found = g.add(increment, x=counts.result).result
        chain(g, g.add(tf.nodes.Start), outer)
        g.connect(outer.each, inner.enter)
        g.connect(inner.each, g.add(count).enter)
        chain(g, inner, counts, g.add(AsksIt, value=found))
        g.connect(outer.between, g.add(AsksIt, value=found).enter)
    assert noted(g.graph) == ([2, 2], 1)


def test_what_saw_a_failure_is_evaluated_again():
    """What caught a failure holds for one demand, also in a run in which nothing was written yet (D5)."""
    failures = [ValueError("once")]

    @tf.data_node(id="static.recovers")
    def recovers() -> int:
        if failures:
            raise failures.pop()
        return 5

    @tf.data_node(id="static.catches")
    async def catches(x: tf.Lazy[int]) -> int:
        try:
            return await x()
        except ValueError:
            return -1

    with tf.build() as g:
        found = g.add(catches, x=g.add(recovers).result).result
        chain(g, g.add(tf.nodes.Start), g.add(AsksIt, value=found), g.add(AsksIt, value=found))
    assert noted(g.graph)[0] == [-1, 5]


@tf.exec_node(id="static.keep_any")
def keep_any(value: object = 3) -> int:
    return int(value)


class Interrupted(tf.Node, id="static.interrupted"):
    """Asks in one task, writes in another meanwhile, and asks again."""

    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)
    leaf = tf.DataOut(int)
    seen = tf.DataOut(int)

    async def execute(self, ctx: tf.Context) -> None:
        ctx.set_output(self.leaf, 0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ctx.get_input, self.value)
            for _ in range(10):
                await trio.lowlevel.checkpoint()
            ctx.set_output(self.leaf, 1000)
        ctx.set_output(self.seen, await ctx.get_input(self.value))


@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
def test_a_write_while_a_value_is_computed(observers):
    """What is written in the middle of an evaluation, after its first input was read, is seen by the next (D4)."""
    with tf.build() as g:
        start, node, other = g.add(tf.nodes.Start), g.add(Interrupted, "interrupted"), g.add(increment, x=0)
        for _ in range(50):
            other = g.add(increment, x=other.result)
        g.connect(g.add(plus, a=node.leaf, b=other.result).result, node.value)
        g.connect(start.then, node.enter)
    result = trio.run(lambda: tf.run(g.graph, options=tf.RunOptions(turn_every=1), observers=observers))
    assert result.output("interrupted", "seen") == 1051


def test_unrelated_writes_while_a_value_is_computed():
    """What was computed while something else was written is not computed again for a function (D4)."""

    class Busy(tf.Node, id="static.busy"):
        enter = tf.ExecIn()
        value = tf.DataIn(int, lazy=True)
        leaf = tf.DataOut(int)
        other = tf.DataOut(int)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.set_output(self.leaf, 0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ctx.get_input, self.value)
                for number in range(20):
                    await trio.lowlevel.checkpoint()
                    ctx.set_output(self.other, number)
            return self.then

    calls = []

    @tf.data_node(id="static.counts")
    def counts(x: int) -> int:
        calls.append(x)
        return x

    with tf.build() as g:
        busy = g.add(Busy)
        value = g.add(counts, x=busy.leaf).result
        g.connect(value, busy.value)
        chain(g, g.add(tf.nodes.Start), busy, g.add(keep_any, value=value))
    trio.run(lambda: tf.run(g.graph, options=tf.RunOptions(turn_after=1e-9)))
    assert calls == [0]


@pytest.mark.parametrize("unset", [False, True])
def test_a_write_before_a_function_is_called(unset):
    """What is written after the inputs were read, before their function had its turn, is seen by the next demand (D4)."""

    class Writes(tf.Node, id="static.writes"):
        enter = tf.ExecIn()
        empty = tf.DataIn(int, default=0, lazy=True)
        value = tf.DataIn(int, lazy=True)
        leaf = tf.DataOut(int)

        async def execute(self, ctx: tf.Context) -> None:
            await ctx.get_input(self.empty)
            for number in range(20):  # who comes first in a round, trio draws
                ctx.set_output(self.leaf, number)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(ctx.get_input, self.value)
                    await trio.lowlevel.checkpoint()
                    ctx.set_output(self.leaf, number + 100)
                seen.append(await ctx.get_input(self.value))

    seen = []
    with tf.build() as g:
        node = g.add(Writes, "writes")
        if unset:  # after which `demand` does all
            g.connect(g.add(empty_handed).result, node.empty)
        g.connect(g.add(plus, a=node.leaf, b=10).result, node.value)
        g.connect(g.add(tf.nodes.Start).then, node.enter)
    trio.run(lambda: tf.run(g.graph, options=tf.RunOptions(turn_every=1)))
    assert seen == [*range(110, 130)]


def test_a_failure_tells_where():
    """The node whose function failed is noted once, whoever waited for it (R4)."""

    @tf.data_node(id="static.fails")
    def fails(x: int) -> int:
        raise ValueError("no")

    with tf.build() as g:
        start, failing = g.add(tf.nodes.Start), g.add(fails, "failing", x=1)
        chain(g, start, g.add(Note, "note", value=g.add(increment, "after", x=failing.result).result))
    with pytest.raises(ValueError, match="no") as caught:
        unwatched(g.graph)
    assert [note for note in caught.value.__notes__ if "failing" in note] == [
        "in node 'failing' (static.fails), activation 0.1"
    ]
