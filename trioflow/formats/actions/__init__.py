"""Workflows as GitHub Actions has them: jobs with `needs` and `if`, steps that run commands, matrices. Import only.

`expressions.py` reads what stands in `${{ }}`, `importing.py` makes the graph, of the nodes in `nodes.py`.
"""

from __future__ import annotations

from trioflow.formats.port import Document, Format, Imported, ImportOptions, document_in, with_positions
from trioflow.model.registry import Registry

__all__ = ["FORMAT", "loads"]


def loads(text: str, *, source: str = "<string>") -> Imported:
    """The workflow in the text of a document. Raises `DocumentError` for what is none, and `MissingExtra`."""
    document = document_in(text, name=source, syntax="yaml")
    return with_positions(_read(document, Registry.standard(), ImportOptions()), document)


def _detect(document: Document) -> bool:
    tree = document.tree
    return isinstance(tree, dict) and isinstance(tree.get("jobs"), dict) and "nodes" not in tree


def _read(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    from trioflow.formats.actions.importing import import_tree  # noqa: PLC0415 - its nodes are imported without it

    return import_tree(document.tree, document)


FORMAT = Format("actions", "workflows of GitHub Actions", _detect, _read)
