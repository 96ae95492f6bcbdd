"""How long processes had a run whose time is limited: the limit is of the whole run, whoever has it (J9).

It is recorded each time when another hundredth of the limit has passed, so there are never more than a hundred such
records, and where the run is left. A process that is killed loses no more than the last hundredth; no process loses
the time in which none had the run, as that is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import trio

from trioflow.durable.codec import dump, parse
from trioflow.durable.keys import part_key
from trioflow.durable.records import Entry

if TYPE_CHECKING:
    from trioflow.durable.recorder import Recorder

ELAPSED = "elapsed"
"""Kind of the entries that say how many seconds processes had the run so far, together."""

_PARTS = 100


class Elapsed:
    """The time of one run."""

    def __init__(self, recorder: Recorder, entries: Sequence[Entry]) -> None:
        self._recorder = recorder
        known = [parse(entry.data) for entry in entries if entry.kind == ELAPSED]
        self.before: float = max(known, default=0.0)
        """Seconds that other processes had it."""
        self._number = len(known)

    def entry(self) -> Entry:
        """That so much has passed by now."""
        began = self._recorder.execution.state.started_at
        had = self.before + (0.0 if began is None else trio.current_time() - began)
        self._number += 1
        return Entry(part_key(b"", "y", self._number), "", ELAPSED, dump(had))

    async def watch(self, limit: float) -> None:
        """Record it again and again."""
        while True:
            await trio.sleep(limit / _PARTS)
            self._recorder.put_entry(self.entry())
