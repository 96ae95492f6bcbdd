"""What the nodes call equal, and the order that they give to what has none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast


def same(a: object, b: object) -> bool:
    """Whether two values are equal: 1 and 1.0 are, 1 and true are not, and not-a-number is equal to nothing.

    Within lists and dictionaries Python's rule holds, by which 1 and true are equal.
    """
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def unique(items: Iterable[Any]) -> list[Any]:
    """The items without those that are the same as one before them."""
    found: list[Any] = []
    hashed: set[tuple[bool, Any]] = set()
    unhashed: list[Any] = []
    for item in items:
        try:
            key = (isinstance(item, bool), item)
            if key in hashed and same(item, item):
                continue
            hashed.add(key)
        except TypeError:  # lists and dictionaries can only be compared one by one
            if any(same(item, other) for other in unhashed):
                continue
            unhashed.append(item)
        found.append(item)
    return found


def in_order(members: Iterable[Any]) -> list[Any]:
    """The members of a set in an order that depends on nothing but the members.

    Numbers come first, in ascending order, then texts, then everything else by its type and its written form. Python's
    own order of texts in a set differs from process to process.
    """
    return sorted(members, key=_rank)


def _rank(value: object) -> tuple[Any, ...]:
    if isinstance(value, int | float):
        return (0, value != value, 0 if value != value else value, isinstance(value, bool))  # noqa: PLR0124 - NaN is last
    if isinstance(value, str):
        return (1, value)
    if isinstance(value, tuple):
        return (2, *map(_rank, cast("tuple[object, ...]", value)))
    if isinstance(value, frozenset):
        return (3, *map(_rank, in_order(value)))
    return (4, type(value).__name__, repr(value))
