"""The wiring: a graph as the checks of validation see it. Ids, sockets and wires are looked up once, here.

Looking up is a check of its own: what a connection names must exist (M5), join an output to an input of the same kind,
and be the only source of a data input (M3). What is found wrong on the way is in `problems`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from trioflow.errors import NodeDefinitionError, NodePackageError, did_you_mean, nearest
from trioflow.model.composition import OWN_OUTPUTS
from trioflow.model.graph import Connection, Endpoint, GraphNode, Unreadable
from trioflow.model.node_type import NodeType
from trioflow.model.scope import FILE, Scope, config_key
from trioflow.model.sockets import DataIn, DataOut, ExecIn, ExecOut
from trioflow.model.types import describe_type
from trioflow.semantics.coercion import compatible
from trioflow.semantics.report import Problem, error

_NAMES_COMPARED = 100_000
# Finding near names costs a comparison with each name there is. A report spends so many, then it goes without:
# otherwise a large graph with many typing errors would take minutes.


@attrs.frozen(eq=False)
class TypeView:
    """What the checks ask of a node type, computed once for all its nodes."""

    type: NodeType
    is_exec: bool
    inputs: Mapping[str, ExecIn | DataIn[Any]]
    outputs: Mapping[str, ExecOut | DataOut[Any]]
    required: tuple[DataIn[Any], ...]
    naming: tuple[tuple[DataIn[Any], str], ...]
    """The inputs whose value names a variable or an event of the graph, and which of the two."""
    must_handle: tuple[ExecOut, ...]

    @classmethod
    def of(cls, node_type: NodeType) -> TypeView:
        """The view of one type."""
        inputs: dict[str, ExecIn | DataIn[Any]] = {socket.name: socket for socket in node_type.exec_inputs}
        outputs: dict[str, ExecOut | DataOut[Any]] = {socket.name: socket for socket in node_type.exec_outputs}
        naming: list[tuple[DataIn[Any], str]] = []
        for socket in node_type.inputs:
            inputs[socket.name] = socket
            names = "event" if socket.name == node_type.listens else socket.names
            if names is not None:
                naming.append((socket, names))
        for output in node_type.outputs:
            outputs[output.name] = output
        return cls(
            type=node_type,
            is_exec=node_type.is_exec,
            inputs=inputs,
            outputs=outputs,
            required=tuple(socket for socket in node_type.inputs if socket.required),
            naming=tuple(naming),
            must_handle=tuple(output for output in node_type.exec_outputs if output.must_handle),
        )


_ANY = ExecOut()
_ANY.name = ""


class Wiring:
    """The nodes of a graph by place (their index in the document), their types, and the wires between them."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.graph = scope.graph
        self.registry = scope.registry
        self.problems: list[Problem] = []
        self.place: dict[str, int] = {}
        self.views: list[TypeView | None] = []
        # Whether every node's type is known, and whether every connection could be followed too. If not, much can't
        # be told, such as what is unreachable; a report of it would only be noise.
        self.typed = True
        self.complete = True
        # By place and name of a data input: the index of the connection that supplies it.
        self.supplied: dict[tuple[int, str], int] = {}
        # Inputs of connections that are wrong: they are reported once, not as missing too.
        self.meant: set[tuple[int, str]] = set()
        # Exec outputs with `must_handle` that are wired.
        self.handled: set[tuple[int, str]] = set()
        # By place: where exec wires lead; and the data nodes whose values it asks for (D3).
        self.dispatches: dict[int, list[int]] = {}
        self.demands: dict[int, list[int]] = {}
        self._fitting: dict[tuple[DataOut[Any], DataIn[Any]], bool] = {}
        self._names_left = _NAMES_COMPARED
        self._look_up_nodes()
        self._look_up_connections()
        # Whether anything says what is done where nodes fail.
        self.has_policies = bool(self.graph.policies) or any(
            node.policy is not None or (view is not None and view.type.policy is not None)
            for node, view in zip(self.graph.nodes, self.views, strict=True)
        )

    def suggest(self, word: object, known: Collection[str]) -> str:
        """`did_you_mean`, as long as it does not take too long."""
        if not isinstance(word, str) or len(known) > self._names_left:
            return ""
        self._names_left -= len(known)
        return did_you_mean(word, known)

    def is_exec(self, place: int) -> bool:
        """Whether the node there is known to be an exec node (M2)."""
        view = self.views[place]
        return view is not None and view.is_exec

    def name(self, place: int) -> str:
        """The id of the node there, quoted."""
        return repr(self.graph.nodes[place].id)

    # --- nodes ---

    def _look_up_nodes(self) -> None:
        views: dict[tuple[str, str], TypeView | None] = {}
        # What was found wrong with an id: each of its nodes is reported, but it is looked up once.
        reasons: dict[tuple[str, str], tuple[str, str, str]] = {}
        for place, node in enumerate(self.graph.nodes):
            if node.id in self.place:
                self.complete = False  # which of the two a connection means can't be told
            else:
                self.place[node.id] = place
            key = (node.type, config_key(node))
            if key not in views:
                found = self._look_up_type(node)
                views[key] = TypeView.of(found) if isinstance(found, NodeType) else None
                if not isinstance(found, NodeType):
                    reasons[key] = found
            if key in reasons:
                code, message, cure = reasons[key]
                field = "config" if code == "config" else "type"
                self.problems.append(error(code, f"nodes[{place}].{field}", message, cure))
                self.typed = self.complete = False
            self.views.append(views[key])

    def _look_up_type(self, node: GraphNode) -> NodeType | tuple[str, str, str]:
        """The type of a node; or the code, the message and the cure of the problem that there is none."""
        type_id = node.type
        try:
            found = self.scope.type_of(node)
        except NodePackageError as reason:
            message = " ".join(str(reason).split())
            return "node-package", message, "Repair the package, or use another node."
        except NodeDefinitionError as reason:
            cure = f"`trioflow nodes {type_id}` says what it may be."
            return "config", str(reason), cure
        if found is not None:
            return found
        if type_id.startswith(FILE):
            return self._no_file(type_id)
        if self.registry.leaves_out(type_id):
            message, cure = self.registry.why_left_out(type_id)
            return "unknown-node-type", message, cure
        known = {*self.scope.names(), *self.registry.ids()}
        near = self.suggest(type_id, known)
        if near and not nearest(type_id.partition(".")[0], {each.partition(".")[0] for each in known}):
            near = ""  # it is one of a package of nodes that is not here, and not one of these misspelt
        cure = (
            "Name a known type, or the module that declares this one: `--nodes MODULE` on the command line, "
            f"registry.add_module('MODULE') in Python.{near}"
        )
        return "unknown-node-type", f"There is no node type {type_id!r}.", cure

    def _no_file(self, type_id: str) -> tuple[str, str, str]:
        path = type_id.removeprefix(FILE)
        found = self.graph.files.get(path)
        if isinstance(found, Unreadable):
            reasons = "; ".join(found.problems)
            return "unreadable-file", f"{path} can't be read as a graph: {reasons}", "Repair it, or name another file."
        message = f"{path} was not read: this graph does not come from a file."
        return "unreadable-file", message, "Load the document with trioflow.load, or name a graph in it: graph:NAME."

    # --- connections ---

    def _look_up_connections(self) -> None:
        for index, wire in enumerate(self.graph.connections):
            if not wire.enabled:  # W18
                continue
            source, target = wire.source, wire.target
            from_place, to_place = self.place.get(source.node), self.place.get(target.node)
            from_view = self.views[from_place] if from_place is not None else None
            to_view = self.views[to_place] if to_place is not None else None
            output = self._output(from_view, wire) if from_view is not None else None
            input_ = to_view.inputs.get(target.socket) if to_view is not None else None
            if from_place is None or to_place is None or output is None or input_ is None:
                self._report_ends(index, wire)
                if to_place is not None:
                    self.meant.add((to_place, target.socket))
            elif isinstance(output, ExecOut):
                if isinstance(input_, ExecIn):
                    self.dispatches.setdefault(from_place, []).append(to_place)
                    if output.must_handle:
                        self.handled.add((from_place, output.name))
                else:
                    self.meant.add((to_place, target.socket))
                    self._report_kinds(index, wire, "an exec output", "a data input")
            elif isinstance(input_, ExecIn):
                self._report_kinds(index, wire, "a data output", "an exec input")
            else:
                self._add_source(index, wire, to_place, input_)
                self._check_types(index, wire, output, input_)
                if not self.is_exec(from_place):
                    self.demands.setdefault(to_place, []).append(from_place)

    def _output(self, view: TypeView, wire: Connection) -> ExecOut | DataOut[Any] | None:
        """The output that a wire starts at. In a workflow, one that is taken anyhow starts at any exec output (W3)."""
        if self.graph.kind == "workflow" and view.is_exec:
            if wire.source.socket in OWN_OUTPUTS:
                return OWN_OUTPUTS[wire.source.socket]  # W12, W23
            if not wire.source.socket and ("completed" not in wire.outcomes or not view.type.exec_outputs):
                return _ANY
        return view.outputs.get(wire.source.socket)

    def _add_source(self, index: int, wire: Connection, place: int, socket: DataIn[Any]) -> None:
        first = self.supplied.setdefault((place, socket.name), index)
        if first != index:  # M3
            other = self.graph.connections[first].source
            self.problems.append(
                error(
                    "second-source",
                    f"connections[{index}].to",
                    f"{wire.target} gets its value from {other} (connections[{first}]), and from {wire.source} too.",
                    "A data input has one source: remove one of the two.",
                    "M3",
                )
            )

    def _check_types(self, index: int, wire: Connection, output: DataOut[Any], input_: DataIn[Any]) -> None:
        fits = self._fitting.get((output, input_))
        if fits is None:
            fits = compatible(output.type, input_.type, self.registry.converters)
            self._fitting[output, input_] = fits
        if not fits:  # D11
            gives, takes = describe_type(output.type), describe_type(input_.type)
            self.problems.append(
                error(
                    "type-mismatch",
                    f"connections[{index}]",
                    f"{wire.source} gives {gives}, {wire.target} takes {takes}.",
                    f"Put a node between that makes {takes} of {gives}, or register a converter.",
                    "D11",
                )
            )

    def _report_kinds(self, index: int, wire: Connection, output: str, input_: str) -> None:
        self.complete = False
        self.problems.append(
            error(
                "kind-mismatch",
                f"connections[{index}]",
                f"{wire.source} is {output}, {wire.target} is {input_}.",
                "Connect exec to exec and data to data.",
                "M3",
            )
        )

    def _report_ends(self, index: int, wire: Connection) -> None:
        self.complete = False
        self._report_end(wire.source, f"connections[{index}].from", outgoing=True)
        self._report_end(wire.target, f"connections[{index}].to", outgoing=False)

    def _report_end(self, end: Endpoint, path: str, *, outgoing: bool) -> None:
        place = self.place.get(end.node)
        if place is None:
            near = self.suggest(end.node, self.place)
            cure = f"Name a node of the graph.{near}"
            self.problems.append(error("unknown-node", path, f"There is no node {end.node!r}.", cure))
            return
        view = self.views[place]
        if view is None:
            return  # its type is unknown, which is reported already
        side, there = ("output", view.outputs) if outgoing else ("input", view.inputs)
        if end.socket in there or (outgoing and end.socket in OWN_OUTPUTS and self.graph.kind == "workflow"):
            return
        if not end.socket:
            kinds = view.type.exec_outputs if outgoing else view.type.exec_inputs
            named = ", ".join(f"{end.node}.{socket.name}" for socket in kinds)
            message = f"Node {end.node!r} ({view.type.id}) has {len(kinds) or 'no'} exec {side}s."
            cure = f"Name the one that is meant: {named}." if kinds else f"Name a socket: {', '.join(there) or 'none'}."
            self.problems.append(error("unknown-socket", path, message, cure))
            return
        self.problems.append(self.unknown_socket(view, end, path, side, list(there)))

    def unknown_socket(self, view: TypeView, end: Endpoint, path: str, side: str, known: Sequence[str]) -> Problem:
        """The problem that a node has no input or output of a name; says so if it exists on the other side (M3)."""
        # Inputs and outputs are separate namespaces (M3), and a literal needs a data input.
        if end.socket in view.inputs:
            kind = "an exec input" if isinstance(view.inputs[end.socket], ExecIn) else "a data input"
            hint = f" {end.socket!r} is {kind}."
        elif end.socket in view.outputs:
            kind = "an exec output" if isinstance(view.outputs[end.socket], ExecOut) else "a data output"
            hint = f" {end.socket!r} is {kind}."
        else:
            hint = self.suggest(end.socket, known)
        return error(
            "unknown-socket",
            path,
            f"Node {end.node!r} ({view.type.id}) has no {side} {end.socket!r}.",
            f"Its {side}s: {', '.join(known) or 'none'}.{hint}",
        )
