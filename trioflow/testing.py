"""What tests of nodes need: an event log to compare with a literal, a virtual clock, other schedules, a node alone."""

from __future__ import annotations

import inspect
import math
import random
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import trio
import trio.testing

from trioflow.errors import NodeDefinitionError
from trioflow.model.builder import Builder, build
from trioflow.model.context import Context
from trioflow.model.function_node import FunctionNode, as_node_type, data_node
from trioflow.model.graph import Graph, GraphNode
from trioflow.model.node_type import Node, NodeType
from trioflow.model.registry import Registry
from trioflow.model.sockets import DataIn, ExecIn, ExecOut
from trioflow.runtime.base.options import RunOptions, RunResult
from trioflow.runtime.context import BodyContext
from trioflow.runtime.host.run import run
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics import events
from trioflow.semantics.plan import Plan
from trioflow.semantics.store import Cell
from trioflow.semantics.trace import CanonicalTrace, canonical_trace

__all__ = ["EventLog", "ShuffledSchedule", "evaluate", "fire", "run_virtual"]

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


_COMMON = frozenset({"event", "run", "sequence", "id", "time", "path", "node", "strand", "duration"})
"""What all events have, or what differs from run to run."""


class EventLog:
    """An observer that keeps events, and shows them as short rows to compare with literals."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []

    def __call__(self, event: events.Event) -> None:
        self.events.append(event)

    def __iter__(self) -> Iterator[events.Event]:
        return iter(self.events)

    def rows(self, *kinds: str, time: bool = False, data: bool = False) -> list[tuple[Any, ...]]:
        """Rows of (kind, node, path), with the time in front if wanted; only some kinds, if any are named.

        With `data` each row ends with what else its event tells, as a dict: progress and its total, the level and the
        message of feedback, the name and the value of a variable, the text of an error. Ids of runs, numbers and
        durations are left out, since they differ from run to run.

        Kinds are `started`, `completed`, `failed`, `evaluating`, `evaluated`, `reused`, `forked`, `joined` and so on,
        or the name of the event's class.
        """
        rows: list[tuple[Any, ...]] = []
        for event in self.events:
            name = type(event).__name__
            kind = _SHORT.get(name, name)
            if not kinds or kind in kinds:
                more = ({name: each for name, each in event.as_dict().items() if name not in _COMMON},) if data else ()
                rows.append((*((round(event.time, 6),) if time else ()), kind, event.node, str(event.path), *more))
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

    async def __call__(self, invocation: Invocation) -> Outcome:
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


def evaluate(
    node: str | type[Node] | FunctionNode[..., Any] | NodeType | Callable[..., Any],
    /,
    *,
    services: Mapping[type | str, Any] | None = None,
    **inputs: Any,
) -> Any:
    """What a data node gives for these inputs: the value of its only output, or a dict of all outputs by name.

    For nodes whose function can't be called as it is, because it takes lazy inputs or a context: a graph of this one
    node and one that asks it is run on a virtual clock, with seed 0. Blocks until it is done. `inputs` are literals of
    the graph, in JSON's or in Python's form; a function without parameters, which may be async, is called when its
    input is resolved, which for a lazy one is when the body asks (D7). `services` are those of the run. Raises what
    the node raises, and `NodeDefinitionError` for an exec node.

        >>> evaluate("logic.select", condition=True, if_true="yes", if_false="no")
        'yes'
    """
    registry = Registry.standard(allow=["scripts"])  # whoever names a node here means it
    with build(registry) as g:
        handle = g.add(node, "evaluated", **_supplied(g, inputs))
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
    run_virtual(g.graph, registry=registry, services=services)
    return values if len(names) > 1 else values[names[0]]


def _supplied(g: Builder, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, with a data node for each function among them, which calls it."""
    supplied: dict[str, Any] = {}
    for name, value in inputs.items():
        if inspect.isroutine(value):
            asked = data_node(id=f"testing.supplied.{name}", volatile=True)(value)
            supplied[name] = g.add(asked, f"{name}, from a function").result
        else:
            supplied[name] = value
    return supplied


