"""A journal in one SQLite file: for programs on one host, any number of processes and runs.

The file may also hold tables of the program's own, which nodes with `durable="transaction"` write (J5).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import attrs

from trioflow.durable.blobs import LIMIT
from trioflow.durable.owner import LEASE, boot_time
from trioflow.durable.port import Session, T
from trioflow.durable.records import Deed, Entry, NewRun, State, damaged
from trioflow.durable.refusals import lost
from trioflow.durable.sql import _OPEN, Database, Row, SqlJournal, SqlSession, Taken
from trioflow.errors import JournalError, JournalUnusable
from trioflow.model.durability import Transaction

VERSION = 2
"""Before 2 there were no large values beside the entries, and nobody was told of."""
_MARK = 0x7472_666C  # the application id of these files: "trfl"

_SCHEMA = """
create table if not exists trioflow_run(
  number integer primary key, id text unique not null, new text not null, new_check integer not null, parent text
);
create table if not exists trioflow_state(
  run integer primary key, state text not null, state_check integer not null, status text not null,
  fence integer not null, owner text, lease real
);
create table if not exists trioflow_entry(
  run integer, seq integer, key blob, node text, kind text, data text, chain integer, primary key(run, seq)
) without rowid;
create table if not exists trioflow_history(
  run integer, seq integer, key blob, node text, kind text, data text, chain integer, primary key(run, seq)
) without rowid;
create table if not exists trioflow_signal(
  run integer, seq integer, name text, payload text, key text, by text, at real, checksum integer,
  primary key(run, seq), unique(run, key)
) without rowid;
create table if not exists trioflow_blob(digest text primary key, data text not null);
create table if not exists trioflow_use(run integer, digest text, primary key(run, digest)) without rowid;
create index if not exists trioflow_use_digest on trioflow_use(digest);
create table if not exists trioflow_deed(
  run integer, seq integer, what text, at real, by text, process text, detail text, chain integer,
  primary key(run, seq)
) without rowid;
"""

_RUNS = """
select *, (select coalesce(max(seq) + 1, 0) from trioflow_entry where run = number) as count,
 (select chain from trioflow_entry where run = number order by seq desc limit 1) as last
from trioflow_run join trioflow_state on run = number
"""
"""What a run was begun with may be long, and never changes; so how far it is stands in a table of its own.

