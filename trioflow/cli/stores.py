"""What the commands about jobs share: the store, durations, and what a store refuses."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.kept import NotContinued, open_journal
from trioflow.jobs import JobNotFound, QueueFull
from trioflow.jobs.store import JobStore, jobs_of
from trioflow.model.durability import seconds_of

F = TypeVar("F", bound=Callable[..., Any])


PRIORITY = click.Choice(["low", "normal", "high", "critical"])


def duration_option(*names: str, **settings: Any) -> Callable[[F], F]:
    """An option whose value is a duration: `2s`, `5m`, `24h`, `PT90S`. The command gets seconds."""

    def read(ctx: click.Context, param: click.Parameter, value: str) -> float:
        try:
            return seconds_of(value)
        except ValueError as error:
            raise BadInput(f"{names[0]}: {error}.") from error

    return click.option(*names, metavar="DURATION", callback=read, **settings)


def store_option(function: F) -> F:
    """The option `--journal`, also called `--store`, which must be given."""
    return click.option(
        "--journal",
        "--store",
        "store",
        required=True,
        metavar="JOURNAL",
        help="Where jobs and their runs are kept: a SQLite file, which is made if it is not there, or the address of a "
        "PostgreSQL database, postgres://USER@HOST/DATABASE.",
    )(function)


@contextmanager
def opened(name: str, *, make: bool = True) -> Generator[tuple[tf.Journal, JobStore]]:
    """The journal of that name and the jobs in it. What they refuse is told as an error of the command.

    `make`: a file that is not there is made.
    """
    journal: tf.Journal | None = None
    try:
        journal = open_journal(name)
        if not make and isinstance(journal, tf.SqliteJournal) and not journal.path.exists():
            raise NotContinued(f"There is no journal {name}. Name the file that the jobs are kept in.")
        yield journal, jobs_of(journal)
    except (JobNotFound, tf.RunNotFound) as error:
        raise BadInput(str(error)) from error
    except (tf.JournalError, QueueFull) as error:
        raise NotContinued(str(error)) from error
    finally:
        if isinstance(journal, tf.PostgresJournal):
            journal.close()
