"""The journal as the worker that holds a job sees it: its lease is the right to the run, and there is no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trioflow.durable.around import JournalAround, SessionAround
from trioflow.durable.deeds import deed

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.durable.port import Session
    from trioflow.durable.records import NewRun
    from trioflow.model.durability import Transaction


class ClaimedJournal(JournalAround):
    """The runs of another journal, taken by the leases of their jobs.

    `may` is asked in the transaction that takes the run. Leases of runs are renewed with those of jobs, all in one
    statement, so a session does not do it.
    """

    def __init__(self, journal: Journal, may: Callable[[Transaction], None]) -> None:
        super().__init__(journal)
        self._may = may

    def take(self, run_id: str, new: NewRun | None = None) -> Session:
        assert new is not None
        return _ClaimedSession(self._journal.take_over(run_id, new, self._may, deed("started", self.by)))


class _ClaimedSession(SessionAround):
    def renew(self) -> None:
        pass  # the worker does it for all of its runs
