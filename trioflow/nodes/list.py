"""Lists. Every operation makes a new list; places count from 0, negative ones from the end.

Items are equal by the rule of `logic.equal`: 1 and 1.0 are, 1 and true are not, not-a-number is equal to nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import same
from trioflow.nodes._equality import unique as without_repetition


@tf.data_node(id="list.literal")
def literal(items: list[Any]) -> list[Any]:
    """The list itself, to write one down in the graph.

    >>> literal([1, "a"])
    [1, 'a']
    """
    return items


@tf.data_node(id="list.range")
def range_(stop: int, start: int = 0, step: int = 1) -> list[int]:
    """The whole numbers from `start` up to, not including, `stop`. A step of 0 is an error.

    >>> range_(10, 4, 2)
    [4, 6, 8]
    """
    if step == 0:
        raise ValueError("list.range: the step must not be zero.")
    expect.at_most("list.range", -((start - stop) // step), "items")
    return list(range(start, stop, step))


@tf.data_node(id="list.repeat")
def repeat(items: list[Any], times: int) -> list[Any]:
    """The items so many times, one after the other; empty for none or a negative number.

    >>> repeat([0, 1], 3)
    [0, 1, 0, 1, 0, 1]
    """
    expect.at_most("list.repeat", times * max(len(items), 1), "items")
    return items * max(times, 0)


@tf.data_node(id="list.length")
def length(items: list[Any]) -> int:
    """The number of items.

    >>> length(["a", "b"])
    2
    """
    return len(items)


@tf.data_node(id="list.is_empty")
def is_empty(items: list[Any]) -> bool:
    """Whether there is no item.

    >>> is_empty([0])
    False
    """
    return not items


@tf.data_node(id="list.get")
def get(items: list[Any], index: int) -> object:
    """The item at a place. A place that does not exist is an error.

    >>> get(["a", "b", "c"], -1)
    'c'
    """
    return items[expect.place("list.get", len(items), index)]


@tf.data_node(id="list.get_or")
async def get_or(items: list[Any], index: int, otherwise: tf.Lazy[Any]) -> object:
    """The item at a place, or the other value if there is no such place; the other is asked only then.

    >>> evaluate("list.get_or", items=["a", "b"], index=2, otherwise="none")
    'none'
    """
    return items[index] if -len(items) <= index < len(items) else await otherwise()


@tf.data_node(id="list.first")
def first(items: list[Any]) -> object:
    """The first item. Of an empty list it is an error.

    >>> first(["a", "b"])
    'a'
    """
    if not items:
        raise IndexError("list.first: the list is empty.")
    return items[0]


@tf.data_node(id="list.last")
def last(items: list[Any]) -> object:
    """The last item. Of an empty list it is an error.

    >>> last(["a", "b"])
    'b'
    """
    if not items:
        raise IndexError("list.last: the list is empty.")
    return items[-1]


@tf.data_node(id="list.append")
def append(items: list[Any], item: object) -> list[Any]:
    """With one more item at the end.

    >>> append([1, 2], 3)
    [1, 2, 3]
    """
    return [*items, item]


@tf.data_node(id="list.insert")
def insert(items: list[Any], index: int, item: object) -> list[Any]:
    """With one more item before the one at a place; places beyond the ends are taken as the ends.

    >>> insert([1, 3], 1, 2)
    [1, 2, 3]
    """
    return [*items[:index], item, *items[index:]]


@tf.data_node(id="list.set")
def set_(items: list[Any], index: int, item: object) -> list[Any]:
    """With another item at a place. A place that does not exist is an error.

    >>> set_([1, 2, 3], -1, 9)
    [1, 2, 9]
    """
    place = expect.place("list.set", len(items), index) % len(items)
    return [*items[:place], item, *items[place + 1 :]]


@tf.data_node(id="list.remove_at")
def remove_at(items: list[Any], index: int) -> list[Any]:
    """Without the item at a place. A place that does not exist is an error.

    >>> remove_at(["a", "b", "c"], 1)
    ['a', 'c']
    """
    place = expect.place("list.remove_at", len(items), index) % len(items)
    return items[:place] + items[place + 1 :]


@tf.data_node(id="list.remove")
def remove(items: list[Any], item: object) -> list[Any]:
    """Without the first item that is equal to this one; as it is if there is none.

    >>> remove([1, 2, 1], 1)
    [2, 1]
    """
    place = index_of(items, item)
    return items[:place] + items[place + 1 :] if place >= 0 else list(items)


@tf.data_node(id="list.remove_all")
def remove_all(items: list[Any], item: object) -> list[Any]:
    """Without all items that are equal to this one.

    >>> remove_all([1, None, 2, None], None)
    [1, 2]
    """
    return [each for each in items if not same(each, item)]


@tf.data_node(id="list.concat")
def concat(a: list[Any], b: list[Any]) -> list[Any]:
    """One list after the other.

    >>> concat([1], [2, 3])
    [1, 2, 3]
    """
    return [*a, *b]


@tf.data_node(id="list.slice")
def slice_(items: list[Any], start: int = 0, stop: int | None = None) -> list[Any]:
    """From `start` up to, not including, `stop`; places beyond the ends are taken as the ends.

    >>> slice_([1, 2, 3, 4], 1, -1)
    [2, 3]
    """
    return items[start:stop]


class Split(NamedTuple):
    """Two parts of a list."""

    before: list[Any]
    after: list[Any]


@tf.data_node(id="list.split_at")
def split_at(items: list[Any], index: int) -> Split:
    """What is before a place and what is from there on; places beyond the ends are taken as the ends.

    >>> split_at([1, 2, 3], 1)
    Split(before=[1], after=[2, 3])
    """
    return Split(items[:index], items[index:])


@tf.data_node(id="list.every")
def every(items: list[Any], step: int = 2, start: int = 0) -> list[Any]:
    """Each second, third and so on item, from a place on. A step that is not more than 0 is an error.

    >>> every(["a", "b", "c", "d"], 2, 1)
    ['b', 'd']
    """
    expect.positive("list.every", "step", step)
    return items[start::step]


@tf.data_node(id="list.pick")
def pick(items: list[Any], indexes: list[int]) -> list[Any]:
    """The items at these places, in this order. A place that does not exist, or is no whole number, is an error.

    >>> pick(["a", "b", "c"], [2, 0, 0])
    ['c', 'a', 'a']
    """
    for number in expect.numbers("list.pick", indexes):
        if not isinstance(number, int):
            raise TypeError(f"list.pick: expected places, which are whole numbers, got {number!r}.")
    return [items[expect.place("list.pick", len(items), index)] for index in indexes]


@tf.data_node(id="list.filter")
def filter_(items: list[Any], keep: list[bool]) -> list[Any]:
    """The items for which the other list says true. Lists of different lengths are an error.

    >>> filter_(["a", "b", "c"], [True, False, True])
    ['a', 'c']
    """
    if len(items) != len(keep):
        raise ValueError(f"list.filter: {len(items)} items have {len(keep)} truth values.")
    return [item for item, kept in zip(items, expect.truths("list.filter", keep), strict=True) if kept]


@tf.data_node(id="list.contains")
def contains(items: list[Any], item: object) -> bool:
    """Whether an item is equal to this one.

    >>> contains([1, True], 1.0)
    True
    """
    return any(same(each, item) for each in items)


@tf.data_node(id="list.count")
def count(items: list[Any], item: object) -> int:
    """How many items are equal to this one.

    >>> count([1, True, 1.0], 1)
    2
    """
    return sum(same(each, item) for each in items)


@tf.data_node(id="list.index_of")
def index_of(items: list[Any], item: object) -> int:
    """The first place of an equal item; -1 if there is none.

    >>> index_of(["a", "b", "a"], "a")
    0
    """
    return next((place for place, each in enumerate(items) if same(each, item)), -1)


@tf.data_node(id="list.last_index_of")
def last_index_of(items: list[Any], item: object) -> int:
    """The last place of an equal item; -1 if there is none.

    >>> last_index_of(["a", "b", "a"], "a")
    2
    """
    return next((place for place in reversed(range(len(items))) if same(items[place], item)), -1)


@tf.data_node(id="list.unique")
def unique(items: list[Any]) -> list[Any]:
    """Without the items that are equal to one before them.

    >>> unique([2, 1, 2.0, True])
    [2, 1, True]
    """
    return without_repetition(items)


@tf.data_node(id="list.sum")
def sum_(items: list[Any]) -> int | float:
    """The sum of the numbers; 0 for an empty list. An item that is no number is an error.

    >>> sum_([1, 2.5])
    3.5
    """
    return sum(expect.numbers("list.sum", items))
