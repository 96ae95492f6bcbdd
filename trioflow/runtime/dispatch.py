"""Dispatch: how control moves (T1-T9).

`dispatch` runs the targets of one line, one after the other; a body's trigger awaits it directly, so a step is a
plain await. Every `SEGMENT` levels the trigger awaits a `Call` instead, which goes up to `drive`, the loop at the
bottom of the task: it puts the segment so far on a stack of its own and runs the call as a new one. So nesting costs
neither Python recursion nor tasks, and what trio resumes is never deep.

The order of the checks at each dispatch is T2: cancellation, gate, limits, activation. Gate, limits and the
scheduler's turn share one counter, `run.fuel`; only when it is used up are they looked at one by one.
"""

# What is bound only if `watched` is the activation, or `triggers` is true, is read only then: to bind it at each step
# costs instructions that unwatched runs would pay.
# pyright: reportPossiblyUnboundVariable=false
from __future__ import annotations

import functools
import types
from collections.abc import Coroutine, Generator, Mapping, Sequence
from time import perf_counter
from typing import Any

from trio.lowlevel import checkpoint_if_cancelled, current_task

from trioflow.errors import DepthExceeded
from trioflow.runtime.base.failure import is_cancellation, mark_origin, note
from trioflow.runtime.base.names import exit_place
from trioflow.runtime.base.records import Activation, Line, RunState, Strand, below
from trioflow.runtime.base.task import HotTask, hot_task, left_open
from trioflow.runtime.base.turns import count_nurseries, pass_by, pass_dispatch
from trioflow.runtime.base.watch import new_completed, new_started
from trioflow.runtime.base.with_inputs import with_inputs
from trioflow.runtime.base.writes import write_outputs
from trioflow.semantics.address import is_attempt
from trioflow.semantics.events import (
    LimitReached,
    NodeCancelled,
    NodeCompleted,
    NodeFailed,
    NodeSkipped,
    NodeStarted,
)
from trioflow.semantics.plan import PlanNode, Target
from trioflow.semantics.written import written_since

SEGMENT = 16
"""Levels of triggers that are nested as Python awaits before the loop takes over."""

CLOSED: Any = None
"""In place of how an activation was entered, and with what, once it has closed."""

Begun = tuple[Coroutine[Any, Any, None], Any]
"""A dispatch, and the trap that it has yielded; None if it is still to begin."""


class Call:
    """Awaited by a body: ask the loop that runs it to run this, most often a dispatch, as a segment of its own.

    In another strand object than its own, if it calls a graph or comes back out of one (C3).
    """

    __slots__ = ("segment", "strand")

    def __init__(self, strand: Strand, segment: Coroutine[Any, Any, None]) -> None:
        self.strand = strand
        self.segment = segment

    def __await__(self) -> Generator[Call, None, None]:
        yield self


async def call(activation: Activation, line: Line, targets: Sequence[Target]) -> None:
    """Dispatch targets on behalf of a line, below an activation, and come back when all is done (T1)."""
    strand = activation.strand
    task = strand.task
    if task is not None and activation.depth % SEGMENT > 1 and len(task._child_nurseries) <= strand.counted:  # F8
        # An emit goes down two levels at once, so there are two remainders to leave at.
        await dispatch(line, None, None, targets, strand)
        return
    count_nurseries(strand.run, activation, activation.plan.id)
    strand.counted = len(current_task().child_nurseries)
    if task is not None:
        await Call(strand, dispatch(line, None, None, targets, strand))
    else:
        # The body triggers from a task of its own: that task needs a loop of its own.
        await drive(strand, line, targets)


async def cross(activation: Activation, strand: Strand, targets: Sequence[Target]) -> None:
    """Dispatch targets in a graph that this activation calls, or that its own is called by (C3, C6)."""
    await apart(activation, strand, dispatch(activation, None, None, targets, strand))


