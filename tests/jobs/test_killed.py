"""Workers that are killed, and stopped for longer than their lease: small versions of `campaign.py`."""

from __future__ import annotations

import signal
import time

import pytest
import trio
from postgres import NEEDS_POSTGRES, fresh_address

import trioflow as tf
from trioflow.jobs import Queue

from .campaign import Campaign, Database, run

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]
POSTGRES = pytest.param("postgres", marks=NEEDS_POSTGRES)


@pytest.fixture(params=["sqlite", POSTGRES])
def campaign(request, tmp_path):
    store = fresh_address() if request.param == "postgres" else str(tmp_path / "jobs.db")
    journal = tf.PostgresJournal(store) if request.param == "postgres" else tf.SqliteJournal(store)
    yield Campaign(journal, store, tmp_path, lease=1.0)
    if request.param == "postgres":
        journal.close()


def holding():
    with tf.build() as g:
        g.variable("job", "str", default="")
        name = g.add("variable.get", name="job")
        before = g.add("flow.start").then
        for kind in ("hold", "enter"):
            type_ = tf.Registry.standard()
            type_.add_module("campaign_nodes")
            node = g.add(type_.get(f"campaign.{kind}"), kind)
            g.connect(name.result, node.job)
            g.connect(before, node.enter)
            before = node.then
    return g.graph


def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_stopped_worker_comes_back_and_one_is_killed(campaign, monkeypatch):
    """Another one goes on with its job; what it wakes up with is refused. A killed one's is taken at once."""
    monkeypatch.syspath_prepend("tests/jobs")
    queue = Queue(campaign.journal)
    campaign.journal.transaction(lambda database: database.execute("create table ledger(job text)"))

    def put(name):
        trio.run(lambda: queue.put(holding(), {"job": name}, id=name))

    def lines(name):
        return [line for line in campaign.world.read_text().splitlines() if line.startswith(f"{name} at")]

    def ledger():
        return [
            job for (job,) in campaign.journal.transaction(lambda database: database.execute("select job from ledger"))
        ]

    try:
        campaign.start()
        put("one")
        until(lambda: len(lines("one")) == 1)
        (first,) = campaign.workers
        first.send_signal(signal.SIGSTOP)
        campaign.start()
        until(lambda: len(lines("one")) == 2)  # after its lease
        (campaign.folder / "worldone").touch()
        until(lambda: queue.store.show("one").status == "done")
        first.send_signal(signal.SIGCONT)
        until(lambda: "job one: its lease was lost" in campaign.log.read_text())
        assert ledger() == ["one"]
        put("two")
        until(lambda: len(lines("two")) == 1)
        holder = next(each for each in campaign.workers if lines("two")[0].endswith(str(each.pid)))
        holder.kill()
        holder.wait()
        until(lambda: len(lines("two")) == 2)  # the other one
        (campaign.folder / "worldtwo").touch()
        until(lambda: queue.store.show("two").status == "done")
        assert ledger() == ["one", "two"]
    finally:
        campaign.close()


@pytest.mark.outside
def test_a_campaign(campaign):
    came = run(campaign, jobs=40, faults=3, workers=2, seconds=60, pause=0.7)
    assert (came["done"], came["lost"], came["doubled"]) == (40, 0, 0), came


@pytest.mark.outside
@pytest.mark.parametrize("kinds", [pytest.param(("cut",), marks=NEEDS_POSTGRES)])
def test_a_server_of_its_own(tmp_path, kinds):
    """The network drops everything while jobs run; `campaign.py` lets the server crash, and its disk be full."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # the server is somebody else
    database = Database(tmp_path, small=False)
    try:
        with tf.PostgresJournal(database.direct, patience=30.0) as journal:
            made = Campaign(journal, database.address, tmp_path, lease=1.0, kinds=kinds, database=database)
            came = run(made, jobs=20, faults=2, workers=1, seconds=60, pause=0.3)
    finally:
        database.close()
    assert (came["done"], came["lost"], came["doubled"]) == (20, 0, 0), came
