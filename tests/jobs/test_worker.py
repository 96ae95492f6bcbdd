"""Workers: each job is a run of the journal, done once, whatever becomes of the worker."""

from __future__ import annotations

import contextlib

import pytest
import trio
from postgres import NEEDS_POSTGRES

import trioflow as tf
from trioflow.jobs import JobNotFound, LeaseLost, Queue, Worker, records, run_once
from trioflow.jobs import worker as workers

from .stores import KINDS, RUNS, fail, graph, hang, leave, make, note, registry


@pytest.fixture(params=KINDS)
def journal(request, tmp_path):
    RUNS.clear()
    made = make(request.param, tmp_path)
    yield made
    if request.param == "postgres":
        made.close()


@pytest.fixture
def memory():
    RUNS.clear()
    return tf.MemoryJournal()


def worker(journal, *queues, lines=None, types=(), **settings):
    tell = (lambda _: None) if lines is None else lines.append
    settings = {"registry": registry(*types), "name": "w", "poll": 0.05, **settings}
    return Worker(journal, queues or ("default",), tell=tell, **settings)


@contextlib.asynccontextmanager
async def working(made):
    """A worker in the background, which is stopped at the end of the block."""
    async with trio.open_nursery() as nursery:
        await nursery.start(made.run)
        yield
        made.stop()


async def until(condition):
    with trio.fail_after(5):
        while not await condition():
            await trio.sleep(0.01)


async def test_a_job_is_a_run(journal):
    """With its start values, under its name, and done when that is."""
    queue = Queue(journal)
    job = await queue.put(graph(note, note), {"name": "b"})
    lines = []
    await worker(journal, lines=lines).run(until_idle=True)
    assert RUNS == ["b", "b"]
    assert (await queue.show(job.id)).status == "done"
    assert (journal.show(job.id).status, journal.show(job.id).owner) == ("completed", None)
    assert lines == [
        "worker w: default; 10 at a time",
        f"job {job.id}: attempt 1 of 3",
        f"job {job.id}: done",
        "worker w: ended",
    ]


async def test_a_failure_is_tried_again_where_it_was(journal, monkeypatch):
    """What was done before it is not done again; after the last attempt the job is dead, and can be put back."""
    monkeypatch.setattr(records, "_FIRST_DELAY", 0.1)
    queue = Queue(journal)
    job = await queue.put(graph(note, fail), attempts=2)
    await worker(journal).run(until_idle=True)
    found = await queue.show(job.id)
    assert (RUNS, found.status, found.attempts) == (["a", "a"], "queued", 1)
    assert found.reason == "ConnectionError: no answer about a"
    async with working(worker(journal, runs=1)):
        await until(lambda: is_(queue, job, "dead"))
    assert (RUNS, (await queue.show(job.id)).attempts) == (["a"] * 3, 2)
    await queue.put_back(job.id)
    await worker(journal).run(until_idle=True)
    assert RUNS == ["a"] * 4


async def true(value):
    return value


async def is_(queue, job, *statuses):
    return (await queue.show(job.id)).status in statuses


async def test_stopping_hands_back(journal):
    """The run is in the journal as far as it is; the attempt does not count, and another worker goes on with it."""
    queue = Queue(journal)
    job = await queue.put(graph(note, hang))
    async with working(worker(journal)):
        await until(lambda: ran(2))
    found = await queue.show(job.id)
    assert (found.status, found.attempts, journal.show(job.id).owner) == ("queued", 0, None)
    async with working(worker(journal)):
        await until(lambda: ran(3))
    assert RUNS == ["a"] * 3  # the first node is not run again


async def ran(count):
    return len(RUNS) == count


@pytest.mark.parametrize("journal", [pytest.param("postgres", marks=NEEDS_POSTGRES)], indirect=True)
async def test_stopping_while_somebody_holds_its_rows(journal, monkeypatch):
    """It ends all the same, and soon; another worker gets the job when its lease is over."""
    monkeypatch.setattr(workers, "_ENDING", 0.3)
    queue = Queue(journal)
    job = await queue.put(graph(hang))
    other = journal.server.connect()
    try:
        async with trio.open_nursery() as nursery:
            made = worker(journal, lease=1.0)
            await nursery.start(made.run)
            await until(lambda: true(RUNS == ["a"]))
            with other.transaction():
                other.execute("select * from trioflow_job for update")
                with trio.fail_after(4):
                    made.stop()
                    while nursery.child_tasks:
                        await trio.sleep(0.05)
    finally:
        other.close()
    async with working(worker(journal, name="x")):
        await until(lambda: true(RUNS == ["a", "a"]))
    assert (await queue.show(job.id)).status == "queued"


