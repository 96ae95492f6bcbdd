"""How large a value is, about, so that hosts can limit it: found in a time that the limit bounds, not the value."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import Any

ITEM = 64
"""Bytes that an item of a container counts, besides what it takes itself."""

CONTAINER = 128
"""Bytes that a list, tuple, set or dictionary counts, besides its items."""

_PLAIN: frozenset[type] = frozenset({bool, float, type(None)})
"""Of these nothing counts but the place that they take."""
_ALIKE: frozenset[type] = frozenset({str, int, list, dict})
"""Of these many are looked at together."""
_TEXTS = (str, bytes, bytearray, memoryview)
_BOXES = (list, tuple, set, frozenset)


def size_of(value: object, most: int) -> int:  # noqa: C901 - a hot path
    """About how many bytes of memory a value takes, or a number beyond `most` if it takes more.

    A character, a byte, or eight bits of a number count 1; an item of a list, tuple or set 64, an entry of a dictionary
    twice that, and each of these containers 128; anything else 64. What is there twice counts twice, and so what holds
    itself is beyond any limit.
    """
    size = 0
    todo: list[Collection[Any]] = [(value,)]
    while todo and size <= most:
        items = todo.pop()
        kinds = {*map(type, items)} - _PLAIN
        if not kinds:
            continue
        if len(kinds) == 1 and not kinds.isdisjoint(_ALIKE):  # which is quick, and what large values are made of
            (kind,) = kinds
            same: list[Any] = [each for each in items if type(each) is kind]
            if kind is int:
                size += sum(map(int.bit_length, same)) >> 3
                continue
            size += sum(map(len, same)) * (1 if kind is str else 2 * ITEM if kind is dict else ITEM)
            if kind is not str:
                size += CONTAINER * len(same)
                if size <= most:
                    todo.append([*chain.from_iterable(same)])
                    if kind is dict:
                        todo.append([*chain.from_iterable(map(dict.values, same))])
            continue
        for each in items:
            kind = type(each)
            if kind is list or isinstance(each, _BOXES):
                size += CONTAINER + ITEM * len(each)
                todo.append(each)
            elif isinstance(each, dict):
                size += CONTAINER + 2 * ITEM * len(each)
                todo += (each.keys(), each.values())
            elif isinstance(each, _TEXTS):
                size += len(each)
            elif isinstance(each, int):
                size += each.bit_length() >> 3
            elif kind not in _PLAIN:
                size += ITEM
            if size > most:
                break
    return size
