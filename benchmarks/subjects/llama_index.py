"""LlamaIndex workflows: steps that take events and return events."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent

from benchmarks.lib.in_asyncio import Meeting, Run, cancelling, importing, waiting_for_a_turn

DISTRIBUTION = "llama-index-workflows"
RUNNER = "asyncio"
CANNOT = {
    **dict.fromkeys(
        ("loop_data", "data_chain", "data_diamonds", "data_layers", "data_reuse", "data_change"),
        "no data nodes: an event brings the values",
    ),
    "chain_awaited": "a step can't await another",
    "sleepers_virtual": "no virtual clock",
    "load": "a workflow is code, not a document",
    **dict.fromkeys(
        ("observers_0", "observers_1", "observers_3", "observers_file"),
        "no events of steps but those that they write themselves",
    ),
    "plan": "checks belong to the first run",
    "pause": "nothing can be paused while it runs",
}


class Again(Event):
    """The loop goes on."""

    count: int


class Item(Event):
    """One of many."""

    number: int


class ItemDone(Event):
    """One of many is done."""

    result: int


class _Loop(Workflow):
    def __init__(self, size: int) -> None:
        super().__init__(timeout=None)
        self.size = size

    @step
    async def begin(self, ev: StartEvent) -> Again:
        return Again(count=1)

    @step(num_workers=1)
    async def body(self, ev: Again) -> Again | StopEvent:
        return Again(count=ev.count + 1) if ev.count < self.size else StopEvent(result=ev.count)


def loop(size: int) -> Run:
    workflow = _Loop(size)

    async def run() -> int:
        return await workflow.run()

    return run


hand_over = long_loop = loop


def _chain(size: int) -> Workflow:
    """Each step takes an event of its own kind, so that there is one way to go."""
    kinds: list[Any] = [StartEvent, *(type(f"Event{number}", (Event,), {}) for number in range(1, size)), StopEvent]
    steps = {}
    for number in range(size):
        steps[f"n{number}"] = step(_going_on(kinds[number], kinds[number + 1]))
    return type("Chain", (Workflow,), steps)(timeout=None)


def _going_on(before: Any, after: Any) -> Any:
    async def body(self: Any, ev: Any) -> Any:
        return after()

    body.__annotations__ = {"ev": before, "return": after}
    body.__qualname__ = "Chain.body"  # as if it stood in the class
    return body


def chain(size: int) -> Run:
    workflow = _chain(size)

    async def run() -> None:
        await workflow.run()

    return run


def fan_out(size: int) -> Run:
    """One event that N steps take, and one that waits for all their answers."""

    class Ends(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> Item:
            return Item(number=0)

        @step(num_workers=1)
        async def end(self, ctx: Context, ev: ItemDone) -> StopEvent | None:
            found = ctx.collect_events(ev, [ItemDone] * size)
            return None if found is None else StopEvent(result=len(found))

    workflow = type("FanOut", (Ends,), {f"n{number}": step(_target()) for number in range(size)})(timeout=None)

    async def run() -> int:
        return await workflow.run()

    return run


def _target() -> Any:
    async def target(self: Any, ev: Item) -> ItemDone:
        return ItemDone(result=1)

    target.__annotations__ = {"ev": Item, "return": ItemDone}
    target.__qualname__ = "FanOut.target"
    return target


def _items(size: int, each: Callable[[], Awaitable[int]], workers: int) -> Run:
    class Items(Workflow):
        """As its documentation does it: events are sent, their answers collected."""

        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> Item | None:
            for number in range(size):
                ctx.send_event(Item(number=number))
            return None

        @step(num_workers=workers)
        async def item(self, ev: Item) -> ItemDone:
            return ItemDone(result=await each())

        @step(num_workers=1)
        async def end(self, ctx: Context, ev: ItemDone) -> StopEvent | None:
            found = ctx.collect_events(ev, [ItemDone] * size)
            return None if found is None else StopEvent(result=sum(each.result for each in found))

    workflow = Items(timeout=None)

    async def run() -> int:
        return await workflow.run()

    return run


async def _one() -> int:
    return 1


def emit(size: int) -> Run:
    return _items(size, _one, size)


emit_writes = emit


def long_emit(size: int) -> Run:
    return _items(size, _one, min(size, 100))


def sleepers(size: int) -> Run:
    async def each() -> int:
        await asyncio.sleep(0.01)
        return 1

    return _items(size, each, size)


def together(size: int) -> Run:
    meeting = Meeting(size)

    async def each() -> int:
        await meeting.come()
        return 1

    return _items(size, each, size)


def import_(size: int) -> Callable[[], float]:
    return importing("workflows")


def build(size: int) -> Callable[[], None]:
    def run() -> None:
        _chain(size)

    return run


def first_step(size: int) -> Run:
    class First(type(_chain(size - 1))):  # type: ignore[misc]
        """The first step ends it; the others are there."""

        @step
        async def n0(self, ev: StartEvent) -> StopEvent:
            return StopEvent()

    workflow = First(timeout=None, disable_validation=True)

    async def run() -> None:
        await workflow.run()

    return run


def cancel(size: int) -> Run:
    begun: list[int] = []

    async def each() -> int:
        begun.append(1)
        await asyncio.sleep(3600)
        return 1

    run = _items(size, each, size)

    def start() -> Awaitable[Any]:
        begun.clear()
        return run()

    return cancelling(start, lambda: len(begun) == size)


def host_gap(size: int) -> Run:
    return waiting_for_a_turn(loop(64), size)
