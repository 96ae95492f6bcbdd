"""Ways around boxes, for links between boxes that have their places already. Geometry alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_MARGIN = 6.0
"""How near a link may pass by."""
_ASIDE = 12.0
"""How far from a box a link that goes round it is level."""
_SAMPLES = 16
_TRIES = 6


def detour(start: Point, end: Point, boxes: Sequence[Rectangle]) -> tuple[Point, ...]:
    """The points of a link from left to right that passes none of the boxes, above or below them; else the direct one.

    It is level at its points, as links are drawn. Boxes at its ends must not be among them.
    """
    if end[0] - start[0] < 4 * _ASIDE:
        return (start, end)
    near = [each for each in boxes if each[0] < end[0] and each[2] > start[0]]
    met = _met((start, end), near)
    if not met:
        return (start, end)
    ways = [way for above in (True, False) if (way := _around(start, end, met, near, above=above)) is not None]
    straight = (start[1] + end[1]) / 2
    return min(ways, key=lambda way: abs(way[1][1] - straight), default=(start, end))


def _around(
    start: Point, end: Point, met: set[Rectangle], near: Sequence[Rectangle], *, above: bool
) -> tuple[Point, ...] | None:
    """A way on one side of all that is met, and of what is met there; None if there is none."""
    for _ in range(_TRIES):
        left = max(start[0] + _ASIDE, min(each[0] for each in met) - _ASIDE)
        right = min(end[0] - _ASIDE, max(each[2] for each in met) + _ASIDE)
        level = min(each[1] for each in met) - _ASIDE if above else max(each[3] for each in met) + _ASIDE
        way = (start, (left, level), (right, level), end)
        more = _met(way, near)
        if not more:
            return way
        if more <= met:
            return None
        met = met | more
    return None


def _met(points: Sequence[Point], boxes: Sequence[Rectangle]) -> set[Rectangle]:
    """The boxes that a link comes too near to."""
    met: set[Rectangle] = set()
    for one, other in pairwise(points):
        # A piece of it stays in the rectangle of its ends, which few boxes touch.
        (west, east), (north, south) = sorted((one[0], other[0])), sorted((one[1], other[1]))
        touched = [
            (left, top, right, bottom)
            for left, top, right, bottom in boxes
            if left - _MARGIN < east and west < right + _MARGIN and top - _MARGIN < south and north < bottom + _MARGIN
        ]
        samples = [*_curve(one, other)] if touched else []
        met.update(
            (left, top, right, bottom)
            for left, top, right, bottom in touched
            if any(left - _MARGIN < x < right + _MARGIN and top - _MARGIN < y < bottom + _MARGIN for x, y in samples)
        )
    return met


def _curve(one: Point, other: Point) -> Iterable[Point]:
    """Points of what is drawn between two points: a curve that is level at both."""
    middle = (one[0] + other[0]) / 2
    for step in range(_SAMPLES + 1):
        t = step / _SAMPLES
        x = (1 - t) ** 3 * one[0] + 3 * t * (1 - t) * middle + t**3 * other[0]
        yield x, one[1] + (other[1] - one[1]) * (3 - 2 * t) * t * t
