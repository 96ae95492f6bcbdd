"""The plan: a graph made ready to run. Sockets become slots, sources become instructions, targets become tuples.

Made once per graph and registry; runs share it and leave no trace of themselves in it (R7). Whatever can be decided
from the shape of the graph is decided here, so that a step decides nothing.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.errors import InvalidGraph
from trioflow.model.collecting import uncollected
from trioflow.model.composition import ERROR, PROGRESS, SCOPE, SCOPE_TYPE, Boundary, GraphBody
from trioflow.model.graph import Connection, Graph, GraphNode, Interface, as_graph
from trioflow.model.node_type import FunctionBody, NodeType
from trioflow.model.registry import Registry
from trioflow.model.scope import Scope
from trioflow.model.secret import secret_name
from trioflow.model.sockets import UNSET, DataIn, ErrorMode, StreamMode
from trioflow.model.types import NAMED_TYPES
from trioflow.model.values import holds_containers, own_copy
from trioflow.semantics.coercion import Coercer, Mismatch, coerce_literal, coercer_for
from trioflow.semantics.policies.sagas import is_for_sagas
from trioflow.semantics.step import Step, step_of
from trioflow.semantics.store import Cell, VariableSlot, new_cell
from trioflow.semantics.validation import validate_scopes
from trioflow.semantics.workflow.net import Net, Region

if TYPE_CHECKING:
    from trioflow.semantics.workflow.bound import Bound


class Source(enum.IntEnum):
    """Where an input's value comes from (D1-D3).

    A port is an input of the graph, asked for outside of it (C4). `STATIC` is a data node whose outputs the store keeps
    as it keeps those of exec nodes, until something that they depend on is written.
    """

    CONSTANT = 0
    SLOT = 1
    NODE = 2
    PORT = 3
    STATIC = 4


# For hot paths: looking up a member of an enum takes as long as a call.
CONSTANT, SLOT, NODE, PORT, STATIC = Source


_NO_TYPES: frozenset[type] = frozenset()


class PlanInput:
    """One data input of one node, ready to be resolved.

    `slot` is what is read: an exec node's output, or the slot of the data node `upstream`, whose output number is
    `output`; for a port that is the number of the graph's input. `constant` is the literal or the default, as a cell
    older than any other; None if there is neither, or if each run makes its own: then it is in the store, in the slot
    `own`, which for all others is the last one, which stays empty. `there` is the slot that holds the input's current
    cell, if it holds any: the empty one where that can't be told so simply. It is counted from the end where an exec
    node writes it, so that it can be told whether a data node has to be asked. `fallback` is the current cell if that
    slot is empty: the constant, or None where more is to be done first.
    """

    __slots__ = (
        "coercer", "connection", "constant", "fallback", "lazy", "make", "node", "output", "own", "passing", "secret",
        "slot", "socket", "source", "there", "upstream",
    )  # fmt: skip

    def __init__(self, node: str, socket: DataIn[Any], constant: Cell | None, coercer: Coercer | None) -> None:
        self.node = node
        self.socket = socket
        self.lazy = socket.lazy
        self.constant = constant
        # What makes the value of the literal or default anew for each run, where runs could change it (M1).
        self.make: Callable[[], Any] | None = None
        self.own = -1
        # The name of the secret that the literal names (A10); it is made anew, too.
        self.secret: str | None = None
        self.coercer = coercer
        # Of which types values pass as they are; not asked if there is no coercer, for then all do.
        self.passing: frozenset[type] = _NO_TYPES if coercer is None else coercer.passing
        self.source: Source = CONSTANT
        self.slot = -1
        self.there = -1
        self.fallback = constant
        self.output = -1
        self.upstream: PlanNode = None  # type: ignore[assignment]  # set for NODE and STATIC, read only there
        self.connection: Connection | None = None

    @property
    def passes(self) -> frozenset[type] | None:
        """Of which types values pass as they are; None for any."""
        return None if self.coercer is None else self.passing

    @property
    def has_constant(self) -> bool:
        """Whether there is a literal or a default."""
        return self.constant is not None or self.make is not None or self.secret is not None

    @property
    def wire(self) -> str | None:
        """The connection that supplies it, for messages."""
        return None if self.connection is None else str(self.connection)


class Target:
    """Where an exec wire leads: a node, and the exec input that it enters through (None: an initiator or listener).

    Each connection has a target of its own, which `wire` names: `a.then -> b.enter` (G8). Other targets have none.
    """

    __slots__ = ("entered", "node", "payload", "wire")

    def __init__(self, node: PlanNode, entered: str | None, payload: Any = None, wire: str | None = None) -> None:
        self.node = node
        self.entered = entered
        self.payload = payload
        self.wire = wire


class Met(Target):
    """Where several tokens lead that a node takes together: `over` are the targets of their wires (W4, G8)."""

    __slots__ = ("over",)

    def __init__(self, over: Sequence[Target]) -> None:
        first = over[0]
        super().__init__(first.node, first.entered, None, first.wire)
        self.over = over


class Opening(Target):
    """Where a scope of a workflow begins: at the entry of a call, or behind an exec output (W13)."""

    __slots__ = ("begin",)

    def __init__(self, node: PlanNode, entered: str | None, begin: Callable[[], Region]) -> None:
        super().__init__(node, entered)
        self.begin = begin


class PlanStream:
    """One stream of one node, with the settings of type and graph combined (S1, S2)."""

    __slots__ = ("discard", "done", "fires", "limit", "mode", "name", "on_error", "settled")

    def __init__(
        self,
        name: str,
        fires: int,
        done: int | None,
        mode: StreamMode,
        limit: int | None,
        on_error: ErrorMode,
        discard: bool,
        settled: frozenset[str],
    ) -> None:
        self.name = name
        self.fires = fires
        self.done = done
        self.mode: StreamMode = mode
        self.limit = limit
        self.on_error: ErrorMode = on_error
        self.discard = discard
        # What the graph says; a body's configure_stream does not overrule it.
        self.settled = settled


_NO_SOCKET = object()
_NOTHING_ASKED: Mapping[Any, tuple[int, frozenset[type] | None]] = MappingProxyType({})


class PlanNode:
    """One node, with its inputs, the slots of its outputs and the targets of its exec outputs."""

    __slots__ = (
        "ahead", "asked", "awaits", "awaits_itself", "begin", "error_slot", "fields", "first_exit", "first_output",
        "first_targets", "function", "graph", "graph_node", "id", "impure", "index", "inputs", "moments", "needs",
        "only", "picks", "progress", "progress_slot", "quick", "slot", "sole", "static", "step", "streams", "targets",
        "to_resolve", "type", "volatile",
    )  # fmt: skip

    def __init__(self, index: int, graph_node: GraphNode, node_type: NodeType) -> None:
        self.index = index
        self.id = graph_node.id
        self.graph_node = graph_node
        self.type = node_type
        self.inputs: tuple[PlanInput, ...] = ()
        # By socket or name, of the inputs that bodies have asked for themselves: the slot that holds the cell if any
        # does, and of which types values pass as they are, None for any.
        self.asked: Mapping[Any, tuple[int, frozenset[type] | None]] = _NOTHING_ASKED
        # What is resolved before the body starts (D7): eager inputs that are wired or have no value at all.
        self.to_resolve: tuple[PlanInput, ...] = ()
        # Of a static node: what must be there before its function is called, in order; the input, if there is only one
        # and it is wired; the function; and whether it returns the outputs as fields.
        self.needs: tuple[PlanInput, ...] = ()
        self.sole: PlanInput | None = None
        self.function: Any = None
        self.fields = False
        # A data node that is a function of its inputs, though not a static one: whether it may return a lazy input
        # instead of a value, and whether it is async.
        self.quick = False
        self.picks = False
        self.awaits_itself = False
        # Exec node: its first output's slot. Data node: the slot of its last evaluation in a strand; if it is static,
        # the slot of its first output.
        self.first_output = -1
        self.slot = -1
        self.targets: list[tuple[Target, ...]] = []
        # The first exec output, which is most often taken, and what is wired to it.
        self.first_exit: object = _NO_SOCKET
        self.first_targets: tuple[Target, ...] = ()
        self.streams: tuple[PlanStream, ...] = ()
        # Of an exec node that is a plain function: what does all of it, while nobody watches.
        self.step: Step | None = None
        # A data node whose value changes by itself (D6), or a graph that holds one.
        self.volatile = node_type.volatile
        # A volatile data node, or one behind such a node (D6) or a lazy input of its graph (C4): an unchanged store
        # does not prove it current.
        self.impure = False
        # An exec node that may ask for what depends on a volatile data node: for it time is in moments (D6).
        self.moments = False
        # A data node that is a plain function of eager inputs, as is every data node behind it.
        self.static = False
        # Whether evaluating a data node may have to wait, for its body or for what is behind its eager inputs; and
        # whether several eager inputs of a node come from such ones, so that they are resolved at once (D12).
        self.awaits = False
        self.ahead = False
        # The plan of the graph that this node calls. Of a data graph, each output is a plan node of its own, which
        # evaluates `only` that.
        self.graph: Plan | None = None
        self.only = 0
        # In a workflow: where the failure is written that a wire reads; and of a node that stands for a listener, the
        # scope that begins with it (W12, W13).
        self.error_slot = -1
        # Where what it reports of its progress is written, and the scope that begins with that (W23).
        self.progress_slot = -1
        self.progress: tuple[Target, ...] = ()
        self.begin: Callable[[], Region] | None = None

    def output_place(self, name: str) -> int:
        """Which of its outputs has this name; those that every node of a workflow has come after those of its type."""
        found = self.type.output_index.get(name)
        if found is not None:
            return found
        return (self.progress_slot if name == PROGRESS else self.error_slot) - self.first_output

    def with_inputs(self, inputs: Mapping[int, PlanInput]) -> PlanNode:
        """The same node with other inputs at some places, and with nothing wired to its exec outputs."""
        node = PlanNode(self.index, self.graph_node, self.type)
        for name in self.__slots__:
            setattr(node, name, getattr(self, name))
        node.inputs = tuple(inputs.get(place, planned) for place, planned in enumerate(self.inputs))
        node.to_resolve = tuple(planned for planned in self.to_resolve if planned in node.inputs)
        node.asked = _NOTHING_ASKED
        node.targets = [()] * len(self.targets)
        node.first_targets = ()
        node.step = None
        return node

    def __repr__(self) -> str:
        return f"<plan of {self.id!r}>"


@attrs.frozen(eq=False)
class Plan:
    """Everything that a run needs to know of its graph."""

    graph: Graph
    registry: Registry
    nodes: tuple[PlanNode, ...]
    node_index: Mapping[str, int]
    initiators: tuple[Target, ...]
    listeners: Mapping[str, tuple[PlanNode, ...]]
    variables: tuple[VariableSlot, ...]
    variable_index: Mapping[str, int]
    variable_coercers: tuple[Coercer | None, ...]
    merges: Mapping[str, Callable[[Any, Any, Any], Any]]
    size: int
    """Slots in a store, the one that stays empty included."""
    readers: tuple[Sequence[int], ...]
    """By slot: the slots of the static nodes that read it."""
    interface: Interface
    enter: PlanNode | None
    leave: PlanNode | None
    exit_slot: int
    """Where the number of the exit that was reached last is written, so that it forks and merges (C5)."""
    defaults: tuple[Cell | None, ...]
    """Of the inputs of the interface, for a run of this graph by itself."""
    shared: frozenset[str]
    """The events that the graph around hears too (C7)."""
    has_ports: bool
    """Whether something in the graph asks for an input whenever it needs it (C4)."""
    writing: tuple[PlanNode, ...]
    """Exec nodes that have outputs."""
    own: tuple[PlanInput, ...]
    """Inputs whose literal or default each store gets as a value of its own, since bodies could change it (M1)."""
    net: Net | None = None
    """Of a workflow: its exec wires (W1)."""
    wired: Mapping[int, Target] = attrs.field(factory=dict[int, Target])
    """Where each of these leads, by its place."""
    drops: Mapping[int, tuple[int, ...]] = attrs.field(factory=dict[int, Any])
    """By wire: the slots of outputs that nothing needs any more where it leads, if only those are kept (W20)."""
    conditions: Mapping[int, Bound] = attrs.field(factory=dict[int, Any])
    """Of the wires of a workflow that have one, by their places (W3)."""
    sets: Mapping[int, tuple[tuple[int, Bound], ...]] = attrs.field(factory=dict[int, Any])
    """By node: the variables that it sets when it has completed, and to what."""
    policed: bool = False
    """Whether the graph or a type in it says what is done where nodes fail; of a planned graph also those it calls."""
    ranges: dict[int, Sequence[slice]] = attrs.field(factory=dict[int, Any], init=False, repr=False)
    """As `readers`, with all that is behind each: made by stores, as they need it."""
    cache: dict[str, Any] = attrs.field(factory=dict, init=False, repr=False)
    """What runs make of this plan that does not depend on the run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return make_plan, (self.graph, self.registry)  # by name, as its node types are (A9)

    def node(self, path: str) -> PlanNode | None:
        """The node with this id; `call/id` is one in the graph that a node calls."""
        place = self.node_index.get(path)
        if place is not None:
            return self.nodes[place]
        for end in [end for end, char in enumerate(path) if char == "/"]:
            call = self.node_index.get(path[:end])
            graph = None if call is None else self.nodes[call].graph
            found = None if graph is None else graph.node(path[end + 1 :])
            if found is not None:
                return found
        return None


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
    _mark_volatile([*plans.values()])
    for plan in plans.values():
        _mark_impure(plan)
        _mark_quick(plan)
        _mark_steps(plan)
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
        _mark_static(nodes)
        _mark_ahead(nodes)
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
            root, listeners = _open_scopes(net, nodes, listeners)
            initiators = (root,)
            scopes = {SCOPE: root.node.index}
            conditions, sets = self._bound(net, nodes)
            wired = {
                wire.place: Target(nodes[wire.target], wire.entered, None, str(wire.connection)) for wire in net.wires
            }
            if graph.keep_outputs == "needed":
                drops = _drops(net, nodes)
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
            readers=_keep_static(nodes, size),
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

    def _bound(
        self, net: Net, nodes: Sequence[PlanNode]
    ) -> tuple[dict[int, Bound], dict[int, tuple[tuple[int, Bound], ...]]]:
        """The expressions of a workflow, bound to slots."""
        from trioflow.semantics.workflow.bound import bind, item_of, names_at  # noqa: PLC0415 - of workflows only

        graph = self._graph
        variables = {f"vars.{variable.name}": slot for slot, variable in enumerate(graph.variables)}
        for node in nodes:
            if node.type.body is Boundary.ENTER and node.first_output >= 0:
                inputs = enumerate(node.type.outputs, node.first_output)
                variables |= {f"input.{socket.name}": slot for slot, socket in inputs}

        def slots(node: PlanNode) -> dict[str, int]:
            outputs = enumerate(node.type.outputs, node.first_output)
            return variables | {f"out.{socket.name}": slot for slot, socket in outputs}

        conditions: dict[int, Bound] = {}
        for wire in net.wires:
            if wire.when is not None:
                node = nodes[wire.source]
                item = item_of(node.type, wire.output)
                known = slots(node)
                if item is not None:
                    known["item"] = known[f"out.{item}"]
                if "progress" in wire.on:
                    known["progress"] = node.progress_slot
                names = names_at(graph, node.type, wire.output, wire.on)
                conditions[wire.place] = bind(wire.when, names, known, condition=True)
        sets = {
            place: tuple(
                (variables[f"vars.{name}"], bind(text, names_at(graph, nodes[place].type), slots(nodes[place])))
                for name, text in graph.nodes[place].set.items()
            )
            for place in net.nodes
            if graph.nodes[place].set
        }
        return conditions, sets

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


