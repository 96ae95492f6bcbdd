"""The judge of traces: what must happen before what, whoever was first (spec/INTERPRETING.md, 6).

It knows nothing of schedules, stores or time: it takes a trace that somebody made and says what in it could not have
happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trioflow.reference.graph import Graph, Node, Path, dotted

_ENDS = frozenset({"completed", "failed", "cancelled"})
_INSIDE = frozenset({"evaluating", "evaluated", "unevaluated", "feedback"})

Trace = Sequence[Mapping[str, Any]]


class _Life:
    """When something began and ended, as places in the trace."""

    def __init__(self, began: int, node: Node | None) -> None:
        self.began = began
        self.node = node
        self.ended: int | None = None
        self.how = ""
        self.handed: str | None = None
        self.open = 0


class _Judge:
    def __init__(self, request: Mapping[str, Any], trace: Trace) -> None:
        self.graph = Graph(request["graph"])
        self.trace = trace
        self.lives: dict[Path, _Life] = {}
        self.forks: dict[Path, int] = {}
        self.joins: dict[Path, int] = {}
        self.keys: set[str] = set()

    def violations(self) -> Iterator[str]:
        for place, told in enumerate(self.trace):
            path: Path = tuple(told["path"])
            kind = told["event"]
            if kind == "started":
                yield from self.started(place, path, told)
            elif kind in _ENDS:
                yield from self.ended(place, path, told)
            elif kind in _INSIDE:
                yield from self.inside(path, told)
            else:
                yield from self.strand(place, path, kind)
        for path, life in self.lives.items():
            if life.ended is None:
                yield f"activation {dotted(path)} started and never closed (E1)"

    def started(self, place: int, path: Path, told: Mapping[str, Any]) -> Iterator[str]:
        node = self.graph.nodes[told["node"]]
        if path in self.lives:
            yield f"activation {dotted(path)} started twice (E1)"
        self.lives[path] = _Life(place, node)
        before = next(
            (
                self.lives[other]
                for index in range(path[-1] - 1, -1, -1)
                if (other := (*path[:-1], index)) in self.lives
            ),
            None,
        )
        if before is not None and before.ended is None:
            yield f"activation {dotted(path)} started before the one before it on its line had closed (T1)"
        owner = self.owner(path)
        if owner is not None and self.lives[owner].ended is not None:
            yield f"activation {dotted(path)} started after {dotted(owner)}, for which it runs, had closed (R4)"
        if not self.may_start(path, owner, node, told["entered"]):
            yield f"nothing leads to {node.id!r} by {told['entered']!r} at {dotted(path)} (T1, T6)"

    def ended(self, place: int, path: Path, told: Mapping[str, Any]) -> Iterator[str]:
        life = self.lives.get(path)
        if life is None or life.node is None or life.node.id != told["node"]:
            yield f"{told['node']!r} closed at {dotted(path)} without having started there (E1)"
            return
        if life.ended is not None:
            yield f"activation {dotted(path)} closed twice (E1)"
        life.ended, life.how, life.handed = place, told["event"], told.get("handed")
        if life.open:
            yield f"activation {dotted(path)} closed while an evaluation ran for it (D5)"
        for inner, other in self.lives.items():
            if other.ended is None and inner != path and inner[: len(path)] == path:
                yield f"activation {dotted(path)} closed before {dotted(inner)}, which runs for it (F5, R4)"
        if life.how == "completed" and not life.node.sockets.discards and "branches" not in str(life.node.script):
            for fork in self.forks:
                if fork[:-1] == path and fork not in self.joins:
                    yield f"activation {dotted(path)} completed without joining {dotted(fork)} (F5)"

    def inside(self, path: Path, told: Mapping[str, Any]) -> Iterator[str]:
        life = self.lives.get(path)
        if life is None or life.ended is not None:
            yield f"{told['event']} at {dotted(path)}, where nothing runs (E1)"
            return
        if told["event"] == "evaluating":
            life.open += 1
        elif told["event"] != "feedback":
            life.open -= 1
            if life.open < 0:
                yield f"{told['node']!r} ended its evaluation at {dotted(path)} without having begun it (E1)"
        if told["event"] == "evaluated":
            if told["key"] in self.keys and "try" not in str(self.graph.nodes[told["node"]].script):
                yield f"the evaluation {told['key']} was made twice (D4, D5)"
            self.keys.add(told["key"])

    def strand(self, place: int, path: Path, kind: str) -> Iterator[str]:
        if kind == "joined":
            yield from self.joined(place, path)
        elif kind == "forked":
            if path in self.forks:
                yield f"strand {dotted(path)} is forked twice (F1)"
            self.forks[path] = place
        elif path not in self.forks:
            yield f"a conflict at {dotted(path)}, where nothing was forked (F4)"

    def joined(self, place: int, path: Path) -> Iterator[str]:
        if path not in self.forks:
            yield f"strand {dotted(path)} was joined and never forked (F5)"
        if path in self.joins:
            yield f"strand {dotted(path)} was joined twice (F5)"
        self.joins[path] = place
        for inner, life in self.lives.items():
            if life.ended is None and inner[: len(path)] == path:
                yield f"strand {dotted(path)} was joined while {dotted(inner)} ran in it (F5)"
        by = self.lives.get(path[:-1])
        nested = by is None or by.node is None or "branches" in str(by.node.script)
        for other in self.joins:
            if not nested and other[:-1] == path[:-1] and other > path:
                yield f"strand {dotted(path)} was joined after {dotted(other)}, which was forked later (F3)"

    def owner(self, path: Path) -> Path | None:
        """The activation that it runs for: the longest beginning of its path that is one."""
        for length in range(len(path) - 1, 0, -1):
            if path[:length] in self.lives:
                return path[:length]
        return None

    def may_start(self, path: Path, owner: Path | None, node: Node, entered: str | None) -> bool:
        """Whether something wired to it could have led there."""
        if node.sockets.listens:
            return entered is None
        if owner is None and entered is None:
            return any(target.node is node for target in self.graph.initiators)
        sources = [self.lives[owner].node] if owner is not None else []
        sources += [
            life.node for other, life in self.lives.items() if other[:-1] == path[:-1] and life.handed is not None
        ]
        return any(
            target.node is node and target.entered == entered
            for source in sources
            if source is not None
            for output in source.sockets.exec_outputs
            for target in self.graph.targets(source, output)
        )


def violations(request: Mapping[str, Any], trace: Trace) -> list[str]:
    """What in the trace of a request could not have happened, with the rules that say so; empty if all could."""
    return list(_Judge(request, trace).violations())
