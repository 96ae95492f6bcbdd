"""Cells and stores: what a strand sees and how it forks (F1, F6).

A store is a flat list of cells; the plan says which slot holds which output or variable, so reading is an index and a
fork is a copy of the list. Where many forks come after forks (`history`) there are `Pages` instead, of which a fork
copies what is written.
A cell is one written value; it is never changed but by the join that makes it, so its identity is its version (D9).

Every write and every fork takes a number from one counter of the run, so that a join can compare them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, cast, overload

import attrs


def digest(origins: Iterable[str]) -> str:
    """Several origins in one of fixed length."""
    return hashlib.sha256("\n".join(origins).encode()).hexdigest()[:16]


StateKey = tuple[int, str]
"""The place of a value of a node's state: the node, and the name."""


class Cell:
    """One value that was written. `serial` orders cells by age; `memo` holds the evaluations that it keeps alive.

    An output of a data node is as old as the youngest cell that it depends on, whenever it was computed.

    `origin` says who wrote it, for identities of evaluations that are equal under every schedule (`identity`).
    """

    __slots__ = ("__weakref__", "memo", "origin", "serial", "value")

    value: Any
    serial: int
    origin: Any
    memo: dict[Any, Any] | None

    # `new_cell` sets everything, and so does whoever makes one for each step: `__init__` would double the price.

    def __repr__(self) -> str:
        return f"<cell {self.serial}: {getattr(self, 'value', 'unset')!r}>"


def new_cell(value: Any, serial: int, origin: Any = "?") -> Cell:
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


DELETED = object()
"""The value of a place in a node's state that was deleted: a write like any other (F6)."""


@attrs.frozen
class VariableSlot:
    """What the store must know of a variable: its name, and how concurrent writes merge."""

    name: str
    policy: str
    default: Any


_SHIFT = 7
_PAGE = 1 << _SHIFT
_IN_PAGE = _PAGE - 1


class Pages(Sequence[Any]):
    """The cells of a store with many places: indexed like a list, and copied at the price of what is written then (F7).

    They lie in pages of 128. A copy has the same pages; whoever writes to a page that others may have copies it before.
    To read costs four times what it costs in a list, to write eight times.
    """

    __slots__ = ("_own", "_pages", "_size")

    def __init__(self, cells: list[Any]) -> None:
        self._size = len(cells)
        self._pages = [cells[first : first + _PAGE] for first in range(0, self._size, _PAGE)]
        # The numbers of the pages that nobody else has.
        self._own = set(range(len(self._pages)))

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, slot: int) -> Any: ...
    @overload
    def __getitem__(self, slot: slice) -> Sequence[Any]: ...
    def __getitem__(self, slot: int | slice) -> Any:
        if isinstance(slot, slice):
            return self._part(slot)
        if slot < 0:
            slot += self._size
        return self._pages[slot >> _SHIFT][slot & _IN_PAGE]

    def __setitem__(self, slot: int, cell: Any) -> None:
        if slot < 0:
            slot += self._size
        number = slot >> _SHIFT
        if number not in self._own:
            self._pages[number] = self._pages[number].copy()
            self._own.add(number)
        self._pages[number][slot & _IN_PAGE] = cell

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pages) and (self._size, self._pages) == (other._size, other._pages)

    __hash__ = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType]

    def copy(self) -> Pages:
        """The same cells, for another store."""
        return self._beginning(self._size)

    def _part(self, part: slice) -> Sequence[Any]:
        first, end, step = part.indices(self._size)
        if (first, step) == (0, 1) and end > _PAGE:
            beginning = self._beginning(end)
            beginning._pages[-1] = beginning._pages[-1][: (end - 1) % _PAGE + 1]
            return beginning
        return [self[slot] for slot in range(first, end, step)]

    def _beginning(self, size: int) -> Pages:
        same = Pages.__new__(Pages)
        same._size = size
        same._pages = self._pages[: (size + _IN_PAGE) >> _SHIFT]
        same._own = set()
        self._own = set()  # now somebody else has them, too
        return same


