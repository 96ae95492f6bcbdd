"""Recordings: all events of a run in columns, 19 bytes each and 8 for each path, in memory and in files.

An event is its kind, time, node, strand and path; what it says besides, as far as people want to read it, is a note.
"""

from __future__ import annotations

import datetime
import os
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from trioflow.model.replace import write_whole
from trioflow.semantics.events import STEPS, NodeStarted
from trioflow.telemetry.recording_format import (
    BLOCK,
    OF_EVENTS,
    OF_PATHS,
    BlockFile,
    RecordingError,
    as_blocks,
    begins_like_one,
)

__all__ = [
    "CLOSING",
    "COLUMNS",
    "NO_NODE",
    "NO_STRAND",
    "Moment",
    "Recording",
    "RecordingError",
    "Row",
    "Stretch",
]

COLUMNS = (*OF_EVENTS, *OF_PATHS)
NO_STRAND = 0xFFFFFFFF
NO_NODE = 0xFFFF

CLOSING = frozenset(kind.__name__ for kind in STEPS if kind is not NodeStarted)
"""Kinds of events that end what `NodeStarted` has begun."""


@attrs.frozen
class Row:
    """One event of a recording."""

    number: int
    """Its place in the recording, from 0."""
    kind: str
    """The name of its class: `NodeStarted`."""
    time: float
    """Seconds since the run began."""
    node: str | None
    """The node, as seen from the outermost graph; None if it belongs to none."""
    strand: int | None
    """The number of the strand; None if it belongs to none."""
    path: int
    """The number of its path: `Recording.path` gives the path itself."""
    parent: int
    """The number of the path above it; its own for the root."""
    note: str | None
    """What it says besides, shortened: an error, a message, values."""


@attrs.frozen
class Moment:
    """What a run was doing at a moment of a recording."""

    time: float
    running: Mapping[int, Sequence[str]]
    """By strand: the nodes whose activations were open, the innermost last."""
    events: int
    """How many events there were until then."""


@attrs.frozen
class Stretch:
    """Some events of a recording, one after the other, as columns."""

    first: int
    """The number of the first of them in the whole recording."""
    columns: Mapping[str, array[Any]]
    """As in `Recording.column`."""
    notes: Mapping[int, str]
    """By the numbers that events have in the whole recording."""
    before: Counter[tuple[int, int]]
    """How often each kind was told of each node before; kinds and nodes as in the columns."""

    def __len__(self) -> int:
        return len(self.columns["kind"])


