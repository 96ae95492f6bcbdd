"""What a kept run has put off: due at wall times, and handled in the order in which it was handled before (J24)."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from trioflow.durable.codec import parse
from trioflow.durable.keys import part_key, path_key
from trioflow.runtime.base.agenda import Agenda, Due
from trioflow.semantics.address import AGENDA_MARK, show_path

if TYPE_CHECKING:
    from trioflow.durable.recorder import Recorder
    from trioflow.runtime.base.records import Strand

NEXT = "next"
"""Kind of the entry that says what was due next."""

_NODE = "later"
"""In place of a node: which one it is, the entry says."""


class JournalledAgenda(Agenda):
    """The agenda of a run that is kept."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._handled = 0

    async def next(self, strand: Strand, goes_on: Callable[[], bool]) -> Due | None:
        recorder = self._recorder
        key = part_key(path_key((AGENDA_MARK,)), "n", self._handled)
        known = recorder.find(key, _NODE, (NEXT,), "what is due next")
        if known is not None:
            path, number = parse(known.data)
            due = await self._again(strand, (tuple(path), number), goes_on)
        else:
            found = await self._new(strand, goes_on)
            if found is None:
                return None
            due = found
            recorder.put(key, _NODE, NEXT, due.asked)
        self._handled += 1
        return due

    async def _again(self, strand: Strand, asked: tuple[tuple[int, ...], int], goes_on: Callable[[], bool]) -> Due:
        """What was due before, when it is put off again: at once, or when the host's events have come so far."""
        while True:
            found = next((each for each in self._due if each.asked == asked), None)
            if found is not None:
                self._due.remove(found)
                heapq.heapify(self._due)
                return found
            if not goes_on():
                self._recorder.diverge(f"The activation {show_path(asked[0])} had put something off, and now has not.")
            await self._change(strand)

    async def _new(self, strand: Strand, goes_on: Callable[[], bool]) -> Due | None:
        recorder = self._recorder
        while self._due or goes_on():
            if not self._due:
                await self._change(strand)
                continue
            first = self._due[0]
            recorder.starts()
            await recorder.barrier()  # J3
            remaining = min(max((first.at - recorder.now()).total_seconds(), 0.0), first.seconds)  # J10
            with recorder.waits.waiting(None, first.at), trio.move_on_after(remaining):
                await self._change(strand)
                continue
            return heapq.heappop(self._due)
        return None
