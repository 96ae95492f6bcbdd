"""Workflows of n8n, as its editor exports them. Import only.

`expressions.py` reads what stands in `{{ }}`, `importing.py` makes the graph, of the nodes in `nodes.py`; `lists.py` is
what nodes do with items.
"""

from __future__ import annotations

from trioflow.formats.port import Document, Format, Imported, ImportOptions, document_in, with_positions
from trioflow.model.registry import Registry

__all__ = ["FORMAT", "loads"]


def loads(text: str, *, source: str = "<string>") -> Imported:
    """The workflow in the text of an export. Raises `DocumentError` for what is none."""
    document = document_in(text, name=source, syntax="json")
    return with_positions(_read(document, Registry.standard(), ImportOptions()), document)


def _detect(document: Document) -> bool:
    tree = document.tree
    if (
        not isinstance(tree, dict)
        or not isinstance(tree.get("nodes"), list)
        or not isinstance(tree.get("connections"), dict)
    ):
        return False
    return any(isinstance(each, dict) and "n8n" in str(each.get("type", "")) for each in tree["nodes"])


def _read(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    from trioflow.formats.n8n.importing import import_tree  # noqa: PLC0415 - its nodes are imported without it

    return import_tree(document.tree, document.name)


FORMAT = Format("n8n", "workflows of n8n", _detect, _read)
