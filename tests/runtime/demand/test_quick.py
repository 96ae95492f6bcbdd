"""The quick way gives what `demand` gives, with as many evaluations, wherever it has to hand over."""

from __future__ import annotations

import random

import pytest
import trio
from trio.testing import MockClock

import trioflow as tf
from trioflow.model.sockets import UNSET
from trioflow.testing import run_virtual

CALLS: list[object] = []


@tf.data_node(id="quick.plain")
def plain(a: int, b: int = 1) -> int:
    CALLS.append(("plain", a, b))
    return a + b


@tf.data_node(id="quick.at_once")
async def at_once(a: int, b: int = 1) -> int:
    CALLS.append(("at_once", a, b))
    return a * 3 + b


@tf.data_node(id="quick.waits")
async def waits(a: int) -> int:
    CALLS.append(("waits", a))
    await trio.sleep(a % 3)
    return a - 1


@tf.data_node(id="quick.checks")
async def checks(a: int) -> int:
    CALLS.append(("checks", a))
    await trio.lowlevel.checkpoint()
    return a + 5


@tf.data_node(id="quick.picks")
def picks(a: int, b: tf.Lazy[int], c: tf.Lazy[int]) -> int | tf.Lazy[int]:
    CALLS.append(("picks", a))
    return a if a % 5 == 0 else b if a % 2 else c


@tf.data_node(id="quick.asks")
async def asks(a: int, b: tf.Lazy[int]) -> int:
    CALLS.append(("asks", a))
    return a if a % 2 else a + await b()


@tf.data_node(id="quick.fails")
def fails(a: int) -> int:
    CALLS.append(("fails", a))
    if a % 7 == 3:
        raise ValueError(f"no {a}")
    return a


@tf.data_node(id="quick.fields")
async def fields(a: int) -> tuple[int, int]:
    return a, a


@tf.data_node(id="quick.unset")
async def unset(a: int) -> int:
    CALLS.append(("unset", a))
    return UNSET if a % 4 == 2 else a


class Two(tf.Node, id="quick.two"):
    """A data node with two outputs, of which one may be left unset."""

    a = tf.DataIn(int)
    x = tf.DataOut(int)
    y = tf.DataOut(int)

    async def execute(self, ctx):
        a = await ctx.get_input(self.a)
        CALLS.append(("two", a))
        ctx.set_output(self.x, a + 2)
        if a % 3:
            ctx.set_output(self.y, a + 3)


class Rounds(tf.Node, id="quick.rounds"):
    """Writes numbers, and asks for values after each; now and then twice, now and then from several tasks."""

    enter = tf.ExecIn()
    one = tf.DataIn(int, lazy=True)
    two = tf.DataIn(int, lazy=True)
    seed = tf.DataIn(int)
    x = tf.DataOut(int)
    y = tf.DataOut(int)
    found = tf.DataOut(list)

    async def execute(self, ctx):
        dice = random.Random(await ctx.get_input(self.seed))
        found = []

        async def ask(socket):
            try:
                found.append(await ctx.get_input(socket))
            except (ValueError, tf.MissingInput) as error:
                found.append(type(error).__name__)

        for _ in range(8):
            if dice.random() < 0.8:
                ctx.set_output(self.x, dice.randrange(12))
            if dice.random() < 0.4:
                ctx.set_output(self.y, dice.randrange(12))
            await ask(dice.choice((self.one, self.two)))
            if dice.random() < 0.3:
                await ask(self.one)
        ctx.set_output(self.found, found)


def drawn(seed):
    """A graph of data nodes of all kinds between the outputs and the inputs of one exec node."""
    dice = random.Random(seed)
    with tf.build() as g:
        start, rounds = g.add(tf.nodes.Start), g.add(Rounds, "rounds", seed=seed)
        g.connect(start.then, rounds.enter)
        values = [rounds.x, rounds.y]

        def value():
            return dice.choice(values[-6:]) if dice.random() < 0.9 else dice.randrange(9)

        for _ in range(dice.randrange(3, 16)):
            kind = dice.choice((plain, at_once, at_once, waits, checks, picks, picks, picks, asks, fails, unset, Two))
            node = g.add(kind, **{socket.name: value() for socket in kind.type.inputs})
            values += [node.x, node.y] if kind is Two else [node.result]
        g.connect(values[-1], rounds.one)
        g.connect(dice.choice(values[2:]), rounds.two)
    return g.graph


def run(graph, **arguments):
    CALLS.clear()
    result = trio.run(lambda: tf.run(graph, **arguments), clock=MockClock(autojump_threshold=0))
    return result.output("rounds", "found"), list(CALLS), result.statistics.evaluations


