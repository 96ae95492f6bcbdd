"""What else a page can open: the graphs of a folder, the runs of a journal."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol

import attrs

from trioflow.durable.journal import Journal
from trioflow.errors import JournalError
from trioflow.model.document import loads
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry
from trioflow.studio.files import GraphFile
from trioflow.studio.keeping import Kept, recording_of
from trioflow.telemetry import Recording, RecordingFile


@attrs.frozen
class Opened:
    """Something that was opened."""

    name: str
    graph: Graph
    registry: Registry
    file: GraphFile | None = None
    recording: Recording | RecordingFile | None = None
    kept: Kept | None = None
    """The run of a journal that this is."""


class Shelf(Protocol):
    """A place with things to open: graphs, of which others can be begun, or runs. Both methods block."""

    holds: ClassVar[Literal["graphs", "runs"]]

    def titles(self) -> list[dict[str, Any]]:
        """What there is: for each a `name`, and `about`, a line about it."""
        ...

    def open(self, name: str) -> Opened:
        """Open one, by its name. Raises `TrioflowError` with what is wrong with it."""
        ...


class JournalShelf:
    """The runs of a journal."""

    holds: ClassVar[Literal["graphs", "runs"]] = "runs"

    def __init__(self, journal: Journal, registry: Registry) -> None:
        self._journal = journal
        self._registry = registry

    def titles(self) -> list[dict[str, Any]]:
        """Runs, and what has become of them; those that were begun last come first."""
        runs = sorted(self._journal.runs(), key=lambda each: -each.new.created)
        return [
            {"name": each.id, "about": f"{each.status}, {each.state.entries:,} records"
             + (f", from {each.new.parent} at {each.new.parent_path}" if each.new.parent else "")}
            for each in runs
        ]  # fmt: skip

    def open(self, name: str) -> Opened:
        """The graph of a run, and what was recorded of it."""
        info = self._journal.show(name)
        if not info.new.document:
            raise JournalError(f"The graph of run {name!r} is not in the journal: only its program has it.")
        kept = Kept(self._journal, name)
        return Opened(name, loads(info.new.document), self._registry, None, recording_of(kept), kept)
