"""Demands: pulling data through data nodes, lazily, never stale, never twice (D1-D6, D10).

`demand` is a generator that runs in the asking task: it keeps its own stack of nodes that wait for their inputs, so a
chain of any length needs no recursion, and hands trio's traps through. A body that asks for an input itself yields
`Pull` to it.
"""

from __future__ import annotations

import hashlib
import random
import time
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import CoercionError, DataNodeEffect, MissingInput, UnknownName, UnknownSocket, did_you_mean
from trioflow.model.context import DataContext
from trioflow.model.node_type import FunctionBody, Lazy
from trioflow.model.sockets import UNSET
from trioflow.runtime.failure import is_cancellation, mark_origin
from trioflow.semantics.coercion import Mismatch
from trioflow.semantics.events import (
    EvaluationCancelled,
    EvaluationCompleted,
    EvaluationFailed,
    EvaluationReused,
    EvaluationStarted,
)
from trioflow.semantics.memo import Evaluation, forget, recall, remember, same_cells, youngest
from trioflow.semantics.plan import PlanInput, PlanNode, Source
from trioflow.semantics.store import Cell

if TYPE_CHECKING:
    from trioflow.model.context import Services
    from trioflow.model.graph import GraphNode
    from trioflow.runtime.activation import Activation
    from trioflow.runtime.state import RunState


class Pending:
    """An evaluation in progress: others that want the same wait for `settled` (D5)."""

    __slots__ = ("failure", "settled", "used")

    def __init__(self, used: list[Cell]) -> None:
        self.used = used
        self.settled = trio.Event()
        self.failure: BaseException | None = None


class Frame:
    """One data node being resolved.

    First `used` is gathered: the cells of its eager inputs. Then `candidates`, earlier evaluations of the same cells,
    are verified by what their bodies pulled, one after the other, from `place` on. At last `body` runs.
    """

    __slots__ = ("body", "candidates", "context", "node", "pending", "place", "revision", "started", "turned", "used")

    def __init__(self, node: PlanNode) -> None:
        self.node = node
        self.used: list[Cell] = []
        self.candidates: list[Evaluation] | None = None
        self.place = 0
        self.revision: object = None
        self.started = False
        self.turned = False
        self.body: Coroutine[Any, Any, Any] | None = None
        self.context: DataActivation | None = None
        self.pending: Pending | None = None


class Pull:
    """Yielded by a data node's body to the loop that runs it: evaluate this node for me."""

    __slots__ = ("node",)

    def __init__(self, node: PlanNode) -> None:
        self.node = node


def value_of(planned: PlanInput, cell: Cell) -> Any:
    """A cell's value as this input's type (D11)."""
    value = cell.value
    exact = planned.exact
    if planned.coercer is None or type(value) is exact or cell is planned.constant:
        return value
    try:
        return planned.coercer(value)
    except Mismatch as error:
        raise CoercionError(
            f"{planned.wire or planned.node}: {error}. Only int to float and declared converters are applied at a "
            "wire; put a conversion node between, or declare a converter in the registry."
        ) from None


def missing(node: PlanNode, planned: PlanInput) -> MissingInput:
    """D1: nothing supplies a value."""
    source = f"its source has not been written yet ({planned.wire})" if planned.wire else "nothing is wired to it"
    return MissingInput(
        f"Input {planned.socket.name!r} of node {node.id!r} ({node.type.id}) has no value: {source}, and it has "
        "neither a literal nor a default. Give it a literal, or make sure that the source runs first."
    )


