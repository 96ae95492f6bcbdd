"""Bodies that can run elsewhere (A9)."""

from __future__ import annotations

import pickle
import random
from typing import NamedTuple

from support import STANDARD, Note, chain, increment

import trioflow as tf
from trioflow.model.by_name import by_name
from trioflow.runtime.wrapping.portable import CONTEXT, Portable


@tf.exec_node(id="portable.draws")
async def draws(ctx: tf.Context, low: float, high: float = 2.0) -> float:
    return low + (high - low) * ctx.random.random()


@tf.exec_node(id="portable.lazy")
async def lazy(x: tf.Lazy[int]) -> int:
    return await x()


@tf.data_node(id="portable.served")
def served(x: tf.FromServices[list]) -> int:
    return len(x)


class Sum(NamedTuple):
    value: int


@tf.data_node(id="portable.fields")
def fields(a: int, b: int) -> Sum:
    return Sum(a + b)


class Ships(tf.Middleware):
    """Runs the body somewhere else: here, but as another process would."""

    def __init__(self, *nodes, resolve=True):
        self.nodes = nodes
        self.resolve = resolve
        self.said = []

    async def __call__(self, invocation):
        if self.resolve:
            await invocation.inputs()
        shipped = invocation.portable()
        self.said.append(shipped)
        if not isinstance(shipped, Portable):
            return await invocation()
        shipped = pickle.loads(pickle.dumps(shipped))
        assert shipped.wants_context == (CONTEXT in shipped.arguments)

        class Remote:
            random = shipped.generator()

        function = by_name(shipped.function, shipped.type)
        result = function(*(Remote() if each == CONTEXT else each for each in shipped.arguments))
        if hasattr(result, "send"):
            try:
                result.send(None)
            except StopIteration as stop:
                result = stop.value
        names = [each.name for each in invocation.type.outputs]
        return invocation.answer(dict(zip(names, result if isinstance(result, tuple) else (result,), strict=True)))


def graph():
    with tf.build(STANDARD) as g:
        node = g.add(draws, "draws", low=g.add(increment, "data", x=1).result)
        note = g.add(Note, "note", value=node.result)
        sums = g.add(Note, "sums", value=g.add(fields, "fields", a=1, b=2).value)
        chain(g, g.add(tf.nodes.Start), node, note, sums, g.add(lazy, "lazy", x=3))
        g.add(served, "served")
    return g.graph


def test_what_is_shipped_gives_the_same(bench):
    """Arguments, random numbers and path are what the body would have had (A9, R6)."""
    bench.run(graph())
    expected = [*bench.notes]
    ships = Ships("draws", "data", "fields")
    bench.run(graph(), middleware=[ships])
    assert bench.notes == expected
    sent = ships.said[-1]
    assert [each.type for each in ships.said] == ["test.increment", "portable.draws", "portable.fields"]
    assert (sent.function, sent.arguments, sent.path) == (f"{__name__}:fields", (1, 2), (0, 3))
    drawn = ships.said[1]
    assert drawn.arguments == (CONTEXT, 2.0, 2.0)
    assert isinstance(drawn.generator(), random.Random)
    assert drawn.seed == "0/0.1"


def test_later_attempts_are_others(bench):
    """Seed and path are those of the attempt that runs (A2, A9)."""
    seeds = []

    class Fails(tf.Middleware):
        nodes = ("draws",)

        async def __call__(self, invocation):
            await invocation.inputs()
            seeds.append((invocation.portable().seed, invocation.portable().path))
            if len(seeds) < 2:
                raise OSError
            return await invocation()

    bench.run(graph(), middleware=[tf.Retry(2, nodes=["draws"]), Fails()])
    assert seeds == [("0/0.1", (0, 1)), ("0/0.1.~2", (0, 1, -4))]


def test_what_must_stay(bench):
    """The reason is a sentence (A9)."""
    ships = Ships("lazy", "note")
    bench.run(graph(), middleware=[ships])
    assert ships.said == [
        "test.note is not a function: a class has an instance that lives here",
        "input 'x' is lazy: it is asked for here",
    ]
    ships = Ships("draws", resolve=False)
    bench.run(graph(), middleware=[ships])
    assert ships.said == ["its inputs are not resolved yet: await invocation.inputs() before"]
    with tf.build(STANDARD) as g:
        value = g.add(lambda x: x, "lambda", x=1).result
        note = g.add(Note, "note", value=value)
        chain(g, g.add(tf.nodes.Start), note, g.add(Note, value=g.add(served, "served").result))
    ships = Ships("lambda", "served")
    bench.run(g.graph, middleware=[ships], services={list: []})
    assert [each.split(":")[0].split(" can't")[0] for each in ships.said][1] == (
        "parameter 'x' is a service of the host, which is here"
    )
    assert "can't be imported by name. Put the function at the top of a module" in ships.said[0]


def test_a_node_without_inputs_needs_none(bench):
    """Nothing is to be resolved for it (A9)."""

    @tf.exec_node(id="portable.local")
    def local() -> None: ...

    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(local, "local"))
    ships = Ships("local", resolve=False)
    bench.run(g.graph, middleware=[ships])
    assert "can't be imported by name" in ships.said[0]
