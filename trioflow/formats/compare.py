"""What one graph says otherwise than another: for exports, which are tried by importing them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import attrs

from trioflow.formats.placeholder import KEY
from trioflow.model.graph import Connection, Graph, GraphNode
from trioflow.model.scope import FILE

_MOST_TEXT = 80
_WHOLE = (
    *("kind", "limit", "groups", "on_error", "keep_outputs", "undo_on", "undo_grace"),
    *("interface", "variables", "events", "policies", "metadata", "extra"),
)


def differences(wanted: Graph, got: Graph, path: str = "") -> Iterator[str]:
    """What the first graph says and the second does not, in sentences with their places; nothing if they are equal."""
    here = {node.id: node for node in got.nodes}
    for index, node in enumerate(wanted.nodes):
        place = f"{path}nodes[{index}]"
        if node.id not in here:
            yield f"{place}: node {node.id!r} ({node.type}) can't be said."
        else:
            yield from _of_nodes(node, here[node.id], place)
    ids = {node.id for node in wanted.nodes}
    for node in got.nodes:
        if node.id not in ids:
            yield f"{path}nodes: the document would have a node {node.id!r} ({node.type}) besides."
    if [node.id for node in wanted.nodes] != [node.id for node in got.nodes] and {*here} == ids:
        yield f"{path}nodes: their order can't be said."
    yield from _of_wires(wanted, got, path)
    for name in _WHOLE:
        if getattr(wanted, name) != getattr(got, name):
            yield f"{path}{name}: can't be said as it is."
    for name, inner in wanted.graphs.items():
        if name in got.graphs:
            yield from differences(inner, got.graphs[name], f"{path}graphs.{name}.")
        else:
            yield f"{path}graphs.{name}: a graph that no node of the format holds can't be said."


def _of_nodes(wanted: GraphNode, got: GraphNode, place: str) -> Iterator[str]:
    if wanted.type.startswith(FILE) and got.type.startswith(FILE):
        # Where a file is found, the place of the document says.
        got = attrs.evolve(got, type=wanted.type, metadata={**got.metadata, KEY: wanted.metadata.get(KEY)})
        wanted = attrs.evolve(wanted, metadata={KEY: None, **wanted.metadata})
    for field in attrs.fields(GraphNode):
        mine, theirs = getattr(wanted, field.name), getattr(got, field.name)
        if mine != theirs:
            text = repr(mine)
            short = text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"
            yield f"{place}.{field.name}: {short} of node {wanted.id!r} can't be said."


def _of_wires(wanted: Graph, got: Graph, path: str) -> Iterator[str]:
    def said(wire: Connection) -> str:
        more = ", ".join(f"{name} {value}" for name, value in (("on", wire.on), ("when", wire.when)) if value)
        return f"{wire} ({more}{'' if wire.enabled else ', off'}, priority {wire.priority})"

    mine, theirs = (Counter(map(said, graph.connections)) for graph in (wanted, got))
    for wire in mine - theirs:
        yield f"{path}connections: {wire} can't be said."
    for wire in theirs - mine:
        yield f"{path}connections: the document would have {wire} besides."
    if mine == theirs and [*map(said, wanted.connections)] != [*map(said, got.connections)]:
        yield f"{path}connections: their order can't be said."
