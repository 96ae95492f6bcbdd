"""A journal in a PostgreSQL database: for programs on any number of hosts. Needs the extra `postgres`.

What is written of a run is one statement that also asks whether the run is still one's own (J14). Leases are counted by
the server's clock alone, so it does not matter what those of the hosts say. The database may also hold tables of the
program's own, which nodes with `durable="transaction"` write (J5).
"""

# ruff: noqa: S608 - statements are made of our own words, and values are given beside them
from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from trioflow.durable.owner import LEASE, this_process
from trioflow.durable.port import Right, Session, T
from trioflow.durable.postgres_server import Row, Server
from trioflow.durable.records import Deed, NewRun, RunInfo, State, damaged
from trioflow.durable.refusals import lost
from trioflow.durable.sql import _OPEN, Database, Rows, SqlJournal, SqlSession, Taken, columns_of
from trioflow.errors import JournalError, JournalUnusable
from trioflow.model.durability import Transaction

if TYPE_CHECKING:
    import psycopg

VERSION = 2
"""Before 2 there were no large values beside the entries, and nobody was told of."""
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
_SINCE_2 = """
create table trioflow_blob(digest text primary key, data text not null);
create table trioflow_use(run bigint, digest text, primary key(run, digest));
create index trioflow_use_digest on trioflow_use(digest);
create table trioflow_deed(
  run bigint, seq integer, what text, at double precision, by text, process text, detail text, chain bigint,
  primary key(run, seq)
);
"""
MARK = 0x7472666C
"""The advisory lock of whoever makes tables."""
_TABLES = "select 1 from pg_class where relname='trioflow_journal' and pg_table_is_visible(oid)"
"""Whether there are any. Unlike `to_regclass` it asks the table itself: what another one has made meanwhile is seen."""

_RUNS = "select *, lease > clock_timestamp() as held from trioflow_run join trioflow_state on run = number"
# What a run waits for stands in its state: when it is due, the names of signals, the last one that it has seen.
_READY = """
state::json->6 is null or (state::json->6->>0)::double precision <= ? or exists(
  select 1 from trioflow_signal as arrived where arrived.run=number and arrived.seq>(state::json->6->>2)::integer
  and arrived.name in (select json_array_elements_text(state::json->6->1))
)
"""
_COLUMNS = "run, seq, key, node, kind, data, chain"
_ROWS = "unnest(?::int[], ?::bytea[], ?::text[], ?::text[], ?::text[], ?::bigint[])"
# The fence is asked for where the state is written, and nothing is inserted unless that was (J14).
_OWN = "update trioflow_state set state=?, state_check=?, status=? where run=? and fence=? returning run"
_APPEND = f"with own as ({_OWN}) insert into trioflow_entry({_COLUMNS}) select own.run, each.* from own, {_ROWS} each"
_END = f"""
with own as ({_OWN.replace("status=?", "status=?, owner=null, lease=null")}), last as (
  insert into trioflow_entry({_COLUMNS}) select own.run, each.* from own, {_ROWS} each
) select run from own
"""
# A run that is made and taken in one statement, where the right to it (J14) is kept beside it.
_MAKE = """
with allowed as ({right}), made as (
  insert into trioflow_run(id, new, new_check, parent)
  select %(id)s, %(new)s, %(new_check)s, %(parent)s from allowed on conflict do nothing returning number
), state as (
  insert into trioflow_state select number, %(state)s, %(state_check)s, %(status)s, 1, %(process)s,
    clock_timestamp() + make_interval(secs => %(lease)s) from made
), begun as (
  insert into trioflow_deed select number, 0, %(what)s, %(at)s, %(by)s, %(shown)s, %(detail)s, %(chain)s from made
) select number from made
"""


