"""pydantic-graph: typed steps joined by edges, made with its `GraphBuilder`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic_graph import BaseNode, End, GraphBuilder, GraphRunContext, StepContext, reduce_null, reduce_sum

from benchmarks.lib.in_asyncio import Meeting, Run, cancelling, importing, waiting_for_a_turn

DISTRIBUTION = "pydantic-graph"
RUNNER = "asyncio"
CANNOT = {
    **dict.fromkeys(
        ("loop_data", "data_chain", "data_diamonds", "data_layers", "data_reuse", "data_change"),
        "no data nodes: a step gets its value from the step before",
    ),
    "chain_awaited": "a step can't await another",
    "sleepers_virtual": "no virtual clock",
    "load": "a graph is code, not a document",
    **dict.fromkeys(("observers_0", "observers_1", "observers_3", "observers_file"), "no events but spans of Logfire"),
    "pause": "nothing can be paused while it runs",
    "first_step": "a run can't be ended after a step by what is in the graph",
}


@dataclass
class Counting:
    """How often a node ran, and is to run."""

    left: int


@dataclass
class Count(BaseNode[Counting, None, int]):
    """Follows itself until it ran often enough."""

    async def run(self, ctx: GraphRunContext[Counting]) -> Count | End[int]:
        ctx.state.left -= 1
        return Count() if ctx.state.left > 0 else End(0)


def loop(size: int) -> Run:
    builder = GraphBuilder(state_type=Counting, output_type=int, auto_instrument=False)

    @builder.step
    async def begin(ctx: StepContext[Counting, None, None]) -> Count:
        return Count()

    builder.add(builder.node(Count), builder.edge_from(builder.start_node).to(begin))
    graph = builder.build()

    async def run() -> int:
        state = Counting(size)
        await graph.run(state=state)
        return size - state.left

    return run


hand_over = long_loop = loop


async def _step(ctx: StepContext[Counting, None, Any]) -> None:
    ctx.state.left -= 1


def _chain(size: int) -> GraphBuilder[Counting, None, None, None]:
    builder = GraphBuilder(state_type=Counting, output_type=type(None), auto_instrument=False)
    before: Any = builder.start_node
    for number in range(size):
        step = builder.step(_step, node_id=f"n{number}")
        builder.add(builder.edge_from(before).to(step))
        before = step
    builder.add(builder.edge_from(before).to(builder.end_node))
    return builder


def _counted(graph: Any, size: int) -> Run:
    async def run() -> int:
        state = Counting(size)
        await graph.run(state=state)
        return size - state.left

    return run


def chain(size: int) -> Run:
    return _counted(_chain(size).build(), size)


def fan_out(size: int) -> Run:
    builder = GraphBuilder(state_type=Counting, output_type=type(None), auto_instrument=False)
    steps = [builder.step(_step, node_id=f"n{number}") for number in range(size)]
    joined = builder.join(reduce_null, initial=None)
    builder.add(
        builder.edge_from(builder.start_node).to(*steps),
        builder.edge_from(*steps).to(joined),
        builder.edge_from(joined).to(builder.end_node),
    )
    return _counted(builder.build(), size)


def _items(size: int, item: Callable[[StepContext[Counting, None, int]], Awaitable[int]]) -> Run:
    builder = GraphBuilder(state_type=Counting, output_type=int, auto_instrument=False)

    @builder.step
    async def numbers(ctx: StepContext[Counting, None, None]) -> range:
        return range(size)

    step = builder.step(item, node_id="item")
    joined = builder.join(reduce_sum, initial=0)
    builder.add(
        builder.edge_from(builder.start_node).to(numbers),
        builder.edge_from(numbers).map().to(step),
        builder.edge_from(step).to(joined),
        builder.edge_from(joined).to(builder.end_node),
    )
    graph = builder.build()

    async def run() -> int:
        return await graph.run(state=Counting(0))

    return run


def emit(size: int) -> Run:
    async def item(ctx: StepContext[Counting, None, int]) -> int:
        return 1

    return _items(size, item)


long_emit = emit


def emit_writes(size: int) -> Run:
    async def item(ctx: StepContext[Counting, None, int]) -> int:
        ctx.state.left += 1
        return 1

    return _items(size, item)


def sleepers(size: int) -> Run:
    async def item(ctx: StepContext[Counting, None, int]) -> int:
        await asyncio.sleep(0.01)
        return 1

    return _items(size, item)


def together(size: int) -> Run:
    meeting = Meeting(size)

    async def item(ctx: StepContext[Counting, None, int]) -> int:
        await meeting.come()
        return 1

    return _items(size, item)


def import_(size: int) -> Callable[[], float]:
    return importing("pydantic_graph")


def build(size: int) -> Callable[[], None]:
    def run() -> None:
        _chain(size)

    return run


def plan(size: int) -> Callable[[], None]:
    builder = _chain(size)

    def run() -> None:
        builder.build()

    return run


def cancel(size: int) -> Run:
    begun: list[int] = []

    async def item(ctx: StepContext[Counting, None, int]) -> int:
        begun.append(1)
        await asyncio.sleep(3600)
        return 1

    run = _items(size, item)

    def start() -> Any:
        begun.clear()
        return run()

    return cancelling(start, lambda: len(begun) == size)


def host_gap(size: int) -> Run:
    return waiting_for_a_turn(loop(64), size)
