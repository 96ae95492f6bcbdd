"""Observers of journalled runs: the journal's own, and those of the host while it is replayed (J17)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
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
    StrandForked,
)

if TYPE_CHECKING:
    from trioflow.durable.recorder import Recorder
    from trioflow.runtime.base.watch import Observer

_ALWAYS = (RunStarted, RunContinued, RunCompleted, RunFailed, RunCancelled)


class Watcher:
    """The journal's own: what ended badly starts nothing more when it is replayed (J8), and where failures arose."""

    kinds = (NodeCancelled, NodeFailed, StrandForked)

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.failed_after: dict[tuple[int, ...], int] = {}
        """How much was recorded when the activation at a path failed."""
        self.ended_badly: set[bytes] = set()
        """Around activations that failed or were cancelled: whoever began strands there may have cancelled others."""

    @property
    def failed(self) -> Sequence[str]:
        """The keys of the activations in which failures arose, as hexadecimal digits."""
        return [path_key(path).hex() for path in self.failed_after] if self.failed_after else ()

    def forget_below(self, path: tuple[int, ...]) -> None:
        """What has failed below an activation was handled there."""
        if self.failed_after:
            size = len(path)
            for each in [each for each in self.failed_after if each[:size] == path and len(each) > size]:
                del self.failed_after[each]

    def moved(self, places: Sequence[int]) -> None:
        """Of what was recorded this is left, by where it was."""
        for path, after in self.failed_after.items():
            self.failed_after[path] = bisect_left(places, after)

    def __call__(self, event: Event) -> None:
        recorder = self._recorder
        if isinstance(event, StrandForked):
            assert event.strand is not None
            recorder.moments.forked(event.strand)
            return
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
