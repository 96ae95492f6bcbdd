"""Whether the body of a node type can run in another process (A9)."""

from __future__ import annotations

from trioflow.model.by_name import importable_name
from trioflow.model.node_type import FunctionBody, NodeType


def reason_to_stay(node_type: NodeType) -> str | None:
    """Why the body of a type can't run in another process; None if it can."""
    body = node_type.body
    if not isinstance(body, FunctionBody):
        return f"{node_type.id} is not a function: a class has an instance that lives here, a graph runs here"
    for parameter in body.parameters:
        if parameter.fill == "lazy":
            return f"input {parameter.name!r} is lazy: it is asked for here"
        if parameter.fill == "service":
            return f"parameter {parameter.name!r} is a service of the host, which is here"
    if importable_name(node_type) is None:
        return (
            f"{node_type.id} can't be imported by name. Put the function at the top of a module and decorate it with "
            "@data_node or @exec_node"
        )
    return None
