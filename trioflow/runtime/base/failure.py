"""Failures: where one arose, told once (R4, E2), and groups of them made as small as they can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import trio

from trioflow.errors import NodeError, Unwind
from trioflow.model.secret import hide
from trioflow.runtime.base.records import RunState
from trioflow.semantics.events import Path

_ATTRIBUTE = "__trioflow_origin__"


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions in a group, or the exception itself."""
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(reversed(each.exceptions))
        else:
            yield each


def is_cancellation(error: BaseException) -> bool:
    """Whether this is nothing but a cancellation, or a body going back to one above it: no failure."""
    return all(isinstance(leaf, trio.Cancelled | GeneratorExit | Unwind) for leaf in leaves(error))


def escaped(error: BaseException) -> BaseException:
    """What a run ends with: an `Unwind` that got that far was meant for a body that is not there."""
    if isinstance(error, Unwind):
        failure = NodeError(
            f"A node raised {error!r} to get back to a body above it in its strand, but none there catches it."
        )
        failure.__cause__ = error
        return failure
    if isinstance(error, BaseExceptionGroup):
        unwinds, others = error.split(Unwind)
        if unwinds is not None:
            return escaped(next(leaves(unwinds))) if others is None else others
    return error


def decisive(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a run ends with that was cancelled or interrupted in the midst of something else.

    Failures take the place of a cancellation (R5), and none hides another (R1); what is alone goes on as itself (R4).
    """
    failures = group.split(trio.Cancelled)[1]
    found = [*leaves(group if failures is None else failures)]
    return found[0] if failures is None or len(found) == 1 else failures


def origin_of(error: BaseException, run: RunState) -> Path | None:
    """Where in this run the failure arose, if it arose in an activation."""
    for each in (error, *leaves(error)):
        origin = getattr(each, _ATTRIBUTE, None)
        if origin is not None and origin[0] == run.id:
            found: Path = origin[1]
            return found
    return None


def mark_origin(
    error: BaseException, run: RunState, where: Path, node: str, type_id: str, inputs: Callable[[], str] = str
) -> Path:
    """Note on a failure that it arose here, unless it arose below; returns where it arose.

    `inputs` tells with which values, or the empty text.
    """
    known = origin_of(error, run)
    if known is not None:
        return known
    node = where.graph + node  # C8
    given = inputs()
    for leaf in leaves(error):
        if not isinstance(leaf, trio.Cancelled):
            note(leaf, f"in node {node!r} ({type_id}), activation {where.short}")
            if given:
                note(leaf, f"with {given}")
            vars(leaf)[_ATTRIBUTE] = (run.id, where, node, type_id, given)
    return where


def adopt(error: BaseException, run: RunState) -> None:
    """A failure that arose in a part of this run which another process carried out arose there in this run (A9)."""
    for each in {id(found): found for found in (error, *leaves(error))}.values():
        origin = getattr(each, _ATTRIBUTE, None)
        if origin is not None:
            vars(each)[_ATTRIBUTE] = (run.id, *origin[1:])


def note(error: BaseException, text: str) -> None:
    """Add a note to a failure, also to one that lets nobody write to it, as a frozen dataclass does."""
    text = hide(text)
    try:
        error.add_note(text)
    except Exception:
        vars(error).setdefault("__notes__", []).append(text)


def arose_with(error: BaseException, first: BaseException) -> None:
    """Note on a group of failures that it arose where the first of them did (E2)."""
    origin = getattr(first, _ATTRIBUTE, None)
    if error is not first and origin is not None:
        vars(error)[_ATTRIBUTE] = origin


def origin_node(error: BaseException) -> tuple[str, str, Path] | None:
    """Node, its type and the path that a failure was marked with, for messages."""
    for leaf in leaves(error):
        origin = getattr(leaf, _ATTRIBUTE, None)
        if origin is not None:
            return origin[2], origin[3], origin[1]
    return None


def origin_inputs(error: BaseException) -> str:
    """With which inputs the node failed that `origin_node` names; empty if the graph gave it none."""
    for leaf in leaves(error):
        origin = getattr(leaf, _ATTRIBUTE, None)
        if origin is not None:
            given: str = origin[4]
            return given
    return ""


def collapse(error: BaseException) -> BaseException:
    """What a nursery raised, without the group around a single exception (R4). Groups that bodies raise are kept."""
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        only: BaseException = error.exceptions[0]
        return only
    return error
