"""Scopes: which node type an id means inside a graph.

Before what a registry has come the boundary nodes, graphs of the same document (`graph:NAME`: visible in the graph that
holds them and below), graphs in files (`file:PATH`) and types that were given as Python objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import attrs

from trioflow.errors import NodeDefinitionError, NodePackageError
from trioflow.model.composition import ENTER, LEAVE, Boundary, GraphBody, boundary_type, graph_node
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, Interface
from trioflow.model.node_type import NodeType
from trioflow.model.registry import Registry
from trioflow.model.values import NO_VALUES
from trioflow.model.wire_data import with_data

GRAPH = "graph:"
FILE = "file:"


@attrs.define(eq=False)
class _Shared:
    """What the scopes of one root share: each graph is one node type and has one scope, whoever calls it (C1)."""

    scopes: dict[NodeType, Scope] = attrs.Factory(dict)
    # By identity of the graph in the file, which the scope keeps alive.
    files: dict[int, NodeType] = attrs.Factory(dict)


class Scope:
    """A graph, and what type ids mean in it.

    `name` is what to call it; `prefix` comes before paths in it, so that they lead there from the outermost graph.
    """

    def __init__(
        self,
        graph: Graph,
        registry: Registry,
        *,
        outer: Scope | None = None,
        name: str = "this graph",
        prefix: str = "",
        shared: _Shared | None = None,
    ) -> None:
        self._given = graph
        self._completed: Graph | None = None
        self.registry = registry
        self.name = name
        self.prefix = prefix
        self._outer = outer
        self._shared = shared if shared is not None else _Shared()
        self._own: dict[str, NodeType] = {}
        self._configured: dict[tuple[str, str], NodeType] = {}
        if shared is None:
            self._shared.files[id(graph)] = root = graph_node(graph, id="this graph")
            self._shared.scopes[root] = self

    @property
    def given(self) -> Graph:
        """The graph as it was given."""
        return self._given

    @property
    def graph(self) -> Graph:
        """The graph, with the exec sockets that its wires need not name, and with what they say about data."""
        if self._completed is None:
            graph = with_sockets(self._with_beside(), self._type_quietly)
            self._completed, made = with_data(graph, self._type_quietly, self.registry.transforms)
            self._own |= made
        return self._completed

    def _with_beside(self) -> Graph:
        """The graph with the nodes that stand beside those that are configured (M2)."""
        nodes: list[GraphNode] = []
        wires: list[Connection] = []
        for node in self._given.nodes:
            node_type = self._type_quietly(node) if node.config else None
            for name, beside in (node_type.beside if node_type is not None else NO_VALUES).items():
                added = f"{node.id}:{name}"
                nodes.append(GraphNode(added, beside.type.id))
                wires += [Connection(Endpoint(node.id, a), Endpoint(added, b)) for a, b in beside.inward.items()]
                wires += [Connection(Endpoint(added, a), Endpoint(node.id, b)) for a, b in beside.outward.items()]
        if not nodes:
            return self._given
        given = self._given
        return attrs.evolve(given, nodes=(*given.nodes, *nodes), connections=(*given.connections, *wires))

    def _type_quietly(self, node: GraphNode) -> NodeType | None:
        try:
            return self.type_of(node)
        except (NodePackageError, NodeDefinitionError):
            return None  # reported with the node

    def type_of(self, node: GraphNode) -> NodeType | None:
        """The type of a node, with the sockets that its configuration gives it (M2); None if there is no such type.

        Raises `NodePackageError`, and `NodeDefinitionError` for a configuration that is wrong.
        """
        found = self.find(node.type)
        if found is None or not node.config:
            return found
        key = (node.type, config_key(node))
        known = self._configured.get(key)
        if known is None:
            known = self._configured[key] = found.configured(node.config, self.find)
        return known

    def find(self, type_id: str) -> NodeType | None:
        """The node type with this id, or None. Raises `NodePackageError`."""
        known = self._own.get(type_id)
        if known is None:
            known = self._look_up(type_id)
            if known is not None:
                self._own[type_id] = known
        return known

    def callee(self, node_type: NodeType) -> Scope | None:
        """The scope inside of a graph that is a node type; None if the type is not a graph."""
        if not isinstance(node_type.body, GraphBody):
            return None
        scopes = self._shared.scopes
        if node_type not in scopes:  # it was given as a Python object
            scopes[node_type] = self._inner(node_type.body.graph, node_type.id)
        return scopes[node_type]

    def nested(self) -> Iterator[Scope]:
        """The scopes of the graphs that this one holds, in the order of the document, called or not."""
        for name in self._given.graphs:
            found = self.find(GRAPH + name)
            assert found is not None
            inner = self.callee(found)
            assert inner is not None
            yield inner

    def names(self) -> list[str]:
        """The ids of the graphs of the document that are visible here, and of the types given as Python objects."""
        found: dict[str, None] = {}
        scope: Scope | None = self
        while scope is not None:
            found |= dict.fromkeys([*(GRAPH + name for name in scope._given.graphs), *scope._given.types])
            scope = scope._outer
        return [*found, *([ENTER, LEAVE] if self._given.interface is not None else [])]

    def _look_up(self, type_id: str) -> NodeType | None:
        if type_id in {ENTER, LEAVE}:
            return boundary_type(self._given.interface or Interface(), Boundary(type_id))
        if type_id.startswith(FILE):
            return self._in_file(type_id.removeprefix(FILE))
        found = self._declared(type_id)
        if found is not None:
            return found
        return self._outer.find(type_id) if self._outer is not None else self.registry.find(type_id)

    def _declared(self, type_id: str) -> NodeType | None:
        name = type_id.removeprefix(GRAPH)
        graph = self._given.graphs.get(name) if type_id.startswith(GRAPH) else None
        if graph is None:
            return self._given.types.get(type_id)
        node_type = graph_node(graph, id=type_id)
        step = f".{name}" if name.isidentifier() else f"[{json.dumps(name, ensure_ascii=False)}]"
        self._shared.scopes[node_type] = Scope(
            graph, self.registry, outer=self, name=name, prefix=f"{self.prefix}graphs{step}.", shared=self._shared
        )
        return node_type

    def _in_file(self, path: str) -> NodeType | None:
        graph = self._given.files.get(path)
        if not isinstance(graph, Graph):
            return None
        node_type = self._shared.files.get(id(graph))
        if node_type is None:
            node_type = self._shared.files[id(graph)] = graph_node(graph, id=FILE + path)
            self._shared.scopes[node_type] = self._inner(graph, path)
        return node_type

    def _inner(self, graph: Graph, name: str) -> Scope:
        return Scope(graph, self.registry, name=name, prefix=f"{name}: ", shared=self._shared)


def config_key(node: GraphNode) -> str:
    """The configuration of a node as a text, to tell it from others; empty if there is none."""
    return json.dumps(dict(node.config), sort_keys=True, default=repr) if node.config else ""


def with_sockets(graph: Graph, type_of: Callable[[GraphNode], NodeType | None]) -> Graph:
    """The graph with the exec sockets filled in that endpoints leave out, where a node has only one on that side.

    A wire that is taken however its source has ended needs none there.
    """
    if all(wire.source.socket and wire.target.socket for wire in graph.connections):
        return graph
    nodes = {node.id: node for node in graph.nodes}

    def completed(end: Endpoint, *, outgoing: bool) -> Endpoint:
        node_type = type_of(nodes[end.node]) if not end.socket and end.node in nodes else None
        if node_type is None:
            return end
        sockets = node_type.own_exec_outputs if outgoing else node_type.exec_inputs
        return Endpoint(end.node, sockets[0].name) if len(sockets) == 1 else end

    wires: list[Connection] = []
    for wire in graph.connections:
        target = completed(wire.target, outgoing=False)
        source = completed(wire.source, outgoing=True) if "completed" in wire.outcomes else wire.source
        wires.append(attrs.evolve(wire, source=source, target=target))
    return attrs.evolve(graph, connections=tuple(wires))
