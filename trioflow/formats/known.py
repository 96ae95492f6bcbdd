"""The formats of other programs that are understood, and reading whatever a file holds.

One line for each format. A package is imported when a document of another program is opened.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path

import attrs

from trioflow.errors import DocumentError, did_you_mean
from trioflow.formats.placeholder import Filling
from trioflow.formats.port import Diagnostic, Document, Format, Imported, ImportOptions, open_document, with_positions
from trioflow.model.collecting import uncollected
from trioflow.model.document import unlinked
from trioflow.model.files import link
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry

FORMATS: Mapping[str, str] = {
    "executionengine": "trioflow.formats.executionengine",
    "dipeo": "trioflow.formats.dipeo",
    "nodeeditor": "trioflow.formats.nodeeditor",
    "serverless-workflow": "trioflow.formats.serverless",
    "bpmn": "trioflow.formats.bpmn",
    "actions": "trioflow.formats.actions",
    "nodered": "trioflow.formats.nodered",
    "n8n": "trioflow.formats.n8n",
}
"""Names of formats and their packages. The first one that takes a document for one of its own reads it."""


def format_named(name: str) -> Format:
    """The format of this name. Raises `ValueError` for one that is not known."""
    if name not in FORMATS:
        raise ValueError(f"there is no format {name!r}.{did_you_mean(name, FORMATS)} Formats: {', '.join(FORMATS)}.")
    found: Format = importlib.import_module(FORMATS[name]).FORMAT
    return found


def result_of(graph: Graph) -> str:
    """The variable that in the end holds what the document of an imported graph gives; empty if there is none."""
    name = next((format_named(each).result for each in FORMATS if each in graph.metadata), "")
    return name if any(each.name == name for each in graph.variables) else ""


def detect(document: Document) -> Format | None:
    """The format that a document looks like; None for a graph of trioflow, and for what nobody knows.

    Raises `DocumentError` for a text that can't be read at all.
    """
    if document.is_ours:
        return None
    if document.syntax == "xml":
        _ = document.root  # what is no XML is said as that
    return next((each for each in map(format_named, FORMATS) if each.detect(document)), None)


def import_document(
    document: Document,
    registry: Registry | None = None,
    *,
    format: Format | None = None,
    options: ImportOptions | None = None,
) -> Imported:
    """The graph that a document of another program says, with the bodies that the registry has for its nodes.

    Files that it names are not read. Raises `DocumentError` with every problem; `RegistryError` for bodies that fit no
    node.
    """
    registry = registry if registry is not None else Registry.standard()
    filling = Filling(registry.bodies)
    with uncollected():
        imported = _read(document, registry, format if format is not None else detect(document), options, filling)
    filling.check()
    return imported


def load(
    path: str | os.PathLike[str],
    registry: Registry | None = None,
    *,
    format: Format | None = None,
    options: ImportOptions | None = None,
) -> Imported:
    """The graph in a file, of trioflow or of another program, with the files that it refers to, each read once (C1).

    Blocks while it reads. What is to be said of the other files has their name before its path. What is wrong with a
    file that is referred to, validation reports. Raises `DocumentError`, `RegistryError` and `MissingExtra`.
    """
    path = Path(path)
    return load_document(open_document(path), registry, format=format, options=options)


def load_document(
    document: Document,
    registry: Registry | None = None,
    *,
    format: Format | None = None,
    options: ImportOptions | None = None,
) -> Imported:
    """As `load`, for a document that was opened already."""
    assert document.path is not None
    path, registry = document.path, registry if registry is not None else Registry.standard()
    filling = Filling(registry.bodies)
    said: list[Diagnostic] = []
    formats: set[str] = set()

    def read(document: Document, said_to_be: Format | None) -> Graph:
        assert document.path is not None
        found = said_to_be if said_to_be is not None else detect(document)
        if found is None and document.syntax != "xml":
            return filling.fill(unlinked(document.raw, document.path), registry)
        wishes = attrs.evolve(options or ImportOptions(), called=document.path != path)
        imported = _read(document, registry, found, wishes, filling)
        formats.update(imported.formats)
        prefix = "" if document.path == path else f"{os.path.relpath(document.path, path.parent)}: "
        said.extend(
            attrs.evolve(each, path=f"{prefix}{each.path}") if prefix else each for each in imported.diagnostics
        )
        return imported.graph

    with uncollected():
        graph = link(read(document, format), path, lambda place: read(open_document(place), None))
    filling.check()
    return Imported(graph, said, formats=frozenset(formats))


def _read(
    document: Document, registry: Registry, format: Format | None, options: ImportOptions | None, filling: Filling
) -> Imported:
    if format is None:
        known = ", ".join(FORMATS)
        raise DocumentError(document.name, [f"its format is not recognised. Formats that are known: {known}."])
    try:
        imported = format.read(document, registry, options if options is not None else ImportOptions())
    except RecursionError:
        raise DocumentError(document.name, ["it is nested too deeply. Flatten its values."]) from None
    imported = with_positions(imported, document)
    graph = filling.fill(imported.graph, registry)
    # What has a body now lacks none.
    said = [each for each in imported.diagnostics if not each.node or each.node not in filling.filled]
    return attrs.evolve(imported, graph=graph, diagnostics=said, formats=frozenset([format.name]))
