"""What the commands about journals share: the option, the file, and what they say of a run that is resumed."""

from __future__ import annotations

import getpass
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import trio

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.counted import counted
from trioflow.cli.display import Display
from trioflow.durable.events import RunContinued
from trioflow.durable.executing import JournalledRun
from trioflow.formats import visible

_LOOK_EVERY = 0.2
"""Seconds between two looks at which signals a run waits for."""

F = TypeVar("F", bound=Callable[..., Any])


class NotContinued(click.ClickException):
    """A run that can't be kept, or resumed; it stays as it was."""

    exit_code = 4

    def show(self, file: object = None) -> None:
        """Write it to stderr."""
        click.echo(f"error: {self.message}", err=True)


def journal_option(function: F) -> F:
    """The option `--journal`, also called `--store`."""
    return click.option(
        "--journal",
        "--store",
        "journal",
        metavar="JOURNAL",
        help="Where runs are kept: a SQLite file, which is made if it is not there; a folder, for text files; or the "
        "address of a PostgreSQL database, postgres://USER@HOST/DATABASE.",
    )(function)


def suspend_option(function: F) -> F:
    """The option `--suspend-after`."""
    return click.option(
        "--suspend-after",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Put the run away once everything in it has waited for timers and signals for this long: exit code 3. "
        "`trioflow runs resume --due` resumes it.",
    )(function)


def by_option(function: F) -> F:
    """The option `--by`."""
    return click.option(
        "--by",
        metavar="WHO",
        help="Who does this, for `runs show --audit`; the user of the system if nobody is named.",
    )(function)


def user() -> str | None:
    """Whom the system says that this is."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def open_journal(name: str, by: str | None = None) -> tf.Journal:
    """The journal of that name: a folder of files if it is one, or ends with a slash; a database if it is an address.

    `by`: who uses it. Raises `BadInput` for an address that can't be read, or without the package for it.
    """
    if name.startswith(("postgres://", "postgresql://")):
        try:
            journal: tf.Journal = tf.PostgresJournal(name)
        except (ValueError, tf.MissingExtra) as error:
            raise BadInput(f"--journal: {error}") from error
    else:
        path = Path(name)
        journal = tf.FileJournal(path) if path.is_dir() or name.endswith("/") else tf.SqliteJournal(path)
    journal.by = by or user()
    return journal


def tell_begun(run: tf.Run, display: Display) -> None:
    """Say whether the run is resumed."""
    if not isinstance(run, JournalledRun):
        return
    if run.ended_before is not None:
        cure = "; `trioflow runs resume --retry` tries again what failed" if run.ended_before.status == "failed" else ""
        display.line(f"run {run.run_id!r} has {run.ended_before.status} already: nothing is run again{cure}")
    elif run.is_replaying:
        entries = run.recorder.session.info.state.entries
        display.line(f"resuming run {run.run_id!r}: replaying {counted(entries, 'record')}")


async def tell_signals(run: tf.Run, display: Display) -> None:
    """Say which signals the run waits for, and how each is sent, once for each name. Until it is cancelled."""
    if not isinstance(run, JournalledRun):
        return
    journal = run.recorder.store
    option = "JOURNAL"  # the address of a database may have a password in it
    if isinstance(journal, tf.SqliteJournal):
        option = shlex.quote(str(journal.path))
    elif isinstance(journal, tf.FileJournal):
        option = shlex.quote(str(journal.folder))
    told: set[str] = set()
    while True:
        await trio.sleep(_LOOK_EVERY)
        for name in {name for _, name in run.recorder.waits.signals} - told:
            told.add(name)
            command = f"trioflow runs signal {shlex.quote(run.run_id)} {shlex.quote(name)} --payload JSON"
            display.line(visible(f"waiting for the signal {name!r}; to send it: {command} --journal {option}"))


class Continued:
    """An observer: says when the replay is over."""

    def __init__(self, display: Display) -> None:
        self._display = display

    def __call__(self, event: tf.events.Event) -> None:
        if isinstance(event, RunContinued):
            replayed = counted(event.replayed, "record")
            self._display.line(f"replayed {replayed} of {event.after:,} in {event.time:.2f} s; what follows is new")
