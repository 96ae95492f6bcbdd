"""Placeholders: nodes of other programs for which there is nothing here, until the host gives them a body.

A placeholder is a node of a type that nobody declares. What sockets it has stands in its metadata, so that it is drawn
with its wires, saved, and can be run as soon as somebody says what it does: `registry.body("fetch", function)`.
"""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, cast

import attrs

from trioflow.errors import NodeError, RegistryError, did_you_mean
from trioflow.model.composition import graph_node
from trioflow.model.context import Context
from trioflow.model.function_node import as_node_type
from trioflow.model.graph import Graph, GraphNode
from trioflow.model.node_type import Node, NodeType
from trioflow.model.registry import Registry
from trioflow.model.scope import GRAPH
from trioflow.model.sockets import UNSET, DataIn, DataOut, ExecIn, ExecOut, Socket
from trioflow.model.types import NAMED_TYPES

KEY = "placeholder"
"""The key in the metadata of a node that makes it a placeholder."""


@attrs.frozen
class Sockets:
    """The sockets of a node by name, in order; data sockets with the names of their types."""

    enters: tuple[str, ...] = ("enter",)
    exits: tuple[str, ...] = ("then",)
    inputs: Mapping[str, str] = attrs.Factory(dict[str, str])
    outputs: Mapping[str, str] = attrs.Factory(dict[str, str])

    def as_data(self) -> dict[str, Any]:
        """What a placeholder keeps of them in its metadata."""
        return {
            "enters": [*self.enters],
            "exits": [*self.exits],
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
        }


@attrs.frozen
class Placeholder:
    """A placeholder of a graph: its id, with the graphs around it in front (`outer/fetch`), and its path."""

    name: str
    path: str
    node: GraphNode

    @property
    def sockets(self) -> Sockets:
        """What it has been said to have; what is malformed is as if nothing had been said."""
        said = cast("Any", self.node.metadata.get(KEY))

        def names(key: str, default: Iterable[str]) -> tuple[str, ...]:
            found = said.get(key) if isinstance(said, Mapping) else None
            return tuple(map(str, found)) if isinstance(found, list | tuple) else tuple(default)

        def types(key: str) -> dict[str, str]:
            found = said.get(key) if isinstance(said, Mapping) else None
            return {str(name): str(type_) for name, type_ in found.items()} if isinstance(found, Mapping) else {}

        inputs = {**dict.fromkeys(self.node.inputs, "any"), **types("inputs")}
        return Sockets(names("enters", ["enter"]), names("exits", ["then"]), inputs, types("outputs"))


@attrs.frozen
class Answer:
    """What a body given to a placeholder returns where a value alone does not say enough.

    `value`: that of its first output, or a mapping of the values of its outputs. `exit`: where it goes on, if it has
    several exec outputs.
    """

    value: Any = None
    exit: str = ""


Body = Callable[..., Any]


def body_for(node_id: str) -> str:
    """How one says what a placeholder does: by a function, or by an answer alone."""
    said = shlex.quote(f"{node_id}=MODULE.NAME")
    return f"--body {said} or registry.body({node_id!r}, function); or only an answer: --stub FILE."


def placeholder(
    node_id: str,
    type_id: str,
    inputs: Mapping[str, Any] | None = None,
    *,
    sockets: Sockets | None = None,
    metadata: Mapping[str, Any] | None = None,
    **settings: Any,
) -> GraphNode:
    """A node without a counterpart: `type_id` is one that nobody declares, such as `dipeo.ir_builder`.

    `sockets` are what wires may be attached to; without any `enter`, `then`, and an input for each literal. `settings`
    are those of a `GraphNode`.
    """
    said = (sockets if sockets is not None else Sockets()).as_data()
    return GraphNode(node_id, type_id, inputs or {}, metadata={**(metadata or {}), KEY: said}, **settings)


def placeholders_in(graph: Graph) -> Iterator[Placeholder]:
    """The placeholders of a graph and of the graphs in it that are not in files, as validation writes their paths."""
    for name, path, node in _nodes(graph, "", ""):
        if KEY in node.metadata:
            yield Placeholder(name, path, node)


