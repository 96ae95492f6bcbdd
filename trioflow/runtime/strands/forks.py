"""Concurrent strands: how they start, end and are joined (F1-F8, S2-S4). The only place that starts tasks.

A fork that waits for something needs a task of its own. Most never do, and a task costs several times what such a fork
does: so a task, in the nursery of the forks, runs those that were made meanwhile, one after the other. The first that
waits keeps the task for itself, and other tasks are started for those behind it.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from contextvars import Context, copy_context
from math import inf
from time import perf_counter
from types import TracebackType
from typing import Any

import trio
from trio import current_effective_deadline
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint_if_cancelled, current_task

from trioflow.errors import DepthExceeded, NodeError
from trioflow.model.context import Fork
from trioflow.runtime.base.failure import arose_with, collapse, leaves, mark_origin
from trioflow.runtime.base.options import MAX_NESTING
from trioflow.runtime.base.records import Line, Strand
from trioflow.runtime.base.task import HotTask, hot_task
from trioflow.runtime.base.turns import (
    count_nurseries,
    grant_one,
    limit_reached,
    look_around,
    refuel,
    rouse,
    wait_for,
)
from trioflow.runtime.dispatch import Call, dispatch, drive
from trioflow.semantics.events import Event, LimitReached, MergeConflict, StrandForked, StrandJoined, Told
from trioflow.semantics.join import Join
from trioflow.semantics.plan import Target
from trioflow.semantics.store import Cell, StateKey, Store

Work = Callable[[Strand, Line, HotTask], Coroutine[Any, Any, None]]

_Waiting = tuple["StrandFork", Strand, Work | tuple["Target", ...], Context]
"""A fork that has no task yet: its strand, what it does, and the context variables as they were when it was made."""

_MANY = 1024
"""So many tasks may be on their way to forks that wait for one."""

_NAME = "trioflow.runtime.strands.forks.ForkSet.work"
"""What trio would call the task of strands, if it had to make the name out of the function's each time."""


