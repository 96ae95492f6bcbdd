"""Demands: pulling data through data nodes, lazily, never stale, never twice (D1-D6, D10).

`demand` is a generator that runs in the asking task: it keeps its own stack of nodes that wait for their inputs, so a
chain of any length needs no recursion, and hands trio's traps through. A body that asks for an input itself yields
`Pull` to it.
"""

from __future__ import annotations

import random
import time
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import DataNodeEffect, NodeError, UnknownName, UnknownSocket, did_you_mean
from trioflow.model.context import DataContext
from trioflow.model.node_type import FunctionBody, Lazy
from trioflow.model.sockets import UNSET
from trioflow.runtime.failure import closed, is_cancellation, mark_origin
from trioflow.runtime.ports import NOTHING, View, constant, missing, value_of
from trioflow.runtime.static import at_once, compute, evaluation_there, identity, keep, kept, note
from trioflow.runtime.task import HotTask, hot_task, left_open
from trioflow.semantics.events import (
    EvaluationCancelled,
    EvaluationFailed,
    EvaluationReused,
)
from trioflow.semantics.identity import Identity
from trioflow.semantics.memo import Evaluation, Known, recall, remember
from trioflow.semantics.plan import CONSTANT, NODE, PORT, SLOT, STATIC, PlanInput, PlanNode
from trioflow.semantics.store import LEFT_UNSET, Cell, new_cell

if TYPE_CHECKING:
    from trioflow.model.context import Services
    from trioflow.model.graph import GraphNode
    from trioflow.runtime.activation import Activation
    from trioflow.runtime.frame import GraphFrame
    from trioflow.runtime.ports import Caller
    from trioflow.runtime.state import RunState
    from trioflow.runtime.strand import Strand

    Asking: TypeAlias = Activation | View
    """Who asks for values: an activation in its own graph, or looking into another one."""


LAZY = new_cell(None, -1, "lazy")
"""Stands for a lazy input among the cells of the eager ones."""

_FAILED = new_cell(None, -1, "failed")
"""Stands for the cell of an input whose source failed while a body asked for it."""


class Pending:
    """An evaluation in progress: others with the same eager inputs wait for `settled` (D5)."""

    __slots__ = ("failed", "settled")

    def __init__(self) -> None:
        self.settled = trio.Event()
        self.failed: Failed | None = None


class Failed:
    """An evaluation that failed, as those that waited for it look at it: what its body asked for, from `place` on."""

    __slots__ = ("_place", "_pulled", "error")

    def __init__(self, pulled: Sequence[tuple[PlanInput | int, Cell]], place: int, error: BaseException) -> None:
        self._pulled = pulled
        self._place = place
        self.error = error

    @property
    def asks(self) -> PlanInput | int | None:
        """What it asked for next; None if it failed then."""
        return self._pulled[self._place][0] if self._place < len(self._pulled) else None

    def answered(self, cell: Cell) -> Failed | None:
        """Go on, if it got this cell."""
        return Failed(self._pulled, self._place + 1, self.error) if self._pulled[self._place][1] is cell else None


class Frame:
    """One data node being resolved.

    First `used` is gathered: the cells of its eager inputs. Then the store is asked what earlier bodies that had the
    same asked for, until an evaluation is `known` to be current, or nothing is. At last `body` runs: while it is
    `driving`, directly under the loop, and not in a task of its own.
    """

    __slots__ = (
        "activation", "arrived", "began", "body", "context", "doubted", "driving", "fleeting", "gathered", "known",
        "moment",
        "node", "pending", "revision", "scopes", "started", "tried", "turned", "used",
    )  # fmt: skip

    def __init__(self, activation: Asking, node: PlanNode) -> None:
        self.activation = activation
        # The moment for which it is resolved, if that makes a difference (D6).
        self.moment = activation.moment if node.impure else None
        self.node = node
        self.used: list[Cell] = []
        self.gathered = False
        # What was demanded for this frame, until it is looked at.
        self.arrived: Evaluation | None = None
        # Whether it depends on what saw a failure, which is good for one demand only (D5).
        self.fleeting = False
        self.known: Known | Failed | None = None
        # Whether `known` is, or was, a failure of somebody else (D5).
        self.doubted = False
        # What comes of it holds as long as nothing has been written since now.
        self.revision = activation.strand.store.revision
        self.started = False
        # When its body was begun, if somebody watched.
        self.began: float | None = None
        # The cancel scopes that its body was begun in.
        self.scopes: Any = None
        self.driving: bool  # as soon as there is a body
        # Whether `compute` has been tried.
        self.tried = False
        self.turned = False
        self.body: Coroutine[Any, Any, Any] | None = None
        self.context: DataActivation | None = None
        self.pending: Pending | None = None


