"""Control flow: where control goes, how often, and what happens when it fails."""

from __future__ import annotations

from typing import Any

import trio

import trioflow as tf


class NodeRaised(Exception):
    """What `flow.raise` raises, and what its message says."""


class AssertionFailed(Exception):
    """What `flow.assert` raises when its condition does not hold."""


class Start(tf.Node, id="flow.start", initiator=True):
    """Where a run starts. A graph may have several; they run one after the other, in document order."""

    then = tf.ExecOut(doc="what the run does")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.then


class Sequence(tf.Node, id="flow.sequence"):
    """Runs up to four chains one after the other, each to completion before the next."""

    enter = tf.ExecIn()
    first = tf.ExecOut()
    second = tf.ExecOut()
    third = tf.ExecOut()
    fourth = tf.ExecOut(doc="handed over to, so that a long sequence of sequences does not nest")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        for each in (self.first, self.second, self.third):
            await ctx.trigger(each)
        return self.fourth


class Branch(tf.Node, id="flow.branch"):
    """Goes on at `true` or at `false`."""

    enter = tf.ExecIn()
    condition = tf.DataIn(bool, doc="which way")
    true = tf.ExecOut(doc="when the condition holds")
    false = tf.ExecOut(doc="when it does not")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.true if await ctx.get_input(self.condition) else self.false


class Switch(tf.Node, id="flow.switch"):
    """Goes on at the first case that equals the value, or at `default`.

    Equal means equal in value and in type: 1 is neither 1.0 nor true. A case that is left unset never matches.
    """

    enter = tf.ExecIn()
    value = tf.DataIn(object, doc="what is compared")
    case_1 = tf.DataIn(object, default=None, lazy=True, doc="compared with the value")
    case_2 = tf.DataIn(object, default=None, lazy=True, doc="compared with the value")
    case_3 = tf.DataIn(object, default=None, lazy=True, doc="compared with the value")
    case_4 = tf.DataIn(object, default=None, lazy=True, doc="compared with the value")
    is_1 = tf.ExecOut()
    is_2 = tf.ExecOut()
    is_3 = tf.ExecOut()
    is_4 = tf.ExecOut()
    default = tf.ExecOut(doc="when no case matches")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value = await ctx.get_input(self.value)
        cases = (
            (self.case_1, self.is_1), (self.case_2, self.is_2), (self.case_3, self.is_3), (self.case_4, self.is_4)
        )  # fmt: skip
        for case, way in cases:
            if not ctx.is_connected(case) and case.name not in ctx.node.inputs:
                continue
            candidate = await ctx.get_input(case)
            if type(candidate) is type(value) and candidate == value:
                return way
        return self.default


class ForLoop(tf.Node, id="flow.for"):
    """Triggers `body` for each index from `start`, in steps of `step`, `times` times; then goes on at `done`.

    `times` of 0 or less goes straight on. All three are read once, before the first round.
    """

    enter = tf.ExecIn()
    times = tf.DataIn(int, default=10, doc="number of rounds")
    start = tf.DataIn(int, default=0, doc="the first index")
    step = tf.DataIn(int, default=1, doc="what is added to the index after each round")
    index = tf.DataOut(int, doc="the index of this round")
    body = tf.ExecOut(doc="one round")
    done = tf.ExecOut(doc="after the last round")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        start, step = await ctx.get_input(self.start), await ctx.get_input(self.step)
        for round_ in range(await ctx.get_input(self.times)):
            await ctx.trigger(self.body, {self.index: start + round_ * step})
        return self.done


