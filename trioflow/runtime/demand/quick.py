"""The quick way through data nodes that end as soon as they begin (D4, D5, D7).

Most data nodes behind others are functions: plain ones, ones that only pick an input, async ones that happen not to
wait. `quickly` resolves these in one go, while nobody watches and no schedule is controlled. As soon as something is
unusual it hands over to `demand` exactly what there is then, so that nothing is begun twice: whatever has to wait, be
shared, be told, be begun ahead or fail is done there, and only there.
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Generator, Sequence
from time import perf_counter
from typing import Any, cast

from trioflow.model.sockets import UNSET
from trioflow.model.unfinished import Unfinished
from trioflow.runtime.base.cells import LAZY
from trioflow.runtime.base.inputs import value_of
from trioflow.runtime.base.pending import Pending
from trioflow.runtime.base.records import Asking
from trioflow.runtime.base.task import hot_task
from trioflow.runtime.base.turns import pass_evaluation
from trioflow.runtime.demand.context import GATHERING, RUNNING, VERIFYING, EvaluationContext, Resolving
from trioflow.runtime.demand.evaluation import as_body, share
from trioflow.runtime.demand.lazy import LazyInput, Returned
from trioflow.runtime.demand.static import at_once, compute
from trioflow.semantics.memo import Evaluation, hang, recall, remember
from trioflow.semantics.plan import NODE, STATIC, PlanInput, PlanNode
from trioflow.semantics.store import LEFT_UNSET, Cell, Store, new_cell

_NOBODY: Any = None
"""Whose lazy inputs a function gets that can only return them: no evaluation's."""


class _Frame:
    """A node on its way: what it waits for is evaluated first."""

    __slots__ = ("holder", "known", "node", "pending", "phase", "picked", "used")

    def __init__(self, node: PlanNode, root: Cell) -> None:
        self.node = node
        # As those of `Resolving`.
        self.phase = GATHERING
        self.used: list[Cell] = []
        self.holder = root
        self.known: Any = None
        # The input that its function has returned.
        self.picked: PlanInput | None = None
        self.pending: Pending | None = None


class HandedOver:
    """What `demand` has to go on with: a node, and those that wait for it."""

    __slots__ = ("error", "resolving", "stack")

    def __init__(
        self,
        activation: Asking,
        stack: Sequence[_Frame],
        frame: _Frame,
        error: BaseException | None = None,
        scopes: Any = None,
    ) -> None:
        # In which all bodies were begun; the last may have entered others since.
        scopes = scopes or hot_task()._cancel_status
        self.stack = [_resolving(activation, each, scopes) for each in stack]
        self.resolving = _resolving(activation, frame, scopes)
        # With which it has failed, or was cancelled, before its body began.
        self.error = error


class _Begun:
    """A body that has been begun: it has ended, or waits for the first time."""

    __slots__ = ("_body", "_error", "_trap", "_value")

    def __init__(
        self, body: Any = None, trap: Any = None, value: Any = None, error: BaseException | None = None
    ) -> None:
        self._body = body
        self._trap = trap
        self._value = value
        self._error = error

    def send(self, answer: Any) -> Any:
        """What it waits for, or how it has ended."""
        if self._error is not None:
            raise self._error
        if self._body is None:
            raise StopIteration(self._value)
        if self._trap is not None:
            trap, self._trap = self._trap, None
            return trap
        return self._body.send(answer)

    def throw(self, error: BaseException) -> Any:
        """It is cancelled, or what it waits for fails."""
        return self._body.throw(error)

    def close(self) -> None:
        """It is given up."""
        if self._body is not None:
            self._body.close()


