"""`trioflow submit`: put a job into a queue, for workers to run."""

from __future__ import annotations

import click
import trio

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.foreign import Foreign
from trioflow.cli.source import SCRIPTS, graph_argument, open_source
from trioflow.cli.stores import PRIORITY, duration_option, opened, store_option
from trioflow.cli.values import read_settings
from trioflow.jobs import Queue
from trioflow.jobs.records import ATTEMPTS, LIMIT
from trioflow.model.jsonable import to_json
from trioflow.model.policy import Priority


@click.command(epilog="Exit codes: 0 it is kept; 2 bad usage, bad input or an invalid graph; 4 the store refuses it.")
@graph_argument
@store_option
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="As for `trioflow run`.")
@click.option("--queue", default="default", show_default=True, metavar="NAME", help="The queue to put it in.")
@click.option("--priority", type=PRIORITY, default="normal", show_default=True, help="Higher ones are run first.")
@click.option("--tenant", default="", metavar="NAME", help="Whose job it is: tenants take turns.")
@click.option(
    "--key", metavar="KEY", help="If the queue already has a job with this key, that is the job, and no other is put."
)
@click.option("--id", "job_id", metavar="ID", help="The name of the job and its run, which is made up otherwise.")
@duration_option("--not-before", default="0s", help="Run it no earlier than this long from now: 30s, 5m, 24h.")
@click.option(
    "--attempts",
    type=click.IntRange(min=1),
    default=ATTEMPTS,
    show_default=True,
    help="How many times it may be begun.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=LIMIT,
    show_default=True,
    help="Refuse it if this many jobs wait in its queue.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the job as one JSON object, instead of its id.")
def submit(
    graph: str,
    modules: tuple[str, ...],
    store: str,
    settings: tuple[str, ...],
    queue: str,
    priority: Priority,
    tenant: str,
    key: str | None,
    job_id: str | None,
    not_before: float,
    attempts: int,
    limit: int,
    as_json: bool,
    foreign: Foreign,
) -> int:
    """Put a job: GRAPH, to be run by a worker. Its id goes to stdout.

    The job holds the graph with those in files that it calls; node types are the workers' own, and --nodes is for
    checking the graph and reading values here.

    \b
    trioflow submit census --set root=/data --journal jobs.db
    trioflow submit order.json --set number=7 --key order-7 --priority high --journal postgres://me@host/jobs
    """
    source = open_source(graph, modules, SCRIPTS, foreign)
    variables = read_settings(source.graph, settings)
    source.plan()
    source.tell_import()

    async def put(journal: tf.Journal) -> tf.jobs.Job:
        return await Queue(journal, queue, limit=limit).put(
            source.graph,
            variables,
            key=key,
            id=job_id,
            priority=priority,
            tenant=tenant,
            not_before=not_before,
            attempts=attempts,
            wait=False,
        )

    if not queue:
        raise BadInput("--queue: a queue needs a name.")
    with opened(store) as (journal, _):
        job = trio.run(put, journal)
    click.echo(to_json(job.as_json()) if as_json else job.id)
    return 0
