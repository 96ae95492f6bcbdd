"""Where boxes and links go: facts that hold for any boxes and links, and some pictures in figures."""

from __future__ import annotations

import time
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trioflow.formats.layout import Box, Link, lay_out


@st.composite
def pictures(draw, most=14):
    sizes = draw(st.lists(st.tuples(st.integers(20, 200), st.integers(20, 120)), min_size=1, max_size=most))
    boxes = [Box(*map(float, size)) for size in sizes]
    ends = st.integers(0, len(boxes) - 1)
    links = draw(st.lists(st.tuples(ends, ends, st.sampled_from([1.0, 6.0])), max_size=2 * len(boxes)))
    return boxes, [Link(a, boxes[a].height / 2, b, boxes[b].height / 3, weight) for a, b, weight in links]


def chain(count, *more):
    boxes = [Box(100, 50)] * count
    return boxes, [*(Link(place, 10, place + 1, 10, 6) for place in range(count - 1)), *more]


@settings(max_examples=30)
@given(pictures())
def test_boxes_do_not_overlap(picture):
    """Whatever is linked how, no two boxes share a place, and all are inside of the picture."""
    boxes, links = picture
    layout = lay_out(boxes, links)
    for (x, y), box in zip(layout.places, boxes, strict=True):
        assert x >= 0 and y >= -1e-6
        assert x + box.width <= layout.width + 1e-6 and y + box.height <= layout.height + 1e-6
    for (one, (x, y)), (other, (u, v)) in combinations(zip(boxes, layout.places, strict=True), 2):
        assert x + one.width <= u or u + other.width <= x or y + one.height <= v + 1e-6 or v + other.height <= y + 1e-6


@settings(max_examples=30)
@given(pictures())
def test_links_go_from_edge_to_edge(picture):
    """Each link begins at the right edge of its source and ends at the left edge of its target, and passes no box."""
    boxes, links = picture
    layout = lay_out(boxes, links)
    for link, route in zip(links, layout.routes, strict=True):
        (x, y), (u, v) = layout.places[link.source], layout.places[link.target]
        assert route[0] == pytest.approx((x + boxes[link.source].width, y + link.source_y))
        assert route[-1] == pytest.approx((u, v + link.target_y))
        for (left, level), (right, same) in pairwise(route):
            if level == same and left != right:
                left, right = sorted((left, right))
                for box, (x, y) in zip(boxes, layout.places, strict=True):
                    crosses = y < level < y + box.height and left < x + box.width - 1e-6 and x + 1e-6 < right
                    assert not crosses


@settings(max_examples=30)
@given(pictures())
def test_the_same_picture_each_time(picture):
    """Nothing is drawn by chance."""
    assert lay_out(*picture) == lay_out(*picture)


def test_links_go_to_the_right():
    """Without a circle each box is to the right of those that it is linked from."""
    boxes, links = chain(4, Link(0, 20, 3, 20))
    layout = lay_out(boxes, links)
    for link in links:
        assert layout.places[link.source][0] + 100 < layout.places[link.target][0]


def test_heavy_links_are_level():
    """A chain is a straight line, whatever else leads to it."""
    boxes, links = chain(6)
    boxes = [*boxes, Box(80, 300), Box(80, 30)]
    layout = lay_out(boxes, [*links, Link(6, 20, 4, 30), Link(7, 20, 3, 30), Link(0, 40, 5, 40)])
    assert len({round(y, 1) for _, y in layout.places[:6]}) == 1


def test_what_only_gives_values_is_near_to_who_takes_them():
    """A box without links into it stands just before the first that it leads to."""
    boxes, links = chain(6)
    layout = lay_out([*boxes, Box(40, 30)], [*links, Link(6, 10, 4, 30)])
    assert layout.places[3][0] <= layout.places[6][0] < layout.places[4][0]


def test_a_circle_goes_back_below():
    """A link that closes a circle leaves to the right, turns round, goes back beside the boxes and turns again."""
    boxes, links = chain(3, Link(2, 10, 0, 10, 6))
    layout = lay_out(boxes, links)
    route = layout.routes[-1]
    turns = [(one[0], other[0]) for one, other in pairwise(route) if one[0] == other[0]]
    assert turns == [(route[0][0],) * 2, (route[-1][0],) * 2]
    assert layout.places[0][0] < layout.places[1][0] < layout.places[2][0]
    assert max(y for _, y in route) > max(y + 50 for _, y in layout.places)


