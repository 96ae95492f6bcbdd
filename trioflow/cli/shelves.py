"""What `trioflow studio` can open: a graph, a folder of graphs, a recording, a journal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Literal

import attrs
import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.foreign import Foreign
from trioflow.cli.source import open_registry, open_source
from trioflow.studio.files import GraphFile
from trioflow.studio.shelf import JournalShelf, Opened, Shelf
from trioflow.telemetry import Recording, RecordingError, RecordingFile

_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_MOST_FILES = 1000


@attrs.frozen
class NodesGiven:
    """What the command line says about node types: modules that have some, what they may do, bodies of foreign ones."""

    modules: tuple[str, ...] = ()
    allowed: tuple[Literal["scripts"], ...] = ()
    foreign: Foreign = attrs.field(factory=Foreign)

    def registry(self, folder: Path) -> tf.Registry:
        """The node types for the graphs of a folder. Raises `BadInput`."""
        return open_registry(self.modules, folder, allowed=self.allowed)


def opened_by_name(name: str, given: NodesGiven) -> tuple[Opened, Shelf | None]:
    """What `trioflow studio` was given: something to show, and what else can be. Raises `BadInput`."""
    path = Path(name)
    if os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises for odd names
        if any(path.glob("*.run.jsonl")):
            return _journal(path, tf.FileJournal(path), given)
        shelf = FolderShelf(path, given)
        return Opened(f"{path.resolve().name}/", tf.Graph(), given.registry(path)), shelf
    if os.path.isfile(name):  # noqa: PTH113 - as above
        with path.open("rb") as opened:
            begins = opened.read(16)
        if begins == b"SQLite format 3\0":
            return _journal(path, tf.SqliteJournal(path), given)
        if Recording.is_in(path):
            return _recording(path, given), None
    if path.suffix.lower() in _SUFFIXES and path.parent.is_dir() and not os.path.lexists(name):
        click.echo(f"{name} is not there yet: it is written when it is saved in the page", err=True)
        return Opened(path.name, tf.Graph(), given.registry(path.parent), GraphFile(path)), None
    return open_graph(name, given), None


def _journal(path: Path, journal: tf.Journal, given: NodesGiven) -> tuple[Opened, Shelf]:
    registry = given.registry(path.parent)
    try:
        journal.runs()
    except tf.JournalError as error:
        raise BadInput(str(error)) from error
    return Opened(path.name, tf.Graph(), registry), JournalShelf(journal, registry)


def _recording(path: Path, given: NodesGiven) -> Opened:
    try:
        recording = RecordingFile(path)
    except RecordingError as error:
        raise BadInput(str(error)) from error
    if not recording.document:
        raise BadInput(f"{path}: it does not say which graph was run. Give that, too: trioflow studio GRAPH {path}")
    graph = tf.loads(recording.document, source=str(path))
    return Opened(path.name, graph, given.registry(path.parent), recording=recording)


def open_graph(name: str, given: NodesGiven) -> Opened:
    """The graph of a file or example, to be shown. Raises `BadInput`."""
    file = GraphFile(Path(name)) if os.path.isfile(name) else None  # noqa: PTH113 - as above
    source = open_source(name, given.modules, given.allowed, given.foreign)
    source.tell_import()
    # What was imported is saved as something else: its own program would not read it any more.
    return Opened(source.name, source.graph, source.registry, None if source.imported is not None else file)


class FolderShelf:
    """The graphs in a folder."""

    holds: ClassVar[Literal["graphs", "runs"]] = "graphs"

    def __init__(self, folder: Path, given: NodesGiven) -> None:
        self.folder = folder
        self._given = given

    def titles(self) -> list[dict[str, Any]]:
        """Files that may be graphs, and what they say of themselves."""
        found = sorted(each for each in self.folder.iterdir() if each.suffix.lower() in _SUFFIXES and each.is_file())
        return [{"name": each.name, "about": f"{each.stat().st_size:,} bytes"} for each in found[:_MOST_FILES]]

    def open(self, name: str) -> Opened:
        """Open one, or begin one of that name."""
        if name != Path(name).name or Path(name).suffix.lower() not in _SUFFIXES:
            raise BadFile(f"{name}: expected the name of a file such as graph.json or graph.yaml, without folders.")
        path = self.folder / name
        if not path.exists():
            return Opened(name, tf.Graph(), self._given.registry(self.folder), GraphFile(path))
        try:
            return attrs.evolve(open_graph(str(path), self._given), name=name)
        except BadInput as error:
            raise BadFile("; ".join(error.problems)) from error


class BadFile(tf.TrioflowError):
    """A file of the folder that can't be shown."""
