"""A journal in a PostgreSQL database: for programs on any number of hosts. Needs the extra `postgres`.

What is written of a run is one statement that also asks whether the run is still one's own (J14). Leases are counted by
the server's clock alone, so it does not matter what those of the hosts say. The database may also hold tables of the
program's own, which nodes with `durable="transaction"` write (J5).
"""

# ruff: noqa: S608 - statements are made of our own words, and values are given beside them
from __future__ import annotations

import threading
import uuid
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.journal import Journal
from trioflow.durable.owner import LEASE, is_dead, read_owner, this_process
from trioflow.durable.port import Session, T, Work
from trioflow.durable.postgres_server import Row, Server
from trioflow.durable.records import (
    Entry,
    NewRun,
    RunInfo,
    Signal,
    State,
    Status,
    Waiting,
    after,
    chain_of,
    checked,
    damaged,
    pruned,
)
from trioflow.durable.refusals import lost, may_be_pruned, may_be_signalled, owned, unknown, used
from trioflow.errors import JournalError, JournalUnusable
from trioflow.model.durability import Transaction

if TYPE_CHECKING:
    import psycopg

VERSION = 1
_SCHEMA = """
create table trioflow_journal(version integer not null, identity text not null);
create table trioflow_run(
  number bigint generated always as identity primary key, id text unique not null, new text not null,
  new_check bigint not null, parent text
);
create table trioflow_state(
  run bigint primary key, state text not null, state_check bigint not null, status text not null,
  fence bigint not null, owner text, lease timestamptz
) with (fillfactor = 50);
create table trioflow_entry(
  run bigint, seq integer, key bytea, node text, kind text, data text, chain bigint, primary key(run, seq)
);
create table trioflow_history(
  run bigint, seq integer, key bytea, node text, kind text, data text, chain bigint, primary key(run, seq)
);
create table trioflow_signal(
  run bigint, seq integer, name text, payload text, key text, by text, at double precision, checksum bigint,
  primary key(run, seq), unique(run, key)
);
"""
MARK = 0x7472666C
"""The advisory lock of whoever makes tables."""
_TABLES = "select 1 from pg_class where relname='trioflow_journal' and pg_table_is_visible(oid)"
"""Whether there are any. Unlike `to_regclass` it asks the table itself: what another one has made meanwhile is seen."""

_RUNS = "select *, lease > clock_timestamp() as held from trioflow_run join trioflow_state on run = number"
# What a run waits for stands in its state: when it is due, the names of signals, the last one that it has seen.
_READY = """
state::json->6 is null or (state::json->6->>0)::double precision <= %s or exists(
  select 1 from trioflow_signal as arrived where arrived.run=number and arrived.seq>(state::json->6->>2)::integer
  and arrived.name in (select json_array_elements_text(state::json->6->1))
)
"""
_COLUMNS = "run, seq, key, node, kind, data, chain"
_ROWS = "unnest(%s::int[], %s::bytea[], %s::text[], %s::text[], %s::text[], %s::bigint[])"
# The fence is asked for where the state is written, and nothing is inserted unless that was (J14).
_OWN = "update trioflow_state set state=%s, state_check=%s, status=%s where run=%s and fence=%s returning run"
_APPEND = f"with own as ({_OWN}) insert into trioflow_entry({_COLUMNS}) select own.run, each.* from own, {_ROWS} each"
_OPEN: set[tuple[str, int, str]] = set()
"""The sessions of this process that are open: run, fence, journal."""


