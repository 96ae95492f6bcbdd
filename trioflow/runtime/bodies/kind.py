"""What there is to say of each kind of body: a function, a method of an instance, a graph, a boundary of a graph."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import attrs

from trioflow.model.graph import StreamSettings
from trioflow.model.node_type import Node, NodeType
from trioflow.semantics.plan import PlanNode

Body = Callable[[Any], Coroutine[Any, Any, Any]]
"""What is called with the context of each activation or evaluation."""


def _never(node_type: NodeType) -> bool:
    return False


@attrs.frozen(kw_only=True)
class BodyKind:
    """How nodes with one kind of body get it. Another kind is a file with one of these, and a row in `kinds`."""

    make: Callable[[PlanNode, Node | None, StreamSettings | None, bool], Body]
    """The body of a node: its instance if it has one, the run's settings of its streams, and whether it may be called
    several times in one activation (A5)."""
    plain: Callable[[NodeType], bool] = _never
    """Whether nodes of a type need no body at all: they are never called, or their function is called as it is."""
    has_instance: bool = False
    """Whether each frame has an instance of it."""
