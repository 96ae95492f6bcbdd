"""Ports for tests: scripts that run as real processes, and one in this process whose schedules are known."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trioflow.conformance.capabilities import CLAIMED_BY

PRELUDE = """
import json, os, signal, sys, time

STARTED = {"type": "started", "contract": "2.0", "name": "test", "language": "Python", "level": 0,
           "capabilities": ["core"]}
RESULT = {"type": "result", "status": "completed", "errors": [], "problems": [], "variables": {}, "outputs": {},
          "feedback": [], "life": []}

def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()

def say(message):
    write(json.dumps(message) + "\\n")

def result(request, **fields):
    return {**RESULT, "id": request["id"], **fields}

def serve(run, **claims):
    for line in sys.stdin:
        request = json.loads(line)
        if request["type"] == "start":
            say({**STARTED, **claims})
        elif request["type"] == "run":
            run(request)
        else:
            break
"""

GRAPH = {
    "trioflow": "1.0",
    "nodes": [{"id": "a", "type": "script.exec", "initiator": True, "inputs": {"script": [["const", 5]]}}],
}
REQUEST = {"graph": GRAPH, "level": 0}


def command(folder: Path, script: str) -> list[str]:
    """The command of a port: the prelude above and a script, in a process of its own."""
    path = folder / "port.py"
    path.write_text(PRELUDE + textwrap.dedent(script), encoding="utf-8")
    return [sys.executable, "-I", "-S", str(path)]


def completed(**fields: Any) -> dict[str, Any]:
    """The answer to a run that ended well."""
    return {
        "type": "result",
        "id": 0,
        "status": "completed",
        "errors": [],
        "problems": [],
        "variables": {},
        "outputs": {},
        "feedback": [],
        "life": [],
        **fields,
    }


class Interleaved:
    """A port in which tasks take steps, each after a release: its schedules are all interleavings of them."""

    def __init__(self, tasks: int, steps: int) -> None:
        self.name = f"{tasks} tasks of {steps} steps"
        self.level = 3
        self.capabilities = CLAIMED_BY[3]
        self.asked: list[Sequence[int]] = []
        self._tasks = {f"d 0.{task} n": steps for task in range(tasks)}

    def run(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(request["choices"])
        choices = iter(request["choices"])
        left = dict(self._tasks)
        steps: list[dict[str, Any]] = [{"do": "begin", "events": []}]
        while enabled := sorted(task for task, steps_left in left.items() if steps_left):
            chosen = enabled[next(choices, 0) % len(enabled) if len(enabled) > 1 else 0]
            left[chosen] -= 1
            steps.append({"do": "release", "enabled": enabled, "chosen": chosen, "events": []})
        last = int(steps[-1]["chosen"].split()[1].partition(".")[2])
        return completed(steps=steps, variables={"last": last})

    def close(self) -> None:
        pass


class Answering:
    """A port in this process that answers by a function."""

    def __init__(
        self,
        answer: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        level: int = 3,
        capabilities: frozenset[str] | None = None,
    ) -> None:
        self.name = "answering"
        self.level = level
        self.capabilities = CLAIMED_BY[level] if capabilities is None else capabilities
        self.asked: list[Mapping[str, Any]] = []
        self._answer = answer

    def run(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(request)
        return self._answer(request)

    def close(self) -> None:
        pass
