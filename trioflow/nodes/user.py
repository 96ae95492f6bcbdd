"""Questions to people who stand by: in the terminal, in a page of forms, or by a signal to a run that is kept."""

from __future__ import annotations

from typing import Any, Literal

import trioflow as tf
from trioflow.nodes._answering import NOBODY, answer_to
from trioflow.nodes._askers import Question
from trioflow.nodes._names import Named
from trioflow.nodes._slices import in_turns
from trioflow.nodes.template import _filled


class AskUser(Named, id="user.ask", durable="replayed"):
    """Asks somebody, waits for the answer, and gives it: a text, one of `choices`, or what fits `schema`.

    Names in braces, `{name}`, are the inputs that `config` names. Who is asked, `through` says: `host` is the service
    `Asker` that the host has given, `signal` the signal `name` to a run that is kept in a journal, `terminal` whoever
    sits there; `auto` takes the first of these that there is. An answer that does not count is told as a warning, and
    it is asked again. When nobody has answered after `timeout`, `default` is the answer, or it is a `TimeoutError`. In
    a run that is kept the time goes on while no process has it, and an answer is kept: nobody is asked twice.

    >>> class Polite:
    ...     async def ask(self, question):
    ...         return "yes" if question.choices else question.text
    >>> fire("user.ask", question="{who}, shall I?", inputs={"who": "Ada"}, services={"polite": Polite()})
    [('then', {'result': 'Ada, shall I?'})]
    """

    question = tf.DataIn(str, doc="what is asked")
    choices = tf.DataIn(list[Any], default=[], doc="the answers there are, if not any text will do")
    schema = tf.DataIn(object, default=None, doc="a JSON Schema that the answer has to fit, by the extra `schema`")
    default = tf.DataIn(object, default=None, doc="the answer if there is none in time; none for an error")
    timeout = tf.DataIn(str, default="", doc="such as 2d, 1h 30m or PT90S; without one it waits for ever")
    name = tf.DataIn(str, default="answer", doc="the name of the signal")
    through: tf.DataIn[Any] = tf.DataIn(Literal["auto", "host", "signal", "terminal"], default="auto", doc="how")
    result = tf.DataOut(object, doc="the answer")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        names = await self._names(ctx)
        text = await ctx.get_input(self.question)
        question = Question(
            text if not names else await in_turns(_filled("user.ask", text, names)),
            await ctx.get_input(self.name),
            tuple(await ctx.get_input(self.choices)),
            await ctx.get_input(self.schema),
            ctx.node.id,
            ctx.key,
        )
        timeout = await ctx.get_input(self.timeout)
        through = await ctx.get_input(self.through)
        answer = await answer_to(ctx, question, timeout=timeout, through=through)
        if answer is NOBODY:
            answer = await ctx.get_input(self.default)
            if answer is None:
                raise TimeoutError(f"user.ask: nobody has answered within {timeout}: {question.text}")
        ctx.set_output(self.result, answer)
        return self.then
