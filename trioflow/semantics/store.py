"""Cells and stores: what a strand sees, how it forks and how forks merge (F1, F3, F4, F6).

A store is a flat list of cells; the plan says which slot holds which output or variable, so reading is an index and a
fork is a copy of the list. A cell is one written value; it is never changed, so its identity is its version (D9).

Every write and every fork takes a number from one counter of the run. That makes F3 a comparison: a child's cell
replaces the owner's unless the owner's was written after the fork, that is, bears a higher number.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from trioflow.errors import MergeError
from trioflow.semantics.merge import GROWING, addition, merge_variable


def digest(origins: Iterable[str]) -> str:
    """Several origins in one of fixed length."""
    return hashlib.sha256("\n".join(origins).encode()).hexdigest()[:16]


Key = int | tuple[int, str]
"""A place in a store: a slot, or (node, name) for a value of a node's state."""


class Cell:
    """One value that was written. `serial` orders cells by age; `memo` holds the evaluations that it keeps alive.

    An output of a data node is as old as the youngest cell that it depends on, whenever it was computed.

    `origin` says who wrote it, for identities of evaluations that are equal under every schedule.
    """

    __slots__ = ("__weakref__", "memo", "origin", "serial", "value")

    value: Any
    serial: int
    origin: str
    memo: dict[Any, Any] | None

    # `new_cell` sets everything, and so does whoever makes one for each step: `__init__` would double the price.

    def __repr__(self) -> str:
        return f"<cell {self.serial}: {getattr(self, 'value', 'unset')!r}>"


def new_cell(value: Any, serial: int, origin: str = "?") -> Cell:
    """A cell with this value."""
    cell = Cell()
    cell.value = value
    cell.serial = serial
    cell.origin = origin
    cell.memo = None
    return cell


LEFT_UNSET = new_cell(None, -1)
"""Stands where the store keeps the outputs of a static data node for one that was left unset. It has no value."""
del LEFT_UNSET.value


@attrs.frozen
class VariableSlot:
    """What the store must know of a variable: its name, and how concurrent writes merge."""

    name: str
    policy: str
    default: Any


@attrs.frozen
class Conflict:
    """A variable that was written by more than one side, under the policy `last`."""

    variable: str
    kept: Any
    lost: Any


class Writes:
    """What a strand wrote since its fork, as needed at the join; the rest of its store can be forgotten."""

    __slots__ = ("base", "cells", "number")

    def __init__(self, number: int, cells: dict[Key, Cell], base: Sequence[Cell]) -> None:
        self.number = number
        self.cells = cells
        self.base = base


NO_WRITES = Writes(0, {}, ())
"""What a strand that wrote nothing leaves for the join."""

_BY_AGE = ("last", "first")
"""The policies that ask who wrote when."""

_new = object.__new__

_EMPTY: Any = MappingProxyType({})
_CLEAN: Any = ()
"""Dict and list of forks that have not written, as many never do: whoever writes to an empty one makes its own."""


