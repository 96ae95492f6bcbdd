"""Functions as bodies: what fills their parameters, and where their results go (D7, M1, T6)."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from support import Note, chain

import trioflow as tf


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
