"""How large a value is, about, and that asking takes a time that the limit bounds."""

from __future__ import annotations

import time

import pytest

from trioflow.model.size import size_of


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 0), (1.5, 0), (True, 0), (7, 0), (2**800, 100), ("abc", 3), (b"abc", 3), (object(), 64),
        ([], 128), ([None] * 10, 768), (["ab", "c"], 259), ([2**80, 2**80], 276), ((1, "a"), 257), ({"a"}, 193),
        ({"key": "value"}, 264), ([[1], [2]], 640), ({"a": [1, 2]}, 513), ([1, b"ab", object()], 386),
        (["ab", None], 258), ([2**80, 1.5, True], 330), ([None, [1]], 448), ([{"a": "bc"}, False], 515), ([{}, {"a": {}}], 769),
    ],
)  # fmt: skip
def test_size(value, size):
    """What a value holds counts on all levels, what is there twice twice."""
    assert size_of(value, 10**9) == size


def test_what_holds_itself_is_beyond_any_limit():
    box = []
    box.append(box)
    assert size_of(box, 100_000) > 100_000


@pytest.mark.timed
@pytest.mark.parametrize(
    "value",
    [
        [None] * 3_000_000, ["a"] * 3_000_000, [[1]] * 3_000_000, [[[[[i]]]] for i in range(10_000)] * 300,
        {i: i for i in range(1_000_000)}, "a" * 100_000_000, [{"a": 1}] * 3_000_000, 1 << 100_000_000,
    ],
    ids=range(8),
)  # fmt: skip
def test_the_time_is_bounded_by_the_limit(value):
    """Not by the value: a million bytes are found to be too little in a few milliseconds of processor time."""
    took = []
    for _ in range(5):
        began = time.thread_time()
        assert size_of(value, 1_000_000) > 1_000_000
        took.append(time.thread_time() - began)
    assert min(took) < 0.005
