"""What all drawings ask of a graph: which wires carry control, where runs start. Works for graphs with errors too."""

from __future__ import annotations

import unicodedata

from trioflow.errors import NodeDefinitionError, RegistryError
from trioflow.formats._done import Done, was_taken
from trioflow.formats.placeholder import shape_of
from trioflow.model.composition import Boundary
from trioflow.model.graph import Connection, Graph, GraphNode
from trioflow.model.node_type import NodeType
from trioflow.model.policy import described
from trioflow.model.registry import Registry
from trioflow.model.scope import Scope
from trioflow.model.secret import HIDDEN, hide, secret_name
from trioflow.semantics.tracking import NodeReport, RunReport
from trioflow.semantics.workflow.net import Net

_LONGEST_LITERAL = 40


class Drawing:
    """A graph with the node types that could be found. Of several nodes with one id, wires go to the first.

    `title` says which graph it is, `name` is a word for it that no other drawing in a picture has; both are empty for
    the outermost. `held` are the graphs that it holds, `beside` those from elsewhere that it or these call.
    """

    def __init__(self, scope: Scope, picture: _Picture) -> None:
        self.graph = scope.graph
        self.title = scope.name if picture.drawn else ""
        self.name = f"g{len(picture.drawn)}" if picture.drawn else ""
        self._scope, self._picture = scope, picture
        picture.drawn[scope] = self
        self.place: dict[str, int] = {}
        self.beside: list[Drawing] = []
        types: list[NodeType | None] = []
        self._type_of: dict[str, NodeType | None] = {}
        for place, node in enumerate(self.graph.nodes):
            types.append(_find(scope, node))
            self.place.setdefault(node.id, place)
            self._type_of.setdefault(node.id, types[-1])
        self._reports: dict[str, list[NodeReport]] = {}
        self._between: dict[tuple[str, str], list[Connection]] = {}
        self._first: frozenset[str] | None = None
        if self.graph.kind == "workflow":
            net = Net(self.graph, types)
            self._first = frozenset(self.graph.nodes[place].id for place in net.whole().entries)
        self.held = [] if picture.fold else [Drawing(inner, picture) for inner in scope.nested()]
        picture.called += filter(None, map(scope.callee, dict.fromkeys(filter(None, types))))

    @classmethod
    def of(cls, graph: Graph, registry: Registry, *, fold: bool, report: RunReport | None = None) -> Drawing:
        """The drawing of a graph; folded, the graphs that it calls are only nodes. `report`: of a run of it."""
        picture = _Picture(fold=fold, tells_what_was_done=report is not None)
        drawing = cls(Scope(graph, registry), picture)
        while picture.called and not fold:
            scope = picture.called.pop(0)
            if scope not in picture.drawn:
                drawing.beside.append(Drawing(scope, picture))
        for name, reported in {} if report is None else report.nodes.items():
            drawing._take(name, reported)
        return drawing

    def _take(self, name: str, report: NodeReport) -> None:
        """A node of this name, as seen from here, has done that."""
        drawing = self
        *calls, node = name.split("/")
        for call in calls:
            callee = drawing._callee(drawing._type_of.get(call))
            if callee is None:
                return  # it is in a graph that is not in the picture
            drawing = callee
        drawing._reports.setdefault(node, []).append(report)

    def done(self, node: str) -> Done | None:
        """What a node has done; None if the picture is not of a run."""
        return Done.of(self._reports.get(node, ())) if self._picture.tells_what_was_done else None

    def was_taken(self, wire: Connection) -> bool | None:
        """Whether something has come over a wire; None if the picture is not of a run."""
        source, target = self.done(wire.source.node), self.done(wire.target.node)
        if source is None or target is None:
            return None
        if not self.is_exec(wire):
            return source.has_begun and target.has_begun
        if not self._between:
            for each in self.graph.connections:
                self._between.setdefault((each.source.node, each.target.node), []).append(each)
        beside = self._between[wire.source.node, wire.target.node]
        return was_taken(wire, source, target, beside, tokens=self.graph.kind == "workflow")

    def node_name(self, place: int) -> str:
        """A word for the node there that no other node in the picture has."""
        return f"{self.name}n{place}"

    def missing_name(self, place: int) -> str:
        """The same for a node that is missing."""
        return f"{self.name}missing{place}"

    def is_exec(self, wire: Connection) -> bool:
        """Whether a wire carries control, as far as either end tells; what neither end knows counts as data."""
        source, target = self._type_of.get(wire.source.node), self._type_of.get(wire.target.node)
        if source is not None:
            if wire.source.socket in source.exec_output_index:
                return True
            if wire.source.socket in source.output_index:
                return False
        return target is not None and any(each.name == wire.target.socket for each in target.exec_inputs)

    def is_start(self, node: GraphNode) -> bool:
        """Whether runs start at the node, or events or callers do."""
        node_type = self._type_of[node.id]
        if node_type is None:
            return bool(node.initiator)
        if node_type.body is Boundary.ENTER:
            return node_type.is_exec
        if self._first is not None:
            return node_type.listens is not None or node.id in self._first  # W2
        return node_type.listens is not None or (node_type.initiator if node.initiator is None else node.initiator)

    def is_exec_node(self, node: GraphNode) -> bool:
        """Whether the node acts; unknown types are taken to."""
        node_type = self._type_of[node.id]
        return node_type is None or node_type.is_exec

    def type_of(self, node: GraphNode) -> NodeType | None:
        """The type of a node, None if it could not be found."""
        return self._type_of.get(node.id)

    def called_by(self, node_type: NodeType | None) -> str | None:
        """The `name` of the drawing of the graph that nodes of a type call, if that is in the picture."""
        callee = self._callee(node_type)
        return None if callee is None else callee.name

    def _callee(self, node_type: NodeType | None) -> Drawing | None:
        scope = None if node_type is None else self._scope.callee(node_type)
        return None if scope is None else self._picture.drawn.get(scope)

    def missing_nodes(self) -> list[str]:
        """Ids that connections name and the graph does not have."""
        ends = [end.node for wire in self.graph.connections for end in (wire.source, wire.target)]
        return sorted({node for node in ends if node not in self.place})


