"""An outline to read: each node with its literals, where its data comes from, and where control goes."""

from __future__ import annotations

from trioflow.formats._wires import Drawing, literals
from trioflow.model.graph import Connection, Graph
from trioflow.model.registry import Registry


def to_text(graph: Graph, registry: Registry) -> str:
    """The graph as an outline. Never raises for what is wrong with it."""
    drawing = Drawing(graph, registry)
    incoming: dict[str, list[Connection]] = {}
    outgoing: dict[str, list[Connection]] = {}
    for wire in graph.connections:
        if drawing.is_exec(wire):
            outgoing.setdefault(wire.source.node, []).append(wire)
        else:
            incoming.setdefault(wire.target.node, []).append(wire)
    lines = [
        *(f"variable {each.name}: {each.type} = {each.default!r} (merge: {each.merge})" for each in graph.variables),
        *(f"event {each.name}" for each in graph.events),
    ]
    for node in graph.nodes:
        mark = "* " if drawing.is_start(node) else ""
        lines.append(f"{mark}{node.id} ({node.type})")
        lines += [f"    {literal}" for literal in literals(node)]
        lines += [f"    {wire.target.socket} <- {wire.source}" for wire in incoming.get(node.id, ())]
        lines += [f"    {wire.source.socket} => {wire.target}" for wire in outgoing.get(node.id, ())]
    return "\n".join(lines) + "\n"
