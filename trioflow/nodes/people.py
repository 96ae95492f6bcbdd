"""Waiting for people and other programs, for as long as it takes: nodes for runs that are kept in a journal."""

from __future__ import annotations

from typing import Any

import trioflow as tf
from trioflow.nodes._answering import NOBODY, answer_to
from trioflow.nodes._askers import Question
from trioflow.nodes._names import Named
from trioflow.nodes._slices import in_turns
from trioflow.nodes.template import _filled

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


class _Approval(Question):
    """A question that is answered by yes or no: as text, `true` or `false`, or an object with `ok` and `comment`."""

    def problem(self, answer: Any) -> str | None:
        """Why an answer is neither yes nor no; None if it is."""
        return None if _choice(answer) is not None else f"expected yes or no, got {answer!r}"


def _choice(answer: Any) -> bool | None:
    said = answer.get("ok") if isinstance(answer, dict) else answer
    return {"yes": True, "no": False}.get(said) if isinstance(said, str) else said if isinstance(said, bool) else None


class Approve(Named, id="flow.approve", durable="replayed"):
    """Waits until somebody says yes or no: `yes`, `no`, `true`, `false`, or an object with `ok` and `comment`.

    Who is asked is whom the host has given as the service `Asker`; in a run that is kept in a journal whoever sends the
    signal `name`; else whoever sits at the terminal: the first of these that there is. Names in braces in the `text`,
    `{name}`, are the inputs that `config` names. An answer that is neither is told as a warning, and it waits on. After
    `timeout` it goes on at `timed_out`; in a run that is kept the time goes on while no process has it.

    >>> class Polite:
    ...     async def ask(self, question):
    ...         return "yes"
    >>> fire("flow.approve", text="May we book {what}?", inputs={"what": "it"}, services={"polite": Polite()})
    [('approved', {'comment': ''})]
    """

    enter = tf.ExecIn()
    text = tf.DataIn(str, default="Do you approve?", doc="what is asked")
    name = tf.DataIn(str, default="approve", doc="the name of the signal")
    timeout = tf.DataIn(str, default="", doc="such as 2d, 1h 30m or PT90S; without one it waits for ever")
    comment = tf.DataOut(str, doc="what was said along with it")
    approved = tf.ExecOut()
    rejected = tf.ExecOut()
    timed_out = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        names = await self._names(ctx)
        text = await ctx.get_input(self.text)
        if names:
            text = await in_turns(_filled("flow.approve", text, names))
        question = _Approval(text, await ctx.get_input(self.name), ("yes", "no"), node=ctx.node.id, key=ctx.key)
        said = await answer_to(ctx, question, timeout=await ctx.get_input(self.timeout))
        if said is NOBODY:
            return self.timed_out
        ctx.set_output(self.comment, str(said.get("comment", "")) if isinstance(said, dict) else "")
        return self.approved if _choice(said) else self.rejected


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
