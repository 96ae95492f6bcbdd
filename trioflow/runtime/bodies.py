"""Bodies: what a run calls for each node, put together when the node is first needed.

From the inside out: the node's own code, the resolution of its inputs (D7), its forks (F2); around them come the
middlewares (`invocation`). A node that needs none of these is called directly.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import TYPE_CHECKING, Any

from trioflow.model.node_type import FunctionBody, Node
from trioflow.runtime import demand
from trioflow.runtime.activation import Activation, StreamRun
from trioflow.runtime.demand import DataActivation, arguments
from trioflow.runtime.forks import OpenForks
from trioflow.runtime.ports import NOTHING, missing, value_of
from trioflow.runtime.static import at_once
from trioflow.semantics.plan import STATIC
from trioflow.semantics.store import LEFT_UNSET

if TYPE_CHECKING:
    from trioflow.model.graph import StreamSettings
    from trioflow.model.sockets import ErrorMode, StreamMode
    from trioflow.semantics.plan import PlanNode, PlanStream
    from trioflow.semantics.store import Cell

ExecBody = Callable[[Activation], Coroutine[Any, Any, Any]]
DataBody = Callable[[DataActivation], Coroutine[Any, Any, Any]]
AnyBody = Callable[[Any], Coroutine[Any, Any, Any]]


def exec_body(node: PlanNode, instance: Node | None, override: StreamSettings | None, *, again: bool) -> ExecBody:
    """What is called for each activation of an exec node; `again` if it may be called several times in one (A5)."""
    body: ExecBody
    if instance is None:
        body = _function(node, again=again)
    else:
        body = instance.execute
        if node.to_resolve:
            body = _with_kept_inputs(node, body) if again else _with_inputs(node, body)
    if node.streams:
        body = _with_streams(node, body, override)
    return body


def data_body(node: PlanNode, instance: Node | None) -> DataBody:
    """What is called for each evaluation of a data node whose function can't be called as it is."""
    function = node.type.body
    if isinstance(function, FunctionBody):
        return _data_function(node, function)
    assert instance is not None
    return instance.execute  # type: ignore[return-value]  # a data node's body takes a context that can less


def _function(node: PlanNode, *, again: bool) -> ExecBody:
    function = node.type.body
    assert isinstance(function, FunctionBody)
    if not again and all(parameter.fill == "input" for parameter in function.parameters):
        return _function_of_inputs(node, function)

    async def body(activation: Activation) -> Any:
        cells = await demand.kept_inputs(activation, node)  # D7
        result = function.function(*arguments(node, activation, activation.run, cells, activation.get_input))
        return _write_result(activation, function, await result if function.is_async else result)

    return body


def _function_of_inputs(node: PlanNode, function: FunctionBody) -> ExecBody:
    """A function that gets values of inputs, and nothing else: in a loop, most of a round is spent here."""
    call = function.function
    inputs = node.inputs
    one = len(inputs) == 1
    exact = inputs[0].passes if one else None
    is_async = function.is_async
    single = function.result == "single"
    first_output = node.first_output
    then = node.type.exec_outputs[0]

    async def body(activation: Activation) -> Any:
        strand = activation.strand
        run = strand.run
        store = strand.store
        cell: Cell | None = None
        cells: list[Cell] = []
        for planned in inputs:
            # As `resolve` does: most inputs are there, or need no more than a call of a function.
            cell = store.cells[planned.there] or planned.fallback
            if cell is None or cell is LEFT_UNSET or (run.data_watch is not None and planned.source is STATIC):
                cell = None
                # The clock was looked at when this was dispatched.
                if planned.source is STATIC and run.data_watch is None and (not cells or perf_counter() < run.turn_due):
                    cell = at_once(activation, planned)
                if cell is None:
                    cell = await demand.resolve(activation, node, planned)  # D7
            cells.append(cell)
        if one and cell is not None and (exact is None or type(cell.value) is exact):
            result = call(cell.value)
        else:
            result = call(*map(value_of, inputs, cells))
        if is_async:
            result = await result
        if single and run.data_watch is None:
            store.write(first_output, result)  # as `set_output` does, without looking it up
            return then  # T6
        return _write_result(activation, function, result)

    return body


def _write_result(activation: Activation, function: FunctionBody, result: Any) -> Any:
    """Write what the function of an exec node has returned; tells where it goes on."""
    node_type = activation.plan.type
    if function.result == "single":
        activation.set_output(node_type.outputs[0], result)
    elif function.result == "fields":
        for output, value in zip(node_type.outputs, result, strict=True):
            activation.set_output(output, value)
    return node_type.exec_outputs[0]  # T6


def _data_function(node: PlanNode, function: FunctionBody) -> DataBody:
    async def body(context: DataActivation) -> Any:
        result = function.function(*arguments(node, context, context.run, context.used, context.get_input))
        return await result if function.is_async else result

    return body


def _with_inputs(node: PlanNode, inner: ExecBody) -> ExecBody:
    to_resolve = node.to_resolve

    def body(activation: Activation) -> Coroutine[Any, Any, Any]:
        strand = activation.strand
        cells = strand.store.cells
        watched = strand.run.data_watch is not None
        for planned in to_resolve:
            cell = cells[planned.there] or planned.fallback
            if cell is None or cell is LEFT_UNSET or (watched and planned.source is STATIC):
                return resolving(activation)
        return inner(activation)  # all is there, so there is nothing to wait for

    async def resolving(activation: Activation) -> Any:
        for planned in to_resolve:
            cell = demand.look(activation, planned)
            if cell is None:
                cell = await demand.evaluate(activation, planned)
            if cell is NOTHING:
                raise missing(node, planned)
        return await inner(activation)

    return body


def _with_kept_inputs(node: PlanNode, inner: ExecBody) -> ExecBody:
    async def body(activation: Activation) -> Any:
        await demand.kept_inputs(activation, node)  # D7
        return await inner(activation)

    return body


def _with_streams(node: PlanNode, inner: ExecBody, override: StreamSettings | None) -> ExecBody:
    settings = [(stream, node.targets[stream.fires], _settings(stream, override)) for stream in node.streams]
    concurrent = any(mode == "concurrent" for _, _, (mode, _, _) in settings)

    async def body(activation: Activation) -> Any:
        activation.rarely.streams = tuple(StreamRun(*each) for each in settings)
        if concurrent:
            async with OpenForks(activation, activation.strand, node.id) as forks:
                activation.rarely.forks = forks
                outcome = await inner(activation)
        else:
            outcome = await inner(activation)
        return await activation.fire_done() if outcome is None else outcome

    return body


def _settings(stream: PlanStream, override: StreamSettings | None) -> tuple[StreamMode, int | None, ErrorMode]:
    """The run's settings before those of the graph, before those of the type (S2)."""
    if override is None:
        return stream.mode, stream.limit, stream.on_error
    limit = stream.limit if override.limit is None else override.limit or None
    return override.mode or stream.mode, limit, override.on_error or stream.on_error