class ForEach(tf.Node, id="flow.for_each"):
    """Sends each item of a list down `body`, then goes on at `done`.

    A stream: one item after the other, or concurrently if the node's settings in the graph say so
    (`"stream": {"mode": "concurrent", "limit": 8}`).
    """

    enter = tf.ExecIn()
    items = tf.DataIn(list, doc="read once, before the first item")
    limit = tf.DataIn(int, default=0, doc="concurrent items in flight, 0 for any number; the settings' limit wins")
    item = tf.DataOut(object, doc="the item")
    index = tf.DataOut(int, doc="its place, from 0")
    body = tf.ExecOut(doc="one item")
    done = tf.ExecOut(doc="after the last item")
    each = tf.Stream(item, index, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        limit = await ctx.get_input(self.limit)
        ctx.configure_stream(self.item, limit=limit)
        for index, item in enumerate(await ctx.get_input(self.items)):
            await ctx.emit(self.item, item, {self.index: index})


class While(tf.Node, id="flow.while"):
    """Triggers `body` as long as the condition holds, which is asked afresh before each round; then `done`."""

    enter = tf.ExecIn()
    condition = tf.DataIn(bool, lazy=True, doc="asked before each round")
    body = tf.ExecOut(doc="one round")
    done = tf.ExecOut(doc="when the condition no longer holds")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        while await ctx.get_input(self.condition):
            await ctx.trigger(self.body)
        return self.done


class RepeatUntil(tf.Node, id="flow.repeat_until"):
    """Triggers `body` at least once, until the condition holds, which is asked afresh after each round; then `done`."""

    enter = tf.ExecIn()
    condition = tf.DataIn(bool, lazy=True, doc="asked after each round")
    body = tf.ExecOut(doc="one round")
    done = tf.ExecOut(doc="when the condition holds")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        while True:
            await ctx.trigger(self.body)
            if await ctx.get_input(self.condition):
                return self.done


class Try(tf.Node, id="flow.try"):
    """Runs `body`; if it fails, `catch`; in any case `cleanup`; then goes on at `done`.

    If `catch` leads nowhere, the failure goes on to whoever triggered, after `cleanup`. A failure in `catch` or
    `cleanup` does so too. Cancellation is no failure: it is never caught, and ends `cleanup` at its first wait.
    """

    enter = tf.ExecIn()
    error = tf.DataOut(object, doc="the exception that was caught")
    message = tf.DataOut(str, doc="its text, without the class")
    body = tf.ExecOut(doc="what may fail")
    catch = tf.ExecOut(doc="when it failed")
    cleanup = tf.ExecOut(doc="whether it failed or not")
    done = tf.ExecOut(doc="afterwards")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        try:
            try:
                await ctx.trigger(self.body)
            except Exception as error:
                if not ctx.is_connected(self.catch):
                    raise
                await ctx.trigger(self.catch, {self.error: error, self.message: str(error)})
        finally:
            await ctx.trigger(self.cleanup)
        return self.done


class Raise(tf.Node, id="flow.raise"):
    """Fails with a message."""

    enter = tf.ExecIn()
    message = tf.DataIn(str, default="raised by the graph", doc="what the error says")

    async def execute(self, ctx: tf.Context) -> None:
        raise NodeRaised(await ctx.get_input(self.message))


class Assert(tf.Node, id="flow.assert"):
    """Fails unless the condition holds."""

    enter = tf.ExecIn()
    condition = tf.DataIn(bool, doc="what must hold")
    message = tf.DataIn(str, default="assertion failed", doc="what the error says")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        if not await ctx.get_input(self.condition):
            raise AssertionFailed(await ctx.get_input(self.message))
        return self.then


class Delay(tf.Node, id="flow.delay"):
    """Waits, then goes on. A negative number of seconds is an error."""

    enter = tf.ExecIn()
    seconds = tf.DataIn(float, default=1.0, doc="how long, on trio's clock")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        seconds = await ctx.get_input(self.seconds)
        if not seconds >= 0:
            raise ValueError(f"flow.delay needs 0 seconds or more, got {seconds!r}.")
        await trio.sleep(seconds)
        return self.then


class Parallel(tf.Node, id="flow.parallel"):
    """Runs its branches concurrently, each on its own view of the data; joins them in order, then goes on at `done`."""

    enter = tf.ExecIn()
    a = tf.ExecOut()
    b = tf.ExecOut()
    c = tf.ExecOut()
    d = tf.ExecOut()
    done = tf.ExecOut(doc="when all branches have ended")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        async with ctx.branches() as branches:
            for branch in (self.a, self.b, self.c, self.d):
                if ctx.is_connected(branch):
                    branches.start(branch)
        return self.done


class Race(tf.Node, id="flow.race"):
    """Runs its branches concurrently; when the first has ended the others are cancelled, and what they wrote is lost.

    Which one is first depends on time, so the result may differ between runs; of several that end at the same moment
    the first in order wins. With no branch connected it goes straight on, and `winner` stays unset.
    """

    enter = tf.ExecIn()
    winner = tf.DataOut(str, doc="the name of the branch that ended first")
    a = tf.ExecOut()
    b = tf.ExecOut()
    c = tf.ExecOut()
    d = tf.ExecOut()
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