def tokens_at(node: GraphNode) -> list[str]:
    """How a node of a workflow takes tokens and when it may start, as short texts: what is not at its default."""
    said: list[tuple[str, object, object]] = [("join", node.join, "all"), ("min", node.min, 1)]
    said += [("unmet", node.unmet, "skip"), ("rest", node.rest, "drop"), ("choose", node.choose, "all")]
    said += [("most", node.most, None), ("priority", node.priority, "normal")]
    said += [("limit", node.limit, None), ("group", node.group, None), ("queue", node.queue, None)]
    texts = [f"{name}: {value}" for name, value, default in said if value != default]
    sets = [f"{name} := {text}" for name, text in node.set.items()]
    return [*([", ".join(texts)] if texts else []), *sets]


def terms_of(wire: Connection) -> str:
    """When an exec wire of a workflow is taken, as a short text; empty if always."""
    said = ["off"] if not wire.enabled else []
    said += [f"on {' or '.join(wire.outcomes)}"] if wire.on != "completed" else []
    said += [f"when {wire.when}"] if wire.when is not None else []
    said += ["else"] if wire.otherwise else []
    said += [f"{name} := {data.value}" for name, data in wire.data.items()]
    return ", ".join(said)


def undone_by(graph: Graph) -> list[tuple[str, str]]:
    """The nodes that are undone, and those that undo them."""
    known = {node.id for node in graph.nodes}
    return [(node.id, node.undo) for node in graph.nodes if node.undo is not None and node.undo in known]


class _Picture:
    """What the drawings in one picture share."""

    def __init__(self, *, fold: bool, tells_what_was_done: bool) -> None:
        self.fold = fold
        self.tells_what_was_done = tells_what_was_done
        self.drawn: dict[Scope, Drawing] = {}
        """The graphs that are in the picture."""
        self.called: list[Scope] = []


def _find(scope: Scope, node: GraphNode) -> NodeType | None:
    try:
        found = scope.type_of(node)
    except (RegistryError, NodeDefinitionError):
        return None  # a broken package or configuration is no reason not to draw
    return shape_of(node) if found is None else found


def facts(node: GraphNode) -> list[str]:
    """A node's literals, and what is done where it fails, as short texts."""
    literals = [f"{name} = {literal_text(value)}" for name, value in node.inputs.items()]
    policy = [] if node.policy is None else [f"! {each}" for each in described(node.policy)]
    return [*literals, *policy]


def literal_text(value: object) -> str:
    """A literal as a short text; a secret as its name."""
    name_of_secret = secret_name(value)
    text = repr(value) if name_of_secret is None else f"{HIDDEN} ({name_of_secret})"
    return text if len(text) <= _LONGEST_LITERAL else text[: _LONGEST_LITERAL - 3] + "..."


def visible(text: str) -> str:
    """The text on one line: what would break it, or can't be encoded, as Python's escapes."""
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} else char
        for char in hide(text)
    )
