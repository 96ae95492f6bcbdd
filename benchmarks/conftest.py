"""Prints the ratios and sizes that the benchmarks are about, below the table of pytest-benchmark."""

from __future__ import annotations

import pytest

SIZES: list[str] = []


@pytest.fixture
def note():
    """Put a line into the summary."""
    return SIZES.append


def pytest_terminal_summary(terminalreporter, config):
    """One line for each pair: how many times longer the graph takes than the same by hand."""
    best: dict[str, dict[str, float]] = {}
    for each in config._benchmarksession.benchmarks:
        if each.group and each.stats.data:
            best.setdefault(each.group, {})[each.params["side"]] = each.stats.min / each.extra_info["steps"] * 1e6
    write = terminalreporter.write_line
    if best:
        write("")
        write(f"{'microseconds a step, best round':<40} {'graph':>8} {'by hand':>8} {'ratio':>6} {'aim':>5}")
    for group, sides in best.items():
        name, aim = group.split("|")
        ratio = sides["graph"] / sides["by hand"]
        write(f"{name:<40} {sides['graph']:>8.2f} {sides['by hand']:>8.2f} {ratio:>6.1f} {aim:>5}")
    for line in SIZES:
        write(line)
