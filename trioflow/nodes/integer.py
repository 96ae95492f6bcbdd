"""Whole numbers: what divides them, and in how many ways things can be arranged."""

from __future__ import annotations

import math

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._elsewhere import work
from trioflow.nodes._slices import Steps, sliced

_QUICK = 2_000
"""Up to here factorials and the like take a fraction of a millisecond."""


def _counts(node: str, items: int, chosen: int) -> None:
    if not (0 <= items <= 100_000 and chosen >= 0):
        raise ValueError(
            f"{node}: expected numbers from 0 to 100000, got {expect.short(items)} and {expect.short(chosen)}."
        )


@sliced(id="integer.greatest_common_divisor")
def greatest_common_divisor(a: int, b: int) -> Steps[int]:
    """The greatest whole number that divides both; 0 if both are 0. Signs do not matter.

    >>> greatest_common_divisor(12, -18)
    6
    """
    if expect.heavy(a, b):
        found: int = yield work("gcd", a, b)
        return found
    return math.gcd(a, b)


@sliced(id="integer.least_common_multiple")
def least_common_multiple(a: int, b: int) -> Steps[int]:
    """The smallest positive number that both divide; 0 if one of them is 0. Signs do not matter.

    >>> least_common_multiple(4, 6)
    12
    """
    expect.bits("integer.least_common_multiple", a.bit_length() + b.bit_length())
    if expect.heavy(a, b):
        found: int = yield work("lcm", a, b)
        return found
    return math.lcm(a, b)


@sliced(id="integer.factorial")
def factorial(value: int) -> Steps[int]:
    """The product of all whole numbers from 1 on. Of negative numbers, and of those beyond 100,000, it is an error.

    >>> factorial(5)
    120
    """
    if not 0 <= value <= 100_000:
        raise ValueError(f"integer.factorial: expected a number from 0 to 100000, got {expect.short(value)}.")
    if value > _QUICK:
        found: int = yield work("factorial", value)
        return found
    return math.factorial(value)


@sliced(id="integer.combinations")
def combinations(items: int, chosen: int) -> Steps[int]:
    """In how many ways so many can be chosen from so many items, in no order; 0 if there are not enough items.

    Negative numbers, and more than 100,000 items, are errors.

    >>> combinations(5, 2)
    10
    """
    _counts("integer.combinations", items, chosen)
    if items > _QUICK:
        found: int = yield work("combinations", items, chosen)
        return found
    return math.comb(items, chosen)


@tf.data_node(id="integer.is_even")
def is_even(value: int) -> bool:
    """Whether a whole number can be halved; 0 can.

    >>> is_even(-4)
    True
    """
    return value % 2 == 0


@sliced(id="integer.permutations")
def permutations(items: int, chosen: int) -> Steps[int]:
    """In how many ways so many can be chosen from so many items, one after the other; 0 if there are not enough.

    Negative numbers, and more than 100,000 items, are errors.

    >>> permutations(5, 2)
    20
    """
    _counts("integer.permutations", items, chosen)
    if items > _QUICK:
        found: int = yield work("permutations", items, chosen)
        return found
    return math.perm(items, chosen)


@sliced(id="integer.square_root")
def square_root(value: int) -> Steps[int]:
    """The greatest whole number whose square is not greater; exact for any size. Of a negative number it is an error.

    >>> square_root(17)
    4
    """
    if value < 0:
        raise ValueError(f"integer.square_root: expected a number that is not negative, got {expect.short(value)}.")
    if expect.heavy(value, value):
        found: int = yield work("isqrt", value)
        return found
    return math.isqrt(value)


@sliced(id="integer.digits")
def digits(value: int, base: int = 10) -> Steps[list[int]]:
    """The digits, highest first; those of 0 are a single 0, and the sign is left out.

    A base below 2, and a number of more than 100,000 bits, are errors.

    >>> digits(2024)
    [2, 0, 2, 4]
    """
    if base < 2:
        raise ValueError(f"integer.digits: expected a base of 2 or more, got {expect.short(base)}.")
    if value.bit_length() > 100_000:
        raise ValueError("integer.digits: expected a number of 100000 bits at most.")
    job = work("in_base", abs(value), base)
    found: list[int] = (yield job) if value.bit_length() > _QUICK * 5 else job.here()
    return found
