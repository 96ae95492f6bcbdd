"""Undoing what firings did, the last first: all of a scope that has failed, or what one comes after (W17)."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator
from functools import partial
from typing import Any

import attrs
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import NodeError, UnknownName, did_you_mean
from trioflow.runtime.base.failure import note
from trioflow.runtime.base.records import Activation, Line, Strand
from trioflow.runtime.base.task import HotTask
from trioflow.runtime.strands.forks import OpenForks
from trioflow.runtime.workflow.firing import FiringLine, fire, firing_around
from trioflow.semantics.plan import Target
from trioflow.semantics.store import Store


@attrs.define(eq=False)
class Undoable:
    """A firing that has completed, the place of the node that undoes it, and what it left behind."""

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

    A cancellation ends it.
    """
    for line, error in await _undo(activation, activation, done, failure):
        note(failure, f"and could not be undone at {line.where.short}: {error!r}")


async def undo_past(activation: Activation, node: str | None) -> int:
    """Undo what firings of this scope did that this activation comes after; of one node, if it is named."""
    await checkpoint_if_cancelled()
    around = firing_around(activation)
    if around is None:
        raise NodeError(
            f"Node {activation.plan.id!r} undoes what a workflow did before it came here, and this is no firing of "
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
    failed = await _undo(activation, around.scope.activation, done, None)
    if len(failed) == 1:
        raise failed[0][1]
    if failed:
        raise ExceptionGroup(f"{len(failed)} firings could not be undone", [error for _, error in failed])
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


async def _undo(
    owner: Activation, scope: Activation, done: Iterable[Undoable], failure: Exception | None
) -> list[tuple[Line, Exception]]:
    """Fire the nodes that undo, one after the other, each after what it undoes and nothing else: what failed."""
    strand = owner.strand
    failed: list[tuple[Line, Exception]] = []
    async with OpenForks(owner, strand, owner.plan.id) as forks:
        for each in sorted(done, key=lambda each: each.path, reverse=True):
            if each.begun:
                continue
            each.begun = True
            target = Target(strand.frame.plan.nodes[each.undo], None, failure)
            line = FiringLine(scope, (0, each.undo, *each.path[scope.where.depth :]))
            work = partial(_begin, target)
            fork = forks.start(work, collected=True, discard=True, line=line, store=each.store)
            await forks.wait_until(lambda: not forks.in_flight)
            if fork.failure is not None:
                failed.append((line, fork.failure))
    return failed


def _begin(target: Target, strand: Strand, line: Line, task: HotTask) -> Coroutine[Any, Any, None]:
    strand.resume(task)
    return fire(strand, line, target, _nothing, None)


def _nothing(_firing: None, _strand: Strand, _exit: str | None) -> None:
    """No wire leads away from a node that undoes."""
