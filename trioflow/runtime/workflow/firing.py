"""One firing of a workflow: a step as `dispatch` takes it, but that nothing is handed over (W2).

The order of the checks is T2, as there. What the firing is known by is its key, and not what was dispatched before it
(W10).
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar

from trio.lowlevel import checkpoint_if_cancelled

from trioflow.runtime.base.failure import note
from trioflow.runtime.base.names import exit_place
from trioflow.runtime.base.records import Activation, Line, Strand
from trioflow.runtime.base.task import left_open
from trioflow.runtime.base.turns import pass_dispatch
from trioflow.runtime.dispatch import CLOSED, tell_failed, too_deep
from trioflow.semantics.events import NodeCompleted, NodeSkipped, NodeStarted, Path
from trioflow.semantics.plan import Target
from trioflow.semantics.workflow.machine import Firing
from trioflow.semantics.written import written_since

F = TypeVar("F")
T = TypeVar("T")


class FiringLine(Line):
    """The line of one firing: the path of its scope, and the numbers of its key but the last (W10).

    The last is that of the activation, so that the line of a strand has another path than the firing it begins with.
    """

    __slots__ = ("firing", "numbers", "scope")

    def __init__(self, around: Line, numbers: tuple[int, ...], scope: Any = None, firing: Firing | None = None) -> None:
        # As Line.__init__ does, but that nothing is counted: the numbers are its own.
        self.parent = around
        self.scope = scope
        self.firing = firing
        self.numbers = numbers
        self._where = None
        self.index = numbers[0]
        self.depth = around.depth + len(numbers) - 1
        self.count = numbers[-1]

    @property
    def undoable(self) -> tuple[Any, ...]:
        """The last of what was done in its past that can be undone (W17)."""
        return () if self.firing is None else self.firing.undoable

    @property
    def where(self) -> Path:
        """The path, made when somebody asks."""
        if self._where is None:
            assert self.parent is not None
            self._where = self.below(self.parent.where)
        return self._where

    def broke_off(self, strand: Strand) -> None:
        """Its body has begun, and not completed."""
        if self.scope is not None:
            self.scope.broke_off(self, strand)

    def below(self, path: Path) -> Path:
        """Its path below another."""
        for number in self.numbers[:-1]:
            path = Path(path, number, self.graph)
        return path


def firing_around(activation: Activation) -> FiringLine | None:
    """The firing in the same workflow that this belongs to, if there is one."""
    line: Line | None = activation
    while line is not None and not isinstance(line, FiringLine):
        line = line.parent
    return line if line is not None and line.scope is not None and line.scope.frame is activation.strand.frame else None


async def fire(  # noqa: C901 - as `dispatch`
    strand: Strand, line: FiringLine, target: Target, finish: Callable[[F, Strand, str | None], T], firing: F
) -> T:
    """Run the body of a node, and what is to be done with the exec output that it returns while it is still open.

    Returns what `finish` returns, which gets the firing, the strand, and the name of that output. Raises what the body
    or `finish` raises; then the activation has failed.
    """
    run = strand.run
    task = strand.task
    assert task is not None, "the work of a strand runs directly under its loop"
    scopes = task._cancel_status
    if scopes.effectively_cancelled:  # T2
        await checkpoint_if_cancelled()
    run.fuel -= 1
    if run.fuel < 0 or perf_counter() > run.turn_due or (run.stops is not None and target.node in run.stops):
        await pass_dispatch(run, strand, line, target)
    if line.depth >= run.max_depth:
        raise too_deep(run, line)  # T9
    node = target.node
    activation: Activation = run.activate()
    activation.parent = line
    activation.index = line.count
    activation.depth = line.depth + 1
    activation.count = 0
    activation._where = None
    activation.strand = strand
    activation.plan = node
    activation.triggering = False
    activation._target = target
    activation._rarely = None
    watch = run.watch
    began: float | None = None
    since = -1
    if watch is not None:  # E1
        began = watch.now()
        since = run.next_serial() if watch.values else -1
        run.tell(NodeStarted, activation, node.id, target.entered)
    try:
        outcome = await strand.frame.bodies[node.index](activation)
        if task._cancel_status is not scopes:
            raise await left_open(task, scopes, f"Node {strand.frame.prefix + node.id!r} ({node.type.id})")
        if outcome is not None and outcome not in node.type.exec_output_index:
            exit_place(node, outcome, "exec output to return")
        exit_ = None if outcome is None else outcome if isinstance(outcome, str) else outcome.name
        finished = finish(firing, strand, exit_)
    except BaseException as error:
        if task._cancel_status is not scopes:
            note(error, str(await left_open(task, scopes, "It")))
        if run.barrier is not None:
            await run.barrier.see_failure(error, strand, activation)
        tell_failed(run, activation, error, began)
        line.broke_off(strand)
        del activation.strand
        raise
    if run.watch is not None:
        if activation._rarely is not None and activation.skipped is not None:
            run.tell(NodeSkipped, activation, node.id, *activation.skipped, run.lasted(began))
        else:
            written = None
            if run.watch.values and began is not None and since >= 0:
                written = written_since(since, strand.store, node, strand.frame.plan.variable_index)
            run.tell(NodeCompleted, activation, node.id, outcome, began, written)
    if run.observed is not None:  # events keep the activation for its path, and nothing else of it
        activation._rarely = None
        activation._target = CLOSED
    del activation.strand  # it has closed: from now on whoever kept it is told so
    return finished
