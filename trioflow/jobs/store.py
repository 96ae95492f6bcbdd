"""How jobs are kept: one set of statements, on SQLite (in a file or in memory) and on PostgreSQL.

A job is taken by raising its fence, and whoever has it names that fence in each statement about it. So who has lost a
job changes nothing, however late it comes. Leases are counted by one clock: that of the host since it was started, or
that of the database server.
"""

# ruff: noqa: S608 - statements are made of our own words, and values are given beside them
from __future__ import annotations

import functools
import json
import re
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import attrs

from trioflow.durable.journal import Journal
from trioflow.durable.memory import MemoryJournal
from trioflow.durable.owner import LEASE as RUN_LEASE
from trioflow.durable.owner import boot_time, is_dead, read_owner, this_process
from trioflow.durable.port import Right
from trioflow.durable.postgres import MARK, PostgresJournal
from trioflow.errors import JournalError, JournalUnusable, did_you_mean
from trioflow.jobs.errors import JobNotFound, QueueFull
from trioflow.jobs.records import ENDED, Job, JobStatus, Lease
from trioflow.model.durability import Transaction
from trioflow.model.policy import PRIORITIES

T = TypeVar("T")

VERSION = 1
_COLUMNS = (
    "sequence, id, queue, tenant, key, priority, graph, given, status, attempts, most, reason, worker, due, created, "
    "ended, cancelling, fence, version"
)

_SCHEMA = """
create table if not exists trioflow_jobs(version integer not null);
create table if not exists trioflow_job(
  sequence {number}, id text unique not null, queue text not null, tenant text not null, key text,
  priority integer not null, graph text not null, given text not null, status text not null default 'queued',
  ready integer not null, attempts integer not null default 0, most integer not null, reason text, worker text,
  owner text, lease {real}, due {real} not null, created {real} not null, ended {real},
  cancelling integer not null default 0, fence {integer} not null default 0, version text, unique(queue, key)
);
create index if not exists trioflow_job_ready on trioflow_job(queue, tenant, priority desc, sequence)
  where status = 'queued' and ready = 1;
create index if not exists trioflow_job_later on trioflow_job(due) where status = 'queued' and ready = 0;
create index if not exists trioflow_job_leased on trioflow_job(lease) where status = 'leased';
create table if not exists trioflow_graph(digest text primary key, document text not null, types text not null);
create table if not exists trioflow_trigger(name text primary key, fired {real} not null);
create table if not exists trioflow_worker(
  name text primary key, queues text not null, slots integer not null, free integer not null, owner text not null,
  seen {real} not null
);
"""