def _open_scopes(
    net: Net, nodes: list[PlanNode], listeners: Mapping[str, tuple[PlanNode, ...]]
) -> tuple[Target, Mapping[str, tuple[PlanNode, ...]]]:
    """Let all that is dispatched in a workflow open a scope: what is behind an exec output, a listener, all of it.

    Gives the target of a run, and the listeners by event.
    """

    def scope(begin: Callable[[], Region] | None = None) -> PlanNode:
        node = PlanNode(len(nodes), GraphNode(SCOPE, SCOPE), SCOPE_TYPE)
        node.begin = begin
        nodes.append(node)
        return node

    opened = scope()
    for place, each in net.nodes.items():
        node = nodes[place]
        entering = node.type.body is Boundary.ENTER
        for index, output in enumerate(node.type.exec_outputs):
            if any(wire.output == output.name and "completed" in wire.on for wire in each.out):
                begin = partial(net.whole, output.name) if entering else partial(net.behind, place, output.name)
                entered = output.name if entering else f"{node.id}.{output.name}"
                node.targets[index] = (Opening(opened, entered, begin),)
        if each.progress is not None:
            node.progress = (Opening(opened, f"{node.id}{PROGRESS}", partial(net.reporting, place)),)
        if node.targets:
            node.first_targets = node.targets[0]
    standing = {
        event: tuple(scope(partial(net.listening, node.index)) for node in found) for event, found in listeners.items()
    }
    return Opening(opened, None, net.whole), standing


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


