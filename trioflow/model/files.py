"""Graphs in files that refer to each other by `file:PATH`: each is read once, also if they do so in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs

from trioflow.errors import DocumentError, MissingExtra
from trioflow.model.graph import Graph, LinkedFiles, Unreadable
from trioflow.model.scope import FILE


def link(graph: Graph, path: Path, read: Callable[[Path], Graph]) -> Graph:
    """The graph with all the files that it refers to, directly or not, read by `read` (C1).

    What can't be read is kept as `Unreadable`: validation reports it where it is referred to. Paths are relative to
    the file that holds them.
    """
    known: dict[Path, Graph | Unreadable] = {}
    waiting: list[tuple[Path, list[str], dict[str, Graph | Unreadable]]] = []

    def add(place: Path, found: Graph) -> Graph:
        files: dict[str, Graph | Unreadable] = {}
        found = _with_files(found, files)
        known[place] = found
        waiting.append((place.parent, sorted({*_references(found)}), files))
        return found

    linked = add(_resolved(path), graph)
    while waiting:
        folder, references, files = waiting.pop()
        for reference in references:
            place = _resolved(folder / reference)
            if place not in known:
                try:
                    add(place, read(place))
                except DocumentError as error:
                    known[place] = Unreadable(error.problems)
                except MissingExtra as error:
                    known[place] = Unreadable((str(error),))
            files[reference] = known[place]
    return linked


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # no path that a system could have: reading it says so
        return path


def _with_files(graph: Graph, files: dict[str, Graph | Unreadable]) -> Graph:
    inner = {name: _with_files(each, files) for name, each in graph.graphs.items()}
    return attrs.evolve(graph, graphs=inner, files=LinkedFiles(files))


def _texts(value: Any) -> Iterator[str]:
    """The texts in the configuration of a node, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _references(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        for each in (node.type, *(_texts(dict(node.config)) if node.config else ())):
            if each.startswith(FILE):
                yield each.removeprefix(FILE)
    for inner in graph.graphs.values():
        yield from _references(inner)
