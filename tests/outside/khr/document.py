"""Documents of KHR_interactivity, in both dialects, as plain data: what a graph has, with its values read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs

SIZES: Mapping[str, int] = {
    "float2": 2,
    "float3": 3,
    "float4": 4,
    "float2x2": 4,
    "float3x3": 9,
    "float4x4": 16,
}


def zero(kind: str) -> Any:
    """What a socket or variable of a type has where nothing is said."""
    if kind in SIZES:
        return (math.nan,) * SIZES[kind]
    return {"bool": False, "int": 0, "float": math.nan}.get(kind)


def value_of(kind: str, written: Any) -> Any:
    """A value as it is written: a list of its components, numbers also as texts (`"Infinity"`)."""
    if written is None:
        return zero(kind)
    if kind == "bool":
        return bool(written[0])
    if kind == "int":
        return int(float(written[0]))
    if kind == "float":
        return number(written[0])
    if kind in SIZES:
        # The assets give a vector of two where three are declared.
        return tuple(number(each) for each in written)
    return written[0] if written else None


def number(written: Any) -> float:
    return float(written)


@attrs.frozen
class Wire:
    """Where a value comes from, or where control goes: a node and a socket of it."""

    node: int
    socket: str


@attrs.frozen
class Node:
    """A node: its operation, what it is configured with, its inputs as wires or values, and where its flows lead."""

    index: int
    op: str
    configuration: Mapping[str, list[Any]]
    values: Mapping[str, Any]
    flows: Mapping[str, Wire]

    def configured(self, name: str, default: Any) -> Any:
        found = self.configuration.get(name)
        return found[0] if found else default


@attrs.frozen
class Behaviour:
    """A graph of a document, with the document it is in."""

    nodes: tuple[Node, ...]
    variables: tuple[Any, ...]
    variable_names: tuple[str, ...]
    events: tuple[Mapping[str, Any], ...]
    """By event, the values that it carries: what they are if nobody says."""
    event_names: tuple[str, ...]
    types: tuple[str, ...]
    document: Mapping[str, Any]


def behaviours_of(document: Mapping[str, Any]) -> list[Behaviour]:
    """The graphs of a glTF document."""
    return [_behaviour(graph, document) for graph in document["extensions"]["KHR_interactivity"]["graphs"]]


def _behaviour(graph: Mapping[str, Any], document: Mapping[str, Any]) -> Behaviour:
    types = tuple(each.get("signature", "custom") for each in graph["types"])
    declarations = graph["declarations"]

    def value(said: Mapping[str, Any]) -> Any:
        if "node" in said:
            return Wire(said["node"], said.get("socket", "value"))
        return value_of(types[said["type"]], said.get("value"))

    nodes = tuple(
        Node(
            index,
            declarations[each["declaration"]]["op"],
            {name: said.get("value") or [] for name, said in each.get("configuration", {}).items()},
            {name: value(said) for name, said in each.get("values", {}).items()},
            {name: Wire(said["node"], said.get("socket", "in")) for name, said in each.get("flows", {}).items()},
        )
        for index, each in enumerate(graph["nodes"])
    )
    variables = graph.get("variables", [])
    events = graph.get("events", [])
    return Behaviour(
        nodes,
        tuple(value_of(types[each["type"]], each.get("value")) for each in variables),
        tuple(each.get("id", str(index)) for index, each in enumerate(variables)),
        tuple({name: value(said) for name, said in each.get("values", {}).items()} for each in events),
        tuple(each.get("id", str(index)) for index, each in enumerate(events)),
        types,
        document,
    )
