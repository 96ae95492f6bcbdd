"""How much there is in a value, by which nodes tell what is done at once, and what in slices."""

from __future__ import annotations

import pytest

from trioflow.nodes._equality import weight


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        ([], 1),
        ([1, [2, 3], {"a": 4}], 7),
        ((1, {2, 3}, frozenset({4})), 7),
        ("x" * 640, 11),
        (b"x" * 64, 2),
        ([[[[]]]], 4),
    ],
)
def test_weight(value, expected):
    """All values at every depth, the value itself included; texts by their length."""
    assert weight(value) == expected


class Long(list[int]):
    """A list that is too long to be gone through."""

    def __len__(self):
        return 10**9

    def __iter__(self):
        raise AssertionError("it is gone through")


@pytest.mark.parametrize("value", [Long(), [Long()], {"a": [1, Long()]}])
def test_what_is_much_is_not_gone_through(value):
    """Its length says enough."""
    assert weight(value, 1000) >= 1000
