"""What is due later in a run: handled one after the other in its first strand, after the initiators (B3).

Pure but for the clock of trio, and for waiting.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import trio

from trioflow.runtime.base.turns import rouse, wait_for

if TYPE_CHECKING:
    from trioflow.runtime.base.records import Line, RunState, Strand
    from trioflow.semantics.plan import Target


@attrs.frozen(order=True)
class Due:
    """Something that is due."""

    at: Any
    """On the clock of the agenda."""
    asked: tuple[tuple[int, ...], int]
    """By whom: the path of the activation, and how often it had asked before."""
    handle: str = attrs.field(order=False)
    node: str = attrs.field(order=False)
    seconds: float = attrs.field(order=False)
    """After which it was to be due when it was asked for."""
    targets: Sequence[Target] = attrs.field(order=False)
    what: str = attrs.field(order=False)
    """The exec output to which these are wired, or the event to which they listen."""
    posted: tuple[object, ...] = attrs.field(order=False, default=())
    """Of an event, its payload."""


class Agenda:
    """Of one run. By trio's clock; a run that is kept has one that goes by the host's."""

    def __init__(self) -> None:
        self._due: list[Due] = []
        self._changed = trio.Event()
        self._waits: RunState | None = None

    def add(self, due: Due) -> None:
        """Put something on it."""
        heapq.heappush(self._due, due)
        self.look()

    @property
    def waiting(self) -> Sequence[Due]:
        """What is on it, in no order."""
        return self._due

    def drop(self, node: str, handle: str | None) -> int:
        """Take off what a node has asked for: what has this handle, or all. Says how many there were."""
        keep = [each for each in self._due if each.node != node or handle not in {None, each.handle}]
        dropped = len(self._due) - len(keep)
        self._due = keep
        heapq.heapify(self._due)
        if dropped:
            self.look()
        return dropped

    def look(self) -> None:
        """Let whoever waits look again."""
        if self._waits is not None:
            rouse(self._waits, self._changed)

    async def next(self, strand: Strand, line: Line, goes_on: Callable[[], bool]) -> Due | None:
        """What is due next on this line, when it is; None if there is nothing left, and nothing is to come."""
        while True:
            if not self._due:
                if not goes_on():
                    return None
                await self._change(strand)
                continue
            first = self._due[0]
            with trio.move_on_at(first.at):
                await self._change(strand)
                continue
            return heapq.heappop(self._due)

    async def _change(self, strand: Strand) -> None:
        """Wait until something is put on it or taken off; meanwhile the strand rests (G2)."""
        self._changed = trio.Event()
        self._waits = strand.run
        try:
            await wait_for(strand.run, strand, self._changed)
        finally:
            self._waits = None