def peek(activation: Activation, node: PlanNode, planned: PlanInput) -> Cell | None:
    """The input's current cell, if that can be told without evaluating anything; None if not. Raises `MissingInput`."""
    store = activation.strand.store
    source = planned.source
    if source is Source.SLOT:
        cell = store.cells[planned.slot] or planned.constant  # D2, D1
    elif source is Source.CONSTANT:
        cell = planned.constant
    else:
        evaluation = store.cells[planned.slot]
        if evaluation is None or evaluation.verified is not store.revision or planned.upstream.impure:
            return None
        cell = evaluation.outputs[planned.output] or planned.constant
        if cell is not None and activation.strand.run.watch is not None:
            activation.strand.run.tell(EvaluationReused, activation, planned.upstream.id, evaluation.key)
    if cell is None:
        raise missing(node, planned)
    return cast("Cell", cell)


async def resolve(activation: Activation, node: PlanNode, planned: PlanInput) -> Cell:
    """The input's current cell (D1-D3), after evaluating what is behind it."""
    cell = peek(activation, node, planned)
    if cell is None:
        evaluation = await demand(activation, planned.upstream)
        cell = evaluation.outputs[planned.output] or planned.constant
        if cell is None:
            raise missing(node, planned)
    return cell


@types.coroutine
def demand(activation: Activation, wanted: PlanNode) -> Generator[Any, Any, Evaluation]:  # noqa: C901
    """The evaluation of a data node that is current in the activation's strand (D4)."""
    run = activation.strand.run
    store = activation.strand.store
    if wanted.impure and activation.moment is None:
        activation.moment = Cell(None, run.next_serial(), f"@{activation.where}")
    stack: list[Frame] = []
    frame = Frame(wanted)
    thrown: BaseException | None = None
    answer: Any = None
    while True:
        finished: Evaluation | None = None
        try:
            if frame.body is None:
                upstream = _gather(activation, frame) or _verify(activation, frame)
                if upstream is not None:
                    stack.append(frame)
                    frame = Frame(upstream)
                    continue
                if frame.candidates:
                    finished = frame.candidates[0]
                    if run.watch is not None and not stack:
                        run.tell(EvaluationReused, activation, frame.node.id, finished.key)
                else:
                    hung = recall(youngest(frame.used, run.root_cell), frame.node.index, frame.used)
                    if type(hung) is Pending:  # D5
                        yield from hung.settled.wait()
                        if hung.failure is not None:
                            raise hung.failure
                        frame.candidates = None
                        continue
                    late = run.fuel < 1 or time.perf_counter() - run.last_turn > run.turn_after
                    if late and not frame.turned:  # T2
                        frame.turned = True
                        yield from run.pass_evaluation()
                        # Meanwhile another strand may have begun, or even ended, the same evaluation (D5).
                        frame.candidates = None
                        continue
                    run.evaluations += 1
                    run.fuel -= 1
                    answer = None
                    finished = _begin(activation, frame)
            if finished is None:
                assert frame.body is not None
                assert frame.context is not None
                frame.context.driving = True
                if thrown is None:
                    trap = frame.body.send(answer)
                else:
                    error, thrown = thrown, None
                    trap = frame.body.throw(error)
                frame.context.driving = False
                if type(trap) is Pull:
                    stack.append(frame)
                    frame = Frame(trap.node)
                    continue
                try:
                    answer = yield trap
                except BaseException as error:
                    thrown = error
                run.last_turn = time.perf_counter()
                continue
        except StopIteration as stop:
            try:
                finished = _complete(activation, frame, stop.value)
            except Exception as error:
                thrown = error
        except BaseException as error:
            thrown = error
        if finished is None:
            assert thrown is not None
            _fail(activation, frame, thrown)
            # A node that was gathering its inputs fails with them; one that was verifying an earlier evaluation
            # runs its body, which may ask otherwise; one whose body asked gets the failure.
            while stack:
                frame = stack.pop()
                if frame.body is not None:
                    break
                if frame.candidates is not None:
                    frame.candidates = []
                    thrown = None
                    break
            else:
                raise thrown
            continue
        finished.verified = frame.revision
        finished.moment = activation.moment if frame.node.impure else None
        store.cells[frame.node.slot] = finished
        if not stack:
            return finished
        frame = stack.pop()
        answer = finished  # for a body that pulled; a frame without a body finds it in the store


