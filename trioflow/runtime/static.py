"""Static demands: data nodes that are plain functions, behind which there are only plain functions (D4, D10).

Most data nodes are: no body that asks for inputs itself, no volatile node, no coroutine. The plan knows which, and
then a node needs neither a frame nor an event nor a wait for others: this loop does what `demand` would do, in the same
order, with as little as it can be done with. Each line of it runs once for each node of a graph, so it calls nothing
that it can write out, and makes objects without their `__init__`. It gives up where `demand` must take over.
"""

from __future__ import annotations

import types
from collections.abc import Generator, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from trioflow.model.sockets import UNSET
from trioflow.runtime.failure import is_cancellation, mark_origin
from trioflow.runtime.ports import missing, value_of
from trioflow.semantics.memo import Evaluation, hang, same_cells
from trioflow.semantics.plan import NODE, SLOT, PlanInput, PlanNode
from trioflow.semantics.store import Cell

if TYPE_CHECKING:
    from trioflow.runtime.demand import Asking

_new = object.__new__


@types.coroutine
def demand_static(  # noqa: C901
    activation: Asking, wanted: PlanNode
) -> Generator[Any, Any, Evaluation | None]:
    """The evaluation of a static data node that is current; None if `demand` must find it."""
    run = activation.strand.run
    store = activation.strand.store
    cells = store.cells
    revision = store.revision
    frame = activation.strand.frame
    root = frame.root_cell
    # The nodes that wait for an input, with what they have of the others.
    stack: list[tuple[PlanNode, list[Cell], Iterator[PlanInput], PlanInput]] = []
    node = wanted
    inputs = iter(node.inputs)
    used: list[Cell] = []
    turned = False
    cell: Cell | None
    try:
        while True:
            for planned in inputs:
                source = planned.source
                if source is NODE:
                    known = cells[planned.slot]
                    if known is None or known.verified is not revision:
                        stack.append((node, used, inputs, planned))
                        node = planned.upstream
                        inputs = iter(node.inputs)
                        used = []
                        break
                    cell = known.outputs[planned.output] or planned.constant
                elif source is SLOT:
                    cell = cells[planned.slot] or planned.constant
                else:
                    cell = planned.constant
                if cell is None:
                    raise missing(node, planned)
                used.append(cell)
            else:
                # As `memo.recall` does.
                young = root
                age = -1
                for cell in used:
                    if cell.serial > young.serial:
                        young = cell
                    age = max(age, cell.serial)
                index = frame.base + node.index
                memo = young.memo
                finished: Evaluation | None = None
                if memo is not None and index in memo:
                    for known in memo[index]:
                        if same_cells(known.used, used):
                            finished = known
                            break
                if finished is None:
                    if not turned and (run.fuel < 1 or perf_counter() > run.turn_due):  # T2
                        yield from run.pass_evaluation(activation, node)
                        # Meanwhile another strand may have evaluated this, somebody may watch now, and a task of the
                        # same body may have written.
                        if run.watch is not None or store.revision is not revision:
                            return None
                        turned = True
                        continue
                    if frame.bodies[node.index] is not None:  # a middleware is for this node
                        return None
                    turned = False
                    run.evaluations += 1
                    run.fuel -= 1
                    body: Any = node.type.body
                    try:
                        if len(used) == 1:
                            planned = node.inputs[0]
                            value = used[0].value
                            if planned.coercer is not None and type(value) is not planned.exact:
                                value = value_of(planned, used[0])
                            value = body.function(value)
                        else:
                            value = body.function(*map(value_of, node.inputs, used))
                    except StopIteration as error:  # as it is where a coroutine raises it
                        raise RuntimeError(f"data node {node.id!r} raised StopIteration") from error
                    if not used:
                        age = root.serial
                    finished = _new(Evaluation)
                    finished.used = used
                    finished.key = ""
                    finished.moment = None
                    if body.result == "fields":
                        finished.outputs = [
                            None if each is UNSET else Cell(each, age)
                            for _, each in zip(node.type.outputs, tuple(value), strict=True)
                        ]
                    elif value is UNSET:
                        finished.outputs = (None,)
                    else:
                        cell = _new(Cell)
                        cell.value = value
                        cell.serial = age
                        cell.origin = "?"
                        cell.memo = None
                        finished.outputs = (cell,)
                    if memo is None:
                        young.memo = {index: [finished]}
                    elif index not in memo:
                        memo[index] = [finished]
                    else:
                        hang(young, index, finished)
                finished.verified = revision
                cells[node.slot] = finished
                if not stack:
                    return finished
                node, used, inputs, planned = stack.pop()
                cell = finished.outputs[planned.output] or planned.constant
                if cell is None:
                    raise missing(node, planned)
                used.append(cell)
    except BaseException as error:
        if not is_cancellation(error):
            for failed in (node, *(each[0] for each in reversed(stack))):
                mark_origin(error, run, activation.where, failed.id, failed.type.id)
        raise
