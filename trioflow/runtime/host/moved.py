"""A called graph that is carried out in another process than the run, as the same part of it (A9).

Its paths, random numbers, keys and the names of its nodes are those that it would have in the run. What it tells is
kept, and told when it has come back.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from typing import Any

import attrs
import trio

from trioflow.model.version import version_of
from trioflow.runtime.base.records import RunState, activation_at, new_strand
from trioflow.runtime.base.turns import refuel
from trioflow.runtime.base.watch import observe
from trioflow.runtime.bodies.kinds import kind_of
from trioflow.runtime.context import BodyContext
from trioflow.runtime.dispatch import apart
from trioflow.runtime.host.execution import Execution, in_own_context
from trioflow.runtime.host.given import RunArguments, given
from trioflow.runtime.wrapping.portable import PortableCall, Returned, graphs_of
from trioflow.runtime.wrapping.sent import Errors, Sent
from trioflow.semantics.events import Event, RunCancelled, RunCompleted, RunFailed, RunStarted
from trioflow.semantics.plan import Plan, PlanInput, PlanNode, Target
from trioflow.semantics.store import Store, new_cell

_OF_RUNS = (RunStarted, RunCompleted, RunFailed, RunCancelled)
_MOST_PLANS = 16
_plans: dict[bytes, Plan] = {}
"""Those that this process was sent last, by digest: a graph is called many times."""


async def carry_out(call: PortableCall, services: Mapping[type | str, Any]) -> Returned:
    """Carry out a call, in whatever process this is. Raises only what ends the process, and what is no call."""
    root = _plan(call.plan)
    around = graphs_of(root)[call.graph]
    node = _with_inputs(around.nodes[call.node], call)
    events: list[Event] = []
    arguments: RunArguments = {"options": call.options, "secrets": call.secrets, "services": services}
    if call.kinds is None or call.kinds:
        arguments["observers"] = [observe(events.append, kinds=call.kinds, values=call.values)]
    _, made = given(root, arguments)
    activation: Any = type("MovedActivation", (BodyContext,), {"__slots__": (), "run_name": call.run_name})
    # The graph around is here in name only: none of its nodes is set up or run.
    bare = attrs.evolve(
        around,
        nodes=(),
        node_index={},
        initiators=(),
        listeners={},
        writing=(),
        own=(),
        enter=None,
        leave=None,
        net=None,
    )
    control = _OneCall(call, node)
    execution = Execution(bare, attrs.evolve(made, activation=activation), control)
    state = execution.state
    state.frame.prefix = call.prefix
    await in_own_context(execution.execute())
    failure, execution.failure = execution.failure, None
    errors = Errors()
    statistics = execution.statistics()
    return Returned(
        control.outputs,
        control.exit,
        None if failure is None else errors.sendable(failure),
        [Sent.of(each, errors) for each in events if not isinstance(each, _OF_RUNS)],
        statistics.steps,
        statistics.evaluations,
        statistics.forks,
        statistics.elapsed,
    )


def version_of_call(plan: Plan, node: PlanNode) -> str:
    """A digest of the code of all node types in the graph that a node calls, and in those below."""
    assert node.graph is not None
    types = {each.type for graph in graphs_of(node.graph) for each in graph.nodes}
    told = sorted(f"{each.id} {version_of(each)}" for each in types if isinstance(each.body, type) or _has_code(each))
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def node_of(call: PortableCall) -> tuple[Plan, PlanNode]:
    """The plan of the run, and the node that calls."""
    root = _plan(call.plan)
    return root, graphs_of(root)[call.graph].nodes[call.node]


def _has_code(node_type: Any) -> bool:
    return hasattr(node_type.body, "function")


def _plan(packed: bytes) -> Plan:
    digest = hashlib.sha256(packed).digest()
    found = _plans.get(digest)
    if found is None:
        found = pickle.loads(packed)  # noqa: S301 - from the process that has started this one
        if len(_plans) >= _MOST_PLANS:
            del _plans[next(iter(_plans))]
        _plans[digest] = found
    return found


def _with_inputs(node: PlanNode, call: PortableCall) -> PlanNode:
    given: dict[int, PlanInput] = {}
    for place, value, origin in call.inputs:
        planned = node.inputs[place]
        given[place] = PlanInput(node.id, planned.socket, new_cell(value, -1, origin), planned.coercer)
    return node.with_inputs(given)


class _OneCall:
    """The control of a run that is one call of a graph."""

    scope: trio.CancelScope | None = None

    def __init__(self, call: PortableCall, node: PlanNode) -> None:
        self._call = call
        self._node = node
        self.outputs: dict[str, Any] = {}
        self.exit: str | None = None

    async def run_graph(self, state: RunState, store: Store) -> None:
        refuel(state)
        node = self._node
        strand = new_strand(state, store, 1)
        activation = activation_at(strand, Target(node, self._call.entered), self._call.path, self._call.depth)
        body = kind_of(node.type).make(node, None, None, True)

        async def segment() -> None:
            left = await body(activation)
            self.exit = left if left is None or isinstance(left, str) else left.name

        try:
            await apart(activation, strand, segment())
        finally:
            del activation.strand
        for slot, socket in enumerate(node.type.outputs, node.first_output):
            cell = store.cells[slot]
            if cell is not None:
                self.outputs[socket.name] = cell.value

    def settled(self, state: RunState) -> None:
        """Nobody waits for it."""
