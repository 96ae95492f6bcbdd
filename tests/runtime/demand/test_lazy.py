"""Plain functions that return one of their lazy inputs (D7)."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.testing import EventLog

CALLS: list[object] = []


@tf.data_node(id="lazily.pick")
def pick(first: bool, a: tf.Lazy[int], b: tf.Lazy[int]) -> int | tf.Lazy[int]:
    CALLS.append(first)
    return a if first else b


@tf.data_node(id="lazily.or_ten")
def or_ten(value: int, otherwise: tf.Lazy[int]) -> int | tf.Lazy[int]:
    return 10 if value else otherwise


@tf.data_node(id="lazily.twice")
def twice(value: int) -> int:
    CALLS.append(value)
    return 2 * value


@tf.data_node(id="lazily.slow")
async def slow(value: int) -> int:
    await trio.sleep(1)
    return value + 1


@tf.data_node(id="lazily.fails")
def fails(value: int) -> int:
    raise ValueError(f"no {value}")


@tf.data_node(id="lazily.caught")
async def caught(value: tf.Lazy[int]) -> str:
    try:
        return str(await value())
    except ValueError as error:
        return f"caught {error}"


class Asks(tf.Node, id="lazily.asks"):
    enter = tf.ExecIn()
    value = tf.DataIn(object)
    times = tf.DataIn(int, default=1)
    found = tf.DataOut(object)

    async def execute(self, ctx):
        for _ in range(await ctx.get_input(self.times)):
            ctx.set_output(self.found, await ctx.get_input(self.value))


@pytest.fixture(autouse=True)
def forgotten():
    CALLS.clear()


def asked(make, **options):
    """What comes of a graph of data nodes; and what was called."""
    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        asks = g.add(Asks, "asks", value=make(g), **options)
        g.connect(start.then, asks.enter)
    return g.graph


def test_the_value_is_that_of_the_input(bench):
    """Of the one that was returned; the other is not even asked for."""
    graph = asked(
        lambda g: g.add(pick, first=True, a=g.add(twice, value=4).result, b=g.add(fails, value=1).result).result
    )
    assert bench.run(graph).output("asks", "found") == 8
    assert CALLS == [True, 4]


def test_a_value_that_is_no_input(bench):
    graph = asked(lambda g: g.add(or_ten, value=1, otherwise=g.add(fails, value=1).result).result)
    assert bench.run(graph).output("asks", "found") == 10


def test_it_is_evaluated_once(bench):
    """Asked again it is remembered by what it has picked (D4)."""
    graph = asked(lambda g: g.add(pick, first=False, a=1, b=g.add(twice, value=4).result).result, times=5)
    assert bench.run(graph).output("asks", "found") == 8
    assert CALLS == [False, 4]


def test_a_literal_and_a_default(bench):
    graph = asked(lambda g: g.add(pick, first=False, a=1, b=7).result)
    assert bench.run(graph).output("asks", "found") == 7


def test_a_missing_input(bench):
    """It is missed only if it is picked (D1)."""

    def make(first):
        return lambda g: g.add(pick, "pick", first=first, a=1, b=g.add(Asks, "never", value=1).found).result

    bench.run(asked(make(first=True)))
    error = bench.fails(tf.MissingInput, asked(make(first=False)))
    assert str(error).startswith("Input 'b' of node 'pick' (lazily.pick) has no value")


def test_a_value_of_another_type(bench):
    """What is picked is converted as an input is (D11)."""
    graph = asked(lambda g: g.add(pick, "pick", first=True, a=g.add(lambda: "x")["result"], b=1).result)
    assert "pick.a" in str(bench.fails(tf.CoercionError, graph))


def test_what_has_to_be_waited_for(bench):
    """An input behind something that awaits."""
    graph = asked(lambda g: g.add(pick, first=True, a=g.add(slow, value=1).result, b=1).result)
    assert bench.run(graph).output("asks", "found") == 2


def test_two_who_ask_at_once(bench):
    """While one waits for what was picked another finds it in progress (D5)."""

    class Branches(tf.Node, id="lazily.branches"):
        enter = tf.ExecIn()
        one = tf.ExecOut()
        two = tf.ExecOut()

        async def execute(self, ctx):
            async with ctx.branches() as branches:
                branches.start(self.one)
                branches.start(self.two)

    with tf.build() as g:
        picked = g.add(pick, first=True, a=g.add(slow, value=1).result, b=1).result
        start, branches = g.add(tf.nodes.Start), g.add(Branches)
        g.connect(start.then, branches.enter)
        for name in ("one", "two"):
            g.connect(branches[name], g.add(Asks, name, value=picked).enter)
    result = bench.run(g.graph)
    assert [result.output(name, "found") for name in ("one", "two")] == [2, 2]
    assert CALLS == [True]


def test_a_failure(bench):
    """What is picked fails: so does the node, and whoever asks it may catch that (D5)."""
    graph = asked(
        lambda g: g.add(caught, value=g.add(pick, first=True, a=g.add(fails, value=3).result, b=1).result).result
    )
    assert bench.run(graph).output("asks", "found") == "caught no 3"
    broken = asked(lambda g: g.add(pick, "pick", first=True, a=g.add(fails, "fails", value=3).result, b=1).result)
    assert "no 3" in str(bench.fails(ValueError, broken))


def test_a_function_that_fails(bench):
    @tf.data_node(id="lazily.broken")
    def broken(a: tf.Lazy[int]) -> tf.Lazy[int]:
        raise StopIteration(a)

    assert "raised StopIteration" in str(bench.fails(RuntimeError, asked(lambda g: g.add(broken, "it", a=1).result)))


def test_within_a_graph_that_is_called(bench):
    """It may be an input of the graph, and so come from outside (C4)."""
    with tf.build() as inner:
        picked = inner.add(pick, first=False, a=1, b=inner.declare_input("x", "int"))
        inner.connect(picked.result, inner.declare_output("y", "int"))
    graph = asked(lambda g: g.add(g.define("inner", inner.graph), x=g.add(twice, value=4).result).y)
    assert bench.run(graph).output("asks", "found") == 8
    slowly = asked(lambda g: g.add(g.define("inner", inner.graph), x=g.add(slow, value=4).result).y)
    assert bench.run(slowly).output("asks", "found") == 5


def test_middlewares_see_the_value(bench):
    seen = []

    class Sees(tf.Middleware):
        nodes = ("lazily.*",)

        def applies(self, node, node_type):
            return node_type.id == "lazily.pick"

        async def __call__(self, invocation):
            outcome = await invocation()
            seen.append(outcome.outputs)
            return outcome

    graph = asked(lambda g: g.add(pick, first=True, a=g.add(twice, value=4).result, b=1).result)
    assert bench.run(graph, middleware=[Sees()]).output("asks", "found") == 8
    assert seen == [{"result": 8}]


def test_as_async_functions_do():
    """Whoever watches sees the same as of one that awaits its input and returns that (E1, E5)."""

    async def awaits(first: bool, a: tf.Lazy[int], b: tf.Lazy[int]) -> int:
        CALLS.append(first)
        return await (a if first else b)()

    logs = []
    for node in (pick, tf.data_node(id="lazily.pick")(awaits)):
        graph = asked(
            lambda g, node=node: g.add(node, "pick", first=True, a=g.add(twice, "twice", value=4).result, b=1).result,
            times=3,
        )
        log = EventLog()
        trio.run(lambda graph=graph, log=log: tf.run(graph, observers=[log]))
        logs.append(log.rows(data=True))
    assert logs[0] == logs[1]
