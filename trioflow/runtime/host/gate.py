"""The gate: where a host pauses and steps a run, and sets breakpoints (G1-G8)."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import trio

from trioflow.errors import RunFinished, UnknownName, did_you_mean
from trioflow.runtime.base.records import RunState
from trioflow.runtime.host.barrier import Barrier, Parked, Step
from trioflow.runtime.host.breakpoints import (
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
from trioflow.semantics.address import show_path
from trioflow.semantics.events import PauseReason


@attrs.frozen
class GateStatistics:
    """A snapshot of a gate."""

    closed: bool
    reason: PauseReason | None
    parked: int
    """Strands that wait at the gate."""
    breakpoints: tuple[str, ...]
    """What they are set on."""


class Gate:
    """Pauses and steps a run; it holds dispatches back and touches no store, so it changes no result (G4).

    Demands are never gated, so a paused run's data can be looked at (G1).
    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._barrier = state.barrier = Barrier(state)
        self._made = 0

    @property
    def closed(self) -> bool:
        """Whether dispatches have to wait."""
        return self._barrier.closed

    @property
    def reason(self) -> PauseReason | None:
        """Why it is closed; None while it is open."""
        return self._barrier.reason

    @property
    def parked(self) -> int:
        """The number of strands that wait here."""
        return self._barrier.parked

    def parked_at(self) -> list[Parked]:
        """Who waits here, in the order of arrival. Nothing is awaited: others may still be on their way here."""
        return [waiting.told for waiting in self._barrier.waiting.values()]

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
        self._barrier.end_steps()
        if not self._barrier.closed:
            self._barrier.close(PauseReason(reason))
        if resume_after is not None:
            self._barrier.open_in(resume_after)

    def resume(self, by: str = "host") -> None:
        """Open the gate and release all that wait, in the order of their arrival (G2).

        `RunResumed` says by whom. Without effect if it is open, or if the run has ended meanwhile.
        """
        if not self._barrier.closed or self._state.ended:
            return
        self._barrier.open(by)

    def step(self, count: int = 1) -> None:
        """Let exactly `count` more dispatches pass, first come first served; the gate stays closed (G2).

        Raises `RuntimeError` if the gate is open, `ValueError` if `count` is less than 1.
        """
        self._must_be_closed()
        if count < 1:
            raise ValueError(f"step(count) needs at least 1, got {count}.")
        self._barrier.permit(count)

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
        await self._barrier.wait_quiet()

    # --- breakpoints ---

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """All breakpoints, in the order in which they were set, those that are disabled included."""
        return tuple(self._barrier.breakpoints.values())

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
        self._barrier.breakpoints[made.id] = made
        self._barrier.arm()
        return made

    def remove_breakpoint(self, which: str) -> None:
        """Remove a breakpoint by its id, or those that are set on this. Raises `UnknownName`."""
        for each in self._named(which):
            del self._barrier.breakpoints[each.id]
        self._barrier.arm()

    def disable_breakpoint(self, which: str) -> None:
        """Let a breakpoint rest, by its id or by what it is set on; it keeps its hits. Raises `UnknownName`."""
        for each in self._named(which):
            each.enabled = False
        self._barrier.arm()

    def enable_breakpoint(self, which: str) -> None:
        """Let a breakpoint that rests count again. Raises `UnknownName`."""
        for each in self._named(which):
            each.enabled = True
        self._barrier.arm()

    def statistics(self) -> GateStatistics:
        """A snapshot."""
        on = tuple(each.on for each in self._barrier.breakpoints.values())
        return GateStatistics(self.closed, self.reason, self.parked, on)

    def __repr__(self) -> str:
        state = f"closed ({self.reason})" if self.closed else "open"
        return f"<Gate: {state}, {self.parked} parked>"

    # --- inside ---

    def _step(self, how: str, path: Iterable[int]) -> None:
        self._must_be_closed()
        numbers = tuple(path)
        arrival = next((each for each, waiting in self._barrier.waiting.items() if waiting.told.path == numbers), None)
        if arrival is None:
            here = ", ".join(show_path(each.told.path) for each in self._barrier.waiting.values())
            raise UnknownName(
                f"Nothing waits at {show_path(numbers)}, so there is nothing to step {how}: its strand goes on, or has "
                f"ended. {f'Here wait: {here}.' if here else 'Nothing waits here.'} gate.parked_at() tells who waits."
            )
        below = {"into": None, "over": numbers, "out": numbers[:-1]}[how]
        reason = PauseReason(f"stepped {how} {show_path(numbers)}", "step")
        self._barrier.let_pass(arrival, Step(reason, below))

    def _named(self, which: str) -> list[Breakpoint]:
        found = [each for each in self._barrier.breakpoints.values() if which in (each.id, each.on)]
        if not found:
            known = [each for made in self._barrier.breakpoints.values() for each in (made.id, made.on)]
            there = ", ".join(f"{each.id} on {each.on!r}" for each in self._barrier.breakpoints.values()) or "none"
            raise UnknownName(f"There is no breakpoint on {which!r}.{did_you_mean(which, known)} There is: {there}.")
        return found

    def _must_be_live(self, verb: str) -> None:
        if self._state.ended:
            raise RunFinished(f"The run has ended: there is nothing to {verb}.")

    def _must_be_closed(self) -> None:
        self._must_be_live("step")
        if not self._barrier.closed:
            raise RuntimeError("The gate is open: there is nothing to step. Call gate.pause() first.")