_INSERT = f"""
insert into trioflow_job(id, queue, tenant, key, priority, graph, given, most, ready, due, created)
select id, queue, tenant, key, priority, graph, given, most, case when later>0 then 0 else 1 end, {{now}} + later,
  {{now}}
from ({{new}}) as new where true on conflict do nothing returning {_COLUMNS}
"""
_DUE = "update trioflow_job set ready=1 where status='queued' and ready=0 and due<={now}"
_EXPIRED = f"""
update trioflow_job set
  status = case when cancelling=1 then 'cancelled' when attempts>=most then 'dead' else 'queued' end,
  ended = case when cancelling=1 or attempts>=most then {{now}} end,
  reason = 'its worker ' || worker || case when lease<{{beat}} then ' was not heard of in time' else ' has died' end,
  ready=1, due={{now}}, owner=null, lease=null
where sequence in (
  select sequence from trioflow_job where status='leased' and (lease<{{beat}} or owner in ({{dead}}))
  order by sequence limit 1000 {{skip}}
) returning {_COLUMNS}
"""
# The tenants that have jobs, found one after the other through the index; of each the first few; and of these those
# that are next: by priority, then those of which the fewest run.
_LEASE = f"""
with recursive tenants(tenant) as (
  select (select min(tenant) from trioflow_job where queue=:queue and status='queued' and ready=1)
  union all
  select (select min(tenant) from trioflow_job
          where queue=:queue and status='queued' and ready=1 and tenant>tenants.tenant)
  from tenants where tenants.tenant is not null
), allowed(whose, most) as ({{quotas}}
), running(whose, count) as (
  select tenant, count(*) from trioflow_job where queue=:queue and status='leased' group by tenant
), first(job, whose, priority) as {{materialized}} ({{first}}
), turns as (
  select job, first.priority, coalesce(allowed.most, :quota) as most, coalesce(running.count, 0) + row_number() over (
    partition by first.whose order by first.priority desc, job
  ) as turn
  from first left join running on running.whose=first.whose left join allowed on allowed.whose=first.whose
)
update trioflow_job set status='leased', fence=fence+1, attempts=attempts+1, worker=:worker, owner=:owner,
  lease={{beat}} + :seconds, reason=null
where sequence in (
  select job from turns where most is null or turn<=most order by priority desc, turn, job limit :n
) returning {_COLUMNS}
"""
_WAITING = """
select sequence as job, tenant as whose, priority from trioflow_job
where queue=:queue and tenant={tenant} and status='queued' and ready=1 and priority>=:lowest
  and (graph='') = {plain} and graph not in ({refused}) and graph || ':' || coalesce(version, '') not in ({refused})
order by trioflow_job.priority desc, sequence limit :n
"""
_LEASE_ONE = f"""
update trioflow_job set status='leased', fence=fence+1, attempts=attempts+1, worker=:worker, owner=:owner,
  lease={{beat}} + :seconds, reason=null
where id=:id and status='queued' returning {_COLUMNS}
"""
_BEAT = """
update trioflow_job set lease={beat} + :seconds from ({marks}) as held
where sequence=held.job and fence=held.mark and status='leased' returning sequence, cancelling
"""
_BEAT_RUNS = """
update trioflow_state set lease={run_lease} where owner=:owner and run in (
  select number from trioflow_run join trioflow_job on trioflow_job.id=trioflow_run.id
  join ({marks}) as held on sequence=held.job and fence=held.mark
)
"""
_SETTLE = """
update trioflow_job set status=held.status, reason=held.reason, due={now} + held.later,
  ready = case when held.later>0 then 0 else 1 end, attempts = attempts - held.back,
  ended = case when held.status='queued' then null else {now} end, owner=null, lease=null
from ({settled}) as held
where sequence=held.job and fence=held.mark and trioflow_job.status='leased' returning sequence
"""
_CLAIM = """
update trioflow_job set version=:version where sequence=:job and fence=:mark and status='leased' and lease>={beat}
returning version
"""


@attrs.frozen(eq=False)
class _Dialect:
    """What differs between databases."""

    words: dict[str, str]
    written: Callable[[str], str] = str

    @functools.cache  # noqa: B019 - there are two, and they live as long as the program
    def __call__(self, statement: str) -> str:
        for name, text in self.words.items():
            statement = statement.replace(f"{{{name}}}", text)
        return self.written(statement)


def _fields(each: str) -> str:
    """The fields of a `NewJob`, read out of an array."""
    types = {"priority": "::integer", "most": "::integer", "later": "::double precision"}
    fields = ("id", "queue", "tenant", "key", "priority", "graph", "given", "most", "later")
    return "select " + ", ".join(each.format(place, name, types.get(name, "")) for place, name in enumerate(fields))


