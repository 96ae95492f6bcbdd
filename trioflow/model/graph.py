"""The graph: nodes, connections, variables and events, as immutable data (M1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import attrs

if TYPE_CHECKING:
    from trioflow.model.node_type import NodeType
    from trioflow.model.sockets import ErrorMode, StreamMode

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _frozen_mapping(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping)) if mapping else _NOTHING


@attrs.frozen
class StreamSettings:
    """How the streams of one node run; None leaves it to the node type (S2-S4).

    `limit` is the number of items in flight, 0 for any number.
    """

    mode: StreamMode | None = None
    limit: int | None = None
    on_error: ErrorMode | None = None


@attrs.frozen
class GraphNode:
    """One node: a unique id, the id of its type, and literals for data inputs.

    `initiator` marks an exec node as a place where runs start, whatever its type says (M4). `metadata` is the
    business of editors: it is kept, never read.
    """

    id: str
    type: str
    inputs: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping)
    initiator: bool | None = None
    stream: StreamSettings | None = None
    metadata: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping)


@attrs.frozen
class Endpoint:
    """One end of a connection, written `node.socket`. Node ids may contain dots, socket names can't."""

    node: str
    socket: str

    def __str__(self) -> str:
        return f"{self.node}.{self.socket}"


@attrs.frozen
class Connection:
    """A wire from an output to an input of the same kind (M3)."""

    source: Endpoint
    target: Endpoint

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@attrs.frozen
class Variable:
    """A variable of the graph: a name, a type name, a start value, and the policy that merges concurrent writes (F4)."""

    name: str
    type: str = "any"
    default: Any = None
    merge: str = "last"
    doc: str = ""


@attrs.frozen
class CustomEvent:
    """An event that bodies and the host may publish and nodes may listen for (B1)."""

    name: str
    doc: str = ""


@attrs.frozen
class Graph:
    """An immutable graph (M1). The order of nodes and of connections has meaning: dispatch follows it (M3, M4).

    `types` holds the node types that were given as Python objects when the graph was built; they are found before
    those of a registry, and are not part of the document.
    """

    nodes: tuple[GraphNode, ...] = attrs.field(default=(), converter=tuple)
    connections: tuple[Connection, ...] = attrs.field(default=(), converter=tuple)
    variables: tuple[Variable, ...] = attrs.field(default=(), converter=tuple)
    events: tuple[CustomEvent, ...] = attrs.field(default=(), converter=tuple)
    metadata: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping)
    types: Mapping[str, NodeType] = attrs.field(default=_NOTHING, converter=_frozen_mapping, eq=False, repr=False)


SocketKind = Literal["exec", "data"]
