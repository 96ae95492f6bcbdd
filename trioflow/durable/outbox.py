"""Events that are kept with a run: whoever reads them goes on after a resume without gaps or doubles (J29).

What is told is recorded under what it is: the path, the kind, the node, and how often there was such a one. A run that
is resumed tells all of it again, as its bodies are run again; what is in the journal already is not told twice. So an
event is durable together with the records of what it is about, and is handed out only then.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Collection, Mapping
from typing import TYPE_CHECKING, Any, Self

import attrs
import trio

from trioflow.durable.codec import parse
from trioflow.durable.events import RunContinued
from trioflow.durable.keys import part_key, path_key, path_of
from trioflow.durable.records import TOLD, Entry
from trioflow.runtime.base.watch import Observing, observe
from trioflow.semantics.events import Event, Kind, NodeFailed, RunCancelled, RunCompleted, RunFailed

if TYPE_CHECKING:
    from trioflow.durable.recorder import Recorder

_NEVER = (RunContinued, RunCompleted, RunFailed, RunCancelled)
"""What is told of one process, and not of the run; and its end, with which the events end."""


@attrs.frozen
class KeptEvent:
    """An event as the journal has it."""

    number: int
    """In the order in which they were told, from 1. A number is never used again, also if a run is retried."""
    kind: str
    """The name of a class of `trioflow.events`."""
    path: tuple[int, ...]
    node: str | None
    data: Mapping[str, Any]
    """What it says, as `Event.as_dict` gives it."""


class Outbox:
    """The events that are kept of one run, by the process that has it."""

    def __init__(self, recorder: Recorder, entries: list[Entry], last: int) -> None:
        self._recorder = recorder
        self._keys = {entry.key for entry in entries}
        self._last = last
        # How often there was such an event, by the path, and by kind and node.
        self._times: dict[bytes, Counter[str]] = {}
        # What was told, and how much must be durable until it may be handed out.
        self._waiting: deque[tuple[int, KeptEvent]] = deque()
        self._logs: list[EventLog] = []
        self._stopped = False

    def add(self, log: EventLog) -> None:
        """Hand out to this one, too, what becomes durable from now on."""
        self._logs.append(log)

    def __call__(self, event: Event) -> None:
        """Keep an event, unless it was kept before; not what is told because the process stops."""
        recorder = self._recorder
        if isinstance(event, _NEVER) or self._stopped or recorder.broken is not None or recorder.stopping:
            return
        if isinstance(event, NodeFailed) and not isinstance(event.error, Exception):
            self._stopped = True  # SystemExit and the like end the process, and not the run
            return
        path, node, kind = event.path.as_tuple(), event.node, type(event).__name__
        where, name = path_key(path), node or ""
        times = self._times.setdefault(where, Counter())
        times[f"{kind} {name}"] += 1
        key = part_key(where, "w", f"{kind} {name} {times[f'{kind} {name}']}")
        if key in self._keys:
            return
        self._keys.add(key)
        self._last += 1
        said = {"n": self._last, "e": event.as_dict()}
        made = recorder.tell(key, name, said)
        self._waiting.append((made, kept_event(key, name, said)))

    def told_at(self, path: bytes) -> Mapping[str, int]:
        """How often there was what, by kind and node, at a path."""
        return self._times.get(path, {})

    def go_on(self, path: bytes, told: Mapping[str, int]) -> None:
        """There was so much at a path by the moment from which it goes on, and that is not told again (J26)."""
        self._times[path] = self._times.get(path, Counter()) | Counter(told)

    def durable(self, count: int) -> None:
        """So much of what was made is durable."""
        while self._waiting and self._waiting[0][0] <= count:
            _, event = self._waiting.popleft()
            for log in self._logs:
                log.take(event)

    def end(self) -> None:
        """Nothing more will be told."""
        for log in self._logs:
            log.end()


class EventLog(AsyncIterator[KeptEvent]):
    """The events that are kept of a run, for one consumer: `async for event in run.events(durable=True)`.

    Each is durable when it comes. Ends when the run has ended, or the process has done with it.
    """

    def __init__(self, before: list[KeptEvent], after: int) -> None:
        self._events = deque(each for each in before if each.number > after)
        self._arrival = trio.Event()
        self._ended = False

    def take(self, event: KeptEvent) -> None:
        """One more."""
        self._events.append(event)
        self._arrival.set()

    def end(self) -> None:
        """No more will come."""
        self._ended = True
        self._arrival.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> KeptEvent:
        await trio.lowlevel.checkpoint()
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            await self._arrival.wait()
            if not self._ended:
                self._arrival = trio.Event()
        return self._events.popleft()


def observing(outbox: Outbox, kinds: Collection[Kind] | None, nodes: Collection[str] | None) -> Observing:
    """An observer that keeps what is told of these. Raises `UnknownName`."""
    return observe(outbox, kinds=kinds, nodes=nodes)


def kept_event(key: bytes, node: str, said: Mapping[str, Any]) -> KeptEvent:
    """An event, of its entry."""
    data: Mapping[str, Any] = said["e"]
    return KeptEvent(said["n"], data["event"], path_of(key), node or None, data)


def kept_events(entries: list[Entry]) -> list[KeptEvent]:
    """The events among the entries of a run, in order."""
    return [kept_event(each.key, each.node, parse(each.data)) for each in entries if each.kind == TOLD]
