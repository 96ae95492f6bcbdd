"""What the reference must know of a graph: its nodes, wires, literals and variables (M1-M4), and what cells are."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.contract.script import TYPES, Sockets

if TYPE_CHECKING:
    from trioflow.reference.store import Store

Path = tuple[int, ...]


class Failure(Exception):
    """What a body, or the run, failed with: codes (spec/INTERPRETING.md, 6), and the path where it arose (E2)."""

    def __init__(self, *codes: str, origin: Path | None = None) -> None:
        self.codes = sorted(set(codes))
        super().__init__(", ".join(self.codes))
        self.origin = origin


@attrs.frozen(eq=False)
class Cell:
    """One value that was written; its identity is its version (D9)."""

    value: Any
    origin: str


LAZY, UNSET, FAILED = Cell(None, "lazy"), Cell(None, "unset"), Cell(None, "failed")


@attrs.frozen(eq=False)
class Node:
    """One node; `stream` is how its stream runs (S2-S4)."""

    id: str
    sockets: Sockets
    literals: Mapping[str, Any]
    stream: Mapping[str, Any]

    def constant(self, socket: str) -> Cell:
        """What an input has if nothing comes over a wire (D1)."""
        if socket in self.sockets.required and socket not in self.literals:
            return UNSET
        return Cell(self.literals.get(socket, self.sockets.defaults.get(socket)), f"={self.id}.{socket}")


@attrs.frozen
class Target:
    """A dispatch that is to be made: the node, the exec input, the payload of an event, the wire (G8)."""

    node: Node
    entered: str | None = None
    payload: Any = None
    wire: str | None = attrs.field(default=None, eq=False)
    begin: tuple[Sequence[int], Sequence[TokenWire]] | None = attrs.field(default=None, eq=False)
    """Of what opens a scope of a workflow: the places that fire first, and the wires with tokens (W13)."""


@attrs.frozen
class TokenWire:
    """An exec wire of a workflow that is there (W18); `place` is its place among the connections."""

    place: int
    source: int
    target: int
    output: str | None
    entered: str
    on: frozenset[str]
    when: str | None
    otherwise: bool
    priority: int


@attrs.frozen
class TokenNode:
    """How a node of a workflow takes tokens, and gives them (W3, W4)."""

    node: Node
    join: str = "all"
    min: int | str = 1
    unmet: str = "skip"
    choose: str = "all"
    most: int | None = None
    undo: str | None = None
    undo_from: str = "completed"

    def least(self, into: Sequence[TokenWire]) -> int:
        """Over how many wires tokens must come."""
        return len(into) if self.min == "every" else int(self.min)


SCOPE = Node("<scope>", Sockets(("enter",), ()), {}, {})
_CONDITION = re.compile(r"(out|vars)\.(\w+) (==|!=|<|<=|>|>=) (-?\d+)")
_COMPARED = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Graph:
    """A valid graph document, as wires. `streams` are the run's options for streams."""

    def __init__(self, document: Mapping[str, Any], streams: Mapping[str, Any]) -> None:
        self.nodes: dict[str, Node] = {}
        for row in document["nodes"]:
            stream = {**(row.get("stream") or {}), **streams.get(row["id"], {})}
            self.nodes[row["id"]] = Node(row["id"], TYPES[row["type"]], row.get("inputs") or {}, stream)
        nodes = self.nodes.values()
        self.constants = {
            (node.id, name): node.constant(name)
            for node in nodes
            for name in (*node.sockets.inputs, *node.sockets.lazy)
        }
        self._targets: dict[tuple[str, str], list[Target]]
        self._targets = {(node.id, output): [] for node in nodes for output in node.sockets.exec_outputs}
        self.sources: dict[tuple[str, str], tuple[Node, str]] = {}
        self.is_workflow = document.get("kind") == "workflow"
        self.collects = document.get("on_error") == "collect"
        self.wires: list[TokenWire] = []
        self.token_nodes: list[TokenNode] = []
        self._reach: dict[int, frozenset[int]] = {}
        connections: list[Any] = document.get("connections") or []
        for place, connection in enumerate(connections):
            if connection.get("enabled", True) is False:  # W18
                continue
            start: str = connection["from"]
            source, output = start.rsplit(".", 1) if "." in start else (start, "")
            target, _, socket = connection["to"].rpartition(".")
            if self.is_workflow and socket in self.nodes[target].sockets.exec_inputs:
                self.wires.append(self._token_wire(place, source, output or None, target, socket, connection))
            elif (source, output) in self._targets:
                wire = f"{connection['from']} -> {connection['to']}"
                self._targets[source, output].append(Target(self.nodes[target], socket, wire=wire))
            else:
                self.sources[target, socket] = (self.nodes[source], output)
        self.initiators = [Target(self.nodes[row["id"]]) for row in document["nodes"] if row.get("initiator")]
        if self.is_workflow:
            self._read_tokens(document)
        self.variables = {row["name"]: row for row in document.get("variables") or ()}
        self._events = {row["name"] for row in document.get("events") or ()}

    # --- workflows ---

    def _token_wire(
        self, place: int, source: str, output: str | None, target: str, socket: str, row: Mapping[str, Any]
    ) -> TokenWire:
        places = {name: index for index, name in enumerate(self.nodes)}
        on = row.get("on", "completed")
        return TokenWire(
            place, places[source], places[target], output, socket, frozenset([on] if isinstance(on, str) else on),
            row.get("when"), row.get("else", False), row.get("priority", 0),
        )  # fmt: skip

    def _read_tokens(self, document: Mapping[str, Any]) -> None:
        names = ("join", "min", "unmet", "choose", "most", "undo", "undo_from")
        for row in document["nodes"]:
            given = {name: row[name] for name in names if name in row}
            self.token_nodes.append(TokenNode(self.nodes[row["id"]], **given))
        self.initiators = [Target(SCOPE, begin=([*self._entries(document)], ()))]
        for place, each in enumerate(self.token_nodes):
            for output in each.node.sockets.exec_outputs:
                wires = [
                    wire
                    for wire in self.wires
                    if (wire.source, wire.output) == (place, output) and "completed" in wire.on
                ]
                entered = f"{each.node.id}.{output}"
                self._targets[each.node.id, output] = [Target(SCOPE, entered, begin=((), wires))] if wires else []

    def _entries(self, document: Mapping[str, Any]) -> Iterator[int]:
        """The nodes that fire once, with no token (W2)."""
        marks = [row.get("initiator") for row in document["nodes"]]
        undoing = {each.undo for each in self.token_nodes}
        for place, each in enumerate(self.token_nodes):
            sockets = each.node.sockets
            if not sockets.is_exec or sockets.listens or marks[place] is False or each.node.id in undoing:
                continue
            circle = [other for other in sorted(self.reach(place)) if place in self.reach(other)]
            led_into = any(wire.source not in circle for other in circle or [place] for wire in self.into(other))
            if marks[place] or not self.into(place):
                yield place
            elif circle and not led_into and not any(marks[other] for other in circle):
                allowed = [other for other in circle if marks[other] is not False]
                if place == allowed[0]:
                    yield place

    def into(self, place: int) -> list[TokenWire]:
        """The wires that lead to a node."""
        return [wire for wire in self.wires if wire.target == place]

    def reach(self, place: int) -> frozenset[int]:
        """The nodes that a token that is made at this one may come to, over at least one wire."""
        if place not in self._reach:
            found: set[int] = set()
            waiting = [place]
            while waiting:
                here = waiting.pop()
                for wire in self.wires:
                    if wire.source == here and wire.target not in found:
                        found.add(wire.target)
                        waiting.append(wire.target)
            self._reach[place] = frozenset(found)
        return self._reach[place]

    def holds(self, wire: TokenWire, store: Store) -> bool:
        """Whether a condition of the form `out.x < 3` or `vars.v == 1` holds: whole numbers and no others (W3)."""
        match = _CONDITION.fullmatch(wire.when or "")
        assert match is not None, wire
        where, name, compare, number = match.groups()
        key = ("var", name) if where == "vars" else ("out", self.token_nodes[wire.source].node.id, name)
        cell = store.read(key)
        if cell is None or type(cell.value) is not int:
            raise Failure("condition")
        return bool(_COMPARED[compare](cell.value, int(number)))

    def targets(self, node: Node, output: str) -> Sequence[Target]:
        """What an exec output dispatches, in the order of the connections (M3, T1)."""
        if (node.id, output) not in self._targets:
            raise Failure("unknown-socket")  # T4
        return self._targets[node.id, output]

    def listeners(self, event: str, payload: Any) -> list[Target]:
        """The listeners of an event, in document order (B1)."""
        if event not in self._events:
            raise Failure("unknown-name")
        listening = [node for node in self.nodes.values() if node.sockets.listens and node.literals["event"] == event]
        if self.is_workflow:
            places = {id(each.node): place for place, each in enumerate(self.token_nodes)}
            return [Target(SCOPE, None, payload, begin=((places[id(node)],), ())) for node in listening]
        return [Target(node, None, payload) for node in listening]

    def got(self, node: Node, socket: str, cell: Cell) -> Any:
        """The value of a cell as the body gets it (D1, D11); literals and defaults were checked before (M5)."""
        if cell is UNSET:
            raise Failure("missing-input")
        constant = cell is self.constants[node.id, socket]
        return cell.value if constant else _fitting(node.sockets.types.get(socket), cell.value)

    def variable(self, name: str, value: Any) -> Any:
        """A value as this variable takes it (D11)."""
        if name not in self.variables:
            raise Failure("unknown-name")
        return value if value is None else _fitting(self.variables[name].get("type"), value)


def _fitting(kind: str | None, value: Any) -> Any:
    if type(value) is not {"int": int, "str": str, "list": list}.get(kind or "any", type(value)):
        raise Failure("coercion")
    return value
