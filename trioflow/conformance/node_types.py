"""Checks of node types: that one does what it declares, whatever its inputs are and wherever it is cancelled.

    check_node_type(MyNode)
    check_node_type(MyNode, {"path": ["a.txt", ""], "count": st.integers(0, 9)})

Each example is a graph of the node and one that supplies its inputs, run on a virtual clock, several times: plainly,
again, beside another strand, and cancelled at each checkpoint of its body.
"""

from __future__ import annotations

import collections.abc
import copy
import gc
import itertools
import math
import sys
import time
import types
import typing
import warnings
from collections.abc import Callable, Collection, Coroutine, Generator, Hashable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import attrs
import hypothesis
import hypothesis.strategies as st
import trio
from hypothesis import HealthCheck, Phase
from hypothesis.errors import InvalidArgument, NoSuchExample, ResolutionFailed
from trio.testing import MockClock

from trioflow.errors import (
    ConcurrentTrigger,
    DataNodeEffect,
    LimitExceeded,
    NodeDefinitionError,
    TeardownTimeout,
    TrioflowError,
    UnknownSocket,
)
from trioflow.model.builder import build
from trioflow.model.context import Context, SetupContext
from trioflow.model.function_node import FunctionNode, as_node_type
from trioflow.model.graph import GraphNode
from trioflow.model.node_type import Node, NodeType
from trioflow.model.registry import Registry
from trioflow.model.sockets import UNSET, DataIn, DataOut, ExecIn, ExecOut
from trioflow.model.types import describe_type
from trioflow.runtime.base.failure import leaves
from trioflow.runtime.base.inputs import Pull
from trioflow.runtime.base.options import RunOptions
from trioflow.runtime.context import BodyContext
from trioflow.runtime.host.run import run as run_graph
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics import events
from trioflow.semantics.coercion import Mismatch, coercer_for
from trioflow.semantics.plan import Plan
from trioflow.semantics.planning import make_plan

__all__ = ["NodeTypeFault", "NodeTypeFinding", "check_node_type"]

Inputs = Mapping[str, Any]
NodeLike = type[Node] | FunctionNode[..., Any] | NodeType
Strategies = Mapping[str, st.SearchStrategy[Any] | Sequence[Any]]

BLOCKING = "blocking"
CHECKED = "checked"
"""The id of the node that is checked, and the name of the variable or event that its inputs may name."""

_PATIENCE = 1000
"""How often a body may wait after it was cancelled, before it counts as one that never ends."""

_MOST_CHECKPOINTS = 30
"""How many of a body's first checkpoints it is cancelled at."""

_HELD = 0.03
"""Seconds for which a body may hold the loop: no other task of the host goes on meanwhile."""

_LIMITS = RunOptions(turn_after=math.inf, max_steps=100, timeout=100_000)
"""Of each run: a body that loops for ever, or waits for something that never comes, is cut off."""


@attrs.frozen
class NodeTypeFinding:
    """What is wrong with a node type: `kind` in a word or two, the inputs that show it, and what to do about it."""

    kind: str
    message: str
    inputs: Inputs
    cure: str

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.inputs.items()) or "no inputs"
        return f"{self.kind}: {self.message}\n    with {shown}\n    {self.cure}"


class NodeTypeFault(TrioflowError, AssertionError):
    """A node type does not keep its promises; `findings` are all that was found, each once, with a simple example."""

    def __init__(self, node_type: NodeType, findings: Sequence[NodeTypeFinding]) -> None:
        self.findings = tuple(findings)
        listed = "\n".join(f"- {finding}" for finding in findings)
        super().__init__(f"Node type {node_type.id!r} does not keep its promises:\n{listed}")


