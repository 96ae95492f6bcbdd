"""Documents of BPMN 2.0, the executable subset: import to workflows, and export.

`document.py` reads the elements, `expressions.py`, `cel.py` and `scripting.py` what is written inside of them.
`importing.py` makes the graph, of the nodes in `nodes.py`, which speak with one another over `bus.py`: `elements.py`
says what an element becomes, `starts.py` where tokens begin, `flows.py` where they go, `stuck.py` where they can't.
`exporting.py` makes documents of graphs, by `writing.py`, and `diagram.py` says where elements are drawn.
"""

from __future__ import annotations

from trioflow.formats.bpmn.document import looks_like_document
from trioflow.formats.port import Document, Format, Imported, ImportOptions, document_in
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry

__all__ = ["FORMAT", "dumps", "loads"]


def loads(text: str, *, source: str = "<string>") -> Imported:
    """The workflow in the text of a document. Raises `DocumentError` for what is no BPMN 2.0."""
    return _read(document_in(text, name=source, syntax="xml"), Registry.standard(), ImportOptions())


def dumps(graph: Graph) -> str:
    """The document of BPMN that says a workflow, with a place for each element.

    A graph that was imported gives the document that it came from, with what has been changed since. Raises
    `DocumentError` with everything that BPMN can't say.
    """
    return _write(graph, Registry.standard())


def _detect(document: Document) -> bool:
    return document.syntax == "xml" and looks_like_document(document.root)


def _read(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    from trioflow.formats.bpmn.importing import Importer  # noqa: PLC0415 - its nodes are imported without it

    assert document.root is not None
    return Importer.of(document.text, document.name, document.root).imported()


def _write(graph: Graph, registry: Registry) -> str:
    from trioflow.formats.bpmn.exporting import export_text  # noqa: PLC0415 - its nodes are imported without it

    return export_text(graph, registry)


FORMAT = Format("bpmn", "BPMN 2.0, executable subset", _detect, _read, _write)