_ARRAY = "select value from json_each(:{0})"
_SQLITE = _Dialect(
    {
        "first": "select waiting.sequence, waiting.tenant, waiting.priority from tenants join trioflow_job as waiting "
        f"on waiting.sequence in (select job from ({_WAITING})) where tenants.tenant is not null",
        "tenant": "tenants.tenant",
        "plain": ":plain",
        "materialized": "",
        "skip": "",
        "number": "integer primary key autoincrement",
        "integer": "integer",
        "real": "real",
        "now": ":now",
        "beat": ":beat",
        "run_lease": f":beat + {RUN_LEASE}",
        "dead": _ARRAY.format("dead"),
        "refused": _ARRAY.format("refused"),
        "ids": _ARRAY.format("ids"),
        "quotas": "select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(:quotas)",
        "marks": "select json_extract(value, '$[0]') as job, json_extract(value, '$[1]') as mark "
        "from json_each(:marks)",
        "new": _fields("json_extract(value, '$[{0}]') as {1}") + " from json_each(:new)",
        "settled": "select json_extract(value, '$[0]') as job, json_extract(value, '$[1]') as mark, "
        "json_extract(value, '$[2]') as status, json_extract(value, '$[3]') as reason, "
        "json_extract(value, '$[4]') as later, json_extract(value, '$[5]') as back from json_each(:settled)",
    }
)
_TEXTS = "select value from json_array_elements_text(cast(:{0} as json)) as each(value)"
_EACH = "json_array_elements(cast(:{0} as json)) as each(value)"
_POSTGRES = _Dialect(
    {
        "first": f"select waiting.* from tenants cross join lateral ({_WAITING} {{skip}}) as waiting "
        "where tenants.tenant is not null",
        "tenant": "tenants.tenant",
        "plain": "(:plain = 1)",
        "materialized": "materialized",
        "skip": "for update skip locked",
        "number": "bigint generated always as identity primary key",
        "integer": "bigint",
        "real": "double precision",
        "now": "extract(epoch from clock_timestamp())",
        "beat": "extract(epoch from clock_timestamp())",
        "run_lease": f"clock_timestamp() + make_interval(secs => {RUN_LEASE})",
        "dead": _TEXTS.format("dead"),
        "refused": _TEXTS.format("refused"),
        "ids": _TEXTS.format("ids"),
        "quotas": f"select value->>0, (value->>1)::bigint from {_EACH.format('quotas')}",
        "marks": f"select (value->>0)::bigint as job, (value->>1)::bigint as mark from {_EACH.format('marks')}",
        "new": _fields("(value->>{0}){2} as {1}") + f" from {_EACH.format('new')}",
        "settled": "select (value->>0)::bigint as job, (value->>1)::bigint as mark, value->>2 as status, "
        "value->>3 as reason, (value->>4)::double precision as later, (value->>5)::integer as back from "
        f"{_EACH.format('settled')}",
    },
    lambda statement: re.sub(r"(?<!:):(\w+)", r"%(\1)s", statement),
)


@attrs.frozen(kw_only=True)
class NewJob:
    """A job that is not kept yet."""

    id: str
    queue: str
    tenant: str = ""
    key: str | None = None
    priority: int = 1
    graph: str = ""
    given: str = "{}"
    most: int = 3
    later: float = 0.0
    """Seconds until it may begin."""


@attrs.frozen(kw_only=True)
class Wanted:
    """What a worker wants."""

    queue: str
    worker: str
    seconds: float
    n: int = 1
    plain: bool = False
    """Messages, instead of graphs."""
    lowest: int = 0
    """The lowest priority."""
    quota: int | None = None
    quotas: dict[str, int] = attrs.field(factory=dict[str, int])
    refused: Sequence[str] = ()
    """Graphs that the worker can't run."""


@attrs.frozen
class Settled:
    """What has become of a leased job."""

    mark: tuple[int, int]
    status: JobStatus
    reason: str | None = None
    later: float = 0.0
    back: int = 0
    """1 if the attempt does not count."""


class Statements(Protocol):
    """A transaction, as the statements here use it."""

    def execute(self, statement: str, parameters: Any = ...) -> Sequence[tuple[Any, ...]]:
        """Rows."""
        ...


Do = Callable[[Callable[[Statements], Any]], Any]


