"""Prefect: tasks of a flow that are submitted, each after others; its server runs on this machine meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from benchmarks.lib import data_graphs

DISTRIBUTION = "prefect"
RUNNER = "plain"
CANNOT = {
    "workflow_fan_waiting": "its tasks run in threads, which have no turn that they could give up",
}


@task(cache_policy=NO_CACHE)
def _step() -> int:
    return 1


def _after(before: Mapping[str, tuple[str, ...]]) -> Callable[[], None]:
    @flow
    def all_of_them() -> int:
        futures: dict[str, Any] = {}
        for name, those in before.items():
            futures[name] = _step.submit(wait_for=[futures[each] for each in those])
        return sum(future.result() for future in futures.values())

    def run() -> None:
        assert all_of_them() == len(before)

    return run


def workflow_chain(size: int) -> Callable[[], None]:
    return _after(data_graphs.chain(size)[0])


def workflow_layers(size: int) -> Callable[[], None]:
    return _after(data_graphs.layers(size)[0])


def workflow_fan(size: int) -> Callable[[], None]:
    wide = data_graphs.wide(size + 1)
    return _after({**wide, "last": tuple(wide)[1:]})


def workflow_loop(size: int) -> Callable[[], int]:
    @flow
    def loop() -> int:
        return sum(_step() for _ in range(size))

    return loop


def workflow_rounds(size: int) -> Callable[[], int]:
    @flow
    def rounds() -> int:
        total = 0
        for _ in range(size):
            one, other = _step.submit(), _step.submit()
            total += one.result() + other.result()
            _step()
        return total // 2

    return rounds
