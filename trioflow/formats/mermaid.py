"""Mermaid flowcharts: thick arrows for control, dotted ones for data."""

from __future__ import annotations

from trioflow.formats._wires import Drawing, literals
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry


def to_mermaid(graph: Graph, registry: Registry) -> str:
    """The graph as a Mermaid flowchart, for a ``mermaid`` block in Markdown. Never raises for what is wrong with it."""
    drawing = Drawing(graph, registry)
    # Ids of Mermaid are numbers of ours: its words are reserved, and ours may hold anything.
    names = {node.id: f"n{place}" for place, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        label = "<br/>".join(map(_escape, [node.id, node.type, *literals(node)]))
        opening, closing = (
            ("([", "])") if drawing.is_start(node) else ("[", "]") if drawing.is_exec_node(node) else ("(", ")")
        )
        lines.append(f'    {names[node.id]}{opening}"{label}"{closing}')
    for place, unknown in enumerate(drawing.unknown_nodes()):
        names[unknown] = f"u{place}"
        lines.append(f'    u{place}["{_escape(unknown)}<br/>(not in the graph)"]')
    for wire in graph.connections:
        source, target = names[wire.source.node], names[wire.target.node]
        label = _escape(f"{wire.source.socket} → {wire.target.socket}")
        arrow = "==>" if drawing.is_exec(wire) else "-.->"
        lines.append(f'    {source} {arrow}|"{label}"| {target}')
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    """Mermaid's entity codes, for whatever would end a label or start markup."""
    escaped = "".join(f"#{ord(char)};" if char in '"#<>&;`\\' else char for char in text)
    return escaped.replace("\n", " ")