async def apart(activation: Activation, strand: Strand, work: Coroutine[Any, Any, None]) -> None:
    """Do work of an activation as a segment of its own, which takes none of Python's stack, in this strand."""
    own = activation.strand
    try:
        count_nurseries(own.run, activation, activation.plan.id)  # F8
    except BaseException:
        work.close()
        raise
    strand.counted = len(current_task().child_nurseries)
    if own.task is not None:
        await Call(strand, work)
    else:
        await drive(strand, activation, (), begun=(work, None))


async def dispatch(  # noqa: C901
    line: Any,  # a Line; an Activation if this is its trigger
    socket: Any = None,
    values: Mapping[Any, object] | None = None,
    targets: Sequence[Target] | None = None,
    strand: Any = None,
) -> None:
    """Dispatch targets, one after the other, each with everything it hands over to (T1, T6). The hot path.

    This is `Activation.trigger` too, which says a socket instead of targets and a strand: one coroutine for both, with
    everything written out that a step needs, because each coroutine, call and object here costs a tenth of a step.
    """
    triggers = targets is None
    place: Any
    if targets is None:
        plan = line.plan
        strand = line.strand
        if socket is plan.first_exit:
            place = 0
            targets = plan.first_targets
        else:
            place = plan.type.exec_output_index.get(socket)
            if place is None:
                place = exit_place(plan, socket)  # T4
            targets = plan.targets[place]
        if line.triggering:  # T7
            raise line.concurrent("trigger", socket)
        if values:
            write_outputs(line, values)
        if plan.streams:
            await before_done(line, place)
        task = strand.task
        if not targets:  # T4
            try:
                await pass_by(strand.run)
            finally:
                line.come_back()  # D6
            return
        line.triggering = True
        if task is None or line.depth % SEGMENT <= 1 or len(task._child_nurseries) > strand.counted:  # F8
            try:
                await call(line, line, targets)
            finally:
                line.triggering = False
                line.come_back()  # D6
            return
    else:
        place = -1
        task = strand.task
        if not targets:
            return
    try:
        run = strand.run
        depth = line.depth + 1
        if depth > run.max_depth:
            await checkpoint_if_cancelled()
            run.fuel -= 1
            await pass_dispatch(run, strand, line, targets[0])  # T2: the gate is before the limits
            raise too_deep(run, line)  # T9
        activate = run.activate
        bodies = strand.frame.bodies
        target = targets[0]
        began: float | None
        watched: Activation | None = None  # whose start was told last: `began` and `since` are of it
        onward: Sequence[Target] | None
        pending = [*targets[:0:-1]] if len(targets) > 1 else None  # the others, last first
        scopes = task._cancel_status
        while True:
            if scopes.effectively_cancelled:  # T2
                await checkpoint_if_cancelled()
            run.fuel -= 1
            now = perf_counter()
            if run.fuel < 0 or now > run.turn_due or (run.stops is not None and target.node in run.stops):
                await pass_dispatch(run, strand, line, target)
                now = perf_counter()
            node = target.node
            if node.step is not None and run.steps_alone:
                try:
                    onward = node.step(strand.store)
                except BaseException as error:
                    await end_step(strand, line, target, task, scopes, error)
                    raise
                if onward is not None:
                    if not run.steps_alone or task._cancel_status is not scopes:
                        await end_step(strand, line, target, task, scopes)
                    else:
                        line.count += 1
                    if onward:
                        target = onward[0]
                        if len(onward) > 1:
                            pending = pending or []
                            pending += onward[:0:-1]
                    elif pending:
                        target = pending.pop()
                    else:
                        return
                    continue
            activation = activate()  # T3
            # As Activation.__init__ would do: a class without one is made in half the time.
            activation.parent = line
            activation.index = line.count
            line.count += 1
            activation.depth = depth
            activation.count = 0
            activation._where = None
            activation.strand = strand
            activation.plan = node
            activation.triggering = False
            activation._target = target
            activation._rarely = None
            watch = run.watch
            if watch is not None:  # E1
                # As Watch.tell would do: what a step tells takes half as long as all the rest of it.
                began = watch.now() if watch.offset is None else watch.offset + now
                told = strand.told or strand.tell_as(watch.run)
                since = run.next_serial() if watch.values else -1
                watched = activation
                observer = watch.started
                if observer is not None:
                    event = new_started(NodeStarted)
                    event._told = told
                    event._sequence = watch.sequence
                    watch.sequence += 1
                    event._time = began
                    event._line = activation
                    event._node = node.id
                    event._entered = target.entered
                    try:
                        observer(event)
                    except Exception as error:
                        watch.failed(observer, error)
            try:
                outcome = await bodies[node.index](activation)
                if task._cancel_status is not scopes:
                    raise await left_open(task, scopes, f"Node {strand.frame.prefix + node.id!r} ({node.type.id})")
                if outcome is None:
                    onward = ()
                elif outcome is node.first_exit:  # T6
                    onward = node.first_targets
                else:
                    place = node.type.exec_output_index.get(outcome)
                    if place is None:
                        place = exit_place(node, outcome, "exec output to return")
                    onward = node.targets[place]
            except BaseException as error:
                await end_failed(activation, task, scopes, error, began if watched is activation else None)
                raise
            if run.observed is not None:
                watch = run.watch
                if watch is not None:
                    if watched is not activation:
                        began, since = None, -1
                        told = strand.told or strand.tell_as(watch.run)
                    observer = watch.completed
                    if activation._rarely is not None and activation.skipped is not None:
                        skipped, origin = activation.skipped
                        watch.tell(NodeSkipped(skipped, origin, run.lasted(began)), told, activation, node.id)
                    elif observer is not None:
                        event = new_completed(NodeCompleted)
                        event._told = told
                        event._sequence = watch.sequence
                        watch.sequence += 1
                        event._time = watch.now() if watch.offset is None else watch.offset + perf_counter()
                        event._line = activation
                        event._node = node.id
                        event._handed_over = outcome
                        event._began = began
                        if watch.values and began is not None and since >= 0:
                            event._written = written_since(since, strand.store, node, strand.frame.plan.variable_index)
                        try:
                            observer(event)
                        except Exception as error:
                            watch.failed(observer, error)
                activation._rarely = None  # events keep the activation for its path, and nothing else of it
                activation._target = CLOSED
            del activation.strand  # it has closed: from now on whoever kept it is told so
            if onward:
                target = onward[0]
                if len(onward) > 1:
                    pending = pending or []
                    pending += onward[:0:-1]
            elif pending:
                target = pending.pop()
            else:
                return
    finally:
        if triggers:
            line.triggering = False
            if plan.moments:
                line.come_back()