class PostgresJournal(Journal):
    """Runs in a PostgreSQL database, in which tables named `trioflow_…` are made where they are not there.

    `address`: as of libpq, `postgresql://user@host/database`. Records survive what the server's commits survive.
    `patience`: seconds for which a server that goes away is waited for; then, as for what is wrong with the database,
    `JournalUnusable` is raised. A journal that has been used refuses a database that is another one than before: after
    a failover to an empty one, runs would begin anew. Raises `MissingExtra` without psycopg, `ValueError` for what is
    no address. `close` it, or use it in a `with` block, to close its connections.
    """

    transactional = True

    def __init__(self, address: str, *, patience: float = 10.0) -> None:
        self.server = Server(address, patience, self._prepare)
        self._identity: str | None = None

    def close(self) -> None:
        """Close the connections that are open. It may be used again."""
        self.server.close()

    def __enter__(self) -> PostgresJournal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, run_id: str, new: NewRun | None = None) -> Session:
        return self._take(run_id, new, None)

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        def do(connection: psycopg.Connection[Row], again: bool) -> T:
            with connection.transaction():
                return work(_PostgresTransaction(connection))

        return self.server.call(do)

    def take_over(self, run_id: str, new: NewRun, may: Callable[[Transaction], None]) -> Session:
        return self._take(run_id, new, may)

    def _take(self, run_id: str, new: NewRun | None, may: Callable[[Transaction], None] | None) -> Session:
        def work(connection: psycopg.Connection[Row], again: bool) -> Session:
            with connection.transaction():
                if may is not None:
                    may(_PostgresTransaction(connection))
                if new is not None:
                    _insert(connection, new, State())
                row = connection.execute(f"{_RUNS} where id=%s for update of trioflow_state", (run_id,)).fetchone()
                if row is None:
                    raise unknown(run_id, _names(connection))
                info = self._info(row)
                state = info.state
                if row["owner"] is not None:
                    owner = read_owner(row["owner"])
                    mine = owner == this_process()
                    # One of ours that was closed and could not tell the server.
                    closed = mine and (run_id, row["fence"], self._identity) not in _OPEN
                    if not closed and may is None and (mine or not is_dead(owner)) and row["held"]:
                        raise owned(run_id, "this process" if mine else owner.shown)
                    if not closed:
                        state = attrs.evolve(state, fruitless=state.fruitless + 1)
                entries = _read(connection, "trioflow_entry", row["number"])
                checked(f"Run {run_id!r} at {self.server.shown}", info.state, entries)
                connection.execute(
                    "update trioflow_state set fence=fence+1, owner=%s, state=%s, state_check=%s, "
                    "lease=clock_timestamp() + make_interval(secs => %s) where run=%s",
                    (str(this_process()), *_state(state)[:2], LEASE, row["number"]),
                )
            return _PostgresSession(self, row["number"], row["fence"] + 1, attrs.evolve(info, state=state), entries)

        return self.server.call(work)

    def runs(self, status: Status | None = None) -> list[RunInfo]:
        def work(connection: psycopg.Connection[Row], again: bool) -> list[RunInfo]:
            rows = connection.execute(
                f"{_RUNS} where %(status)s::text is null or status=%(status)s order by number", {"status": status}
            )
            return [self._info(row) for row in rows]

        return self.server.call(work)

    def ready(self, now: float) -> list[RunInfo]:
        def work(connection: psycopg.Connection[Row], again: bool) -> list[RunInfo]:
            rows = connection.execute(f"{_RUNS} where status='suspended' and ({_READY}) order by number", (now,))
            return [self._info(row) for row in rows]

        return self.server.call(work)

    def show(self, run_id: str) -> RunInfo:
        return self.server.call(lambda connection, _: self._info(_known(connection, run_id)))

    def entries(self, run_id: str) -> list[Entry]:
        def work(connection: psycopg.Connection[Row], again: bool) -> list[Entry]:
            with connection.transaction():
                connection.execute("set transaction isolation level repeatable read, read only")
                row = _known(connection, run_id)
                entries = _read(connection, "trioflow_entry", row["number"])
            checked(f"Run {run_id!r} at {self.server.shown}", self._info(row).state, entries)
            return entries

        return self.server.call(work)

    def history(self, run_id: str) -> list[Entry]:
        return self.server.call(
            lambda connection, _: _read(connection, "trioflow_history", _known(connection, run_id)["number"])
        )

    def send(self, run_id: str, signal: Signal) -> bool:
        def work(connection: psycopg.Connection[Row], again: bool) -> bool:
            with connection.transaction():
                number = _known(connection, run_id)["number"]
                # Two that arrive at the same time get two numbers, and the run does not end in between.
                connection.execute("select 1 from trioflow_state where run=%s for update", (number,))
                of_run = "from trioflow_signal where run=%s"
                same = connection.execute(f"select by, at {of_run} and key=%s", (number, signal.key)).fetchone()
                if same is not None:
                    return again and (same["by"], same["at"]) == (signal.by, signal.at)
                may_be_signalled(self._info(_known(connection, run_id)))
                row = connection.execute(f"select coalesce(max(seq) + 1, 0) as next {of_run}", (number,)).fetchone()
                assert row is not None
                kept = attrs.evolve(signal, number=row["next"])
                connection.execute(
                    "insert into trioflow_signal values(%s,%s,%s,%s,%s,%s,%s,%s)",
                    (number, *attrs.astuple(kept), kept.checksum()),
                )
            return True

        return self.server.call(work)

    def signals(self, run_id: str, after: int = -1) -> list[Signal]:
        def work(connection: psycopg.Connection[Row], again: bool) -> list[Signal]:
            rows = connection.execute(
                "select seq, name, payload, key, by, at, checksum from trioflow_signal where run=%s and seq>%s "
                "order by seq",
                (_known(connection, run_id)["number"], after),
            ).fetchall()
            found: list[Signal] = []
            for row in rows:
                *fields, checksum = row.values()
                signal = Signal(*fields)
                if signal.checksum() != checksum:
                    where = f"Run {run_id!r} at {self.server.shown}"
                    raise damaged(where, f"signal {signal.number} is not what was written")
                found.append(signal)
            return found

        return self.server.call(work)

    def insert(self, new: NewRun, state: State, entries: Iterable[Entry]) -> None:
        kept = [*entries]
        checked(f"Run {new.id!r}", state, kept)

        def work(connection: psycopg.Connection[Row], again: bool) -> None:
            with connection.transaction():
                number = _insert(connection, new, state)
                if number is None:
                    if again and _known(connection, new.id)["new_check"] == new.checksum():
                        return
                    raise used(new.id)
                _write(connection, "trioflow_entry", number, _columns(0, 0, kept))

        self.server.call(work)

    def prune(self, run_id: str) -> None:
        def work(connection: psycopg.Connection[Row], again: bool) -> None:
            with connection.transaction():
                number = _known(connection, run_id)["number"]
                connection.execute("select 1 from trioflow_state where run=%s for update", (number,))
                info = self._info(_known(connection, run_id))
                may_be_pruned(info)
                for table in ("trioflow_entry", "trioflow_history", "trioflow_signal"):
                    connection.execute(f"delete from {table} where run=%s", (number,))
                connection.execute(
                    "update trioflow_state set state=%s, state_check=%s, status=%s where run=%s",
                    (*_state(pruned(info.state)), number),
                )

        self.server.call(work)

    # --- inside ---

    def _prepare(self, connection: psycopg.Connection[Row]) -> None:
        """Make the tables where there are none, and make sure that they are those that were used before."""
        if connection.execute(_TABLES).fetchone() is None:
            if self._identity is not None:
                raise self._another()
            with connection.transaction():
                connection.execute("select pg_advisory_xact_lock(%s)", (MARK,))
                if connection.execute(_TABLES).fetchone() is None:
                    connection.execute(_SCHEMA)
                    connection.execute("insert into trioflow_journal values(%s, %s)", (VERSION, uuid.uuid4().hex))
        row = connection.execute("select version, identity from trioflow_journal").fetchone()
        if row is None:
            raise damaged(f"The journal at {self.server.shown}", "its version is gone")
        if row["version"] > VERSION:
            raise JournalUnusable(
                f"The journal at {self.server.shown} was written by a newer version of trioflow (its format is "
                f"{row['version']}, this one reads up to {VERSION}). Install that version."
            )
        if self._identity not in {None, row["identity"]}:
            raise self._another()
        self._identity = row["identity"]

    def _another(self) -> JournalUnusable:
        return JournalUnusable(
            f"The database at {self.server.shown} is another one than before: its runs would begin anew. Nothing was "
            "written. Restore the right one there; or, if this one is meant, start the program again."
        )

    def _info(self, row: Row) -> RunInfo:
        where = f"Run {row['id']!r} at {self.server.shown}"
        new, state = NewRun.from_text(row["new"], where), State.from_text(row["state"], where)
        if new.checksum() != row["new_check"] or state.checksum() != row["state_check"]:
            raise damaged(where, "its row was changed by somebody else")
        if new.id != row["id"] or state.status != row["status"]:
            raise damaged(where, "its row does not fit together")
        owner = None if row["owner"] is None else read_owner(row["owner"]).shown
        return RunInfo(new=new, state=state, owner=owner)

    def __repr__(self) -> str:
        return f"PostgresJournal('{self.server.shown}')"


