"""A line of those who wait: the highest priority first, then who came first (P7). Each step takes O(log n)."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(Generic[T]):
    """Who waits, in order. One who leaves from the middle is forgotten when those before have gone."""

    __slots__ = ("_heap", "_left", "_numbers", "_places")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, T]] = []
        self._places: dict[int, int] = {}  # by identity of who waits: its number
        self._left: set[int] = set()  # numbers of those who have left
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._places)

    def join(self, one: T, rank: int) -> None:
        """Stand in line; a higher rank comes first."""
        number = self._numbers
        self._numbers = number + 1
        self._places[id(one)] = number
        heapq.heappush(self._heap, (-rank, number, one))

    def leave(self, one: T) -> None:
        """Go, from wherever one stands."""
        self._left.add(self._places.pop(id(one)))

    def first(self) -> T | None:
        """Who comes first; None if nobody waits."""
        heap = self._heap
        while heap and heap[0][1] in self._left:
            self._left.discard(heapq.heappop(heap)[1])
        return heap[0][2] if heap else None

    def in_order(self) -> list[T]:
        """All, in their order."""
        return [one for _, number, one in sorted(self._heap, key=lambda each: each[:2]) if number not in self._left]
