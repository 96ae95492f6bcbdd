"""The judge of traces: what must happen before what, whoever was first (spec/INTERPRETING.md, 6).

It knows nothing of schedules, stores or time: it takes a trace that somebody made and says what in it could not have
happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from trioflow.contract.trace import ENDS, Trace, dotted
from trioflow.reference.graph import Graph, Node, Path, Target

_INSIDE = {"evaluating": 1, "evaluated": -1, "unevaluated": -1, "feedback": 0}
"""What happens within an activation, and how many evaluations more run for it then."""

_ALWAYS = {"last", "first"}
"""The policies whose merges never fail (F4)."""

Places = dict[Path, int]
"""Where in the trace something first happened to an activation, or to a strand."""


def _says(node: Node, operation: str) -> bool:
    """Whether the operation occurs in its script, at any depth."""
    return repr(operation) in str(node.literals["script"])


class _Judge:
    def __init__(self, request: Mapping[str, Any], trace: Trace) -> None:
        self.graph = Graph(request["graph"], {})
        self.variables = self.graph.variables.values()
        self.trace = trace
        self.never = len(trace)
        self.said: list[str] = []
        self.started, self.closed, self.forked, self.joined = Places(), Places(), Places(), Places()
        self.handed: dict[Path, set[str]] = {}  # the nodes on a line that handed over
        self.latest: dict[Path, Path] = {}  # the strand of an owner that was looked at last
        self.ended = Places()  # where the last activation of a strand, or of a line, closed
        self.unjoined: dict[Path, list[Path]] = {}  # the strands of an owner that no join merged

    def must(self, holds: bool, path: Path, wrong: str) -> None:
        if not holds:
            self.said.append(f"{dotted(path)} {wrong}")

    def violations(self) -> list[str]:
        places = {"started": self.started, "forked": self.forked, "joined": self.joined}
        places |= dict.fromkeys(ENDS, self.closed)
        for place, told in enumerate(self.trace):
            path, kind = tuple(told["path"]), told["event"]
            if kind in places:
                rule = {"forked": "F1", "joined": "F5"}.get(kind, "E1")
                self.must(path not in places[kind], path, f"is {kind} a second time ({rule})")
                places[kind].setdefault(path, place)
                if kind in ENDS:
                    self.ended |= dict.fromkeys((path[:length] for length in range(1, len(path))), place)
                if told.get("handed") is not None:
                    self.handed.setdefault(path[:-1], set()).add(told["node"])
            elif kind == "conflict":
                self.must(path in self.forked, path, "has a conflict, and was never forked (F4)")
        for path in self.started | self.closed:
            self.activation(path)
        for path in sorted(self.forked | self.joined):
            self.strand(path)
        self.evaluations()
        return self.said

    def activation(self, path: Path) -> None:
        began, ended = self.started.get(path, self.never), self.closed.get(path, self.never)
        self.must(began < ended, path, "closed without having started (E1)")
        if path not in self.started:
            return
        node = self.node(path)
        if node is None:
            self.must(False, path, f"is {self.trace[began]['node']!r}, which is not a node (E1)")
            return
        self.must(ended < self.never, path, "started and never closed (E1)")
        self.must(ended == self.never or self.trace[ended]["node"] == node.id, path, "closed as another node (E1)")
        before = next((line for n in reversed(range(path[-1])) if (line := (*path[:-1], n)) in self.started), None)
        free = before is None or self.closed.get(before, self.never) < began
        self.must(free, path, "started before the one before it on its line had closed (T1)")
        owner = self.owner(path)
        if owner is not None:
            over = self.closed.get(owner, self.never)
            self.must(began < over, path, f"started after {dotted(owner)}, for which it runs, had closed (R4)")
            self.must(ended <= over, path, f"closed after {dotted(owner)}, for which it runs (F5, R4)")
        entered = self.trace[began]["entered"]
        leads = self.may_start(path, owner, node, entered)
        self.must(leads, path, f"is {node.id!r}, to which nothing leads by {entered!r} there (T1, T6)")
        for strand in (path[:length] for length in range(1, len(path))):
            if strand in self.forked or strand in self.joined:
                forked, joined = self.forked.get(strand, self.never), self.joined.get(strand, self.never)
                self.must(forked < began, path, f"started before {dotted(strand)} was forked (F1)")
                self.must(ended <= joined, path, f"ran in {dotted(strand)} when that was joined (F5)")

    def strand(self, path: Path) -> None:
        forked, joined = self.forked.get(path, self.never), self.joined.get(path, self.never)
        self.must(forked < self.never, path, "was joined and never forked (F5)")
        owner = self.node(path[:-1])
        if owner is None or _says(owner, "branches"):
            return  # branches may be joined before a stream's items that were forked before them
        closed = self.closed.get(path[:-1], self.never)
        completed = closed < self.never and self.trace[closed]["event"] == "completed"
        catches = _says(owner, "try") and any(each.get("merge", "last") not in _ALWAYS for each in self.variables)
        if path not in self.joined:
            # A join that fails gives up all forks that there are; whoever catches that goes on (F4).
            holds = catches or not completed or owner.sockets.discards
            self.must(holds, path, f"was not joined when {dotted(path[:-1])} completed (F5)")
            self.unjoined.setdefault(path[:-1], []).append(path)
            return
        self.must(joined < closed or not completed, path, f"was not joined when {dotted(path[:-1])} completed (F5)")
        for other in self.unjoined.get(path[:-1], ()):
            given_up = catches and self.ended.get(other, 0) < forked
            self.must(given_up, path, f"was joined, and {dotted(other)}, forked earlier, was not (F3, F4)")
        other = self.latest.setdefault(path[:-1], path)
        self.must(self.joined[other] <= joined, path, f"was joined before {dotted(other)}, forked earlier (F3)")
        self.latest[path[:-1]] = path

    def evaluations(self) -> None:
        running, keys, repeated = Counter[Path](), set[str](), set[str]()
        for place, told in enumerate(self.trace):
            path, kind = tuple(told["path"]), told["event"]
            if kind in ENDS:
                self.must(not running[path], path, "closed while an evaluation ran for it (D5)")
            elif kind in _INSIDE:
                inside = self.started.get(path, self.never) < place < self.closed.get(path, self.never)
                self.must(inside, path, f"has {kind!r}, where nothing runs (E1)")
                running[path] += _INSIDE[kind]
                self.must(running[path] >= 0, path, "ended an evaluation that had not begun (E1)")
            if kind == "evaluated":
                if told["key"] in keys:
                    holds = self.may_repeat(told["node"], repeated)
                    self.must(holds, path, f"made {told['key']} a second time (D4, D5)")
                    repeated.add(told["node"])
                keys.add(told["key"])

    def may_repeat(self, name: str, repeated: Collection[str]) -> bool:
        """Whether an evaluation of this node may be made twice: it caught a failure, or used one that was (D4).

        What is made anew has cells of its own under the same names, so what stands on it is made anew with its key.
        """
        node = self.graph.nodes.get(name)
        if node is None:
            return False
        sockets = (*node.sockets.inputs, *node.sockets.lazy)
        wired = {
            socket: self.graph.sources[name, socket][0] for socket in sockets if (name, socket) in self.graph.sources
        }
        caught = _says(node, "try") and any(
            not wired[socket].sockets.is_exec for socket in node.sockets.lazy if socket in wired
        )
        return caught or any(source.id in repeated for source in wired.values())

    def node(self, path: Path) -> Node | None:
        """The node of an activation."""
        return self.graph.nodes.get(self.trace[self.started[path]]["node"]) if path in self.started else None

    def owner(self, path: Path) -> Path | None:
        """The activation that it runs for: the longest beginning of its path that is one."""
        return next((path[:n] for n in reversed(range(1, len(path))) if path[:n] in self.started), None)

    def may_start(self, path: Path, owner: Path | None, node: Node, entered: str | None) -> bool:
        """Whether something wired to it could have led there: its owner, or one on its line that handed over."""
        if node.sockets.listens or (owner is None and entered is None):
            return entered is None and (node.sockets.listens or Target(node) in self.graph.initiators)
        sources = [self.graph.nodes[name] for name in self.handed.get(path[:-1], ()) if name in self.graph.nodes]
        if owner is not None and (by := self.node(owner)) is not None:
            sources.append(by)
        return any(
            Target(node, entered) in self.graph.targets(source, output)
            for source in sources
            for output in source.sockets.exec_outputs
        )


def violations(request: Mapping[str, Any], trace: Trace) -> list[str]:
    """What in the trace of a request could not have happened, with the rules that say so; empty if all could."""
    return _Judge(request, trace).violations()
