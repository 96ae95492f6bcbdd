"""The last frames, for readers that come, go, and come again: each gets all that it has not had, or the whole state."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import trio

_MOST = 600
"""Frames that are kept: 20 seconds of a busy run."""
HEARTBEAT = 15.0


class Backlog:
    """Frames in the order in which they were made. Whoever does not read holds up nobody else."""

    def __init__(self, snapshot: Callable[[], Mapping[str, Any]]) -> None:
        self._snapshot = snapshot
        self._frames: deque[tuple[int, str]] = deque(maxlen=_MOST)
        self._bell = trio.Event()
        self._life = 0
        self.last = 0
        """The number of the last frame."""

    def add(self, delta: Mapping[str, Any]) -> None:
        """Give a delta to all readers."""
        self.last += 1
        self._frames.append((self.last, _message(f"{self._life}-{self.last}", "frame", delta)))
        self._ring()

    def begin_anew(self) -> None:
        """All before is of another run: readers get the whole state next."""
        self._life += 1
        self._frames.clear()
        self._ring()

    async def read(self, last_id: str = "") -> AsyncGenerator[str]:
        """The messages from the one after `last_id` on, without end: server-sent events, and comments when idle."""
        life, _, number = last_id.partition("-")
        at = int(number) if number.isdecimal() and number.isascii() and life == str(self._life) else -1
        known = self._life
        while True:
            oldest = self._frames[0][0] if self._frames else self.last + 1
            if known != self._life or not oldest - 1 <= at <= self.last:
                known, at = self._life, self.last
                yield _message(f"{known}-{at}", "hello", self._snapshot())
                continue
            if at < self.last:
                due = [text for made, text in self._frames if made > at]
                at = self.last
                yield "".join(due)
                continue
            bell = self._bell
            with trio.move_on_after(HEARTBEAT):
                await bell.wait()
                continue
            yield ": still here\n\n"

    def _ring(self) -> None:
        self._bell.set()
        self._bell = trio.Event()


def _message(number: str, kind: str, data: Mapping[str, Any]) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
