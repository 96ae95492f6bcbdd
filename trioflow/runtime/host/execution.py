"""One execution of a graph, from the first setup to the last teardown (R1-R4, R8), as far as no host takes part in it.

`tf.run` needs no more than this: neither a scope to cancel it by, nor a strand for events, nor a task of its own.
"""

from __future__ import annotations

import itertools
import sys
import types
from collections.abc import Coroutine, Generator, Mapping, Sequence
from contextvars import ContextVar, copy_context
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import trio

from trioflow.errors import CoercionError, DepthExceeded, LimitExceeded, TeardownTimeout, UnknownName, did_you_mean
from trioflow.model.values import NO_VALUES, own_copy
from trioflow.runtime.base.failure import collapse, decisive, escaped, is_cancellation, leaves, note, origin_of
from trioflow.runtime.base.options import RunResult, RunStatistics, RunStatus, TrackedResult
from trioflow.runtime.base.records import Line, RunState, new_strand
from trioflow.runtime.base.turns import look_around, refuel, take_turn
from trioflow.runtime.base.watch import Watch
from trioflow.runtime.base.wraps import Wraps
from trioflow.runtime.bodies.life import combined, set_up, tear_down
from trioflow.runtime.bodies.template import start
from trioflow.runtime.context import BodyContext
from trioflow.runtime.demand.loop import demand
from trioflow.runtime.dispatch import drive
from trioflow.runtime.host.agenda import agenda_line, handle
from trioflow.runtime.host.given import OUTSIDE, Given
from trioflow.runtime.wrapping.middleware import Middleware, RunLife
from trioflow.semantics.coercion import Mismatch
from trioflow.semantics.events import LimitReached, RunCancelled, RunCompleted, RunFailed, RunStarted
from trioflow.semantics.plan import Plan, PlanNode, Target
from trioflow.semantics.store import Store

if TYPE_CHECKING:
    from trioflow.semantics.tracking import Tracker

T = TypeVar("T")

_numbers = itertools.count(1)


class Control(Protocol):
    """How control begins in a run, and what takes part in it besides the graph."""

    scope: trio.CancelScope | None
    """By which the run can be cancelled by itself."""

    async def run_graph(self, state: RunState, store: Store) -> None:
        """Let the nodes run that start the graph, and wait until all is done."""

    def settled(self, state: RunState) -> None:
        """The run has ended; its last event has been told, but observers are still there."""


class Alone:
    """A run in which no host takes part."""

    scope: trio.CancelScope | None = None

    async def run_graph(self, state: RunState, store: Store) -> None:
        """R2: one initiator after the other. No nursery is around them, for nobody but nodes can fork this strand."""
        refuel(state)  # the scheduler has just had its turn, and nobody can have closed the gate
        root = Line(None)
        strand = new_strand(state, store, 1)
        for line, targets in beginnings(state, root):
            await drive(strand, line, targets)
        if state.agenda is not None:
            await handle(state, strand, agenda_line(root))
        await trio.lowlevel.checkpoint_if_cancelled()

    def settled(self, state: RunState) -> None:
        """Nobody waits for it."""


def beginnings(state: RunState, root: Line) -> Sequence[tuple[Line, Sequence[Target]]]:
    """What a run begins with, each on its line: its initiators, in their order."""
    return [(Line(root), (initiator,)) for initiator in state.plan.initiators]


