"""Serverless Workflow 1.0: import to graphs, and export where nothing gets lost.

`shape.py` is the table of what a document may say; `importing.py` makes a graph of it, `tasks.py` and `calls.py` the
nodes of its tasks, which are in `nodes/`, and `exporting.py` a document again. What all tasks do around their own work
is in `task.py`, expressions (jq) are in `expressions.py`, errors (RFC 7807) in `problem.py`, events (CloudEvents) in
`cloudevents.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from trioflow.errors import DocumentError
from trioflow.formats.port import Document, Format, Imported, ImportOptions, open_document
from trioflow.formats.serverless.cloudevents import Events
from trioflow.formats.serverless.exporting import write_tree
from trioflow.formats.serverless.importing import FORMAT_NAME, read_tree
from trioflow.formats.serverless.problem import WorkflowError
from trioflow.formats.serverless.session import Hosts
from trioflow.formats.serverless.task import DATA
from trioflow.formats.serverless.trees import named_by
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry

__all__ = ["FORMAT", "Events", "Hosts", "WorkflowError", "looks_like_workflow"]

_MOST_FILES = 500
"""Files beside a document that are looked into for workflows that it calls."""


def looks_like_workflow(document: Document) -> bool:
    """Whether a document looks like one of this format, whatever is wrong with it."""
    if document.syntax == "xml" or not isinstance(document.tree, dict):
        return False
    about = cast("dict[str, Any]", document.tree).get("document")
    return isinstance(about, Mapping) and "dsl" in about and "do" in document.tree


def _read(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    library = _beside(document) if '"workflow"' in document.text or "workflow:" in document.text else {}
    return read_tree(document.tree, document.name, library, registry.bodies)


def _beside(document: Document) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """The workflows in the folder of a document, itself included, by namespace, name and version."""
    found = {named_by(document.tree): document.tree} if isinstance(document.tree, Mapping) else {}
    folder = document.path.parent if document.path is not None else None
    for path in _documents_in(folder)[:_MOST_FILES] if folder is not None else []:
        try:
            other = open_document(path)
            if looks_like_workflow(other):
                found.setdefault(named_by(other.tree), other.tree)
        except (DocumentError, OSError):
            continue  # another document's trouble
    return found


def _documents_in(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in {".yaml", ".yml", ".json"})


def _write(graph: Graph, registry: Registry) -> str:
    from trioflow.model.yaml_text import write  # noqa: PLC0415 - PyYAML is optional

    return write(write_tree(graph))


FORMAT = Format(FORMAT_NAME, "Serverless Workflow 1.0 (CNCF)", looks_like_workflow, _read, _write, DATA)
"""The format, for `trioflow.formats.known`."""