@pytest.mark.parametrize("seed", range(60))
def test_nobody_sees_it(seed):
    """What is found, what is called in which order, and how often is as it is for whoever watches data."""
    graph = drawn(seed)
    for turns in ({"turn_after": 3600.0}, {"turn_every": 1, "turn_after": 1e-9}):
        options = tf.RunOptions(max_ahead=0, **turns)
        assert run(graph, options=options) == run(graph, options=options, observers=[lambda event: None])
        assert run(graph, options=tf.RunOptions(**turns))[0] == run(graph, options=options)[0]


@pytest.mark.parametrize("seed", range(4))
def test_where_the_scheduler_has_its_turn_decides_nothing(seed):
    """What fails while an earlier evaluation is looked at is not asked for again, because a turn came in between."""
    with tf.build() as g:
        start, rounds = g.add(tf.nodes.Start), g.add(Rounds, "rounds", seed=seed)
        failing = g.add(fails, a=rounds.x)
        asking = g.add(asks, a=2, b=failing.result)
        last = g.add(at_once, a=asking.result, b=failing.result)
        g.connect(start.then, rounds.enter)
        g.connect(asking.result, rounds.two)
        g.connect(g.add(unset, a=last.result).result, rounds.one)
    once = run(g.graph, options=tf.RunOptions(turn_after=3600.0))
    for every in range(1, 9):
        assert run(g.graph, options=tf.RunOptions(turn_after=3600.0, turn_every=every)) == once


def chain(make, size=200):
    with tf.build() as g:
        start, rounds = g.add(tf.nodes.Start), g.add(tf.nodes.Consume, "end")
        value = 2
        for number in range(size):
            value = make(g, number, value).result
        g.connect(value, rounds.value)
        g.connect(start.then, rounds.enter)
    return g.graph


def test_of_any_length():
    """A chain needs no recursion, and gives the scheduler its turns."""
    turns = 0

    async def main():
        async def count():
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(count)
            await tf.run(chain(lambda g, number, value: g.add(picks, a=1, b=value, c=0), 5_000))
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert turns > 25


def test_cancelled_at_a_turn():
    """While the scheduler has its turn: nothing is left in progress, and nothing is called any more."""
    graph = chain(
        lambda g, number, value: (
            g.add(picks if number % 2 else at_once, a=1, b=value)
            if number % 2 == 0
            else g.add(picks, a=1, b=value, c=0)
        )
    )
    options = tf.RunOptions(turn_every=10)

    async def main(moment):
        CALLS.clear()
        with trio.CancelScope() as scope:

            async def cancel():
                for _ in range(moment):
                    await trio.lowlevel.checkpoint()
                scope.cancel()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(cancel)
                async with tf.open_run(graph, options=options) as live:
                    await live.result()
                nursery.cancel_scope.cancel()
        seen = len(CALLS)
        await trio.testing.wait_all_tasks_blocked()
        assert len(CALLS) == seen
        return seen

    counts = [trio.run(main, moment) for moment in range(1, 30)]
    assert len(set(counts)) > 5
    assert max(counts) <= 200


def test_a_scope_that_is_left_open():
    """It is told by whom, as of any other body (F8)."""

    @tf.data_node(id="quick.leaves")
    async def leaves(a: int) -> int:
        trio.CancelScope().__enter__()
        return a

    with pytest.raises(tf.NodeError, match="Data node 'it' .* has entered 1 cancel scope and not left it"):
        trio.run(tf.run, chain(lambda g, number, value: g.add(leaves, "it", a=value), 1))


def test_errors_say_where():
    """A failure names the node and all that wait for it, as `demand` does."""
    graph = chain(
        lambda g, number, value: g.add((fails, at_once, plain)[number], f"n{number}", a=3 if not number else value), 3
    )
    notes = []
    for observers in ([], [lambda event: None]):
        with pytest.raises(ValueError) as caught:
            trio.run(lambda observers=observers: tf.run(graph, observers=observers))
        notes.append(caught.value.__notes__)
    assert notes[0] == notes[1]


def test_two_strands_share_what_waits():
    """One that waits is in progress for others (D5)."""

    class Both(tf.Node, id="quick.both"):
        enter = tf.ExecIn()
        one = tf.ExecOut()
        two = tf.ExecOut()

        async def execute(self, ctx):
            async with ctx.branches() as branches:
                branches.start(self.one)
                branches.start(self.two)

    with tf.build() as g:
        start, both = g.add(tf.nodes.Start), g.add(Both)
        g.connect(start.then, both.enter)
        shared = g.add(picks, a=1, b=g.add(at_once, a=g.add(waits, a=2).result).result, c=0).result
        for name in ("one", "two"):
            end = g.add(tf.nodes.Consume, value=shared)
            g.connect(both[name], end.enter)
    CALLS.clear()
    run_virtual(g.graph)
    assert sorted(CALLS) == [("at_once", 1, 1), ("picks", 1), ("waits", 2)]
