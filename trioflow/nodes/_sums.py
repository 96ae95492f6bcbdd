"""Sums: exact before they are rounded once, so that they depend neither on the order nor on how Python adds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from trioflow.nodes._slices import SLICE, TURN, Steps, parts

Number = int | float

_LOWEST = 1074
"""The smallest float is two to the power of minus so many: each float is a whole number of these."""


def total(node: str, items: Sequence[Number]) -> Steps[Number]:  # noqa: C901 - two kinds of numbers in one reading
    """The sum. Whole numbers stay exact; infinity and not-a-number stay what they are in sums of floats.

    Raises `OverflowError` for a sum that is beyond the greatest float.
    """
    if len(items) <= SLICE and all(type(item) is float for item in items):
        try:
            return math.fsum(items) if items else 0
        except (OverflowError, ValueError):
            pass
    whole = scaled = 0
    special = 0.0
    has_floats = False
    for number, part in enumerate(parts(items)):
        if number:
            yield TURN
        for item in part:
            if not isinstance(item, float):
                whole += item
                continue
            has_floats = True
            if item - item != 0:
                special += item
                continue
            top, bottom = item.as_integer_ratio()
            scaled += top << (_LOWEST + 1 - bottom.bit_length())
    if not has_floats:
        return whole
    if special != 0:
        return special
    try:
        return ((whole << _LOWEST) + scaled) / (1 << _LOWEST)
    except OverflowError:
        raise OverflowError(f"{node}: the sum is beyond the greatest float.") from None


def root(node: str, exact: Fraction | int) -> float:
    """The square root of a number that is not negative, as if it was rounded once. Raises `OverflowError`."""
    top, bottom = exact.numerator, exact.denominator
    # As a whole number of at least 128 bits, moved by an even number of bits: more than a float has.
    shift = (256 - top.bit_length() + bottom.bit_length()) & ~1
    moved = (top << shift) // bottom if shift >= 0 else top // (bottom << -shift)
    try:
        return math.ldexp(float(math.isqrt(moved)), -(shift // 2))
    except OverflowError:
        raise OverflowError(f"{node}: the result is beyond the greatest float.") from None


def product(node: str, items: Sequence[Number]) -> Steps[Number]:
    """The product. Raises `OverflowError` for one of floats that is beyond the greatest."""
    result: Number = 1
    for number, part in enumerate(parts(items, 500)):
        if number:
            yield TURN
        try:
            result *= math.prod(part)
        except OverflowError:
            result = math.inf
        if isinstance(result, float) and math.isinf(result):
            raise OverflowError(f"{node}: the product is beyond the greatest float.")
        if isinstance(result, int) and result.bit_length() > _MOST_BITS:
            raise OverflowError(f"{node}: the product has more than {_MOST_BITS} bits.")
    return result


_MOST_BITS = 10_000_000


def mean(node: str, items: Sequence[Number]) -> Steps[float]:
    """The arithmetic mean, rounded once. Raises `OverflowError`, and `ZeroDivisionError` for no items."""
    exact = 0
    for number, part in enumerate(parts(items)):
        if number:
            yield TURN
        for item in part:
            top, bottom = item.as_integer_ratio()
            exact += top << (_LOWEST + 1 - bottom.bit_length())
    try:
        return exact / (len(items) << _LOWEST)
    except OverflowError:
        raise OverflowError(f"{node}: the mean is beyond the greatest float.") from None
