"""What is due when: delays, ticks, interpolations, and events that were sent. Times are seconds since the beginning."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import attrs

TICK = 1 / 60
AFTER = 0.5
"""How long a graph goes on after what it says that its tests take."""


@attrs.define
class Agenda:
    """What an engine has to do, and what it has said: a service of the run, and a part of the interpreter."""

    ticks: bool = False
    now: float = 0.0
    end: float = AFTER
    events: deque[tuple[int, Mapping[str, Any]]] = attrs.field(factory=deque[tuple[int, Mapping[str, Any]]])
    log: list[tuple[float, str, tuple[Any, ...]]] = attrs.field(factory=list[tuple[float, str, tuple[Any, ...]]])
    sent: list[str] = attrs.field(factory=list[str])
    last_tick: float | None = None
    next_tick: float = 0.0
    moving: dict[int, Moving] = attrs.field(factory=dict[int, "Moving"])
    payload: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    _due: list[tuple[float, int, int]] = attrs.field(factory=list[tuple[float, int, int]])
    _count: int = 0

    def send(self, event: int, name: str, values: Mapping[str, Any]) -> None:
        """An event was sent. One of them says how long the tests take."""
        self.sent.append(name)
        if name == "test/onStart":
            self.end = max(self.end, float(values.get("expectedDuration", 0.0)) + AFTER)
        self.events.append((event, values))

    def delay(self, node: int, seconds: float) -> int:
        """A node will be done after so long; gives the index of the delay."""
        index = self._count
        self._count += 1
        heapq.heappush(self._due, (self.now + seconds, index, node))
        return index

    def cancel(self, *, node: int | None = None, index: int | None = None) -> None:
        """Forget all delays of a node, or one of them."""
        self._due = [each for each in self._due if each[2] != node and each[1] != index]
        heapq.heapify(self._due)

    def until(self) -> float | None:
        """When something is due next; None if nothing is, before the end."""
        due = self._due[0][0] if self._due else math.inf
        if self.ticks or self.moving:
            due = min(due, max(self.next_tick, self.now))
        return due if due <= self.end else None

    def take(self) -> int | None:
        """A node that is done by now; None if there is none."""
        return heapq.heappop(self._due)[2] if self._due and self._due[0][0] <= self.now else None

    def tick(self) -> tuple[float, float] | None:
        """If it is time for a tick: since the start, and since the last one."""
        if not (self.ticks or self.moving) or self.now < self.next_tick:
            return None
        since = math.nan if self.last_tick is None else self.now - self.last_tick
        self.last_tick, self.next_tick = self.now, self.now + TICK
        return self.now, since


@attrs.frozen
class Moving:
    """A value on its way from one to another."""

    target: Any
    start: Any
    end: Any
    began: float
    seconds: float
    p1: tuple[float, float]
    p2: tuple[float, float]

    def at(self, now: float) -> tuple[Any, bool]:
        """What it is now, and whether it has arrived."""
        t = 1.0 if self.seconds == 0 else (now - self.began) / self.seconds
        if t >= 1:
            return self.end, True
        q = _eased(t, self.p1, self.p2)
        if isinstance(self.start, tuple):
            return tuple(a + (b - a) * q for a, b in zip(self.start, self.end, strict=True)), False
        return self.start + (self.end - self.start) * q, False


def _eased(x: float, p1: tuple[float, float], p2: tuple[float, float]) -> float:
    """How far a curve of Bézier from (0, 0) to (1, 1) has come at a time."""
    low, high = 0.0, 1.0
    for _ in range(40):
        t = (low + high) / 2
        if 3 * (1 - t) ** 2 * t * p1[0] + 3 * (1 - t) * t**2 * p2[0] + t**3 < x:
            low = t
        else:
            high = t
    t = (low + high) / 2
    return 3 * (1 - t) ** 2 * t * p1[1] + 3 * (1 - t) * t**2 * p2[1] + t**3
