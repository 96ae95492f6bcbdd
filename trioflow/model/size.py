"""How large a value is, about, so that hosts can limit it: found in a time that the limit bounds, not the value."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

ITEM = 64
"""Bytes that an item of a container counts, besides what is in it."""

_PLAIN: frozenset[type] = frozenset({bool, float, type(None)})
"""Of these nothing counts but the place that they take."""


def size_of(value: object, most: int) -> int:
    """About how many bytes of memory a value takes, or a number beyond `most` if it takes more.

    A character, a byte, or eight bits of a number count 1; an item of a list, tuple, set or dictionary 64 and what it
    holds; anything else 64. What is there twice counts twice, and so what holds itself is beyond any limit.
    """
    size = 0
    todo: list[Collection[Any]] = [(value,)]
    while todo and size <= most:
        items = todo.pop()
        kinds = {*map(type, items)} - _PLAIN
        if not kinds:
            continue
        if kinds == {str}:
            size += sum(map(len, items))
        elif kinds == {int}:
            size += sum(map(int.bit_length, items)) >> 3
        else:
            for each in items:
                size += _own_size(each)
                if isinstance(each, dict):
                    todo += (each.keys(), each.values())
                elif isinstance(each, list | tuple | set | frozenset):
                    todo.append(each)
                if size > most:
                    break
    return size


def _own_size(value: object) -> int:
    """What a value takes without what it holds, besides its place."""
    if isinstance(value, str | bytes | bytearray | memoryview):
        return len(value)
    if isinstance(value, int):
        return value.bit_length() >> 3
    if isinstance(value, dict):
        return 2 * ITEM * len(value)
    if isinstance(value, list | tuple | set | frozenset):
        return ITEM * len(value)
    return 0 if type(value) in _PLAIN else ITEM
