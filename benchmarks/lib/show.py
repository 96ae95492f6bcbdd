"""What people see: progress while it measures, tables afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from rich import progress as bars
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from benchmarks.lib.question import Question, Workload
from benchmarks.lib.results import Results, Summary, duration
from benchmarks.lib.subject import Subject
from trioflow.cli.counted import counted


class Progress:
    """How far it is, on stderr: a bar on a terminal, otherwise a line every now and then."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._bar: bars.Progress | None = None
        self._task: bars.TaskID | None = None
        self._total = 0
        self._said_at = 0.0

    def say(self, text: str, *, passing: bool = False) -> None:
        """A line; one that is only `passing` is for terminals alone."""
        if not passing or self._console.is_terminal:
            self._console.print(text)

    def start(self, total: int) -> None:
        """So many measurements are to come."""
        self._total = total
        if self._console.is_terminal:
            now = bars.TextColumn("{task.description}")
            columns = (bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeElapsedColumn(), now)
            self._bar = bars.Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("", total=total)
            self._bar.start()
        else:
            self.say(f"{total:,} measurements")

    def step(self, done: int, what: str, elapsed: float) -> None:
        """The next measurement begins."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, description=what)
        elif elapsed >= self._said_at:
            self._said_at = elapsed + 30
            self.say(f"{done:,} of {self._total:,} after {elapsed:.0f} s: {what}")

    def end(self) -> None:
        """No more."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()


def show(results: Results, questions: Sequence[Question], subjects: Sequence[Subject]) -> None:
    """A table for each workload, on stdout."""
    console = console_for_tables()
    console.print(machine_line(results))
    for question in questions:
        tables = [table for workload in question.workloads if (table := _table(results, workload, subjects))]
        if tables:
            console.print()
            console.rule(Text(question.asks, "bold"), align="left")
            for table in tables:
                console.print(table)
    for line in missing_lines(results, subjects):
        console.print(line)


def console_for_tables() -> Console:
    """Stdout; not cut to the width of a screen if it goes to a file."""
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200)


def machine_line(results: Results) -> str:
    """Machine, versions and date."""
    machine = results.machine
    state = "" if results.complete else "; interrupted, not complete"
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"Python {machine['python']}; {results.date}; {counted(results.rounds, 'round')}{state}"
    )


def missing_lines(results: Results, subjects: Sequence[Subject]) -> Iterator[str]:
    """Who is not there, and what to do about it."""
    for subject in subjects:
        why = results.cannot.get(subject.key, {}).get("")
        if why is not None:
            yield f"{subject.name} is missing: {why}"


def _table(results: Results, workload: Workload, subjects: Sequence[Subject]) -> Group | None:
    """A row for each subject that did it, and below what the others and the dead have to say."""
    sizes = results.sizes(workload.name)
    if not sizes:
        return None
    per = f", per {workload.per}" if workload.per else ""
    table = Table("")
    for size in sizes:
        table.add_column(f"N = {size:,}", justify="right")
    table.add_column(f"bytes{per}", justify="right")
    notes: dict[str, list[str]] = {}
    for subject in subjects:
        cells = []
        last: tuple[Summary, int] | None = None
        for size in sizes:
            summary = results.of(workload.name, subject.key, size)
            cells.append("" if summary is None else cell(workload, summary, size))
            if summary is not None and summary.died is not None:
                notes.setdefault(f"† {summary.died}", []).append(subject.name)
            elif summary is not None:
                last = summary, size
        if any(cells):
            table.add_row(subject.name, *cells, memory(workload, *last) if last is not None else "")
        elif subject.key in results.versions:
            notes.setdefault(f"- {why_not(results, workload, subject)}", []).append(subject.name)
    lines = [Text(f"  {note}: {', '.join(names)}", "dim") for note, names in sorted(notes.items())]
    return Group(Text(f"\n{workload.name}: {workload.does}{per}"), table, *lines)


def why_not(results: Results, workload: Workload, subject: Subject) -> str:
    """Why a subject that is there has no figure."""
    return results.cannot[subject.key].get(workload.name, "not measured")


def cell(workload: Workload, summary: Summary, size: int) -> str:
    """The median and the spread, or a cross for who died."""
    if summary.died is not None:
        return "†"
    low, high = summary.spread
    spread = f" ±{(high - low) / 2 / summary.median * 100:.0f}%" if len(summary.rounds) > 1 and summary.median else ""
    return duration(workload.scaled(summary.median, size)) + spread


def memory(workload: Workload, summary: Summary, size: int) -> str:
    """Bytes that were added by building and, at most, by running, at the greatest size that was survived."""
    share = size if workload.per else 1
    return f"{summary.memory_built / share:,.0f} + {summary.memory_run / share:,.0f}"
