"""One measurement, in this process: `python -m benchmarks.lib.worker measure SUBJECT WORKLOAD SIZE`.

A subject is a module of `benchmarks.subjects` with a function for each workload that it can do. The function builds
what is needed for a size and returns what is to be timed: a function, awaited if the subject's `RUNNER` is an event
loop. What that returns is taken for the number of steps it did, if it is an int, and must be right; for the figure
itself, in seconds, if it is a float. `node/worker.mjs` does the same for JavaScript.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.metadata
import inspect
import json
import os
import sys
import time
from collections.abc import Callable
from keyword import iskeyword
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import trio

from benchmarks.questions import WORKLOADS

ENOUGH = 0.25
"""Seconds after which a run is not repeated any more."""
MOST_RUNS = 20


class WrongResult(Exception):
    """The subject did not do what it was asked to."""


def load(key: str) -> ModuleType:
    """The module of a subject; importing it imports the engine."""
    return importlib.import_module(f"benchmarks.subjects.{key}")


def function_of(module: ModuleType, workload: str) -> Callable[[int], Any] | None:
    """What prepares a workload; `import_` is that of the workload `import`."""
    found: Callable[[int], Any] | None = getattr(module, f"{workload}_" if iskeyword(workload) else workload, None)
    return found if inspect.isfunction(found) else None


def describe(key: str) -> dict[str, Any]:
    """What a subject can do, which version it has, or why it is not there."""
    try:
        module = load(key)
        version = importlib.metadata.version(module.DISTRIBUTION)
    except (ImportError, importlib.metadata.PackageNotFoundError) as error:
        return {"missing": str(error)}
    can = [name for name in WORKLOADS if function_of(module, name) is not None]
    return {"version": version, "can": can, "cannot": module.CANNOT}


def measure(key: str, workload: str, size: int) -> dict[str, Any]:
    """Time a workload at a size; how it died, if it did."""
    module = load(key)
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    started = time.perf_counter()
    try:
        function = function_of(module, workload)
        if function is None:
            raise LookupError(f"{key} can't do {workload}")
        run = function(size)
        prepare = time.perf_counter() - started
        built = process.memory_info().rss
        forget_peak()
        samples = repeat(module.RUNNER, run, size)
    except BaseException as error:
        return {"died": reason(error)}
    return {
        "seconds": samples,
        "prepare": prepare,
        "memory_built": max(0, built - before),
        "memory_run": max(0, peak(process) - built),
    }


def repeat(runner: str, run: Callable[[], Any], size: int) -> list[float]:
    """Time a run again and again, all in one event loop, until it has been long enough."""
    samples: list[float] = []

    async def in_loop() -> None:
        spent = 0.0
        while spent < ENOUGH and len(samples) < MOST_RUNS:
            started = time.perf_counter()
            result = await run()
            spent += time.perf_counter() - started
            samples.append(figure(result, time.perf_counter() - started, size))

    def plainly() -> None:
        spent = 0.0
        while spent < ENOUGH and len(samples) < MOST_RUNS:
            started = time.perf_counter()
            result = run()
            spent += time.perf_counter() - started
            samples.append(figure(result, time.perf_counter() - started, size))

    if not inspect.iscoroutinefunction(run):
        plainly()
    elif runner == "trio":
        trio.run(in_loop)
    else:
        asyncio.run(in_loop())
    # The first run fills caches.
    return samples[1:] if len(samples) > 2 else samples


def figure(result: object, elapsed: float, size: int) -> float:
    """The seconds of one run."""
    if inspect.isawaitable(result):
        raise TypeError("a run that has to be awaited must be a coroutine function")
    if isinstance(result, float):
        return result
    if isinstance(result, int) and result != size:
        raise WrongResult(f"it did {result:,} of {size:,}")
    return elapsed


def reason(error: BaseException) -> str:
    """What it died of, in a line: the innermost of what was wrapped tells most."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and len(chain) < 20:
        chain.append(cause)
    told = next((each for each in chain if isinstance(each, (RecursionError, MemoryError))), error)
    lines = str(told).strip().splitlines()
    return f"{type(told).__name__}: {lines[0][:160]}" if lines else type(told).__name__


def forget_peak() -> None:
    """Let the peak of this process's memory count from now on."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak(process: psutil.Process) -> int:
    """The most memory of this process, in bytes."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return process.memory_info().rss


def main() -> None:
    """Answer on what was stdout; what a subject prints goes to stderr."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    verb, key, *rest = sys.argv[1:]
    json.dump(describe(key) if verb == "describe" else measure(key, rest[0], int(rest[1])), answer)
    answer.flush()
    os._exit(0)  # a peer may have left threads, and stacks that are too deep to unwind


if __name__ == "__main__":
    main()
