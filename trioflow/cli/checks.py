"""Checks of a port on the command line: how far they are, what they found, and what that means for the exit code."""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import attrs
import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from trioflow.cli.bad_input import BadInput, document_lines
from trioflow.cli.counted import counted
from trioflow.cli.display import PROGRESS_EVERY
from trioflow.conformance.diagnosis import Suspect, by_suspicion, suspects
from trioflow.conformance.findings import (
    NO_RULE,
    Finding,
    Tally,
    junit,
    read_baseline,
    save_failures,
    tallies,
    with_baseline,
)
from trioflow.conformance.judge import judge, judge_trace, requests, valid
from trioflow.conformance.port import PortFailure
from trioflow.conformance.shipped import PACKAGED
from trioflow.conformance.situations import FLOORS, situations
from trioflow.conformance.suite import Progress as ShowsProgress
from trioflow.conformance.suite import Random, Suite
from trioflow.conformance.vectors import Vector, load_vectors
from trioflow.conformance.workers import Checker, OpenPort, Workers
from trioflow.conformance.workflows import judge_workflow, workflow_number
from trioflow.errors import DocumentError, did_you_mean
from trioflow.formats import visible

INTERRUPTED = 130
_MOST_FAILURES = 10
_MOST_SUSPECTS = 4
_STYLES = {"passed": "green", "failed": "bold red", "known": "yellow", "skipped": "dim"}


@attrs.frozen
class Settings:
    """What the options say."""

    seed: int | None
    examples: int
    level: int
    rules: tuple[str, ...]
    vectors: Path | None
    save_failures: Path | None
    baseline: Path | None
    junit: Path | None
    jobs: int
    all: bool


def check(
    open_port: OpenPort,
    settings: Settings,
    further: Callable[[Sequence[Vector]], Callable[[ShowsProgress, Checker], Iterable[Finding]]] | None = None,
) -> int:
    """Check a port, say on stdout what was found, and give the exit code. Raises `BadInput`.

    `further` gives what else is to be checked with the vectors, unless only some rules are asked about. With several
    jobs each process opens a port for itself, so `open_port` must be such that it can be pickled.
    """
    vectors = _vectors(settings)
    known = _baseline(settings.baseline)
    _look_at_place(settings.junit)
    seed = settings.seed if settings.seed is not None else secrets.randbelow(1 << 32)
    interrupted = False
    with _display() as display:
        try:
            display.show("starting the port", 0, 1, 0)
            with open_port() as port:
                suite = Suite(
                    port, vectors, _random(settings, seed), settings.level, display, models=not settings.rules
                )
                if further is not None and not settings.rules:
                    suite.further = further(vectors)
                try:
                    with _workers(open_port, settings.jobs) as workers:
                        suite.checker = workers or suite.checker
                        suite.run()
                except KeyboardInterrupt:
                    interrupted = True
                name, found = port.name, suite.findings
        except PortFailure as failure:
            if failure.fault == "not-started":
                raise BadInput(str(failure)) from failure
            name, found = "port", [Finding("port: start", (), 0, "failed", str(failure))]
    narrowed = interrupted or bool(settings.rules) or settings.level < 3 or settings.vectors is not None
    found = with_baseline(found, known, all_ran=not narrowed)
    _report(name, found, {vector.name for vector in vectors}, seed, settings, interrupted=interrupted)
    _write(found, name, settings)
    if interrupted:
        return INTERRUPTED
    return 1 if any(finding.outcome == "failed" for finding in found) else 0


def _workers(open_port: OpenPort, jobs: int) -> AbstractContextManager[Workers | None]:
    return Workers(open_port, jobs) if jobs > 1 else nullcontext()


def _random(settings: Settings, seed: int) -> Random | None:
    """Where random requests come from, and who judges the answers; none if only some rules are asked about."""
    if settings.rules:
        return None
    return Random(
        requests, judge, judge_trace, valid, seed, settings.examples,
        workflows=workflow_number, judge_workflow=judge_workflow, situations=situations, floors=FLOORS,
    )  # fmt: skip


# --- what is given ---------------------------------------------------------------------------------------------------


def _vectors(settings: Settings) -> list[Vector]:
    try:
        found = load_vectors(settings.vectors or PACKAGED)
    except DocumentError as error:
        raise BadInput(*document_lines(error)) from error
    known = {rule for vector in found for rule in vector.rules}
    unknown = [rule for rule in settings.rules if rule not in known]
    if unknown:
        raise BadInput(
            *(f"--rule {rule}: no vector is about this rule.{did_you_mean(rule, known)}" for rule in unknown)
        )
    return [
        vector
        for vector in found
        if vector.level <= settings.level and (not settings.rules or not {*settings.rules}.isdisjoint(vector.rules))
    ]


def _baseline(path: Path | None) -> tuple[str, ...]:
    try:
        return read_baseline(path.read_text(encoding="utf-8")) if path is not None else ()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--baseline {path}: it can't be read: {_reason(error)}.") from error


# --- how far it is ---------------------------------------------------------------------------------------------------


