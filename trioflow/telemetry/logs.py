"""Logs: what people want to read of runs, as records of Python's logging."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from trioflow.semantics.events import (
    Event,
    Feedback,
    LimitReached,
    MergeConflict,
    NodeFailed,
    NodeSkipped,
    ObserverFailed,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
)

_LEVELS: Mapping[type[Event], int] = {
    RunStarted: logging.DEBUG,
    RunCompleted: logging.INFO,
    RunCancelled: logging.WARNING,
    RunFailed: logging.ERROR,
    NodeFailed: logging.ERROR,
    NodeSkipped: logging.WARNING,
    LimitReached: logging.ERROR,
    MergeConflict: logging.WARNING,
    ObserverFailed: logging.ERROR,
    Feedback: logging.INFO,
}


class Logs:
    """An observer that writes a record for each feedback, failure, limit, conflict, and for start and end of a run.

    A record has the attributes `run`, `node`, `path` and `strand`, for formatters. A failure is told once, where it
    arose. Records go to `logger`, else to the logger `trioflow.run`.
    """

    kinds = tuple(_LEVELS)

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("trioflow.run")

    def __call__(self, event: Event) -> None:
        """Write the record of an event."""
        if isinstance(event, NodeFailed) and event.origin != event.path:
            return  # it has come from below, where it was told
        level = _LEVELS.get(type(event), logging.INFO)
        if isinstance(event, Feedback):
            level = logging.getLevelNamesMapping().get(event.level.upper(), logging.INFO)
        if self._logger.isEnabledFor(level):
            about = {"run": event.run, "node": event.node, "path": str(event.path), "strand": event.strand}
            self._logger.log(level, "%s", _text(event), extra=about)


def _text(event: Event) -> str:
    where = f"node {event.node!r} ({event.path})" if event.node is not None else f"run {event.run}"
    match event:
        case Feedback():
            return f"{where}: {event.message}"
        case NodeFailed() | RunFailed():
            return f"{where} failed: {type(event.error).__name__}: {event.error}"
        case NodeSkipped():
            return f"{where} was skipped: {type(event.error).__name__}: {event.error}"
        case LimitReached():
            return f"{where}: the limit of {event.value:g} {event.limit} was reached"
        case MergeConflict():
            return f"{where}: concurrent writes to {event.variable!r}: {event.kept!r} was kept, {event.lost!r} got lost"
        case ObserverFailed():
            return f"{where}: observer {event.observer} failed and was removed: {event.error!r}"
        case RunCompleted() | RunCancelled():
            ended = "completed" if isinstance(event, RunCompleted) else "was cancelled"
            return f"{where} {ended} after {event.duration:.3f} s"
        case _:
            return f"{where} started"
