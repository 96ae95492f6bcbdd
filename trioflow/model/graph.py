"""The graph: nodes, connections, variables and events, as immutable data (M1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import attrs

# Needed at runtime: the document format and its schema are made from the types of the fields.
from trioflow.model.sockets import ErrorMode, StreamMode

if TYPE_CHECKING:
    from trioflow.model.node_type import NodeType

FORMAT_VERSION = "1.0"
"""The version of the document format that this library writes, `major.minor`."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _frozen_mapping(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping)) if mapping else _NOTHING


@attrs.frozen
class Minimum:
    """The smallest number that a field takes, as an annotation of its type."""

    value: int


# Every class below that has `extra` keeps in it what a document of a newer minor version says beyond its fields, so
# that it is written back.


@attrs.frozen
class StreamSettings:
    """How the streams of one node run; None leaves it to the node type (S2-S4).

    `limit` is the number of items in flight, 0 for any number.
    """

    mode: StreamMode | None = None
    limit: Annotated[int, Minimum(0)] | None = None
    on_error: ErrorMode | None = None
    extra: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping, kw_only=True)


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
    extra: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping, kw_only=True)


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
    extra: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping, kw_only=True)

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@attrs.frozen
class Variable:
    """A variable of the graph: name, type name, start value, and the policy that merges concurrent writes (F4)."""

    name: str
    type: str = "any"
    default: Any = None
    merge: str = "last"
    doc: str = ""
    extra: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping, kw_only=True)


@attrs.frozen
class CustomEvent:
    """An event that bodies and the host may publish and nodes may listen for (B1)."""

    name: str
    doc: str = ""
    extra: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping, kw_only=True)


@attrs.frozen
class Graph:
    """An immutable graph (M1). The order of nodes and of connections has meaning: dispatch follows it (M3, M4).

    `types` holds the node types that were given as Python objects when the graph was built; they are found before
    those of a registry, and are not part of the document. `version` is that of the document
    format.
    """

    version: str = attrs.field(default=FORMAT_VERSION, kw_only=True)
    nodes: tuple[GraphNode, ...] = attrs.field(default=(), converter=tuple[GraphNode, ...])
    connections: tuple[Connection, ...] = attrs.field(default=(), converter=tuple[Connection, ...])
    variables: tuple[Variable, ...] = attrs.field(default=(), converter=tuple[Variable, ...])
    events: tuple[CustomEvent, ...] = attrs.field(default=(), converter=tuple[CustomEvent, ...])
    metadata: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping)
    types: Mapping[str, NodeType] = attrs.field(default=_NOTHING, converter=_frozen_mapping, eq=False, repr=False)
    extra: Mapping[str, Any] = attrs.field(default=_NOTHING, converter=_frozen_mapping, kw_only=True)


SocketKind = Literal["exec", "data"]