def _drops(net: Net, nodes: Sequence[PlanNode]) -> dict[int, tuple[int, ...]]:
    """What a workflow lets go of that keeps only what is needed, by wire (W20)."""
    from trioflow.semantics.topology import may_await  # noqa: PLC0415 - few ask for this
    from trioflow.semantics.workflow.keeping import dropped  # noqa: PLC0415 - as above

    def read_by(node: PlanNode) -> frozenset[int]:
        """The outputs of exec nodes that its inputs depend on."""
        waiting, seen, found = [node], {node.index}, set[int]()
        while waiting:
            for planned in waiting.pop().inputs:
                upstream = planned.upstream
                if planned.connection is not None and planned.source is SLOT:
                    found.add(planned.slot)
                elif planned.connection is not None and planned.source is not PORT and upstream.index not in seen:
                    seen.add(upstream.index)
                    waiting.append(upstream)
        return frozenset(found)

    writes: dict[int, frozenset[int]] = {}
    for place in net.nodes:
        node = nodes[place]
        first = node.first_output
        slots = {*range(first, first + len(node.type.outputs))} if first >= 0 else set[int]()
        slots |= {slot for slot in (node.error_slot, node.progress_slot) if slot >= 0}
        # Expressions may name the inputs of the graph everywhere.
        writes[place] = frozenset() if node.type.body is Boundary.ENTER else frozenset(slots)
    written = frozenset().union(*writes.values())
    reads = {place: read_by(nodes[place]) & written for place in net.nodes}
    awaiting = [
        place for place in net.nodes if nodes[place].streams or nodes[place].progress or may_await(nodes[place].type)
    ]
    return dropped(net, reads, writes, awaiting)


