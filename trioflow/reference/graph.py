"""What the reference must know of a graph: its nodes, wires, literals and variables (M1-M4), and what cells are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from trioflow.contract.script import TYPES, Sockets

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
        for connection in document.get("connections") or ():
            source, output = connection["from"].rsplit(".", 1)
            target, socket = connection["to"].rsplit(".", 1)
            if (source, output) in self._targets:
                wire = f"{connection['from']} -> {connection['to']}"
                self._targets[source, output].append(Target(self.nodes[target], socket, wire=wire))
            else:
                self.sources[target, socket] = (self.nodes[source], output)
        self.initiators = [Target(self.nodes[row["id"]]) for row in document["nodes"] if row.get("initiator")]
        self.variables = {row["name"]: row for row in document.get("variables") or ()}
        self._events = {row["name"] for row in document.get("events") or ()}

    def targets(self, node: Node, output: str) -> Sequence[Target]:
        """What an exec output dispatches, in the order of the connections (M3, T1)."""
        if (node.id, output) not in self._targets:
            raise Failure("unknown-socket")  # T4
        return self._targets[node.id, output]

    def listeners(self, event: str, payload: Any) -> list[Target]:
        """The listeners of an event, in document order (B1)."""
        if event not in self._events:
            raise Failure("unknown-name")
        listening = [node for node in self.nodes.values() if node.sockets.listens]
        return [Target(node, None, payload) for node in listening if node.literals["event"] == event]

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
