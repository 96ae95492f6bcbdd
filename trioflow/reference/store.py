"""Stores: what a strand sees, and how a fork's writes come back (F1, F3, F4)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trioflow.contract.trace import digest
from trioflow.reference.graph import Cell, Failure

Key = tuple[str, ...]
"""`("out", node, socket)`, `("var", name)` or `("state", node, key)`."""
Entry = tuple[int, Cell]
"""A cell with the stamp of the moment at which it counts as written (F3)."""


class Store:
    """The cells that a strand sees, by key. `policies` say how variables are merged."""

    def __init__(self, policies: Mapping[str, str]) -> None:
        self._policies = policies
        self._stamps: Iterator[int] = itertools.count()
        self.entries: dict[Key, Entry] = {}
        self._base: dict[Key, Entry] = {}
        self._born = -1
        self.verified: dict[Any, Any] = {}
        """What demands were answered since anything was written or joined here, by moment and node."""

    def read(self, key: Key) -> Cell | None:
        """The current cell."""
        return self.entries[key][1] if key in self.entries else None

    def write(self, key: Key, cell: Cell) -> None:
        """D9: a new cell, even if the value is equal."""
        self.entries[key] = (next(self._stamps), cell)
        self.verified.clear()

    def fork(self) -> Store:
        """F1: a store of its own that starts with what is here now."""
        child = Store(self._policies)
        child._stamps, child._born = self._stamps, next(self._stamps)
        child.entries, child._base = dict(self.entries), dict(self.entries)
        return child

    def beginning_with(self, cells: Mapping[Key, Cell]) -> Store:
        """A store of its own that starts with these cells (F9)."""
        child = self.fork()
        child.entries = {key: (child._born, cell) for key, cell in cells.items()}
        child._base = dict(child.entries)
        return child

    def replace(self, cells: Mapping[Key, Cell]) -> None:
        """Have these cells, as if what is new among them had been written here."""
        for key, cell in cells.items():
            if key not in self.entries or self.entries[key][1] is not cell:
                self.write(key, cell)

    def join(self, child: Store) -> list[str]:
        """F3: the child's writes count as made at the moment of its fork; what is younger here stays.

        Gives the variables with conflicts. If a merge fails, nothing is changed (F4).
        """
        found: dict[Key, Entry] = {}
        conflicts: list[str] = []
        for key, theirs in child.entries.items():
            base, mine = child._base.get(key), self.entries.get(key)
            if theirs is base:
                continue  # the child has not written it
            if key[0] == "var" and base and mine and mine is not base:
                policy = self._policies[key[1]]
                conflicts += [key[1]] if policy == "last" else []
                found[key] = _merged(policy, child._born, base[1], mine, theirs[1])
            elif mine is None or mine[0] < child._born:
                found[key] = (child._born, theirs[1])
        self.entries |= found
        self.verified.clear()
        return conflicts


def _merged(policy: str, born: int, base: Cell, mine: Entry, theirs: Cell) -> Entry:
    """F4: both sides have written the variable since the fork."""
    if policy in ("last", "first"):
        mine_is_younger = mine[0] > born
        return mine if mine_is_younger == (policy == "last") else (born, theirs)
    value = merged(policy, base.value, mine[1].value, theirs.value)
    return born, Cell(value, "+" + digest([mine[1].origin, theirs.origin]))


def merged(policy: str, base: Any, mine: Any, theirs: Any) -> Any:
    """What comes of three values under a policy that merges them."""
    try:
        return _POLICIES[policy](base, mine, theirs)
    except (KeyError, TypeError, ValueError):  # `error` is no key
        raise Failure("merge") from None


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise TypeError  # D11: true and false are no numbers
    return value


def _same(left: Any, right: Any) -> bool:
    """Whether two values are equal, and of the same types, at every depth: 1 is not true."""
    if type(left) is not type(right) or not isinstance(left, list):
        return type(left) is type(right) and bool(left == right)
    return len(left) == len(right) and all(map(_same, left, right))


def _append(base: Any, mine: Any, theirs: Any) -> Any:
    if not _same(theirs[: len(base)], base):
        raise ValueError
    return mine + theirs[len(base) :]


def _union(_base: Any, mine: Any, theirs: Any) -> Any:
    found: list[Any] = []
    for item in [*mine, *theirs]:
        if not any(_same(item, each) for each in found):
            found.append(item)
    return found


_POLICIES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sum": lambda base, mine, theirs: _number(mine) + (_number(theirs) - _number(base)),
    "append": _append,
    "union": _union,
    "min": lambda _base, mine, theirs: min(_number(mine), _number(theirs)),
    "max": lambda _base, mine, theirs: max(_number(mine), _number(theirs)),
}
