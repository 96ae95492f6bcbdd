"""Methods of instances as bodies: a frame has one instance for each node whose type is a class."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from trioflow.model.graph import StreamSettings
from trioflow.model.node_type import Node
from trioflow.runtime.base.cells import NOTHING
from trioflow.runtime.base.inputs import current, missing
from trioflow.runtime.bodies.kind import Body, BodyKind
from trioflow.runtime.bodies.streams import with_streams
from trioflow.runtime.context import BodyContext
from trioflow.runtime.demand.inputs import all_inputs, computed, kept_inputs, required
from trioflow.semantics.plan import STATIC, PlanNode
from trioflow.semantics.store import LEFT_UNSET


def _make(node: PlanNode, instance: Node | None, streams: StreamSettings | None, again: bool) -> Body:
    assert instance is not None
    body: Any = instance.execute
    if not node.type.is_exec:
        return body  # type: ignore[no-any-return]  # a data node's body takes a context that can less
    if node.to_resolve:
        body = _with_kept_inputs(node, body) if again else _with_inputs(node, body)
    if node.type.durable == "source":
        body = _as_source(body)
    return with_streams(node, body, streams) if node.streams or node.progress else body


INSTANCE = BodyKind(make=_make, has_instance=True)


def _as_source(inner: Body) -> Body:
    async def body(activation: BodyContext) -> Any:
        return await activation.as_source(inner)

    return body


def _with_inputs(node: PlanNode, inner: Body) -> Body:
    to_resolve = node.to_resolve

    def body(activation: BodyContext) -> Coroutine[Any, Any, Any]:
        strand = activation.strand
        cells = strand.store.cells
        watched = strand.run.data_watch is not None
        for planned in to_resolve:  # a copy of inputs.current
            cell = cells[planned.there] or planned.fallback
            if cell is None or cell is LEFT_UNSET or (watched and planned.source is STATIC):
                return resolving(activation)
        return inner(activation)  # all is there, so there is nothing to wait for

    async def resolving(activation: BodyContext) -> Any:
        if node.ahead:
            await all_inputs(activation, node)
            return await inner(activation)
        for planned in to_resolve:
            cell = current(activation, planned)
            if cell is None:
                cell = await computed(activation, planned)
            if cell is NOTHING:
                raise missing(node, planned)
        return await inner(activation)

    return body


def _with_kept_inputs(node: PlanNode, inner: Body) -> Body:
    async def body(activation: BodyContext) -> Any:
        await kept_inputs(activation, node)  # D7
        return await inner(activation)

    return body


# --- when they are first needed --------------------------------------------------------------------------------------


def first_alone(context: Any) -> Coroutine[Any, Any, Any]:
    """The same where the body is the method of an instance, and nothing around it.

    Most nodes of a large graph may be of this kind or the next, and needed once. So what is called is not kept yet:
    each object that is makes the garbage collector look sooner at all that the process has.
    """
    execute: Body = _instance(context).execute
    return execute(context)


async def first_resolving(activation: BodyContext) -> Any:
    """The same with inputs to be resolved before (D7)."""
    instance = _instance(activation)
    node = activation.plan
    if node.ahead:
        await all_inputs(activation, node)
    else:
        for planned in node.to_resolve:
            await required(activation, node, planned)
    return await instance.execute(activation)


def _instance(context: Any) -> Node:
    node = context.plan
    frame = context.strand.frame
    cls: Any = node.type.body
    instance: Node | None = frame.instances[node.index]
    if instance is None:
        frame.instances[node.index] = instance = cls()
        assert instance is not None
    frame.bodies[node.index] = second
    return instance


def second(context: Any) -> Coroutine[Any, Any, Any]:
    """The body of such a node when it is needed again."""
    node = context.plan
    frame = context.strand.frame
    body: Body = frame.template.body(node, frame.instances[node.index])
    frame.bodies[node.index] = body
    return body(context)
