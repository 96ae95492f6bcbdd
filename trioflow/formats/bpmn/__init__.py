"""Documents of BPMN 2.0, the executable subset: import to workflows.

`document.py` reads the elements, `expressions.py`, `cel.py` and `scripting.py` what is written inside of them.
`importing.py` makes the graph, of the nodes in `nodes.py`, which speak with one another over `bus.py`.
"""

from __future__ import annotations

from trioflow.formats.bpmn.document import looks_like_document
from trioflow.formats.bpmn.importing import import_definitions
from trioflow.formats.port import Document, Format, Imported, ImportOptions, document_in
from trioflow.model.registry import Registry

__all__ = ["FORMAT", "loads"]


def loads(text: str, *, source: str = "<string>") -> Imported:
    """The workflow in the text of a document. Raises `DocumentError` for what is no BPMN 2.0."""
    return _read(document_in(text, name=source, syntax="xml"), Registry.standard(), ImportOptions())


def _detect(document: Document) -> bool:
    return document.syntax == "xml" and looks_like_document(document.root)


def _read(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    assert document.root is not None
    return import_definitions(document.root, document.name)


FORMAT = Format("bpmn", "BPMN 2.0, executable subset", _detect, _read)