@attrs.define
class Filling:
    """Bodies that the host gives to nodes, and which of them have found their node.

    A body is called with the inputs that it names, and may be async; what it returns is the value of the first output,
    a mapping of values with names of outputs alone, or an `Answer`. It may be a node type as well, which then takes the
    node's place.
    """

    bodies: Mapping[str, Any]
    filled: set[str] = attrs.Factory(set[str])
    _used: set[str] = attrs.Factory(set[str])
    _names: list[str] = attrs.Factory(list[str])

    def fill(self, graph: Graph, registry: Registry) -> Graph:
        """The graph with the bodies for its nodes. Raises `RegistryError` for those that want what a node has not."""
        return self._fill(graph, registry, "") if self.bodies else graph

    def check(self) -> None:
        """Raise `RegistryError` for bodies of nodes that were in no graph."""
        unknown = [each for each in self.bodies if each not in self._used and each != "*"]
        if unknown:
            raise RegistryError(
                " ".join(
                    f"There is no node {each!r} to which a body could be given.{did_you_mean(each, self._names)}"
                    for each in unknown
                )
            )

    def _fill(self, graph: Graph, registry: Registry, prefix: str) -> Graph:
        nodes: list[GraphNode] = []
        types: dict[str, NodeType] = dict(graph.types)
        for node in graph.nodes:
            name = f"{prefix}{node.id}"
            self._names.append(name)
            is_placeholder = KEY in node.metadata
            key = next((each for each in (name, node.id, "*") if each in self.bodies), None)
            if key is None or (key == "*" and not is_placeholder):
                nodes.append(node)
                continue
            self._used.add(key)
            self.filled.add(name)
            node_type = as_node_type(self.bodies[key])
            if node_type is None:
                known = None if is_placeholder else _type_in(graph, node.type, registry)
                sockets = sockets_of(known) if known is not None else Placeholder(name, "", node).sockets
                # Each has a type of its own, since bodies are given to nodes.
                node_type = stand_in(f"body of {name}", sockets, self.bodies[key])
            types[node_type.id] = node_type
            inputs = {key: value for key, value in node.inputs.items() if key in node_type.input_index}
            metadata = {key: value for key, value in node.metadata.items() if key != KEY}
            nodes.append(attrs.evolve(node, type=node_type.id, inputs=inputs, metadata=metadata))
        graphs = {name: self._fill(inner, registry, f"{prefix}{name}/") for name, inner in graph.graphs.items()}
        return attrs.evolve(graph, nodes=tuple(nodes), types=types, graphs=graphs)


def stand_in(type_id: str, sockets: Sockets, body: Body) -> NodeType:
    """A node type with these sockets whose body is a function. Raises `RegistryError` if it wants other inputs."""
    exits = tuple(_named(ExecOut(), name) for name in sockets.exits)
    made = type(
        "StandIn",
        (_StandIn,),
        {"call": staticmethod(_call_of(type_id, body, sockets)), "sockets": sockets, "exits": exits},
        abstract=True,
    )
    return NodeType(
        id=type_id,
        doc=inspect.getdoc(body) or "",
        inputs=tuple(_named(DataIn(_type(each), default=None), name) for name, each in sockets.inputs.items()),
        outputs=tuple(_named(DataOut(_type(each)), name) for name, each in sockets.outputs.items()),
        exec_inputs=tuple(_named(ExecIn(), name) for name in sockets.enters),
        exec_outputs=exits,
        streams=(),
        body=made,
        version=f"stand-in:{getattr(body, '__module__', '')}.{getattr(body, '__qualname__', '')}",
    )


def shape_of(node: GraphNode) -> NodeType | None:
    """A type with the sockets that a placeholder is said to have, for drawing it; None for a node that is none."""
    if KEY not in node.metadata:
        return None
    return stand_in(node.type, Placeholder(node.id, "", node).sockets, _nothing)


def shaped(graph: Graph) -> Graph:
    """The graph with types for its placeholders, so that their wires and conditions can be checked; never to be run."""
    nodes: list[GraphNode] = []
    types: dict[str, NodeType] = dict(graph.types)
    known: dict[str, str] = {}
    for node in graph.nodes:
        if KEY in node.metadata:
            sockets = Placeholder(node.id, "", node).sockets
            look = repr((node.type, sockets))
            if look not in known:  # making a type is dear
                known[look] = f"placeholder {node.id}"
                types[known[look]] = stand_in(node.type, sockets, _nothing)
            node = attrs.evolve(node, type=known[look])  # noqa: PLW2901 - the same node, with a type
        nodes.append(node)
    graphs = {name: shaped(inner) for name, inner in graph.graphs.items()}
    return attrs.evolve(graph, nodes=tuple(nodes), types=types, graphs=graphs)


def _nothing(**inputs: Any) -> None:
    """The body of a type that is only drawn."""


