"""Demands: pulling data through data nodes, lazily, never stale, never twice (D1-D6, D10).

`demand` is a generator that runs in the asking task: it keeps its own stack of nodes that wait for their inputs, so a
chain of any length needs no recursion, and hands trio's traps through. A body that asks for an input itself yields
`Pull` to it. Each node goes through the phases that `context.Resolving` has; what is done in each is in `phases` and
`evaluation`.
"""

from __future__ import annotations

import types
from collections.abc import Generator
from time import perf_counter
from typing import Any, cast

from trioflow.runtime.base.failure import is_cancellation
from trioflow.runtime.base.inputs import Pull
from trioflow.runtime.base.records import Asking
from trioflow.runtime.base.task import hot_task
from trioflow.runtime.base.turns import pass_evaluation, turn_of
from trioflow.runtime.demand.ahead import Ahead, serves
from trioflow.runtime.demand.context import DOUBTING, GATHERING, RUNNING, SHORT_CUT, VERIFYING, Resolving
from trioflow.runtime.demand.evaluation import begin, complete, fail, leave_scopes, share, store_evaluation, take_up
from trioflow.runtime.demand.phases import doubted, gather, refuse, verify
from trioflow.runtime.demand.quick import quickly
from trioflow.runtime.demand.static import compute, evaluation_there
from trioflow.semantics.memo import Evaluation
from trioflow.semantics.plan import PlanNode


