"""A journal in memory: for tests, and for runs that only need to be suspended and resumed in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

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
    checked,
    pruned,
)
from trioflow.durable.refusals import lost, may_be_pruned, may_be_signalled, unknown, used
from trioflow.errors import JournalError, RunOwned
from trioflow.model.durability import Transaction


@attrs.define(eq=False)
class _Kept:
    """One run."""

    new: NewRun
    state: State
    entries: list[Entry] = attrs.field(factory=list[Entry])
    history: list[Entry] = attrs.field(factory=list[Entry])
    signals: list[Signal] = attrs.field(factory=list[Signal])
    deeds: list[Deed] = attrs.field(factory=list[Deed])
    uses: set[str] = attrs.field(factory=set[str])
    """The large values that it refers to, by digest."""
    fence: int = 0
    owned: bool = False


class MemoryJournal(Journal):
    """Runs that end with the process. It keeps what a file would, so a run can be stopped and resumed.

    To take a run that somebody else in the process has is an error, unless `steal` was called for it.
    """

    blocking = False

    def __init__(self) -> None:
        self._runs: dict[str, _Kept] = {}
        self._blobs: dict[str, str] = {}

    def take(self, run_id: str, new: NewRun | None = None) -> Session:
        kept = self._runs.get(run_id)
        if kept is None:
            if new is None:
                raise unknown(run_id, self._runs)
            kept = self._runs[run_id] = _Kept(new, State())
        if kept.owned:
            raise RunOwned(f"Run {run_id!r} is being run. Wait until it is put away or has ended.")
        checked(f"Run {run_id!r}", kept.state, kept.entries)
        kept.owned = True
        kept.fence += 1
        return _MemorySession(self, kept)

    def take_over(
        self, run_id: str, new: NewRun, may: Callable[[Transaction], None], begun: Deed | None = None
    ) -> Session:
        may(_NO_TRANSACTION)
        if run_id in self._runs:
            self.steal(run_id)
        return self.take(run_id, new)

    def steal(self, run_id: str) -> None:
        """Let a run be taken as if its process had died: whoever has it can't write any more."""
        kept = self._kept(run_id)
        if kept.owned:
            kept.owned = False
            kept.fence += 1
            kept.state = attrs.evolve(kept.state, fruitless=kept.state.fruitless + 1)

    def runs(self, status: Status | None = None) -> list[RunInfo]:
        return [self._info(kept) for kept in self._runs.values() if status in {None, kept.state.status}]

    def show(self, run_id: str) -> RunInfo:
        return self._info(self._kept(run_id))

    def entries(self, run_id: str) -> list[Entry]:
        return as_read(self._kept(run_id).entries, self.blob)

    def history(self, run_id: str) -> list[Entry]:
        return as_read(self._kept(run_id).history, self.blob)

    def send(self, run_id: str, signal: Signal) -> bool:
        kept = self._kept(run_id)
        if any(each.key == signal.key for each in kept.signals):
            return False
        may_be_signalled(self._info(kept))
        kept.signals.append(attrs.evolve(signal, number=len(kept.signals)))
        kept.deeds.append(signalled(signal, kept.state))
        return True

    def signals(self, run_id: str, after: int = -1) -> list[Signal]:
        return self._kept(run_id).signals[after + 1 :]

    def insert(self, new: NewRun, state: State, entries: Iterable[Entry], blobs: Blobs = NO_BLOBS) -> None:
        if new.id in self._runs:
            raise used(new.id)
        state, kept, blobs = made_elsewhere(new, state, entries, blobs)
        for digest in (uses := references([*texts_of(kept), state.outcome])) - {*blobs}:
            self.blob(digest)
        made = self._runs[new.id] = _Kept(new, state, kept)
        self._keep(made, uses, blobs)

    def prune(self, run_id: str) -> None:
        kept = self._kept(run_id)
        may_be_pruned(self._info(kept))
        kept.entries, kept.history, kept.signals = [], [], []
        kept.state = pruned(kept.state)
        self._release(kept, {*kept.uses})

    def blob(self, digest: str) -> str:
        return as_written(digest, self._blobs.get(digest), "The journal")

    def note(self, run_id: str, deed: Deed) -> None:
        self._kept(run_id).deeds.append(deed)

    def audit(self, run_id: str) -> list[Deed]:
        return [*self._kept(run_id).deeds]

    def vacuum(self) -> None:
        pass  # nothing is left behind

    # --- inside ---

    def _keep(self, kept: _Kept, uses: Iterable[str], blobs: Blobs) -> None:
        kept.uses.update(uses)
        self._blobs.update(blobs)

    def _release(self, kept: _Kept, gone: set[str]) -> None:
        kept.uses -= gone
        for digest in gone:
            if not any(digest in each.uses for each in self._runs.values()):
                del self._blobs[digest]

    def _info(self, kept: _Kept) -> RunInfo:
        owner = "this process" if kept.owned else None
        return RunInfo(new=kept.new, state=kept.state, owner=owner, fetch=self.blob)

    def _kept(self, run_id: str) -> _Kept:
        kept = self._runs.get(run_id)
        if kept is None:
            raise unknown(run_id, self._runs)
        return kept

    def __repr__(self) -> str:
        return "MemoryJournal()"


class _MemorySession(Session):
    def __init__(self, journal: MemoryJournal, kept: _Kept) -> None:
        self._journal = journal
        self._kept = kept
        self._fence = kept.fence
        self.info = journal._info(kept)
        self.entries = as_read(kept.entries, journal.blob)

    def append(self, entries: Sequence[Entry]) -> None:
        kept = self._mine()
        entries, blobs = all_lifted(entries)
        kept.entries += entries
        kept.state = after(kept.state, entries)
        if blobs:
            self._journal._keep(kept, blobs, blobs)

    def set_state(
        self, status: Status, ended: float | None = None, outcome: str = "", waiting: Waiting | None = None
    ) -> None:
        kept = self._mine()
        outcome, blobs = lifted(outcome)
        kept.state = attrs.evolve(kept.state, status=status, ended=ended, outcome=outcome, waiting=waiting)
        self._journal._keep(kept, blobs, blobs)

    def rewrite(self, keep: Sequence[Entry], superseded: Sequence[Entry]) -> None:
        kept = self._mine()
        keep, blobs = all_lifted(keep)
        kept.entries = [*keep]
        kept.history += all_lifted(superseded)[0]
        kept.state = attrs.evolve(kept.state, entries=len(keep), chain=chain_of(keep))
        self._journal._keep(kept, blobs, blobs)
        if kept.uses:
            self._journal._release(kept, kept.uses - references(texts_of([*kept.entries, *kept.history])))

    def forget(self, count: int) -> None:
        kept = self._mine()
        del kept.history[:count]
        if kept.uses:
            self._journal._release(kept, kept.uses - references(texts_of([*kept.entries, *kept.history])))

    def renew(self) -> None:
        self._mine()

    def close(self) -> None:
        if self._kept.fence == self._fence:
            self._kept.owned = False

    def _mine(self) -> _Kept:
        if self._kept.fence != self._fence or not self._kept.owned:
            raise lost(self._kept.new.id)
        return self._kept


class _NoTransaction(Transaction):
    """Nothing else happens meanwhile in this process, so nothing needs to be asked of a database."""

    __slots__ = ()

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        raise JournalError("A journal in memory has no database.")


_NO_TRANSACTION = _NoTransaction()
