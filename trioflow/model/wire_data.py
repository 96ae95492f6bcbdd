"""Data on exec wires: what a wire says that inputs of its target get. It becomes data wires and data nodes.

An output by its name becomes a wire; anything else a data node that evaluates the expression when somebody asks for the
input, and again when something that it names has changed, as any data node. So nothing travels on wires.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import attrs

from trioflow.errors import UnknownName, did_you_mean
from trioflow.model.composition import ENTER, ERROR, PROGRESS
from trioflow.model.context import DataContext
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, WireData
from trioflow.model.node_type import FunctionBody, NodeType, Parameter
from trioflow.model.sockets import UNSET, DataIn, DataOut

DATA = "wire data"
"""The id of the types of the nodes that are made."""

TypeOf = Callable[[GraphNode], NodeType | None]
Transforms = Mapping[str, Callable[[Any], Any]]

_NAMES = re.compile(r"\b(?:(out|vars|input)\.([A-Za-z_]\w*)|(error|item|progress)\b)")
_OUTPUT = re.compile(r"out\.([A-Za-z_]\w*)")


def with_data(graph: Graph, type_of: TypeOf, transforms: Transforms) -> tuple[Graph, dict[str, NodeType]]:
    """The graph with what its exec wires say about inputs as wires and nodes, behind all others; and their types.

    What can't be is left out: validation says why.
    """
    if not any(wire.data for wire in graph.connections):
        return graph, {}
    by_id = {node.id: node for node in graph.nodes}
    given = {wire.target for wire in graph.connections}
    nodes: list[GraphNode] = []
    wires: list[Connection] = []
    types: dict[str, NodeType] = {}
    for place, wire in enumerate(graph.connections):
        source, target = by_id.get(wire.source.node), by_id.get(wire.target.node)
        source_type, target_type = (None if node is None else type_of(node) for node in (source, target))
        if source_type is None or target_type is None or not wire.enabled:
            continue
        for name, data in wire.data.items():
            end = Endpoint(wire.target.node, name)
            if name not in target_type.input_index or end in given:
                continue
            given.add(end)
            simple = _OUTPUT.fullmatch(data.value.strip())
            if simple and simple[1] in source_type.output_index and not data.transforms and data.default is UNSET:
                wires.append(Connection(Endpoint(wire.source.node, simple[1]), end))
                continue
            sources = dict(_sources(graph, wire, source_type, data.value))
            node_id, type_id = f"{wire} data {name}", f"{DATA} {place} {name}"
            types[type_id] = _type(type_id, data, sources, transforms)
            nodes.append(GraphNode(node_id, type_id))
            ends = [each for each in sources.values() if each is not None]
            wires += [Connection(each, Endpoint(node_id, f"in{number}")) for number, each in enumerate(ends)]
            wires.append(Connection(Endpoint(node_id, "result"), end))
    made = attrs.evolve(graph, nodes=(*graph.nodes, *nodes), connections=(*graph.connections, *wires))
    return made, types


def _sources(graph: Graph, wire: Connection, source: NodeType, text: str) -> Iterator[tuple[str, Endpoint | None]]:
    """What an expression may name, and where that comes from; None for variables."""
    enter = next((node.id for node in graph.nodes if node.type == ENTER), None)
    inputs = {each.name for each in graph.interface.inputs} if graph.interface is not None else set[str]()
    for where, name, word in dict.fromkeys(_NAMES.findall(text)):
        if where == "out" and name in source.output_index:
            yield f"out.{name}", Endpoint(wire.source.node, name)
        elif where == "vars" and any(variable.name == name for variable in graph.variables):
            yield f"vars.{name}", None
        elif where == "input" and name in inputs and enter is not None:
            yield f"input.{name}", Endpoint(enter, name)
        elif word == "error" and graph.kind == "workflow" and source.is_exec:
            yield "error", Endpoint(wire.source.node, ERROR)
        elif word == "progress" and "progress" in wire.outcomes:
            yield "progress", Endpoint(wire.source.node, PROGRESS)
        elif word == "item":
            for stream in source.streams[:1]:
                yield "item", Endpoint(wire.source.node, stream.items[0].name)


def _type(type_id: str, data: WireData, sources: Mapping[str, Endpoint | None], transforms: Transforms) -> NodeType:
    """A data node that is an expression, what is applied to its value, and what stands in for what is unset."""
    wired = [name for name, end in sources.items() if end is not None]
    inputs = [DataIn(object, default=None if name == "error" else UNSET, lazy=True) for name in wired]
    for number, each in enumerate(inputs):
        each.name = f"in{number}"
    places = {name: f"in{number}" for number, name in enumerate(wired)}
    output = DataOut(object)
    output.name = "result"

    async def value(ctx: DataContext) -> Any:
        # By name: expressions stand above the model.
        compile_expression = importlib.import_module("trioflow.expressions").compile_expression
        expression = compile_expression(data.value, dict.fromkeys(sources))
        values: dict[str, Any] = {}
        for name in expression.names:
            if name not in places:
                values[name] = ctx.get_variable(name.removeprefix("vars."))
                continue
            found = await ctx.try_get_input(places[name], UNSET)
            if found is UNSET and data.default is not UNSET:
                return data.default
            values[name] = await ctx.get_input(places[name]) if found is UNSET else found
        result = expression.value(values)
        for name in data.transforms:
            result = _transform(transforms, name)(result)
            if isinstance(result, Awaitable):
                result = await result
        return result

    return NodeType(
        id=type_id,
        doc=data.value,
        inputs=tuple(inputs),
        outputs=(output,),
        exec_inputs=(),
        exec_outputs=(),
        streams=(),
        body=FunctionBody(value, (Parameter("ctx", "context"),), True, "single"),
        version=f"{data.value} {data.transforms} {data.default!r}",
    )


def _transform(transforms: Transforms, name: str) -> Callable[[Any], Any]:
    found = transforms.get(name)
    if found is None:
        raise UnknownName(f"There is no transform {name!r}.{did_you_mean(name, transforms)}")
    return found