async def test_draining(memory):
    """Jobs that run have so long to come to their ends; nothing new is begun."""

    @tf.exec_node(id="jobs.slow")
    async def slow(text: str) -> None:
        RUNS.append(text)
        await trio.sleep(0.1)
        RUNS.append("end")

    queue = Queue(memory)
    jobs = await queue.put_many(graph(slow), [{}, {}])
    made = worker(memory, runs=1, types=(slow,))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: made.run(drain="5s"))
        await until(lambda: ran(1))
        assert [job.id for job in made.running] == [jobs[0].id]
        made.stop()
    assert RUNS == ["a", "end"]
    assert [each.status for each in await queue.jobs()] == ["queued", "done"]


async def test_a_lost_lease_cancels_the_run(journal):
    """Who has lost a job does not go on with it, and whoever has it now is not disturbed."""
    queue = Queue(journal)
    job = await queue.put(graph(note, hang))
    lines = []
    async with working(worker(journal, lease=0.15, lines=lines)):
        await until(lambda: ran(2))
        queue.store._do(
            lambda database: database.execute(f"update trioflow_job set fence=9, worker='x' where id='{job.id}'")
        )
        await until(lambda: told(lines, f"job {job.id}: its lease was lost; another worker resumes it"))
    found = await queue.show(job.id)
    assert (found.status, found.worker) == ("leased", "x")


async def told(lines, line):
    return line in lines


async def test_a_late_taker_is_refused(journal):
    """Who was stopped between its lease and taking the run can't take it from whoever has it now."""
    queue = Queue(journal)
    await queue.put(graph(hang))
    (stale,) = await queue.lease(1)
    queue.store._do(lambda database: database.execute("update trioflow_job set fence=fence+1"))
    with pytest.raises(tf.RunOwned, match="was lost before its run was taken"):
        await made_carrier(journal, queue).carry_out(stale)
    assert RUNS == []


def made_carrier(journal, queue):
    return worker(journal)._carrier


async def test_cancelling_a_job_that_runs(journal):
    queue = Queue(journal)
    job = await queue.put(graph(hang))
    async with working(worker(journal, lease=0.15)):
        await until(lambda: ran(1))
        await queue.cancel(job.id)
        await until(lambda: is_(queue, job, "cancelled"))


async def test_a_failing_job_never_ends_a_worker(memory):
    """Not one that can't be run, nor one that ends the process: the next one is run."""
    queue = Queue(memory)
    with tf.build() as g:
        g.connect(g.add("flow.start").then, g.add("flow.delay", seconds="x").enter)
    wrong = await queue.put(g.graph)
    leaves = await queue.put(graph(leave), attempts=1)
    right = await queue.put(graph(note))
    await worker(memory, runs=1).run(until_idle=True)
    assert [(each.id, each.status) for each in await queue.jobs()] == [
        (right.id, "done"), (leaves.id, "dead"), (wrong.id, "failed")
    ]  # fmt: skip
    assert (await queue.show(wrong.id)).reason.startswith("InvalidGraph")
    assert (await queue.show(leaves.id)).reason.startswith("SystemExit")


async def test_a_job_is_left_to_a_worker_that_has_its_node_types(memory):
    """It is handed back once, and not leased again by that worker."""

    @tf.exec_node(id="jobs.special")
    def special(text: str) -> None:
        RUNS.append(text)

    queue = Queue(memory)
    job = await queue.put(graph(special))
    lines = []
    await worker(memory, lines=lines).run(until_idle=True)
    reason = "it needs node types that worker w does not have; start one with --nodes MODULE: jobs.special"
    assert (await queue.show(job.id)).reason == reason
    assert lines.count(f"job {job.id}: left to another worker: {reason}") in {1, 2}  # once more if it is just looking
    async with working(worker(memory, types=(special,))):
        await until(lambda: is_(queue, job, "done"))


async def test_old_workers_finish_old_runs(memory):
    """A run that was begun is not resumed by other code, unless the worker is told that it may."""

    @tf.exec_node(id="jobs.wait")
    async def wait(text: str) -> None:
        RUNS.append("old")
        await trio.sleep_forever()

    old = wait

    @tf.exec_node(id="jobs.wait")
    async def wait(text: str) -> None:
        RUNS.append("new")

    queue = Queue(memory)
    job = await queue.put(graph(old))
    async with working(worker(memory, types=(old,))):
        await until(lambda: ran(1))
    lines = []
    await worker(memory, types=(wait,), lines=lines).run(until_idle=True)
    assert RUNS == ["old"]
    assert any("begun with other code of its node types" in line for line in lines)
    async with working(worker(memory, types=(wait,), changed=True)):
        await until(lambda: is_(queue, job, "done"))
    assert RUNS == ["old", "new"]


