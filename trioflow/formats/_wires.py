"""What all drawings ask of a graph: which wires carry control, where runs start. Works for graphs with errors too."""

from __future__ import annotations

from trioflow.errors import RegistryError
from trioflow.model.graph import Connection, Graph, GraphNode
from trioflow.model.node_type import NodeType
from trioflow.model.registry import Registry


class Drawing:
    """A graph with the node types that could be found."""

    def __init__(self, graph: Graph, registry: Registry) -> None:
        self.graph = graph
        self._types: dict[str, NodeType | None] = {}
        for node in graph.nodes:
            if node.type not in self._types:
                self._types[node.type] = graph.types.get(node.type) or _find(registry, node.type)
        self._type_of = {node.id: self._types[node.type] for node in graph.nodes}

    def is_exec(self, connection: Connection) -> bool:
        """Whether a wire carries control, as far as can be told from either end."""
        source = self._type_of.get(connection.source.node)
        if source is not None:
            return connection.source.socket in source.exec_output_index
        target = self._type_of.get(connection.target.node)
        return target is not None and any(each.name == connection.target.socket for each in target.exec_inputs)

    def is_start(self, node: GraphNode) -> bool:
        """Whether runs start at the node, or events do."""
        node_type = self._type_of[node.id]
        if node_type is None:
            return bool(node.initiator)
        return node_type.listens is not None or (node_type.initiator if node.initiator is None else node.initiator)

    def is_exec_node(self, node: GraphNode) -> bool:
        """Whether the node acts; unknown types are taken to."""
        node_type = self._type_of[node.id]
        return node_type is None or node_type.is_exec

    def unknown_nodes(self) -> list[str]:
        """Ids that connections name and the graph does not have."""
        ends = [end.node for wire in self.graph.connections for end in (wire.source, wire.target)]
        return sorted({node for node in ends if node not in self._type_of})


def _find(registry: Registry, type_id: str) -> NodeType | None:
    try:
        return registry.find(type_id)
    except RegistryError:
        return None


def literals(node: GraphNode) -> list[str]:
    """A node's literals as short texts."""
    texts: list[str] = []
    for name, value in node.inputs.items():
        text = repr(value)
        texts.append(f"{name} = {text if len(text) <= 40 else text[:37] + '...'}")
    return texts
