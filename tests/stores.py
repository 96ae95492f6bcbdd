"""Small stores for tests."""

from __future__ import annotations

import itertools

from trioflow.semantics.store import VariableSlot, empty_store, new_cell


def a_store(policy="last", default=0, merges=None):
    """Slot 0 is the variable `v`, slots 1 to 3 are outputs."""
    store = empty_store(4, [VariableSlot("v", policy, default)], merges or {}, itertools.count().__next__)
    store.write(0, default)
    return store


def values(store):
    return [cell and cell.value for cell in store.cells]


def a_computed_store():
    """Slot 0 is written; 1 was computed from it, 2 from 1, and 3 from nothing."""
    store = empty_store(4, (), {}, itertools.count().__next__, [[1], [2], [], []])
    store.write(0, "written")
    store.cells[1:] = [new_cell(name, 0) for name in ("one", "two", "three")]
    return store
