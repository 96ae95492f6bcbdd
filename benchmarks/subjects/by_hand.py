"""The limit: the same work written by hand in trio, as whoever needs no graph would write it.

A step is an awaited function with a check for cancellation, a data node an awaited function.
"""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

import trio
import trio.testing
from trio.lowlevel import checkpoint, checkpoint_if_cancelled

DISTRIBUTION = "trio"
RUNNER = "trio"
CANNOT = {
    "plan": "there is nothing to plan",
    "first_step": "there is no graph to start",
    "pause": "nothing can be paused without a gate in every step",
    **dict.fromkeys(
        ("policy_retry", "policy_breaker", "policy_rate"), "that would be a library of its own: see tenacity and others"
    ),
    "policy_tracker": "there is nothing that one could ask",
    "policy_admit": "trio lets in who came first, and knows no priorities",
    **dict.fromkeys(
        ("observers_0", "observers_1", "observers_3", "observers_file"), "there are no events that one could watch"
    ),
    **dict.fromkeys(("jobs_put", "jobs_put_tens", "jobs_done"), "nothing is kept"),
    **dict.fromkeys(("resume", "resume_loop"), "nothing is kept"),
    **{f"effects_{store}": "nothing is kept" for store in ("memory", "file", "sqlite", "power", "postgres")},
    **{
        f"studio_{each}": "there is no graph that a page could show"
        for each in ("none", "stop", "glance", "follow", "record", "pause", "step", "load", "frame", "moment")
    },
}

Run = Callable[[], Awaitable[Any]]


async def _step() -> None:
    await checkpoint_if_cancelled()


async def _one() -> int:
    return 1


async def _increment(value: int) -> int:
    return value + 1


async def _above(a: int, b: int) -> int:
    return max(a, b) + 1


# --- control ---


def loop(size: int) -> Run:
    async def run() -> None:
        for _ in range(size):
            await _step()

    return run


hand_over = long_loop = loop


def loop_data(size: int) -> Run:
    async def body(index: int) -> int:
        await checkpoint_if_cancelled()
        return await _increment(index)

    async def run() -> int:
        last = 0
        for index in range(size):
            last = await body(index)
        return last

    return run


def chain(size: int) -> Run:
    steps = [_step] * size

    async def run() -> None:
        for step in steps:
            await step()

    return run


fan_out = chain


def chain_awaited(size: int) -> Run:
    async def nest(left: int) -> int:
        await checkpoint_if_cancelled()
        return 1 + await nest(left - 1) if left > 1 else 1

    async def run() -> int:
        return await nest(size)

    return run


# --- data ---


def data_chain(size: int) -> Run:
    functions = [_increment] * (size - 1)

    async def run() -> int:
        value = await _one()
        for function in functions:
            value = await function(value)
        return value

    return run


def data_diamonds(size: int) -> Run:
    async def run() -> None:
        value = await _one()
        for _ in range(size // 3):
            value = await _above(await _increment(value), await _increment(value))

    return run


def data_layers(size: int) -> Run:
    async def run() -> None:
        layer = [await _one() for _ in range(10)]
        for _ in range(size // 10 - 1):
            layer = [await _above(layer[place], layer[place - 1]) for place in range(10)]

    return run


def data_reuse(size: int) -> Run:
    async def run() -> None:
        for _ in range(size):
            await _one()

    return run


def data_change(size: int) -> Run:
    """Whoever writes it by hand knows which sums have changed: one for each layer of the tree."""
    layers = math.ceil(math.log2(size))

    async def run() -> float:
        changes = 100
        started = time.perf_counter()
        for change in range(changes):
            value = await _increment(change)
            for _ in range(layers):
                value = await _above(value, 1)
        return (time.perf_counter() - started) / changes

    return run


# --- the common cases ---


async def _taken(value: int) -> int:
    await checkpoint_if_cancelled()
    return value


def function_loop(size: int) -> Run:
    async def run() -> None:
        for index in range(size):
            await _taken(index)

    return run


def function_chain(size: int) -> Run:
    functions = [_taken] * size

    async def run() -> None:
        value = 1
        for function in functions:
            value = await function(value)

    return run


async def _add(a: int, b: int) -> int:
    return a + b


def math_chain(size: int) -> Run:
    functions = [_add] * size

    async def run() -> None:
        value = 0
        for function in functions:
            value = await function(value, 1)

    return run


async def _if(condition: bool, value: int, otherwise: int) -> int:
    return value if condition else otherwise


def select_chain(size: int) -> Run:
    functions = [_if] * size

    async def run() -> None:
        value = 1
        for function in functions:
            value = await function(True, value, 0)

    return run


def async_chain(size: int) -> Run:
    functions = [_increment] * size

    async def run() -> None:
        value = 0
        for function in functions:
            value = await function(value)

    return run


def variable_loop(size: int) -> Run:
    async def update(variables: dict[str, int], value: int) -> None:
        await checkpoint_if_cancelled()
        variables["total"] += value

    async def run() -> None:
        variables = {"total": 0}
        for index in range(size):
            await update(variables, index)

    return run


def fizzbuzz(size: int) -> Run:
    async def modulo(a: int, b: int) -> int:
        return a % b

    async def equal(a: object, b: object) -> bool:
        return a == b

    async def select(condition: bool, value: str, otherwise: str) -> str:
        return value if condition else otherwise

    async def concat(a: str, b: str) -> str:
        return a + b

    async def to_text(value: int) -> str:
        return str(value)

    async def take(word: str) -> str:
        await checkpoint_if_cancelled()
        return word

    async def run() -> None:
        for index in range(1, size + 1):
            fizz = await select(await equal(await modulo(index, 3), 0), "Fizz", "")
            buzz = await select(await equal(await modulo(index, 5), 0), "Buzz", "")
            both = await concat(fizz, buzz)
            await take(await to_text(index) if await equal(both, "") else both)

    return run


# --- concurrency ---


def sleepers(size: int) -> Run:
    async def run() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(size):
                nursery.start_soon(trio.sleep, 0.01)

    return run


def sleepers_virtual(size: int) -> Callable[[], None]:
    run = sleepers(size)

    def on_virtual_clock() -> None:
        trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))

    return on_virtual_clock