class Execution:
    """One execution of a graph, in the task that awaits `execute`."""

    tracker: Tracker | None = None
    """Who has counted what the run did, if anybody has; known when it has ended."""
    time_before = 0.0
    """Seconds that count towards the time limit, and passed before this: in other processes that had the run."""

    def __init__(self, plan: Plan, given: Given, control: Control) -> None:
        self._control = control
        middleware = self._middleware = given.middleware
        streams = given.options.streams
        wraps = Wraps(plan, middleware, streams) if middleware or streams is not NO_VALUES else None
        made: Any = given.activation or BodyContext
        state = self.state = RunState(
            next(_numbers), plan, given.options, made, demand, given.services, given.secrets, wraps
        )
        self._store = state.new_store()
        if given.variables:
            _write_variables(plan, self._store, given.variables)
        if given.observers:
            state.watch_by(Watch(state.id, given.observers))
        self._ended_at: float | None = None
        self.failure: BaseException | None = None

    def statistics(self) -> RunStatistics:
        """A snapshot."""
        state = self.state
        now = self._ended_at if self._ended_at is not None else trio.current_time()
        return RunStatistics(
            status=state.status,
            steps=state.steps,
            evaluations=state.evaluations,
            strands=state.strands,
            strands_parked=state.parked,
            forks=state.forks,
            elapsed=0.0 if state.started_at is None else now - state.started_at,
        )

    async def execute(self) -> None:
        """Run the graph. What it fails with is kept in `failure`; cancellation from outside passes through."""
        state = self.state
        try:
            state.started_at = trio.current_time()
        except RuntimeError as error:
            raise RuntimeError(OUTSIDE) from error
        if state.observed is not None:
            state.observed.begin(state.started_at)
        failure: BaseException | None = None
        try:
            enter_run(state.max_depth)
            state.tell(RunStarted, None, None)
            living = any(type(each).life is not Middleware.life for each in self._middleware)
            failure = await (self._in_lives() if living else self._torn_down())
        except BaseException as error:
            failure = error
        if isinstance(failure, BaseExceptionGroup) and not isinstance(failure, Exception):
            failure = decisive(failure)
        if isinstance(failure, RecursionError) and _nested.get() > _MANY:
            too_many = _too_many_runs(_nested.get() - 1, state.max_depth)
            too_many.__cause__ = failure
            failure = too_many
        scope = self._control.scope
        self._settle(failure, cancelled=scope is not None and scope.cancelled_caught)
        try:
            if failure is not None and not isinstance(failure, Exception):
                raise failure
        finally:
            failure = None  # its traceback refers to this frame

    def left_behind(self) -> RunResult:
        """The result of a run that has completed."""
        state = self.state
        outputs = partial(_written, state.plan.writing, self._store.cells)
        if self.tracker is not None:
            statistics = self.statistics()
            report = self.tracker.report(statistics.elapsed)
            return TrackedResult(self.variables(), outputs, statistics, state.id, report, state.plan)
        return RunResult(self.variables(), outputs, self.statistics(), state.id)

    def variables(self) -> dict[str, Any]:
        """The variables as the first strand sees them, or has left them."""
        variables = self.state.plan.variables
        if not variables:
            return {}
        cells = self._store.cells
        return {variable.name: cells[slot].value for slot, variable in enumerate(variables)}

    # --- the parts of execute ---

    async def _torn_down(self) -> BaseException | None:
        """Do it all; returns what it fails with."""
        state = self.state
        failure: BaseException | None = None
        try:
            scope = self._control.scope
            failure = await (self._within_budget() if scope is None else self._within(scope))
        except BaseException as error:
            failure = escaped(error)
        if state.frame.set_up:
            failure = combined(failure, await tear_down(state.frame, state), "run")
        try:
            return failure
        finally:
            failure = None  # its traceback refers to this frame

    async def _in_lives(self) -> BaseException | None:
        """The same inside the lives of middlewares, and of a nursery for their tasks (A7)."""
        failure: BaseException | None = None
        try:
            async with trio.open_nursery(strict_exception_groups=True) as nursery:
                failure = await self._in_life(self._middleware, nursery)
                if failure is not None:
                    raise failure
                nursery.cancel_scope.cancel()
        except BaseException as error:
            return collapse(error)
        finally:
            failure = None  # its traceback refers to this frame
        return None

    async def _in_life(self, middlewares: Sequence[Middleware], nursery: trio.Nursery) -> BaseException | None:
        """The same inside the life of the first of these middlewares, those of the others, and so on."""
        if not middlewares:
            return await self._torn_down()
        state = self.state
        middleware, *further = middlewares
        assert state.wraps is not None
        addresses = state.wraps.addresses(middleware, state.plan)
        life = middleware.life(RunLife(state.plan, addresses, state.services, nursery))
        if life is None:
            return await self._in_life(further, nursery)
        failure: BaseException | None = None
        # Opened first, for what a life opens must be closed before: it shields where the life is left.
        with trio.CancelScope() as scope:
            try:
                await life.__aenter__()
            except BaseException as error:
                if not is_cancellation(error):
                    note(error, f"while the life of {middleware!r} was entered")
                raise
            try:
                failure = await self._in_life(further, nursery)
            except BaseException as error:
                failure = error
            scope.shield = True
            scope.deadline = trio.current_time() + state.options.grace
            try:
                # What it returns makes no difference: a failure can't be hidden (R1).
                await life.__aexit__(
                    type(failure) if failure else None, failure, getattr(failure, "__traceback__", None)
                )
            except BaseException as error:
                failure = _left(failure, error, middleware)
        try:
            if scope.cancelled_caught:
                late = TeardownTimeout(
                    f"The life of {middleware!r} took longer to end than the grace period of "
                    f"{state.options.grace:g} s and was cut off. Raise RunOptions(grace=...) or make it end faster."
                )
                failure = combined(failure, [late], "run")
            return failure
        finally:
            failure = None  # its traceback refers to this frame

    async def _within(self, scope: trio.CancelScope) -> BaseException | None:
        """Do it all but for the teardown, where the run can be cancelled by itself."""
        with scope:
            return await self._within_budget()
        return None

    async def _within_budget(self) -> BaseException | None:
        """Do it all but for the teardown; returns the failure if the host's budget of steps or time is used up (R8)."""
        state = self.state
        timeout = state.options.timeout
        if timeout is None and state.options.max_steps is None:
            await self._set_up_and_run()
            return None
        deadline = inf if timeout is None else trio.current_time() + timeout - self.time_before
        with trio.CancelScope(deadline=deadline) as budget:
            state.budget = budget
            await self._set_up_and_run()
        if state.exhausted is not None:
            return state.exhausted
        # Also if something in the graph kept the cancellation away from it: the time has passed.
        if timeout is not None and (budget.cancelled_caught or trio.current_time() >= deadline):
            return self._timed_out(timeout)
        return None

    async def _set_up_and_run(self) -> None:
        state = self.state
        await take_turn(state)
        frame = state.frame
        start(frame, state)
        living = frame.template.living
        if living:
            await set_up(frame, living, state)
        await self._control.run_graph(state, self._store)

    def _settle(self, failure: BaseException | None, *, cancelled: bool) -> None:
        state = self.state
        state.ended = True
        state.resumed = None  # which leads back to the run
        self._ended_at = trio.current_time()
        duration = self._ended_at - (state.started_at or 0.0)
        if failure is not None and not is_cancellation(failure):
            self.failure = failure
            state.settled_status = RunStatus.FAILED
            state.tell(RunFailed, None, None, failure, origin_of(failure, state), duration)
        elif failure is not None or cancelled:
            state.settled_status = RunStatus.CANCELLED
            state.tell(RunCancelled, None, None, duration)
        else:
            state.settled_status = RunStatus.COMPLETED
            state.tell(RunCompleted, None, None, duration)
        look_around(state)
        if state.observed is not None:
            from trioflow.semantics.tracking import tracker_among  # noqa: PLC0415 - most runs are not watched

            self.tracker = tracker_among(state.observed.observers)
            state.observed.end()
        self._control.settled(state)

    def _timed_out(self, timeout: float) -> LimitExceeded:
        state = self.state
        state.tell(LimitReached, None, None, "timeout", timeout)
        return LimitExceeded(
            f"The run reached its limit of {timeout:g} s after {state.steps:,} steps. Raise RunOptions(timeout=...) if "
            "it is meant to take longer.",
            limit="timeout",
            value=timeout,
        )


