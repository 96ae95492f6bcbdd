"""What is seen of a run between two frames: how often each node ran and failed, and which wires led there."""

from __future__ import annotations

from typing import Any

from trioflow.semantics.events import (
    BreakpointFailed,
    BreakpointHit,
    EvaluationCompleted,
    EvaluationFailed,
    EvaluationReused,
    Event,
    Feedback,
    LimitReached,
    MergeConflict,
    NodeFailed,
    NodeStarted,
    Progress,
    VariableSet,
)
from trioflow.studio.frames import MOST_MESSAGES
from trioflow.studio.scene import Scene
from trioflow.studio.shown import shown

_COUNTED = (NodeStarted, EvaluationCompleted, EvaluationReused, NodeFailed, EvaluationFailed)
_TOLD = (Feedback, Progress, BreakpointHit, BreakpointFailed, VariableSet, MergeConflict, LimitReached, NodeFailed,
         EvaluationFailed)  # fmt: skip


class Watcher:
    """An observer that counts. `drain` gives what has come since it was last called."""

    kinds = tuple({*_COUNTED, *_TOLD})

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._seen: dict[tuple[type[Event], str | None, str | None], int] = {}
        self._told = 0
        self.looked = 0
        self.counts: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self.messages: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> None:
        """Count an event; keep what it says."""
        kind = event.__class__
        key = (kind, event.node, event.entered if isinstance(event, NodeStarted) else None)
        self._seen[key] = self._seen.get(key, 0) + 1
        if kind in _TOLD:
            self.say(type(event).__name__, _text(event), event.node, str(event.path), event.time)

    def say(self, kind: str, text: str, node: str | None = None, path: str = "", time: float | None = None) -> None:
        """Keep a message for people; of many the oldest are dropped."""
        self._told += 1
        place = self._scene.place(node)
        self.messages.append(
            {"n": self._told, "kind": kind, "text": text, "node": place, "name": node, "path": path, "time": time}
        )
        del self.messages[:-MOST_MESSAGES]

    def take_over(self, messages: list[dict[str, Any]]) -> None:
        """Keep what was said before, where nodes have other places now."""
        self.messages = [{**each, "node": self._scene.place(each["name"])} for each in messages]
        self._told = messages[-1]["n"] if messages else 0

    def drain(self) -> list[int]:
        """Add up what has come; the wires that it came over."""
        seen, self._seen = self._seen, {}
        lit: set[int] = set()
        for (kind, name, entered), count in seen.items():
            if kind in _COUNTED:
                self.looked += count
            place = self._scene.place(name)
            if place is None:
                continue
            key = str(place)
            if kind is NodeStarted:
                self.counts[key] = self.counts.get(key, 0) + count
                lit.update(self._scene.lit_by_start(place, entered))
            elif kind is EvaluationCompleted:
                self.counts[key] = self.counts.get(key, 0) + count
                lit.update(self._scene.lit_by_value(place))
            elif kind is EvaluationReused:
                lit.update(self._scene.lit_by_value(place))
            elif kind in (NodeFailed, EvaluationFailed):
                self.failed[key] = self.failed.get(key, 0) + count
        return sorted(lit)


def _text(event: Event) -> str:
    match event:
        case Feedback():
            return f"{event.level}: {shown(event.message)[1:-1]}"
        case Progress():
            return f"{event.done:g}{f' of {event.total:g}' if event.total is not None else ''} {event.message}".strip()
        case BreakpointHit():
            return f"{event.breakpoint}: {event.detail}"
        case BreakpointFailed():
            return f"{event.breakpoint}: its condition failed: {_error(event.error)}"
        case VariableSet():
            return f"{event.variable} was set to {shown(event.value)}"
        case MergeConflict():
            return f"{event.variable}: {shown(event.kept)} was kept, {shown(event.lost)} lost"
        case LimitReached():
            return f"the limit {event.limit} of {event.value:g} was reached"
        case NodeFailed() | EvaluationFailed():
            return _error(event.error)
        case _:
            return ""


def _error(error: BaseException) -> str:
    return f"{type(error).__name__}: {shown(str(error))[1:-1]}"
