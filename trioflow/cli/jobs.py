"""`trioflow jobs`: look at jobs, put them back, cancel them, run one."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import click
import trio

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.failure import Failure, say
from trioflow.cli.places import place_option, read_places
from trioflow.cli.secret import read_secrets
from trioflow.cli.source import allow_option, nodes_option, open_registry
from trioflow.cli.stores import duration_option, opened, store_option
from trioflow.durable.codec import decode_failure, parse
from trioflow.formats import visible
from trioflow.jobs import Job, LeaseLost, run_once
from trioflow.jobs.queue import value_of
from trioflow.jobs.records import STATUSES
from trioflow.model.jsonable import to_json


@click.group(epilog="Exit codes: 0 done; 1 the job failed; 2 bad usage or bad input; 4 the store refuses it.")
def jobs() -> None:
    """Look at the jobs of a store, and decide about them."""


@jobs.command("list")
@store_option
@click.option("--queue", metavar="NAME", help="Only those of this queue.")
@click.option("--status", type=click.Choice(STATUSES), help="Only those of this status.")
@click.option("--tenant", metavar="NAME", help="Only those of this tenant.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON array.")
def list_(store: str, queue: str | None, status: str | None, tenant: str | None, limit: int, as_json: bool) -> int:
    """List jobs, the newest first, ended ones included; how many there are of each status goes to stderr."""
    _list(store, queue, status, tenant, limit, as_json)
    return 0


@jobs.command()
@store_option
@click.option("--queue", metavar="NAME", help="Only those of this queue.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON array.")
def dead(store: str, queue: str | None, limit: int, as_json: bool) -> int:
    """List the jobs that were given up, with why: look at them, then `jobs retry` puts them back."""
    _list(store, queue, "dead", None, limit, as_json)
    return 0


@jobs.command()
@click.argument("job_id", metavar="ID")
@store_option
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def show(job_id: str, store: str, as_json: bool) -> int:
    """Show a job, and what its run has come to."""
    with opened(store, make=False) as (journal, kept):
        job = kept.show(job_id)
        told: dict[str, Any] = {**_summary(job), "given": value_of(job) if not job.graph else parse(job.values)}
        try:
            info = journal.show(job_id)
        except tf.RunNotFound:
            told["run"] = None
        else:
            told["run"] = {"status": info.status, "records": info.state.entries, "outcome": _outcome(info)}
    if as_json:
        click.echo(to_json(told))
        return 0
    for name, value in told.items():
        if value is not None and value != "" and name != "run":
            click.echo(visible(f"{name}: {value}"))
    if told["run"] is not None:
        click.echo(visible(f"run: {told['run']['status']}, {told['run']['records']:,} records"))
        if told["run"]["outcome"]:
            click.echo(visible(f"outcome: {told['run']['outcome']}"))
    return 0


@jobs.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@store_option
def retry(job_ids: tuple[str, ...], store: str) -> int:
    """Let jobs that have failed, are dead or were cancelled wait again. What they had done is not done again."""
    return _each(store, job_ids, "put_back", "queued")


@jobs.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@store_option
def cancel(job_ids: tuple[str, ...], store: str) -> int:
    """Cancel jobs that wait; ask the workers of those that run to."""
    return _each(store, job_ids, "cancel", "cancelled")


@jobs.command()
@store_option
@duration_option("--before", required=True, help="Those that ended at least this long ago: 24h, 30d.")
def prune(store: str, before: float) -> int:
    """Remove jobs that have ended. Their runs stay in the journal: `trioflow runs prune` removes those."""
    with opened(store, make=False) as (_, kept):
        click.echo(f"{kept.prune(before):,} removed", err=True)
    return 0


@jobs.command()
@click.argument("job_id", metavar="ID")
@store_option
@nodes_option
@allow_option
@duration_option(
    "--lease", default="30s", show_default=True, help="How long the job stays held after its lease was last renewed."
)
@click.option("--secret", "secrets", metavar="NAME", multiple=True, help="As for `trioflow run`.")
@place_option
@click.option("--json", "as_json", is_flag=True, help="Write its variables as one JSON object.")
def run(
    job_id: str,
    store: str,
    modules: tuple[str, ...],
    allowed: tuple[Literal["scripts"], ...],
    lease: float,
    secrets: tuple[str, ...],
    places: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run one job here, for a timer of systemd, a Job of Kubernetes, or another dispatcher.

    It may be called any number of times: one of them runs the job, and once that is done, all say so.
    """
    registry, known = open_registry(modules, allowed=allowed), read_secrets(secrets)
    services = read_places(places)
    with opened(store, make=False) as (journal, kept):
        kept.show(job_id)
        try:
            result = trio.run(
                lambda: run_once(journal, job_id, registry=registry, secrets=known, services=services, lease=lease),
                strict_exception_groups=True,
            )
        except LeaseLost as error:
            click.echo(f"error: {error}", err=True)
            return 4
        except tf.JournalError:
            raise
        except Exception as error:
            for line in Failure(error).lines():
                click.echo(line, err=True)
            return 1
    click.echo(to_json(result.variables) if as_json else f"job {job_id} is done", err=not as_json)
    return 0


# --- inside -----------------------------------------------------------------------------------------------------------


def _list(store: str, queue: str | None, status: str | None, tenant: str | None, limit: int, as_json: bool) -> None:
    with opened(store, make=False) as (_, kept):
        found = kept.jobs(queue=queue, status=status, tenant=tenant, limit=limit)
        counts = kept.counts()
    if as_json:
        click.echo(to_json([_summary(job) for job in found]))
        return
    for job in found:
        click.echo(visible(_line(job)))
    totals = {each: sum(count for (_, of), count in counts.items() if of == each) for each in STATUSES}
    click.echo(", ".join(f"{count:,} {each}" for each, count in totals.items() if count) or "no jobs", err=True)


def _each(store: str, job_ids: tuple[str, ...], method: str, wanted: str) -> int:
    refused: list[str] = []
    with opened(store, make=False) as (_, kept):
        for job_id in job_ids:
            job: Job = getattr(kept, method)(job_id)
            if job.status == wanted or (job.cancelling and wanted == "cancelled"):
                click.echo(
                    f"{job_id}: {'its worker is asked to cancel it' if job.cancelling else job.status}", err=True
                )
            else:
                refused.append(f"{job_id}: it is {job.status}, so it can't be {_CAN[wanted]}.")
    if refused:
        raise BadInput(*refused)
    return 0


_CAN = {"queued": "put back: only what has failed, is dead or was cancelled can", "cancelled": "cancelled"}


def _line(job: Job) -> str:
    parts = [job.id, job.status, job.queue, _when(job.created)]
    if job.priority != "normal":
        parts.append(job.priority)
    if job.tenant:
        parts.append(f"of {job.tenant}")
    if job.attempts > 1 or job.status in {"failed", "dead"}:
        parts.append(f"attempt {job.attempts} of {job.most}")
    if job.status == "leased":
        parts.append(f"at {job.worker}")
    if job.reason:
        parts.append(job.reason)
    return "  ".join(parts)


def _summary(job: Job) -> dict[str, Any]:
    times = {name: None if (at := getattr(job, name)) is None else _when(at) for name in ("due", "created", "ended")}
    return {**job.as_json(), **times}


def _outcome(info: tf.RunInfo) -> Any:
    said = parse(info.state.outcome) if info.state.outcome else {}
    if "e" in said:
        return say(decode_failure(said["e"]))
    return said.get("v")


def _when(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")