class JobStore:
    """Jobs beside the runs of a journal. All of it blocks.

    Raises `JournalError` for a journal that can only keep runs, `JournalUnusable` for what is wrong with the database.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.in_memory = isinstance(journal, MemoryJournal)
        self.postgres = journal if isinstance(journal, PostgresJournal) else None
        self._sql = _POSTGRES if self.postgres is not None else _SQLITE
        self._memory = _Memory() if self.in_memory else None
        self._prepared = False
        self._swept = -1.0

    # --- those who put ---

    def put(self, jobs: Sequence[NewJob], limit: int, documents: Iterable[tuple[str, str, str]] = ()) -> list[Job]:
        """Keep these jobs, and give them as they are kept: those whose id or key was there before are those.

        `documents` are digests, graphs and node types. All or nothing. Raises `QueueFull`.
        """

        def work(database: Statements) -> list[Job]:
            for digest, document, types in documents:
                database.execute(
                    self._sql("insert into trioflow_graph values(:digest, :document, :types) on conflict do nothing"),
                    {"digest": digest, "document": document, "types": types},
                )
            new = self._insert(database, jobs)
            for queue in {job.queue for job in new.values()}:
                self._has_room(database, queue, sum(job.queue == queue for job in new.values()), limit)
            if new and self.postgres is not None:
                database.execute("select pg_notify('trioflow_job', '')")
            return [new.get(job.id) or self._known(database, job) for job in jobs]

        return self._do(work)

    def _insert(self, database: Statements, jobs: Sequence[NewJob]) -> dict[str, Job]:
        """Those that were not there before, by their names."""
        told = json.dumps([attrs.astuple(job) for job in jobs])
        rows = database.execute(self._sql(_INSERT), self._clocked({"new": told}))
        return {job.id: job for job in map(_job, rows)}

    def _known(self, database: Statements, job: NewJob) -> Job:
        rows = database.execute(
            self._sql(
                f"select {_COLUMNS} from trioflow_job where id=:id or (queue=:queue and key=:key) order by id<>:id"
            ),
            {"id": job.id, "queue": job.queue, "key": job.key},
        )
        return _job(rows[0])

    def _has_room(self, database: Statements, queue: str, put: int, limit: int) -> None:
        ((waiting,),) = database.execute(
            self._sql(
                "select count(*) from (select 1 from trioflow_job where queue=:queue and status='queued' limit :most)"
                " as waiting"
            ),
            {"queue": queue, "most": limit + put},
        )
        if waiting > limit:
            raise QueueFull(
                f"The queue {queue!r} is full: at most {limit:,} jobs wait in it, and {waiting - put:,} do. Nothing "
                "was put. Let more workers run, wait, or raise its limit."
            )

    # --- those who lease ---

    def lease(self, wanted: Wanted, settled: Sequence[Settled] = ()) -> list[Lease]:
        """The jobs that are next, at most so many; first, and with it, keep what has become of others."""
        told = _told(settled)

        def work(database: Statements) -> list[Lease]:
            if settled:
                database.execute(self._sql(_SETTLE), self._clocked({"settled": told}))
            database.execute(self._sql(_DUE), self._clocked({}))
            if self.postgres is not None and (wanted.quota is not None or wanted.quotas):
                # Two that count at the same time would both find room.
                database.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (MARK & 0xFFFF, wanted.queue))
            rows = database.execute(
                self._sql(_LEASE),
                self._clocked(
                    {
                        **attrs.asdict(wanted),
                        "plain": int(wanted.plain),
                        "owner": str(this_process()),
                        "quotas": json.dumps([*wanted.quotas.items()]),
                        "refused": json.dumps([*wanted.refused]),
                    }
                ),
            )
            found = [Lease(_job(row)) for row in rows]
            return sorted(found, key=lambda each: (-PRIORITIES.index(each.job.priority), each.job.sequence))

        self.sweep()
        return self._do(work)

    def lease_one(self, job_id: str, worker: str, seconds: float) -> Lease | None:
        """That job, if it waits, whenever it is due."""

        def work(database: Statements) -> Lease | None:
            rows = database.execute(
                self._sql(_LEASE_ONE),
                self._clocked({"id": job_id, "worker": worker, "owner": str(this_process()), "seconds": seconds}),
            )
            return Lease(_job(rows[0])) if rows else None

        self.sweep(at_once=True)
        return self._do(work)

    def sweep(self, *, at_once: bool = False) -> list[Job]:
        """Let those wait again whose lease has expired or whose worker has died; gives them. Once in a second."""
        if not at_once and time.monotonic() - self._swept < 1.0:
            return []
        self._swept = time.monotonic()

        def work(database: Statements) -> list[Job]:
            owners = database.execute("select distinct owner from trioflow_job where status='leased'")
            dead = [owner for (owner,) in owners if is_dead(read_owner(owner))]
            return [
                _job(row) for row in database.execute(self._sql(_EXPIRED), self._clocked({"dead": json.dumps(dead)}))
            ]

        return self._do(work)

    def extend(self, leases: Sequence[tuple[int, int]], seconds: float) -> dict[int, bool]:
        """Renew these leases, and those of their runs. Gives those still held, and which are to be cancelled."""

        def work(database: Statements) -> dict[int, bool]:
            given = self._clocked({"marks": json.dumps(leases), "seconds": seconds, "owner": str(this_process())})
            held = database.execute(self._sql(_BEAT), given)
            if not self.in_memory:
                database.execute(self._sql(_BEAT_RUNS), given)
            return {sequence: bool(cancelling) for sequence, cancelling in held}

        return self._do(work)

    def settle(self, settled: Sequence[Settled]) -> set[int]:
        """Keep what has become of leased jobs. Gives those that were still held by whoever says so."""
        told = _told(settled)

        def work(database: Statements) -> set[int]:
            rows = database.execute(self._sql(_SETTLE), self._clocked({"settled": told}))
            return {sequence for (sequence,) in rows}

        return self._do(work)

    def may(self, lease: Lease, version: str) -> Callable[[Transaction], None]:
        """Whether a lease still holds, asked in the transaction that takes its run."""
        job, mark = lease.mark
        right = Right(
            self._sql(_CLAIM),
            self._clocked({"job": job, "mark": mark, "version": version}),
            f"The lease of job {lease.job.id!r} was lost before its run was taken.",
        )
        return (lambda _: self._do(right)) if self.in_memory else right

    def graph(self, digest: str) -> tuple[str, list[str]]:
        """The document of a graph, and its node types. Raises `JobNotFound` if it is gone."""
        rows = self._do(
            lambda database: database.execute(
                self._sql("select document, types from trioflow_graph where digest=:digest"), {"digest": digest}
            )
        )
        if not rows:
            raise JobNotFound(f"The graph {digest} of the job is gone from the store. Put the job anew.")
        return rows[0][0], json.loads(rows[0][1])

    # --- those who look ---

    def jobs(
        self, *, queue: str | None = None, status: str | None = None, tenant: str | None = None, limit: int = 100
    ) -> list[Job]:
        """Jobs, the newest first."""
        asked = {"queue": queue, "status": status, "tenant": tenant}
        where = " and ".join(f"{name}=:{name}" for name, value in asked.items() if value is not None) or "1=1"
        rows = self._do(
            lambda database: database.execute(
                self._sql(f"select {_COLUMNS} from trioflow_job where {where} order by sequence desc limit :limit"),
                {**asked, "limit": limit},
            )
        )
        return [_job(row) for row in rows]

    def show(self, job_id: str) -> Job:
        """One job. Raises `JobNotFound`."""
        return self._do(lambda database: self._one(database, job_id))

    def counts(self) -> dict[tuple[str, str], int]:
        """How many jobs there are, by queue and status."""
        rows = self._do(
            lambda database: database.execute("select queue, status, count(*) from trioflow_job group by queue, status")
        )
        return {(queue, status): count for queue, status, count in rows}

    def put_back(self, job_id: str) -> Job:
        """Let a job that has failed, is dead or was cancelled wait again, as if it were new. Raises `JobNotFound`."""

        def work(database: Statements) -> Job:
            database.execute(
                self._sql(
                    "update trioflow_job set status='queued', ready=1, due={now}, attempts=0, reason=null, ended=null, "
                    "cancelling=0, version=null where id=:id and status in ('failed', 'dead', 'cancelled')"
                ),
                self._clocked({"id": job_id}),
            )
            if self.postgres is not None:
                database.execute("select pg_notify('trioflow_job', '')")
            return self._one(database, job_id)

        return self._do(work)

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that waits, at once, or ask the worker that has it to. Raises `JobNotFound`."""

        def work(database: Statements) -> Job:
            given = self._clocked({"id": job_id})
            database.execute(self._sql("update trioflow_job set cancelling=1 where id=:id and status='leased'"), given)
            database.execute(
                self._sql(
                    "update trioflow_job set status='cancelled', ended={now}, reason='cancelled by hand' where id=:id "
                    "and status='queued'"
                ),
                given,
            )
            return self._one(database, job_id)

        return self._do(work)

    def give_up(self, job_id: str, reason: str) -> Job:
        """Make a dead letter of a job or message that waits or is leased, by whomever. Raises `JobNotFound`."""

        def work(database: Statements) -> Job:
            database.execute(
                self._sql(
                    "update trioflow_job set status='dead', ended={now}, reason=:reason, owner=null, lease=null "
                    "where id=:id and status in ('queued', 'leased')"
                ),
                self._clocked({"id": job_id, "reason": reason}),
            )
            return self._one(database, job_id)

        return self._do(work)

    def hurry(self, job_ids: Sequence[str]) -> int:
        """Let these jobs be due now, if they wait; how many that were."""
        rows = self._do(
            lambda database: database.execute(
                self._sql(
                    "update trioflow_job set due={now}, ready=1 where status='queued' and ready=0 and id in ({ids}) "
                    "returning sequence"
                ),
                self._clocked({"ids": json.dumps([*job_ids])}),
            )
        )
        return len(rows)

    def prune(self, seconds: float) -> int:
        """Remove the jobs that have ended so long ago, and graphs that no job has. How many jobs that were."""

        def work(database: Statements) -> int:
            ended = ", ".join(f"'{each}'" for each in ENDED)
            rows = database.execute(
                self._sql(
                    f"delete from trioflow_job where status in ({ended}) and ended<={{now}} - :seconds returning "
                    f"sequence"
                ),
                self._clocked({"seconds": seconds}),
            )
            database.execute("delete from trioflow_graph where digest not in (select graph from trioflow_job)")
            return len(rows)

        return self._do(work)

    # --- triggers ---

    def fired(self, trigger: str) -> float | None:
        """Up to when a trigger has fired, in seconds since 1970; None if it is new."""
        rows = self._do(
            lambda database: database.execute(
                self._sql("select fired from trioflow_trigger where name=:name"), {"name": trigger}
            )
        )
        return float(rows[0][0]) if rows else None

    def set_fired(self, trigger: str, at: float) -> None:
        """Keep up to when it has; never earlier than that."""
        self._do(
            lambda database: database.execute(
                self._sql(
                    "insert into trioflow_trigger values(:name, :at) on conflict(name) do update set fired=:at "
                    "where trioflow_trigger.fired<:at"
                ),
                {"name": trigger, "at": at},
            )
        )

    # --- workers ---

    def register(self, name: str, queues: Sequence[str], slots: int, free: int) -> None:
        """Tell the others what this worker does, and how much room it has."""

        def work(database: Statements) -> None:
            database.execute(
                self._sql(
                    "insert into trioflow_worker values(:name, :queues, :slots, :free, :owner, {now}) "
                    "on conflict(name) do update set queues=:queues, slots=:slots, free=:free, seen={now}"
                ),
                self._clocked(
                    {
                        "name": name,
                        "queues": json.dumps(queues),
                        "slots": slots,
                        "free": free,
                        "owner": str(this_process()),
                    }
                ),
            )
            database.execute(self._sql("delete from trioflow_worker where seen<{now} - 300"), self._clocked({}))

        self._do(work)

    def unregister(self, name: str) -> None:
        """This worker has ended."""
        self._do(
            lambda database: database.execute(self._sql("delete from trioflow_worker where name=:name"), {"name": name})
        )

    def full_queues(self, own: Sequence[str], within: float) -> list[str]:
        """Queues of others in which jobs wait, whose workers are alive, and have no room."""

        def work(database: Statements) -> list[str]:
            alive = database.execute(
                self._sql("select queues, free from trioflow_worker where seen>={now} - :within"),
                self._clocked({"within": within}),
            )
            room: dict[str, int] = {}
            for queues, free in alive:
                for queue in json.loads(queues):
                    room[queue] = room.get(queue, 0) + free
            waiting = {
                queue
                for (queue,) in database.execute(
                    "select distinct queue from trioflow_job where status='queued' and ready=1"
                )
            }
            return sorted(queue for queue, free in room.items() if free == 0 and queue in waiting and queue not in own)

        return self._do(work)

    # --- inside ---

    def _one(self, database: Statements, job_id: str) -> Job:
        rows = database.execute(self._sql(f"select {_COLUMNS} from trioflow_job where id=:id"), {"id": job_id})
        if not rows:
            names = database.execute("select id from trioflow_job order by sequence desc limit 1000")
            raise JobNotFound(
                f"There is no job {job_id!r} in this store.{did_you_mean(job_id, [name for (name,) in names])}"
            )
        return _job(rows[0])

    def _clocked(self, given: dict[str, Any]) -> dict[str, Any]:
        if self.postgres is not None:
            return given
        return {**given, "now": time.time(), "beat": boot_time()}

    def _do(self, work: Callable[[Any], T]) -> T:
        if not self._prepared:
            self._transaction(self._prepare)
            self._prepared = True
        return self._transaction(work)

    def _transaction(self, work: Callable[[Any], T]) -> T:
        return self._memory.transaction(work) if self._memory is not None else self.journal.transaction(work)

    def _prepare(self, database: Statements) -> None:
        if self.postgres is not None:
            database.execute("select pg_advisory_xact_lock(%s)", (MARK,))
        for statement in self._sql(_SCHEMA).split(";\n"):
            if statement.strip():
                database.execute(statement)
        rows = database.execute("select version from trioflow_jobs")
        if not rows:
            database.execute(f"insert into trioflow_jobs values({VERSION})")
        elif rows[0][0] > VERSION:
            raise JournalUnusable(
                f"The jobs in {self.journal!r} were written by a newer version of trioflow (their format is "
                f"{rows[0][0]}, this one reads up to {VERSION}). Install that version."
            )