def _gather(activation: Activation, frame: Frame) -> PlanNode | None:
    """Collect the cells of the eager inputs, in order (D7); returns a node that must be evaluated first."""
    if frame.candidates is not None:
        return None
    store = activation.strand.store
    node = frame.node
    inputs = node.inputs
    used = frame.used
    place = len(used)
    while place < len(inputs):
        planned = inputs[place]
        cell: Cell | None
        if planned.socket.lazy:
            cell = _LAZY
        elif planned.source is Source.NODE:
            evaluation = store.cells[planned.slot]
            if not _is_current(activation, planned.upstream, evaluation):
                return planned.upstream
            cell = evaluation.outputs[planned.output] or planned.constant
        elif planned.source is Source.SLOT:
            cell = store.cells[planned.slot] or planned.constant
        else:
            cell = planned.constant
        if cell is None:
            raise missing(node, planned)
        used.append(cell)
        place += 1
    if node.type.volatile and (not used or used[-1] is not activation.moment):
        assert activation.moment is not None
        used.append(activation.moment)  # D6: one more input, which no other activation has
    frame.revision = store.revision
    last = store.cells[node.slot]
    hung = recall(youngest(used, activation.strand.run.root_cell), node.index, used)
    frame.candidates = [known for known in (last, hung) if type(known) is Evaluation and same_cells(known.used, used)]
    return None


def _is_current(activation: Activation, node: PlanNode, evaluation: Evaluation | None) -> bool:
    """Whether an evaluation was verified in this very state of the store (and for D6, in this activation)."""
    return (
        evaluation is not None
        and evaluation.verified is activation.strand.store.revision
        and (not node.impure or evaluation.moment is activation.moment)
    )


def _verify(activation: Activation, frame: Frame) -> PlanNode | None:
    """Drop candidates whose pulled inputs have changed; returns a node that must be evaluated to tell (D4)."""
    store = activation.strand.store
    candidates = frame.candidates
    while candidates:
        pulled = candidates[0].pulled
        while frame.place < len(pulled):
            source, cell = pulled[frame.place]
            current: Cell | None
            if isinstance(source, int):
                current = store.cells[source]
            elif source.source is Source.NODE:
                evaluation = store.cells[source.slot]
                if not _is_current(activation, source.upstream, evaluation):
                    return source.upstream
                current = evaluation.outputs[source.output] or source.constant
            else:
                current = (store.cells[source.slot] if source.source is Source.SLOT else None) or source.constant
            if current is not cell:
                break
            frame.place += 1
        else:
            return None
        frame.place = 0
        del candidates[0]
    return None


def _begin(activation: Activation, frame: Frame) -> Evaluation | None:
    """Start a body: a plain function is done at once, anything else becomes the frame's `body`."""
    run = activation.strand.run
    node = frame.node
    frame.started = True
    run.tell(EvaluationStarted, activation, node.id)
    make = run.bodies[node.index]
    if make is None:
        body = node.type.body
        assert isinstance(body, FunctionBody)
        try:
            result = body.function(*map(value_of, node.inputs, frame.used))
        except StopIteration as error:  # which the loop would take for the end of a body: fail as a coroutine does
            raise RuntimeError(f"data node {node.id!r} raised StopIteration") from error
        return _complete(activation, frame, result)
    frame.context = DataActivation(activation, frame)
    frame.pending = Pending(frame.used)
    remember(youngest(frame.used, run.root_cell), node.index, frame.pending)
    frame.body = make(frame.context)
    return None