def together(size: int) -> Run:
    async def run() -> None:
        begun = 0
        all_are_here = trio.Event()

        async def item() -> None:
            nonlocal begun
            begun += 1
            if begun == size:
                all_are_here.set()
            await all_are_here.wait()

        async with trio.open_nursery() as nursery:
            for _ in range(size):
                nursery.start_soon(item)

    return run


def emit(size: int) -> Run:
    async def nothing() -> None:
        pass

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(size):
                nursery.start_soon(nothing)

    return run


def emit_writes(size: int) -> Run:
    """Each item writes to a copy of what there is; the copies are merged in order."""

    async def item(store: dict[str, int]) -> None:
        await checkpoint_if_cancelled()
        store["result"] = store["item"]
        store["total"] += 1

    async def run() -> int:
        owner = {"total": 0, "item": 0, "result": 0}
        stores: list[dict[str, int]] = []
        async with trio.open_nursery() as nursery:
            for number in range(size):
                stores.append({**owner, "item": number})
                nursery.start_soon(item, stores[-1])
        base = owner["total"]
        for store in stores:
            owner["result"] = store["result"]
            owner["total"] += store["total"] - base
        return owner["total"]

    return run


def long_emit(size: int) -> Run:
    async def item(room: trio.Semaphore) -> None:
        await checkpoint_if_cancelled()
        room.release()

    async def run() -> None:
        room = trio.Semaphore(100)
        async with trio.open_nursery() as nursery:
            for _ in range(size):
                await room.acquire()
                nursery.start_soon(item, room)

    return run


# --- workflow ---


def _depending(table: dict[int, tuple[int, ...]], body: Callable[[], Awaitable[None]] = _step) -> Run:
    """A task for each node that waits for the events of those before it."""

    async def node(number: int, done: list[trio.Event]) -> None:
        for before in table[number]:
            await done[before].wait()
        await body()
        done[number].set()

    async def run() -> None:
        done = [trio.Event() for _ in table]
        async with trio.open_nursery() as nursery:
            for number in table:
                nursery.start_soon(node, number, done)

    return run


def workflow_chain(size: int) -> Run:
    return _depending({number: (number - 1,) if number else () for number in range(size + 1)})


def workflow_layers(size: int) -> Run:
    def before(number: int) -> tuple[int, ...]:
        layer, place = divmod(number, 10)
        return ((layer - 1) * 10 + place, (layer - 1) * 10 + (place - 1) % 10) if layer else ()

    return _depending({number: before(number) for number in range(size)})


def _fan(size: int) -> dict[int, tuple[int, ...]]:
    return {0: (), **dict.fromkeys(range(1, size + 1), (0,)), size + 1: tuple(range(1, size + 1))}


def workflow_fan(size: int) -> Run:
    return _depending(_fan(size))


def workflow_fan_waiting(size: int) -> Run:
    return _depending(_fan(size), checkpoint)


workflow_loop = loop


