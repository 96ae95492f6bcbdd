"""Functions as bodies: what fills their parameters, and where their results go (D7, M1, T6)."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import pytest
import trio
from support import Note, chain, increment

import trioflow as tf
from trioflow.model.sockets import UNSET


class Prices(dict[str, int]): ...


class Both(NamedTuple):
    low: int
    high: int


@tf.exec_node(id="bodies.exec")
async def exec_all(x: int, lazy: tf.Lazy[int], ctx: tf.Context, prices: tf.FromServices[Prices]) -> int:
    return x + await lazy() + prices[ctx.node.id]


@tf.data_node(id="bodies.data")
async def data_all(x: int, lazy: tf.Lazy[int], ctx: tf.DataContext, prices: tf.FromServices[Prices]) -> int:
    return x + await lazy() + prices[ctx.node.id]


@tf.data_node(id="bodies.plain")
def plain(x: int, prices: tf.FromServices[Prices]) -> int:
    return x + prices["it"]


@tf.exec_node(id="bodies.both")
def both(x: int) -> Both:
    return Both(x - 1, x + 1)


@tf.exec_node(id="bodies.short")
def short(x: int) -> Both:
    return (x,)  # type: ignore[return-value]


@tf.exec_node(id="bodies.asks")
def asks(x: int) -> int:
    return x


def test_parameters_of_an_exec_function(bench):
    """Values, lazy values, the context and services reach an async function, and its result is written (D7, M1)."""
    with tf.build() as g:
        it = g.add(exec_all, "it", x=1, lazy=20)
        chain(g, g.add(tf.nodes.Start), it)
    assert bench.run(g.graph, services={"prices": Prices(it=300)}).output("it") == 321


@pytest.mark.parametrize(
    ("function", "inputs", "value"), [(data_all, {"x": 1, "lazy": 20}, 321), (plain, {"x": 1}, 301)]
)
def test_parameters_of_a_data_function(bench, function, inputs, value):
    """So they do for data nodes, async or not (D7, M1)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(function, "it", **inputs).result))
    bench.run(g.graph, services={"prices": Prices(it=300)})
    assert bench.notes == [value]


def test_lazy_value_is_asked_for_when_it_is_needed(bench):
    """A lazy value that is not asked for needs no source that has run (D1, D7)."""

    @tf.exec_node(id="bodies.choosy")
    async def choosy(x: int, lazy: tf.Lazy[int]) -> int:
        return x

    with tf.build() as g:
        it, never = g.add(choosy, "it", x=1), g.add(asks, "never", x=1)
        g.connect(never["result"], it["lazy"])
        chain(g, g.add(tf.nodes.Start), it)
    assert bench.run(g.graph).output("it") == 1


def test_missing_value_of_an_exec_function(bench):
    """A value that is not there is missed in the name of the node that asks (D1)."""
    with tf.build() as g:
        it, never = g.add(asks, "it"), g.add(asks, "never", x=1)
        g.connect(never["result"], it["x"])
        chain(g, g.add(tf.nodes.Start), it)
    error = bench.fails(tf.MissingInput, g.graph)
    assert str(error).startswith(
        "Input 'x' of node 'it' (bodies.asks) has no value: its source has not been written yet (never.result -> it.x)"
    )


def test_fields(bench):
    """Each field of a result goes to its output; a result of another length fails (M1)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(both, "it", x=5))
    assert bench.run(g.graph).outputs["it"] == {"low": 4, "high": 6}
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(short, "it", x=5))
    bench.fails(ValueError, g.graph)


# --- in a loop, where the data nodes behind the inputs are called in place, unless somebody watches -------------------

WATCHED = pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])


@tf.exec_node(id="bodies.note")
def note(value: object, ctx: tf.Context) -> None:
    ctx.services.get("notes").append(value)


def looped(add_nodes, times=3, **arguments):
    """What is noted in a loop: `add_nodes` gets the builder and the loop's index, and gives the nodes of the body."""
    notes = []
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=times)
        body = add_nodes(g, loop.index)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, body[0].enter)
        for before, after in zip(body, body[1:], strict=False):
            g.connect(before.then, after.enter)
    trio.run(lambda: tf.run(g.graph, services={"notes": notes}, **arguments))
    return notes


