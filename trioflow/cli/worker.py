"""`trioflow worker`: run jobs until told to stop."""

from __future__ import annotations

import datetime
from typing import Literal

import click
import trio

from trioflow.cli.bad_input import BadInput
from trioflow.cli.interrupt import on_interrupt
from trioflow.cli.places import place_option, read_places
from trioflow.cli.secret import read_secrets
from trioflow.cli.source import allow_option, nodes_option, open_registry
from trioflow.cli.stores import PRIORITY, duration_option, opened, store_option
from trioflow.formats import visible
from trioflow.jobs import Worker
from trioflow.model.policy import Priority


@click.command(epilog="Exit codes: 0 stopped; 2 bad usage or bad input; 4 the store can't be used at the start.")
@store_option
@nodes_option
@allow_option
@click.option("--queue", "queues", metavar="NAME", multiple=True, help="A queue to serve. May be repeated.")
@click.option(
    "--runs", type=click.IntRange(min=1), default=10, show_default=True, help="How many jobs to run at a time."
)
@duration_option(
    "--lease", default="30s", show_default=True, help="How long a job stays held after its lease was last renewed."
)
@duration_option(
    "--drain", default="0s", show_default=True, help="How long running jobs may take to end once it is stopped."
)
@click.option("--quota", "quotas", metavar="[TENANT=]N", multiple=True, help="Run N jobs of one tenant at a time.")
@click.option("--steal", type=click.IntRange(min=0), default=0, help="When idle, take N jobs of full workers.")
@click.option("--steal-from", type=PRIORITY, default="low", show_default=True, help="None below this priority.")
@click.option(
    "--changed", is_flag=True, help="Also resume runs that were begun when the code of their nodes was different."
)
@click.option("--until-idle", is_flag=True, help="End once no job waits that could be run now.")
@click.option("--secret", "secrets", metavar="NAME", multiple=True, help="As for `trioflow run`.")
@place_option
@click.option("--name", metavar="NAME", help="What to call this worker.")
def worker(
    store: str,
    modules: tuple[str, ...],
    allowed: tuple[Literal["scripts"], ...],
    queues: tuple[str, ...],
    runs: int,
    lease: float,
    drain: float,
    quotas: tuple[str, ...],
    steal: int,
    steal_from: Priority,
    changed: bool,
    until_idle: bool,
    secrets: tuple[str, ...],
    places: tuple[str, ...],
    name: str | None,
) -> int:
    """Run the jobs of a store, many at a time, until Ctrl-C or SIGTERM. What happens goes to stderr, a line each.

    The first signal stops it: jobs that run are put away as far as they have come, and handed back for another worker
    to resume. A second one kills it at once, which loses nothing either.

    \b
    trioflow worker --journal jobs.db
    trioflow worker --journal postgres://me@host/jobs --queue etl --runs 50 --nodes my_nodes
    """
    if not lease > 0:
        raise BadInput("--lease: a lease must last for more than 0 s.")
    quota, of_tenants = _read_quotas(quotas)
    registry = open_registry(modules, allowed=allowed)
    known, services = read_secrets(secrets), read_places(places)
    with opened(store) as (journal, _):
        made = Worker(
            journal,
            queues or ("default",),
            runs=runs,
            lease=lease,
            name=name,
            quota=quota,
            quotas=of_tenants,
            steal=steal,
            steal_from=steal_from,
            changed=changed,
            registry=registry,
            secrets=known,
            services=services,
            tell=tell,
        )
        trio.run(_work, made, drain, until_idle)
    return 0


async def _work(made: Worker, drain: float, until_idle: bool) -> None:
    def stop() -> None:
        tell("stopping; once more kills at once")
        made.stop()

    with on_interrupt(stop, lambda: None):
        await made.run(drain=drain, until_idle=until_idle)


def tell(line: str) -> None:
    """Write a line to stderr, with the time."""
    now = datetime.datetime.now().astimezone().strftime("%H:%M:%S")
    click.echo(visible(f"{now} {line}"), err=True)


def _read_quotas(words: tuple[str, ...]) -> tuple[int | None, dict[str, int]]:
    quota, of_tenants = None, dict[str, int]()
    for word in words:
        tenant, equals, number = word.rpartition("=")
        if not number.isdecimal() or number == "0":
            raise BadInput(f"--quota {word}: write a number of jobs, N or TENANT=N.")
        if equals:
            of_tenants[tenant] = int(number)
        else:
            quota = int(number)
    return quota, of_tenants
