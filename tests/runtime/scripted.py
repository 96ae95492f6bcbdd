"""Random networks of data nodes below bodies that write, fork, cancel and ask; each answer is checked where it is given.

Every body can read all sources directly, so it can compute by itself what the network must say: there is no model of
concurrency that could be wrong in the same way as the engine.
"""

from __future__ import annotations

from typing import Any

import attrs
import hypothesis.strategies as st
import trio

import trioflow as tf

SOURCES = 3
UNSET_SOURCE = 500
PRIME = 1009


class Unlucky(Exception):
    """What some data nodes fail with."""


def combine(a: int, b: int) -> int:
    return (a * 31 + b * 7 + 1) % PRIME


@tf.data_node(id="net.plain")
def plain(a: int, b: int) -> int:
    return combine(a, b)


@tf.data_node(id="net.slow")
async def slow(a: int, b: int) -> int:
    await trio.sleep(a % 3 / 4)
    return combine(a, b)


@tf.data_node(id="net.pick")
async def pick(a: int, b: tf.Lazy[int], c: tf.Lazy[int]) -> int:
    await trio.lowlevel.checkpoint()
    return (await (b if a % 2 else c)()) + 1


@tf.data_node(id="net.variable")
def variable(a: int, ctx: tf.DataContext) -> int:
    return combine(a, ctx.get_variable("v"))


@tf.data_node(id="net.unlucky")
async def unlucky(a: int, b: int) -> int:
    await trio.sleep(0.25)
    if combine(a, b) % 3 == 0:
        raise Unlucky
    return combine(a, b)


class Both(tf.Node, id="net.both"):
    a = tf.DataIn(int)
    b = tf.DataIn(int, lazy=True)
    left = tf.DataOut(int)
    result = tf.DataOut(int)

    async def execute(self, ctx: tf.DataContext) -> None:
        a = await ctx.get_input(self.a)
        ctx.set_output(self.left, a)
        ctx.set_output(self.result, combine(a, await ctx.get_input(self.b)))


KINDS = {"plain": plain, "slow": slow, "pick": pick, "variable": variable, "unlucky": unlucky, "both": Both}


def answer(network: list[tuple[str, list[int]]], place: int, sources: list[int], v: int) -> int:
    """What a data node of the network must say. Raises `Unlucky`."""
    kind, wires = network[place]

    def read(number: int) -> int:
        wire = wires[number]
        return sources[-wire - 1] if wire < 0 else answer(network, wire, sources, v)

    if kind == "pick":
        return (read(1) if read(0) % 2 else read(2)) + 1
    if kind == "variable":
        return combine(read(0), v)
    result = combine(read(0), read(1))
    if kind == "unlucky" and result % 3 == 0:
        raise Unlucky
    return result


