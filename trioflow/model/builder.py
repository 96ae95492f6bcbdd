"""Building graphs in Python: `with build() as g: ...; g.graph`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, cast, overload

import attrs

from trioflow.errors import InvalidGraph, NodeDefinitionError, RegistryError, UnknownSocket, did_you_mean
from trioflow.model.composition import ENTER, LEAVE, Boundary, boundary_type, graph_node
from trioflow.model.function_node import FunctionNode, as_node_type, inline_node_type
from trioflow.model.graph import (
    Connection,
    CustomEvent,
    Endpoint,
    Entry,
    Exit,
    Graph,
    GraphNode,
    Input,
    Interface,
    Output,
    StreamSettings,
    Variable,
)
from trioflow.model.node_type import Node, NodeType
from trioflow.model.policy import Policy
from trioflow.model.registry import Registry
from trioflow.model.scope import GRAPH
from trioflow.model.sockets import UNSET, DataIn, DataOut, ErrorMode, ExecIn, ExecOut, Socket, StreamMode
from trioflow.model.trigger import Trigger
from trioflow.model.values import NO_VALUES

N = TypeVar("N", bound=Node)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Produces(Protocol[T_co]):
    """Anything that produces values of a type: a data output."""

    def __produces__(self) -> T_co: ...


@attrs.frozen
class BoundSocket:
    """A socket of one node of the graph under construction; `twin` is the input of the same name as an output (M3)."""

    node: str
    socket: Socket
    twin: Socket | None = None

    @property
    def endpoint(self) -> Endpoint:
        """The socket as one end of a wire."""
        return Endpoint(self.node, self.socket.name)

    def __repr__(self) -> str:
        return f"<{type(self.socket).__name__} {str(self.endpoint)!r}>"


class Handle:
    """A node of the graph under construction. Its sockets are attributes; `handle[name]` takes any name."""

    def __init__(self, node_id: str, node_type: NodeType) -> None:
        self._id = node_id
        self._type = node_type
        self._inputs: dict[str, Socket] = {
            socket.name: socket for socket in (*node_type.inputs, *node_type.exec_inputs)
        }
        self._sockets: dict[str, Socket] = self._inputs | {
            socket.name: socket for socket in (*node_type.outputs, *node_type.exec_outputs)
        }

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # Python and its tools ask for such names to learn what an object can do
        socket = self._sockets.get(name)
        if socket is None:
            raise UnknownSocket(
                f"Node {self._id!r} ({self._type.id}) has no socket {name!r}.{did_you_mean(name, self._sockets)} "
                f"It has: {', '.join(self._sockets)}."
            )
        twin = self._inputs.get(name)
        return BoundSocket(self._id, socket, twin if twin is not socket else None)

    def __getitem__(self, name: str) -> Any:
        return self.__getattr__(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._sockets]

    def __repr__(self) -> str:
        return f"<node {self._id!r}: {self._type.id}>"


class Builder:
    """Collects nodes and wires; `graph` is the result so far, immutable. Usable as a context manager."""

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry if registry is not None else Registry.standard()
        self._nodes: dict[str, GraphNode] = {}
        self._connections: list[Connection] = []
        self._variables: list[Variable] = []
        self._events: list[CustomEvent] = []
        self._triggers: list[Trigger] = []
        self._interface: Interface | None = None
        self._graphs: dict[str, Graph] = {}
        self._policies: dict[str, Policy] = {}
        # The nodes at the boundary of the graph, by type (C1).
        self._boundaries: dict[str, str] = {}
        self._types: dict[str, NodeType] = {}
        # How many ids were made from each stem, so that making one does not search.
        self._used_stems: dict[str, int] = {}

    def __enter__(self) -> Builder:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    @overload
    def add(  # pyright: ignore[reportOverlappingOverload] - a class is also callable
        self, node: type[N], id: str | None = ..., /, **inputs: Any
    ) -> N: ...
    @overload
    def add(
        self, node: FunctionNode[..., Any] | NodeType | str | Callable[..., Any], id: str | None = ..., /, **inputs: Any
    ) -> Handle: ...
    def add(self, node: Any, id: str | None = None, /, **inputs: Any) -> Any:
        """Add a node: a class, a decorated function, a lambda, or the id of a registered type.

        `inputs` are literals, or data outputs of other nodes, which are then wired; `config`, where the type has no
        input of that name, is its configuration, which may give it further sockets. The result stands for the node:
        its attributes are its sockets (for a class it is typed as that class, so that type checkers know them).
        Raises `UnknownNodeType`, `UnknownSocket`, or `InvalidGraph` for an id that is taken.
        """
        return cast("Any", self._add(self._resolve(node), id, inputs))

    def _add(self, node_type: NodeType, id: str | None, inputs: Mapping[str, Any]) -> Handle:
        config: Any = NO_VALUES
        if "config" in inputs and "config" not in node_type.input_index:
            config = inputs["config"]
            inputs = {name: value for name, value in inputs.items() if name != "config"}
            node_type = node_type.configured(config, self._find)
        node_id = id if id is not None else self._free_id(node_type)
        if node_id in self._nodes:
            raise InvalidGraph(f"There is already a node {node_id!r}. Ids are unique: choose another.")
        handle = Handle(node_id, node_type)
        literals: dict[str, Any] = {}
        wires: list[Connection] = []
        names = [socket.name for socket in node_type.inputs]
        for name, value in inputs.items():
            if name not in names:
                raise UnknownSocket(
                    f"Node {node_id!r} ({node_type.id}) has no data input {name!r}.{did_you_mean(name, names)} "
                    f"It has: {', '.join(names) or 'none'}."
                )
            if isinstance(value, BoundSocket):
                wires.append(_wire(value, handle[name]))
            elif isinstance(value, (Handle, Variable)):
                raise InvalidGraph(f"Input {name!r} of node {node_id!r} was given {_output_of(value)}")
            else:
                literals[name] = value
        self._nodes[node_id] = GraphNode(node_id, node_type.id, literals, config=config)
        self._connections += wires
        return handle

    @overload
    def connect(self, source: ExecOut, target: ExecIn) -> None: ...
    @overload
    def connect(self, source: Produces[T], target: DataIn[T]) -> None: ...
    def connect(self, source: Any, target: Any) -> None:
        """Wire an output to an input, both of the same kind: exec to exec, data to data.

        The order of the wires of one exec output is the order of dispatch (M3). What can't be joined is found by
        `validate`, and where the graph is run.
        """
        self._connections.append(_wire(source, target))

    def configure(
        self,
        node: Any,
        *,
        initiator: bool | None = None,
        mode: StreamMode | None = None,
        limit: int | None = None,
        on_error: ErrorMode | None = None,
        policy: Policy | None = None,
        undo: Handle | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Mark a node as an initiator (M4), set how its streams run (S2-S4), or what is done where it fails (P1).

        `mode` is `sequential` or `concurrent`, `limit` how many items are in flight at once (0: any number), `on_error`
        what a failing item does. `policy` is the node's policy, `undo` the node that undoes what it did (P9),
        `metadata` what editors keep. What is None stays as it is. Raises `InvalidGraph` for a node of another graph.
        """
        if not isinstance(node, Handle) or node._id not in self._nodes:
            raise InvalidGraph(f"configure(node) needs a node of this graph, from g.add(...), not {node!r}.")
        known = self._nodes[node._id]
        stream = known.stream or StreamSettings()
        given: dict[str, Any] = {"mode": mode, "limit": limit, "on_error": on_error}
        stream = attrs.evolve(stream, **{name: value for name, value in given.items() if value is not None})
        self._nodes[known.id] = attrs.evolve(
            known,
            initiator=known.initiator if initiator is None else initiator,
            stream=None if stream == StreamSettings() else stream,
            policy=known.policy if policy is None else policy,
            undo=known.undo if undo is None else undo._id if isinstance(undo, Handle) else undo,
            metadata=known.metadata if metadata is None else metadata,
        )

    def variable(
        self, name: str, type: str = "any", default: Any = None, *, merge: str = "last", doc: str = ""
    ) -> Variable:
        """Declare a variable (M1) with a type that documents know (`int`, `list`, `any`) and a start value.

        `merge` is the policy for concurrent writes (F4): `last`, `first`, `error`, `sum`, `append`, `union`, `min`,
        `max`, or one that was added to the registry. `doc` says what it is for.
        """
        variable = Variable(name, type, default, merge, doc)
        self._variables.append(variable)
        return variable

    def event(self, name: str, *, doc: str = "", shared: bool = False) -> CustomEvent:
        """Declare a custom event (B1); a shared one is heard by the graph that calls this one too (C7)."""
        event = CustomEvent(name, doc, shared)
        self._events.append(event)
        return event

    def trigger(self, **settings: Any) -> Trigger:
        """Say what starts runs of this graph where a host serves it: fields of `Trigger`, such as `cron`.

        What makes no sense is found by `validate`. Raises `TypeError` for a field that `Trigger` does not have.
        """
        trigger = Trigger(**settings)
        self._triggers.append(trigger)
        return trigger

    def policy(self, pattern: str, policy: Policy) -> None:
        """Say what is done where nodes of some types fail, take long or are called often: `http.*` (P1).

        What a node or its type says itself comes before that.
        """
        self._policies[pattern] = policy

    # --- graphs inside graphs ---

    def declare_entry(self, name: str, *, doc: str = "") -> Any:
        """Declare where callers of this graph enter (C1). Returns the exec output inside, to connect from."""
        return self._declare("entries", Entry(name, doc), ENTER)

    def declare_exit(self, name: str, *, callback: bool = False, doc: str = "") -> Any:
        """Declare where callers of this graph go on (C1). Returns the exec input inside, to connect to.

        A callback exit is triggered as often as control gets there, and comes back (C6).
        """
        return self._declare("exits", Exit(name, callback, doc), LEAVE)

    def declare_input(
        self, name: str, type: str = "any", default: Any = UNSET, *, lazy: bool = False, doc: str = ""
    ) -> Any:
        """Declare a value that callers of this graph give (C1). Returns the data output inside, to connect from.

        A lazy one is resolved whenever it is asked for (C4).
        """
        return self._declare("inputs", Input(name, type, default, lazy, doc), ENTER)

    def declare_output(self, name: str, type: str = "any", *, doc: str = "") -> Any:
        """Declare a value that callers of this graph get (C1). Returns the data input inside, to connect to."""
        return self._declare("outputs", Output(name, type, doc), LEAVE)

    def define(self, name: str, graph: Graph) -> str:
        """Hold a graph that nodes of this one can call, as type `graph:NAME` (C1). Returns that id, for `add`.

        Raises `InvalidGraph` for a name that is taken.
        """
        if name in self._graphs:
            raise InvalidGraph(f"There is already a graph {name!r}. Names are unique: choose another.")
        self._graphs[name] = graph
        return GRAPH + name

    def add_recursive(self, name: str, id: str | None = None, /, **inputs: Any) -> Handle:
        """Add a call of this very graph, which another one will hold as `name`: `outer.define(name, this.graph)`.

        It has the interface that is declared so far.
        """
        node_type = graph_node(self.graph, id=GRAPH + name)
        return self._add(node_type, id, inputs)

    def _declare(self, section: str, declared: Any, boundary: str) -> Any:
        interface = self._interface or Interface()
        changed: dict[str, Any] = {section: (*getattr(interface, section), declared)}
        self._interface = attrs.evolve(interface, **changed)
        node_id = self._boundaries.get(boundary)
        node_type = boundary_type(self._interface, Boundary(boundary))
        if node_id is None:
            node_id = self._boundaries[boundary] = self._free_id(node_type)
            self._nodes[node_id] = GraphNode(node_id, boundary)
        sockets = {
            "entries": node_type.exec_outputs,
            "exits": node_type.exec_inputs,
            "inputs": node_type.outputs,
            "outputs": node_type.inputs,
        }
        return BoundSocket(node_id, sockets[section][-1])

    def _repr_svg_(self) -> str:
        """The graph as built so far, as a picture for notebooks."""
        return self.graph._repr_svg_()

    @property
    def graph(self) -> Graph:
        """The graph as built so far."""
        return Graph(
            interface=self._interface,
            graphs=self._graphs,
            policies=self._policies,
            nodes=tuple(self._nodes.values()),
            connections=tuple(self._connections),
            variables=tuple(self._variables),
            events=tuple(self._events),
            triggers=tuple(self._triggers),
            types=self._types,
        )

    def _resolve(self, node: Any) -> NodeType:
        if isinstance(node, str):
            graph = self._graphs.get(node.removeprefix(GRAPH)) if node.startswith(GRAPH) else None
            return self._registry.get(node) if graph is None else graph_node(graph, id=node)
        node_type = as_node_type(node)
        if node_type is None:
            if isinstance(node, type) or not callable(node):
                raise InvalidGraph(
                    f"{node!r} is neither a node type that is not abstract, nor a function, nor the id of a type."
                )
            node_type = inline_node_type(node, f"inline.{len(self._types)}.{getattr(node, '__name__', 'function')}")
        if self._types.setdefault(node_type.id, node_type) is not node_type:
            raise NodeDefinitionError(
                f"Two node types have the id {node_type.id!r}. Give one of them another: id='...'."
            )
        return node_type

    def _find(self, type_id: str) -> NodeType | None:
        """The type that an id means here, as far as the graph is built."""
        try:
            return self._types.get(type_id) or self._resolve(type_id)
        except RegistryError:
            return None

    def _free_id(self, node_type: NodeType) -> str:
        stem = node_type.id.rpartition(".")[2].strip("<>").lower() or "node"
        number = self._used_stems.get(stem, 0)
        name = stem if number == 0 else f"{stem}_{number + 1}"
        while name in self._nodes:
            number += 1
            name = f"{stem}_{number + 1}"
        self._used_stems[stem] = number + 1
        return name


def _output_of(value: Handle | Variable) -> str:
    """What somebody has named who meant one of its outputs, and how that is written."""
    if isinstance(value, Variable):
        return f"the variable {value.name!r}. Wire what reads it: add('variable.get', name={value.name!r}).result."
    outputs = ", ".join(socket.name for socket in value._type.outputs)
    return f"the node {value._id!r}. Wire one of its data outputs: {outputs or 'it has none'}."


def _wire(source: Any, target: Any) -> Connection:
    ends: list[Endpoint] = []
    for end, kinds, role in ((source, (ExecOut, DataOut), "output"), (target, (ExecIn, DataIn), "input")):
        if not (isinstance(end, BoundSocket) and (isinstance(end.socket, kinds) or isinstance(end.twin, kinds))):
            raise UnknownSocket(
                f"connect(source, target) needs an {role} of a node in this graph here, not {end!r}. "
                "Write g.connect(a.then, b.enter) with a and b from g.add(...)."
            )
        ends.append(end.endpoint)
    return Connection(*ends)


def build(registry: Registry | None = None) -> Builder:
    """A new builder; without a registry, node types may also be named by their standard ids."""
    return Builder(registry)
