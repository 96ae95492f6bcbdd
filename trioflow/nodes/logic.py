"""Comparison, boolean logic, selection."""

from __future__ import annotations

from typing import Any

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import compared
from trioflow.nodes._slices import Steps, sliced

Orderable = int | float | str

_NONE: Any = None
"""What a lazy input gives if nothing is wired: defaults are values, and type checkers ask for something to call."""


def _comparable(node: str, *values: Orderable) -> None:
    if len({isinstance(value, str) for value in values}) > 1:
        told = " and ".join(expect.shown(value) for value in values)
        raise TypeError(f"{node}: {told} can't be compared; expected only numbers, or only texts.")


@sliced(id="logic.equal")
def equal(a: object, b: object) -> Steps[bool]:
    """Whether two values are equal; 1 and 1.0 are, 1 and true are not, and not-a-number is equal to nothing.

    Moments with a zone are equal if they are the same moment, in whatever zones. Lists, dictionaries and sets are equal
    if what they hold is, by this rule at every depth.

    >>> equal(1, 1.0)
    True
    """
    return (yield from compared(a, b))


@sliced(id="logic.not_equal")
def not_equal(a: object, b: object) -> Steps[bool]:
    """Whether two values differ, by the rule of `logic.equal`.

    >>> not_equal(1, True)
    True
    """
    return not (yield from compared(a, b))


@tf.data_node(id="logic.less")
def less(a: Orderable, b: Orderable) -> bool:
    """Whether the first is smaller. A number and a text can't be compared: that is an error.

    >>> less(1, 2)
    True
    """
    _comparable("logic.less", a, b)
    return a < b  # type: ignore[operator]


@tf.data_node(id="logic.less_equal")
def less_equal(a: Orderable, b: Orderable) -> bool:
    """Whether the first is smaller or equal. A number and a text can't be compared: that is an error.

    >>> less_equal(2, 2)
    True
    """
    _comparable("logic.less_equal", a, b)
    return a <= b  # type: ignore[operator]


@tf.data_node(id="logic.greater")
def greater(a: Orderable, b: Orderable) -> bool:
    """Whether the first is greater. A number and a text can't be compared: that is an error.

    >>> greater("b", "a")
    True
    """
    _comparable("logic.greater", a, b)
    return a > b  # type: ignore[operator]


@tf.data_node(id="logic.greater_equal")
def greater_equal(a: Orderable, b: Orderable) -> bool:
    """Whether the first is greater or equal. A number and a text can't be compared: that is an error.

    >>> greater_equal(1, 2)
    False
    """
    _comparable("logic.greater_equal", a, b)
    return a >= b  # type: ignore[operator]


@tf.data_node(id="logic.compare")
def compare(a: Orderable, b: Orderable) -> int:
    """-1 if the first is smaller, 0 if they are equal, 1 if it is greater.

    A number and a text can't be compared, and neither can not-a-number: that is an error.

    >>> compare("a", "b")
    -1
    """
    _comparable("logic.compare", a, b)
    if a != a or b != b:  # noqa: PLR0124 - only not-a-number is not itself
        raise ValueError(f"logic.compare: {expect.short(a)} and {expect.short(b)} have no order.")
    return (a > b) - (a < b)  # type: ignore[operator]


@tf.data_node(id="logic.between")
def between(value: Orderable, low: Orderable, high: Orderable) -> bool:
    """Whether a value is from `low` to `high`, both included. Numbers and texts can't be compared: that is an error.

    >>> between(5, 1, 5)
    True
    """
    _comparable("logic.between", value, low, high)
    return low <= value <= high  # type: ignore[operator]


@tf.data_node(id="logic.and")
def and_(a: bool, b: tf.Lazy[bool]) -> bool | tf.Lazy[bool]:
    """Whether both hold; the second is asked only if the first holds.

    >>> evaluate("logic.and", a=True, b=False)
    False
    """
    return b if a else False


@tf.data_node(id="logic.or")
def or_(a: bool, b: tf.Lazy[bool]) -> bool | tf.Lazy[bool]:
    """Whether at least one holds; the second is asked only if the first does not.

    >>> evaluate("logic.or", a=True, b=False)
    True
    """
    return True if a else b


@tf.data_node(id="logic.implies")
def implies(a: bool, b: tf.Lazy[bool]) -> bool | tf.Lazy[bool]:
    """Whether the second holds if the first does; it is asked only then.

    >>> evaluate("logic.implies", a=False, b=False)
    True
    """
    return b if a else True


@tf.data_node(id="logic.not")
def not_(value: bool) -> bool:
    """The opposite.

    >>> not_(True)
    False
    """
    return not value


@tf.data_node(id="logic.xor")
def xor(a: bool, b: bool) -> bool:
    """Whether exactly one holds.

    >>> xor(True, True)
    False
    """
    return a is not b


@sliced(id="logic.all")
def all_(items: list[bool]) -> Steps[bool]:
    """Whether all items are true; of an empty list they are. An item that is no truth value is an error.

    >>> all_([True, True, False])
    False
    """
    return all((yield from expect.truths("logic.all", items)))


@sliced(id="logic.any")
def any_(items: list[bool]) -> Steps[bool]:
    """Whether at least one item is true; of an empty list none is. An item that is no truth value is an error.

    >>> any_([False, True])
    True
    """
    return any((yield from expect.truths("logic.any", items)))


@sliced(id="logic.count")
def count(items: list[bool]) -> Steps[int]:
    """How many items are true. An item that is no truth value is an error.

    >>> count([True, False, True])
    2
    """
    return sum((yield from expect.truths("logic.count", items)))


@tf.data_node(id="logic.select")
def select(condition: bool, if_true: tf.Lazy[Any], if_false: tf.Lazy[Any]) -> object:
    """One of two values; the other is not even asked for.

    >>> evaluate("logic.select", condition=True, if_true="yes", if_false="no")
    'yes'
    """
    return if_true if condition else if_false


@tf.data_node(id="logic.choose")
def choose(index: int, a: tf.Lazy[Any], b: tf.Lazy[Any], c: tf.Lazy[Any] = _NONE, d: tf.Lazy[Any] = _NONE) -> object:
    """The value at a place: `a` is at 0; the others are not even asked for. A place beyond 0 and 3 is an error.

    >>> evaluate("logic.choose", index=1, a="red", b="green", c="blue")
    'green'
    """
    if not 0 <= index <= 3:
        raise IndexError(f"logic.choose: expected an index from 0 to 3, got {expect.short(index)}.")
    return (a, b, c, d)[index]


@tf.data_node(id="logic.is_none")
def is_none(value: object) -> bool:
    """Whether the value is none.

    >>> is_none(None)
    True
    """
    return value is None


@tf.data_node(id="logic.coalesce")
def coalesce(value: object, otherwise: tf.Lazy[Any]) -> object:
    """The value, or the other one if it is none; the other is asked only then.

    >>> evaluate("logic.coalesce", value=None, otherwise=5)
    5
    """
    return otherwise if value is None else value


@tf.data_node(id="logic.on_error")
async def on_error(value: tf.Lazy[Any], otherwise: tf.Lazy[Any]) -> object:
    """The value, or the other one if asking for the first fails; the other is asked only then.

    Any failure counts, also of nodes far behind the input, and a value that is missing; being cancelled does not.

    >>> evaluate("logic.on_error", value=1, otherwise=0)
    1
    """
    try:
        return await value()
    except Exception:
        return await otherwise()
