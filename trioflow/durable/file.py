"""A journal of text files: one for each run, of lines of JSON that people and other programs can read.

A line is a checksum, chained to that of the line before, and what the line says. The first one tells the format and
what the run was begun with; each other one is an entry, or how far the run is. A line that a dying process has not
finished is left out when the file is read; any other line that does not fit makes the file unusable.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import urllib.parse
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import attrs

from trioflow.durable.archive import FORMAT, VERSION, entry_from, line_of, read_lines, said_of
from trioflow.durable.blob_files import BlobFiles, unusable
from trioflow.durable.blobs import (
    NO_BLOBS,
    Blobs,
    all_lifted,
    as_read,
    lifted,
    made_elsewhere,
    references,
    texts_of,
)
from trioflow.durable.deeds import deeds_chain, signalled
from trioflow.durable.journal import Journal
from trioflow.durable.port import Session
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
    damaged,
    pruned,
)
from trioflow.durable.refusals import lost, may_be_pruned, may_be_signalled, owned, unknown, used
from trioflow.errors import JournalError, JournalUnusable, RunOwned

_SUFFIX = ".run.jsonl"
_HISTORY = ".history.jsonl"
_SIGNALS = ".signals.jsonl"
_AUDIT = ".audit.jsonl"


@attrs.define
class _Read:
    """A file, as it was read."""

    new: NewRun
    state: State
    entries: list[Entry]
    chain: int
    size: int
    """Bytes up to where it can be read; what comes after was never finished."""


class FileJournal(Journal):
    """Runs in the files of a folder, which is made if it is not there.

    `durability` as of `SqliteJournal`. A run belongs to the process that holds the lock on its file, so the folder must
    be on a file system of this host. There are no transactions.
    """

    def __init__(self, folder: str | os.PathLike[str], *, durability: Literal["process", "power"] = "process") -> None:
        if durability not in ("process", "power"):
            raise ValueError(f"durability must be 'process' or 'power', got {durability!r}.")
        self.folder = Path(folder)
        self._blobs = BlobFiles(self.folder / "blobs", sync=durability == "power")
        self.durability = durability
        self.blocking = durability == "power"

    def take(self, run_id: str, new: NewRun | None = None) -> Session:
        path = self._path(run_id)
        if new is None and not path.exists():
            raise unknown(run_id, self._names())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._have(lock, run_id)
            died = os.read(lock, 1) == b"1"
            if not path.exists():
                assert new is not None
                self._create(new, State(), ())
            found = self._read(path)
            if died:
                found.state = attrs.evolve(found.state, fruitless=found.state.fruitless + 1)
            os.pwrite(lock, b"1", 0)
            return _FileSession(self, path, lock, found)
        except BaseException:
            os.close(lock)
            raise

    def runs(self, status: Status | None = None) -> list[RunInfo]:
        found = [self._info(path) for path in self.folder.glob(f"*{_SUFFIX}")]
        return sorted(
            (each for each in found if status in {None, each.status}), key=lambda each: (each.new.created, each.id)
        )

    def show(self, run_id: str) -> RunInfo:
        return self._info(self._known(run_id))

    def entries(self, run_id: str) -> list[Entry]:
        return self._read(self._known(run_id)).entries

    def history(self, run_id: str) -> list[Entry]:
        self._known(run_id)
        path = self._history(run_id)
        if not path.exists():
            return []
        with path.open(encoding="utf-8") as file:
            return as_read([entry_from(json.loads(line)) for line in file], self.blob)

    def send(self, run_id: str, signal: Signal) -> bool:
        info = self._info(self._known(run_id))
        try:
            with self._signals(run_id).open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                known = self.signals(run_id)
                if any(each.key == signal.key for each in known):
                    return False
                may_be_signalled(info)
                signal = attrs.evolve(signal, number=len(known))
                file.write(f"{signal.checksum():08x} {json.dumps(attrs.astuple(signal))}\n".encode())
                file.flush()
                if self.durability == "power":
                    os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from error
        self.note(run_id, signalled(signal, info.state))
        return True

    def signals(self, run_id: str, after: int = -1) -> list[Signal]:
        path = self._signals(run_id)
        if not path.exists():
            return []
        found: list[Signal] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            checksum, _, text = line.partition(" ")
            try:
                signal = Signal(*json.loads(text))
            except (ValueError, TypeError):
                continue  # it was never finished
            if f"{signal.checksum():08x}" != checksum:
                raise damaged(str(path), f"signal {signal.number} is not what was written")
            found.append(signal)
        return [each for each in found if each.number > after]

    def insert(self, new: NewRun, state: State, entries: Iterable[Entry], blobs: Blobs = NO_BLOBS) -> None:
        if self._path(new.id).exists():
            raise used(new.id)
        state, kept, brought = made_elsewhere(new, state, entries, blobs)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        self._blobs.keep(new.id, brought, references([*texts_of(kept), state.outcome]))
        self._create(new, state, kept)

    def prune(self, run_id: str) -> None:
        path = self._known(run_id)
        may_be_pruned(self._info(path))
        found = self._read(path)
        self._create(attrs.evolve(found.new, document="", variables="{}"), pruned(found.state), ())
        self._history(run_id).unlink(missing_ok=True)
        self._signals(run_id).unlink(missing_ok=True)
        self._blobs.release(run_id, self._blobs.used_by(run_id))

    def blob(self, digest: str) -> str:
        return self._blobs.read(digest)

    def note(self, run_id: str, deed: Deed) -> None:
        self._known(run_id)
        try:
            with self._audit(run_id).open("ab+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                deeds, size = self._deeds(run_id)
                file.truncate(size)  # what was never finished
                line, _ = line_of(attrs.astuple(deed), deeds_chain(deeds))
                file.write(f"{line}\n".encode())
        except OSError as error:
            raise self._unusable(error) from error

    def audit(self, run_id: str) -> list[Deed]:
        self._known(run_id)
        return self._deeds(run_id)[0]

    def vacuum(self) -> None:
        for path in self.folder.glob(f"*{_SUFFIX}"):
            run_id = urllib.parse.unquote(path.name.removesuffix(_SUFFIX))
            unused = self._blobs.used_by(run_id)
            if not unused:
                continue
            with suppress(RunOwned), self._locked(run_id):
                found = self._read(path)
                texts = [*texts_of(found.entries), *texts_of(self.history(run_id)), found.state.outcome]
                self._blobs.release(run_id, unused - references(texts))

    # --- inside ---

    @contextmanager
    def _locked(self, run_id: str) -> Generator[None]:
        """While nobody else has the run. Raises `RunOwned`."""
        lock = os.open(self._path(run_id).with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            self._have(lock, run_id)
            yield
        finally:
            os.close(lock)

    def _have(self, lock: int, run_id: str) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise owned(run_id, "another process") from error

    def _deeds(self, run_id: str) -> tuple[list[Deed], int]:
        """What was done to a run, and how much of the file says so."""
        path = self._audit(run_id)
        data = path.read_bytes() if path.exists() else b""
        size = data.rfind(b"\n") + 1
        found: list[Deed] = []
        chain = 0
        for line in data[:size].decode("utf-8", "replace").splitlines():
            try:
                said = json.loads(line.partition(" ")[2])
                again, _ = line_of(said, chain)
                found.append(Deed(*said))
            except (ValueError, TypeError):
                again = ""
            if again != line:
                raise damaged(str(path), f"line {len(found) or 1} is not what was written")
            chain = deeds_chain(found[-1:], chain)
        return found, size

    def _path(self, run_id: str) -> Path:
        return self.folder / (urllib.parse.quote(run_id, safe=" ") + _SUFFIX)

    def _history(self, run_id: str) -> Path:
        return self.folder / (urllib.parse.quote(run_id, safe=" ") + _HISTORY)

    def _signals(self, run_id: str) -> Path:
        return self.folder / (urllib.parse.quote(run_id, safe=" ") + _SIGNALS)

    def _audit(self, run_id: str) -> Path:
        return self.folder / (urllib.parse.quote(run_id, safe=" ") + _AUDIT)

    def _known(self, run_id: str) -> Path:
        path = self._path(run_id)
        if not path.exists():
            raise unknown(run_id, self._names())
        return path

    def _names(self) -> list[str]:
        return [urllib.parse.unquote(path.name.removesuffix(_SUFFIX)) for path in self.folder.glob(f"*{_SUFFIX}")]

    def _info(self, path: Path) -> RunInfo:
        found = self._read(path)
        owner: str | None = None
        try:
            lock = os.open(path.with_suffix(".lock"), os.O_RDWR)
        except OSError:
            pass
        else:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                owner = "another process"
            finally:
                os.close(lock)
        return RunInfo(new=found.new, state=found.state, owner=owner, fetch=self.blob)

    def _create(self, new: NewRun, state: State, entries: Sequence[Entry]) -> int:
        """Write a file anew, so that there is the old one or the new one; returns its last checksum."""
        path = self._path(new.id)
        making = path.with_suffix(".new")
        lines, chain = _lines([[FORMAT, VERSION, json.loads(new.as_text())], *map(said_of, entries), _say(state)], 0)
        try:
            with making.open("wb") as file:
                file.write(lines)
                file.flush()
                if self.durability == "power":
                    os.fsync(file.fileno())
            making.replace(path)
            if self.durability == "power":
                folder = os.open(self.folder, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        except OSError as error:
            raise self._unusable(error) from error
        return chain

    def _read(self, path: Path) -> _Read:
        where = str(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise self._unusable(error) from error
        size = data.rfind(b"\n") + 1
        try:
            said, chain = read_lines(data[:size].decode().splitlines(), where)
        except ValueError as error:
            raise damaged(where, "it is not a text") from error
        new = NewRun.from_text(json.dumps(said[0][2]), where)
        entries: list[Entry] = []
        state = State()
        for each in said[1:]:
            if each[0] == "state":
                kept = State.from_text(json.dumps(each[1]), where)
                state = attrs.evolve(kept, entries=len(entries), chain=chain_of(entries))
            else:
                entries.append(entry_from(each))
                state = after(state, entries[-1:])
        return _Read(new, state, as_read(entries, self.blob), chain, size)

    def _unusable(self, error: OSError) -> JournalUnusable:
        return unusable(self.folder, error)

    def __repr__(self) -> str:
        return f"FileJournal({str(self.folder)!r})"


def _say(state: State) -> list[Any]:
    return ["state", json.loads(state.as_text())]


def _lines(said: Iterable[Any], chain: int) -> tuple[bytes, int]:
    lines: list[str] = []
    for each in said:
        line, chain = line_of(each, chain)
        lines.append(f"{line}\n")
    return "".join(lines).encode(), chain


class _FileSession(Session):
    def __init__(self, journal: FileJournal, path: Path, lock: int, found: _Read) -> None:
        self._journal = journal
        self._path = path
        self._lock: int | None = lock
        self._new = found.new
        self._state = found.state
        self._chain = found.chain
        self._busy = threading.Lock()
        self._file = os.open(path, os.O_WRONLY)
        self._size = found.size
        os.ftruncate(self._file, found.size)  # what was never finished
        self.info = RunInfo(new=found.new, state=found.state, fetch=journal.blob)
        self.entries = found.entries

    def append(self, entries: Sequence[Entry]) -> None:
        with self._busy:
            entries = self._lifted(entries)
            self._write(map(said_of, entries))
            self._state = after(self._state, entries)

    def set_state(
        self, status: Status, ended: float | None = None, outcome: str = "", waiting: Waiting | None = None
    ) -> None:
        with self._busy:
            outcome, blobs = lifted(outcome)
            self._keep(blobs)
            state = attrs.evolve(self._state, status=status, ended=ended, outcome=outcome, waiting=waiting)
            self._write([_say(state)])
            self._state = state

    def rewrite(self, keep: Sequence[Entry], superseded: Sequence[Entry]) -> None:
        with self._busy:
            self._held()
            journal, run_id = self._journal, self.info.id
            unused = journal._blobs.used_by(run_id)
            keep, (superseded, _) = self._lifted(keep), all_lifted(superseded)
            try:
                with journal._history(run_id).open("ab") as file:
                    file.write(b"".join(json.dumps(said_of(entry)).encode() + b"\n" for entry in superseded))
            except OSError as error:
                raise journal._unusable(error) from error
            state = attrs.evolve(self._state, entries=len(keep), chain=chain_of(keep))
            self._chain = self._journal._create(self._new, state, keep)
            os.close(self._file)
            self._file = os.open(self._path, os.O_WRONLY)
            self._size = os.fstat(self._file).st_size
            self._state = state
            if unused:
                journal._blobs.release(run_id, unused - references(texts_of([*keep, *journal.history(run_id)])))

    def forget(self, count: int) -> None:
        with self._busy:
            self._held()
            journal, run_id = self._journal, self.info.id
            history = journal._history(run_id)
            making = history.with_suffix(".new")
            try:
                making.write_bytes(b"".join(history.read_bytes().splitlines(keepends=True)[count:]))
                making.replace(history)
            except OSError as error:
                raise journal._unusable(error) from error
            unused = journal._blobs.used_by(run_id)
            if unused:
                entries = [*journal._read(self._path).entries, *journal.history(run_id)]
                journal._blobs.release(run_id, unused - references(texts_of(entries)))

    def renew(self) -> None:
        self._held()

    def close(self) -> None:
        with self._busy:
            lock, self._lock = self._lock, None
            if lock is not None:
                os.close(self._file)
                with suppress(OSError):  # then it counts as one whose process has died
                    os.pwrite(lock, b"0", 0)
                os.close(lock)

    def _lifted(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Entries as they are kept; the large values in them are kept before them (J27)."""
        entries, blobs = all_lifted(entries)
        self._keep(blobs)
        return entries

    def _keep(self, blobs: Blobs) -> None:
        if blobs:
            self._held()
            self._journal._blobs.keep(self.info.id, blobs, blobs)

    def _held(self) -> None:
        if self._lock is None:
            raise JournalError(f"The session of run {self.info.id!r} was closed.")
        if not self._path.exists():
            raise lost(self.info.id)

    def _write(self, said: Iterable[Any]) -> None:
        self._held()
        lines, chain = _lines(said, self._chain)
        try:
            written = os.pwrite(self._file, lines, self._size)
            if written != len(lines):
                raise OSError(28, "No space left on device")
            if self._journal.durability == "power":
                os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):  # else whoever takes the run next leaves out what was never finished
                os.ftruncate(self._file, self._size)
            raise self._journal._unusable(error) from error
        self._size += len(lines)
        self._chain = chain
