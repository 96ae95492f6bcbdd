"""Turns: when a strand may go on, be it for the scheduler, the gate, a limit, or other strands (T2, R8, G2, F8).

`fuel` of the run's state is the one number that a dispatch looks at. When it is used up, or the scheduler's turn is
due, `pass_dispatch` looks at everything else.
"""

from __future__ import annotations

from time import perf_counter

import trio

from trioflow.errors import DepthExceeded, LimitExceeded
from trioflow.runtime.base.options import MAX_NESTING
from trioflow.runtime.base.records import Line, RunState, Strand
from trioflow.semantics.events import LimitReached, Path, Told
from trioflow.semantics.plan import PlanNode, Target

# --- the scheduler's turn, the gate, the limits -----------------------------------------------------------------------


async def pass_dispatch(run: RunState, strand: Strand, line: Line, target: Target) -> None:
    """The rare part of a dispatch: fuel has run out, the scheduler's turn is due, or a breakpoint may be here.

    Cancellation check, gate, limits, in this order (T2).
    """
    node = target.node
    run.fuel += 1  # this dispatch is not granted yet
    if run.schedule is not None:
        await run.schedule.turn(f"d {Path(line.where, line.count)} {node.id}")
    elif run.fuel < 1 or perf_counter() > run.turn_due:
        await take_turn(run)
    barrier = run.barrier
    if barrier is not None and (barrier.closed or run.stops is not None):
        await barrier.wait(strand, line, target)
    if run.steps >= run.max_steps:  # R8
        await _exhaust(run, line, node, strand)
    refuel(run)
    run.fuel -= 1


async def pass_evaluation(run: RunState, line: Line, node: PlanNode) -> None:
    """The rare part of an evaluation: it gets its turn and its fuel, but demands are never gated (G1)."""
    if run.schedule is None:
        await take_turn(run)
    else:
        await turn_of(run, "e", line, node)
    refuel(run)


async def take_turn(run: RunState) -> None:
    """Give the scheduler its turn (T2)."""
    await trio.lowlevel.checkpoint()
    run.turn_due = perf_counter() + run.turn_after


async def pass_by(run: RunState) -> None:
    """Where there is nothing to dispatch (T4): who goes past it again and again must not starve anybody either (T2)."""
    if run.schedule is None and perf_counter() > run.turn_due:
        await take_turn(run)
    else:
        await trio.lowlevel.checkpoint_if_cancelled()


async def turn_of(run: RunState, letter: str, line: Line, node: PlanNode) -> None:
    """Under a controlled schedule, wait until this strand may go on. The letter says at what kind of point."""
    assert run.schedule is not None
    await run.schedule.turn(f"{letter} {line.where} {node.id}")


def refuel(run: RunState) -> None:
    """Grant dispatches that need not look at gate, limits and scheduler, if it is time to."""
    if run.fuel < 1:
        every = 0 if run.gated or run.schedule is not None else run.options.turn_every
        more = int(min(every, run.max_steps - run.steps))
        run.granted += more - run.fuel
        run.fuel = more


def grant_one(run: RunState) -> None:
    """Grant one dispatch to a task that the scheduler has just let run, where it need not look at anything else.

    Without it, of many tasks that begin at once all but the first would go to the back of the line once more.
    """
    if run.schedule is None and not run.gated and run.steps < run.max_steps:
        run.granted += 1 - run.fuel
        run.fuel = 1


def stop_coasting(run: RunState) -> None:
    """Make the next dispatch of every strand look at the gate."""
    if run.fuel > 0:
        run.granted -= run.fuel
        run.fuel = 0


# --- limits ----------------------------------------------------------------------------------------------------------


async def _exhaust(run: RunState, line: Line, node: PlanNode, strand: Strand) -> None:
    """The host's budget of steps is used up: cancel the run, which fails with that, and no body can catch it."""
    assert run.budget is not None
    where = line.where.within(strand.frame.prefix)
    error = run.exhausted or limit_reached(run, "steps", run.max_steps, where, node)
    if not run.budget.cancel_called:
        run.exhausted = error
        run.budget.cancel()
    await trio.lowlevel.checkpoint()
    raise error  # in a shielded scope, which the cancellation does not reach


def limit_reached(run: RunState, limit: str, value: float, where: Path, node: PlanNode | None = None) -> LimitExceeded:
    """Report a limit; gives the error (R8)."""
    if run.observed is not None:
        told = Told(run.id, where.graph)
        run.observed.tell(LimitReached(limit, value), told, where, node.id if node else None)
    at = f" at node {where.graph + node.id!r}" if node else ""
    return LimitExceeded(
        f"The run reached its limit of {value:g} {limit}{at} (activation {where.short}). If the graph is "
        f"meant to go on for longer, raise RunOptions(max_{limit}=...).",
        limit=limit,
        value=value,
    )


def count_nurseries(run: RunState, line: Line, node: str, limit: int = MAX_NESTING) -> None:
    """F8: whoever opened them, trio must not be brought near the number at which it dies."""
    count = 0
    task: trio.lowlevel.Task | None = trio.lowlevel.current_task()
    while task is not None:
        count += len(task.child_nurseries)
        task = task.parent_nursery.parent_task if task.parent_nursery is not None else None
    if count < limit:
        return
    run.tell(LimitReached, line, node, "nesting", MAX_NESTING)
    raise DepthExceeded(
        f"More than {MAX_NESTING} nurseries are open inside each other at node {node!r}: its body, and those "
        "around it, open a nursery around a trigger or a lazy input. Trigger and ask outside of the nursery.",
        limit="nesting",
        value=MAX_NESTING,
    )


# --- waiting for others ----------------------------------------------------------------------------------------------


def rest(run: RunState) -> None:
    """A strand starts to wait for the gate, or for other strands."""
    run.resting += 1
    look_around(run)


def wake(run: RunState) -> None:
    """A strand goes on."""
    run.resting -= 1


def look_around(run: RunState) -> None:
    """A strand waits, or has ended: tell the gate if all do."""
    if run.barrier is not None and not run.busy:
        run.barrier.all_quiet()


async def wait_for(run: RunState, strand: Strand, event: trio.Event) -> None:
    """Wait for another strand or the gate, which calls `rouse`; meanwhile this strand counts as parked (G2).

    A body may wait in several tasks of its own: its strand is parked once, until none of them waits.
    """
    strand = strand.outermost
    run.waits[event] = strand
    strand.waits += 1
    if strand.waits == 1:
        rest(run)
    try:
        await event.wait()
    finally:
        rouse(run, event)  # it was cancelled, if nobody has roused it


def rouse(run: RunState, event: trio.Event) -> None:
    """Let the strand that waits for the event go on. It is awake from now on, not from when trio gets to it."""
    strand = run.waits.pop(event, None)
    if strand is not None:
        strand.waits -= 1
        if not strand.waits:
            wake(run)
        event.set()
