"""`trioflow bench`, once a checkout and what it needs have been found."""

from __future__ import annotations

import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.lib import page, picture, results, show, targets
from benchmarks.lib.process import ROOT
from benchmarks.lib.question import HUNDRED, THOUSAND, Question
from benchmarks.lib.results import Results
from benchmarks.lib.session import Wanted, measure
from benchmarks.lib.subject import SUBJECTS, Subject
from benchmarks.questions import QUESTIONS
from trioflow.cli.counted import counted
from trioflow.errors import did_you_mean

INTERRUPTED = 130
FILE = "results.json"
_QUICK_SIZES = (HUNDRED, THOUSAND)
_QUICK_LIMIT = 5.0


class Unusable(Exception):
    """What was asked for does not exist, or can't be read."""


@dataclass(frozen=True)
class Order:
    """What the command line says."""

    questions: Sequence[str]
    subjects: Sequence[str]
    sizes: str | None
    rounds: int
    limit: float | None
    quick: bool
    out: str
    targets: bool
    source: str | None
    page: bool


def bench(order: Order) -> int:
    """Measure and show, or only show; returns the exit code. Raises `Unusable` before anything is measured."""
    if "list" in (*order.questions, *order.subjects):
        _list(order)
        return 0
    questions = [_named(each, QUESTIONS, "question") for each in order.questions] or list(QUESTIONS)
    subjects = [_named(each, SUBJECTS, "subject") for each in order.subjects] or list(SUBJECTS)
    if order.source is not None:
        found = _read(Path(order.source))
        _show(found, order, questions, subjects)
        return 0
    out = Path(order.out)
    _make_folder(out)
    with _terminated_like_interrupted(), show.Progress() as progress:
        found = measure(_wanted(order, questions, subjects), progress, lambda found: results.save(found, out / FILE))
        pictures = picture.draw(found, questions, subjects, out)
    _show(found, order, questions, subjects)
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"{counted(len(found.measurements), 'measurement')} in {out / FILE}, "
        f"{counted(len(pictures), 'picture')} beside it"
    )
    return 0 if found.complete else INTERRUPTED


@contextmanager
def _terminated_like_interrupted() -> Generator[None]:
    """SIGTERM too keeps what was measured, and ends the process that measures."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wanted(order: Order, questions: Sequence[Question], subjects: Sequence[Subject]) -> Wanted:
    if order.targets and not order.questions:
        questions = targets.questions()
    return Wanted(
        questions=questions,
        subjects=subjects,
        sizes=_sizes(order.sizes) if order.sizes is not None else _QUICK_SIZES if order.quick else None,
        rounds=1 if order.quick else order.rounds,
        limit=order.limit if order.limit is not None else _QUICK_LIMIT if order.quick else None,
    )


def _show(found: Results, order: Order, questions: Sequence[Question], subjects: Sequence[Subject]) -> None:
    if order.targets:
        targets.show(found, subjects)
    else:
        show.show(found, questions, subjects)
    if order.page:
        source = Path(order.source) if order.source is not None else Path(order.out) / FILE
        try:
            page.write(found, source, ROOT / "docs" / "speed.md")
        except page.NoPlace as error:
            raise Unusable(f"--page: {error}") from error


def _named(name: str, known: Sequence[Any], what: str) -> Any:
    """The one of that name. Raises `Unusable` with the nearest name there is."""
    names = {(each.key if isinstance(each, Subject) else each.name): each for each in known}
    if name not in names:
        raise Unusable(f"there is no {what} {name!r}.{did_you_mean(name, names)} There are: {', '.join(names)}.")
    return names[name]


def _list(order: Order) -> None:
    if "list" in order.questions:
        for question in QUESTIONS:
            print(f"{question.name:<12} {question.asks}")
            for workload in question.workloads:
                print(f"  {workload.name:<18} {workload.does}")
    if "list" in order.subjects:
        for subject in SUBJECTS:
            print(f"{subject.key:<16} {subject.name}")


def _sizes(text: str) -> list[int]:
    try:
        sizes = sorted({int(each.replace("_", "")) for each in text.split(",")})
    except ValueError:
        sizes = [0]
    if sizes[0] < 1:
        raise Unusable(f"--sizes: expected whole numbers above zero with commas between them, not {text!r}.")
    return sizes


def _read(path: Path) -> Results:
    try:
        return results.read(path)
    except OSError as error:
        raise Unusable(f"--from {path}: it can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable(f"--from {path}: expected the {FILE} that a measurement wrote, and this is none.") from error


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unusable(f"--out {path}: it can't be made a folder: {error.strerror}.") from error
