"""Static data nodes: plain functions, behind which there are only plain functions (D4, D10).

Most data nodes are: no body that asks for inputs itself, no volatile node, no coroutine. The plan knows which, and what
they depend on. So the store keeps their outputs like those of exec nodes, and takes them out when something that they
depend on is written: what is there is current. Reading it costs no more than reading the output of an exec node, and
after a change only what depends on it is looked at.

`compute` does what `demand` would do, in the same order, with as little as it can be done with. Each line of it runs
once for each node of a graph, so it calls nothing that it can write out, and makes objects without their `__init__`. It
gives up wherever something unusual happens, and `demand` goes on from what is there by then. Observers are told the
same either way. `at_once` does even less, for the most frequent case of all: one node, everything that it needs is
there, and nobody watches.
"""

from __future__ import annotations

import itertools
import types
from collections.abc import Generator, Sequence
from functools import partial
from time import perf_counter
from typing import Any, cast

from trioflow.model.node_type import FunctionBody
from trioflow.model.sockets import UNSET
from trioflow.model.unfinished import Unfinished
from trioflow.runtime.base.failure import is_cancellation, mark_origin
from trioflow.runtime.base.inputs import value_of
from trioflow.runtime.base.records import Asking
from trioflow.runtime.base.turns import pass_evaluation
from trioflow.runtime.base.with_inputs import with_inputs
from trioflow.semantics.events import (
    EvaluationCancelled,
    EvaluationFailed,
)
from trioflow.semantics.identity import Identity
from trioflow.semantics.memo import Evaluation, hang, recall
from trioflow.semantics.plan import CONSTANT, STATIC, PlanInput, PlanNode
from trioflow.semantics.store import LEFT_UNSET, Cell, Store, new_cell


def evaluation_there(store: Store, node: PlanNode) -> Evaluation | None:
    """The evaluation of a static node whose outputs the store keeps."""
    if not node.type.outputs or store.cells[node.slot] is None:
        return None
    cells = store.cells[node.slot : node.slot + len(node.type.outputs)]
    known: Evaluation | None = store.evaluations.get(node.slot)
    if known is not None and all(
        output is (None if cell is LEFT_UNSET else cell) for output, cell in zip(known.outputs, cells, strict=True)
    ):
        return known
    return Evaluation((), [None if cell is LEFT_UNSET else cell for cell in cells], None)


def keep(store: Store, node: PlanNode, evaluation: Evaluation) -> None:
    """Let the store keep the outputs of a static node, unless it doesn't keep all that they were computed from."""
    if all(store.cells[planned.slot] is not None for planned in node.needs):
        for slot, cell in enumerate(evaluation.outputs, node.slot):
            store.cells[slot] = cell or LEFT_UNSET
        if None in evaluation.outputs:
            store.partial = True


def note(store: Store, node: PlanNode, evaluation: Evaluation) -> None:
    """Let the store find the last evaluation of a static node, for observers."""
    if not store.evaluations:
        store.evaluations = {}
    store.evaluations[node.slot] = evaluation


def at_once(activation: Asking, planned: PlanInput) -> Cell | None:  # noqa: C901 - a hot path
    """The input's current cell, if all that is needed for it is to call one function; None if there is more to do.

    The input is behind a static node whose outputs are not there, or left unset. To be called only while nobody
    watches, and when the clock has just been looked at (T2). Under a controlled schedule there is no fuel, so it does
    nothing then.
    """
    strand = activation.strand
    run = strand.run
    store = strand.store
    node = planned.upstream
    if run.fuel < 1 or store.partial or node.fields:
        return None
    if run.wraps is not None and strand.frame.bodies[node.index] is not None:  # a middleware is for it
        return None
    cells = store.cells
    values: list[Any] = []
    value: Any = UNSET
    young: Cell | None = None
    age = -1
    for asks in node.inputs:  # a copy of inputs.current
        cell: Cell | None = cells[asks.there] or asks.fallback
        if cell is None:
            return None
        value = cell.value
        if type(value) not in asks.passing and asks.coercer is not None:
            return None
        values.append(value)
        if cell.serial > age:
            young = cell
            age = cell.serial
    if young is None or young.memo is not None or age <= store.horizon:
        return None
    run.evaluations += 1
    run.fuel -= 1
    try:
        try:
            value = node.function(value) if len(values) == 1 else node.function(*values)
        except Unfinished:
            run.evaluations -= 1
            run.fuel += 1
            return None
        except StopIteration as error:  # as it is where a coroutine raises it
            raise RuntimeError(f"data node {node.id!r} raised StopIteration") from error
    except BaseException as error:
        _tell_failed(activation, node, error, None)
        raise
    if value is UNSET:
        cells[node.slot] = LEFT_UNSET
        store.partial = True
        return None
    cell = cells[node.slot] = Cell()
    cell.value = value
    cell.serial = age
    cell.origin = "?"
    cell.memo = None
    return cell


