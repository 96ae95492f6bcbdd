"""A person that says what it was told to: for tests, and for graphs that are tried without a network."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import attrs
import trio

from trioflow.persons.port import Message, PersonFailed, Reply, Tool, ToolCall

Line = str | Reply | ToolCall | Exception | dict[str, Any] | list[Any] | Callable[[Sequence[Message]], Any]


@attrs.frozen
class Asked:
    """What a scripted person was asked."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    schema: Any


class ScriptedPerson:
    """Says its lines one after the other, and keeps in `asked` what it was asked.

    A line is a text, a `Reply`, a `ToolCall`, a dictionary or a list, which is said as JSON, an error, which is raised,
    or a function of the messages that gives one of these. A text costs one token a word. Without a line left it raises
    `PersonFailed`.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self.asked: list[Asked] = []

    async def complete(self, messages: Sequence[Message], tools: Sequence[Tool], schema: Any) -> Reply:
        """The next line. Raises it if it is an error, and `PersonFailed` if there is none."""
        await trio.lowlevel.checkpoint()
        self.asked.append(Asked(tuple(messages), tuple(tools), schema))
        line: Any = next(self._lines, PersonFailed("The script of this person is at its end."))
        if callable(line):
            line = line(messages)
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Reply):
            return line
        if isinstance(line, ToolCall):
            return Reply(calls=(line,))
        text = line if isinstance(line, str) else json.dumps(line)
        return Reply(text, tokens_in=sum(len(each.text.split()) for each in messages), tokens_out=len(text.split()))

    async def speak(self, messages: Sequence[Message], hear: Callable[[str], Awaitable[None]]) -> Reply:
        """The next line, whose words `hear` is awaited with, one after the other."""
        reply = await self.complete(messages, (), None)
        for word in reply.text.split(" "):
            await hear(f"{word} ")
        return reply
