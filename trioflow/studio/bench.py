"""The graph that is worked on: its versions, its file, and what has become of that meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trioflow.errors import DocumentError, MissingExtra
from trioflow.model.document import dumps
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry
from trioflow.studio.edits import Edit, apply, desk_at, part_of, settings_of, wire_settings
from trioflow.studio.files import FileState, GraphFile, new_file
from trioflow.studio.forms import sockets_of
from trioflow.studio.history import History, Version
from trioflow.studio.places import Places, has_places, with_places, without_places


class Bench:
    """A graph, what was done to it, and where it is saved."""

    def __init__(self, graph: Graph, registry: Registry, file: GraphFile | None = None, *, revision: int = 1) -> None:
        self._registry = registry
        self.history = History(Version(graph, has_places(graph)))
        self.file = file
        self.file_state: FileState = "same"
        self.problem: str | None = None
        """Why the file can't be read; None if it can."""
        self.revision = revision
        """Goes up with whatever happens to the graph."""

    @property
    def graph(self) -> Graph:
        """The graph as it is now."""
        return self.history.now.graph

    def edit(self, edits: Sequence[Edit], typing: str | None = None, seen: Places | None = None) -> list[str]:
        """Make one step of several edits, all or none; gives the ids of the nodes that were added.

        Steps with the same `typing` one after the other are one step. `seen` is where nodes are, if that is known.

        Raises `EditError` or `UnknownName`.
        """
        # From the first edit on nodes stay where they are seen; they are saved so if a person has placed any.
        graph = with_places(self.graph, self._registry, seen)
        added: list[str] = []
        for each in edits:
            graph = apply(graph, self._registry, each, added)
        labels = [each.label for each in edits]
        placed = self.history.now.placed or not {"add a node", "duplicate", "paste", "move"}.isdisjoint(labels)
        self._go_on(Version(graph, placed and labels[-1:] != ["arrange"], labels[-1] if labels else "", typing))
        return added

    def undo(self) -> str | None:
        """Take back what was done last; gives what that was, None if there was nothing."""
        label = self.history.undone_next
        return self._moved(label) if self.history.undo() else None

    def redo(self) -> str | None:
        """Do again what was taken back last; gives what that was, None if there was nothing."""
        label = self.history.redone_next
        return self._moved(label) if self.history.redo() else None

    def save(self, folder: Path, name: str | None = None, *, anyway: bool = False) -> None:
        """Write the file, or a new one of this name in the folder. Blocks. Raises `NotSaved` or `DocumentError`."""
        file = self.file
        if name is not None:
            file = GraphFile(new_file(folder, name))
        if file is None:
            raise DocumentError("the graph", ["it has no file yet. Give a name for one."])
        version = self.history.now
        file.save(version.graph if version.placed else without_places(version.graph), anyway=anyway)
        self.history.saved = version
        self.file, self.file_state, self.problem = file, "same", None

    def take_file(self) -> None:
        """Go on with what the file holds, as a step that can be undone. Blocks. Raises `DocumentError`."""
        assert self.file is not None
        graph = self.file.read()
        self._go_on(Version(graph, has_places(graph), "take what the file holds"))
        self.history.saved = self.history.now
        self.file_state, self.problem = "same", None

    def noticed(self, state: FileState, *, busy: bool) -> str | None:
        """The file was found like this: what there is to say. Without own changes the file's are taken. Blocks."""
        before, self.file_state = self.file_state, state
        problem, self.problem = self.problem, None
        if state == "deleted":
            return None if before == state else "The file was deleted. Saving writes it again."
        if state == "same":
            return None
        if busy or not self.history.is_saved:
            return None if before == state else "The file was changed by somebody else, and so was the graph here."
        assert self.file is not None
        try:
            self.take_file()
        except (DocumentError, MissingExtra) as error:
            # Half-written, or wrong: what is seen stays.
            self.problem = str(error)
            return None if problem == self.problem else f"The file was changed, and can't be read: {error}"
        return "The file was changed by somebody else, and was read again. Undo leads back."

    def copy(self, names: Sequence[str], way: str = "") -> str:
        """Some nodes with the wires among them, as a document to paste. Raises `UnknownName`, `DocumentError`."""
        return dumps(part_of(desk_at(self.graph, self._registry, way).graph, names))

    def form(self, name: str, way: str = "") -> dict[str, Any]:
        """What can be filled in at a node. Raises `UnknownName`."""
        desk = desk_at(self.graph, self._registry, way)
        node = desk.node(name)
        type_ = desk.type_of(node.type)
        inputs = sockets_of(desk.graph, node, type_)
        settings = settings_of(node)
        sections = ["policy"]
        if desk.graph.kind == "workflow":
            sections.append("workflow")
        if "stream" in settings or (type_ is not None and type_.streams):
            sections.append("streams")
        return {"id": node.id, "type": node.type, "inputs": inputs, "settings": settings, "sections": sections}

    def terms(self, source: Sequence[str], target: Sequence[str], way: str = "") -> dict[str, Any]:
        """What a document says of a wire beyond its ends. Raises `UnknownName`."""
        return wire_settings(desk_at(self.graph, self._registry, way).wire(source, target))

    def told(self) -> dict[str, Any]:
        """What the page has to know."""
        history = self.history
        return {
            "revision": self.revision,
            "unsaved": not history.is_saved or self.file_state == "deleted",
            "undo": history.undone_next,
            "redo": history.redone_next,
            "file": None if self.file is None else self.file.name,
            "state": self.file_state,
            "problem": self.problem,
        }

    def _go_on(self, version: Version) -> None:
        self.history.add(version)
        self.revision += 1

    def _moved(self, label: str | None) -> str | None:
        self.revision += 1
        return label