class Recording:
    """The events of one run, in the order in which they were told."""

    def __init__(
        self,
        run: str,
        started_at: datetime.datetime | None,
        kinds: Sequence[str],
        nodes: Sequence[str],
        columns: Mapping[str, array[Any]],
        notes: Mapping[int, str],
        document: str = "",
    ) -> None:
        self.run = run
        self.document = document
        """The graph that was run, as `dumps` writes it; empty if nobody has told it."""
        self.started_at = started_at
        self.kinds = kinds
        self.nodes = nodes
        self._columns = columns
        self._notes = notes
        self._noted: list[int] | None = None
        # What `tally` says of the first blocks, each with all before it.
        self._tallies: list[Counter[tuple[int, int]]] = [Counter()]

    def __len__(self) -> int:
        return len(self._columns["kind"])

    def __iter__(self) -> Iterator[Row]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Row:
        columns = self._columns
        kind: int = columns["kind"][number]
        node: int = columns["node"][number]
        strand, path = columns["strand"][number], columns["path"][number]
        return Row(
            number,
            self.kinds[kind],
            columns["time"][number],
            None if node == NO_NODE else self.nodes[node],
            None if strand == NO_STRAND else strand,
            path,
            columns["parent"][path],
            self._notes.get(number),
        )

    def column(self, name: str) -> array[Any]:
        """A column as it is kept, for tools that read all: of events `kind`, `node`, `strand`, `path` and `time`.

        Kinds and nodes are places in `kinds` and `nodes`; 65535 and 4294967295 stand for no node and no strand. Of
        paths it is `parent` and `index`.
        """
        return self._columns[name]

    def tally(self, events: int) -> Counter[tuple[int, int]]:
        """How often, among so many first events, each kind was told of each node; kinds and nodes as in `column`.

        From it follows what was open then, and how often all had run, so that nobody has to read the events before a
        stretch to look at it. The first call takes a tenth of a second for a million events, others next to nothing.
        """
        kinds, nodes = self._columns["kind"], self._columns["node"]
        known = self._tallies
        events = max(0, min(events, len(self)))
        while len(known) * BLOCK <= events:
            first = (len(known) - 1) * BLOCK
            block = slice(first, first + BLOCK)
            known.append(known[-1] + Counter(zip(kinds[block], nodes[block], strict=True)))
        last = events // BLOCK
        rest = slice(last * BLOCK, events)
        return known[last] + Counter(zip(kinds[rest], nodes[rest], strict=True))

    def stretch(self, first: int, stop: int) -> Stretch:
        """The events from number `first` up to, and without, number `stop`; as many as there are."""
        stop = max(0, min(stop, len(self)))
        first = max(0, min(first, stop))
        if self._noted is None:
            self._noted = sorted(self._notes)
        numbers = self._noted[bisect_left(self._noted, first) : bisect_left(self._noted, stop)]
        columns = {name: self._columns[name][first:stop] for name, _ in OF_EVENTS}
        return Stretch(first, columns, {number: self._notes[number] for number in numbers}, self.tally(first))

    @property
    def notes(self) -> Mapping[int, str]:
        """What events say besides, by the number of the event."""
        return self._notes

    @property
    def duration(self) -> float:
        """Seconds from the start to the last event."""
        times = self._columns["time"]
        return times[-1] if times else 0.0

    def path(self, number: int) -> tuple[int, ...]:
        """A path by its number, as in `Row.path`."""
        found: list[int] = []
        parents, indexes = self._columns["parent"], self._columns["index"]
        while number:
            found.append(indexes[number])
            number = parents[number]
        return tuple(reversed(found))

    def above(self, number: int) -> int:
        """The number of the path above a path; the root is above itself, and has the number 0."""
        above: int = self._columns["parent"][number]
        return above

    def at(self, time: float) -> Moment:
        """What the run was doing `time` seconds after it began. Goes through all events before."""
        return self.after(bisect_right(self._columns["time"], time), time)

    def after(self, events: int, time: float | None = None) -> Moment:
        """What the run was doing after its first `events` events: by strand, the nodes that had not ended."""
        open_nodes: dict[int, tuple[int, str]] = {}
        started = self.kinds.index("NodeStarted") if "NodeStarted" in self.kinds else -1
        closing = {number for number, kind in enumerate(self.kinds) if kind in CLOSING}
        kinds, paths = self._columns["kind"], self._columns["path"]
        nodes, strands = self._columns["node"], self._columns["strand"]
        for number in range(min(events, len(self))):
            kind = kinds[number]
            if kind == started:
                place: int = nodes[number]
                open_nodes[paths[number]] = (strands[number], self.nodes[place])
            elif kind in closing:
                open_nodes.pop(paths[number], None)
        running: dict[int, list[str]] = {}
        for strand, node in open_nodes.values():
            running.setdefault(strand, []).append(node)
        last = self._columns["time"][events - 1] if 0 < events <= len(self) else 0.0
        return Moment(last if time is None else time, running, min(events, len(self)))

    def save(self, file: str | os.PathLike[str]) -> None:
        """Write it into a file, which is replaced at once or not at all. Raises `OSError`."""
        write_whole(file, self.as_bytes())

    def as_bytes(self) -> bytes:
        """What `save` writes."""
        blocks = range(0, len(self), BLOCK)
        sums = [self.tally(begin + BLOCK) - self.tally(begin) for begin in blocks]
        head = {
            "run": self.run,
            "started_at": None if self.started_at is None else self.started_at.isoformat(),
            "kinds": list(self.kinds),
            "nodes": list(self.nodes),
            "events": len(self),
            "duration": self.duration,
            "document": self.document,
            "tallies": [[[kind, node, count] for (kind, node), count in each.items()] for each in sums],
        }
        return as_blocks(head, self._columns, self._notes)

    @classmethod
    def load(cls, file: str | os.PathLike[str]) -> Recording:
        """Read a file that `save` has written; `RecordingFile` reads parts of one.

        Raises `RecordingError`, or `OSError` if it can't be read.
        """
        blocks = BlockFile(file)
        head = blocks.head
        columns, notes = blocks.events(0, head["events"])
        moment = head["started_at"]
        return cls(
            head["run"],
            None if moment is None else datetime.datetime.fromisoformat(moment),
            head["kinds"],
            head["nodes"],
            columns | blocks.paths(),
            notes,
            head["document"],
        )

    @staticmethod
    def is_in(file: str | os.PathLike[str]) -> bool:
        """Whether a file begins like a recording. Raises `OSError`."""
        return begins_like_one(file)

    def __repr__(self) -> str:
        return f"<recording of run {self.run}: {len(self):,} events in {self.duration:.3f} s>"
