"""What a job costs in statements: these are what workers wait for, and what a server is kept busy with."""

from __future__ import annotations

import trio
from postgres import NEEDS_POSTGRES, fresh_journal

from trioflow.jobs import Queue, Worker

from .stores import graph, registry

pytestmark = NEEDS_POSTGRES

JOBS = 20
AROUND = 40
"""Of a worker that begins, looks, and ends: however many jobs it runs."""


def test_a_job_takes_five_statements_at_most(monkeypatch):
    """Its run is made, and ended; the end of the job, what is due, and the next lease are shared by those that end."""
    import psycopg  # noqa: PLC0415 - an extra

    said = []
    execute = psycopg.Connection.execute

    def counted(connection, statement, *arguments, **named):
        said.append(statement)
        return execute(connection, statement, *arguments, **named)

    journal = fresh_journal()
    queue = Queue(journal)

    async def main():
        await queue.put_many(graph(), [{"name": f"job {number}"} for number in range(JOBS)])
        monkeypatch.setattr(psycopg.Connection, "execute", counted)
        await Worker(journal, runs=5, registry=registry(), poll=60.0).run(until_idle=True)

    trio.run(main)
    assert queue.store.counts() == {("default", "done"): JOBS}
    assert len(said) <= 5 * JOBS + AROUND
    journal.close()
