"""All checks: `python -m tests`. Goes on after a failure; says at the end how each step went and how long it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

BRANCHES = 95.0
"""Percent of the branches of trioflow/ that tests must take; lines have a minimum of their own in pyproject.toml."""

ROOT = Path(__file__).parent.parent
PYTHON = [sys.executable, "-m"]

STEPS = {
    "ruff check": [*PYTHON, "ruff", "check"],
    "ruff format": [*PYTHON, "ruff", "format", "--check"],
    "mypy": [*PYTHON, "mypy"],
    "basedpyright": [*PYTHON, "basedpyright", "--pythonpath", sys.executable],
    "import-linter": [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()"],
    "coverage erase": [*PYTHON, "coverage", "erase"],
    "pytest": [*PYTHON, *"coverage run -m pytest --quiet -n logical --maxprocesses 4 --dist worksteal".split()],
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


def main() -> int:
    results: list[tuple[str, bool, float]] = []
    for name, command in STEPS.items():
        print(f"--- {name}", flush=True)
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, check=False)
        results.append((name, done.returncode == 0, time.perf_counter() - started))
    print("---")
    for name, passed, seconds in results:
        print(f"{'passed' if passed else 'FAILED'} {seconds:6.1f} s  {name}")
    print(f"       {sum(seconds for _, _, seconds in results):6.1f} s  in all")
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(branches() if sys.argv[1:] == ["branches"] else main())
