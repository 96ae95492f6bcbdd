"""The table in docs/speed.md, made from a file of results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.lib.process import ROOT
from benchmarks.lib.question import HUNDRED_THOUSAND, TEN_THOUSAND
from benchmarks.lib.results import Results, duration, short_machine
from benchmarks.lib.subject import SUBJECTS
from benchmarks.questions import WORKLOADS
from trioflow.cli.counted import counted

BEGIN, END = "<!-- bench: written by `trioflow bench --page` -->", "<!-- bench: end -->"
SIZE = TEN_THOUSAND
COLUMNS = {
    "loop": "loop",
    "chain": "chain",
    "fan_out": "fan-out",
    "data_chain": "data chain",
    "data_layers": "data layers",
    "data_reuse": "re-used",
    "emit": "concurrent",
}


class NoPlace(ValueError):
    """The file has no marks between which the table goes."""


def write(results: Results, source: Path, page: Path) -> None:
    """Put the table between the marks. Raises `NoPlace` if they are not there."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlace(f"{page.name}: there are no lines {BEGIN} and {END} for the table to go between.")
    table = "\n".join(lines(results, source))
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def lines(results: Results, source: Path) -> Iterator[str]:
    """Markdown: a row for each subject that was measured."""
    rounds = counted(results.rounds, "round") if results.complete else "interrupted before all was measured"
    yield f"{short_machine(results)}, {rounds}, from `{_from_here(source)}`:"
    yield f"median time for a step, node or item, at N = {SIZE:,}."
    yield ""
    yield f"| | version | {' | '.join(COLUMNS.values())} | where it breaks |"
    yield f"|---|---|{'---:|' * len(COLUMNS)}---|"
    for subject in SUBJECTS:
        if subject.key in results.versions:
            cells = [_cell(results, name, subject.key) for name in COLUMNS]
            if any(cell != "–" for cell in cells):
                version = results.versions[subject.key]
                yield f"| {subject.name} | {version} | {' | '.join(cells)} | {_broke(results, subject.key)} |"
    yield ""
    yield "– can't be expressed there; † died before, or took longer than its time limit, set-up included."


def _cell(results: Results, workload: str, subject: str) -> str:
    for size in sorted(results.sizes(workload)):
        summary = results.of(workload, subject, size)
        if summary is not None and size <= SIZE:
            if summary.died is not None:
                return "†"
            if size == SIZE:
                return duration(WORKLOADS[workload].scaled(summary.median, size))
    return "–"


def _broke(results: Results, subject: str) -> str:
    """The first of the columns in which it died, of what, and at which size."""
    found: dict[str, list[str]] = {}
    for workload, title in COLUMNS.items():
        for size in results.sizes(workload):
            summary = results.of(workload, subject, size)
            if summary is not None and summary.died is not None and size <= HUNDRED_THOUSAND:
                found.setdefault(f"{_short(summary.died)} at {size:,}", []).append(title)
                break
    return "; ".join(f"{why} ({', '.join(where)})" for why, where in found.items()) or "nowhere up to 100,000"


def _short(died: str) -> str:
    name, colon, _ = died.partition(":")
    _, more_than, limit = name.partition("more than ")
    if more_than:
        return f"> {limit}"
    return name if colon and name.isidentifier() else died


def _from_here(source: Path) -> str:
    path = source.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
