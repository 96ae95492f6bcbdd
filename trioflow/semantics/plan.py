"""The plan: a graph made ready to run. Sockets become slots, sources become instructions, targets become tuples.

Made once per graph and registry; runs share it and write nothing into it (R7). Whatever can be decided from the shape
of the graph is decided here, so that a step decides nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from trioflow.model.graph import Connection, Graph, GraphNode
from trioflow.model.node_type import FunctionBody, NodeType
from trioflow.model.registry import Registry
from trioflow.model.sockets import UNSET, DataIn, ErrorMode, StreamMode
from trioflow.model.types import NAMED_TYPES
from trioflow.semantics.coercion import Coercer, Mismatch, coerce_literal, coercer_for
from trioflow.semantics.store import Cell, VariableSlot
from trioflow.semantics.validation import validate


class Source(enum.IntEnum):
    """Where an input's value comes from (D1-D3)."""

    CONSTANT = 0
    SLOT = 1
    NODE = 2


# For hot paths: looking up a member of an enum takes as long as a call.
CONSTANT, SLOT, NODE = Source


class PlanInput:
    """One data input of one node, ready to be resolved.

    `slot` is what is read: an exec node's output, or the slot of the data node `upstream`, whose output number is
    `output`. `constant` is the literal or the default, as a cell older than any other; None if there is neither.
    """

    __slots__ = ("coercer", "connection", "constant", "exact", "node", "output", "slot", "socket", "source", "upstream")

    def __init__(self, node: str, socket: DataIn[Any], constant: Cell | None, coercer: Coercer | None) -> None:
        self.node = node
        self.socket = socket
        self.constant = constant
        self.coercer = coercer
        self.exact: Any = coercer.exact if coercer is not None else None
        self.source: Source = CONSTANT
        self.slot = -1
        self.output = -1
        self.upstream: PlanNode = None  # type: ignore[assignment]  # set for Source.NODE, read only there
        self.connection: Connection | None = None

    @property
    def wire(self) -> str | None:
        """The connection that supplies it, for messages."""
        return None if self.connection is None else str(self.connection)


class Target:
    """Where an exec wire leads: a node, and the exec input that it enters through (None: an initiator or listener)."""

    __slots__ = ("entered", "node", "payload")

    def __init__(self, node: PlanNode, entered: str | None, payload: Any = None) -> None:
        self.node = node
        self.entered = entered
        self.payload = payload


class PlanStream:
    """One stream of one node, with the settings of type and graph combined (S1, S2)."""

    __slots__ = ("discard", "done", "fires", "items", "limit", "mode", "name", "on_error", "settled")

    def __init__(
        self,
        name: str,
        items: tuple[int, ...],
        fires: int,
        done: int | None,
        mode: StreamMode,
        limit: int | None,
        on_error: ErrorMode,
        discard: bool,
        settled: frozenset[str],
    ) -> None:
        self.name = name
        self.items = items
        self.fires = fires
        self.done = done
        self.mode: StreamMode = mode
        self.limit = limit
        self.on_error: ErrorMode = on_error
        self.discard = discard
        # What the graph says; a body's configure_stream does not overrule it.
        self.settled = settled


class PlanNode:
    """One node, with its inputs, the slots of its outputs and the targets of its exec outputs."""

    __slots__ = (
        "first_output", "graph_node", "id", "impure", "index", "inputs", "slot", "static", "streams", "targets",
        "to_resolve", "type",
    )  # fmt: skip

    def __init__(self, index: int, graph_node: GraphNode, node_type: NodeType) -> None:
        self.index = index
        self.id = graph_node.id
        self.graph_node = graph_node
        self.type = node_type
        self.inputs: tuple[PlanInput, ...] = ()
        # What is resolved before the body starts (D7): eager inputs that are wired or have no value at all.
        self.to_resolve: tuple[PlanInput, ...] = ()
        # Exec node: its first output's slot. Data node: the slot of its last evaluation in a strand.
        self.first_output = -1
        self.slot = -1
        self.targets: list[tuple[Target, ...]] = []
        self.streams: tuple[PlanStream, ...] = ()
        # A volatile data node, or one behind such a node (D6): an unchanged store does not prove it current.
        self.impure = False
        # A data node that is a plain function of eager inputs, as is every data node behind it.
        self.static = False

    def __repr__(self) -> str:
        return f"<plan of {self.id!r}>"