class Pull:
    """Yielded by a data node's body to the loop that runs it: evaluate this node for me, in this graph."""

    __slots__ = ("activation", "node")

    def __init__(self, activation: Asking, node: PlanNode) -> None:
        self.activation = activation
        self.node = node


def look(activation: Asking, planned: PlanInput) -> Cell | None:
    """The input's current cell, `NOTHING` if nothing supplies one; None if that can't be told without evaluating."""
    strand = activation.strand
    store = strand.store
    source = planned.source
    if source is SLOT:
        cells = store.cells
        return cast("Cell", cells[planned.slot] or planned.constant or cells[planned.own] or NOTHING)  # D2, D1
    watch = strand.run.data_watch
    if source is STATIC and watch is None:
        found: Cell | None = store.cells[planned.slot]
        return found if found is not LEFT_UNSET else constant(store, planned)
    if source is CONSTANT:
        return planned.constant or NOTHING
    if source is PORT:
        there = port(activation, planned)
        return None if isinstance(there, Pull) else there
    evaluation: Evaluation | None
    if source is STATIC:
        evaluation = store.evaluations.get(planned.upstream.slot)
        if evaluation is None or (cell := evaluation.outputs[planned.output]) is None:
            return None
        if cell is not store.cells[planned.slot]:
            return None
    else:
        evaluation = store.cells[planned.slot]
        if evaluation is None or evaluation.verified is not store.revision or planned.upstream.impure:
            return None
    if watch is not None:
        strand.run.tell(EvaluationReused, activation, planned.upstream.id, evaluation.key)
    return evaluation.outputs[planned.output] or constant(store, planned)


async def evaluate(activation: Asking, planned: PlanInput) -> Cell:
    """The input's current cell, where `look` could not tell; `NOTHING` if nothing supplies one (D3)."""
    if planned.source is PORT:
        found = port(activation, planned)
        while isinstance(found, Pull):
            found = port(activation, planned, await demand(found.activation, found.node))
        return found
    run = activation.strand.run
    store = activation.strand.store
    cells = store.cells
    if planned.source is STATIC and run.schedule is None and cells[planned.slot] is None:
        cell: Cell | None = None
        if run.data_watch is None and time.perf_counter() < run.turn_due:
            cell = at_once(activation, planned)
        if cell is not None:
            return cell
        if await compute(activation, planned.upstream, asked=True):
            cell = cast("Cell", cells[planned.slot])
            return cell if cell is not LEFT_UNSET else constant(store, planned)
    evaluation = await demand(activation, planned.upstream)
    return evaluation.outputs[planned.output] or constant(store, planned)


async def find(activation: Asking, planned: PlanInput) -> Cell:
    """The input's current cell, after evaluating what is behind it; `NOTHING` if nothing supplies one (D1-D3)."""
    cell = look(activation, planned)
    return await evaluate(activation, planned) if cell is None else cell


async def resolve(activation: Asking, node: PlanNode, planned: PlanInput) -> Cell:
    """The input's current cell (D7). Raises `MissingInput`."""
    cell = await find(activation, planned)
    if cell is NOTHING:
        raise missing(node, planned)
    return cell


async def kept_inputs(activation: Activation, node: PlanNode) -> list[Cell]:
    """The cells of the eager inputs (D7), resolved once for all attempts of an activation (A5)."""
    rarely = activation.rarely
    if not rarely.kept:
        found = [LAZY if planned.socket.lazy else await resolve(activation, node, planned) for planned in node.inputs]
        if rarely.kept is None:
            rarely.kept = found
        elif not rarely.kept:  # else concurrent attempts have resolved them, and one of them was the first
            rarely.kept += found  # one list for all attempts
    return rarely.kept


