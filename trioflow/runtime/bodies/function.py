"""Functions as bodies."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from trioflow.model.exits import chosen
from trioflow.model.graph import StreamSettings
from trioflow.model.node_type import FunctionBody, Node, NodeType, Parameter
from trioflow.model.unfinished import Unfinished
from trioflow.runtime.base.inputs import value_of
from trioflow.runtime.base.writes import write_output
from trioflow.runtime.bodies.kind import Body, BodyKind
from trioflow.runtime.bodies.streams import with_streams
from trioflow.runtime.context import BodyContext
from trioflow.runtime.demand.context import EvaluationContext
from trioflow.runtime.demand.inputs import arguments, kept_inputs, required
from trioflow.runtime.demand.lazy import LazyInput
from trioflow.runtime.demand.static import at_once
from trioflow.semantics.plan import STATIC, PlanNode
from trioflow.semantics.store import LEFT_UNSET

if TYPE_CHECKING:
    from trioflow.semantics.store import Cell


def _make(node: PlanNode, instance: Node | None, streams: StreamSettings | None, again: bool) -> Body:
    function = node.type.body
    assert isinstance(function, FunctionBody)
    if not node.type.is_exec:
        return _data(node, function)
    if not again and not node.ahead and function.takes_values:
        body = _of_inputs(node, function)
    else:
        body = _of_anything(node, function)
    return with_streams(node, body, streams) if node.streams or node.progress else body


def _is_called_as_it_is(node_type: NodeType) -> bool:
    function = node_type.body
    assert isinstance(function, FunctionBody)
    return (function.takes_values or function.may_pick) and not node_type.is_exec


FUNCTION = BodyKind(make=_make, plain=_is_called_as_it_is)


def _data(node: PlanNode, function: FunctionBody) -> Body:
    call = function.function
    is_async = function.is_async
    fills = [_fill(node, parameter) for parameter in function.parameters]

    async def body(context: EvaluationContext) -> Any:
        try:
            result: Any = call(*[fill(context) for fill in fills])
        except Unfinished as unfinished:
            return await unfinished.rest()
        if type(result) is LazyInput and not is_async:
            return await result()
        return await cast("Any", result) if is_async else result

    return body


def _fill(node: PlanNode, parameter: Parameter) -> Callable[[EvaluationContext], Any]:
    """What gives the argument of one parameter of a data node's function."""
    if parameter.fill == "context":
        return lambda context: context
    if parameter.fill == "service":
        return lambda context: context.services.get(parameter.service)
    place = node.type.input_index[parameter.name]
    planned = node.inputs[place]
    if parameter.fill == "lazy":
        return lambda context: LazyInput(context, planned)
    return lambda context: value_of(planned, context.used[place])


def _of_anything(node: PlanNode, function: FunctionBody) -> Body:
    """A function that gets its inputs, kept for all attempts, and perhaps lazy ones, services, the context."""

    async def body(context: BodyContext) -> Any:
        cells = await kept_inputs(context, node)  # D7
        result = function.function(*arguments(node, context, context.run, cells, context.get_input))
        return _write_result(context, function, await result if function.is_async else result)

    return body


def _of_inputs(node: PlanNode, function: FunctionBody) -> Body:
    """A function that gets values of inputs, and nothing else: in a loop, most of a round is spent here."""
    call = function.function
    inputs = node.inputs
    one = len(inputs) == 1
    passes = inputs[0].passes if one else None
    is_async = function.is_async
    single = function.result == "single" and not function.chooses
    first_output = node.first_output
    then = node.type.exec_outputs[0]

    async def body(activation: BodyContext) -> Any:
        strand = activation.strand
        run = strand.run
        store = strand.store
        cell: Cell | None = None
        cells: list[Cell] = []
        for planned in inputs:
            # A copy of inputs.current: most inputs are there, or need no more than a call of a function.
            cell = store.cells[planned.there] or planned.fallback
            if cell is None or cell is LEFT_UNSET or (run.data_watch is not None and planned.source is STATIC):
                cell = None
                # The clock was looked at when this was dispatched.
                if planned.source is STATIC and run.data_watch is None and (not cells or perf_counter() < run.turn_due):
                    cell = at_once(activation, planned)
                if cell is None:
                    cell = await required(activation, node, planned)  # D7
            cells.append(cell)
        if one and cell is not None and (passes is None or type(cell.value) in passes):
            result = call(cell.value)
        else:
            result = call(*map(value_of, inputs, cells))
        if is_async:
            result = await result
        if single and run.data_watch is None:
            store.write(first_output, result)  # copy of writes.write_output
            return then  # T6
        return _write_result(activation, function, result)

    return body


def _write_result(context: BodyContext, function: FunctionBody, result: Any) -> Any:
    """Write what the function of an exec node has returned; tells where it goes on."""
    exit_: Any = context.plan.type.exec_outputs[0]
    if function.chooses:
        exit_, result = chosen(context.plan.type, result)
    if function.result != "none":
        outputs = zip(context.plan.type.outputs, function.values_of(result), strict=True)
        for place, (_, value) in enumerate(outputs):
            write_output(context, place, value)
    return exit_  # T6
