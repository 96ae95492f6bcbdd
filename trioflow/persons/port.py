"""The port: what is said to a person, and what comes back. Everything here is plain data but the person itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import attrs

from trioflow.errors import TrioflowError, UnknownName, did_you_mean

Role = Literal["system", "user", "assistant", "tool"]


@attrs.frozen
class ToolCall:
    """A person wants a tool to be used: its name, and arguments by name. The answer goes back under `id`."""

    id: str
    name: str
    arguments: Mapping[str, Any] = attrs.Factory(dict)


@attrs.frozen
class Message:
    """Something that was said. `assistant` is the person itself, with the tools that it wants used.

    What `tool` says is what came of the call of that id.
    """

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@attrs.frozen
class Tool:
    """Something that a person may ask to be done; `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@attrs.frozen
class Reply:
    """What a person says: a text, or tools that are to be used first; with what it took, `cost` in any currency."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    model: str = ""


class PersonFailed(Exception):
    """A person could not answer. `status` is that of HTTP, if there was one, so that policies know `http.429`.

    `retry_after` are the seconds after which to come again, if that was said.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(message)

    __reduce__ = TrioflowError.__reduce__


class PersonUnreachable(PersonFailed):
    """A person can't be reached, or was cut off in the middle."""


@runtime_checkable
class Person(Protocol):
    """Whoever can be talked to. One that can be heard while it speaks has a method `speak`, too: see `Speaking`."""

    async def complete(self, messages: Sequence[Message], tools: Sequence[Tool], schema: Any) -> Reply:
        """The reply to a conversation; with a schema (JSON Schema) its text is to be JSON that fits.

        Cancelled at any time. Raises `PersonFailed`.
        """
        ...


@runtime_checkable
class Speaking(Person, Protocol):
    """A person that can be heard while it speaks."""

    async def speak(self, messages: Sequence[Message], hear: Callable[[str], Awaitable[None]]) -> Reply:
        """The same without tools, each piece of the text as it comes. Cancelled at any time. Raises `PersonFailed`."""
        ...


class Persons(Mapping[str, Person]):
    """Who a graph can talk to, by name: a service, `services={Persons: Persons({"alice": alice})}`."""

    def __init__(self, persons: Mapping[str, Person]) -> None:
        self._persons = dict(persons)

    def __getitem__(self, name: str) -> Person:
        return self._persons[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._persons)

    def __len__(self) -> int:
        return len(self._persons)

    def find(self, name: str) -> tuple[str, Person]:
        """The person of this name; without a name the only one there is. Raises `UnknownName`, saying who there is."""
        if not name and len(self._persons) == 1:
            return next(iter(self._persons.items()))
        if name not in self._persons:
            who = f"There is no person {name!r}.{did_you_mean(name, self._persons)}" if name else "Which person?"
            raise UnknownName(f"{who} This host has: {', '.join(self._persons) or 'none'}.")
        return name, self._persons[name]
