"""Lists in another order, cut into lists, and joined with other lists. Every operation makes a new list.

Items are equal by the rule of `logic.equal`: 1 and 1.0 are, 1 and true are not, not-a-number is equal to nothing.
"""

from __future__ import annotations

import itertools
from typing import Any, cast

from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import keys_of, members_of, sorted_by
from trioflow.nodes._slices import COPIED, SLICE, TURN, Steps, batches, copied, gathered, mapped, parts, sliced


@sliced(id="list.reverse")
def reverse(items: list[Any]) -> Steps[list[Any]]:
    """In the opposite order.

    >>> reverse([1, 2, 3])
    [3, 2, 1]
    """
    return (
        items[::-1]
        if len(items) <= COPIED
        else (yield from gathered(part[::-1] for part in reversed([*parts(items, COPIED)])))
    )


@sliced(id="list.rotate")
def rotate(items: list[Any], by: int = 1) -> Steps[list[Any]]:
    """With so many items from the start put to the end; a negative number puts items from the end to the start.

    >>> rotate([1, 2, 3, 4])
    [2, 3, 4, 1]
    """
    place = by % len(items) if items else 0
    return (yield from copied(items[place:], items[:place]))


@sliced(id="list.move")
def move(items: list[Any], index: int, to: int) -> Steps[list[Any]]:
    """With the item at one place at another, those between moved up. A place that does not exist is an error.

    >>> move(["a", "b", "c"], 0, -1)
    ['b', 'c', 'a']
    """
    place = expect.place("list.move", len(items), index) % len(items)
    target = expect.place("list.move", len(items), to) % len(items)
    changed = yield from copied(items)
    changed.insert(target, changed.pop(place))
    return changed


@sliced(id="list.swap")
def swap(items: list[Any], a: int, b: int) -> Steps[list[Any]]:
    """With two items in each other's place. A place that does not exist is an error.

    >>> swap(["a", "b", "c"], 0, -1)
    ['c', 'b', 'a']
    """
    places = [expect.place("list.swap", len(items), place) for place in (a, b)]
    changed = yield from copied(items)
    for place, other in (places, reversed(places)):
        changed[place] = items[other]
    return changed


@sliced(id="list.sort")
def sort(items: list[Any], descending: bool = False) -> Steps[list[Any]]:
    """In ascending order, equal items as they were. Items that can't be compared are an error, not-a-number too.

    >>> sort([3, 1, 2])
    [1, 2, 3]
    """
    return (yield from sorted_by("list.sort", items, items, descending))


@sliced(id="list.sort_by")
def sort_by(items: list[Any], keys: list[Any], descending: bool = False) -> Steps[list[Any]]:
    """In ascending order of their keys in the other list, items with equal keys as they were.

    Keys that can't be compared are an error, and so are lists of different lengths.

    >>> sort_by(["Bo", "Alexander", "Cy"], [2, 9, 2])
    ['Bo', 'Cy', 'Alexander']
    """
    if len(items) != len(keys):
        raise ValueError(f"list.sort_by: {len(items)} items have {len(keys)} keys.")
    return (yield from sorted_by("list.sort_by", items, keys, descending))


@sliced(id="list.flatten")
def flatten(items: list[Any], depth: int = 1) -> Steps[list[Any]]:
    """With the items of lists in place of these lists, down to a depth; 0 and less leave it as it is.

    >>> flatten([1, [2, [3]], []])
    [1, 2, [3]]
    """
    flat = yield from copied(items)
    while depth > 0:
        depth -= 1
        found: list[Any] = []
        is_flat = True
        for number, item in enumerate(flat, 1):
            if isinstance(item, list):
                is_flat = False
                for part in parts(cast("list[object]", item), COPIED):
                    found += part
                    if len(part) == COPIED:
                        yield TURN
            else:
                found.append(item)
            if not number % SLICE:
                yield TURN
            if len(found) > expect.MOST_ITEMS:
                raise expect.too_large("list.flatten", "items", expect.MOST_ITEMS)
        flat = found
        if is_flat:
            break
    return flat