class _PostgresSession(Session):
    def __init__(self, journal: PostgresJournal, number: int, fence: int, info: RunInfo, entries: list[Entry]) -> None:
        self._server = journal.server
        self._number = number
        self._fence = fence
        self._state = info.state
        self._closed = False
        self._id = (info.id, fence, journal._identity or "")
        _OPEN.add(self._id)
        self._lock = threading.Lock()  # entries may be written by several threads, one after the other
        self.info = info
        self.entries = entries

    def append(self, entries: Sequence[Entry]) -> None:
        with self._lock:
            state, columns = self._after(entries)

            def work(connection: psycopg.Connection[Row], again: bool) -> None:
                if again and self._is(connection, state):
                    return
                if not entries:
                    self._write_state(connection, state)
                elif connection.execute(_APPEND, (*_state(state), self._number, self._fence, *columns)).rowcount == 0:
                    raise lost(self.info.id)

            self._call(work)
            self._state = state

    def transact(self, work: Work) -> None:
        with self._lock:
            made: list[State] = []

            def do(connection: psycopg.Connection[Row], again: bool) -> None:
                if again:
                    if made and self._is(connection, made[0]):
                        return
                    raise JournalUnusable(
                        f"The journal at {self._server.shown} went away in a transaction, of which nothing is left. "
                        f"Run {self.info.id!r} stays as it was before, and can be gone on with."
                    )
                with connection.transaction():
                    state, columns = self._after(work(_PostgresTransaction(connection)))  # J5
                    made.append(state)
                    self._write_state(connection, state)
                    _write(connection, "trioflow_entry", self._number, columns)

            self._call(do)
            self._state = made[0]

    def set_state(
        self, status: Status, ended: float | None = None, outcome: str = "", waiting: Waiting | None = None
    ) -> None:
        with self._lock:
            state = attrs.evolve(self._state, status=status, ended=ended, outcome=outcome, waiting=waiting)
            self._call(lambda connection, _: self._write_state(connection, state))
            self._state = state

    def rewrite(self, keep: Sequence[Entry], superseded: Sequence[Entry]) -> None:
        with self._lock:
            state = attrs.evolve(self._state, entries=len(keep), chain=chain_of(keep))

            def work(connection: psycopg.Connection[Row], again: bool) -> None:
                if again and self._is(connection, state):
                    return
                with connection.transaction():
                    self._write_state(connection, state)
                    row = connection.execute(
                        "select coalesce(max(seq) + 1, 0) as next from trioflow_history where run=%s", (self._number,)
                    ).fetchone()
                    assert row is not None
                    _write(connection, "trioflow_history", self._number, _columns(row["next"], 0, superseded))
                    connection.execute("delete from trioflow_entry where run=%s", (self._number,))
                    _write(connection, "trioflow_entry", self._number, _columns(0, 0, keep))

            self._call(work)
            self._state = state

    def renew(self) -> None:
        self._call(
            lambda connection, _: self._owned(
                connection.execute(
                    "update trioflow_state set lease=clock_timestamp() + make_interval(secs => %s) "
                    "where run=%s and fence=%s",
                    (LEASE, self._number, self._fence),
                ).rowcount
            )
        )

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        _OPEN.discard(self._id)
        with suppress(JournalUnusable):  # its lease will end
            self._server.call(
                lambda connection, _: connection.execute(
                    "update trioflow_state set owner=null, lease=null where run=%s and fence=%s",
                    (self._number, self._fence),
                )
            )

    # --- inside ---

    def _call(self, work: Callable[[psycopg.Connection[Row], bool], None]) -> None:
        if self._closed:
            raise JournalError(f"The session of run {self.info.id!r} was closed.")
        self._server.call(work)

    def _after(self, entries: Sequence[Entry]) -> tuple[State, list[list[Any]]]:
        before = self._state
        columns = _columns(before.entries, before.chain, entries)
        return after(before, entries, columns[-1][-1] if entries else before.chain), columns

    def _is(self, connection: psycopg.Connection[Row], state: State) -> bool:
        """Whether that is the state of the run, and ours: a commit may arrive whose answer does not."""
        row = connection.execute(
            "select state from trioflow_state where run=%s and fence=%s", (self._number, self._fence)
        ).fetchone()
        return row == {"state": state.as_text()}

    def _write_state(self, connection: psycopg.Connection[Row], state: State) -> None:
        self._owned(connection.execute(_OWN, (*_state(state), self._number, self._fence)).rowcount)

    def _owned(self, rows: int) -> None:
        if rows != 1:
            raise lost(self.info.id)


