"""From a graph of ours to a document of the format, if that loses nothing.

What an import kept is given back as it was. Whether anything got lost is not reasoned about but tried: the document is
imported again, and what comes out must be the graph.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import attrs

from trioflow.errors import DocumentError
from trioflow.formats.nodeeditor.document import OURS, Raw, Value, ours_of, read_document, read_node, read_wire
from trioflow.formats.nodeeditor.dotnet import TYPE_NAMES, ZEROS, BadValue, kind_of_value
from trioflow.formats.nodeeditor.importing import (
    KEY,
    Literals,
    events_of,
    import_tree,
    variable_from,
    variables_of,
)
from trioflow.formats.nodeeditor.placed import Names, Placed, bound_to, place, place_new, usual_connection
from trioflow.formats.nodeeditor.row import MAIN, Input, Place, Row
from trioflow.formats.nodeeditor.tables import CONVERSIONS, ROWS_BY_TYPE
from trioflow.formats.placeholder import KEY as PLACEHOLDER_KEY
from trioflow.model.graph import Connection, CustomEvent, Endpoint, Graph, GraphNode, Variable
from trioflow.model.registry import Registry
from trioflow.model.sockets import UNSET

_COLUMNS, _WIDTH, _HEIGHT = 8, 260, 180
_NEW_FRAME: Raw = {
    "version": 1,
    "nodes": [],
    "connections": [],
    "viewport": {"x": 0, "y": 0, "width": 1600, "height": 900, "zoom": 1},
    "selectedNodeIds": [],
}


def export_tree(graph: Graph, registry: Registry | None = None) -> Raw:
    """The document that says the graph, as dicts and lists, such that `import_tree` gives an equal graph.

    A graph that was imported gives the document that it came from, with what has been changed since. Equal is meant
    without what an import keeps in `metadata`. Raises `DocumentError` with everything that the format can't say.
    """
    registry = registry if registry is not None else Registry.standard()
    exporter = _Exporter(graph, registry)
    tree = exporter.tree()
    problems = exporter.problems or [*_lost(graph, tree, registry)]
    if problems:
        raise DocumentError("<graph>", problems)
    return tree


class _Exporter:
    def __init__(self, graph: Graph, registry: Registry) -> None:
        self.problems: list[str] = []
        self._graph = graph
        self._kept = _kept(graph.metadata)
        self._frame: Raw = dict(self._kept.get("document", _NEW_FRAME))
        self._known = read_document(self._frame)
        self._texts: bool = self._kept.get("texts", False)
        self._literals = Literals(registry, self._texts)
        implicit = self._kept.get("implicit", ())
        self._declared = [each for each in graph.variables if each.name not in implicit]
        self._variables = _ids(variables_of(self._known), (each.name for each in self._declared))
        self._events = _ids(events_of(self._known), (each.name for each in graph.events))
        self._names = Names(_reversed(self._variables), _reversed(self._events))
        # Nodes of ours that are part of one of theirs, by what they are there; and those that only convert what
        # crosses a connection, by where that comes from.
        self._parts: dict[tuple[str, str], GraphNode] = {}
        self._part_of: dict[str, tuple[str, str]] = {}
        self._converts: dict[str, Endpoint | None] = {}
        self._placed: dict[str, Placed] = {}
        self._wired: dict[str, set[str]] = defaultdict(set)

    def tree(self) -> Raw:
        """The document. What is known to have got lost is in `problems`."""
        self._look()
        nodes = [*self._nodes()]
        connections = [*self._connections()]
        for index, raw in self._kept.get("omitted", ()):
            nodes.insert(index, raw)
        for index, raw in self._kept.get("dropped", ()):
            connections.insert(index, raw)
        tree = self._frame
        _put(tree, "nodes", nodes)
        _put(tree, "connections", connections)
        for key, items in (("variables", [*self._variable_objects()]), ("events", [*self._event_objects()])):
            if items or _get(tree, key):
                _put(tree, key, items)
        _put_ours(tree, "metadata", _without_key(self._graph.metadata))
        if read_document(tree).values_are_texts != self._texts:
            _put_ours(tree, "valuesAreTexts", self._texts)
        return tree

    def _look(self) -> None:
        """See which nodes stand for others, and which inputs and outputs are wired."""
        for node in self._graph.nodes:
            kept = _kept(node.metadata)
            if "part" in kept:
                self._part_of[node.id] = main, part = tuple(kept["part"])
                self._parts[main, part] = node
            elif "converts" in kept:
                self._converts[node.id] = None
        for wire in self._graph.connections:
            self._wired[wire.source.node].add(f"output {wire.source.socket!r}")
            self._wired[wire.target.node].add(f"input {wire.target.socket!r}")
            if wire.target.node in self._converts:
                self._converts[wire.target.node] = wire.source

    # --- nodes ---

    def _nodes(self) -> Iterator[Raw]:
        for index, node in enumerate(self._graph.nodes):
            if node.id in self._part_of or node.id in self._converts:
                continue
            found = self._imported(node) or self._new(node, index)
            if found is not None:
                self._placed[node.id], raw = found
                self._fill(node, self._placed[node.id], raw)
                yield raw

    def _imported(self, node: GraphNode) -> tuple[Placed, Raw] | None:
        """What the node was imported from, if it still is of that type."""
        raw = dict(_kept(node.metadata))
        _put(raw, "id", node.id)
        try:
            placed = place(read_node(raw), self._names)
        except DocumentError:
            return None
        if _get(raw, "inputs"):
            _put(raw, "inputs", [dict(each) for each in _get(raw, "inputs")])
        row = placed.row
        if row.type != node.type:
            return None
        if row.bound is not None and node.inputs.get(row.bound.socket) != row.given[row.bound]:
            known = self._known_names(row)
            name = node.inputs.get(row.bound.socket)
            if name not in known:
                return None
            _put(raw, "typeId", row.family + known[name])
            placed = place(read_node(raw), self._names)
        return placed, raw

    def _known_names(self, row: Row) -> Mapping[Any, str]:
        """The ids, by names, of what rows of such a family are about."""
        return self._variables if row.family.startswith("variable") else self._events

    def _new(self, node: GraphNode, index: int) -> tuple[Placed, Raw] | None:
        path = f"nodes[{index}] {node.id!r}"
        rows = [*self._rows(node)]
        if not rows:
            self.problems.append(f"{path}: the format has no node for {node.type}. Make it of other nodes.")
            return None
        said = {f"input {name!r}" for name in node.inputs} | self._wired[node.id]
        row = min(rows, key=lambda row: len(said - _sayable(row)))
        for socket in sorted(said - _sayable(row)):
            self.problems.append(f"{path}: {row.name!r} of the format has nothing for {socket} of {node.type}.")
        type_id = row.family + self._known_names(row)[row.given[row.bound]] if row.bound is not None else None
        layout = _kept(node.metadata)
        return place_new(node.id, row), {
            "id": node.id,
            "typeId": type_id,
            "name": row.name,
            "callable": row.is_exec,
            "execInit": row.starts,
            "x": layout.get("x", index % _COLUMNS * _WIDTH),
            "y": layout.get("y", index // _COLUMNS * _HEIGHT),
            "width": layout.get("width", _WIDTH - 60),
            "height": layout.get("height", _HEIGHT - 60),
            "inputs": [_socket(each.name, each.kind, is_input=True) for each in row.inputs],
            "outputs": [_socket(each.name, each.kind, is_input=False) for each in row.outputs],
        }

    def _rows(self, node: GraphNode) -> Iterator[Row]:
        """The rows that can stand for the node."""
        for row in ROWS_BY_TYPE.get(node.type, ()):
            if row.bound is not None:
                name = node.inputs.get(row.bound.socket)
                if not isinstance(name, str) or name not in self._known_names(row):
                    continue
                row = bound_to(row, name)  # noqa: PLW2901 - the same row, about this one
            given = (each for each in row.given.items() if each[0].part == MAIN)
            if not row.wires and all(_identical(node.inputs.get(at.socket, UNSET), value) for at, value in given):
                yield row

    def _fill(self, node: GraphNode, placed: Placed, raw: Raw) -> None:
        """Write what an import would not read from the document as it is."""
        for input_ in placed.row.inputs:
            if not input_.is_exec and input_.to:
                told, literal = self._told(placed, input_), self._literal(node, input_)
                if not _identical(told, literal) and not (told is UNSET and self._is_usual(node, input_, literal)):
                    self._write(placed, input_, literal, raw)
        starts = placed.row.starts if node.initiator is None else node.initiator
        said = _get(raw, "execInit")
        # That program marks its listeners, too, and starts none of them.
        listens = placed.row.listens and node.initiator is None and said is True
        if placed.row.is_exec and not listens and said is not None and said is not starts:
            _put(raw, "execInit", starts)
        _put_ours(raw, "metadata", _without_key(node.metadata))

    def _told(self, placed: Placed, input_: Input) -> Any:
        """The literal that the document says already."""
        socket = placed.socket(input_)
        if socket is None or socket.value is None:
            return UNSET
        try:
            return self._literals.given(socket.value, input_)
        except BadValue:
            return socket.value.json

    def _literal(self, node: GraphNode, input_: Input) -> Any:
        """The literal that the graph has."""
        for target in input_.to:
            owner = node if target.part == MAIN else self._parts.get((node.id, target.part))
            if owner is not None:
                return owner.inputs.get(target.socket, UNSET)
        return UNSET

    def _is_usual(self, node: GraphNode, input_: Input, literal: Any) -> bool:
        """Whether an import gives the input this literal where the document says nothing."""
        first = input_.to[0]
        owner = node if first.part == MAIN else self._parts.get((node.id, first.part))
        return owner is not None and _identical(self._literals.of_unset(owner.type, first.socket, input_), literal)

    def _write(self, placed: Placed, input_: Input, literal: Any, raw: Raw) -> None:
        spelled = placed.inputs.names.get(input_.name, input_.name)
        sockets = cast("list[Raw]", _get(raw, "inputs") or [])
        socket = next((each for each in sockets if _get(each, "name") == spelled), None)
        if socket is None:
            socket = _socket(spelled, input_.kind, is_input=True)
            _put(raw, "inputs", [*sockets, socket])
        if literal is UNSET:
            _put(socket, "value", None)
            return
        value = self._value(_as_theirs(literal, input_), input_.kind)
        try:
            self._literals.given(Value(value["typeName"], value["json"]), input_)
        except BadValue as error:
            self.problems.append(f"node {placed.id!r}: {input_.name!r} of {placed.row.name!r}: {error}.")
        _put(socket, "value", value)

    def _value(self, value: Any, kind: str | None) -> Raw:
        kind = kind_of_value(value) if kind in {None, "any"} else kind
        return {"typeName": TYPE_NAMES[str(kind)], "json": json.dumps(value) if self._texts else value}

    # --- connections ---

    def _connections(self) -> Iterator[Raw]:
        as_it_was = self._odd_connections()
        done: set[object] = set()
        for index, wire in enumerate(self._graph.connections):
            start, converted = self._start(wire.source)
            if start is None or wire.target.node in self._converts:
                continue
            source, target = self._at(start), self._at(wire.target)
            if source is None or target is None or self._is_inner(source, target):
                continue
            raw = next(as_it_was[source, target], None) if (source, target) in as_it_was else None
            input_ = target[0].input_at(target[1])
            if raw is None:
                raw = usual_connection(*source, *target)
            if raw is None or input_ is None:
                self.problems.append(f"connections[{index}] {wire}: the format has no such sockets.")
                continue
            if not input_.is_exec:
                # One input of theirs may be several of ours.
                if (target[0].id, input_.name) in done:
                    continue
                done.add((target[0].id, input_.name))
                output = source[0].output_at(source[1])
                if output is not None and (output.kind, input_.kind) in CONVERSIONS and not converted:
                    raw = {**raw, OURS: {"converted": False}}
            yield raw

    def _odd_connections(self) -> Mapping[tuple[tuple[Placed, Place], tuple[Placed, Place]], Iterator[Raw]]:
        """Connections that are not written as usual, by what they join."""
        found: dict[Any, list[Raw]] = defaultdict(list)
        for raw in self._kept.get("connections", ()):
            try:
                wire = read_wire(raw)
            except DocumentError:
                continue
            source, target = self._placed.get(wire.source), self._placed.get(wire.target)
            output = source.outputs.find(wire.output) if source is not None else None
            input_ = target.inputs.find(wire.input) if target is not None else None
            if output is not None and input_ is not None and input_.to:
                found[(source, output.source), (target, input_.to[0])].append(raw)
        return {ends: iter(raws) for ends, raws in found.items()}

    def _start(self, end: Endpoint) -> tuple[Endpoint | None, bool]:
        """Where a value comes from, before it is converted; and whether it is."""
        start, passed = end, set[str]()
        while start.node in self._converts:
            before = self._converts[start.node]
            if before is None or start.node in passed:
                return None, True
            passed.add(start.node)
            start = before
        return start, bool(passed)

    def _at(self, end: Endpoint) -> tuple[Placed, Place] | None:
        main, part = self._part_of.get(end.node, (end.node, MAIN))
        return (self._placed[main], Place(part, end.socket)) if main in self._placed else None

    def _is_inner(self, source: tuple[Placed, Place], target: tuple[Placed, Place]) -> bool:
        return source[0] is target[0] and (source[1], target[1]) in source[0].row.wires

    # --- variables and events ---

    def _variable_objects(self) -> Iterator[Raw]:
        known = {self._names.variables[each.id]: each for each in self._known.variables}
        for each in self._declared:
            old = known.get(each.name)
            if old is not None and variable_from(old, each.name, self._literals)[0] == each:
                yield old.raw
                continue
            raw = dict(old.raw) if old is not None else {"id": self._variables[each.name], "name": each.name}
            kind = each.type if each.type in ZEROS else "any"
            _put(raw, "typeName", TYPE_NAMES[kind])
            _put(raw, "defaultValue", self._value(each.default, kind))
            _put_ours(raw, "doc", each.doc)
            yield raw

    def _event_objects(self) -> Iterator[Raw]:
        known = {self._names.events[each.id]: each.raw for each in self._known.events}
        for each in self._graph.events:
            raw = dict(known.get(each.name, {"id": self._events[each.name], "name": each.name}))
            _put_ours(raw, "doc", each.doc)
            yield raw


# --- what got lost ---


def _lost(graph: Graph, tree: Raw, registry: Registry) -> Iterator[str]:
    """What is not the same after an import, in words."""
    back = import_tree(tree, registry).graph
    after = {node.id: node for node in back.nodes}
    for index, node in enumerate(graph.nodes):
        path = f"nodes[{index}] {node.id!r}"
        if node.id not in after:
            yield f"{path}: nothing of the document needs it. Remove it."
            continue
        yield from (f"{path}: {problem}" for problem in _differences(node, after.pop(node.id)))
    yield from (f"node {node.id!r} ({node.type}) would be there besides." for node in after.values())
    if [*map(str, graph.connections)] != [*map(str, back.connections)]:
        yield from _different_connections(graph.connections, back.connections)
    yield from _different_names("variable", graph.variables, back.variables)
    yield from _different_names("event", graph.events, back.events)
    for name in sorted(
        _names_of(Graph) - {"nodes", "connections", "variables", "events", "metadata", "types", "version"}
    ):
        if getattr(graph, name) != getattr(back, name):
            yield f"the graph: the format has nothing for its {name}."


def _names_of(cls: type[attrs.AttrsInstance]) -> set[str]:
    return {field.name for field in attrs.fields(cls) if field.init}


def _differences(node: GraphNode, after: GraphNode) -> Iterator[str]:
    if node.type != after.type:
        yield f"it would become a {after.type}."
    for name in {**node.inputs, **after.inputs}:
        before, now = node.inputs.get(name, UNSET), after.inputs.get(name, UNSET)
        if not _identical(before, now):
            yield f"input {name!r} is {_say(before)}, and would become {_say(now)}."
    for name in sorted(_names_of(GraphNode) - {"id", "type", "inputs", "metadata"}):
        if getattr(node, name) != getattr(after, name):
            yield f"the format has nothing for its {name}."
    if _text(_without_key(node.metadata)) != _text(_without_key(after.metadata)):
        yield "its metadata are not those of JSON."


def _different_connections(before: Iterable[Connection], after: Iterable[Connection]) -> Iterator[str]:
    had, has = Counter(map(str, before)), Counter(map(str, after))
    yield from (f"connection {wire}: it would be lost." for wire in had - has)
    yield from (f"connection {wire}: it would be there besides." for wire in has - had)
    if had == has:
        yield "connections: their order would be another."


def _different_names(
    what: str, before: Iterable[Variable | CustomEvent], after: Iterable[Variable | CustomEvent]
) -> Iterator[str]:
    had, has = {each.name: each for each in before}, {each.name: each for each in after}
    for name, each in had.items():
        if name not in has:
            yield f"{what} {name!r}: it would be lost."
        elif _text(attrs.asdict(each)) != _text(attrs.asdict(has[name])):
            yield f"{what} {name!r}: the format can't say its type, its merge policy, or its default."
    yield from (f"{what} {name!r}: it would be there besides." for name in has if name not in had)
    if [*had] != [*has] and had.keys() == has.keys():
        yield f"{what}s: their order would be another."


def _identical(a: Any, b: Any) -> bool:
    """Whether two literals are the same: neither true nor 1.0 is 1."""
    return a is b or (a is not UNSET and b is not UNSET and _text(a) == _text(b))


def _text(value: Any) -> str:
    """A value such that 1, 1.0 and true differ, whatever it is."""
    return json.dumps(value, sort_keys=True, default=repr)


def _say(value: Any) -> str:
    return "not given" if value is UNSET else repr(value)


# --- objects of documents, whatever the case of their keys ---


def _kept(metadata: Mapping[str, Any]) -> Raw:
    """What an import has kept, as far as it still is that: metadata are anybody's to change."""
    kept = metadata.get(KEY)
    if not isinstance(kept, dict):
        return {}
    sound = {key: value for key, value in cast("Raw", kept).items() if key not in _KEPT or _KEPT[key](value)}
    return sound if not sound.keys() & {"part", "converts"} or len(sound) == 1 else {}


