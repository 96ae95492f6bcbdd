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

unsealed_started = unsealed(NodeStarted)
unsealed_completed = unsealed(NodeCompleted)


class _Step(Path):
    """The path of an activation that is watched. It is made without a call of `__init__`, in half the time."""

    __slots__ = ()

    __init__ = object.__init__  # pyright: ignore[reportAssignmentType] - of one that is not made elsewhere


new_path: Any = _Step


class Watch:
    """Makes events and hands them to the observers.

    The two events of each step are made by `dispatch` itself: what they take is paid in each of a million steps. It has
    a reading of `perf_counter` anyhow; the clock of trio, unless it is virtual, is the same one with an `offset`.
    """

    __slots__ = ("_calls", "now", "observer", "observers", "offset", "run", "sequence")

    def __init__(self, run: str, observers: Iterable[Observer]) -> None:
        clock: Any = trio.lowlevel.current_clock()
        self.run = run
        # The number of the next event.
        self.sequence = 0
        self.now: Callable[[], float] = clock.current_time
        # None if the time is not that of `perf_counter`.
        self.offset: float | None = clock.offset if _is_system_clock(clock) else None
        self.observers = list(observers)
        self._set_calls()

    def _set_calls(self) -> None:
        # How they are called. Replaced, never changed: who is told of an event was there when it happened.
        self._calls = tuple(map(_call_of, self.observers))
        # All in one. May raise only if it is one alone; `failed` sees to that.
        self.observer: Observer = self._calls[0] if len(self._calls) == 1 else self._call_all

    def add(self, observer: Observer) -> None:
        """Tell this one too, from now on."""
        self.observers.append(observer)
        self._set_calls()

    def remove(self, observer: Observer) -> None:
        """Tell this one no more. Without effect if it is not there."""
        if observer in self.observers:
            self.observers.remove(observer)
        self._set_calls()

    def tell(self, kind: Callable[..., Event], path: Path, node: str | None, *details: Any) -> None:
        """Make an event and call every observer. One that raises is reported and removed (E4)."""
        if path.graph and node is not None:
            node = path.graph + node  # C8
        sequence = self.sequence
        self.sequence = sequence + 1
        self._call_all(kind(self.run, sequence, self.now(), path, node, *details))

    def _call_all(self, event: Event) -> None:
        for call in self._calls:
            try:
                call(event)
            except Exception as error:
                self.failed(call, error)

    def failed(self, call: Observer, error: Exception) -> None:
        """E4: an observer that raises is reported and removed; the run goes on whatever it does."""
        observer = next((each for each in self.observers if _call_of(each) == call), None)
        if observer is None:
            return  # it failed before, in an event of its own making
        self.remove(observer)
        _log.error("Observer %r failed and was removed from run %s", observer, self.run, exc_info=error)
        self.tell(ObserverFailed, ROOT, None, repr(observer), error)


def _is_system_clock(clock: Any) -> bool:
    """Whether it is `perf_counter` plus its attribute `offset`: trio's own, which it does not export."""
    kind: type[Any] = type(clock)
    return kind.__module__.startswith("trio.") and kind.__name__ == "SystemClock" and hasattr(clock, "offset")


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
