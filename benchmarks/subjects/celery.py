"""Celery on Redis: tasks that are acknowledged when they are done, and its worker in threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from celery import Celery, signals
from celery.contrib.testing.worker import start_worker

from benchmarks.lib.stores import redis

DISTRIBUTION = "celery"
RUNNER = "plain"
CANNOT: dict[str, str] = {"jobs_put_tens": "puts one task after the other"}


def _app() -> tuple[Any, Any, list[int]]:
    address = f"redis+socket://{redis()}"
    app = Celery("bench", broker=address, backend=address)
    app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, worker_hijack_root_logger=False)
    done: list[int] = []

    @app.task(name="job")
    def job(number: int) -> int:
        done.append(number)
        return number

    return app, job, done


def jobs_put(size: int) -> Callable[[], Any]:
    _, job, _ = _app()

    def run() -> None:
        for number in range(size):
            job.delay(number)

    return run


def jobs_done(size: int) -> Callable[[], Any]:
    app, job, _ = _app()
    ended = threading.Semaphore(0)

    @signals.task_postrun.connect(weak=False)
    def _count(**_: Any) -> None:
        ended.release()

    def run() -> float:
        for number in range(size):
            job.delay(number)
        started = time.perf_counter()
        with start_worker(app, pool="threads", concurrency=8, perform_ping_check=False, loglevel="ERROR"):
            for _ in range(size):
                ended.acquire()
            return time.perf_counter() - started

    return run