class Store:
    """The cells that one strand sees. Variables have the first slots, in the order of their declaration."""

    __slots__ = (
        "_base", "_born", "_dirty", "_effective", "_merges", "_next", "_readers", "_variables", "cells", "evaluations",
        "horizon", "partial", "revision", "state",
    )  # fmt: skip

    def __init__(
        self,
        size: int,
        variables: Sequence[VariableSlot],
        merges: Mapping[str, Callable[[Any, Any, Any], Any]],
        count: Callable[[], int],
        readers: Sequence[Sequence[int]] | None = None,
    ) -> None:
        self._next = count
        # By slot, the slots of what was computed from it (and from nothing that isn't in the store).
        self._readers = [()] * size if readers is None else readers
        self._variables = variables
        self._merges = merges
        self._born = -1
        self._base: Sequence[Cell] = ()
        # Slots that this strand wrote first; a later write to the same slot needs no second entry.
        self._dirty: list[Key] = []
        # Merged slots: the cell, and the fork's number, which counts as the time of writing (F3).
        self._effective: dict[Key, tuple[Cell, int]] = {}
        # Cell, or for a data node that is not static its last Evaluation here, or None. The outputs of a static one
        # are here as long as they are current.
        self.cells: list[Any] = [None] * size
        # Of static nodes, by slot, while somebody watches: the last evaluation here.
        self.evaluations: dict[int, Any] = {}
        # Whether a static node has left an output unset.
        self.partial = False
        # What was computed from cells that are no older may be asked for by other strands, and must be remembered for
        # them. The first strand shares what was there at a fork, or came by a join. What a fork writes it shares later.
        self.horizon: float = -2
        self.state: dict[tuple[int, str], Cell] = {}
        # Changes with every write: what was verified under the same revision still holds.
        self.revision: object = object()

    def write(self, slot: int, value: Any, origin: str = "?") -> Cell:
        """Write a value: always a new cell (D9)."""
        cell = Cell()  # as `new_cell` would do
        cell.value = value
        cell.serial = self._next()
        cell.origin = origin
        cell.memo = None
        cells = self.cells
        old = cells[slot]
        if old is None or old.serial <= self._born:
            if self._dirty:
                self._dirty.append(slot)
            else:
                self._dirty = [slot]
        cells[slot] = self.revision = cell
        readers = self._readers[slot]
        if readers:
            for reader in readers:
                if cells[reader] is not None:
                    cells[reader] = None
                    if self._readers[reader]:
                        self._spoil(self._readers[reader])
        return cell

    def write_state(self, node: int, name: str, value: Any) -> None:
        """Write a value of a node's state (F6)."""
        key = (node, name)
        old = self.state.get(key)
        if old is None or old.serial <= self._born:
            self._note(key)
        if not self.state:
            self.state = {}
        self.state[key] = new_cell(value, self._next())

    def fork(self) -> Store:
        """A store of its own that starts with what is here now (F1). Costs one copy of the lists (F7)."""
        child = _new(Store)
        child._next = self._next
        child._variables = self._variables
        child._merges = self._merges
        child._born = self._next()
        child._readers = self._readers
        child._base = self.cells[: len(self._variables)] if self._variables else ()
        child._dirty = _CLEAN
        child._effective = _EMPTY
        child.cells = self.cells.copy()
        child.state = self.state.copy() if self.state else _EMPTY
        child.revision = self.revision
        child.evaluations = self.evaluations.copy() if self.evaluations else _EMPTY
        child.partial = self.partial
        child.horizon = math.inf
        if self.horizon < math.inf:
            self.horizon = child._born
        return child

    def writes(self) -> Writes:
        """What this strand wrote since its fork."""
        if not self._dirty:
            return NO_WRITES
        cells, state = self.cells, self.state
        return Writes(
            self._born, {key: cells[key] if isinstance(key, int) else state[key] for key in self._dirty}, self._base
        )

    def merge(self, writes: Writes, made: dict[int, Cell] | None = None) -> list[Conflict]:
        """Join a fork: its writes count as made at the moment of the fork (F3); variables follow their policy (F4).

        To be called in the order in which the forks were made. `made` is the same dict for all that are merged without
        a pause: what is in it was made by a merge, and may be changed by the next. Raises `MergeError`.
        """
        made = {} if made is None else made
        conflicts: list[Conflict] = []
        number, base = writes.number, writes.base
        cells, state = self.cells, self.state
        kept: list[tuple[Key, Cell, Cell | None]] = []
        additions: list[Callable[[], object]] = []
        for key, theirs in writes.cells.items():
            mine: Any
            if not isinstance(key, int):
                mine = state.get(key)
            else:
                mine = cells[key]
                if key < len(base) and mine is not base[key]:
                    cell = self._merged(key, writes, mine, theirs, conflicts, made, additions)
                    if cell is not mine:
                        kept.append((key, cell, mine))
                    continue
            if mine is None or self._written(key, mine) < number:  # F3
                kept.append((key, theirs, mine))
        for add in additions:  # only now: a merge that fails changes nothing
            add()
        if kept:
            self._take(kept, number)
        self.revision = object()
        if self.horizon < math.inf:
            self.horizon = self._next()
        return conflicts

    def _spoil(self, readers: Sequence[int]) -> None:
        """Something was written: what was computed from it is not current any more.

        Whatever is current was computed from what is current, so it is enough to go on from where something was.
        """
        cells = self.cells
        waiting = [readers]
        for slots in waiting:
            for slot in slots:
                if cells[slot] is not None:
                    cells[slot] = None
                    if self._readers[slot]:
                        waiting.append(self._readers[slot])

    def _take(self, cells: Sequence[tuple[Key, Cell, Cell | None]], number: int) -> None:
        """Take these cells in place of what was there, as written at the moment of the fork."""
        self._effective = self._effective or {}
        for key, cell, old in cells:
            if old is None or old.serial <= self._born:
                self._note(key)
            self._effective[key] = (cell, number)
            if isinstance(key, int):
                self.cells[key] = cell
                if self._readers[key]:
                    self._spoil(self._readers[key])
            else:
                self.state = self.state or {}
                self.state[key] = cell

    def _note(self, key: Key) -> None:
        """This strand has written there."""
        if self._dirty:
            self._dirty.append(key)
        else:
            self._dirty = [key]

    def _written(self, key: Key, cell: Cell) -> int:
        """When a cell of this store counts as written."""
        merged = self._effective.get(key)
        return merged[1] if merged is not None and merged[0] is cell else cell.serial

    def _merged(
        self,
        slot: int,
        writes: Writes,
        mine: Cell,
        theirs: Cell,
        conflicts: list[Conflict],
        made: dict[int, Cell],
        additions: list[Callable[[], object]],
    ) -> Cell:
        """What a variable is after a join if more than one side wrote since the fork (F4). Raises `MergeError`."""
        variable = self._variables[slot]
        policy = variable.policy
        if policy in _BY_AGE:
            mine_is_younger = self._written(slot, mine) > writes.number
            if policy == "first":
                return theirs if mine_is_younger else mine
            kept, lost = (mine, theirs) if mine_is_younger else (theirs, mine)
            conflicts.append(Conflict(variable.name, kept.value, lost.value))
            return kept
        if policy == "error":
            raise MergeError(
                f"Variable {variable.name!r} was written by more than one concurrent strand "
                f"({mine.value!r} and {theirs.value!r}), and its merge policy is 'error'. "
                "Write it in one strand only, or give it a policy such as 'last', 'sum' or 'append'."
            )
        base, value = writes.base[slot].value, mine.value
        add = None
        if policy in GROWING and made.get(slot) is mine and policy not in self._merges:
            add = addition(policy, base, value, theirs.value)
        if add is not None:
            additions.append(add)
        else:
            value = merge_variable(policy, self._merges, variable.name, base, value, theirs.value)
        watched = mine.origin != "?" or theirs.origin != "?"
        origin = "+" + digest((mine.origin, theirs.origin)) if watched else "?"
        cell = made[slot] = new_cell(value, self._next(), origin)
        return cell