class _Lines:
    """Says every other second how far the checks are."""

    def __init__(self) -> None:
        self._said = time.monotonic()
        self._rate = _Rate()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, what: str, done: int, total: int, failed: int) -> None:
        """Write a line, unless the last one was written just now."""
        rate = self._rate.of(what, done)
        if time.monotonic() - self._said >= PROGRESS_EVERY:
            self._said = time.monotonic()
            sys.stderr.write(f"{visible(what)}: {done:,} of {total:,}{rate}{_failures(failed)}\n")
            sys.stderr.flush()


class _Bar:
    """Draws on a terminal how far the checks are."""

    def __init__(self, console: Console) -> None:
        self._rate = _Rate()
        self._task: TaskID | None = None
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[failed]}", style="bold red", markup=False),
            console=console,
            transient=True,
        )

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, what: str, done: int, total: int, failed: int) -> None:
        """Keep what is drawn up to date; a thread of the progress display draws it ten times a second."""
        rate = self._rate.of(what, done)
        if self._task is None:
            self._task = self._progress.add_task(what, rate="", failed="")
        self._progress.update(
            self._task, description=visible(what), completed=done, total=total, rate=rate, failed=_failures(failed)
        )


class _Rate:
    """How many examples a second a campaign makes."""

    def __init__(self) -> None:
        self._what = ""
        self._started = 0.0

    def of(self, what: str, done: int) -> str:
        """The rate since the first call for the same campaign; nothing for other checks."""
        if what != self._what:
            self._what, self._started = what, time.monotonic()
        passed = time.monotonic() - self._started
        return f", {done / passed:,.0f}/s" if what.startswith("campaign") and passed > 0.1 else ""


def _failures(count: int) -> str:
    return f", {count:,} failed" if count else ""


def _display() -> _Bar | _Lines:
    console = Console(stderr=True, highlight=False)
    return _Bar(console) if console.is_terminal and not console.is_dumb_terminal else _Lines()


# --- what was found --------------------------------------------------------------------------------------------------


def _report(
    name: str, found: Sequence[Finding], vectors: Collection[str], seed: int, settings: Settings, *, interrupted: bool
) -> None:
    """A diagnosis, failures in its order, the counts by rule and level, then one line about all."""
    failures = [finding for finding in found if finding.outcome == "failed"]
    diagnosis = suspects(found, vectors) if failures else []
    _diagnose(diagnosis)
    shown = failures if settings.all else failures[:_MOST_FAILURES]
    for finding in by_suspicion(failures, diagnosis)[: len(shown)]:
        click.echo(f"{finding.line()}\n")
    if len(failures) > len(shown):
        click.echo(f"and {len(failures) - len(shown):,} more failures; --all shows them, and --junit writes all\n")
    table = _table(found, failed_only=not settings.all)
    if table.row_count:
        Console(highlight=False).print(table)
    total = Tally()
    for finding in found:
        total.add(finding.outcome)
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in attrs.asdict(total).items() if count)
    click.echo(
        f"{visible(name)}: {'interrupted: ' if interrupted else ''}{counts or 'nothing was checked'}; seed {seed}"
    )


def _diagnose(found: Sequence[Suspect]) -> None:
    """Say which rule to look at first, with the smallest vector that shows it."""
    if not found:
        return
    first, *others = found[:_MOST_SUSPECTS]
    click.echo(f"diagnosis: look at rule {first.rule} first: {_share(first)}, from level {first.level} on.")
    click.echo(f"  the smallest: {visible(first.smallest.name)}: {first.smallest.message.partition(chr(10))[0]}")
    if others:
        click.echo(f"  then at {', '.join(f'{each.rule} ({_share(each)})' for each in others)}")
    click.echo()


def _share(suspect: Suspect) -> str:
    return f"{suspect.failed:,} of its {counted(suspect.checked, 'check')} failed"


def _table(found: Sequence[Finding], *, failed_only: bool) -> Table:
    counts = tallies(found)
    if failed_only:
        red = {rule for (rule, _), tally in counts.items() if tally.failed}
        counts = {key: tally for key, tally in counts.items() if key[0] in red}
    levels = sorted({level for _, level in counts})
    table = Table("rule", *(f"L{level}" for level in levels))
    for rule in dict.fromkeys(rule for rule, _ in counts):
        shown = "no rule" if rule == NO_RULE else rule
        table.add_row(shown, *(_cell(counts.get((rule, level), Tally())) for level in levels))
    return table


def _cell(tally: Tally) -> Text:
    parts = [Text(f"{count:,} {outcome}", _STYLES[outcome]) for outcome, count in attrs.asdict(tally).items() if count]
    return Text(", ").join(parts)


def _look_at_place(path: Path | None) -> None:
    """That a report has no place to go to is told before the work, not after it."""
    if path is not None:
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise BadInput(f"--junit {path}: it can't be written: {_reason(error)}.") from error


def _write(found: Sequence[Finding], name: str, settings: Settings) -> None:
    try:
        if settings.save_failures is not None:
            for path in save_failures(found, settings.save_failures):
                click.echo(f"wrote {path}")
        if settings.junit is not None:
            settings.junit.write_text(junit(found, name), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{error.filename}: it can't be written: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