def _is_policed(node: PlanNode) -> bool:
    return node.graph_node.policy is not None or node.type.policy is not None


def _is_moved(node: PlanNode) -> bool:
    """Whether its body runs in another process, for which it is waited."""
    said = (node.graph_node.policy, node.type.policy)
    return any(policy is not None and policy.run_on is not None for policy in said)


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


def _mark_volatile(plans: list[Plan]) -> None:
    """A data graph that holds a volatile node is volatile itself (C2), through any number of graphs."""
    volatile = {id(plan) for plan in plans if any(node.volatile for node in plan.nodes)}
    before = -1
    while len(volatile) != before:
        before = len(volatile)
        for plan in plans:
            for node in plan.nodes:
                if id(node.graph) in volatile and not node.type.is_exec:
                    node.volatile = True
                    volatile.add(id(plan))


def _mark_impure(plan: Plan) -> None:
    consumers: dict[int, list[PlanNode]] = {}
    reached: list[PlanNode] = []
    for node in plan.nodes:
        if node.type.is_exec:
            continue
        for planned in node.inputs:
            if planned.source is NODE:
                consumers.setdefault(planned.upstream.index, []).append(node)
        ports = plan.interface.is_exec and any(planned.source is PORT for planned in node.inputs)
        if node.volatile or ports:
            node.impure = True
            reached.append(node)
    while reached:
        for consumer in consumers.get(reached.pop().index, ()):
            if not consumer.impure:
                consumer.impure = True
                reached.append(consumer)
    for node in plan.nodes:
        node.moments = node.type.is_exec and (
            isinstance(node.type.body, GraphBody)
            or any(
                planned.source is PORT or (planned.source is NODE and planned.upstream.impure)
                for planned in node.inputs
            )
        )


