"""Dask: delayed functions, computed by its synchronous scheduler."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dask

from benchmarks.lib import data_graphs
from benchmarks.lib.in_asyncio import importing

DISTRIBUTION = "dask"
RUNNER = "plain"
CANNOT = {
    **dict.fromkeys(
        (
            *("loop", "loop_data", "chain", "hand_over", "chain_awaited", "long_loop", "first_step"),
            *("workflow_loop", "workflow_rounds"),
        ),
        "no control flow: functions are computed when something uses them",
    ),
    **dict.fromkeys(("observers_0", "observers_1", "observers_3", "observers_file"), "no loop to watch"),
    "data_reuse": "a value is used by name, not demanded; between computations nothing is kept",
    "emit_writes": "functions write nothing but their result",
    "long_emit": "all that is to be computed is in memory from the start",
    "workflow_fan_waiting": "a function that waits keeps its worker",
    "together": "those that wait keep its workers from those that have not begun",
    "sleepers_virtual": "no virtual clock",
    "plan": "a graph is ordered whenever it is computed",
    "load": "a graph is code, not a document",
    "cancel": "a computation goes on until its end",
    "pause": "nothing can be paused while it runs",
    "host_gap": "synchronous: its host waits until the end",
}
SCHEDULER = "synchronous"


def _one() -> int:
    return 1


def _increment(value: int) -> int:
    return value + 1


def _above(a: int, b: int) -> int:
    return max(a, b) + 1


def _sleep(number: int) -> int:
    time.sleep(0.01)
    return 1


_FUNCTIONS = [dask.delayed(each) for each in (_one, _increment, _above)]


def _made(table: data_graphs.Table, **outside: Any) -> dict[str, Any]:
    made: dict[str, Any] = dict(outside)
    for name, uses in table.items():
        made[name] = _FUNCTIONS[len(uses)](*(made[use] for use in uses))
    return made


def _compute(*wanted: Any) -> tuple[Any, ...]:
    return dask.compute(*wanted, scheduler=SCHEDULER)


def _wanting(table: data_graphs.Table, wanted: list[str], value: int) -> Callable[[], None]:
    made = _made(table)
    ends = [made[name] for name in wanted]

    def run() -> None:
        assert _compute(*ends)[-1] == value

    return run


def data_chain(size: int) -> Callable[[], None]:
    table, end, value = data_graphs.chain(size)
    return _wanting(table, [end], value)


def data_diamonds(size: int) -> Callable[[], None]:
    table, end, value = data_graphs.diamonds(size)
    return _wanting(table, [end], value)


def data_layers(size: int) -> Callable[[], None]:
    return _wanting(*data_graphs.layers(size))


def fan_out(size: int) -> Callable[[], None]:
    table = data_graphs.wide(size + 1)
    return _wanting(table, list(table)[1:], 2)


def data_change(size: int) -> Callable[[], float]:
    """It knows nothing of changes: everything is computed again."""
    table, end = data_graphs.tree(size)
    made = _made(table, changing=1)

    def run() -> float:
        started = time.perf_counter()
        assert _compute(made[end])[0] > 1
        return time.perf_counter() - started

    return run


def emit(size: int) -> Callable[[], int]:
    one = _FUNCTIONS[0]

    def run() -> int:
        return sum(_compute(*(one() for _ in range(size))))

    return run


def sleepers(size: int) -> Callable[[], int]:
    sleep = dask.delayed(_sleep)

    def run() -> int:
        return sum(_compute(*(sleep(number) for number in range(size))))

    return run


workflow_chain, workflow_layers = data_chain, data_layers


@dask.delayed
def _last(values: list[int]) -> int:
    return len(values)


def workflow_fan(size: int) -> Callable[[], None]:
    made = _made(data_graphs.wide(size + 1))
    last = _last([made[f"n{number}"] for number in range(1, size + 1)])

    def run() -> None:
        assert _compute(last)[-1] == size

    return run


def import_(size: int) -> Callable[[], float]:
    return importing("dask")


def build(size: int) -> Callable[[], None]:
    table, _, _ = data_graphs.chain(size)

    def run() -> None:
        _made(table)

    return run
