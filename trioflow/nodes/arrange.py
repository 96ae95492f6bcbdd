"""Lists in another order, cut into lists, and joined with other lists. Every operation makes a new list.

Items are equal by the rule of `logic.equal`: 1 and 1.0 are, 1 and true are not, not-a-number is equal to nothing.
"""

from __future__ import annotations

from typing import Any

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import same


@tf.data_node(id="list.reverse")
def reverse(items: list[Any]) -> list[Any]:
    """In the opposite order.

    >>> reverse([1, 2, 3])
    [3, 2, 1]
    """
    return items[::-1]


@tf.data_node(id="list.rotate")
def rotate(items: list[Any], by: int = 1) -> list[Any]:
    """With so many items from the start put to the end; a negative number puts items from the end to the start.

    >>> rotate([1, 2, 3, 4])
    [2, 3, 4, 1]
    """
    place = by % len(items) if items else 0
    return items[place:] + items[:place]


@tf.data_node(id="list.move")
def move(items: list[Any], index: int, to: int) -> list[Any]:
    """With the item at one place at another, those between moved up. A place that does not exist is an error.

    >>> move(["a", "b", "c"], 0, -1)
    ['b', 'c', 'a']
    """
    place = expect.place("list.move", len(items), index) % len(items)
    target = expect.place("list.move", len(items), to) % len(items)
    rest = items[:place] + items[place + 1 :]
    return [*rest[:target], items[place], *rest[target:]]


@tf.data_node(id="list.swap")
def swap(items: list[Any], a: int, b: int) -> list[Any]:
    """With two items in each other's place. A place that does not exist is an error.

    >>> swap(["a", "b", "c"], 0, -1)
    ['c', 'b', 'a']
    """
    swapped = list(items)
    for place, other in ((a, b), (b, a)):
        swapped[expect.place("list.swap", len(items), place)] = items[expect.place("list.swap", len(items), other)]
    return swapped


@tf.data_node(id="list.sort")
def sort(items: list[Any], descending: bool = False) -> list[Any]:
    """In ascending order, equal items as they were. Items that can't be compared are an error, not-a-number too.

    >>> sort([3, 1, 2])
    [1, 2, 3]
    """
    return expect.sorted_by("list.sort", items, items, descending)


@tf.data_node(id="list.sort_by")
def sort_by(items: list[Any], keys: list[Any], descending: bool = False) -> list[Any]:
    """In ascending order of their keys in the other list, items with equal keys as they were.

    Keys that can't be compared are an error, and so are lists of different lengths.

    >>> sort_by(["Bo", "Alexander", "Cy"], [2, 9, 2])
    ['Bo', 'Cy', 'Alexander']
    """
    if len(items) != len(keys):
        raise ValueError(f"list.sort_by: {len(items)} items have {len(keys)} keys.")
    return expect.sorted_by("list.sort_by", items, keys, descending)


@tf.data_node(id="list.flatten")
def flatten(items: list[Any], depth: int = 1) -> list[Any]:
    """With the items of lists in place of these lists, down to a depth; 0 and less leave it as it is.

    >>> flatten([1, [2, [3]], []])
    [1, 2, [3]]
    """
    flat = list(items)
    while depth > 0 and any(isinstance(item, list) for item in flat):
        depth -= 1
        flat = [part for item in flat for part in (item if isinstance(item, list) else [item])]
    return flat


@tf.data_node(id="list.chunk")
def chunk(items: list[Any], size: int) -> list[list[Any]]:
    """Lists of so many items each; the last one has what is left. A size that is not more than 0 is an error.

    >>> chunk([1, 2, 3, 4, 5], 2)
    [[1, 2], [3, 4], [5]]
    """
    expect.positive("list.chunk", "size", size)
    return [items[start : start + size] for start in range(0, len(items), size)]


@tf.data_node(id="list.windows")
def windows(items: list[Any], size: int = 2) -> list[list[Any]]:
    """Every so many neighbours; none if there are fewer items. A size that is not more than 0 is an error.

    >>> windows([1, 2, 3])
    [[1, 2], [2, 3]]
    """
    expect.positive("list.windows", "size", size)
    return [items[start : start + size] for start in range(len(items) - size + 1)]


@tf.data_node(id="list.runs")
def runs(items: list[Any]) -> list[list[Any]]:
    """Lists of neighbours that are equal to the first of them.

    >>> runs(["a", "a", "b", "a"])
    [['a', 'a'], ['b'], ['a']]
    """
    found: list[list[Any]] = []
    for item in items:
        if found and same(found[-1][0], item):
            found[-1].append(item)
        else:
            found.append([item])
    return found


@tf.data_node(id="list.enumerate")
def enumerate_(items: list[Any], start: int = 0) -> list[list[Any]]:
    """A list of number and item for each, counted from `start`.

    >>> enumerate_(["a", "b"], 1)
    [[1, 'a'], [2, 'b']]
    """
    return [[number, item] for number, item in enumerate(items, start)]


@tf.data_node(id="list.zip")
def zip_(a: list[Any], b: list[Any]) -> list[list[Any]]:
    """A list of two for each place: the items of both lists; as many as the shorter one has.

    >>> zip_(["a", "b"], [1, 2, 3])
    [['a', 1], ['b', 2]]
    """
    return [[x, y] for x, y in zip(a, b, strict=False)]


@tf.data_node(id="list.transpose")
def transpose(rows: list[list[Any]]) -> list[list[Any]]:
    """The columns of rows. Rows of different lengths are an error, and so is an item that is no list.

    >>> transpose([[1, 2, 3], [4, 5, 6]])
    [[1, 4], [2, 5], [3, 6]]
    """
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise TypeError(f"list.transpose: expected lists, but row {number} is {expect.shown(row)}.")
        if len(row) != len(rows[0]):
            raise ValueError(f"list.transpose: row 0 has {len(rows[0])} items, and row {number} has {len(row)}.")
    return [list(column) for column in zip(*rows, strict=True)]


@tf.data_node(id="list.combine")
def combine(a: list[Any], b: list[Any]) -> list[list[Any]]:
    """A list of two for each item of the first list with each of the second.

    >>> combine(["a", "b"], [1, 2])
    [['a', 1], ['a', 2], ['b', 1], ['b', 2]]
    """
    expect.at_most("list.combine", len(a) * len(b), "items")
    return [[x, y] for x in a for y in b]


@tf.data_node(id="list.intersect")
def intersect(a: list[Any], b: list[Any]) -> list[Any]:
    """The items of the first list that are equal to one of the second, as often and in the order as they are there.

    >>> intersect([1, 2, 3, 2], [2, 4])
    [2, 2]
    """
    return [item for item in a if any(same(item, other) for other in b)]


@tf.data_node(id="list.subtract")
def subtract(a: list[Any], b: list[Any]) -> list[Any]:
    """The items of the first list that are equal to none of the second.

    >>> subtract([1, 2, 3, 2], [2, 4])
    [1, 3]
    """
    return [item for item in a if not any(same(item, other) for other in b)]
