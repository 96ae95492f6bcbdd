"""JSON Schemas of inputs, outputs and contexts. References lead only into the schema itself; nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from trioflow.formats.serverless.problem import standard
from trioflow.nodes.json_schema import checker

_NODE = "serverless.workflow"


def problem_of(document: Any) -> str:
    """What is wrong with a JSON Schema; empty if nothing is."""
    try:
        checker(_NODE, document)
    except ValueError as error:
        return str(error).removeprefix(f"{_NODE}: ")
    return ""


def check_schema(schema: Any, value: Any, what: str) -> None:
    """Raise a `WorkflowError` of type validation for a value that a schema of the document does not allow.

    One that stands elsewhere (`resource`) and one in another format is not checked; the import says so.
    """
    document = cast("Mapping[str, Any]", schema).get("document") if isinstance(schema, Mapping) else None
    if not isinstance(document, Mapping | bool):
        return
    try:
        problems = checker(_NODE, document)(value)
    except ValueError as error:
        said = str(error).removeprefix(f"{_NODE}: ")
        raise standard("configuration", f"The schema of the {what} can't be used: {said}") from None
    if problems:
        raise standard("validation", f"The {what} does not fit its schema: {'; '.join(problems[:5])}.")
