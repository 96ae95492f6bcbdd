"""Recordings: all events of a run in columns, 19 bytes each and 8 for each path, in memory and in files.

An event is its kind, time, node, strand and path; what it says besides, as far as people want to read it, is a note.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import zlib
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

import attrs

from trioflow.errors import DocumentError, TrioflowError
from trioflow.model.document import dumps
from trioflow.model.graph import Graph
from trioflow.model.replace import write_whole
from trioflow.model.secret import hide
from trioflow.semantics.events import (
    STEPS,
    EvaluationCancelled,
    EvaluationCompleted,
    EvaluationReused,
    EvaluationStarted,
    Event,
    NodeCompleted,
    NodeStarted,
    StrandForked,
    StrandJoined,
    fields_of,
)

_MAGIC = b"trioflow recording 1\n"
_COLUMNS = (
    ("kind", "B"),
    ("node", "H"),
    ("strand", "I"),
    ("path", "I"),
    ("time", "d"),
    ("parent", "I"),
    ("index", "q"),
)
_NO_STRAND = 0xFFFFFFFF
_NO_NODE = 0xFFFF
_BLOCK = 65_536
_LONGEST = 200
"""Characters of a note; what is longer is cut."""

_CLOSING = frozenset(kind.__name__ for kind in STEPS if kind is not NodeStarted)
_SILENT = frozenset(
    kind.__name__
    for kind in (
        NodeStarted,
        NodeCompleted,
        EvaluationStarted,
        EvaluationCompleted,
        EvaluationReused,
        EvaluationCancelled,
        StrandForked,
        StrandJoined,
    )
)


class RecordingError(TrioflowError):
    """A file is no recording, or not a whole one."""


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
            None if node == _NO_NODE else self.nodes[node],
            None if strand == _NO_STRAND else strand,
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
        while len(known) * _BLOCK <= events:
            first = (len(known) - 1) * _BLOCK
            block = slice(first, first + _BLOCK)
            known.append(known[-1] + Counter(zip(kinds[block], nodes[block], strict=True)))
        last = events // _BLOCK
        rest = slice(last * _BLOCK, events)
        return known[last] + Counter(zip(kinds[rest], nodes[rest], strict=True))

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
        """What the run was doing so many seconds after it began."""
        return self.after(bisect_right(self._columns["time"], time), time)

    def after(self, events: int, time: float | None = None) -> Moment:
        """What the run was doing after so many events."""
        open_nodes: dict[int, tuple[int, str]] = {}
        started = self.kinds.index("NodeStarted") if "NodeStarted" in self.kinds else -1
        closing = {number for number, kind in enumerate(self.kinds) if kind in _CLOSING}
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
        head = {
            "run": self.run,
            "started_at": None if self.started_at is None else self.started_at.isoformat(),
            "kinds": list(self.kinds),
            "nodes": list(self.nodes),
            "events": len(self),
            "paths": len(self._columns["parent"]),
            "notes": {str(number): note for number, note in self._notes.items()},
            "document": self.document,
        }
        body = b"".join(self._columns[name].tobytes() for name, _ in _COLUMNS)
        packed = zlib.compress(json.dumps(head).encode() + b"\n" + body, 6)
        return _MAGIC + zlib.crc32(packed).to_bytes(4, "little") + packed

    @classmethod
    def load(cls, file: str | os.PathLike[str]) -> Recording:
        """Read a file that `save` has written. Raises `RecordingError`, or `OSError` if it can't be read."""
        data = FilePath(file).read_bytes()
        if not data.startswith(_MAGIC):
            newer = data.startswith(_MAGIC[:19])
            raise RecordingError(
                f"{os.fspath(file)}: "
                + (
                    "it was recorded by a newer version of trioflow: update this one."
                    if newer
                    else "it is no recording. `trioflow run --record FILE` makes one."
                )
            )
        start = len(_MAGIC) + 4
        packed = data[start:]
        if len(data) < start or zlib.crc32(packed).to_bytes(4, "little") != data[len(_MAGIC) : start]:
            raise RecordingError(f"{os.fspath(file)}: the recording is cut off or damaged. Record the run again.")
        text, _, body = zlib.decompress(packed).partition(b"\n")
        head: dict[str, Any] = json.loads(text)
        columns: dict[str, array[Any]] = {}
        place = 0
        for name, code in _COLUMNS:
            column = columns[name] = array(code)
            size = column.itemsize * (head["paths"] if name in {"parent", "index"} else head["events"])
            column.frombytes(body[place : place + size])
            place += size
        moment = head["started_at"]
        return cls(
            head["run"],
            None if moment is None else datetime.datetime.fromisoformat(moment),
            head["kinds"],
            head["nodes"],
            columns,
            {int(number): note for number, note in head["notes"].items()},
            head.get("document", ""),
        )

    @staticmethod
    def is_in(file: str | os.PathLike[str]) -> bool:
        """Whether a file begins like a recording. Raises `OSError`."""
        with FilePath(file).open("rb") as opened:
            return opened.read(19) == _MAGIC[:19]

    def __repr__(self) -> str:
        return f"<recording of run {self.run}: {len(self):,} events in {self.duration:.3f} s>"