def _mark_quick(plan: Plan) -> None:
    """Find the data nodes that are functions of their inputs, of which each value holds until something is written."""
    for node in plan.nodes:
        body = node.type.body
        if node.type.is_exec or node.static or node.impure or not isinstance(body, FunctionBody):
            continue
        node.quick = body.takes_values or body.may_pick
        node.function = body.function
        node.fields = body.result == "fields"
        node.picks = body.may_pick
        node.awaits_itself = body.is_async


def _mark_steps(plan: Plan) -> None:
    """Find the exec nodes that are plain functions of what the store keeps."""
    for node in plan.nodes:
        if (
            node.type.is_exec
            and isinstance(node.type.body, FunctionBody)
            and not node.streams
            and all(planned.source is not NODE and planned.source is not PORT for planned in node.inputs)
        ):
            node.step = step_of(node.type, node.inputs, node.first_output, node.targets)


def _mark_static(nodes: list[PlanNode]) -> None:
    """Find the data nodes that are plain functions behind plain functions."""
    consumers: dict[int, list[PlanNode]] = {}
    others: list[PlanNode] = []
    plain = {node_type: _is_plain(node_type) for node_type in {node.type for node in nodes}}
    for node in nodes:
        node.static = plain[node.type]
        for planned in node.inputs:
            if planned.source is NODE:
                consumers.setdefault(planned.upstream.index, []).append(node)
            elif planned.source is PORT or (planned.source is CONSTANT and planned.constant is None):
                node.static = False
        if not node.static:
            others.append(node)
    while others:
        for consumer in consumers.get(others.pop().index, ()):
            if consumer.static:
                consumer.static = False
                others.append(consumer)


