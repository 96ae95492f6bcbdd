"""The dispatch loop: how control moves (T1-T9).

One loop runs in the task of each strand. It keeps its own stack of bodies that wait for their triggers, so nesting
costs neither Python recursion nor tasks: `ctx.trigger` yields a `Call` to the loop, which runs what is wired there and
then resumes the body. Whatever else a body yields is trio's, and is passed on.

The order of the checks at each dispatch is T2: cancellation, gate, limits, activation. Gate, limits and the
scheduler's turn share one counter, `run.fuel`; only when it is used up are they looked at one by one.
"""

from __future__ import annotations

import time
import types
from collections.abc import Coroutine, Generator, Sequence
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import DepthExceeded
from trioflow.runtime.demand import unknown_socket
from trioflow.runtime.failure import is_cancellation, mark_origin
from trioflow.runtime.options import MAX_NESTING
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

NURSERY_CHECK = 16
"""Bodies may open nurseries of their own; every so many levels they are counted (F8)."""


class Call:
    """Yielded by a body to the loop: dispatch these targets on behalf of this line, then resume me."""

    __slots__ = ("line", "targets")

    def __init__(self, line: Line, targets: Sequence[Target]) -> None:
        self.line = line
        self.targets = targets


@types.coroutine
def call(strand: Strand, line: Line, targets: Sequence[Target]) -> Generator[Any, Any, None]:
    """Ask the loop that runs this body to dispatch; from a task of the body's own, bring a loop along."""
    if strand.driving:
        yield Call(line, targets)
    else:
        yield from drive(strand, line, targets)


@types.coroutine
def drive(strand: Strand, line: Line, targets: Sequence[Target]) -> Generator[Any, Any, None]:  # noqa: C901, PLR0912, PLR0915
    """Dispatch targets, one after the other, each with everything it hands over to (T1, T6).

    This is the hot path: it is one function so that a step costs few calls.
    """
    run = strand.run
    bodies = run.bodies
    turn_after = run.options.turn_after
    max_depth = run.options.max_depth
    clock = time.perf_counter
    # Bodies that wait for their triggers, each with the line it was dispatched in and what is left of that.
    stack: list[tuple[Coroutine[Any, Any, Any], Activation, Line, list[Target]]] = []
    pending = [*reversed(targets)]
    body: Coroutine[Any, Any, Any] | None = None
    activation: Activation | None = None
    thrown: BaseException | None = None
    answer: Any = None
    while True:
        try:
            if body is None:
                if not pending:
                    # The line is done: whoever triggered goes on.
                    if not stack:
                        return
                    body, activation, line, pending = stack.pop()
                    answer = None
                else:
                    target = pending.pop()
                    activation = None
                    yield from checkpoint_if_cancelled()  # T2
                    run.fuel -= 1
                    if run.fuel < 0 or clock() - run.last_turn > turn_after:
                        yield from run.pass_gate(line, target.node, _reader(strand))
                    activation = run.activate(line, strand, target)  # T3
                    if run.watch is not None:
                        run.watch.tell(NodeStarted, activation.where, target.node.id, target.entered)  # E1
                    body = bodies[target.node.index](activation)
                    answer = None
            strand.driving = True
            if thrown is None:
                trap = body.send(answer)
            else:
                error, thrown = thrown, None
                trap = body.throw(error)
            strand.driving = False
            if type(trap) is Call:
                caller = trap.line
                assert activation is not None
                if caller.depth >= max_depth:
                    thrown = _too_deep(run, activation)  # T9
                    continue
                if not caller.depth % NURSERY_CHECK and (thrown := _too_many_nurseries(run, activation)) is not None:
                    continue
                stack.append((body, activation, line, pending))
                line = caller
                pending = [*reversed(trap.targets)]
                body = None
                continue
            try:
                answer = yield trap
            except BaseException as error:  # noqa: BLE001 - whatever trio throws belongs to the body
                thrown = error
            run.last_turn = clock()
            continue
        except StopIteration as stop:
            strand.driving = False
            assert activation is not None
            outcome = stop.value
            node = activation.plan
            if outcome is not None:
                place = node.type.exec_output_index.get(outcome)
                if place is None:
                    thrown = unknown_socket(
                        node, outcome, "exec output to return", [each.name for each in node.type.exec_outputs]
                    )
                else:
                    handed_over = node.targets[place]  # T6
                    if len(handed_over) == 1:
                        pending.append(handed_over[0])
                    else:
                        pending.extend(reversed(handed_over))
            if thrown is None:
                if run.watch is not None:
                    _tell_completed(run, activation, outcome)
                body = None
                continue
        except BaseException as error:  # noqa: BLE001 - it goes to whoever triggered
            strand.driving = False
            thrown = error
        # The activation failed or was cancelled, and with it the rest of its line (T1): whoever triggered gets it.
        if activation is not None:
            _tell_failed(run, activation, thrown)
        if not stack:
            raise thrown
        body, activation, line, pending = stack.pop()


def _reader(strand: Strand) -> Any:
    """What a breakpoint's condition reads variables with."""
    index = strand.run.plan.variable_index
    return lambda name: strand.store.cells[index[name]].value


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


def _too_deep(run: RunState, activation: Activation) -> DepthExceeded:
    """T9: names the nodes that repeat."""
    ids: list[str] = []
    line: Line | None = activation
    while line is not None and len(ids) < 1000:
        plan: PlanNode | None = getattr(line, "plan", None)
        if plan is not None:
            ids.append(plan.id)
        line = line.parent
    period = ids.index(ids[0], 1) if ids[0] in ids[1:] else len(ids)
    cycle = list(reversed(ids[: min(period, 8)]))
    run.tell(LimitReached, activation, activation.plan.id, "depth", run.options.max_depth)
    return DepthExceeded(
        f"Activations nest deeper than {run.options.max_depth}: {' -> '.join(cycle)} repeats. "
        "Let the nodes return their exec output instead of awaiting trigger (a hand-over does not nest), or raise "
        "RunOptions(max_depth=...).",
        limit="depth",
        value=run.options.max_depth,
    )


def _too_many_nurseries(run: RunState, activation: Activation) -> DepthExceeded | None:
    """F8: whoever opened them, trio must not be brought near the number at which it dies."""
    count = 0
    task: trio.lowlevel.Task | None = trio.lowlevel.current_task()
    while task is not None:
        count += len(task.child_nurseries)
        task = task.parent_nursery.parent_task if task.parent_nursery is not None else None
    if count < MAX_NESTING:
        return None
    run.tell(LimitReached, activation, activation.plan.id, "nesting", MAX_NESTING)
    return DepthExceeded(
        f"More than {MAX_NESTING} nurseries are open inside each other at node {activation.plan.id!r}: its body, or one "
        "above it, opens a nursery around a trigger that comes back to it. Trigger outside of the nursery.",
        limit="nesting",
        value=MAX_NESTING,
    )
