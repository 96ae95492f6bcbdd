"""A session: every measurement that was asked for, round after round, the subjects taking turns."""

from __future__ import annotations

import importlib.metadata
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.lib.process import ask, fetch_node_packages
from benchmarks.lib.question import Question, Workload
from benchmarks.lib.results import Measurement, Results, new
from benchmarks.lib.show import Progress
from benchmarks.lib.subject import Subject

_DESCRIBE_LIMIT = 60.0
_KEEP_EVERY = 2.0


@dataclass(frozen=True)
class Wanted:
    """What to measure. `sizes` and `limit`, if given, replace those of the workloads."""

    questions: Sequence[Question]
    subjects: Sequence[Subject]
    sizes: Sequence[int] | None
    rounds: int
    limit: float | None

    def sizes_of(self, workload: Workload) -> Sequence[int]:
        """The sizes at which to measure a workload; one that knows only its own is measured at the first."""
        if self.sizes is None:
            return workload.sizes
        return self.sizes if len(workload.sizes) > 1 else workload.sizes


def measure(wanted: Wanted, progress: Progress, keep: Callable[[Results], None]) -> Results:
    """Measure what is wanted. Ctrl-C ends it early: the results then hold what was measured and are not complete.

    `keep` is called with the results so far every now and then, and at the end.
    """
    results = new()
    results.rounds = wanted.rounds
    try:
        present = describe(wanted.subjects, results, progress)
        _measure(wanted, present, results, progress, keep)
        results.complete = True
    except KeyboardInterrupt:
        progress.end()
        progress.say("interrupted: what was measured is kept")
    keep(results)
    return results


def describe(subjects: Sequence[Subject], results: Results, progress: Progress) -> dict[Subject, set[str]]:
    """Find out who is there and what they can do."""
    present: dict[Subject, set[str]] = {}
    missing_node = None
    if any(subject.language == "node" for subject in subjects):
        missing_node = fetch_node_packages(progress.say)
    for subject in subjects:
        progress.say(f"looking for {subject.name}", passing=True)
        answer = {"missing": missing_node} if subject.language == "node" and missing_node else None
        answer = answer or ask(subject, "describe", limit=_DESCRIBE_LIMIT)
        why = answer.get("missing") or answer.get("died")
        if why is not None:
            results.cannot[subject.key] = {"": f"{why}; to measure it: {subject.install}"}
            progress.say(f"{subject.name} is missing: {results.cannot[subject.key]['']}")
            continue
        present[subject] = set(answer["can"])
        results.cannot[subject.key] = answer["cannot"]
        results.versions[subject.key] = answer["version"]
    results.versions.setdefault("by_hand", importlib.metadata.version("trio"))
    return present


def _measure(
    wanted: Wanted,
    present: dict[Subject, set[str]],
    results: Results,
    progress: Progress,
    keep: Callable[[Results], None],
) -> None:
    plan = [
        (round_, workload, size, subject)
        for round_ in range(wanted.rounds)
        for workload, size in _steps(wanted, round_)
        for subject in _shuffled(present, f"{round_} {workload.name} {size}")
        if workload.name in present[subject]
    ]
    dead: dict[tuple[str, str], int] = {}
    progress.start(len(plan))
    began = kept = time.monotonic()
    for done, (round_, workload, size, subject) in enumerate(plan):
        progress.step(done, f"{workload.name} {size:,} {subject.name}", time.monotonic() - began)
        # Who has died is not tried again: not in a later round, nor at a greater size.
        if size >= dead.get((subject.key, workload.name), size + 1):
            continue
        limit = wanted.limit if wanted.limit is not None else workload.limit
        answer = _hopeless(results, subject, workload, size, limit) or ask(
            subject, "measure", workload.name, size, limit=limit
        )
        results.measurements.append(Measurement(subject.key, workload.name, size, round_, **answer))
        if "died" in answer:
            dead[subject.key, workload.name] = size
        if time.monotonic() > kept + _KEEP_EVERY:
            keep(results)
            kept = time.monotonic()
    progress.end()


def _hopeless(results: Results, subject: Subject, workload: Workload, size: int, limit: float) -> dict[str, Any] | None:
    """Who would take more than twice the limit if cost grew no faster than N is not waited for."""
    last = next(
        (
            each
            for each in reversed(results.measurements)
            if (each.subject, each.workload) == (subject.key, workload.name)
        ),
        None,
    )
    if not workload.per or last is None or last.died is not None or last.size >= size:
        return None
    took = last.prepare + max(last.seconds)
    if took * size / last.size <= 2 * limit:
        return None
    return {"died": f"would take more than {limit:g} s: {took:.2g} s for {last.size:,}"}


def _steps(wanted: Wanted, round_: int) -> Iterator[tuple[Workload, int]]:
    for question in wanted.questions:
        for workload in question.workloads:
            if round_ < workload.rounds:
                for size in wanted.sizes_of(workload):
                    yield workload, size


def _shuffled(present: dict[Subject, set[str]], seed: str) -> list[Subject]:
    """Another order each time, so that nobody always comes after the same."""
    subjects = list(present)
    random.Random(seed).shuffle(subjects)
    return subjects