def port(activation: Asking, planned: PlanInput, arrived: Evaluation | None = None) -> Cell | Pull:
    """The current cell of what comes in at an input of the graph, or what must be evaluated first to tell it (C4).

    `arrived` is what came of the evaluation that was said to be needed before.
    Graphs may pass an input on to graphs that they call, through any number of them, so this goes outwards in a loop.
    """
    passed: list[tuple[Caller, int, PlanInput]] = []
    otherwise = constant(activation.strand.store, planned)
    cell: Cell | None = None
    while planned.source is PORT and cell is None:
        caller, place = activation.strand.caller, planned.output
        if caller is None:
            cell = activation.strand.run.defaults[place] or NOTHING
            break
        cell = caller.cells.get(place)
        if cell is None:
            planned = caller.node.inputs[place]
            passed.append((caller, place, planned))
            activation = View(activation, caller.strand)
    if cell is None:
        cell = look(activation, planned)
    if cell is None:
        evaluation: Any = arrived or (None if planned.source is STATIC else activation.strand.store.cells[planned.slot])
        if arrived is None and not _is_current(activation, planned.upstream, evaluation):
            return Pull(activation, planned.upstream)
        cell = cast("Cell", evaluation.outputs[planned.output] or constant(activation.strand.store, planned))
    for caller, place, outside in reversed(passed):
        cell = caller.take_in(place, outside, constant(caller.strand.store, outside) if cell is NOTHING else cell)
    return otherwise if cell is NOTHING else cell


@types.coroutine
def demand(activation: Asking, wanted: PlanNode) -> Generator[Any, Any, Evaluation]:  # noqa: C901
    """The evaluation of a data node that is current in the activation's strand (D4)."""
    run = activation.strand.run
    stack: list[Frame] = []
    frame = Frame(activation, wanted)
    task = hot_task()
    thrown: BaseException | None = None
    answer: Any = None
    while True:
        finished: Evaluation | None = None
        activation = frame.activation
        try:
            if frame.body is None:
                if frame.node.static and not frame.tried and run.schedule is None:
                    frame.tried = True
                    if activation.strand.store.cells[frame.node.slot] is None and (
                        yield from cast("Any", compute(activation, frame.node, asked=not stack))
                    ):
                        finished = evaluation_there(activation.strand.store, frame.node)
                upstream = None if finished is not None else _gather(activation, frame) or _verify(activation, frame)
                if upstream is not None:
                    stack.append(frame)
                    frame = Frame(upstream.activation, upstream.node)
                    continue
                if finished is not None:
                    pass
                elif type(frame.known) is Evaluation:
                    finished = frame.known
                    if run.data_watch is not None and not stack:
                        run.tell(EvaluationReused, activation, frame.node.id, finished.key)
                elif frame.doubted:
                    # The failure was not ours. To find out may have taken long: look again at what there is (D4, D5).
                    frame.doubted = frame.gathered = False
                    continue
                else:
                    hung = run.in_progress.get(_key(frame)) if run.in_progress else None
                    if hung is not None:  # D5
                        yield from cast("Any", hung.settled.wait())
                        frame.turned = run.schedule is not None
                        if frame.turned:
                            yield from cast("Any", run.turn_of("e", activation, frame.node))
                        frame.known = hung.failed
                        frame.gathered = frame.doubted = frame.known is not None
                        continue
                    late = run.fuel < 1 or time.perf_counter() > run.turn_due
                    if late and not frame.turned:  # T2
                        frame.turned = True
                        yield from cast("Any", run.pass_evaluation(activation, frame.node))
                        # Meanwhile another strand may have begun, or even ended, the same evaluation (D5).
                        frame.gathered = False
                        continue
                    run.evaluations += 1
                    run.fuel -= 1
                    answer = None
                    frame.scopes = task._cancel_status
                    finished = _begin(activation, frame)
            if finished is None:
                assert frame.body is not None
                frame.driving = True
                if thrown is None:
                    trap = frame.body.send(answer)
                else:
                    error, thrown = thrown, None
                    trap = frame.body.throw(error)
                frame.driving = False
                if type(trap) is Pull:
                    stack.append(frame)
                    frame = Frame(trap.activation, trap.node)
                    continue
                try:
                    answer = yield trap
                except BaseException as error:
                    thrown = error
                run.turn_due = time.perf_counter() + run.turn_after
                continue
        except StopIteration as stop:
            try:
                if task._cancel_status is not frame.scopes:
                    raise (yield from _left_open(task, frame).__await__())
                finished = _complete(activation, frame, stop.value)
            except BaseException as error:
                thrown = error
        except BaseException as error:
            thrown = error
            if frame.started and frame.body is not None and task._cancel_status is not frame.scopes:
                thrown.add_note(str((yield from _left_open(task, frame).__await__())))
        if finished is None:
            assert thrown is not None
            _fail(frame.activation, frame, thrown)
            # A node that was gathering its inputs fails with them; one that was verifying an earlier evaluation
            # runs its body, which may ask otherwise; one whose body asked gets the failure.
            while stack:
                frame = stack.pop()
                if frame.body is not None:
                    break
                if frame.gathered and not is_cancellation(thrown):
                    frame.known = None
                    thrown = None
                    break
            else:
                raise thrown
            continue
        finished.verified = None if frame.fleeting else frame.revision  # D5
        finished.moment = frame.moment
        if frame.node.static:
            _keep(activation, frame, finished)
        else:
            activation.strand.store.cells[frame.node.slot] = finished
        if not stack:
            return finished
        frame = stack.pop()
        answer = frame.arrived = finished  # for a body that pulled, or for a frame that has none yet
        frame.fleeting |= finished.verified is None