def check_node_type(
    node: NodeLike,
    /,
    inputs: Strategies | None = None,
    *,
    deterministic: bool = True,
    optional_outputs: Collection[str] = (),
    services: Callable[[], Mapping[type | str, Any]] = dict,
    examples: int = 20,
) -> None:
    """Check a node type of yours; blocks until it is done. Raises `NodeTypeFault` with all findings at once.

    Found are: outputs of other types than declared; sockets that are not declared; outputs of a data node that are not
    written (unless they are `optional_outputs`); inputs that the body changes in place; the very same list, dictionary
    or set written in one run after the other; bodies that block the loop; other results for the same inputs, or for
    another strand beside it; effects of data nodes; cancellations that are swallowed, at any checkpoint of the body or
    of setup; tasks, asynchronous generators and coroutines that are left behind; a teardown that fails or hangs.

    `inputs`: for each data input a Hypothesis strategy or a list of examples; others are drawn by the type of their
    socket, and left to their defaults now and then. `deterministic=False` is for nodes whose results depend on the
    outside world; volatile ones need not say so. `services` makes the services of a run. `examples`: how many inputs
    are tried; they are the same each time.

    A body may refuse inputs by raising what it likes, as long as it accepts some. Each run is cut off after 100
    dispatches or a day of virtual time, and only the first 30 checkpoints of a body are tried. A hang in a shielded
    clean-up hangs the check. Raises `NodeDefinitionError` for what is not a node type, or has inputs that nobody knows
    how to draw.
    """
    __tracebackhide__ = True  # what pytest shows of a fault is the test, and not how it was found
    node_type = as_node_type(node)
    if node_type is None:
        raise NodeDefinitionError(f"{node!r} is not a node type: give a class, a decorated function or a NodeType.")
    checker = _Checker(node_type, deterministic and not node_type.volatile, frozenset(optional_outputs), services)
    drawn = _drawing(node_type, inputs or {})
    found: dict[str, NodeTypeFinding] = {}
    settings = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
    )

    @settings
    @hypothesis.given(drawn)
    def explore(example: Inputs) -> None:
        for finding in checker.findings(example):
            found.setdefault(finding.kind, finding)

    explore()
    findings = [_simplest(checker, drawn, finding, settings) for finding in found.values()]
    if not checker.accepted and not findings:
        findings += checker.refusals()
    if findings:
        raise NodeTypeFault(node_type, findings)


def _simplest(
    checker: _Checker, drawn: st.SearchStrategy[Inputs], finding: NodeTypeFinding, settings: hypothesis.settings
) -> NodeTypeFinding:
    """The same finding with the simplest inputs that show it."""
    if finding.kind == BLOCKING:
        return finding  # to look for others would take long
    simplest = [finding]

    def shows(example: Inputs) -> bool:
        same = [each for each in checker.findings(example) if each.kind == finding.kind]
        simplest[:] = same or simplest
        return bool(same)

    try:
        shown = hypothesis.find(
            drawn, shows, settings=hypothesis.settings(settings, phases=[Phase.generate, Phase.shrink])
        )
    except NoSuchExample:
        return finding
    return next((each for each in checker.findings(shown) if each.kind == finding.kind), simplest[0])


# --- drawing inputs ---


def _drawing(node_type: NodeType, given: Strategies) -> st.SearchStrategy[Inputs]:
    unknown = set(given) - {socket.name for socket in node_type.inputs}
    if unknown:
        raise NodeDefinitionError(f"{node_type.id!r} has no data input {', '.join(map(repr, sorted(unknown)))}.")
    return st.fixed_dictionaries(
        {
            socket.name: _strategy(node_type, socket, given.get(socket.name))
            for socket in node_type.inputs
            if not socket.names  # the name of a variable or an event stands in the graph
        }
    )


def _strategy(
    node_type: NodeType, socket: DataIn[Any], given: st.SearchStrategy[Any] | Sequence[Any] | None
) -> st.SearchStrategy[Any]:
    if isinstance(given, st.SearchStrategy):
        return given
    if given is not None:
        return st.sampled_from(list(given))
    try:
        drawn = _of_type(socket.type)
        drawn.validate()
    except (ResolutionFailed, InvalidArgument, TypeError) as error:
        raise NodeDefinitionError(
            f"Nobody knows how to draw values of type {describe_type(socket.type)} for input {socket.name!r} of "
            f"{node_type.id!r}: give a strategy or examples, check_node_type(..., {{{socket.name!r}: [...]}})."
        ) from error
    return drawn if socket.required else st.one_of(st.just(UNSET), drawn)


