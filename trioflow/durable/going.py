"""What is no activation and may have moments all the same: the agenda of a run, and the strand of the host's events.

Each handles one thing after the other in one strand, on a line of its own. Between two of them nothing is under way
there, so what it has behind it is what was written, and how many it has handled (J26).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import attrs

from trioflow.durable.keys import part_key, path_key
from trioflow.durable.moment import ROUND, Moment

HOST = "host"
"""In place of the node of what is below the strand of the host's events."""

if TYPE_CHECKING:
    from trioflow.durable.moments import Counted
    from trioflow.durable.recorder import Recorder
    from trioflow.runtime.base.records import Line, Strand


@attrs.define(eq=False, kw_only=True)
class Going:
    """A place where things are handled one after the other; what `Moments` asks of it is as of an activation."""

    recorder: Recorder
    strand: Strand
    line: Line
    name: str
    """In place of that of a node."""
    since: int = 0
    failed_before: Sequence[str] = ()
    asked: int = 0
    """How many things were handled."""
    steps: int = 0
    forks: int = 0
    has_blocks: bool = False
    came_back: int = 0
    emitted_so_far: int = 0
    put_off_so_far: int = 0
    kept: int = 0
    """How many were handled by the last moment."""
    _behind: int = 0
    _carries: Collection[tuple[tuple[int, ...], int]] = ()
    _own: Counted | None = None

    @property
    def path(self) -> tuple[int, ...]:
        """Of its line."""
        return self.line.where.as_tuple()

    @property
    def count(self) -> int:
        """How much it has dispatched."""
        return self.line.count

    def begin(self) -> None:
        """From here on it may have moments; what it had behind it at the last one is there."""
        recorder = self.recorder
        self.since = self.strand.run.next_serial()
        self.failed_before = recorder.watcher.failed
        known = recorder.find(part_key(path_key(self.path), "r"), self.name, (ROUND,), "a round")
        if known is None:
            return
        moment = Moment.of(known)
        recorder.moments.go_on(self, moment)
        self.failed_before = moment.failures
        self.steps, self.forks, self.asked = moment.steps, moment.forks, moment.asked
        self.line.count = moment.count
        self._is_at(moment)

    def _is_at(self, moment: Moment) -> None:
        self.kept = moment.asked
        self._behind = moment.count
        self._carries = {(tuple(each[0][0]), each[0][1]) for each in moment.later}

    def may_put_off(self, asked: tuple[tuple[int, ...], int]) -> bool:
        """Whether this will be put off again after a resume: it comes after the last moment, or is in that."""
        return asked[0][len(self.path)] >= self._behind or asked in self._carries

    async def handled(self) -> None:
        """Between two events of the host, or before the first one."""
        self.closes()
        await self.take()
        self.opens()

    async def take(self) -> bool:
        """Keep where it is, if it has come further and that is wanted and worth it; says whether it was."""
        moments = self.recorder.moments
        taken = await moments.take(self, None) if self.asked > self.kept and moments.wants(self) else None
        if taken is not None:
            self._is_at(taken)
        return taken is not None

    def opens(self) -> None:
        """The next one is about to be handled."""
        moments = self.recorder.moments
        moments.open.add(self)
        self._own = moments.begin(self)

    def closes(self) -> None:
        """It was handled."""
        moments, own = self.recorder.moments, self._own
        if own is not None:
            self._own = None
            moments.open.discard(self)
            moments.end(self, own)
            self.asked += 1
            self.steps += own.steps
            self.forks += own.forks
