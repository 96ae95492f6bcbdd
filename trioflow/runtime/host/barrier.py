"""The barrier: what every dispatch awaits while the gate is closed, a trio event for each that waits (G1-G8).

While it is open, only dispatches of nodes with a breakpoint look at it: `stops` of the run's state says which. The gate
is what a host has of it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import attrs
import trio

from trioflow.runtime.base.failure import is_cancellation, leaves
from trioflow.runtime.base.records import Activation, Line, RunState, Strand
from trioflow.runtime.base.turns import rouse, stop_coasting, wait_for
from trioflow.runtime.host.breakpoints import Breakpoint
from trioflow.semantics.address import wire_within
from trioflow.semantics.events import BreakpointFailed, BreakpointHit, Path, PauseReason, RunPaused, RunResumed
from trioflow.semantics.plan import PlanNode, Target
from trioflow.semantics.store import Cell

_SEEN = "__trioflow_stopped__"
"""On a failure at which a run has stopped: the run's id."""


@attrs.frozen
class Parked:
    """A dispatch that waits at the gate, or an activation that has failed and waits before its failure goes on."""

    path: Path
    """Of the activation that is to start, or that has failed."""
    node: str
    """The node, as seen from the outermost graph: `call/work`."""
    wire: str | None
    """The connection over which it comes (G8); None for initiators, listeners and failures."""
    strand: int
    """The number of the strand."""
    since: float
    """Seconds since the run began, as `event.time`."""
    error: BaseException | None = None
    """What the activation has failed with, where a breakpoint on failures has stopped it."""


@attrs.frozen(eq=False)
class Waiting:
    """Who waits: what is told of it, and for those who look inside, the strand and where in it."""

    told: Parked
    strand: Strand
    line: Line
    node: PlanNode


@attrs.frozen
class Step:
    """A step by path of one strand: everything below `below` passes; None for `into`, where nothing more does."""

    reason: PauseReason
    below: tuple[int, ...] | None


