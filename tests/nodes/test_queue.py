"""Messages in queues, as nodes: put once, held while something is done with them, given up."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.jobs import LeaseLost, Queue
from trioflow.testing import fire

VALUES: list = []


@tf.exec_node(id="queued.note")
async def note(value: object) -> None:
    VALUES.append(value)
    await DO(value)


async def DO(value):
    if isinstance(value, Exception | type):
        raise value
    if value == "no":
        raise ValueError("no such order")
    if value == "slow":
        await trio.sleep(0.3)


def consumer(**inputs):
    """Takes one message, and notes it."""
    with tf.build() as g:
        take = g.add("queue.take", "take", queue="letters", **inputs)
        noted = g.add(note, "note", value=take.value)
        g.connect(g.add("flow.start").then, take.enter)
        g.connect(take.body, noted.enter)
        g.connect(take.then, g.add(note, "then", value="then").enter)
        g.connect(take.empty, g.add(note, "empty", value="empty").enter)
    return g.graph


@pytest.fixture
def queue():
    VALUES.clear()
    return Queue(tf.MemoryJournal(), "letters")


async def taken(queue, **settings):
    with trio.fail_after(30):
        return await tf.run(consumer(**settings), services={"journal": queue.journal})


async def test_put(queue):
    """With its key, priority and tenant; of two with one key the second is none."""
    services = {tf.Journal: queue.journal}
    for _ in range(2):
        await trio.to_thread.run_sync(
            lambda: fire(
                "queue.put",
                queue="letters",
                value=[1],
                key="k",
                priority="high",
                tenant="a",
                after="1h",
                attempts=2,
                services=services,
                virtual=False,
            )  # fmt: skip
        )
    (job,) = await queue.jobs()
    assert (job.key, job.priority, job.tenant, job.most, job.due - job.created) == ("k", "high", "a", 2, 3600)


async def test_a_run_that_is_kept_puts_it_once(queue):
    """Its key is that of the activation."""
    with tf.build() as g:
        put = g.add("queue.put", "put", queue="letters", value="x")
        g.connect(g.add("flow.start").then, put.enter)
    journal = tf.MemoryJournal()
    for _ in range(2):
        await tf.run(g.graph, services={tf.Journal: queue.journal}, journal=journal, run_id="r")
    await tf.run(g.graph, services={tf.Journal: queue.journal}, journal=tf.MemoryJournal(), run_id="r")
    assert len(await queue.jobs()) == 1


async def test_take(queue):
    """It is leased while the body runs, done afterwards; without one it goes on at `empty`."""
    await taken(queue)
    assert VALUES == ["empty"]
    await queue.send({"to": "eve"})
    result = await taken(queue)
    assert VALUES[1:] == [{"to": "eve"}, "then"] and result.outputs["take"]["attempt"] == 1
    (job,) = await queue.jobs()
    assert (job.status, job.id) == ("done", result.outputs["take"]["id"])


async def test_it_waits_for_one(queue, monkeypatch):
    monkeypatch.setattr("trioflow.nodes.queue._LOOK_AGAIN", 0.02)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: taken(queue, wait="20s"))
        await trio.sleep(0.05)
        await queue.send("late")
    await taken(queue, wait="0.05s")
    assert VALUES == ["late", "then", "empty"]


async def test_a_body_that_fails(queue):
    """The message waits for its next attempt, and is dead after the last; the failure is that of the node."""
    await queue.send("no", attempts=1)
    with pytest.raises(ValueError, match="no such order"):
        await taken(queue)
    (job,) = await queue.jobs()
    assert (job.status, job.reason) == ("dead", "ValueError: no such order")
    await queue.send("no")
    with pytest.raises(ValueError, match="no such order"):
        await taken(queue)
    assert [each.status for each in await queue.jobs()] == ["queued", "dead"]


async def test_a_loop_that_is_left(queue):
    """What leaves the body on purpose has dealt with the message."""
    with tf.build() as g:
        loop = g.add("flow.for", "loop", times=3)
        take = g.add("queue.take", "take", queue="letters")
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, take.enter)
        g.connect(take.body, g.add("flow.break").enter)
    for _ in range(2):
        await queue.send("x")
    await tf.run(g.graph, services={"journal": queue.journal})
    assert [each.status for each in await queue.jobs()] == ["queued", "done"]


async def test_its_lease_is_extended(queue):
    """As long as the body runs; when that is cancelled it is handed back at once."""
    await queue.send("slow")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: taken(queue, lease="0.15s"))
        await trio.sleep(0.25)
        assert await queue.lease(messages=True) == []
    assert VALUES == ["slow", "then"]
    await queue.send("slow")
    with trio.move_on_after(0.1):
        await taken(queue)
    assert [(each.status, each.attempts) for each in await queue.jobs()] == [("queued", 0), ("done", 1)]


async def test_its_lease_is_lost(queue, monkeypatch):
    """The body is cancelled, and nothing is settled."""
    message = await queue.send("slow")

    async def steal(value):
        queue.store._do(lambda database: database.execute("update trioflow_job set lease=0"))
        queue.store.sweep(at_once=True)
        (lease,) = await queue.lease(messages=True)
        assert lease.job.id == message.id
        await trio.sleep_forever()

    monkeypatch.setitem(globals(), "DO", steal)
    with pytest.raises(LeaseLost):
        await taken(queue, lease="0.6s")
    assert [each.status for each in await queue.jobs()] == ["leased"] and VALUES == ["slow"]


async def test_giving_up(queue, monkeypatch):
    """In the body: the lease ends with it, and the node goes on."""
    with tf.build() as g:
        take = g.add("queue.take", "take", queue="letters", lease="0.06s")
        dead = g.add("queue.dead", "dead", id=take.id, reason="no address")
        slow, then = g.add(note, "slow", value="slow"), g.add(note, "then", value="then")
        g.connect(g.add("flow.start").then, take.enter)
        g.connect(take.body, dead.enter)
        g.connect(dead.then, slow.enter)
        g.connect(take.then, then.enter)
    await queue.send("x")
    await tf.run(g.graph, services={"journal": queue.journal})
    (job,) = await queue.jobs()
    assert (job.status, job.reason, VALUES) == ("dead", "no address", ["slow", "then"])
    await queue.put_back(job.id)
    assert await queue.lease(messages=True)

    def nobody():
        fire("queue.dead", id="nobody", services={"journal": queue.journal}, virtual=False)

    with pytest.raises(ValueError, match="queue.dead: There is no job 'nobody'"):
        await trio.to_thread.run_sync(nobody)


async def test_a_run_that_goes_on(queue, monkeypatch):
    """It has the message that it had; unless somebody else has it, or has had it."""
    journal = tf.MemoryJournal()
    message = await queue.send("x")
    stop = trio.CancelScope()

    async def stops(value):
        stop.cancel()
        await trio.sleep_forever()

    async def begun(run_id):
        with trio.fail_after(30):
            arguments = {"services": {tf.Journal: queue.journal}, "journal": journal, "run_id": run_id}
            return await tf.run(consumer(), **arguments)

    monkeypatch.setitem(globals(), "DO", stops)
    with stop:
        await begun("r")
    (other,) = await queue.lease(messages=True)
    monkeypatch.setitem(globals(), "DO", lambda _: trio.lowlevel.checkpoint())
    with pytest.raises(LeaseLost, match=r"was taken by queue-.* after its lease had expired"):
        await begun("r")
    await queue.hand_back(other)
    VALUES.clear()
    with trio.fail_after(30):
        async with tf.resume_run(journal, "r", consumer(), retry=True, services={tf.Journal: queue.journal}) as run:
            await run.result()
    assert VALUES == ["x", "then"] and (await queue.show(message.id)).status == "done"


async def test_settled_before_it_was_recorded(queue, monkeypatch):
    """A process that dies between the two does nothing again when it goes on."""
    journal = tf.MemoryJournal()
    message = await queue.send("x")
    stop = trio.CancelScope()
    done = Queue.done

    async def dies(self, lease):
        await done(self, lease)
        stop.cancel()
        await trio.sleep_forever()

    arguments = {"services": {tf.Journal: queue.journal}, "journal": journal, "run_id": "r"}
    monkeypatch.setattr(Queue, "done", dies)
    with stop:
        await tf.run(consumer(), **arguments)
    assert (await queue.show(message.id)).status == "done" and VALUES == ["x"]
    with trio.fail_after(30):
        await tf.run(consumer(), **arguments)
    assert VALUES == ["x", "then"]


def test_without_a_journal():
    with pytest.raises(tf.NodeError, match="needs a queue, and the host has given no journal"):
        fire("queue.take", queue="letters")


async def test_in_a_worker(queue):
    """Its runs have the journal that their jobs are in."""
    registry = tf.Registry.standard()
    registry.add(note)
    await queue.send("x")
    jobs = Queue(queue.journal)
    await jobs.put(consumer())
    with trio.fail_after(30):
        await tf.jobs.Worker(queue.journal, registry=registry, poll=0.05).run(until_idle=True)
    assert VALUES == ["x", "then"]
