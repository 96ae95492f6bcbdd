"""What type checkers know about sockets. Never run: mypy and basedpyright check it.

Each `type: ignore` proves that the line is an error: both checkers complain about one that is not needed.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true
from __future__ import annotations

from typing import Any, assert_type

import trioflow as tf


class Loop(tf.Node):
    """A node whose sockets are typed."""

    enter = tf.ExecIn()
    times = tf.DataIn(int, default=10)
    name = tf.DataIn(str)
    anything = tf.DataIn()
    thing = tf.DataIn(object)
    index = tf.DataOut(int)
    text = tf.DataOut(str)
    body = tf.ExecOut()
    done = tf.ExecOut()
    each = tf.Stream(index, fires=body)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        """An input gives its type, an output takes it."""
        assert_type(await ctx.get_input(self.times), int)
        assert_type(await ctx.get_input(self.name), str)
        assert_type(await ctx.get_input(self.anything), Any)
        assert_type(await ctx.get_input("times"), Any)
        assert_type(await ctx.try_get_input(self.times), int | None)
        assert_type(await ctx.try_get_input(self.times, 3), int)
        ctx.set_output(self.index, 1)
        ctx.set_output("index", "by name, anything goes")
        await ctx.emit(self.index, 1)
        await ctx.trigger(self.body, {self.index: 1})
        assert_type(ctx.entered, str | None)
        assert_type(ctx.services.get(Loop), Loop)
        assert_type(ctx.services.get("name"), Any)
        async with ctx.branches() as branches:
            assert_type(branches.start(self.body), tf.Fork)
        assert_type(ctx.path, tuple[int, ...])
        return self.done


class Wrong(Loop):
    """What is refused."""

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        """Each line is an error."""
        number: str = await ctx.get_input(self.times)  # type: ignore[arg-type]
        del number
        await ctx.get_input(self.index)  # type: ignore[call-overload]
        ctx.set_output(self.index, "one")  # type: ignore[misc]
        ctx.set_output(self.times, 1)  # type: ignore[call-overload]
        await ctx.emit(self.index, "one")  # type: ignore[misc]
        await ctx.trigger(self.index)  # type: ignore[arg-type]
        return self.index  # type: ignore[return-value]


class Pure(tf.Node):
    """A data node gets a context that can only look."""

    value = tf.DataIn(int)
    result = tf.DataOut(int)

    async def execute(self, ctx: tf.DataContext) -> None:
        """D8: it can't act."""
        ctx.set_output(self.result, await ctx.get_input(self.value))
        await ctx.trigger("then")  # type: ignore[attr-defined]
        ctx.set_variable("name", 1)  # type: ignore[attr-defined]


def wires() -> None:
    """A wire joins an output to an input of the same kind and a type that takes it."""
    with tf.build() as g:
        a = g.add(Loop)
        b = g.add(Loop)
        assert_type(a, Loop)
        assert_type(g.add("flow.start"), tf.Handle)
        assert_type(g.graph, tf.Graph)
        g.connect(a.done, b.enter)
        g.connect(a.index, b.times)
        g.connect(a.index, b.anything)
        g.connect(a.index, b.thing)
        g.connect(a.index, b.name)  # type: ignore[misc]
        g.connect(a.done, b.times)  # type: ignore[call-overload]
        g.connect(a.index, b.enter)  # type: ignore[call-overload]
        g.connect(b.enter, a.done)  # type: ignore[call-overload]


@tf.data_node
def add(a: float, b: float = 0.0) -> float:
    """A function stays callable as it was."""
    return a + b


@tf.exec_node
async def fetch(url: str) -> bytes:
    """An async one too."""
    return url.encode()


@tf.data_node(volatile=True)
async def pick(wanted: bool, a: tf.Lazy[int], client: tf.FromServices[Loop]) -> int:
    """What is lazy is asked for, what comes from the host is there."""
    assert_type(client, Loop)
    return await a() if wanted else 0


async def functions() -> None:
    """The decorators keep signatures."""
    assert_type(add(1.0, b=2.0), float)
    assert_type(await fetch("x"), bytes)
    add("one")  # type: ignore[arg-type]


async def running(graph: tf.Graph) -> None:
    """What runs give back."""
    assert_type(await tf.run(graph), tf.RunResult)
    async with tf.open_run(graph) as run:
        assert_type(run, tf.Run)
        assert_type(run.gate, tf.Gate)
        assert_type(run.status, tf.RunStatus)
        async for event in run.events():
            assert_type(event, tf.events.Event)
        assert_type(await run.result(), tf.RunResult)
    await tf.run(graph, options={"max_steps": 1})  # type: ignore[arg-type]
