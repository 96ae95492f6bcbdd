"""What tells a worker that there may be a job: looking again is the truth, and notifications of a server only hurry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from trioflow.durable.postgres import PostgresJournal
from trioflow.errors import JournalUnusable

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal


class Waker:
    """Wakes whoever waits once PostgreSQL tells that a job was put; with other journals there is nothing to hear of."""

    def __init__(self, journal: Journal, poll: float) -> None:
        self._journal = journal if isinstance(journal, PostgresJournal) else None
        self._poll = poll
        self._heard = trio.Event()
        self.seen = 0

    async def run(self, task_status: trio.TaskStatus[Waker]) -> None:
        """Listen until cancelled. What goes wrong with that is no failure: workers look by themselves."""
        task_status.started(self)
        if self._journal is None:
            return
        while True:
            try:
                connection = await trio.to_thread.run_sync(self._connect, abandon_on_cancel=True)
            except Exception:
                await trio.sleep(self._poll)
                continue
            try:
                while await trio.to_thread.run_sync(_listen, connection, self._poll, abandon_on_cancel=True):
                    self.seen += 1
                    self._heard.set()
                    self._heard = trio.Event()
            except Exception:
                await trio.sleep(self._poll)
            finally:
                connection.close()

    async def wait(self, seen: int, *others: trio.Event) -> None:
        """Until something was heard after that, or one of these events is set."""
        if self.seen != seen:
            return
        async with trio.open_nursery() as nursery:

            async def end_with(event: trio.Event) -> None:
                await event.wait()
                nursery.cancel_scope.cancel()

            for each in (self._heard, *others):
                nursery.start_soon(end_with, each)

    def _connect(self) -> Any:
        assert self._journal is not None
        try:
            connection = self._journal.server.connect()
        except JournalUnusable as error:
            raise ConnectionError(str(error)) from error
        connection.execute("listen trioflow_job")
        return connection


def _listen(connection: Any, seconds: float) -> bool:
    """Whether the connection still does, after something was heard or some time has passed."""
    for _ in connection.notifies(timeout=seconds, stop_after=1):
        pass
    return not connection.closed
