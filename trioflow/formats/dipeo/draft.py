"""The workflow of a diagram while it is made: its nodes, its wires, and what has become of each node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from trioflow.formats.dipeo.circles import circles
from trioflow.formats.dipeo.diagram import Arrow, Diagram, Node
from trioflow.formats.dipeo.expressions import Code
from trioflow.formats.port import Document, Notes
from trioflow.model.graph import Connection, Endpoint, GraphNode, Variable

KEY = "dipeo"
"""The key in metadata of what an import keeps for an export."""
CONVERSATION = "conversation"
"""The variable that holds what persons have said."""
_MADE = {KEY: {"made": True}}


@attrs.define
class Made:
    """What has become of a node: where it is entered and left, and where what it gives is found."""

    enter: str
    exit: Endpoint
    value: Endpoint | None
    turns: int = 0
    """How many turns it has in a circle: after them what comes passes by it. 0 for any number."""
    when: dict[str, str] = attrs.Factory(dict[str, str])


class Draft:
    """A workflow while it is made of a diagram."""

    def __init__(self, document: Document, diagram: Diagram, notes: Notes, *, called: bool) -> None:
        self.document, self.diagram, self.notes = document, diagram, notes
        self.nodes: list[GraphNode] = []
        self.place: dict[str, int] = {}
        self.connections: list[Connection] = []
        self.variables: dict[str, Variable] = {}
        self.made: dict[str, Made] = {}
        self.by_label = {node.label: node for node in diagram.nodes}
        self.incoming: dict[str, list[Arrow]] = {}
        for arrow in diagram.arrows:
            self.incoming.setdefault(arrow.target, []).append(arrow)
        self.circle = circles(diagram)
        self.code = {node.label: code_of(node) for node in diagram.nodes if node.type == "code_job"}
        self.said: dict[str, list[str]] = {}
        self.executed: dict[str, str] = {}
        self.is_called = called
        self.remembering: set[str] = set()
        self.making = ""
        self.clashes: dict[str, None] = {}

    def labels(self, node: Node) -> set[str]:
        return {arrow.label or "default" for arrow in self.incoming.get(node.label, ())}

    def mark_executed(self, label: str) -> None:
        self.evolve(label, set={**self.at(label).set, self.executed[label]: "true"})

    def plain(self, label: str, value: str = "result") -> Made:
        return Made(label, Endpoint(label, "then"), Endpoint(label, value))

    def link(self, source: Endpoint, target: str, *, when: str | None = None) -> None:
        self.connections.append(Connection(source, Endpoint(target, "enter"), when=when))

    def then(self, after: Endpoint, node: GraphNode) -> Endpoint:
        self.add(node)
        self.link(after, node.id)
        return Endpoint(node.id, "then")

    def wire(self, source: str, output: str, target: str, input_: str) -> None:
        self.connections.append(Connection(Endpoint(source, output), Endpoint(target, input_)))

    def helper(self, node_id: str, type_id: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> str:
        self.add(GraphNode(node_id, type_id, inputs or {}, metadata=_MADE, **more))
        return node_id

    def add(self, node: GraphNode) -> None:
        """Add a node; one beside another, which is made by the import, says so."""
        if node.id not in self.by_label and KEY not in node.metadata:
            node = attrs.evolve(node, metadata={**node.metadata, **_MADE})
        elif node.id in self.by_label and node.id != self.making:
            self.clashes[node.id] = None
        self.place[node.id] = len(self.nodes)
        self.nodes.append(node)
        if node.id in self.executed:
            self.mark_executed(node.id)

    def at(self, node_id: str) -> GraphNode:
        return self.nodes[self.place[node_id]]

    def evolve(self, node_id: str, **changes: Any) -> None:
        self.nodes[self.place[node_id]] = attrs.evolve(self.at(node_id), **changes)

    def once(self, message: str, path: str) -> None:
        self.said.setdefault(f"{message[:1].upper()}{message[1:]}", []).append(path)


def code_of(node: Node) -> Code:
    """The Python code of a node; that of others is empty."""
    text = node.props.get("code")
    return Code(text if isinstance(text, str) and node.props.get("language", "python") in ("python", None) else "")