@types.coroutine
def quickly(  # noqa: C901 - a hot path
    activation: Asking, wanted: PlanNode
) -> Generator[Any, Any, Evaluation | HandedOver]:
    """The current evaluation of a data node, or what is left to do for it.

    To be called while nobody watches data, and under no controlled schedule.
    """
    strand = activation.strand
    run = strand.run
    store = strand.store
    cells = store.cells
    revision = store.revision
    graph = strand.frame
    root = graph.root_cell
    base = graph.base
    bodies = graph.bodies
    waiting: list[_Frame] = []
    # So many of these, from the first on, others find in progress.
    shared = 0
    frame = _Frame(wanted, root)
    while True:
        node = frame.node
        used = frame.used
        need: PlanInput | None = None
        evaluation: Evaluation | None = None
        picked = frame.picked
        cell: Cell | None
        value: Any = None
        if frame.phase == GATHERING:
            for planned in node.inputs[len(used) :]:
                if planned.lazy:
                    used.append(LAZY)
                    continue
                cell = _there(store, planned)
                if cell is None:
                    need = planned
                    break
                used.append(cell)
                if cell.serial > frame.holder.serial:
                    frame.holder = cell
            else:
                frame.phase = VERIFYING
                holder = frame.holder
                frame.known = None if holder.memo is None else recall(holder, base + node.index, used)
        if frame.phase == VERIFYING and need is None:
            known = frame.known
            while known is not None and type(known) is not Evaluation:
                asks = cast("PlanInput", known.asks)  # whoever has no context asks for no variable
                cell = _there(store, asks)
                if cell is None:
                    need = asks
                    break
                known = known.answered(cell)
            frame.known = known
            if need is None:
                evaluation = known
        if evaluation is None and need is None:
            if picked is None:
                if run.fuel < 1 or perf_counter() > run.turn_due:  # T2
                    for each in waiting[shared:]:
                        if each.phase == RUNNING:
                            each.pending = run.in_progress[_key(base, each)] = Pending()
                    shared = len(waiting)
                    try:
                        yield from pass_evaluation(run, activation, node).__await__()
                    except BaseException as error:
                        return HandedOver(activation, waiting, frame, error)
                    # Meanwhile a task of the same body may have written, and somebody may have begun to watch.
                    if store.revision is not revision or run.data_watch is not None:
                        return HandedOver(activation, waiting, frame)
                unusual = bodies[node.index] is not None
                if not unusual and (run.in_progress or run.ahead):
                    key = _key(base, frame)
                    unusual = key in run.in_progress or key in run.ahead  # D5, D12
                if unusual:
                    return HandedOver(activation, waiting, frame)
                run.evaluations += 1
                run.fuel -= 1
                frame.phase = RUNNING
                try:
                    if node.picks:
                        value = node.function(
                            *[
                                LazyInput(_NOBODY, planned) if planned.lazy else value_of(planned, cell)
                                for planned, cell in zip(node.inputs, used, strict=False)
                            ]
                        )
                        if type(value) is LazyInput and value.context is _NOBODY:
                            picked = frame.picked = value.planned
                    else:
                        value = node.function(*map(value_of, node.inputs, used))
                except Unfinished as unfinished:
                    return _left(activation, waiting, frame, unfinished.rest())
                except StopIteration as error:  # as it is where a coroutine raises it
                    failure = RuntimeError(f"data node {node.id!r} raised StopIteration")
                    failure.__cause__ = error
                    return _left(activation, waiting, frame, _Begun(error=failure))
                except BaseException as error:
                    return _left(activation, waiting, frame, _Begun(error=error))
                if node.awaits_itself:
                    ended = _driven(activation, waiting, frame, cast("Any", value))
                    if type(ended) is HandedOver:
                        return ended
                    value = ended
            if picked is not None:
                cell = _there(store, picked)
                if cell is None:
                    need = picked
                else:
                    try:
                        value = value_of(picked, cell)
                    except Exception:
                        return HandedOver(activation, waiting, frame)  # where it is found again, and told
                    evaluation = _made(node, used, frame.holder, value, cell)
                    remember(frame.holder, base + node.index, evaluation, ((picked, cell),))
            else:
                evaluation = _made(node, used, frame.holder, value, None)
                hang(frame.holder, base + node.index, evaluation)
        if evaluation is None:
            assert need is not None
            if need.source is STATIC:
                try:
                    if _computed(activation, need):
                        continue
                except BaseException as error:
                    return HandedOver(activation, [*waiting, frame], _Frame(need.upstream, root), error)
            if (
                (need.source is not NODE and need.source is not STATIC)
                or (need.source is NODE and _is_unset(store, need))
                or (node.ahead and frame.phase == GATHERING and run.options.max_ahead)
            ):
                return HandedOver(activation, waiting, frame)
            waiting.append(frame)
            frame = _Frame(need.upstream, root)
            if not need.upstream.quick:
                return HandedOver(activation, waiting, frame)
            continue
        if frame.pending is not None:
            del run.in_progress[_key(base, frame)]
            frame.pending.settle()
        evaluation.verified = revision
        evaluation.moment = None
        cells[node.slot] = evaluation
        if not waiting:
            return evaluation
        frame = waiting.pop()
        shared = min(shared, len(waiting))


