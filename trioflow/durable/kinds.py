"""What a journalled run keeps of each node type's bodies (J1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioflow.model.composition import Boundary, GraphBody
from trioflow.model.node_type import FunctionBody

if TYPE_CHECKING:
    from trioflow.model.durability import Durability
    from trioflow.model.graph import GraphNode
    from trioflow.model.node_type import NodeType


def kind_of(node_type: NodeType, node: GraphNode | None = None) -> Durability:
    """What the type says; else recorded for functions that act and for volatile values, auto for classes that act.

    A call of a graph is nothing by itself, but for one that is carried out elsewhere: that is one effect (A9).
    """
    if node_type.durable is not None:
        return node_type.durable
    if isinstance(node_type.body, GraphBody | Boundary):
        policy = node.policy if node is not None and node_type.is_exec else None
        moved = policy is not None and policy.run_on is not None
        return "recorded" if moved else "replayed"
    if not node_type.is_exec:
        return "recorded" if node_type.volatile else "replayed"
    return "recorded" if isinstance(node_type.body, FunctionBody) else "auto"