def workflow_rounds(size: int) -> Run:
    async def run() -> int:
        total = 0

        async def add() -> None:
            nonlocal total
            await checkpoint_if_cancelled()
            total += 1

        for _ in range(size):
            await _step()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(add)
                nursery.start_soon(add)
            await _step()
        return total // 2

    return run


# --- policies ---


async def _works() -> None:
    pass


def policy_none(size: int) -> Run:
    async def run() -> None:
        for _ in range(size):
            await _works()

    return run


def policy_timeout(size: int) -> Run:
    async def run() -> None:
        for _ in range(size):
            with trio.fail_after(60):
                await _works()

    return run


def policy_limit(size: int) -> Run:
    async def run() -> None:
        places = trio.CapacityLimiter(3)
        for _ in range(size):
            async with places:
                await _works()

    return run


# --- start ---


def import_(size: int) -> Callable[[], float]:
    code = "import time; start = time.perf_counter(); import trio; print(time.perf_counter() - start)"

    def run() -> float:
        return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)

    return run


def build(size: int) -> Callable[[], None]:
    """Two dictionaries and a list that hold the same graph: half of its nodes steps, half of them data nodes."""

    def run() -> None:
        nodes: dict[str, tuple[str, dict[str, object]]] = {"start": ("flow.start", {})}
        sources: dict[tuple[str, str], tuple[str, str]] = {}
        wires: list[tuple[str, str, str, str]] = []
        before = "start"
        for number in range(size // 2):
            step, value = f"step_{number}", f"add_{number}"
            nodes[step] = ("bench.step", {})
            nodes[value] = ("bench.add", {"b": 1})
            wires.append((before, "then", step, "enter"))
            if number:
                wires.append((f"add_{number - 1}", "result", value, "a"))
                sources[value, "a"] = (f"add_{number - 1}", "result")
            before = step

    return run


def load(size: int) -> Callable[[], None]:
    """The text alone, made into dictionaries and lists."""
    document = {
        "nodes": [{"id": f"step_{number}", "type": "flow.sequence"} for number in range(size)],
        "connections": [
            {"from": f"step_{number}.fourth", "to": f"step_{number + 1}.enter"} for number in range(size - 1)
        ],
    }
    text = json.dumps(document)

    def run() -> None:
        json.loads(text)

    return run


# --- latency ---


def cancel(size: int) -> Run:
    async def sleeper() -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.append(time.perf_counter())

    ended: list[float] = []

    async def run() -> float:
        ended.clear()
        async with trio.open_nursery() as nursery:
            for _ in range(size):
                nursery.start_soon(sleeper)
            await trio.testing.wait_all_tasks_blocked()
            started = time.perf_counter()
            nursery.cancel_scope.cancel()
        assert len(ended) == size
        return time.perf_counter() - started

    return run


def host_gap(size: int) -> Run:
    async def busy() -> None:
        while not stopped:
            for _ in range(64):
                await _step()
            await checkpoint()

    stopped: list[bool] = []

    async def run() -> float:
        stopped.clear()
        async with trio.open_nursery() as nursery:
            for _ in range(size):
                nursery.start_soon(busy)
            longest = await _longest_gap()
            stopped.append(True)
        return longest

    return run


async def _longest_gap(seconds: float = 0.3) -> float:
    """The longest time between two turns of this task, over a while and some turns."""
    await checkpoint()  # what is to run begins
    longest = 0.0
    turns = 0
    before = end = time.perf_counter()
    end += seconds
    while before < end or turns < 5:
        await checkpoint()
        now = time.perf_counter()
        longest = max(longest, now - before)
        before = now
        turns += 1
    return longest


# --- kept ---


def effects_plain(size: int) -> Callable[[], Awaitable[int]]:
    async def effect(number: int) -> int:
        return number + 1

    async def run() -> int:
        done = 0
        for number in range(size):
            done = await effect(number)
        return done

    return run


def _effects_sqlite(size: int, synchronous: str) -> Callable[[], Awaitable[int]]:
    database = sqlite3.connect(f"{tempfile.mkdtemp(prefix='trioflow-bench-')}/runs.db", isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute(f"pragma synchronous={synchronous}")
    database.execute("create table entry(run integer, number integer, data text, primary key(run, number))")
    runs = iter(range(1_000_000))

    async def run() -> int:
        this = next(runs)
        for number in range(size):
            database.execute("insert into entry values(?,?,?)", (this, number, json.dumps({"result": number})))
        (count,) = database.execute("select count(*) from entry where run=?", (this,)).fetchone()
        return int(count)

    return run


def effects_sqlite(size: int) -> Callable[[], Awaitable[int]]:
    return _effects_sqlite(size, "normal")


def effects_power(size: int) -> Callable[[], Awaitable[int]]:
    return _effects_sqlite(size, "full")
