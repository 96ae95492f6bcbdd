"""Lists. Every operation makes a new list; places count from 0, negative ones from the end."""

from __future__ import annotations

from typing import Any

import trioflow as tf


@tf.data_node(id="list.literal")
def literal(items: list[Any]) -> list[Any]:
    """The list itself, to write one down in the graph."""
    return items


@tf.data_node(id="list.range")
def range_(stop: int, start: int = 0, step: int = 1) -> list[int]:
    """The whole numbers from `start` up to, not including, `stop`. A step of 0 is an error."""
    return list(range(start, stop, step))


@tf.data_node(id="list.length")
def length(items: list[Any]) -> int:
    """The number of items."""
    return len(items)


@tf.data_node(id="list.get")
def get(items: list[Any], index: int) -> object:
    """The item at a place. A place that does not exist is an error."""
    if not -len(items) <= index < len(items):
        raise IndexError(f"list.get: there is no item {index} in a list of {len(items)}.")
    return items[index]


@tf.data_node(id="list.first")
def first(items: list[Any]) -> object:
    """The first item. Of an empty list it is an error."""
    if not items:
        raise IndexError("list.first: the list is empty.")
    return items[0]


@tf.data_node(id="list.last")
def last(items: list[Any]) -> object:
    """The last item. Of an empty list it is an error."""
    if not items:
        raise IndexError("list.last: the list is empty.")
    return items[-1]


@tf.data_node(id="list.append")
def append(items: list[Any], item: object) -> list[Any]:
    """With one more item at the end."""
    return [*items, item]


@tf.data_node(id="list.concat")
def concat(a: list[Any], b: list[Any]) -> list[Any]:
    """One list after the other."""
    return [*a, *b]


@tf.data_node(id="list.slice")
def slice_(items: list[Any], start: int = 0, stop: int | None = None) -> list[Any]:
    """From `start` up to, not including, `stop`; places beyond the ends are taken as the ends."""
    return items[start:stop]


@tf.data_node(id="list.contains")
def contains(items: list[Any], item: object) -> bool:
    """Whether an item is equal to this one."""
    return item in items


@tf.data_node(id="list.index_of")
def index_of(items: list[Any], item: object) -> int:
    """The first place of an equal item; -1 if there is none."""
    return items.index(item) if item in items else -1


@tf.data_node(id="list.reverse")
def reverse(items: list[Any]) -> list[Any]:
    """In the opposite order."""
    return items[::-1]


@tf.data_node(id="list.sort")
def sort(items: list[Any], descending: bool = False) -> list[Any]:
    """In ascending order, equal items as they were. Items that can't be compared are an error."""
    return sorted(items, reverse=descending)


@tf.data_node(id="list.sum")
def sum_(items: list[Any]) -> int | float:
    """The sum of the numbers; 0 for an empty list."""
    return sum(items)  # type: ignore[no-any-return]
