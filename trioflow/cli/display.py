"""What a person sees of a run while it runs: plain lines, always on stderr. `live.py` has the one for terminals."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol

import trio

from trioflow.cli.tally import Tally
from trioflow.formats import visible
from trioflow.runtime.base.options import RunStatistics
from trioflow.semantics.events import Feedback, Progress

PROGRESS_EVERY = 2.0
"""Seconds between two lines about the progress of one node, so that logs stay short."""


class Watched(Protocol):
    """What a display wants to know of a run."""

    def statistics(self) -> RunStatistics: ...


class Display:
    """Writes feedback and progress as plain lines. The base of all displays."""

    def __init__(self) -> None:
        self.tally = Tally(self.feedback, self.progress)
        self.left: Callable[[float], float | None] = lambda _elapsed: None
        """The seconds that the run may still take, after so many; None if nobody knows."""
        # By node: when its last line was written, and what has not been written since.
        self._written: dict[str, float] = {}
        self._unwritten: dict[str, Progress] = {}

    def open(self, run: Watched) -> None:
        """The run is about to start."""

    def close(self) -> None:
        """The run has ended."""
        for event in self._unwritten.values():
            self.line(_progress_line(event))
        self._unwritten.clear()

    async def refresh(self) -> None:
        """Keep what is shown up to date, until cancelled."""
        await trio.sleep_forever()

    def line(self, text: str) -> None:
        """Write a line to stderr."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def feedback(self, event: Feedback) -> None:
        """A node said something."""
        self.line(visible(f"{event.level}: {event.node}: {event.message}"))

    def progress(self, event: Progress) -> None:
        """A node told how far it is."""
        assert event.node is not None
        now = time.monotonic()
        if now - self._written.get(event.node, -PROGRESS_EVERY) < PROGRESS_EVERY:
            self._unwritten[event.node] = event
            return
        self._written[event.node] = now
        self._unwritten.pop(event.node, None)
        self.line(_progress_line(event))


def _progress_line(event: Progress) -> str:
    total = f" of {event.total:,g}" if event.total is not None else ""
    message = f"  {event.message}" if event.message else ""
    return visible(f"progress: {event.node}: {event.done:,g}{total}{message}")
