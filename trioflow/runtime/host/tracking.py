"""Watching how far a run is: a tracker of its own, made when somebody asks, and snapshots of it in time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import attrs
import trio

from trioflow.runtime.base.options import RunStatistics, RunStatus
from trioflow.semantics.tracking import RunReport, part_done, time_left

if TYPE_CHECKING:
    from types import TracebackType


@attrs.frozen
class RunProgress:
    """How far a run is at one moment. Counts are since somebody has begun to ask."""

    statistics: RunStatistics
    report: RunReport
    expected: RunReport | None = None
    """An earlier run of the same graph, by which the rest is told."""

    @property
    def status(self) -> RunStatus:
        """What the run is doing."""
        return self.statistics.status

    @property
    def counts(self) -> dict[str, int]:
        """How many activations and evaluations are in which state."""
        nodes = self.report.nodes.values()
        states = ("running", "completed", "failed", "skipped", "cancelled")
        return {state: sum(getattr(node, state) for node in nodes) for state in states}

    @property
    def current(self) -> tuple[str, ...]:
        """The nodes that run now."""
        return tuple(name for name, node in self.report.nodes.items() if node.running)

    @property
    def percent(self) -> float | None:
        """How much is done; None without an earlier run, as nobody can know how often a loop goes round."""
        if self.status in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED):
            return 100.0 if self.status is RunStatus.COMPLETED else None
        return None if self.expected is None else 100 * part_done(self.report, self.expected)

    @property
    def seconds_left(self) -> float | None:
        """How long it may still take; None until that means something."""
        return None if self.expected is None else time_left(self.report, self.expected)


class ProgressStream(AsyncIterator[RunProgress]):
    """How far a run is, once in so many seconds, and once more at its end: `async for progress in run.progress()`."""

    def __init__(self, look: Callable[[], RunProgress], finished: trio.Event, every: float) -> None:
        self._look = look
        self._finished = finished
        self._every = every
        self._next_at: float | None = None
        self._ended = False

    async def __anext__(self) -> RunProgress:
        await trio.lowlevel.checkpoint()
        if self._ended:
            raise StopAsyncIteration
        if self._next_at is not None:
            with trio.move_on_at(self._next_at):
                await self._finished.wait()
        self._ended = self._finished.is_set()
        self._next_at = trio.current_time() + self._every
        return self._look()

    async def __aenter__(self) -> ProgressStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended = True