def _complete(activation: Activation, frame: Frame, result: Any) -> Evaluation:
    """Make an evaluation of what a body returned, and hang it where others find it."""
    run = activation.strand.run
    node = frame.node
    context = frame.context
    pulled = context.pulled if context is not None else ()
    body = node.type.body
    values: Any
    if not isinstance(body, FunctionBody):
        assert context is not None
        values = context.outputs
    elif body.result == "fields":
        values = tuple(result)
    else:
        values = (result,)
    key = ""
    if run.watch is not None:
        origins = "\n".join([cell.origin for cell in frame.used] + [cell.origin for _, cell in pulled])
        key = f"{node.id}#{hashlib.sha256(origins.encode()).hexdigest()[:16]}"
        run.tell(EvaluationCompleted, activation, node.id, key)
    # As old as what it depends on, not as young as the evaluation: a value that was computed late from what never
    # changes must not pass for the youngest input of anything.
    age = max((cell.serial for cell in (*frame.used, *(cell for _, cell in pulled))), default=run.root_cell.serial)
    outputs = [None if value is UNSET else Cell(value, age, f"{key}.{place}") for place, value in enumerate(values)]
    evaluation = Evaluation(frame.used, pulled, outputs, key)
    remember(youngest(frame.used, run.root_cell), node.index, evaluation)
    if frame.pending is not None:
        frame.pending.settled.set()
    return evaluation


def _fail(activation: Activation, frame: Frame, error: BaseException) -> None:
    """Nothing is remembered of a failure; whoever waits gets it, or takes over if it was a cancellation (D5)."""
    run = activation.strand.run
    cancelled = is_cancellation(error)
    if not frame.started:
        if not cancelled:
            mark_origin(error, run, activation.where, frame.node.id, frame.node.type.id)
        return
    if frame.pending is not None:
        forget(youngest(frame.used, run.root_cell), frame.node.index, frame.pending)
        frame.pending.failure = None if cancelled else error
        frame.pending.settled.set()
    if cancelled:
        run.tell(EvaluationCancelled, activation, frame.node.id)
    else:
        mark_origin(error, run, activation.where, frame.node.id, frame.node.type.id)
        run.tell(EvaluationFailed, activation, frame.node.id, error)


_LAZY = Cell(None, -1, "lazy")
"""Stands for a lazy input among the cells of the eager ones."""


@types.coroutine
def _pull(node: PlanNode) -> Generator[Any, Any, Evaluation]:
    evaluation: Evaluation = yield Pull(node)
    return evaluation


class DataActivation(DataContext):
    """The context of one evaluation: what it used, what its body pulled, what it wrote."""

    __slots__ = ("_activation", "_frame", "_random", "driving", "outputs", "pulled")

    def __init__(self, activation: Activation, frame: Frame) -> None:
        self._activation = activation
        self._frame = frame
        self._random: random.Random | None = None
        self.driving = False
        self.outputs: list[Any] = [UNSET] * len(frame.node.type.outputs)
        self.pulled: list[tuple[PlanInput | int, Cell]] = []

    @property
    def plan(self) -> PlanNode:
        """The node, as planned."""
        return self._frame.node

    @property
    def used(self) -> list[Cell]:
        """The cells of the eager inputs."""
        return self._frame.used

    @property
    def run(self) -> RunState:
        """The run."""
        return self._activation.strand.run

    @property
    def line(self) -> Activation:
        """The activation that asked first."""
        return self._activation

    @property
    def node(self) -> GraphNode:
        return self._frame.node.graph_node

    @property
    def path(self) -> tuple[int, ...]:
        return self._activation.where.as_tuple()

    @property
    def services(self) -> Services:
        return self.run.services

    @property
    def random(self) -> random.Random:
        if self._random is None:
            node = self._frame.node
            # An evaluation that others may share must not depend on who asked first.
            path = str(self._activation.where) if node.impure else "shared"
            self._random = random.Random(f"{self.run.options.seed}/{path}/{node.id}")
        return self._random

    async def get_input(self, socket: Any) -> Any:
        node = self._frame.node
        place = input_place(node, socket)
        planned = node.inputs[place]
        if not planned.socket.lazy:
            await checkpoint_if_cancelled()
            return value_of(planned, self._frame.used[place])
        cell = peek(self._activation, node, planned)
        if cell is None:
            self.run.count_nurseries(self._activation, node.id)  # F8: the body may have opened one around this
            evaluation = await (_pull if self.driving else self._demand)(planned.upstream)
            cell = evaluation.outputs[planned.output] or planned.constant
            if cell is None:
                raise missing(node, planned)
        else:
            await checkpoint_if_cancelled()
        self.pulled.append((planned, cell))
        return value_of(planned, cell)

    async def _demand(self, node: PlanNode) -> Evaluation:
        return await demand(self._activation, node)

    async def try_get_input(self, socket: Any, default: Any = None) -> Any:
        try:
            return await self.get_input(socket)
        except MissingInput:
            return default

    def set_output(self, socket: Any, value: object) -> None:
        self.outputs[output_place(self._frame.node, socket)] = value

    def is_connected(self, socket: Any) -> bool:
        return is_connected(self._frame.node, socket)

    def get_variable(self, name: str) -> Any:
        slot = variable_slot(self.run, name)
        cell = self._activation.strand.store.cells[slot]
        self.pulled.append((slot, cell))  # D8: an input like any other
        return cell.value

    def __getattr__(self, name: str) -> Any:
        if name in {"trigger", "emit", "set_variable", "publish", "join", "branches", "state"}:
            raise DataNodeEffect(
                f"Data node {self._frame.node.id!r} called ctx.{name}: a data node only computes outputs from inputs. "
                "Give the node type an exec input to let it act."
            )
        raise AttributeError(name)