def test_branches_do_not_cross():
    """Of two ways on the upper one leads to the upper box, though a light link pulls the other way."""
    boxes = [Box(100, 80), Box(100, 50), Box(100, 50)]
    layout = lay_out(boxes, [Link(0, 40, 1, 10, 6), Link(0, 56, 2, 10, 6), Link(0, 72, 1, 40)])
    assert layout.places[1][1] < layout.places[2][1]


def test_several_links_to_oneself():
    """Each has a way of its own."""
    layout = lay_out([Box(100, 80)], [Link(0, 40, 0, 10), Link(0, 56, 0, 10), Link(0, 72, 0, 10)])
    lowest = [max(y for _, y in route) for route in layout.routes]
    assert len(set(lowest)) == 3


def test_a_link_to_itself():
    """The smallest circle there is."""
    layout = lay_out([Box(100, 50)], [Link(0, 10, 0, 10)])
    assert layout.routes[0][0][0] - layout.routes[0][-1][0] == 100
    assert layout.width >= 160


def test_links_from_one_place_share_their_way():
    """As long as they go the same way."""
    boxes, links = chain(5, Link(0, 30, 3, 30), Link(0, 30, 4, 30))
    one, other = lay_out(boxes, links).routes[-2:]
    assert one[:-1] == other[: len(one) - 1]


def test_parts_stand_apart():
    """What does not hang together is below or beside one another; many single boxes make no tower."""
    layout = lay_out([Box(100, 50)] * 20, [])
    assert len({y for _, y in layout.places}) < 6
    assert lay_out([], []) == lay_out([], [])
    assert lay_out([], []).width == 0


def test_long_pictures_are_broken_into_rows():
    """A long chain is read like a text: rows from left to right, and links that lead on from one to the next."""
    boxes, links = chain(60, Link(59, 10, 0, 10, 6))
    layout = lay_out(boxes, links)
    assert 0.8 < layout.width / layout.height < 4
    rows = sorted({y for _, y in layout.places})
    assert 4 <= len(rows) <= 10
    order = sorted(range(60), key=lambda box: (layout.places[box][1], layout.places[box][0]))
    assert order == list(range(60))


def test_rows_are_not_made_where_many_links_go():
    """Through a band of links no picture is cut."""
    boxes, links = chain(60, *(Link(place, 20 + place, 59, 20, 1) for place in range(20)))
    layout = lay_out(boxes, links)
    assert layout.width > 6000


@settings(max_examples=20)
@given(pictures(most=60))
def test_rows_keep_the_order_of_links(picture):
    """Larger pictures, of which some are broken: the same facts about ends hold."""
    boxes, links = picture
    more = [Link(place, 5, place + 1, 5, 6) for place in range(len(boxes) - 1)]
    layout = lay_out(boxes, [*links, *more])
    for link, route in zip([*links, *more], layout.routes, strict=True):
        (x, y), (u, v) = layout.places[link.source], layout.places[link.target]
        assert route[0] == pytest.approx((x + boxes[link.source].width, y + link.source_y))
        assert route[-1] == pytest.approx((u, v + link.target_y))


@pytest.mark.timed
@pytest.mark.unmeasured
def test_large_pictures_take_no_long_time():
    """600 boxes in a chain that all lead to the last: bends are bounded, so time is. It takes half a second."""
    boxes, links = chain(600, *(Link(place, 20, 599, 20) for place in range(598)))
    began = time.process_time()
    lay_out(boxes, links)
    assert time.process_time() - began < 5


def fan(count):
    """One box from which heavy links lead to many."""
    return [Box(160, 60)] * (count + 1), [Link(0, 30, each, 20, 6) for each in range(1, count + 1)]


@pytest.mark.timed
@pytest.mark.unmeasured
def test_a_wide_fan_takes_time_that_grows_with_its_size():
    """Eight times the boxes take some nine times as long; where each link asks all others, it is thirty times."""

    def seconds(count):
        found = []
        for _ in range(3):
            began = time.process_time()
            lay_out(*fan(count))
            found.append(time.process_time() - began)
        return min(found)

    assert seconds(4000) < 20 * seconds(500)
