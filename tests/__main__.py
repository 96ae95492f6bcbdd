"""All checks: `python -m tests`. Goes on after a failure; says at the end how each step went, and what was not checked.

`python -m tests --quick` leaves out what takes long, and says what that is. `python -m tests --outside` runs a second type
checker, and the tests that need what is not installed with the locked packages, as far as it is there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

DURATION = "four and a half minutes on 2 quiet cores of a server (Xeon at 2.6 GHz, Python 3.11)"
QUICK = "a minute and a half there"
LEFT_OUT = (
    "the book, coverage, tests marked `slow` or `timed`, and tests marked `unmeasured`, which run the same code for many cases: "
    "`python -m tests` has them"
)

OUTSIDE = (
    "types by a second checker, and tests marked `outside`, which need Coq, Chromium, Node.js, Perl, PostgreSQL, Ray or "
    "documents of others: "
    "`python -m tests --outside` has them, and `.ci/run` brings what they need"
)

BRANCHES = 95.0
"""Percent of the branches of trioflow/ that tests must take; lines have a minimum of their own in pyproject.toml."""

ROOT = Path(__file__).parent.parent
REPORT = ROOT / ".pytest_cache" / "tests.xml"
PYTHON = [sys.executable, "-m"]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# Tests wait for processes, servers and clocks now and then: one worker more than there are cores.
PYTEST = ["-m", "pytest", "--quiet", "-n", str(min(CORES + 1, 4)), "--dist", "worksteal", "--junit-xml", str(REPORT)]
# Who measures time wants no others beside.
TIMED = ["-m", "pytest", "--quiet", "-n", "0", "-m", "timed and not outside"]

# One after the other.
FIRST = {
    "ruff check": [*PYTHON, "ruff", "check"],
    "ruff format": [*PYTHON, "ruff", "format", "--check"],
    "import-linter": [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()"],
}
# Beside the tests, which go before them on a busy core.
BESIDE = {
    "mypy": [*PYTHON, "mypy"],
    "book": [*PYTHON, "sphinx", "--quiet", "--fresh-env", "--fail-on-warning", "--keep-going", "docs", "build/book"],
}
QUICK_BESIDE = {"mypy": BESIDE["mypy"]}
TESTS = {
    "tests that state a time": [sys.executable, *TIMED],
    "coverage erase": [*PYTHON, "coverage", "erase"],
    "pytest": [*PYTHON, "coverage", "run", *PYTEST, "-m", "not outside and not timed"],
    "coverage combine": [*PYTHON, "coverage", "combine", "--quiet"],
    "coverage": [*PYTHON, "tests", "--coverage"],
}
QUICK_TESTS = {"pytest": [sys.executable, *PYTEST, "-m", "not slow and not timed and not unmeasured and not outside"]}
OUTSIDE_TESTS = {
    "basedpyright": [*PYTHON, "basedpyright", "--pythonpath", sys.executable],
    "pytest": [sys.executable, *PYTEST, "-m", "outside"],
}


# The tests start some hundred processes, each of which would compile the package again where this is set.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def reached() -> int:
    """What the tests have reached, by the data that they left: of the branches at least `BRANCHES`, and enough lines."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "coverage.json")
        lines = subprocess.run(
            [*PYTHON, "coverage", "json", "--quiet", "-o", str(file)], cwd=ROOT, check=False
        ).returncode
        if not file.exists():
            return lines
        found = json.loads(file.read_text(encoding="utf-8"))
    totals = found["totals"]
    percent = 100 * totals["covered_branches"] / totals["num_branches"]
    for name, each in found["files"].items():
        left = [f"{source}->{'exit' if target < 0 else target}" for source, target in each["missing_branches"]]
        if left or each["missing_lines"]:
            print(f"{name}: {', '.join([*map(str, each['missing_lines']), *left])}")
    print(
        f"{totals['covered_branches']} of {totals['num_branches']} branches taken: {percent:.1f} %, at least {BRANCHES:g} %; "
        f"{totals['percent_covered']:.1f} % of lines and branches"
    )
    return lines or int(percent < BRANCHES)


def not_checked(report: Path) -> dict[str, int]:
    """The reasons for which tests were skipped, with how many each, from what pytest wrote; most first."""
    skipped = ET.parse(report).iterfind(".//skipped[@type='pytest.skip']")
    return dict(Counter(each.get("message", "") for each in skipped).most_common())