@types.coroutine
def compute(  # noqa: C901 - a hot path
    activation: Asking, wanted: PlanNode, *, asked: bool, turns: bool = True
) -> Generator[Any, Any, bool]:
    """Let the store keep the outputs of a static node, which are not there; False if `demand` must see to it.

    `asked` tells whether it is what was demanded, of which observers are told if it is re-used. Without `turns` it
    never waits: where the scheduler's turn is due, that is for `demand` to give.
    """
    strand = activation.strand
    run = strand.run
    store = strand.store
    if store.partial:
        return False
    cells = store.cells
    frame = strand.frame
    root = frame.root_cell
    wrapped = run.wraps is not None
    horizon = store.horizon
    fuel = run.fuel
    due = run.turn_due
    done = 0
    turned = False
    # Whether observers were told that the node's function is called, and when.
    begun = False
    began = 0.0
    # The nodes that wait for an input.
    stack: list[PlanNode] = []
    node = wanted
    cell: Any = None
    value: Any
    values: list[Any] = []
    try:
        while True:
            sole = node.sole
            if sole is not None:  # a copy of inputs.current
                cell = cells[sole.slot]
                if cell is None:
                    if sole.source is STATIC:
                        stack.append(node)
                        node = sole.upstream
                        continue
                    cell = sole.constant or cells[sole.own]
                    if cell is None:
                        return False  # it is missing
                value = cell.value
                if type(value) not in sole.passing and sole.coercer is not None:
                    try:
                        value = value_of(sole, cell)
                    except Exception:
                        return False
                age = cell.serial
                young = cell if age >= 0 else root
            else:
                absent: PlanInput | None = None
                for planned in node.needs:
                    if cells[planned.slot] is None:
                        absent = planned
                        break
                if absent is not None:
                    if absent.source is not STATIC:
                        return False  # it is missing
                    stack.append(node)
                    node = absent.upstream
                    continue
                value = UNSET
                values = []
                young = root
                age = -1
                for planned in node.inputs:  # a copy of inputs.current
                    cell = (
                        planned.constant
                        if planned.source is CONSTANT
                        else cells[planned.slot] or planned.constant or cells[planned.own]
                    )
                    value = cell.value
                    if type(value) not in planned.passing and planned.coercer is not None:
                        try:
                            value = value_of(planned, cell)
                        except Exception:
                            return False
                    values.append(value)
                    if cell.serial > age:
                        young = cell
                        age = cell.serial
            known = None if young.memo is None else recall(young, frame.base + node.index, _used(node, cells))
            if known is not None:
                if type(known) is not Evaluation:
                    return False  # a middleware asked for more than the inputs
                keep(store, node, known)
                if run.data_watch is not None:
                    if known.key is not None or not run.data_watch.keys:
                        note(store, node, known)
                    if asked and node is wanted and not stack:
                        run.data_watch.reused(activation, node.id, known.key)
                elif known.key is not None:
                    note(store, node, known)
                if store.partial:
                    return not stack
            else:
                if (done >= fuel or perf_counter() > due) and not turned:  # T2
                    if not turns:
                        return False
                    run.evaluations += done
                    run.fuel -= done
                    done = 0
                    revision = store.revision
                    yield from pass_evaluation(run, activation, node).__await__()
                    # Meanwhile a task of the same body may have written or asked.
                    if store.revision is not revision or store.partial:
                        return False
                    turned = True
                    horizon = store.horizon
                    fuel = run.fuel
                    due = run.turn_due
                    while cells[node.slot] is not None:
                        if not stack:
                            return True
                        node = stack.pop()
                    continue
                if wrapped and frame.bodies[node.index] is not None:  # a middleware is for this node
                    return False
                turned = False
                done += 1
                watch = run.data_watch
                if watch is not None:
                    if cast("FunctionBody", node.type.body).in_slices:  # observers are told once that it begins
                        done -= 1
                        return False
                    # Observers may look at the run's statistics.
                    run.evaluations += done
                    run.fuel -= done
                    done = 0
                    begun = True
                    began = watch.evaluating(activation, node.id)
                try:
                    if sole is not None:
                        value = node.function(value)
                    elif len(values) == 2:
                        value = node.function(values[0], value)
                    else:
                        value = node.function(*values)
                except Unfinished:
                    done -= 1
                    return False
                except StopIteration as error:  # as it is where a coroutine raises it
                    raise RuntimeError(f"data node {node.id!r} raised StopIteration") from error
                watch = run.data_watch
                if begun and watch is not None and age > horizon and value is not UNSET and not node.fields:
                    # As below, with as little as it can be done with: much may be watched.
                    key: Identity | None = None
                    if watch.keys:
                        name = frame.prefix + node.id
                        if sole is not None and cell is not None:
                            asked_for: Any = cell.origin if cell is not sole.constant else f"={name}.{sole.socket.name}"
                            key = Identity(name, (asked_for,))
                        else:
                            key = identity(name, node, _used(node, cells))
                    watch.evaluated(activation, node, key, began, (value,))
                    fuel = run.fuel
                    begun = False
                    cell = cells[node.slot] = Cell()
                    cell.value = value
                    cell.serial = age
                    cell.origin = "?" if key is None else (key, node.type.outputs[0].name)
                    cell.memo = None
                    if not store.evaluations:
                        store.evaluations = {}
                    store.evaluations[node.slot] = Evaluation((), (cell,), key)
                elif begun or age <= horizon or value is UNSET or node.fields:
                    results = tuple(cast("Sequence[Any]", value)) if node.fields else (value,)
                    made = [*zip(node.type.outputs, results, strict=True)]
                    used = _used(node, cells)
                    known_as: Identity | None = None
                    if begun and watch is not None:
                        if watch.keys:
                            known_as = identity(frame.prefix + node.id, node, used)
                        watch.evaluated(activation, node, known_as, began, results)
                        fuel = run.fuel
                    outputs = [
                        None
                        if each is UNSET
                        else new_cell(each, age, "?" if known_as is None else (known_as, output.name))
                        for output, each in made
                    ]
                    evaluation = Evaluation(used, outputs, known_as)
                    keep(store, node, evaluation)
                    if begun and watch is not None:
                        note(store, node, evaluation)
                    begun = False
                    if age <= horizon:
                        hang(young, frame.base + node.index, evaluation)
                    if store.partial:
                        return not stack
                else:
                    cell = Cell()
                    cell.value = value
                    cell.serial = age
                    cell.origin = "?"
                    cell.memo = None
                    cells[node.slot] = cell
            if not stack:
                return True
            node = stack.pop()
    except BaseException as error:
        if begun or not is_cancellation(error):  # otherwise it was cancelled in the scheduler's turn
            _tell_failed(activation, node, error, began if begun else None)
        raise
    finally:
        run.evaluations += done
        run.fuel -= done


