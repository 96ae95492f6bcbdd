"""Recording: an observer that keeps all events of a run in columns."""

from __future__ import annotations

import datetime
import sys
from array import array
from typing import Any

import attrs

from trioflow.errors import DocumentError
from trioflow.model.document import dumps
from trioflow.model.graph import Graph
from trioflow.model.secret import hide
from trioflow.semantics.events import (
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
from trioflow.telemetry.recording import CLOSING, COLUMNS, NO_NODE, NO_STRAND, Recording

_LONGEST = 200
"""Characters of a note; what is longer is cut."""

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

    kinds = (Event,)  # all of them, also those that are told on request
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
        self._strand = NO_STRAND
        self._here: dict[str | None, int] = {}
        self._in_graph: dict[str, dict[str | None, int]] = {}
        # The line of the last event, and the number of its path.
        self._line: Any = None
        self._path = 0
        # Kind, node, strand, path and time of the last events, one after the other.
        self._rows: list[Any] = []
        self._columns: dict[str, array[Any]] = {name: array(code) for name, code in COLUMNS}
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
        for place, (name, _) in enumerate(COLUMNS[:5]):
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
        closes = name in CLOSING or kind is StrandJoined
        silent = name in _SILENT and not has_values
        code = self._codes[kind] = _Code(min(len(self._codes), 255), closes, silent, silent and not closes)
        return code

    def _enter(self, event: Event) -> None:
        """The event is of another strand or graph than the one before it."""
        told = self._told = event._told
        self._strand = NO_STRAND if told.strand is None else told.strand
        self._here = self._in_graph.setdefault(told.graph, {None: NO_NODE})

    def _node(self, event: Event) -> int:
        name = event.node
        assert name is not None
        number = self._nodes.get(name)
        if number is None:
            number = self._nodes[name] = min(len(self._nodes), NO_NODE - 1)
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
