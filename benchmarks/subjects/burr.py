"""Apache Burr: actions over an immutable state, joined by transitions; `MapStates` for items that run side by side."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from typing import Any

from burr.core import ApplicationBuilder, ApplicationContext, Condition, GraphBuilder, State, action, default
from burr.core.parallelism import MapStates
from burr.lifecycle import PostRunStepHookAsync, PreRunStepHookAsync

from benchmarks.lib.in_asyncio import Meeting, Run, cancelling, importing, waiting_for_a_turn

DISTRIBUTION = "apache-burr"
RUNNER = "asyncio"
CANNOT = {
    **dict.fromkeys(
        ("loop_data", "data_chain", "data_diamonds", "data_layers", "data_reuse", "data_change"),
        "no data nodes: values are in one state",
    ),
    **dict.fromkeys(
        ("workflow_layers", "workflow_fan", "workflow_fan_waiting", "workflow_rounds"),
        "one action after the other: actions don't fork, but for items",
    ),
    "chain_awaited": "an action can't await another of its graph",
    "fan_out": "of all transitions of an action the first that holds is taken",
    "sleepers_virtual": "no virtual clock",
    "load": "a graph is code, not a document",
    "observers_file": "its tracker writes to a folder of its own, together with code and state",
    "pause": "halts only before or after named actions, by ending the run",
}


@action(reads=["count"], writes=["count"])
async def _count(state: State) -> State:
    return state.update(count=state["count"] + 1)


def _counting(size: int, *hooks: Any) -> Run:
    @action(reads=["count"], writes=[])
    async def done(state: State) -> State:
        return state

    graph = (
        GraphBuilder()
        .with_actions(body=_count, done=done)
        .with_transitions(("body", "done", Condition.lmda(lambda state: state["count"] >= size, ["count"])))
        .with_transitions(("body", "body", default))
        .build()
    )

    async def run() -> int:
        builder = ApplicationBuilder().with_graph(graph).with_state(count=0).with_entrypoint("body")
        app = await builder.with_hooks(*hooks).abuild()
        return (await app.arun(halt_after=["done"]))[2]["count"]

    return run


def loop(size: int) -> Run:
    return _counting(size)


hand_over = long_loop = observers_0 = loop


def _chain(size: int) -> GraphBuilder:
    names = [f"n{number}" for number in range(size)]
    builder = GraphBuilder().with_actions(**dict.fromkeys(names, _count))
    return builder.with_transitions(*itertools.pairwise(names))


def _chained(size: int, last: int) -> Run:
    graph = _chain(size).build()

    async def run() -> int:
        app = await ApplicationBuilder().with_graph(graph).with_state(count=0).with_entrypoint("n0").abuild()
        return (await app.arun(halt_after=[f"n{last}"]))[2]["count"]

    return run


def chain(size: int) -> Run:
    return _chained(size, size - 1)


def first_step(size: int) -> Run:
    run = _chained(size, 0)

    async def once() -> None:
        await run()

    return once


def _items(size: int, each: Callable[[State], Any]) -> Run:
    class Items(MapStates):
        """An item is an application of its own."""

        def is_async(self) -> bool:
            return True

        def states(self, state: State, context: ApplicationContext, inputs: dict[str, Any]) -> Any:
            for number in range(size):
                yield state.update(item=number)

        def action(self, state: State, inputs: dict[str, Any]) -> Any:
            return action(reads=["item"], writes=["result"])(each)

        async def reduce(self, state: State, states: AsyncGenerator[State, None]) -> State:
            total = 0
            async for each_state in states:
                total += each_state["result"]
            return state.update(total=total)

        @property
        def writes(self) -> list[str]:
            return ["total"]

        @property
        def reads(self) -> list[str]:
            return ["item"]

    graph = GraphBuilder().with_actions(items=Items()).build()

    async def run() -> int:
        builder = ApplicationBuilder().with_graph(graph).with_state(item=0).with_entrypoint("items")
        app = await builder.abuild()
        return (await app.arun(halt_after=["items"]))[2]["total"]

    return run


def emit(size: int) -> Run:
    async def each(state: State) -> State:
        return state.update(result=1)

    return _items(size, each)


long_emit = emit_writes = emit


def sleepers(size: int) -> Run:
    async def each(state: State) -> State:
        await asyncio.sleep(0.01)
        return state.update(result=1)

    return _items(size, each)


def together(size: int) -> Run:
    meeting = Meeting(size)

    async def each(state: State) -> State:
        await meeting.come()
        return state.update(result=1)

    return _items(size, each)


workflow_chain, workflow_loop = chain, loop


def import_(size: int) -> Callable[[], float]:
    return importing("burr.core")


def build(size: int) -> Callable[[], None]:
    def run() -> None:
        _chain(size)

    return run


def plan(size: int) -> Callable[[], None]:
    builder = _chain(size)

    def run() -> None:
        builder.build()

    return run


class _Counter(PreRunStepHookAsync, PostRunStepHookAsync):
    def __init__(self) -> None:
        self.seen = 0

    async def pre_run_step(self, **_: Any) -> None:
        self.seen += 1

    async def post_run_step(self, **_: Any) -> None:
        self.seen += 1


def _observed(size: int, count: int) -> Run:
    counters = [_Counter() for _ in range(count)]
    run = _counting(size, *counters)

    async def once() -> None:
        before = counters[-1].seen
        await run()
        assert counters[-1].seen - before >= 2 * size

    return once


def observers_1(size: int) -> Run:
    return _observed(size, 1)


def observers_3(size: int) -> Run:
    return _observed(size, 3)


def cancel(size: int) -> Run:
    begun: list[int] = []

    async def each(state: State) -> State:
        begun.append(1)
        await asyncio.sleep(3600)
        return state.update(result=1)

    run = _items(size, each)

    def start() -> Any:
        begun.clear()
        return run()

    return cancelling(start, lambda: len(begun) == size)


def host_gap(size: int) -> Run:
    return waiting_for_a_turn(loop(64), size)
