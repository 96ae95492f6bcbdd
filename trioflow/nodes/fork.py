"""Concurrent flow: branches, races, items. Each runs on its own view of the data (F1), joined where its owner says.

What concurrent strands leave behind does not depend on which was faster; what they write to the same variable is
merged by the variable's policy (F3, F4).
"""

from __future__ import annotations

from typing import Any, Literal

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes.loop import Loop

OnError = Literal["fail", "collect"]


class Parallel(tf.Node, id="flow.parallel", durable="replayed"):
    """Runs its branches concurrently, each on its own view of the data; joins them in order, then goes on at `done`.

    A branch that fails cancels the others, and its failure goes on to whoever triggered.

    >>> fire("flow.parallel")[-1]
    ('done', {})
    """

    enter = tf.ExecIn()
    a = tf.ExecOut(concurrent=True)
    b = tf.ExecOut(concurrent=True)
    c = tf.ExecOut(concurrent=True)
    d = tf.ExecOut(concurrent=True)
    done = tf.ExecOut(doc="when all branches have ended")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return await self._all_of(ctx, self.a, self.b, self.c, self.d)

    async def _all_of(self, ctx: tf.Context, *ways: tf.ExecOut) -> tf.ExecOut:
        async with ctx.branches() as branches:
            for way in ways:
                if ctx.is_connected(way):
                    branches.start(way)
        return self.done


class Parallel8(Parallel, id="flow.parallel_8", durable="replayed"):
    """Runs up to eight branches concurrently, as `flow.parallel` does with four.

    >>> len(fire("flow.parallel_8"))
    9
    """

    e = tf.ExecOut(concurrent=True)
    f = tf.ExecOut(concurrent=True)
    g = tf.ExecOut(concurrent=True)
    h = tf.ExecOut(concurrent=True)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return await self._all_of(ctx, self.a, self.b, self.c, self.d, self.e, self.f, self.g, self.h)


class Race(tf.Node, id="flow.race", durable="replayed"):
    """Runs its branches concurrently; when the first has ended the others are cancelled, and what they wrote is lost.

    Which one is first depends on time, so the result may differ between runs; of several that end at the same moment
    the first in order wins. A branch that fails ends the race with its failure. With no branch connected it goes
    straight on, and `winner` stays unset.

    >>> slow = lambda: trio.sleep(1)
    >>> fire("flow.race", a=slow, c=slow, d=slow)[-1]
    ('done', {'winner': 'b'})
    """

    enter = tf.ExecIn()
    winner = tf.DataOut(str, doc="the name of the branch that ended first")
    a = tf.ExecOut(concurrent=True)
    b = tf.ExecOut(concurrent=True)
    c = tf.ExecOut(concurrent=True)
    d = tf.ExecOut(concurrent=True)
    done = tf.ExecOut(doc="when the race is over")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        entries: dict[Any, str] = {}
        async with ctx.branches() as branches:
            for branch in (self.a, self.b, self.c, self.d):
                if ctx.is_connected(branch):
                    entries[branches.start(branch)] = branch.name
            winner = await branches.wait_first() if entries else None
            branches.cancel()
        if winner is not None:
            ctx.set_output(self.winner, entries[winner])
        return self.done


class Alongside(tf.Node, id="flow.alongside", durable="replayed"):
    """Runs `background` for as long as `body` takes, then cancels it and goes on at `done`.

    What the background wrote is lost, unless it had come to its end before. If either fails, the other is cancelled.

    >>> fire("flow.alongside", background=lambda: trio.sleep(60), body=lambda: trio.sleep(1))[-1]
    ('done', {})
    """

    enter = tf.ExecIn()
    background = tf.ExecOut(concurrent=True, doc="what runs meanwhile, such as `flow.every`")
    body = tf.ExecOut(concurrent=True, doc="what decides how long; in this strand, so that it may leave a loop")
    done = tf.ExecOut(doc="when the body has ended")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        async with ctx.branches() as branches:
            branches.start(self.background)
            await ctx.trigger(self.body)
            branches.cancel()
        return self.done


