"""Stores: what a strand sees, and how a fork's writes come back (F1, F3, F4)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trioflow.reference.graph import Cell, Failure, digest

Key = tuple[str, ...]
"""`("out", node, socket)`, `("var", name)` or `("state", node, key)`."""


class Store:
    """Cells by key, each with the stamp of the moment at which it counts as written (F3)."""

    def __init__(self, policies: Mapping[str, str], clock: Iterator[int] | None = None) -> None:
        self._policies = policies
        self._clock = clock or itertools.count()
        self._entries: dict[Key, tuple[int, Cell]] = {}
        self._base: dict[Key, tuple[int, Cell]] = {}
        self._born = -1

    def read(self, key: Key) -> Cell | None:
        """The current cell."""
        entry = self._entries.get(key)
        return entry[1] if entry is not None else None

    def write(self, key: Key, cell: Cell) -> None:
        """D9: a new cell, even if the value is equal."""
        self._entries[key] = (next(self._clock), cell)

    def outputs(self) -> Iterator[tuple[str, str, Any]]:
        """All outputs that were written."""
        for key, (_, cell) in self._entries.items():
            if key[0] == "out":
                yield key[1], key[2], cell.value

    def fork(self) -> Store:
        """F1: a store of its own that starts with what is here now."""
        child = Store(self._policies, self._clock)
        child._born = next(self._clock)
        child._entries, child._base = dict(self._entries), dict(self._entries)
        return child

    def join(self, child: Store, conflict: Callable[[str], None]) -> None:
        """F3: the child's writes count as made at the moment of its fork; what is younger here stays.

        If a merge fails, nothing is changed (F4).
        """
        found: dict[Key, tuple[int, Cell]] = {}
        conflicts: list[str] = []
        for key, theirs in child._entries.items():
            base, mine = child._base.get(key), self._entries.get(key)
            if theirs is base:
                continue  # the child has not written it
            if key[0] == "var" and mine is not base:
                assert mine is not None
                assert base is not None
                found[key] = self._merged(key, child._born, base[1], mine, theirs[1], conflicts)
            elif mine is None or mine[0] < child._born:
                found[key] = (child._born, theirs[1])
        self._entries |= found
        for name in conflicts:
            conflict(name)

    def _merged(
        self, key: Key, born: int, base: Cell, mine: tuple[int, Cell], theirs: Cell, conflicts: list[str]
    ) -> tuple[int, Cell]:
        """F4: both sides have written the variable since the fork."""
        policy = self._policies[key[1]]
        mine_is_younger = mine[0] > born
        if policy == "error":
            raise Failure("merge")
        if policy in ("last", "first"):
            if policy == "last":
                conflicts.append(key[1])
            return (born, theirs) if mine_is_younger == (policy == "first") else mine
        try:
            value = _POLICIES[policy](base.value, mine[1].value, theirs.value)
        except (TypeError, ValueError):
            raise Failure("merge") from None
        return born, Cell(value, "+" + digest(mine[1].origin, theirs.origin))


def _append(base: Any, mine: Any, theirs: Any) -> Any:
    if theirs[: len(base)] != base:
        raise ValueError
    return mine + theirs[len(base) :]


def _union(base: Any, mine: Any, theirs: Any) -> Any:
    found: list[Any] = []
    for item in [*mine, *theirs]:
        if not any(type(item) is type(each) and item == each for each in found):
            found.append(item)
    return found


_POLICIES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sum": lambda base, mine, theirs: mine + (theirs - base),
    "append": _append,
    "union": _union,
    "min": lambda _base, mine, theirs: min(mine, theirs),
    "max": lambda _base, mine, theirs: max(mine, theirs),
}