class _Memory:
    """A database of this process."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        weakref.finalize(self, self._database.close)
        self._lock = threading.Lock()

    def transaction(self, work: Callable[[Any], T]) -> T:
        with self._lock:
            self._database.execute("begin")
            try:
                done = work(self)
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")
            return done

    def execute(self, statement: str, parameters: Any = ()) -> Sequence[tuple[Any, ...]]:
        return self._database.execute(statement, parameters).fetchall()


_STORES: weakref.WeakKeyDictionary[Journal, JobStore] = weakref.WeakKeyDictionary()


def jobs_of(journal: Journal) -> JobStore:
    """The jobs beside the runs of a journal: one store for each journal. Raises `JournalError` if it can keep none."""
    found = _STORES.get(journal)
    if found is None:
        if not (journal.transactional or isinstance(journal, MemoryJournal)):
            raise JournalError(f"{journal!r} can keep runs, but no jobs. Use a SqliteJournal or a PostgresJournal.")
        found = _STORES[journal] = JobStore(journal)
    return found


def _told(settled: Sequence[Settled]) -> str:
    return json.dumps([[*each.mark, each.status, each.reason, each.later, each.back] for each in settled])


def _job(row: tuple[Any, ...]) -> Job:
    (sequence, job_id, queue, tenant, key, priority, graph, given, status, attempts, most, reason, worker, due, created,
     ended, cancelling, fence, version) = row  # fmt: skip
    return Job(
        id=job_id,
        sequence=sequence,
        queue=queue,
        tenant=tenant,
        key=key,
        priority=PRIORITIES[priority],
        graph=graph,
        values=given,
        status=status,
        attempts=attempts,
        most=most,
        reason=reason,
        worker=worker,
        due=float(due),
        created=float(created),
        ended=None if ended is None else float(ended),
        cancelling=bool(cancelling),
        fence=fence,
        version=version,
    )
