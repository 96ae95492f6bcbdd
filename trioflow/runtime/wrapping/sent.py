"""Events and failures of a run as they are sent to another process, where they are told as its own (A9)."""

from __future__ import annotations

import pickle
from typing import Any

import attrs

from trioflow.errors import NodeError
from trioflow.model.values import NO_VALUES
from trioflow.semantics.events import (
    BASE,
    EvaluationCompleted,
    EvaluationReused,
    EvaluationStarted,
    Event,
    NodeCompleted,
    NodeStarted,
    Path,
    fields_of,
)
from trioflow.semantics.written import Written


@attrs.frozen
class Sent:
    """An event: its kind, when and where it was, and what it says."""

    kind: type[Event]
    time: float
    path: Path
    node: str | None
    """Without the graph, which the path has."""
    strand: int | None
    says: dict[str, Any]

    @classmethod
    def of(cls, event: Event, errors: Errors) -> Sent:
        """An event as it can be pickled."""
        says = {name: getattr(event, name) for name in fields_of(type(event)) if name not in BASE}
        for name, value in says.items():
            if isinstance(value, BaseException):
                says[name] = errors.sendable(value)
        path = event.path
        return cls(type(event), event.time, path, event._node, event.strand, says)

    def received(self, at: float) -> Event:
        """The event again, which has not been told yet. `at` is its time on the clock of whoever tells it."""
        says = dict(self.says)
        if self.kind is NodeStarted:
            return NodeStarted(says["entered"])
        if self.kind is EvaluationStarted:
            return EvaluationStarted()
        if self.kind is EvaluationReused:
            return EvaluationReused(says["key"])
        if self.kind not in {NodeCompleted, EvaluationCompleted}:
            return self.kind(**says)
        began = None if says["duration"] is None else at - says["duration"]
        if self.kind is EvaluationCompleted:
            return EvaluationCompleted(says["key"], began, says["outputs"])
        written = None
        if says["outputs"] is not None or says["variables"] is not None:
            written = Written(says["outputs"] or NO_VALUES, says["variables"] or NO_VALUES)
        return NodeCompleted(says["handed_over"], began, written)


class Errors:
    """Failures that are about to be sent: each once, however many events tell of it."""

    def __init__(self) -> None:
        self._sendable: dict[int, BaseException] = {}

    def sendable(self, error: BaseException) -> BaseException:
        """The same, if it survives being pickled; else a `NodeError` that says what it was."""
        known = self._sendable.get(id(error))
        if known is None:
            known = self._sendable[id(error)] = self._made(error)
        return known

    def _made(self, error: BaseException) -> BaseException:
        if isinstance(error, BaseExceptionGroup):
            group: BaseException = error.derive([self.sendable(each) for each in error.exceptions])
            vars(group).update(vars(error))
            return group
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 - errors with arguments of their own fail here, not there
        except Exception:
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            first = str(error).partition("\n")[0] or type(error).__name__
            stand_in = NodeError(f"{kind}: {first} (it can't be sent)")
            kept = {name: value for name, value in vars(error).items() if name.startswith("__")}
            vars(stand_in).update(kept)
            return stand_in
        return error