@attrs.frozen(eq=False)
class Plan:
    """Everything that a run needs to know of its graph."""

    graph: Graph
    nodes: tuple[PlanNode, ...]
    node_index: Mapping[str, int]
    initiators: tuple[Target, ...]
    listeners: Mapping[str, tuple[PlanNode, ...]]
    variables: tuple[VariableSlot, ...]
    variable_index: Mapping[str, int]
    variable_coercers: tuple[Coercer | None, ...]
    merges: Mapping[str, Callable[[Any, Any, Any], Any]]
    size: int
    """Slots in a store."""


def make_plan(graph: Graph, registry: Registry) -> Plan:
    """Validate a graph and plan it. Raises `InvalidGraph` with all errors."""
    validate(graph, registry).raise_for_errors()  # M5
    return _Planner(graph, registry).plan()


class _Planner:
    def __init__(self, graph: Graph, registry: Registry) -> None:
        self._graph = graph
        self._registry = registry
        self._converters = registry.converters
        # Inputs that have neither wire nor literal look the same in every node of a type.
        self._defaults: dict[DataIn[Any], PlanInput] = {}
        self._coercers: dict[DataIn[Any], Coercer | None] = {}
        self._default_cells: dict[DataIn[Any], Cell | None] = {}

    def plan(self) -> Plan:
        graph = self._graph
        slot = len(graph.variables)
        nodes: list[PlanNode] = []
        for index, graph_node in enumerate(graph.nodes):
            node_type = graph.types.get(graph_node.type) or self._registry.get(graph_node.type)
            node = PlanNode(index, graph_node, node_type)
            if node_type.is_exec:
                node.first_output = slot
                slot += len(node_type.outputs)
                node.targets = [()] * len(node_type.exec_outputs)
                node.streams = tuple(_streams(node))
            else:
                node.slot = slot
                slot += 1
            nodes.append(node)
        by_id = {node.id: node for node in nodes}
        self._wire(by_id)
        _mark_data_nodes(nodes)
        return Plan(
            graph=graph,
            nodes=tuple(nodes),
            node_index={node.id: node.index for node in nodes},
            initiators=tuple(Target(node, None) for node in nodes if _is_initiator(node)),  # M4
            listeners=self._listeners(nodes),
            variables=tuple(
                VariableSlot(
                    variable.name,
                    variable.merge,
                    _typed(variable.default, NAMED_TYPES[variable.type], self._converters),
                )
                for variable in graph.variables
            ),
            variable_index={variable.name: place for place, variable in enumerate(graph.variables)},
            variable_coercers=tuple(
                coercer_for(NAMED_TYPES[variable.type], self._converters) for variable in graph.variables
            ),
            merges=self._registry.merges,
            size=slot,
        )

    def _wire(self, by_id: Mapping[str, PlanNode]) -> None:
        targets: dict[tuple[int, int], list[Target]] = {}
        sources: dict[tuple[int, int], tuple[PlanNode, int, Connection]] = {}
        for connection in self._graph.connections:
            source, target = by_id[connection.source.node], by_id[connection.target.node]
            exec_output = source.type.exec_output_index.get(connection.source.socket)
            if exec_output is not None:
                # M3: the order of the wires is the order of dispatch.
                targets.setdefault((source.index, exec_output), []).append(Target(target, connection.target.socket))
            else:
                output = source.type.output_index[connection.source.socket]
                place = target.type.input_index[connection.target.socket]
                sources[target.index, place] = (source, output, connection)
        for node in by_id.values():
            for exec_output in range(len(node.targets)):
                found = targets.get((node.index, exec_output))
                if found:
                    node.targets[exec_output] = tuple(found)
            node.inputs = tuple(
                self._input(node, socket, sources.get((node.index, place)))
                for place, socket in enumerate(node.type.inputs)
            )
            node.to_resolve = tuple(
                planned
                for planned in node.inputs
                if not planned.socket.lazy and (planned.source is not CONSTANT or planned.constant is None)
            )

    def _input(self, node: PlanNode, socket: DataIn[Any], source: tuple[PlanNode, int, Connection] | None) -> PlanInput:
        literal = node.graph_node.inputs.get(socket.name, UNSET)
        if source is None and literal is UNSET and socket in self._defaults:
            return self._defaults[socket]
        if socket not in self._coercers:
            self._coercers[socket] = coercer_for(socket.type, self._converters)
            self._default_cells[socket] = self._constant(socket, socket.default)
        constant = self._default_cells[socket] if literal is UNSET else self._constant(socket, literal)  # D1
        planned = PlanInput(node.id, socket, constant, self._coercers[socket])
        if source is None:
            if literal is UNSET:
                self._defaults[socket] = planned
            return planned
        upstream, planned.output, planned.connection = source
        if upstream.type.is_exec:
            planned.source = SLOT  # D2
            planned.slot = upstream.first_output + planned.output
        else:
            planned.source = NODE  # D3
            planned.slot = upstream.slot
            planned.upstream = upstream
        return planned

    def _constant(self, socket: DataIn[Any], value: Any) -> Cell | None:
        if value is UNSET:
            return None
        return Cell(_typed(value, socket.type, self._converters), -1, f"={value!r}")

    def _listeners(self, nodes: list[PlanNode]) -> Mapping[str, tuple[PlanNode, ...]]:
        found: dict[str, list[PlanNode]] = {event.name: [] for event in self._graph.events}
        for node in nodes:  # B1: document order
            if node.type.listens is not None:
                constant = node.inputs[node.type.input_index[node.type.listens]].constant
                assert constant is not None, "validation demands a literal"
                found[constant.value].append(node)
        return {name: tuple(listeners) for name, listeners in found.items()}


