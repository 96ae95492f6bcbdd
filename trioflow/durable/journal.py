"""A journal as the rest of the program sees it: a store of runs that `journal=` of a run may be."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from trioflow.durable import running
from trioflow.durable.port import Store
from trioflow.runtime.host.given import Keeper

if TYPE_CHECKING:
    from trioflow.runtime.base.options import RunResult
    from trioflow.runtime.host.given import Given
    from trioflow.runtime.host.run import Run
    from trioflow.semantics.plan import Plan


class Journal(Store, Keeper):
    """Where runs are kept, so that they can be resumed after the death of their process (J1).

    `MemoryJournal`, `FileJournal` and `SqliteJournal` are journals. The methods of a `Store` look at runs; they may
    block, so in programs with other tasks call them in threads.
    """

    async def run(self, plan: Plan, given: Given) -> RunResult:
        return await running.run(self, plan, given)

    def open_run(self, plan: Plan, given: Given) -> AbstractAsyncContextManager[Run]:
        return running.open_run(self, plan, given)
