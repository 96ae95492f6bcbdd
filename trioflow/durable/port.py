"""The port behind which runs are kept: what a store must be able to do, and what the rest asks of it.

All of it may block, and is called in threads where it does (`Journal.blocking`). A *session* is one process that has
one run, which is the only one that may write it. A store for another database implements `take` and the few methods
that look, and passes the contract tests in tests/durable/test_stores.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from trioflow.durable.blobs import NO_BLOBS, Blobs
from trioflow.durable.checkpoint import Checkpoint
from trioflow.durable.records import Deed, Entry, NewRun, RunInfo, Signal, State, Status, Waiting
from trioflow.errors import JournalError, RunOwned

if TYPE_CHECKING:
    from trioflow.model.durability import Transaction

T = TypeVar("T")
Work = Callable[["Transaction"], Sequence[Entry]]


@attrs.frozen
class Right:
    """The right to a run that is kept beside it in the same database, as that of a worker to its job is.

    `statement` gives a row if one has it; it is written as a `Transaction` of the journal wants it, and its parameters
    have names. Called with a transaction it raises `RunOwned`, with `lost`, if one does not.
    """

    statement: str
    parameters: Any
    lost: str

    def __call__(self, transaction: Transaction) -> None:
        if not transaction.execute(self.statement, self.parameters):
            raise RunOwned(self.lost)


class Session(ABC):
    """One run, as the process that has it sees it. Everything but `close` raises `RunOwned` once another one has it."""

    info: RunInfo
    """As it was taken."""
    entries: list[Entry]
    """As it was taken, in the order in which they were recorded."""
    noted: bool = False
    """Whether it was made when it was taken, and that it was begun is noted already (J28)."""

    @abstractmethod
    def append(self, entries: Sequence[Entry]) -> None:
        """Keep these entries, all or none of them. When it returns they are durable (J3).

        Raises `JournalUnusable` if they can't be written.
        """

    def transact(self, work: Work) -> None:
        """Call `work` in a transaction of the database, and keep the entries that it returns in the same one (J5).

        Raises what `work` raises; then nothing of it is left. Only of journals that have transactions.
        """
        raise JournalError("This journal has no transactions.")

    @abstractmethod
    def set_state(
        self, status: Status, ended: float | None = None, outcome: str = "", waiting: Waiting | None = None
    ) -> None:
        """Keep what has become of the run; `waiting` is for one that is put away, `suspended` (J22)."""

    def end(self, entries: Sequence[Entry], status: Status, ended: float, outcome: str) -> None:
        """Keep the last entries, and what the run has come to. Journals in databases do both at once."""
        self.append(entries)
        self.set_state(status, ended, outcome)

    @abstractmethod
    def rewrite(self, keep: Sequence[Entry], superseded: Sequence[Entry]) -> None:
        """Have these entries in place of all that there are; the superseded ones go to the history. All or nothing."""

    @abstractmethod
    def forget(self, count: int) -> None:
        """Remove so many of the oldest entries of the history."""

    @abstractmethod
    def renew(self) -> None:
        """Renew the lease (J14)."""

    @abstractmethod
    def close(self) -> None:
        """Give the run back, and free what the session holds. May be called more than once."""


class Store(ABC):
    """Where runs are kept."""

    blocking: bool = True
    """Whether sessions may make their caller wait, so that they are used in threads."""
    transactional: bool = False
    """Whether there are transactions (J5)."""
    checkpoint: Checkpoint | None = Checkpoint()
    """When its runs supersede what was recorded by a moment (J26). May be set; None for never."""

    by: str | None = None
    """Who uses it, for those who look later who did what to a run (J28). May be set."""

    @abstractmethod
    def take(self, run_id: str, new: NewRun | None = None) -> Session:
        """Have the run of that name; it is made of `new`, if it is not there.

        A run that was taken while its last process is known to be dead, or whose process died, counts one more in
        `State.fruitless`. Raises `RunNotFound`, `RunOwned` if another process has it (J14), `JournalUnusable`.
        """

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        """Call `work` in a transaction of the database that the runs are in; gives what it gives.

        Raises what `work` raises; then nothing of it is left. `work` may be called again after a connection was lost,
        so it must come to the same. Only of journals that have transactions.
        """
        raise JournalError(f"{self!r} has no transactions.")

    def take_over(
        self, run_id: str, new: NewRun, may: Callable[[Transaction], None], begun: Deed | None = None
    ) -> Session:
        """Have a run whoever has it, if `may`, which is called in the same transaction, does not raise.

        `begun` is noted with a run that is made, where that costs nothing; `Session.noted` tells (J28).
        For those whose right to a run is kept beside it in the same store, as that of a worker to its job is. Only of
        stores that can keep more than runs.
        """
        raise JournalError(
            f"{self!r} can keep runs, but no jobs. Use a SqliteJournal, PostgresJournal or MemoryJournal."
        )

    @abstractmethod
    def runs(self, status: Status | None = None) -> list[RunInfo]:
        """All runs, or those with that status, in the order in which they were begun."""

    def ready(self, now: float) -> list[RunInfo]:
        """The runs that were put away and have something to do by then: a timer is due, or a signal has arrived (J22).

        In the order in which they were begun. A store that can ask its database for them does that instead.
        """
        return [info for info in self.runs("suspended") if self._is_ready(info, now)]

    def _is_ready(self, info: RunInfo, now: float) -> bool:
        waiting = info.state.waiting
        if waiting is None:
            return True
        if waiting.due is not None and waiting.due <= now:
            return True
        names = waiting.signals
        return bool(names) and any(each.name in names for each in self.signals(info.id, waiting.seen))

    @abstractmethod
    def show(self, run_id: str) -> RunInfo:
        """One run. Raises `RunNotFound`."""

    @abstractmethod
    def entries(self, run_id: str) -> list[Entry]:
        """What was recorded of a run. Raises `RunNotFound`, and `JournalUnusable` if it is damaged."""

    @abstractmethod
    def history(self, run_id: str) -> list[Entry]:
        """What was recorded and superseded, in order (J20). Raises `RunNotFound`."""

    @abstractmethod
    def send(self, run_id: str, signal: Signal) -> bool:
        """Keep a signal for a run, whoever has it; whether it is a new one. Its number is given here.

        Durable when it returns, and idempotent by its key (J21). Raises `RunNotFound`, and `JournalError` for a run
        that has ended.
        """

    @abstractmethod
    def signals(self, run_id: str, after: int = -1) -> list[Signal]:
        """The signals of a run with higher numbers than that, in the order in which they arrived."""

    @abstractmethod
    def insert(self, new: NewRun, state: State, entries: Iterable[Entry], blobs: Blobs = NO_BLOBS) -> None:
        """Keep a run that was made elsewhere: forked or imported. Raises `JournalError` if the name was used.

        Its entries may refer to large values that the store has, or that come along as `blobs` (J27); one that is
        neither is `JournalUnusable`.
        """

    @abstractmethod
    def prune(self, run_id: str) -> None:
        """Remove all of an ended run but its name, which is never used again (J18).

        Raises `RunNotFound`, `RunOwned`, and `JournalError` for a run that has not ended.
        """

    @abstractmethod
    def blob(self, digest: str) -> str:
        """The text of a large value (J27). Raises `JournalUnusable` if it is missing, or not what was written."""

    @abstractmethod
    def note(self, run_id: str, deed: Deed) -> None:
        """Keep who did what to a run (J28), whoever has it. Raises `RunNotFound`."""

    @abstractmethod
    def audit(self, run_id: str) -> list[Deed]:
        """What was done to a run, and by whom, in order; also of a run that was pruned.

        Raises `RunNotFound`, and `JournalUnusable` if it is not what was written.
        """

    @abstractmethod
    def vacuum(self) -> None:
        """Give back the room of what was removed, and remove what a dying process may have left behind. Blocks."""