def _tell_failed(activation: Asking, node: PlanNode, error: BaseException, began: float | None) -> None:
    run = activation.strand.run
    duration = run.lasted(began)
    if is_cancellation(error):
        run.tell(EvaluationCancelled, activation, node.id, duration)
    else:
        mark_origin(error, run, activation.where, node.id, node.type.id, partial(with_inputs, activation, node))
        run.tell(EvaluationFailed, activation, node.id, error, duration)


def _used(node: PlanNode, cells: Sequence[Cell]) -> list[Any]:
    """The cells of all inputs, which are there: a copy of inputs.current."""
    return [
        planned.constant
        if planned.source is CONSTANT
        else cells[planned.slot] or planned.constant or cells[planned.own]
        for planned in node.inputs
    ]


def identity(
    name: str, node: PlanNode, used: Sequence[Cell], pulled: Sequence[tuple[PlanInput | int, Cell]] = ()
) -> Identity:
    """The name of an evaluation: what went into it, so that it is the same under every schedule (E5)."""
    moment = used[len(node.inputs) :]  # D6
    asked = itertools.chain(zip(node.inputs, used), zip(itertools.repeat(0), moment), pulled)  # noqa: B905 - it is no input
    return Identity(
        name,
        [
            f"={name}.{asks.socket.name}" if isinstance(asks, PlanInput) and cell is asks.constant else cell.origin
            for asks, cell in asked
        ],
    )
