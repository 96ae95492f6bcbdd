"""All checks: `python -m tests`. Goes on after a failure; says at the end how each step went, and what was not checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

DURATION = "4 to 5 minutes on 2 quiet cores of a server (Xeon at 2.6 GHz, Python 3.11)"

BRANCHES = 95.0
"""Percent of the branches of trioflow/ that tests must take; lines have a minimum of their own in pyproject.toml."""

ROOT = Path(__file__).parent.parent
REPORT = ROOT / ".pytest_cache" / "tests.xml"
PYTHON = [sys.executable, "-m"]

STEPS = {
    "ruff check": [*PYTHON, "ruff", "check"],
    "ruff format": [*PYTHON, "ruff", "format", "--check"],
    "mypy": [*PYTHON, "mypy"],
    "basedpyright": [*PYTHON, "basedpyright", "--pythonpath", sys.executable],
    "import-linter": [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()"],
    "coverage erase": [*PYTHON, "coverage", "erase"],
    "pytest": [
        *PYTHON,
        *"coverage run -m pytest --quiet -n logical --maxprocesses 4 --dist worksteal --junit-xml".split(),
        str(REPORT),
    ],
    "coverage combine": [*PYTHON, "coverage", "combine", "--quiet"],
    "coverage": [*PYTHON, "coverage", "report"],
    "branches": [*PYTHON, "tests", "branches"],
}


# The tests start some hundred processes, each of which would compile the package again where this is set.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def branches() -> int:
    """Coverage of branches alone, from the data that the tests left."""
    command = [*PYTHON, "coverage", "json", "--quiet", "--fail-under=0", "-o", "-"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    totals = json.loads(done.stdout)["totals"]
    percent = 100 * totals["covered_branches"] / totals["num_branches"]
    print(
        f"{totals['covered_branches']} of {totals['num_branches']} branches taken: {percent:.1f} %, at least {BRANCHES:g} %"
    )
    return 0 if percent >= BRANCHES else 1


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


def main() -> int:
    print(f"All checks take about {DURATION}. Ctrl-C ends them.", flush=True)
    REPORT.unlink(missing_ok=True)
    results: list[tuple[str, bool, float]] = []
    missing: list[str] = []
    for name, command in STEPS.items():
        print(f"--- {name}", flush=True)
        started = time.perf_counter()
        try:
            code = run(command)
        except KeyboardInterrupt:
            missing = list(STEPS)[len(results) :]
            break
        results.append((name, code == 0, time.perf_counter() - started))
    print("---")
    for name, passed, seconds in results:
        print(f"{'passed' if passed else 'FAILED'} {seconds:6.1f} s  {name}")
    print(f"       {sum(seconds for _, _, seconds in results):6.1f} s  in all")
    if missing:
        print(f"interrupted; not checked: {', '.join(missing)}")
        return 130
    for reason, count in not_checked(REPORT).items() if REPORT.exists() else ():
        print(f"not checked: {reason} ({count} {'test' if count == 1 else 'tests'})")
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(branches() if sys.argv[1:] == ["branches"] else main())