Fired = list[tuple[str, dict[str, Any]]]
"""Exec outputs in the order in which they fired, each with the data outputs written since the one before."""


def fire(
    node: type[Node] | FunctionNode[..., Any] | NodeType | str,
    /,
    *,
    enter: str | Sequence[str] | None = None,
    variables: Mapping[str, object] | None = None,
    virtual: bool = True,
    services: Mapping[type | str, Any] | None = None,
    **given: Any,
) -> Fired:
    """Run one exec node alone, and tell which exec outputs fired, each with the data outputs that it came with.

    >>> fire("flow.for", times=2)
    [('body', {'index': 0}), ('body', {'index': 1}), ('done', {})]

    `given` are literals for data inputs, or functions, as for `evaluate`; under the name of an exec output, what
    happens there: a function without parameters, which may be async, or a node type. `services` are those of the run.

    >>> fire("flow.try", body="flow.raise")[0]
    ('body', {})

    `enter` names the exec inputs to enter, one after the other (the first one, once, unless said otherwise);
    `variables` declares variables with what they start with. Runs on a virtual clock that jumps whenever everybody
    waits, unless `virtual` is False, as what waits for something outside needs it. Blocks until all is done. Raises
    what the node raises, `UnknownNodeType`, `UnknownSocket`, or `ValueError` for a data node, which does not fire.
    """
    registry = Registry.standard(allow=["scripts"])  # whoever names a node here means it
    node_type = registry.get(node) if isinstance(node, str) else as_node_type(node)
    if node_type is None or not node_type.is_exec:
        raise ValueError(f"fire() is for exec nodes, and {node!r} is not one.")
    inputs = {socket.name for socket in node_type.inputs}
    reactions = {
        name: given.pop(name)
        for name in [socket.name for socket in node_type.exec_outputs]
        if name in given and name not in inputs
    }
    if enter is None:
        enter = [socket.name for socket in node_type.exec_inputs[:1]]
    with build(registry) as g:
        for name, value in (variables or {}).items():
            g.variable(name, default=value)
        fired = g.add(node_type, "node", **_supplied(g, given))
        for name in [enter] if isinstance(enter, str) else enter:
            g.connect(g.add("flow.start").then, fired[name])
        for socket in node_type.exec_outputs:
            reaction = reactions.get(socket.name)
            function = reaction if inspect.isroutine(reaction) else None
            record = g.add(_Record, socket=socket.name, reaction=function)
            g.connect(fired[socket.name], record.enter)
            if reaction is not None and function is None:
                reacting = as_node_type(reaction) or registry.get(str(reaction))
                g.connect(record.then, g.add(reacting)[reacting.exec_inputs[0].name])
    record_of: Fired = []
    all_services: dict[type | str, Any] = {**(services or {}), "fired": record_of, "told": {}}
    if virtual:
        run_virtual(g.graph, registry=registry, services=all_services)
    else:
        trio.run(lambda: run(g.graph, registry=registry, services=all_services))
    return record_of


class _Record(Node, id="testing.record"):
    """Notes that an exec output of the node fired, and which of its data outputs were written since the last note."""

    enter = ExecIn()
    socket = DataIn(str)
    reaction: DataIn[Any] = DataIn(object, default=None)
    then = ExecOut()

    async def execute(self, ctx: Context) -> ExecOut:
        assert isinstance(ctx, BodyContext)
        # By cells, since values don't tell whether an output was written again (D9). They are kept, since an identity
        # belongs to one cell only as long as that is there.
        told: dict[int, Cell] = ctx.services.get("told")
        plan = next(plan for plan in ctx.run.plan.nodes if plan.id == "node")
        values: dict[str, Any] = {}
        for place, socket in enumerate(plan.type.outputs, plan.first_output):
            cell = ctx.strand.store.cells[place]
            if cell is not None and id(cell) not in told:
                told[id(cell)] = cell
                values[socket.name] = cell.value
        ctx.services.get("fired").append((await ctx.get_input(self.socket), values))
        reaction = await ctx.get_input(self.reaction)
        if reaction is not None:
            result = reaction()
            if inspect.isawaitable(result):
                await result
        return self.then
