"""What runs take, for the table of docs/jobs.md: `python -m benchmarks.capacity`.

A worker runs jobs of one recorded node from a queue on PostgreSQL. What it and the server take is counted in processor
time, which says more than seconds on a machine that others use, too.
"""

from __future__ import annotations

import importlib
import time
from typing import Any

import psutil
import trio
import trio.lowlevel

import trioflow as tf
from benchmarks.lib.stores import postgres
from benchmarks.subjects.in_jobs import graph, job
from trioflow.jobs import Queue, Worker

JOBS = 500
WAITING = 2_000
DAY = 86_400


def server_time() -> float:
    """Processor seconds of the server's processes so far, those that are there."""
    found = 0.0
    for each in psutil.process_iter(["cmdline"]):
        if "-D" in (each.info["cmdline"] or ()) and any("bench-pg" in word for word in each.info["cmdline"]):
            for process in (each, *each.children()):
                times = process.cpu_times()
                found += times.user + times.system
    return found


def size(address: str) -> int:
    psycopg: Any = importlib.import_module("psycopg")
    with psycopg.connect(address) as connection:
        (found,) = connection.execute("select pg_database_size(current_database())").fetchone()
    return int(found)


def waiting() -> tf.Graph:
    """A run that waits for somebody."""
    with tf.build() as g:
        wait = g.add("flow.wait_signal", name="go")
        g.connect(g.add("flow.start").then, wait.enter)
    return g.graph


async def jobs(address: str) -> None:
    registry = tf.Registry.standard()
    registry.add(job)
    with tf.PostgresJournal(address) as journal:
        queue = Queue(journal, limit=10**9)
        worker = Worker(journal, runs=8, registry=registry)
        await queue.put_many(graph(), [{"number": 0}] * 20)
        await worker.run(until_idle=True)  # everything is imported, and connections are open
        before, server = size(address), server_time()
        began, processor = time.perf_counter(), time.process_time()
        for number in range(JOBS):
            await queue.put(graph(), {"number": number})
        put = time.process_time() - processor
        seconds = time.perf_counter() - began
        print(f"put one: {1000 * seconds / JOBS:.2f} ms, {1000 * put / JOBS:.2f} ms of processor time")
        began, processor = time.perf_counter(), time.process_time()
        await Worker(journal, runs=8, registry=registry).run(until_idle=True)
        seconds, own = time.perf_counter() - began, time.process_time() - processor
        print(f"a worker: {JOBS / seconds:.0f} jobs a second, {1000 * own / JOBS:.2f} ms of processor time each")
        print(f"the server: {1000 * (server_time() - server) / JOBS:.2f} ms each, put included")
        bytes_ = (size(address) - before) / JOBS
        print(f"{bytes_:,.0f} bytes each: {bytes_ * 1e6 / 1e9:.1f} GB for a million")
        print(f"a million a day: {1e6 / DAY:.1f} a second, {1e6 / DAY * own / JOBS:.3f} of a processor in workers")


async def idle() -> None:
    """Runs that wait in a process."""
    journal = tf.MemoryJournal()
    made = waiting()
    memory = psutil.Process().memory_info().rss
    async with trio.open_nursery() as nursery:
        for number in range(WAITING):
            nursery.start_soon(lambda number=number: tf.run(made, journal=journal, run_id=f"r{number}"))
        await trio.lowlevel.checkpoint()
        while sum(each.status == "running" for each in journal.runs()) < WAITING:
            await trio.sleep(0.1)
        await trio.sleep(1)
        held = (psutil.Process().memory_info().rss - memory) / WAITING
        print(f"a run that waits in a process: {held / 1000:.1f} kB; one that was put away: none")
        nursery.cancel_scope.cancel()


def main() -> None:
    trio.run(jobs, postgres())
    trio.run(idle)


if __name__ == "__main__":
    main()
