"""A journal, and a session, around another: who changes one thing changes that, and passes on the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from trioflow.durable.blobs import NO_BLOBS, Blobs
from trioflow.durable.journal import Journal
from trioflow.durable.port import Session

if TYPE_CHECKING:
    from trioflow.durable.port import T, Work
    from trioflow.durable.records import Deed, Entry, NewRun, RunInfo, Signal, State, Status, Waiting
    from trioflow.model.durability import Transaction


class JournalAround(Journal):
    """All of another journal, what it says of itself included."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.blocking = journal.blocking
        self.transactional = journal.transactional
        self.checkpoint = journal.checkpoint
        self.by = journal.by

    def take(self, run_id: str, new: NewRun | None = None) -> Session:
        return self._journal.take(run_id, new)

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        return self._journal.transaction(work)

    def take_over(
        self, run_id: str, new: NewRun, may: Callable[[Transaction], None], begun: Deed | None = None
    ) -> Session:
        return self._journal.take_over(run_id, new, may, begun)

    def runs(self, status: Status | None = None) -> list[RunInfo]:
        return self._journal.runs(status)

    def ready(self, now: float) -> list[RunInfo]:
        return self._journal.ready(now)

    def show(self, run_id: str) -> RunInfo:
        return self._journal.show(run_id)

    def entries(self, run_id: str) -> list[Entry]:
        return self._journal.entries(run_id)

    def history(self, run_id: str) -> list[Entry]:
        return self._journal.history(run_id)

    def send(self, run_id: str, signal: Signal) -> bool:
        return self._journal.send(run_id, signal)

    def signals(self, run_id: str, after: int = -1) -> list[Signal]:
        return self._journal.signals(run_id, after)

    def insert(self, new: NewRun, state: State, entries: Iterable[Entry], blobs: Blobs = NO_BLOBS) -> None:
        self._journal.insert(new, state, entries, blobs)

    def prune(self, run_id: str) -> None:
        self._journal.prune(run_id)

    def blob(self, digest: str) -> str:
        return self._journal.blob(digest)

    def note(self, run_id: str, deed: Deed) -> None:
        self._journal.note(run_id, deed)

    def audit(self, run_id: str) -> list[Deed]:
        return self._journal.audit(run_id)

    def vacuum(self) -> None:
        self._journal.vacuum()

    def __repr__(self) -> str:
        return repr(self._journal)


class SessionAround(Session):
    """All of another session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.info = session.info
        self.entries = session.entries
        self.noted = session.noted

    def append(self, entries: Sequence[Entry]) -> None:
        self._session.append(entries)

    def transact(self, work: Work) -> None:
        self._session.transact(work)

    def set_state(
        self, status: Status, ended: float | None = None, outcome: str = "", waiting: Waiting | None = None
    ) -> None:
        self._session.set_state(status, ended, outcome, waiting)

    def end(self, entries: Sequence[Entry], status: Status, ended: float, outcome: str) -> None:
        self._session.end(entries, status, ended, outcome)

    def rewrite(self, keep: Sequence[Entry], superseded: Sequence[Entry]) -> None:
        self._session.rewrite(keep, superseded)

    def forget(self, count: int) -> None:
        self._session.forget(count)

    def renew(self) -> None:
        self._session.renew()

    def close(self) -> None:
        self._session.close()