_PLAIN: st.SearchStrategy[Any] = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
# With values that a body can change in place, on wires of any type and inside of others.
_ANY = st.one_of(_PLAIN, st.lists(_PLAIN, max_size=3), st.dictionaries(st.text(max_size=3), _PLAIN, max_size=2))
_SIMPLE: Mapping[Any, st.SearchStrategy[Any]] = {
    object: _ANY,
    Any: _ANY,
    list: st.lists(_ANY, max_size=4),
    dict: st.dictionaries(st.text(max_size=3), _ANY, max_size=3),
    set: st.sets(st.integers(), max_size=4),
    Path: st.text("abc./", max_size=6).map(Path),
    timedelta: st.timedeltas(timedelta(days=-9), timedelta(days=9)),
    date: st.dates(),
    datetime: st.datetimes(),
}


def _of_type(type_: Any) -> st.SearchStrategy[Any]:
    try:
        simple = _SIMPLE.get(type_)
    except TypeError:  # not hashable, such as Annotated with a list
        simple = None
    if simple is not None:
        return simple
    if isinstance(type_, typing.TypeVar):
        return _ANY
    origin, parts = typing.get_origin(type_), typing.get_args(type_)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(_of_type, parts))
    if origin in (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection):
        return st.lists(_of_type(parts[0]), max_size=4)
    if origin in (set, collections.abc.Set):
        return st.sets(_hashable(parts[0]), max_size=4)
    if origin is frozenset:
        return st.frozensets(_hashable(parts[0]), max_size=4)
    if origin in (dict, collections.abc.Mapping):
        return st.dictionaries(_hashable(parts[0]), _of_type(parts[1]), max_size=3)
    return st.from_type(type_)


def _hashable(type_: Any) -> st.SearchStrategy[Any]:
    return _of_type(type_).filter(lambda value: isinstance(value, Hashable))


# --- the graph around the node ---


@attrs.define
class _Probe:
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


class _Stopped(Exception):
    """The body was cancelled as it was to be."""


class _Endless(Exception):
    """The body was cancelled, and goes on and on."""


def _clocks() -> tuple[float, float, int]:
    """The time, the processor time of this thread, and how often it has waited for something, if the system tells."""
    return time.perf_counter(), time.thread_time(), _waits()


def _held_since(began: tuple[float, float, int]) -> float:
    """The seconds in which this thread did something or waited: not those in which others had the processor."""
    passed, computed, waits = time.perf_counter() - began[0], time.thread_time() - began[1], _waits() - began[2]
    return passed if waits or sys.platform != "linux" else computed


@types.coroutine
def _driven(body: Coroutine[Any, Any, Any], probe: _Probe, scope: trio.CancelScope) -> Generator[Any, Any, Any]:
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
                thrown = _Endless()  # into the body, so that what it has opened is closed in order
                continue
        try:
            answer = yield trap
        except BaseException as error:
            thrown = error
        # trio sends what it wants to be raised, wrapped up.
        raised = thrown or getattr(answer, "error", None)
        probe.struck |= scope.cancel_called and isinstance(raised, trio.Cancelled)


async def _cancelled_somewhere(body: Coroutine[Any, Any, Any], probe: _Probe) -> Any:
    """Run a body under a probe. Raises `_Stopped` where it was cancelled and ended."""
    result: Any = None
    with trio.CancelScope() as scope:
        try:
            result = await _driven(body, probe, scope)
            probe.ended = "returned" if probe.struck else None
        except _Endless:
            probe.ended = "went on and on"
            raise
        except Exception as error:
            if probe.struck and not any(isinstance(each, trio.Cancelled) for each in leaves(error)):
                probe.ended = f"raised {error!r}"
            raise
    if probe.struck and probe.ended is None:
        raise _Stopped
    return result


