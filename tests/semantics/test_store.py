"""Stores: F1, D4, D9."""

from __future__ import annotations

import itertools
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import a_computed_store, a_store, values

from trioflow.semantics.store import Pages, VariableSlot, empty_store, paged


def test_writing_makes_a_cell():
    """Writing makes a new cell and a new revision even if the value is equal (D9)."""
    store = a_store()
    first, revision = store.write(1, "same"), store.revision
    assert first.origin == "?"
    assert store.write(1, "same") is not first
    assert store.revision is not revision


def test_neither_sees_the_other():
    """A fork starts with what is there, and from then on neither sees the other's writes (F1)."""
    owner = a_store()
    owner.write(1, "before")
    child = owner.fork()
    owner.write(2, "owner")
    child.write(3, "child")
    child.write(0, 5)
    assert values(owner) == [0, "before", "owner", None]
    assert values(child) == [5, "before", None, "child"]


def test_what_was_computed_from_a_slot_goes_when_it_is_written():
    """A write takes out what was computed from what was there, through any depth, and nothing else (D4)."""
    store = a_computed_store()
    child = store.fork()
    store.write(0, "written")
    assert values(store) == ["written", None, None, "three"]
    assert values(child) == ["written", "one", "two", "three"]


def test_unchanged_fork_shares_cells_and_revision():
    """What was verified before a fork still holds in it, because nothing has changed yet (F1, D4)."""
    owner = a_store()
    owner.write(1, "x")
    child = owner.fork()
    assert child.cells[1] is owner.cells[1]
    assert child.revision is owner.revision
    child.write(2, "y")
    assert child.revision is not owner.revision


# --- stores of many places --------------------------------------------------------------------------------------------


def test_few_places_are_a_list():
    """Who has few places indexes a list, who has many does not copy them at a fork (F7)."""
    assert type(paged([None] * 9, 9)) is list
    assert isinstance(paged([None] * 10, 9), Pages)
    pages = Pages([1, 2])
    assert paged(pages, 0) is pages


@pytest.mark.unmeasured
@given(
    st.integers(1, 400),
    st.lists(
        st.tuples(st.sampled_from(["write", "write", "copy", "part"]), st.integers(), st.integers(-9, 400)), max_size=60
    ),
)
def test_pages_are_lists(size, operations):
    """Pages and their copies hold what lists and their copies hold, from both ends and in parts (F1, F7)."""
    pairs = [(Pages([*range(size)]), [*range(size)])]
    for number, (operation, which, place) in enumerate(operations):
        pages, cells = pairs[which % len(pairs)]
        if operation == "write":
            slot = place % (2 * len(cells)) - len(cells)
            pages[slot] = cells[slot] = -number
            assert pages[slot] == cells[slot]
        elif operation == "copy":
            pairs.append((pages.copy(), cells.copy()))
        elif place > 0:
            pairs.append((Pages([*pages[:place]]), cells[:place]))
            assert (pages[:place] == Pages(cells)[:place]) is True
            assert [*pages[place // 2 : place]] == cells[place // 2 : place]
    for pages, cells in pairs:
        assert ([*pages], len(pages)) == (cells, len(cells))
        assert [pages[slot] for slot in range(-len(cells), 0)] == cells
        assert pages == Pages(cells)
        assert pages != Pages([*cells, 0])


def a_large_store(variables, size=100_000):
    store = empty_store(
        size, [VariableSlot(f"v{n}", "sum", 0) for n in range(variables)], {}, itertools.count().__next__
    )
    for slot in range(0, size, 7):
        store.write(slot, slot)
    store.cells = paged(store.cells, 128)  # as a history does
    return store


@pytest.mark.parametrize("variables", [0, 3, 20_000])
def test_forks_of_a_large_store_see_what_was_there(variables):
    """Forks of a store with many places are like others (F1)."""
    owner = a_large_store(variables)
    child = owner.fork()
    child.write(7, "child")
    child.write(99_995, "child")
    owner.write(14, "owner")
    grandchild = child.fork()
    child.write(7, "later")
    assert [store.cells[7].value for store in (owner, child, grandchild)] == [7, "later", "child"]
    assert [store.cells[14].value for store in (owner, child, grandchild)] == ["owner", 14, 14]
    assert child.cells[-5].value == "child"
    assert (len(child.base), [cell and cell.value for cell in child.base[7:8]]) == (
        variables,
        [7] if variables > 7 else [],
    )


def fork_and_write(store, size):
    child = store.fork()
    for slot in (1, size // 2, size - 1):
        child.write(slot, "x")
    return child


@pytest.mark.timed
@pytest.mark.unmeasured
def test_a_fork_costs_what_it_writes():
    """A fork of a store with 100,000 places that writes three takes little longer than one of a store with ten (F7)."""
    few, many = a_large_store(0, 10), a_large_store(3)

    def best(store, size):
        took = []
        for _ in range(300):
            began = time.perf_counter()
            fork_and_write(store, size)
            took.append(time.perf_counter() - began)
        return min(took)

    ratio = best(many, 100_000) / best(few, 10)
    assert ratio < 6, f"{ratio:.1f} times as long"  # a copy of the list would be fifty times


@pytest.mark.unmeasured
def test_a_fork_keeps_what_it_writes():
    """Forks of a store with 100,000 places that write three keep some pages each, not all (F7)."""
    owner = a_large_store(3)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = [fork_and_write(owner, 100_000) for _ in range(20)]
        each = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
    finally:
        tracemalloc.stop()
    assert each < 20_000, f"{each:,.0f} bytes"


@given(st.data())
def test_ranges_take_out_what_a_walk_would(data):
    """What was computed from a slot goes when that is written, whether it lies in a row or is scattered, and no more (D4)."""
    size = 24
    sources = {
        slot: {slot - 1} if data.draw(st.booleans()) else data.draw(st.sets(st.integers(0, slot - 1), max_size=2))
        for slot in range(2, size)
    }
    readers = [[reader for reader, read in sources.items() if slot in read] for slot in range(size)]
    store = empty_store(size, (), {}, itertools.count().__next__, readers)
    for _ in range(3):
        for slot, read in sources.items():
            if all(each < 2 or store.cells[each] is not None for each in read) and data.draw(st.integers(0, 9)):
                store.cells[slot] = store.cells[slot] or object()
        before = list(store.cells)
        written = data.draw(st.integers(0, 1))
        store.write(written, "new")
        gone = {written}
        for slot, read in sources.items():
            if read & gone:
                gone.add(slot)
        gone -= {written}
        assert store.cells[2:] == [None if slot in gone else before[slot] for slot in range(2, size)]
