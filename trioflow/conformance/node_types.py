"""Checks of node types: that one does what it declares, whatever its inputs are and wherever it is cancelled.

    check_node_type(MyNode)
    check_node_type(MyNode, {"path": ["a.txt", ""], "count": st.integers(0, 9)})

Each example is a graph of the node and one that supplies its inputs, run on a virtual clock, several times: plainly,
again, beside another strand, and cancelled at each checkpoint of its body.
"""

from __future__ import annotations

import copy
import gc
import itertools
import math
import warnings
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, cast

import attrs
import hypothesis
import hypothesis.strategies as st
import trio
from hypothesis import HealthCheck, Phase
from hypothesis.errors import NoSuchExample
from trio.testing import MockClock

from trioflow.conformance.node_inputs import Inputs, Strategies, drawing
from trioflow.conformance.node_probe import CHECKED, Probe, Stopped, Watching, around
from trioflow.errors import (
    ConcurrentTrigger,
    DataNodeEffect,
    LimitExceeded,
    NodeDefinitionError,
    TeardownTimeout,
    TrioflowError,
    UnknownSocket,
)
from trioflow.model.function_node import FunctionNode, as_node_type
from trioflow.model.node_type import Node, NodeType
from trioflow.model.sockets import UNSET
from trioflow.model.types import describe_type
from trioflow.runtime.base.failure import leaves
from trioflow.runtime.base.options import RunOptions
from trioflow.runtime.host.run import run as run_graph
from trioflow.semantics import events
from trioflow.semantics.coercion import Mismatch, coercer_for

__all__ = ["NodeTypeFault", "NodeTypeFinding", "check_node_type"]

NodeLike = type[Node] | FunctionNode[..., Any] | NodeType

BLOCKING = "blocking"

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
    drawn = drawing(node_type, inputs or {})
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
        self._plan = around(node_type)
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

    def _of_plain(self, probe: Probe, inputs: Inputs) -> Iterator[tuple[str, str, str]]:
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

    def _of_refusal(self, probe: Probe) -> Iterator[tuple[str, str, str]]:
        for error in leaves(probe.refused) if probe.refused is not None else ():
            if isinstance(error, TeardownTimeout):
                yield "teardown", str(error), "Give up waiting in time: what others do not answer is closed by force."
            elif isinstance(error, UnknownSocket | ConcurrentTrigger | DataNodeEffect):
                yield "contract", f"{type(error).__name__}: {error}", "Declare what the body uses."

    def _of_repetition(self, plain: Probe, inputs: Inputs, entered: int) -> Iterator[tuple[str, str, str]]:
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

    def _of_sharing(self, plain: Probe, again: Probe) -> Iterator[tuple[str, str, str]]:
        """What two runs have both written is held by the node, or by a module: each has inputs of its own."""
        held = {id(box) for answer in plain.answers for value in answer.values() for box in _boxes(value)}
        for answer in again.answers:
            for name, value in answer.items():
                for box in _boxes(value):
                    if id(box) in held:
                        message = f"output {name!r} is or holds the same {type(box).__name__} in every run: {box!r}"
                        yield "output shared", message, "Write a copy: whoever changes it changes it for all others."

    def _of_holding(self, plain: Probe, inputs: Inputs, entered: int) -> Iterator[tuple[str, str, str]]:
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

    def _of_cancelled(self, probe: Probe, where: str) -> Iterator[tuple[str, str, str]]:
        if probe.ended is not None:
            message = f"cancelled {where}, the body {probe.ended}"
            yield (
                "cancellation",
                message,
                "Let trio.Cancelled pass: catch Exception, not BaseException, and raise again.",
            )
        yield from self._of_rest(probe, f"cancelled {where}")

    def _of_rest(self, probe: Probe, when: str) -> Iterator[tuple[str, str, str]]:
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

    def _run(self, inputs: Inputs, **how: Any) -> Probe:
        probe = Probe(self._given(inputs), **how)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", ResourceWarning)
            warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)
            trio.run(self._main, probe, clock=MockClock(autojump_threshold=0))
            if probe.cancel_at is None:
                gc.collect(0)
        probe.left += [str(each.message).partition("\n")[0] for each in warned]
        return probe

    async def _main(self, probe: Probe) -> None:
        before = {*_tasks()}
        told = probe.told

        def observe(event: events.Event) -> None:
            if event.node == CHECKED and isinstance(event, events.Feedback):
                told.append((event.path.as_tuple(), event.message, event.tag))

        try:
            await run_graph(
                self._plan,
                services={**self._services(), Probe: probe},
                middleware=[Watching(probe)],
                observers=[observe],
                options=_LIMITS,
            )
        except Stopped:
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


def _difference(left: Probe, right: Probe) -> str | None:
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