@attrs.frozen
class _Code:
    """What has to be known of a kind of events."""

    number: int
    closes: bool
    silent: bool
    """Whether it has nothing to note."""
    is_plain: bool
    """Whether it neither closes anything nor has anything to note."""


_CHUNK = 5 * 4096
"""Numbers that are kept before they go into columns, which is quicker than to append to each column."""


class Recorder:
    """An observer that records: `recorder.recording()` is what it has seen so far.

    With `values` the notes of ends tell what was written, shortened; secrets are never among it. Recording makes a run
    two to four times as long where nodes do nothing. It reads what events are made of, without making their paths and
    names. A recording holds the `graph`, if that is told and a document can hold it. `most` is how many events it
    keeps; those that come after them are left out, so that a run without end does not fill the memory.
    """

    keys = False

    def __init__(self, *, values: bool = False, graph: Graph | None = None, most: int = sys.maxsize) -> None:
        self.values = values
        self._most = most
        self._graph = graph
        self._run = ""
        self._began: datetime.datetime | None = None
        self._codes: dict[type[Event], _Code] = {}
        self._nodes: dict[str, int] = {}
        # Of the last event: what all in its strand and graph have in common, and the numbers of the nodes there.
        self._told: Any = None
        self._strand = _NO_STRAND
        self._here: dict[str | None, int] = {}
        self._in_graph: dict[str, dict[str | None, int]] = {}
        # The line of the last event, and the number of its path.
        self._line: Any = None
        self._path = 0
        # Kind, node, strand, path and time of the last events, one after the other.
        self._rows: list[Any] = []
        self._columns: dict[str, array[Any]] = {name: array(code) for name, code in _COLUMNS}
        self._notes: dict[int, str] = {}
        # The numbers of lines that may come again, with the lines, so that no other object gets their identity.
        self._lines: dict[int, tuple[Any, int]] = {}
        # Of items of streams, which tell nothing themselves, the one that came last, by the line above it.
        self._items: dict[int, Any] = {}
        self._columns["parent"].append(0)
        self._columns["index"].append(0)

    def __call__(self, event: Event) -> None:
        """Record an event."""
        code = self._codes.get(event.__class__) or self._code(event)
        told = event._told
        if told is not self._told:
            self._enter(event)
        node = self._here.get(event._node)
        if node is None:
            node = self._node(event)
        line = event._line
        if line is not self._line:
            known = self._lines.get(id(line))
            self._path = self._number_of(line) if known is None else known[1]
            self._line = line
        rows = self._rows
        rows += (code.number, node, self._strand, self._path, event._time)
        if code.is_plain:
            return
        if code.closes:
            self._lines.pop(id(line), None)
            if self._items:
                self._lines.pop(id(self._items.pop(id(line), None)), None)
        if not code.silent:
            number = len(self._columns["kind"]) + len(rows) // 5 - 1
            if number < self._most:
                self._note(event, number)
        if len(rows) >= _CHUNK:
            self._keep()

    @property
    def events(self) -> int:
        """How many events it keeps."""
        return min(self._most, len(self._columns["kind"]) + len(self._rows) // 5)

    def recording(self) -> Recording:
        """What was recorded so far. It does not change when the recorder goes on."""
        self._keep()
        return Recording(
            self._run,
            self._began,
            [kind.__name__ for kind in self._codes],
            [*self._nodes],
            {name: column[:] for name, column in self._columns.items()},
            dict(self._notes),
            self._document(),
        )

    def _document(self) -> str:
        try:
            return "" if self._graph is None else dumps(self._graph)
        except DocumentError:
            return ""

    def _keep(self) -> None:
        """Put the last events into the columns."""
        end = 5 * (self._most - len(self._columns["kind"]))
        for place, (name, _) in enumerate(_COLUMNS[:5]):
            self._columns[name].extend(self._rows[place:end:5])
        self._rows.clear()

    def _note(self, event: Event, number: int) -> None:
        """Keep what an event of this number says besides."""
        note = _noted(event)
        if note:
            self._notes[number] = note

    def _code(self, event: Event) -> _Code:
        kind = type(event)
        if not self._run:
            self._run = event.run
            now = datetime.datetime.now(datetime.UTC)
            self._began = now - datetime.timedelta(seconds=event.time)
        name = kind.__name__
        has_values = self.values and kind in (NodeCompleted, EvaluationCompleted)
        closes = name in _CLOSING or kind is StrandJoined
        silent = name in _SILENT and not has_values
        code = self._codes[kind] = _Code(min(len(self._codes), 255), closes, silent, silent and not closes)
        return code

    def _enter(self, event: Event) -> None:
        """The event is of another strand or graph than the one before it."""
        told = self._told = event._told
        self._strand = _NO_STRAND if told.strand is None else told.strand
        self._here = self._in_graph.setdefault(told.graph, {None: _NO_NODE})

    def _node(self, event: Event) -> int:
        name = event.node
        assert name is not None
        number = self._nodes.get(name)
        if number is None:
            number = self._nodes[name] = min(len(self._nodes), _NO_NODE - 1)
        self._here[event._node] = number
        return number

    def _number_of(self, line: Any) -> int:
        """The number of the path of a line, which is new; those above it may be, too."""
        if len(self._columns["kind"]) >= self._most:
            return 0
        lines = self._lines
        new: list[Any] = []
        number = 0
        while line.parent is not None:
            known = lines.get(id(line))
            if known is not None:
                number = known[1]
                break
            new.append(line)
            line = line.parent
        parents, indexes = self._columns["parent"], self._columns["index"]
        for each in reversed(new):
            parents.append(number)
            indexes.append(each.index)
            number = len(parents) - 1
            lines[id(each)] = (each, number)
            if each is not new[0] and each.parent is not None:
                last = self._items.get(id(each.parent))
                self._items[id(each.parent)] = each
                lines.pop(id(last), None)
        return number


def _noted(event: Event) -> str | None:
    """What an event says besides, for people."""
    said: list[str] = []
    for name in fields_of(type(event))[6:]:
        if name in {"duration", "origin", "key", "entered", "handed_over"}:
            continue
        value = getattr(event, name)
        if value is None or value in ("", {}):
            continue
        text = f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else _shown(value)
        said.append(text if name in {"error", "message", "reason"} else f"{name} {text}")
    text = hide(", ".join(said))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _shown(value: object) -> str:
    try:
        return value if isinstance(value, str) else repr(value)
    except Exception as error:
        return f"<{type(value).__name__}: {type(error).__name__} when shown>"
