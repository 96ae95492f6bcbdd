"""dramatiq on Redis: messages that are acknowledged when they are done, and its worker in threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dramatiq
import redis as client
from dramatiq.brokers.redis import RedisBroker

from benchmarks.lib.stores import redis

DISTRIBUTION = "dramatiq"
RUNNER = "plain"
CANNOT: dict[str, str] = {"jobs_put_tens": "puts one message after the other"}


def _broker() -> tuple[Any, Any]:
    broker: Any = RedisBroker(client=client.Redis(unix_socket_path=redis()))
    dramatiq.set_broker(broker)

    @dramatiq.actor(actor_name="job")
    def job(number: int) -> None: ...

    return broker, job


def jobs_put(size: int) -> Callable[[], Any]:
    _, job = _broker()

    def run() -> None:
        for number in range(size):
            job.send(number)

    return run


def jobs_done(size: int) -> Callable[[], Any]:
    broker, job = _broker()

    def run() -> float:
        for number in range(size):
            job.send(number)
        worker: Any = dramatiq.Worker(broker, worker_threads=8, worker_timeout=100)
        started = time.perf_counter()
        worker.start()
        broker.join("default")
        worker.join()
        seconds = time.perf_counter() - started
        worker.stop()
        return seconds

    return run
