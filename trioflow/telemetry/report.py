"""What happened at each node of a run, and why nothing did where nothing did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from trioflow.model.graph import Graph
from trioflow.model.secret import hide
from trioflow.semantics import events
from trioflow.semantics.events import Event


@attrs.define
class NodeReport:
    """One node. Times are seconds of trio's clock."""

    node: str
    started: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    skipped: int = 0
    """How often its join was not met (W7), or a middleware passed over it."""
    seconds: float = 0.0
    """Of all its activations that have ended, together."""
    longest: float = 0.0
    last_error: str | None = None
    why_not: list[str] = attrs.field(factory=list[str])
    """Why it did not fire: joins that were not met, and wires to it whose conditions did not hold; the last few."""

    @property
    def success_rate(self) -> float | None:
        """The part of its activations that completed, of those that completed or failed; None if none has."""
        ended = self.completed + self.failed
        return self.completed / ended if ended else None

    @property
    def mean(self) -> float | None:
        """Seconds that an activation took on average; None if none has ended."""
        ended = self.completed + self.failed + self.cancelled
        return self.seconds / ended if ended else None


_MOST_REASONS = 5


class Report:
    """An observer that says per node what happened. With the graph, nodes that did nothing are listed too."""

    kinds = ("run", "steps", "strands")

    def __init__(self, graph: Graph | None = None) -> None:
        self._nodes: dict[str, NodeReport] = {}
        self._path: list[str] = []
        self.status = "running"
        self.seconds: float | None = None
        for node in graph.nodes if graph is not None else ():
            self._of(node.id)
        self._on: Mapping[type[Event], Callable[[Any], None]] = {
            events.NodeStarted: self._started,
            events.NodeCompleted: lambda event: self._ended(event, "completed"),
            events.NodeFailed: self._failed,
            events.NodeCancelled: lambda event: self._ended(event, "cancelled"),
            events.NodeSkipped: lambda event: self._ended(event, "skipped"),
            events.JoinSkipped: self._join_skipped,
            events.WiresChosen: self._chosen,
            events.RunCompleted: lambda event: self._over(event, "completed"),
            events.RunFailed: lambda event: self._over(event, "failed"),
            events.RunCancelled: lambda event: self._over(event, "cancelled"),
        }

    def __call__(self, event: Event) -> None:
        """Take an event in."""
        handle = self._on.get(type(event))
        if handle is not None and not (event.node or "").endswith("<scope>"):
            handle(event)

    @property
    def nodes(self) -> Mapping[str, NodeReport]:
        """By node, those of the graph in its order."""
        return self._nodes

    @property
    def path(self) -> list[str]:
        """The nodes in the order in which they started, each time; the first thousand."""
        return [*self._path]

    def as_dict(self) -> dict[str, Any]:
        """All of it as data that JSON has."""
        rows = {
            name: attrs.asdict(each, filter=lambda field, _: field.name != "node")
            | {"success_rate": each.success_rate, "mean": each.mean}
            for name, each in self._nodes.items()
        }
        return {"status": self.status, "seconds": self.seconds, "path": self.path, "nodes": rows}

    def __str__(self) -> str:
        lines: list[str] = []
        for name, each in self._nodes.items():
            counts = [(each.completed, "completed"), (each.failed, "failed"), (each.cancelled, "cancelled")]
            said = [f"{count} {what}" for count, what in [*counts, (each.skipped, "skipped")] if count]
            took = f" in {each.seconds:.3f} s" if each.started else ""
            why = each.last_error or (each.why_not[-1] if each.why_not and not each.completed else None)
            lines.append(f"{name}: {', '.join(said) or 'did nothing'}{took}{f'; {why}' if why else ''}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<report of {len(self._nodes):,} nodes, {self.status}>"

    def _of(self, node: str) -> NodeReport:
        if node not in self._nodes:
            self._nodes[node] = NodeReport(node)
        return self._nodes[node]

    def _started(self, event: events.NodeStarted) -> None:
        assert event.node is not None
        self._of(event.node).started += 1
        if len(self._path) < 1000:
            self._path.append(event.node)

    def _ended(self, event: Any, how: str) -> None:
        report = self._of(event.node)
        setattr(report, how, getattr(report, how) + 1)
        if event.duration is not None:
            report.seconds += event.duration
            report.longest = max(report.longest, event.duration)

    def _failed(self, event: events.NodeFailed) -> None:
        self._ended(event, "failed")
        assert event.node is not None
        self._of(event.node).last_error = hide(f"{type(event.error).__name__}: {event.error}")

    def _join_skipped(self, event: events.JoinSkipped) -> None:
        assert event.node is not None
        report = self._of(event.node)
        report.skipped += 1
        self._say(report, f"no token came over {', '.join(event.missing)}")

    def _chosen(self, event: events.WiresChosen) -> None:
        assert event.node is not None
        prefix = event.node.rpartition("/")[0]
        for wire in event.left:
            target = wire.partition(" -> ")[2].rpartition(".")[0]
            self._say(self._of(f"{prefix}/{target}" if prefix else target), f"{wire} was not taken")

    def _say(self, report: NodeReport, why: str) -> None:
        report.why_not = [*report.why_not, why][-_MOST_REASONS:]

    def _over(self, event: Any, status: str) -> None:
        self.status, self.seconds = status, event.duration
