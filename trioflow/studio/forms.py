"""What the page asks of people: inputs as texts, and which nodes there are. Pure."""

from __future__ import annotations

import itertools
import json
from typing import Any, Literal, get_args, get_origin

from trioflow.model.graph import Graph, GraphNode
from trioflow.model.node_type import NodeType
from trioflow.model.registry import Registry
from trioflow.model.scope import Scope
from trioflow.model.sockets import UNSET, DataIn
from trioflow.model.types import describe_type, unwrapped

_TEXTS = frozenset({"str", "path", "date", "datetime", "duration", "bytes"})
"""Types whose values are typed as they are, and not as JSON."""


def kind_of(node_type: NodeType | None, name: str) -> str:
    """The type of an input as a word; `any` if nobody knows."""
    if node_type is None or name not in node_type.input_index:
        return "any"
    return describe_type(unwrapped(node_type.inputs[node_type.input_index[name]].type))


def read_literal(kind: str, text: str) -> Any:
    """What a person has typed: for inputs of texts the text itself, else JSON, or a text where it is none.

    What does not fit the type is a literal even so: validation tells.
    """
    if kind in _TEXTS and not text.lstrip().startswith('{"'):
        return text
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def written_literal(kind: str, value: Any) -> str:
    """A literal as `read_literal` reads it."""
    if isinstance(value, str):
        if kind in _TEXTS:
            return value
        if read_literal(kind, value) == value:
            return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _no_constant(text: str) -> Any:
    raise ValueError(text)  # NaN is not JSON


def catalogue(graph: Graph, registry: Registry) -> list[dict[str, Any]]:
    """All node types that the graph may use: id, what it is for, and its sockets."""
    scope = Scope(graph, registry)
    own = (scope.find(each) for each in scope.names())
    return [
        {
            "id": each.id,
            "doc": each.summary,
            "exec": each.is_exec,
            "in": [[socket.name, ""] for socket in each.exec_inputs]
            + [[socket.name, describe_type(socket.type)] for socket in each.inputs],
            "out": [[socket.name, ""] for socket in each.exec_outputs]
            + [[socket.name, describe_type(socket.type)] for socket in each.outputs],
        }
        for each in itertools.chain(filter(None, own), registry)
    ]


def sockets_of(graph: Graph, node: GraphNode, node_type: NodeType | None) -> list[dict[str, Any]]:
    """The data inputs of a node as a form has them: name, type, literal, default."""
    inputs = () if node_type is None else node_type.inputs
    names = [each.name for each in inputs]
    found: list[dict[str, Any]] = [
        {
            "name": each.name,
            "type": describe_type(each.type),
            "doc": each.doc,
            "names": each.names,
            "choices": _choices(graph, each),
            "default": None if each.default is UNSET else written_literal("any", each.default),
        }
        for each in inputs
    ]
    found += [
        {"name": name, "type": "any", "doc": "", "names": None, "choices": None, "default": None}
        for name in node.inputs
        if name not in names
    ]
    for each in found:
        value = node.inputs.get(each["name"], UNSET)
        kind = kind_of(node_type, each["name"])
        each["text"] = None if value is UNSET else written_literal(kind, value)
    return found


def _choices(graph: Graph, socket: DataIn[Any]) -> list[str] | None:
    """What may be said there, if that is one of a few."""
    if socket.names is not None:
        return [each.name for each in (graph.variables if socket.names == "variable" else graph.events)]
    type_ = unwrapped(socket.type)
    if get_origin(type_) is Literal:
        return [each for each in get_args(type_) if isinstance(each, str)]
    return ["true", "false"] if type_ is bool else None
