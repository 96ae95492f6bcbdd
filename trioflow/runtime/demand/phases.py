"""The phases in which a data node looks at what there is, before any body runs (D4, D7)."""

from __future__ import annotations

from trioflow.runtime.base.cells import LAZY, NOTHING
from trioflow.runtime.base.inputs import Pull, constant, from_outside, is_current, kept, missing, output_of
from trioflow.runtime.base.pending import Failed
from trioflow.runtime.demand.context import DOUBTING, VERIFYING, Resolving
from trioflow.runtime.demand.evaluation import known_of
from trioflow.semantics.memo import Evaluation, youngest
from trioflow.semantics.plan import CONSTANT, NODE, PORT, SLOT, STATIC, PlanInput
from trioflow.semantics.store import Cell


def gather(resolving: Resolving) -> Pull | None:
    """Collect the cells of the eager inputs, in order (D7); returns what must be evaluated first."""
    node = resolving.node
    used = resolving.used
    for planned in node.inputs[len(used) :]:
        if planned.socket.lazy:
            used.append(LAZY)
            continue
        cell = _current(resolving, planned)
        if isinstance(cell, Pull):
            return cell
        if cell is NOTHING:
            raise missing(node, planned)
        used.append(cell)
        if cell.serial > resolving.holder.serial:
            resolving.holder = cell
    if node.volatile and (not used or used[-1] is not resolving.moment):
        assert resolving.moment is not None
        used.append(resolving.moment)  # D6: one more input, which no other activation has
        resolving.holder = youngest(used, resolving.holder)
    resolving.known = known_of(resolving)
    resolving.phase = VERIFYING
    return None


def verify(resolving: Resolving) -> Pull | None:
    """Ask for what earlier bodies asked for, in their order; returns what must be evaluated to tell (D4)."""
    known = resolving.known
    while known is not None and not isinstance(known, Evaluation):
        asks = known.asks
        if asks is None:
            assert type(known) is Failed
            raise known.error
        if resolving.refused == (asks, resolving.activation.strand.store.revision):
            known = None
            break
        if isinstance(asks, int):
            cell: Cell = resolving.activation.strand.store.cells[asks]
        else:
            found = _current(resolving, asks)
            if isinstance(found, Pull):
                resolving.known = known
                return found
            cell = found
        known = known.answered(cell)
    resolving.known = known
    return None


def refuse(resolving: Resolving) -> None:
    """What an earlier body asked for has failed: its evaluation is not current, and the body runs again."""
    known = resolving.known
    asks = None if known is None or isinstance(known, Evaluation) else known.asks
    if resolving.activation.strand.run.schedule is None:  # under one, each look asks all (D5)
        resolving.refused = (asks, resolving.activation.strand.store.revision)
    resolving.known = None


def doubted(resolving: Resolving) -> bool:
    """Whether a failure of somebody else turned out to be not ours (D5)."""
    return resolving.phase == DOUBTING and resolving.known is None


def _current(resolving: Resolving, planned: PlanInput) -> Cell | Pull:
    """The current cell of an input, or what must be evaluated first: a copy of inputs.current.

    It differs in two ways. What was demanded for this input has just arrived, and counts without another look; and
    nobody is told of what is used again on the way to something else.
    """
    asking = resolving.activation
    store = asking.strand.store
    source = planned.source
    arrived = resolving.arrived
    if source is NODE:
        evaluation = arrived or store.cells[planned.slot]
        if arrived is None and not is_current(asking, planned.upstream, evaluation):
            return Pull(asking, planned.upstream)
        resolving.arrived = None
        return output_of(evaluation, store, planned)
    if source is STATIC:
        if arrived is not None:
            resolving.arrived = None
            return output_of(arrived, store, planned)
        return kept(store, planned) or Pull(asking, planned.upstream)
    if source is SLOT:
        cell: Cell = store.cells[planned.slot] or constant(store, planned)
        return cell
    if source is CONSTANT:
        return planned.constant or NOTHING
    assert source is PORT
    resolving.arrived = None
    return from_outside(asking, planned, arrived)
