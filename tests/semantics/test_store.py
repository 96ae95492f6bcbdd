"""Stores: F1, D4, D9."""

from __future__ import annotations

from stores import a_computed_store, a_store, values


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
