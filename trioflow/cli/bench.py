"""`trioflow bench`: the benchmarks, which are part of a checkout and not of the installed package."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.errors import MissingExtra

_PACKAGES = ("matplotlib", "psutil")


@click.command(
    epilog="Exit codes: 0 measured or shown, even if subjects are missing or died, which tables say; 2 bad usage, no "
    "checkout, or the extra `bench` is not installed; 130 interrupted: what was measured is kept and shown."
)
@click.option("--question", "questions", multiple=True, metavar="NAME", help="Ask only this one; may be repeated.")
@click.option("--subject", "subjects", multiple=True, metavar="NAME", help="Measure only this one; may be repeated.")
@click.option("--sizes", metavar="N,N,...", help="Instead of each workload's own sizes.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="How often to measure everything.")
@click.option("--limit", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="For one measurement.")
@click.option("--quick", is_flag=True, help="One round, N = 100 and 1,000, five seconds for one measurement.")
@click.option("--out", default="bench-results", show_default=True, metavar="FOLDER", help="Where results go.")
@click.option("--targets", is_flag=True, help="Measure what targets are about, and show ratios and bounds.")
@click.option("--from", "source", metavar="FILE", help="Measure nothing; show the results in this file.")
@click.option("--page", is_flag=True, help="Also write a table of the results into docs/speed.md.")
def bench(**order: Any) -> int:
    """Measure trioflow against the same work written by hand, and against other engines.

    Every measurement runs in a process of its own. Writes results.json and a picture for each question into a folder.
    `--question list` names the questions, `--subject list` the subjects. Needs a checkout of the repository.
    """
    root = Path(tf.__file__).resolve().parent.parent
    if not (root / "benchmarks" / "lib" / "command.py").is_file():
        raise BadInput(
            "bench: the benchmarks are not part of the installed package. In a checkout of the repository, "
            "`pip install -e '.[bench]'` and run `trioflow bench` again."
        )
    if any(importlib.util.find_spec(package) is None for package in _PACKAGES):
        raise BadInput(f"bench: {MissingExtra('Measuring', 'bench')}")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    command = importlib.import_module("benchmarks.lib.command")
    try:
        code: int = command.bench(command.Order(**order))
    except command.Unusable as error:
        raise BadInput(f"bench: {error}") from error
    return code
