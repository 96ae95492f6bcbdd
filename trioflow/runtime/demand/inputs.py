"""Resolving inputs: their current cells, after evaluating what is behind them (D1-D3, D7).

Salsa's way: `resolve` is `inputs.current`, which is hot, or `computed`, which is cold.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from time import perf_counter
from typing import Any, cast

from trioflow.model.context import DataContext
from trioflow.model.function_node import Lazy
from trioflow.model.node_type import FunctionBody
from trioflow.runtime.base.cells import LAZY, NOTHING
from trioflow.runtime.base.inputs import Pull, current, from_outside, kept, missing, output_of, value_of
from trioflow.runtime.base.records import Activation, Asking, RunState
from trioflow.runtime.demand.ahead import Ahead
from trioflow.runtime.demand.loop import demand
from trioflow.runtime.demand.static import at_once, compute
from trioflow.semantics.plan import PORT, STATIC, PlanInput, PlanNode
from trioflow.semantics.store import Cell


async def resolve(asking: Asking, planned: PlanInput) -> Cell:
    """The input's current cell; `NOTHING` if nothing supplies one."""
    cell = current(asking, planned)
    return await computed(asking, planned) if cell is None else cell


async def required(asking: Asking, node: PlanNode, planned: PlanInput) -> Cell:
    """The input's current cell. Raises `MissingInput`."""
    cell = await resolve(asking, planned)
    if cell is NOTHING:
        raise missing(node, planned)
    return cell


async def computed(asking: Asking, planned: PlanInput, ahead: Ahead | None = None) -> Cell:
    """The input's current cell, where `current` could not tell; `NOTHING` if nothing supplies one (D3).

    `ahead` is there if it is one of several that are resolved at once (D12).
    """
    if planned.source is PORT:
        found = from_outside(asking, planned)
        while isinstance(found, Pull):
            found = from_outside(asking, planned, await demand(found.activation, found.node, ahead))
        return found
    run = asking.strand.run
    store = asking.strand.store
    fast = planned.source is STATIC and run.schedule is None and (ahead is None or not ahead.active)
    if fast and store.cells[planned.slot] is None:
        cell: Cell | None = None
        if run.data_watch is None and perf_counter() < run.turn_due:
            cell = at_once(asking, planned)
        if cell is not None:
            return cell
        if await compute(asking, planned.upstream, asked=True):
            return cast("Cell", kept(store, planned))
    return output_of(await demand(asking, planned.upstream, ahead), store, planned)


async def all_inputs(activation: Activation, node: PlanNode) -> list[Cell]:
    """The cells of the eager inputs (D7), which are resolved at once if several may have to be waited for (D12).

    Raises `MissingInput`.
    """
    ahead: Ahead | None = None
    found: list[Cell] = []
    try:
        for planned in node.inputs:
            cell: Cell | None = LAZY if planned.socket.lazy else current(activation, planned)
            if cell is None:
                if ahead is None and node.ahead and activation.strand.run.options.max_ahead:
                    ahead = Ahead(activation, node)
                cell = await computed(activation, planned, ahead)
            if cell is NOTHING:
                raise missing(node, planned)
            found.append(cell)
    finally:
        if ahead is not None:
            await ahead.close()
    return found


async def kept_inputs(activation: Activation, node: PlanNode) -> list[Cell]:
    """The cells of the eager inputs (D7), resolved once for all attempts of an activation (A5)."""
    rarely = activation.rarely
    if not rarely.kept:
        found = await all_inputs(activation, node)
        if rarely.kept is None:
            rarely.kept = found
        elif not rarely.kept:  # else concurrent attempts have resolved them, and one of them was the first
            rarely.kept += found  # one list for all attempts
    return rarely.kept


def arguments(
    node: PlanNode,
    context: DataContext,
    run: RunState,
    cells: list[Cell],
    pull: Callable[[str], Coroutine[Any, Any, Any]],
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
