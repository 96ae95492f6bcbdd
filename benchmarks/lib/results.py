"""What was measured: raw figures, machine, versions and date, in a file of JSON that every view is made from."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

FORMAT = 1


@dataclass
class Measurement:
    """One process: the runs of one workload, by one subject, at one size, in one round."""

    subject: str
    workload: str
    size: int
    round: int
    seconds: list[float] = field(default_factory=list)
    """Of each run."""
    prepare: float = 0.0
    """Seconds for building and planning what was run."""
    memory_built: int = 0
    """Bytes by which the process grew while that was done."""
    memory_run: int = 0
    """Bytes by which it grew at most while it ran."""
    died: str | None = None
    """What it died of."""


@dataclass
class Results:
    """All measurements of one session, and what is to be known about it."""

    date: str
    machine: dict[str, Any]
    versions: dict[str, str]
    cannot: dict[str, dict[str, str]]
    """By subject and workload: why it can't express it; by subject and "": why the subject is missing."""
    complete: bool = False
    rounds: int = 0
    measurements: list[Measurement] = field(default_factory=list)

    def of(self, workload: str, subject: str, size: int) -> Summary | None:
        """What all rounds say together; None if there was none."""
        found = [each for each in self._doing(workload) if each.subject == subject and each.size == size]
        return Summary(found) if found else None

    def sizes(self, workload: str) -> list[int]:
        """The sizes at which a workload was measured."""
        return sorted({each.size for each in self._doing(workload)})

    def _doing(self, workload: str) -> list[Measurement]:
        """Those of a workload, by an index that is made anew when there are more."""
        if self._indexed != len(self.measurements):
            self._index.clear()
            for each in self.measurements:
                self._index.setdefault(each.workload, []).append(each)
            self._indexed = len(self.measurements)
        return self._index.get(workload, [])

    def __post_init__(self) -> None:
        self._index: dict[str, list[Measurement]] = {}
        self._indexed: int = 0


class Summary:
    """One subject, workload and size over all rounds."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        self.measurements = list(measurements)
        self.died = next((each.died for each in self.measurements if each.died is not None), None)
        # Runs within a process are not independent of each other: each process counts once.
        self.rounds = [statistics.median(each.seconds) for each in self.measurements if each.seconds]

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The fastest and the slowest round, in seconds."""
        return min(self.rounds), max(self.rounds)

    @property
    def memory_run(self) -> float:
        """Bytes."""
        return statistics.median(each.memory_run for each in self.measurements)

    @property
    def memory_built(self) -> float:
        """Bytes."""
        return statistics.median(each.memory_built for each in self.measurements)


def short_machine(results: Results) -> str:
    """Machine, Python and date for a caption."""
    machine = results.machine
    node = f", Node.js {machine['node']}" if machine.get("node") else ""
    return f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}{node}, {results.date}"


def new() -> Results:
    """Results of this machine, now, without any measurement."""
    return Results(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), machine=describe_machine(), versions={}, cannot={}
    )


def describe_machine() -> dict[str, Any]:
    """What figures depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "node": _said("node", "--version"),
        "commit": _said("git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"),
        "load_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _said(*command: str) -> str | None:
    """What a program prints, if it is there and ends well."""
    program = shutil.which(command[0])
    if program is None:
        return None
    done = subprocess.run([program, *command[1:]], check=False, capture_output=True, text=True)
    return done.stdout.strip() or None if done.returncode == 0 else None


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return platform.processor() or platform.machine()


def save(results: Results, path: Path) -> None:
    """Write results; each measurement on a line of its own, so that files can be compared."""
    document = {"format": FORMAT, **{key: value for key, value in asdict(results).items() if key != "measurements"}}
    head = json.dumps(document, indent=1, ensure_ascii=False)[:-2]
    rows = ",\n".join(json.dumps(_row(each)) for each in results.measurements)
    whole = path.with_suffix(".part")
    whole.write_text(f'{head},\n "measurements": [\n{rows}\n]}}\n', encoding="utf-8")
    whole.replace(path)


def _row(measurement: Measurement) -> dict[str, Any]:
    row = {key: value for key, value in asdict(measurement).items() if value not in (None, [])}
    row["seconds"] = [float(f"{each:.4g}") for each in measurement.seconds]
    row["prepare"] = float(f"{measurement.prepare:.4g}")
    return row


def read(path: Path) -> Results:
    """Read results. Raises `OSError`, or `ValueError` for a file that holds something else."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise ValueError(f"{path}: these are no results of this version of the benchmarks.")
    rows = document.pop("measurements")
    return Results(**document, measurements=[Measurement(**row) for row in rows])


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}" if seconds * factor < 1000 else f"{seconds * factor:,.0f} {unit}"
    return f"{seconds * 1e6:.2g} µs"
