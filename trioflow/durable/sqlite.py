"""A journal in one SQLite file: for programs on one host, any number of processes and runs.

The file may also hold tables of the program's own, which nodes with `durable="transaction"` write (J5).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import attrs

from trioflow.durable.journal import Journal
from trioflow.durable.owner import LEASE, boot_time, is_dead, read_owner, this_process
from trioflow.durable.port import Session, T, Work
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

VERSION = 1
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
"""

_RUNS = """
select *, (select coalesce(max(seq) + 1, 0) from trioflow_entry where run = number) as count,
 (select chain from trioflow_entry where run = number order by seq desc limit 1) as last
from trioflow_run join trioflow_state on run = number
"""
"""What a run was begun with may be long, and never changes; so how far it is stands in a table of its own.

That is not written with each entry: entries that came after it have checksums that go on from its own."""
_INSERT = "insert into trioflow_entry values(?,?,?,?,?,?,?)"
_INSERT_OWN = (
    "insert into trioflow_entry select ?,?,?,?,?,?,? where exists(select 1 from trioflow_state where run=? and fence=?)"
)
"""One entry, if the run is still that of whoever has this fence: a transaction by itself (J14)."""
_OPEN: set[tuple[str, int, str]] = set()
"""The sessions of this process that are open: run, fence, file."""

_CHECKPOINT_EVERY = 1000
"""Commits, after which what is in the write-ahead log is brought into the file."""


