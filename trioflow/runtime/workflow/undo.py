"""Undoing what the firings of a scope did that has failed, the last first (W17)."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

import attrs

from trioflow.runtime.base.failure import note
from trioflow.runtime.base.records import Activation, Line, Strand
from trioflow.runtime.base.task import hot_task
from trioflow.runtime.strands.forks import OpenForks
from trioflow.runtime.workflow.firing import FiringLine, fire
from trioflow.semantics.plan import Target
from trioflow.semantics.store import Store


@attrs.frozen(eq=False)
class Undoable:
    """A firing that has completed, the place of the node that undoes it, and what it left behind."""

    path: tuple[int, ...]
    undo: int
    store: Store


async def undo(activation: Activation, done: Iterable[Undoable], failure: Exception) -> None:
    """Fire the nodes that undo, one after the other, each after what it undoes and nothing else.

    What they fail with is noted on the failure. A cancellation ends it.
    """
    strand = activation.strand
    async with OpenForks(activation, strand, activation.plan.id) as forks:
        for each in sorted(done, key=lambda each: each.path, reverse=True):
            target = Target(strand.frame.plan.nodes[each.undo], None, failure)
            line = FiringLine(activation, (0, each.undo, *each.path[activation.where.depth :]))
            work = partial(_begin, target)
            fork = forks.start(work, collected=True, discard=True, line=line, store=each.store)
            await forks.wait_until(lambda: not forks.in_flight)
            if fork.failure is not None:
                note(failure, f"and could not be undone at {line.where.short}: {fork.failure!r}")


def _begin(target: Target, strand: Strand, line: Line) -> Coroutine[Any, Any, None]:
    strand.resume(hot_task())
    return fire(strand, line, target, _nothing)


def _nothing(_exit: str | None) -> None:
    """No wire leads away from a node that undoes."""
