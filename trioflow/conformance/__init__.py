"""The conformance kit: checks an engine, this one or a port in another language, against the rules.

The contract between kit and port is `spec/INTERPRETING.md`. Needs the extra `testing`. `check_node_type` checks a node
type of your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trioflow.errors import MissingExtra

if TYPE_CHECKING:
    from trioflow.conformance.node_types import NodeTypeFault, NodeTypeFinding, check_node_type

__all__ = ["NodeTypeFault", "NodeTypeFinding", "check_node_type"]


def __getattr__(name: str) -> Any:
    """Import when asked for: parts of the kit do without Hypothesis, and it takes long to import."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from trioflow.conformance import node_types  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in {"hypothesis", "pytest", "pytest_trio"}:
            raise
        raise MissingExtra(f"trioflow.conformance.{name}", "testing") from error

    return getattr(node_types, name)
