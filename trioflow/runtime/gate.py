"""The gate: where a run pauses and steps (G1-G8). A trio event that every dispatch awaits while it is closed.

While it is open, only dispatches of nodes with a breakpoint look at it: `stops` of the run's state says which.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import attrs
import trio

from trioflow.errors import RunFinished, UnknownName, did_you_mean
from trioflow.runtime.breakpoints import (
    Breakpoint,
    Condition,
    Kind,
    OnFailure,
    OnNode,
    OnValue,
    OnWire,
    Place,
    check_names,
    read_condition,
)
from trioflow.runtime.failure import is_cancellation, leaves
from trioflow.semantics.address import show_path, wire_within
from trioflow.semantics.events import BreakpointFailed, BreakpointHit, Path, PauseReason, RunPaused, RunResumed

if TYPE_CHECKING:
    from trioflow.runtime.activation import Activation
    from trioflow.runtime.line import Line
    from trioflow.runtime.state import RunState
    from trioflow.runtime.strand import Strand
    from trioflow.semantics.plan import PlanNode, Target
    from trioflow.semantics.store import Cell

_SEEN = "__trioflow_stopped__"
"""On a failure at which a run has stopped: the run's id."""


@attrs.frozen
class GateStatistics:
    """A snapshot of a gate."""

    closed: bool
    reason: PauseReason | None
    parked: int
    """Strands that wait at the gate."""
    breakpoints: tuple[str, ...]
    """What they are set on."""


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
class _Step:
    """A step by path of one strand: everything below `below` passes; None for `into`, where nothing more does."""

    reason: PauseReason
    below: tuple[int, ...] | None