def run(command: list[str]) -> int:
    """Run a step to its end; one that is interrupted ends by itself, since Ctrl-C reaches it, too."""
    with subprocess.Popen(command, cwd=ROOT) as step:
        try:
            return step.wait()
        except KeyboardInterrupt:
            try:
                step.wait(10)
            except subprocess.TimeoutExpired:
                step.terminate()
            raise


class Beside:
    """A step that runs beside the others; what it says is shown when it is waited for."""

    def __init__(self, command: list[str]) -> None:
        self.seconds = 0.0
        self._began = time.perf_counter()
        self._said = tempfile.TemporaryFile()
        nice = ["nice", "-n", "2"] if shutil.which("nice") else []
        self._process = subprocess.Popen([*nice, *command], cwd=ROOT, stdout=self._said, stderr=subprocess.STDOUT)
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def _wait(self) -> None:
        self._process.wait()
        self.seconds = time.perf_counter() - self._began

    def end(self) -> int:
        """Wait for it, show what it has said, and give its exit code."""
        self._thread.join()
        self._said.seek(0)
        print(self._said.read().decode(errors="replace"), end="", flush=True)
        return self._process.returncode

    def stop(self) -> None:
        """End it, if it has not ended yet."""
        self._process.terminate()
        self._thread.join()
        self._said.close()


Ended = tuple[str, bool, float]
"""A step: its name, whether it passed, and in how many seconds."""


def in_turn(steps: dict[str, list[str]]) -> Iterator[Ended]:
    """Run steps one after the other."""
    for name, command in steps.items():
        print(f"--- {name}", flush=True)
        began = time.perf_counter()
        code = run(command)
        yield name, code == 0, time.perf_counter() - began


def check(tests: dict[str, list[str]], others: dict[str, list[str]]) -> Iterator[Ended]:
    """Run all steps; the others, which go on beside the tests, are told after them."""
    yield from in_turn(FIRST)
    beside = {name: Beside(command) for name, command in others.items()}
    try:
        yield from in_turn(tests)
        for name, step in beside.items():
            print(f"--- {name}", flush=True)
            yield name, step.end() == 0, step.seconds
    finally:
        for step in beside.values():
            step.stop()


def outside() -> int:
    """Check types once more, and run the tests that need what is not installed, as far as it is there."""
    print("This takes some minutes. Ctrl-C ends it.", flush=True)
    return told(in_turn(OUTSIDE_TESTS), {*OUTSIDE_TESTS})


def main(*, quick: bool) -> int:
    """Run all checks that need nothing but the locked packages, or those of them that are quick."""
    duration, tests, others = (QUICK, QUICK_TESTS, QUICK_BESIDE) if quick else (DURATION, TESTS, BESIDE)
    print(f"{'Quick' if quick else 'All'} checks take about {duration}. Ctrl-C ends them.", flush=True)
    code = told(check(tests, others), {*FIRST, *tests, *others})
    print(f"not checked: {OUTSIDE}")
    if quick:
        print(f"left out: {LEFT_OUT}")
    return code


def told(steps: Iterator[Ended], expected: set[str]) -> int:
    """Go through the steps, and tell how each went, and what was not checked. Gives the exit code."""
    REPORT.unlink(missing_ok=True)
    began = time.perf_counter()
    results: list[Ended] = []
    missing: set[str] = set()
    try:
        for ended in steps:
            results.append(ended)  # noqa: PERF402 - what has ended is kept where Ctrl-C ends the rest
    except KeyboardInterrupt:
        missing = expected - {name for name, _, _ in results}
    print("---")
    for name, passed, seconds in results:
        print(
            f"{'passed' if passed else 'FAILED'} {seconds:6.1f} s  {name}{', beside the tests' if name in BESIDE else ''}"
        )
    print(f"       {time.perf_counter() - began:6.1f} s  in all")
    if missing:
        print(f"interrupted; not checked: {', '.join(sorted(missing))}")
        return 130
    for reason, count in not_checked(REPORT).items() if REPORT.exists() else ():
        print(f"not checked: {reason} ({count} {'test' if count == 1 else 'tests'})")
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests", description="Run all checks of this checkout.")
    parser.add_argument("--quick", action="store_true", help=f"leave out {LEFT_OUT}")
    parser.add_argument("--coverage", action="store_true", help="only ask what the last tests have reached")
    parser.add_argument("--outside", action="store_true", help=f"run {OUTSIDE.partition(': ')[0]}")
    given = parser.parse_args()
    sys.exit(reached() if given.coverage else outside() if given.outside else main(quick=given.quick))
