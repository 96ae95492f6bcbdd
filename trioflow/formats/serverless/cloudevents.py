"""Events as CloudEvents: how one is made, which fit a filter, and who keeps them until a task takes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import trio

from trioflow.formats.serverless.expressions import evaluate, holds, is_expression

SIGNAL = "cloudevents"
"""The name of the signal by which events come to a run that is kept in a journal."""

_MOST_KEPT = 10_000

Event = Mapping[str, Any]


class Events:
    """The events of one run, or of all runs to which a host gives the same: the service `Events` of `trioflow.run`.

    An event is kept until a task that listens takes it, and taken once. `send` is for the host, from the loop of the
    runs. `publish` is called with each event that a workflow emits, if the host gives one.
    """

    def __init__(self, publish: Callable[[Event], Awaitable[None]] | None = None, *, from_outside: bool = True) -> None:
        self.publish = publish
        self.from_outside = from_outside
        """Whether anybody but the run itself can send events."""
        self._kept: list[Event] = []
        self._changed = trio.Event()

    def send(self, event: Event) -> None:
        """Keep an event for whoever listens. Raises `ValueError` when too many were not taken."""
        if len(self._kept) >= _MOST_KEPT:
            raise ValueError(f"{_MOST_KEPT:,} events are kept already, which no task has taken.")
        self._kept.append(event)
        self._changed.set()
        self._changed = trio.Event()

    def take(self, fits: Callable[[Event], bool]) -> Event | None:
        """The first event that fits, which is not kept any longer; None if none does."""
        for index, event in enumerate(self._kept):
            if fits(event):
                return self._kept.pop(index)
        return None

    async def changed(self) -> None:
        """Wait until another event is sent. A cancellation point."""
        await self._changed.wait()


def is_event(value: object) -> bool:
    """Whether a value has what every CloudEvent has and a filter asks for: a type."""
    return isinstance(value, Mapping) and isinstance(cast("Mapping[str, object]", value).get("type"), str)


def fits_filter(event: Event, wanted: Mapping[str, Any], variables: Mapping[str, Any]) -> bool:
    """Whether an event has all attributes that a filter names.

    A constant must be equal; an expression must hold for the value of the attribute. Raises a `WorkflowError`.
    """
    for name, expected in wanted.items():
        has = event.get(name)
        if is_expression(expected):
            result = evaluate(expected, has, variables)
            if not (holds(result) if isinstance(result, bool) or result is None else result == has):
                return False
        elif isinstance(expected, Mapping):
            if not isinstance(has, Mapping):
                return False
            if not fits_filter(cast("Event", has), cast("Mapping[str, Any]", expected), variables):
                return False
        elif has != expected:
            return False
    return True
