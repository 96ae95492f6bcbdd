"""The canonical trace: what a run did, without when (E5). Equal for every schedule of the same run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from trioflow.semantics import events

_ENDS: dict[type[events.Event], str] = {
    events.NodeCompleted: "completed",
    events.NodeFailed: "failed",
    events.NodeCancelled: "cancelled",
    events.NodeSkipped: "skipped",
}


@attrs.frozen
class CanonicalTrace:
    """A run's activations by path, what they said, the strands, the conflicts, and the set of evaluations.

    Evaluations are not in the activations: who asks first is a matter of the schedule, which evaluations are made is
    not.
    """

    activations: tuple[tuple[tuple[int, ...], str | None, str | None, str, str | None], ...]
    """Path, node, the exec input it entered through, how it ended, the exec output it handed over to."""
    messages: tuple[tuple[tuple[int, ...], str, Any], ...]
    """Path, kind and content of feedback, in the order in which each activation gave it."""
    strands: tuple[tuple[tuple[int, ...], str], ...]
    conflicts: tuple[tuple[tuple[int, ...], str], ...]
    evaluations: tuple[str, ...]


def canonical_trace(log: Iterable[events.Event]) -> CanonicalTrace:
    """The canonical trace of one run's events, in the order in which they came."""
    entered: dict[tuple[int, ...], tuple[str | None, str | None]] = {}
    activations: list[tuple[tuple[int, ...], str | None, str | None, str, str | None]] = []
    messages: list[tuple[tuple[int, ...], str, Any]] = []
    strands: list[tuple[tuple[int, ...], str]] = []
    conflicts: list[tuple[tuple[int, ...], str]] = []
    evaluations: set[str] = set()
    for event in log:
        path = event.path.as_tuple()
        if isinstance(event, events.NodeStarted):
            entered[path] = (event.node, event.entered)
        elif type(event) in _ENDS:
            handed_over = event.handed_over if isinstance(event, events.NodeCompleted) else None
            activations.append((path, *entered.pop(path), _ENDS[type(event)], handed_over))
        elif isinstance(event, events.Feedback):
            messages.append((path, event.level, event.message))
        elif isinstance(event, events.StrandForked):
            strands.append((path, "forked"))
        elif isinstance(event, events.StrandJoined):
            strands.append((path, "joined"))
        elif isinstance(event, events.MergeConflict):
            conflicts.append((path, event.variable))
        elif isinstance(event, events.EvaluationCompleted | events.EvaluationReused):
            evaluations.add(event.key)
    for path, (node, through) in entered.items():
        activations.append((path, node, through, "open", None))
    return CanonicalTrace(
        activations=tuple(sorted(activations, key=lambda row: row[0])),
        messages=tuple(sorted(messages, key=lambda row: row[0])),
        strands=tuple(sorted(strands)),
        conflicts=tuple(sorted(conflicts)),
        evaluations=tuple(sorted(evaluations)),
    )
