"""Evaluations in progress, for which others wait that would evaluate the same (D5)."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from trioflow.semantics.plan import PlanInput
from trioflow.semantics.store import Cell


class Pending:
    """An evaluation in progress: others with the same eager inputs wait until it has settled (D5)."""

    __slots__ = ("_settled", "failed")

    def __init__(self) -> None:
        # Made for the first who waits: mostly nobody does.
        self._settled: trio.Event | None = None
        self.failed: Failed | None = None

    async def wait(self) -> None:
        """Wait until it has settled."""
        if self._settled is None:
            self._settled = trio.Event()
        await self._settled.wait()

    def settle(self) -> None:
        """It has ended: those that wait go on."""
        if self._settled is not None:
            self._settled.set()


class Failed:
    """An evaluation that failed, as those that waited for it look at it: what its body asked for, from `place` on."""

    __slots__ = ("_place", "_pulled", "error")

    def __init__(self, pulled: Sequence[tuple[PlanInput | int, Cell]], place: int, error: BaseException) -> None:
        self._pulled = pulled
        self._place = place
        self.error = error

    @property
    def asks(self) -> PlanInput | int | None:
        """What it asked for next; None if it failed then."""
        return self._pulled[self._place][0] if self._place < len(self._pulled) else None

    def answered(self, cell: Cell) -> Failed | None:
        """Go on, if it got this cell."""
        return Failed(self._pulled, self._place + 1, self.error) if self._pulled[self._place][1] is cell else None
