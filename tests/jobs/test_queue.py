"""Queues in memory, in SQLite and on PostgreSQL: the same facts of all."""

from __future__ import annotations

import json
import time

import pytest
import trio

import trioflow as tf
from trioflow.jobs import JobNotFound, LeaseLost, Queue, QueueFull
from trioflow.jobs.queue import value_of, variables_of
from trioflow.jobs.records import delay_after

from .stores import KINDS, graph, make


@pytest.fixture(params=KINDS)
def journal(request, tmp_path):
    made = make(request.param, tmp_path)
    yield made
    if request.param == "postgres":
        made.close()


async def test_what_was_put_is_leased_once(journal):
    """A lease makes it unseen by others, and who has it says what became of it."""
    queue = Queue(journal, "etl")
    job = await queue.put(graph(), {"name": "b"}, priority="high", tenant="a")
    assert (job.status, job.priority, job.tenant, job.attempts, job.queue) == ("queued", "high", "a", 0, "etl")
    (lease,) = await queue.lease(5)
    assert (lease.job.id, lease.job.status, lease.job.attempts, variables_of(lease.job)) == (
        job.id,
        "leased",
        1,
        {"name": "b"},
    )
    assert await queue.lease(5) == []
    assert await queue.extend(lease) is False
    await queue.done(lease)
    assert (await queue.show(job.id)).status == "done"
    with pytest.raises(LeaseLost, match="was lost"):
        await queue.done(lease)
    with pytest.raises(LeaseLost):
        await queue.extend(lease)


async def test_what_is_not_settled_comes_back(journal):
    """When the lease expires it waits again, and who had it can do nothing more; after its last attempt it is dead."""
    queue = Queue(journal)
    job = await queue.send({"n": 1}, attempts=2)
    (first,) = await queue.lease(1, 0.01, messages=True)
    assert value_of(first.job) == {"n": 1}
    queue.store._swept = -1.0
    time.sleep(0.02)
    (second,) = await queue.lease(1, 0.01, messages=True)
    assert (second.job.id, second.job.attempts, second.job.fence) == (job.id, 2, 2)
    for late in (queue.done(first), queue.extend(first), queue.retry(first), queue.dead(first, "x")):
        with pytest.raises(LeaseLost):
            await late
    queue.store._swept = -1.0
    time.sleep(0.02)
    assert await queue.lease(1, messages=True) == []
    dead = await queue.show(job.id)
    assert (dead.status, dead.reason) == ("dead", f"its worker {second.job.worker} was not heard of in time")
    assert dead.ended is not None


@pytest.mark.parametrize("step", [86_400.0, -86_400.0])
async def test_clocks_that_are_set(journal, monkeypatch, step):
    """Leases last by a clock that nobody sets; what waits is not kept waiting."""
    queue, there = Queue(journal), time.time
    await queue.send("held")
    await queue.send("waits")
    (lease,) = await queue.lease(messages=True)
    monkeypatch.setattr(time, "time", lambda: there() + step)
    assert queue.store.sweep(at_once=True) == []
    assert [each.job.sequence > lease.job.sequence for each in await queue.lease(5, messages=True)] == [True]
    await queue.send("new")
    assert len(await queue.lease(5, messages=True)) == 1
    await queue.extend(lease)
    await queue.done(lease)


async def test_order(journal):
    """By priority, then as they were put; not before they are due."""
    queue = Queue(journal)
    for name, priority, later in (
        ("a", "low", 0),
        ("b", "normal", 0),
        ("c", "critical", 0),
        ("d", "normal", 0),
        ("e", "high", "1h"),
    ):
        await queue.send(name, priority=priority, not_before=later)
    assert [value_of(each.job) for each in await queue.lease(3, messages=True)] == ["c", "b", "d"]
    assert [value_of(each.job) for each in await queue.lease(3, messages=True)] == ["a"]


async def test_tenants_share(journal):
    """One tenant with many jobs does not keep the others from theirs; a quota keeps it from more than that."""
    queue = Queue(journal)
    for tenant, count in (("many", 20), ("few", 2), ("one", 1)):
        for number in range(count):
            await queue.send(f"{tenant} {number}", tenant=tenant)
    first = [value_of(each.job) for each in await queue.lease(4, messages=True)]
    assert sorted(first) == ["few 0", "many 0", "many 1", "one 0"] or sorted(first) == [
        "few 0",
        "few 1",
        "many 0",
        "one 0",
    ]
    limited = Queue(journal, quotas={"many": 3}, quota=5)
    running = sum(each.startswith("many") for each in first)
    then = [value_of(each.job) for each in await limited.lease(10, messages=True)]
    assert sum(each.startswith("many") for each in then) == 3 - running


async def test_keys_and_ids(journal):
    """Of two with one key, or one id, the first counts."""
    queue, other = Queue(journal), Queue(journal, "other")
    first = await queue.send(1, key="order-7")
    assert await queue.send(2, key="order-7") == first
    assert (await other.send(3, key="order-7")).id != first.id
    named = await queue.send(4, id="mine")
    assert (await queue.send(5, id="mine")).sequence == named.sequence
    assert [value_of(each) for each in await queue.jobs()] == [4, 1]


async def test_full(journal):
    """Nothing is dropped: whoever puts waits, or is told."""
    queue = Queue(journal, limit=2)
    await queue.put_many(graph(), [{"name": "a"}, {"name": "b"}])
    with pytest.raises(QueueFull, match=r"'default' is full: at most 2 jobs wait in it, and 2 do"):
        await queue.send(3, wait=False)
    with pytest.raises(QueueFull):
        await queue.put_many(graph(), [{}, {}, {}])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.send, 3)
        await trio.sleep(0.2)
        await queue.lease(1)
    assert len(await queue.jobs()) == 3


