"""Rounding, by rules that are stated. What is rounded to a whole number can be neither infinite nor not-a-number."""

from __future__ import annotations

import decimal
import math
from typing import Literal

import trioflow as tf
from trioflow.nodes import _expect as expect

Number = int | float
RoundingRule = Literal["half_even", "half_up", "half_down", "up", "down", "ceiling", "floor"]


def _whole(node: str, value: Number) -> Number:
    if isinstance(value, float) and math.isnan(value):
        raise ValueError(f"{node}: NaN has no neighbour that is a whole number.")
    if isinstance(value, float) and math.isinf(value):
        raise OverflowError(f"{node}: infinity has no neighbour that is a whole number.")
    return value


def _digits(node: str, digits: int) -> int:
    if not -1000 <= digits <= 1000:
        raise ValueError(f"{node}: digits must be from -1000 to 1000, got {expect.short(digits)}.")
    return digits


@tf.data_node(id="math.round")
def round_(value: Number, digits: int = 0) -> Number:
    """Rounded to so many digits, halves to the even neighbour; without digits it is a whole number.

    A float counts as exactly what it is: 2.675 is a little less than it says, and becomes 2.67. Infinity and
    not-a-number can't become whole; digits beyond 1000 are an error. Negative digits round to tens, hundreds and so on.

    >>> round_(2.5)
    2
    """
    if not _digits("math.round", digits):
        return round(_whole("math.round", value))
    try:
        return round(value, digits)
    except OverflowError:
        raise OverflowError(
            f"math.round: {expect.short(value)} rounded to {digits} digits is beyond the greatest float."
        ) from None


@tf.data_node(id="math.round_by")
def round_by(value: Number, digits: int = 0, rule: RoundingRule = "half_up") -> Number:
    """Rounded to so many digits by a rule; without digits it is a whole number. Infinity and not-a-number are errors.

    Rules: `half_up` and `half_down` (halves away from zero, towards zero), `half_even`, `up` and `down` (away from
    zero, towards zero), `ceiling`, `floor`. A float counts as the decimal number that it is written as: 2.675 is half.

    >>> round_by(2.675, 2)
    2.68
    """
    _digits("math.round_by", digits)
    _whole("math.round_by", value)
    if isinstance(value, int):
        return value if digits >= 0 else _rounded(value, 10**-digits, rule)
    context = decimal.Context(prec=2_000, rounding=f"ROUND_{rule.upper()}")
    rounded = decimal.Decimal(repr(value)).quantize(decimal.Decimal((0, (1,), -digits)), context=context)
    return float(rounded) if digits else int(rounded)


def _rounded(value: int, unit: int, rule: RoundingRule) -> int:
    """The whole number rounded to a multiple of another one."""
    below, rest = divmod(abs(value), unit)
    away = {
        "half_even": rest * 2 > unit or (rest * 2 == unit and below % 2 == 1),
        "half_up": rest * 2 >= unit,
        "half_down": rest * 2 > unit,
        "up": rest > 0,
        "down": False,
        "ceiling": rest > 0 and value > 0,
        "floor": rest > 0 and value < 0,
    }[rule]
    size = (below + away) * unit
    return -size if value < 0 else size


@tf.data_node(id="math.floor")
def floor(value: Number) -> int:
    """The greatest whole number that is not greater. Infinity and not-a-number are errors.

    >>> floor(-1.5)
    -2
    """
    return math.floor(_whole("math.floor", value))


@tf.data_node(id="math.ceiling")
def ceiling(value: Number) -> int:
    """The smallest whole number that is not smaller. Infinity and not-a-number are errors.

    >>> ceiling(-1.5)
    -1
    """
    return math.ceil(_whole("math.ceiling", value))


@tf.data_node(id="math.truncate")
def truncate(value: Number) -> int:
    """The whole number towards zero. Infinity and not-a-number are errors.

    >>> truncate(-1.5)
    -1
    """
    return math.trunc(_whole("math.truncate", value))


@tf.data_node(id="math.fraction")
def fraction(value: Number) -> Number:
    """What `truncate` takes away; has the number's sign. Of infinity it is 0.0.

    >>> fraction(-1.25)
    -0.25
    """
    return math.modf(value)[0] if isinstance(value, float) else 0