@sliced(id="list.chunk")
def chunk(items: list[Any], size: int) -> Steps[list[list[Any]]]:
    """Lists of so many items each; the last one has what is left. A size that is not more than 0 is an error.

    >>> chunk([1, 2, 3, 4, 5], 2)
    [[1, 2], [3, 4], [5]]
    """
    expect.positive("list.chunk", "size", size)
    starts = range(0, len(items), size)
    return (
        yield from mapped(lambda start: items[start : start + size], starts, max(SLICE * 10 // min(size, COPIED), 1))
    )


@sliced(id="list.windows")
def windows(items: list[Any], size: int = 2) -> Steps[list[list[Any]]]:
    """Every so many neighbours; none if there are fewer items. A size that is not more than 0 is an error.

    >>> windows([1, 2, 3])
    [[1, 2], [2, 3]]
    """
    expect.positive("list.windows", "size", size)
    count = max(len(items) - size + 1, 0)
    expect.at_most("list.windows", count * min(size, len(items) + 1), "items", expect.MOST_ITEMS)
    return (
        yield from mapped(
            lambda start: items[start : start + size], range(count), max(SLICE * 10 // min(size, COPIED), 1)
        )
    )


@sliced(id="list.runs")
def runs(items: list[Any]) -> Steps[list[list[Any]]]:
    """Lists of neighbours that are equal to the first of them.

    >>> runs(["a", "a", "b", "a"])
    [['a', 'a'], ['b'], ['a']]
    """
    keys = yield from keys_of("list.runs", items)
    found: list[list[Any]] = []
    previous: Any = found  # equal to no key
    for number, (key, item) in enumerate(zip(keys, items, strict=True), 1):
        if key == previous:
            found[-1].append(item)
        else:
            found.append([item])
            previous = key
        if not number % SLICE:
            yield TURN
    return found


@sliced(id="list.enumerate")
def enumerate_(items: list[Any], start: int = 0) -> Steps[list[list[Any]]]:
    """A list of number and item for each, counted from `start`.

    >>> enumerate_(["a", "b"], 1)
    [[1, 'a'], [2, 'b']]
    """
    return (yield from gathered([[number, item] for number, item in part] for part in batches(enumerate(items, start))))


@sliced(id="list.zip")
def zip_(a: list[Any], b: list[Any]) -> Steps[list[list[Any]]]:
    """A list of two for each place: the items of both lists; as many as the shorter one has.

    >>> zip_(["a", "b"], [1, 2, 3])
    [['a', 1], ['b', 2]]
    """
    return (yield from gathered([[x, y] for x, y in part] for part in batches(zip(a, b, strict=False))))


@sliced(id="list.transpose")
def transpose(rows: list[list[Any]]) -> Steps[list[list[Any]]]:
    """The columns of rows. Rows of different lengths are an error, and so is an item that is no list.

    >>> transpose([[1, 2, 3], [4, 5, 6]])
    [[1, 4], [2, 5], [3, 6]]
    """
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise TypeError(f"list.transpose: expected lists, but row {expect.short(number)} is {expect.shown(row)}.")
        if len(row) != len(rows[0]):
            raise ValueError(f"list.transpose: row 0 has {len(rows[0])} items, and row {number} has {len(row)}.")
        if not (number + 1) % SLICE:
            yield TURN
    size = max(SLICE * 5 // max(len(rows), 1), 1)
    if len(rows) <= SLICE * 5:
        columns = batches(zip(*rows, strict=True), size)
        return (yield from gathered([list(column) for column in part] for part in columns))
    found: list[list[Any]] = [[] for _ in rows[0]]
    for place, column in enumerate(found):
        for part in parts(rows):
            column.extend([row[place] for row in part])
            yield TURN
    return found


@sliced(id="list.combine")
def combine(a: list[Any], b: list[Any]) -> Steps[list[list[Any]]]:
    """A list of two for each item of the first list with each of the second.

    >>> combine(["a", "b"], [1, 2])
    [['a', 1], ['a', 2], ['b', 1], ['b', 2]]
    """
    expect.at_most("list.combine", len(a) * len(b) * 2, "items", expect.MOST_ITEMS)
    return (yield from gathered([[x, y] for x, y in part] for part in batches(itertools.product(a, b))))


@sliced(id="list.intersect")
def intersect(a: list[Any], b: list[Any]) -> Steps[list[Any]]:
    """The items of the first list that are equal to one of the second, as often and in the order as they are there.

    >>> intersect([1, 2, 3, 2], [2, 4])
    [2, 2]
    """
    known = yield from members_of("list.intersect", a, b)
    pairs = batches(zip(a, known, strict=True))
    return (yield from gathered([item for item, is_known in part if is_known] for part in pairs))


@sliced(id="list.subtract")
def subtract(a: list[Any], b: list[Any]) -> Steps[list[Any]]:
    """The items of the first list that are equal to none of the second.

    >>> subtract([1, 2, 3, 2], [2, 4])
    [1, 3]
    """
    known = yield from members_of("list.subtract", a, b)
    pairs = batches(zip(a, known, strict=True))
    return (yield from gathered([item for item, is_known in part if not is_known] for part in pairs))
