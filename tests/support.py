"""Node types and graphs that several tests share."""

from __future__ import annotations

from typing import Any

import trio

import trioflow as tf

STANDARD = tf.Registry.standard(plugins=False)


class Note(tf.Node, id="test.note"):
    """Keeps what it reads in the run's list `notes`, with path and time, then goes on."""

    enter = tf.ExecIn()
    value = tf.DataIn(object, default=None)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value = await ctx.get_input(self.value)
        ctx.services.get("notes").append(value)
        return self.then


class Wait(tf.Node, id="test.wait"):
    """Sleeps; tells in `notes` that its finally ran."""

    enter = tf.ExecIn()
    seconds = tf.DataIn(float, default=1.0)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        try:
            await trio.sleep(await ctx.get_input(self.seconds))
        finally:
            ctx.services.get("notes").append(f"end of {ctx.node.id}")
        return self.then


class Fail(tf.Node, id="test.fail"):
    enter = tf.ExecIn()
    after = tf.DataIn(float, default=0.0)

    async def execute(self, ctx: tf.Context) -> None:
        await trio.sleep(await ctx.get_input(self.after))
        raise ValueError("boom")


class Items(tf.Node, id="test.items"):
    """A concurrent stream of numbers."""

    enter = tf.ExecIn()
    count = tf.DataIn(int, default=3)
    item = tf.DataOut(int)
    body = tf.ExecOut()
    done = tf.ExecOut()
    stream = tf.Stream(item, fires=body, done=done, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        for number in range(await ctx.get_input(self.count)):
            await ctx.emit(self.item, number)


class Resource(tf.Node, id="test.resource"):
    """Counts setups and teardowns in the service `life`, and can be told to fail in each of its phases."""

    enter = tf.ExecIn()
    fail_in = tf.DataIn(str, default="")
    body = tf.ExecOut()
    then = tf.ExecOut()

    def __init__(self) -> None:
        self.id = ""
        self.life: list[str] = []
        self.fails = ""

    async def setup(self, ctx: tf.SetupContext) -> None:
        self.id, self.life = ctx.node.id, ctx.services.get("life")
        self.fails = ctx.node.inputs.get("fail_in", "")
        await trio.lowlevel.checkpoint()
        if "setup" in self.fails:
            raise OSError(f"setup of {self.id}")
        self.life.append(f"up {self.id}")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        if "body" in self.fails:
            raise ValueError(f"body of {self.id}")
        await ctx.trigger(self.body)
        return self.then

    async def teardown(self) -> None:
        self.life.append(f"down {self.id}")
        if "hang" in self.fails:
            await trio.sleep(1000)
        if "teardown" in self.fails:
            raise OSError(f"teardown of {self.id}")


class Add(tf.Node, id="test.add"):
    """Adds to the variable `total`, after a while."""

    enter = tf.ExecIn()
    by = tf.DataIn(int, default=1)
    after = tf.DataIn(float, default=0.0)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await trio.sleep(await ctx.get_input(self.after))
        ctx.set_variable("total", ctx.get_variable("total") + await ctx.get_input(self.by))
        return self.then


class Deeper(tf.Node, id="test.deep"):
    """Triggers itself through a wire, which nests."""

    enter = tf.ExecIn()
    body = tf.ExecOut()
    levels = tf.DataIn(int, default=10)

    async def execute(self, ctx: tf.Context) -> None:
        ctx.state["level"] = ctx.state.get("level", 0) + 1
        if ctx.state["level"] < await ctx.get_input(self.levels):
            await ctx.trigger(self.body)


@tf.data_node(id="test.increment")
def increment(x: int) -> int:
    return x + 1


def chain(g: tf.Builder, *nodes: Any) -> None:
    """Wire nodes one after the other, at `then`."""
    for before, after in zip(nodes, nodes[1:], strict=False):
        g.connect(before.then, after.enter)


def calling():
    """A graph that calls another one, which changes a variable of its own."""
    with tf.build() as inner:
        inner.variable("own", "int", 0)
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        note = inner.add(tf.nodes.UpdateVariable, "note", name="own", value=inner.declare_input("x", "int", 1))
        after = inner.add(Note, "after")
        inner.connect(into, note.enter)
        inner.connect(note.then, after.enter)
        inner.connect(after.then, out)
    with tf.build() as g:
        start, call, end = (
            g.add(tf.nodes.Start, "start"),
            g.add(g.define("inner", inner.graph), "call"),
            g.add(Note, "end"),
        )
        g.connect(start.then, call["in"])
        g.connect(call.out, end.enter)
    return g.graph