@types.coroutine
def demand(  # noqa: C901
    activation: Asking, wanted: PlanNode, ahead: Ahead | None = None
) -> Generator[Any, Any, Evaluation]:
    """The evaluation of a data node that is current in the activation's strand (D4).

    `ahead` is there if this is behind one of several inputs that are resolved at once (D12).
    """
    run = activation.strand.run
    stack: list[Resolving] = []
    # The node whose inputs are resolved at once, if this demand has come to one by itself.
    at_once: Resolving | None = None
    max_ahead = run.options.max_ahead
    resolving = Resolving(activation, wanted)
    task = hot_task()
    thrown: BaseException | None = None
    answer: Any = None
    while True:
        finished: Evaluation | None = None
        try:
            if resolving.phase == SHORT_CUT:
                resolving.phase = GATHERING
                store = resolving.activation.strand.store
                fast = run.schedule is None and (ahead is None or not ahead.active)
                if not resolving.node.static:
                    if fast and ahead is None and run.data_watch is None:
                        found = yield from cast("Any", quickly(resolving.activation, resolving.node))
                        if type(found) is Evaluation:
                            finished = found
                        else:
                            stack += found.stack
                            resolving = found.resolving
                            answer = None
                            if found.error is not None:
                                raise found.error
                elif fast and store.cells[resolving.node.slot] is None:
                    there = yield from cast("Any", compute(resolving.activation, resolving.node, asked=not stack))
                    finished = evaluation_there(store, resolving.node) if there else None
            if resolving.phase != RUNNING and finished is None:
                upstream = gather(resolving) if resolving.phase == GATHERING else None
                upstream = upstream or verify(resolving)
                if resolving is at_once and resolving.phase != GATHERING:
                    assert ahead is not None
                    over, ahead, at_once = ahead, None, None
                    yield from cast("Any", over.close())
                    # Meanwhile another strand may have begun, or even ended, the same evaluation (D5).
                    resolving.phase = GATHERING
                    continue
                if upstream is not None:
                    if resolving.node.ahead and resolving.phase == GATHERING and ahead is None and max_ahead:
                        at_once = resolving
                        ahead = Ahead(resolving.activation, resolving.node)
                    stack.append(resolving)
                    resolving = Resolving(upstream.activation, upstream.node)
                    continue
                if type(resolving.known) is Evaluation:
                    finished = resolving.known
                    if run.data_watch is not None and not stack:
                        run.data_watch.reused(resolving.activation, resolving.node.id, finished.key)
                elif doubted(resolving):
                    # To find out may have taken long: look again at what there is (D4).
                    resolving.phase = GATHERING
                    continue
                else:
                    hung = run.in_progress.get(resolving.key) if run.in_progress else None
                    begun = run.ahead.get(resolving.key) if run.ahead else None
                    elsewhere = begun is not None and begun.ahead is not ahead and not begun.idle.is_set()
                    if ahead is not None and (hung is not None or elsewhere):
                        yield from cast("Any", ahead.look(stack, resolving))
                    if hung is None and begun is not None and elsewhere:  # D12
                        yield from begun.idle.wait()
                        resolving.turned = run.schedule is not None
                        if resolving.turned:
                            yield from cast("Any", turn_of(run, "e", resolving.activation, resolving.node))
                        resolving.phase = GATHERING
                        continue
                    if hung is not None:  # D5
                        yield from cast("Any", hung.wait())
                        resolving.turned = run.schedule is not None
                        if resolving.turned:
                            yield from cast("Any", turn_of(run, "e", resolving.activation, resolving.node))
                        resolving.known = hung.failed
                        resolving.phase = GATHERING if hung.failed is None else DOUBTING
                        continue
                    if not resolving.turned and (run.fuel < 1 or perf_counter() > run.turn_due):  # T2
                        resolving.turned = True
                        yield from cast("Any", pass_evaluation(run, resolving.activation, resolving.node))
                        # Meanwhile another strand may have begun, or even ended, the same evaluation (D5).
                        resolving.phase = GATHERING
                        continue
                    run.evaluations += 1
                    run.fuel -= 1
                    answer = None
                    if begun is not None and serves(begun, ahead, resolving.activation):
                        if not begun.ended.is_set():
                            resolving = begun.resolving  # which the contexts know
                        resolving.scopes = task._cancel_status
                        finished = take_up(resolving, begun)
                    else:
                        resolving.scopes = task._cancel_status
                        finished = begin(resolving)
                    if finished is None and ahead is not None:
                        share(resolving)
                        try:
                            yield from cast("Any", ahead.look(stack, resolving))
                        except BaseException:
                            if resolving.body is not None:
                                resolving.body.close()  # it has not begun
                            raise
                        finally:
                            resolving.scopes = task._cancel_status
            if finished is None:
                body = resolving.body
                assert body is not None
                resolving.driving = True
                if thrown is None:
                    trap = body.send(answer)
                else:
                    error, thrown = thrown, None
                    trap = body.throw(error)
                resolving.driving = False
                if resolving.pending is None:
                    share(resolving)
                if type(trap) is Pull:
                    stack.append(resolving)
                    resolving = Resolving(trap.activation, trap.node)
                    continue
                try:
                    answer = yield trap
                except BaseException as error:
                    thrown = error
                run.turn_due = perf_counter() + run.turn_after
                continue
        except StopIteration as stop:
            try:
                if task._cancel_status is not resolving.scopes:
                    raise (yield from leave_scopes(task, resolving).__await__())
                finished = complete(resolving, stop.value)
            except BaseException as error:
                thrown = error
        except BaseException as error:
            thrown = error
            if resolving.body is not None and task._cancel_status is not resolving.scopes:
                thrown.add_note(str((yield from leave_scopes(task, resolving).__await__())))
        if finished is None:
            assert thrown is not None
            fail(resolving, thrown)
            # A node that was gathering its inputs fails with them; one that was verifying an earlier evaluation
            # runs its body, which may ask otherwise; one whose body asked gets the failure.
            while True:
                if resolving is at_once:
                    assert ahead is not None
                    over, ahead, at_once = ahead, None, None
                    try:
                        yield from cast("Any", over.close())
                    except BaseException as error:
                        thrown = error
                if not stack:
                    raise thrown
                resolving = stack.pop()
                if resolving.phase == RUNNING:
                    break
                if resolving.phase >= VERIFYING and not is_cancellation(thrown):
                    refuse(resolving)
                    thrown = None
                    break
            continue
        store_evaluation(resolving, finished)
        if ahead is not None:
            ahead.arrived(resolving.node, finished)
        if not stack:
            return finished
        resolving = stack.pop()
        answer = resolving.arrived = finished  # for a body that pulled, or for a node that has none yet
        resolving.fleeting |= finished.verified is None
