"""The table of the kinds of bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trioflow.model.composition import Boundary, GraphBody
from trioflow.model.node_type import FunctionBody, NodeType
from trioflow.runtime.bodies.boundary import BOUNDARY
from trioflow.runtime.bodies.function import FUNCTION
from trioflow.runtime.bodies.graph import GRAPH
from trioflow.runtime.bodies.instance import INSTANCE
from trioflow.runtime.bodies.kind import BodyKind

_KINDS: Mapping[type[Any], BodyKind] = {
    FunctionBody: FUNCTION,
    GraphBody: GRAPH,
    Boundary: BOUNDARY,
}


def kind_of(node_type: NodeType) -> BodyKind:
    """The kind of the body of a type: what is no value of one of the table's types is a class."""
    return _KINDS.get(type(node_type.body), INSTANCE)
