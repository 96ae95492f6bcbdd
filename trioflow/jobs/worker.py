"""Workers: programs that lease jobs and run them, many at a time, until they are told to stop."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import trio

from trioflow.errors import JournalUnusable
from trioflow.jobs.carrying import CantRun, Carrier, Means, meaning
from trioflow.jobs.records import LEASE, Job, Lease, rank_of
from trioflow.jobs.store import Settled, Wanted, jobs_of
from trioflow.jobs.waking import Waker
from trioflow.model.durability import Duration, seconds_of

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.model.policy import Priority
    from trioflow.model.registry import Registry
    from trioflow.runtime.base.options import RunOptions
    from trioflow.runtime.base.watch import Observer
    from trioflow.runtime.wrapping.middleware import Middleware

T = TypeVar("T")
_POLL = 1.0
_SUSPEND_AFTER = 10.0
_REFUSED_AT_MOST = 1000
_ENDING = 5.0
"""Seconds in which a worker that ends tells the store what is to be told. What it can't tell shows when leases end."""


@attrs.define(eq=False)
class _Running:
    """A job that is being run here."""

    lease: Lease
    scope: trio.CancelScope
    lost: bool = False
    cancelled: bool = False


class Worker:
    """Leases the jobs of some queues and runs them, at most `runs` at a time.

    Each job is a run of the journal with the name of the job. `lease`: for how long a job is held unless that is
    renewed, which is done for all at a third of it; a job whose lease is lost is cancelled here, and can write nothing
    more. `quota`, `quotas`: how many jobs of one tenant run at the same time. An idle worker takes at most `steal` jobs
    at a time that wait in queues whose own workers are alive but full, and none of a priority below `steal_from`.
    `changed`: runs are also resumed that were begun with other code, as long as they do what is recorded. Runs
    that only wait, for a time or a signal, are put away after `suspend_after`, and their jobs wait meanwhile. `poll`:
    seconds between two looks for jobs. The rest is what its runs are given, as for `run`; `watch` tells which observers
    the run of one job has beside those of all. `tell` is called with a line
    for each thing that happens.
    """

    def __init__(
        self,
        journal: Journal,
        queues: Sequence[str] = ("default",),
        *,
        runs: int = 10,
        lease: Duration = LEASE,
        name: str | None = None,
        quota: int | None = None,
        quotas: Mapping[str, int] | None = None,
        steal: int = 0,
        steal_from: Priority = "low",
        changed: bool = False,
        suspend_after: Duration = _SUSPEND_AFTER,
        poll: float = _POLL,
        registry: Registry | None = None,
        services: Mapping[type | str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        options: RunOptions | None = None,
        observers: Sequence[Observer] = (),
        middleware: Sequence[Middleware] = (),
        watch: Callable[[Job], Sequence[Observer]] = lambda _: (),
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        if runs < 1:
            raise ValueError(f"runs must be 1 or more, got {runs}.")
        if not queues or isinstance(queues, str):
            raise ValueError(f"queues must be a list of names, got {queues!r}.")
        self.journal = journal
        self.name = name or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:4]}"
        self._queues = [*queues]
        self._runs = runs
        self._seconds = seconds_of(lease)
        if not self._seconds > 0:
            raise ValueError(f"lease must be more than 0, got {lease!r}.")
        self._store = jobs_of(journal)
        self._wanted = Wanted(
            queue=queues[0], worker=self.name, seconds=self._seconds, quota=quota, quotas=dict(quotas or {})
        )
        self._steal, self._steal_from = steal, rank_of(steal_from)
        self._poll = poll
        self._tell = tell
        means = Means(
            registry=registry,
            services=services,
            secrets=secrets,
            options=options,
            observers=observers,
            watch=watch,
            middleware=middleware,
            changed=changed,
            suspend_after=seconds_of(suspend_after),
        )
        self._carrier = Carrier(journal, self._store, means, self.name)
        self._running: dict[int, _Running] = {}
        self._settled: list[Settled] = []
        self._something_settled = trio.Event()
        self._refused: dict[str, None] = {}
        self._room = trio.Event()
        self._stopping = trio.Event()
        self._away = False

    @property
    def running(self) -> list[Job]:
        """The jobs that it runs now."""
        return [each.lease.job for each in self._running.values()]

    def stop(self) -> None:
        """Take no more jobs. Those that run are put away and handed back at once, or after `drain`."""
        self._stopping.set()
        self._room.set()

    async def run(
        self,
        *,
        drain: Duration = 0.0,
        until_idle: bool = False,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Lease and run jobs until `stop` is called; `until_idle`: until nothing waits that it may run.

        Once stopped, jobs that run have `drain` to come to their ends. Then they are cancelled, which leaves them in
        the journal as far as they are, and are handed back for another worker to resume. A failing job never ends a
        worker, nor does a store that goes away for a while; that it is not there at the start is raised, as
        `JournalUnusable`. A cancellation point; cancelling it hands back as well.
        """
        await self._call(self._store.register, self.name, self._queues, self._runs, self._runs)
        self._tell(f"worker {self.name}: {', '.join(self._queues)}; {self._runs} at a time")
        try:
            async with trio.open_nursery() as helpers:
                waker = await helpers.start(Waker(self.journal, self._poll).run)
                helpers.start_soon(self._beat)
                helpers.start_soon(self._watch_loop)
                helpers.start_soon(self._hurry_signalled)
                task_status.started()
                async with trio.open_nursery() as jobs:
                    await self._lease_all(jobs, waker, until_idle)
                    helpers.start_soon(self._keep_settled)
                    await self._drain(seconds_of(drain))
                with trio.move_on_after(_ENDING):
                    await self._settle_rest()
                helpers.cancel_scope.cancel()
        finally:
            with trio.move_on_after(_ENDING, shield=True):
                await self._hand_back()
                await self._patiently(self._store.unregister, self.name)
            self._tell(f"worker {self.name}: ended")

    # --- leasing ---

    async def _lease_all(self, nursery: trio.Nursery, waker: Waker, until_idle: bool) -> None:
        while not self._stopping.is_set():
            told = [*self._settled]
            free = self._runs - len(self._running) + len(told)
            if free == 0:
                self._room = trio.Event()
                await self._room.wait()
                continue
            seen = waker.seen
            found = await self._next(free, told)
            for lease in found:
                self._begin(nursery, lease)
            if found or self._settled:
                continue
            if until_idle and not self._running:
                return
            with trio.move_on_after(self._poll if not until_idle else min(self._poll, 0.05)):
                self._room = trio.Event()
                await waker.wait(seen, self._room, self._stopping)

    async def _next(self, free: int, settled: list[Settled]) -> list[Lease]:
        """Jobs, leased in the transaction that keeps what has become of others."""
        wanted = attrs.evolve(self._wanted, refused=[*self._refused])
        try:
            for queue in self._queues:
                found = await self._call(self._store.lease, attrs.evolve(wanted, queue=queue, n=free), settled)
                self._are_told(settled)
                settled = []
                if found:
                    return found
            if self._steal and not self._running:
                for queue in await self._call(self._store.full_queues, self._queues, 2 * self._seconds):
                    wanted = attrs.evolve(wanted, queue=queue, n=min(free, self._steal), lowest=self._steal_from)
                    found = await self._call(self._store.lease, wanted)
                    if found:
                        self._tell(f"took {len(found)} of the queue {queue!r}, whose workers are full")
                        return found
        except JournalUnusable as error:
            self._tell_away(error)
            await trio.sleep(self._poll)
            return []
        self._away = False
        return []

    def _begin(self, nursery: trio.Nursery, lease: Lease) -> None:
        running = _Running(lease, trio.CancelScope())
        self._running[lease.job.sequence] = running
        nursery.start_soon(self._carry_out, running)

    # --- running ---

    async def _carry_out(self, running: _Running) -> None:
        lease, job = running.lease, running.lease.job
        self._tell(f"job {job.id}: attempt {job.attempts} of {job.most}")
        settled: Settled | None = None
        try:
            with running.scope:
                try:
                    await self._carrier.carry_out(lease)
                    settled = Settled(lease.mark, "done")
                except trio.Cancelled:
                    raise
                except (KeyboardInterrupt, trio.TrioInternalError):
                    raise
                except BaseException as error:  # a job that calls sys.exit ends itself, and not the worker
                    if running.scope.cancel_called:
                        return
                    if isinstance(error, CantRun):
                        self._refuse(job)
                    settled = meaning(lease, error)
                    running.lost = settled is None
        finally:
            if running.scope.cancelled_caught or (settled is None and not running.lost):
                settled = self._put_away(running)
            self._end(running, settled)

    def _put_away(self, running: _Running) -> Settled | None:
        mark = running.lease.mark
        if running.lost:
            return None
        if running.cancelled:
            return Settled(mark, "cancelled", "cancelled by hand")
        return Settled(mark, "queued", back=1)

    def _refuse(self, job: Job) -> None:
        known = job.graph if job.version is None else f"{job.graph}:{job.version}"
        if len(self._refused) < _REFUSED_AT_MOST:
            self._refused[known] = None

    def _end(self, running: _Running, settled: Settled | None) -> None:
        job = running.lease.job
        if settled is None:
            self._tell(f"job {job.id}: its lease was lost; another worker resumes it")
            del self._running[job.sequence]
        else:
            reason = f": {settled.reason}" if settled.reason else ""
            self._tell(f"job {job.id}: {_word(settled)}{reason}")
            self._settled.append(settled)
            self._something_settled.set()
        self._room.set()

    # --- in the background ---

    async def _keep_settled(self) -> None:
        """Tell the store what has become of jobs, of many in one statement."""
        while True:
            await self._something_settled.wait()
            self._something_settled = trio.Event()
            await self._settle_rest()

    async def _settle_rest(self) -> None:
        while self._settled:
            told = [*self._settled]
            await self._patiently(self._store.settle, told)
            self._are_told(told)
            self._room.set()

    def _are_told(self, told: list[Settled]) -> None:
        """The store knows what has become of these, which were the first."""
        del self._settled[: len(told)]
        for each in told:
            self._running.pop(each.mark[0], None)

    async def _hand_back(self) -> None:
        """Tell what is not told yet: nobody else needs to wait for the leases then."""
        told = {each.mark: each for each in self._settled}
        for each in self._running.values():
            told.setdefault(each.lease.mark, Settled(each.lease.mark, "queued", back=1))
        if told:
            await self._patiently(self._store.settle, [*told.values()])
        self._settled.clear()
        self._running.clear()

    async def _beat(self) -> None:
        """Renew all leases at a third of their time, in one statement, and see which are lost or to be cancelled."""
        renewed = trio.current_time()
        while True:
            await trio.sleep(self._seconds / 3)
            now = trio.current_time()
            marks = {each.lease.mark: each for each in self._running.values()}
            try:
                held = await self._told(self._store.extend, [*marks], self._seconds)
                free = 0 if self._stopping.is_set() else self._runs - len(self._running)
                await self._call(self._store.register, self.name, self._queues, self._runs, free)
            except JournalUnusable as error:
                self._tell_away(error)
                if trio.current_time() - renewed > self._seconds:
                    self._lose(marks.values())  # somebody else may have them now
                continue
            renewed = now
            self._lose(each for mark, each in marks.items() if mark[0] not in held)
            for sequence, cancelling in held.items():
                running = self._running.get(sequence)
                if cancelling and running is not None:
                    running.cancelled = True
                    running.scope.cancel()

    def _lose(self, lost: Any) -> None:
        for each in lost:
            if not any(settled.mark == each.lease.mark for settled in self._settled):
                each.lost = True
                each.scope.cancel()

    async def _hurry_signalled(self) -> None:
        """Let jobs be run whose runs were put away and have got a signal that they wait for."""
        while True:
            await trio.sleep(self._poll)
            try:
                ready = await self._call(self.journal.ready, time.time())
                hurried = await self._call(self._store.hurry, [info.id for info in ready]) if ready else 0
                if hurried:
                    self._room.set()
            except JournalUnusable as error:
                self._tell_away(error)

    async def _watch_loop(self) -> None:
        """A body that blocks the loop keeps the leases from being renewed: say so before they are lost."""
        step = min(1.0, self._seconds / 6)
        while True:
            before = trio.current_time()
            await trio.sleep(step)
            late = trio.current_time() - before - step
            if late > self._seconds / 3 and self._running:
                names = ", ".join(each.lease.job.id for each in self._running.values())
                self._tell(
                    f"the loop was blocked, or the process stopped, for {late:.1f} s while {names} ran: leases of "
                    f"{self._seconds:g} s may be lost. Let bodies that compute for long run elsewhere: run_on: "
                    "processes, or trio.to_thread."
                )

    async def _drain(self, seconds: float) -> None:
        with trio.move_on_after(seconds):
            while self._running:
                self._room = trio.Event()
                await self._room.wait()
        for each in self._running.values():
            each.scope.cancel()

    # --- the store ---

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        return await trio.to_thread.run_sync(function, *arguments)

    async def _told(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call what may as well be said twice: cancelled while it waits for somebody else's rows, it is left behind."""
        return await trio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True)

    async def _patiently(self, function: Callable[..., object], *arguments: Any) -> None:
        while True:
            try:
                await self._told(function, *arguments)
            except JournalUnusable as error:
                self._tell_away(error)
                await trio.sleep(self._poll)
            else:
                self._away = False
                return

    def _tell_away(self, error: JournalUnusable) -> None:
        if not self._away:
            self._away = True
            self._tell(f"the store can't be used, and is asked again: {error}")


def _word(settled: Settled) -> str:
    if settled.status != "queued":
        return settled.status
    if not settled.back:
        return "again later"
    if settled.later:
        return "put away"
    return "left to another worker" if settled.reason else "handed back"
