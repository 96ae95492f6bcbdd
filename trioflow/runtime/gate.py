"""The gate: where a run pauses and steps (G1-G4). A trio event that every dispatch awaits while it is closed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import trio

from trioflow.errors import RunFinished, UnknownName, did_you_mean
from trioflow.semantics.address import Selector, selector
from trioflow.semantics.events import BreakpointHit, Path, PauseReason, RunPaused, RunResumed

if TYPE_CHECKING:
    from trioflow.runtime.line import Line
    from trioflow.runtime.state import RunState
    from trioflow.runtime.strand import Strand
    from trioflow.semantics.plan import PlanNode

Condition = Callable[[Callable[[str], Any]], bool]
"""The condition of a breakpoint: gets a function that reads variables by name, and says whether to stop."""


@attrs.frozen
class GateStatistics:
    """A snapshot of a gate."""

    closed: bool
    reason: PauseReason | None
    parked: int
    """Strands that wait at the gate."""
    breakpoints: tuple[str, ...]


class Gate:
    """Pauses and steps a run; it holds dispatches back and touches no store, so it changes no result (G4).

    Demands are never gated, so a paused run's data can be looked at (G1).
    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._reason: PauseReason | None = None
        # Who waits, in order of arrival.
        self._parked: OrderedDict[trio.Event, None] = OrderedDict()
        # Who was let pass by `step`, and has not gone on yet.
        self._stepping: set[trio.Event] = set()
        self._permits = 0
        self._breakpoints: dict[str, tuple[Selector, Condition | None]] = {}
        self._quiet = trio.Event()

    @property
    def closed(self) -> bool:
        """Whether dispatches have to wait."""
        return self._reason is not None

    @property
    def slow(self) -> bool:
        """Whether dispatches must look at the gate at all."""
        return self._reason is not None or bool(self._breakpoints)

    @property
    def parked(self) -> int:
        """The number of strands that wait here."""
        return len(self._parked)

    def pause(self, reason: str = "paused") -> None:
        """Close the gate: every strand stops at its next dispatch (G2). Without effect if it is closed."""
        self._must_be_live("pause")
        if self._reason is None:
            self._close(PauseReason(reason))

    def resume(self) -> None:
        """Open the gate and release all that wait, in the order of their arrival (G2).

        Without effect if it is open, or if the run has ended meanwhile.
        """
        if self._reason is None or self._state.ended:
            return
        self._reason = None
        self._permits = 0
        self._stepping.clear()  # What they were let pass by is void, too: nobody hands it on.
        self._state.tell(RunResumed, None, None)
        while self._parked:
            self._release_one(stepping=False)

    def step(self, count: int = 1) -> None:
        """Let exactly `count` more dispatches pass, first come first served; the gate stays closed (G2).

        Raises `RuntimeError` if the gate is open, `ValueError` if `count` is less than 1.
        """
        self._must_be_live("step")
        if self._reason is None:
            raise RuntimeError("The gate is open: there is nothing to step. Call gate.pause() first.")
        if count < 1:
            raise ValueError(f"step(count) needs at least 1, got {count}.")
        self._permits += count
        while self._permits and self._parked:
            self._permits -= 1
            self._release_one(stepping=True)

    async def wait_parked(self) -> None:
        """Wait until no strand is between dispatches: all wait at the gate, or for strands that do (G2)."""
        await trio.lowlevel.checkpoint()
        while self._state.busy:
            self._quiet = trio.Event()
            await self._quiet.wait()

    def add_breakpoint(self, node: str, condition: Condition | None = None) -> None:
        """Pause where this node would be dispatched, if the condition holds (G3). Raises `UnknownName`.

        `call/id` names a node in the graph that the node `call` calls, and a pattern such as `http.*` all nodes of
        these types (A1); the condition reads the variables of the graph in which the node is. A condition that raises
        fails the dispatch.
        """
        meant = selector([node])
        problems = meant.problems(self._state.plan, "add_breakpoint")
        if problems:
            raise UnknownName("\n".join(problems))
        self._breakpoints[node] = (meant, condition)
        self._state.stop_coasting()

    def remove_breakpoint(self, node: str) -> None:
        """Remove a breakpoint. Raises `UnknownName`."""
        if node not in self._breakpoints:
            raise UnknownName(f"There is no breakpoint on {node!r}.{did_you_mean(node, self._breakpoints)}")
        del self._breakpoints[node]

    def statistics(self) -> GateStatistics:
        """A snapshot."""
        return GateStatistics(self.closed, self._reason, len(self._parked), tuple(self._breakpoints))

    def __repr__(self) -> str:
        state = f"closed ({self._reason})" if self._reason is not None else "open"
        return f"<Gate: {state}, {len(self._parked)} parked>"

    async def wait(self, strand: Strand, line: Line, node: PlanNode) -> None:
        """Pass the gate, waiting while it is closed. Called by the dispatch loop."""
        shown = strand.frame.prefix + node.id
        if self._reason is None and self._stops_at(shown, node, strand):
            self._state.tell_of(BreakpointHit(), strand, line.where, node.id)
            self._close(PauseReason(f"breakpoint on {shown!r}", "breakpoint", shown))
        if self._reason is None:
            return
        if self._permits:
            self._permits -= 1
            return
        arrival = trio.Event()
        self._parked[arrival] = None
        try:
            await self._state.wait(strand, arrival)
            if self._state.schedule is not None:
                await self._state.schedule.turn(f"g {Path(line.where, line.count)} {node.id}")
        except trio.Cancelled:
            self._parked.pop(arrival, None)
            if arrival in self._stepping:
                # It was let pass and dies before it does: the next in line takes its place.
                self.step(1)
            raise
        finally:
            self._stepping.discard(arrival)

    def _stops_at(self, name: str, node: PlanNode, strand: Strand) -> bool:
        return any(
            meant.selects(name, node.type.id) and (condition is None or condition(_reader(strand)))
            for meant, condition in self._breakpoints.values()
        )

    def all_quiet(self) -> None:
        """No strand is between dispatches any more."""
        self._quiet.set()

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


def _reader(strand: Strand) -> Callable[[str], Any]:
    """What a breakpoint's condition reads variables with."""
    index = strand.frame.plan.variable_index

    def read(name: str) -> Any:
        return strand.store.cells[index[name]].value

    return read