def _keep(activation: Asking, frame: Frame, evaluation: Evaluation) -> None:
    """Let the store keep the outputs of a static node, if they follow from what is in the store now."""
    store = activation.strand.store
    node = frame.node
    if activation.strand.run.data_watch is not None:
        note(store, node, evaluation)
    if evaluation.verified is not store.revision:
        return
    graph = activation.strand.frame
    if graph.bodies[node.index] is not None:  # a middleware is for it, and may have asked for more than the inputs
        known = recall(graph.root_cell, graph.base + node.index, frame.used)
        if type(known) is not Evaluation:
            return
    keep(store, node, evaluation)


def _gather(activation: Asking, frame: Frame) -> Pull | None:  # noqa: C901 - a hot path
    """Collect the cells of the eager inputs, in order (D7); returns what must be evaluated first."""
    if frame.gathered:
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
            cell = LAZY
        elif planned.source is NODE:
            evaluation = frame.arrived or store.cells[planned.slot]
            if frame.arrived is None and not _is_current(activation, planned.upstream, evaluation):
                return Pull(activation, planned.upstream)
            frame.arrived = None
            cell = evaluation.outputs[planned.output] or planned.constant or store.cells[planned.own]
        elif planned.source is STATIC:
            cell = _arrived(frame, planned) if frame.arrived else kept(activation, planned)
            if cell is None:
                return Pull(activation, planned.upstream)
            cell = None if cell is NOTHING else cell
        elif planned.source is SLOT:
            cell = store.cells[planned.slot] or planned.constant or store.cells[planned.own]
        elif planned.source is PORT:
            found = port(activation, planned, frame.arrived)
            frame.arrived = None
            if isinstance(found, Pull):
                return found
            cell = None if found is NOTHING else found
        else:
            cell = planned.constant
        if cell is None:
            raise missing(node, planned)
        used.append(cell)
        place += 1
    if node.volatile and (not used or used[-1] is not frame.moment):
        assert frame.moment is not None
        used.append(frame.moment)  # D6: one more input, which no other activation has
    graph = activation.strand.frame
    frame.known = recall(graph.root_cell, graph.base + node.index, used)
    if frame.known is None and node.static:
        frame.known = evaluation_there(store, node)
    frame.gathered = True
    return None


def _is_current(activation: Asking, node: PlanNode, evaluation: Evaluation | None) -> bool:
    """Whether an evaluation was verified in this very state of the store (and for D6, in this activation)."""
    return (
        evaluation is not None
        and evaluation.verified is activation.strand.store.revision
        and (not node.impure or evaluation.moment is activation.moment)
    )


def _arrived(frame: Frame, planned: PlanInput) -> Cell:
    """The cell of an input whose source has just been evaluated; `NOTHING` if it was left unset."""
    assert frame.arrived is not None
    cell = frame.arrived.outputs[planned.output]
    frame.arrived = None
    return cell or constant(frame.activation.strand.store, planned)


