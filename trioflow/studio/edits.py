"""What can be done to a graph in the page: a class for each edit, made of JSON; `of` gives the new graph. Pure.

Whatever can be said in a document can be made, also if it is wrong: validation tells what is, and how to cure it. An
edit is refused only where it means nothing, such as at a node that is not there.

`graph` names the graph that is edited: empty for the outermost, else the names that lead to one that this holds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

import attrs

from trioflow.errors import DocumentError, RegistryError, TrioflowError, UnknownName, did_you_mean
from trioflow.model.document import loads
from trioflow.model.graph import Connection, Endpoint, Graph, GraphKind, GraphNode, Variable
from trioflow.model.node_type import NodeType
from trioflow.model.registry import Registry
from trioflow.model.scope import Scope
from trioflow.model.structure import Refused, structured, tree_part
from trioflow.studio.forms import kind_of, read_literal
from trioflow.studio.places import at, has_place, position, without_places

T = TypeVar("T", GraphNode, Connection)


class EditError(TrioflowError):
    """An edit that means nothing for this graph. `problems`: places in what was to be set, and what is wrong there."""

    def __init__(self, message: str, problems: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.problems = problems


@attrs.frozen
class Desk:
    """What an edit is made with: the graph, what its types mean, and the ids of nodes that were added."""

    graph: Graph
    scope: Scope
    added: list[str]

    def node(self, name: str) -> GraphNode:
        """The node of an id. Raises `UnknownName`."""
        return _node(self.graph, name)

    def wire(self, source: Sequence[str], target: Sequence[str]) -> Connection:
        """The wire between two sockets. Raises `UnknownName`."""
        return self.graph.connections[_wire(self, source, target)]

    def type_of(self, type_id: str) -> NodeType | None:
        """The node type of an id, as the graph that is edited sees it; None if there is none."""
        try:
            return self.scope.find(type_id)
        except RegistryError:
            return None


class Edit(Protocol):
    """Something done to a graph."""

    graph: str
    label: ClassVar[str]
    """What was done, in words, as in "undo: …"."""

    def of(self, desk: Desk) -> Graph:
        """The graph that was named, with the edit done. Raises `EditError` or `UnknownName`."""
        ...


def apply(graph: Graph, registry: Registry, edit: Edit, added: list[str]) -> Graph:
    """The outermost graph after an edit; ids of nodes that it has added are put into `added`.

    Raises `EditError`, or `UnknownName`.
    """
    way = edit.graph.split("/") if edit.graph else []
    return _inside(graph, Scope(graph, registry), way, lambda inner, scope: edit.of(Desk(inner, scope, added)))


def desk_at(graph: Graph, registry: Registry, way: str = "") -> Desk:
    """The graph to which names lead, with what its types mean. Raises `UnknownName`."""
    found: list[Desk] = []

    def look(inner: Graph, scope: Scope) -> Graph:
        found.append(Desk(inner, scope, []))
        return inner

    _inside(graph, Scope(graph, registry), way.split("/") if way else [], look)
    return found[0]


def _inside(graph: Graph, scope: Scope, way: list[str], change: Callable[[Graph, Scope], Graph]) -> Graph:
    if not way:
        return change(graph, scope)
    name, *rest = way
    if name not in graph.graphs:
        raise UnknownName(f"The document holds no graph {name!r}.{did_you_mean(name, graph.graphs)}")
    inner = next(each for held, each in zip(graph.graphs, scope.nested(), strict=True) if held == name)
    changed = _inside(graph.graphs[name], inner, rest, change)
    return attrs.evolve(graph, graphs={**graph.graphs, name: changed})


# --- nodes ---


@attrs.frozen
class Add:
    """Add a node. Without an `id` it gets one by its type."""

    label: ClassVar = "add a node"
    type: str
    x: float | None = None
    y: float | None = None
    id: str | None = None
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        known = {each.id for each in desk.graph.nodes}
        if self.id is not None and self.id in known:
            raise EditError(f"There is a node {self.id!r} already. Give this one another id.")
        made = self.id or fresh(_short(self.type), known)
        metadata = {} if self.x is None or self.y is None else {"position": position(self.x, self.y)}
        desk.added.append(made)
        return attrs.evolve(desk.graph, nodes=(*desk.graph.nodes, GraphNode(made, self.type, metadata=metadata)))


@attrs.frozen
class Remove:
    """Remove nodes, and the wires that lead there and away."""

    label: ClassVar = "remove"
    nodes: list[str]
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        gone = {_node(desk.graph, each).id for each in self.nodes}
        return attrs.evolve(
            desk.graph,
            nodes=[each for each in desk.graph.nodes if each.id not in gone],
            connections=[
                each for each in desk.graph.connections if gone.isdisjoint((each.source.node, each.target.node))
            ],
        )


@attrs.frozen
class Duplicate:
    """Copy nodes, with the wires among them; copies are placed a little lower."""

    label: ClassVar = "duplicate"
    nodes: list[str]
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        part = part_of(desk.graph, self.nodes)
        return _with_part(desk, attrs.evolve(part, nodes=map(_lowered, part.nodes)))


@attrs.frozen
class Paste:
    """Add the nodes of a document, with the wires among them, under ids that are free; the first of them at a place."""

    label: ClassVar = "paste"
    document: str
    x: float | None = None
    y: float | None = None
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        try:
            part = loads(self.document)
        except DocumentError as error:
            raise EditError(f"This is not a part of a graph, as “Copy” makes it: {error}") from None
        if not part.nodes:
            raise EditError("There are no nodes in it.")
        placed = [each.metadata["position"] for each in part.nodes if has_place(each)]
        if self.x is not None and self.y is not None and placed:
            dx, dy = self.x - min(each["x"] for each in placed), self.y - min(each["y"] for each in placed)
            part = attrs.evolve(part, nodes=[_moved(each, dx, dy) for each in part.nodes])
        return _with_part(desk, part)


def part_of(graph: Graph, names: Sequence[str]) -> Graph:
    """Some nodes of a graph, with the wires among them. Raises `UnknownName`."""
    wanted = {_node(graph, each).id for each in names}
    return Graph(
        nodes=[each for each in graph.nodes if each.id in wanted],
        connections=[each for each in graph.connections if wanted >= {each.source.node, each.target.node}],
    )


def _with_part(desk: Desk, part: Graph) -> Graph:
    """The graph with the nodes and wires of another one, under ids that are free."""
    known = {each.id for each in desk.graph.nodes}
    names: dict[str, str] = {}
    for each in part.nodes:
        names[each.id] = fresh(_without_number(each.id) if each.id in known else each.id, known)
        known.add(names[each.id])

    def named(end: Endpoint) -> Endpoint:
        return Endpoint(names[end.node], end.socket)

    nodes = [
        attrs.evolve(each, id=names[each.id], undo=each.undo and names.get(each.undo, each.undo)) for each in part.nodes
    ]
    wires = [
        attrs.evolve(each, source=named(each.source), target=named(each.target))
        for each in part.connections
        if names.keys() >= {each.source.node, each.target.node}
    ]
    desk.added.extend(names.values())
    return attrs.evolve(desk.graph, nodes=(*desk.graph.nodes, *nodes), connections=(*desk.graph.connections, *wires))


@attrs.frozen
class Rename:
    """Give a node another id, also where wires and other nodes name it."""

    label: ClassVar = "rename"
    node: str
    id: str
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        _node(desk.graph, self.node)
        if self.id != self.node and any(each.id == self.id for each in desk.graph.nodes):
            raise EditError(f"There is a node {self.id!r} already. Give this one another id.")
        if not self.id.strip():
            raise EditError("A node needs an id: a text that is not empty.")

        def named(end: Endpoint) -> Endpoint:
            return Endpoint(self.id, end.socket) if end.node == self.node else end

        return attrs.evolve(
            desk.graph,
            nodes=[
                attrs.evolve(
                    each,
                    id=self.id if each.id == self.node else each.id,
                    undo=self.id if each.undo == self.node else each.undo,
                )
                for each in desk.graph.nodes
            ],
            connections=[
                attrs.evolve(each, source=named(each.source), target=named(each.target))
                for each in desk.graph.connections
            ],
        )


@attrs.frozen
class SetInput:
    """Give an input a literal, as a text that is read by the type of the input; None takes the literal away."""

    label: ClassVar = "set an input"
    node: str
    input: str
    text: str | None
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        node = _node(desk.graph, self.node)
        inputs = {name: value for name, value in node.inputs.items() if self.text is not None or name != self.input}
        if self.text is not None:
            inputs[self.input] = read_literal(kind_of(desk.type_of(node.type), self.input), self.text)
        return _changed(desk.graph, attrs.evolve(node, inputs=inputs))


@attrs.frozen
class Settle:
    """What else a document says of a node, such as its policy or how it joins, as JSON; what is not said is dropped."""

    label: ClassVar = "change a node"
    node: str
    settings: dict[str, Any]
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        node = _node(desk.graph, self.node)
        kept = {key: value for key, value in tree_part(node).items() if key in _HELD_ELSEWHERE}
        made = _structured({**self.settings, **kept}, GraphNode, keep=node.extra)
        return _changed(desk.graph, made)


_HELD_ELSEWHERE = ("id", "type", "inputs", "metadata")


def settings_of(node: GraphNode) -> dict[str, Any]:
    """What `Settle` sets."""
    return {key: value for key, value in tree_part(node).items() if key not in _HELD_ELSEWHERE}


@attrs.frozen
class Move:
    """Put nodes somewhere else. What was laid out until now stays where it was."""

    label: ClassVar = "move"
    places: dict[str, list[float]]
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        for name, place in self.places.items():
            _node(desk.graph, name)
            if len(place) != 2 or not all(map(math.isfinite, place)):
                raise EditError(f"A place has two numbers, not {place!r}.")
        nodes = [
            at(each, *self.places[each.id]) if each.id in self.places else each for each in desk.graph.nodes
        ]  # fmt: skip
        return attrs.evolve(desk.graph, nodes=nodes)


@attrs.frozen
class Arrange:
    """Forget all places, so that the graph is laid out anew; also in the graphs that the document holds."""

    label: ClassVar = "arrange"
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        return without_places(desk.graph)


# --- wires ---


@attrs.frozen
class Connect:
    """Draw a wire. A data input has one: another one takes its place. `settings` as for `Rewire`."""

    label: ClassVar = "connect"
    source: list[str]
    target: list[str]
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        source, target = _ends(desk.graph, self.source, self.target)
        wires = list(desk.graph.connections)
        if any(each.source == source and each.target == target for each in wires):
            raise EditError(f"{source} and {target} are connected already.")
        node_type = desk.type_of(_node(desk.graph, target.node).type)
        if node_type is not None and target.socket in node_type.input_index:
            wires = [each for each in wires if each.target != target]
        return attrs.evolve(desk.graph, connections=(*wires, Connection(source, target)))


@attrs.frozen
class Disconnect:
    """Remove a wire."""

    label: ClassVar = "remove a wire"
    source: list[str]
    target: list[str]
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        place = _wire(desk, self.source, self.target)
        wires = desk.graph.connections
        return attrs.evolve(desk.graph, connections=(*wires[:place], *wires[place + 1 :]))


@attrs.frozen
class Rewire:
    """When a wire of a workflow is taken, as JSON with the keys of the document; what is not said is dropped."""

    label: ClassVar = "change a wire"
    source: list[str]
    target: list[str]
    settings: dict[str, Any]
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        place = _wire(desk, self.source, self.target)
        wires = desk.graph.connections
        ends = {key: value for key, value in tree_part(wires[place]).items() if key in ("from", "to")}
        made = _structured({**self.settings, **ends}, Connection, keep=wires[place].extra)
        return attrs.evolve(desk.graph, connections=(*wires[:place], made, *wires[place + 1 :]))


def wire_settings(wire: Connection) -> dict[str, Any]:
    """What `Rewire` sets."""
    return {key: value for key, value in tree_part(wire).items() if key not in ("from", "to")}


# --- the graph ---


@attrs.frozen
class SetVariable:
    """Declare a variable, or change one. `default` is a text, read by the type."""

    label: ClassVar = "change a variable"
    name: str
    type: str = "any"
    default: str = ""
    merge: str = "last"
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        if not self.name.strip():
            raise EditError("A variable needs a name.")
        default = None if self.default == "" and self.type != "str" else read_literal(self.type, self.default)
        known = {each.name: each for each in desk.graph.variables}
        before = known.get(self.name, Variable(self.name))
        known[self.name] = attrs.evolve(before, type=self.type, default=default, merge=self.merge)
        return attrs.evolve(desk.graph, variables=[*known.values()])


@attrs.frozen
class DropVariable:
    """Take a variable away."""

    label: ClassVar = "remove a variable"
    name: str
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        left = [each for each in desk.graph.variables if each.name != self.name]
        if len(left) == len(desk.graph.variables):
            raise UnknownName(f"There is no variable {self.name!r}.")
        return attrs.evolve(desk.graph, variables=left)


@attrs.frozen
class SetKind:
    """Make it a graph whose nodes call, or a workflow whose wires carry tokens."""

    label: ClassVar = "change the kind"
    kind: GraphKind
    graph: str = ""

    def of(self, desk: Desk) -> Graph:
        return attrs.evolve(desk.graph, kind=self.kind)


EDITS: Mapping[str, type[Any]] = {
    "add": Add,
    "remove": Remove,
    "duplicate": Duplicate,
    "paste": Paste,
    "rename": Rename,
    "input": SetInput,
    "settings": Settle,
    "move": Move,
    "arrange": Arrange,
    "connect": Connect,
    "disconnect": Disconnect,
    "wire": Rewire,
    "variable": SetVariable,
    "drop variable": DropVariable,
    "kind": SetKind,
}


# --- inside ---


def fresh(name: str, known: Iterable[str]) -> str:
    """A name that is not known yet: the name itself, or with the first number that is free."""
    taken = set(known)
    if name not in taken:
        return name
    return next(made for number in itertools.count(2) if (made := f"{name}{number}") not in taken)


def _short(type_id: str) -> str:
    return type_id.rpartition(":")[2].rpartition("/")[2].removesuffix(".json").rpartition(".")[2] or "node"


def _without_number(name: str) -> str:
    return name.rstrip("0123456789") or name


def _node(graph: Graph, name: str) -> GraphNode:
    for each in graph.nodes:
        if each.id == name:
            return each
    known = [each.id for each in graph.nodes]
    raise UnknownName(f"There is no node {name!r} any more.{did_you_mean(name, known)}")


def _changed(graph: Graph, node: GraphNode) -> Graph:
    return attrs.evolve(graph, nodes=[node if each.id == node.id else each for each in graph.nodes])


def _ends(graph: Graph, source: Sequence[str], target: Sequence[str]) -> tuple[Endpoint, Endpoint]:
    if len(source) != 2 or len(target) != 2:
        raise EditError("An end of a wire is a node and a socket.")
    return Endpoint(_node(graph, source[0]).id, source[1]), Endpoint(_node(graph, target[0]).id, target[1])


def _wire(desk: Desk, source: Sequence[str], target: Sequence[str]) -> int:
    """The place of a wire. Its ends may leave out the only exec socket that there is."""
    ends = _ends(desk.graph, source, target)
    for wires in (desk.graph.connections, desk.scope.graph.connections):
        for place, each in enumerate(wires):
            if (each.source, each.target) == ends:
                return place
    raise UnknownName(f"There is no wire from {ends[0]} to {ends[1]} any more.")


def _structured(tree: Any, shape: type[T], *, keep: Mapping[str, Any]) -> T:
    """What the tree says, with what the node or wire has said beyond the format."""
    said = {key: value for key, value in tree.items() if key not in keep}
    try:
        made = structured(said, shape)
    except Refused as error:
        problems = [(path.removeprefix("."), what) for path, what in error.problems]
        raise EditError("; ".join(f"{path} {what}".strip() for path, what in problems), problems) from None
    extra = {key: tree[key] for key in keep if key in tree}
    return attrs.evolve(made, extra=extra)


def _lowered(node: GraphNode) -> GraphNode:
    return _moved(node, 30, 40)


def _moved(node: GraphNode, dx: float, dy: float) -> GraphNode:
    if not has_place(node):
        return node
    place = node.metadata["position"]
    return at(node, place["x"] + dx, place["y"] + dy)
