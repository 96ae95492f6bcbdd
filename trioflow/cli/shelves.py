"""What `trioflow studio` can open: a graph, or a folder of graphs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import attrs
import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.source import open_registry, open_source
from trioflow.studio.files import GraphFile
from trioflow.studio.shelf import Opened

_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_MOST_FILES = 1000


def opened_by_name(name: str, modules: tuple[str, ...]) -> tuple[Opened, FolderShelf | None]:
    """What `trioflow studio` was given: something to show, and what else can be. Raises `BadInput`."""
    path = Path(name)
    if os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises for odd names
        shelf = FolderShelf(path, modules)
        return Opened(f"{path.resolve().name}/", tf.Graph(), open_registry(modules, path)), shelf
    if path.suffix.lower() in _SUFFIXES and path.parent.is_dir() and not os.path.lexists(name):
        click.echo(f"{name} is not there yet: it is written when it is saved in the page", err=True)
        return Opened(path.name, tf.Graph(), open_registry(modules, path.parent), GraphFile(path)), None
    return open_graph(name, modules), None


def open_graph(name: str, modules: tuple[str, ...]) -> Opened:
    """The graph of a file or example, to be shown. Raises `BadInput`."""
    file = GraphFile(Path(name)) if os.path.isfile(name) else None  # noqa: PTH113 - as above
    source = open_source(name, modules)
    source.tell_import()
    # What was imported is saved as something else: its own program would not read it any more.
    return Opened(source.name, source.graph, source.registry, None if source.imported is not None else file)


class FolderShelf:
    """The graphs in a folder."""

    def __init__(self, folder: Path, modules: tuple[str, ...]) -> None:
        self.folder = folder
        self._modules = modules

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
            return Opened(name, tf.Graph(), open_registry(self._modules, self.folder), GraphFile(path))
        try:
            return attrs.evolve(open_graph(str(path), self._modules), name=name)
        except BadInput as error:
            raise BadFile("; ".join(error.problems)) from error


class BadFile(tf.TrioflowError):
    """A file of the folder that can't be shown."""
