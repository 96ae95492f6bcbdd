"""Documents of NodeEditor.Net, versions 1 and 2: import to graphs, and export where nothing gets lost.

`document.py` reads the structure, `dotnet.py` types and values. `tables/` says of each of their nodes what it is here,
in the notation of `row.py`. `placed.py` finds the row of a node and matches its sockets; `importing.py` and
`exporting.py` do the rest. Imported graphs mean what graphs mean here; where that is something else there, the
diagnostics say so.
"""

from __future__ import annotations

from trioflow.errors import DocumentError
from trioflow.formats.nodeeditor.document import looks_like_document
from trioflow.formats.nodeeditor.exporting import export_tree
from trioflow.formats.nodeeditor.importing import import_tree
from trioflow.formats.port import Diagnostic, Document, Format, Imported, ImportOptions, Severity
from trioflow.model import json_text
from trioflow.model.document import read_text
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry

__all__ = [
    "FORMAT",
    "Diagnostic",
    "Imported",
    "Severity",
    "dumps",
    "export_tree",
    "import_tree",
    "loads",
    "looks_like_document",
]


def loads(text: str, registry: Registry | None = None, *, source: str = "<string>") -> Imported:
    """The graph in the text of a document, as `import_tree` makes it. Raises `DocumentError` with every problem."""
    return import_tree(read_text(text, source=source), registry, source=source)


def dumps(graph: Graph, registry: Registry | None = None) -> str:
    """The graph as the text of a document, as `export_tree` makes it. Raises `DocumentError` with every problem."""
    tree = export_tree(graph, registry)
    try:
        return json_text.write(tree)
    except (TypeError, json_text.BadText) as error:
        raise DocumentError("<graph>", [f"{error}."]) from error


def _read(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    return import_tree(document.tree, registry, source=document.name)


FORMAT = Format(
    "nodeeditor", "NodeEditor.Net, versions 1 and 2", lambda each: looks_like_document(each.tree), _read, dumps
)
