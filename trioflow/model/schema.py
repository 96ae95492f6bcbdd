"""The shape of documents, drawn from the classes that hold them: their keys, and their JSON Schema.

Nothing here is typed by hand twice: types, defaults, choices and descriptions come from the fields and docstrings.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import attrs

from trioflow.model.form import Form, Minimum
from trioflow.model.graph import FORMAT_VERSION, Connection, Endpoint, Graph
from trioflow.model.node_type import NodeType
from trioflow.model.sockets import UNSET

ENDPOINT_PATTERN = r"^([\s\S]+\.[^.]+|[^.]+)$"

_RENAMED: dict[tuple[type, str], str] = {
    (Connection, "source"): "from",
    (Connection, "target"): "to",
    (Connection, "otherwise"): "else",
}
# The version is that of the whole document, and so stands only at its top.
_NOT_WRITTEN = frozenset({"extra", "types", "files", "version", "kept"})
_SIMPLE: dict[Any, dict[str, Any]] = {
    Any: {},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    types.NoneType: {"type": "null"},
    Endpoint: {
        "type": "string",
        "pattern": ENDPOINT_PATTERN,
        "description": "`node.socket`, split at the last dot; or `node`, for its only exec socket on that side.",
    },
}


def fields_by_key(cls: type) -> dict[str, attrs.Attribute[Any]]:
    """The keys of a document's object, in the order in which they are written, with the fields that hold them."""
    # `graph.py` can't import NodeType itself: node types know what a graph is.
    attrs.resolve_types(cls, localns={"NodeType": NodeType})
    return {
        _RENAMED.get((cls, field.name)) or field.name: field
        for field in attrs.fields(cls)
        if field.name not in _NOT_WRITTEN
    }


def short_of(cls: type) -> attrs.Attribute[Any] | None:
    """The field whose value alone may stand for the whole object; None if there is none."""
    name: str | None = getattr(cls, "SHORT", None)
    return None if name is None else fields_by_key(cls)[name]


def document_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) for the documents that this version writes, as a new dictionary."""
    definitions: dict[str, Any] = {}
    root = _object(Graph, definitions)
    major, _, minor = FORMAT_VERSION.partition(".")
    version = {
        "description": "The version of the document format.",
        "enum": [f"{major}.{older}" for older in range(int(minor) + 1)],
    }
    root["properties"] = {"trioflow": version, **root["properties"]}
    root["required"] = ["trioflow"]
    return _rooted("trioflow graph", root, definitions)


def schema_of(hint: Any, title: str) -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) for what has the shape of a type, as a new dictionary."""
    definitions: dict[str, Any] = {}
    return _rooted(title, _schema(hint, definitions), definitions)


def _rooted(title: str, root: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for key, field in fields_by_key(cls).items():
        properties[key] = _schema(field.type, definitions)
        if field.default is attrs.NOTHING:
            required.append(key)
        elif field.default is not UNSET:
            properties[key]["default"] = _plain(field)
    form = {
        "type": "object",
        "description": inspect.cleandoc(cls.__doc__ or "")
        .replace("\n\n", "\0")
        .replace("\n", " ")
        .replace("\0", "\n\n"),
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }
    short = short_of(cls)
    return form if short is None else {"anyOf": [_schema(short.type, definitions), form]}


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(*arguments, definitions=definitions)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(part, definitions) for part in arguments]}
    if origin is tuple:
        return _list(arguments, definitions)
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if attrs.has(hint):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # a graph holds graphs
            definitions[hint.__name__] = _object(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    raise TypeError(f"A field of type {hint!r} has no form in a document. Teach _schema() about it.")


def _annotated(hint: Any, *extras: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    for extra in extras:
        if isinstance(extra, Form):
            definitions.setdefault(extra.name, dict(extra.schema))
            return {"$ref": f"#/$defs/{extra.name}"}
    limits = [{"minimum": extra.value} for extra in extras if isinstance(extra, Minimum)]
    return {**_schema(hint, definitions), **(limits[0] if limits else {})}


def _list(arguments: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if arguments[-1] is ...:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    row = [_schema(part, definitions) for part in arguments]
    return {"type": "array", "prefixItems": row, "items": False, "minItems": len(row)}


def _plain(field: attrs.Attribute[Any]) -> Any:
    default: Any = field.default
    if isinstance(default, Mapping):
        return dict(cast("Mapping[str, Any]", default))
    if attrs.has(type(default)):
        return {}  # an object with all of its fields at their defaults
    if get_origin(field.type) is Annotated:
        for form in get_args(field.type):
            default = form.write(default) if isinstance(form, Form) else default
    return [] if default == () else default