def _is_initiator(node: PlanNode) -> bool:
    marked = node.graph_node.initiator
    return node.type.initiator if marked is None else marked


def _typed(value: Any, type_: Any, converters: Any) -> Any:
    if value is None:
        return None  # D1: None is a value
    try:
        return coerce_literal(value, type_, converters)
    except Mismatch:  # pragma: no cover - validation has already refused it
        return value


def _streams(node: PlanNode) -> list[PlanStream]:
    settings = node.graph_node.stream
    node_type = node.type
    return [
        PlanStream(
            name=stream.name,
            items=tuple(node_type.output_index[item] for item in stream.items),
            fires=node_type.exec_output_index[stream.fires],
            done=None if stream.done is None else node_type.exec_output_index[stream.done],
            mode=(settings.mode if settings else None) or stream.mode,
            limit=settings.limit or None if settings and settings.limit is not None else stream.limit,
            on_error=(settings.on_error if settings else None) or stream.on_error,
            discard=stream.discard,
            settled=frozenset(
                name for name in ("mode", "limit", "on_error") if settings and getattr(settings, name) is not None
            ),
        )
        for stream in node_type.streams
    ]


def _mark_data_nodes(nodes: list[PlanNode]) -> None:
    """Tell what is behind each data node: whether all of it is static, and whether any of it is volatile."""
    consumers: dict[int, list[PlanNode]] = {}
    plain: dict[NodeType, bool] = {}
    data_nodes = [node for node in nodes if not node.type.is_exec]
    for node in data_nodes:
        for planned in node.inputs:
            if planned.source is NODE:
                consumers.setdefault(planned.upstream.index, []).append(node)
        if node.type not in plain:
            plain[node.type] = _is_plain(node.type)
        node.static = True
    for node in _with_consumers([node for node in data_nodes if not plain[node.type]], consumers):
        node.static = False
    for node in _with_consumers([node for node in data_nodes if node.type.volatile], consumers):
        node.impure = True


def _with_consumers(nodes: Sequence[PlanNode], consumers: Mapping[int, Sequence[PlanNode]]) -> Iterable[PlanNode]:
    found = {node.index: node for node in nodes}
    waiting = [*nodes]
    while waiting:
        for consumer in consumers.get(waiting.pop().index, ()):
            if consumer.index not in found:
                found[consumer.index] = consumer
                waiting.append(consumer)
    return found.values()


def _is_plain(node_type: NodeType) -> bool:
    body = node_type.body
    return (
        isinstance(body, FunctionBody)
        and not body.is_async
        and not node_type.volatile
        and all(parameter.fill == "input" for parameter in body.parameters)
        and not any(socket.lazy for socket in node_type.inputs)
    )
