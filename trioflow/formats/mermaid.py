"""Mermaid flowcharts: thick arrows for control, dotted ones for data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trioflow.formats._wires import Drawing, facts, terms_of, tokens_at, undone_by, visible
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry
from trioflow.semantics.tracking import RunReport

# What ends a label or starts markup: Mermaid's own characters, HTML's, and what newer versions read as Markdown
# (emphasis, links, and at the start of a label also lists).
_STYLES = {
    "running": "stroke:#1f6fe0,stroke-width:3px",
    "completed": "stroke:#2a8f4b,stroke-width:3px",
    "failed": "stroke:#cc2b2b,stroke-width:3px",
    "skipped": "stroke:#b8860b,stroke-dasharray:6 3",
    "cancelled": "stroke:#8a5a9e,stroke-width:3px",
    "not_started": "opacity:0.5",
}
_SPECIAL = re.compile(r"""["#<>&;`\\*~$@]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.|^[-+](?= )|(?<=\d)[.)](?= )""")


def to_mermaid(graph: Graph, registry: Registry, *, fold: bool = False, report: RunReport | None = None) -> str:
    """The graph as a Mermaid flowchart, for a `mermaid` block in Markdown. Never raises for what is wrong with it.

    Rounded at both ends: where runs start, in a workflow the nodes that fire first. Boxes: exec nodes. Rounded boxes:
    data nodes. Subgraphs: graphs that it holds or calls, each once; not if folded. With the `report` of a run nodes say
    what they have done, and are of a class for that, such as `failed`; wires that were left out are dotted.
    """
    drawing = Drawing.of(graph, registry, fold=fold, report=report)
    classes = [] if report is None else [f"classDef {name} {style}" for name, style in _STYLES.items()]
    return "\n".join(["flowchart LR", *("    " + line for line in (*_drawn(drawing), *classes))]) + "\n"


def _drawn(drawing: Drawing) -> Iterator[str]:
    graph = drawing.graph
    for place, node in enumerate(graph.nodes):
        done = drawing.done(node.id)
        history = [] if done is None else [done.text]
        label = "<br/>".join(map(_escape, [node.id, node.type, *facts(node), *tokens_at(node), *history]))
        opening, closing = (
            ("([", "])") if drawing.is_start(node) else ("[", "]") if drawing.is_exec_node(node) else ("(", ")")
        )
        # Names of our own: Mermaid has reserved words and few characters for names, ids of nodes may hold anything.
        kind = "" if done is None else f":::{done.state.replace(' ', '_')}"
        yield f'{drawing.node_name(place)}{opening}"{label}"{closing}{kind}'
    names = {node: drawing.node_name(place) for node, place in drawing.place.items()}
    for place, missing in enumerate(drawing.missing_nodes()):
        names[missing] = drawing.missing_name(place)
        yield f'{names[missing]}{{{{"{_escape(missing)}<br/>not in the graph"}}}}'
    for wire in graph.connections:
        sockets = " → ".join(filter(None, [wire.source.socket, wire.target.socket]))
        label = "<br/>".join(_escape(line) for line in (sockets, terms_of(wire)) if line)
        arrow = "==>" if drawing.is_exec(wire) and drawing.was_taken(wire) is not False else "-.->"
        yield f'{names[wire.source.node]} {arrow}|"{label}"| {names[wire.target.node]}'
    for undone, undo in undone_by(graph):
        yield f'{names[undone]} -.-x|"undo"| {names[undo]}'
    for inner in (*drawing.held, *drawing.beside):
        yield f'subgraph {inner.name}["{_escape(inner.title)}"]'
        yield from ("    " + line for line in _drawn(inner))
        yield "end"


def _escape(text: str) -> str:
    """Mermaid's entity codes where a character would mean something."""
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", visible(text))