@tf.exec_node(id="bodies.take")
def take(value: int = 7) -> int:
    return value


@tf.exec_node(id="bodies.take_real")
def take_real(value: float) -> float:
    return value


@tf.exec_node(id="bodies.take_any_real")
def take_any_real(value: float | None) -> float | None:
    return value


class AsksForReals(tf.Node, id="bodies.asks_for_reals"):
    """Notes what it gets, however often it asks."""

    enter = tf.ExecIn()
    value = tf.DataIn(float, lazy=True)
    any = tf.DataIn(float | None, lazy=True)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        for _ in range(2):
            ctx.services.get("notes").extend([await ctx.get_input(self.value), await ctx.get_input(self.any)])
        return self.then


@tf.exec_node(id="bodies.take_two")
async def take_two(a: int, b: float) -> list[object]:
    await trio.lowlevel.checkpoint()
    return [a, b]


@tf.data_node(id="bodies.real")
def real(value: float) -> float:
    return value


@tf.data_node(id="bodies.kind")
def kind_of(value: float) -> str:
    return type(value).__name__


@tf.data_node(id="bodies.even")
def even(value: int) -> int:
    return UNSET if value % 2 else value


@WATCHED
def test_each_round_gets_its_own(observers):
    """A function gets what follows from the index of its round, through one data node or several (D4)."""

    def body(g, index):
        first = g.add(increment, x=index).result
        taken = g.add(take, value=first)
        both_taken = g.add(take_two, a=g.add(increment, x=first).result, b=first)
        return taken, both_taken, g.add(note, value=taken.result), g.add(note, value=both_taken.result)

    assert looped(body, observers=observers) == [1, [2, 1.0], 2, [3, 2.0], 3, [4, 3.0]]


@WATCHED
def test_types_of_what_functions_get(observers):
    """Values are converted at the inputs of functions, of the data nodes behind them, and of classes (D11)."""

    def body(g, index):
        wired, either = g.add(take_real, value=index), g.add(take_any_real, value=index)
        behind = g.add(take_real, value=g.add(real, value=index).result)
        notes = [g.add(note, value=node.result) for node in (wired, either, behind)]
        return wired, either, behind, *notes, g.add(AsksForReals, value=index, any=index)

    notes = looped(body, observers=observers)
    assert notes == [0.0] * 7 + [1.0] * 7 + [2.0] * 7
    assert {type(each) for each in notes} == {float}


@WATCHED
def test_types_of_what_data_nodes_get(observers):
    """A data node behind a function gets values of its inputs' types (D11)."""

    def body(g, index):
        return (g.add(note, value=g.add(kind_of, value=index).result),)

    assert looped(body, observers=observers) == ["float"] * 3


@WATCHED
def test_a_data_node_that_gives_nothing_now_and_then(observers):
    """In rounds in which a data node leaves its output unset, whatever is behind it has its default (D1)."""

    def body(g, index):
        some = g.add(even, value=index).result
        taken = g.add(take, value=some)
        after = g.add(take, value=g.add(tf.data_node(id="bodies.default")(lambda x=5: x), x=some).result)
        return taken, after, g.add(note, value=taken.result), g.add(note, value=after.result)

    assert looped(body, times=4, observers=observers) == [0, 0, 7, 5, 2, 2, 7, 5]


class Doubles(tf.Middleware):
    def applies(self, node, node_type):
        return node_type.id == "test.increment"

    async def __call__(self, invocation):
        outcome = await invocation()
        return invocation.answer({"result": 2 * outcome.outputs["result"]})


def test_a_middleware_of_a_data_node_in_a_loop():
    """It is applied in each round (promise of `Middleware`)."""

    def body(g, index):
        taken = g.add(take, value=g.add(increment, x=index).result)
        return taken, g.add(note, value=taken.result)

    assert looped(body, middleware=[Doubles()]) == [2, 4, 6]


