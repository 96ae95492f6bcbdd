"""JSON Schemas of inputs, outputs and contexts, checked by `jsonschema`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

from trioflow.errors import MissingExtra
from trioflow.formats.serverless.problem import standard


def check_schema(schema: Any, value: Any, what: str) -> None:
    """Raise a `WorkflowError` of type validation for a value that a schema of the document does not allow.

    One that stands elsewhere (`resource`) and one in another format is not checked; the import says so.
    """
    document = cast("Mapping[str, Any]", schema).get("document") if isinstance(schema, Mapping) else None
    if not isinstance(document, Mapping | bool):
        return
    try:
        jsonschema: Any = importlib.import_module("jsonschema")
    except ImportError as error:
        raise MissingExtra("Serverless Workflow", "imports") from error
    written = cast("Any", document)
    try:
        kind: Any = jsonschema.validators.validator_for(written, default=jsonschema.Draft202012Validator)
        kind.check_schema(written)
        # Nothing is fetched: a schema that refers to another document is an error of the configuration.
        errors = sorted(kind(written).iter_errors(value), key=lambda each: [str(step) for step in each.absolute_path])
    except jsonschema.SchemaError as error:
        raise standard("configuration", f"The schema of the {what} is none: {error.message}.") from None
    except Exception as error:
        raise standard("configuration", f"The schema of the {what} can't be used: {error}.") from None
    if errors:
        said = "; ".join(f"/{'/'.join(map(str, each.absolute_path))}: {each.message}" for each in errors[:5])
        raise standard("validation", f"The {what} does not fit its schema: {said}.")