class _StandIn(Node, abstract=True):
    call: ClassVar[Any]
    sockets: ClassVar[Sockets]
    exits: ClassVar[tuple[ExecOut, ...]]

    async def execute(self, ctx: Context) -> Any:
        values = {name: await ctx.try_get_input(name) for name in self.sockets.inputs}
        answer = self.call(values)
        if inspect.isawaitable(answer):
            answer = await answer
        if not isinstance(answer, Answer):
            answer = Answer(answer)
        outputs, exits = self.sockets.outputs, self.sockets.exits
        where = f"The body given to {ctx.node.id!r}"
        given = cast("Mapping[str, Any]", answer.value) if isinstance(answer.value, Mapping) else {}
        by_name = [name for name in given if name in outputs]
        if by_name and len(by_name) == len(given):
            for name, value in given.items():
                ctx.set_output(name, value)
        elif by_name and len(outputs) > 1:
            others = ", ".join(repr(name) for name in given if name not in outputs)
            raise NodeError(f"{where} returned {others} besides values of the outputs: {', '.join(outputs)}.")
        elif outputs and (answer.value is not None or len(outputs) == 1):
            ctx.set_output(next(iter(outputs)), answer.value)
        if answer.exit and answer.exit not in exits:
            raise NodeError(
                f"{where} goes on at {answer.exit!r}, which is not an exec output of the node."
                f"{did_you_mean(answer.exit, exits)} It has: {', '.join(exits) or 'none'}."
            )
        return next((each for each in self.exits if answer.exit in {"", each.name}), None)


def _call_of(type_id: str, body: Body, sockets: Sockets) -> Callable[[Mapping[str, Any]], Any]:
    if not callable(body):
        raise RegistryError(f"The body for {type_id!r} is {body!r}, which is neither a function nor a node type.")
    try:
        parameters = [*inspect.signature(body).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters)
    names = [each.name for each in parameters if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}]
    lacking = [each.name for each in parameters if each.name in names and each.default is each.empty
               and each.name not in sockets.inputs]  # fmt: skip
    if lacking:
        raise RegistryError(
            f"The body for {type_id!r} wants {', '.join(map(repr, lacking))}, and the node has the inputs: "
            f"{', '.join(sockets.inputs) or 'none'}. Give what else it needs a default."
        )

    def call(values: Mapping[str, Any]) -> Any:
        return body(**{name: value for name, value in values.items() if takes_all or name in names})

    return call


def _type_in(graph: Graph, type_id: str, registry: Registry) -> NodeType | None:
    """What a type id means in a graph, as far as that is known without its files."""
    inner = graph.graphs.get(type_id.removeprefix(GRAPH)) if type_id.startswith(GRAPH) else None
    if inner is not None:
        return graph_node(inner, id=type_id)
    return graph.types.get(type_id) or registry.find(type_id)


def sockets_of(node_type: NodeType) -> Sockets:
    """The sockets of a type, by name."""
    names = {each: name for name, each in NAMED_TYPES.items()}
    return Sockets(
        tuple(each.name for each in node_type.exec_inputs),
        tuple(each.name for each in node_type.exec_outputs),
        {each.name: names.get(each.type, "any") for each in node_type.inputs},
        {each.name: names.get(each.type, "any") for each in node_type.outputs},
    )


def _nodes(graph: Graph, prefix: str, path: str) -> Iterator[tuple[str, str, GraphNode]]:
    for index, node in enumerate(graph.nodes):
        yield f"{prefix}{node.id}", f"{path}nodes[{index}]", node
    for name, inner in graph.graphs.items():
        step = f".{name}" if name.isidentifier() else f"[{json.dumps(name, ensure_ascii=False)}]"
        yield from _nodes(inner, f"{prefix}{name}/", f"{path}graphs{step}.")


def nodes_in(graph: Graph) -> Iterator[tuple[str, str, GraphNode]]:
    """The nodes of a graph, of those in it and in files: name, path as validation writes it, and the node."""
    yield from _nodes(graph, "", "")
    seen: set[int] = {id(graph)}
    todo: list[Any] = [graph]
    while todo:
        for path, each in todo.pop().files.items():
            if isinstance(each, Graph) and id(each) not in seen:
                seen.add(id(each))
                todo.append(each)
                yield from _nodes(each, "", f"{path}: ")


def _named(socket: Any, name: str) -> Any:
    cast("Socket", socket).name = name
    return socket


def _type(name: str) -> Any:
    found: Any = NAMED_TYPES.get(name, object)
    return object if found is UNSET else found
