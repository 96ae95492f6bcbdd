"""Arithmetic. Whole numbers stay whole and exact; a float makes the result a float. Truth values are not numbers."""

from __future__ import annotations

import math

import trioflow as tf

Number = int | float


@tf.data_node(id="math.add")
def add(a: Number, b: Number) -> Number:
    """The sum of two numbers."""
    return a + b


@tf.data_node(id="math.subtract")
def subtract(a: Number, b: Number) -> Number:
    """The first number less the second."""
    return a - b


@tf.data_node(id="math.multiply")
def multiply(a: Number, b: Number) -> Number:
    """The product of two numbers."""
    return a * b


@tf.data_node(id="math.divide")
def divide(a: Number, b: Number) -> float:
    """The quotient as a float. Dividing by zero is an error."""
    return a / b


@tf.data_node(id="math.floor_divide")
def floor_divide(a: Number, b: Number) -> Number:
    """The quotient rounded down, towards minus infinity. Dividing by zero is an error."""
    return a // b


@tf.data_node(id="math.modulo")
def modulo(a: Number, b: Number) -> Number:
    """What is left after `floor_divide`; has the sign of the second number. By zero it is an error."""
    return a % b


@tf.data_node(id="math.power")
def power(base: Number, exponent: Number) -> Number:
    """A power. A negative number to a fraction has no real value and is an error."""
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError(f"math.power: {base!r} to the power of {exponent!r} is not a real number.")
    return result


@tf.data_node(id="math.negate")
def negate(value: Number) -> Number:
    """The number with the other sign."""
    return -value


@tf.data_node(id="math.absolute")
def absolute(value: Number) -> Number:
    """The number without its sign."""
    return abs(value)


@tf.data_node(id="math.minimum")
def minimum(a: Number, b: Number) -> Number:
    """The smaller of two numbers; the first if they are equal."""
    return min(a, b)


@tf.data_node(id="math.maximum")
def maximum(a: Number, b: Number) -> Number:
    """The greater of two numbers; the first if they are equal."""
    return max(a, b)


@tf.data_node(id="math.clamp")
def clamp(value: Number, low: Number = 0, high: Number = 1) -> Number:
    """The number, or the bound that it is beyond. Bounds in the wrong order are an error."""
    if low > high:
        raise ValueError(f"math.clamp: low ({low!r}) is greater than high ({high!r}).")
    return min(max(value, low), high)


@tf.data_node(id="math.round")
def round_(value: Number, digits: int = 0) -> Number:
    """Rounded to so many digits, halves to the even neighbour; without digits it is a whole number."""
    return round(value, digits) if digits else round(value)


@tf.data_node(id="math.floor")
def floor(value: Number) -> int:
    """The greatest whole number that is not greater. Infinity and not-a-number are errors."""
    return math.floor(value)


@tf.data_node(id="math.ceiling")
def ceiling(value: Number) -> int:
    """The smallest whole number that is not smaller. Infinity and not-a-number are errors."""
    return math.ceil(value)


@tf.data_node(id="math.square_root")
def square_root(value: Number) -> float:
    """The square root. Of a negative number it is an error."""
    return math.sqrt(value)