def _key(base: int, frame: _Frame) -> tuple[int, ...]:
    """As that of `Resolving`."""
    return (base + frame.node.index, *map(id, frame.used))


def _there(store: Store, planned: PlanInput) -> Cell | None:
    """The current cell of an input, if it can be told at once: a copy of inputs.current, with nobody to tell of it."""
    if planned.source is NODE:
        evaluation: Evaluation | None = store.cells[planned.slot]
        if evaluation is None or evaluation.verified is not store.revision or planned.upstream.impure:
            return None
        return evaluation.outputs[planned.output] or _constant(store, planned)
    cell: Cell | None = store.cells[planned.there] or planned.fallback
    return cell if cell is not LEFT_UNSET else _constant(store, planned)


def _is_unset(store: Store, planned: PlanInput) -> bool:
    """Whether the data node behind an input has a current evaluation, which has left the output unset."""
    evaluation: Evaluation | None = store.cells[planned.slot]
    return evaluation is not None and evaluation.verified is store.revision and not planned.upstream.impure


def _constant(store: Store, planned: PlanInput) -> Cell | None:
    return planned.constant or store.cells[planned.own]


def _computed(activation: Asking, planned: PlanInput) -> bool:
    """Whether the static node behind an input could be computed at once, and has given it a value."""
    run = activation.strand.run
    if perf_counter() > run.turn_due:
        return False
    if at_once(activation, planned) is not None:
        return True
    steps: Any = compute(activation, planned.upstream, asked=False, turns=False)
    try:
        steps.send(None)
    except StopIteration as stop:
        return bool(stop.value) and _there(activation.strand.store, planned) is not None
    raise AssertionError("it takes no turns")  # pragma: no cover


def _made(node: PlanNode, used: Sequence[Cell], holder: Cell, result: Any, picked: Cell | None) -> Evaluation:
    """The evaluation of a function that has returned this, or this of an input that it has picked."""
    age = holder.serial
    if picked is not None and picked.serial > age:
        age = picked.serial
    if node.fields:
        return Evaluation(used, [None if value is UNSET else new_cell(value, age) for value in result], None)
    return Evaluation(used, (None if result is UNSET else new_cell(result, age),), None)


def _driven(activation: Asking, waiting: Sequence[_Frame], frame: _Frame, awaitable: Awaitable[Any]) -> Any:
    """What an async function returns, if it does not wait; or what is left to do."""
    task = hot_task()
    scopes = task._cancel_status
    body = as_body(awaitable)
    try:
        trap = body.send(None)
    except StopIteration as stop:
        if task._cancel_status is scopes:
            return stop.value
        begun = _Begun(value=stop.value)
    except BaseException as error:
        begun = _Begun(error=error)
    else:
        begun = _Begun(body, trap)
    return _left(activation, waiting, frame, begun, scopes)


def _left(activation: Asking, waiting: Sequence[_Frame], frame: _Frame, body: Any, scopes: Any = None) -> HandedOver:
    """What is left to do where a body has begun."""
    left = HandedOver(activation, waiting, frame, scopes=scopes)
    left.resolving.body = body
    return left


def _resolving(activation: Asking, frame: _Frame, scopes: Any) -> Resolving:
    """A frame, as `demand` goes on with it."""
    resolving = Resolving(activation, frame.node)
    resolving.phase = frame.phase
    resolving.used = frame.used
    resolving.holder = frame.holder
    resolving.known = frame.known
    if frame.phase == RUNNING:
        resolving.scopes = scopes
        if frame.picked is not None:
            context = resolving.context = EvaluationContext(activation, resolving)
            resolving.body = Returned(context, LazyInput(context, frame.picked))
            resolving.pending = frame.pending
            share(resolving)
    return resolving
