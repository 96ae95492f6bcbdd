"""A picture for each question: a panel for each workload, time over N, a line for each subject."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")  # no window, no matter where this runs

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from benchmarks.lib.question import Question, Workload
from benchmarks.lib.results import Results, duration, short_machine
from benchmarks.lib.subject import BY_HAND, OURS, Subject

_COLOURS = {OURS: "#d62728", BY_HAND: "#000000"}
# Without reds, of which there is one.
_OTHERS = [colour for place, colour in enumerate(mpl.color_sequences["tab20"]) if place not in {6, 7}]
_MARKERS = "osv^D<>pPhX*"
_STYLE: Any = {
    "svg.hashsalt": "trioflow",  # the same results give the same file
    "svg.fonttype": "none",
    "font.size": 8,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(results: Results, questions: Sequence[Question], subjects: Sequence[Subject], folder: Path) -> list[Path]:
    """Write a file for each question that has figures."""
    drawn = []
    with mpl.rc_context(_STYLE):
        for question in questions:
            workloads = [each for each in question.workloads if results.sizes(each.name)]
            if workloads:
                path = folder / f"{question.name}.svg"
                _draw(results, question, workloads, subjects, path)
                drawn.append(path)
    return drawn


def _draw(
    results: Results, question: Question, workloads: Sequence[Workload], subjects: Sequence[Subject], path: Path
) -> None:
    columns = min(3, len(workloads))
    rows = -(-len(workloads) // columns)
    height = 3.1 * rows + 1.1
    figure, grid = plt.subplots(rows, columns, figsize=(4.2 * columns, height), squeeze=False)
    panels = [panel for row in grid for panel in row]
    for panel, workload in zip(panels, workloads, strict=False):
        (_bars if len(results.sizes(workload.name)) == 1 else _lines)(panel, results, workload, subjects)
    for panel in panels[len(workloads) :]:
        panel.set_axis_off()
    known: dict[str, Any] = {}
    for panel in panels:
        handles, labels = panel.get_legend_handles_labels()
        known |= dict(zip(labels, handles, strict=True))
    names = [subject.name for subject in subjects if subject.name in known]
    if names:
        figure.legend([known[name] for name in names], names, loc="lower center", ncols=6, frameon=False)
    figure.suptitle(question.asks, x=0.01, y=0.985, ha="left", va="top", weight="bold", size=11)
    figure.text(
        0.01,
        0.985 - 0.2 / height,
        f"{short_machine(results)}; × marks who died",
        ha="left",
        va="top",
        size=7,
        color="#555555",
    )
    legend = 0.1 + 0.2 * -(-len(names) // 6)
    figure.tight_layout(rect=(0, legend / height, 1, 0.985 - 0.35 / height))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _style(subject: Subject, place: int) -> dict[str, Any]:
    if subject.key in _COLOURS:
        return {"color": _COLOURS[subject.key], "linewidth": 2.2, "zorder": 5, "marker": "o", "markersize": 4}
    dashed = "--" if subject.language == "node" else "-"
    return {
        "color": _OTHERS[place % len(_OTHERS)],
        "linewidth": 1.0,
        "linestyle": dashed,
        "marker": _MARKERS[place % len(_MARKERS)],
        "markersize": 4,
    }


def _lines(panel: Axes, results: Results, workload: Workload, subjects: Sequence[Subject]) -> None:
    for place, subject in enumerate(subjects):
        sizes, times = [], []
        for size in results.sizes(workload.name):
            summary = results.of(workload.name, subject.key, size)
            if summary is None:
                continue
            if summary.died is None:
                sizes.append(size)
                times.append(workload.scaled(summary.median, size))
            elif times:
                colour = _style(subject, place)["color"]
                panel.plot([size], [times[-1]], marker="x", markersize=8, color=colour, linestyle="none", zorder=6)
                panel.plot([sizes[-1], size], [times[-1]] * 2, color=colour, linewidth=0.8, linestyle=":")
                break
        if times:
            panel.plot(sizes, times, label=subject.name, **_style(subject, place))
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xticks(results.sizes(workload.name))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: duration(seconds)))
    panel.minorticks_off()
    _title(panel, workload)


def _bars(panel: Axes, results: Results, workload: Workload, subjects: Sequence[Subject]) -> None:
    """For what has only one size."""
    (size,) = results.sizes(workload.name)
    told = [
        (subject.name, workload.scaled(summary.median, size), _style(subject, place)["color"])
        for place, subject in enumerate(subjects)
        if (summary := results.of(workload.name, subject.key, size)) is not None and summary.died is None
    ]
    names, times, colours = zip(*reversed(told), strict=True) if told else ((), (), ())
    panel.barh(names, times, color=colours)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: duration(seconds) if seconds else "0"))
    _title(panel, workload)


def _title(panel: Axes, workload: Workload) -> None:
    per = f" (per {workload.per})" if workload.per else ""
    words = f"{workload.does}{per}"
    cut = words.rfind(" ", 0, 52) if len(words) > 52 else len(words)
    panel.set_title(f"{words[:cut]}\n{words[cut:].strip()}", loc="left", size=8)
