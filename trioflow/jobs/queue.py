"""A queue as programs use it: put a graph and its start values, or a message, and lease what is next."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from trioflow.durable.codec import decode, dump, encode, parse
from trioflow.errors import UnknownName, did_you_mean
from trioflow.jobs.documents import Document
from trioflow.jobs.errors import LeaseLost, QueueFull
from trioflow.jobs.records import ATTEMPTS, LEASE, LIMIT, Job, Lease, delay_after, rank_of
from trioflow.jobs.store import NewJob, Settled, Wanted, jobs_of
from trioflow.model.durability import Duration, seconds_of

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.jobs.records import JobStatus
    from trioflow.jobs.store import JobStore
    from trioflow.model.graph import Graph
    from trioflow.model.policy import Priority
    from trioflow.semantics.plan import Plan

T = TypeVar("T")
_LOOK_AGAIN = 0.1
"""Seconds between two looks whether there is room."""


class Queue:
    """Jobs and messages that wait in a journal: a `SqliteJournal`, a `PostgresJournal`, or a `MemoryJournal`.

    `limit`: how many wait at most. `quota`: how many of one tenant run at the same time, `quotas` for single tenants;
    both count for what is leased through this queue. Everything is a cancellation point, blocks in threads, and raises
    `JournalUnusable` for what is wrong with the database, `JournalError` for a journal that can keep runs alone.
    """

    def __init__(
        self,
        journal: Journal,
        name: str = "default",
        *,
        limit: int = LIMIT,
        quota: int | None = None,
        quotas: Mapping[str, int] | None = None,
    ) -> None:
        if limit < 1:
            raise ValueError(f"limit must be 1 or more, got {limit}.")
        if not name:
            raise ValueError("A queue needs a name.")
        self.journal = journal
        self.name = name
        self._store = jobs_of(journal)
        self._limit = limit
        self._quota = quota
        self._quotas = dict(quotas or {})
        self._holder = f"queue-{uuid.uuid4().hex[:8]}"

    @property
    def holder(self) -> str:
        """Under what name this queue leases."""
        return self._holder

    @property
    def store(self) -> JobStore:
        """What keeps the jobs, of all queues of this journal."""
        return self._store

    async def put(
        self,
        graph: Graph | Plan,
        variables: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
        id: str | None = None,
        priority: Priority = "normal",
        tenant: str = "",
        not_before: Duration = 0.0,
        attempts: int = ATTEMPTS,
        wait: bool = True,
    ) -> Job:
        """Put a job: a graph that a worker runs with these start values. It is durable when this returns.

        Of several with one `key` in a queue, or one `id` in a journal, the first counts, and is given. Higher
        priorities come first, then jobs of tenants of which the fewest run. `not_before` are seconds, or a duration
        such as "2h". `attempts`: how often it is begun at most. In a full queue it waits, or raises `QueueFull` if
        `wait` is False. Raises `UnknownName` for what is no variable of the graph, `Unrecordable` for values that no
        journal can hold, `JournalError` for a graph that no document can.
        """
        settings: dict[str, Any] = {
            "key": key,
            "id": id,
            "priority": priority,
            "tenant": tenant,
            "not_before": not_before,
            "attempts": attempts,
        }
        (kept,) = await self.put_many(graph, [variables or {}], wait=wait, **settings)
        return kept

    async def put_many(
        self, graph: Graph | Plan, variables: Iterable[Mapping[str, object]], *, wait: bool = True, **settings: Any
    ) -> list[Job]:
        """Put a job of one graph for each of these start values, all or none. The rest is as for `put`."""
        document = Document.of(graph)
        jobs = [
            self._new(
                graph=document.digest,
                given=_checked(document, values),
                **settings,
            )
            for values in variables
        ]
        return await self._put(jobs, [(document.digest, document.text, document.types)], wait=wait)

    async def send(
        self,
        value: object,
        *,
        key: str | None = None,
        id: str | None = None,
        priority: Priority = "normal",
        tenant: str = "",
        not_before: Duration = 0.0,
        attempts: int = ATTEMPTS,
        wait: bool = True,
    ) -> Job:
        """Put a message: a value for whoever takes it with `lease(messages=True)`. The rest is as for `put`."""
        job = self._new(
            key=key,
            id=id,
            priority=priority,
            tenant=tenant,
            not_before=not_before,
            attempts=attempts,
            given=encode(value, "the message"),
        )
        (kept,) = await self._put([job], (), wait=wait)
        return kept

    async def lease(self, n: int = 1, lease: Duration = LEASE, *, messages: bool = False) -> list[Lease]:
        """Take at most `n` jobs, or with `messages` messages, for so long: nobody else gets them until then.

        Returns at once, with an empty list if none waits. What is not settled until the lease expires waits again, as
        long as it has attempts left.
        """
        wanted = self._wanted(n, seconds_of(lease), plain=messages)
        return await self._call(self._store.lease, wanted)

    async def extend(self, lease: Lease, more: Duration = LEASE) -> bool:
        """Let a lease last for so long from now. Returns whether somebody has asked to cancel the job.

        Raises `LeaseLost`.
        """
        held = await self._call(self._store.extend, [lease.mark], seconds_of(more))
        if lease.job.sequence not in held:
            raise self._lost(lease)
        return held[lease.job.sequence]

    async def done(self, lease: Lease) -> None:
        """Say that the work of a lease is done. Raises `LeaseLost`, and then nothing is changed."""
        await self._settle(lease, "done", None)

    async def retry(self, lease: Lease, reason: str = "", *, after: Duration | None = None) -> JobStatus:
        """Let a job wait for its next attempt: `after` so long, or for longer with each attempt. Dead if none is left.

        `reason` is kept with it. Returns its status. Raises `LeaseLost`, and then nothing is changed.
        """
        settled = again(lease, reason, None if after is None else seconds_of(after))
        await self._settle_as(lease, settled)
        return settled.status

    async def dead(self, lease: Lease, reason: str) -> None:
        """Give a job up as a dead letter, which keeps the reason for people. Raises `LeaseLost`."""
        await self._settle(lease, "dead", reason)

    async def hand_back(self, lease: Lease) -> None:
        """Let a job wait again at once, as if it had not been leased: no attempt is counted. Raises `LeaseLost`."""
        await self._settle_as(lease, Settled(lease.mark, "queued", back=1))

    async def jobs(self, *, status: JobStatus | None = None, tenant: str | None = None, limit: int = 100) -> list[Job]:
        """At most `limit` jobs and messages of this queue, the newest first, ended ones included.

        `status` and `tenant` choose among them.
        """

        def ask() -> list[Job]:
            return self._store.jobs(queue=self.name, status=status, tenant=tenant, limit=limit)

        return await self._call(ask)

    async def put_back(self, job_id: str) -> Job:
        """Let a job that has failed, is dead or was cancelled wait again as a new one. Raises `JobNotFound`."""
        return await self._call(self._store.put_back, job_id)

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job that waits, or ask the worker that has it to. Raises `JobNotFound`."""
        return await self._call(self._store.cancel, job_id)

    async def show(self, job_id: str) -> Job:
        """The job of this id, as it is now. Raises `JobNotFound`."""
        return await self._call(self._store.show, job_id)

    # --- inside ---

    def _new(
        self,
        *,
        given: Any,
        key: str | None = None,
        id: str | None = None,
        priority: str = "normal",
        tenant: str = "",
        not_before: Duration = 0.0,
        attempts: int = ATTEMPTS,
        graph: str = "",
    ) -> NewJob:
        if attempts < 1:
            raise ValueError(f"attempts must be 1 or more, got {attempts}.")
        return NewJob(
            id=id or uuid.uuid4().hex[:16],
            queue=self.name,
            tenant=tenant,
            key=key,
            priority=rank_of(priority),
            graph=graph,
            given=dump(given),
            most=attempts,
            later=seconds_of(not_before),
        )

    def _wanted(self, n: int, seconds: float, *, plain: bool) -> Wanted:
        return Wanted(
            queue=self.name,
            worker=self._holder,
            seconds=seconds,
            n=n,
            plain=plain,
            quota=self._quota,
            quotas=self._quotas,
        )

    async def _put(self, jobs: Sequence[NewJob], documents: Sequence[tuple[str, str, str]], *, wait: bool) -> list[Job]:
        while True:
            try:
                return await self._call(self._store.put, jobs, self._limit, documents)
            except QueueFull:
                if not wait or len(jobs) > self._limit:
                    raise
            await trio.sleep(_LOOK_AGAIN)

    async def _settle(self, lease: Lease, status: JobStatus, reason: str | None) -> None:
        await self._settle_as(lease, Settled(lease.mark, status, reason))

    async def _settle_as(self, lease: Lease, settled: Settled) -> None:
        if not await self._call(self._store.settle, [settled]):
            raise self._lost(lease)

    def _lost(self, lease: Lease) -> LeaseLost:
        return LeaseLost(
            f"The lease of {lease.job.id!r} was lost: it expired before it was extended, or the job was settled. "
            f"Nothing "
            "was changed. Extend leases well before they expire."
        )

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        return await trio.to_thread.run_sync(function, *arguments)

    def __repr__(self) -> str:
        return f"Queue({self.journal!r}, {self.name!r})"


def value_of(job: Job) -> Any:
    """The value of a message, as it was given to `Queue.send`."""
    return decode(parse(job.values))


def variables_of(job: Job) -> dict[str, Any]:
    """The start values of a job, by the names of the graph's variables."""
    return {name: decode(value) for name, value in parse(job.values).items()}


def _checked(document: Document, values: Mapping[str, object]) -> dict[str, Any]:
    for name in values:
        if name not in document.variables:
            raise UnknownName(
                f"There is no variable {name!r}.{did_you_mean(name, document.variables)} "
                f"The graph declares: {', '.join(document.variables) or 'none'}."
            )
    return {name: encode(value, f"variable {name!r}") for name, value in values.items()}


def again(lease: Lease, reason: str, after: float | None = None) -> Settled:
    """What becomes of a job whose attempt has failed."""
    job = lease.job
    if job.attempts >= job.most:
        return Settled(lease.mark, "dead", reason)
    return Settled(lease.mark, "queued", reason, delay_after(job.attempts) if after is None else after)
