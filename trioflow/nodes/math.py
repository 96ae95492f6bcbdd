"""Arithmetic. Whole numbers stay whole and exact; a float makes the result a float. Truth values are not numbers.

Floats follow IEEE 754: not-a-number goes through whatever is computed with it, unless a node says otherwise. A whole
number that no float can hold is an OverflowError where it meets a float.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import trioflow as tf
from trioflow.nodes import _expect as expect

Number = int | float

_MOST_BITS = 10_000_000
"""Of whole numbers that a power makes: beyond it computing takes minutes, during which nothing else runs."""


def _divisor(b: Number) -> Number:
    if b == 0:
        raise ZeroDivisionError("division by zero")
    return b


@tf.data_node(id="math.add")
def add(a: Number, b: Number) -> Number:
    """The sum of two numbers.

    >>> add(2, 3)
    5
    """
    return a + b


@tf.data_node(id="math.subtract")
def subtract(a: Number, b: Number) -> Number:
    """The first number less the second.

    >>> subtract(2, 0.5)
    1.5
    """
    return a - b


@tf.data_node(id="math.multiply")
def multiply(a: Number, b: Number) -> Number:
    """The product of two numbers.

    >>> multiply(6, 7)
    42
    """
    return a * b


@tf.data_node(id="math.divide")
def divide(a: Number, b: Number) -> float:
    """The quotient as a float. Dividing by zero is an error.

    >>> divide(7, 2)
    3.5
    """
    return a / _divisor(b)


@tf.data_node(id="math.floor_divide")
def floor_divide(a: Number, b: Number) -> Number:
    """The quotient rounded down, towards minus infinity. Dividing by zero is an error.

    >>> floor_divide(-7, 2)
    -4
    """
    return a // _divisor(b)


@tf.data_node(id="math.modulo")
def modulo(a: Number, b: Number) -> Number:
    """What is left after `floor_divide`; has the sign of the second number. By zero it is an error.

    >>> modulo(-7, 2)
    1
    """
    return a % _divisor(b)


class Quotient(NamedTuple):
    """A quotient rounded down, and what is left."""

    quotient: Number
    remainder: Number


@tf.data_node(id="math.divmod")
def divmod_(a: Number, b: Number) -> Quotient:
    """What `floor_divide` and `modulo` give, together. Dividing by zero is an error.

    >>> divmod_(17, 5)
    Quotient(quotient=3, remainder=2)
    """
    return Quotient(*divmod(a, _divisor(b)))


@tf.data_node(id="math.power")
def power(base: Number, exponent: Number) -> Number:
    """A power. A negative number to a fraction has no real value and is an error.

    Whole numbers stay exact, except that a negative exponent gives a float. Errors are 0 to a negative exponent, a
    float beyond the greatest, and a whole number of more than ten million bits.

    >>> power(2, 10)
    1024
    """
    told = f"math.power: {base!r} to the power of {exponent!r}"
    if base == 0 and exponent < 0:
        raise ZeroDivisionError(f"{told} is a division by zero.")
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1:
        bits = base.bit_length() * exponent
        if bits > _MOST_BITS:
            raise OverflowError(f"math.power: the result would have about {bits} bits; the most is {_MOST_BITS}.")
    try:
        result: Number | complex = base**exponent
    except OverflowError:
        raise OverflowError(f"{told} is beyond the greatest float.") from None
    if isinstance(result, complex):
        raise ValueError(f"{told} is not a real number.")
    return result


@tf.data_node(id="math.negate")
def negate(value: Number) -> Number:
    """The number with the other sign.

    >>> negate(3)
    -3
    """
    return -value


@tf.data_node(id="math.absolute")
def absolute(value: Number) -> Number:
    """The number without its sign.

    >>> absolute(-3)
    3
    """
    return abs(value)


@tf.data_node(id="math.sign")
def sign(value: Number) -> int:
    """-1 for a negative number, 0 for zero, 1 for a positive number. Not-a-number has none and is an error.

    >>> sign(-0.5)
    -1
    """
    if value != value:  # noqa: PLR0124 - only not-a-number is not itself
        raise ValueError("math.sign: NaN has no sign.")
    return (value > 0) - (value < 0)


@tf.data_node(id="math.minimum")
def minimum(a: Number, b: Number) -> Number:
    """The smaller of two numbers; the first if they are equal. Not-a-number if one of them is.

    >>> minimum(2, 1.5)
    1.5
    """
    return b if b < a or math.isnan(b) else a


@tf.data_node(id="math.maximum")
def maximum(a: Number, b: Number) -> Number:
    """The greater of two numbers; the first if they are equal. Not-a-number if one of them is.

    >>> maximum(2, 1.5)
    2
    """
    return b if b > a or math.isnan(b) else a


@tf.data_node(id="math.clamp")
def clamp(value: Number, low: Number = 0, high: Number = 1) -> Number:
    """The number, or the bound that it is beyond. Bounds in the wrong order are an error.

    >>> clamp(12, 0, 10)
    10
    """
    if not low <= high:
        raise ValueError(f"math.clamp: low ({low!r}) is greater than high ({high!r}).")
    return min(max(value, low), high)


@tf.data_node(id="math.wrap")
def wrap(value: Number, low: Number = 0, high: Number = 1) -> Number:
    """The number moved by whole turns from `low` to `high` until it is in between; `high` itself becomes `low`.

    Bounds that are equal or in the wrong order are an error; an infinite number is not a number on a circle.

    >>> wrap(370, 0, 360)
    10
    """
    if not low < high:
        raise ValueError(f"math.wrap: low ({low!r}) must be less than high ({high!r}).")
    turned = low + (value - low) % (high - low)
    return turned if turned < high or math.isnan(turned) else low  # rounding may reach the bound


@tf.data_node(id="math.interpolate")
def interpolate(start: Number, end: Number, fraction: Number) -> float:
    """The number so far on the way from `start` (0) to `end` (1); beyond them if the fraction is.

    >>> interpolate(10, 20, 0.25)
    12.5
    """
    return start * (1.0 - fraction) + end * fraction


@tf.data_node(id="math.map_range")
def map_range(value: Number, from_low: Number, from_high: Number, to_low: Number = 0, to_high: Number = 1) -> float:
    """Where a number is between two bounds, carried over to two others; beyond them if it was beyond.

    The bounds may be in any order. The first two being equal is an error.

    >>> map_range(5, 0, 10, 100, 200)
    150.0
    """
    if from_low == from_high:
        raise ValueError(f"math.map_range: from_low and from_high are equal ({from_low!r}): nothing lies between.")
    fraction = (value - from_low) / (from_high - from_low)
    return to_low * (1.0 - fraction) + to_high * fraction


@tf.data_node(id="math.square_root")
def square_root(value: Number) -> float:
    """The square root. Of a negative number it is an error.

    >>> square_root(9)
    3.0
    """
    if value < 0:
        raise ValueError(f"math.square_root: expected a nonnegative number, got {value!r}.")
    return math.sqrt(value)


@tf.data_node(id="math.cube_root")
def cube_root(value: Number) -> float:
    """The cube root; has the number's sign. Exact for cubes of whole numbers.

    >>> cube_root(-27)
    -3.0
    """
    root = math.cbrt(value)
    whole = round(root) if math.isfinite(root) else 0
    return float(whole) if whole**3 == value else root


@tf.data_node(id="math.exponential")
def exponential(value: Number) -> float:
    """Euler's number to a power. Beyond the greatest float it is an error.

    >>> exponential(0)
    1.0
    """
    try:
        return math.exp(value)
    except OverflowError:
        raise OverflowError(f"math.exponential: e to the power of {value!r} is beyond the greatest float.") from None


@tf.data_node(id="math.logarithm")
def logarithm(value: Number, base: Number = math.e) -> float:
    """The logarithm; natural unless a base is given. Exact for whole powers of 2 and 10.

    The value must be more than 0, the base more than 0 and other than 1: everything else is an error.

    >>> logarithm(1000, 10)
    3.0
    """
    expect.positive("math.logarithm", "value", value)
    expect.positive("math.logarithm", "base", base)
    if base == 1:
        raise ValueError("math.logarithm: there are no logarithms to the base 1.")
    exact = {math.e: math.log, 2: math.log2, 10: math.log10}.get(base)
    return exact(value) if exact else math.log(value, base)


@tf.data_node(id="math.is_close")
def is_close(a: Number, b: Number, relative: float = 1e-9, absolute: float = 0.0) -> bool:
    """Whether two numbers differ by no more than a share of the greater one, or than an absolute tolerance.

    Infinities are close to themselves, not-a-number to nothing. A negative tolerance is an error.

    >>> is_close(0.1 + 0.2, 0.3)
    True
    """
    if relative < 0 or absolute < 0:
        raise ValueError(f"math.is_close: tolerances can't be negative, got {relative!r} and {absolute!r}.")
    return math.isclose(a, b, rel_tol=relative, abs_tol=absolute)


@tf.data_node(id="math.is_finite")
def is_finite(value: Number) -> bool:
    """Whether the number is neither infinite nor not-a-number.

    >>> is_finite(1e308)
    True
    """
    return not isinstance(value, float) or math.isfinite(value)


@tf.data_node(id="math.is_nan")
def is_nan(value: Number) -> bool:
    """Whether the value is not-a-number, which is equal to nothing, not even to itself.

    >>> is_nan(float("nan"))
    True
    """
    return isinstance(value, float) and math.isnan(value)


@tf.data_node(id="math.constant")
def constant(name: Literal["pi", "e", "tau", "infinity", "nan"] = "pi") -> float:
    """A number that has a name: pi, e, tau (twice pi), infinity, or not-a-number.

    >>> constant("tau") / constant("pi")
    2.0
    """
    return {"pi": math.pi, "e": math.e, "tau": math.tau, "infinity": math.inf, "nan": math.nan}[name]
