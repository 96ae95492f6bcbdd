"""Validation: all that can be known to be wrong with a graph before it runs, in one report (M2-M5).

Each check is a small method over indexes that are made once; all are iterative and linear in the size of the graph.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from trioflow.errors import InvalidGraph, NodePackageError, did_you_mean
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode
from trioflow.model.node_type import FunctionBody, NodeType
from trioflow.model.registry import Registry
from trioflow.model.sockets import UNSET, DataIn
from trioflow.model.types import NAMED_TYPES, describe_type
from trioflow.semantics.coercion import Mismatch, coerce_literal, compatible
from trioflow.semantics.merge import POLICIES


class Severity(enum.Enum):
    """How bad a problem is: a graph with errors does not run."""

    ERROR = "error"
    WARNING = "warning"


@attrs.frozen
class Problem:
    """One thing that is wrong: a stable code, where, what was found, the cure, and the rule it breaks."""

    code: str
    severity: Severity
    path: str
    message: str
    cure: str
    rule: str

    def __str__(self) -> str:
        return f"{self.severity.value}[{self.code}] {self.path}: {self.message} {self.cure}".rstrip()


@attrs.frozen
class Report:
    """All problems of a graph, in document order."""

    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep it from running."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)

    @property
    def ok(self) -> bool:
        """Whether the graph can run."""
        return not self.errors

    def raise_for_errors(self) -> None:
        """Raise `InvalidGraph` with every error, if there is one."""
        errors = self.errors
        if errors:
            count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
            raise InvalidGraph("\n".join([f"The graph has {count}:", *(f"  {problem}" for problem in errors)]))

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems)) or "no problems"


def validate(graph: Graph, registry: Registry) -> Report:
    """Check a graph against the node types that it names (M5). Never raises for what is wrong with the graph."""
    return Report(tuple(_Validator(graph, registry).problems()))


@attrs.frozen
class _Wire:
    """A connection whose ends exist and agree in kind."""

    index: int
    connection: Connection
    source: int
    target: int
    is_exec: bool


class _Validator:
    def __init__(self, graph: Graph, registry: Registry) -> None:
        self._graph = graph
        self._registry = registry
        self._found: list[Problem] = []
        self._index: dict[str, int] = {}
        self._types: list[NodeType | None] = []
        self._wires: list[_Wire] = []
        # By node and input: the wire that supplies it.
        self._supplied: dict[tuple[int, str], _Wire] = {}
        self._outgoing: list[list[_Wire]] = []
        # Whether every end of every wire is known; if not, what is unreachable can't be told.
        self._complete = True

    def problems(self) -> list[Problem]:
        self._check_declarations()
        self._check_nodes()
        self._check_connections()
        for index, node in enumerate(self._graph.nodes):
            node_type = self._types[index]
            if node_type is not None:
                self._check_inputs(index, node, node_type)
                self._check_streams(index, node, node_type)
                self._check_exec_outputs(index, node, node_type)
        self._check_data_cycles()
        self._check_initiators()
        return self._found

    # --- reporting ---

    def _error(self, code: str, path: str, message: str, cure: str, rule: str = "M5") -> None:
        self._found.append(Problem(code, Severity.ERROR, path, message, cure, rule))

    def _warning(self, code: str, path: str, message: str, cure: str) -> None:
        self._found.append(Problem(code, Severity.WARNING, path, message, cure, "M5"))

    # --- declarations ---

    def _check_declarations(self) -> None:
        graph = self._graph
        for kind, names in (
            ("variables", [variable.name for variable in graph.variables]),
            ("events", [event.name for event in graph.events]),
        ):
            seen: set[str] = set()
            for place, name in enumerate(names):
                if name in seen:
                    self._error(
                        "duplicate-id", f"{kind}[{place}].name", f"{name!r} is declared twice.", "Keep one.", "M1"
                    )
                seen.add(name)
        policies = [*POLICIES, *self._registry.merges]
        for place, variable in enumerate(graph.variables):
            if variable.merge not in policies:
                self._error(
                    "unknown-merge-policy",
                    f"variables[{place}].merge",
                    f"There is no merge policy {variable.merge!r}.",
                    f"Use one of {', '.join(policies)}.{did_you_mean(variable.merge, policies)}",
                    "F4",
                )
            if variable.type not in NAMED_TYPES:
                self._error(
                    "unknown-type",
                    f"variables[{place}].type",
                    f"There is no type {variable.type!r}.",
                    f"Use one of {', '.join(NAMED_TYPES)}.{did_you_mean(variable.type, NAMED_TYPES)}",
                    "M1",
                )
            elif variable.default is not None:
                self._check_value(
                    variable.default, NAMED_TYPES[variable.type], f"variables[{place}].default", "the variable"
                )

    def _check_value(self, value: Any, type_: Any, path: str, whose: str) -> None:
        try:
            coerce_literal(value, type_, self._registry.converters)
        except Mismatch as mismatch:
            self._error(
                "type-mismatch", path, f"{mismatch}.".capitalize(), f"Give {whose} a {describe_type(type_)}.", "D11"
            )

    # --- nodes ---

    def _check_nodes(self) -> None:
        known: dict[str, NodeType | None] = {}
        for place, node in enumerate(self._graph.nodes):
            path = f"nodes[{place}]"
            if not node.id:
                self._error("invalid-id", f"{path}.id", "The id is empty.", "Give the node a name.", "M1")
            if node.id in self._index:
                other = self._index[node.id]
                self._error(
                    "duplicate-id",
                    f"{path}.id",
                    f"{node.id!r} is the id of nodes[{other}] too.",
                    "Give one of them another id.",
                    "M1",
                )
            else:
                self._index[node.id] = place
            if node.type not in known:
                known[node.type] = self._graph.types.get(node.type) or self._look_up(node.type, f"{path}.type")
            elif known[node.type] is None:
                self._look_up(node.type, f"{path}.type")
            self._types.append(known[node.type])
            self._outgoing.append([])

    def _look_up(self, type_id: str, path: str) -> NodeType | None:
        try:
            found = self._registry.find(type_id)
        except NodePackageError as error:
            self._error("node-package", path, str(error), "Repair the package, or use another node.")
            found = None
        else:
            if found is None:
                near = did_you_mean(type_id, self._registry.ids())
                self._error(
                    "unknown-node-type",
                    path,
                    f"There is no node type {type_id!r}.",
                    f"Name a registered type, or add the package that declares it.{near}",
                )
        if found is None:
            self._complete = False
        return found

    # --- connections ---

    def _check_connections(self) -> None:
        for place, connection in enumerate(self._graph.connections):
            source = self._end(connection.source, f"connections[{place}].from", outgoing=True)
            target = self._end(connection.target, f"connections[{place}].to", outgoing=False)
            if source is None or target is None:
                self._complete = False
                continue
            (source_node, source_socket), (target_node, target_socket) = source, target
            is_exec = source_socket in self._type(source_node).exec_output_index
            exec_input = any(socket.name == target_socket for socket in self._type(target_node).exec_inputs)
            if is_exec is not exec_input:
                kinds = ("an exec output", "a data input") if is_exec else ("a data output", "an exec input")
                self._error(
                    "kind-mismatch",
                    f"connections[{place}]",
                    f"{connection.source} is {kinds[0]}, {connection.target} is {kinds[1]}.",
                    "Connect exec to exec and data to data.",
                    "M3",
                )
                self._complete = False
                continue
            wire = _Wire(place, connection, source_node, target_node, is_exec)
            if not is_exec:
                first = self._supplied.get((target_node, target_socket))
                if first is not None:
                    self._error(
                        "second-source",
                        f"connections[{place}].to",
                        f"{connection.target} already gets its value from {first.connection.source} "
                        f"(connections[{first.index}]).",
                        "A data input has one source: remove one of the two.",
                        "M3",
                    )
                    continue
                self._supplied[target_node, target_socket] = wire
                self._check_wire_types(wire)
            self._wires.append(wire)
            self._outgoing[source_node].append(wire)

    def _type(self, node: int) -> NodeType:
        found = self._types[node]
        assert found is not None
        return found

    def _end(self, end: Endpoint, path: str, *, outgoing: bool) -> tuple[int, str] | None:
        node = self._index.get(end.node)
        if node is None:
            near = did_you_mean(end.node, self._index)
            self._error("unknown-node", path, f"There is no node {end.node!r}.", f"Name a node of the graph.{near}")
            return None
        node_type = self._types[node]
        if node_type is None:
            return None  # its type is unknown, which is reported already
        outputs = [socket.name for socket in (*node_type.exec_outputs, *node_type.outputs)]
        inputs = [socket.name for socket in (*node_type.exec_inputs, *node_type.inputs)]
        here, there = (outputs, inputs) if outgoing else (inputs, outputs)
        if end.socket in here:
            return node, end.socket
        side, other = ("output", "input") if outgoing else ("input", "output")
        hint = f" It has an {other} of that name." if end.socket in there else did_you_mean(end.socket, here)
        self._error(
            "unknown-socket",
            path,
            f"Node {end.node!r} ({node_type.id}) has no {side} {end.socket!r}.",
            f"It has: {', '.join(here) or 'none'}.{hint}",
        )
        return None

    def _check_wire_types(self, wire: _Wire) -> None:
        source_type, target_type = self._type(wire.source), self._type(wire.target)
        output = source_type.outputs[source_type.output_index[wire.connection.source.socket]]
        planned = target_type.inputs[target_type.input_index[wire.connection.target.socket]]
        if not compatible(output.type, planned.type, self._registry.converters):
            self._error(
                "type-mismatch",
                f"connections[{wire.index}]",
                f"{wire.connection.source} gives {describe_type(output.type)}, "
                f"{wire.connection.target} takes {describe_type(planned.type)}.",
                "Put a conversion node between, or declare a converter.",
                "D11",
            )

    # --- inputs, streams, exec outputs of one node ---

    def _check_inputs(self, index: int, node: GraphNode, node_type: NodeType) -> None:
        path = f"nodes[{index}].inputs"
        for name, literal in node.inputs.items():
            place = node_type.input_index.get(name)
            if place is None:
                known = [socket.name for socket in node_type.inputs]
                self._error(
                    "unknown-socket",
                    f"{path}.{name}",
                    f"{node_type.id} has no data input {name!r}.",
                    f"It has: {', '.join(known) or 'none'}.{did_you_mean(name, known)}",
                )
                continue
            if literal is not None:
                self._check_value(literal, node_type.inputs[place].type, f"{path}.{name}", "the input")
        for socket in node_type.inputs:
            wired = (index, socket.name) in self._supplied
            value = node.inputs.get(socket.name, socket.default)
            if not wired and value is UNSET:
                self._error(
                    "missing-input",
                    f"{path}.{socket.name}",
                    f"Input {socket.name!r} of {node.id!r} has no wire, no literal and no default.",
                    f"Wire it, or give it a literal ({describe_type(socket.type)}).",
                    "D1",
                )
            if socket.names is not None:
                self._check_name(index, node_type, socket, value, wired=wired)

    def _check_name(self, index: int, node_type: NodeType, socket: DataIn[Any], value: object, *, wired: bool) -> None:
        path = f"nodes[{index}].inputs.{socket.name}"
        if wired:
            if node_type.listens == socket.name:
                self._error(
                    "wired-event-name",
                    path,
                    "What a listener listens for must be known before the run starts.",
                    "Give the name as a literal instead of a wire.",
                    "B1",
                )
            return
        declared = self._graph.variables if socket.names == "variable" else self._graph.events
        names = [each.name for each in declared]
        if isinstance(value, str) and value not in names:
            self._error(
                f"undeclared-{socket.names}",
                path,
                f"There is no {socket.names} {value!r}.",
                f"Declare it in the graph, or name one of: {', '.join(names) or 'none'}.{did_you_mean(value, names)}",
            )

    def _check_streams(self, index: int, node: GraphNode, node_type: NodeType) -> None:
        settings = node.stream
        if settings is None:
            return
        path = f"nodes[{index}].stream"
        if not node_type.streams:
            self._error("no-stream", path, f"{node_type.id} has no stream to set.", "Remove the setting.", "S2")
        if settings.limit is not None and settings.limit < 0:
            self._error(
                "bad-limit", f"{path}.limit", f"A limit can't be {settings.limit}.", "Use 0 for any number.", "S3"
            )
        for name, allowed in (("mode", ("sequential", "concurrent")), ("on_error", ("fail", "collect"))):
            value = getattr(settings, name)
            if value is not None and value not in allowed:
                self._error(
                    "bad-setting",
                    f"{path}.{name}",
                    f"{value!r} is not known.",
                    f"Use {' or '.join(allowed)}.{did_you_mean(str(value), allowed)}",
                    "S2",
                )

    def _check_exec_outputs(self, index: int, node: GraphNode, node_type: NodeType) -> None:
        wired = {wire.connection.source.socket for wire in self._outgoing[index]}
        for socket in node_type.exec_outputs:
            if socket.must_handle and socket.name not in wired:
                self._warning(
                    "unhandled-output",
                    f"nodes[{index}]",
                    f"Exec output {socket.name!r} of {node.id!r} leads nowhere.",
                    "Its type says that it should be handled: wire it.",
                )

    # --- cycles ---

    def _check_data_cycles(self) -> None:
        data_only = [
            [
                wire.target
                for wire in wires
                if not wire.is_exec and not self._is_exec(wire.source) and not self._is_exec(wire.target)
            ]
            for wires in self._outgoing
        ]
        for cycle in _cycles(data_only):
            names = " -> ".join(repr(self._graph.nodes[node].id) for node in (*cycle, cycle[0]))
            self._error(
                "data-cycle",
                f"nodes[{min(cycle)}]",
                f"Data nodes depend on each other: {names}.",
                "Break the cycle, or pass the value through an exec node, which makes it feedback.",
            )
        exec_wires = [[wire.target for wire in wires if wire.is_exec] for wires in self._outgoing]
        for cycle in _cycles(exec_wires):
            if all(self._hands_over(node) for node in cycle):
                continue
            names = " -> ".join(repr(self._graph.nodes[node].id) for node in (*cycle, cycle[0]))
            self._warning(
                "exec-cycle",
                f"nodes[{min(cycle)}]",
                f"Control comes back to where it was: {names}.",
                "That is legal; but each node in it that awaits its trigger, instead of returning the output, nests.",
            )

    def _is_exec(self, node: int) -> bool:
        node_type = self._types[node]
        return node_type is not None and node_type.is_exec

    def _hands_over(self, node: int) -> bool:
        """A function node always hands over (T6); what a class does can't be seen from outside."""
        node_type = self._types[node]
        return node_type is not None and isinstance(node_type.body, FunctionBody)

    # --- initiators and what they reach ---

    def _check_initiators(self) -> None:
        starts: list[int] = []
        listeners: list[int] = []
        for index, (node, node_type) in enumerate(zip(self._graph.nodes, self._types, strict=True)):
            if node_type is None:
                continue
            if node.initiator and not node_type.is_exec:
                self._error(
                    "data-initiator",
                    f"nodes[{index}].initiator",
                    f"{node.id!r} is a data node ({node_type.id}), which runs only when its value is asked for.",
                    "Mark an exec node.",
                    "M4",
                )
            elif node.initiator or (node.initiator is None and node_type.initiator):
                starts.append(index)
            if node_type.listens is not None:
                listeners.append(index)
        if not starts and self._complete:
            self._error(
                "no-initiator",
                "nodes",
                "No node starts the graph, so nothing would run.",
                'Add a node of a type such as flow.start, or mark one with "initiator": true.',
                "M4",
            )
        if self._complete and starts:
            self._check_reachable([*starts, *listeners])

    def _check_reachable(self, starts: Sequence[int]) -> None:
        reached = set(starts)
        waiting = list(starts)
        sources: list[list[int]] = [[] for _ in self._graph.nodes]
        for wire in self._wires:
            if not wire.is_exec:
                sources[wire.target].append(wire.source)
        while waiting:
            place = waiting.pop()
            after = [wire.target for wire in self._outgoing[place] if wire.is_exec]
            # A data node is reached by whoever consumes it; reading an exec node's output does not run it (D2).
            asked = [source for source in sources[place] if not self._is_exec(source)]
            for other in (*after, *asked):
                if other not in reached:
                    reached.add(other)
                    waiting.append(other)
        for index, node in enumerate(self._graph.nodes):
            if index not in reached:
                how = "no exec wire leads to it" if self._is_exec(index) else "nothing that runs asks for its value"
                self._warning(
                    "unreachable", f"nodes[{index}]", f"{node.id!r} never runs: {how}.", "Wire it up, or remove it."
                )


def _cycles(edges: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """One cycle of each knot, found by a depth-first walk without recursion."""
    new, open_, done = 0, 1, 2
    state = [new] * len(edges)
    for start in range(len(edges)):
        if state[start] != new or not edges[start]:
            continue
        path = [start]
        branches = [iter(edges[start])]
        state[start] = open_
        while branches:
            for target in branches[-1]:
                if state[target] == open_:
                    yield path[path.index(target) :]
                elif state[target] == new:
                    state[target] = open_
                    path.append(target)
                    branches.append(iter(edges[target]))
                    break
            else:
                state[path.pop()] = done
                branches.pop()
