"""Lists. Every operation makes a new list; places count from 0, negative ones from the end.

Items are equal by the rule of `logic.equal`: 1 and 1.0 are, 1 and true are not, not-a-number is equal to nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import equal_ones, first_place
from trioflow.nodes._equality import unique as without_repetition
from trioflow.nodes._slices import COPIED, SLICE, Steps, batches, copied, gathered, mapped, parts, sliced
from trioflow.nodes._sums import total


@tf.data_node(id="list.literal")
def literal(items: list[Any]) -> list[Any]:
    """The list itself, to write one down in the graph.

    >>> literal([1, "a"])
    [1, 'a']
    """
    return items


@sliced(id="list.range")
def range_(stop: int, start: int = 0, step: int = 1) -> Steps[list[int]]:
    """The whole numbers from `start` up to, not including, `stop`. A step of 0 is an error.

    >>> range_(10, 4, 2)
    [4, 6, 8]
    """
    if step == 0:
        raise ValueError("list.range: the step must not be zero.")
    expect.at_most("list.range", -((start - stop) // step), "items", expect.MOST_ITEMS)
    numbers = range(start, stop, step)
    return list(numbers) if len(numbers) <= SLICE else (yield from gathered(parts(numbers, SLICE * 5)))


@sliced(id="list.repeat")
def repeat(items: list[Any], times: int) -> Steps[list[Any]]:
    """The items so many times, one after the other; empty for none or a negative number.

    >>> repeat([0, 1], 3)
    [0, 1, 0, 1, 0, 1]
    """
    expect.at_most("list.repeat", times * max(len(items), 1), "items", expect.MOST_ITEMS)
    if times * len(items) <= COPIED:
        return items * max(times, 0)
    block = items * max(COPIED // len(items), 1)
    count, rest = divmod(times * len(items), len(block))
    return (yield from copied(*([block] * count), block[:rest]))


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
def get_or(items: list[Any], index: int, otherwise: tf.Lazy[Any]) -> object:
    """The item at a place, or the other value if there is no such place; the other is asked only then.

    >>> evaluate("list.get_or", items=["a", "b"], index=2, otherwise="none")
    'none'
    """
    return items[index] if -len(items) <= index < len(items) else otherwise


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


@sliced(id="list.append")
def append(items: list[Any], item: object) -> Steps[list[Any]]:
    """With one more item at the end.

    >>> append([1, 2], 3)
    [1, 2, 3]
    """
    return (yield from copied(items, [item]))


@sliced(id="list.insert")
def insert(items: list[Any], index: int, item: object) -> Steps[list[Any]]:
    """With one more item before the one at a place; places beyond the ends are taken as the ends.

    >>> insert([1, 3], 1, 2)
    [1, 2, 3]
    """
    return (yield from copied(items[:index], [item], items[index:]))


@sliced(id="list.set")
def set_(items: list[Any], index: int, item: object) -> Steps[list[Any]]:
    """With another item at a place. A place that does not exist is an error.

    >>> set_([1, 2, 3], -1, 9)
    [1, 2, 9]
    """
    place = expect.place("list.set", len(items), index) % len(items)
    changed = yield from copied(items)
    changed[place] = item
    return changed


@sliced(id="list.remove_at")
def remove_at(items: list[Any], index: int) -> Steps[list[Any]]:
    """Without the item at a place. A place that does not exist is an error.

    >>> remove_at(["a", "b", "c"], 1)
    ['a', 'c']
    """
    place = expect.place("list.remove_at", len(items), index) % len(items)
    return (yield from copied(items[:place], items[place + 1 :]))


@sliced(id="list.remove")
def remove(items: list[Any], item: object) -> Steps[list[Any]]:
    """Without the first item that is equal to this one; as it is if there is none.

    >>> remove([1, 2, 1], 1)
    [2, 1]
    """
    place: int = yield from first_place(items, item)
    return (yield from copied(items[:place], items[place + 1 :])) if place >= 0 else (yield from copied(items))


@sliced(id="list.remove_all")
def remove_all(items: list[Any], item: object) -> Steps[list[Any]]:
    """Without all items that are equal to this one.

    >>> remove_all([1, None, 2, None], None)
    [1, 2]
    """
    equal: list[bool] = yield from equal_ones(items, item)
    return (
        yield from gathered(
            [each for each, is_equal in part if not is_equal] for part in batches(zip(items, equal, strict=True))
        )
    )


@sliced(id="list.concat")
def concat(a: list[Any], b: list[Any]) -> Steps[list[Any]]:
    """One list after the other.

    >>> concat([1], [2, 3])
    [1, 2, 3]
    """
    return (yield from copied(a, b))


@sliced(id="list.slice")
def slice_(items: list[Any], start: int = 0, stop: int | None = None) -> Steps[list[Any]]:
    """From `start` up to, not including, `stop`; places beyond the ends are taken as the ends.

    >>> slice_([1, 2, 3, 4], 1, -1)
    [2, 3]
    """
    return (yield from copied(items[start:stop]))


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


@sliced(id="list.pick")
def pick(items: list[Any], indexes: list[int]) -> Steps[list[Any]]:
    """The items at these places, in this order. A place that does not exist, or is no whole number, is an error.

    >>> pick(["a", "b", "c"], [2, 0, 0])
    ['c', 'a', 'a']
    """
    for number in (yield from expect.numbers("list.pick", indexes)):
        if not isinstance(number, int):
            raise TypeError(f"list.pick: expected places, which are whole numbers, got {expect.short(number)}.")
    return (yield from mapped(lambda index: items[expect.place("list.pick", len(items), index)], indexes))


@sliced(id="list.filter")
def filter_(items: list[Any], keep: list[bool]) -> Steps[list[Any]]:
    """The items for which the other list says true. Lists of different lengths are an error.

    >>> filter_(["a", "b", "c"], [True, False, True])
    ['a', 'c']
    """
    if len(items) != len(keep):
        raise ValueError(f"list.filter: {len(items)} items have {len(keep)} truth values.")
    kept = yield from expect.truths("list.filter", keep)
    pairs = batches(zip(items, kept, strict=True))
    return (yield from gathered([item for item, is_kept in part if is_kept] for part in pairs))


@sliced(id="list.contains")
def contains(items: list[Any], item: object) -> Steps[bool]:
    """Whether an item is equal to this one.

    >>> contains([1, True], 1.0)
    True
    """
    return (yield from first_place(items, item)) >= 0


@sliced(id="list.count")
def count(items: list[Any], item: object) -> Steps[int]:
    """How many items are equal to this one.

    >>> count([1, True, 1.0], 1)
    2
    """
    return sum((yield from equal_ones(items, item)))


@sliced(id="list.index_of")
def index_of(items: list[Any], item: object) -> Steps[int]:
    """The first place of an equal item; -1 if there is none.

    >>> index_of(["a", "b", "a"], "a")
    0
    """
    return (yield from first_place(items, item))


@sliced(id="list.last_index_of")
def last_index_of(items: list[Any], item: object) -> Steps[int]:
    """The last place of an equal item; -1 if there is none.

    >>> last_index_of(["a", "b", "a"], "a")
    2
    """
    return (yield from first_place(items, item, reversed(range(len(items)))))


@sliced(id="list.unique")
def unique(items: list[Any]) -> Steps[list[Any]]:
    """Without the items that are equal to one before them.

    >>> unique([2, 1, 2.0, True])
    [2, 1, True]
    """
    return (yield from without_repetition("list.unique", items))


@sliced(id="list.sum")
def sum_(items: list[Any]) -> Steps[int | float]:
    """The sum of the numbers, as `statistics.sum` gives it; 0 for an empty list. Items that are no numbers are errors.

    >>> sum_([1, 2.5])
    3.5
    """
    return (yield from total("list.sum", (yield from expect.numbers("list.sum", items))))