That is not written with each entry: entries that came after it have checksums that go on from its own."""
_INSERT_OWN = (
    "insert into trioflow_entry select ?,?,?,?,?,?,? where exists(select 1 from trioflow_state where run=? and fence=?)"
)
"""One entry, if the run is still that of whoever has this fence: a transaction by itself (J14)."""
_CHECKPOINT_EVERY = 1000
"""Commits, after which what is in the write-ahead log is brought into the file."""


class SqliteJournal(SqlJournal):
    """Runs in a SQLite file, which is made if it is not there; its folder must be.

    `durability`: what records survive: the death of the `"process"`, or also that of the machine, `"power"`, which
    takes a write to the disk for each effect or group of concurrent ones (J3). `patience`: seconds to wait for
    another process that is writing. Opened when it is first used; what is wrong with the file is raised then:
    `JournalUnusable`.
    """

    _RUNS = _RUNS

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Literal["process", "power"] = "process",
        patience: float = 10.0,
    ) -> None:
        if durability not in ("process", "power"):
            raise ValueError(f"durability must be 'process' or 'power', got {durability!r}.")
        self.path = Path(path)
        self.durability = durability
        self.blocking = durability == "power"
        self._patience = patience
        self._kept = _Kept()

    def take(self, run_id: str, new: NewRun | None = None) -> Session:
        return self._opened(run_id, new)

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        with self._kept.lock:
            database = self._kept.database
            if database is None or self._kept.file != self._file():
                self._kept.close()
                database = self._open(make=True)
                self._kept.keep(database, self._file())
            with self._changing(database):
                return work(_SqliteTransaction(database))

    def _file(self) -> tuple[int, int, int] | None:
        """Which file, of which process: a connection is of no use in a child, nor after the file was replaced."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return os.getpid(), found.st_dev, found.st_ino

    def take_over(
        self, run_id: str, new: NewRun, may: Callable[[Transaction], None], begun: Deed | None = None
    ) -> Session:
        return self._opened(run_id, new, may, begun)

    def _opened(
        self,
        run_id: str,
        new: NewRun | None,
        may: Callable[[Transaction], None] | None = None,
        begun: Deed | None = None,
    ) -> Session:
        database = self._open(make=new is not None)
        try:
            with self._changing(database):
                taken = self._take(database, run_id, new, may, begun)
        except BaseException as error:
            database.close()
            if isinstance(error, ValueError | TypeError | AttributeError):
                raise self._unreadable(error) from error
            raise
        return _SqliteSession(self, database, taken)

    def prune(self, run_id: str) -> None:
        super().prune(run_id)
        self.vacuum()

    def vacuum(self) -> None:
        with self._connected() as database:
            database.execute("pragma incremental_vacuum").fetchall()

    # --- what a database brings ---

    @property
    def _where(self) -> str:
        return str(self.path)

    @property
    def _identity(self) -> str:
        return os.fspath(self.path)

    def _reading(self, work: Callable[[Database], T]) -> T:
        with self._connected() as database:
            database.execute("begin")
            try:
                return work(database)
            finally:
                database.execute("rollback")

    def _writing(self, work: Callable[[Database, bool], T], *, make: bool = False) -> T:
        with self._connected(make=make) as database, self._changing(database):
            return work(database, False)

    def _transaction(self, database: Any) -> Transaction:
        return _SqliteTransaction(database)

    def _insert(self, database: Any, table: str, number: int, rows: Sequence[tuple[Any, ...]]) -> None:
        database.executemany(f"insert into {table} values(?,?,?,?,?,?,?)", [(number, *row) for row in rows])

    def _until(self) -> float:
        return boot_time() + LEASE

    def _is_held(self, row: Row) -> bool:
        held: bool = row["lease"] > boot_time()
        return held

    def _state_of(self, row: Row, state: State) -> State:
        if row["count"] > state.entries:  # they came after the state was written
            return attrs.evolve(state, entries=row["count"], chain=row["last"], fruitless=0)
        return state

    def _values(self, row: Row) -> Iterable[Any]:
        return tuple(row)

    # --- inside ---

    def _open(self, *, make: bool) -> sqlite3.Connection:
        if not make and not self.path.exists():
            raise JournalUnusable(f"There is no journal {self.path}. Name the file that the run was kept in.")
        try:
            database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=self._patience)
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        try:
            self._prepare(database)
        except sqlite3.Error as error:
            database.close()
            raise self._unusable(error) from error
        except BaseException:
            database.close()
            raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        database.row_factory = sqlite3.Row
        (mark,) = database.execute("pragma application_id").fetchone()
        (version,) = database.execute("pragma user_version").fetchone()
        if mark != _MARK:
            (tables,) = database.execute("select count(*) from sqlite_master where name like 'trioflow_%'").fetchone()
            if mark or version or tables:
                raise JournalUnusable(
                    f"{self.path} is a database of another program. Name another file, which is made if it is not "
                    "there."
                )
            with self._changing(database):
                pass  # it can be written
            database.execute("pragma auto_vacuum=incremental")
            database.execute("pragma journal_mode=wal")
            self._make(database)
        elif version < VERSION:
            self._make(database)
        elif version > VERSION:
            raise JournalUnusable(
                f"{self.path} was written by a newer version of trioflow (its format is {version}, this one reads up "
                "to "
                f"{VERSION}). Install that version."
            )
        database.execute(f"pragma synchronous={'full' if self.durability == 'power' else 'normal'}")
        database.execute("pragma journal_size_limit=16777216")
        if not self.blocking:
            database.execute("pragma wal_autocheckpoint=0")  # which would write to the disk in the event loop

    def _make(self, database: sqlite3.Connection) -> None:
        """The tables that are not there, as in a new file, or in one of an older version."""
        with self._changing(database):
            for statement in _SCHEMA.split(";\n"):
                database.execute(statement)
            database.execute(f"pragma application_id={_MARK}")
            database.execute(f"pragma user_version={VERSION}")

    def _unreadable(self, error: Exception) -> JournalUnusable:
        return damaged(f"The journal {self.path}", f"something in it can't be read ({error})")

    @contextmanager
    def _connected(self, *, make: bool = False) -> Generator[sqlite3.Connection]:
        database = self._open(make=make)
        try:
            yield database
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise self._unreadable(error) from error
        finally:
            database.close()

    @contextmanager
    def _changing(self, database: sqlite3.Connection) -> Generator[None]:
        """A transaction. What the database raises comes out as `JournalUnusable`, anything else as it is."""
        try:
            database.execute("begin immediate")
            yield
            database.execute("commit")
        except BaseException as error:
            if database.in_transaction:
                with suppress(sqlite3.Error):  # on a disk that is full, or broken, it rolls back when it is read next
                    database.execute("rollback")
            if isinstance(error, sqlite3.Error):
                raise self._unusable(error) from error
            raise

    def _unusable(self, error: sqlite3.Error) -> JournalUnusable:
        name = getattr(error, "sqlite_errorname", "")
        cure = {
            "SQLITE_FULL": "The disk is full: make room. The run stays as it was and can be resumed.",
            "SQLITE_READONLY": "Make it and its folder writable, or name another file.",
            "SQLITE_CANTOPEN": "Its folder must be there, and be readable and writable.",
            "SQLITE_NOTADB": "It is not a journal: name another file, which is made if it is not there.",
            "SQLITE_BUSY": "Another process keeps it locked: wait for that, or end it.",
            "SQLITE_CORRUPT": "It is damaged: restore it from a copy.",
        }
        told = next((text for code, text in cure.items() if name.startswith(code)), "Look at the disk that it is on.")
        return JournalUnusable(f"The journal {self.path} can't be used ({error}). {told}")

    def __repr__(self) -> str:
        return f"SqliteJournal({str(self.path)!r})"


