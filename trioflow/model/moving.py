"""Whether the body of a node type can run in another process (A9)."""

from __future__ import annotations

from trioflow.model.by_name import importable_name
from trioflow.model.composition import GraphBody
from trioflow.model.graph import Graph, as_graph
from trioflow.model.node_type import FunctionBody, NodeType


def reason_to_stay(node_type: NodeType) -> str | None:
    """Why the body of a type can't run in another process; None if it can."""
    body = node_type.body
    if isinstance(body, GraphBody):
        return _reason_of_graph(node_type, as_graph(body.graph))
    if not isinstance(body, FunctionBody):
        return f"{node_type.id} is not a function: a class has an instance that lives here"
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


def _reason_of_graph(node_type: NodeType, graph: Graph) -> str | None:
    """A call moves as a whole if all that it has to do with the graph around is what comes in and what goes out."""
    if not node_type.is_exec:
        return f"{node_type.id} is a data graph, which asks for its inputs here. Give it an entry, or move nodes in it"
    assert graph.interface is not None
    for each in graph.interface.inputs:
        if each.lazy:
            return f"input {each.name!r} is lazy: it is asked for here"
    for way_out in graph.interface.exits:
        if way_out.callback:
            return f"exit {way_out.name!r} goes out and comes back in the midst of the call"
    for event in graph.events:
        if event.shared:
            return f"event {event.name!r} is shared with the graph around, which is here"
    return None
