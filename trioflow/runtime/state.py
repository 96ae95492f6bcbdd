"""What all strands of one run share."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Any, cast

import trio

from trioflow.errors import DepthExceeded, LimitExceeded, UnknownName, did_you_mean
from trioflow.model.clock import SYSTEM_CLOCK, Clock
from trioflow.model.context import Services
from trioflow.model.values import own_copy
from trioflow.runtime.frame import GraphFrame, new_store
from trioflow.runtime.gate import Gate
from trioflow.runtime.options import MAX_NESTING, RunStatus
from trioflow.runtime.schedule import current_schedule
from trioflow.semantics.events import ROOT, Event, LimitReached, Path, Told
from trioflow.semantics.plan import Plan, PlanNode, Target
from trioflow.semantics.store import Store, new_cell

if TYPE_CHECKING:
    from trioflow.runtime.calls import Template
    from trioflow.runtime.demand import Pending
    from trioflow.runtime.given import Given
    from trioflow.runtime.line import Line
    from trioflow.runtime.strand import Strand
    from trioflow.runtime.watch import Watch
    from trioflow.runtime.wraps import Wraps


class RunServices(Services):
    """The services that the host passed."""

    __slots__ = ("_services",)

    def __init__(self, services: Mapping[type | str, Any]) -> None:
        self._services = services

    def get(self, key: type[Any] | str) -> Any:
        if key in self._services:
            return self._services[key]
        if isinstance(key, type):
            for service in self._services.values():
                if isinstance(service, key):
                    return service
        if key is Clock:
            return SYSTEM_CLOCK
        every = [known if isinstance(known, str) else known.__qualname__ for known in self._services]
        names = [name for name in every if not name.startswith("_")]  # a private one is none of the node's business
        wanted = key if isinstance(key, str) else key.__qualname__
        raise UnknownName(
            f"This run has no service {wanted!r}.{did_you_mean(wanted, names)} It has: {', '.join(names) or 'none'}. "
            f"Pass it to whoever runs the graph: services={{{wanted!r}: ...}}."
        )


class RunState(GraphFrame):
    """The parts of a run that its strands touch; at the same time the frame of its outermost graph.

    `fuel` is the one number that a dispatch looks at: it counts down to the next moment at which something else must
    be looked at, be it the scheduler's turn, a limit or the gate. There were `granted - fuel - evaluations` steps.
    """

    __slots__ = (
        "_number", "_resting", "_waits", "activate", "bases", "budget", "data_watch", "defaults", "ended",
        "ended_forks", "evaluations", "exhausted", "forks", "fuel", "granted", "in_progress", "made_gate", "max_depth",
        "max_steps", "next_serial", "nursery", "observed", "options", "resumed", "root_task", "schedule", "secrets",
        "services", "settled_status", "started_at", "stops", "templates", "turn_after", "turn_due", "watch", "wraps",
    )  # fmt: skip

    def __init__(
        self, number: int, plan: Plan, given: Given, activate: Callable[..., Any], wraps: Wraps | None = None
    ) -> None:
        super().__init__(plan, 0)
        options = given.options
        self._number = number
        self.options = options
        self.services = RunServices(given.services)
        self.secrets = given.secrets
        self.activate = activate
        self.wraps = wraps
        self.templates: dict[tuple[Plan, str | None], Template] = {}
        # Of the inputs of the outermost graph, which nobody calls.
        self.defaults = [
            each if each is None else new_cell(own_copy(each.value), each.serial, each.origin) for each in plan.defaults
        ]
        # How many nodes the frames so far have (C3).
        self.bases = len(plan.nodes)
        # Who watches, or has done; the same while steps have to be looked at; and while data nodes have to be.
        self.observed: Watch | None = None
        self.watch: Watch | None = None
        self.data_watch: Watch | None = None
        # The strand that came last to run. It alone may be in the middle of a body when somebody begins to watch.
        self.resumed: Strand | None = None
        self.fuel = 0
        self.granted = 0
        self.evaluations = 0
        self.max_depth = options.max_depth
        self.max_steps: float = math.inf if options.max_steps is None else options.max_steps
        # Data nodes that are being evaluated, by node and inputs (D5).
        self.in_progress: dict[tuple[int, ...], Pending] = {}
        self.schedule = current_schedule.get()
        self.turn_after = options.turn_after
        # When the scheduler gets its next turn at the latest (T2), on the clock of perf_counter.
        self.turn_due = 0.0
        self.next_serial = itertools.count().__next__
        self.forks = 0
        self.ended_forks = 0
        # Strands that wait at the gate, or for other strands (G2).
        self._resting = 0
        self._waits: dict[trio.Event, Strand] = {}
        self.started_at: float | None = None
        self.ended = False
        # What is cancelled when the host's budget is used up, and what the run then fails with (R8).
        self.budget: trio.CancelScope | None = None
        self.exhausted: LimitExceeded | None = None
        self.settled_status: RunStatus | None = None
        # The gate, if somebody has asked for it, and the nodes whose dispatches must look at it though it is open.
        self.made_gate: Gate | None = None
        self.stops: Container[PlanNode] | None = None
        # Around the run, for what the host asks to happen later.
        self.nursery: trio.Nursery | None = None
        # The task under which all strands are, for those who look where they are.
        self.root_task: trio.lowlevel.Task | None = None

    @property
    def id(self) -> str:
        """Unique in this process, and unlikely to be met in another one."""
        return f"{os.getpid():x}-{self._number:x}"

    @property
    def gate(self) -> Gate:
        """The gate, made when somebody asks: nobody can close that of a run without a host.

        A run with a gate is a circle, which is only freed when the garbage collector comes by.
        """
        if self.made_gate is None:
            self.made_gate = Gate(self)
        return self.made_gate

    @property
    def gated(self) -> bool:
        """Whether all dispatches must look at the gate."""
        return self.made_gate is not None and self.made_gate.closed

    @property
    def strands(self) -> int:
        """Strands that are there now."""
        return self.forks - self.ended_forks + (self.started_at is not None and not self.ended)

    @property
    def busy(self) -> int:
        """Strands that neither wait at the gate nor for others (G2). The first is on its way from the beginning."""
        return self.forks - self.ended_forks + (not self.ended) - self._resting

    @property
    def parked(self) -> int:
        """Strands that wait at the gate."""
        return 0 if self.made_gate is None else self.made_gate.parked

    @property
    def steps(self) -> int:
        """Dispatches so far."""
        return self.granted - self.fuel - self.evaluations

    @property
    def status(self) -> RunStatus:
        """What the run is doing (R3)."""
        if self.settled_status is not None:
            return self.settled_status
        if self.started_at is None:
            return RunStatus.NOT_STARTED
        return RunStatus.PAUSED if self.made_gate is not None and self.made_gate.closed else RunStatus.RUNNING

    def watch_by(self, watch: Watch) -> None:
        """From now on this watches, also when its observers have changed."""
        self.observed = watch
        self.watch = watch if watch.steps else None
        self.data_watch = watch if watch.data else None
        if self.resumed is not None and self.resumed.task is not None:
            self.resumed.look_again()

    def new_store(self) -> Store:
        """The store that the run starts with: variables at their defaults; so are inputs, for nobody calls."""
        store = new_store(self.plan, self)
        if self.plan.enter is not None and self.plan.enter.first_output >= 0:
            for place, default in enumerate(self.defaults):
                store.cells[self.plan.enter.first_output + place] = default
        return store

    def new_base(self, plan: Plan) -> int:
        """The number of the first node of a new frame."""
        base = self.bases
        self.bases += len(plan.nodes)
        return base

    def rest(self) -> None:
        """A strand starts to wait for the gate, or for other strands."""
        self._resting += 1
        self.look_around()

    def wake(self) -> None:
        """A strand goes on."""
        self._resting -= 1

    def look_around(self) -> None:
        """A strand waits, or has ended: tell the gate if all do."""
        if self.made_gate is not None and not self.busy:
            self.made_gate.all_quiet()

    async def wait(self, strand: Strand, event: trio.Event) -> None:
        """Wait for another strand or the gate, which calls `rouse`; meanwhile this strand counts as parked (G2).

        A body may wait in several tasks of its own: its strand is parked once, until none of them waits.
        """
        strand = strand.outermost
        self._waits[event] = strand
        strand.waits += 1
        if strand.waits == 1:
            self.rest()
        try:
            await event.wait()
        finally:
            self.rouse(event)  # it was cancelled, if nobody has roused it

    def rouse(self, event: trio.Event) -> None:
        """Let the strand that waits for the event go on. It is awake from now on, not from when trio gets to it."""
        strand = self._waits.pop(event, None)
        if strand is not None:
            strand.waits -= 1
            if not strand.waits:
                self.wake()
            event.set()

    def stop_coasting(self) -> None:
        """Make the next dispatch of every strand look at the gate."""
        if self.fuel > 0:
            self.granted -= self.fuel
            self.fuel = 0

    async def take_turn(self) -> None:
        """Give the scheduler its turn (T2)."""
        await trio.lowlevel.checkpoint()
        self.turn_due = time.perf_counter() + self.turn_after

    async def turn_of(self, letter: str, line: Line, node: PlanNode) -> None:
        """Under a controlled schedule, wait until this strand may go on. The letter says at what kind of point."""
        assert self.schedule is not None
        await self.schedule.turn(f"{letter} {line.where} {node.id}")

    async def pass_gate(self, strand: Strand, line: Line, target: Target) -> None:
        """The rare part of a dispatch: fuel has run out, the scheduler's turn is due, or a breakpoint may be here.

        Cancellation check, gate, limits, in this order (T2).
        """
        node = target.node
        self.fuel += 1  # this dispatch is not granted yet
        if self.schedule is not None:
            await self.schedule.turn(f"d {Path(line.where, line.count)} {node.id}")
        elif self.fuel < 1 or time.perf_counter() > self.turn_due:
            await self.take_turn()
        if self.made_gate is not None and (self.made_gate.closed or self.stops is not None):
            await self.made_gate.wait(strand, line, target)
        if self.steps >= self.max_steps:  # R8
            await self.exhaust(line, node, strand)
        self.refuel()
        self.fuel -= 1

    async def pass_evaluation(self, line: Line, node: PlanNode) -> None:
        """The rare part of an evaluation: it gets its turn and its fuel, but demands are never gated (G1)."""
        if self.schedule is None:
            await self.take_turn()
        else:
            await self.turn_of("e", line, node)
        self.refuel()

    def refuel(self) -> None:
        """Grant dispatches that need not look at gate, limits and scheduler, if it is time to."""
        if self.fuel < 1:
            every = 0 if self.gated or self.schedule is not None else self.options.turn_every
            more = int(min(every, self.max_steps - self.steps))
            self.granted += more - self.fuel
            self.fuel = more

    async def exhaust(self, line: Line, node: PlanNode, strand: Strand) -> None:
        """The host's budget of steps is used up: cancel the run, which fails with that, and no body can catch it."""
        assert self.budget is not None
        where = line.where.within(strand.frame.prefix)
        error = self.exhausted or self.reached("steps", self.max_steps, where, node)
        if not self.budget.cancel_called:
            self.exhausted = error
            self.budget.cancel()
        await trio.lowlevel.checkpoint()
        raise error  # in a shielded scope, which the cancellation does not reach

    def reached(self, limit: str, value: float, where: Path, node: PlanNode | None = None) -> LimitExceeded:
        """Report a limit; gives the error (R8)."""
        if self.observed is not None:
            told = Told(self.id, where.graph)
            self.observed.tell(LimitReached(limit, value), told, where, node.id if node else None)
        at = f" at node {where.graph + node.id!r}" if node else ""
        return LimitExceeded(
            f"The run reached its limit of {value:g} {limit}{at} (activation {where.short}). If the graph is "
            f"meant to go on for longer, raise RunOptions(max_{limit}=...).",
            limit=limit,
            value=value,
        )

    def count_nurseries(self, line: Line, node: str, limit: int = MAX_NESTING) -> None:
        """F8: whoever opened them, trio must not be brought near the number at which it dies."""
        count = 0
        task: trio.lowlevel.Task | None = trio.lowlevel.current_task()
        while task is not None:
            count += len(task.child_nurseries)
            task = task.parent_nursery.parent_task if task.parent_nursery is not None else None
        if count < limit:
            return
        self.tell(LimitReached, line, node, "nesting", MAX_NESTING)
        raise DepthExceeded(
            f"More than {MAX_NESTING} nurseries are open inside each other at node {node!r}: its body, and those "
            "around it, open a nursery around a trigger or a lazy input. Trigger and ask outside of the nursery.",
            limit="nesting",
            value=MAX_NESTING,
        )

    def lasted(self, began: float | None) -> float | None:
        """Seconds since something began, for the event that tells of its end; None if nobody watched then or now."""
        return None if self.observed is None or began is None else self.observed.now() - began

    def tell_of(self, event: Event, strand: Strand, line: Line | Path, node: str) -> None:
        """Tell observers an event that somebody else has made (A8)."""
        if self.observed is not None:
            self.observed.tell(event, strand.told or strand.tell_as(self.id), line, node)

    def tell(self, kind: Callable[..., Event], line: Any, node: str | None, *details: Any) -> None:
        """Tell observers, if any wants this kind. The line is where it happens: an activation, a view, a fork."""
        observed = self.observed
        if observed is None or observed.call_for(cast("type[Event]", kind)) is None:
            return
        if line is None:
            observed.tell(kind(*details), None, ROOT, node)
            return
        strand: Strand | None = getattr(line, "strand", None)
        told = Told(self.id, line.where.graph) if strand is None else strand.told or strand.tell_as(self.id)
        observed.tell(kind(*details), told, line, node)
