"""The plan: a graph made ready to run. Sockets become slots, sources become instructions, targets become tuples.

Runs share it and leave no trace of themselves in it (R7). `planning` makes it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.model.composition import PROGRESS
from trioflow.model.graph import Connection, Graph, GraphNode, Interface
from trioflow.model.node_type import NodeType
from trioflow.model.registry import Registry
from trioflow.model.sockets import DataIn, ErrorMode, StreamMode
from trioflow.semantics.coercion import Coercer
from trioflow.semantics.step import Step
from trioflow.semantics.store import Cell, VariableSlot

if TYPE_CHECKING:
    from trioflow.semantics.workflow.bound import Bound
    from trioflow.semantics.workflow.net import Net, Region


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
        from trioflow.semantics.planning import make_plan  # noqa: PLC0415 - it makes what is here

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