def _written(nodes: Sequence[PlanNode], cells: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """The outputs that these nodes have written."""
    outputs: dict[str, dict[str, Any]] = {}
    for node in nodes:
        written = {
            socket.name: cell.value
            for slot, socket in enumerate(node.type.outputs, node.first_output)
            if (cell := cells[slot]) is not None
        }
        if written:
            outputs[node.id] = written
    return outputs


_nested: ContextVar[int] = ContextVar("_nested", default=0)
"""How many runs are around this one, in the tasks that await each other."""

_STACK = 0.7
"""How much of Python's stack runs inside runs may take; the rest is for what a run does."""

_MANY = 8
"""Where more runs than this are inside each other, it is their fault if the stack ends: tracers need much of it."""


def enter_run(max_depth: int) -> None:
    """A run begins, in a context of its own. Raises `DepthExceeded` where runs in runs come near the end of the stack.

    They can't be counted by `max_depth`: each is the body of a node, awaited by the one around.
    """
    depth = _nested.get()
    _nested.set(depth + 1)
    if depth < 1:
        return
    frames = 0
    frame: types.FrameType | None = sys._getframe()
    while frame is not None:
        frames += 1
        frame = frame.f_back
    if frames > _STACK * sys.getrecursionlimit():
        raise _too_many_runs(depth, max_depth)


def _too_many_runs(depth: int, max_depth: int) -> DepthExceeded:
    return DepthExceeded(
        f"{depth} runs are inside each other, each started by a node of the one around it, and Python's stack holds "
        f"no more, though RunOptions(max_depth={max_depth}) allows it. Call the graph as a node (type graph:NAME) "
        "instead of running it in one: calls take no stack and nest as deep as max_depth says.",
        limit="depth",
        value=max_depth,
    )


def _left(failure: BaseException | None, error: BaseException, middleware: Middleware) -> BaseException | None:
    """What a run fails with, where the life of a middleware was left with a failure and that raised an error.

    It may be the same, or hold the same, as what a nursery raises. What does not hold it comes in addition (R1).
    """
    within = [*leaves(error)]
    if failure is not None and all(each in within for each in leaves(failure)):
        return collapse(error)
    if not isinstance(error, Exception):
        raise error
    note(error, f"while the life of {middleware!r} was left")
    return combined(failure, [error], "run")


def _write_variables(plan: Plan, store: Store, variables: Mapping[str, object]) -> None:
    problems: list[str] = []
    unknown = False
    for name, value in variables.items():
        slot = plan.variable_index.get(name)
        if slot is None:
            unknown = True
            known = list(plan.variable_index)
            problems.append(
                f"There is no variable {name!r}.{did_you_mean(name, known)} "
                f"The graph declares: {', '.join(known) or 'none'}."
            )
            continue
        coercer = plan.variable_coercers[slot]
        try:
            given = own_copy(value)  # R7
            store.write(slot, coercer(given) if coercer is not None and given is not None else given, f"${name}")
        except Mismatch as error:
            problems.append(f"Variable {name!r}: {error}.")
    if problems:
        raise (UnknownName if unknown else CoercionError)("\n".join(problems))


@types.coroutine
def in_own_context(work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Await something so that what it does to its context variables stays in it.

    As a task of its own would do, which takes more time than starting and ending a run.
    """
    context = copy_context()
    answer: Any = None
    thrown: BaseException | None = None
    try:
        while True:
            try:
                trap = context.run(work.send, answer) if thrown is None else context.run(work.throw, thrown)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = thrown = None
            try:
                answer = yield trap
            except BaseException as error:
                thrown = error
    finally:
        thrown = answer = None  # the traceback refers to this frame, and trio's answer may be what was raised