class Barrier:
    """Holds dispatches back and touches no store, so it changes no result (G4)."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        # Why it is closed; None while it is open.
        self.reason: PauseReason | None = None
        # Who waits, in order of arrival.
        self.waiting: OrderedDict[trio.Event, Waiting] = OrderedDict()
        # How many more dispatches may pass though it is closed, and who was let pass and has not gone on yet.
        self._permits = 0
        self._stepping: set[trio.Event] = set()
        # Steps by path, by the numbers of the strands that make them; each is over when its strand comes to wait again.
        self._steps: dict[int, Step] = {}
        self.breakpoints: dict[str, Breakpoint] = {}
        self._at_failures: list[Breakpoint] = []
        self._writes = 0
        # Until it opens by itself.
        self._timer: trio.CancelScope | None = None
        self._quiet = trio.Event()

    @property
    def closed(self) -> bool:
        """Whether dispatches have to wait."""
        return self.reason is not None

    @property
    def parked(self) -> int:
        """The number of strands that wait here."""
        return len(self.waiting)

    def waits(self, strand: int) -> Waiting | None:
        """Where this strand waits; None if it does not."""
        return next((each for each in self.waiting.values() if each.told.strand == strand), None)

    # --- opening and closing ---

    def close(self, reason: PauseReason) -> None:
        """Let every dispatch wait from now on."""
        self.reason = reason
        stop_coasting(self._state)
        self._state.tell(RunPaused, None, None, reason)

    def open(self, by: str) -> None:
        """Release all that wait, in the order of their arrival (G2)."""
        self.reason = None
        self._permits = 0
        self._stepping.clear()  # What they were let pass by is void, too: nobody hands it on.
        self._steps.clear()
        self._stop_timer()
        self._state.tell(RunResumed, None, None, by)
        while self.waiting:
            self._release_one(stepping=False)

    def open_in(self, seconds: float) -> None:
        """Open by itself after so many seconds, counted anew if that was to happen before."""
        self._stop_timer()
        assert self._state.nursery is not None, "only a run that a host has opened has a gate"
        timer = self._timer = trio.CancelScope(deadline=trio.current_time() + seconds)
        self._state.nursery.start_soon(self._open_later, timer)

    def permit(self, count: int) -> None:
        """Let so many more dispatches pass, first come first served (G2)."""
        self._permits += count
        while self._permits and self.waiting:
            self._permits -= 1
            self._release_one(stepping=True)

    def let_pass(self, arrival: trio.Event, step: Step) -> None:
        """Let the dispatch that waits pass, and all that the step is for (G5-G7)."""
        self._steps[self.waiting[arrival].strand.number] = step
        del self.waiting[arrival]
        if step.below is not None:
            for other, each in tuple(self.waiting.items()):
                if _is_below(each.told.path.as_tuple(), step.below):
                    del self.waiting[other]
                    rouse(self._state, other)
        rouse(self._state, arrival)

    def end_steps(self) -> None:
        """End the steps by path that are under way."""
        self._steps.clear()

    def arm(self) -> None:
        """Let dispatches look at the breakpoints that there are now."""
        enabled = [each for each in self.breakpoints.values() if each.enabled]
        self._at_failures = [each for each in enabled if each.kind == "failure"]
        stops: set[PlanNode] = set()
        for each in enabled:
            if isinstance(each.stops, set | frozenset):
                stops |= each.stops
            else:
                self._state.stops = each.stops
                return
        self._state.stops = stops or None

    def end(self) -> None:
        """The run has ended."""
        self._stop_timer()
        self._steps.clear()

    def count_write(self) -> int:
        """The number of the next write of the host, from 1."""
        self._writes += 1
        return self._writes

    def overlook(self, cell: Cell) -> None:
        """The host has written this cell: that is no change to stop for."""
        for each in self.breakpoints.values():
            each.overlook(cell)

    async def wait_quiet(self) -> None:
        """Wait until no strand is between dispatches: all wait here, or for strands that do (G2)."""
        while self._state.busy:
            self._quiet = trio.Event()
            await self._quiet.wait()

    # --- what the engine does ---

    async def wait(self, strand: Strand, line: Line, target: Target) -> None:
        """Pass, waiting while it is closed. A cancellation point if it waits."""
        path = Path(line.where, line.count)
        if self._state.stops is not None and (self.reason is None or self._passes(path)):
            await self._look(strand, line, target, path)
        if self.reason is None or self._passes(path):
            return
        if self._permits:
            self._permits -= 1
            return
        await self._park(strand, line, target.node, path, target.wire)

    async def see_failure(self, error: BaseException, strand: Strand, activation: Activation) -> None:
        """An activation has failed; where a breakpoint is on failures, wait before the failure goes on."""
        if not self._at_failures or is_cancellation(error):
            return
        new = [leaf for leaf in leaves(error) if vars(leaf).get(_SEEN) != self._state.id]
        for leaf in new:
            vars(leaf)[_SEEN] = self._state.id
        if not new:
            return  # it comes from below, where the run has stopped
        node = activation.plan
        stopped = False
        detail = f"{type(error).__name__}: {error}"
        for each in self._at_failures:
            stopped |= await self._hit(each, strand, activation, node, activation.where, detail, None, error)
        if stopped:
            try:
                await self._park(strand, activation, node, activation.where, None, error)
            except trio.Cancelled:
                return  # the failure takes the place of the cancellation (R5)

    def all_quiet(self) -> None:
        """No strand is between dispatches any more."""
        for number, step in tuple(self._steps.items()):
            if step.below is None and not self._state.ended:
                del self._steps[number]
                self._end_step(step)
        self._quiet.set()

    def _passes(self, path: Path) -> bool:
        """Whether a step by path lets it pass (G6, G7)."""
        if not self._steps:
            return False
        numbers = path.as_tuple()
        return any(step.below is not None and _is_below(numbers, step.below) for step in self._steps.values())

    async def _look(self, strand: Strand, line: Line, target: Target, path: Path) -> None:
        """Look at the breakpoints that this dispatch may have reached."""
        for each in tuple(self.breakpoints.values()):
            if each.enabled and target.node in each.stops:
                reached = each.reached(strand, target)
                if reached is not None:
                    await self._hit(each, strand, line, target.node, path, reached, target.wire)

    async def _hit(
        self,
        each: Breakpoint,
        strand: Strand,
        line: Line,
        node: PlanNode,
        path: Path,
        reached: str,
        wire: str | None,
        error: BaseException | None = None,
    ) -> bool:
        """A breakpoint is reached: unless its condition does not hold, tell it, and close the gate. Says if it did."""
        each.hits += 1
        kind: Literal["breakpoint", "value", "failure"] = (
            "value" if each.kind == "value" else "failure" if each.kind == "failure" else "breakpoint"
        )
        text = f"breakpoint on {each.on!r}" if kind == "breakpoint" else reached
        try:
            if not await each.holds(strand, line, node, path, type(error).__name__ if error is not None else None):
                return False
        except Exception as problem:
            self._state.tell_of(BreakpointFailed(each.id, problem), strand, path, node.id)
            if each.log:
                return False
            text += f", whose condition {each.condition!r} failed: {type(problem).__name__}: {problem}"
        wired = None if wire is None else wire_within(strand.frame.prefix, wire)
        hit = BreakpointHit(each.id, wired, reached, not each.log)
        self._state.tell_of(hit, strand, path, node.id)
        if each.log:
            return False
        self._steps.clear()  # G6
        self.close(PauseReason(text, kind, each.id))
        return True

    async def _park(
        self,
        strand: Strand,
        line: Line,
        node: PlanNode,
        path: Path,
        wire: str | None,
        error: BaseException | None = None,
    ) -> None:
        state = self._state
        prefix = strand.frame.prefix
        told = Parked(
            path.within(prefix),
            prefix + node.id,
            None if wire is None else wire_within(prefix, wire),
            strand.number,
            trio.current_time() - (state.started_at or 0.0),
            error,
        )
        arrival = trio.Event()
        self.waiting[arrival] = Waiting(told, strand, line, node)
        step = self._steps.pop(strand.number, None)
        if step is not None:
            self._end_step(step)
        try:
            await wait_for(state, strand, arrival)
            if state.schedule is not None:
                await state.schedule.turn(f"g {path} {node.id}")
        except trio.Cancelled:
            self.waiting.pop(arrival, None)
            if arrival in self._stepping:
                # It was let pass and dies before it does: the next in line takes its place.
                self.permit(1)
            raise
        finally:
            self._stepping.discard(arrival)

    def _end_step(self, step: Step) -> None:
        self.reason = step.reason
        self._state.tell(RunPaused, None, None, step.reason)

    async def _open_later(self, timer: trio.CancelScope) -> None:
        with timer:
            await trio.sleep_forever()
        if self._timer is timer and self.closed and not self._state.ended:
            self.open("time")

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _release_one(self, *, stepping: bool) -> None:
        arrival, _ = self.waiting.popitem(last=False)
        if stepping:
            self._stepping.add(arrival)
        rouse(self._state, arrival)


def _is_below(path: tuple[int, ...], above: tuple[int, ...]) -> bool:
    return len(path) > len(above) and path[: len(above)] == above
