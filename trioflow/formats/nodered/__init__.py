"""Flows of Node-RED, as its editor exports them. Import only.

`importing.py` tells how the graph is made, of the nodes in `nodes/`: `placing.py` finds where nodes stand, `checks.py`
what of them is understood, `wires.py` where messages go. A message is the variable `msg` of its strand, and what nodes
remember is in `memory.py`.
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
    nodes = tree.get("flows") if isinstance(tree, dict) else tree
    if not isinstance(nodes, list):
        return False
    return any(
        isinstance(each, dict) and "id" in each and ("wires" in each or each.get("type") == "tab") for each in nodes
    )


def _read(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    from trioflow.formats.nodered.importing import import_tree  # noqa: PLC0415 - its nodes are imported without it

    return import_tree(document.tree, document.name)


FORMAT = Format("nodered", "flows of Node-RED", _detect, _read)
