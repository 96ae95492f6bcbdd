"""Dispatch: how control moves (T1-T9).

`dispatch` runs the targets of one line, one after the other; a body's trigger awaits it directly, so a step is a
plain await. Every `SEGMENT` levels the trigger awaits a `Call` instead, which goes up to `drive`, the loop at the
bottom of the task: it puts the segment so far on a stack of its own and runs the call as a new one. So nesting costs
neither Python recursion nor tasks, and what trio resumes is never deep.

The order of the checks at each dispatch is T2: cancellation, gate, limits, activation. Gate, limits and the
scheduler's turn share one counter, `run.fuel`; only when it is used up are they looked at one by one.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from trio.lowlevel import checkpoint_if_cancelled, current_task

from trioflow.errors import DepthExceeded
from trioflow.runtime.demand import unknown_socket
from trioflow.runtime.failure import is_cancellation, mark_origin
from trioflow.semantics.events import (
    LimitReached,
    NodeCancelled,
    NodeCompleted,
    NodeFailed,
    NodeSkipped,
    NodeStarted,
)
from trioflow.semantics.plan import PlanNode, Target

if TYPE_CHECKING:
    from trioflow.runtime.activation import Activation
    from trioflow.runtime.line import Line
    from trioflow.runtime.state import RunState
    from trioflow.runtime.strand import Strand

SEGMENT = 16
"""Levels of triggers that are nested as Python awaits before the loop takes over."""


class Call:
    """Awaited by a body: ask the loop that runs it to dispatch these targets on behalf of this line.

    In another strand object than its own, if it calls a graph or comes back out of one (C3).
    """

    __slots__ = ("line", "strand", "targets")

    def __init__(self, strand: Strand, line: Line, targets: Sequence[Target]) -> None:
        self.strand = strand
        self.line = line
        self.targets = targets

    def __await__(self) -> Generator[Call, None, None]:
        yield self


async def call(activation: Activation, line: Line, targets: Sequence[Target]) -> None:
    """Dispatch targets on behalf of a line, below an activation, and come back when all is done (T1)."""
    strand = activation.strand
    if strand.driving and activation.depth % SEGMENT > 1 and len(current_task().child_nurseries) <= strand.counted:
        # An emit goes down two levels at once, so there are two remainders to leave at.
        await dispatch(strand, line, targets)
        return
    strand.run.count_nurseries(activation, activation.plan.id)
    strand.counted = len(current_task().child_nurseries)
    if strand.driving:
        await Call(strand, line, targets)
    else:
        # The body triggers from a task of its own: that task needs a loop of its own.
        await drive(strand, line, targets)


async def cross(activation: Activation, strand: Strand, targets: Sequence[Target]) -> None:
    """Dispatch targets in a graph that this activation calls, or that its own is called by (C3, C6)."""
    own = activation.strand
    own.run.count_nurseries(activation, activation.plan.id)  # F8
    strand.counted = len(current_task().child_nurseries)
    if own.driving:
        await Call(strand, activation, targets)
    else:
        await drive(strand, activation, targets)


async def dispatch(strand: Strand, line: Line, targets: Sequence[Target]) -> None:
    """Dispatch targets, one after the other, each with everything it hands over to (T1, T6). The hot path."""
    run = strand.run
    frame = strand.frame
    if line.depth >= run.max_depth and targets:
        await checkpoint_if_cancelled()
        run.fuel -= 1
        await run.pass_gate(strand, line, targets[0].node)  # T2: the gate is before the limits
        raise _too_deep(run, line)  # T9
    pending = [*targets[::-1]]
    while pending:
        target = pending.pop()
        await checkpoint_if_cancelled()  # T2
        run.fuel -= 1
        if run.fuel < 0 or perf_counter() - run.last_turn > run.turn_after:
            await run.pass_gate(strand, line, target.node)
        activation = run.activate(line, strand, target)  # T3
        if run.watch is not None:
            run.watch.tell(NodeStarted, activation.where, target.node.id, target.entered)  # E1
        try:
            outcome = await frame.bodies[target.node.index](activation)
            if outcome is not None:
                pending += _handed_over(target.node, outcome)  # T6
        except BaseException as error:
            _tell_failed(run, activation, error)
            raise
        if run.watch is not None:
            _tell_completed(run, activation, outcome)


@types.coroutine
def drive(strand: Strand, line: Line, targets: Sequence[Target]) -> Generator[Any, Any, None]:
    """Run `dispatch` in this task, at any depth: the loop that takes `Call`s from the bodies."""
    run = strand.run
    stack: list[tuple[Strand, Coroutine[Any, Any, None]]] = []
    segment = dispatch(strand, line, targets)
    answer: Any = None
    thrown: BaseException | None = None
    while True:
        strand.driving = True
        try:
            if thrown is None:
                trap = segment.send(answer)
            else:
                error, thrown = thrown, None
                trap = segment.throw(error)
        except StopIteration:
            answer = None
        except BaseException as error:
            thrown = error
        else:
            strand.driving = False
            if type(trap) is Call:
                stack.append((strand, segment))
                strand = trap.strand
                segment = dispatch(strand, trap.line, trap.targets)
                answer = None
                continue
            try:
                answer = yield trap
            except BaseException as error:
                thrown = error
            run.last_turn = perf_counter()
            continue
        strand.driving = False
        if stack:
            strand, segment = stack.pop()
        elif thrown is None:
            return
        else:
            try:
                raise thrown
            finally:
                thrown = None  # the traceback refers to this frame


def _handed_over(node: PlanNode, outcome: Any) -> Sequence[Target]:
    """T6: the targets of the exec output that a body returned, last first."""
    place = node.type.exec_output_index.get(outcome)
    if place is None:
        raise unknown_socket(node, outcome, "exec output to return", [each.name for each in node.type.exec_outputs])
    return node.targets[place][::-1]


def _tell_completed(run: RunState, activation: Activation, outcome: Any) -> None:
    assert run.watch is not None
    plan = activation.plan
    if activation.skipped is not None:
        run.watch.tell(NodeSkipped, activation.where, plan.id, *activation.skipped)
    else:
        name = None if outcome is None else plan.type.exec_outputs[plan.type.exec_output_index[outcome]].name
        run.watch.tell(NodeCompleted, activation.where, plan.id, name)


def _tell_failed(run: RunState, activation: Activation, error: BaseException) -> None:
    plan = activation.plan
    if is_cancellation(error):
        run.tell(NodeCancelled, activation, plan.id)
        return
    origin = mark_origin(error, run, activation.where, plan.id, plan.type.id)  # E2
    run.tell(NodeFailed, activation, plan.id, error, origin)


def _too_deep(run: RunState, line: Line) -> DepthExceeded:
    """T9: names the nodes that repeat."""
    ids: list[str] = []
    above: Line | None = line
    while above is not None and len(ids) < 1000:
        plan: PlanNode | None = getattr(above, "plan", None)
        if plan is not None:
            ids.append(plan.id)
        above = above.parent
    period = ids.index(ids[0], 1) if ids[:1] and ids[0] in ids[1:] else len(ids)
    cycle = list(reversed(ids[: min(period, 8)]))
    run.tell(LimitReached, line, ids[0] if ids else None, "depth", run.options.max_depth)
    return DepthExceeded(
        f"Activations nest deeper than {run.options.max_depth}: {' -> '.join(cycle)} repeats. "
        "Let the nodes return their exec output instead of awaiting trigger (a hand-over does not nest), or raise "
        "RunOptions(max_depth=...).",
        limit="depth",
        value=run.options.max_depth,
    )
