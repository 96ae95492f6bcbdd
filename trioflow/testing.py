"""What tests of nodes need: an event log to compare with a literal, a virtual clock, other schedules."""

from __future__ import annotations

import math
import random
import types
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import trio
import trio.testing

from trioflow.errors import NodeDefinitionError
from trioflow.model.builder import build
from trioflow.model.context import Context
from trioflow.model.graph import Graph, GraphNode
from trioflow.model.node_type import FunctionNode, Node, NodeType
from trioflow.model.registry import Registry
from trioflow.model.sockets import DataIn, ExecOut
from trioflow.runtime.middleware import Invocation, Middleware
from trioflow.runtime.options import RunOptions, RunResult
from trioflow.runtime.run import run
from trioflow.semantics import events
from trioflow.semantics.plan import Plan
from trioflow.semantics.trace import CanonicalTrace, canonical_trace

__all__ = ["EventLog", "ShuffledSchedule", "evaluate", "run_virtual"]

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


def evaluate(node: str | type[Node] | FunctionNode[..., Any] | NodeType | Callable[..., Any], /, **inputs: Any) -> Any:
    """What a data node gives for these inputs: the value of its only output, or a dict of all outputs by name.

    For nodes whose function can't be called as it is, because it takes lazy inputs or a context: a graph of this one
    node and one that asks it is run on a virtual clock, with seed 0. Blocks until it is done. `inputs` are literals of
    the graph, in JSON's or in Python's form. Raises what the node raises, and `NodeDefinitionError` for an exec node.

        >>> evaluate("logic.select", condition=True, if_true="yes", if_false="no")
        'yes'
    """
    registry = Registry.standard()
    with build(registry) as g:
        handle = g.add(node, "evaluated", **inputs)
        node_type = registry.get(node) if isinstance(node, str) else g.graph.types[g.graph.nodes[0].type]
        if node_type.is_exec:
            raise NodeDefinitionError(
                f"evaluate() is for data nodes; {node_type.id!r} is an exec node: run it in a graph."
            )
        names = [output.name for output in node_type.outputs]
        values: dict[str, Any] = {}

        async def execute(self: Node, ctx: Context) -> None:
            # One activation asks for all outputs, so that a volatile node is evaluated once (D6).
            for place, name in enumerate(names):
                values[name] = await ctx.get_input(f"value_{place}")

        sockets = {f"value_{place}": DataIn(object) for place in range(len(names))}
        body = {"__doc__": "Asks.", "then": ExecOut(), "execute": execute, **sockets}
        asker = types.new_class(
            "Asker", (Node,), {"id": "testing.ask", "initiator": True}, lambda space: space.update(body)
        )
        g.add(asker, **{f"value_{place}": handle[name] for place, name in enumerate(names)})
    run_virtual(g.graph, registry=registry)
    return values if len(names) > 1 else values[names[0]]