def _verify(activation: Asking, frame: Frame) -> Pull | None:
    """Ask for what earlier bodies asked for, in their order; returns what must be evaluated to tell (D4)."""
    store = activation.strand.store
    known = frame.known
    while known is not None and not isinstance(known, Evaluation):
        asks = known.asks
        current: Cell | None
        if asks is None:
            assert type(known) is Failed
            raise known.error
        if isinstance(asks, int):
            current = store.cells[asks]
        elif asks.source is STATIC:
            current = _arrived(frame, asks) if frame.arrived else kept(activation, asks)
            if current is None:
                frame.known = known
                return Pull(activation, asks.upstream)
        elif asks.source is NODE:
            evaluation = frame.arrived or store.cells[asks.slot]
            if frame.arrived is None and not _is_current(activation, asks.upstream, evaluation):
                frame.known = known
                return Pull(activation, asks.upstream)
            frame.arrived = None
            current = evaluation.outputs[asks.output] or constant(store, asks)
        elif asks.source is PORT:
            found = port(activation, asks, frame.arrived)
            frame.arrived = None
            if isinstance(found, Pull):
                frame.known = known
                return found
            current = found
        else:
            current = (store.cells[asks.slot] if asks.source is SLOT else None) or constant(store, asks)
        known = known.answered(current or NOTHING)
    frame.known = known
    return None


def _key(frame: Frame) -> tuple[int, ...]:
    """What evaluations in progress are found by: their node and the cells of its eager inputs."""
    return (frame.activation.strand.frame.base + frame.node.index, *map(id, frame.used))


def _begin(activation: Asking, frame: Frame) -> Evaluation | None:
    """Start a body: a plain function is done at once, anything else becomes the frame's `body`."""
    run = activation.strand.run
    node = frame.node
    frame.started = True
    if run.data_watch is not None:
        frame.began = run.data_watch.evaluating(activation, node.id)
    make = activation.strand.frame.bodies[node.index]
    if make is None:
        body = node.type.body
        assert isinstance(body, FunctionBody)
        try:
            result = body.function(*map(value_of, node.inputs, frame.used))
        except StopIteration as error:  # which the loop would take for the end of a body: fail as a coroutine does
            raise RuntimeError(f"data node {node.id!r} raised StopIteration") from error
        return _complete(activation, frame, result)
    frame.context = DataActivation(activation, frame)
    frame.driving = False
    frame.pending = run.in_progress[_key(frame)] = Pending()
    frame.body = make(frame.context)
    return None


def _complete(activation: Asking, frame: Frame, result: Any) -> Evaluation:
    """Make an evaluation of what a body returned, and hang it where others find it."""
    run = activation.strand.run
    graph = activation.strand.frame
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
    made = [*zip(node.type.outputs, values, strict=True)]
    key: Identity | None = None
    if run.data_watch is not None:
        key = identity(graph.prefix + node.id, node, frame.used, pulled)
        run.data_watch.evaluated(activation, node, key, frame.began, values)
    saw_failure = context is not None and context.saw_failure
    # As old as what it depends on, not as young as the evaluation: a value that was computed late from what never
    # changes must not pass for the youngest input of anything.
    age = (
        run.next_serial()
        if saw_failure
        else max((cell.serial for cell in (*frame.used, *(cell for _, cell in pulled))), default=graph.root_cell.serial)
    )
    outputs = [
        None
        if value is UNSET
        else value  # C2: a graph gives the cells that it got
        if type(value) is Cell
        else new_cell(value, age, "?" if key is None else (key, output.name))
        for output, value in made
    ]
    evaluation = Evaluation(frame.used, outputs, key)
    if saw_failure:
        caller = activation.strand.caller
        if caller is not None and caller.context is not None:
            caller.context.note_failure()  # nor is that of the graph, which depends on this
    else:
        remember(graph.root_cell, graph.base + node.index, evaluation, pulled)
    if frame.pending is not None:
        del run.in_progress[_key(frame)]
        frame.pending.settled.set()
    if context is not None:
        context.close()
    return evaluation


