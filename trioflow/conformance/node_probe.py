"""The graph around a node that is checked, and the probe that sees what its body does and cancels it somewhere."""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Coroutine, Generator, Mapping
from typing import Any

import attrs
import trio

from trioflow.conformance.node_inputs import Inputs
from trioflow.model.builder import build
from trioflow.model.context import Context, SetupContext
from trioflow.model.graph import GraphNode
from trioflow.model.node_type import Node, NodeType
from trioflow.model.registry import Registry
from trioflow.model.sockets import UNSET, DataIn, DataOut, ExecIn, ExecOut
from trioflow.runtime.base.failure import leaves
from trioflow.runtime.base.inputs import Pull
from trioflow.runtime.context import BodyContext
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.plan import Plan
from trioflow.semantics.planning import make_plan

CHECKED = "checked"
"""The id of the node that is checked, and the name of the variable or event that its inputs may name."""

_PATIENCE = 1000
"""How often a body may wait after it was cancelled, before it counts as one that never ends."""


@attrs.define
class Probe:
    """What one run does to the node, and what it sees of it."""

    inputs: Inputs
    beside: bool = False
    """Whether another strand runs the node too."""
    dispatch: bool = True
    entered: int = 0
    """Which of the node's exec inputs."""
    cancel_at: int | None = None
    """The checkpoint at which the body, or setup, is cancelled."""
    in_setup: bool = False
    """Whether what is cancelled is setup."""
    checkpoints: int = 0
    struck: bool = False
    ended: str | None = None
    """What a body that was cancelled did instead of ending."""
    answers: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]])
    """The outputs of each evaluation or activation that was looked at."""
    told: list[Any] = attrs.field(factory=list[Any])
    """What the node triggered and reported, with the path."""
    refused: Exception | None = None
    teardown: Exception | None = None
    held: float = 0.0
    """The longest time, in seconds, for which the body did not let go of the loop."""
    left: list[str] = attrs.field(factory=list[str])


def _waits() -> int:
    if sys.platform != "linux":
        return 0
    import resource  # noqa: PLC0415 - not on every system

    return int(resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw)


class Stopped(Exception):
    """The body was cancelled as it was to be."""


class Endless(Exception):
    """The body was cancelled, and goes on and on."""


def _clocks() -> tuple[float, float, int]:
    """The time, the processor time of this thread, and how often it has waited for something, if the system tells."""
    return time.perf_counter(), time.thread_time(), _waits()


def _held_since(began: tuple[float, float, int]) -> float:
    """The seconds in which this thread did something or waited: not those in which others had the processor."""
    passed, computed, waits = time.perf_counter() - began[0], time.thread_time() - began[1], _waits() - began[2]
    return passed if waits or sys.platform != "linux" else computed


@types.coroutine
def _driven(body: Coroutine[Any, Any, Any], probe: Probe, scope: trio.CancelScope) -> Generator[Any, Any, Any]:
    """Run a body, count the checkpoints of its task, and cancel it at one of them."""
    answer: Any = None
    thrown: BaseException | None = None
    waits = 0
    while True:
        began = _clocks()
        try:
            trap = body.send(answer) if thrown is None else body.throw(thrown)
        except StopIteration as stop:
            return stop.value
        finally:
            probe.held = max(probe.held, _held_since(began))
        answer, thrown = None, None
        if type(trap) is not Pull:
            if probe.checkpoints == probe.cancel_at:
                scope.cancel()
            probe.checkpoints += 1
            waits += probe.struck
            if waits > _PATIENCE:
                thrown = Endless()  # into the body, so that what it has opened is closed in order
                continue
        try:
            answer = yield trap
        except BaseException as error:
            thrown = error
        # trio sends what it wants to be raised, wrapped up.
        raised = thrown or getattr(answer, "error", None)
        probe.struck |= scope.cancel_called and isinstance(raised, trio.Cancelled)


async def _cancelled_somewhere(body: Coroutine[Any, Any, Any], probe: Probe) -> Any:
    """Run a body under a probe. Raises `Stopped` where it was cancelled and ended."""
    result: Any = None
    with trio.CancelScope() as scope:
        try:
            result = await _driven(body, probe, scope)
            probe.ended = "returned" if probe.struck else None
        except Endless:
            probe.ended = "went on and on"
            raise
        except Exception as error:
            if probe.struck and not any(isinstance(each, trio.Cancelled) for each in leaves(error)):
                probe.ended = f"raised {error!r}"
            raise
    if probe.struck and probe.ended is None:
        raise Stopped
    return result


