"""Comparison, boolean logic, selection."""

from __future__ import annotations

from typing import Any

import trioflow as tf

Orderable = int | float | str


@tf.data_node(id="logic.equal")
def equal(a: object, b: object) -> bool:
    """Whether two values are equal; 1 and 1.0 are, 1 and true are not."""
    return isinstance(a, bool) == isinstance(b, bool) and a == b


@tf.data_node(id="logic.not_equal")
def not_equal(a: object, b: object) -> bool:
    """Whether two values differ, by the rule of `logic.equal`."""
    return not equal(a, b)


@tf.data_node(id="logic.less")
def less(a: Orderable, b: Orderable) -> bool:
    """Whether the first is smaller. A number and a text can't be compared: that is an error."""
    return a < b  # type: ignore[operator]


@tf.data_node(id="logic.less_equal")
def less_equal(a: Orderable, b: Orderable) -> bool:
    """Whether the first is smaller or equal. A number and a text can't be compared: that is an error."""
    return a <= b  # type: ignore[operator]


@tf.data_node(id="logic.greater")
def greater(a: Orderable, b: Orderable) -> bool:
    """Whether the first is greater. A number and a text can't be compared: that is an error."""
    return a > b  # type: ignore[operator]


@tf.data_node(id="logic.greater_equal")
def greater_equal(a: Orderable, b: Orderable) -> bool:
    """Whether the first is greater or equal. A number and a text can't be compared: that is an error."""
    return a >= b  # type: ignore[operator]


@tf.data_node(id="logic.and")
async def and_(a: bool, b: tf.Lazy[bool]) -> bool:
    """Whether both hold; the second is asked only if the first holds."""
    return a and await b()


@tf.data_node(id="logic.or")
async def or_(a: bool, b: tf.Lazy[bool]) -> bool:
    """Whether at least one holds; the second is asked only if the first does not."""
    return a or await b()


@tf.data_node(id="logic.not")
def not_(value: bool) -> bool:
    """The opposite."""
    return not value


@tf.data_node(id="logic.xor")
def xor(a: bool, b: bool) -> bool:
    """Whether exactly one holds."""
    return a is not b


@tf.data_node(id="logic.select")
async def select(condition: bool, if_true: tf.Lazy[Any], if_false: tf.Lazy[Any]) -> object:
    """One of two values; the other is not even asked for."""
    return await (if_true if condition else if_false)()


@tf.data_node(id="logic.is_none")
def is_none(value: object) -> bool:
    """Whether the value is none."""
    return value is None


@tf.data_node(id="logic.coalesce")
async def coalesce(value: object, otherwise: tf.Lazy[Any]) -> object:
    """The value, or the other one if it is none; the other is asked only then."""
    return await otherwise() if value is None else value
