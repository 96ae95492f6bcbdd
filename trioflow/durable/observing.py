"""Observers of journalled runs: the journal's own, and those of the host while it is replayed (J17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trioflow.durable.events import RunContinued
from trioflow.durable.keys import path_key
from trioflow.semantics.events import (
    Event,
    NodeCancelled,
    NodeFailed,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
)

if TYPE_CHECKING:
    from trioflow.durable.recorder import Recorder
    from trioflow.runtime.base.watch import Observer

_ALWAYS = (RunStarted, RunContinued, RunCompleted, RunFailed, RunCancelled)


class Watcher:
    """The journal's own: what ended badly starts nothing more when it is replayed (J8), and where failures arose."""

    kinds = (NodeCancelled, NodeFailed)

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.failed_after: dict[tuple[int, ...], int] = {}
        """How much was recorded when the activation at a path failed."""
        self.ended_badly: set[bytes] = set()
        """Around activations that failed or were cancelled: whoever began strands there may have cancelled others."""

    def __call__(self, event: Event) -> None:
        recorder = self._recorder
        if recorder.stopping:
            return
        line: Any = event._line
        path = event.path.as_tuple()
        dispatched = bool(getattr(line, "count", 0))
        self.ended_badly.add(path_key(path[:-2]))
        if isinstance(event, NodeFailed):
            if event.origin.as_tuple() == path:
                self.failed_after[path] = recorder.count
            if not dispatched:
                return
        assert event.node is not None
        recorder.put_late(path_key(path), event.node, {"d": 1} if dispatched else {})


class Held:
    """An observer of the host, which is not told again what it was told before the run was resumed."""

    def __init__(self, observer: Observer, recorder: Recorder) -> None:
        self._observer = observer
        self._recorder = recorder
        self.values = getattr(observer, "values", False)
        self.keys = getattr(observer, "keys", True)
        kinds = getattr(observer, "kinds", None)
        if kinds is not None:
            self.kinds = kinds

    def __call__(self, event: Event) -> None:
        if not self._recorder.replaying or isinstance(event, _ALWAYS):
            self._observer(event)

    def __repr__(self) -> str:
        return f"<held {self._observer!r}>"
