"""A recording in a file, of which only stretches are read that somebody looks at."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from trioflow.telemetry.recording import Recording, Stretch
from trioflow.telemetry.recording_format import BLOCK, BlockFile


class RecordingFile:
    """What `Recording.save` has written, opened to look at parts of it, however large it is.

    Blocks when it reads, also when it is made. Raises `RecordingError`, `OSError`.
    """

    def __init__(self, file: str | os.PathLike[str]) -> None:
        self._path = Path(file)
        self._blocks = BlockFile(file)
        head = self._blocks.head
        self.run: str = head["run"]
        self.kinds: Sequence[str] = head["kinds"]
        self.nodes: Sequence[str] = head["nodes"]
        self.document: str = head["document"]
        self.duration: float = head["duration"]
        self._events: int = head["events"]
        self._tallies: list[Counter[tuple[int, int]]] = [Counter()]
        for tally in head["tallies"]:
            told = Counter({(kind, node): count for kind, node, count in tally})
            self._tallies.append(self._tallies[-1] + told)

    def __len__(self) -> int:
        return self._events

    def stretch(self, first: int, stop: int) -> Stretch:
        """The events from number `first` up to, and without, number `stop`; as many as there are.

        Reads the blocks in which they are, of 65,536 events each, and blocks meanwhile.
        """
        stop = max(0, min(stop, len(self)))
        first = max(0, min(first, stop))
        block = first // BLOCK
        columns, notes = self._blocks.events(block * BLOCK, stop)
        kinds, nodes = columns["kind"], columns["node"]
        skipped = first - block * BLOCK
        before = self._tallies[block] + Counter(zip(kinds[:skipped], nodes[:skipped], strict=True))
        return Stretch(
            first,
            {name: column[skipped:] for name, column in columns.items()},
            {number: note for number, note in notes.items() if number >= first},
            before,
        )

    def whole(self) -> Recording:
        """All of it."""
        return Recording.load(self._path)

    def as_bytes(self) -> bytes:
        """What is in the file."""
        return self._path.read_bytes()

    def __repr__(self) -> str:
        return f"<recording file of run {self.run}: {len(self):,} events in {self.duration:.3f} s>"
