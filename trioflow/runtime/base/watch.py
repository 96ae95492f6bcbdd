"""Observers: they watch and never change (E3, E4). A run that nobody watches has no `Watch` at all.

An observer says which kinds of events it wants, and the rest is not made: who wants to know of failures alone costs
nothing where nothing fails.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from functools import partial
from time import perf_counter
from types import FunctionType, MethodType, TracebackType
from typing import TYPE_CHECKING, Any

import trio

from trioflow.model.sockets import UNSET
from trioflow.model.values import own_copy
from trioflow.semantics.address import Selector, selector
from trioflow.semantics.events import (
    ROOT,
    EvaluationCompleted,
    EvaluationReused,
    EvaluationStarted,
    Event,
    EventsDropped,
    Kind,
    NodeCompleted,
    NodeSkipped,
    NodeStarted,
    ObserverFailed,
    Path,
    Told,
    kinds_of,
)
from trioflow.semantics.identity import Identity
from trioflow.semantics.store import Cell

if TYPE_CHECKING:
    from trioflow.semantics.plan import PlanNode

Observer = Callable[[Event], None]
"""Called with each event, in the order of its sequence numbers, in the task that caused it. Must not block.

It gets all kinds, unless it has an attribute `kinds`: classes of events, their names, or names of groups. With an
attribute `values` that is true, the ends of activations and evaluations tell what was written. `observe` gives both.
With an attribute `keys` that is false it does without the keys of evaluations (E5), which are empty then, if all do.
"""

_log = logging.getLogger("trioflow")

new_started: Any = NodeStarted.__new__
new_completed: Any = NodeCompleted.__new__
new_evaluating: Any = EvaluationStarted.__new__
new_evaluated: Any = EvaluationCompleted.__new__
new_reused: Any = EvaluationReused.__new__


class Observing:
    """An observer that wants some events only."""

    __slots__ = ("_call", "_selects", "keys", "kinds", "nodes", "values")

    def __init__(
        self, call: Observer, kinds: Collection[Kind] | None, nodes: Collection[str] | None, *, values: bool
    ) -> None:
        self._call = call
        self.kinds = None if kinds is None else kinds_of(kinds)
        self.nodes: Selector | None = None if nodes is None else selector(nodes)
        self.values = values
        self.keys: bool = getattr(call, "keys", True)

    def __call__(self, event: Event) -> None:
        nodes = self.nodes
        if nodes is None or (event.node is not None and nodes.names_node(event.node)):
            self._call(event)

    def __repr__(self) -> str:
        return f"<observing by {self._call!r}>"


def observe(
    call: Observer,
    *,
    kinds: Collection[Kind] | None = None,
    nodes: Collection[str] | None = None,
    values: bool = False,
) -> Observing:
    """An observer that is told only of some kinds of events, and of some nodes.

    `kinds`: classes of `trioflow.events`, their names, or groups (`steps`, `data`, `strands`, `run`, `messages`,
    `failures`); None for all. What nobody wants is not made, so a run pays for what is asked. `nodes`: names of nodes
    (`work`, `call/work`), and `call/*` for all in a graph that is called; events that belong to no node are left out
    then. `values`: `NodeCompleted` and `EvaluationCompleted` tell what was written. Raises `UnknownName` for kinds that
    do not exist.
    """
    return Observing(call, kinds, nodes, values=values)


class Watch:
    """Makes events and hands them to the observers that want them.

    The two events of each step are made by `dispatch` itself: what they take is paid in each of a million steps. It has
    a reading of `perf_counter` anyhow; the clock of trio, unless it is virtual, is the same one with an `offset`.
    """

    __slots__ = (
        "_by_kind", "_calls", "completed", "data", "evaluation_completed", "evaluation_reused", "evaluation_started",
        "keys", "now", "observers", "offset", "run", "sequence", "started", "steps", "told", "values",
    )  # fmt: skip

    def __init__(self, run: str, observers: Iterable[Observer], start: float = 0.0) -> None:
        self.run = run
        self.told = Told(run)
        # The number of the next event.
        self.sequence = 0
        self.begin(start)
        self.observers = list(observers)
        self._set_calls()

    def begin(self, start: float) -> None:
        """Times are seconds since this moment of trio's clock, at which the run began."""
        clock: Any = trio.lowlevel.current_clock()
        current: Callable[[], float] = clock.current_time
        self.now: Callable[[], float] = current if start == 0 else lambda: current() - start
        # None if the time is not that of `perf_counter`.
        self.offset: float | None = clock.offset - start if is_system_clock(clock) else None

    def _set_calls(self) -> None:
        # How they are called. Replaced, never changed: who is told of an event was there when it happened.
        self._calls = [(_call_of(each), _kinds_of(each)) for each in self.observers]
        self._by_kind: dict[type[Event], Observer | None] = {}
        self.started = self.call_for(NodeStarted)
        self.completed = self.call_for(NodeCompleted)
        self.evaluation_started = self.call_for(EvaluationStarted)
        self.evaluation_completed = self.call_for(EvaluationCompleted)
        self.evaluation_reused = self.call_for(EvaluationReused)
        # Whether each evaluation has to be looked at, and each step. What ends badly is told without that.
        seen_in_data = (EvaluationStarted, EvaluationCompleted, EvaluationReused)
        self.data = any(self.call_for(kind) is not None for kind in seen_in_data)
        # Whether evaluations have to be known by what went into them.
        self.keys = any(
            getattr(each, "keys", True)
            for each, (_, kinds) in zip(self.observers, self._calls, strict=True)
            if any(_wants(kinds, kind) for kind in seen_in_data)
        )
        seen_in_steps = (NodeStarted, NodeCompleted, NodeSkipped)
        self.steps = self.data or any(self.call_for(kind) is not None for kind in seen_in_steps)
        self.values = any(getattr(each, "values", False) for each in self.observers)

    def call_for(self, kind: type[Event]) -> Observer | None:
        """Who is told of events of a kind: all of them in one. May raise only if it is one alone; None for nobody."""
        try:
            return self._by_kind[kind]
        except KeyError:
            calls = tuple(call for call, kinds in self._calls if _wants(kinds, kind))
            found: Observer | None = calls[0] if len(calls) == 1 else None
            if len(calls) > 1:
                found = partial(self._tell, calls)
            self._by_kind[kind] = found
            return found

    def add(self, observer: Observer) -> None:
        """Tell this one too, from now on. Raises `UnknownName` for kinds that do not exist."""
        _kinds_of(observer)
        self.observers.append(observer)
        self._set_calls()

    def remove(self, observer: Observer) -> None:
        """Tell this one no more. Without effect if it is not there."""
        if observer in self.observers:
            self.observers.remove(observer)
        self._set_calls()

    def end(self) -> None:
        """The run is over: nothing is kept of those who were told, as with several of them it would lead back here."""
        self.observers = []
        self._set_calls()

    def wanted(self) -> tuple[type[Event], ...] | None:
        """The kinds that anybody wants; None if somebody wants all."""
        kinds = [kinds for _, kinds in self._calls]
        return None if None in kinds else tuple({each for found in kinds if found is not None for each in found})

    def tell_again(self, event: Event, told: Told, at: float, path: Path, node: str | None) -> None:
        """Tell an event that was told elsewhere, at that time."""
        call = self.call_for(type(event))
        if call is None:
            return
        event.told(told, self.sequence, at, path, node)
        self.sequence += 1
        try:
            call(event)
        except Exception as error:
            self.failed(call, error)

    def tell(self, event: Event, told: Told | None, line: Any, node: str | None) -> None:
        """Complete an event and tell all who want its kind. One that raises is reported and removed (E4)."""
        call = self.call_for(type(event))
        if call is None:
            return
        sequence = self.sequence
        self.sequence = sequence + 1
        event.told(told or self.told, sequence, self.now(), getattr(line, "asker", None) or line, node)
        try:
            call(event)
        except Exception as error:
            self.failed(call, error)

    def evaluating(self, activation: Any, node: str) -> float:
        """Tell that a data node's body starts; returns when."""
        began = self.now() if self.offset is None else self.offset + perf_counter()
        call = self.evaluation_started
        if call is not None:
            # As `Event.told` would do, for a kind that is not frozen.
            strand = activation.strand
            event = new_evaluating(EvaluationStarted)
            event._told = strand.told or strand.tell_as(self.run)
            event._sequence = self.sequence
            self.sequence += 1
            event._time = began
            event._line = activation.asker or activation
            event._node = node
            try:
                call(event)
            except Exception as error:
                self.failed(call, error)
        return began

    def evaluated(
        self, activation: Any, node: PlanNode, key: Identity | None, began: float | None, values: Sequence[Any]
    ) -> None:
        """Tell that it has ended well, with the values that it made, in the order of its outputs."""
        call = self.evaluation_completed
        if call is None:
            return
        strand = activation.strand
        event = new_evaluated(EvaluationCompleted)
        event._told = strand.told or strand.tell_as(self.run)
        event._sequence = self.sequence
        self.sequence += 1
        event._time = self.now() if self.offset is None else self.offset + perf_counter()
        event._line = activation.asker or activation
        event._node = node.id
        event._key = key
        event._began = began
        event._outputs = _outputs(node, values) if self.values else None
        try:
            call(event)
        except Exception as error:
            self.failed(call, error)

    def reused(self, activation: Any, node: str, key: Identity | None) -> None:
        """Tell that a demand was answered from an earlier evaluation."""
        call = self.evaluation_reused
        if call is None:
            return
        strand = activation.strand
        event = new_reused(EvaluationReused)
        event._told = strand.told or strand.tell_as(self.run)
        event._sequence = self.sequence
        self.sequence += 1
        event._time = self.now() if self.offset is None else self.offset + perf_counter()
        event._line = activation.asker or activation
        event._node = node
        event._key = key
        try:
            call(event)
        except Exception as error:
            self.failed(call, error)

    def _tell(self, calls: tuple[Observer, ...], event: Event) -> None:
        for call in calls:
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
        self.tell(ObserverFailed(repr(observer), error), None, ROOT, None)


