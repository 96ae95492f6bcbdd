"""Scopes of workflows in kept runs: there may be a moment where one firing begins and nothing else is alive.

Such a moment stands for all that the scope has done so far: it has what was written, by whichever firing, and what the
machine needs to begin with that one firing (J26). So a workflow that goes in a circle has a journal of one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.keys import part_key, path_key
from trioflow.durable.moment import ROUND, Moment
from trioflow.runtime.workflow.firing import FiringLine
from trioflow.semantics.workflow.machine import Standing

if TYPE_CHECKING:
    from trioflow.durable.activation import JournalledActivation
    from trioflow.durable.moments import Counted
    from trioflow.durable.recorder import Recorder
    from trioflow.runtime.base.records import Line, Strand
    from trioflow.runtime.strands.forks import ForkSet
    from trioflow.runtime.workflow.scope import ScopeRun
    from trioflow.semantics.history import Past
    from trioflow.semantics.store import Store


@attrs.define(eq=False, kw_only=True)
class KeptScope:
    """A scope while it runs; what `Moments` asks of it is as of an activation."""

    recorder: Recorder
    activation: JournalledActivation
    """That has opened it."""
    scope: ScopeRun
    failed_before: Sequence[str] = ()
    _before: tuple[int, int] = (0, 0)
    """Dispatches and strands that were counted below it before a moment from which it went on."""
    _own: Counted | None = None

    since: int = 0
    asked: int = 0
    count: int = 0
    steps: int = 0
    forks: int = 0
    came_back: int = 0
    emitted_so_far: int = 0
    put_off_so_far: int = 0
    has_blocks: bool = False

    @property
    def strand(self) -> Strand:
        """Of whoever has opened it."""
        return self.activation.strand

    @property
    def line(self) -> Line:
        """Of whoever has opened it."""
        return self.activation

    @property
    def path(self) -> tuple[int, ...]:
        """Of whoever has opened it."""
        return self.activation.path

    @property
    def name(self) -> str:
        """Of whoever has opened it, which has no name in a document."""
        return self.activation.name

    async def run(self, forks: ForkSet) -> None:
        """Run it to its end, from its beginning or its last moment."""
        recorder = self.recorder
        moments = recorder.moments
        self.failed_before = moments.before(self.activation)
        known = recorder.find(part_key(path_key(self.path), "r"), self.name, (ROUND,), "a round")
        self._own = moments.begin(self)
        moments.open.add(self)
        try:
            if known is None:
                await self.scope.run(forks)
            else:
                moment = Moment.of(known)
                self.failed_before = moment.failures
                self._before = moment.steps, moment.forks
                await self.scope.run(forks, _standing(moment.mark), self._go_on(moment))
        finally:
            moments.open.discard(self)
            moments.end(self, self._own)

    def _go_on(self, moment: Moment) -> Past | None:
        moments, plan = self.recorder.moments, self.scope.frame.plan

        def write(store: Store) -> None:
            for _, *cell in moment.cells:
                moments.write_into(store, plan, *cell)

        past = self.scope.history.begin_with(write)
        moments.go_on(self, moment, written=True)
        return past

    async def take(self, line: FiringLine) -> None:
        """The firing on this line is about to do something: keep where the scope is, if nothing else is alive in it."""
        await self.recorder.moments.take(self, None, made=lambda: self._moment(line))

    def _moment(self, line: FiringLine) -> Moment | None:
        if self.scope.has_to_undo(self.path):
            return None
        standing = self.scope.standing(line)
        outbox = self.recorder.outbox
        if standing is None or (outbox is not None and line.firing is not None and line.firing.goes_on):
            return None  # in whose place a strand would begin, which is an event
        at, store = standing
        cells = self.recorder.moments.cells_in(store, self.scope.frame.plan, *self.scope.history.found_in(store))
        if cells is None:
            return None
        own, (steps, forks) = self._own, self._before
        assert own is not None
        path = path_key(self.path)
        return self.recorder.moments.moment(
            self, ROUND, mark=attrs.astuple(at), at=at.numbers,
            # The firing is counted when it begins again, and so is its strand.
            steps=steps + own.steps - 1, forks=forks + own.forks - 1, failures=self.failed_before,
            told={} if outbox is None else dict(outbox.told_at(path)), cells=[[0, *cell] for cell in cells],
        )  # fmt: skip


async def at_firing(recorder: Recorder, activation: JournalledActivation) -> None:
    """An activation has only begun: if that is a firing, and it is time for it, its scope may have a moment here."""
    line = activation.parent
    scope = recorder.scopes.get(line.scope) if isinstance(line, FiringLine) else None
    if scope is not None and recorder.moments.wants(scope):
        assert isinstance(line, FiringLine)
        await scope.take(line)


def _standing(mark: Any) -> Standing:
    numbers, node, round_, lane, marked, serial, *rest = mark
    turns, wires, opened, serials, fired = rest
    return Standing(
        tuple(numbers), node, round_, tuple(lane), marked, tuple(serial), _pairs(turns), tuple(wires), _pairs(opened),
        _pairs(serials), _pairs(fired),
    )  # fmt: skip


def _pairs(written: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((key, value) for key, value in written)
