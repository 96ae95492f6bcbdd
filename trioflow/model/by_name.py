"""Node types by name: how they are pickled and named for other processes. Code is never shipped by value (A9)."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

from trioflow.errors import NodeDefinitionError


def importable_name(node_type: Any) -> str | None:
    """Where whoever imports the code finds this type, `module:name`; None if it can't be found by name."""
    owner = node_type.body if isinstance(node_type.body, type) else getattr(node_type.body, "function", None)
    module, name = getattr(owner, "__module__", None), getattr(owner, "__qualname__", None)
    if owner is None or module is None or name is None or "<" in name:
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is owner or getattr(found, "type", None) is node_type else None


def importable(package: str) -> bool:
    """Whether a package of the top level is installed. Nothing is imported."""
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # it hides itself
        return False


def by_name(name: str, type_id: str) -> Any:
    """The node type with this `module:name`. Raises `NodeDefinitionError` if it is not there any more."""
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise NodeDefinitionError(
            f"Node type {type_id!r} is in module {module!r}, which can't be imported here ({error}). Install the code "
            "that the graph was made with."
        ) from error
    for part in path.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise NodeDefinitionError(
            f"Node type {type_id!r} was at {name}, but there is nothing there. Install the version of the code that "
            "the graph was made with."
        )
    return found