def _outputs(node: PlanNode, values: Sequence[Any]) -> dict[str, Any]:
    return {
        output.name: own_copy(value.value if isinstance(value, Cell) else value)  # E4
        for output, value in zip(node.type.outputs, values, strict=True)
        if value is not UNSET
    }


def _wants(kinds: tuple[type[Event], ...] | None, kind: type[Event]) -> bool:
    """Whether an observer of these kinds, or of all, is told of a kind."""
    return not kind.on_request if kinds is None else issubclass(kind, kinds)


def _kinds_of(observer: Observer) -> tuple[type[Event], ...] | None:
    kinds = getattr(observer, "kinds", None)
    return None if kinds is None else kinds_of(kinds)


def is_system_clock(clock: Any) -> bool:
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
    takes their place: the run never waits for a slow consumer. Events of the kinds `keep` are never dropped. Ends when
    the run has ended. As a context manager it unsubscribes where the block ends.
    """

    def __init__(
        self,
        buffer: int,
        unsubscribe: Callable[[Observer], None],
        *,
        kinds: Collection[Kind] | None = None,
        nodes: Collection[str] | None = None,
        keep: Collection[Kind] = (),
        values: bool = False,
    ) -> None:
        if buffer < 1:
            raise ValueError(f"events(buffer=...) must be at least 1, got {buffer}.")
        self.kinds = None if kinds is None else kinds_of(kinds)
        self.values = values
        self._nodes = None if nodes is None else selector(nodes)
        self._keep = kinds_of(keep)
        # Events that may not be dropped.
        self._kept: deque[Event] = deque()
        self._buffer: deque[Event] = deque()
        self._size = buffer
        self._dropped = 0
        self._last_dropped: Event | None = None
        self._ended = False
        self._arrival = trio.Event()
        self._unsubscribe = unsubscribe

    def __call__(self, event: Event) -> None:
        """Take an event in: a subscription is an observer."""
        nodes = self._nodes
        if nodes is not None and (event.node is None or not nodes.names_node(event.node)):
            return
        if self._keep and isinstance(event, self._keep):
            self._kept.append(event)
        else:
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
        while not (self._buffer or self._kept):
            if self._ended:
                raise StopAsyncIteration
            self._arrival = trio.Event()
            await self._arrival.wait()
        first = self._buffer[0] if self._last_dropped is None and self._buffer else self._last_dropped
        if self._kept and (first is None or self._kept[0].sequence < first.sequence):
            return self._kept.popleft()
        if self._last_dropped is not None:
            last, self._last_dropped = self._last_dropped, None
            count, self._dropped = self._dropped, 0
            return EventsDropped(count).at(last.run, last.sequence, last.time, last.path, last.node, last.strand)
        return self._buffer.popleft()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        held = len(self._buffer) + len(self._kept)
        return f"<Subscription: {held} of {self._size} buffered, {self._dropped} dropped>"