class Actor(tf.Node, id="net.actor"):
    """Runs a script. `ask` compares what the network says with what it must say."""

    enter = tf.ExecIn()
    script = tf.DataIn(list)
    s0 = tf.DataIn(int, default=UNSET_SOURCE, lazy=True)
    s1 = tf.DataIn(int, default=UNSET_SOURCE, lazy=True)
    s2 = tf.DataIn(int, default=UNSET_SOURCE, lazy=True)
    net = tf.DataIn(int, lazy=True)
    out = tf.DataOut(int)
    item = tf.DataOut(int)
    a = tf.ExecOut()
    b = tf.ExecOut()
    body = tf.ExecOut()
    then = tf.ExecOut()
    stream = tf.Stream(item, fires=body, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        for operation, argument in await ctx.get_input(self.script):
            if operation == "ask":
                await self.ask(ctx)
            elif operation == "write":
                ctx.set_output(self.out, argument)
            elif operation == "set":
                ctx.set_variable("v", argument)
            elif operation == "sleep":
                await trio.sleep(argument / 4)
            elif operation == "trigger":
                await ctx.trigger(self.a)
            elif operation == "impatient":
                with trio.move_on_after(argument / 4 + 0.125):
                    await ctx.trigger(self.a)
            elif operation == "emit":
                for number in range(argument):
                    await ctx.emit(self.item, number)
            elif operation == "join":
                await ctx.join()
            elif operation == "branches":
                async with ctx.branches() as branches:
                    branches.start(self.a)
                    branches.start(self.b)
            elif operation == "race":
                async with ctx.branches() as branches:
                    branches.start(self.a)
                    branches.start(self.b)
                    await branches.wait_first()
                    branches.cancel()
        return self.then

    async def ask(self, ctx: tf.Context) -> None:
        sources = [await ctx.get_input(socket) for socket in (self.s0, self.s1, self.s2)]
        network, place = ctx.services.get("networks")[ctx.node.id]
        expected: Any
        found: Any
        try:
            expected = answer(network, place, sources, ctx.get_variable("v"))
        except Unlucky:
            expected = "unlucky"
        try:
            found = await ctx.get_input(self.net)
        except Unlucky:
            found = "unlucky"
        ctx.services.get("answers").append((ctx.path, found))
        assert found == expected, (network, place, sources, ctx.get_variable("v"))


ARGUMENT = st.integers(0, 5)
LIKELY = st.sampled_from(["ask", "write", "ask", "set", "emit", "branches", "trigger"])
ASKED = st.tuples(st.one_of(LIKELY, st.sampled_from(["sleep", "join"])), ARGUMENT)
CANCELLING = st.tuples(st.one_of(LIKELY, st.sampled_from(["impatient", "race", "sleep", "join"])), ARGUMENT)


@attrs.define
class Network:
    """Actors in a row, exec wires only forward, and a network of data nodes between them."""

    scripts: list[list[tuple[str, int]]]
    exec_wires: list[tuple[int, str, int]]
    data: list[tuple[str, list[int]]]  # kind and inputs: a data node before, or (negative) an actor's output
    asked: list[int]

    def services(self) -> dict[str, Any]:
        return {
            "answers": [],
            "networks": {f"n{place}": (self.data, asked) for place, asked in enumerate(self.asked)},
        }

    def graph(self) -> tf.Graph:
        with tf.build(tf.Registry.standard(plugins=False)) as g:
            g.variable("v", "int", 3, merge="last")
            start = g.add(tf.nodes.Start, "start")
            actors = [
                g.add(Actor, f"n{place}", script=[list(op) for op in script])
                for place, script in enumerate(self.scripts)
            ]
            outs = [actors[place % len(actors)].out for place in range(SOURCES)]
            nodes: list[Any] = []
            for place, (kind, wires) in enumerate(self.data):
                # A source that was never written falls back to the literal (D1).
                literals = {socket: UNSET_SOURCE for socket, wire in zip("abc", wires, strict=False) if wire < 0}
                node = g.add(KINDS[kind], f"d{place}", **literals)
                nodes.append(node)
                for socket, wire in zip("abc", wires, strict=False):
                    if wire >= 0:
                        g.connect(nodes[wire].result, getattr(node, socket))
                    else:
                        g.connect(outs[-wire - 1], getattr(node, socket))
            for actor, asked in zip(actors, self.asked, strict=True):
                for socket, out in zip((actor.s0, actor.s1, actor.s2), outs, strict=True):
                    g.connect(out, socket)
                g.connect(nodes[asked].result, actor.net)
            g.connect(start.then, actors[0].enter)
            for source, output, target in self.exec_wires:
                g.connect(getattr(actors[source], output), actors[target].enter)
        return g.graph


@st.composite
def networks(draw: st.DrawFn, operations: st.SearchStrategy[Any], kinds: list[str]) -> Network:
    count = draw(st.integers(2, 4))
    scripts = []
    for _ in range(count):
        script = draw(st.lists(operations, min_size=1, max_size=6))
        scripts.append([(op, min(argument, 2) if op == "emit" else argument) for op, argument in script])
    # The first one writes all it can, so that sources are set more often than not.
    scripts[0] = [("write", draw(ARGUMENT)), *scripts[0]]
    wires = [
        (source, output, target)
        for source in range(count - 1)
        for output in ("a", "b", "body", "then")
        for target in draw(st.lists(st.integers(source + 1, count - 1), max_size=2, unique=True))
    ]
    data: list[tuple[str, list[int]]] = []
    for place in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(kinds))
        sources = st.integers(-SOURCES, place - 1)
        data.append((kind, [draw(sources) for _ in range({"pick": 3, "variable": 1}.get(kind, 2))]))
    asked = [draw(st.integers(0, len(data) - 1)) for _ in range(count)]
    return Network(scripts, wires, data, asked)
