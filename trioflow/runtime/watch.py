"""Observers: they watch and never change (E3, E4). A run that nobody watches has no `Watch` at all."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from time import perf_counter
from types import FunctionType, MethodType, TracebackType
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from trioflow.runtime.activation import Activation

Observer = Callable[[Event], None]
"""Called with each event, in the order of its sequence numbers, in the task that caused it. Must not block."""

_log = logging.getLogger("trioflow")

_NodeStarted = unsealed(NodeStarted)
_NodeCompleted = unsealed(NodeCompleted)


class _Step(Path):
    """The path of an activation that is watched. It is made without a call of `__init__`, in half the time."""

    __slots__ = ()

    __init__ = object.__init__  # pyright: ignore[reportAssignmentType] - of one that is not made elsewhere


_new_step: Any = _Step


class Watch:
    """Makes events and hands them to the observers.

    `started` and `completed` are `tell` for the two events of each step, written out for speed: what an event takes is
    paid twice in each of a million steps. They get the reading of `perf_counter` that the dispatch needs anyhow; the
    clock of trio, unless it is virtual, is the same one with an offset.
    """

    __slots__ = ("_call", "_calls", "_now", "_offset", "_run", "_sequence", "observers")

    def __init__(self, run: str, observers: Iterable[Observer]) -> None:
        clock: Any = trio.lowlevel.current_clock()
        self._run = run
        self._sequence = 0
        self._now: Callable[[], float] = clock.current_time
        self._offset: float | None = clock.offset if _is_system_clock(clock) else None
        self.observers = list(observers)
        self._set_calls()

    def _set_calls(self) -> None:
        # How they are called. Replaced, never changed: who is told of an event was there when it happened.
        self._calls = tuple(map(_call_of, self.observers))
        self._call: Observer = self._calls[0] if len(self._calls) == 1 else self._call_all

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
        sequence = self._sequence
        self._sequence = sequence + 1
        self._call_all(kind(self._run, sequence, self._now(), path, node, *details))

    def started(self, activation: Activation, prefix: str, entered: str | None, now: float) -> None:
        """E1: NodeStarted, at `now` of `perf_counter`. Gives the activation its path."""
        parent: Any = activation.parent
        path: Any = _new_step()
        path.parent = parent._where or parent.where
        path.index = activation.index
        path.graph = prefix
        activation._where = path
        offset = self._offset
        node = activation.plan.id
        event = _NodeStarted()
        event.run = self._run
        event.sequence = sequence = self._sequence
        self._sequence = sequence + 1
        event.time = self._now() if offset is None else offset + now
        event.path = path
        event.node = prefix + node if prefix else node  # C8
        event.entered = entered
        event.__class__ = NodeStarted
        call = self._call
        try:
            call(event)
        except Exception as error:
            self._failed(call, error)

    def completed(self, activation: Activation, prefix: str, handed_over: str | None) -> None:
        """E1: NodeCompleted."""
        offset = self._offset
        node = activation.plan.id
        event = _NodeCompleted()
        event.run = self._run
        event.sequence = sequence = self._sequence
        self._sequence = sequence + 1
        event.time = self._now() if offset is None else offset + perf_counter()
        event.path = activation._where or activation.where
        event.node = prefix + node if prefix else node  # C8
        event.handed_over = handed_over
        event.__class__ = NodeCompleted
        call = self._call
        try:
            call(event)
        except Exception as error:
            self._failed(call, error)

    def _call_all(self, event: Event) -> None:
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
