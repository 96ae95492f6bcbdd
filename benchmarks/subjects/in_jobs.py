"""trioflow's jobs: a graph of one node that is recorded, in a queue on PostgreSQL, and a worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import trioflow as tf
from benchmarks.lib.stores import postgres
from trioflow.jobs import Queue, Worker


@tf.exec_node(id="bench.job")
async def job(number: int) -> int:
    return number


def graph() -> tf.Graph:
    """One node that is recorded."""
    with tf.build() as g:
        g.variable("number", "int", default=0)
        node = g.add(job, "job", number=g.add("variable.get", name="number").result)
        g.connect(g.add("flow.start").then, node.enter)
    return g.graph


async def _put(queue: Queue, made: tf.Graph, size: int, at_once: int) -> None:
    for begin in range(0, size, at_once):
        await queue.put_many(made, [{"number": number} for number in range(begin, min(size, begin + at_once))])


def _putting(size: int, at_once: int) -> Callable[[], Any]:
    queue, made = Queue(tf.PostgresJournal(postgres()), limit=10**9), graph()

    async def run() -> None:
        await _put(queue, made, size, at_once)

    return run


def jobs_put(size: int) -> Callable[[], Any]:
    return _putting(size, 1)


def jobs_put_tens(size: int) -> Callable[[], Any]:
    return _putting(size, 10)


def jobs_done(size: int) -> Callable[[], Any]:
    journal, made, registry = tf.PostgresJournal(postgres()), graph(), tf.Registry.standard()
    registry.add(job)
    queue = Queue(journal, limit=10**9)

    async def run() -> float:
        await _put(queue, made, size, size)
        done = queue.store.counts().get(("default", "done"), 0)
        started = time.perf_counter()
        await Worker(journal, runs=8, registry=registry).run(until_idle=True)
        seconds = time.perf_counter() - started
        assert queue.store.counts()["default", "done"] == done + size
        return seconds

    return run
