"""Diagrams of DiPeO in their three forms: import to workflows, and export of the light form where nothing gets lost.

`forms.py` reads each form into a `Diagram` (`diagram.py`), so that the same diagram becomes the same graph whichever
form it is written in. `importing.py` tells how a workflow is made of it: `persons.py`, `conditions.py`, `jobs.py`,
`files.py` and `sub_diagrams.py` make nodes of their types in a `Draft` (`draft.py`), `inputs.py` finds what arrows
bring them. `expressions.py` reads conditions and code, `schemas.py` what replies have to look like.
"""

from __future__ import annotations

from trioflow.formats.dipeo.draft import KEY
from trioflow.formats.dipeo.exporting import export_light
from trioflow.formats.dipeo.forms import form_of
from trioflow.formats.dipeo.importing import import_diagram
from trioflow.formats.port import Document, Format

__all__ = ["FORMAT", "KEY", "export_light", "import_diagram"]


def _looks_like(document: Document) -> bool:
    return form_of(document) is not None


FORMAT = Format("dipeo", "DiPeO, diagrams: light, native and readable", _looks_like, import_diagram, export_light)