class SqliteJournal(Journal):
    """Runs in a SQLite file, which is made if it is not there; its folder must be.

    `durability`: what records survive: the death of the `"process"`, or also that of the machine, `"power"`, which
    takes a write to the disk for each effect or group of concurrent ones (J3). `patience`: seconds to wait for
    another process that is writing. Opened when it is first used; what is wrong with the file is raised then:
    `JournalUnusable`.
    """

    transactional = True

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
        return self._opened(run_id, new, None)

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        with self._kept.lock:
            database = self._kept.database
            if database is None or self._kept.file != self._file():
                self._kept.close()
                database = self._open(make=True)
                self._kept.keep(database, self._file())
            with self._writing(database):
                return work(_SqliteTransaction(database))

    def _file(self) -> tuple[int, int, int] | None:
        """Which file, of which process: a connection is of no use in a child, nor after the file was replaced."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return os.getpid(), found.st_dev, found.st_ino

    def take_over(self, run_id: str, new: NewRun, may: Callable[[Transaction], None]) -> Session:
        return self._opened(run_id, new, may)

    def _opened(self, run_id: str, new: NewRun | None, may: Callable[[Transaction], None] | None) -> Session:
        database = self._open(make=new is not None)
        try:
            return self._take(database, run_id, new, may)
        except BaseException as error:
            database.close()
            if isinstance(error, ValueError | TypeError | AttributeError):
                raise self._unreadable(error) from error
            raise

    def _take(
        self,
        database: sqlite3.Connection,
        run_id: str,
        new: NewRun | None,
        may: Callable[[Transaction], None] | None,
    ) -> Session:
        with self._writing(database):
            if may is not None:
                may(_SqliteTransaction(database))
            row = self._row(database, run_id)
            if row is None:
                if new is None:
                    raise unknown(run_id, self._names(database))
                self._insert(database, new, State())
                row = self._row(database, run_id)
                assert row is not None
            info = self._info(row)
            state = info.state
            if row["owner"] is not None:
                owner = read_owner(row["owner"])
                mine = owner == this_process()
                # One of ours that was closed and could not tell the file: on a full disk, for example.
                closed = mine and (run_id, row["fence"], os.fspath(self.path)) not in _OPEN
                held = may is None and (mine or not is_dead(owner)) and row["lease"] > boot_time()
                if held and not closed:
                    raise owned(run_id, "this process" if mine else owner.shown)
                state = attrs.evolve(state, fruitless=state.fruitless + 1)
            fence = row["fence"] + 1
            entries = self._checked(database, row, info)
            _write_state(database, row["number"], row["fence"], state, run_id)
            database.execute(
                "update trioflow_state set fence=?, owner=?, lease=? where run=?",
                (fence, str(this_process()), boot_time() + LEASE, row["number"]),
            )
        info = attrs.evolve(info, state=state)
        return _SqliteSession(self, database, row["number"], fence, info, entries)

    def runs(self, status: Status | None = None) -> list[RunInfo]:
        with self._reading() as database:
            if status is None:
                rows = database.execute(f"{_RUNS} order by number")
            else:
                rows = database.execute(f"{_RUNS} where status=? order by number", (status,))
            return [self._info(row) for row in rows]

    def show(self, run_id: str) -> RunInfo:
        with self._reading() as database:
            return self._info(self._known(database, run_id))

    def entries(self, run_id: str) -> list[Entry]:
        with self._reading() as database, self._snapshot(database):
            row = self._known(database, run_id)
            return self._checked(database, row, self._info(row))

    def history(self, run_id: str) -> list[Entry]:
        with self._reading() as database:
            return self._read(database, "trioflow_history", self._known(database, run_id)["number"])

    def send(self, run_id: str, signal: Signal) -> bool:
        with self._reading() as database, self._writing(database):
            row = self._known(database, run_id)
            number = row["number"]
            known = database.execute("select 1 from trioflow_signal where run=? and key=?", (number, signal.key))
            if known.fetchone() is not None:
                return False
            may_be_signalled(self._info(row))
            (count,) = database.execute("select count(*) from trioflow_signal where run=?", (number,)).fetchone()
            signal = attrs.evolve(signal, number=count)
            database.execute(
                "insert into trioflow_signal values(?,?,?,?,?,?,?,?)",
                (number, *attrs.astuple(signal), signal.checksum()),
            )
        return True

    def signals(self, run_id: str, after: int = -1) -> list[Signal]:
        with self._reading() as database:
            rows = database.execute(
                "select seq, name, payload, key, by, at, checksum from trioflow_signal where run=? and seq>? "
                "order by seq",
                (self._known(database, run_id)["number"], after),
            )
            found: list[Signal] = []
            for *fields, checksum in rows:
                signal = Signal(*fields)
                if signal.checksum() != checksum:
                    raise damaged(f"Run {run_id!r} in {self.path}", f"signal {signal.number} is not what was written")
                found.append(signal)
            return found

    def insert(self, new: NewRun, state: State, entries: Iterable[Entry]) -> None:
        kept = [*entries]
        checked(f"Run {new.id!r}", state, kept)
        database = self._open(make=True)
        try:
            with self._writing(database):
                if self._row(database, new.id) is not None:
                    raise used(new.id)
                number = self._insert(database, new, state)
                database.executemany(_INSERT, _rows(number, 0, 0, kept))
        finally:
            database.close()

    def prune(self, run_id: str) -> None:
        with self._reading() as database:
            with self._writing(database):
                row = self._known(database, run_id)
                may_be_pruned(self._info(row))
                for table in ("trioflow_entry", "trioflow_history", "trioflow_signal"):
                    database.execute(f"delete from {table} where run=?", (row["number"],))  # noqa: S608 - ours
                _write_state(database, row["number"], row["fence"], pruned(self._info(row).state), run_id)
            database.execute("pragma incremental_vacuum")

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
            with self._writing(database):
                pass  # it can be written
            database.execute("pragma auto_vacuum=incremental")
            database.execute("pragma journal_mode=wal")
            with self._writing(database):
                for statement in _SCHEMA.split(";\n"):
                    database.execute(statement)
                database.execute(f"pragma application_id={_MARK}")
                database.execute(f"pragma user_version={VERSION}")
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

    def _unreadable(self, error: Exception) -> JournalUnusable:
        return damaged(f"The journal {self.path}", f"something in it can't be read ({error})")

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        database = self._open(make=False)
        try:
            yield database
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise self._unreadable(error) from error
        finally:
            database.close()

    @contextmanager
    def _snapshot(self, database: sqlite3.Connection) -> Generator[None]:
        database.execute("begin")
        try:
            yield
        finally:
            database.execute("rollback")

    @contextmanager
    def _writing(self, database: sqlite3.Connection) -> Generator[None]:
        """A transaction. What the database raises comes out as `JournalUnusable`, anything else as it is."""
        try:
            database.execute("begin immediate")
            yield
            database.execute("commit")
        except BaseException as error:
            if database.in_transaction:
                database.execute("rollback")
            if isinstance(error, sqlite3.Error):
                raise self._unusable(error) from error
            raise

    def _unusable(self, error: sqlite3.Error) -> JournalUnusable:
        name = getattr(error, "sqlite_errorname", "")
        cure = {
            "SQLITE_FULL": "The disk is full: make room. The run stays as it was and can be gone on with.",
            "SQLITE_READONLY": "It, or its folder, can't be written: give the right to, or name another file.",
            "SQLITE_CANTOPEN": "Its folder must be there, and be readable and writable.",
            "SQLITE_NOTADB": "It is no journal: name another file, which is made if it is not there.",
            "SQLITE_BUSY": "Another process keeps it locked: wait for that, or end it.",
            "SQLITE_CORRUPT": "It is damaged: restore it from a copy.",
        }
        told = next((text for code, text in cure.items() if name.startswith(code)), "Look at the disk that it is on.")
        return JournalUnusable(f"The journal {self.path} can't be used ({error}). {told}")

    def _row(self, database: sqlite3.Connection, run_id: str) -> Any:
        return database.execute(f"{_RUNS} where id=?", (run_id,)).fetchone()

    def _known(self, database: sqlite3.Connection, run_id: str) -> Any:
        row = self._row(database, run_id)
        if row is None:
            raise unknown(run_id, self._names(database))
        return row

    def _names(self, database: sqlite3.Connection) -> list[str]:
        return [name for (name,) in database.execute("select id from trioflow_run order by number desc limit 1000")]

    def _insert(self, database: sqlite3.Connection, new: NewRun, state: State) -> int:
        cursor = database.execute(
            "insert into trioflow_run(id, new, new_check, parent) values(?,?,?,?)",
            (new.id, new.as_text(), new.checksum(), new.parent),
        )
        assert cursor.lastrowid is not None
        database.execute(
            "insert into trioflow_state(run, state, state_check, status, fence) values(?,?,?,?,0)",
            (cursor.lastrowid, state.as_text(), state.checksum(), state.status),
        )
        return cursor.lastrowid

    def _info(self, row: Any) -> RunInfo:
        where = f"Run {row['id']!r} in {self.path}"
        new, state = NewRun.from_text(row["new"], where), State.from_text(row["state"], where)
        if new.checksum() != row["new_check"] or state.checksum() != row["state_check"]:
            raise damaged(where, "its row was changed by somebody else")
        if new.id != row["id"] or state.status != row["status"]:
            raise damaged(where, "its row does not fit together")
        owner = None if row["owner"] is None else read_owner(row["owner"]).shown
        if row["count"] > state.entries:  # they came after the state was written
            state = attrs.evolve(state, entries=row["count"], chain=row["last"], fruitless=0)
        return RunInfo(new=new, state=state, owner=owner)

    def _checked(self, database: sqlite3.Connection, row: Any, info: RunInfo) -> list[Entry]:
        """The entries of a run, which are those of its state, and go on from them (J19)."""
        where = f"Run {info.id!r} in {self.path}"
        entries = self._read(database, "trioflow_entry", row["number"])
        checked(where, info.state, entries)
        before = State.from_text(row["state"], where)
        if chain_of(entries[: before.entries]) != before.chain:
            raise damaged(where, "its entries do not go on from those that were there before")
        return entries

    def _read(self, database: sqlite3.Connection, table: str, number: int) -> list[Entry]:
        rows = database.execute(f"select key, node, kind, data from {table} where run=? order by seq", (number,))  # noqa: S608
        return [Entry(*row) for row in rows]

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


def _rows(number: int, seq: int, chain: int, entries: Sequence[Entry]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        chain = entry.chained(chain)
        rows.append((number, seq, entry.key, entry.node, entry.kind, entry.data, chain))
        seq += 1
    return rows


def _write_state(database: sqlite3.Connection, number: int, fence: int, state: State, run_id: str) -> None:
    """Write a state if the run is still that of whoever has this fence (J14)."""
    text = state.as_text()
    written = database.execute(
        "update trioflow_state set state=?, state_check=?, status=? where run=? and fence=?",
        (text, zlib.crc32(text.encode()), state.status, number, fence),
    )
    if written.rowcount != 1:
        raise lost(run_id)


class _SqliteSession(Session):
    def __init__(
        self,
        journal: SqliteJournal,
        database: sqlite3.Connection,
        number: int,
        fence: int,
        info: RunInfo,
        entries: list[Entry],
    ) -> None:
        self._journal = journal
        self._database: sqlite3.Connection | None = database
        weakref.finalize(self, database.close)  # of a session that nobody closes, as where a process dies
        self._number = number
        self._fence = fence
        self._state = info.state
        self._commits = 0
        self._id = (info.id, fence, os.fspath(journal.path))
        _OPEN.add(self._id)
        # Sessions are used in threads: a lease may be renewed while entries are written.
        self._lock = threading.Lock()
        self.info = info
        self.entries = entries

    def append(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        before = self._state
        rows = _rows(self._number, before.entries, before.chain, entries)
        state = after(before, entries, rows[-1][-1])
        with self._lock:
            database = self._open
            try:
                if len(rows) == 1:
                    if database.execute(_INSERT_OWN, (*rows[0], self._number, self._fence)).rowcount != 1:
                        raise lost(self.info.id)
                else:
                    self._append_many(database, rows)
            except sqlite3.Error as error:
                raise self._journal._unusable(error) from error
            self._state = state
        self._checkpoint()

    def transact(self, work: Work) -> None:
        with self._lock:
            database = self._open
            with self._journal._writing(database):
                state = self._append(work(_SqliteTransaction(database)))  # J5
            self._state = state

    def set_state(
        self, status: Status, ended: float | None = None, outcome: str = "", waiting: Waiting | None = None
    ) -> None:
        with self._lock:
            state = attrs.evolve(self._state, status=status, ended=ended, outcome=outcome, waiting=waiting)
            with self._journal._writing(self._open):
                _write_state(self._open, self._number, self._fence, state, self.info.id)
            self._state = state

    def rewrite(self, keep: Sequence[Entry], superseded: Sequence[Entry]) -> None:
        with self._lock:
            database = self._open
            state = attrs.evolve(self._state, entries=len(keep), chain=chain_of(keep))
            with self._journal._writing(database):
                _write_state(database, self._number, self._fence, state, self.info.id)
                (first,) = database.execute(
                    "select coalesce(max(seq) + 1, 0) from trioflow_history where run=?", (self._number,)
                ).fetchone()
                database.executemany(
                    "insert into trioflow_history values(?,?,?,?,?,?,?)", _rows(self._number, first, 0, superseded)
                )
                database.execute("delete from trioflow_entry where run=?", (self._number,))
                database.executemany(_INSERT, _rows(self._number, 0, 0, keep))
            self._state = state

    def renew(self) -> None:
        with self._lock, self._journal._writing(self._open):
            written = self._open.execute(
                "update trioflow_state set lease=? where run=? and fence=?",
                (boot_time() + LEASE, self._number, self._fence),
            )
            if written.rowcount != 1:
                raise lost(self.info.id)

    def close(self) -> None:
        with self._lock:
            database, self._database = self._database, None
            if database is None:
                return
            _OPEN.discard(self._id)
            text = self._state.as_text()
            try:
                database.execute(
                    "update trioflow_state set owner=null, lease=null, state=?, state_check=? where run=? and fence=?",
                    (text, zlib.crc32(text.encode()), self._number, self._fence),
                )
            except sqlite3.Error:
                pass  # its lease will end, and this process be found dead
            finally:
                database.close()

    @property
    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            raise JournalError(f"The session of run {self.info.id!r} was closed.")
        return self._database

    def _append_many(self, database: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        with self._journal._writing(database):
            mine = database.execute(
                "select 1 from trioflow_state where run=? and fence=?", (self._number, self._fence)
            ).fetchone()
            if mine is None:
                raise lost(self.info.id)
            database.executemany(_INSERT, rows)

    def _append(self, entries: Sequence[Entry]) -> State:
        before = self._state
        rows = _rows(self._number, before.entries, before.chain, entries)
        state = after(before, entries, rows[-1][-1] if rows else before.chain)
        _write_state(self._open, self._number, self._fence, state, self.info.id)
        self._open.executemany(_INSERT, rows)
        return state

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
