"""A crash at every operation on the journal, of vectors and of drawn graphs; then real ones, in other interpreters."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import attrs
import pytest
from durable.crashing import VECTOR_REQUESTS, Tally, crash_everywhere, deterministic

import trioflow as tf
from trioflow.conformance.strategies import request_number
from trioflow.durable import recording
from trioflow.durable.recorder import DONE, Recorder


@pytest.mark.unmeasured
def test_every_operation_of_vectors():
    """J6, J8: the same result, nothing lost, nothing done again of which a record was durable."""
    tally = Tally()
    for request in VECTOR_REQUESTS[::24]:
        if deterministic(request):
            crash_everywhere(request, tally)
    assert tally.runs > 5
    assert tally.crashes > 20


@pytest.mark.unmeasured
def test_every_operation_of_drawn_graphs():
    """J6, J8: also of graphs that nobody has thought of."""
    tally = Tally()
    for number in itertools.count():
        request = request_number(number, "durable", with_actions=False)
        if deterministic(request):
            crash_everywhere(request, tally, step=2)
        if tally.runs == 3:
            break
    assert tally.crashes > 5


def forgets_ends(monkeypatch):
    """J2: the ends of bodies are not recorded."""
    put = Recorder.put
    monkeypatch.setattr(
        Recorder, "put", lambda self, key, node, kind, data: kind == DONE or put(self, key, node, kind, data)
    )


def runs_again(monkeypatch):
    """J6: what is recorded is run all the same."""
    find = Recorder.find

    def forgetful(self, key, node, kinds, doing):
        return None if DONE in kinds else find(self, key, node, kinds, doing)

    monkeypatch.setattr(Recorder, "find", forgetful)
    monkeypatch.setattr(Recorder, "_nothing_left", lambda self: None)


def forgets_variables(monkeypatch):
    """J2: of what a body wrote the variables are left out."""
    said = recording._said
    monkeypatch.setattr(recording, "_said", lambda written, where: said(attrs.evolve(written, variables={}), where))


@pytest.mark.unmeasured
@pytest.mark.parametrize("mutant", [forgets_ends, runs_again, forgets_variables], ids=lambda each: each.__name__)
def test_the_harness_notices_mutants(monkeypatch, mutant):
    """Each of them breaks one rule, and is found out."""
    requests = [each for each in VECTOR_REQUESTS[::30] if deterministic(each)]
    mutant(monkeypatch)
    with pytest.raises((AssertionError, tf.Diverged)):
        for request in requests:
            crash_everywhere(request, Tally())


PROGRAM = Path(__file__).with_name("killed.py")


@pytest.mark.unmeasured
@pytest.mark.unmeasured
@pytest.mark.parametrize(("store", "times"), [("sqlite", 3), ("file", 1)])
def test_real_kills(tmp_path, store, times):
    """kill -9 at any moment, resumed in fresh interpreters with other hash seeds: 0 lost, 0 recorded done again."""
    rng = random.Random(store)
    kills = 0
    world = tmp_path / "world"
    recorded: set[str] = set()
    for _ in range(times):
        before = lines(world)
        process = begin(tmp_path, store, world, seed=rng.randrange(1000))
        wait_for_more(process, world, sum(before.values()))
        time.sleep(rng.random() * 0.01)
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        assert all(lines(world)[key] == before[key] for key in recorded), "a recorded effect was done again"
        recorded = done(tmp_path, store)
    before = lines(world)
    assert begin(tmp_path, store, world, seed=rng.randrange(1000)).wait(60) == 0
    assert all(lines(world)[key] == before[key] for key in recorded), "a recorded effect was done again"
    assert json.loads(Path(f"{world}.result").read_text()) == [sum(n * n for n in range(20)), 21]
    assert set(lines(world)) == {f"{n}" for n in range(20)}, "lost, or invented"
    assert sum(lines(world).values()) - 20 <= 3 * times, "only what was in flight may be done twice"
    assert kills
    if store == "sqlite":
        assert ledger(tmp_path) == 1, "what transactions wrote is there exactly once"


def begin(folder, store, world, seed):
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    return subprocess.Popen([sys.executable, str(PROGRAM), str(folder), store, "1", str(world)], env=environment)


def wait_for_more(process, world, count):
    """Until the process has done something that was not there."""
    until = time.monotonic() + 40
    while sum(lines(world).values()) <= count + 1 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


def lines(world):
    return Counter(world.read_text().split()) if world.exists() else Counter()


def journal(folder, store):
    return tf.SqliteJournal(folder / "runs.db") if store == "sqlite" else tf.FileJournal(folder / "runs")


def done(folder, store):
    """The values whose effect is recorded as done."""
    try:
        entries = journal(folder, store).entries("run1")
    except (tf.RunNotFound, tf.JournalUnusable):  # it was killed before it had begun
        return set()
    return {str(json.loads(each.data)["o"]["result"][0]) for each in entries if each.node == "work"}


def ledger(folder):
    import sqlite3

    database = sqlite3.connect(folder / "runs.db")
    (count,) = database.execute("select count(*) from ledger").fetchone()
    database.close()
    return count
