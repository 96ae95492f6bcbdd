"""DBOS: workflows in PostgreSQL, each with a step that is recorded, and its queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dbos import DBOS, DBOSConfig

from benchmarks.lib.stores import postgres

DISTRIBUTION = "dbos"
RUNNER = "plain"
_QUEUE = "bench"
CANNOT: dict[str, str] = {"jobs_put_tens": "puts one workflow after the other"}


@DBOS.step()
def _step(number: int) -> int:
    return number


@DBOS.workflow()
def _job(number: int) -> int:
    return _step(number)


def _launched() -> None:
    address = postgres()
    config: DBOSConfig = {"name": "bench", "system_database_url": address, "run_admin_server": False}
    config["log_level"] = "ERROR"
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(_QUEUE, worker_concurrency=8, polling_interval_sec=0.02)


def jobs_put(size: int) -> Callable[[], Any]:
    _launched()

    def run() -> None:
        for number in range(size):
            DBOS.enqueue_workflow(_QUEUE, _job, number)

    return run


def jobs_done(size: int) -> Callable[[], Any]:
    _launched()

    def run() -> float:
        # Its worker can't be kept from what waits: what is measured is from the first that is put.
        started = time.perf_counter()
        for handle in [DBOS.enqueue_workflow(_QUEUE, _job, number) for number in range(size)]:
            handle.get_result()
        return time.perf_counter() - started

    return run