class _Kept:
    """A connection that is used again: to close the last one of a file writes the whole log back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.database: sqlite3.Connection | None = None
        self.file: tuple[int, int, int] | None = None

    def keep(self, database: sqlite3.Connection, file: tuple[int, int, int] | None) -> None:
        self.database, self.file = database, file
        weakref.finalize(self, database.close)  # whoever drops a journal drops its connection

    def close(self) -> None:
        database, self.database = self.database, None
        if database is not None:
            database.close()


class _SqliteSession(SqlSession):
    _journal: SqliteJournal

    def __init__(self, journal: SqliteJournal, database: sqlite3.Connection, taken: Taken) -> None:
        super().__init__(journal, taken)
        self._database: sqlite3.Connection | None = database
        weakref.finalize(self, database.close)  # of a session that nobody closes, as where a process dies
        self._commits = 0

    def append(self, entries: Sequence[Entry]) -> None:
        if len(entries) != 1 or len(entries[0][3]) > LIMIT:
            super().append(entries)
        else:
            with self._lock:
                self._append_one(entries)
        self._checkpoint()

    def close(self) -> None:
        with self._lock:
            database, self._database = self._database, None
            if database is None:
                return
            _OPEN.discard(self._id)
            try:
                if not self._has_ended:
                    self._give_back(database, self._state)
            except sqlite3.Error:
                pass  # its lease will end, and this process be found dead
            finally:
                database.close()

    def _append_one(self, entries: Sequence[Entry]) -> None:
        """What most effects write: one statement, which is a transaction by itself, and asks for the fence (J14)."""
        state, (row,) = self._after(entries)
        try:
            written = self._open.execute(_INSERT_OWN, (self._number, *row, self._number, self._fence))
        except sqlite3.Error as error:
            raise self._journal._unusable(error) from error
        if written.rowcount != 1:
            raise lost(self.info.id)
        self._state = state

    def _append(self, database: Database, state: State, rows: Sequence[tuple[Any, ...]]) -> None:
        mine = database.execute(
            "select 1 from trioflow_state where run=? and fence=?", (self._number, self._fence)
        ).fetchone()
        if mine is None:
            raise lost(self.info.id)
        self._journal._insert(database, "trioflow_entry", self._number, rows)

    def _write(self, state: State | None, work: Callable[[Database], None]) -> None:
        with self._journal._changing(self._open):
            work(self._open)

    @property
    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            raise self._closed()
        return self._database

    def _checkpoint(self) -> None:
        self._commits += 1
        if self._journal.blocking or self._commits % _CHECKPOINT_EVERY:
            return
        threading.Thread(target=_bring_in, args=(self._journal.path,), daemon=True).start()


def _bring_in(path: Path) -> None:
    """Bring the write-ahead log into the file, in a thread of its own: it waits for the disk."""
    try:
        database = sqlite3.connect(path, timeout=0)
        try:
            database.execute("pragma wal_checkpoint(passive)")
        finally:
            database.close()
    except sqlite3.Error:
        pass  # somebody else does it, or the next one will


class _SqliteTransaction(Transaction):
    __slots__ = ("_database",)

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        word = statement.split(maxsplit=1)[0].lower() if statement.strip() else ""
        if word in {
            "begin",
            "commit",
            "end",
            "rollback",
            "savepoint",
            "release",
            "attach",
            "detach",
            "pragma",
            "vacuum",
        }:
            raise JournalError(f"A transaction is the journal's to begin and to end: {word!r} can't be run in it.")
        return [tuple(row) for row in self._database.execute(statement, parameters)]
