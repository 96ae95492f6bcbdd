"""The nodes at the boundary of a graph, and of a scope in a workflow.

Control leaves a graph through one, and the one through which it enters is never dispatched.
"""

from __future__ import annotations

from trioflow.model.composition import Boundary
from trioflow.model.graph import StreamSettings
from trioflow.model.node_type import Node, NodeType
from trioflow.runtime.bodies.kind import Body, BodyKind
from trioflow.runtime.exits import leave
from trioflow.semantics.plan import PlanNode


def _make(node: PlanNode, instance: Node | None, streams: StreamSettings | None, again: bool) -> Body:
    if node.type.body is not Boundary.SCOPE:
        return leave
    from trioflow.runtime.workflow.scope import opened  # noqa: PLC0415 - only workflows have scopes

    return opened


def _is_never_called(node_type: NodeType) -> bool:
    return node_type.body is Boundary.ENTER or not node_type.is_exec


BOUNDARY = BodyKind(make=_make, plain=_is_never_called)
