"""Long pictures in rows, one below the other, as a text has lines: few links are cut, and each leads on visibly."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import attrs

Point = tuple[float, float]

_WIDEST = 2200.0
"""Pictures that are no wider are left as they are."""
_SHAPE = 2.0
"""How many times as wide as high a picture should be."""
_MOST_CUT = 12
"""Links that a cut may go through: with more of them a picture is harder to read in rows than in one."""
_LANE = 7.0
_MARGIN = 16.0


@attrs.frozen
class Sheet:
    """A picture in columns: their left and right edges, corners and heights of boxes, points of links."""

    columns: Sequence[tuple[float, float]]
    corners: Sequence[Point]
    heights: Sequence[float]
    routes: Sequence[Sequence[Point]]
    width: float
    height: float


@attrs.frozen
class _Row:
    first: int
    last: int
    left: float
    right: float
    top: float
    bottom: float


def in_rows(sheet: Sheet) -> Sheet:
    """The same picture in rows, if it is much wider than high and can be cut where few links go."""
    count = round((sheet.width / (_SHAPE * max(sheet.height, 100.0))) ** 0.5)
    if sheet.width <= _WIDEST or count < 2:
        return sheet
    cuts = _cuts(sheet, sheet.width / count)
    return _Rows(sheet, cuts).sheet() if cuts else sheet


class _Columns(dict[float, int]):
    """By place from the left: in which column that is. Many links go through the same places."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__()
        self._columns = sheet.columns

    def __missing__(self, x: float) -> int:
        found = self[x] = bisect_right(self._columns, (x + 0.01, 0.0)) - 1
        return found


def _cuts(sheet: Sheet, wanted: float) -> list[int]:
    """The last columns of all rows but the last: near to the width that is wanted, where the fewest links go."""
    # Links that share their way are one: what is cut is counted by where it comes from.
    farthest: dict[Point, int] = {}
    column_at = _Columns(sheet)
    for route in sheet.routes:
        for one, other in pairwise(route):
            left, right = sorted((one, other))
            farthest[left] = max(farthest.get(left, 0), column_at[right[0]])
    changes = [0] * (len(sheet.columns) + 1)
    for left, column in farthest.items():
        changes[column_at[left[0]]] += 1
        changes[column] -= 1
    through = list(accumulate(changes))
    cuts: list[int] = []
    start = 0.0
    while sheet.width - start > 1.3 * wanted:
        near = [
            column for column, (_, right) in enumerate(sheet.columns[:-1])
            if 0.6 * wanted <= right - start <= 1.25 * wanted
        ]  # fmt: skip
        if not near:
            return []
        best = min(near, key=lambda column: (through[column], abs(sheet.columns[column][1] - start - wanted)))
        if through[best] > _MOST_CUT:
            return []
        cuts.append(best)
        start = sheet.columns[best + 1][0]
    return cuts


class _Rows:
    def __init__(self, sheet: Sheet, cuts: Sequence[int]) -> None:
        self._sheet = sheet
        self._column_at = _Columns(sheet)
        bounds = list(pairwise([0, *(cut + 1 for cut in cuts), len(sheet.columns)]))
        self._row_of = [row for row, (first, end) in enumerate(bounds) for _ in range(first, end)]
        tops: list[list[float]] = [[] for _ in bounds]
        for (x, y), height in zip(sheet.corners, sheet.heights, strict=True):
            tops[self._row(x)] += (y, y + height)
        for route in sheet.routes:
            for x, y in route:
                tops[self._row(x)].append(y)
        self._rows = [
            _Row(first, end - 1, sheet.columns[first][0], sheet.columns[end - 1][1], min(each), max(each))
            for (first, end), each in zip(bounds, tops, strict=True)
        ]
        # By row: the places at which links leave it for one below, from top to bottom.
        self._leaving: list[list[Point]] = [sorted(each, key=lambda point: point[1]) for each in self._left_behind()]
        lanes = max(map(len, self._leaving))
        self._margin = _MARGIN + _LANE * lanes + 26
        self._down: list[float] = []
        y = 0.0
        for row, leaving in zip(self._rows, self._leaving, strict=True):
            self._down.append(y - row.top)
            y += row.bottom - row.top + 2 * _MARGIN + _LANE * len(leaving)
        self._height = y - 2 * _MARGIN

    def sheet(self) -> Sheet:
        """The picture in rows."""
        corners = [self._moved(point) for point in self._sheet.corners]
        routes = [list(self._route(route)) for route in self._sheet.routes]
        width = max(row.right - row.left for row in self._rows) + 2 * self._margin
        return Sheet(self._sheet.columns, corners, self._sheet.heights, routes, width, self._height)

    def _row(self, x: float) -> int:
        return self._row_of[self._column_at[x]]

    def _left_behind(self) -> list[set[Point]]:
        found: list[set[Point]] = [set() for _ in self._rows]
        for route in self._sheet.routes:
            for one, other in pairwise(route):
                left, right = sorted((one, other))
                if self._row(left[0]) != self._row(right[0]):
                    found[self._row(left[0])].add(left)
        return found

    def _moved(self, point: Point) -> Point:
        row = self._row(point[0])
        return point[0] - self._rows[row].left + self._margin, point[1] + self._down[row]

    def _route(self, route: Sequence[Point]) -> Iterator[Point]:
        yield self._moved(route[0])
        for one, other in pairwise(route):
            left, right = sorted((one, other))
            if self._row(left[0]) != self._row(right[0]):
                way = self._between(left, right)
                yield from way if one == left else way[::-1]
            yield self._moved(other)

    def _between(self, left: Point, right: Point) -> list[Point]:
        """Out at the right of a row, back below it, and in at the left of another; those that are above stay above."""
        number = self._row(left[0])
        row, leaving = self._rows[number], self._leaving[number]
        inner = leaving.index(left)
        outer = len(leaving) - 1 - inner
        at_right = row.right - row.left + self._margin + _MARGIN / 2 + _LANE * outer
        at_left = self._margin - _MARGIN / 2 - _LANE * inner
        below = row.bottom + self._down[number] + _MARGIN + _LANE * outer
        start, end = self._moved(left), self._moved(right)
        return [(at_right, start[1]), (at_right, below), (at_left, below), (at_left, end[1])]