class Watching(Middleware):
    """Around the body of the node that is checked."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        return node.id == CHECKED

    async def __call__(self, invocation: Invocation) -> Outcome:
        context = invocation.context
        # Of two strands the second one is looked at: the first one must make no difference to it.
        if isinstance(context, BodyContext) and context.path[2:3] == (0,) and self._probe.beside:
            return await invocation()
        result = await self._run(invocation)
        if isinstance(context, BodyContext):
            first, store = context.plan.first_output, context.strand.store
            written = (
                (output.name, store.cells[first + place]) for place, output in enumerate(context.plan.type.outputs)
            )
            self._probe.answers.append({name: cell.value for name, cell in written if cell is not None})
        return result

    async def _run(self, invocation: Invocation) -> Outcome:
        if self._probe.in_setup:
            return await invocation()
        outcome: Outcome = await _cancelled_somewhere(invocation(), self._probe)
        return outcome


def _watched(body: type[Node]) -> type[Node]:
    """The class with a probe around its setup and teardown."""

    async def setup(self: Any, ctx: SetupContext) -> None:
        self.trioflow_probe = probe = ctx.services.get(Probe)
        if probe.in_setup:
            await _cancelled_somewhere(body.setup(self, ctx), probe)
        else:
            await body.setup(self, ctx)

    async def teardown(self: Any) -> None:
        try:
            await body.teardown(self)
        except Exception as error:
            self.trioflow_probe.teardown = error
            raise

    members = {"setup": setup, "teardown": teardown, "__module__": body.__module__, "__qualname__": body.__qualname__}
    return types.new_class(body.__name__, (body,), {"abstract": True}, lambda space: space.update(members))


class _Heard(Node, id="check.heard"):
    """Runs where the node triggers, and notes that it did."""

    enter = ExecIn()
    socket = DataIn(str)

    async def execute(self, ctx: Context) -> None:
        ctx.services.get(Probe).told.append((ctx.path, await ctx.get_input(self.socket)))


class _Supplier(Node, abstract=True):
    """Supplies the node that is checked with inputs and runs it, or asks a data node for its outputs."""

    checked: NodeType
    supplied: Mapping[str, str]
    """The sockets of this node that the inputs of the other are wired to."""
    asked: Mapping[str, str]
    """The same, for the outputs of a data node."""
    idle = ExecOut()

    async def execute(self, ctx: Context) -> None:
        probe: Probe = ctx.services.get(Probe)
        self._supply(ctx, probe.inputs)
        if not probe.dispatch:
            return
        if self.checked.listens is not None:
            await ctx.publish(CHECKED)
        if not self.checked.is_exec:
            probe.answers.append(await self._ask(ctx))
            self._supply(ctx, probe.inputs)  # new cells with equal values: the body runs again (D9)
            probe.answers.append(await self._ask(ctx))
        if self.checked.exec_inputs:
            async with ctx.branches() as branches:
                branches.start(f"enter_{probe.entered}" if probe.beside else self.idle)
                branches.start(f"enter_{probe.entered}")

    def _supply(self, ctx: Context, inputs: Inputs) -> None:
        for name, socket in self.supplied.items():
            if inputs[name] is not UNSET:
                ctx.set_output(socket, inputs[name])

    async def _ask(self, ctx: Context) -> dict[str, Any]:
        answer = {name: await ctx.try_get_input(socket, UNSET) for name, socket in self.asked.items()}
        return {name: value for name, value in answer.items() if value is not UNSET}


def _supplier(node_type: NodeType) -> type[_Supplier]:
    """The supplier with the sockets that this type needs."""
    names = [socket.name for socket in node_type.inputs if not socket.names]
    supplied = {name: f"value_{place}" for place, name in enumerate(names)}
    outputs = [] if node_type.is_exec else node_type.outputs
    asked = {output.name: f"answer_{place}" for place, output in enumerate(outputs)}
    members: dict[str, Any] = {
        "checked": node_type,
        "supplied": supplied,
        "asked": asked,
        **{socket: DataOut(object) for socket in supplied.values()},
        **{socket: DataIn(object, lazy=True) for socket in asked.values()},
        **{f"enter_{place}": ExecOut() for place in range(len(node_type.exec_inputs))},
    }
    arguments = {"id": "check.supplier", "initiator": True}
    return types.new_class("Supplier", (_Supplier,), arguments, lambda space: space.update(members))


def around(node_type: NodeType) -> Plan:
    """The graph of a node, its supplier, and those who hear what it triggers."""
    supplier, checked = _supplier(node_type), node_type
    if isinstance(node_type.body, type):
        checked = attrs.evolve(node_type, body=_watched(node_type.body))
    registry = Registry()
    with build(registry) as g:
        g.variable(CHECKED, "any", None)
        g.event(CHECKED)
        first: Any = g.add(supplier, "supplier")
        literals = {socket.name: CHECKED for socket in node_type.inputs if socket.names}
        node = g.add(checked, CHECKED, **literals)
        for name, socket in supplier.supplied.items():
            g.connect(first[socket], node[name])
        for name, socket in supplier.asked.items():
            g.connect(node[name], first[socket])
        for place, entry in enumerate(node_type.exec_inputs):
            g.connect(first[f"enter_{place}"], node[entry.name])
        for fired in node_type.exec_outputs:
            heard = g.add(_Heard, f"at {fired.name}", socket=fired.name)
            g.connect(node[fired.name], heard.enter)
    return make_plan(g.graph, registry)
