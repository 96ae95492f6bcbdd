"""Streams around a body: their settings, their forks, and the done sockets (S2, S5); also what its progress forks."""

from __future__ import annotations

from typing import Any

from trioflow.model.graph import StreamSettings
from trioflow.model.sockets import ErrorMode, StreamMode
from trioflow.runtime.base.records import StreamRun
from trioflow.runtime.bodies.kind import Body
from trioflow.runtime.context import BodyContext
from trioflow.runtime.strands.forks import OpenForks
from trioflow.semantics.plan import PlanNode, PlanStream


def with_streams(node: PlanNode, inner: Body, override: StreamSettings | None) -> Body:
    """A body whose streams run as the graph and the run say."""
    settings = [(stream, node.targets[stream.fires], _settings(stream, override)) for stream in node.streams]
    concurrent = bool(node.progress) or any(mode == "concurrent" for _, _, (mode, _, _) in settings)

    async def body(context: BodyContext) -> Any:
        context.rarely.streams = tuple(StreamRun(*each) for each in settings)
        if concurrent:
            async with OpenForks(context, context.strand, node.id) as forks:
                context.rarely.forks = forks
                outcome = await inner(context)
        else:
            outcome = await inner(context)
        return await _fire_done(context) if outcome is None else outcome

    return body


def _settings(stream: PlanStream, override: StreamSettings | None) -> tuple[StreamMode, int | None, ErrorMode]:
    """The run's settings before those of the graph, before those of the type (S2)."""
    if override is None:
        return stream.mode, stream.limit, stream.on_error
    limit = stream.limit if override.limit is None else override.limit or None
    return override.mode or stream.mode, limit, override.on_error or stream.on_error


async def _fire_done(context: BodyContext) -> Any:
    """S5: after every item's chain ended. Triggers the done sockets but the last, which it returns."""
    last = None
    for stream in context.rarely.streams:
        if stream.plan.done is not None and not stream.fired:
            if last is not None:
                await context.trigger(last)
            last = context.plan.type.exec_outputs[stream.plan.done]
    return last
