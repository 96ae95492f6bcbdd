"""What is seen of a run between two frames: what became of each node's activations, and which wires led there."""

from __future__ import annotations

from typing import Any

from trioflow.model.secret import hide
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
    EvaluationCompleted,
    EvaluationFailed,
    EvaluationReused,
    Event,
    Feedback,
    JoinSkipped,
    NodeCancelled,
    NodeFailed,
    NodeSkipped,
    NodeStarted,
    Progress,
    WiresChosen,
)
from trioflow.studio.frames import MOST_MESSAGES
from trioflow.studio.scene import Scene
from trioflow.studio.words import TOLD, words_of

_COUNTED = (NodeStarted, EvaluationCompleted, EvaluationReused, NodeFailed, EvaluationFailed)
_OUTCOMES = {
    NodeFailed: "failed",
    EvaluationFailed: "failed",
    NodeCancelled: "cancelled",
    NodeSkipped: "skipped",
    JoinSkipped: "not fired",
    RetryScheduled: "retried",
    FellBack: "fell back",
}
"""What may become of an activation, other than that it completes, which is most of them."""
_POLICIES = frozenset(
    {BreakerChanged, FellBack, Governed, Quarantined, ResourceExhausted, RetryScheduled, Starving, Throttled, Undone}
)
_SAID = frozenset(TOLD)
_MORE = _SAID | _POLICIES | {WiresChosen}
"""Kinds of events of which more is kept than how many there were."""


class Watcher:
    """An observer that counts. `drain` adds up what has come since it was last called."""

    kinds = tuple({*_COUNTED, *TOLD, *_OUTCOMES, WiresChosen})
    keys = False

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._seen: dict[tuple[type[Event], str | None, str | None], int] = {}
        self._told = 0
        self.looked = 0
        self.counts: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self.flow: dict[str, int] = {}
        """By wire: how often something came over it."""
        self.outcomes: dict[str, dict[str, int]] = {}
        """By node: how often what became of its activations, other than that they completed."""
        self.policies: dict[str, str] = {}
        """By node: what a policy does there now, in a word or two."""
        self.progress: dict[str, dict[str, Any]] = {}
        """By node: how far it has come, of how much, and how many seconds are left at that pace."""
        self.questions: dict[str, str] = {}
        """By node, as events name it, what it has asked people last."""
        self._began: dict[str, tuple[str, float, float]] = {}
        self._dead: set[int] = set()
        self.messages: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> None:
        """Count an event; keep what it says."""
        kind = event.__class__
        key = (kind, event.node, event.entered if kind is NodeStarted else None)  # type: ignore[attr-defined]
        self._seen[key] = self._seen.get(key, 0) + 1
        if kind in _MORE:
            self._keep(event, kind)

    def _keep(self, event: Event, kind: type[Event]) -> None:
        if kind is WiresChosen:
            self._choose(event)  # type: ignore[arg-type]  # it is one
        elif kind in _POLICIES:
            self._note_policy(event)
        elif kind is Progress:
            self._note_progress(event)  # type: ignore[arg-type]  # it is one
        elif kind is Feedback and event.tag == "question":  # type: ignore[attr-defined]  # it has one
            self.questions[event.node or ""] = hide(event.message)  # type: ignore[attr-defined]  # as above
        if kind in _SAID:
            self.say(type(event).__name__, words_of(event), event.node, str(event.path), event.time)

    def say(self, kind: str, text: str, node: str | None = None, path: str = "", time: float | None = None) -> None:
        """Keep a message for people; of many the oldest are dropped."""
        self._told += 1
        place = self._scene.place(node)
        self.messages.append(
            {"n": self._told, "kind": kind, "text": text, "node": place, "name": node, "path": path, "time": time}
        )
        del self.messages[:-MOST_MESSAGES]

    @property
    def dead(self) -> list[int]:
        """The wires that were not taken when their source had to choose last."""
        return sorted(self._dead)

    def _choose(self, event: WiresChosen) -> None:
        for wires, act in ((event.taken, self._dead.discard), (event.left, self._dead.add)):
            for wire in wires:
                place = self._scene.wire(event.node, wire)
                if place is not None:
                    act(place)

    def _note_policy(self, event: Event) -> None:
        place = self._scene.place(event.node)
        if place is None:
            return
        match event:
            case BreakerChanged():
                word = "" if event.new == "closed" else f"breaker {event.new}"
            case Throttled():
                word = f"{event.limit} at once"
            case Quarantined():
                word = "quarantined"
            case RetryScheduled():
                word = f"attempt {event.attempt + 1}"
            case _:
                return
        self.policies[str(place)] = word

    def _note_progress(self, event: Progress) -> None:
        place = self._scene.place(event.node)
        if place is None:
            return
        key, path = str(place), str(event.path)
        if self._began.get(key, ("",))[0] != path:
            self._began[key] = (path, event.time, event.done)
        _, since, before = self._began[key]
        took, done = event.time - since, event.done - before
        left = None if event.total is None or done <= 0 else round(took / done * max(0.0, event.total - event.done), 2)
        self.progress[key] = {"done": event.done, "total": event.total, "message": event.message, "left": left}

    def take_over(self, messages: list[dict[str, Any]]) -> None:
        """Keep what was said before, where nodes have other places now."""
        self.messages = [{**each, "node": self._scene.place(each["name"])} for each in messages]
        self._told = messages[-1]["n"] if messages else 0

    def drain(self) -> bool:
        """Add up what has come; whether anything has."""
        seen, self._seen = self._seen, {}
        for (kind, name, entered), count in seen.items():
            if kind in _COUNTED:
                self.looked += count
            place = self._scene.place(name)
            if place is None:
                continue
            key = str(place)
            if kind in _OUTCOMES:
                outcomes = self.outcomes.setdefault(key, {})
                outcomes[_OUTCOMES[kind]] = outcomes.get(_OUTCOMES[kind], 0) + count
            if kind is NodeStarted:
                self.counts[key] = self.counts.get(key, 0) + count
                self._flowed(self._scene.lit_by_start(place, entered), count)
            elif kind is EvaluationCompleted:
                self.counts[key] = self.counts.get(key, 0) + count
                self._flowed(self._scene.lit_by_value(place), count)
            elif kind is EvaluationReused:
                self._flowed(self._scene.lit_by_value(place), count)
            elif kind in (NodeFailed, EvaluationFailed):
                self.failed[key] = self.failed.get(key, 0) + count
        return bool(seen)

    def _flowed(self, wires: list[int], count: int) -> None:
        for wire in map(str, wires):
            self.flow[wire] = self.flow.get(wire, 0) + count
