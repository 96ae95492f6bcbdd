"""Planning: makes the plan of a graph, once per graph and registry.

Whatever can be decided from the shape of the graph is decided here, so that a step decides nothing.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.errors import InvalidGraph
from trioflow.model.collecting import uncollected
from trioflow.model.composition import ERROR, PROGRESS, SCOPE, Boundary, GraphBody
from trioflow.model.graph import Connection, Graph, Interface, as_graph
from trioflow.model.node_type import FunctionBody
from trioflow.model.registry import Registry
from trioflow.model.scope import Scope
from trioflow.model.secret import secret_name
from trioflow.model.sockets import UNSET, DataIn
from trioflow.model.types import NAMED_TYPES
from trioflow.model.values import holds_containers, own_copy
from trioflow.semantics.coercion import Coercer, Mismatch, coerce_literal, coercer_for
from trioflow.semantics.marking import (
    keep_static,
    mark_ahead,
    mark_impure,
    mark_quick,
    mark_static,
    mark_steps,
    mark_volatile,
)
from trioflow.semantics.plan import NODE, PORT, SLOT, Plan, PlanInput, PlanNode, PlanStream, Target
from trioflow.semantics.policies.sagas import is_for_sagas
from trioflow.semantics.store import Cell, VariableSlot, new_cell
from trioflow.semantics.validation import validate_scopes

if TYPE_CHECKING:
    from trioflow.semantics.workflow.bound import Bound
    from trioflow.semantics.workflow.net import Net


def make_plan(graph: Graph, registry: Registry) -> Plan:
    """Validate a graph and plan it, with all the graphs that it calls, each once. Raises `InvalidGraph`."""
    with uncollected():  # what is planned is kept
        return _make_plan(graph, registry)


def kept_plan(graph: Graph, registry: Registry | None) -> Plan:
    """The plan of a graph, made once for this object and this registry; with None, the standard node types.

    It is made anew when something was added to the registry. Raises `InvalidGraph`.
    """
    kept: tuple[Registry | None, int, Plan] | None = as_graph(graph).kept.value
    if kept is not None and kept[0] is registry and kept[1] == kept[2].registry.changes:
        return kept[2]
    plan = make_plan(graph, registry or Registry.standard())
    graph.kept.value = registry, plan.registry.changes, plan
    return plan


def _make_plan(graph: Graph, registry: Registry) -> Plan:
    root = Scope(graph, registry)
    nets: dict[Scope, Net] = {}
    validate_scopes(root, nets).raise_for_errors()  # M5
    plans: dict[Scope, Plan] = {}
    waiting = [root]
    while waiting:
        scope = waiting.pop()
        if scope not in plans:
            plans[scope] = _Planner(scope, nets.get(scope)).plan()
            waiting += [inner for node in plans[scope].nodes if (inner := scope.callee(node.type)) is not None]
    for scope, plan in plans.items():
        for node in plan.nodes:
            callee = scope.callee(node.type)
            node.graph = None if callee is None else plans[callee]
    mark_volatile([*plans.values()])
    for plan in plans.values():
        mark_impure(plan)
        mark_quick(plan)
        mark_steps(plan)
    if not plans[root].initiators and not plans[root].listeners:
        raise InvalidGraph(
            "The graph can be called by other graphs, but no node starts it, so by itself nothing would run. Add a "
            "node of a type such as flow.start."
        )
    planned = plans[root]
    policed = planned.policed or not any(plan.policed for plan in plans.values())
    return planned if policed else attrs.evolve(planned, policed=True)


class _Planner:
    def __init__(self, scope: Scope, net: Net | None) -> None:
        self._scope = scope
        self._net = net
        self._graph = scope.graph
        self._registry = scope.registry
        self._interface = scope.graph.interface or Interface()
        self._converters = scope.registry.converters
        # Inputs that have neither wire nor literal look the same in every node of a type.
        self._defaults: dict[DataIn[Any], PlanInput] = {}
        self._coercers: dict[DataIn[Any], Coercer | None] = {}
        self._default_cells: dict[DataIn[Any], Cell | None] = {}
        self._own: list[PlanInput] = []
        # Data graphs' outputs but the first, by node and output.
        self._others: dict[tuple[int, int], PlanNode] = {}

    def plan(self) -> Plan:
        graph = self._graph
        slot = len(graph.variables)
        nodes: list[PlanNode] = []
        told = _told(graph)
        for index, graph_node in enumerate(graph.nodes):
            node_type = self._scope.type_of(graph_node)
            assert node_type is not None, "validation knows all types"
            node = PlanNode(index, graph_node, node_type)
            if node_type.is_exec or (node_type.body is Boundary.ENTER and self._interface.is_exec):
                node.first_output = slot
                slot += len(node_type.outputs)
                for name in sorted(told.get(node.id, ())):
                    setattr(node, _TOLD[name], slot)
                    slot += 1
                node.targets = [()] * len(node_type.exec_outputs)
                node.streams = tuple(_streams(node))
            else:
                node.slot = slot
                slot += max(1, len(node_type.outputs)) if isinstance(node_type.body, FunctionBody) else 1
            nodes.append(node)
        by_id = {node.id: node for node in nodes}
        # C2: only what is asked for is evaluated, so each output of a data graph is a node of its own.
        for node in tuple(nodes):
            if isinstance(node.type.body, GraphBody) and not node.type.is_exec:
                for output in range(1, len(node.type.outputs)):
                    other = PlanNode(len(nodes), node.graph_node, node.type)
                    other.only, other.slot = output, slot
                    slot += 1
                    self._others[node.index, output] = other
                    nodes.append(other)
        self._wire(by_id)
        for (place, _), other in self._others.items():
            other.inputs = nodes[place].inputs
        mark_static(nodes)
        mark_ahead(nodes)
        size = self._place_own(slot + bool(self._interface.exits))
        boundaries = {node.type.body: node for node in nodes if isinstance(node.type.body, Boundary)}
        initiators = tuple(Target(node, None) for node in nodes if _is_initiator(node))  # M4
        listeners = self._listeners(nodes)
        net = self._net
        conditions: dict[int, Bound] = {}
        sets: dict[int, tuple[tuple[int, Bound], ...]] = {}
        scopes: dict[str, int] = {}
        wired: dict[int, Target] = {}
        drops: dict[int, tuple[int, ...]] = {}
        if net is not None:  # W1
            from trioflow.semantics.workflow import planning  # noqa: PLC0415 - of workflows only

            root, listeners = planning.open_scopes(net, nodes, listeners)
            initiators = (root,)
            scopes = {SCOPE: root.node.index}
            conditions, sets = planning.bound_expressions(graph, net, nodes)
            wired = {
                wire.place: Target(nodes[wire.target], wire.entered, None, str(wire.connection)) for wire in net.wires
            }
            if graph.keep_outputs == "needed":
                drops = planning.drops_of(net, nodes)
        return Plan(
            graph=graph,
            registry=self._registry,
            nodes=tuple(nodes),
            node_index={node_id: node.index for node_id, node in by_id.items()} | scopes,
            initiators=initiators,
            listeners=listeners,
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
                coercer_for(NAMED_TYPES[variable.type], self._converters, self._registry.max_bytes)
                for variable in graph.variables
            ),
            merges=self._registry.merges,
            size=size,
            readers=keep_static(nodes, size),
            interface=self._interface,
            enter=boundaries.get(Boundary.ENTER),
            leave=boundaries.get(Boundary.LEAVE),
            exit_slot=slot,
            defaults=tuple(
                None
                if each.default is UNSET
                else new_cell(_typed(each.default, NAMED_TYPES[each.type], self._converters), -1, f"={each.default!r}")
                for each in self._interface.inputs
            ),
            shared=frozenset(event.name for event in graph.events if event.shared),
            has_ports=any(planned.source is PORT for node in nodes for planned in node.inputs),
            writing=tuple(node for node in nodes if node.type.is_exec and node.type.outputs),
            own=tuple(self._own),
            net=net,
            wired=wired,
            drops=drops,
            conditions=conditions,
            sets=sets,
            policed=bool(graph.policies) or is_for_sagas(graph) or any(_is_policed(node) for node in nodes),
        )

    def _place_own(self, slot: int) -> int:
        """Give slots, from this one on, to the literals that each store has for itself; returns the size of a store."""
        for place, planned in enumerate(self._own, slot):
            planned.own = place
            if planned.connection is None:
                planned.slot = place
        return slot + len(self._own) + 1

    def _wire(self, by_id: Mapping[str, PlanNode]) -> None:
        targets: dict[tuple[int, int], list[Target]] = {}
        sources: dict[tuple[int, int], tuple[PlanNode, int, Connection]] = {}
        tokens = self._graph.kind == "workflow"
        for connection in self._graph.connections:
            if not connection.enabled:  # W18
                continue
            source, target = by_id[connection.source.node], by_id[connection.target.node]
            exec_output = source.type.exec_output_index.get(connection.source.socket)
            if tokens and connection.target.socket not in target.type.input_index:
                continue  # its exec wires are those of the net (W1)
            if exec_output is not None:
                # M3: the order of the wires is the order of dispatch.
                led = Target(target, connection.target.socket, None, str(connection))
                targets.setdefault((source.index, exec_output), []).append(led)
            else:
                output = source.output_place(connection.source.socket)
                place = target.type.input_index[connection.target.socket]
                sources[target.index, place] = (source, output, connection)
        for node in by_id.values():
            for exec_output in range(len(node.targets)):
                found = targets.get((node.index, exec_output))
                if found:
                    node.targets[exec_output] = tuple(found)
            if node.targets:
                node.first_exit, node.first_targets = node.type.exec_outputs[0], node.targets[0]
            node.inputs = tuple(
                self._input(node, socket, sources.get((node.index, place)))
                for place, socket in enumerate(node.type.inputs)
            )
            node.to_resolve = tuple(
                planned
                for planned in node.inputs
                if not planned.socket.lazy and (planned.connection is not None or not planned.has_constant)
            )

    def _input(self, node: PlanNode, socket: DataIn[Any], source: tuple[PlanNode, int, Connection] | None) -> PlanInput:
        literal = node.graph_node.inputs.get(socket.name, UNSET)
        if source is None and literal is UNSET and socket in self._defaults:
            return self._defaults[socket]
        if socket not in self._coercers:
            self._coercers[socket] = coercer_for(socket.type, self._converters, self._registry.max_bytes)
            self._default_cells[socket] = self._constant(socket, socket.default)
        planned = self._with_constant(node, socket, literal)
        if source is None:
            if planned in self._own[-1:]:
                planned.source = SLOT  # its own, which nobody writes
            elif literal is UNSET:
                self._defaults[socket] = planned
            return planned
        upstream, planned.output, planned.connection = source
        if upstream.type.body is Boundary.ENTER and self._is_port(planned.output):
            planned.source = PORT  # C4
            planned.fallback = None
        elif upstream.first_output >= 0:
            planned.source = SLOT  # D2
            planned.slot = upstream.first_output + planned.output
        else:
            planned.source = NODE  # D3
            planned.fallback = None
            planned.upstream = self._others.get((upstream.index, planned.output), upstream)
            planned.slot = planned.upstream.slot
        return planned

    def _with_constant(self, node: PlanNode, socket: DataIn[Any], literal: Any) -> PlanInput:
        """An input with its literal or default (D1): each store makes one anew that is secret or could change (M1)."""
        secret = secret_name(literal) if socket.secret else None
        value = socket.default if literal is UNSET else literal
        constant: Cell | None = None
        if secret is None:
            constant = self._default_cells[socket] if literal is UNSET else self._constant(socket, literal)
        planned = PlanInput(node.id, socket, constant, self._coercers[socket])
        planned.secret = secret
        if constant is not None and _could_change(constant.value, value):
            planned.constant = planned.fallback = None
            planned.make = partial(_made, value, socket.type, self._converters)
        if planned.constant is None and planned.has_constant:
            self._own.append(planned)
        return planned

    def _is_port(self, output: int) -> bool:
        return self._interface.inputs[output].lazy or not self._interface.is_exec

    def _constant(self, socket: DataIn[Any], value: Any) -> Cell | None:
        if value is UNSET:
            return None
        return new_cell(_typed(value, socket.type, self._converters), -1, f"={_written(value)}")

    def _listeners(self, nodes: list[PlanNode]) -> Mapping[str, tuple[PlanNode, ...]]:
        found: dict[str, list[PlanNode]] = {event.name: [] for event in self._graph.events}
        for node in nodes:  # B1: document order
            if node.type.listens is not None:
                constant = node.inputs[node.type.input_index[node.type.listens]].constant
                assert constant is not None, "validation demands a literal"
                found[constant.value].append(node)
        return {name: tuple(listeners) for name, listeners in found.items()}


_TOLD = {ERROR: "error_slot", PROGRESS: "progress_slot"}


def _told(graph: Graph) -> dict[str, set[str]]:
    """By node: which of the outputs that every node of a workflow has are read, or wires are taken by (W12, W23)."""
    found: dict[str, set[str]] = {}
    for wire in graph.connections:
        if wire.source.socket in _TOLD:
            found.setdefault(wire.source.node, set()).add(wire.source.socket)
        if wire.on != "completed" and "progress" in wire.outcomes:
            found.setdefault(wire.source.node, set()).add(PROGRESS)
    return found


def _is_policed(node: PlanNode) -> bool:
    return node.graph_node.policy is not None or node.type.policy is not None


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


_UNCHANGEABLE = (type(None), bool, int, float, complex, str, bytes, enum.Enum, type)


def _could_change(value: Any, given: Any) -> bool:
    """Whether a body could change a literal or default in place: a container, or what a converter has made of it."""
    return holds_containers(value) or (value is not given and not isinstance(value, _UNCHANGEABLE))


def _made(value: Any, type_: Any, converters: Any) -> Any:
    return own_copy(_typed(own_copy(value), type_, converters))


def _streams(node: PlanNode) -> list[PlanStream]:
    settings = node.graph_node.stream
    node_type = node.type
    return [
        PlanStream(
            name=stream.name,
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


def _written(value: Any) -> str:
    """A literal as text, to know it by: one that Python does not write, for its digits or its depth, by its bytes."""
    try:
        return repr(value)
    except (ValueError, RecursionError):
        if isinstance(value, int):
            return hex(value)
        import pickle  # noqa: PLC0415 - hardly ever needed

        return f"<{type(value).__name__} {hashlib.sha256(pickle.dumps(value)).hexdigest()}>"
