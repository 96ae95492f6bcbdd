"""Where boxes go: layers from left to right, few crossings, straight links. Geometry alone: it knows nothing of graphs.

The method of Sugiyama, Tagawa and Toda (1981), in the steps that everybody takes since: links that close a circle go
backwards; every box gets a layer; links through several layers get a bend in each; layers are ordered so that few links
cross, by the mean of the neighbours' places; and each box moves to where its links are straight, as far as the others
let it, which is a regression that keeps an order and has a quick exact answer (pool adjacent violators). The same boxes
and links give the same picture everywhere, in time that grows with their number.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from math import fsum, inf
from typing import NamedTuple

import attrs

from trioflow.formats.detours import Rectangle, detour
from trioflow.formats.rows import Sheet, in_rows

_BETWEEN_BOXES = 22.0
_BETWEEN_BENDS = 10.0
_BETWEEN_PARTS = 34.0
_BETWEEN_LAYERS = 46.0
_TURN = 30.0
"""How far a link goes out where it turns round, at most."""
_WIDEST_GAP = 96.0
_ORDERINGS = 8
_MOVES = 14
_YIELDING = 1e-4
"""How much what has light links alone counts where it and what has heavy ones want the same place."""
_NEARLY = 26.0
"""How far from straight a link may be and be made so."""
_BENDS_A_BOX = 4
"""How many bends there may be for each box and link; without a bound, long pictures could have their square."""
_MOST_DETOURS = 400_000
"""Pairs of a box and a link up to which links that were not laid out pass by boxes; of more they go straight."""
_MOST_CROSSINGS_COUNTED = 20_000
"""Segments of a picture in which orders are compared by their crossings; of more the last order is taken."""

Point = tuple[float, float]


@attrs.frozen
class Box:
    """A box to be placed."""

    width: float
    height: float


@attrs.frozen
class Link:
    """From the right edge of a box to the left edge of another, so far below their tops. Heavy ones stay straight."""

    source: int
    source_y: float
    target: int
    target_y: float
    weight: float = 1.0
    text: float = 0.0
    """How wide a text is for which there is to be room where it leaves the layer of its source."""


@attrs.frozen
class Layout:
    """Where the upper left corners of the boxes are, and the points that each link goes through, its ends included.

    Between two points that are above one another a link turns round; between others it goes level at both.
    """

    width: float
    height: float
    places: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    left: float = 0.0
    top: float = 0.0


def lay_out(boxes: Sequence[Box], links: Sequence[Link]) -> Layout:
    """Place boxes so that links go to the right where they can. Boxes that nothing links are placed side by side."""
    parts = _parts(len(boxes), links)
    drawn = [_Part([boxes[each] for each in part], [_renamed(links[each], place) for each in held])
             for part, held, place in parts]  # fmt: skip
    places: list[Point] = [(0.0, 0.0)] * len(boxes)
    routes: list[tuple[Point, ...]] = [()] * len(links)
    corners, width, height = _shelves([(each.width, each.height) for each in drawn])
    for (part, held, _), each, (x, y) in zip(parts, drawn, corners, strict=True):
        for box, place in zip(part, each.places, strict=True):
            places[box] = (x + place[0], y + place[1])
        for link, route in zip(held, each.routes, strict=True):
            routes[link] = tuple((x + point[0], y + point[1]) for point in route)
    return Layout(width, height, tuple(places), tuple(routes))


def placed(boxes: Sequence[Box], links: Sequence[Link], places: Sequence[Point | None]) -> Layout:
    """Boxes that have their places already; those that have none are laid out below. Links pass by other boxes."""
    fixed = {box: place for box, place in enumerate(places) if place is not None}
    left = min(place[0] for place in fixed.values())
    bottom = max(place[1] + boxes[box].height for box, place in fixed.items())
    rest = [box for box in range(len(boxes)) if box not in fixed]
    number = {box: place for place, box in enumerate(rest)}
    among = [_renamed(each, number) for each in links if each.source in number and each.target in number]
    below = lay_out([boxes[each] for each in rest], among)
    for box, (x, y) in zip(rest, below.places, strict=True):
        fixed[box] = (left + x, bottom + _BETWEEN_PARTS + y)
    found = tuple(fixed[box] for box in range(len(boxes)))
    ends = [(x + box.width, y + box.height) for box, (x, y) in zip(boxes, found, strict=True)]
    top = min(y for _, y in found)
    corners = [(*place, *ends_at) for place, ends_at in zip(found, ends, strict=True)]
    few = len(boxes) * len(links) <= _MOST_DETOURS
    routes = tuple(_direct(boxes, found, each, corners if few else []) for each in links)
    return Layout(max(x for x, _ in ends) - left, max(y for _, y in ends) - top, found, routes, left, top)


def _direct(
    boxes: Sequence[Box], places: Sequence[Point], link: Link, corners: Sequence[Rectangle]
) -> tuple[Point, ...]:
    """From edge to edge, by the corners of other boxes.

    One that goes back turns round at both ends, and passes between the two boxes or below.
    """
    source, target = places[link.source], places[link.target]
    start = (source[0] + boxes[link.source].width, source[1] + link.source_y)
    end = (target[0], target[1] + link.target_y)
    if end[0] >= start[0] - _TURN:
        others = [each for box, each in enumerate(corners) if box not in (link.source, link.target)]
        return detour(start, end, others)
    upper, lower = sorted((link.source, link.target), key=lambda box: places[box][1])
    gap = places[upper][1] + boxes[upper].height, places[lower][1]
    below = max(gap[0], gap[1] + boxes[lower].height) + _BETWEEN_BOXES
    across = sum(gap) / 2 if gap[1] > gap[0] else below
    return (start, (start[0], across), (end[0], across), end)


def _renamed(link: Link, place: dict[int, int]) -> Link:
    return attrs.evolve(link, source=place[link.source], target=place[link.target])


def _parts(count: int, links: Sequence[Link]) -> list[tuple[list[int], list[int], dict[int, int]]]:
    """The boxes that hang together, with their links, and each box's place among them; in the order of the boxes."""
    parent = list(range(count))

    def root(box: int) -> int:
        while parent[box] != box:
            parent[box] = parent[parent[box]]
            box = parent[box]
        return box

    for link in links:
        one, other = root(link.source), root(link.target)
        parent[max(one, other)] = min(one, other)
    boxes: dict[int, list[int]] = {}
    for box in range(count):
        boxes.setdefault(root(box), []).append(box)
    held: dict[int, list[int]] = {each: [] for each in boxes}
    for number, link in enumerate(links):
        held[root(link.source)].append(number)
    return [(part, held[each], {box: place for place, box in enumerate(part)}) for each, part in boxes.items()]


