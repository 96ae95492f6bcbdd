"""The structure of a document: nodes, sockets, connections, variables and events, read tolerantly, with every problem.

Keys are read whatever their case: older files write them in PascalCase. Each object keeps what it was read from
(`raw`), so that unknown fields and spellings survive. Nothing here knows what a node means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

import attrs

from trioflow.errors import DocumentError
from trioflow.formats.nodeeditor.dotnet import is_text_of, kind_of, not_finite
from trioflow.model.json_text import Repeated

VERSIONS = (1, 2)

Raw = dict[str, Any]
T = TypeVar("T")


@attrs.frozen
class Value:
    """A value as it is written: the name of its .NET type, and what is written for it."""

    type_name: str
    json: Any


@attrs.frozen
class Socket:
    """A socket of a node. `kind` is one of ours, or None for a type that is not known here."""

    name: str
    kind: str | None
    type_name: str
    value: Value | None
    path: str


@attrs.frozen
class Node:
    """A node with its sockets; `starts` says whether runs start at it, None if the document does not."""

    id: str
    type_id: str
    name: str
    starts: bool | None
    inputs: tuple[Socket, ...]
    outputs: tuple[Socket, ...]
    raw: Raw
    path: str


@attrs.frozen
class Wire:
    """A connection by the names of its ends."""

    source: str
    output: str
    target: str
    input: str
    raw: Raw
    path: str


@attrs.frozen
class Declared:
    """A variable that the document declares; nodes refer to it by its id."""

    id: str
    name: str
    type_name: str
    default: Value | None
    raw: Raw
    path: str


@attrs.frozen
class Event:
    """A custom event of the document; nodes refer to it by its id."""

    id: str
    name: str
    raw: Raw
    path: str


@attrs.frozen
class Document:
    """A document. `frame` is its top level with the lists of nodes and connections left empty."""

    version: int
    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]
    variables: tuple[Declared, ...]
    events: tuple[Event, ...]
    frame: Raw
    values_are_texts: bool
    """Whether each value is written as a text that holds its JSON."""
    notes: tuple[tuple[str, str], ...] = ()
    """By path, what is odd in it and could be read all the same."""


OURS = "trioflowExtra"
"""The key of what an exported object says beyond the format: metadata, documentation. Others pass it over."""


def looks_like_document(tree: object) -> bool:
    """Whether a tree of dicts and lists looks like a document of this format, whatever is wrong with it."""
    if not isinstance(tree, dict) or "trioflow" in tree:
        return False
    keys = {str(key).lower() for key in cast("dict[object, object]", tree)}
    return "nodes" in keys and not keys.isdisjoint({"version", "viewport", "selectednodeids", "requiredplugins"})


def read_document(tree: Any, source: str = "<document>") -> Document:
    """The document in a tree of dicts and lists. Raises `DocumentError` with every problem of its structure."""
    return _Reader(source).document(tree)


def read_node(raw: Any) -> Node:
    """One node of a document that was read already. Raises `DocumentError`."""
    return _Reader("<node>").node(raw)


def read_wire(raw: Any) -> Wire:
    """One connection of a document that was read already. Raises `DocumentError`."""
    return _Reader("<connection>").wire(raw)


def ours_of(raw: Raw) -> Mapping[str, Any]:
    """What an export has written into an object beyond the format, as far as it still is that."""
    found = raw.get(OURS)
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in cast("Raw", found).items() if isinstance(value, _OURS.get(key, object))}


_OURS: Mapping[str, type] = {"metadata": dict, "doc": str, "converted": bool, "valuesAreTexts": bool}


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._problems: list[str] = []
        self._notes: list[tuple[str, str]] = []

    def document(self, tree: Any) -> Document:
        if not isinstance(tree, dict):
            raise DocumentError(self._source, [f"the document: expected an object, got {_say(tree)}."])
        fields = self._object(cast("Raw", tree), "the document")
        for path, number in not_finite(tree):
            self._problem(path, f"expected a finite number, got {number!r}. JSON has no NaN and no infinity")
        version = fields.get("version", 1)
        if type(version) is not int or version not in VERSIONS:
            known = " or ".join(map(str, VERSIONS))
            self._problem("version", f"expected {known}, got {_say(version)}. Save it with a program of that version")
        if "nodes" not in fields:
            self._problem("the document", 'the key "nodes" is missing. Give a graph')
        nodes = tuple(self._node(raw, path) for raw, path in self._list(fields, "nodes", "nodes"))
        wires = tuple(self._wire(raw, path) for raw, path in self._list(fields, "connections", "connections"))
        variables = tuple(self._variable(raw, path) for raw, path in self._list(fields, "variables", "variables"))
        events = tuple(self._event(raw, path) for raw, path in self._list(fields, "events", "events"))
        for items in (nodes, variables, events):
            self._unique(items)
        if self._problems:
            raise DocumentError(self._source, self._problems)
        self._look_of_it(fields)
        frame = {key: [] if str(key).lower() in _FILLED else value for key, value in cast("Raw", tree).items()}
        texts = ours_of(frame).get("valuesAreTexts", _values_are_texts(nodes, variables))
        return Document(version, nodes, wires, variables, events, frame, texts, tuple(self._notes))

    def node(self, raw: Any) -> Node:
        return self._sound(self._node(raw, "node"))

    def wire(self, raw: Any) -> Wire:
        return self._sound(self._wire(raw, "connection"))

    def _sound(self, made: T) -> T:
        if self._problems:
            raise DocumentError(self._source, self._problems)
        return made

    def _node(self, raw: Any, path: str) -> Node:
        fields = self._object(raw, path)
        self._passed_over(fields, path, flags=("callable",), numbers=("x", "y", "width", "height"))
        return Node(
            id=self._text(fields, "id", path, needed=True),
            type_id=self._text(fields, "typeId", path),
            name=self._text(fields, "name", path),
            starts=self._flag(fields, "execInit", path),
            inputs=tuple(self._socket(each, where) for each, where in self._list(fields, "inputs", f"{path}.inputs")),
            outputs=tuple(
                self._socket(each, where) for each, where in self._list(fields, "outputs", f"{path}.outputs")
            ),
            raw=raw,
            path=path,
        )

    def _socket(self, raw: Any, path: str) -> Socket:
        fields = self._object(raw, path)
        self._passed_over(fields, path, flags=("isInput",), numbers=())
        type_name = self._text(fields, "typeName", path)
        kind = "exec" if self._flag(fields, "isExecution", path) else kind_of(type_name)
        value = self._value(fields.get("value"), f"{path}.value")
        return Socket(self._text(fields, "name", path, needed=True), kind, type_name, value, path)

    def _value(self, raw: Any, path: str) -> Value | None:
        if raw is None:
            return None
        fields = self._object(raw, path)
        return Value(self._text(fields, "typeName", path), fields.get("json"))

    def _wire(self, raw: Any, path: str) -> Wire:
        fields = self._object(raw, path)
        self._passed_over(fields, path, flags=("isExecution",), numbers=())
        return Wire(
            source=self._text(fields, "outputNodeId", path, needed=True),
            output=self._text(fields, "outputSocketName", path, needed=True),
            target=self._text(fields, "inputNodeId", path, needed=True),
            input=self._text(fields, "inputSocketName", path, needed=True),
            raw=raw,
            path=path,
        )

    def _variable(self, raw: Any, path: str) -> Declared:
        fields = self._object(raw, path)
        name = self._text(fields, "name", path, needed=True)
        return Declared(
            id=self._text(fields, "id", path) or name,
            name=name,
            type_name=self._text(fields, "typeName", path),
            default=self._value(fields.get("defaultValue"), f"{path}.defaultValue"),
            raw=raw,
            path=path,
        )

    def _event(self, raw: Any, path: str) -> Event:
        fields = self._object(raw, path)
        name = self._text(fields, "name", path, needed=True)
        return Event(self._text(fields, "id", path) or name, name, raw, path)

    # --- what all of them are made of ---

    def _problem(self, path: str, what: str) -> None:
        self._problems.append(f"{path}: {what}.")

    def _object(self, raw: Any, path: str) -> Mapping[str, Any]:
        """The fields of an object by their names as they are usually spelled."""
        if type(raw) is dict and raw.keys() <= _KEYS:
            return cast("Raw", raw)
        if not isinstance(raw, dict):
            self._problem(path, f"expected an object, got {_say(raw)}")
            return _NOTHING
        for key in cast("dict[object, object]", raw):
            if not isinstance(key, str):
                self._problem(path, f"expected keys that are texts, got {_say(key)}. Put the key in quotes")
        fields = {_SPELLED.get(str(key).lower(), str(key)): value for key, value in cast("Raw", raw).items()}
        if isinstance(raw, Repeated) or len(fields) != len(cast("Raw", raw)):
            self._problem(path, "a key occurs more than once. Keep one of them")
        return fields

    def _list(self, fields: Mapping[str, Any], key: str, path: str) -> Iterator[tuple[Any, str]]:
        raw = fields.get(key)
        if raw is not None and not isinstance(raw, list):
            self._problem(path, f"expected a list, got {_say(raw)}")
        elif raw is not None:
            yield from ((each, f"{path}[{place}]") for place, each in enumerate(raw))

    def _text(self, fields: Mapping[str, Any], key: str, path: str, *, needed: bool = False) -> str:
        text = fields.get(key)
        if isinstance(text, str) and (not needed or (text and not text.isspace())):
            return text
        if needed and text is None and fields is not _NOTHING:
            self._problem(path, f'the key "{key}" is missing. Add it')
        elif text is not None:
            self._problem(f"{path}.{key}", f"expected a text, got {_say(text)}")
        return ""

    def _flag(self, fields: Mapping[str, Any], key: str, path: str) -> bool | None:
        """True or false, None if nothing is said; what is neither is taken for false, and noted."""
        flag = fields.get(key)
        if flag is not None and not isinstance(flag, bool):
            self._notes.append((f"{path}.{key}", f"expected true or false, got {_say(flag)}: it is taken for false."))
        return flag is True if key in fields else None

    def _passed_over(
        self, fields: Mapping[str, Any], path: str, *, flags: Iterable[str], numbers: Iterable[str]
    ) -> None:
        """Note what is odd in fields that say nothing here, but something to the editor."""
        for key in flags:
            if not isinstance(fields.get(key), bool | None):
                self._notes.append((f"{path}.{key}", f"expected true or false, got {_say(fields[key])}."))
        for key in numbers:
            if not isinstance(fields.get(key), int | float | None) or isinstance(fields.get(key), bool):
                self._notes.append((f"{path}.{key}", f"expected a number, got {_say(fields[key])}."))

    def _look_of_it(self, fields: Mapping[str, Any]) -> None:
        """Note what is odd in how the editor shows it."""
        viewport, selected = fields.get("viewport"), fields.get("selectedNodeIds")
        if isinstance(viewport, dict):
            numbers = ("x", "y", "width", "height", "zoom")
            self._passed_over(cast("Raw", viewport), "viewport", flags=(), numbers=numbers)
        elif viewport is not None:
            self._notes.append(("viewport", f"expected an object, got {_say(viewport)}."))
        for key, found in (("selectedNodeIds", selected), ("requiredPlugins", fields.get("requiredPlugins"))):
            if not isinstance(found, list | None):
                self._notes.append((key, f"expected a list, got {_say(found)}."))

    def _unique(self, items: tuple[Node, ...] | tuple[Declared, ...] | tuple[Event, ...]) -> None:
        first: dict[str, str] = {}
        for item in items:
            other = first.setdefault(item.id, item.path)
            if other != item.path and item.id:
                self._problem(f"{item.path}.id", f"{item.id!r} is the id of {other} already. Give one of them another")


_NOTHING: Mapping[str, Any] = {}  # the fields of what is no object: nothing more is said of them
_FILLED = frozenset({"nodes", "connections"})
_KEYS = frozenset([
    "version", "nodes", "connections", "viewport", "selectedNodeIds", "variables", "events", "overlays",
    "requiredPlugins", "id", "typeId", "name", "callable", "execInit", "x", "y", "width", "height", "inputs", "outputs",
    "defaultValue", "typeName", "isInput", "isExecution", "value", "json", "editorHint",
    "outputNodeId", "outputSocketName", "inputNodeId", "inputSocketName",
])  # fmt: skip
_SPELLED = {key.lower(): key for key in _KEYS}


def _values_are_texts(nodes: tuple[Node, ...], variables: tuple[Declared, ...]) -> bool:
    values = [socket.value for node in nodes for socket in node.inputs if socket.value is not None]
    values += [variable.default for variable in variables if variable.default is not None]
    written = [(value.json, kind_of(value.type_name)) for value in values if value.json is not None]
    # A text of type Object may be anything, so it proves nothing.
    return any(kind not in {None, "any"} for _, kind in written) and all(is_text_of(*each) for each in written)


def _say(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
