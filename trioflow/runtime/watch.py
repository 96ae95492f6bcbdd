"""Observers: they watch and never change (E3, E4). A run that nobody watches has no `Watch` at all."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, TypeVar

import trio

from trioflow.semantics.events import ROOT, Event, EventsDropped, ObserverFailed, Path

Observer = Callable[[Event], None]
"""Called with each event, in the order of its sequence numbers, in the task that caused it. Must not block."""

E = TypeVar("E", bound=Event)
_log = logging.getLogger("trioflow")


class Watch:
    """Makes events and hands them to the observers."""

    def __init__(self, run: str, observers: list[Observer]) -> None:
        self._run = run
        self._sequence = itertools.count()
        self.observers = observers

    def tell(self, kind: Callable[..., Event], path: Path, node: str | None, *details: Any) -> None:
        """Make an event and call every observer. One that raises is reported and removed (E4)."""
        if path.graph and node is not None:
            node = path.graph + node  # C8
        event = kind(self._run, next(self._sequence), trio.current_time(), path, node, *details)
        for observer in tuple(self.observers):
            try:
                observer(event)
            except Exception as error:
                # E4: the run goes on whatever an observer does.
                self.observers.remove(observer)
                _log.exception("Observer %r failed and was removed from run %s", observer, self._run)
                self.tell(ObserverFailed, ROOT, None, repr(observer), error)


class Subscription(AsyncIterator[Event]):
    """Events of a run, live, for one consumer: `async for event in run.events()`.

    Buffers up to `buffer` events. When it overflows, the oldest are dropped, and an `EventsDropped` with their number
    takes their place: the run never waits for a slow consumer. Ends when the run has ended. As a context manager it
    unsubscribes where the block ends.
    """

    def __init__(self, buffer: int, unsubscribe: Callable[[Observer], None]) -> None:
        if buffer < 1:
            raise ValueError(f"events(buffer=...) must be at least 1, got {buffer}.")
        self._buffer: deque[Event] = deque()
        self._size = buffer
        self._dropped = 0
        self._last_dropped: Event | None = None
        self._ended = False
        self._arrival = trio.Event()
        self._unsubscribe = unsubscribe

    def __call__(self, event: Event) -> None:
        """Take an event in: a subscription is an observer."""
        if len(self._buffer) >= self._size:
            self._last_dropped = self._buffer.popleft()
            self._dropped += 1
        self._buffer.append(event)
        self._arrival.set()

    def end(self) -> None:
        """No more events will come."""
        self._ended = True
        self._arrival.set()

    def close(self) -> None:
        """Unsubscribe."""
        self._unsubscribe(self)
        self.end()

    async def __anext__(self) -> Event:
        await trio.lowlevel.checkpoint()
        while not self._buffer:
            if self._ended:
                raise StopAsyncIteration
            self._arrival = trio.Event()
            await self._arrival.wait()
        if self._last_dropped is not None:
            last, self._last_dropped = self._last_dropped, None
            count, self._dropped = self._dropped, 0
            return EventsDropped(last.run, last.sequence, last.time, last.path, last.node, count)
        return self._buffer.popleft()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Subscription: {len(self._buffer)} of {self._size} buffered, {self._dropped} dropped>"