class Gate:
    """Pauses and steps a run; it holds dispatches back and touches no store, so it changes no result (G4).

    Demands are never gated, so a paused run's data can be looked at (G1).
    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._reason: PauseReason | None = None
        # Who waits, in order of arrival.
        self._parked: OrderedDict[trio.Event, Waiting] = OrderedDict()
        # Who was let pass by `step`, and has not gone on yet.
        self._stepping: set[trio.Event] = set()
        self._permits = 0
        # Steps by path, by the numbers of the strands that make them; each is over when its strand comes to wait again.
        self._steps: dict[int, _Step] = {}
        self._breakpoints: dict[str, Breakpoint] = {}
        self._made = 0
        self._writes = 0
        self._at_failures: list[Breakpoint] = []
        self._timer: trio.CancelScope | None = None
        self._quiet = trio.Event()

    @property
    def closed(self) -> bool:
        """Whether dispatches have to wait."""
        return self._reason is not None

    @property
    def reason(self) -> PauseReason | None:
        """Why it is closed; None while it is open."""
        return self._reason

    @property
    def parked(self) -> int:
        """The number of strands that wait here."""
        return len(self._parked)

    def parked_at(self) -> list[Parked]:
        """Who waits here, in the order of arrival. Nothing is awaited: others may still be on their way here."""
        return [waiting.told for waiting in self._parked.values()]

    # --- pausing and stepping ---

    def pause(self, reason: str = "paused", *, resume_after: float | None = None) -> None:
        """Close the gate: every strand stops at its next dispatch (G2). It ends steps by path that are under way (G6).

        Otherwise without effect if it is closed. With `resume_after` it opens by itself after so many seconds, unless
        it was opened before; called again, the time begins anew. Raises `RunFinished` if the run has ended,
        `ValueError` unless `resume_after` is more than 0.
        """
        self._must_be_live("pause")
        if resume_after is not None and not resume_after > 0:
            raise ValueError(f"resume_after is a number of seconds, more than 0, got {resume_after!r}.")
        self._steps.clear()
        if self._reason is None:
            self._close(PauseReason(reason))
        if resume_after is not None:
            self._stop_timer()
            assert self._state.nursery is not None, "only a run that a host has opened has a gate"
            self._timer = trio.CancelScope(deadline=trio.current_time() + resume_after)
            self._state.nursery.start_soon(self._resume_later, self._timer)

    def resume(self, by: str = "host") -> None:
        """Open the gate and release all that wait, in the order of their arrival (G2).

        `RunResumed` says by whom. Without effect if it is open, or if the run has ended meanwhile.
        """
        if self._reason is None or self._state.ended:
            return
        self._reason = None
        self._permits = 0
        self._stepping.clear()  # What they were let pass by is void, too: nobody hands it on.
        self._steps.clear()
        self._stop_timer()
        self._state.tell(RunResumed, None, None, by)
        while self._parked:
            self._release_one(stepping=False)

    def step(self, count: int = 1) -> None:
        """Let exactly `count` more dispatches pass, first come first served; the gate stays closed (G2).

        Raises `RuntimeError` if the gate is open, `ValueError` if `count` is less than 1.
        """
        self._must_be_closed()
        if count < 1:
            raise ValueError(f"step(count) needs at least 1, got {count}.")
        self._permits += count
        while self._permits and self._parked:
            self._permits -= 1
            self._release_one(stepping=True)

    def step_into(self, path: Iterable[int]) -> None:
        """Let the dispatch that waits at this path pass, and nothing else (G5).

        So what it dispatches waits next: the first node inside of it, or what comes after it. `parked_at` gives the
        paths. Raises `RuntimeError` if the gate is open, `UnknownName` if nothing waits at the path.
        """
        self._step("into", path)

    def step_over(self, path: Iterable[int]) -> None:
        """Let the dispatch that waits at this path pass, with everything strictly below it (G6).

        That is all that the activation dispatches, in concurrent strands and in graphs that it calls, too. A breakpoint
        in there ends the step. Raises `RuntimeError` if the gate is open, `UnknownName` if nothing waits at the path.
        """
        self._step("over", path)

    def step_out(self, path: Iterable[int]) -> None:
        """Let the dispatch that waits at this path pass, with everything below the path that it is in (G7).

        That is all that is still to be dispatched on behalf of whoever has triggered it, be it an activation or a
        concurrent item. Raises `RuntimeError` if the gate is open, `UnknownName` if nothing waits at the path.
        """
        self._step("out", path)

    async def wait_parked(self) -> None:
        """Wait until no strand is between dispatches: all wait at the gate, or for strands that do (G2)."""
        await trio.lowlevel.checkpoint()
        while self._state.busy:
            self._quiet = trio.Event()
            await self._quiet.wait()

    # --- breakpoints ---

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """All breakpoints, in the order in which they were set, those that are disabled included."""
        return tuple(self._breakpoints.values())

    def add_breakpoint(
        self,
        node: str | None = None,
        condition: Condition | None = None,
        *,
        wire: str | None = None,
        value: str | None = None,
        failure: bool = False,
        log: bool = False,
    ) -> Breakpoint:
        """Pause where something is reached, if the condition holds (G3, G8). Needs one of these.

        - `node`: where this node would be dispatched; `call/id` is one in the graph that the node `call` calls (C8), a
          pattern such as `http.*` means all nodes of these types;
        - `wire`: where this connection leads to a dispatch: `a.then -> b.enter`;
        - `value`: at the next dispatch after this variable, or output `node.output`, was written. Every dispatch has to
          look at it, so a run takes about twice as long;
        - `failure=True`: where an activation fails, before whoever triggered it is told.

        The condition is a function that gets a function which reads variables, or a text: `NAME op LITERAL`, several
        joined by `and`. A name is an input of the node, a variable, `path`, or `hits`, which counts how often it was
        reached; for failures also `error`, the name of its class. An input that is not computed is evaluated for it, in
        a store that is dropped. A condition that fails is told as `BreakpointFailed`, and the run stops there as if it
        held. With `log` a breakpoint only tells `BreakpointHit`, and the run goes on.

        Raises `UnknownName` for what is not there, `ValueError` for a condition that can't be read, `TypeError` unless
        one place is given.
        """
        given = [each for each in (node, wire, value, failure or None) if each is not None]
        if len(given) != 1:
            raise TypeError(
                f"add_breakpoint needs one of node, wire, value and failure=True, got {len(given)} of them."
            )
        plan = self._state.plan
        place: Place
        kind: Kind
        if node is not None:
            place, kind, on = OnNode(plan, node), "node", node
        elif wire is not None:
            place, kind = OnWire(plan, wire), "wire"
            on = place.name
        elif value is not None:
            place, kind, on = OnValue(plan, value, self._state.next_serial()), "value", value
        else:
            place, kind, on = OnFailure(), "failure", "failure"
        comparisons = read_condition(condition) if isinstance(condition, str) else ()
        check_names(comparisons, plan, place.at if isinstance(place, OnWire) else node, kind)
        self._made += 1
        made = Breakpoint(
            id=f"b{self._made}", kind=kind, on=on, condition=condition, log=log, place=place, holds=comparisons
        )
        self._breakpoints[made.id] = made
        self._arm()
        return made

    def remove_breakpoint(self, which: str) -> None:
        """Remove a breakpoint by its id, or those that are set on this. Raises `UnknownName`."""
        for each in self._named(which):
            del self._breakpoints[each.id]
        self._arm()

    def disable_breakpoint(self, which: str) -> None:
        """Let a breakpoint rest, by its id or by what it is set on; it keeps its hits. Raises `UnknownName`."""
        for each in self._named(which):
            each.enabled = False
        self._arm()

    def enable_breakpoint(self, which: str) -> None:
        """Let a breakpoint that rests count again. Raises `UnknownName`."""
        for each in self._named(which):
            each.enabled = True
        self._arm()

    def statistics(self) -> GateStatistics:
        """A snapshot."""
        on = tuple(each.on for each in self._breakpoints.values())
        return GateStatistics(self.closed, self._reason, len(self._parked), on)

    def __repr__(self) -> str:
        state = f"closed ({self._reason})" if self._reason is not None else "open"
        return f"<Gate: {state}, {len(self._parked)} parked>"

    # --- for the engine ---

    async def wait(self, strand: Strand, line: Line, target: Target) -> None:
        """Pass the gate, waiting while it is closed. Called by the dispatch loop."""
        path = Path(line.where, line.count)
        if self._state.stops is not None and (self._reason is None or self._passes(path)):
            await self._look(strand, line, target, path)
        if self._reason is None or self._passes(path):
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

    def waiting(self, strand: int) -> Waiting | None:
        """Where this strand waits; None if it does not."""
        return next((each for each in self._parked.values() if each.told.strand == strand), None)

    def count_write(self) -> int:
        """The number of the next write of the host, from 1."""
        self._writes += 1
        return self._writes

    def overlook(self, cell: Cell) -> None:
        """The host has written this cell: that is no change to stop for."""
        for each in self._breakpoints.values():
            each.overlook(cell)

    def end(self) -> None:
        """The run has ended."""
        self._stop_timer()
        self._steps.clear()

    def _passes(self, path: Path) -> bool:
        """Whether a step by path lets it pass (G6, G7)."""
        if not self._steps:
            return False
        numbers = path.as_tuple()
        return any(step.below is not None and _is_below(numbers, step.below) for step in self._steps.values())

    async def _look(self, strand: Strand, line: Line, target: Target, path: Path) -> None:
        """Look at the breakpoints that this dispatch may have reached."""
        for each in tuple(self._breakpoints.values()):
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
        self._close(PauseReason(text, kind, each.id))
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
        self._parked[arrival] = Waiting(told, strand, line, node)
        step = self._steps.pop(strand.number, None)
        if step is not None:
            self._end_step(step)
        try:
            await state.wait(strand, arrival)
            if state.schedule is not None:
                await state.schedule.turn(f"g {path} {node.id}")
        except trio.Cancelled:
            self._parked.pop(arrival, None)
            if arrival in self._stepping:
                # It was let pass and dies before it does: the next in line takes its place.
                self.step(1)
            raise
        finally:
            self._stepping.discard(arrival)

    def _step(self, how: str, path: Iterable[int]) -> None:
        self._must_be_closed()
        numbers = tuple(path)
        arrival = next((each for each, waiting in self._parked.items() if waiting.told.path == numbers), None)
        if arrival is None:
            here = ", ".join(show_path(each.told.path) for each in self._parked.values())
            raise UnknownName(
                f"Nothing waits at {show_path(numbers)}, so there is nothing to step {how}: its strand goes on, or has "
                f"ended. {f'Here wait: {here}.' if here else 'Nothing waits here.'} gate.parked_at() tells who waits."
            )
        below = {"into": None, "over": numbers, "out": numbers[:-1]}[how]
        reason = PauseReason(f"stepped {how} {show_path(numbers)}", "step")
        self._steps[self._parked[arrival].strand.number] = _Step(reason, below)
        del self._parked[arrival]
        if below is not None:
            for other, each in tuple(self._parked.items()):
                if _is_below(each.told.path.as_tuple(), below):
                    del self._parked[other]
                    self._state.rouse(other)
        self._state.rouse(arrival)

    def _end_step(self, step: _Step) -> None:
        self._reason = step.reason
        self._state.tell(RunPaused, None, None, step.reason)

    def _arm(self) -> None:
        """Let dispatches look at the breakpoints that there are now."""
        enabled = [each for each in self._breakpoints.values() if each.enabled]
        self._at_failures = [each for each in enabled if each.kind == "failure"]
        stops: set[PlanNode] = set()
        for each in enabled:
            if isinstance(each.stops, set | frozenset):
                stops |= each.stops
            else:
                self._state.stops = each.stops
                return
        self._state.stops = stops or None

    def _named(self, which: str) -> list[Breakpoint]:
        found = [each for each in self._breakpoints.values() if which in (each.id, each.on)]
        if not found:
            known = [each for made in self._breakpoints.values() for each in (made.id, made.on)]
            there = ", ".join(f"{each.id} on {each.on!r}" for each in self._breakpoints.values()) or "none"
            raise UnknownName(f"There is no breakpoint on {which!r}.{did_you_mean(which, known)} There is: {there}.")
        return found

    async def _resume_later(self, timer: trio.CancelScope) -> None:
        with timer:
            await trio.sleep_forever()
        if self._timer is timer:
            self.resume(by="time")

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _close(self, reason: PauseReason) -> None:
        self._reason = reason
        self._state.stop_coasting()
        self._state.tell(RunPaused, None, None, reason)

    def _release_one(self, *, stepping: bool) -> None:
        arrival, _ = self._parked.popitem(last=False)
        if stepping:
            self._stepping.add(arrival)
        self._state.rouse(arrival)

    def _must_be_live(self, verb: str) -> None:
        if self._state.ended:
            raise RunFinished(f"The run has ended: there is nothing to {verb}.")

    def _must_be_closed(self) -> None:
        self._must_be_live("step")
        if self._reason is None:
            raise RuntimeError("The gate is open: there is nothing to step. Call gate.pause() first.")


def _is_below(path: tuple[int, ...], above: tuple[int, ...]) -> bool:
    return len(path) > len(above) and path[: len(above)] == above
