"""DOT, the language of Graphviz: bold arrows for control, dashed ones for data."""

from __future__ import annotations

from trioflow.formats._wires import Drawing, literals, visible
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry


def to_dot(graph: Graph, registry: Registry) -> str:
    """The graph in DOT. Never raises for what is wrong with it.

    Double ellipses: where runs start. Boxes: exec nodes. Ellipses: data nodes.
    """
    drawing = Drawing(graph, registry)
    lines = ["digraph trioflow {", "    rankdir=LR;", '    node [fontname="sans-serif"];']
    for place, node in enumerate(graph.nodes):
        shape = "box" if drawing.is_exec_node(node) else "ellipse"
        if drawing.is_start(node):
            shape = "ellipse, peripheries=2"
        lines.append(f"    n{place} [shape={shape}, label={_quote(node.id, node.type, *literals(node))}];")
    names = {node: f"n{place}" for node, place in drawing.place.items()}
    for place, missing in enumerate(drawing.missing_nodes()):
        names[missing] = f"missing{place}"
        lines.append(f"    missing{place} [shape=box, style=dotted, label={_quote(missing, 'not in the graph')}];")
    for wire in graph.connections:
        style = "bold" if drawing.is_exec(wire) else "dashed"
        sockets = f"taillabel={_quote(wire.source.socket)}, headlabel={_quote(wire.target.socket)}"
        lines.append(f"    {names[wire.source.node]} -> {names[wire.target.node]} [style={style}, {sockets}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quote(*lines: str) -> str:
    """A label of several lines. Graphviz reads HTML's entities and its own backslashes in labels."""
    escaped = (visible(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
