"""Undoing what firings did, the last first: all of a scope that failed or was cancelled, or what one comes after."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator
from contextvars import ContextVar
from functools import partial
from math import inf
from typing import Any

import attrs
import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import NodeError, UnknownName, did_you_mean
from trioflow.model.graph import UndoOn
from trioflow.runtime.base.failure import note
from trioflow.runtime.base.records import Activation, Strand
from trioflow.runtime.base.task import HotTask
from trioflow.runtime.strands.forks import ForkSet, OpenForks
from trioflow.runtime.workflow.firing import FiringLine, fire, firing_around
from trioflow.semantics.address import show_path
from trioflow.semantics.events import NotUndone
from trioflow.semantics.plan import Target
from trioflow.semantics.store import Store

_FAILED: frozenset[UndoOn] = frozenset[UndoOn](("failed",))

_SHIELDED_UNTIL: ContextVar[float] = ContextVar("_SHIELDED_UNTIL", default=inf)
"""When undoing around this ends: nothing that is cancelled inside of it is undone for longer."""


@attrs.define(eq=False)
class Undoable:
    """A firing that can be undone, the place of the node that does that, and what it left behind."""

    path: tuple[int, ...]
    node: str
    undo: int
    store: Store
    before: tuple[Undoable, ...]
    """What was done in its past, of each way to it the last."""
    begun: bool = False
    """Whether it was undone, or is being: that is done at most once."""


async def undo_failed(activation: Activation, done: Iterable[Undoable], failure: Exception) -> None:
    """Undo what the firings of a scope did that has failed with this. What that fails with is noted on the failure.

    A cancellation ends it, unless that is a reason to undo, too (W22).
    """
    reasons = _reasons(activation)
    if "failed" not in reasons:
        return
    undoing = _Undoing(activation, activation, failure)
    if reasons == _FAILED:
        await undoing.undo(done)
    else:
        await _shielded(undoing, done)
    for each, error in undoing.failed:
        note(failure, f"and could not be undone: {each.node!r} at {show_path(each.path)}: {error!r}")
    for each in undoing.left:
        note(failure, f"and was not undone: {each.node!r} at {show_path(each.path)}, for there was no time left")


async def undo_cancelled(activation: Activation, done: Iterable[Undoable]) -> None:
    """Undo what the firings of a workflow did that was cancelled, if that is a reason to (W22)."""
    if await _cancelled_by() in _reasons(activation):
        await _shielded(_Undoing(activation, activation, None), done)


def _reasons(activation: Activation) -> frozenset[UndoOn]:
    """After what is undone. Where a cancellation is no end, since the run is resumed, only after a failure."""
    reasons = frozenset(activation.strand.frame.plan.graph.undo_on)
    return reasons if activation.cancelled_is_over else reasons & _FAILED


async def _cancelled_by() -> UndoOn:
    """What has cancelled the strand that this runs in. The cancellation goes on afterwards."""
    try:
        await checkpoint_if_cancelled()
    except trio.Cancelled as cancelled:
        if cancelled.source == "deadline":
            return "timeout"
    return "cancelled"


async def _shielded(undoing: _Undoing, done: Iterable[Undoable]) -> None:
    """Undo it whatever is cancelled meanwhile, within the time that there is for that (W22)."""
    owner = undoing.owner
    seconds = min(owner.strand.frame.plan.graph.undo_grace, owner.run.options.max_shield or inf)
    until = min(trio.current_time() + seconds, _SHIELDED_UNTIL.get())
    around = _SHIELDED_UNTIL.set(until)
    try:
        with trio.CancelScope(deadline=until, shield=True):
            await undoing.undo(done)
    finally:
        _SHIELDED_UNTIL.reset(around)


async def undo_past(activation: Activation, node: str | None) -> int:
    """Undo what firings of this scope did that this activation comes after; of one node, if it is named."""
    await checkpoint_if_cancelled()
    around = firing_around(activation)
    if around is None:
        raise NodeError(
            f"Node {activation.plan.id!r} undoes what a workflow did before it came here, and this is not a firing of "
            'one. Write "kind": "workflow" in its graph.'
        )
    graph = around.scope.frame.plan.graph
    undone = [each.id for each in graph.nodes if each.undo is not None]
    if node is not None and node not in undone:
        raise UnknownName(
            f"Node {activation.plan.id!r} undoes {node!r}, and no node of that name has an `undo`."
            f"{did_you_mean(node, undone)} These have: {', '.join(undone) or 'none'}."
        )
    done = [each for each in _past(around.undoable) if not each.begun and node in (None, each.node)]
    undoing = _Undoing(activation, around.scope.activation, None)
    await undoing.undo(done)
    failed = [error for _, error in undoing.failed]
    if len(failed) == 1:
        raise failed[0]
    if failed:
        raise ExceptionGroup(f"{len(failed)} firings could not be undone", failed)
    return len(done)


def _past(last: Iterable[Undoable]) -> Iterator[Undoable]:
    seen = dict.fromkeys(last)
    waiting = [*seen]
    while waiting:
        each = waiting.pop()
        yield each
        for before in each.before:
            if before not in seen:
                seen[before] = None
                waiting.append(before)


class _Undoing:
    """Fires the nodes that undo, one after the other, each after what it undoes and nothing else."""

    def __init__(self, owner: Activation, scope: Activation, failure: Exception | None) -> None:
        self.owner = owner
        self._scope = scope
        self._failure = failure
        self.failed: list[tuple[Undoable, Exception]] = []
        """What could not be undone, and why."""
        self.left: list[Undoable] = []
        """What was cut off, or not begun with, because it was cancelled."""

    async def undo(self, done: Iterable[Undoable]) -> None:
        """The last first, each once. What is not undone is told."""
        owner = self.owner
        left = self.left = sorted(done, key=lambda each: each.path)
        try:
            async with OpenForks(owner, owner.strand, owner.plan.id) as forks:
                while left:
                    each = left[-1]
                    if not each.begun:
                        each.begun = True
                        failure = await self._undo_one(each, forks)
                        if failure is not None:
                            self.failed.append((each, failure))
                            self._tell(each, failure)
                    left.pop()
        finally:
            left.reverse()
            for each in left:
                self._tell(each, None)

    async def _undo_one(self, each: Undoable, forks: ForkSet) -> Exception | None:
        owner, scope = self.owner, self._scope
        target = Target(owner.strand.frame.plan.nodes[each.undo], None, self._failure)
        line = FiringLine(scope, (0, each.undo, *each.path[scope.where.depth :]))
        if owner.is_kept:
            owner.undoes(each.path, (*line.where.as_tuple(), line.count), on_the_way=owner is not scope)
        work = partial(_begin, target)
        fork = forks.start(work, collected=True, discard=True, line=line, store=each.store)
        await forks.wait_until(lambda: not forks.in_flight)
        return fork.failure

    def _tell(self, each: Undoable, failure: Exception | None) -> None:
        strand = self.owner.strand
        line = FiringLine(self._scope, each.path[self._scope.where.depth :])
        by = strand.frame.plan.nodes[each.undo].id
        strand.run.tell(NotUndone, line, each.node, by, failure)


def _begin(target: Target, strand: Strand, line: Any, task: HotTask) -> Coroutine[Any, Any, None]:
    strand.resume(task)
    return fire(strand, line, target, _nothing, None)


def _nothing(_firing: None, _strand: Strand, _exit: str | None) -> None:
    """No wire leads away from a node that undoes."""
