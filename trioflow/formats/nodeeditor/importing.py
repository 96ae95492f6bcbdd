"""From a document of the format to a graph of ours.

Every node keeps its place and what it was read from (in `metadata`), so that an export can give it back. What one node
of theirs takes besides, and what an implicit conversion there is here, come after all nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trioflow.errors import DocumentError, RegistryError, did_you_mean
from trioflow.formats.nodeeditor.document import Declared, Document, Raw, Socket, Value, Wire, ours_of, read_document
from trioflow.formats.nodeeditor.dotnet import ZEROS, BadValue, fits, kind_of, read_text, read_value
from trioflow.formats.nodeeditor.placed import Names, Placed, place, usual_connection
from trioflow.formats.nodeeditor.row import MAIN, Input, Output, Place, Row
from trioflow.formats.nodeeditor.tables import CONVERSIONS, ROWS, Conversion
from trioflow.formats.placeholder import KEY as PLACEHOLDER_KEY
from trioflow.formats.placeholder import Sockets
from trioflow.formats.port import Diagnostic, Imported, Severity
from trioflow.model.graph import Connection, CustomEvent, Endpoint, Graph, GraphNode, Variable
from trioflow.model.registry import Registry
from trioflow.model.sockets import UNSET

KEY = "nodeeditor"
"""The key in metadata of what an import keeps for an export."""

_MOST_SUGGESTIONS = 100
_MOST_NAMES = 20
_NODES = tuple(row.name for row in ROWS if row.type is not None)


def import_tree(tree: Any, registry: Registry | None = None, *, source: str = "<document>") -> Imported:
    """The graph that a document says; `tree` is the document as dicts and lists.

    What can't be taken over is in the diagnostics, all at once: a node without a counterpart becomes a placeholder
    (its type begins with `nodeeditor.`), with which the graph loads and can be drawn but not run; a connection that
    joins nothing is left out. Raises `DocumentError` with every problem if the tree is no document of the format.
    """
    document = read_document(tree, source)
    try:
        return _Importer(document, registry if registry is not None else Registry.standard()).imported()
    except RecursionError:
        raise DocumentError(source, ["it is nested too deeply. Flatten its values."]) from None


def variables_of(document: Document) -> dict[str, str]:
    """The names of our variables by the ids in the document; names are unique here."""
    return _distinct((each.id, each.name) for each in document.variables)


def events_of(document: Document) -> dict[str, str]:
    """The names of our events by the ids in the document; names are unique here."""
    return _distinct((each.id, each.name) for each in document.events)


def _distinct(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken: set[str] = set()
    for id_, name in items:
        names[id_] = name if name not in taken else f"{name} ({id_})"
        taken.add(names[id_])
    return names


class Literals:
    """What their values are as literals of ours, and what they have where the document says nothing."""

    def __init__(self, registry: Registry, values_are_texts: bool) -> None:
        self._registry = registry
        self._read = read_text if values_are_texts else read_value
        self._defaults: dict[str, Mapping[str, Any]] = {}

    def read(self, value: Value, kind: str | None) -> Any:
        """A value of the kind. Raises `BadValue`."""
        return self._read(value.json, kind_of(value.type_name) if kind in {None, "any"} else kind)

    def given(self, value: Value, input_: Input) -> Any:
        """The literal for our input that a value of theirs is. Raises `BadValue`."""
        ours = as_ours(self.read(value, input_.kind), input_)
        return ours if input_.least is None or ours is None else max(ours, input_.least)

    def default(self, type_id: str, socket: str) -> Any:
        """What our input has if nothing gives it a value; UNSET if that is nothing, or if the type is not there."""
        if type_id not in self._defaults:
            try:
                found = self._registry.find(type_id)
            except RegistryError:
                found = None
            self._defaults[type_id] = {each.name: each.default for each in found.inputs} if found is not None else {}
        return self._defaults[type_id].get(socket, UNSET)

    def of_unset(self, type_id: str, socket: str, input_: Input) -> Any:
        """The literal that gives our input what theirs has by default; UNSET if it needs none."""
        ours, theirs = self.default(type_id, socket), as_ours(input_.default, input_)
        if ours is not UNSET and (not input_.stated or ours == theirs):
            return UNSET
        return theirs


def as_ours(value: Any, input_: Input) -> Any:
    """A value of theirs in our unit."""
    if value is None or (input_.per == 1 and input_.more == 0):
        return value
    return (value if input_.per == 1 else value / input_.per) + input_.more


def variable_from(declared: Declared, name: str, literals: Literals) -> tuple[Variable, str]:
    """A variable of ours, and what is wrong with its value."""
    kind = kind_of(declared.type_name)
    type_ = kind if kind is not None and kind in ZEROS else "any"
    default: Any = ZEROS[type_]
    problem = ""
    if declared.default is not None:
        try:
            default = literals.read(declared.default, type_)
        except BadValue as error:
            default, problem = declared.default.json, str(error)
    return Variable(name, type_, default, doc=ours_of(declared.raw).get("doc", "")), problem


def _sockets(row: Row) -> Sockets:
    """The sockets of a placeholder."""
    return Sockets(
        tuple(each.to[0].socket for each in row.inputs if each.is_exec),
        tuple(each.source.socket for each in row.outputs if each.is_exec and each.source is not None),
        {each.to[0].socket: each.kind or "any" for each in row.inputs if not each.is_exec},
        {
            each.source.socket: each.kind or "any"
            for each in row.outputs
            if not each.is_exec and each.source is not None
        },
    )


class _Importer:
    def __init__(self, document: Document, registry: Registry) -> None:
        self._document = document
        self._literals = Literals(registry, document.values_are_texts)
        self._names = Names(variables_of(document), events_of(document))
        self._placed: dict[str, Placed] = {}
        self._diagnostics: list[Diagnostic] = []
        self._notes: dict[str, tuple[str, str, int]] = {}
        self._suggestions: dict[tuple[str, tuple[str, ...]], str] = {}
        # The ids of nodes of ours, so that those of parts and conversions are unlike them.
        self._ids = {node.id for node in document.nodes}
        self._wires: list[Connection] = []
        self._part_ids: dict[tuple[str, str], str] = {}
        self._conversions: dict[tuple[Endpoint, str], GraphNode] = {}
        self._dropped: list[list[Any]] = []
        self._odd: list[Raw] = []
        # By node: which of our sockets in its place are wired.
        self._wired_inputs: dict[str, set[Place]] = {}
        self._wired_outputs: dict[str, set[Place]] = {}

    def imported(self) -> Imported:
        nodes = self._document.nodes
        for node in nodes:
            self._placed[node.id] = placed = place(node, self._names)
            self._report_node(placed, node.path, node.name)
        self._connect()
        omitted = [[index, node.raw] for index, node in enumerate(nodes) if self._placed[node.id].row.type is None]
        made: list[GraphNode] = []
        parts: list[GraphNode] = []
        for node in nodes:
            placed = self._placed[node.id]
            if placed.row.type is not None:
                main, *others = self._make(placed, node.starts, node.raw)
                made.append(main)
                parts += others
        variables, implicit = self._variables([*made, *parts])
        kept = {
            "document": self._document.frame,
            "omitted": omitted,
            "dropped": self._dropped,
            "connections": self._odd,
            "implicit": implicit,
            "texts": self._document.values_are_texts,
        }
        frame = self._document.frame
        metadata = {**ours_of(frame).get("metadata", {}), KEY: {key: value for key, value in kept.items() if value}}
        events = [
            CustomEvent(self._names.events[each.id], ours_of(each.raw).get("doc", "")) for each in self._document.events
        ]
        graph = Graph(
            nodes=(*made, *parts, *self._conversions.values()),
            connections=self._wires,
            variables=variables,
            events=events,
            metadata=metadata,
        )
        starting = [node for node in made if node.initiator or (node.initiator is None and node.type == "flow.start")]
        if len(starting) > 1:
            message = (
                f"{len(starting)} nodes start a run: one after the other here, concurrently there. "
                "RunOptions(parallel_initiators=True) and `trioflow run --parallel` run them concurrently."
            )
            self._report("info", "differs", "nodes", message)
        for path, what in self._document.notes:
            self._report("info", "bad-field", path, f"{what[:1].upper()}{what[1:]}")
        for path, message, count in self._notes.values():
            more = f" (so for {count:,} nodes)" if count > 1 else ""
            self._report("info", "differs", path, message + more)
        return Imported(graph, tuple(self._diagnostics))

    # --- nodes ---

    def _report_node(self, placed: Placed, path: str, name: str) -> None:
        where = f"{path} {name!r}"
        if placed.is_placeholder:
            cure = f"It is kept as a placeholder, {placed.row.type}.{self._suggest(name, _NODES)}"
            problem = f"{placed.problem[:1].upper()}{placed.problem[1:]}."
            self._diagnostics.append(Diagnostic("error", "no-counterpart", where, problem, cure, node=placed.id))
        elif placed.row.note and placed.row.type is not None:
            first, message, count = self._notes.get(placed.row.name, (where, placed.row.note, 0))
            self._notes[placed.row.name] = (first, message, count + 1)
        for socket, meant in placed.stale():
            message = f"{name!r} has no socket {socket.name!r}: it is taken as {meant.name!r}, which is left over."
            self._report("info", "stale-socket", socket.path, message)
        for socket in placed.unknown_inputs():
            if placed.row.type is not None and socket.value is not None:
                known = ", ".join(each.name for each in placed.row.inputs) or "none"
                message = f"{name!r} has no input {socket.name!r}, so its value is left out."
                self._report("warning", "unknown-socket", socket.path, message, f"It has: {known}.")

    def _make(self, placed: Placed, starts: bool | None, raw: Raw) -> list[GraphNode]:
        """The node, followed by its parts that are needed."""
        row = placed.row
        assert row.type is not None
        needed = self._needed(placed)
        types = {MAIN: row.type} | {part: type_ for part, type_ in row.parts.items() if part in needed}
        literals: dict[str, dict[str, Any]] = {part: {} for part in types}
        for input_ in row.inputs:
            if not input_.is_exec:
                self._fill(placed, input_, types, literals)
        for target, value in row.given.items():
            if target.part in needed:
                literals[target.part][target.socket] = value
        self._wires += (
            Connection(self._end(placed, source), self._end(placed, target))
            for source, target in row.wires
            if target.part in needed
        )
        same = starts is None or starts == row.starts or not row.is_exec or row.listens
        initiator = None if same else starts
        metadata = {**ours_of(raw).get("metadata", {}), KEY: raw}
        if placed.is_placeholder:
            metadata[PLACEHOLDER_KEY] = _sockets(row).as_data()
        return [
            GraphNode(placed.id, row.type, literals.pop(MAIN), initiator, metadata=metadata),
            *(
                GraphNode(self._part(placed, part), types[part], inputs, metadata={KEY: {"part": [placed.id, part]}})
                for part, inputs in literals.items()
            ),
        ]

    def _fill(
        self, placed: Placed, input_: Input, types: Mapping[str, str], literals: Mapping[str, dict[str, Any]]
    ) -> None:
        """Give the value of an input of theirs to ours, or what it has by default."""
        socket = placed.socket(input_)
        value = UNSET
        if socket is not None and socket.value is not None:
            value = self._value(placed, socket, socket.value, input_)
            if input_.least is not None and value == input_.least != socket.value.json:
                said = f"{input_.name!r} of {placed.id!r} is {socket.value.json}"
                self._report(
                    "info", "differs", f"{socket.path}.value", f"{said}, which is taken for {value}, as there."
                )
            if type(value) is float and value.is_integer():
                self._note_float(placed.row, input_, socket.path)
            if not input_.to and value != input_.default:
                message = f"{input_.name!r} of {placed.row.name!r} has no counterpart, so its value is left out."
                self._report("warning", "no-counterpart", socket.path, message)
        wired = self._wired_inputs.get(placed.id, ())
        for target in input_.to:
            if target.part in types:
                literal = value
                if value is UNSET and not placed.is_placeholder and target not in wired:
                    literal = self._literals.of_unset(types[target.part], target.socket, input_)
                if literal is not UNSET:
                    literals[target.part][target.socket] = literal

    def _value(self, placed: Placed, socket: Socket, value: Value, input_: Input) -> Any:
        try:
            return self._literals.given(value, input_)
        except BadValue as error:
            message = f"Input {socket.name!r} of {placed.id!r}: {error}."
            self._report("error", "bad-value", f"{socket.path}.value", message, "Give it a value of its type.")
            return value.json

    def _needed(self, placed: Placed) -> frozenset[str]:
        return placed.row.needed(self._wired_outputs.get(placed.id, ()))

    def _part(self, placed: Placed, part: str) -> str:
        if not part:
            return placed.id
        if (placed.id, part) not in self._part_ids:
            self._part_ids[placed.id, part] = self._free(f"{placed.id}/{part}")
        return self._part_ids[placed.id, part]

    def _free(self, stem: str) -> str:
        """An id that no node has."""
        node_id, number = stem, 1
        while node_id in self._ids:
            number += 1
            node_id = f"{stem} {number}"
        self._ids.add(node_id)
        return node_id

    def _end(self, placed: Placed, place: Place) -> Endpoint:
        return Endpoint(self._part(placed, place.part), place.socket)

    # --- connections ---

    def _connect(self) -> None:
        found: list[tuple[int, Wire, Placed, Output, Placed, Input]] = []
        for index, wire in enumerate(self._document.wires):
            ends = self._ends(wire)
            if ends is None:
                self._dropped.append([index, wire.raw])
            else:
                found.append((index, wire, *ends))
        # The last source of an input is the one that counts there.
        last = {(target.id, input_.name): index for index, _, _, _, target, input_ in found if not input_.is_exec}
        kept: list[tuple[Wire, Placed, Output, Placed, Input]] = []
        for index, wire, source, output, target, input_ in found:
            if not input_.is_exec and last[target.id, input_.name] != index:
                other = f"connections[{last[target.id, input_.name]}]"
                message = f"Input {input_.name!r} of {target.id!r} gets its value from {other}."
                self._drop(wire, "second-source", message, "A data input has one source.")
                self._dropped.append([index, wire.raw])
                continue
            kept.append((wire, source, output, target, input_))
            assert output.source is not None
            self._wired_outputs.setdefault(source.id, set()).add(output.source)
            self._wired_inputs.setdefault(target.id, set()).update(input_.to)
            if wire.raw != usual_connection(source, output.source, target, input_.to[0]):
                self._odd.append(wire.raw)
        for each in kept:
            self._join(*each)
        self._dropped.sort(key=lambda each: each[0])

    def _ends(self, wire: Wire) -> tuple[Placed, Output, Placed, Input] | None:
        """Both ends of a connection; None if it can't be taken over, which is then reported."""
        source, target = self._placed.get(wire.source), self._placed.get(wire.target)
        for side, node_id, placed in (("output", wire.source, source), ("input", wire.target, target)):
            if placed is None:
                self._drop(wire, "unknown-node", f"There is no node {node_id!r} for its {side}.")
        if source is None or target is None:
            return None
        output, input_ = source.outputs.find(wire.output), target.inputs.find(wire.input)
        for side, placed, name, socket, known in (
            ("output", source, wire.output, output, source.row.outputs),
            ("input", target, wire.input, input_, target.row.inputs),
        ):
            if socket is None:
                names = tuple(each.name for each in known[:_MOST_NAMES])
                cure = f"Its {side}s: {', '.join(names) or 'none'}.{self._suggest(name, names)}"
                message = f"Node {placed.id!r} ({placed.row.name}) has no {side} {name!r}."
                self._drop(wire, "unknown-socket", message, cure)
        if output is None or input_ is None:
            return None
        if not self._fits(wire, source, output, target, input_):
            return None
        return source, output, target, input_

    def _fits(self, wire: Wire, source: Placed, output: Output, target: Placed, input_: Input) -> bool:
        ends = f"{source.id}.{wire.output} -> {target.id}.{wire.input}"
        if output.is_exec != input_.is_exec:
            kinds = [f"{'an exec' if each.is_exec else 'a data'} socket" for each in (output, input_)]
            self._drop(wire, "kind-mismatch", f"{ends} joins {kinds[0]} and {kinds[1]}.")
            return False
        if output.source is None and output.is_exec:
            message = f"{ends} is left out: {source.row.name!r} never goes on at {output.name!r}, there neither."
            self._report("info", "never-fires", wire.path, message)
            return False
        if output.source is None or not input_.to:
            name, row = (output.name, source.row.name) if output.source is None else (input_.name, target.row.name)
            self._drop(wire, "no-counterpart", f"{ends}: {name!r} of {row!r} has no counterpart.")
            return False
        told = target.socket(input_)
        there = (source.kind_of(output), told.kind if told is not None else input_.kind)
        here = (output.kind, input_.kind)
        if not fits(*there) or not (fits(*here) or here in CONVERSIONS):
            gives, takes = there if not fits(*there) else here
            self._drop(wire, "type-mismatch", f"{ends}: {gives} can't go into {takes}.", "Put a conversion between.")
            return False
        return True

    def _join(self, wire: Wire, source: Placed, output: Output, target: Placed, input_: Input) -> None:
        assert output.source is not None
        start = self._end(source, output.source)
        if output.kind == "float":
            self._note_float(target.row, input_, wire.path)
        if output.per != 1:
            start = self._converted(start, f"* {output.per}", Conversion("math.multiply", "a"), {"b": output.per})
        conversion = CONVERSIONS.get((output.kind, input_.kind))
        if conversion is not None and not output.is_exec and ours_of(wire.raw).get("converted") is not False:
            start = self._converted(start, f"as {input_.kind}", conversion, {})
        if input_.per != 1:
            start = self._converted(start, f"/ {input_.per}", Conversion("math.divide", "a"), {"b": input_.per})
        if input_.more:
            start = self._converted(start, f"{input_.more:+}", Conversion("math.add", "a"), {"b": input_.more})
        needed = self._needed(target)
        self._wires += (Connection(start, self._end(target, each)) for each in input_.to if each.part in needed)

    def _note_float(self, row: Row, input_: Input, path: str) -> None:
        """Texts of floats differ: say so once for each type of node that makes one."""
        if input_.kind == "str" or (input_.kind == "any" and row.writes_texts):
            key = f"{row.name}: floats"
            first, message, count = self._notes.get(
                key, (path, f"{row.name!r} writes a float without a fraction as 50.0 here, and as 50 there.", 0)
            )
            self._notes[key] = (first, message, count + 1)

    def _converted(self, start: Endpoint, how: str, conversion: Conversion, given: Mapping[str, Any]) -> Endpoint:
        """The output of a node that makes something else of what the endpoint gives, which .NET does by itself."""
        key = (start, how)
        if key not in self._conversions:
            node_id = self._free(f"{start} {how}")
            self._conversions[key] = GraphNode(
                node_id, conversion.type, given, metadata={KEY: {"converts": str(start)}}
            )
            self._wires.append(Connection(start, Endpoint(node_id, conversion.input)))
        return Endpoint(self._conversions[key].id, conversion.output)

    # --- variables ---

    def _variables(self, nodes: list[GraphNode]) -> tuple[list[Variable], list[str]]:
        """The variables of the document, and those that nodes name without declaring them, with their names."""
        variables: list[Variable] = []
        for each in self._document.variables:
            name = self._names.variables[each.id]
            if name != each.name:
                message = f"Another variable is called {each.name!r} too: this one becomes {name!r}."
                self._report("info", "renamed", f"{each.path}.name", message)
            variable, problem = variable_from(each, name, self._literals)
            if problem:
                self._report("error", "bad-value", f"{each.path}.defaultValue", f"Variable {name!r}: {problem}.")
            variables.append(variable)
        declared = {each.name for each in variables}
        implicit: dict[str, Variable] = {}
        for node in nodes:
            named = node.inputs.get("name")
            if node.type.startswith("variable.") and isinstance(named, str) and named not in declared:
                if named not in implicit:
                    message = f"The document does not declare the variable {named!r}: here it is declared, of any type."
                    self._report("info", "undeclared-variable", "variables", message)
                # One that is counted up before it is set starts at zero there.
                counted = node.type == "variable.update" or (named in implicit and implicit[named].default == 0)
                implicit[named] = Variable(named, "any", 0 if counted else None)
        return [*variables, *implicit.values()], [*implicit]

    # --- diagnostics ---

    def _report(self, severity: Severity, code: str, path: str, message: str, cure: str = "") -> None:
        self._diagnostics.append(Diagnostic(severity, code, path, message, cure))

    def _drop(self, wire: Wire, code: str, message: str, cure: str = "") -> None:
        self._report("warning", code, wire.path, message, f"The connection is left out. {cure}".rstrip())

    def _suggest(self, name: str, known: tuple[str, ...]) -> str:
        """The nearest known names."""
        # That costs milliseconds, and a document may have thousands of unknown names.
        if (name, known) not in self._suggestions and len(self._suggestions) < _MOST_SUGGESTIONS:
            self._suggestions[name, known] = did_you_mean(name, known)
        return self._suggestions.get((name, known), "")
