"""Graphs as bodies: calls (C1-C8).

A call of an exec graph is a run inside the run: a frame of its own with a store of its own, in the strand of whoever
calls. A data graph is evaluated as any data node is; what its inner nodes have computed hangs on the cells that it is
made of. Both keep to the stacks of `drive` and `demand`, so recursion costs neither Python's stack nor nurseries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioflow.errors import DepthExceeded
from trioflow.model.graph import StreamSettings
from trioflow.model.node_type import Node
from trioflow.runtime.base.cells import NOTHING, first_store
from trioflow.runtime.base.inputs import current, typed, value_of
from trioflow.runtime.base.records import Caller, DataFrame, ExecFrame, RunState, View, new_strand
from trioflow.runtime.bodies.kind import Body, BodyKind
from trioflow.runtime.bodies.life import combined, set_up, tear_down
from trioflow.runtime.context import BodyContext
from trioflow.runtime.demand.context import EvaluationContext
from trioflow.runtime.demand.inputs import all_inputs, kept_inputs
from trioflow.runtime.dispatch import cross
from trioflow.runtime.exits import write_results
from trioflow.semantics.events import LimitReached
from trioflow.semantics.plan import Plan, PlanNode, Target


def _make(node: PlanNode, instance: Node | None, streams: StreamSettings | None, again: bool) -> Body:
    return _exec_call(node, again=again) if node.type.is_exec else _data_call(node)


GRAPH = BodyKind(make=_make)


def _exec_call(node: PlanNode, *, again: bool) -> Body:
    """The body of a node that calls an exec graph (C3); `again` if it may be called several times in one (A5)."""
    eager = [(place, planned) for place, planned in enumerate(node.inputs) if not planned.socket.lazy]
    exits = node.type.exec_outputs

    async def body(activation: BodyContext) -> Any:
        plan = node.graph
        assert plan is not None
        run = activation.run
        outer = activation.strand
        cells = await (kept_inputs if again else all_inputs)(activation, node)  # D7
        inputs = [(place, planned, cells[place]) for place, planned in eager]
        frame = ExecFrame(plan, run.new_base(plan), activation)
        store = first_store(plan, run.next_serial, run.secrets, frame.prefix)
        frame.strand = new_strand(run, store, outer.nurseries, frame, Caller(node, outer), outermost=outer.outermost)
        if plan.enter is not None:
            for place, planned, cell in inputs:
                store.write(plan.enter.first_output + place, value_of(planned, cell), cell.origin)
        outer.frame.template.start(frame, run)
        living = frame.template.living
        try:
            if living:
                await set_up(frame, living, run)
            targets = _first_targets(plan, activation.entered)
            if targets:
                try:
                    await cross(activation, frame.strand, targets)
                finally:
                    activation.come_back()  # D6
            await write_results(View(activation, frame.strand), frame)
        except BaseException as error:
            failure = combined(error, await tear_down(frame, run), "call")
            if failure is not error and failure is not None:
                raise failure from error
            raise
        if frame.set_up:
            failure = combined(None, await tear_down(frame, run), "call")
            if failure is not None:
                raise failure
        reached = store.cells[plan.exit_slot] if exits else None
        return None if reached is None else exits[reached.value]  # C5, T6

    return body


def _first_targets(plan: Plan, entry: str | None) -> Sequence[Target]:
    """Where a call starts: behind its entry, or if the calling node is an initiator, at the graph's own initiators."""
    if entry is None:
        return plan.initiators
    assert plan.enter is not None
    return plan.enter.targets[plan.enter.type.exec_output_index[entry]]


def _data_call(node: PlanNode) -> Body:
    """The body of a node that calls a data graph, for one of its outputs (C2)."""

    async def body(context: EvaluationContext) -> None:
        plan = node.graph
        assert plan is not None
        assert plan.leave is not None
        run = context.run
        outer = context.strand
        frame = outer.frame.calls.get(node.id)
        if frame is None:
            frame = _data_frame(context, plan)
        if not frame.ready:
            await _prepare(frame, run)
        strand = new_strand(
            run, frame.store.fork(), outer.nurseries, frame, Caller(node, outer, context), outermost=outer.outermost
        )
        planned = plan.leave.inputs[node.only]
        view = View(context.line, strand)
        cell = current(view, planned)
        if cell is None:
            cell = await context.fetch(view, planned)
        if cell is not NOTHING:
            context.outputs[node.only] = typed(planned, cell)

    return body


def _data_frame(context: EvaluationContext, plan: Plan) -> DataFrame:
    run = context.run
    outer = context.strand.frame
    node = context.plan
    if outer.nesting >= run.max_depth:  # T9
        run.tell(LimitReached, context.line, node.id, "depth", run.max_depth)
        raise DepthExceeded(
            f"Data graphs nest deeper than {run.max_depth} at node {outer.prefix + node.id!r} ({node.type.id}). One "
            "that calls itself ends only behind a lazy input that is not asked for; if it does, raise "
            "RunOptions(max_depth=...).",
            limit="depth",
            value=run.max_depth,
        )
    frame = outer.calls[node.id] = DataFrame(plan, run.new_base(plan), outer, node.id, run)
    outer.template.start(frame, run)
    frame.set_up = outer.set_up
    frame.waiting = [*frame.template.living]
    frame.ready = not frame.waiting
    return frame


async def _prepare(frame: DataFrame, run: RunState) -> None:
    """Set up the nodes of a data graph when it is first asked for; they live as long as the graph around."""
    async with frame.lock:
        while frame.waiting:  # if one is cancelled, the next that asks goes on with it
            await set_up(frame, frame.waiting[:1], run)
            del frame.waiting[0]
        frame.ready = True
