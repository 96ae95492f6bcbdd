"""DOT, the language of Graphviz: bold arrows for control, dashed ones for data."""

from __future__ import annotations

from trioflow.formats._wires import Drawing, literals
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry


def to_dot(graph: Graph, registry: Registry) -> str:
    """The graph in DOT. Never raises for what is wrong with it."""
    drawing = Drawing(graph, registry)
    lines = ["digraph trioflow {", "    rankdir=LR;", '    node [fontname="sans-serif"];']
    for node in graph.nodes:
        shape = "ellipse" if drawing.is_start(node) else "box" if drawing.is_exec_node(node) else "plaintext"
        label = "\n".join([node.id, node.type, *literals(node)])
        lines.append(f"    {_quote(node.id)} [shape={shape}, label={_quote(label)}];")
    for unknown in drawing.unknown_nodes():
        text = _quote(unknown + "\n(not in the graph)")
        lines.append(f"    {_quote(unknown)} [shape=box, style=dotted, label={text}];")
    for wire in graph.connections:
        style = "bold" if drawing.is_exec(wire) else "dashed"
        ends = f"{_quote(wire.source.node)} -> {_quote(wire.target.node)}"
        sockets = f"taillabel={_quote(wire.source.socket)}, headlabel={_quote(wire.target.socket)}"
        lines.append(f"    {ends} [style={style}, {sockets}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