def _is_list_of(shape: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(shape, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_placed(value: Any) -> bool:
    return isinstance(value, list) and [*map(type, value)] == [int, dict]


_KEPT: Mapping[str, Callable[[Any], bool]] = {
    "document": _is_object,
    "omitted": _is_list_of(_is_placed),
    "dropped": _is_list_of(_is_placed),
    "connections": _is_list_of(_is_object),
    "implicit": _is_list_of(_is_text),
    "texts": lambda value: isinstance(value, bool),
    "part": lambda value: _is_list_of(_is_text)(value) and len(value) == 2,
    "converts": _is_text,
}
"""The shapes of what an import keeps, by its keys."""


def _without_key(metadata: Mapping[str, Any]) -> Raw:
    return {key: value for key, value in metadata.items() if key not in {KEY, PLACEHOLDER_KEY}}


def _spelled(raw: Raw, key: str) -> str:
    return key if key in raw else next((each for each in raw if str(each).lower() == key.lower()), key)


def _get(raw: Raw, key: str) -> Any:
    return raw.get(_spelled(raw, key))


def _put(raw: Raw, key: str, value: Any) -> None:
    raw[_spelled(raw, key)] = value


def _put_ours(raw: Raw, key: str, value: Any) -> None:
    """Write, or remove, what the format has no key for."""
    ours = {each: kept for each, kept in ours_of(raw).items() if each != key}
    if value not in ({}, ""):
        ours[key] = value
    if ours:
        raw[OURS] = ours
    else:
        raw.pop(OURS, None)


def _as_theirs(value: Any, input_: Input) -> Any:
    """A value of ours in their unit."""
    if type(value) not in {int, float} or (input_.per == 1 and input_.more == 0):
        return value
    value = (value - input_.more) * input_.per
    return int(value) if math.isfinite(value) and value == int(value) else value


def _socket(name: str, kind: str | None, *, is_input: bool) -> Raw:
    type_name = TYPE_NAMES[kind or "any"]
    return {"name": name, "typeName": type_name, "isInput": is_input, "isExecution": kind == "exec", "value": None}


def _sayable(row: Row) -> set[str]:
    """The sockets of ours that a row has something for."""
    inputs = {at.socket for each in row.inputs for at in each.to if at.part == MAIN}
    inputs |= {at.socket for at in row.given if at.part == MAIN}
    outputs = {each.source.socket for each in row.outputs if each.source is not None and each.source.part == MAIN}
    return {f"input {name!r}" for name in inputs} | {f"output {name!r}" for name in outputs}


def _ids(known: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Ids by name: those that the document has, and new ones."""
    ids = _reversed(known)
    for name in names:
        if name not in ids:
            ids[name] = name if name not in known else f"{name} {len(ids)}"
    return ids


def _reversed(names: Mapping[str, str]) -> dict[str, str]:
    return {name: id_ for id_, name in names.items()}