class PostgresJournal(SqlJournal):
    """Runs in a PostgreSQL database, in which tables named `trioflow_…` are made where they are not there.

    `address`: as of libpq, `postgresql://user@host/database`. Records survive what the server's commits survive.
    `patience`: seconds for which a server that goes away is waited for; then, as for what is wrong with the database,
    `JournalUnusable` is raised. A journal that has been used refuses a database that is another one than before: after
    a failover to an empty one, runs would begin anew. Raises `MissingExtra` without psycopg, `ValueError` for what is
    no address. `close` it, or use it in a `with` block, to close its connections.
    """

    _RUNS = _RUNS
    _LOCK = "for update of trioflow_state"
    _HOLD = "for update"
    _CONFLICT = "(digest) do update set digest=excluded.digest"
    _LEASE = "clock_timestamp() + make_interval(secs => ?)"

    def __init__(self, address: str, *, patience: float = 10.0) -> None:
        self.server = Server(address, patience, self._prepare)
        self._known_as: str | None = None

    def close(self) -> None:
        """Close the connections that are open. It may be used again."""
        self.server.close()

    def __enter__(self) -> PostgresJournal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, run_id: str, new: NewRun | None = None) -> Session:
        return _PostgresSession(self, self._writing(lambda database, _: self._take(database, run_id, new)))

    def take_over(
        self, run_id: str, new: NewRun, may: Callable[[Transaction], None], begun: Deed | None = None
    ) -> Session:
        taken = self._made_at_once(new, may, begun) if isinstance(may, Right) and begun is not None else None
        if taken is None:  # it is there already, or one has no right to it
            taken = self._writing(lambda database, _: self._take(database, run_id, new, may, begun))
        return _PostgresSession(self, taken)

    def _made_at_once(self, new: NewRun, may: Right, begun: Deed) -> Taken | None:
        """Make a run and have it, in one statement; None if that can't be."""
        state, state_check, status = columns_of(State())
        given = {
            **may.parameters,
            "id": new.id,
            "new": new.as_text(),
            "new_check": new.checksum(),
            "parent": new.parent,
            "state": state,
            "state_check": state_check,
            "status": status,
            "process": str(this_process()),
            "lease": LEASE,
            "what": begun.what,
            "at": begun.at,
            "by": begun.by,
            "shown": begun.process,
            "detail": begun.detail,
            "chain": begun.chained(0),
        }
        statement = _made_with(may.statement)

        def do(connection: psycopg.Connection[Row], again: bool) -> Row | None:
            return connection.execute(statement, given).fetchone()

        row = self.server.call(do)
        return None if row is None else self._made(row["number"], new, begun)

    def ready(self, now: float) -> list[RunInfo]:
        return self._runs(f"status='suspended' and ({_READY})", (now,))

    def vacuum(self) -> None:
        pass  # the server does it by itself

    # --- what a database brings ---

    @property
    def _where(self) -> str:
        return self.server.shown

    @property
    def _identity(self) -> str:
        return self._known_as or ""

    def _reading(self, work: Callable[[Database], T]) -> T:
        def do(connection: psycopg.Connection[Row], again: bool) -> T:
            with connection.transaction():
                connection.execute("set transaction isolation level repeatable read, read only")
                return work(_Connection(connection))

        return self.server.call(do)

    def _writing(self, work: Callable[[Database, bool], T], *, make: bool = False) -> T:
        def do(connection: psycopg.Connection[Row], again: bool) -> T:
            with connection.transaction():
                return work(_Connection(connection), again)

        return self.server.call(do)

    def _transaction(self, database: Any) -> Transaction:
        return _PostgresTransaction(database.connection)

    def _insert(self, database: Database, table: str, number: int, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            database.execute(
                f"insert into {table}({_COLUMNS}) select ?, each.* from {_ROWS} each", (number, *_by(rows))
            )

    def _until(self) -> float:
        return LEASE

    def _is_held(self, row: Row) -> bool:
        held: bool = row["held"]
        return held

    # --- inside ---

    def _prepare(self, connection: psycopg.Connection[Row]) -> None:
        """Make the tables where there are none, and make sure that they are those that were used before."""
        if connection.execute(_TABLES).fetchone() is None:
            if self._known_as is not None:
                raise self._another()
            with connection.transaction():
                connection.execute("select pg_advisory_xact_lock(%s)", (MARK,))
                if connection.execute(_TABLES).fetchone() is None:
                    connection.execute(_SCHEMA + _SINCE_2)
                    connection.execute("insert into trioflow_journal values(%s, %s)", (VERSION, uuid.uuid4().hex))
        row = connection.execute("select version, identity from trioflow_journal").fetchone()
        if row is None:
            raise damaged(f"The journal at {self.server.shown}", "its version is gone")
        if row["version"] > VERSION:
            raise JournalUnusable(
                f"The journal at {self.server.shown} was written by a newer version of trioflow (its format is "
                f"{row['version']}, this one reads up to {VERSION}). Install that version."
            )
        if self._known_as not in {None, row["identity"]}:
            raise self._another()
        if row["version"] < VERSION:
            with connection.transaction():
                connection.execute("select pg_advisory_xact_lock(%s)", (MARK,))
                older = connection.execute(
                    "update trioflow_journal set version=%s where version<%s", (VERSION, VERSION)
                )
                if older.rowcount:
                    connection.execute(_SINCE_2)
        self._known_as = row["identity"]

    def _another(self) -> JournalUnusable:
        return JournalUnusable(
            f"The database at {self.server.shown} is another one than before: its runs would begin anew. Nothing was "
            "written. Restore the right one there; or, if this one is meant, start the program again."
        )

    def __repr__(self) -> str:
        return f"PostgresJournal('{self.server.shown}')"


class _Connection:
    """A connection of psycopg, for statements with `?`."""

    __slots__ = ("connection",)

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self.connection = connection

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        return self.connection.execute(_written(statement), parameters or None)


@functools.cache
def _made_with(right: str) -> bytes:
    return _MAKE.format(right=right).encode()


@functools.cache
def _written(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()


class _PostgresSession(SqlSession):
    _journal: PostgresJournal

    def __init__(self, journal: PostgresJournal, taken: Taken) -> None:
        super().__init__(journal, taken)
        self._server = journal.server
        self._is_closed = False

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        _OPEN.discard(self._id)
        if not self._has_ended:
            with suppress(JournalUnusable):  # its lease will end
                self._server.call(lambda connection, _: self._give_back(_Connection(connection), self._state))

    # --- what a database brings ---

    def _append(self, database: Database, state: State, rows: Sequence[tuple[Any, ...]]) -> None:
        """One statement, which is a transaction by itself, and asks for the fence (J14)."""
        if database.execute(_APPEND, (*columns_of(state), self._number, self._fence, *_by(rows))).rowcount == 0:
            raise lost(self.info.id)

    def _end(self, database: Database, state: State, rows: Sequence[tuple[Any, ...]]) -> None:
        if database.execute(_END, (*columns_of(state), self._number, self._fence, *_by(rows))).rowcount == 0:
            raise lost(self.info.id)

    def _write_at_once(self, state: State, work: Callable[[Database], None]) -> None:
        def do(connection: psycopg.Connection[Row], again: bool) -> None:
            database = _Connection(connection)
            if not (again and self._is(database, state)):
                work(database)

        self._call(do)

    def _write(self, state: State | None, work: Callable[[Database], None]) -> None:
        def do(connection: psycopg.Connection[Row], again: bool) -> None:
            database = _Connection(connection)
            if not (again and state is not None and self._is(database, state)):
                with connection.transaction():
                    work(database)

        self._call(do)

    def _transact(self, work: Callable[[Database], None], made: Sequence[State]) -> None:
        def do(connection: psycopg.Connection[Row], again: bool) -> None:
            database = _Connection(connection)
            if not again:
                with connection.transaction():
                    work(database)
            elif not (made and self._is(database, made[0])):
                raise JournalUnusable(
                    f"The journal at {self._server.shown} went away in a transaction, of which nothing is left. "
                    f"Run {self.info.id!r} stays as it was before, and can be resumed."
                )

        self._call(do)

    # --- inside ---

    def _call(self, work: Callable[[psycopg.Connection[Row], bool], None]) -> None:
        if self._is_closed:
            raise self._closed()
        self._server.call(work)

    def _is(self, database: Database, state: State) -> bool:
        """Whether that is the state of the run, and ours: a commit may arrive whose answer does not."""
        row = database.execute(
            "select state from trioflow_state where run=? and fence=?", (self._number, self._fence)
        ).fetchone()
        return bool(row == {"state": state.as_text()})


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


def _by(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows as columns."""
    return [[*column] for column in zip(*rows, strict=True)] or [[]] * 6