def test_what_functions_use_again_is_told(bench):
    """A function that gets what was evaluated before tells so; what it returns is a new version each time (D9, E5)."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=2)
        one = g.add(increment, "one", x=0).result
        taken = g.add(take, value=one)
        after = g.add(take, value=g.add(increment, "after", x=taken.result).result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, taken.enter)
        g.connect(taken.then, after.enter)
    bench.run(g.graph)
    reused = [event.node for event in bench.log if isinstance(event, tf.events.EvaluationReused)]
    keys = [
        event.key for event in bench.log if isinstance(event, tf.events.EvaluationCompleted) if event.node == "after"
    ]
    assert reused == ["one"]
    assert len({*keys}) == 2


def test_a_data_node_that_fails_in_a_round():
    """The failure is that of the data node, in the activation that asked (E2, R4)."""

    @tf.data_node(id="bodies.inverse")
    def inverse(value: int) -> float:
        return 1 / (2 - value)

    with pytest.raises(ZeroDivisionError) as caught:
        looped(lambda g, index: [g.add(take_real, "take", value=g.add(inverse, "inverse", value=index).result)])
    assert [text for text in caught.value.__notes__ if "inverse" in text] == [
        "in node 'inverse' (bodies.inverse), activation 0.1.2"
    ]


class Wants(tf.Node, id="bodies.wants"):
    """Has an eager input, for which it does not ask."""

    enter = tf.ExecIn()
    x = tf.DataIn(int)

    async def execute(self, ctx: tf.Context) -> None:
        await trio.lowlevel.checkpoint()


@tf.data_node(id="bodies.until_two")
def until_two(x: int) -> int:
    return x if x < 2 else UNSET


@pytest.mark.parametrize(("wants", "kind"), [(Wants, "wants"), (exec_all, "exec"), (both, "both")])
@pytest.mark.parametrize("watched", [False, True])
def test_an_input_without_a_value_is_named(wants, kind, watched):
    """A body whose eager input has no value does not begin, also if it had one before; the error says which (D1, D7)."""
    with tf.build() as g:
        each, node = g.add(tf.nodes.ForLoop, "each", times=4), g.add(wants, "wants")
        source = g.add(until_two, "source", x=each.index)
        chain(g, g.add(tf.nodes.Start), each)
        g.connect(each.body, node.enter)
        g.connect(source.result, node.x)
        if wants is exec_all:
            g.connect(g.add(increment, x=1).result, node.lazy)
    seen = []
    with pytest.raises(tf.MissingInput) as caught:
        trio.run(partial(tf.run, g.graph, services={"": Prices(wants=1)}, observers=[seen.append] if watched else []))
    assert str(caught.value) == (
        f"Input 'x' of node 'wants' (bodies.{kind}) has no value: its source has not been written yet "
        "(source.result -> wants.x), and it has neither a literal nor a default. Give it a literal, or make sure that the "
        "source runs first."
    )
    assert caught.value.__notes__[0].endswith("activation 0.1.2")


@tf.exec_node(id="bodies.add_one")
def add_one(x: int) -> int:
    return x + 1


@tf.exec_node(id="bodies.none")
def none(x: int) -> None:
    pass


def test_results_where_nobody_watches():
    """One result goes to its output, fields to one each, and none to nobody's (M1)."""
    with tf.build() as g:
        one, none_, two, last = (
            g.add(kind, name, x=5)
            for kind, name in ((add_one, "one"), (none, "none"), (both, "two"), (add_one, "last"))
        )
        chain(g, g.add(tf.nodes.Start), last, two, one, none_)
    outputs = trio.run(tf.run, g.graph).outputs
    assert {node: dict(values) for node, values in outputs.items()} == {
        "one": {"result": 6}, "two": {"low": 4, "high": 6}, "last": {"result": 6},
    }  # fmt: skip