async def test_stealing(memory):
    """An idle worker takes what waits where all workers are full, but not what is less urgent than it is told."""
    busy, idle = Queue(memory, "busy"), Queue(memory, "idle")
    await busy.put(graph(hang), {"name": "hangs"})
    async with working(worker(memory, "busy", runs=1, lease=0.15, name="b")):
        await until(lambda: ran(1))
        urgent = await busy.put(graph(note), {"name": "urgent"}, priority="high")
        other = await busy.put(graph(note), {"name": "other"})
        lines = []
        async with working(worker(memory, "idle", steal=1, steal_from="high", lines=lines)):
            await until(lambda: is_(busy, urgent, "done"))
        assert "took 1 of the queue 'busy', whose workers are full" in lines
        assert (await busy.show(other.id)).status == "queued"
        assert idle.store.full_queues(["busy"], 60) == []


async def test_a_worker_that_blocks_its_loop_is_told(memory):
    """Before its leases are lost."""
    import time

    @tf.exec_node(id="jobs.block")
    def block(text: str) -> None:
        time.sleep(0.3)

    lines = []
    queue = Queue(memory)
    await queue.put(graph(block, note))
    async with working(worker(memory, types=(block,), lease=0.3, lines=lines)):
        await until(lambda: ran(1))
        await trio.sleep(0.06)
    assert any(line.startswith("the loop was blocked, or the process stopped, for 0.") for line in lines)


async def test_run_once(journal):
    """For other dispatchers: one of those who call it runs the job, and later ones get what it came to."""
    queue = Queue(journal)
    job = await queue.put(graph(note), {"name": "b"}, not_before="1h")
    result = await run_once(journal, job.id, registry=registry())
    assert (result.output("n0"), RUNS) == ("b", ["b"])
    assert (await run_once(journal, job.id, registry=registry())).output("n0") == "b"
    assert RUNS == ["b"]
    job = await queue.put(graph(fail), attempts=1)
    with pytest.raises(ConnectionError, match="no answer about a"):
        await run_once(journal, job.id, registry=registry())
    with pytest.raises(LeaseLost, match="is dead: ConnectionError: no answer about a. Put it back"):
        await run_once(journal, job.id, registry=registry())
    with pytest.raises(JobNotFound):
        await run_once(journal, "nothing")


async def test_run_once_is_cancelled(journal):
    """By whoever calls it, which hands the job back, or by hand."""
    queue = Queue(journal)
    job = await queue.put(graph(hang))
    with trio.move_on_after(0.2):
        await run_once(journal, job.id, registry=registry())
    assert (await queue.show(job.id)).status == "queued"
    async with trio.open_nursery() as nursery:

        async def cancel():
            await until(lambda: ran(2))
            with pytest.raises(tf.RunOwned, match="is being run by"):
                await run_once(journal, job.id)
            await queue.cancel(job.id)

        nursery.start_soon(cancel)
        with pytest.raises(LeaseLost, match="was cancelled"):
            await run_once(journal, job.id, registry=registry(), lease=0.2)
    assert (await queue.show(job.id)).status == "cancelled"


def test_what_workers_refuse(memory):
    for settings, problem in (
        ({"runs": 0}, "runs must be 1 or more"),
        ({"queues": "default"}, "queues must be a list of names, got 'default'"),
        ({"lease": 0}, "lease must be more than 0"),
        ({"lease": "soon"}, "expected a duration"),
        ({"steal_from": "any"}, "expected a priority"),
    ):
        with pytest.raises(ValueError, match=problem):
            Worker(memory, **settings)


async def test_a_run_that_only_waits_needs_no_worker(journal):
    """It is put away, its job waits meanwhile, and a signal wakes it."""
    with tf.build() as g:
        asks, ship = g.add("flow.approve", "asks", timeout="2d"), g.add(note, text="shipped")
        g.connect(g.add("flow.start").then, asks.enter)
        g.connect(asks.approved, ship.enter)
    queue = Queue(journal)
    job = await queue.put(g.graph)
    async with working(worker(journal, suspend_after=0.05)):
        await until(lambda: put_away(queue, job))
        assert (await queue.show(job.id)).attempts == 0
        tf.send_signal(journal, job.id, "approve", True)
        await until(lambda: is_(queue, job, "done"))
    assert RUNS == ["shipped"]


async def put_away(queue, job):
    found = await queue.show(job.id)
    return found.reason is not None and found.reason.startswith("it waits for 'approve' until 20")