class _Watching(Middleware):
    """Around the body of the node that is checked."""

    def __init__(self, probe: _Probe) -> None:
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
        self.trioflow_probe = probe = ctx.services.get(_Probe)
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
        ctx.services.get(_Probe).told.append((ctx.path, await ctx.get_input(self.socket)))


class _Supplier(Node, abstract=True):
    """Supplies the node that is checked with inputs and runs it, or asks a data node for its outputs."""

    checked: NodeType
    supplied: Mapping[str, str]
    """The sockets of this node that the inputs of the other are wired to."""
    asked: Mapping[str, str]
    """The same, for the outputs of a data node."""
    idle = ExecOut()

    async def execute(self, ctx: Context) -> None:
        probe: _Probe = ctx.services.get(_Probe)
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


def _around(node_type: NodeType) -> Plan:
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


# --- the checks ---

_REFUSES_DETERMINISM = (
    "Take randomness from ctx.random and time from trio; keep state in ctx.state; make a data node whose value changes "
    "by itself volatile; or check with deterministic=False."
)


class _Checker:
    """Checks one node type with one set of inputs after the other."""

    def __init__(
        self,
        node_type: NodeType,
        deterministic: bool,
        optional: frozenset[str],
        services: Callable[[], Mapping[type | str, Any]],
    ) -> None:
        self._type = node_type
        self._deterministic = deterministic
        self._optional = optional
        self._services = services
        self._plan = _around(node_type)
        self._refused: tuple[Inputs, Exception] | None = None
        self.accepted = 0

    def findings(self, inputs: Inputs) -> list[NodeTypeFinding]:
        """All that is wrong with these inputs, each kind once."""
        found: dict[str, NodeTypeFinding] = {}
        for kind, message, cure in self._faults(inputs):
            found.setdefault(kind, NodeTypeFinding(kind, message, inputs, cure))
        return [*found.values()]

    def refusals(self) -> list[NodeTypeFinding]:
        """That no inputs were accepted, so that nothing is known about the node."""
        if self._refused is None:
            return []
        inputs, error = self._refused
        message = f"every input that was tried is refused, such as this one by {error!r}"
        return [NodeTypeFinding("nothing checked", message, inputs, "Give strategies or examples that it accepts.")]

    def _faults(self, inputs: Inputs) -> Iterator[tuple[str, str, str]]:
        for entered in range(max(1, len(self._type.exec_inputs))):
            plain = self._run(inputs, entered=entered)
            if plain.refused is None:
                self.accepted += 1
            else:
                self._refused = inputs, plain.refused
            wrong = [*self._of_plain(plain, inputs)]
            yield from wrong
            blocking = [*self._of_holding(plain, inputs, entered)]
            yield from blocking
            if blocking:
                return  # all else would take as long again, many times
            # Whoever else holds an input that was changed gets other results: that only follows.
            if all(kind != "input changed" for kind, _, _ in wrong):
                yield from self._of_repetition(plain, inputs, entered)
            for number in range(min(plain.checkpoints, _MOST_CHECKPOINTS)):
                where = f"at checkpoint {number + 1} of {plain.checkpoints}"
                yield from self._of_cancelled(self._run(inputs, entered=entered, cancel_at=number), where)
        yield from self._of_life(inputs)

    def _of_plain(self, probe: _Probe, inputs: Inputs) -> Iterator[tuple[str, str, str]]:
        yield from self._of_refusal(probe)
        yield from self._of_rest(probe, "after an ordinary run")
        types_of = {output.name: output.type for output in self._type.outputs}
        for answer in probe.answers:
            for name, value in answer.items():
                coercer = coercer_for(types_of[name], {})
                try:
                    if coercer is not None:
                        coercer(value)
                except Mismatch as error:
                    message = f"output {name!r} is declared as {describe_type(types_of[name])}: {error}"
                    yield "output type", message, "Write what is declared, or declare what is written."
        if not self._type.is_exec and probe.refused is None:
            for name in sorted(types_of.keys() - self._optional):
                if any(name not in answer for answer in probe.answers):
                    message = f"output {name!r} is not written"
                    yield "output missing", message, f"Write it, or check with optional_outputs=[{name!r}]."
        given = self._given(inputs)
        for name, value in probe.inputs.items():
            if not _same(value, given[name]):
                message = f"the body changed its input {name!r} in place, from {given[name]!r} to {value!r}"
                yield "input changed", message, "Copy it first: who else holds the same object sees the change."

    def _of_refusal(self, probe: _Probe) -> Iterator[tuple[str, str, str]]:
        for error in leaves(probe.refused) if probe.refused is not None else ():
            if isinstance(error, TeardownTimeout):
                yield "teardown", str(error), "Give up waiting in time: what others do not answer is closed by force."
            elif isinstance(error, UnknownSocket | ConcurrentTrigger | DataNodeEffect):
                yield "contract", f"{type(error).__name__}: {error}", "Declare what the body uses."

    def _of_repetition(self, plain: _Probe, inputs: Inputs, entered: int) -> Iterator[tuple[str, str, str]]:
        if isinstance(plain.refused, LimitExceeded):
            return
        again = self._run(inputs, entered=entered)
        yield from self._of_sharing(plain, again)
        if not self._deterministic:
            return
        difference = _difference(plain, again)
        if difference is not None:
            yield "not deterministic", f"run twice, it gave {difference}", _REFUSES_DETERMINISM
            return
        if not self._type.is_exec:
            for first, second in itertools.pairwise(plain.answers):
                if not _same(first, second):
                    message = f"evaluated twice with equal inputs in one run, it gave {first!r} and then {second!r}"
                    yield "state", message, "A data node keeps nothing: compute outputs from inputs alone."
        elif self._type.exec_inputs:
            difference = _difference(plain, self._run(inputs, entered=entered, beside=True))
            if difference is not None:
                message = f"alone, and while another strand runs it too, it gave {difference}"
                yield "state", message, "What self or a module keeps is seen by all strands: use ctx.state (F6)."

    def _of_sharing(self, plain: _Probe, again: _Probe) -> Iterator[tuple[str, str, str]]:
        """What two runs have both written is held by the node, or by a module: each has inputs of its own."""
        held = {id(box) for answer in plain.answers for value in answer.values() for box in _boxes(value)}
        for answer in again.answers:
            for name, value in answer.items():
                for box in _boxes(value):
                    if id(box) in held:
                        message = f"output {name!r} is or holds the same {type(box).__name__} in every run: {box!r}"
                        yield "output shared", message, "Write a copy: whoever changes it changes it for all others."

    def _of_holding(self, plain: _Probe, inputs: Inputs, entered: int) -> Iterator[tuple[str, str, str]]:
        held = plain.held
        for _ in range(2):  # a busy machine, or something that is done once
            if held > _HELD:
                held = min(held, self._run(inputs, entered=entered).held)
        if held > _HELD:
            message = f"the body held the loop for {held:.2g} s without letting others go on"
            cure = (
                "Await trio's functions instead of those that block, such as trio.sleep; or move the work to "
                "trio.to_thread.run_sync."
            )
            yield BLOCKING, message, cure

    def _of_cancelled(self, probe: _Probe, where: str) -> Iterator[tuple[str, str, str]]:
        if probe.ended is not None:
            message = f"cancelled {where}, the body {probe.ended}"
            yield (
                "cancellation",
                message,
                "Let trio.Cancelled pass: catch Exception, not BaseException, and raise again.",
            )
        yield from self._of_rest(probe, f"cancelled {where}")

    def _of_rest(self, probe: _Probe, when: str) -> Iterator[tuple[str, str, str]]:
        if probe.left:
            message = f"{when}, it left behind: {'; '.join(probe.left)}"
            cure = (
                "Start tasks in a nursery of the body; use generators in `async with aclosing(...)`; await coroutines."
            )
            yield "left behind", message, cure
        if probe.teardown is not None:
            message = f"{when}, teardown raised {probe.teardown!r}"
            yield "teardown", message, "Teardown must work whatever has happened since setup."

    def _of_life(self, inputs: Inputs) -> Iterator[tuple[str, str, str]]:
        if not isinstance(self._type.body, type):
            return
        yield from self._of_rest(self._run(inputs, dispatch=False), "set up and never dispatched")
        if self._type.body.setup is Node.setup:
            return
        plain = self._run(inputs, in_setup=True, dispatch=False)
        for number in range(plain.checkpoints):
            cancelled = self._run(inputs, in_setup=True, dispatch=False, cancel_at=number)
            yield from self._of_cancelled(cancelled, f"at checkpoint {number + 1} of setup")

    def _given(self, inputs: Inputs) -> Inputs:
        """The inputs of one run, which nobody else holds: a default that can be changed in place is given, too."""
        changeable = {each.name: each.default for each in self._type.inputs if not isinstance(each.default, Hashable)}
        return copy.deepcopy(
            {name: changeable.get(name, UNSET) if value is UNSET else value for name, value in inputs.items()}
        )

    def _run(self, inputs: Inputs, **how: Any) -> _Probe:
        probe = _Probe(self._given(inputs), **how)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", ResourceWarning)
            warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)
            trio.run(self._main, probe, clock=MockClock(autojump_threshold=0))
            if probe.cancel_at is None:
                gc.collect(0)
        probe.left += [str(each.message).partition("\n")[0] for each in warned]
        return probe

    async def _main(self, probe: _Probe) -> None:
        before = {*_tasks()}
        told = probe.told

        def observe(event: events.Event) -> None:
            if event.node == CHECKED and isinstance(event, events.Feedback):
                told.append((event.path.as_tuple(), event.message, event.tag))

        try:
            await run_graph(
                self._plan,
                services={**self._services(), _Probe: probe},
                middleware=[_Watching(probe)],
                observers=[observe],
                options=_LIMITS,
            )
        except _Stopped:
            pass
        except Exception as error:
            probe.refused = error
        probe.left += [f"task {task.name}" for task in _tasks() if task not in before]
        if probe.beside:  # of two strands, only the second one is compared
            probe.told = [each for each in told if each[0][2:3] != (0,)]