def _fail(activation: Asking, frame: Frame, error: BaseException) -> None:
    """Nothing is remembered of a failure; whoever waits gets it, or takes over if it was a cancellation (D5)."""
    run = activation.strand.run
    cancelled = is_cancellation(error)
    if not frame.started:
        if not cancelled:
            mark_origin(error, run, activation.where, frame.node.id, frame.node.type.id)
        return
    if frame.pending is not None:
        del run.in_progress[_key(frame)]
        if not cancelled:
            assert frame.context is not None
            frame.pending.failed = Failed(frame.context.pulled, 0, error)
        frame.pending.settled.set()
    if frame.context is not None:
        frame.context.close()
    duration = run.lasted(frame.began)
    if cancelled:
        run.tell(EvaluationCancelled, activation, frame.node.id, duration)
    else:
        mark_origin(error, run, activation.where, frame.node.id, frame.node.type.id)
        run.tell(EvaluationFailed, activation, frame.node.id, error, duration)


async def _left_open(task: HotTask, frame: Frame) -> NodeError:
    """The error that a body has left scopes open, which are closed."""
    return await left_open(task, frame.scopes, f"Data node {frame.node.id!r} ({frame.node.type.id})")


@types.coroutine
def _pull(activation: Asking, node: PlanNode) -> Generator[Any, Any, Evaluation]:
    evaluation: Evaluation = yield Pull(activation, node)
    return evaluation