def paged(cells: list[Any], most: int) -> list[Any]:
    """These cells, in pages if there are more than so many. Who has them need not know: both are indexed alike."""
    return cast("list[Any]", Pages(cells)) if len(cells) > most and isinstance(cells, list) else cells


class Written(Protocol):
    """What a strand wrote since its fork, as needed at the join; the rest of its store can be forgotten."""

    born: int
    """The number of the fork."""
    base: Sequence[Cell]
    """The variables as they were then."""
    written: dict[int, Cell]
    written_state: dict[StateKey, Cell]


_EMPTY: Any = MappingProxyType({})
"""The dicts of forks that have not written, as many never do: whoever writes to an empty one makes its own."""


class Store:
    """The cells that one strand sees. Variables have the first slots, in the order of their declaration."""

    __slots__ = (
        "_base_of_forks", "_joined", "_ranges", "_readers", "base", "born", "cells", "evaluations", "horizon", "merges",
        "next_serial", "partial", "revision", "state", "variables", "written", "written_state",
    )  # fmt: skip

    cells: list[Any]
    """By slot: Cell, or for a data node that is not static its last Evaluation here, or None. The outputs of a static
    one are here as long as they are current. In place of the list it is `Pages` if there are many."""
    evaluations: dict[int, Any]
    """Of static nodes, by slot, while somebody watches: the last evaluation here."""
    partial: bool
    """Whether a static node has left an output unset."""
    horizon: float
    """What was computed from cells that are no older may be asked for by other strands, and must be remembered for
    them. The first strand shares what was there at a fork, or came by a join. What a fork writes it shares later."""
    state: dict[StateKey, Cell]
    revision: object
    """Changes with every write: what was verified under the same revision still holds."""
    next_serial: Callable[[], int]
    variables: Sequence[VariableSlot]
    merges: Mapping[str, Callable[[Any, Any, Any], Any]]
    born: int
    base: Sequence[Cell]
    written: dict[int, Cell]
    """What this strand has written."""
    written_state: dict[StateKey, Cell]
    # By slot, the slots of what was computed from it (and from nothing that isn't in the store).
    _readers: Sequence[Sequence[int]]
    # The same with all that was computed from that, as ranges, made when a slot is first written over: all stores have
    # the same. An empty one for slots that are too few, or too scattered.
    _ranges: dict[int, Sequence[slice]]
    # The same list for all forks that find the variables the same.
    _base_of_forks: Sequence[Cell]
    # What came by a join: the cell, and the fork's number, which counts as the time of writing (F3).
    _joined: dict[int | StateKey, tuple[Cell, int]]

    # `empty_store` sets everything, and so does `fork`: it runs once per item of a stream, and `__init__` would cost as
    # much as the rest.

    def write(self, slot: int, value: Any, origin: Any = "?") -> Cell:
        """Write a value: always a new cell (D9)."""
        cell = Cell()  # as `new_cell` would do
        cell.value = value
        cell.serial = self.next_serial()
        cell.origin = origin
        cell.memo = None
        cells = self.cells
        cells[slot] = self.revision = cell
        if self.written:
            self.written[slot] = cell
        else:
            self.written = {slot: cell}
        readers = self._readers[slot]
        if readers:
            for reader in readers:
                if cells[reader] is not None:
                    cells[reader] = None
                    if self._readers[reader]:
                        self._spoil(reader)
        return cell

    def drop(self, slot: int) -> None:
        """Let go of an output that nobody reads any more (W20)."""
        self.cells[slot] = None
        if slot in self.written:
            del self.written[slot]

    def write_state(self, node: int, name: str, value: Any) -> None:
        """Write a value of a node's state (F6)."""
        self._set_state((node, name), new_cell(value, self.next_serial()))

    def fork(self) -> Store:
        """A store of its own that starts with what is here now (F1). Costs one copy of the lists, or of none (F7)."""
        child = Store()
        child.next_serial = self.next_serial
        child.variables = self.variables
        child.merges = self.merges
        child.born = self.next_serial()
        child._readers = self._readers
        child._ranges = self._ranges
        if self.variables:
            base = self.cells[: len(self.variables)]
            if base != self._base_of_forks:
                self._base_of_forks = base
            child.base = self._base_of_forks
        else:
            child.base = ()
        child._base_of_forks = ()
        child.written = child.written_state = child._joined = _EMPTY
        child.cells = self.cells.copy()
        child.state = self.state.copy() if self.state else _EMPTY
        child.revision = self.revision
        child.evaluations = self.evaluations.copy() if self.evaluations else _EMPTY
        child.partial = self.partial
        child.horizon = math.inf
        if self.horizon < math.inf:
            self.horizon = child.born
        return child

    def written_at(self, key: int | StateKey, cell: Cell) -> int:
        """When a cell that is here counts as written (F3)."""
        joined = self._joined.get(key)
        return joined[1] if joined is not None and joined[0] is cell else cell.serial

    def take(self, key: int | StateKey, cell: Cell, number: int) -> None:
        """Have a fork's cell in place of what was there, as written at the moment of the fork (F3)."""
        if self._joined:
            self._joined[key] = (cell, number)
        else:
            self._joined = {key: (cell, number)}
        if not isinstance(key, int):
            self._set_state(key, cell)
            return
        self.cells[key] = cell
        if self.written:
            self.written[key] = cell
        else:
            self.written = {key: cell}
        if self._readers[key]:
            self._spoil(key)

    def end_join(self, *, changed: bool) -> None:
        """If anything was taken, what was verified before must be looked at again, and others may ask for it."""
        self._base_of_forks = ()  # which would keep values that are written over
        if changed:
            self.revision = object()
            if self.horizon < math.inf:
                self.horizon = self.next_serial()

    def _set_state(self, key: StateKey, cell: Cell) -> None:
        if not self.state:
            self.state = {}
        if not self.written_state:
            self.written_state = {}
        self.state[key] = self.written_state[key] = cell

    def _spoil(self, slot: int) -> None:
        """Something was written here: what was computed from it is not current any more.

        Whatever is current was computed from what is current, so it is enough to go on from where something was. If
        the last of all is there, most will be: then they are taken out at once.
        """
        cells = self.cells
        ranges = self._ranges.get(slot)
        if ranges is None:
            ranges = self._ranges[slot] = _ranges_behind(self._readers, slot)
        if ranges and cells[ranges[-1].stop - 1] is not None and type(cells) is list:
            for each in ranges:
                cells[each] = [None] * (each.stop - each.start)
            return
        waiting = [self._readers[slot]]
        for slots in waiting:
            for reader in slots:
                if cells[reader] is not None:
                    cells[reader] = None
                    if self._readers[reader]:
                        waiting.append(self._readers[reader])


