"""Concurrent strands: how they start, end and are joined (F1-F8, S2-S4). The only place that starts tasks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import DepthExceeded
from trioflow.model.context import Branches, Fork
from trioflow.runtime.dispatch import drive
from trioflow.runtime.failure import arose_with, collapse, mark_origin
from trioflow.runtime.line import Line
from trioflow.runtime.options import MAX_NESTING
from trioflow.runtime.strand import Strand
from trioflow.semantics.events import LimitReached, MergeConflict, StrandForked, StrandJoined
from trioflow.semantics.store import Writes

if TYPE_CHECKING:
    from trioflow.runtime.activation import Activation
    from trioflow.semantics.plan import Target
    from trioflow.semantics.store import Cell

Work = Callable[[Strand, Line], Awaitable[None]]


_NAME = "trioflow.runtime.forks.StrandFork.run"
"""What trio would call the task of a strand, if it had to make the name out of the function's each time."""


class StrandFork(Line, Fork):
    """One forked strand: a task with a store of its own. It is the line of what it dispatches, unless it gets one."""

    __slots__ = ("_cancelled", "_done", "_failure", "_scope", "collected", "line", "number", "writes")

    def __init__(self, number: int, parent: Line, line: Line | None, collected: bool, cancellable: bool) -> None:
        if line is None:
            # As Line.__init__ does, written out: this runs once per item of a stream.
            self.parent = parent
            self.index = parent.count
            parent.count += 1
            self.depth = parent.depth + 1
            self.count = 0
            self._where = None
        self.number = number
        self.line: Line = line or self
        self.collected = collected
        # A scope costs as much as the task itself: only forks that somebody gets a handle of have one.
        self._scope = trio.CancelScope() if cancellable else None
        self._cancelled = False
        self.writes: Writes | None = None
        self._done = False
        self._failure: Exception | None = None

    @property
    def done(self) -> bool:
        return self._done

    @property
    def failure(self) -> Exception | None:
        return self._failure

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled by itself, so that its writes do not count."""
        return self._cancelled

    def cancel(self) -> None:
        if self._scope is None:
            raise RuntimeError("Items of a stream can't be cancelled one by one; use ctx.branches() for that.")
        self._scope.cancel()

    def end_at_once(self) -> None:
        """It has nothing to do, and so it writes nothing."""
        self._done = True
        self.writes = Writes(0, {}, ())

    async def run(self, forks: ForkSet, strand: Strand, work: Work | Sequence[Target]) -> None:
        """The task of the strand: it does this work, or dispatches these targets."""
        strand.run.turn_due = perf_counter() + strand.run.turn_after  # the scheduler has just had its turn
        try:
            if self._scope is None:
                await (work(strand, self.line) if callable(work) else drive(strand, self.line, work))
            else:
                with self._scope:
                    await (work(strand, self.line) if callable(work) else drive(strand, self.line, work))
                self._cancelled = self._scope.cancelled_caught
        except Exception as error:
            self._failure = error
            if not self.collected:
                if forks.first_failure is None:
                    forks.first_failure = error
                    forks.mark(error)
                raise  # F2: the nursery cancels the siblings and the owner's body
        finally:
            self._done = True
            self.writes = strand.store.writes()
            forks.ended(self)

    def __repr__(self) -> str:
        state = "running" if not self._done else "cancelled" if self.cancelled else "done"
        return f"<fork {self.line.where}: {state}>"


class ForkSet:
    """The forks of one owner, all in one nursery inside it (F2)."""

    def __init__(self, line: Line, strand: Strand, node: str | None, nursery: trio.Nursery) -> None:
        self._line = line
        self._strand = strand
        self._run = strand.run
        self._node = node
        self._nursery = nursery
        self._made = 0
        # Forks that are not merged yet, in the order in which they were made (F3).
        self._outstanding: list[StrandFork] = []
        self.in_flight = 0
        self.failures: list[tuple[int, Exception]] = []
        self.first_failure: Exception | None = None
        # What the owner waits for, with the condition under which it may go on; several, if its body has tasks.
        self._waiting: dict[trio.Event, Callable[[], bool]] = {}

    def start(
        self,
        work: Work | Sequence[Target],
        *,
        line: Line | None = None,
        collected: bool = False,
        discard: bool = False,
        cancellable: bool = False,
        limited: bool = True,
    ) -> StrandFork:
        """Fork the owner's strand as it is now (F1)."""
        run = self._run
        limit = run.options.max_strands if limited else None
        if limit is not None and run.strands >= limit:
            run.reached("strands", limit, self._line)
        fork = StrandFork(self._made, self._line, line, collected, cancellable)
        self._made += 1
        run.forks += 1
        if not discard:  # S6
            self._outstanding.append(fork)
        if run.watch is not None:
            run.tell(StrandForked, fork.line, self._node)
        if not work:  # nothing to dispatch: it has ended, and needs no task
            fork.end_at_once()
            return fork
        strand = self._strand.fork()
        if self._node is None:
            strand.nurseries = 1  # F8: whatever the first strand has open now, only the run is around its forks
        run.strands += 1
        run.wake()
        self.in_flight += 1
        self._nursery.start_soon(fork.run, self, strand, work, name=_NAME)
        return fork

    def ended(self, fork: StrandFork) -> None:
        """A fork's task is at its end."""
        self.in_flight -= 1
        self._run.strands -= 1
        if fork.failure is not None and fork.collected:
            self.failures.append((fork.number, fork.failure))  # S4
        if self._waiting:
            for event, condition in tuple(self._waiting.items()):
                if condition():
                    self._run.rouse(event)
        run = self._run
        run.busy -= 1
        if not run.busy:
            run.gate.all_quiet()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait, as the owner, for something that the end of a fork brings about."""
        await trio.lowlevel.checkpoint()
        while not condition():  # again: another task of the body may have taken the place that became free
            event = trio.Event()
            self._waiting[event] = condition
            try:
                await self._run.wait(self._strand, event)
            finally:
                del self._waiting[event]
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
        store = self._strand.store
        made: dict[int, Cell] = {}
        for fork in outstanding:
            if fork.cancelled or fork.writes is None:
                continue
            if fork.writes.cells:
                for conflict in store.merge(fork.writes, made):
                    run.tell(MergeConflict, fork.line, self._node, conflict.variable, conflict.kept, conflict.lost)
            if run.watch is not None:
                run.tell(StrandJoined, fork.line, self._node)

    def mark(self, error: Exception) -> None:
        """The first failure of all; unless it has come from further below, it arose in the owner (E2)."""
        if self._node is not None:
            plan = self._strand.frame.plan
            type_id = plan.nodes[plan.node_index[self._node]].type.id
            mark_origin(error, self._run, self._line.where, self._node, type_id)

    def in_order(self, error: BaseException) -> BaseException:
        """What came out of the nursery: a single failure as itself, several in the order of their forks (R4).

        Failures of forks take the place of a cancellation of their owner, as a failure in a `finally` does (R5).
        """
        error = _without_cancellation(error)
        if isinstance(error, BaseExceptionGroup) and len(error.exceptions) > 1:
            order = {id(fork.failure): fork.number for fork in self._outstanding if fork.failure is not None}
            # Strands that shared a failing evaluation have failed with one and the same exception (D5).
            once = {id(each): each for each in error.exceptions}.values()
            error = error.derive(sorted(once, key=lambda each: order.get(id(each), -1)))
        return collapse(error)


def _without_cancellation(error: BaseException) -> BaseException:
    """The failures in a group, if there are any."""
    failures = error.split(trio.Cancelled)[1] if isinstance(error, BaseExceptionGroup) else None
    return failures or error


@asynccontextmanager
async def open_forks(line: Line, strand: Strand, node: str | None) -> AsyncGenerator[ForkSet, None]:
    """A block that owns forks: where it ends they are joined; if it fails they are cancelled (F2, F5)."""
    run = strand.run
    if strand.nurseries > run.options.max_nesting:  # F8
        run.tell(LimitReached, line, node, "nesting", run.options.max_nesting)
        raise DepthExceeded(
            f"Concurrent strands nest deeper than {run.options.max_nesting} at node {node!r} "
            f"(activation {line.where.short}). "
            "A fork inside a fork that comes back to the same node never ends; if it does, raise "
            "RunOptions(max_nesting=...), up to 256.",
            limit="nesting",
            value=run.options.max_nesting,
        )
    # Beyond the strands of the run there may be nurseries of bodies, and of the host.
    run.count_nurseries(line, node or "the run", MAX_NESTING + 16)
    strand.nurseries += 1
    forks: ForkSet | None = None
    failure: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            forks = ForkSet(line, strand, node, nursery)
            try:
                yield forks
                await forks.join()
            except Exception as error:
                if forks.first_failure is None:
                    forks.first_failure = error
                    forks.mark(error)
                raise
    except BaseException as error:
        failure = forks.in_order(error) if forks is not None else error
        if forks is not None and forks.first_failure is not None:
            arose_with(failure, forks.first_failure)
    finally:
        strand.nurseries -= 1
    if failure is not None:
        raise failure


class ForkedBranches(Branches):
    """The branches of one block."""

    __slots__ = ("_activation", "_forks", "_started")

    def __init__(self, activation: Activation, forks: ForkSet) -> None:
        self._activation = activation
        self._forks = forks
        self._started: list[StrandFork] = []

    def start(self, socket: Any, values: Mapping[Any, object] | None = None) -> Fork:
        activation = self._activation
        targets = activation.targets_of(socket)
        activation.write_all(values)
        fork = self._forks.start(targets, cancellable=True)
        self._started.append(fork)
        return fork

    async def wait_first(self) -> Fork:
        if not self._started:
            raise RuntimeError("No branch was started, so none can be the first. Call start() before wait_first().")
        await self._forks.wait_until(lambda: any(fork.done for fork in self._started))
        return next(fork for fork in self._started if fork.done)

    def cancel(self) -> None:
        for fork in self._started:
            if not fork.done:
                fork.cancel()