class StrandFork(Line, Fork):
    """One forked strand, with a store of its own. It is the line of what it dispatches, unless it gets one."""

    __slots__ = (
        "_line", "_scope", "base", "born", "collected", "discarded", "failed_with", "number", "written",
        "written_state",
    )  # fmt: skip

    number: int
    collected: bool
    discarded: bool
    failed_with: Exception | None
    # What it wrote, once it has ended; until then `written` is `_NOT_YET`. The others are there if it was dispatched.
    born: int
    base: Sequence[Cell]
    written: dict[int, Cell]
    written_state: dict[StateKey, Cell]
    # None for itself: a fork that held itself would only go with the garbage.
    _line: Line | None
    # A scope costs as much as the task itself: only forks that somebody gets a handle of have one.
    _scope: trio.CancelScope | None

    # `ForkSet.start` sets everything: this runs once per item of a stream.
    __init__ = object.__init__  # pyright: ignore[reportAssignmentType] - it takes no line above

    @property
    def done(self) -> bool:
        return self.written is not _NOT_YET

    @property
    def failure(self) -> Exception | None:
        return self.failed_with

    @property
    def line(self) -> Line:
        """The line of what it dispatches."""
        return self._line or self

    def cancel(self) -> None:
        assert self._scope is not None, "nobody has a handle of an item of a stream"
        self._scope.cancel()

    def body(self, strand: Strand, work: Work | tuple[Target, ...], task: HotTask) -> Coroutine[Any, Any, None]:
        """What is to be run in this task: this work, or the dispatch of these targets.

        A dispatch without its loop, `drive`, if there is nothing around it: it has the strand's `task`, and needs the
        loop only if it comes to a trap.
        """
        if not isinstance(work, tuple):
            body: Any = work(strand, self.line, task)
        elif self._scope is None:
            strand.resume(task)
            return dispatch(self._line or self, None, None, work, strand)
        else:
            body = drive(strand, self.line, work, task)
        return body if self._scope is None else self._in_scope(self._scope, body)

    async def _in_scope(self, scope: trio.CancelScope, body: Coroutine[Any, Any, None]) -> None:
        with scope:
            await body

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled by itself, so that its writes do not count."""
        return self._scope is not None and self._scope.cancelled_caught

    def __repr__(self) -> str:
        state = "running" if not self.done else "cancelled" if self.cancelled else "done"
        return f"<fork {self.line.where}: {state}>"


_new_fork: Any = StrandFork

_NOT_YET: Any = None
"""In place of what a fork wrote."""


def _strip(forks: Iterable[StrandFork]) -> None:
    """Events keep the lines of forks for their paths, and nothing else of them."""
    for fork in forks:
        if fork.written is not _NOT_YET:
            fork.base, fork.written, fork.written_state = (), {}, {}
            if fork._scope is None:  # otherwise somebody may have a handle and ask
                fork.failed_with = None


_ENDED: Any = object()
"""In place of a trap: there is none any more."""


class ForkSet:
    """The forks of one owner, all in one nursery inside it (F2)."""

    def __init__(self, line: Line, strand: Strand, node: str | None, nursery: trio.Nursery) -> None:
        self._line = line
        self._strand = strand
        self._run = strand.run
        self._most = strand.run.options.max_strands
        self._node = node
        self._nursery = nursery
        # Forks that are not merged yet, in the order in which they were made (F3).
        self._outstanding: list[StrandFork] = []
        self.in_flight = 0
        self.failures: list[tuple[int, Exception]] = []
        # Because of which the others were cancelled; if that came from outside, the first in their order (E2).
        self.first_failure: BaseException | None = None
        self._failed: dict[int, int] = {}  # the numbers of forks that failed, by the identities of the failures
        # What the owner waits for, with the condition under which it may go on; several, if its body has tasks.
        self._owners: dict[trio.Event, Callable[[], bool]] = {}
        # Forks that no task has begun with, in the order in which they were made.
        self._waiting: deque[_Waiting] = deque()
        # Whether the block has ended, so that its forks are being joined.
        self.closed = False
        # Tasks that are started for them and do not run yet; there are as many as may be, or as forks that wait.
        self._coming = 0
        # How many may be: one, as long as forks end without waiting; twice as many after each that did wait.
        self._may_come = 1

    def start(
        self,
        work: Work | tuple[Target, ...],
        collected: bool = False,
        discard: bool = False,
        *,
        line: Line | None = None,
        cancellable: bool = False,
        limited: bool = True,
        store: Store | None = None,
        context: Context | None = None,
    ) -> StrandFork:
        """Fork the owner's strand as it is now (F1), or with this store, which comes after other forks (F9).

        It begins with the context variables as they are now, or with these, in which nothing runs meanwhile.
        """
        run = self._run
        if self.closed:
            raise self.has_ended("a fork")
        limit = self._most
        if limit is not None and limited and run.strands >= limit:
            raise limit_reached(run, "strands", limit, self._line.where)
        fork: StrandFork = _new_fork()
        if line is None:
            # As Line.__init__ does.
            fork.parent = parent = self._line
            fork.index = parent.count
            parent.count += 1
            fork.depth = parent.depth + 1
            fork.count = 0
            fork._where = None
        fork._line = line
        run.forks = fork.number = run.forks + 1
        fork.collected = collected
        fork.discarded = discard
        fork._scope = trio.CancelScope() if cancellable else None
        fork.failed_with = None
        fork.written = _NOT_YET
        if not discard:  # S6
            self._outstanding.append(fork)
        if run.observed is not None:
            self._tell(StrandForked(), fork)
        if not work:  # nothing to dispatch: it has ended, and needs no task
            fork.written, fork.written_state = {}, {}
            run.ended_forks += 1
            return fork
        strand = self._strand.fork(store)
        strand.number = fork.number
        if self._node is None:
            strand.nurseries = 1  # F8: whatever the first strand has open now, only the run is around its forks
        self.in_flight += 1
        self._waiting.append((fork, strand, work, copy_context() if context is None else context.copy()))
        if self._coming < self._may_come:
            self._coming += 1
            self._nursery.start_soon(self.work, name=_NAME)
        return fork

    def has_ended(self, what: str) -> NodeError:
        """The error that something comes too late for this block."""
        return NodeError(
            f"Node {self._node!r}, activation {self._line.where.short}: {what} comes after the block that owns the "
            "strands has ended, when they are being joined. Start branches and emit items inside the block and before "
            "the body returns, not from tasks that go on longer."
        )

    def strip(self) -> None:
        """They have failed and are not joined: let go of what they wrote."""
        _strip(self._outstanding)

    async def work(self) -> None:
        """A task that runs forks until none is left, or until one waits, whose own it is from then on."""
        await self._run_forks()

    @types.coroutine
    def _run_forks(self) -> Generator[Any, Any, None]:  # noqa: C901 - a fork costs little only if all is in one place
        self._coming -= 1
        run = self._run
        run.turn_due = perf_counter() + run.turn_after  # the scheduler has just had its turn
        if run.fuel < 1:
            grant_one(run)
        task = hot_task()
        trio_task = current_task()
        scope = task._cancel_status
        waiting = self._waiting
        owned = direct = False
        body: Any
        failure: Exception | None = None
        answer: Any = None
        thrown: BaseException | None = None
        try:
            while waiting and not owned:
                if (run.fuel < 1 or perf_counter() > run.turn_due) and run.schedule is None and not run.gated:
                    # Otherwise the next fork would have to wait for the scheduler's turn (T2), in a task of its own.
                    self._coming += 1
                    yield from self._take_turn().__await__()
                    self._coming -= 1
                    if not waiting:
                        break
                fork, strand, work, context = waiting.popleft()
                trio_task.context = context
                try:
                    body = fork.body(strand, work, task)
                    # Not `send` as below: to raise and catch a StopIteration takes as long as a step.
                    trap = context.run(next, body.__await__(), _ENDED)
                    if trap is not _ENDED:
                        owned = True
                        work = ()  # what waits keeps only what it needs
                        self._may_come = min(2 * self._may_come, _MANY)
                        self._call_tasks()
                        direct = strand.task is not None  # a dispatch that has no loop around it, until it calls
                        if type(trap) is Call:
                            body, direct = drive(strand, fork.line, (), task, (body, trap)), False
                            trap = context.run(body.send, None)
                    while owned:
                        if direct:
                            strand.task = None
                        thrown = None
                        try:
                            answer = yield trap
                        except BaseException as error:
                            thrown = error
                        if direct:
                            run.turn_due = perf_counter() + run.turn_after
                            strand.resume(task)
                        # Not in the handler: what the body raises next has nothing to do with what it was thrown.
                        trap = body.send(answer) if thrown is None else body.throw(thrown)
                        if type(trap) is Call:
                            body, direct = drive(strand, fork.line, (), task, (body, trap)), False
                            trap = body.send(None)
                except StopIteration:
                    pass
                except Exception as error:
                    failure = error
                    if not fork.collected:
                        self._came_from(fork, error)
                        self.failed(error)
                        raise  # F2: the nursery cancels the siblings and the owner's body
                except BaseExceptionGroup as group:  # what its body's own tasks failed with while it was cancelled
                    self._came_from(fork, group)
                    raise
                finally:
                    self.ended(fork, strand, failure)
                    failure = thrown = answer = None  # their tracebacks refer to this frame
                if not owned:
                    self._may_come = 1
                    if task._cancel_status is not scope:  # its body has left a scope open, which is none of the others'
                        self._call_tasks()
                        return
        except BaseException:
            self._call_tasks()
            raise

    def _came_from(self, fork: StrandFork, error: BaseException) -> None:
        """Remember of which fork these failures are, however they come out of the nursery."""
        for each in leaves(error):
            if not isinstance(each, trio.Cancelled):
                self._failed[id(each)] = min(fork.number, self._failed.get(id(each), fork.number))

    def _place(self, error: BaseException) -> int:
        """The number of the fork that it came from, the first of several; -1 for the owner."""
        return min((self._failed[id(each)] for each in leaves(error) if id(each) in self._failed), default=-1)

    async def _take_turn(self) -> None:
        """Give the scheduler its turn. Shielded, for each fork sees by itself that it is cancelled."""
        await cancel_shielded_checkpoint()
        self._run.turn_due = perf_counter() + self._run.turn_after
        refuel(self._run)

    def _call_tasks(self) -> None:
        """Start tasks for the forks that wait for one."""
        while self._coming < min(self._may_come, len(self._waiting)):
            self._coming += 1
            self._nursery.start_soon(self.work, name=_NAME)

    def ended(self, fork: StrandFork, strand: Strand, failure: Exception | None) -> None:
        """A fork is at its end, by itself or by this failure."""
        run = self._run
        store = strand.store
        fork.born = store.born
        fork.base = store.base if store.written else ()
        fork.written = store.written
        fork.written_state = store.written_state
        strand.task = None
        if fork.discarded and run.observed is not None:
            _strip((fork,))
        self.in_flight -= 1
        run.ended_forks += 1
        if failure is not None:
            fork.failed_with = failure
            if fork.collected:
                self.failures.append((fork.line.index, failure))  # S4
        if self._owners:
            for event, condition in tuple(self._owners.items()):
                if condition():
                    rouse(run, event)
        if run.barrier is not None:
            look_around(run)

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait, as the owner, for something that the end of a fork brings about."""
        await trio.lowlevel.checkpoint()
        while not condition():  # again: another task of the body may have taken the place that became free
            event = trio.Event()
            self._owners[event] = condition
            try:
                await wait_for(self._run, self._strand, event)
            finally:
                del self._owners[event]
        # The end of a fork that failed may be what was waited for: then nothing is to be merged, nor started (F2).
        await checkpoint_if_cancelled()

    async def join(self) -> None:
        """Wait for all forks, then merge them in the order in which they were made (F3, F5)."""
        if self.in_flight:
            await self.wait_until(lambda: self.in_flight == 0)
        else:
            await checkpoint_if_cancelled()
        outstanding, self._outstanding = self._outstanding, []
        run = self._run
        joining = Join(self._strand.store)
        try:
            for fork in outstanding:
                if fork.written is _NOT_YET or (fork._scope is not None and fork.cancelled):
                    continue
                if fork.written or fork.written_state:
                    conflicts = joining.add(fork)
                    if run.observed is not None:
                        for conflict in conflicts:
                            self._tell(MergeConflict(conflict.variable, conflict.kept, conflict.lost), fork)
                if run.observed is not None:
                    self._tell(StrandJoined(), fork)
        finally:
            joining.commit()
            if run.observed is not None:
                _strip(outstanding)

    def _tell(self, event: Event, fork: StrandFork) -> None:
        observed = self._run.observed
        if observed is not None:
            observed.tell(
                event, Told(observed.run, self._strand.frame.prefix, fork.number), fork.line.where, self._node
            )

    def failed(self, error: Exception) -> None:
        """One has failed: the first of all arose in the owner, unless it has come from further below (E2)."""
        if self.first_failure is not None:
            return
        if current_effective_deadline() > -inf:
            self.first_failure = error
        if self._node is not None:
            plan = self._strand.frame.plan
            type_id = plan.nodes[plan.node_index[self._node]].type.id
            mark_origin(error, self._run, self._line.where, self._node, type_id)

    def in_order(self, error: BaseException) -> BaseException:
        """What came out of the nursery: a single failure as itself, several in the order of their forks (R4).

        Failures of forks take the place of a cancellation of their owner, as a failure in a `finally` does (R5).
        """
        if isinstance(error, BaseExceptionGroup):
            # Strands that shared a failing evaluation have failed with one and the same exception (D5).
            once = {id(each): each for each in error.exceptions}.values()
            ordered = sorted(once, key=self._place)
            failed = [(each, rest) for each in ordered if (rest := _without_cancellation(each)) is not None]
            if len(failed) > 1:
                self.first_failure = self.first_failure or failed[0][0]
            if failed:
                error = error.derive([rest for _, rest in failed])
        return collapse(error)


