"""Observers: they watch and never change (E3, E4). A run that nobody watches has no `Watch` at all."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from types import FunctionType, MethodType, TracebackType
from typing import Any

import trio

from trioflow.semantics.events import (
    ROOT,
    Event,
    EventsDropped,
    NodeCompleted,
    NodeStarted,
    ObserverFailed,
    Path,
    unsealed,
)

Observer = Callable[[Event], None]
"""Called with each event, in the order of its sequence numbers, in the task that caused it. Must not block."""

_log = logging.getLogger("trioflow")

_NodeStarted = unsealed(NodeStarted)
_NodeCompleted = unsealed(NodeCompleted)


class Watch:
    """Makes events and hands them to the observers.

    `started` and `completed` are `tell` for the two events of each step, written out for speed.
    """

    def __init__(self, run: str, observers: Iterable[Observer]) -> None:
        self._run = run
        self._sequence = 0
        self._now = trio.lowlevel.current_clock().current_time
        self.observers = list(observers)
        # How they are called. Replaced, never changed: who is told of an event was there when it happened.
        self._calls = tuple(map(_call_of, self.observers))

    def add(self, observer: Observer) -> None:
        """Tell this one too, from now on."""
        self.observers.append(observer)
        self._calls = tuple(map(_call_of, self.observers))

    def remove(self, observer: Observer) -> None:
        """Tell this one no more. Without effect if it is not there."""
        if observer in self.observers:
            self.observers.remove(observer)
        self._calls = tuple(map(_call_of, self.observers))

    def tell(self, kind: Callable[..., Event], path: Path, node: str | None, *details: Any) -> None:
        """Make an event and call every observer. One that raises is reported and removed (E4)."""
        if path.graph and node is not None:
            node = path.graph + node  # C8
        sequence = self._sequence
        self._sequence = sequence + 1
        event = kind(self._run, sequence, self._now(), path, node, *details)
        for call in self._calls:
            try:
                call(event)
            except Exception as error:
                self._failed(call, error)

    def started(self, path: Path, node: str, entered: str | None) -> None:
        """E1: NodeStarted."""
        event = _NodeStarted()
        event.run = self._run
        event.sequence = sequence = self._sequence
        self._sequence = sequence + 1
        event.time = self._now()
        event.path = path
        event.node = path.graph + node if path.graph else node  # C8
        event.entered = entered
        event.__class__ = NodeStarted
        for call in self._calls:
            try:
                call(event)
            except Exception as error:
                self._failed(call, error)

    def completed(self, path: Path, node: str, handed_over: str | None) -> None:
        """E1: NodeCompleted."""
        event = _NodeCompleted()
        event.run = self._run
        event.sequence = sequence = self._sequence
        self._sequence = sequence + 1
        event.time = self._now()
        event.path = path
        event.node = path.graph + node if path.graph else node  # C8
        event.handed_over = handed_over
        event.__class__ = NodeCompleted
        for call in self._calls:
            try:
                call(event)
            except Exception as error:
                self._failed(call, error)

    def _failed(self, call: Observer, error: Exception) -> None:
        # E4: the run goes on whatever an observer does.
        observer = next((each for each in self.observers if _call_of(each) == call), None)
        if observer is None:
            return  # it failed before, in an event of its own making
        self.remove(observer)
        _log.error("Observer %r failed and was removed from run %s", observer, self._run, exc_info=error)
        self.tell(ObserverFailed, ROOT, None, repr(observer), error)


def _call_of(observer: Observer) -> Observer:
    """An object with `__call__` is called as a method: calling it as an object takes twice the time."""
    kind: type[Any] = type(observer)
    for cls in kind.__mro__:
        if "__call__" in vars(cls):
            method = vars(cls)["__call__"]
            return MethodType(method, observer) if isinstance(method, FunctionType) else observer
    return observer


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
