"""What journals in databases have in common: runs, records, signals, large values and deeds in tables.

Statements have `?` for values, and rows are asked by the names of columns. A database brings its connections, how the
lease of a run is told, and a quick way to append; everything else is here, once.
"""

# ruff: noqa: S608 - statements are made of our own words, and values are given beside them
from __future__ import annotations

import threading
import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Protocol

import attrs

from trioflow.durable.blobs import (
    NO_BLOBS,
    Blobs,
    all_lifted,
    as_read,
    as_written,
    lifted,
    made_elsewhere,
    references,
    texts_of,
)
from trioflow.durable.deeds import signalled
from trioflow.durable.journal import Journal
from trioflow.durable.owner import is_dead, read_owner, this_process
from trioflow.durable.port import Session, T, Work
from trioflow.durable.records import (
    Deed,
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
from trioflow.errors import JournalError
from trioflow.model.durability import Transaction

Row = Any  # a value for each column, by its name
_REFERS = '%{"$blob":"%'
_OPEN: set[tuple[str, int, str]] = set()
"""The sessions of this process that are open: run, fence, journal."""


class Rows(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """A connection to one."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Rows: ...


@attrs.frozen
class Taken:
    """A run that was taken."""

    number: int
    fence: int
    info: RunInfo
    entries: list[Entry]
    noted: bool = False


class SqlJournal(Journal):
    """Runs in the tables of a database."""

    transactional = True

    _RUNS: ClassVar[str]
    """All of a run but its records, and what else the database tells of it."""
    _LOCK: ClassVar[str] = ""
    """At the end of a statement that reads a run: nobody else may write it until the transaction has ended."""
    _HOLD: ClassVar[str] = ""
    """The same of a large value."""
    _CONFLICT: ClassVar[str] = "do nothing"
    """Where a large value is kept that is there already, nobody else may remove it."""
    _LEASE: ClassVar[str] = "?"
    """Until when a lease lasts, of `_until`."""

    # --- what a database brings ---

    @property
    @abstractmethod
    def _where(self) -> str:
        """The journal, for messages."""

    @property
    @abstractmethod
    def _identity(self) -> str:
        """The journal, such that no other one is taken for it."""

    @abstractmethod
    def _reading(self, work: Callable[[Database], T]) -> T:
        """Call this with a connection that sees one state of the database."""

    @abstractmethod
    def _writing(self, work: Callable[[Database, bool], T], *, make: bool = False) -> T:
        """Call this in a transaction; whether a first try of it may have been committed is told. `make`: the tables."""

    @abstractmethod
    def _transaction(self, database: Database) -> Transaction:
        """An open transaction, for bodies of nodes."""

    @abstractmethod
    def _insert(self, database: Database, table: str, number: int, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of `numbered`."""

    @abstractmethod
    def _until(self) -> float:
        """What `_LEASE` is given."""

    @abstractmethod
    def _is_held(self, row: Row) -> bool:
        """Whether the lease of a run has not ended."""

    def _state_of(self, row: Row, state: State) -> State:
        """How far a run is, given the last state that was written."""
        return state

    def _values(self, row: Row) -> Iterable[Any]:
        values: Iterable[Any] = row.values()
        return values

    # --- looking ---

    def runs(self, status: Status | None = None) -> list[RunInfo]:
        return self._runs("cast(? as text) is null or status=?", (status, status))

    def _runs(self, condition: str, parameters: Sequence[Any]) -> list[RunInfo]:
        def work(database: Database) -> list[RunInfo]:
            rows = database.execute(f"{self._RUNS} where {condition} order by number", parameters)
            return [self._info(row) for row in rows]

        return self._reading(work)

    def show(self, run_id: str) -> RunInfo:
        return self._reading(lambda database: self._info(self._known(database, run_id)))

    def entries(self, run_id: str) -> list[Entry]:
        def work(database: Database) -> list[Entry]:
            row = self._known(database, run_id)
            return self._checked(database, row, self._info(row))

        return self._reading(work)

    def history(self, run_id: str) -> list[Entry]:
        return self._reading(
            lambda database: self._read(database, "trioflow_history", self._known(database, run_id)["number"])
        )

    def blob(self, digest: str) -> str:
        def work(database: Database) -> str | None:
            row = database.execute("select data from trioflow_blob where digest=?", (digest,)).fetchone()
            return None if row is None else row["data"]

        return as_written(digest, self._reading(work), f"The journal {self._where}")

    def signals(self, run_id: str, after: int = -1) -> list[Signal]:
        def work(database: Database) -> list[Signal]:
            rows = database.execute(
                "select seq, name, payload, key, by, at, checksum from trioflow_signal where run=? and seq>? "
                "order by seq",
                (self._known(database, run_id)["number"], after),
            )
            found: list[Signal] = []
            for row in rows:
                *fields, checksum = self._values(row)
                signal = Signal(*fields)
                if signal.checksum() != checksum:
                    raise damaged(self._run(run_id), f"signal {signal.number} is not what was written")
                found.append(signal)
            return found

        return self._reading(work)

    def audit(self, run_id: str) -> list[Deed]:
        def work(database: Database) -> list[Deed]:
            rows = database.execute(
                "select what, at, by, process, detail, chain from trioflow_deed where run=? order by seq",
                (self._known(database, run_id)["number"],),
            )
            found: list[Deed] = []
            chain = 0
            for row in rows:
                *fields, checksum = self._values(row)
                found.append(Deed(*fields))
                chain = found[-1].chained(chain)
                if chain != checksum:
                    raise damaged(self._run(run_id), "what was done to it, and by whom, is not what was written")
            return found

        return self._reading(work)

    # --- writing, whoever has the run ---

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        return self._writing(lambda database, _: work(self._transaction(database)), make=True)

    def send(self, run_id: str, signal: Signal) -> bool:
        def work(database: Database, again: bool) -> bool:
            row = self._known(database, run_id, lock=True)
            number = row["number"]
            of_run = "from trioflow_signal where run=?"
            same = database.execute(f"select by, at {of_run} and key=?", (number, signal.key)).fetchone()
            if same is not None:
                return again and (same["by"], same["at"]) == (signal.by, signal.at)
            info = self._info(row)
            may_be_signalled(info)
            after = database.execute(f"select coalesce(max(seq) + 1, 0) as next {of_run}", (number,)).fetchone()
            kept = attrs.evolve(signal, number=after["next"])
            database.execute(
                "insert into trioflow_signal values(?,?,?,?,?,?,?,?)",
                (number, *attrs.astuple(kept), kept.checksum()),
            )
            self._note(database, number, signalled(kept, info.state))
            return True

        return self._writing(work)

    def note(self, run_id: str, deed: Deed) -> None:
        def work(database: Database, again: bool) -> None:
            self._note(database, self._known(database, run_id, lock=True)["number"], deed, again)

        self._writing(work)

    def insert(self, new: NewRun, state: State, entries: Iterable[Entry], blobs: Blobs = NO_BLOBS) -> None:
        state, kept, brought = made_elsewhere(new, state, entries, blobs)

        def work(database: Database, again: bool) -> None:
            number = self._begin(database, new, state)
            if number is None:
                if again and self._known(database, new.id)["new_check"] == new.checksum():
                    return
                raise used(new.id)
            self._insert(database, "trioflow_entry", number, numbered(kept))
            there = references([*texts_of(kept), state.outcome]) - {*brought}
            self._hold(database, {*there, *brought})
            for digest in there:
                found = database.execute("select data from trioflow_blob where digest=?", (digest,)).fetchone()
                as_written(digest, None if found is None else found["data"], self._run(new.id))
                self._use(database, number, digest)
            self._keep(database, number, brought)

        self._writing(work, make=True)

    def prune(self, run_id: str) -> None:
        def work(database: Database, again: bool) -> None:
            row = self._known(database, run_id, lock=True)
            number, info = row["number"], self._info(row)
            may_be_pruned(info)
            for table in ("trioflow_entry", "trioflow_history", "trioflow_signal"):
                database.execute(f"delete from {table} where run=?", (number,))
            uses = database.execute("select digest from trioflow_use where run=?", (number,))
            self._release(database, number, [each["digest"] for each in uses])
            write_state(database, number, row["fence"], pruned(info.state), run_id)

        self._writing(work)

    # --- taking ---

    def _take(
        self,
        database: Database,
        run_id: str,
        new: NewRun | None,
        may: Callable[[Transaction], None] | None = None,
        begun: Deed | None = None,
    ) -> Taken:
        """Have a run, in a transaction (J14)."""
        if may is not None:
            may(self._transaction(database))
        if new is not None:
            made = self._make_run(database, new, begun)
            if made is not None:
                return made
        row = self._known(database, run_id, lock=True)
        info = self._info(row)
        state = info.state
        if row["owner"] is not None:
            owner = read_owner(row["owner"])
            mine = owner == this_process()
            # One of ours that was closed and could not tell: on a full disk, for example.
            closed = mine and (run_id, row["fence"], self._identity) not in _OPEN
            if not closed and may is None and (mine or not is_dead(owner)) and self._is_held(row):
                raise owned(run_id, "this process" if mine else owner.shown)
            if not closed:
                state = attrs.evolve(state, fruitless=state.fruitless + 1)
        entries = self._checked(database, row, info)
        number, fence = row["number"], row["fence"] + 1
        write_state(database, number, row["fence"], state, run_id)
        self._own(database, number, fence)
        return Taken(number, fence, attrs.evolve(info, state=state), entries)

    # --- inside ---

    def _run(self, run_id: str) -> str:
        return f"Run {run_id!r} in {self._where}"

    def _known(self, database: Database, run_id: str, *, lock: bool = False) -> Row:
        row: Row | None = database.execute(
            f"{self._RUNS} where id=? {self._LOCK if lock else ''}", (run_id,)
        ).fetchone()
        if row is None:
            names = database.execute("select id from trioflow_run order by number desc limit 1000")
            raise unknown(run_id, [each["id"] for each in names])
        return row

    def _make_run(self, database: Database, new: NewRun, begun: Deed | None) -> Taken | None:
        """Insert a run that is taken at once, and that it was begun; None if there is one of that name."""
        number = self._begin(database, new, State())
        if number is None:
            return None
        self._own(database, number, 1)
        if begun is not None:
            self._note(database, number, begun)
        return self._made(number, new, begun)

    def _made(self, number: int, new: NewRun, begun: Deed | None) -> Taken:
        return Taken(number, 1, RunInfo(new=new, state=State(), fetch=self.blob), [], begun is not None)

    def _own(self, database: Database, number: int, fence: int) -> None:
        database.execute(
            f"update trioflow_state set fence=?, owner=?, lease={self._LEASE} where run=?",
            (fence, str(this_process()), self._until(), number),
        )

    def _begin(self, database: Database, new: NewRun, state: State) -> int | None:
        """Insert a run, and give its number; None if there is one of that name."""
        row = database.execute(
            "insert into trioflow_run(id, new, new_check, parent) values(?,?,?,?) on conflict do nothing "
            "returning number",
            (new.id, new.as_text(), new.checksum(), new.parent),
        ).fetchone()
        if row is None:
            return None
        number: int = row["number"]
        database.execute(
            "insert into trioflow_state(run, state, state_check, status, fence) values(?,?,?,?,0)",
            (number, *columns_of(state)),
        )
        return number

    def _info(self, row: Row) -> RunInfo:
        where = self._run(row["id"])
        new, state = NewRun.from_text(row["new"], where), State.from_text(row["state"], where)
        if new.checksum() != row["new_check"] or state.checksum() != row["state_check"]:
            raise damaged(where, "its row was changed by somebody else")
        if new.id != row["id"] or state.status != row["status"]:
            raise damaged(where, "its row does not fit together")
        state_of = self._state_of(row, state)
        if row["owner"] is None:
            return RunInfo(new=new, state=state_of, fetch=self.blob)
        owner = read_owner(row["owner"])
        return RunInfo(new=new, state=state_of, owner=owner.shown, has_died=is_dead(owner), fetch=self.blob)

    def _checked(self, database: Database, row: Row, info: RunInfo) -> list[Entry]:
        """The entries of a run, which are those of its state, and go on from them (J19)."""
        where = self._run(info.id)
        entries = self._read(database, "trioflow_entry", row["number"])
        checked(where, info.state, entries)
        before = State.from_text(row["state"], where)
        if before.entries != len(entries) and chain_of(entries[: before.entries]) != before.chain:
            raise damaged(where, "its entries do not go on from those that were there before")
        return entries

    def _read(self, database: Database, table: str, number: int) -> list[Entry]:
        rows = database.execute(f"select key, node, kind, data from {table} where run=? order by seq", (number,))
        return as_read([Entry(*self._values(row)) for row in rows], self.blob)

    def _note(self, database: Database, number: int, deed: Deed, again: bool = False) -> None:
        last = database.execute(
            "select seq, chain, at, by from trioflow_deed where run=? order by seq desc limit 1", (number,)
        ).fetchone()
        seq, chain = (0, 0) if last is None else (last["seq"] + 1, last["chain"])
        if again and last is not None and (last["at"], last["by"]) == (deed.at, deed.by):
            return
        database.execute(
            "insert into trioflow_deed values(?,?,?,?,?,?,?,?)",
            (number, seq, *attrs.astuple(deed), deed.chained(chain)),
        )

    # --- large values (J27) ---

    def _keep(self, database: Database, number: int, blobs: Blobs) -> None:
        """Keep these for a run, each once whoever else has it."""
        for digest in sorted(blobs):
            kept = (digest, blobs[digest])
            database.execute(f"insert into trioflow_blob values(?,?) on conflict {self._CONFLICT}", kept)
            self._use(database, number, digest)

    def _hold(self, database: Database, digests: Iterable[str]) -> None:
        """Whoever else keeps or releases these comes before this or after it; always in one order."""
        if self._HOLD:
            for digest in sorted(digests):
                database.execute(f"select 1 from trioflow_blob where digest=? {self._HOLD}", (digest,))

    def _use(self, database: Database, number: int, digest: str) -> None:
        database.execute("insert into trioflow_use values(?,?) on conflict do nothing", (number, digest))

    def _release(self, database: Database, number: int, gone: Iterable[str]) -> None:
        """A run does not refer to these any more; what no run refers to is removed."""
        gone = [*gone]
        self._hold(database, gone)
        for digest in gone:
            database.execute("delete from trioflow_use where run=? and digest=?", (number, digest))
            database.execute(
                "delete from trioflow_blob where digest=? and not exists(select 1 from trioflow_use where digest=?)",
                (digest, digest),
            )

    def _referred(self, database: Database, table: str, number: int) -> set[str]:
        if database.execute("select 1 from trioflow_use where run=? limit 1", (number,)).fetchone() is None:
            return set()
        rows = database.execute(f"select data from {table} where run=? and data like ?", (number, _REFERS))
        return references(each["data"] for each in rows)


class SqlSession(Session):
    """One run, of one process."""

    def __init__(self, journal: SqlJournal, taken: Taken) -> None:
        self._journal = journal
        self._number = taken.number
        self._fence = taken.fence
        self._state = taken.info.state
        self._id = (taken.info.id, taken.fence, journal._identity)
        _OPEN.add(self._id)
        # Sessions are used in threads: a lease may be renewed while entries are written.
        self._lock = threading.Lock()
        self.info = taken.info
        self.entries = taken.entries
        self.noted = taken.noted
        self._has_ended = False

    # --- what a database brings ---

    @abstractmethod
    def _append(self, database: Database, state: State, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert these rows, with which the state is this one, if the run is one's own."""

    @abstractmethod
    def _write(self, state: State | None, work: Callable[[Database], None]) -> None:
        """Call this in a transaction; not again if that is the state of the run already. Raises if it was closed."""

    def _transact(self, work: Callable[[Database], None], made: Sequence[State]) -> None:
        """Call this once in a transaction, which may fail; then of what it has made comes nothing."""
        self._write(None, work)

    def _write_at_once(self, state: State, work: Callable[[Database], None]) -> None:
        """The same of what may be a single statement, as `_append` and `_end` are."""
        self._write(state, work)

    def _end(self, database: Database, state: State, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert these rows, with which the run has come to this state, and let others have it."""
        self._append(database, state, rows)
        self._give_back(database, state)

    # --- the session ---

    def append(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        entries, blobs = all_lifted(entries)
        with self._lock:
            state, rows = self._after(entries)

            def work(database: Database) -> None:
                self._append(database, state, rows)
                self._journal._keep(database, self._number, blobs)

            (self._write if blobs else self._write_at_once)(state, work)
            self._state = state

    def transact(self, work: Work) -> None:
        with self._lock:
            made: list[State] = []

            def do(database: Database) -> None:
                entries, blobs = all_lifted(work(self._journal._transaction(database)))  # J5
                state, rows = self._after(entries)
                made.append(state)
                write_state(database, self._number, self._fence, state, self.info.id)
                self._journal._insert(database, "trioflow_entry", self._number, rows)
                self._journal._keep(database, self._number, blobs)

            self._transact(do, made)
            self._state = made[0]

    def set_state(
        self, status: Status, ended: float | None = None, outcome: str = "", waiting: Waiting | None = None
    ) -> None:
        outcome, blobs = lifted(outcome)
        with self._lock:
            state = attrs.evolve(self._state, status=status, ended=ended, outcome=outcome, waiting=waiting)

            def work(database: Database) -> None:
                write_state(database, self._number, self._fence, state, self.info.id)
                self._journal._keep(database, self._number, blobs)

            self._write(state, work)
            self._state = state

    def end(self, entries: Sequence[Entry], status: Status, ended: float, outcome: str) -> None:
        entries, blobs = all_lifted(entries)
        outcome, more = lifted(outcome)
        blobs = {**blobs, **more}
        with self._lock:
            state, rows = self._after(entries)
            state = attrs.evolve(state, status=status, ended=ended, outcome=outcome)

            def work(database: Database) -> None:
                self._end(database, state, rows)
                self._journal._keep(database, self._number, blobs)

            (self._write if blobs else self._write_at_once)(state, work)
            self._state = state
            self._has_ended = True

    def rewrite(self, keep: Sequence[Entry], superseded: Sequence[Entry]) -> None:
        keep, blobs = all_lifted(keep)
        superseded, _ = all_lifted(superseded)
        journal, number = self._journal, self._number
        with self._lock:
            state = attrs.evolve(self._state, entries=len(keep), chain=chain_of(keep))

            def work(database: Database) -> None:
                write_state(database, number, self._fence, state, self.info.id)
                before = journal._referred(database, "trioflow_entry", number)
                first = database.execute(
                    "select coalesce(max(seq) + 1, 0) as next from trioflow_history where run=?", (number,)
                ).fetchone()
                journal._insert(database, "trioflow_history", number, numbered(superseded, first["next"]))
                database.execute("delete from trioflow_entry where run=?", (number,))
                journal._insert(database, "trioflow_entry", number, numbered(keep))
                gone = before - references(texts_of([*keep, *superseded]))
                journal._hold(database, {*gone, *blobs})
                journal._keep(database, number, blobs)
                if gone:
                    journal._release(database, number, gone - journal._referred(database, "trioflow_history", number))

            self._write(state, work)
            self._state = state

    def forget(self, count: int) -> None:
        journal, number = self._journal, self._number
        least: list[int] = []  # the same, though it may be called again

        def work(database: Database) -> None:
            if not least:
                first = database.execute(
                    "select coalesce(min(seq), 0) as first from trioflow_history where run=?", (number,)
                ).fetchone()
                least.append(first["first"] + count)
            write_state(database, number, self._fence, self._state, self.info.id)
            before = journal._referred(database, "trioflow_history", number)
            database.execute("delete from trioflow_history where run=? and seq<?", (number, least[0]))
            if before:
                kept = journal._referred(database, "trioflow_history", number)
                gone = before - kept - journal._referred(database, "trioflow_entry", number)
                journal._release(database, number, gone)

        with self._lock:
            self._write(None, work)

    def renew(self) -> None:
        def work(database: Database) -> None:
            renewed = database.execute(
                f"update trioflow_state set lease={self._journal._LEASE} where run=? and fence=?",
                (self._journal._until(), self._number, self._fence),
            )
            if renewed.rowcount != 1:
                raise lost(self.info.id)

        with self._lock:
            self._write(None, work)

    def _give_back(self, database: Database, state: State) -> None:
        """Let others have the run."""
        database.execute(
            "update trioflow_state set owner=null, lease=null, state=?, state_check=?, status=? "
            "where run=? and fence=?",
            (*columns_of(state), self._number, self._fence),
        )

    def _after(self, entries: Sequence[Entry]) -> tuple[State, list[tuple[Any, ...]]]:
        before = self._state
        rows = numbered(entries, before.entries, before.chain)
        return after(before, entries, rows[-1][-1] if rows else before.chain), rows

    def _closed(self) -> JournalError:
        return JournalError(f"The session of run {self.info.id!r} was closed.")


def numbered(entries: Sequence[Entry], seq: int = 0, chain: int = 0) -> list[tuple[Any, ...]]:
    """Of each entry: seq, key, node, kind, data and chain."""
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        chain = entry.chained(chain)
        rows.append((seq, *entry, chain))
        seq += 1
    return rows


def write_state(database: Database, number: int, fence: int, state: State, run_id: str) -> None:
    """Write a state if the run is still that of whoever has this fence (J14)."""
    written = database.execute(
        "update trioflow_state set state=?, state_check=?, status=? where run=? and fence=?",
        (*columns_of(state), number, fence),
    )
    if written.rowcount != 1:
        raise lost(run_id)


def columns_of(state: State) -> tuple[str, int, str]:
    """A state as its row has it: the text, its checksum, the status."""
    text = state.as_text()
    return text, zlib.crc32(text.encode()), state.status