def _boxes(value: object) -> Iterator[object]:
    """The values in a value that can be changed in place, itself included."""
    seen: set[int] = set()
    todo = [value]
    while todo:
        each = todo.pop()
        if id(each) in seen or not isinstance(each, list | dict | set | bytearray | tuple):
            continue
        seen.add(id(each))
        if not isinstance(each, tuple):
            yield each
        todo += [*each.values()] if isinstance(each, dict) else [*each]


def _tasks() -> Iterator[trio.lowlevel.Task]:
    root = trio.lowlevel.current_root_task()
    pending = [root] if root is not None else []
    while pending:
        task = pending.pop()
        yield task
        pending += [child for nursery in task.child_nurseries for child in nursery.child_tasks]


def _difference(left: _Probe, right: _Probe) -> str | None:
    """What two runs differ in, in words."""
    for one, other in (
        (left.refused, right.refused),
        (left.answers, right.answers),
        (sorted(left.told, key=_path), sorted(right.told, key=_path)),
    ):
        if not _same(one, other):
            return f"{one!r} and {other!r}"
    return None


def _path(told: tuple[Any, ...]) -> Any:
    return told[0]


def _same(left: Any, right: Any) -> bool:
    """Whether two values are equal, as far as one can see: NaN is itself, an exception its text, an object its form."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, BaseException):
        return str(left) == str(right)
    try:
        if bool(left == right):
            return True
    except Exception:  # an object that can't be compared, such as an array, is looked at as text
        return repr(left) == repr(right)
    is_nan = left != left and right != right  # noqa: PLR0124 - that is what NaN is known by
    return is_nan or getattr(type(left), "__eq__") is object.__eq__  # noqa: B009 - mypy takes it for a method
