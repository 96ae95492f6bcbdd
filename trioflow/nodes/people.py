"""Waiting for people and other programs, for as long as it takes: nodes for runs that are kept in a journal."""

from __future__ import annotations

from typing import Any

import trioflow as tf

_NEVER = object()


class WaitSignal(tf.Node, id="flow.wait_signal", durable="replayed"):
    """Waits for a signal from outside, then goes on at `received` with what was sent along.

    Signals that arrived before count, each once. With a timeout it goes on at `timed_out` after so long; the time goes
    on while no process has the run. A run that is not kept in a journal fails here, for nobody could send it a signal.

    >>> try:
    ...     fire("flow.wait_signal", name="paid")
    ... except Exception as error:
    ...     print(type(error).__name__)
    NodeError
    """

    enter = tf.ExecIn()
    name = tf.DataIn(str, doc="the name of the signal")
    timeout = tf.DataIn(str, default="", doc="such as 2d, 1h 30m or PT90S; without one it waits for ever")
    payload: tf.DataOut[Any] = tf.DataOut(object, doc="what was sent along")
    received = tf.ExecOut(doc="when it has arrived")
    timed_out = tf.ExecOut(doc="when it has not")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        name, timeout = await ctx.get_input(self.name), await ctx.get_input(self.timeout)
        if timeout:
            payload = await ctx.signal(name, timeout=timeout, otherwise=_NEVER)
        else:
            payload = await ctx.signal(name)
        if payload is _NEVER:
            return self.timed_out
        ctx.set_output(self.payload, payload)
        return self.received


class Approve(tf.Node, id="flow.approve", durable="replayed"):
    """Waits until somebody says yes or no, by the signal `name`: `true`, `false`, or an object with `ok` and `comment`.

    What else is sent is told as a warning, and it waits on. With a timeout it goes on at `timed_out` after so long.

    >>> try:
    ...     fire("flow.approve")
    ... except Exception as error:
    ...     print(type(error).__name__)
    NodeError
    """

    enter = tf.ExecIn()
    name = tf.DataIn(str, default="approve", doc="the name of the signal")
    timeout = tf.DataIn(str, default="", doc="such as 2d, 1h 30m or PT90S; without one it waits for ever")
    comment = tf.DataOut(str, doc="what was said along with it")
    approved = tf.ExecOut()
    rejected = tf.ExecOut()
    timed_out = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        name, timeout = await ctx.get_input(self.name), await ctx.get_input(self.timeout)
        while True:
            if timeout:
                said = await ctx.signal(name, timeout=timeout, otherwise=_NEVER)
            else:
                said = await ctx.signal(name)
            if said is _NEVER:
                return self.timed_out
            choice = said.get("ok") if isinstance(said, dict) else said
            if isinstance(choice, bool):
                ctx.set_output(self.comment, str(said.get("comment", "")) if isinstance(said, dict) else "")
                return self.approved if choice else self.rejected
            ctx.emit_feedback(f"the signal {name!r} says neither yes nor no: {said!r}", "warning")


class Sleep(tf.Node, id="flow.sleep", durable="replayed"):
    """Waits for a duration, which may be days, then goes on. In a run that is kept, also while no process has it.

    >>> fire("flow.sleep", duration="1h 30m")
    [('then', {})]
    """

    enter = tf.ExecIn()
    duration = tf.DataIn(str, default="1s", doc="such as 2d, 1h 30m, 0.5s or PT90S")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await ctx.sleep(await ctx.get_input(self.duration))
        return self.then
