"""Questions to people who stand by: in the terminal, in a page of forms, or by a signal to a run that is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Literal

import trioflow as tf
from trioflow.nodes._askers import Asker, Question, TerminalAsker
from trioflow.nodes._names import Named
from trioflow.nodes._slices import in_turns
from trioflow.nodes.template import _filled

_NOBODY: Any = object()


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
        answer = await self._answer(ctx, question, timeout)
        if answer is _NOBODY:
            answer = await ctx.get_input(self.default)
            if answer is None:
                raise TimeoutError(f"user.ask: nobody has answered within {timeout}: {question.text}")
        ctx.set_output(self.result, answer)
        return self.then

    async def _answer(self, ctx: tf.Context, question: Question, timeout: str) -> Any:
        through = await ctx.get_input(self.through)
        asker = _asker_of(ctx.services) if through in ("auto", "host") else None
        if asker is None and through == "host":
            raise ValueError("user.ask: the host has nobody who asks: give it services={Asker: ...}.")
        if asker is None and through != "terminal":
            try:
                return await self._signalled(ctx, question, timeout)
            except tf.NodeError:
                if through == "signal":
                    raise
        if asker is None:
            if through == "auto" and not sys.stdin.isatty():
                raise ValueError(
                    "user.ask: there is nobody to ask. Give the run a journal and send the signal "
                    f"{question.name!r}, or let the host ask: services={{Asker: ...}}; or run it in a terminal."
                )
            asker = TerminalAsker()

        async def ask() -> Any:
            return await ctx.once(asker.ask, question)

        if not timeout:
            return await _until_it_counts(ctx, question, ask)
        with ctx.time_limit(timeout) as limit:
            return await _until_it_counts(ctx, question, ask)
        assert limit.expired
        return _NOBODY

    async def _signalled(self, ctx: tf.Context, question: Question, timeout: str) -> Any:
        ctx.emit_feedback(question.text, "info", tag="question")

        async def wait() -> Any:
            if timeout:
                return await ctx.signal(question.name, timeout=timeout, otherwise=_NOBODY)
            return await ctx.signal(question.name)

        return await _until_it_counts(ctx, question, wait)


async def _until_it_counts(ctx: tf.Context, question: Question, ask: Callable[[], Any]) -> Any:
    while True:
        answer = await ask()
        problem = None if answer is _NOBODY else question.problem(answer)
        if problem is None:
            return answer
        ctx.emit_feedback(f"an answer does not count: {problem}", "warning")


def _asker_of(services: tf.Services) -> Asker | None:
    try:
        return services.get(Asker)  # type: ignore[type-abstract]
    except tf.UnknownName:
        return None