class _Collecting(tf.Node, abstract=True):
    """What concurrent loops share: a limit, what happens on failure, and what is known of failures afterwards."""

    enter = tf.ExecIn()
    limit = tf.DataIn(int, default=0, doc="how many at the same time, 0 for any number; the settings' limit wins")
    on_error: tf.DataIn[Any] = tf.DataIn(
        OnError, default="fail", doc="fail: the first failure cancels the others; collect: the others go on"
    )
    failures = tf.DataOut(list, doc="when done: the exceptions of those that failed, in order")
    messages = tf.DataOut(list, doc="when done: what they say, with their class in front")

    async def _settle(self, ctx: tf.Context) -> None:
        await ctx.join()
        failures = ctx.failures()
        ctx.set_output(self.failures, list(failures))
        ctx.set_output(self.messages, [f"{type(error).__name__}: {error}" for error in failures])


class ParallelForEach(_Collecting, id="flow.parallel_for_each", durable="replayed"):
    """Sends all items of a list down `body` concurrently, up to a limit; goes on at `done` when all have ended.

    Each item runs on its own view of the data, and what they leave behind does not depend on the limit. With
    `on_error` set to `collect` a failing item is reported and the others go on; `failures` holds what failed, in the
    order of the items. It is `flow.for_each` in concurrent mode; the node's settings win here as there.

    >>> fire("flow.parallel_for_each", items=[0], body=lambda: 1 / 0, on_error="collect")[-1]
    ('done', {'failures': [ZeroDivisionError('division by zero')], 'messages': ['ZeroDivisionError: division by zero']})
    """

    items = tf.DataIn(list, doc="read once, before the first item")
    item = tf.DataOut(object, doc="the item")
    index = tf.DataOut(int, doc="its place, from 0")
    body = tf.ExecOut(doc="one item")
    done = tf.ExecOut(doc="after the last item")
    each = tf.Stream(item, index, fires=body, done=done, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        limit, on_error = await ctx.get_input(self.limit), await ctx.get_input(self.on_error)
        ctx.configure_stream(self.item, limit=limit, on_error=on_error)
        with Loop(ctx) as loop:
            for index, item in enumerate(await ctx.get_input(self.items)):
                with loop.round:
                    await ctx.emit(self.item, item, {self.index: index})
        await self._settle(ctx)


class ParallelFor(_Collecting, id="flow.parallel_for", durable="replayed"):
    """Runs `body` a number of times concurrently, up to a limit; goes on at `done` when all have ended.

    As `flow.parallel_for_each`, with the numbers from 0 as items. 0 times or less goes straight on.

    >>> [output for output, _ in fire("flow.parallel_for", times=2)]
    ['body', 'body', 'done']
    """

    times = tf.DataIn(int, doc="how often, read once")
    index = tf.DataOut(int, doc="which one, from 0")
    body = tf.ExecOut(doc="one of them")
    done = tf.ExecOut(doc="after the last")
    each = tf.Stream(index, fires=body, done=done, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        limit, on_error = await ctx.get_input(self.limit), await ctx.get_input(self.on_error)
        ctx.configure_stream(self.index, limit=limit, on_error=on_error)
        with Loop(ctx) as loop:
            for index in range(await ctx.get_input(self.times)):
                with loop.round:
                    await ctx.emit(self.index, index)
        await self._settle(ctx)


class Join(tf.Node, id="flow.join", durable="replayed", remembers=True):
    """Goes on at `then` when so many different ones of its inputs have been entered, in whatever order; then anew.

    For paths that one strand takes one after the other, such as listeners of several events. It waits for no time and
    holds no strand. Each concurrent strand remembers for itself, so behind the branches of `flow.parallel` it never
    goes on: they are joined by the node that started them, at its `done`. `reset` starts anew. Less than 1 or more
    than 4 is an error.

    >>> fire("flow.join", count=2, enter=["a", "a", "c"])
    [('then', {})]
    """

    a = tf.ExecIn()
    b = tf.ExecIn()
    c = tf.ExecIn()
    d = tf.ExecIn()
    reset = tf.ExecIn(doc="starts anew; goes nowhere")
    count = tf.DataIn(int, default=2, doc="how many different inputs")
    then = tf.ExecOut(doc="when they have been entered")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        count = expect.at_least_one("flow.join", await ctx.get_input(self.count))
        if count > 4:
            raise ValueError(f"flow.join has 4 inputs and can't wait for {count}.")
        if ctx.entered == "reset":
            ctx.state.clear()
            return None
        ctx.state[str(ctx.entered)] = True
        entered = [name for name in "abcd" if name in ctx.state]
        if len(entered) < count:
            return None
        ctx.state.clear()
        return self.then
