"""How a node that asks people comes to an answer: by the host's `Asker`, by a signal, or in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import trioflow as tf
from trioflow.nodes._askers import Asker, Question, TerminalAsker

NOBODY: Any = object()
"""The answer where nobody has answered in time."""


async def answer_to(ctx: tf.Context, question: Question, *, timeout: str, through: str = "auto") -> Any:
    """The first answer that counts, or `NOBODY`; what does not count is told as a warning, and it is asked again.

    `through` is `host`, `signal`, `terminal`, or `auto` for the first of these that there is. Raises `ValueError` or
    `NodeError` where there is none.
    """
    node = ctx.node.type
    asker = _asker_of(ctx.services) if through in ("auto", "host") else None
    if asker is None and through == "host":
        raise ValueError(f"{node}: the host has nobody who asks: give it services={{Asker: ...}}.")
    if asker is None and (through == "signal" or (through == "auto" and ctx.is_kept)):
        return await _signalled(ctx, question, timeout)
    if asker is None:
        if through == "auto" and not sys.stdin.isatty():
            raise ValueError(
                f"{node}: there is nobody to ask. Give the run a journal and send the signal "
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
    return NOBODY


async def _signalled(ctx: tf.Context, question: Question, timeout: str) -> Any:
    ctx.emit_feedback(question.text, "info", tag="question")

    async def wait() -> Any:
        if timeout:
            return await ctx.signal(question.name, timeout=timeout, otherwise=NOBODY)
        return await ctx.signal(question.name)

    return await _until_it_counts(ctx, question, wait)


async def _until_it_counts(ctx: tf.Context, question: Question, ask: Callable[[], Any]) -> Any:
    while True:
        answer = await ask()
        problem = None if answer is NOBODY else question.problem(answer)
        if problem is None:
            return answer
        ctx.emit_feedback(f"an answer does not count: {problem}", "warning")


def _asker_of(services: tf.Services) -> Asker | None:
    try:
        return services.get(Asker)  # type: ignore[type-abstract]
    except tf.UnknownName:
        return None
