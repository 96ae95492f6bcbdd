"""Processes that measure: each on its own, with limits, so that a subject that dies takes nothing with it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.lib.subject import Subject

ROOT = Path(__file__).parent.parent.parent
NODE = ROOT / "benchmarks" / "node"
MEMORY_LIMIT = 6 * 2**30
"""Bytes that one measurement may take."""
_LOOK_EVERY = 0.05
_QUIET = {
    # What engines would otherwise tell their makers, or trace: switched off the way they document.
    "DO_NOT_TRACK": "1",
    "HAMILTON_TELEMETRY_ENABLED": "false",
    "BURR_TELEMETRY_ENABLED": "false",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HAYSTACK_AUTO_TRACE_ENABLED": "false",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PYTHONHASHSEED": "0",
}


def _environment(scratch: str) -> dict[str, str]:
    """That of this process, less what would measure coverage while it measures time.

    What an engine leaves in the folder for temporary files goes away with it, however it ends.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return ours | _QUIET | dict.fromkeys(("TMPDIR", "TEMP", "TMP", "PREFECT_HOME"), scratch)


def command_of(subject: Subject) -> list[str]:
    """The program that answers for a subject."""
    if subject.language == "node":
        return [shutil.which("node") or "node", "--expose-gc", str(NODE / "worker.mjs")]
    return [sys.executable, "-m", "benchmarks.lib.worker"]


def ask(subject: Subject, *words: object, limit: float) -> dict[str, Any]:
    """Start a subject's worker and return its answer, or `{"died": why}`; on `KeyboardInterrupt` nothing is left."""
    verb, *rest = map(str, words)
    command = [*command_of(subject), verb, subject.key, *rest]
    with (
        tempfile.TemporaryFile() as answer,
        tempfile.TemporaryFile() as complaints,
        tempfile.TemporaryDirectory(prefix="trioflow-bench-", ignore_cleanup_errors=True) as scratch,
    ):
        worker = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=complaints,
            cwd=ROOT,
            env=_environment(scratch),
            start_new_session=True,  # Ctrl-C is for us: what was being measured is dropped
        )
        try:
            ended = _watch(worker, limit)
        finally:
            _end(worker)
        if ended is not None:
            return {"died": ended}
        answer.seek(0)
        text = answer.read().decode(errors="replace")
        complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - 20_000))
        last_words = complaints.read().decode(errors="replace")
    with contextlib.suppress(ValueError):
        told = json.loads(text)
        if isinstance(told, dict):
            return told
    return {"died": cause_of_death(worker.returncode, last_words)}


def _watch(worker: subprocess.Popen[bytes], limit: float) -> str | None:
    """Wait for the end; the limit that was reached, if one was."""
    deadline = time.monotonic() + limit
    watched = psutil.Process(worker.pid)
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(_LOOK_EVERY)
            return None
        if time.monotonic() > deadline:
            return f"took more than {limit:g} s"
        with contextlib.suppress(psutil.Error):
            if watched.memory_info().rss > MEMORY_LIMIT:
                return f"took more than {MEMORY_LIMIT / 2**30:g} GiB of memory"


def _end(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def cause_of_death(code: int, last_words: str) -> str:
    """What a worker that gave no answer died of."""
    if "heap out of memory" in last_words:
        return "JavaScript heap out of memory"
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    lines = [line.strip() for line in last_words.splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line]
    return (errors or lines or [f"exit code {code}"])[-1][:160]


def fetch_node_packages(say: Callable[[str], None]) -> str | None:
    """See to it that the packages for Node.js are there; why not, if not."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node.js with npm is not installed"
    wanted = (NODE / "package.json").read_bytes()
    mark = NODE / "node_modules" / ".installed-package.json"
    if mark.is_file() and mark.read_bytes() == wanted:
        return None
    say("fetching the packages for Node.js ...")
    command: Sequence[str] = [
        "npm", "install", "--prefix", str(NODE), "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock",
        "--no-update-notifier", "--loglevel", "error",
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        return f"npm install failed: {lines[0][:160]}"
    mark.write_bytes(wanted)
    return None