# Python says so of a call that nobody awaits: "coroutine 'ctx.trigger' was never awaited".
dispatch.__qualname__ = "ctx.trigger"


@types.coroutine
def drive(  # noqa: C901 - a hot path
    strand: Strand, line: Line, targets: Sequence[Target], task: HotTask | None = None, begun: Begun | None = None
) -> Generator[Any, Any, None]:
    """Run `dispatch` in this task, at any depth: the loop that takes `Call`s from the bodies.

    `begun` is a dispatch of these targets that was begun without it, and the trap at which it is now.
    """
    run = strand.run
    stack: list[tuple[Strand, Coroutine[Any, Any, None]]] = []
    task = task or hot_task()
    segment, trap = begun or (dispatch(line, None, None, targets, strand), None)
    has_begun = trap is not None
    answer: Any = None
    thrown: BaseException | None = None
    while True:
        strand.resume(task)
        try:
            if has_begun:
                has_begun = False
            elif thrown is None:
                trap = segment.send(answer)
            else:
                error, thrown = thrown, None
                trap = segment.throw(error)
        except StopIteration:
            answer = None
        except BaseException as error:
            thrown = error
            answer = None  # it may be what trio raised, whose traceback refers to this frame
        else:
            strand.task = None
            if type(trap) is Call:
                stack.append((strand, segment))
                strand = trap.strand
                segment = trap.segment
                answer = None
                continue
            try:
                answer = yield trap
            except BaseException as error:
                thrown = error
            run.turn_due = perf_counter() + run.turn_after
            continue
        strand.task = None
        if stack:
            strand, segment = stack.pop()
        elif thrown is None:
            return
        else:
            try:
                raise thrown
            finally:
                thrown = None  # the traceback refers to this frame


