"""Events in words, for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trioflow.policies.events import (
    BreakerChanged,
    FellBack,
    Governed,
    Quarantined,
    ResourceExhausted,
    RetryScheduled,
    Starving,
    Throttled,
    Undone,
)
from trioflow.semantics.events import (
    BreakpointFailed,
    BreakpointHit,
    EvaluationFailed,
    Event,
    Feedback,
    JoinSkipped,
    LimitReached,
    MergeConflict,
    NodeFailed,
    NotUndone,
    Progress,
    VariableSet,
)
from trioflow.studio.shown import shown


def _error(error: BaseException) -> str:
    return f"{type(error).__name__}: {shown(str(error))[1:-1]}"


def _progress(event: Progress) -> str:
    total = f" of {event.total:g}" if event.total is not None else ""
    return f"{event.done:g}{total} {event.message}".strip()


_WORDS: Mapping[type[Event], Callable[[Any], str]] = {
    Feedback: lambda it: f"{it.level}: {shown(it.message)[1:-1]}",
    Progress: _progress,
    BreakpointHit: lambda it: f"{it.breakpoint}: {it.detail}",
    BreakpointFailed: lambda it: f"{it.breakpoint}: its condition failed: {_error(it.error)}",
    VariableSet: lambda it: f"{it.variable} was set to {shown(it.value)}",
    MergeConflict: lambda it: f"{it.variable}: {shown(it.kept)} was kept, {shown(it.lost)} lost",
    LimitReached: lambda it: f"the limit {it.limit} of {it.value:g} was reached",
    NodeFailed: lambda it: _error(it.error),
    EvaluationFailed: lambda it: _error(it.error),
    JoinSkipped: lambda it: f"it did not fire: nothing came over {', '.join(it.missing)}",
    NotUndone: lambda it: f"{it.by} has not undone it: {'no time was left' if it.error is None else _error(it.error)}",
    RetryScheduled: lambda it: f"attempt {it.attempt} failed, another one in {it.delay:.3g} s: {_error(it.error)}",
    Undone: lambda it: f"{it.undone} {'was' if it.error is None else 'could not be'} undone by {it.by}{_because(it)}",
    FellBack: lambda it: f"{it.to or 'a value'} took its place: {_error(it.error)}",
    BreakerChanged: lambda it: f"its breaker {it.key} is {it.new} now: {it.why}",
    Quarantined: lambda it: f"it has failed {it.failures} times, and is skipped from now on",
    Starving: lambda it: f"it has waited {it.waited:.3g} s for {it.resource}",
    ResourceExhausted: lambda it: f"it has waited {it.waited:.3g} s for {it.resource}, and fails",
    Throttled: lambda it: f"{it.limit} may run at once from now on",
    Governed: lambda it: f"{it.rate:.3g} nodes a second may start from now on",
}
TOLD = tuple(_WORDS)
"""The kinds of events that are told in words."""


def words_of(event: Event) -> str:
    """An event of one of the kinds in `TOLD`, in words, without secrets."""
    return _WORDS[event.__class__](event)


def _because(undone: Undone) -> str:
    return "" if undone.error is None else f": {_error(undone.error)}"
