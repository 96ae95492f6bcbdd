"""Carrying out one leased job: its run, begun or resumed, and what its end means for the job."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import trio

from trioflow.durable.ended import ended
from trioflow.durable.journal import Journal
from trioflow.durable.running import Resuming, run
from trioflow.errors import (
    GraphChanged,
    GraphError,
    JournalError,
    JournalUnusable,
    RunNotFound,
    RunOwned,
    RunStuck,
    RunSuspended,
    UnknownName,
)
from trioflow.jobs.claimed import ClaimedJournal
from trioflow.jobs.errors import JobNotFound
from trioflow.jobs.queue import again, variables_of
from trioflow.jobs.store import Settled
from trioflow.jobs.versions import version_of
from trioflow.model.document import loads
from trioflow.model.registry import Registry
from trioflow.runtime.base.failure import leaves
from trioflow.runtime.host.given import RunArguments, given
from trioflow.semantics.planning import make_plan

if TYPE_CHECKING:
    from trioflow.jobs.records import Job, Lease
    from trioflow.jobs.store import JobStore
    from trioflow.runtime.base.options import RunOptions, RunResult
    from trioflow.runtime.base.watch import Observer
    from trioflow.runtime.wrapping.middleware import Middleware
    from trioflow.semantics.plan import Plan

_LONGEST_REASON = 500
_MOST_PLANS = 256
_AT_SIGNALS = 10 * 365 * 86_400.0
"""Seconds: until somebody sends a signal."""

_HOPELESS = (GraphError, JournalError, JobNotFound, UnknownName)
"""What trying again does not mend."""


class CantRun(Exception):
    """This worker is not the one for that job: it lacks node types, or has others than the run was begun with."""


@attrs.frozen(kw_only=True)
class Means:
    """What the runs of a worker are given."""

    registry: Registry | None = None
    services: Mapping[type | str, Any] | None = None
    secrets: Mapping[str, str] | None = None
    options: RunOptions | None = None
    observers: Sequence[Observer] = ()
    watch: Callable[[Job], Sequence[Observer]] = lambda _: ()
    middleware: Sequence[Middleware] = ()
    suspend_after: float | None = None
    """Seconds after which a run that only waits is put away, and its job waits meanwhile."""
    changed: bool = False
    """Whether runs are resumed that were begun with other code."""


@attrs.frozen
class _Ready:
    """A graph that can be run here."""

    plan: Plan
    version: str


class Carrier:
    """Runs jobs with what a worker has. Plans are kept: many jobs have the same graph."""

    def __init__(self, journal: Journal, store: JobStore, means: Means, name: str) -> None:
        self._name = name
        self._journal = journal
        self._store = store
        self._means = means
        self._registry = means.registry if means.registry is not None else Registry.standard()
        self._plans: dict[str, _Ready] = {}

    async def carry_out(self, lease: Lease) -> RunResult:
        """Run a job to its end, and give what it came to, also if that had been so before.

        Raises `CantRun`, `RunOwned` if the lease is lost, and what the run fails with. A cancellation point; cancelling
        it puts the run away, to be resumed.
        """
        job = lease.job
        ready = await self._ready(job)
        if job.version not in {None, ready.version} and not self._means.changed:
            raise CantRun(f"it was begun with other code of its node types than worker {self._name} has")
        journal = ClaimedJournal(self._journal, self._store.may(lease, ready.version))
        means = self._means
        plan, made = given(
            ready.plan,
            RunArguments(
                variables=variables_of(job),
                services={Journal: self._journal, **(means.services or {})},
                secrets=means.secrets,
                options=means.options,
                observers=[*means.observers, *means.watch(job)],
                middleware=means.middleware,
                journal=journal,
                run_id=job.id,
                suspend_after=means.suspend_after,
            ),
        )
        retry = job.fence > 1 and await trio.to_thread.run_sync(self._has_failed, job.id)
        resuming = Resuming(retry=retry, on_change="compatible" if means.changed else "refuse")
        try:
            return await run(journal, plan, made, resuming)
        except GraphChanged as error:
            raise CantRun(str(error)) from error

    async def came_to(self, job: Job) -> RunResult:
        """What the run of a job that is done has come to."""
        return ended(await trio.to_thread.run_sync(self._journal.show, job.id))

    async def _ready(self, job: Job) -> _Ready:
        found = self._plans.get(job.graph)
        if found is None:
            document, types = await trio.to_thread.run_sync(self._store.graph, job.graph)
            missing = [each for each in types if self._registry.find(each) is None and not each.startswith("graph.")]
            if missing:
                raise CantRun(
                    f"it needs node types that worker {self._name} does not have; start one with --nodes MODULE: "
                    f"{', '.join(missing)}"
                )
            plan = make_plan(loads(document), self._registry)
            types_here = [known for each in types if (known := self._registry.find(each)) is not None]
            found = _Ready(plan, version_of(types_here))
            if len(self._plans) >= _MOST_PLANS:
                del self._plans[next(iter(self._plans))]
            self._plans[job.graph] = found
        return found

    def _has_failed(self, run_id: str) -> bool:
        try:
            return self._journal.show(run_id).status in {"failed", "stuck"}
        except RunNotFound:
            return False


def meaning(lease: Lease, error: BaseException) -> Settled | None:
    """What becomes of a job whose run ended with that; None if the worker has no say in it any more.

    What a graph can't be run with is told at once, and trying again would not mend it; a failure of a node may pass.
    """
    if any(isinstance(each, RunOwned) for each in leaves(error)):
        return None
    if isinstance(error, CantRun):
        return Settled(lease.mark, "queued", str(error), back=1)
    if isinstance(error, RunSuspended):
        later = _AT_SIGNALS if error.due is None else max(0.0, error.due.timestamp() - time.time())
        return Settled(lease.mark, "queued", _waits_for(error), later=later, back=1)
    text = _told(error)
    if isinstance(error, RunStuck):
        return Settled(lease.mark, "dead", text)
    if isinstance(error, _HOPELESS) and not isinstance(error, JournalUnusable):
        return Settled(lease.mark, "failed", text)
    return again(lease, text)


def _waits_for(error: RunSuspended) -> str:
    due = "" if error.due is None else f" until {error.due.astimezone().isoformat(timespec='seconds')}"
    names = f" for {', '.join(map(repr, error.waits_for))}" if error.waits_for else ""
    return f"it waits{names}{due}"


def _told(error: BaseException) -> str:
    """A failure in a line: of a group its first."""
    failures = [each for each in leaves(error) if not isinstance(each, trio.Cancelled)] or [error]
    text = " ".join(str(failures[0]).split())
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    told = f"{type(failures[0]).__name__}: {text}" if text else type(failures[0]).__name__
    return (told if len(told) <= _LONGEST_REASON else f"{told[:_LONGEST_REASON]}…") + more