async def before_done(activation: Activation, place: int) -> None:
    """F5: the join before a stream's done socket fires."""
    for stream in activation.rarely.streams:
        if stream.plan.done == place:
            forks = activation.rarely.forks
            try:
                await checkpoint_if_cancelled()
                if forks is not None:
                    await forks.join()
            except BaseException:
                activation.come_back()  # D6
                raise
            stream.fired = True


async def end_failed(
    activation: Activation, task: HotTask, scopes: Any, error: BaseException, began: float | None
) -> None:
    """An activation ends with this: it is told, once who may look at it has done so, and closed."""
    strand = activation.strand
    run = strand.run
    if task._cancel_status is not scopes:
        note(error, str(await left_open(task, scopes, "It")))
    if run.barrier is not None:
        await run.barrier.see_failure(error, strand, activation)
    tell_failed(run, activation, error, began)
    del activation.strand


def close(activation: Activation) -> None:
    """It has ended: events keep it for its path, and nothing else of it."""
    activation._rarely = None
    activation._target = CLOSED
    del activation.strand


async def end_step(
    strand: Strand, line: Line, target: Target, task: HotTask, scopes: Any, error: BaseException | None = None
) -> None:
    """A function that was called without an activation needs one: it has failed, or somebody has begun to watch it."""
    node = target.node
    activation: Activation = below(line, line.count, target, strand)
    line.count += 1
    try:
        if isinstance(error, StopIteration):  # as it is where a coroutine raises it
            raise RuntimeError("coroutine raised StopIteration") from error
        if error is None and task._cancel_status is not scopes:
            raise await left_open(task, scopes, f"Node {strand.frame.prefix + node.id!r} ({node.type.id})")
    except BaseException as failure:
        await end_failed(activation, task, scopes, failure, None)
        raise
    if error is not None:
        await end_failed(activation, task, scopes, error, None)
        return
    strand.run.tell(NodeCompleted, activation, node.id, node.first_exit)
    close(activation)


def tell_failed(run: RunState, activation: Activation, error: BaseException, began: float | None) -> None:
    """An activation ends with this: by a failure, or as cancelled (E1, E2)."""
    plan = activation.plan
    duration = run.lasted(began)
    if is_cancellation(error):
        run.tell(NodeCancelled, activation, plan.id, duration)
    else:
        inputs = functools.partial(with_inputs, activation, plan)
        origin = mark_origin(error, run, activation.where, plan.id, plan.type.id, inputs)  # E2
        run.tell(NodeFailed, activation, plan.id, error, origin, duration)
    if run.observed is not None:
        activation._rarely = None
        activation._target = CLOSED


def too_deep(run: RunState, line: Line) -> DepthExceeded:
    """T9: names the nodes that repeat, or if none does, the innermost ones."""
    ids: list[str] = []
    above: Line | None = line
    while above is not None and len(ids) < 1000:
        plan: PlanNode | None = getattr(above, "plan", None)
        if plan is not None and not is_attempt(above.index):
            ids.append(plan.id)
        above = above.parent
    period = ids.index(ids[0], 1) if ids and ids[0] in ids[1:] else 0
    innermost = " -> ".join(reversed(ids[: min(period or len(ids), 8)]))
    names = f": {innermost}{' repeats' if period else ''}" if ids else ""
    run.tell(LimitReached, line, ids[0] if ids else None, "depth", run.options.max_depth)
    return DepthExceeded(
        f"Activations nest deeper than {run.options.max_depth}{names}. "
        "Let the nodes return their exec output instead of awaiting trigger (a hand-over does not nest), or raise "
        "RunOptions(max_depth=...).",
        limit="depth",
        value=run.options.max_depth,
    )
