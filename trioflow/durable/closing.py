"""The middleware that keeps what streams and called graphs have come to, when they have ended (J26).

What they did is in many records. When one has ended with enough of them below it, one record says what all of it has
written, and at which exec output control goes on. Then nothing of it is run again. It is around all other middlewares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trioflow.durable.activation import JournalledActivation
from trioflow.durable.keys import part_key, path_key
from trioflow.durable.kinds import kind_of
from trioflow.durable.moment import WHOLE, Moment
from trioflow.durable.recorder import Recorder, is_cancelled
from trioflow.durable.scopes import at_firing
from trioflow.model.composition import GraphBody
from trioflow.runtime.wrapping.middleware import Middleware

if TYPE_CHECKING:
    from trioflow.model.graph import GraphNode
    from trioflow.model.node_type import NodeType
    from trioflow.runtime.wrapping.invocation import Invocation, Outcome


class Closing(Middleware):
    """Around the bodies of streams, sources, calls of graphs that act, and of types that do not say what they are."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def applies(self, node: GraphNode, node_type: NodeType) -> bool:
        kind = kind_of(node_type, node)
        if not node_type.is_exec or kind in {"recorded", "transaction"}:
            return False
        return kind == "auto" or bool(node_type.streams) or isinstance(node_type.body, GraphBody)

    async def __call__(self, invocation: Invocation) -> Outcome:
        context: Any = invocation.context
        assert isinstance(context, JournalledActivation)
        recorder = self._recorder
        moments = recorder.moments
        known = recorder.find(part_key(path_key(context.path), "w"), context.name, (WHOLE,), "all of it")
        if known is not None:
            moment = Moment.of(known)
            moments.go_on(context, moment)
            return invocation.answer(exit=moment.exit)
        await at_firing(recorder, context)
        since = context.run.next_serial()
        seen = recorder.recorded + recorder.replayed
        failures = moments.before(context)
        own = moments.begin(context)
        try:
            outcome = await invocation()
        finally:
            moments.end(context, own)
        # What ends while it is being cancelled has come to that only if it waits for nothing more (J8).
        is_end = outcome.skipped is None and not is_cancelled()
        if is_end and moments.is_worth(recorder.recorded + recorder.replayed - seen):
            moments.ended(context, since, own, failures, outcome.exit)
            if moments.is_due:
                await recorder.barrier()
                await moments.sweep()
        return outcome
