"""The graph of a workflow, or of a container in one, while it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from trioflow.formats.executionengine.definition import Node, Wire
from trioflow.formats.fields import Fields
from trioflow.formats.port import Document, ImportOptions, Notes
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode

KEY = "executionengine"
"""The key in metadata of what an import keeps for an export."""


@attrs.frozen
class Context:
    """The document that is read, where problems are noted, and how it is read."""

    document: Document
    notes: Notes
    options: ImportOptions


class Level:
    """The nodes and connections of a workflow, or of a container in one."""

    def __init__(
        self,
        context: Context,
        prefix: str,
        fields: Fields,
        nodes: str,
        connections: str,
        *,
        variables: dict[str, Any],
        inherited: frozenset[str],
    ) -> None:
        self.context, self.notes, self.prefix, self.fields = context, context.notes, prefix, fields
        self.nodes_key, self.connections_key = nodes, connections
        self.variables = dict(variables)
        self.inherited = inherited
        self.nodes: dict[str, Node] = {}
        self.wires: list[Wire] = []
        self.dropped: list[Any] = []
        self.written: list[tuple[tuple[str, ...], str, str]] = []
        """What workflows called in here leave in variables: the nodes down to one, its key, the variable."""
        self.ids: set[str] = set()
        self.made: list[GraphNode] = []
        self.helpers: list[GraphNode] = []
        self.connections: list[Connection] = []
        self.graphs: dict[str, Graph] = {}
        self.incoming: dict[str, list[Wire]] = {}
        self.outgoing: dict[str, list[Wire]] = {}
        self.undoing: set[str] = set()
        self.standby: set[str] = set()
        self.enter: Endpoint | None = None
        self.entries: set[str] = set()
        self.chained = False
        """Whether the nodes follow one another in the order of the document, without connections."""
        self.notes_once: dict[str, list[tuple[str, str]]] = {}

    @property
    def kept(self) -> dict[str, Any]:
        """What the graph does not say of the connections, for an export."""
        kept: dict[str, Any] = {"connections": [wire.raw for wire in self.wires]}
        return kept | ({"dropped": self.dropped} if self.dropped else {})

    def helper(self, stem: str, type_id: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> str:
        node_id = self.free(stem)
        self.helpers.append(GraphNode(node_id, type_id, inputs or {}, metadata={KEY: {"made": True}}, **more))
        return node_id

    def free(self, stem: str) -> str:
        name, number = stem, 1
        while name in self.ids or name in self.nodes:
            number += 1
            name = f"{stem} {number}"
        self.ids.add(name)
        return name

    def once(self, code: str, path: str, message: str) -> None:
        self.notes_once.setdefault(code, []).append((path, f"{message[:1].upper()}{message[1:]}"))