_FEW = 4
"""So many slots in a row, on average, are worth a range."""


def _ranges_behind(readers: Sequence[Sequence[int]], slot: int) -> Sequence[slice]:
    """All slots behind one, as ranges; none if they are too short on average."""
    found = set(readers[slot])
    waiting = [*found]
    while waiting:
        for each in readers[waiting.pop()]:
            if each not in found:
                found.add(each)
                waiting.append(each)
    ordered = sorted(found)
    ranges: list[slice] = []
    first = 0
    for place, each in enumerate(ordered, 1):
        if place == len(ordered) or ordered[place] != each + 1:
            ranges.append(slice(ordered[first], each + 1))
            first = place
    return ranges if len(ordered) >= _FEW * len(ranges) else ()


def empty_store(
    size: int,
    variables: Sequence[VariableSlot],
    merges: Mapping[str, Callable[[Any, Any, Any], Any]],
    count: Callable[[], int],
    readers: Sequence[Sequence[int]] | None = None,
    ranges: dict[int, Sequence[slice]] | None = None,
) -> Store:
    """A store with so many slots, for the first strand."""
    store = Store()
    store.next_serial = count
    store.variables = variables
    store.merges = merges
    store.born = -1
    store.base = store._base_of_forks = ()
    store._readers = [()] * size if readers is None else readers
    store._ranges = {} if ranges is None else ranges
    store.written, store.written_state, store._joined = {}, {}, {}
    store.cells = [None] * size
    store.state, store.evaluations = {}, {}
    store.partial = False
    store.horizon = -2
    store.revision = object()
    return store
