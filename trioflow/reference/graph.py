"""What the reference must know of a graph and of one run of it: wires, literals, options; and the events it tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from trioflow.reference.script import TYPES, Sockets

Path = tuple[int, ...]


class Failure(Exception):
    """What a body, or the run, failed with: codes (spec/INTERPRETING.md, 6), and the path where it arose (E2)."""

    def __init__(self, *codes: str) -> None:
        super().__init__(", ".join(codes))
        self.codes = tuple(sorted(set(codes)))
        self.origin: Path | None = None

    @property
    def code(self) -> str:
        """The code, or several."""
        return ", ".join(self.codes)


@attrs.frozen(eq=False)
class Cell:
    """One value that was written; its identity is its version (D9)."""

    value: Any
    origin: str


LAZY = Cell(None, "lazy")
UNSET = Cell(None, "unset")
FAILED = Cell(None, "failed")


@attrs.frozen(eq=False)
class Node:
    """One node of a valid graph."""

    id: str
    sockets: Sockets
    literals: Mapping[str, Any]
    stream: Mapping[str, Any]

    @property
    def script(self) -> Any:
        """Its script."""
        return self.literals["script"]

    def constant(self, socket: str) -> Cell | None:
        """The literal, or the type's default (D1)."""
        if socket in self.literals:
            return Cell(self.literals[socket], f"={self.id}.{socket}")
        if socket in self.sockets.required:
            return None
        return Cell(self.sockets.defaults.get(socket), f"={self.id}.{socket}")

    def checked(self, socket: str, cell: Cell) -> Any:
        """The value of a cell as this input takes it (D11); literals and defaults were checked before (M5)."""
        wanted = self.sockets.types.get(socket)
        if wanted is not None and type(cell.value) is not wanted and not cell.origin.startswith("="):
            raise Failure("coercion")
        return cell.value


@attrs.frozen
class Target:
    """A dispatch that is to be made: the node, the exec input, the payload of an event."""

    node: Node
    entered: str | None
    payload: Any = None


class Graph:
    """A valid graph document, as wires."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.nodes = {
            node["id"]: Node(node["id"], TYPES[node["type"]], node.get("inputs") or {}, node.get("stream") or {})
            for node in document["nodes"]
        }
        self.variables = {variable["name"]: variable for variable in document.get("variables") or ()}
        self.constants = {
            (node.id, socket): node.constant(socket)
            for node in self.nodes.values()
            for socket in (*node.sockets.inputs, *node.sockets.lazy)
        }
        self.sources: dict[tuple[str, str], tuple[Node, str]] = {}
        self._targets: dict[tuple[str, str], list[Target]] = {}
        for connection in document.get("connections") or ():
            source, output = connection["from"].rsplit(".", 1)
            target, socket = connection["to"].rsplit(".", 1)
            node = self.nodes[source]
            if output in node.sockets.exec_outputs:
                self._targets.setdefault((source, output), []).append(Target(self.nodes[target], socket))
            else:
                self.sources[target, socket] = (node, output)
        self.initiators = [
            Target(self.nodes[node["id"]], None) for node in document["nodes"] if node.get("initiator")
        ]  # M4
        self._events = {event["name"] for event in document.get("events") or ()}

    def targets(self, node: Node, output: str) -> Sequence[Target]:
        """What an exec output dispatches, in the order of the connections (M3)."""
        if output not in node.sockets.exec_outputs:
            raise Failure("unknown-socket")  # T4
        return self._targets.get((node.id, output), ())

    def listeners(self, event: str, payload: Any) -> list[Target]:
        """The listeners of an event, in document order (B1)."""
        if event not in self._events:
            raise Failure("unknown-name")
        return [
            Target(node, None, payload)
            for node in self.nodes.values()
            if node.sockets.listens and node.literals["event"] == event
        ]

    def start_values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The variables at the start of a run."""
        return {name: given.get(name, variable.get("default")) for name, variable in self.variables.items()}

    def variable(self, name: str, value: Any) -> Any:
        """A value as this variable takes it (D11)."""
        if name not in self.variables:
            raise Failure("unknown-name")
        wanted = {"int": int, "list": list, "str": str}.get(self.variables[name].get("type", "any"))
        if wanted is not None and value is not None and type(value) is not wanted:
            raise Failure("coercion")
        return value


def settings(node: Node, options: Mapping[str, Any]) -> tuple[bool, int, bool]:
    """How a node's stream runs: whether concurrently, how many at once (0: any number), whether it collects (S2-S4)."""
    chosen = {**node.stream, **options.get("streams", {}).get(node.id, {})}
    return chosen.get("mode") == "concurrent", chosen.get("limit") or 0, chosen.get("on_error") == "collect"


def key_of(node: str, origins: Iterable[str]) -> str:
    """The identity of an evaluation (spec/INTERPRETING.md, 7)."""
    return f"{node}#{digest(*origins)}"


def digest(*origins: str) -> str:
    """Several origins in one."""
    return hashlib.sha256("\n".join(origins).encode()).hexdigest()[:16]


def dotted(path: Iterable[int]) -> str:
    """A path as a text."""
    return ".".join(map(str, path)) or "root"


_FIELDS = {
    "started": ("node", "entered"), "completed": ("node", "handed"), "failed": ("node", "origin"),
    "cancelled": ("node",), "evaluating": ("node",), "evaluated": ("node", "key"), "unevaluated": ("node",),
    "forked": (), "joined": (), "conflict": ("variable",), "feedback": ("value",),
}  # fmt: skip


def event(kind: str, path: Path, *details: Any) -> dict[str, Any]:
    """An event of a trace (spec/INTERPRETING.md, 6)."""
    return {"event": kind, "path": list(path), **dict(zip(_FIELDS[kind], details, strict=True))}


def as_text(told: Mapping[str, Any]) -> str:
    """An event as it stands in a step (spec/INTERPRETING.md, 8)."""
    words = [told["event"], dotted(told["path"])]
    for name in _FIELDS[told["event"]]:
        value = told[name]
        if name == "value":
            words.append(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
        else:
            words.append("-" if value is None else dotted(value) if name == "origin" else value)
    return " ".join(words)


def _path_of(row: Sequence[Any]) -> Any:
    return row[0]


def canonical(trace: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The canonical trace of a trace (E5)."""
    open_: dict[Path, Mapping[str, Any]] = {}
    lists: dict[str, list[Any]] = {name: [] for name in ("activations", "feedback", "strands", "conflicts")}
    evaluations: set[str] = set()
    for told in trace:
        kind, path = told["event"], told["path"]
        if kind == "started":
            open_[tuple(path)] = told
        elif kind in ("completed", "failed", "cancelled"):
            start = open_.pop(tuple(path))
            lists["activations"].append([path, start["node"], start["entered"], kind, told.get("handed")])
        elif kind == "feedback":
            lists["feedback"].append([path, told["value"]])
        elif kind in ("forked", "joined"):
            lists["strands"].append([path, kind])
        elif kind == "conflict":
            lists["conflicts"].append([path, told["variable"]])
        elif kind == "evaluated":
            evaluations.add(told["key"])
    for name, rows in lists.items():
        rows.sort(key=_path_of if name in ("activations", "feedback") else None)
    return {**lists, "evaluations": sorted(evaluations)}