def _mark_ahead(nodes: list[PlanNode]) -> None:
    """Find the nodes of which several eager inputs may have to be waited for (D12)."""
    consumers: dict[int, list[PlanNode]] = {}
    reached: list[PlanNode] = []
    for node in nodes:
        for planned in node.inputs:
            if planned.source is NODE and not planned.socket.lazy:
                consumers.setdefault(planned.upstream.index, []).append(node)
        body = node.type.body
        # A data graph is never begun ahead. Where it is evaluated, inputs inside are resolved at once.
        waits = not isinstance(body, GraphBody | Boundary) and (
            not isinstance(body, FunctionBody) or body.is_async or _is_moved(node)
        )
        if waits and not node.type.is_exec:
            node.awaits = True
            reached.append(node)
    while reached:
        for consumer in consumers.get(reached.pop().index, ()):
            if not consumer.awaits and not consumer.type.is_exec:
                consumer.awaits = True
                reached.append(consumer)
    for node in nodes:
        sources = {
            planned.upstream.index
            for planned in node.inputs
            if planned.source is NODE and not planned.socket.lazy and planned.upstream.awaits
        }
        node.ahead = len(sources) > 1


def _place(planned: PlanInput, size: int) -> None:
    """Say where the current cell of an input is, if a slot holds it."""
    if planned.source is NODE and planned.upstream.static:
        planned.source = STATIC
        planned.slot += planned.output
    if planned.source is STATIC:
        planned.there = planned.slot
    elif planned.source is SLOT:
        planned.there = planned.slot - size


def _keep_static(nodes: list[PlanNode], size: int) -> tuple[Sequence[int], ...]:
    """Let the outputs of static nodes be read where the store keeps them; tell who reads what, by slot."""
    found: dict[int, list[int]] = {}
    for node in nodes:
        for planned in node.inputs:
            _place(planned, size)
        if node.static:
            body: Any = node.type.body
            node.function = body.function
            node.fields = body.result == "fields"
            if len(node.inputs) == 1 and node.inputs[0].source is not CONSTANT:
                node.sole = node.inputs[0]
            node.needs = tuple(
                planned
                for planned in node.inputs
                if planned.source is STATIC or (planned.source is SLOT and not planned.has_constant)
            )
            own = range(node.slot, node.slot + len(node.type.outputs))
            for planned in node.inputs:
                if planned.source is not CONSTANT:
                    found.setdefault(planned.slot, []).extend(own)
    readers: list[Sequence[int]] = [()] * size
    for slot, slots in found.items():
        readers[slot] = slots
    return tuple(readers)


def _written(value: Any) -> str:
    """A literal as text, to know it by: one that Python does not write, for its digits or its depth, by its bytes."""
    try:
        return repr(value)
    except (ValueError, RecursionError):
        if isinstance(value, int):
            return hex(value)
        import pickle  # noqa: PLC0415 - hardly ever needed

        return f"<{type(value).__name__} {hashlib.sha256(pickle.dumps(value)).hexdigest()}>"


def _is_plain(node_type: NodeType) -> bool:
    body = node_type.body
    return not node_type.is_exec and isinstance(body, FunctionBody) and body.is_plain and not node_type.volatile
