"""What a host does in a run of its own: cancel it, publish events in a strand of its own, wait for its end (B1, R2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from trioflow.errors import RunFinished
from trioflow.runtime.base.names import listeners
from trioflow.runtime.base.records import Line, RunState, Strand, new_strand
from trioflow.runtime.base.task import HotTask
from trioflow.runtime.base.turns import rouse, wait_for
from trioflow.runtime.base.watch import Observer, Subscription
from trioflow.runtime.dispatch import drive
from trioflow.runtime.host.agenda import agenda_line, handle
from trioflow.runtime.host.execution import beginnings
from trioflow.runtime.strands.forks import OpenForks, StrandFork
from trioflow.semantics.plan import Target
from trioflow.semantics.store import Store


class HostEvent:
    """An event that the host published, until it is handled."""

    __slots__ = ("handled", "targets")

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = targets
        self.handled = trio.Event()


class Hosted:
    """The control of a run that a host takes part in."""

    def __init__(self) -> None:
        self._cancelled_by = trio.CancelScope()
        self.scope: trio.CancelScope | None = self._cancelled_by
        self.finished = trio.Event()
        self.closed = False
        # Whether the strand of the host's events is forked where the run begins, and not when the first one arrives.
        self.begins_early = False
        self._state: RunState | None = None
        # Events that are not handled yet, in the order in which they were published.
        self.events: deque[HostEvent] = deque()
        self.subscriptions: list[Subscription] = []
        # Whether the host has got the failure from `result`.
        self.failure_seen = False
        self._fork: StrandFork | None = None
        self._waits: trio.Event | None = None
        self._accepts = True
        self._start_strand: Any = None
        # Is awaited where the strand of the host's events begins, and after each event.
        self.between: Callable[[Strand, Line], Awaitable[None]] | None = None

    async def run_graph(self, state: RunState, store: Store) -> None:
        """R2: the initiators, one after the other or in parallel, and the events of the host, in one block of forks."""
        self._state = state
        state.root_task = trio.lowlevel.current_task()
        root = Line(None)
        strand = new_strand(state, store, 0)
        begins = beginnings(state, root)
        later = agenda_line(root)
        async with OpenForks(root, strand, None) as forks:
            self._start_strand = lambda: forks.start(self._handle_events, limited=False)
            if self.events or self.begins_early:
                self._fork = self._start_strand()
            try:
                for line, targets in begins:
                    if state.options.parallel_initiators:
                        forks.start((*targets,), line=line)
                    else:
                        await drive(strand, line, targets)
                if state.options.parallel_initiators:
                    await forks.wait_until(lambda: forks.in_flight == (self._fork is not None))
                if state.options.stay_open or state.agenda is not None:
                    await handle(state, strand, later, self._stays_open)
            finally:
                self._accepts = False
            if self._waits is not None:
                rouse(state, self._waits)
        if state.agenda is not None:
            await handle(state, strand, later)  # what the host's events have put off in the end

    def close(self) -> None:
        """Let a run that stays open end when it has nothing left to do."""
        self.closed = True
        if self._state is not None and self._state.agenda is not None:
            self._state.agenda.look()

    def _stays_open(self) -> bool:
        return self._state is not None and self._state.options.stay_open and not self.closed

    def settled(self, state: RunState) -> None:
        """The run has ended: whoever waits for something of it goes on."""
        self._state = None
        self._accepts = False
        state.root_task = state.nursery = None
        if state.barrier is not None:
            state.barrier.end()
        self.finished.set()
        for event in self.events:
            event.handled.set()
        for subscription in tuple(self.subscriptions):
            subscription.end()

    def cancel(self) -> None:
        """Cancel the run by itself."""
        self._cancelled_by.cancel()

    def publish(self, state: RunState, event: str, payload: object) -> HostEvent:
        """Publish an event from outside. Raises `UnknownName` or `RunFinished`."""
        if not self._accepts:
            raise RunFinished(f"The run takes no events any more: {event!r} was not published.")
        published = HostEvent(listeners(state.plan, event, payload))
        self.events.append(published)
        if self._fork is None and self._start_strand is not None:
            self._fork = self._start_strand()
        if self._waits is not None:
            rouse(state, self._waits)
        return published

    def unsubscribe(self, state: RunState, observer: Observer) -> None:
        """Tell this observer no more. Without effect if it is not told."""
        watch = state.observed
        if watch is not None and observer in watch.observers:
            watch.remove(observer)
            state.watch_by(watch)

    async def _handle_events(self, strand: Strand, line: Line, _task: HotTask) -> None:
        """B1: in arrival order, in a strand of the host's own."""
        between = self.between
        if between is not None:
            await between(strand, line)
        while True:
            while self.events:
                event = self.events[0]
                await drive(strand, line, event.targets)
                self.events.popleft()
                event.handled.set()
                if between is not None:
                    await between(strand, line)
            if not self._accepts:
                return
            self._waits = trio.Event()
            try:
                await wait_for(strand.run, strand, self._waits)
            finally:
                self._waits = None
