"""What nodes expect of their inputs beyond the sockets' types, and the errors that say so."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

MOST = 100_000_000
"""How long a value may be that a few small inputs ask for: beyond it a slip of the pen would take the host's memory."""


def numbers(node: str, items: Sequence[object]) -> list[int | float]:
    """The items, which all have to be numbers: a truth value is none."""
    found: list[int | float] = []
    for place, item in enumerate(items):
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise TypeError(f"{node}: expected numbers, but item {place} is {shown(item)}.")
        found.append(item)
    return found


def texts(node: str, items: Sequence[object]) -> list[str]:
    """The items, which all have to be texts."""
    found: list[str] = []
    for place, item in enumerate(items):
        if not isinstance(item, str):
            raise TypeError(f"{node}: expected texts, but item {place} is {shown(item)}.")
        found.append(item)
    return found


def truths(node: str, items: Sequence[object]) -> list[bool]:
    """The items, which all have to be true or false."""
    found: list[bool] = []
    for place, item in enumerate(items):
        if not isinstance(item, bool):
            raise TypeError(f"{node}: expected truth values, but item {place} is {shown(item)}.")
        found.append(item)
    return found


def sorted_by(node: str, items: Sequence[Any], keys: Sequence[Any], descending: bool) -> list[Any]:
    """The items in the order of their keys, which have to have one; items with equal keys as they were."""
    for place, key in enumerate(keys):
        if isinstance(key, float) and math.isnan(key):
            raise ValueError(f"{node}: item {place} is not-a-number, which is neither smaller nor greater than others.")
    try:
        order = sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)
    except TypeError as error:
        raise TypeError(f"{node}: the items can't be compared: {error}.") from None
    return [items[place] for place in order]


def hashable(node: str, value: object) -> Hashable:
    """The value, which has to be fit for a key or a member of a set: a list, for example, is not."""
    try:
        hash(value)
    except TypeError:
        raise TypeError(f"{node}: {shown(value)} can be neither a key nor a member: its contents may change.") from None
    return value


def place(node: str, length: int, index: int) -> int:
    """The index, which has to be that of an item; negative ones count from the end."""
    if not -length <= index < length:
        raise IndexError(f"{node}: there is no item {index} in a list of {length}.")
    return index


def at_most(node: str, count: int, what: str) -> int:
    """The count, which has to be within what a computer can hold; what is negative counts as 0."""
    if count > MOST:
        raise ValueError(f"{node}: the result would have {count} {what}; it may have {MOST} at most.")
    return max(count, 0)


def positive(node: str, name: str, value: float) -> None:
    """Nothing, unless the value is 0, negative or not a number."""
    if not value > 0:
        raise ValueError(f"{node}: {name} must be more than 0, got {value!r}.")


def finite(node: str, value: float) -> None:
    """Nothing, unless the value is infinite or not a number."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{node}: expected a finite number, got {value!r}.")


def shown(value: object) -> str:
    """A value with its type, cut short, for a message."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of thousands of digits
        text = "of thousands of digits"
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
