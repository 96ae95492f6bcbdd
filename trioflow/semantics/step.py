"""Steps of plain functions: an exec node that is one is a call of it, with the values of its inputs, and a write (T3).

Nothing is awaited, so it needs neither a coroutine nor an activation. What has to be evaluated, coerced, asked for or
told is unusual here: then the step is not taken, and the node is dispatched as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from trioflow.model.exits import chosen
from trioflow.model.node_type import FunctionBody
from trioflow.semantics.store import LEFT_UNSET, Cell, Store

if TYPE_CHECKING:
    from trioflow.model.node_type import NodeType
    from trioflow.semantics.plan import PlanInput, Target

Targets = Sequence["Target"]
Step = Callable[[Store], Targets | None]
"""Calls the function and writes what it returns. Gives where control goes on; None if it was not called."""


def step_of(
    node_type: NodeType, inputs: Sequence[PlanInput], first_output: int, targets: Sequence[Targets]
) -> Step | None:
    """The step of an exec node, whose inputs are all where the store keeps them; None if its function is not plain."""
    function = node_type.body
    if not isinstance(function, FunctionBody) or not function.is_plain or function.result == "fields":
        return None
    then = targets[0]
    call = function.function
    if function.chooses:
        return _of_many(node_type, function, inputs, first_output, targets)
    if function.result == "single" and len(inputs) == 1:
        return _of_one(call, inputs[0], first_output, then)
    if function.result == "single" and not inputs:

        def step(store: Store) -> Targets | None:
            store.write(first_output, call())  # a copy of writes.write_output
            return then

        return step
    return _of_many(node_type, function, inputs, first_output, targets)


def _of_one(call: Callable[..., Any], planned: PlanInput, first_output: int, then: Targets) -> Step:
    there, fallback, passing = planned.there, planned.fallback, planned.passing
    untyped = planned.coercer is None

    def step(store: Store) -> Targets | None:
        cell: Cell | None = store.cells[there] or fallback  # a copy of inputs.current
        if cell is None or cell is LEFT_UNSET:
            return None
        value = cell.value
        if type(value) not in passing and not untyped and cell is not fallback:
            return None
        store.write(first_output, call(value))  # a copy of writes.write_output
        return then

    return step


def _of_many(
    node_type: NodeType,
    function: FunctionBody,
    inputs: Sequence[PlanInput],
    first_output: int,
    targets: Sequence[Targets],
) -> Step:
    call = function.function
    single = function.result == "single"
    then = targets[0]
    # Where it goes on by what it returns, if it has several exec outputs.
    ways: dict[str | None, Targets] | None = None
    if function.chooses:
        ways = {None: (), **dict(zip([each.name for each in node_type.exec_outputs], targets, strict=True))}
    wants = [(each.there, each.fallback, each.passing, each.coercer is None) for each in inputs]

    def step(store: Store) -> Targets | None:
        cells = store.cells
        values: list[Any] = []
        for there, fallback, passing, untyped in wants:
            cell: Cell | None = cells[there] or fallback  # a copy of inputs.current
            if cell is None or cell is LEFT_UNSET:
                return None
            value = cell.value
            if type(value) not in passing and not untyped and cell is not fallback:
                return None
            values.append(value)
        result = call(*values)
        onward = then
        if ways is not None:
            name, result = chosen(node_type, result)
            onward = ways[name]
        if single:
            store.write(first_output, result)  # a copy of writes.write_output
        return onward

    return step
