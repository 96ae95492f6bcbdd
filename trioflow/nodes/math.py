"""Arithmetic. Whole numbers stay whole and exact; a float makes the result a float. Truth values are not numbers.

Floats follow IEEE 754: not-a-number goes through whatever is computed with it, unless a node says otherwise. A whole
number that no float can hold is an OverflowError where it meets a float.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._elsewhere import work
from trioflow.nodes._slices import Steps, sliced
from trioflow.nodes._sums import root

Number = int | float


def _divisor(node: str, b: Number) -> Number:
    if b == 0:
        raise ZeroDivisionError(f"{node}: division by zero.")
    return b


def _power(base: Number, exponent: Number) -> str:
    return f"math.power: {expect.short(base)} to the power of {expect.short(exponent)}"


@tf.data_node(id="math.add")
def add(a: Number, b: Number) -> Number:
    """The sum of two numbers.

    >>> add(2, 3)
    5
    """
    try:
        return a + b
    except OverflowError:
        raise expect.beyond("math.add", a, b) from None


@tf.data_node(id="math.subtract")
def subtract(a: Number, b: Number) -> Number:
    """The first number less the second.

    >>> subtract(2, 0.5)
    1.5
    """
    try:
        return a - b
    except OverflowError:
        raise expect.beyond("math.subtract", a, b) from None


@sliced(id="math.multiply")
def multiply(a: Number, b: Number) -> Steps[Number]:
    """The product of two numbers.

    >>> multiply(6, 7)
    42
    """
    heavy = expect.heavy(a, b)
    if heavy:
        expect.bits("math.multiply", int(a).bit_length() + int(b).bit_length())
    try:
        result: Number = (yield work("multiply", a, b)) if heavy else a * b
    except OverflowError:
        raise expect.beyond("math.multiply", a, b) from None
    return result


@tf.data_node(id="math.divide")
def divide(a: Number, b: Number) -> float:
    """The quotient as a float. Dividing by zero is an error.

    >>> divide(7, 2)
    3.5
    """
    try:
        return a / _divisor("math.divide", b)
    except OverflowError:
        raise expect.beyond("math.divide", a, b) from None


@sliced(id="math.floor_divide")
def floor_divide(a: Number, b: Number) -> Steps[Number]:
    """The quotient rounded down, towards minus infinity. Dividing by zero is an error.

    >>> floor_divide(-7, 2)
    -4
    """
    _divisor("math.floor_divide", b)
    try:
        result: Number = (yield work("floor_divide", a, b)) if expect.heavy(a, b) else a // b
    except OverflowError:
        raise expect.beyond("math.floor_divide", a, b) from None
    return result


@sliced(id="math.modulo")
def modulo(a: Number, b: Number) -> Steps[Number]:
    """What is left after `floor_divide`; has the sign of the second number. By zero it is an error.

    >>> modulo(-7, 2)
    1
    """
    _divisor("math.modulo", b)
    try:
        result: Number = (yield work("modulo", a, b)) if expect.heavy(a, b) else a % b
    except OverflowError:
        raise expect.beyond("math.modulo", a, b) from None
    return result


class Quotient(NamedTuple):
    """A quotient rounded down, and what is left."""

    quotient: Number
    remainder: Number


@sliced(id="math.divmod")
def divmod_(a: Number, b: Number) -> Steps[Quotient]:
    """What `floor_divide` and `modulo` give, together. Dividing by zero is an error.

    >>> divmod_(17, 5)
    Quotient(quotient=3, remainder=2)
    """
    _divisor("math.divmod", b)
    try:
        both: tuple[Number, Number] = (yield work("divmod", a, b)) if expect.heavy(a, b) else divmod(a, b)
        return Quotient(*both)
    except OverflowError:
        raise expect.beyond("math.divmod", a, b) from None


@sliced(id="math.power")
def power(base: Number, exponent: Number) -> Steps[Number]:
    """A power. A negative number to a fraction has no real value and is an error.

    Whole numbers stay exact, except that a negative exponent gives a float. Errors are 0 to a negative exponent, a
    float beyond the greatest, and a whole number of more than ten million bits.

    >>> power(2, 10)
    1024
    """
    if base == 0 and exponent < 0:
        raise ZeroDivisionError(f"{_power(base, exponent)} is a division by zero.")
    heavy = False
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1 and exponent > 1:
        expect.bits("math.power", base.bit_length() * exponent)
        heavy = base.bit_length() * exponent > expect.HEAVY
    try:
        result: Number | complex = (yield work("power", base, exponent)) if heavy else base**exponent
    except OverflowError:
        raise OverflowError(f"{_power(base, exponent)} is beyond the greatest float.") from None
    if isinstance(result, complex):
        raise ValueError(f"{_power(base, exponent)} is not a real number.")
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
    try:
        return b if b < a or math.isnan(b) else a
    except OverflowError:
        raise expect.beyond("math.minimum", a, b) from None


@tf.data_node(id="math.maximum")
def maximum(a: Number, b: Number) -> Number:
    """The greater of two numbers; the first if they are equal. Not-a-number if one of them is.

    >>> maximum(2, 1.5)
    2
    """
    try:
        return b if b > a or math.isnan(b) else a
    except OverflowError:
        raise expect.beyond("math.maximum", a, b) from None


@tf.data_node(id="math.clamp")
def clamp(value: Number, low: Number = 0, high: Number = 1) -> Number:
    """The number, or the bound that it is beyond. Bounds in the wrong order are an error.

    >>> clamp(12, 0, 10)
    10
    """
    if not low <= high:
        raise ValueError(f"math.clamp: low ({expect.short(low)}) is greater than high ({expect.short(high)}).")
    try:
        return min(max(value, low), high)
    except OverflowError:
        raise expect.beyond("math.clamp", value, low, high) from None


@tf.data_node(id="math.wrap")
def wrap(value: Number, low: Number = 0, high: Number = 1) -> Number:
    """The number moved by whole turns from `low` to `high` until it is in between; `high` itself becomes `low`.

    Bounds that are equal or in the wrong order are an error; an infinite number is not a number on a circle.

    >>> wrap(370, 0, 360)
    10
    """
    if not low < high:
        raise ValueError(f"math.wrap: low ({expect.short(low)}) must be less than high ({expect.short(high)}).")
    try:
        turned = low + (value - low) % (high - low)
        return turned if turned < high or math.isnan(turned) else low  # rounding may reach the bound
    except OverflowError:
        raise expect.beyond("math.wrap", value, low, high) from None


@tf.data_node(id="math.interpolate")
def interpolate(start: Number, end: Number, fraction: Number) -> float:
    """The number so far on the way from `start` (0) to `end` (1); beyond them if the fraction is.

    >>> interpolate(10, 20, 0.25)
    12.5
    """
    try:
        return start * (1.0 - fraction) + end * fraction
    except OverflowError:
        raise expect.beyond("math.interpolate", start, end, fraction) from None


@tf.data_node(id="math.map_range")
def map_range(value: Number, from_low: Number, from_high: Number, to_low: Number = 0, to_high: Number = 1) -> float:
    """Where a number is between two bounds, carried over to two others; beyond them if it was beyond.

    The bounds may be in any order. The first two being equal is an error.

    >>> map_range(5, 0, 10, 100, 200)
    150.0
    """
    if from_low == from_high:
        raise ValueError(
            f"math.map_range: from_low and from_high are equal ({expect.short(from_low)}): nothing lies between."
        )
    try:
        fraction = (value - from_low) / (from_high - from_low)
        return to_low * (1.0 - fraction) + to_high * fraction
    except OverflowError:
        raise expect.beyond("math.map_range", value, from_low, from_high, to_low, to_high) from None


@tf.data_node(id="math.square_root")
def square_root(value: Number) -> float:
    """The square root. Of a negative number it is an error.

    >>> square_root(9)
    3.0
    """
    if value < 0:
        raise ValueError(f"math.square_root: expected a nonnegative number, got {expect.short(value)}.")
    return root("math.square_root", value) if isinstance(value, int) else math.sqrt(value)


@tf.data_node(id="math.cube_root")
def cube_root(value: Number) -> float:
    """The cube root; has the number's sign. Exact for cubes of whole numbers.

    >>> cube_root(-27)
    -3.0
    """
    try:
        found = math.cbrt(value)
    except OverflowError:  # a whole number beyond the floats
        shift = max(abs(int(value)).bit_length() - 300, 0) // 3
        top = abs(int(value)) >> 3 * shift
        near = round(math.cbrt(top))
        for _ in range(4):  # by Newton, each time with twice the digits
            near = (2 * near + top // (near * near)) // 3
        try:
            return math.copysign(math.ldexp(float(near), shift), value > 0 or -1)
        except OverflowError:
            raise expect.beyond("math.cube_root", value) from None
    whole = round(found) if math.isfinite(found) else 0
    return float(whole) if whole**3 == value else found


@tf.data_node(id="math.exponential")
def exponential(value: Number) -> float:
    """Euler's number to a power. Beyond the greatest float it is an error.

    >>> exponential(0)
    1.0
    """
    try:
        return math.exp(value)
    except OverflowError:
        raise OverflowError(
            f"math.exponential: e to the power of {expect.short(value)} is beyond the greatest float."
        ) from None


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
    try:
        return exact(value) if exact else math.log(value, base)
    except OverflowError:
        raise expect.beyond("math.logarithm", value, base) from None


@tf.data_node(id="math.is_close")
def is_close(a: Number, b: Number, relative: float = 1e-9, absolute: float = 0.0) -> bool:
    """Whether two numbers differ by no more than a share of the greater one, or than an absolute tolerance.

    Infinities are close to themselves, not-a-number to nothing. A negative tolerance is an error.

    >>> is_close(0.1 + 0.2, 0.3)
    True
    """
    if relative < 0 or absolute < 0:
        raise ValueError(
            f"math.is_close: tolerances can't be negative, got {expect.short(relative)} and {expect.short(absolute)}."
        )
    try:
        return math.isclose(a, b, rel_tol=relative, abs_tol=absolute)
    except OverflowError:
        raise expect.beyond("math.is_close", a, b, relative, absolute) from None


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
