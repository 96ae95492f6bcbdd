"""Graphs as tools of a person: what their interfaces say as JSON Schema, and how a call of one is wired and made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, cast

import trioflow as tf
from trioflow.model.composition import GraphBody
from trioflow.model.graph import Interface
from trioflow.model.jsonable import jsonable
from trioflow.model.node_type import Beside, Configured
from trioflow.model.sockets import UNSET, Socket
from trioflow.model.types import NAMED_TYPES
from trioflow.nodes._names import Find
from trioflow.persons.port import Tool, ToolCall

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_JSON_TYPES = {
    "int": "integer", "float": "number", "str": "string", "bool": "boolean", "list": "array", "dict": "object",
}  # fmt: skip


def tools_of(config: Mapping[str, Any], find: Find) -> Configured:
    """The sockets and the nodes for the tools that a configuration names. Raises `ValueError`."""
    given = config.get("tools", [])
    if isinstance(given, list | tuple):
        named = {_name_of(each): each for each in cast("list[Any]", given)}
        if len(named) < len(cast("list[Any]", given)):
            raise ValueError('two tools have the same name; give them names: {"tools": {NAME: "graph:..."}}')
    elif isinstance(given, dict):
        named = given
    else:
        raise ValueError(f"expected 'tools' to be a list of graphs, or an object of names and graphs, got {given!r}")
    sockets: dict[str, Socket] = {}
    beside: dict[str, Beside] = {}
    for name, type_id in named.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"tools: {name!r} can't be the name of a tool: use letters, digits, _ and -")
        found = find(type_id) if isinstance(type_id, str) else None
        if found is None or not isinstance(found.body, GraphBody) or found.body.graph.interface is None:
            raise ValueError(
                f"tools.{name}: {type_id!r} is not a graph that can be called: expected 'graph:NAME' of one in "
                "this document, or 'file:PATH', with an interface"
            )
        interface = found.body.graph.interface
        inward = {f"{name}:{each.name}": each.name for each in interface.inputs}
        outward = {each.name: f"{name}:{each.name}" for each in interface.outputs}
        sockets |= {f"{name}:{each.name}": tf.DataOut(NAMED_TYPES.get(each.type, object)) for each in interface.inputs}
        for each in interface.outputs:
            if f"{name}:{each.name}" in sockets:
                raise ValueError(f"tools.{name}: {type_id} has an input and an output {each.name!r}; rename one")
            sockets[f"{name}:{each.name}"] = tf.DataIn(NAMED_TYPES.get(each.type, object), lazy=True)
        if interface.entries:
            sockets[name] = tf.ExecOut(doc=f"when the tool {name} is used")
            inward[name] = interface.entries[0].name
        beside[name] = Beside(found, inward, outward)
    return Configured(sockets, beside)


def _name_of(type_id: Any) -> str:
    if not isinstance(type_id, str) or not type_id.startswith(("graph:", "file:")):
        raise ValueError(f"expected 'tools' to be a list of graphs, each 'graph:NAME' or 'file:PATH', got {type_id!r}")
    kind, _, name = type_id.partition(":")
    return re.sub(r"[^A-Za-z0-9_-]", "_", PurePosixPath(name).stem if kind == "file" else name)[:64]


def described(node_type: tf.NodeType) -> list[Tool]:
    """The tools of a node, as they are told to a person."""
    return [_tool(name, _graph_of(each)) for name, each in node_type.beside.items()]


def _graph_of(beside: Beside) -> tf.Graph:
    assert isinstance(beside.type.body, GraphBody)
    return beside.type.body.graph


def _tool(name: str, graph: tf.Graph) -> Tool:
    interface = graph.interface or Interface()
    properties: dict[str, Any] = {}
    for each in interface.inputs:
        kind = _JSON_TYPES.get(each.type)
        properties[each.name] = ({"type": kind} if kind else {}) | ({"description": each.doc} if each.doc else {})
    required = [each.name for each in interface.inputs if each.default is UNSET]
    description = graph.metadata.get("description") or ""
    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return Tool(name, str(description), parameters)


async def use(ctx: tf.Context, call: ToolCall) -> str:
    """Use a tool: run its graph below this activation. Gives what it has come to, as JSON, or what went wrong."""
    beside = ctx.type.beside.get(call.name)
    if beside is None:
        return _wrong(f"there is no tool {call.name!r}; there are: {', '.join(ctx.type.beside) or 'none'}")
    interface = _graph_of(beside).interface or Interface()
    known = [each.name for each in interface.inputs]
    for name in call.arguments:
        if name not in known:
            return _wrong(f"{call.name} has no argument {name!r}; it has: {', '.join(known) or 'none'}")
    values: dict[Any, Any] = {}
    for each in interface.inputs:
        if each.name not in call.arguments and each.default is UNSET:
            return _wrong(f"{call.name} needs the argument {each.name!r}")
        values[f"{call.name}:{each.name}"] = call.arguments.get(each.name, each.default)
    try:
        if interface.entries:
            await ctx.trigger(call.name, values)
        else:
            for name, value in values.items():
                ctx.set_output(name, value)
        given = {each.name: await ctx.try_get_input(f"{call.name}:{each.name}") for each in interface.outputs}
    except Exception as error:  # the person is told, and may try something else
        return _wrong(f"{call.name} failed: {type(error).__name__}: {error}")
    found = next(iter(given.values())) if len(given) == 1 else given
    return json.dumps(jsonable(found), ensure_ascii=False)


def _wrong(message: str) -> str:
    return json.dumps({"error": message}, ensure_ascii=False)
