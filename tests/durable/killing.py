"""kill -9 at any moment, in fresh interpreters: `python tests/durable/killing.py KILLS [SEED]` for as many as one likes.

Each program has concurrent items, each with an effect in a file outside, and a transaction at its end. It is killed
again and again until so many have hit, and each time resumed by another interpreter with another hash seed. What is
in the file then tells what was lost and what was done twice; the journal, what was recorded.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import trioflow as tf

PROGRAM = Path(__file__).with_name("killed.py")


def killed(folder: Path, store: str, times: int, rng: random.Random) -> tuple[int, int]:
    """Kill a program so many times, and let it end. Says how many kills hit, and how many effects were done twice.

    Raises `AssertionError` if anything was lost, or done again of which there was a record.
    """
    kills = 0
    world = folder / "world"
    recorded: set[str] = set()
    for _ in range(times):
        before = lines(world)
        process = begin(folder, store, world, seed=rng.randrange(1000))
        wait_for_more(process, world, sum(before.values()))
        time.sleep(rng.random() * 0.01)
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        assert all(lines(world)[key] == before[key] for key in recorded), "a recorded effect was done again"
        recorded = done(folder, store)
    before = lines(world)
    assert begin(folder, store, world, seed=rng.randrange(1000)).wait(900) == 0
    assert all(lines(world)[key] == before[key] for key in recorded), "a recorded effect was done again"
    assert json.loads(Path(f"{world}.result").read_text()) == [sum(n * n for n in range(20)), 21]
    assert set(lines(world)) == {f"{n}" for n in range(20)}, "lost, or invented"
    doubled = sum(lines(world).values()) - 20
    assert doubled <= 3 * times, "only what was in flight may be done twice"
    if store == "sqlite":
        assert ledger(folder) == 1, "what transactions wrote is there exactly once"
    return kills, doubled


def begin(folder: Path, store: str, world: Path, seed: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    return subprocess.Popen([sys.executable, str(PROGRAM), str(folder), store, "1", str(world)], env=environment)


def wait_for_more(process: subprocess.Popen[bytes], world: Path, count: int) -> None:
    """Until the process has done, and recorded, something that was not there: there are three items at once."""
    until = time.monotonic() + 600
    while sum(lines(world).values()) <= count + 3 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


def lines(world: Path) -> Counter[str]:
    return Counter(world.read_text().split()) if world.exists() else Counter()


def done(folder: Path, store: str) -> set[str]:
    """The values whose effect is recorded as done."""
    journal = tf.SqliteJournal(folder / "runs.db") if store == "sqlite" else tf.FileJournal(folder / "runs")
    try:
        entries = journal.entries("run1")
    except (tf.RunNotFound, tf.JournalUnusable):  # it was killed before it had begun
        return set()
    return {str(json.loads(each.data)["o"]["result"][0]) for each in entries if each.node == "work"}


def ledger(folder: Path) -> int:
    database = sqlite3.connect(folder / "runs.db")
    (count,) = database.execute("select count(*) from ledger").fetchone()
    database.close()
    return int(count)


def campaign(kills: int, seed: str) -> None:
    """Say what came of it."""
    rng, hit, doubled, runs, began = random.Random(seed), 0, 0, 0, time.monotonic()
    while hit < kills:
        with tempfile.TemporaryDirectory() as folder:
            more, twice = killed(Path(folder), rng.choice(["sqlite", "sqlite", "file"]), rng.randrange(1, 8), rng)
        hit, doubled, runs = hit + more, doubled + twice, runs + 1
        print(
            f"{runs} runs, {hit} kills, {doubled} effects in flight done twice, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    print("0 lost, 0 recorded done again, transactions exactly once")


if __name__ == "__main__":
    campaign(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "0")
