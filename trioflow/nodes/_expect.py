"""What nodes expect of their inputs beyond the sockets' types, and the errors that say so."""

from __future__ import annotations

import datetime
import math
import reprlib
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, cast

from trioflow.nodes._equality import in_order, settled
from trioflow.nodes._slices import TURN, Steps, parts

MOST = 10_000_000
"""How many characters or bytes a value may have that a node makes of small ones, and how many bits a number.

Beyond it a slip of the pen would take the host's memory, and no Python could touch the value without holding up others.
"""

MOST_ITEMS = 1_000_000
"""How many items it may have. Each takes eight bytes at least, and one instruction where Python lets go of a list."""

LONGEST_NUMBER = 1_000_000
"""Decimal digits of a whole number that is read from a text."""


def numbers(node: str, items: Sequence[object]) -> Steps[list[int | float]]:
    """The items, which all have to be numbers: a truth value is none."""
    return cast("list[int | float]", (yield from _all(node, items, _is_number, "numbers")))


def texts(node: str, items: Sequence[object]) -> Steps[list[str]]:
    """The items, which all have to be texts."""
    return cast("list[str]", (yield from _all(node, items, lambda item: isinstance(item, str), "texts")))


def truths(node: str, items: Sequence[object]) -> Steps[list[bool]]:
    """The items, which all have to be true or false."""
    return cast("list[bool]", (yield from _all(node, items, lambda item: isinstance(item, bool), "truth values")))


def _is_number(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool)


def _all(node: str, items: Sequence[object], fits: Callable[[object], bool], what: str) -> Steps[Sequence[object]]:
    for number, part in enumerate(parts(items)):
        if number:
            yield TURN
        if not all(map(fits, part)):
            place, item = next((place, item) for place, item in enumerate(items) if not fits(item))
            raise TypeError(f"{node}: expected {what}, but item {place} is {shown(item)}.")
    return items


def hashable(node: str, value: object) -> Any:
    """The value as a key or a member of a set, which it has to be fit for: a list, for example, is not.

    A moment has its offset for a zone then, so that it is not taken for another one in an hour that comes twice.
    """
    if type(value) is str:
        return value
    if isinstance(value, datetime.datetime):
        return value if (with_offset := settled(value)) == value else with_offset
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(hashable(node, item) for item in cast("tuple[object, ...]", value))
    try:
        hash(value)
    except TypeError:
        raise TypeError(f"{node}: {shown(value)} can be neither a key nor a member: its contents may change.") from None
    return value


def place(node: str, length: int, index: int) -> int:
    """The index, which has to be that of an item; negative ones count from the end."""
    if not -length <= index < length:
        raise IndexError(f"{node}: there is no item {short(index)} in a list of {short(length)}.")
    return index


class TooLarge(ValueError):
    """What a node would make has more characters, bytes or items than a node may make."""


def at_most(node: str, count: int, what: str, most: int = MOST) -> int:
    """The count, which has to be within what a computer can hold; what is negative counts as 0."""
    if count > most:
        raise TooLarge(f"{node}: the result would have {short(count)} {what}; it may have {most} at most.")
    return max(count, 0)


def too_large(node: str, what: str, most: int = MOST) -> TooLarge:
    """The error for a result that turned out to be larger than a computer should hold."""
    return TooLarge(f"{node}: the result would have more {what}; it may have {most} at most.")


def beyond(node: str, *values: float) -> OverflowError:
    """The error for a whole number that meets a float, and that no float can hold; or for a result that none can."""
    for value in values:
        if isinstance(value, int) and value.bit_length() > _FLOAT_BITS:
            return OverflowError(f"{node}: the whole number {short(value)} is beyond the greatest float.")
    return OverflowError(f"{node}: the result is beyond the greatest float.")


_FLOAT_BITS = 1024
"""Bits of the whole part of the greatest float."""

HEAVY = 100_000
"""Bits of whole numbers that are still multiplied and divided here: it takes a millisecond or two."""


def bits(node: str, count: int) -> None:
    """Nothing, unless a whole number would have more bits than a computer should hold."""
    if count > MOST:
        raise OverflowError(f"{node}: the result would have about {short(count)} bits; it may have {MOST} at most.")


def heavy(*numbers: float) -> bool:
    """Whether what is computed of these may take long: whole numbers of tens of thousands of digits."""
    total = 0
    for number in numbers:
        if not isinstance(number, int):
            return False  # with a float all of them become floats
        total += number.bit_length()
    return total > HEAVY


def positive(node: str, name: str, value: float) -> None:
    """Nothing, unless the value is 0, negative or not a number."""
    if not value > 0:
        raise ValueError(f"{node}: {name} must be more than 0, got {short(value)}.")


def finite(node: str, value: float) -> None:
    """Nothing, unless the value is infinite or not a number."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{node}: expected a finite number, got {short(value)}.")


def shown(value: object) -> str:
    """A value with its type, cut short, for a message."""
    return f"{type(value).__name__} {short(value)}"


def short(value: object, most: int = 60) -> str:
    """A value as Python writes it, cut short, for a message: never much work, whatever the value."""
    if isinstance(value, int):
        size = value.bit_length()
        text = repr(value) if size < 4_000 else f"of {int(size * math.log10(2)) + 1} digits"
    elif isinstance(value, str | bytes):
        text = repr(value[:most])
    else:
        text = _SHORT.repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


class Short(reprlib.Repr):
    """Shows the first few items, a few levels deep."""

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if level <= 0:
            return "{...}"
        shown = [f"{self.repr1(key, level - 1)}: {self.repr1(x[key], level - 1)}" for key in islice(x, self.maxdict)]
        return f"{{{', '.join((*shown, '...') if len(x) > self.maxdict else shown)}}}"

    def repr_set(self, x: set[Any], level: int) -> str:
        return f"{{{self._first(x, level)}}}" if x else "set()"

    def repr_frozenset(self, x: frozenset[Any], level: int) -> str:
        return f"frozenset({{{self._first(x, level)}}})" if x else "frozenset()"

    def _first(self, x: set[Any] | frozenset[Any], level: int) -> str:
        """Some members, in order if they are few: to sort many takes time."""
        members = in_order(x) if len(x) <= self.maxset else islice(x, self.maxset)
        shown = [self.repr1(each, level - 1) for each in members] if level > 0 else ["..."]
        return ", ".join((*shown, "...") if len(x) > self.maxset else shown)

    def repr_int(self, x: int, level: int) -> str:
        return short(x, max(self.maxlong, 40))


_SHORT = Short()
_SHORT.maxlevel, _SHORT.maxother, _SHORT.maxstring = 4, 60, 60


def at_least_one(where: str, number: int) -> int:
    """The number, if it is 1 or more. Raises `ValueError`."""
    if number < 1:
        raise ValueError(f"{where} needs 1 or more, got {short(number)}.")
    return number


def at_least_zero(where: str, name: str, seconds: float) -> float:
    """The number of seconds, if it is one that can be waited for. Raises `ValueError`."""
    if not seconds >= 0:  # also false for what is not a number
        raise ValueError(f"{where} needs 0 {name} or more, got {short(seconds)}.")
    return seconds
