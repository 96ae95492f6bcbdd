"""What subjects that run on asyncio are asked in the same way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

Run = Callable[[], Awaitable[Any]]


class Meeting:
    """Where `size` items wait for each other, again and again."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._begun = 0
        self._all_are_here = asyncio.Event()

    async def come(self) -> None:
        """Wait until all are here."""
        all_are_here = self._all_are_here
        self._begun += 1
        if self._begun == self._size:
            all_are_here.set()
            self._begun = 0
            self._all_are_here = asyncio.Event()
        await all_are_here.wait()


def importing(module: str) -> Callable[[], float]:
    """Import a module in a process of its own; tells seconds."""
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"

    def run() -> float:
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        return float(done.stdout.split()[-1])

    return run


def cancelling(start: Callable[[], Awaitable[Any]], begun: Callable[[], bool]) -> Run:
    """Cancel a run whose items sleep, once all of them do; tells seconds until it is over."""

    async def run() -> float:
        task = asyncio.ensure_future(start())
        while not begun():
            await asyncio.sleep(0)
        started = time.perf_counter()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return time.perf_counter() - started
        raise AssertionError("it went on")

    return run


def waiting_for_a_turn(start: Callable[[], Awaitable[Any]], strands: int) -> Run:
    """Let `strands` runs follow each other forever; tells the longest time between two turns of the host's task."""

    async def run() -> float:
        stopped: list[bool] = []

        async def strand() -> None:
            while not stopped:
                await start()

        async with asyncio.TaskGroup() as group:
            for _ in range(strands):
                group.create_task(strand())
            longest = await _longest_gap()
            stopped.append(True)
        return longest

    return run


async def _longest_gap(seconds: float = 0.3) -> float:
    await asyncio.sleep(0)  # what is to run begins
    longest = 0.0
    turns = 0
    before = end = time.perf_counter()
    end += seconds
    while before < end or turns < 5:
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest = max(longest, now - before)
        before = now
        turns += 1
    return longest
