"""Reading inputs: the current cell of an input, and its value (D1, D2, D4, D11, C4).

`current` is the one place that says which cell of an input is current, as far as that can be told without evaluating
anything; `demand.inputs` evaluates where it can't. Hot paths have copies of parts of it, each marked `copy of
inputs.current`; a test compares them.
"""

from __future__ import annotations

from typing import Any, cast
from weakref import WeakKeyDictionary

from trioflow.errors import CoercionError, MissingInput
from trioflow.runtime.base.cells import NOTHING, OwnCell
from trioflow.runtime.base.records import Asking, Caller, View
from trioflow.semantics.coercion import Mismatch
from trioflow.semantics.memo import Evaluation
from trioflow.semantics.plan import CONSTANT, PORT, SLOT, STATIC, PlanInput, PlanNode
from trioflow.semantics.store import LEFT_UNSET, Cell, Store, new_cell


class Pull:
    """What must be evaluated first: this node, in this graph. A data node's body yields it to the loop that runs it."""

    __slots__ = ("activation", "node")

    def __init__(self, activation: Asking, node: PlanNode) -> None:
        self.activation = activation
        self.node = node


# --- cells -----------------------------------------------------------------------------------------------------------


def current(asking: Asking, planned: PlanInput) -> Cell | None:
    """The input's current cell, `NOTHING` if nothing supplies one; None if that can't be told without evaluating."""
    strand = asking.strand
    store = strand.store
    source = planned.source
    if source is SLOT:
        cells = store.cells
        return cast("Cell", cells[planned.slot] or planned.constant or cells[planned.own] or NOTHING)  # D2, D1
    watch = strand.run.data_watch
    if source is STATIC and watch is None:
        return kept(store, planned)
    if source is CONSTANT:
        return planned.constant or NOTHING
    if source is PORT:
        there = from_outside(asking, planned)
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
        watch.reused(asking, planned.upstream.id, evaluation.key)
    return output_of(evaluation, store, planned)


def kept(store: Store, planned: PlanInput) -> Cell | None:
    """The current cell of an input behind which is a static node, `NOTHING` if it has none; None if it isn't there."""
    cell: Cell | None = store.cells[planned.slot]
    return cell if cell is not LEFT_UNSET else constant(store, planned)


def constant(store: Store, planned: PlanInput) -> Cell:
    """The cell of an input's literal or default, `NOTHING` if it has neither (D1)."""
    cell: Cell = planned.constant or store.cells[planned.own] or NOTHING
    return cell


def output_of(evaluation: Evaluation, store: Store, planned: PlanInput) -> Cell:
    """The cell of an input whose source has this evaluation."""
    return evaluation.outputs[planned.output] or constant(store, planned)


def is_current(asking: Asking, node: PlanNode, evaluation: Evaluation | None) -> bool:
    """Whether an evaluation was verified in this very state of the store (and for D6, in this activation)."""
    return (
        evaluation is not None
        and evaluation.verified is asking.strand.store.revision
        and (not node.impure or evaluation.moment is asking.moment)
    )


def from_outside(asking: Asking, planned: PlanInput, arrived: Evaluation | None = None) -> Cell | Pull:
    """The current cell of what comes in at an input of the graph, or what must be evaluated first to tell it (C4).

    `arrived` is what came of the evaluation that was said to be needed before.
    Graphs may pass an input on to graphs that they call, through any number of them, so this goes outwards in a loop.
    """
    passed: list[tuple[Caller, int, PlanInput]] = []
    otherwise = constant(asking.strand.store, planned)
    cell: Cell | None = None
    while planned.source is PORT and cell is None:
        caller, place = asking.strand.caller, planned.output
        if caller is None:
            cell = asking.strand.run.defaults[place] or NOTHING
            break
        cell = caller.cells.get(place)
        if cell is None:
            planned = caller.node.inputs[place]
            passed.append((caller, place, planned))
            asking = View(asking, caller.strand)
    if cell is None:
        cell = current(asking, planned)
    if cell is None:
        store = asking.strand.store
        evaluation: Any = arrived or (None if planned.source is STATIC else store.cells[planned.slot])
        if arrived is None and not is_current(asking, planned.upstream, evaluation):
            return Pull(asking, planned.upstream)
        cell = output_of(evaluation, store, planned)
    for caller, place, outside in reversed(passed):
        cell = take_in(caller, place, outside, constant(caller.strand.store, outside) if cell is NOTHING else cell)
    return otherwise if cell is NOTHING else cell


def take_in(caller: Caller, place: int, planned: PlanInput, cell: Cell) -> Cell:
    """What a graph gets when this is the cell of an input of the node that calls it."""
    if caller.context is not None:
        caller.context.pulled.append((planned, cell))
        inside = caller.cells[place] = cell if cell is NOTHING else typed(planned, cell)
        return inside
    if cell is NOTHING:
        return cell
    known = caller.inside.get(place)
    if known is None:
        known = caller.inside[place] = WeakKeyDictionary()
    own = known.get(cell)
    if own is None:
        own = known[cell] = new_cell(value_of(planned, cell), cell.serial, cell.origin)
    return own


# --- values ----------------------------------------------------------------------------------------------------------


def value_of(planned: PlanInput, cell: Cell) -> Any:
    """A cell's value as this input's type (D11)."""
    value = cell.value
    if planned.coercer is None or type(value) in planned.passing or cell is planned.constant or type(cell) is OwnCell:
        return value
    try:
        return planned.coercer(value)
    except Mismatch as error:
        raise CoercionError(f"{planned.wire or planned.node}: {error}. {error.cure}") from None


def typed(planned: PlanInput, cell: Cell) -> Cell:
    """A cell with its value as this input's type: itself if it is that, or else the same one each time (D4)."""
    value = value_of(planned, cell)
    if value is cell.value:
        return cell
    memo = cell.memo = {} if cell.memo is None else cell.memo
    known: Cell | None = memo.get(planned)
    if known is None:
        known = memo[planned] = new_cell(value, cell.serial, cell.origin)
    return known


def missing(node: PlanNode, planned: PlanInput) -> MissingInput:
    """D1: nothing supplies a value."""
    source = f"its source has not been written yet ({planned.wire})" if planned.wire else "nothing is wired to it"
    return MissingInput(
        f"Input {planned.socket.name!r} of node {node.id!r} ({node.type.id}) has no value: {source}, and it has "
        "neither a literal nor a default. Give it a literal, or make sure that the source runs first."
    )
