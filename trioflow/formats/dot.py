"""DOT, the language of Graphviz: bold arrows for control, dashed ones for data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trioflow.formats._wires import Drawing, facts, terms_of, tokens_at, undone_by, visible
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry
from trioflow.semantics.tracking import NodeState, RunReport


def to_dot(graph: Graph, registry: Registry, *, fold: bool = False, report: RunReport | None = None) -> str:
    """The graph in DOT. Never raises for what is wrong with it.

    Double ellipses: where runs start. Boxes: exec nodes. Ellipses: data nodes. Clusters: graphs that it holds or calls,
    each once; not if folded. With the `report` of a run nodes say what they have done, and are green if they have
    completed, red if they have failed, blue while they run; what has not been reached is grey.
    """
    drawing = Drawing.of(graph, registry, fold=fold, report=report)
    lines = ["digraph trioflow {", "    rankdir=LR;", '    node [fontname="sans-serif"];']
    lines += ("    " + line for line in _drawn(drawing))
    return "\n".join([*lines, "}"]) + "\n"


_COLOURS: Mapping[NodeState, str] = {
    "running": "blue", "completed": "darkgreen", "failed": "red", "skipped": "orange", "cancelled": "purple",
    "not started": "grey",
}  # fmt: skip


def _drawn(drawing: Drawing) -> Iterator[str]:
    graph = drawing.graph
    for place, node in enumerate(graph.nodes):
        shape = "box" if drawing.is_exec_node(node) else "ellipse"
        if drawing.is_start(node):
            shape = "ellipse, peripheries=2"
        done = drawing.done(node.id)
        history = [] if done is None else [done.text]
        colour = "" if done is None else f", color={_COLOURS[done.state]}"
        label = _quote(node.id, node.type, *facts(node), *tokens_at(node), *history)
        yield f"{drawing.node_name(place)} [shape={shape}, label={label}{colour}];"
    names = {node: drawing.node_name(place) for node, place in drawing.place.items()}
    for place, missing in enumerate(drawing.missing_nodes()):
        names[missing] = drawing.missing_name(place)
        yield f"{names[missing]} [shape=box, style=dotted, label={_quote(missing, 'not in the graph')}];"
    for wire in graph.connections:
        style = "bold" if drawing.is_exec(wire) else "dashed"
        sockets = f"taillabel={_quote(wire.source.socket)}, headlabel={_quote(wire.target.socket)}"
        if terms_of(wire):
            sockets += f", label={_quote(terms_of(wire))}"
        if drawing.was_taken(wire) is False:
            sockets += ", color=grey"
        yield f"{names[wire.source.node]} -> {names[wire.target.node]} [style={style}, {sockets}];"
    for undone, undo in undone_by(graph):
        yield f'{names[undone]} -> {names[undo]} [style=dotted, arrowhead=tee, label="undo"];'
    for inner in (*drawing.held, *drawing.beside):
        yield f"subgraph cluster_{inner.name} {{"
        yield f"    label={_quote(inner.title)};"
        yield from ("    " + line for line in _drawn(inner))
        yield "}"


def _quote(*lines: str) -> str:
    """A label of several lines. Graphviz reads HTML's entities and its own backslashes in labels."""
    escaped = (visible(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
