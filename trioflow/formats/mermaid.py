"""Mermaid flowcharts: thick arrows for control, dotted ones for data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trioflow.formats._wires import Drawing, facts, terms_of, tokens_at, undone_by, visible
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry

# What ends a label or starts markup: Mermaid's own characters, HTML's, and what newer versions read as Markdown
# (emphasis, links, and at the start of a label also lists).
_SPECIAL = re.compile(r"""["#<>&;`\\*~$@]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.|^[-+](?= )|(?<=\d)[.)](?= )""")


def to_mermaid(graph: Graph, registry: Registry, *, fold: bool = False) -> str:
    """The graph as a Mermaid flowchart, for a `mermaid` block in Markdown. Never raises for what is wrong with it.

    Rounded at both ends: where runs start, in a workflow the nodes that fire first. Boxes: exec nodes. Rounded boxes:
    data nodes. Subgraphs: graphs that it holds or calls, each once; not if folded.
    """
    drawing = Drawing.of(graph, registry, fold=fold)
    return "\n".join(["flowchart LR", *("    " + line for line in _drawn(drawing))]) + "\n"


def _drawn(drawing: Drawing) -> Iterator[str]:
    graph = drawing.graph
    for place, node in enumerate(graph.nodes):
        label = "<br/>".join(map(_escape, [node.id, node.type, *facts(node), *tokens_at(node)]))
        opening, closing = (
            ("([", "])") if drawing.is_start(node) else ("[", "]") if drawing.is_exec_node(node) else ("(", ")")
        )
        # Names of our own: Mermaid has reserved words and few characters for names, ids of nodes may hold anything.
        yield f'{drawing.node_name(place)}{opening}"{label}"{closing}'
    names = {node: drawing.node_name(place) for node, place in drawing.place.items()}
    for place, missing in enumerate(drawing.missing_nodes()):
        names[missing] = drawing.missing_name(place)
        yield f'{names[missing]}{{{{"{_escape(missing)}<br/>not in the graph"}}}}'
    for wire in graph.connections:
        sockets = " → ".join(filter(None, [wire.source.socket, wire.target.socket]))
        label = "<br/>".join(_escape(line) for line in (sockets, terms_of(wire)) if line)
        arrow = "==>" if drawing.is_exec(wire) else "-.->"
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
