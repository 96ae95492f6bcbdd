"""One evaluation of a data node, from the start of its body to what is remembered of it (D4, D5, E1, E5)."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Sequence
from functools import partial
from typing import Any

from trioflow.errors import NodeError
from trioflow.model.node_type import FunctionBody
from trioflow.model.sockets import UNSET
from trioflow.model.unfinished import Unfinished
from trioflow.runtime.base.failure import is_cancellation, mark_origin
from trioflow.runtime.base.inputs import value_of
from trioflow.runtime.base.pending import Failed, Pending
from trioflow.runtime.base.task import HotTask, left_open
from trioflow.runtime.base.with_inputs import with_inputs
from trioflow.runtime.demand.context import RUNNING, Begun, EvaluationContext, Resolving
from trioflow.runtime.demand.lazy import picking
from trioflow.runtime.demand.static import evaluation_there, identity, keep, note
from trioflow.semantics.events import EvaluationCancelled, EvaluationFailed
from trioflow.semantics.identity import Identity
from trioflow.semantics.memo import Evaluation, recall, remember
from trioflow.semantics.plan import PlanNode
from trioflow.semantics.store import Cell, new_cell


def begin(resolving: Resolving) -> Evaluation | None:
    """Start a body: a plain function is done at once, anything else becomes the `body` that the loop runs."""
    activation = resolving.activation
    run = activation.strand.run
    node = resolving.node
    resolving.phase = RUNNING
    if run.data_watch is not None:
        resolving.began = run.data_watch.evaluating(activation, node.id)
    make = activation.strand.frame.bodies[node.index]
    try:
        if make is not None:
            resolving.context = EvaluationContext(activation, resolving)
            resolving.body = make(resolving.context)
            return None
        body = node.type.body
        assert isinstance(body, FunctionBody)
        if body.may_pick:
            resolving.context = EvaluationContext(activation, resolving)
            resolving.body = picking(resolving.context)
            return None
        result = body.function(*map(value_of, node.inputs, resolving.used))
        if not body.is_async:
            return complete(resolving, result)
    except Unfinished as unfinished:
        result = unfinished.rest()
    except StopIteration as error:  # which the loop would take for the end of a body: fail as a coroutine does
        raise RuntimeError(f"data node {node.id!r} raised StopIteration") from error
    resolving.body = as_body(result)
    return None


def share(resolving: Resolving) -> None:
    """Let others that would evaluate the same find it (D5): its body has to wait, so that they may come."""
    if resolving.pending is None:
        resolving.pending = resolving.activation.strand.run.in_progress[resolving.key] = Pending()


def as_body(awaitable: Awaitable[Any]) -> Coroutine[Any, Any, Any]:
    """What a function has returned, as the loop runs it."""
    return awaitable if isinstance(awaitable, Coroutine) else _awaited(awaitable)


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def take_up(resolving: Resolving, begun: Begun) -> Evaluation | None:
    """Go on with an evaluation that was begun ahead, as if it were begun now (D12)."""
    activation = resolving.activation
    run = activation.strand.run
    node = resolving.node
    del run.ahead[begun.key]
    resolving.phase = RUNNING
    if run.data_watch is not None:
        now = run.data_watch.evaluating(activation, node.id)
        if begun.lasted is not None:
            resolving.began = now - begun.lasted  # it has waited for its turn since
        else:
            resolving.began = now if begun.began is None else begun.began
    begun.turn.set()
    for event in begun.told:
        run.tell_of(event, activation.strand, activation, node.id)
    if not begun.ended.is_set():
        run.ahead_running -= 1
        resolving.pending = run.in_progress[begun.key] = Pending()
        resolving.body = begun.awaited()
        return None
    resolving.context = begun.resolving.context
    if begun.failure is not None:
        raise begun.failure
    assert begun.evaluation is not None
    return finish(resolving, begun.evaluation, begun.values)


def complete(resolving: Resolving, result: Any) -> Evaluation:
    """Make an evaluation of what a body returned, and hang it where others find it."""
    values = values_of_outputs(resolving.node, resolving.context, result)
    return finish(resolving, made(resolving, values), values)


def made(resolving: Resolving, values: Sequence[Any]) -> Evaluation:
    """The evaluation whose outputs have these values."""
    activation = resolving.activation
    graph = activation.strand.frame
    node = resolving.node
    context = resolving.context
    pulled = context.pulled if context is not None else ()
    key: Identity | None = None
    run = activation.strand.run
    if run.data_watch is not None and run.data_watch.keys:
        key = identity(graph.prefix + node.id, node, resolving.used, pulled)
    # As old as what it depends on, not as young as the evaluation: a value that was computed late from what never
    # changes must not pass for the youngest input of anything.
    if context is not None and context.saw_failure:
        age = run.next_serial()
    else:
        age = resolving.holder.serial
        for _, cell in pulled:
            age = max(age, cell.serial)
    outputs = [
        None
        if value is UNSET
        else value  # C2: a graph gives the cells that it got
        if type(value) is Cell
        else new_cell(value, age, "?" if key is None else (key, output.name))
        for output, value in zip(node.type.outputs, values, strict=True)
    ]
    return Evaluation(resolving.used, outputs, key)


def finish(resolving: Resolving, evaluation: Evaluation, values: Sequence[Any]) -> Evaluation:
    """Tell of an evaluation, and hang it where others find it."""
    activation = resolving.activation
    run = activation.strand.run
    graph = activation.strand.frame
    node = resolving.node
    context = resolving.context
    pulled = context.pulled if context is not None else ()
    if run.data_watch is not None:
        if evaluation.key is None and run.data_watch.keys:
            evaluation.key = identity(graph.prefix + node.id, node, resolving.used, pulled)
        run.data_watch.evaluated(activation, node, evaluation.key, resolving.began, values)
    if context is not None and context.saw_failure:
        caller = activation.strand.caller
        if caller is not None and caller.context is not None:
            caller.context.note_failure()  # nor is that of the graph, which depends on this
    else:
        remember(resolving.holder, graph.base + node.index, evaluation, pulled)
    if resolving.pending is not None:
        del run.in_progress[resolving.key]
        resolving.pending.settle()
    if context is not None:
        context.close()
    return evaluation


def values_of_outputs(node: PlanNode, context: EvaluationContext | None, result: Any) -> Sequence[Any]:
    """The values of the outputs, in order, after a body has returned this; `UNSET` for those that it has not set."""
    body = node.type.body
    if isinstance(body, FunctionBody):
        return body.values_of(result)
    assert context is not None
    return context.outputs


def store_evaluation(resolving: Resolving, evaluation: Evaluation) -> None:
    """Let the store of the strand have what is current now, so that the next demand finds it."""
    evaluation.verified = None if resolving.fleeting else resolving.revision  # D5
    evaluation.moment = resolving.moment
    store = resolving.activation.strand.store
    node = resolving.node
    if not node.static:
        store.cells[node.slot] = evaluation
        return
    if resolving.activation.strand.run.data_watch is not None:
        note(store, node, evaluation)
    if evaluation.verified is not store.revision:
        return  # its outputs do not follow from what is in the store now
    graph = resolving.activation.strand.frame
    if graph.bodies[node.index] is not None:  # a middleware is for it, and may have asked for more than the inputs
        known = recall(resolving.holder, graph.base + node.index, resolving.used)
        if type(known) is not Evaluation:
            return
    keep(store, node, evaluation)


def known_of(resolving: Resolving) -> Any:
    """What is remembered of earlier bodies that had the same eager inputs."""
    graph = resolving.activation.strand.frame
    node = resolving.node
    known = recall(resolving.holder, graph.base + node.index, resolving.used)
    if known is None and node.static:
        return evaluation_there(resolving.activation.strand.store, node)
    return known


def fail(resolving: Resolving, error: BaseException) -> None:
    """Nothing is remembered of a failure; whoever waits gets it, or takes over if it was a cancellation (D5)."""
    activation = resolving.activation
    run = activation.strand.run
    node = resolving.node
    cancelled = is_cancellation(error)
    if resolving.phase != RUNNING:
        if not cancelled:
            mark_origin(error, run, activation.where, node.id, node.type.id)
        return
    if resolving.pending is not None:
        del run.in_progress[resolving.key]
        if not cancelled:
            pulled = resolving.context.pulled if resolving.context is not None else ()
            resolving.pending.failed = Failed(pulled, 0, error)
        resolving.pending.settle()
    if resolving.context is not None:
        resolving.context.close()
    duration = run.lasted(resolving.began)
    if cancelled:
        run.tell(EvaluationCancelled, activation, node.id, duration)
    else:
        mark_origin(error, run, activation.where, node.id, node.type.id, partial(with_inputs, activation, node))
        run.tell(EvaluationFailed, activation, node.id, error, duration)


async def leave_scopes(task: HotTask, resolving: Resolving) -> NodeError:
    """The error that a body has left scopes open, which are closed."""
    return await left_open(task, resolving.scopes, f"Data node {resolving.node.id!r} ({resolving.node.type.id})")
