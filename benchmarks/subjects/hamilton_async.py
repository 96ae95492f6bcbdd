"""Apache Hamilton with its asynchronous driver: each function awaits the tasks of those that it uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from hamilton import async_driver, telemetry
from hamilton.ad_hoc_utils import module_from_source

from benchmarks.lib import data_graphs
from benchmarks.lib.in_asyncio import Meeting, Run, cancelling, importing, waiting_for_a_turn
from benchmarks.subjects.hamilton import CANNOT as _CANNOT

telemetry.disable_telemetry()

DISTRIBUTION = "apache-hamilton"
RUNNER = "asyncio"
_CAN = {
    *("emit", "together", "sleepers", "cancel", "host_gap", "emit_writes", "long_emit"),
    *("workflow_chain", "workflow_layers", "workflow_fan", "workflow_fan_waiting"),
}
CANNOT = {workload: why for workload, why in _CANNOT.items() if workload not in _CAN} | {
    "emit_writes": "functions write nothing but their result",
    "long_emit": "all functions that are wanted begin at once",
    "plan": "its asynchronous driver validates while it executes",
}


def _build(source: str) -> async_driver.AsyncDriver:
    return async_driver.Builder().with_modules(module_from_source(source)).build_without_init()


async def _execute(made: async_driver.AsyncDriver, wanted: list[str], inputs: Any = None) -> Any:
    return await made.raw_execute(wanted, inputs=inputs)


def _wanting(source: str, wanted: list[str], value: int) -> Run:
    made = _build(source)

    async def run() -> None:
        got = await _execute(made, wanted)
        assert got[wanted[-1]] == value, got

    return run


def _of(table: data_graphs.Table) -> str:
    return data_graphs.source_of(table, "async def")


def data_chain(size: int) -> Run:
    table, end, value = data_graphs.chain(size)
    return _wanting(_of(table), [end], value)


def data_diamonds(size: int) -> Run:
    table, end, value = data_graphs.diamonds(size)
    return _wanting(_of(table), [end], value)


def data_layers(size: int) -> Run:
    table, wanted, value = data_graphs.layers(size)
    return _wanting(_of(table), wanted, value)


def fan_out(size: int) -> Run:
    table = data_graphs.wide(size + 1)
    return _wanting(_of(table), list(table)[1:], 2)


def data_change(size: int) -> Run:
    """It knows nothing of changes: everything is evaluated again."""
    table, end = data_graphs.tree(size)
    made = _build(_of(table))

    async def run() -> float:
        started = time.perf_counter()
        got = await _execute(made, [end], {"changing": 1})
        assert got[end] > 1
        return time.perf_counter() - started

    return run


def _side_by_side(size: int, body: str) -> tuple[str, list[str]]:
    names = [f"n{number}" for number in range(size)]
    functions = "\n".join(f"async def {name}() -> int:\n    {body}\n" for name in names)
    return f"import asyncio\nbegun = []\n{functions}", names


def emit(size: int) -> Run:
    source, names = _side_by_side(size, "return 1")
    return _wanting(source, names, 1)


def sleepers(size: int) -> Run:
    source, names = _side_by_side(size, "await asyncio.sleep(0.01); return 1")
    return _wanting(source, names, 1)


def together(size: int) -> Run:
    source, names = _side_by_side(size, "await meeting.come(); return 1")
    module = module_from_source(source)
    module.meeting = Meeting(size)
    made = async_driver.Builder().with_modules(module).build_without_init()

    async def run() -> int:
        return len(await _execute(made, names))

    return run


def cancel(size: int) -> Run:
    source, names = _side_by_side(size, "begun.append(1); await asyncio.sleep(3600); return 1")
    module = module_from_source(source)
    made = async_driver.Builder().with_modules(module).build_without_init()

    def start() -> Awaitable[Any]:
        module.begun.clear()
        return asyncio.ensure_future(_execute(made, names))

    return cancelling(start, lambda: len(module.begun) == size)


def host_gap(size: int) -> Run:
    return waiting_for_a_turn(data_chain(64), size)


workflow_chain, workflow_layers = data_chain, data_layers


def _fan(size: int, functions: str) -> Run:
    ends = ", ".join(f"n{number}: int" for number in range(1, size + 1))
    return _wanting(f"import asyncio\n{functions}\nasync def last({ends}) -> int:\n    return 3\n", ["last"], 3)


def workflow_fan(size: int) -> Run:
    return _fan(size, _of(data_graphs.wide(size + 1)))


def workflow_fan_waiting(size: int) -> Run:
    body = "(n0: int) -> int:\n    await asyncio.sleep(0)\n    return 2\n"
    waiting = "".join(f"async def n{number}{body}" for number in range(1, size + 1))
    return _fan(size, f"async def n0() -> int:\n    return 1\n{waiting}")


def import_(size: int) -> Callable[[], float]:
    return importing("hamilton.async_driver")


def build(size: int) -> Callable[[], None]:
    """The driver builds the graph from the functions."""
    table, _, _ = data_graphs.chain(size)
    source = _of(table)
    module = module_from_source(source)

    def run() -> None:
        async_driver.Builder().with_modules(module).build_without_init()

    return run
