"""Where the time of a run went: by node, its own and in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from trioflow.semantics.events import Event
from trioflow.telemetry.recording import Recording

_BEGINS = frozenset({"NodeStarted", "EvaluationStarted"})
_ENDS = {
    **dict.fromkeys(("NodeCompleted", "NodeSkipped", "EvaluationCompleted"), ""),
    **dict.fromkeys(("NodeFailed", "EvaluationFailed"), "failed"),
    **dict.fromkeys(("NodeCancelled", "EvaluationCancelled"), "cancelled"),
}


@attrs.define
class NodeTimes:
    """What one node took. Times are seconds of trio's clock."""

    node: str
    steps: int = 0
    """Activations that started."""
    evaluations: int = 0
    """Evaluations that started."""
    reused: int = 0
    """Demands that an earlier evaluation answered."""
    failed: int = 0
    cancelled: int = 0
    forgotten: int = 0
    """Evaluations that were begun ahead and were of no use. Nothing else counts them."""
    own: float = 0.0
    """Without what it triggered or asked for in its own strand. Bodies that were begun ahead count from there on."""
    total: float = 0.0
    """From start to end; where a node is inside itself, that of the outermost counts."""
    longest: float = 0.0
    """The longest of its activations and evaluations."""


_Above = Callable[[Any], Any]
"""Gives the path above a path; nothing at the root."""


def _above(path: tuple[int, ...]) -> tuple[int, ...]:
    return path[:-1]


@attrs.define
class _Open:
    node: str
    strand: int | None
    began: float
    early: float = 0.0
    """For how long its body ran before its turn came."""
    inside: float = 0.0


class Profile:
    """An observer that adds up the times of nodes; `Profile.of` does so for a recording."""

    kinds = ("steps", "data", "ahead")
    keys = False

    def __init__(self) -> None:
        self._nodes: dict[str, NodeTimes] = {}
        # What is open, by path: the activation, and above it the evaluations that its demands have begun.
        self._open: dict[Any, list[_Open]] = {}
        self._depth: dict[tuple[int | None, str], int] = {}
        # By path and node: when a body was begun ahead, and how long it took if that is known.
        self._ahead: dict[tuple[Any, str], tuple[float, float | None]] = {}

    @classmethod
    def of(cls, recording: Recording) -> Profile:
        """The profile of a recorded run, as if it had observed the run. Goes through all events."""
        profile = cls()
        for row in recording:
            if row.node is not None:
                profile._add(row.kind, row.time, row.node, row.strand, row.path, recording.above)
        return profile

    def __call__(self, event: Event) -> None:
        """Add an event."""
        if event.node is not None:
            path = event.path.as_tuple()
            self._add(type(event).__name__, event.time, event.node, event.strand, path, _above)

    @property
    def nodes(self) -> Mapping[str, NodeTimes]:
        """By node, those that took longest themselves first."""
        ordered = sorted(self._nodes.values(), key=lambda each: (-each.own, each.node))
        return {each.node: each for each in ordered}

    def table(self, most: int = 20) -> str:
        """The `most` nodes that took longest themselves, as a text for a terminal. Times are in seconds."""
        vain = any(each.forgotten for each in self._nodes.values())
        rows = [
            ("own s", "total s", "longest s", "steps", "evaluations", *["in vain"] * vain, "reused", "failed", "node")
        ]
        rows += [
            (
                f"{each.own:.4f}", f"{each.total:.4f}", f"{each.longest:.4f}", f"{each.steps:,}",
                f"{each.evaluations:,}", *[f"{each.forgotten:,}"] * vain, f"{each.reused:,}", f"{each.failed:,}",
                each.node,
            )
            for each in [*self.nodes.values()][:most]
        ]  # fmt: skip
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
        lines = ["  ".join([*map(str.rjust, row, widths), row[-1]]) for row in rows]
        left = len(self._nodes) - most
        return "\n".join([*lines, *([f"... and {left:,} more nodes"] if left > 0 else [])])

    def _add(self, kind: str, time: float, node: str, strand: int | None, path: Any, above: _Above) -> None:
        times = self._nodes.get(node)
        if times is None:
            times = self._nodes[node] = NodeTimes(node)
        if kind in _BEGINS:
            begun = _Open(node, strand, time)
            if kind == "NodeStarted":
                times.steps += 1
            else:
                times.evaluations += 1
                began, took = self._ahead.pop((path, node), (time, None))
                begun.early = time - began if took is None else took
            stack = self._open.get(path)
            if stack is None:
                self._open[path] = [begun]
            else:
                stack.append(begun)
            here = (strand, node)
            self._depth[here] = self._depth.get(here, 0) + 1
        elif kind == "EvaluationReused":
            times.reused += 1
        elif kind == "EvaluationAhead":
            self._ahead[path, node] = time, None
        elif kind == "EvaluationReady":
            began, _ = self._ahead.get((path, node), (time, None))
            self._ahead[path, node] = began, time - began
        elif kind == "EvaluationForgotten":
            self._ahead.pop((path, node), None)
            times.forgotten += 1
        elif kind in _ENDS:
            self._close(times, _ENDS[kind], time, path, above)

    def _close(self, times: NodeTimes, how: str, time: float, path: Any, above: _Above) -> None:
        stack = self._open.get(path, [])
        place = len(stack) - 1
        while place >= 0 and stack[place].node != times.node:
            place -= 1
        if place < 0:
            return  # it began before anybody watched
        ended = stack.pop(place)
        if stack:
            around: _Open | None = stack[-1]
        else:
            del self._open[path]
            around = self._around(above(path), above)
        lasted = time - ended.began
        if around is not None and around.strand == ended.strand:
            around.inside += lasted
        lasted += ended.early
        if lasted > ended.inside:
            times.own += lasted - ended.inside
        times.longest = max(times.longest, lasted)
        times.failed += how == "failed"
        times.cancelled += how == "cancelled"
        here = (ended.strand, ended.node)
        depth = self._depth[here] - 1
        if depth:
            self._depth[here] = depth
        else:
            times.total += lasted
            del self._depth[here]

    def _around(self, path: Any, above: _Above) -> _Open | None:
        """The activation in which something at this path is; items of streams have a path between."""
        while path:
            opened = self._open.get(path)
            if opened:
                return opened[0]
            path = above(path)
        return None

    def __repr__(self) -> str:
        return f"<profile of {len(self._nodes):,} nodes>"