def _shelves(sizes: Sequence[tuple[float, float]]) -> tuple[list[Point], float, float]:
    """Corners for parts of a picture: large ones below one another, small ones side by side; and the size of it all."""
    if not sizes:
        return [], 0.0, 0.0
    area = sum((width + _BETWEEN_PARTS) * (height + _BETWEEN_PARTS) for width, height in sizes)
    room = max(*(width for width, _ in sizes), 1.6 * area**0.5)
    corners: list[Point] = []
    x = y = shelf = total = 0.0
    for width, height in sizes:
        if x and x + width > room:
            x, y, shelf = 0.0, y + shelf + _BETWEEN_PARTS, 0.0
        corners.append((x, y))
        x, shelf, total = x + width + _BETWEEN_PARTS, max(shelf, height), max(total, x + width)
    return corners, total, y + shelf


class _End(NamedTuple):
    """A piece of a link, between neighbouring layers, as one of its ends sees it."""

    other: int
    own_y: float
    other_y: float
    weight: float


class _Part:
    """Boxes that hang together. `vertices` are the boxes and behind them the bends, one for each layer in between."""

    def __init__(self, boxes: Sequence[Box], links: Sequence[Link]) -> None:
        self._boxes = boxes
        self._links = links
        self._count = len(boxes)
        self._weights = [0.0] * self._count
        # The highest heavy link of a box: by that it is moved. Otherwise chains of boxes that are left lower down than
        # they are entered would lead downwards.
        self._axes = [inf] * self._count
        for link in links:
            for box, offset in ((link.source, link.source_y), (link.target, link.target_y)):
                self._weights[box] = max(self._weights[box], link.weight)
                if link.weight > 1:
                    self._axes[box] = min(self._axes[box], offset)
        order, self._backward = self._walk()
        self._layer = self._layers(order)
        # By vertex, to the layer before and to the one behind.
        self._before: list[list[_End]] = [[] for _ in boxes]
        self._behind: list[list[_End]] = [[] for _ in boxes]
        # A bend in the layer of the box at which a backward link turns stays near that box.
        self._turns: dict[int, tuple[int, float]] = {}
        # The bends that links from one place share, by that place.
        self._trunks: dict[tuple[int, float], list[int]] = {}
        self._most = _BENDS_A_BOX * (len(boxes) + len(links)) + 200
        self._bends = [self._bend(link, number in self._backward) for number, link in enumerate(links)]
        self._columns = self._order(order)
        self._tops = self._move()
        self._straighten()
        self._place()

    # --- which way, and how far ---

    def _walk(self) -> tuple[list[int], set[int]]:
        """The boxes in an order in which all links but some go forward, and which links go backward.

        A walk in depth from where nothing comes in, along heavy links first: what leads back to a box on the way there
        goes backward.
        """
        out: list[list[int]] = [[] for _ in self._boxes]
        entered = {link.target for link in self._links if link.source != link.target}
        for number, link in enumerate(self._links):
            out[link.source].append(number)
        for each in out:
            each.sort(key=lambda number: (-self._links[number].weight, self._links[number].source_y))
        backward: set[int] = set()
        state = [0] * self._count  # 1: on the way, 2: done
        finished: list[int] = []
        # Where control starts comes before where values do, so that a circle is opened where control comes back.
        starts = sorted(range(self._count), key=lambda box: (box in entered, -self._weights[box]))
        for start in starts:
            if state[start]:
                continue
            state[start] = 1
            way = [(start, iter(out[start]))]
            while way:
                box, rest = way[-1]
                for number in rest:
                    target = self._links[number].target
                    if state[target] == 1:
                        backward.add(number)
                    elif state[target] == 0:
                        state[target] = 1
                        way.append((target, iter(out[target])))
                        break
                else:
                    state[box] = 2
                    finished.append(box)
                    way.pop()
        return finished[::-1], backward

    def _layers(self, order: Sequence[int]) -> list[int]:
        """As far left as the links let a box go; then what has light links alone goes to the right, to who needs it."""
        forward = [link for number, link in enumerate(self._links) if number not in self._backward]
        into: list[list[Link]] = [[] for _ in self._boxes]
        out: list[list[Link]] = [[] for _ in self._boxes]
        for link in forward:
            into[link.target].append(link)
            out[link.source].append(link)
        layer = [0] * self._count
        for box in order:
            layer[box] = max((layer[link.source] + 1 for link in into[box]), default=0)
        heaviest = max(self._weights, default=0.0)
        for box in reversed(order):
            if out[box] and (not into[box] or self._weights[box] < heaviest):
                layer[box] = min(layer[link.target] for link in out[box]) - 1
        used = {each: place for place, each in enumerate(sorted(set(layer)))}
        return [used[each] for each in layer]

    # --- bends ---

    def _bend(self, link: Link, backward: bool) -> list[int]:
        """The bends of a link, from its source to its target; none if there are too many already."""
        first, last = self._layer[link.source], self._layer[link.target]
        if len(self._layer) + abs(last - first) > self._most:
            return []
        if not backward:
            return self._forward(link, first, last)
        bends = [self._vertex(layer) for layer in range(first, last - 1, -1)]
        for right, left in pairwise(bends):
            self._join(left, 0.0, right, 0.0, 0.01)  # it gives way to all others
        self._turns[bends[0]] = (link.source, link.source_y)
        self._turns[bends[-1]] = (link.target, link.target_y)
        return bends

    def _forward(self, link: Link, first: int, last: int) -> list[int]:
        """Links from one place share their bends as long as they go the same way."""
        trunk = self._trunks.setdefault((link.source, link.source_y), [])
        while len(trunk) < last - first - 1:
            bend = self._vertex(first + 1 + len(trunk))
            if trunk:
                self._join(trunk[-1], 0.0, bend, 0.0, link.weight)
            else:
                self._join(link.source, link.source_y, bend, 0.0, link.weight)
            trunk.append(bend)
        bends = trunk[: last - first - 1]
        if bends:
            self._join(bends[-1], 0.0, link.target, link.target_y, link.weight)
        else:
            self._join(link.source, link.source_y, link.target, link.target_y, link.weight)
        return bends

    def _vertex(self, layer: int) -> int:
        self._layer.append(layer)
        self._before.append([])
        self._behind.append([])
        return len(self._layer) - 1

    def _join(self, left: int, left_y: float, right: int, right_y: float, weight: float) -> None:
        self._behind[left].append(_End(right, left_y, right_y, weight))
        self._before[right].append(_End(left, right_y, left_y, weight))

    # --- which order in a layer ---

    def _order(self, order: Sequence[int]) -> list[list[int]]:
        """The vertices of each layer from top to bottom, such that few links cross."""
        first = [0.0] * len(self._layer)
        for place, box in enumerate(order):
            first[box] = float(place)
        for link, bends in zip(self._links, self._bends, strict=True):
            for bend in bends:
                first[bend] = first[link.source] + 0.5
        columns: list[list[int]] = [[] for _ in range(max(self._layer, default=-1) + 1)]
        for vertex in sorted(range(len(self._layer)), key=first.__getitem__):
            columns[self._layer[vertex]].append(vertex)
        places = [0.0] * len(self._layer)
        for column in columns:
            self._number(column, places)
        segments = sum(map(len, self._behind))
        best, fewest = columns, self._crossings(places) if segments <= _MOST_CROSSINGS_COUNTED else None
        for sweep in range(_ORDERINGS):
            near, columns = (self._behind, columns[::-1]) if sweep % 2 else (self._before, columns[:])
            columns = [self._sorted(column, near, places) for column in columns]
            columns = columns[::-1] if sweep % 2 else columns
            if fewest is None:
                best = columns
                continue
            crossings = self._crossings(places)
            if crossings < fewest:
                best, fewest = columns, crossings
        return best

    def _sorted(self, column: list[int], near: list[list[_End]], places: list[float]) -> list[int]:
        keys: dict[int, float] = {}
        for vertex in column:
            total = weights = 0.0
            for other, _, offset, weight in near[vertex]:
                total += weight * (places[other] + self._share(other, offset))
                weights += weight
            turn = self._turns.get(vertex)
            if turn is not None:
                total += places[turn[0]] + 1.0
                weights += 1.0
            keys[vertex] = total / weights if weights else places[vertex]
        column = sorted(column, key=keys.__getitem__)
        self._number(column, places)
        return column

    @staticmethod
    def _number(column: Sequence[int], places: list[float]) -> None:
        for place, vertex in enumerate(column):
            places[vertex] = float(place)

    def _share(self, vertex: int, offset: float) -> float:
        """How far down the vertex a link begins or ends, from 0 to 1."""
        return offset / self._boxes[vertex].height if vertex < self._count else 0.5

    def _crossings(self, places: Sequence[float]) -> float:
        """How bad it is that links cross between the same layers; two heavy ones are worse than a heavy and a light."""
        between: dict[int, list[tuple[float, float, float]]] = {}
        for vertex, behind in enumerate(self._behind):
            for other, own_y, other_y, weight in behind:
                start = places[vertex] + self._share(vertex, own_y)
                end = places[other] + self._share(other, other_y)
                between.setdefault(self._layer[vertex], []).append((start, end, weight))
        found = 0.0
        for segments in between.values():
            # By weight, of which there are few: where the links that begin higher up end, from top to bottom.
            ends: dict[float, list[float]] = {}
            for _, end, weight in sorted(segments):
                for known, theirs in ends.items():
                    found += weight * known * (len(theirs) - bisect_right(theirs, end))
                insort(ends.setdefault(weight, []), end)
        return found

    # --- how high, and how far to the right ---

    def _height(self, vertex: int) -> float:
        return self._boxes[vertex].height if vertex < self._count else 0.0

    def _gap(self, upper: int, lower: int) -> float:
        bends = (upper >= self._count) + (lower >= self._count)
        return (_BETWEEN_BOXES, (_BETWEEN_BOXES + _BETWEEN_BENDS) / 2, _BETWEEN_BENDS)[bends]

    def _move(self) -> list[float]:
        """The top of each vertex: where its links are straight, as far as its neighbours in the layer let it."""
        tops = [0.0] * len(self._layer)
        steps: list[list[float]] = []
        for column in self._columns:
            down = [0.0]
            for upper, lower in pairwise(column):
                down.append(down[-1] + self._height(upper) + self._gap(upper, lower))
            steps.append(down)
            for vertex, step in zip(column, down, strict=True):
                tops[vertex] = step - down[-1] / 2
        for move in range(_MOVES):
            last = move >= _MOVES - 2
            columns = list(zip(self._columns, steps, strict=True))
            for column, down in reversed(columns) if move % 2 else columns:
                wanted = [self._wanted(vertex, tops, before=last or not move % 2, behind=last or bool(move % 2))
                          for vertex in column]  # fmt: skip
                for vertex, top in zip(column, _in_order(wanted, down), strict=True):
                    tops[vertex] = top
        return tops

    def _wanted(self, vertex: int, tops: Sequence[float], *, before: bool, behind: bool) -> tuple[float, float]:
        """Where a vertex wants to be, and how much: what has light links alone gives way."""
        total = weights = 0.0
        share = _YIELDING
        for near in (self._before[vertex],) * before + (self._behind[vertex],) * behind:
            for other, own_y, other_y, weight in near:
                if weight > 1:
                    share = 1.0
                elif vertex < self._count and self._axes[vertex] < inf:
                    continue  # what light links lead to and from comes to the box, not it to them
                # What is long is kept straight.
                pull = weight * (4 if vertex >= self._count and other >= self._count else 1)
                total += pull * (tops[other] + self._axis(other, other_y, weight) - self._axis(vertex, own_y, weight))
                weights += pull
        turn = self._turns.get(vertex)
        if turn is not None:
            total += 0.01 * (tops[turn[0]] + turn[1])
            weights += 0.01
        return (total / weights, share * weights) if weights else (tops[vertex], _YIELDING / 10)

    def _straighten(self) -> None:
        """What is nearly straight becomes so, from left to right, where there is room: heavy links and long ones."""
        neighbours: dict[int, tuple[int | None, int | None]] = {}
        for column in self._columns:
            for place, vertex in enumerate(column):
                upper = column[place - 1] if place else None
                neighbours[vertex] = upper, column[place + 1] if place + 1 < len(column) else None

        def room(vertex: int) -> tuple[float, float]:
            """The highest and the lowest top that the vertex may have."""
            tops, (upper, lower) = self._tops, neighbours[vertex]
            highest = -inf if upper is None else tops[upper] + self._height(upper) + self._gap(upper, vertex)
            lowest = inf if lower is None else tops[lower] - self._height(vertex) - self._gap(vertex, lower)
            return highest, lowest

        alone = [sum(end.weight > 1 for end in behind) == 1 for behind in self._behind]
        starting: dict[int, list[tuple[float, list[int]]]] = {}
        for (source, source_y), trunk in self._trunks.items():
            if trunk:
                starting.setdefault(source, []).append((source_y, trunk))
        for box in (each for column in self._columns for each in column if each < self._count):
            self._straighten_box(box, alone, room)
            for source_y, trunk in starting.get(box, ()):
                self._straighten_trunk(self._tops[box] + source_y, trunk, room)

    def _straighten_box(self, box: int, alone: Sequence[bool], room: Callable[[int], tuple[float, float]]) -> None:
        """The only heavy link that comes to a box is the only one that leaves where it comes from: it becomes level."""
        heavy = [end for end in self._before[box] if end.weight > 1]
        if len(heavy) != 1 or not alone[heavy[0].other]:
            return
        wanted = self._tops[heavy[0].other] + heavy[0].other_y - heavy[0].own_y
        highest, lowest = room(box)
        if abs(wanted - self._tops[box]) <= _NEARLY and highest <= wanted <= lowest:
            self._tops[box] = wanted

    def _straighten_trunk(self, start: float, trunk: list[int], room: Callable[[int], tuple[float, float]]) -> None:
        """All bends of a link on one level, on that of its source if that is near."""
        rooms = [room(bend) for bend in trunk]
        highest, lowest = max(high for high, _ in rooms), min(low for _, low in rooms)
        if highest > lowest:
            return
        near = abs(start - self._tops[trunk[-1]]) <= _NEARLY
        wanted = start if near else fsum(self._tops[bend] for bend in trunk) / len(trunk)
        for bend in trunk:
            self._tops[bend] = min(max(wanted, highest), lowest)

    def _axis(self, vertex: int, offset: float, weight: float) -> float:
        """Where a link pulls at a vertex: a heavy one always at the same place."""
        return self._axes[vertex] if weight > 1 and vertex < self._count else offset

    def _place(self) -> None:
        """Corners of boxes and points of links."""
        lefts, rights = self._sides()
        highest = min(self._tops)
        tops = [top - highest for top in self._tops]
        corners: list[Point] = []
        for box, size in enumerate(self._boxes):
            layer = self._layer[box]
            # What nothing comes in to stands at the right edge of its layer, near to where it goes.
            left = lefts[layer] if self._before[box] else rights[layer] - size.width
            corners.append((left, tops[box]))
        height = max([*(tops[box] + size.height for box, size in enumerate(self._boxes)), *tops[self._count :]])
        routes = [self._route(number, corners, tops, lefts, rights) for number in range(len(self._links))]
        columns = list(zip(lefts, rights, strict=True))
        heights = [box.height for box in self._boxes]
        turned = {self._layer[bend] for bend in self._turns}
        sheet = in_rows(Sheet(columns, corners, heights, routes, rights[-1], height))
        # Links that turn round reach out farther than boxes do.
        before, behind = _TURN * (0 in turned), _TURN * (len(columns) - 1 in turned)
        self.width, self.height = sheet.width + before + behind, sheet.height
        self.places = [(x + before, y) for x, y in sheet.corners]
        self.routes = [tuple((x + before, y) for x, y in route) for route in sheet.routes]

    def _route(
        self,
        number: int,
        corners: Sequence[Point],
        tops: Sequence[float],
        lefts: Sequence[float],
        rights: Sequence[float],
    ) -> list[Point]:
        link = self._links[number]
        first, last = self._layer[link.source], self._layer[link.target]
        start_y, end_y = tops[link.source] + link.source_y, tops[link.target] + link.target_y
        points = [(corners[link.source][0] + self._boxes[link.source].width, start_y), (rights[first], start_y)]
        for bend in self._bends[number]:
            sides = (lefts[self._layer[bend]], tops[bend]), (rights[self._layer[bend]], tops[bend])
            points += reversed(sides) if number in self._backward else sides
        points += [(lefts[last], end_y), (corners[link.target][0], end_y)]
        return [point for point, _ in groupby(points)]

    def _sides(self) -> tuple[list[float], list[float]]:
        """The left and the right edge of each layer: as wide as its widest box, farther apart where more links go."""
        lefts: list[float] = []
        rights: list[float] = []
        texts = [0.0] * len(self._columns)
        for link in self._links:
            texts[self._layer[link.source]] = max(texts[self._layer[link.source]], link.text)
        x = 0.0
        for column in self._columns:
            lefts.append(x)
            x += max((self._boxes[each].width for each in column if each < self._count), default=0.0)
            rights.append(x)
            starts = {(each, own) for each in column for _, own, _, _ in self._behind[each]}
            x += max(min(_WIDEST_GAP, _BETWEEN_LAYERS + 3 * len(starts)), texts[len(rights) - 1] + 24)
        return lefts, rights


def _in_order(wanted: Sequence[tuple[float, float]], down: Sequence[float]) -> list[float]:
    """Tops as near as can be to those that are wanted, each with its weight, and as far below one another as `down` is.

    The sum of the weighted squares of what is missed is the least that there is: pool adjacent violators.
    """
    pools: list[tuple[float, float, int]] = []
    for (top, weight), step in zip(wanted, down, strict=True):
        mean, count = top - step, 1
        while pools and pools[-1][0] > mean:
            before, heavy, many = pools.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight)
            weight += heavy  # noqa: PLW2901 - that of the pool
            count += many
        pools.append((mean, weight, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + step for mean, step in zip(means, down, strict=True)]
