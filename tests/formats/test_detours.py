"""Links that pass by boxes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trioflow.formats.detours import _met, detour

BOX = (100.0, -20.0, 150.0, 30.0)
places = st.integers(-200, 200).map(float)
boxes = st.lists(
    st.tuples(places, places, st.integers(10, 80), st.integers(10, 80)).map(
        lambda it: (it[0], it[1], it[0] + it[2], it[1] + it[3])
    ),
    max_size=6,
)


def test_nothing_in_between():
    """It goes straight."""
    assert detour((0, 0), (300, 50), [(100, 200, 150, 260)]) == ((0, 0), (300, 50))


def test_one_in_between():
    """It goes round on the side that is nearer."""
    assert detour((0, 0), (300, 0), [BOX]) == ((0, 0), (88, -32), (162, -32), (300, 0))
    assert detour((0, 20), (300, 20), [BOX])[1] == (88, 42)


def test_another_one_beside_it():
    """It goes round both, or on the other side."""
    way = detour((0, 0), (300, 0), [BOX, (90, -80, 160, -25)])
    assert way[1][1] == 42


def test_no_room():
    """It goes straight where there is no way round, or the ends are near to one another."""
    assert detour((0, 0), (40, 0), [(10, -9, 30, 9)]) == ((0, 0), (40, 0))
    assert detour((0, 0), (300, 0), [(5, -9, 100, 9)]) == ((0, 0), (300, 0))
    wall = [(5, each * 40 - 1000, 295, each * 40 - 961) for each in range(50)]
    assert detour((0, 0), (300, 0), wall) == ((0, 0), (300, 0))


@given(boxes, places, places)
def test_a_detour_meets_nothing(drawn, begin, end):
    """Whatever is in the way: it goes straight, or meets nothing, from left to right."""
    way = detour((-220.0, begin), (300.0, end), drawn)
    assert way[0] == (-220.0, begin) and way[-1] == (300.0, end)
    assert [x for x, _ in way] == sorted(x for x, _ in way)
    if len(way) > 2:
        assert not _met(way, drawn)
