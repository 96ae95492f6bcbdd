"""Carrying out one job by its id: for those who have another dispatcher, such as Celery, or a Job of Kubernetes."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import trio

from trioflow.errors import RunOwned
from trioflow.jobs.carrying import Carrier, Means, meaning
from trioflow.jobs.errors import LeaseLost
from trioflow.jobs.records import LEASE
from trioflow.jobs.store import Settled, jobs_of
from trioflow.model.durability import Duration, seconds_of

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.jobs.records import Lease
    from trioflow.jobs.store import JobStore
    from trioflow.runtime.base.options import RunResult


async def run_once(journal: Journal, job_id: str, *, lease: Duration = LEASE, **means: Any) -> RunResult:
    """Run a job that waits, whenever it is due, and give what it came to; of one that is done, what it had come to.

    So a dispatcher may call it any number of times, also at the same time: one of them runs it. A failure is raised,
    and leaves the job to its next attempt, or dead; the dispatcher may try again, or leave that to workers. `means` are
    the registry, services, secrets, options, observers and middleware of the run, as for `Worker`. Raises
    `JobNotFound`; `RunOwned` if another process has the job; `LeaseLost` if it was taken from this one, or cancelled. A
    cancellation point; cancelling it puts the run away and hands the job back.
    """
    store = jobs_of(journal)
    seconds = seconds_of(lease)
    name = f"{socket.gethostname()}-{os.getpid()}"
    carrier = Carrier(journal, store, Means(**means), name)
    held = await trio.to_thread.run_sync(store.lease_one, job_id, name, seconds)
    if held is None:
        job = await trio.to_thread.run_sync(store.show, job_id)
        if job.status == "leased":
            raise RunOwned(f"Job {job_id!r} is being run by {job.worker}.")
        if job.status != "done":
            raise LeaseLost(
                f"Job {job_id!r} is {job.status}: {job.reason}. Put it back to run it: trioflow jobs retry."
            )
        return await carrier.came_to(job)
    return await _run(store, carrier, held, seconds)


async def _run(store: JobStore, carrier: Carrier, held: Lease, seconds: float) -> RunResult:
    settled = Settled(held.mark, "queued", back=1)
    result: RunResult | None = None
    failure: Exception | None = None
    lost = False

    async def beat(scope: trio.CancelScope) -> None:
        nonlocal lost
        nonlocal settled
        while True:
            await trio.sleep(seconds / 3)
            still = await trio.to_thread.run_sync(store.extend, [held.mark], seconds)
            lost = not still
            if lost or still[held.job.sequence]:
                settled = Settled(held.mark, "cancelled", "cancelled by hand")
                scope.cancel()
                return

    try:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(beat, scope)
                try:
                    result = await carrier.carry_out(held)
                    settled = Settled(held.mark, "done")
                except Exception as error:
                    settled = meaning(held, error) or settled
                    failure = error
                nursery.cancel_scope.cancel()
    finally:
        if not lost:
            with trio.move_on_after(10, shield=True):
                await trio.to_thread.run_sync(store.settle, [settled])
    if scope.cancelled_caught:
        raise LeaseLost(f"Job {held.job.id!r} was {'taken by another worker' if lost else 'cancelled'}.")
    if failure is not None:
        try:
            raise failure
        finally:
            failure = None
    assert result is not None
    return result
