"""procrastinate: tasks in PostgreSQL, and its worker. A task is done again if its worker is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import procrastinate

from benchmarks.lib.stores import postgres

DISTRIBUTION = "procrastinate"
RUNNER = "asyncio"
CANNOT: dict[str, str] = {}


def _app() -> tuple[Any, Any]:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=postgres()))

    @app.task(name="job")
    async def job(number: int) -> int:
        return number

    async def schema() -> None:
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    asyncio.run(schema())
    return app, job


def _putting(size: int, at_once: int) -> Callable[[], Any]:
    app, job = _app()

    async def run() -> float:
        async with app.open_async():
            started = time.perf_counter()
            await _put(job, size, at_once)
            return time.perf_counter() - started

    return run


async def _put(job: Any, size: int, at_once: int) -> None:
    for begin in range(0, size, at_once):
        if at_once == 1:
            await job.defer_async(number=begin)
        else:
            await job.batch_defer_async(*({"number": number} for number in range(begin, min(size, begin + at_once))))


def jobs_put(size: int) -> Callable[[], Any]:
    return _putting(size, 1)


def jobs_put_tens(size: int) -> Callable[[], Any]:
    return _putting(size, 10)


def jobs_done(size: int) -> Callable[[], Any]:
    app, job = _app()

    async def run() -> float:
        async with app.open_async():
            await _put(job, size, size)
            started = time.perf_counter()
            await app.run_worker_async(wait=False, concurrency=8, listen_notify=False, install_signal_handlers=False)
            return time.perf_counter() - started

    return run
