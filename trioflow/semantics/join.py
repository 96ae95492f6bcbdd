"""Joins: how what forks wrote comes back to the store of their owner (F3, F4, F6).

Every write and every fork has a number from one counter of the run. That makes F3 a comparison: a fork's cell replaces
the owner's unless the owner's was written after the fork, that is, bears a higher number. Forks are merged in the order
of their numbers, so of all that wrote to a slot the last is the only one to be compared. Variables that more than one
side wrote follow their policy (F4).

Forks that come after forks may meet the same merge more than once (F9). `Versions` let a join know it again.
"""

from __future__ import annotations

import weakref

import attrs

from trioflow.errors import MergeError
from trioflow.semantics.identity import origin_text
from trioflow.semantics.merge import GROWING, addition, merge_variable
from trioflow.semantics.store import Cell, StateKey, Store, Written, digest

_BY_AGE = ("last", "first")
"""The policies that ask who wrote when."""


@attrs.frozen
class Conflict:
    """A variable that was written by more than one side, under the policy `last`."""

    variable: str
    kept: object
    lost: object


class Version:
    """What comes of the merge of two cells, wherever that is done. `cell` is one that has it, as long as it lives."""

    __slots__ = ("__weakref__", "cell")

    def __init__(self) -> None:
        self.cell: weakref.ref[Merged] | None = None


Versions = dict[tuple[int, "Cell | Version"], Version]
"""Of one fork: what came of it when its cell of a slot was merged with what was there."""


class Merged(Cell):
    """A cell that a join has made of two. Two cells of one version are the same cell (F9)."""

    __slots__ = ("version",)

    version: Version | None


def version_of(cell: Cell) -> Cell | Version:
    """What makes a cell the same as another: its version if it was merged and that can be met again, or itself."""
    return (cell.version or cell) if isinstance(cell, Merged) else cell


class Join:
    """Forks on their way into their owner's store: `add` them in the order in which they were made, then `commit`.

    The store changes with `commit` only, all at once; nobody may write to it in between. `commit` is due also where a
    fork did not merge, for the sake of those before it: they are merged once more then.
    """

    __slots__ = ("_added", "_cells", "_last", "_last_state", "_made", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._added: list[tuple[Written, Versions | None]] = []
        self._begin()

    def _begin(self) -> None:
        # By slot, and by place in the states: the last fork that wrote there.
        self._last: dict[int, Written] = {}
        self._last_state: dict[StateKey, Written] = {}
        # What variables are by now.
        self._cells: dict[int, Cell] = {}
        # Those of these cells that this join has made: nobody else has them yet.
        self._made: dict[int, Merged] = {}

    def add(self, writes: Written, versions: Versions | None = None) -> list[Conflict]:
        """Take in what the next fork wrote; tells what was lost. Raises `MergeError`: then this fork is left out.

        With the `versions` of this fork, what is merged here is the same as what another join merged of the same cells.
        """
        base, count = writes.base, len(writes.base)
        cells, last, here = self._cells, self._last, self._store.cells
        conflicts: list[Conflict] = []
        try:
            for slot, theirs in writes.written.items():
                if slot < count:
                    mine = cells.get(slot) or here[slot]
                    if mine is base[slot]:
                        cells[slot] = theirs
                    elif not self._merge(slot, writes, mine, theirs, conflicts, versions):
                        continue
                last[slot] = writes
        except MergeError:
            # Some of this fork may have been merged already: begin again with those before it.
            added, self._added = self._added, []
            self._begin()
            for each, its_versions in added:
                self.add(each, its_versions)
            raise
        for key in writes.written_state:
            self._last_state[key] = writes
        self._added.append((writes, versions))
        return conflicts

    def commit(self) -> None:
        """Change the store."""
        store = self._store
        taken = False
        for slot, writes in self._last.items():
            merged = self._cells.get(slot)
            mine: Cell | None = store.cells[slot]
            if merged is not None:
                store.take(slot, self._known(slot, merged), writes.born)
                taken = True
            elif mine is None or store.written_at(slot, mine) < writes.born:  # F3
                store.take(slot, writes.written[slot], writes.born)
                taken = True
        for key, writes in self._last_state.items():
            mine = store.state.get(key)
            if mine is None or store.written_at(key, mine) < writes.born:  # F3, F6
                store.take(key, writes.written_state[key], writes.born)
                taken = True
        store.end_join(changed=taken)

    def _known(self, slot: int, merged: Cell) -> Cell:
        """The cell of the same version that is in a store already, if this join has made one more."""
        if not isinstance(merged, Merged) or merged.version is None or self._made.get(slot) is not merged:
            return merged
        known = None if merged.version.cell is None else merged.version.cell()
        if known is None:
            merged.version.cell = weakref.ref(merged)
        return known or merged

    def _merge(
        self,
        slot: int,
        writes: Written,
        mine: Cell,
        theirs: Cell,
        conflicts: list[Conflict],
        versions: Versions | None,
    ) -> bool:
        """Merge a variable that more than one side wrote since the fork (F4): whether it is another one then."""
        if versions is not None and version_of(mine) is version_of(writes.base[slot]):
            self._cells[slot] = theirs  # the fork alone did, for the same merge was made where it started (F9)
            return True
        store = self._store
        variable = store.variables[slot]
        policy = variable.policy
        if policy in _BY_AGE:
            last = self._last.get(slot)
            mine_is_younger = (store.written_at(slot, mine) if last is None else last.born) > writes.born
            if policy == "first":
                takes_theirs = mine_is_younger
            else:
                takes_theirs = not mine_is_younger
                kept, lost = (mine, theirs) if mine_is_younger else (theirs, mine)
                conflicts.append(Conflict(variable.name, kept.value, lost.value))
            if takes_theirs:
                self._cells[slot] = theirs
            return takes_theirs
        if policy == "error":
            raise MergeError(
                f"Variable {variable.name!r} was written by more than one concurrent strand "
                f"({mine.value!r} and {theirs.value!r}), and its merge policy is 'error'. "
                "Write it in one strand only, or give it a policy such as 'last', 'sum' or 'append'."
            )
        base = writes.base[slot].value
        made = self._made.get(slot)
        version = None if versions is None else versions.setdefault((slot, version_of(mine)), Version())
        watched = mine.origin != "?" or theirs.origin != "?"
        origin = "+" + digest(map(origin_text, (mine.origin, theirs.origin))) if watched else "?"
        if made is None or made is not mine:
            value = merge_variable(policy, store.merges, variable.name, base, mine.value, theirs.value)
            made = self._cells[slot] = self._made[slot] = Merged()
            made.value = value
            made.serial = store.next_serial()
            made.origin = origin
            made.memo = None
            made.version = version
            return True
        add = None
        if policy in GROWING and policy not in store.merges:
            add = addition(policy, base, mine.value, theirs.value)
        if add is not None:
            add()
        else:
            mine.value = merge_variable(policy, store.merges, variable.name, base, mine.value, theirs.value)
        made.origin = origin
        made.version = version
        return True