async def test_retries_and_dead_letters(journal):
    """An attempt that failed is followed by another one later; the dead are kept, and put back by hand."""
    queue = Queue(journal)
    job = await queue.send("x", attempts=2)
    (lease,) = await queue.lease(1, messages=True)
    assert await queue.retry(lease, "not yet", after="1h") == "queued"
    assert await queue.lease(1, messages=True) == []
    waits = await queue.show(job.id)
    assert (waits.reason, waits.due - waits.created > 3000) == ("not yet", True)
    job = await queue.send("y", attempts=1)
    (lease,) = await queue.lease(1, messages=True)
    assert await queue.retry(lease, "no") == "dead"
    assert [each.id for each in await queue.jobs(status="dead")] == [job.id]
    assert (await queue.put_back(job.id)).status == "queued"
    (lease,) = await queue.lease(1, messages=True)
    await queue.dead(lease, "cannot be")
    assert (await queue.show(job.id)).reason == "cannot be"
    with pytest.raises(JobNotFound, match=r"no job 'nothing' in this store"):
        await queue.put_back("nothing")


async def test_handing_back(journal):
    """As if it had not been leased."""
    queue = Queue(journal)
    await queue.send("x")
    (lease,) = await queue.lease(1, messages=True)
    await queue.hand_back(lease)
    (lease,) = await queue.lease(1, messages=True)
    assert lease.job.attempts == 1


async def test_cancelling(journal):
    """What waits is cancelled at once; who has it is asked to, and told with the next extension."""
    queue = Queue(journal)
    job = await queue.send("x")
    assert (await queue.cancel(job.id)).status == "cancelled"
    job = await queue.send("y")
    (lease,) = await queue.lease(1, messages=True)
    assert (await queue.cancel(job.id)).cancelling
    assert await queue.extend(lease) is True


async def test_messages_and_graphs_are_leased_apart(journal):
    queue = Queue(journal)
    await queue.send("x")
    assert await queue.lease(5) == []
    await queue.put(graph())
    assert len(await queue.lease(5)) == 1
    assert len(await queue.lease(5, messages=True)) == 1


async def test_pruning(journal):
    """What has ended is removed, with graphs that nobody needs."""
    queue = Queue(journal)
    job = await queue.put(graph())
    assert queue.store.prune(0) == 0
    (lease,) = await queue.lease(1)
    assert queue.store.graph(job.graph)[1] == ["flow.start", "jobs.note", "variable.get"]
    await queue.done(lease)
    assert queue.store.counts() == {("default", "done"): 1}
    assert queue.store.prune(0) == 1
    with pytest.raises(JobNotFound, match="gone from the store"):
        queue.store.graph(job.graph)


def test_what_queues_refuse(tmp_path):
    with pytest.raises(ValueError, match="limit must be 1 or more, got 0"):
        Queue(tf.MemoryJournal(), limit=0)
    with pytest.raises(ValueError, match="needs a name"):
        Queue(tf.MemoryJournal(), "")
    with pytest.raises(tf.JournalError, match="can keep runs, but no jobs"):
        Queue(tf.FileJournal(tmp_path))


async def test_what_put_refuses():
    queue = Queue(tf.MemoryJournal())
    with pytest.raises(
        ValueError, match=r"expected a priority of low, normal, high, critical, got 'hig'. Did you mean 'high'\?"
    ):
        await queue.send(1, priority="hig")
    with pytest.raises(ValueError, match="attempts must be 1 or more"):
        await queue.send(1, attempts=0)
    with pytest.raises(tf.Unrecordable, match="the message"):
        await queue.send(object())
    with pytest.raises(tf.UnknownName, match=r"no variable 'nam'. Did you mean 'name'\? The graph declares: name"):
        await queue.put(graph(), {"nam": "b"})
    with tf.build() as g:
        g.add("debug.print", value=object())
    with pytest.raises(tf.JournalError, match="can't be written as a document"):
        await queue.put(g.graph)


def test_backoff():
    """Doubled, up to five minutes, and spread by a quarter."""
    for attempts, longest in ((1, 1.0), (2, 2.0), (5, 16.0), (30, 300.0)):
        assert all(0.75 * longest <= delay_after(attempts) <= 1.25 * longest for _ in range(20))


async def test_graphs_in_files_come_along(tmp_path):
    """A worker elsewhere has no such file. A file may call others, and itself."""
    with tf.build() as inner:
        enter, done = inner.declare_entry("enter"), inner.declare_exit("done")
        again = inner.add("debug.print", value="inside")
        inner.connect(enter, again.enter)
        inner.connect(again.then, done)
    tf.save(inner.graph, tmp_path / "inner.json")
    middle = json.loads(tf.dumps(inner.graph))
    middle["nodes"][-1] = {"id": "call", "type": "file:inner.json"}
    middle["connections"] = [{"from": "enter.enter", "to": "call.enter"}, {"from": "call.done", "to": "leave.done"}]
    (tmp_path / "middle.json").write_text(json.dumps(middle))
    nodes = [{"id": "start", "type": "flow.start"}, {"id": "call", "type": "file:middle.json"}]
    tree = {"trioflow": "1.0", "nodes": nodes, "connections": [{"from": "start.then", "to": "call.enter"}]}
    (tmp_path / "outer.json").write_text(json.dumps(tree))
    queue = Queue(tf.MemoryJournal())
    outer = tf.load(tmp_path / "outer.json")
    job = await queue.put(outer)
    document, types = queue.store.graph(job.graph)
    graph = tf.loads(document)
    assert types == ["debug.print", "flow.start", "graph.enter", "graph.leave"]
    assert [*graph.graphs] == ["inner.json", "middle.json"]
    tf.make_plan(graph, tf.Registry.standard())