def _without_cancellation(error: BaseException) -> BaseException | None:
    """The failures in what a strand ended with, if any; itself, with what is noted on it, if there is nothing else."""
    if not any(isinstance(each, trio.Cancelled) for each in leaves(error)):
        return error
    return error.split(trio.Cancelled)[1] if isinstance(error, BaseExceptionGroup) else None


class OpenForks:
    """A block that owns forks: where it ends they are joined; if it fails they are cancelled (F2, F5).

    A class and no generator: whatever a strand fails with, be it StopAsyncIteration, comes out as itself (R4).
    """

    __slots__ = ("_line", "_manager", "_node", "_strand", "forks")

    forks: ForkSet

    def __init__(self, line: Line, strand: Strand, node: str | None) -> None:
        self._line = line
        self._strand = strand
        self._node = node
        # R4: in a group whatever the host wants of its nurseries, or else one that a body raised would be taken for it.
        self._manager = trio.open_nursery(strict_exception_groups=True)

    async def __aenter__(self) -> ForkSet:
        line, strand, node = self._line, self._strand, self._node
        run = strand.run
        if strand.nurseries > run.options.max_nesting:  # F8
            told = strand.told or strand.tell_as(run.id)
            if run.observed is not None:
                limit = LimitReached("nesting", run.options.max_nesting)
                run.observed.tell(limit, told, line, node)
            raise DepthExceeded(
                f"Concurrent strands nest deeper than {run.options.max_nesting} at node {node!r} "
                f"(activation {line.where.short}). "
                "A fork inside a fork that comes back to the same node never ends; if it does, raise "
                "RunOptions(max_nesting=...), up to 256.",
                limit="nesting",
                value=run.options.max_nesting,
            )
        # Beyond the strands of the run there may be nurseries of bodies, and of the host.
        count_nurseries(run, line, node or "the run", MAX_NESTING + 16)
        self.forks = ForkSet(line, strand, node, await self._manager.__aenter__())
        strand.nurseries += 1
        return self.forks

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        forks = self.forks
        forks.closed = True
        ends_with = error
        try:
            if ends_with is None:
                try:
                    await forks.join()
                except BaseException as failure:
                    ends_with = failure
            if isinstance(ends_with, Exception):
                forks.failed(ends_with)
            try:
                await self._manager.__aexit__(
                    None if ends_with is None else type(ends_with),
                    ends_with,
                    None if ends_with is None else ends_with.__traceback__,
                )
            except BaseException as failure:
                ends_with = forks.in_order(failure)
                if forks.first_failure is not None:
                    arose_with(ends_with, forks.first_failure)
            if ends_with is not None and ends_with is not error:
                raise ends_with
        finally:
            self._strand.nurseries -= 1
            if ends_with is not None and self._strand.run.observed is not None:
                forks.strip()
            ends_with = None  # its traceback refers to this frame
