"""What tests of nodes need: an event log to compare with a literal, a virtual clock, other schedules."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import attrs
import trio
import trio.testing

from trioflow.model.graph import Graph, GraphNode
from trioflow.model.node_type import NodeType
from trioflow.runtime.middleware import Invocation, Middleware
from trioflow.runtime.options import RunOptions, RunResult
from trioflow.runtime.run import run
from trioflow.semantics import events
from trioflow.semantics.plan import Plan
from trioflow.semantics.trace import CanonicalTrace, canonical_trace

__all__ = ["EventLog", "ShuffledSchedule", "run_virtual"]

_SHORT = {
    "NodeStarted": "started",
    "NodeCompleted": "completed",
    "NodeFailed": "failed",
    "NodeCancelled": "cancelled",
    "NodeSkipped": "skipped",
    "EvaluationStarted": "evaluating",
    "EvaluationCompleted": "evaluated",
    "EvaluationReused": "reused",
    "EvaluationFailed": "evaluation failed",
    "EvaluationCancelled": "evaluation cancelled",
    "StrandForked": "forked",
    "StrandJoined": "joined",
}


class EventLog:
    """An observer that keeps events, and shows them as short rows to compare with literals."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []

    def __call__(self, event: events.Event) -> None:
        self.events.append(event)

    def __iter__(self) -> Iterator[events.Event]:
        return iter(self.events)

    def rows(self, *kinds: str, time: bool = False) -> list[tuple[Any, ...]]:
        """Rows of (kind, node, path), with the time in front if wanted; only some kinds, if any are named.

        Kinds are `started`, `completed`, `failed`, `evaluating`, `evaluated`, `reused`, `forked`, `joined` and so on,
        or the name of the event's class.
        """
        rows: list[tuple[Any, ...]] = []
        for event in self.events:
            name = type(event).__name__
            kind = _SHORT.get(name, name)
            if not kinds or kind in kinds:
                rows.append((*((round(event.time, 6),) if time else ()), kind, event.node, str(event.path)))
        return rows

    def open(self) -> list[str]:
        """Paths of activations that started and did not close exactly once (E1): empty after every run."""
        count: dict[str, int] = {}
        for kind, _, path in self.rows("started", "completed", "failed", "cancelled", "skipped"):
            count[path] = count.get(path, 0) + (1 if kind == "started" else -1)
        return [path for path, balance in count.items() if balance]

    def trace(self) -> CanonicalTrace:
        """The canonical trace (E5)."""
        return canonical_trace(self.events)


class ShuffledSchedule(Middleware):
    """Makes every body wait for a drawn number of the scheduler's rounds first: another schedule for each seed.

    What a graph leaves behind must not depend on it (promise 3).
    """

    def __init__(self, seed: int, most: int = 4) -> None:
        self._random = random.Random(seed)
        self._most = most

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        return True

    async def __call__(self, invocation: Invocation) -> Any:
        for _ in range(self._random.randint(0, self._most)):
            await trio.lowlevel.checkpoint()
        return await invocation()


def run_virtual(graph: Graph | Plan, *, options: RunOptions | None = None, **arguments: Any) -> RunResult:
    """Run a graph on a virtual clock that jumps whenever everybody waits; blocks until it is done.

    `arguments` are those of `trioflow.run`. Turns for other tasks come by count only, not by real time, so that logs
    are the same each time.
    """
    steady = attrs.evolve(options or RunOptions(), turn_after=math.inf)

    async def main() -> RunResult:
        return await run(graph, options=steady, **arguments)

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