class _PostgresTransaction(Transaction):
    """Its placeholders are those of psycopg, `%s`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        word = statement.split(maxsplit=1)[0].lower() if statement.strip() else ""
        if word in {"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"}:
            raise JournalError(f"A transaction is the journal's to begin and to end: {word!r} can't be run in it.")
        cursor = self._connection.execute(statement.encode(), parameters or None)
        return [tuple(row.values()) for row in cursor] if cursor.description is not None else []


def _state(state: State) -> tuple[str, int, str]:
    text = state.as_text()
    return text, zlib.crc32(text.encode()), state.status


def _columns(seq: int, chain: int, entries: Sequence[Entry]) -> list[list[Any]]:
    """Seq, key, node, kind, data and chain of each."""
    chains: list[int] = []
    for entry in entries:
        chain = entry.chained(chain)
        chains.append(chain)
    return [
        [*range(seq, seq + len(entries))],
        [entry.key for entry in entries],
        [entry.node for entry in entries],
        [entry.kind for entry in entries],
        [entry.data for entry in entries],
        chains,
    ]


def _write(connection: psycopg.Connection[Row], table: str, number: int, columns: list[list[Any]]) -> None:
    connection.execute(
        f"insert into {table}({_COLUMNS}) select %s, each.* from {_ROWS} each".encode(),
        (number, *columns),
    )


def _insert(connection: psycopg.Connection[Row], new: NewRun, state: State) -> int | None:
    """Insert a run, and give its number; None if there is one of that name."""
    row = connection.execute(
        "insert into trioflow_run(id, new, new_check, parent) values(%s,%s,%s,%s) on conflict do nothing "
        "returning number",
        (new.id, new.as_text(), new.checksum(), new.parent),
    ).fetchone()
    if row is None:
        return None
    connection.execute(
        "insert into trioflow_state(run, state, state_check, status, fence) values(%s,%s,%s,%s,0)",
        (row["number"], *_state(state)),
    )
    number: int = row["number"]
    return number


def _read(connection: psycopg.Connection[Row], table: str, number: int) -> list[Entry]:
    rows = connection.execute(
        f"select key, node, kind, data from {table} where run=%s order by seq".encode(), (number,)
    )
    return [Entry(*row.values()) for row in rows]


def _known(connection: psycopg.Connection[Row], run_id: str) -> Row:
    row = connection.execute(f"{_RUNS} where id=%s", (run_id,)).fetchone()
    if row is None:
        raise unknown(run_id, _names(connection))
    return row


def _names(connection: psycopg.Connection[Row]) -> list[str]:
    rows = connection.execute("select id from trioflow_run order by number desc limit 1000")
    return [row["id"] for row in rows]
