"""Haystack: components with typed sockets, joined to a pipeline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from haystack import Pipeline, component

from benchmarks.lib import data_graphs
from benchmarks.lib.in_asyncio import Meeting, Run, cancelling, importing, waiting_for_a_turn

DISTRIBUTION = "haystack-ai"
RUNNER = "asyncio"
CANNOT = {
    "loop_data": "every component runs when its inputs have come, none when its value is wanted",
    "chain_awaited": "a component can't await another",
    "data_reuse": "a component runs when its inputs have come, not when its value is wanted",
    **dict.fromkeys(("emit", "emit_writes", "long_emit"), "how many run side by side is fixed"),
    "sleepers_virtual": "no virtual clock",
    "plan": "checks belong to each connection while it is built, and to the run",
    "first_step": "a run goes on until nothing can run any more",
    **dict.fromkeys(("observers_0", "observers_1", "observers_3", "observers_file"), "no events but those of tracers"),
    "pause": "stops only at a breakpoint, by raising an error",
}


@component
class _One:
    """Gives one."""

    @component.output_types(value=int)
    def run(self, go: int = 0) -> dict[str, int]:
        return {"value": 1}


@component
class _Increment:
    """One more."""

    @component.output_types(value=int)
    def run(self, value: int) -> dict[str, int]:
        return {"value": value + 1}


@component
class _Above:
    """One more than the greater."""

    @component.output_types(value=int)
    def run(self, a: int, b: int) -> dict[str, int]:
        return {"value": max(a, b) + 1}


@component
class _Until:
    """Goes round until it ran often enough."""

    def __init__(self, times: int) -> None:
        self.times = times

    @component.output_types(again=int, done=int)
    def run(self, start: int | None = None, value: int | None = None) -> dict[str, int]:
        count = (value if value is not None else start or 0) + 1
        return {"again": count} if count < self.times else {"done": count}


@component
class _Sleep:
    """Sleeps for a while."""

    def __init__(self, seconds: float, begun: list[int]) -> None:
        self.seconds = seconds
        self.begun = begun

    @component.output_types(value=int)
    def run(self) -> dict[str, int]:
        time.sleep(self.seconds)
        return {"value": 1}

    @component.output_types(value=int)
    async def run_async(self) -> dict[str, int]:
        self.begun.append(1)
        await asyncio.sleep(self.seconds)
        return {"value": 1}


@component
class _Meet:
    """Waits for all others."""

    def __init__(self, meeting: Meeting) -> None:
        self.meeting = meeting

    @component.output_types(value=int)
    def run(self) -> dict[str, int]:
        return {"value": 1}

    @component.output_types(value=int)
    async def run_async(self) -> dict[str, int]:
        await self.meeting.come()
        return {"value": 1}


def _made(table: data_graphs.Table) -> Pipeline:
    pipeline = Pipeline()
    for name, uses in table.items():
        pipeline.add_component(name, (_One, _Increment, _Above)[len(uses)]())
    for name, uses in table.items():
        for socket, use in zip(("value",) if len(uses) == 1 else ("a", "b"), uses, strict=False):
            if use in table:
                pipeline.connect(f"{use}.value", f"{name}.{socket}")
    return pipeline


def _wanting(table: data_graphs.Table, wanted: str, value: int) -> Callable[[], None]:
    pipeline = _made(table)

    def run() -> None:
        got = pipeline.run({})
        assert got[wanted]["value"] == value, got

    return run


def loop(size: int) -> Callable[[], int]:
    """Two components are the least that a cycle is made of: one of them counts."""
    pipeline = Pipeline(max_runs_per_component=size + 10)
    pipeline.add_component("until", _Until(size))
    pipeline.add_component("step", _Same())
    pipeline.connect("until.again", "step.value")
    pipeline.connect("step.value", "until.value")

    def run() -> int:
        return pipeline.run({"until": {"start": 0}})["until"]["done"]

    return run


@component
class _Same:
    """The same."""

    @component.output_types(value=int)
    def run(self, value: int) -> dict[str, int]:
        return {"value": value}


hand_over = long_loop = loop


def data_chain(size: int) -> Callable[[], None]:
    return _wanting(*data_graphs.chain(size))


chain = data_chain


def fan_out(size: int) -> Callable[[], None]:
    pipeline = _made(data_graphs.wide(size + 1))

    def run() -> None:
        assert len(pipeline.run({})) == size

    return run


def data_diamonds(size: int) -> Callable[[], None]:
    return _wanting(*data_graphs.diamonds(size))


def data_layers(size: int) -> Callable[[], None]:
    table, wanted, value = data_graphs.layers(size)
    return _wanting(table, wanted[-1], value)


def data_change(size: int) -> Callable[[], float]:
    """It knows nothing of changes: everything runs again."""
    table, end = data_graphs.tree(size)
    pipeline = _made(table)

    def run() -> float:
        started = time.perf_counter()
        assert pipeline.run({"leaf0": {"value": 1}})[end]["value"] > 1
        return time.perf_counter() - started

    return run


def _side_by_side(size: int, make: Callable[[], Any]) -> Run:
    pipeline = Pipeline()
    for number in range(size):
        pipeline.add_component(f"n{number}", make())

    async def run() -> int:
        return len(await pipeline.run_async({}, concurrency_limit=size))

    return run


def sleepers(size: int) -> Run:
    return _side_by_side(size, lambda: _Sleep(0.01, []))


def together(size: int) -> Run:
    meeting = Meeting(size)
    return _side_by_side(size, lambda: _Meet(meeting))


def cancel(size: int) -> Run:
    begun: list[int] = []
    run = _side_by_side(size, lambda: _Sleep(3600, begun))

    def start() -> Awaitable[Any]:
        begun.clear()
        return run()

    return cancelling(start, lambda: len(begun) == size)


def host_gap(size: int) -> Run:
    pipeline = _made(data_graphs.chain(64)[0])

    async def once() -> None:
        await pipeline.run_async({})

    return waiting_for_a_turn(once, size)


def import_(size: int) -> Callable[[], float]:
    return importing("haystack")


def build(size: int) -> Callable[[], None]:
    table, _, _ = data_graphs.chain(size)

    def run() -> None:
        _made(table)

    return run


def load(size: int) -> Callable[[], None]:
    """From YAML, which is how it keeps pipelines; the component is found by its module's name."""
    text = _made(data_graphs.chain(size)[0]).dumps()

    def run() -> None:
        Pipeline.loads(text, unsafe=True)

    return run
