"""Apache Hamilton: a module of functions whose parameters name other functions, executed by its driver."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from hamilton import driver, telemetry
from hamilton.ad_hoc_utils import module_from_source

from benchmarks.lib import data_graphs
from benchmarks.lib.in_asyncio import importing

telemetry.disable_telemetry()

DISTRIBUTION = "apache-hamilton"
RUNNER = "plain"
CANNOT = {
    **dict.fromkeys(
        (
            *("loop", "loop_data", "chain", "hand_over", "chain_awaited", "long_loop", "first_step"),
            *("workflow_loop", "workflow_rounds"),
        ),
        "no control flow: functions are evaluated when something uses them",
    ),
    **dict.fromkeys(("observers_0", "observers_1", "observers_3", "observers_file"), "no loop to watch"),
    **dict.fromkeys(
        ("emit", "emit_writes", "long_emit", "sleepers", "together", "cancel"),
        "items side by side are tasks of an executor that it does not bring along: threads, Ray or Dask",
    ),
    **dict.fromkeys(
        ("workflow_chain", "workflow_layers", "workflow_fan", "workflow_fan_waiting"),
        "one function after the other: its asynchronous driver is asked",
    ),
    "data_reuse": "a value is used by name, not demanded; between executions nothing is kept in memory",
    "sleepers_virtual": "no virtual clock",
    "load": "a graph is code, not a document",
    "pause": "nothing can be paused while it runs",
    "host_gap": "synchronous: its host waits until the end",
}


def _driver(table: data_graphs.Table) -> driver.Driver:
    return driver.Builder().with_modules(module_from_source(data_graphs.source_of(table))).build()


def _wanting(table: data_graphs.Table, wanted: list[str], value: int) -> Callable[[], None]:
    made = _driver(table)

    def run() -> None:
        got = made.execute(wanted)
        assert got[wanted[-1]] == value, got

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
    """It knows nothing of changes: everything is evaluated again."""
    table, end = data_graphs.tree(size)
    made = _driver(table)

    def run() -> float:
        started = time.perf_counter()
        got: Any = made.execute([end], inputs={"changing": 1})
        assert got[end] > 1
        return time.perf_counter() - started

    return run


def import_(size: int) -> Callable[[], float]:
    return importing("hamilton.driver")


def build(size: int) -> Callable[[], None]:
    """The driver builds the graph from the functions."""
    table, _, _ = data_graphs.chain(size)
    module = module_from_source(data_graphs.source_of(table))

    def run() -> None:
        driver.Builder().with_modules(module).build()

    return run


def plan(size: int) -> Callable[[], None]:
    table, end, _ = data_graphs.chain(size)
    made = _driver(table)

    def run() -> None:
        made.validate_execution([end])

    return run
