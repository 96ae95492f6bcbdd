"""Workflow definitions of ExecutionEngine, in JSON and YAML: import to workflows, and export where nothing gets lost.

`importing.py` tells how a workflow is made: `reading.py` reads nodes and connections, `code.py`, `control.py` and
`subflow.py` make nodes of their types, `inputs.py` and `wires.py` connect them, `expressions.py` puts conditions into
CEL, `policies.py` knows retries and breakers.
"""

from __future__ import annotations

from trioflow.formats.executionengine.exporting import export_yaml
from trioflow.formats.executionengine.importing import import_definition
from trioflow.formats.executionengine.level import KEY
from trioflow.formats.port import Document, Format

__all__ = ["FORMAT", "KEY", "export_yaml", "import_definition"]


def _looks_like(document: Document) -> bool:
    keys = {key.lower().replace("_", "") for key in document.top}
    return "workflowid" in keys or ("nodes" in keys and bool(keys & {"workflowname", "entrypointnodeid"}))


FORMAT = Format("executionengine", "ExecutionEngine, workflow definitions", _looks_like, import_definition, export_yaml)
