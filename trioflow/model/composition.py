"""Graphs as node types: outside a node with the sockets of the interface, inside two nodes at its boundary (C1, C2).

`graph.enter` gives inside what comes in: an exec output for each entry, a data output for each input. `graph.leave`
takes what goes out: an exec input for each exit, a data input for each output.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import attrs

from trioflow.model.graph import Graph, Interface, as_graph
from trioflow.model.node_type import NodeType
from trioflow.model.sockets import DataIn, DataOut, ExecIn, ExecOut, Socket
from trioflow.model.types import NAMED_TYPES

ENTER = "graph.enter"
LEAVE = "graph.leave"
SCOPE = "<scope>"
STOP = "flow.stop"
"""The type of nodes that end their scope at once (W14)."""
UNDO = "flow.undo"
"""The type of nodes that undo what was done on the way to them (W17)."""
LEAVING = ("flow.break", "flow.continue")
"""The types of nodes that leave a loop around them, which only the strand of its owner can do."""
SAGA = "flow.saga"
"""The type of nodes that undo what was done below them, if that has failed (P9)."""
ERROR = "!error"
"""In a workflow, the data output of every exec node that is what it last failed with (W12)."""
PROGRESS = "!progress"
"""In a workflow, the data output of every exec node that is what it last reported of its progress (W23)."""

S = TypeVar("S", bound=Socket)


@attrs.frozen(eq=False)
class GraphBody:
    """A graph as the body of a node type."""

    graph: Graph

    def remake(self, node_type: NodeType) -> tuple[Any, ...]:
        """How a type with this body is made again where it was pickled to."""
        return _graph_type, (self.graph, node_type.id, node_type.doc)


class Boundary(enum.Enum):
    """The body of a node at the boundary of a graph, or at that of a scope inside of a workflow (W13)."""

    ENTER = ENTER
    LEAVE = LEAVE
    SCOPE = SCOPE


def graph_node(graph: Graph, *, id: str, doc: str = "") -> NodeType:
    """A graph as a node type: its sockets are those of the graph's interface (C1).

    With entries or exits it is an exec node, otherwise a data node (C2). Add it to a graph (`g.add(...)`) or to a
    registry. Whether the graph means anything is checked with the graph that calls it.
    """
    interface = as_graph(graph).interface or Interface()
    return NodeType(
        id=id,
        doc=doc,
        inputs=tuple(
            _named(
                DataIn(_type(each.type), default=each.default, lazy=each.lazy or not interface.is_exec, doc=each.doc),
                each.name,
            )
            for each in interface.inputs
        ),
        outputs=tuple(_named(DataOut(_type(each.type), doc=each.doc), each.name) for each in interface.outputs),
        exec_inputs=tuple(_named(ExecIn(doc=each.doc), each.name) for each in interface.entries),
        exec_outputs=tuple(_named(ExecOut(doc=each.doc), each.name) for each in interface.exits),
        streams=(),
        body=GraphBody(graph),
    )


def _graph_type(graph: Graph, id: str, doc: str) -> NodeType:
    return graph_node(graph, id=id, doc=doc)


def boundary_type(interface: Interface, boundary: Boundary) -> NodeType:
    """The type of `graph.enter` or `graph.leave` inside a graph with this interface (C1)."""
    entering = boundary is Boundary.ENTER
    return NodeType(
        id=boundary.value,
        doc="Where a call of this graph comes in." if entering else "Where a call of this graph goes out.",
        inputs=() if entering else tuple(_sockets(interface, DataIn)),
        outputs=tuple(_sockets(interface, DataOut)) if entering else (),
        exec_inputs=() if entering else tuple(_named(ExecIn(doc=each.doc), each.name) for each in interface.exits),
        exec_outputs=tuple(_named(ExecOut(doc=each.doc), each.name) for each in interface.entries) if entering else (),
        streams=(),
        body=boundary,
    )


def _named(socket: S, name: str) -> S:
    socket.name = name
    return socket


SCOPE_TYPE = NodeType(
    id=SCOPE,
    doc="Where tokens of a workflow begin, and where all of them have ended.",
    inputs=(),
    outputs=(),
    exec_inputs=(_named(ExecIn(), "enter"),),
    exec_outputs=(),
    streams=(),
    body=Boundary.SCOPE,
)
OWN_OUTPUTS: Mapping[str, DataOut[Any]] = {
    ERROR: _named(DataOut(Exception, doc="What it last failed with."), ERROR),
    PROGRESS: _named(DataOut(dict[str, Any], doc="What it last reported: `done`, `total` and `message`."), PROGRESS),
}
"""The data outputs that every exec node of a workflow has besides those of its type."""


def _sockets(interface: Interface, kind: type[Any]) -> Iterator[Any]:
    """Inside, an input is an output of the boundary, and the other way round."""
    for each in interface.inputs if kind is DataOut else interface.outputs:
        yield _named(kind(_type(each.type), doc=each.doc), each.name)


def _type(name: str) -> Any:
    return NAMED_TYPES.get(name, object)  # a name that is not known is a problem of the graph, not of its sockets
