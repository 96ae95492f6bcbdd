"""What a run has done so far, node by node: counts, times, failures, the way it took, and how long it may still take.

A tracker is an observer, so a run that nobody asks pays nothing. It keeps numbers, not events.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import attrs

from trioflow.errors import UnknownName, did_you_mean
from trioflow.model.composition import SCOPE
from trioflow.model.graph import Graph
from trioflow.semantics.events import (
    Decision,
    EvaluationCancelled,
    EvaluationCompleted,
    EvaluationFailed,
    Event,
    JoinSkipped,
    NodeCancelled,
    NodeCompleted,
    NodeFailed,
    NodeSkipped,
    NodeStarted,
    NotUndone,
    RunCancelled,
    RunCompleted,
    RunFailed,
    WiresChosen,
)

NodeState = Literal["not started", "running", "completed", "failed", "skipped", "cancelled"]

RunState = Literal["running", "completed", "failed", "cancelled"]

_ENDS: Mapping[type[Event], RunState] = {
    RunCompleted: "completed",
    RunFailed: "failed",
    RunCancelled: "cancelled",
}

LONGEST_WAY = 1000
"""Of the way that a run took, the last so many steps are kept."""

MOST_REASONS = 5
"""Of the reasons for which a node did not fire, the last so many are kept."""

MEANS_SOMETHING = 0.05
"""The part of a run that must be done before how long the rest takes can be told."""


@attrs.frozen
class NodeReport:
    """What one node has done. Times are seconds."""

    name: str
    """As the run names it: `work`, `call/work`."""
    state: NodeState
    """Of its last activation or evaluation; `running` as long as there is any. `not started` for nodes that are known
    from the graph alone."""
    since: float
    """When the state began, in seconds since the run began."""
    started: int
    running: int
    completed: int
    failed: int
    skipped: int
    cancelled: int
    seconds: float
    """In all that have completed."""
    longest: float
    last_error: str | None
    decisions: Mapping[str, int]
    """How often policies decided something here, by the kind of the event: `RetryScheduled`."""
    why_not: tuple[str, ...] = ()
    """In a workflow, why it did not fire: joins that were not met, wires to it that were not taken; the last few."""
    exits: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """How often it has handed over at each of its exec outputs."""

    @property
    def mean(self) -> float:
        """Seconds that one takes."""
        return self.seconds / self.completed if self.completed else 0.0

    @property
    def success_rate(self) -> float | None:
        """The share of those that have ended, and were not cancelled, that have completed; None if none has."""
        ended = self.completed + self.failed + self.skipped
        return self.completed / ended if ended else None


def _reason(node: NodeReport) -> str | None:
    return node.last_error or (node.why_not[-1] if node.why_not and not node.completed else None)


@attrs.frozen
class RunReport:
    """What a run has done: each node, and the way that it took."""

    elapsed: float
    nodes: Mapping[str, NodeReport]
    way: tuple[str, ...]
    """The exec nodes in the order in which they started, the last `LONGEST_WAY` of them."""
    status: RunState = "running"

    @property
    def seconds(self) -> float:
        """Of all that has completed, one after the other."""
        return sum(node.seconds for node in self.nodes.values())

    def as_dict(self) -> dict[str, Any]:
        """All of it as data that JSON has."""
        nodes: dict[str, Any] = {}
        for name, node in self.nodes.items():
            nodes[name] = attrs.asdict(node, recurse=False)
            nodes[name] |= {"decisions": dict(node.decisions), "exits": dict(node.exits)}
            nodes[name] |= {"mean": node.mean, "success_rate": node.success_rate}
        return {"status": self.status, "elapsed": self.elapsed, "nodes": nodes, "way": list(self.way)}

    def __str__(self) -> str:
        """A table for people: the nodes that took longest first."""
        rows = [("node", "started", "completed", "failed", "skipped", "mean s", "all s", "policies, last error")]
        for node in sorted(self.nodes.values(), key=lambda each: (-each.seconds, each.name)):
            decided = ", ".join(f"{kind} {count}" for kind, count in node.decisions.items())
            rows.append((
                node.name, str(node.started), str(node.completed), str(node.failed), str(node.skipped),
                f"{node.mean:.3g}", f"{node.seconds:.3g}", "; ".join(filter(None, [decided, _reason(node)])),
            ))  # fmt: skip
        widths = [max(len(row[place]) for row in rows) for place in range(7)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, 7)), row[7]]).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, f"{self.elapsed:.3g} s in all"])


@attrs.define
class _Tally:
    """The numbers of one node, while they change."""

    state: NodeState = "running"
    since: float = 0.0
    started: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    last_error: str | None = None
    decisions: Counter[str] = attrs.field(factory=Counter[str])
    why_not: tuple[str, ...] = ()
    exits: dict[str, int] = attrs.field(factory=dict[str, int])


class Tracker:
    """An observer that counts what each node does (E3).

    Give it to a run as an observer, or let `run.track()` make one. `report()` is what it has seen so far. With the
    graph it knows the nodes that have done nothing, too.
    """

    kinds = (
        NodeStarted, NodeCompleted, NodeFailed, NodeCancelled, NodeSkipped,
        EvaluationCompleted, EvaluationFailed, EvaluationCancelled, Decision,
        JoinSkipped, NotUndone, WiresChosen, RunCompleted, RunFailed, RunCancelled,
    )  # fmt: skip
    keys = False

    def __init__(self, graph: Graph | None = None) -> None:
        self._knows_all = graph is not None
        nodes = () if graph is None else graph.nodes
        self._tallies: dict[str, _Tally] = {node.id: _Tally("not started") for node in nodes}
        self._way: deque[str] = deque(maxlen=LONGEST_WAY)
        self._time = 0.0
        self._status: RunState = "running"

    def __call__(self, event: Event) -> None:
        """Count an event."""
        kind = type(event)
        name = event.node or ""
        self._time = time = event.time
        tally = self._tallies.get(name)
        if tally is not None:  # then it is a node, and as mostly nothing else is to be looked at
            if kind is NodeStarted:
                self._way.append(name)
                tally.started += 1
                tally.running += 1
                tally.state = "running"
                tally.since = time
                return
            if kind is NodeCompleted:
                self._completed(tally, event, time)
                return
        if kind in _ENDS:
            self._status = _ENDS[kind]
            return
        if isinstance(event, WiresChosen):
            self._not_taken(name, event)
            return
        if name.endswith(SCOPE):
            return  # where the tokens of a workflow begin is not a node of anybody's
        tally = self._tally(name)
        if isinstance(event, NodeStarted | NodeCompleted):
            self(event)
        elif isinstance(event, Decision):
            tally.decisions[type(event).__name__] += 1
        elif isinstance(event, JoinSkipped):
            tally.skipped += 1
            tally.state, tally.since = "skipped", time
            _say(tally, f"no token came over {', '.join(event.missing)}")
        else:
            self._ended(tally, event, time)

    def report(self, elapsed: float | None = None) -> RunReport:
        """What it has seen so far; `elapsed` are the seconds of the run, as far as the last event if not said."""
        nodes = {name: self._node(name, tally) for name, tally in self._tallies.items()}
        return RunReport(self._time if elapsed is None else elapsed, nodes, tuple(self._way), self._status)

    def node(self, name: str) -> NodeReport:
        """What one node has done so far.

        Raises `UnknownName` for one that is not in the graph, or without a graph, or inside of a call, has not started.
        """
        tally = self._tallies.get(name)
        if tally is None:
            known = [*self._tallies]
            wrong = "has not started yet" if "/" in name or not self._knows_all else "is not there"
            raise UnknownName(
                f"Node {name!r} {wrong}.{did_you_mean(name, known)} Known are: {', '.join(known) or 'none'}."
            )
        return self._node(name, tally)

    def running(self) -> Iterator[str]:
        """The nodes that run now."""
        return (name for name, tally in self._tallies.items() if tally.running)

    def _tally(self, name: str) -> _Tally:
        tally = self._tallies.get(name)
        if tally is None:
            tally = self._tallies[name] = _Tally()
        return tally

    @staticmethod
    def _completed(tally: _Tally, event: Any, time: float) -> None:
        tally.completed += 1
        took = event.duration
        if took is not None:
            tally.seconds += took
            if took > tally.longest:  # noqa: PLR1730 - a call of max() would take a tenth of the time of all of this
                tally.longest = took
        left = event.handed_over
        if left is not None:
            exits = tally.exits
            exits[left] = exits.get(left, 0) + 1
        if tally.running > 1:
            tally.running -= 1
        else:
            tally.running = 0  # it may have started before anybody counted
            tally.state = "completed"
        tally.since = time

    def _not_taken(self, name: str, event: WiresChosen) -> None:
        prefix = name.rpartition("/")[0]
        for wire in event.left:
            target = wire.partition(" -> ")[2].rpartition(".")[0]
            name = f"{prefix}/{target}" if prefix else target
            if name not in self._tallies:
                self._tallies[name] = _Tally("not started")
            _say(self._tallies[name], f"{wire} was not taken")

    def _node(self, name: str, each: _Tally) -> NodeReport:
        # Written out: progress asks for all nodes again and again, and attrs would take five times as long.
        return NodeReport(
            name, each.state, each.since, each.started, each.running, each.completed, each.failed, each.skipped,
            each.cancelled, each.seconds, each.longest, each.last_error, dict(each.decisions), each.why_not,
            dict(each.exits),
        )  # fmt: skip

    def _ended(self, tally: _Tally, event: Any, time: float) -> None:
        if isinstance(event, EvaluationCompleted | EvaluationFailed | EvaluationCancelled):
            tally.started += 1
        elif isinstance(event, NotUndone):
            _say(tally, f"{event.by} has not undone it: {'no time was left' if event.error is None else event.error}")
            return
        else:
            tally.running = max(0, tally.running - 1)  # it may have started before anybody counted
        state: NodeState
        if isinstance(event, EvaluationCompleted):
            state = "completed"
            tally.completed += 1
            took = event.duration or 0.0
            tally.seconds += took
            tally.longest = max(tally.longest, took)
        elif isinstance(event, NodeFailed | EvaluationFailed):
            state = "failed"
            tally.failed += 1
            tally.last_error = f"{type(event.error).__name__}: {event.error}"
        elif isinstance(event, NodeSkipped):
            state = "skipped"
            tally.skipped += 1
            tally.last_error = f"{type(event.error).__name__}: {event.error}"
        else:
            state = "cancelled"
            tally.cancelled += 1
        tally.state, tally.since = "running" if tally.running else state, time


def _say(tally: _Tally, why: str) -> None:
    tally.why_not = (*tally.why_not, why)[-MOST_REASONS:]


def tracker_among(observers: Iterable[object]) -> Tracker | None:
    """The first tracker among observers, if there is one."""
    return next((each for each in observers if isinstance(each, Tracker)), None)


def part_done(report: RunReport, expected: RunReport) -> float:
    """How much of a run is done, from 0 to 1, by how long an earlier one took at each node."""
    whole = expected.seconds
    if whole <= 0:
        return 0.0
    done = 0.0
    for name, before in expected.nodes.items():
        node = report.nodes.get(name)
        if node is not None:
            done += before.mean * min(node.completed, before.completed)
    return min(1.0, done / whole)


def time_left(report: RunReport, expected: RunReport) -> float | None:
    """Seconds that a run may still take, by an earlier one and by how fast this one is; None if too little is done."""
    done = part_done(report, expected)
    if done < MEANS_SOMETHING:
        return None
    return report.elapsed / done * (1 - done)
