"""Keys sort as paths do, and are the beginning of what is below them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioflow.durable.keys import ancestors, part_key, path_key, path_of, path_part, read_path, show_key
from trioflow.semantics.address import attempt_mark, fired_mark, show_path

PATHS = st.lists(st.integers(0, 70_000) | st.integers(-9, -1), max_size=6).map(tuple)


@given(PATHS, PATHS)
def test_order(a, b):
    """What was dispatched comes in order, what is below comes after; attempts come after what the first dispatched."""

    def rank(path):
        return [(number < 0, abs(number)) for number in path]

    assert (path_key(a) < path_key(b)) == (rank(a) < rank(b))
    assert path_key(b).startswith(path_key(a)) == (b[: len(a)] == a)


@given(PATHS, st.text(max_size=3))
def test_back(path, name):
    """A key tells its path, with whatever belongs to it; so does what people read."""
    key = part_key(path_key(path), "v", name)
    assert path_of(key) == path == path_of(path_key(path))
    assert path_part(key) == path_key(path)
    assert read_path(show_path(path)) == path
    assert [path_of(each) for each in ancestors(key)] == [path[:end] for end in range(len(path), 0, -1)]


def test_parts_come_after_all_that_is_below():
    """So an activation's own records are no prefix of those of its children."""
    keys = [path_key((0,)), path_key((0, 70_000)), path_key((0, -3)), part_key(path_key((0,)), "o", 0)]
    assert keys == sorted(keys)


def test_for_people():
    """A path, and what else it is."""
    marks = (0, attempt_mark(2), fired_mark(1))
    assert show_key(path_key(marks)) == "0.~2.!1"
    assert show_key(part_key(path_key((0, 5)), "o", 3)) == "0.5 [o3]"
    assert read_path("0.~2.!1") == marks
    for text in ("", "0.", "a", "0.-1", "~"):
        with pytest.raises(ValueError, match="expected a path such as"):
            read_path(text)


def test_different_keys():
    """No two places have one key."""
    paths = [*itertools.product(range(3), repeat=2), (0,), (1,), (256,), (2, -2)]
    keys = [part_key(path_key(path), kind, name) for path in paths for kind in "oi" for name in (0, 1, 10)]
    assert len(set(keys)) == len(keys)
