"""The two nodes at the boundary of a graph: control leaves through one of them, and the other is never dispatched."""

from __future__ import annotations

from trioflow.model.composition import Boundary
from trioflow.model.graph import StreamSettings
from trioflow.model.node_type import Node, NodeType
from trioflow.runtime.bodies.kind import Body, BodyKind
from trioflow.runtime.exits import leave
from trioflow.semantics.plan import PlanNode


def _make(node: PlanNode, instance: Node | None, streams: StreamSettings | None, again: bool) -> Body:
    return leave


def _is_never_called(node_type: NodeType) -> bool:
    return node_type.body is not Boundary.LEAVE or not node_type.is_exec


BOUNDARY = BodyKind(make=_make, plain=_is_never_called)