class DataActivation(DataContext):
    """The context of one evaluation: what it used, what its body pulled, what it wrote.

    Once it has closed it has no `_activation` any more, so that everything that could look or write raises `NodeError`.
    """

    __slots__ = (
        "_activation", "_asked_by", "_attempt", "_frame", "_in_vain", "_random", "outputs", "pulled", "saw_failure",
    )  # fmt: skip

    def __init__(self, activation: Asking, frame: Frame, attempt: int = 1) -> None:
        self._attempt = attempt
        self._activation = self._asked_by = activation
        self._frame = frame
        self._random: random.Random | None = None
        # What bodies asked for that have failed inside of middlewares.
        self._in_vain: list[tuple[PlanInput | int, Cell]] | None = None
        self.outputs: list[Any] = [UNSET] * len(frame.node.type.outputs)
        self.pulled: list[tuple[PlanInput | int, Cell]] = []
        # Whether a source failed while the body asked for it: then its evaluation is not remembered (D5).
        self.saw_failure = False

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
    def line(self) -> Asking:
        """The activation that asked first."""
        return self._activation

    @property
    def strand(self) -> Strand:
        """The strand in which this is evaluated."""
        return self._activation.strand

    @property
    def node(self) -> GraphNode:
        return self._frame.node.graph_node

    @property
    def path(self) -> tuple[int, ...]:
        return self._asked_by.where.as_tuple()

    @property
    def services(self) -> Services:
        return self.run.services

    def close(self) -> None:
        """The evaluation, or this attempt of it, has ended."""
        with suppress(AttributeError):  # it has ended before
            del self._activation

    def attempt(self) -> DataActivation:
        """The context of another attempt (A2)."""
        frame = self._frame
        activation = self._activation
        (activation.asker if isinstance(activation, View) else activation).come_back()
        assert frame.context is not None
        again = frame.context = DataActivation(activation, frame, frame.context._attempt + 1)
        again.pulled = self.pulled
        if self._in_vain is None:
            self._in_vain = []
        again._in_vain = self._in_vain
        return again

    def for_body(self) -> DataActivation:
        """The context of a body with middlewares around it, which have this one: who asked for what makes a difference.

        What comes of a body depends on what that asked for, and on what middlewares did, but not on what others asked
        for in vain, at moments that are over (D6).
        """
        context = self._frame.context = DataActivation(self._activation, self._frame, self._attempt)
        return context

    def asked_in_vain(self, context: DataActivation) -> None:
        """The body with this context has failed."""
        if self._in_vain is None:
            self._in_vain = []
        self._in_vain += context.pulled
        if context.saw_failure:
            self._in_vain.append((0, _FAILED))  # it may be that of a graph that it calls

    def concludes(self, body: DataActivation | None) -> None:
        """This body is what comes of the evaluation; or if none is, what a middleware says, who may have seen all."""
        if body is not None:
            body.pulled[:0] = self.pulled
        else:
            self.pulled += self._in_vain or ()
            self.saw_failure |= any(cell is _FAILED for _, cell in self.pulled)
        self._frame.context = body or self
        self.close()

    @property
    def random_key(self) -> str:
        """What its random numbers are made of (R6)."""
        node = self._frame.node
        # An evaluation that others may share must not depend on who asked first.
        moment = self._frame.moment
        path = "shared" if moment is None else moment.origin.removeprefix("@")
        again = f"~{self._attempt}" if self._attempt > 1 else ""
        return f"{self.run.options.seed}/{path}/{self.strand.frame.prefix}{node.id}{again}"

    @property
    def random(self) -> random.Random:
        key = self.random_key
        if self._random is None:
            self._random = random.Random(key)
        return self._random

    async def get_input(self, socket: Any) -> Any:
        planned, cell = await self._cell_of(socket)
        if cell is NOTHING:
            raise missing(self._frame.node, planned)
        return value_of(planned, cell)

    async def try_get_input(self, socket: Any, default: Any = None) -> Any:
        planned, cell = await self._cell_of(socket)
        return default if cell is NOTHING else value_of(planned, cell)

    async def _cell_of(self, socket: Any) -> tuple[PlanInput, Cell]:
        self._activation  # noqa: B018 - raises if it has closed
        node = self._frame.node
        place = input_place(node, socket)
        planned = node.inputs[place]
        if planned.socket.lazy:
            return planned, await self._find(planned)
        await checkpoint_if_cancelled()
        return planned, self._frame.used[place]

    async def _find(self, planned: PlanInput) -> Cell:
        """The current cell of a lazy input, which becomes part of what this evaluation depends on."""
        cell = look(self._activation, planned)
        if cell is not None:
            await checkpoint_if_cancelled()
        else:
            self.run.count_nurseries(self._activation, self._frame.node.id)  # F8: the body may have opened one
            try:
                cell = await self.fetch(self._activation, planned)
            except Exception:
                self.pulled.append((planned, _FAILED))
                self.note_failure()
                raise
        self.pulled.append((planned, cell))
        return cell

    def note_failure(self) -> None:
        """A source has failed, and the body saw it: what comes of this evaluation is good for one demand only (D5)."""
        self.saw_failure = self._frame.fleeting = True

    async def fetch(self, activation: Asking, planned: PlanInput) -> Cell:
        """The current cell of an input in this graph or one that it calls, evaluated by the loop that runs the body."""
        ask = _pull if self._frame.driving else demand
        if planned.source is not PORT:
            evaluation = await ask(activation, planned.upstream)
            return evaluation.outputs[planned.output] or constant(activation.strand.store, planned)
        found = port(activation, planned)
        while isinstance(found, Pull):
            found = port(activation, planned, await ask(found.activation, found.node))
        return found

    def set_output(self, socket: Any, value: object) -> None:
        self._activation  # noqa: B018 - as above
        self.outputs[output_place(self._frame.node, socket)] = value

    def is_connected(self, socket: Any) -> bool:
        self._activation  # noqa: B018 - as above
        return is_connected(self._frame.node, socket)

    def get_variable(self, name: str) -> Any:
        slot = variable_slot(self.strand.frame, name)
        cell = self._activation.strand.store.cells[slot]
        self.pulled.append((slot, cell))  # D8: an input like any other
        return cell.value

    def __getattr__(self, name: str) -> Any:
        if name == "_activation":
            raise closed(self._frame.node.id, self._asked_by.where, "evaluation")
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
    return node.inputs[input_place(node, socket)].connection is not None


def unknown_socket(node: PlanNode, socket: Any, kind: str, known: list[str]) -> UnknownSocket:
    """T4: the error that lists the declared sockets."""
    name = socket if isinstance(socket, str) else getattr(socket, "name", repr(socket))
    return UnknownSocket(
        f"Node {node.id!r} ({node.type.id}) has no {kind} {name!r}.{did_you_mean(name, known)} "
        f"It declares: {', '.join(known) or 'none'}."
    )


def variable_slot(frame: GraphFrame, name: str) -> int:
    """The slot of a variable. Raises `UnknownName`."""
    slot = frame.plan.variable_index.get(name)
    if slot is None:
        known = list(frame.plan.variable_index)
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
