"""What a run has done so far, node by node, counted from its events; feeds the display and the summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from trioflow.model.composition import SCOPE
from trioflow.semantics import events
from trioflow.semantics.events import Event


@attrs.define
class NodeTally:
    """The activations of one node."""

    active: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0


class Tally:
    """An observer that counts what happens at nodes; scopes of workflows are none.

    `on_feedback` and `on_progress` are called with each such event.
    """

    def __init__(
        self,
        on_feedback: Callable[[events.Feedback], None],
        on_progress: Callable[[events.Progress], None],
    ) -> None:
        self.nodes: dict[str, NodeTally] = {}
        self.conflicts: Counter[str] = Counter()
        self._on: Mapping[type[Event], Callable[[Any], None]] = {
            events.NodeStarted: self._started,
            events.NodeCompleted: self._completed,
            events.NodeSkipped: self._failed,
            events.NodeFailed: self._failed,
            events.NodeCancelled: self._cancelled,
            events.MergeConflict: self._conflict,
            events.Feedback: on_feedback,
            events.Progress: on_progress,
        }

    def __call__(self, event: Event) -> None:
        """Take an event in."""
        handle = self._on.get(type(event))
        if handle is not None and not (event.node or "").endswith(SCOPE):
            handle(event)

    def cancelled(self) -> dict[str, int]:
        """How many activations of each node were cancelled."""
        return {node: tally.cancelled for node, tally in self.nodes.items() if tally.cancelled}

    def _of(self, event: Event) -> NodeTally:
        assert event.node is not None
        tally = self.nodes.get(event.node)
        if tally is None:
            tally = self.nodes[event.node] = NodeTally()
        return tally

    def _started(self, event: Event) -> None:
        self._of(event).active += 1

    def _completed(self, event: Event) -> None:
        tally = self._of(event)
        tally.active -= 1
        tally.done += 1

    def _failed(self, event: Event) -> None:
        tally = self._of(event)
        tally.active -= 1
        tally.failed += 1

    def _cancelled(self, event: Event) -> None:
        tally = self._of(event)
        tally.active -= 1
        tally.cancelled += 1

    def _conflict(self, event: events.MergeConflict) -> None:
        self.conflicts[event.variable] += 1
