"""Bodies: what a run calls for each node, put together when the node is first needed.

From the inside out: the node's own code, the resolution of its inputs (D7), its forks (F2), the middlewares. A node
that needs none of these is called directly.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from time import perf_counter
from typing import TYPE_CHECKING, Any

from trioflow.model.node_type import FunctionBody, Node
from trioflow.runtime import demand
from trioflow.runtime.activation import Activation, StreamRun
from trioflow.runtime.demand import DataActivation, arguments
from trioflow.runtime.forks import open_forks
from trioflow.runtime.middleware import Invocation, Middleware
from trioflow.runtime.ports import value_of
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


def exec_body(
    node: PlanNode, instance: Node | None, override: StreamSettings | None, middlewares: Sequence[Middleware]
) -> ExecBody:
    """What is called for each activation of an exec node."""
    body: ExecBody
    if instance is None:
        body = _function(node)
    else:
        body = instance.execute
        if node.to_resolve:
            body = _with_inputs(node, body)
    if node.streams:
        body = _with_streams(node, body, override)
    return wrapped(body, middlewares)


def data_body(node: PlanNode, instance: Node | None, middlewares: Sequence[Middleware]) -> DataBody:
    """What is called for each evaluation of a data node whose function can't be called as it is."""
    function = node.type.body
    if isinstance(function, FunctionBody):
        return wrapped(_data_function(node, function), middlewares)
    assert instance is not None
    return wrapped(instance.execute, middlewares)


def _function(node: PlanNode) -> ExecBody:
    function = node.type.body
    assert isinstance(function, FunctionBody)
    call = function.function
    plain = all(parameter.fill == "input" for parameter in function.parameters)
    is_async = function.is_async
    inputs = node.inputs
    one = len(inputs) == 1
    then = node.type.exec_outputs[0]
    outputs = node.type.outputs
    single = function.result == "single"

    async def body(activation: Activation) -> Any:
        strand = activation.strand
        run = strand.run
        cells = strand.store.cells
        watched = run.watch is not None
        value: Any = None
        values: list[Any] = []
        for planned in inputs:  # D7
            cell: Cell | None = cells[planned.there] or planned.fallback
            if cell is None or watched or cell is LEFT_UNSET:
                if (
                    watched
                    or planned.source is not STATIC
                    # The clock was looked at when this was dispatched.
                    or (values and perf_counter() > run.turn_due)
                    or (cell := at_once(activation, planned)) is None
                ):
                    cell = await demand.resolve(activation, node, planned)
            value = cell.value
            if type(value) is not planned.exact and planned.coercer is not None:
                value = value_of(planned, cell)
            values.append(value)
        result = call(value) if one else call(*values)
        if is_async:
            result = await result
        if single and run.watch is None:
            strand.store.write(node.first_output, result)  # as `set_output` does, without looking it up
        elif single:
            activation.set_output(outputs[0], result)
        elif function.result == "fields":
            for output, value in zip(outputs, result, strict=True):
                activation.set_output(output, value)
        return then  # T6

    async def filled(activation: Activation) -> Any:
        cells: list[Cell] = [
            demand.LAZY if planned.socket.lazy else await demand.resolve(activation, node, planned)
            for planned in inputs  # D7
        ]
        result = call(*arguments(node, activation, activation.run, cells, activation.get_input))
        if is_async:
            result = await result
        if function.result == "single":
            activation.set_output(outputs[0], result)
        elif function.result == "fields":
            for output, value in zip(outputs, result, strict=True):
                activation.set_output(output, value)
        return then  # T6

    return body if plain else filled


def _data_function(node: PlanNode, function: FunctionBody) -> DataBody:
    async def body(context: DataActivation) -> Any:
        result = function.function(*arguments(node, context, context.run, context.used, context.get_input))
        return await result if function.is_async else result

    return body


def _with_inputs(node: PlanNode, inner: ExecBody) -> ExecBody:
    to_resolve = node.to_resolve

    async def body(activation: Activation) -> Any:
        for planned in to_resolve:
            await demand.resolve(activation, node, planned)
        return await inner(activation)

    return body


def _with_streams(node: PlanNode, inner: ExecBody, override: StreamSettings | None) -> ExecBody:
    settings = [(stream, _settings(stream, override)) for stream in node.streams]
    concurrent = any(mode == "concurrent" for _, (mode, _, _) in settings)

    async def body(activation: Activation) -> Any:
        activation.rarely.streams = tuple(StreamRun(stream, chosen) for stream, chosen in settings)
        async with AsyncExitStack() as stack:
            if concurrent:
                activation.rarely.forks = await stack.enter_async_context(
                    open_forks(activation, activation.strand, node.id)
                )
            outcome = await inner(activation)
        return await activation.fire_done() if outcome is None else outcome

    return body


def _settings(stream: PlanStream, override: StreamSettings | None) -> tuple[StreamMode, int | None, ErrorMode]:
    """The run's settings before those of the graph, before those of the type (S2)."""
    if override is None:
        return stream.mode, stream.limit, stream.on_error
    limit = stream.limit if override.limit is None else override.limit or None
    return override.mode or stream.mode, limit, override.on_error or stream.on_error


AnyBody = Callable[[Any], Coroutine[Any, Any, Any]]


def wrapped(body: AnyBody, middlewares: Sequence[Middleware]) -> AnyBody:
    """A body with the middlewares around it, the first outermost."""
    for middleware in reversed(middlewares):
        body = _wrap(body, middleware)
    return body


def _wrap(inner: AnyBody, middleware: Middleware) -> AnyBody:
    async def body(context: Any) -> Any:
        return await middleware(Invocation(context, inner))

    return body