def input_place(node: PlanNode, socket: Any) -> int:
    """The number of a data input. Raises `UnknownSocket` (T4)."""
    place = node.type.input_index.get(socket)
    if place is None:
        raise unknown_socket(node, socket, "data input", [each.name for each in node.type.inputs])
    return place


def output_place(node: PlanNode, socket: Any) -> int:
    """The number of a data output. Raises `UnknownSocket` (T4)."""
    place = node.type.output_index.get(socket)
    if place is None:
        raise unknown_socket(node, socket, "data output", [each.name for each in node.type.outputs])
    return place


def is_connected(node: PlanNode, socket: Any) -> bool:
    """Whether a wire is attached to an exec output or a data input."""
    place = node.type.exec_output_index.get(socket)
    if place is not None:
        return bool(node.targets[place])
    return node.inputs[input_place(node, socket)].source is not Source.CONSTANT


def unknown_socket(node: PlanNode, socket: Any, kind: str, known: list[str]) -> UnknownSocket:
    """T4: the error that lists the declared sockets."""
    name = socket if isinstance(socket, str) else getattr(socket, "name", repr(socket))
    return UnknownSocket(
        f"Node {node.id!r} ({node.type.id}) has no {kind} {name!r}.{did_you_mean(name, known)} "
        f"It declares: {', '.join(known) or 'none'}."
    )


def variable_slot(run: RunState, name: str) -> int:
    """The slot of a variable. Raises `UnknownName`."""
    slot = run.plan.variable_index.get(name)
    if slot is None:
        known = list(run.plan.variable_index)
        raise UnknownName(
            f"There is no variable {name!r}.{did_you_mean(name, known)} "
            f"The graph declares: {', '.join(known) or 'none'}."
        )
    return slot


def arguments(
    node: PlanNode, context: DataContext, run: RunState, cells: list[Cell], pull: Callable[[str], Awaitable[Any]]
) -> list[Any]:
    """What the function of a function node is called with."""
    body = node.type.body
    assert isinstance(body, FunctionBody)
    values: list[Any] = []
    for parameter in body.parameters:
        if parameter.fill == "input":
            place = node.type.input_index[parameter.name]
            values.append(value_of(node.inputs[place], cells[place]))
        elif parameter.fill == "lazy":
            values.append(Lazy(partial(pull, parameter.name)))
        elif parameter.fill == "context":
            values.append(context)
        else:
            values.append(run.services.get(parameter.service))
    return values
