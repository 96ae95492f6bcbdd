"""Whole numbers: what divides them, and in how many ways things can be arranged."""

from __future__ import annotations

import math

import trioflow as tf


@tf.data_node(id="integer.greatest_common_divisor")
def greatest_common_divisor(a: int, b: int) -> int:
    """The greatest whole number that divides both; 0 if both are 0. Signs do not matter.

    >>> greatest_common_divisor(12, -18)
    6
    """
    return math.gcd(a, b)


@tf.data_node(id="integer.least_common_multiple")
def least_common_multiple(a: int, b: int) -> int:
    """The smallest positive number that both divide; 0 if one of them is 0. Signs do not matter.

    >>> least_common_multiple(4, 6)
    12
    """
    return math.lcm(a, b)


@tf.data_node(id="integer.factorial")
def factorial(value: int) -> int:
    """The product of all whole numbers from 1 on. Of negative numbers, and of those beyond 100,000, it is an error.

    >>> factorial(5)
    120
    """
    if not 0 <= value <= 100_000:
        raise ValueError(f"integer.factorial: expected a number from 0 to 100000, got {value}.")
    return math.factorial(value)


@tf.data_node(id="integer.combinations")
def combinations(items: int, chosen: int) -> int:
    """In how many ways so many can be chosen from so many items, in no order; 0 if there are not enough items.

    Negative numbers, and more than 100,000 items, are errors.

    >>> combinations(5, 2)
    10
    """
    if not (0 <= items <= 100_000 and chosen >= 0):
        raise ValueError(f"integer.combinations: expected numbers from 0 to 100000, got {items} and {chosen}.")
    return math.comb(items, chosen)


@tf.data_node(id="integer.is_even")
def is_even(value: int) -> bool:
    """Whether a whole number can be halved; 0 can.

    >>> is_even(-4)
    True
    """
    return value % 2 == 0


@tf.data_node(id="integer.permutations")
def permutations(items: int, chosen: int) -> int:
    """In how many ways so many can be chosen from so many items, one after the other; 0 if there are not enough.

    Negative numbers, and more than 100,000 items, are errors.

    >>> permutations(5, 2)
    20
    """
    if not (0 <= items <= 100_000 and chosen >= 0):
        raise ValueError(f"integer.permutations: expected numbers from 0 to 100000, got {items} and {chosen}.")
    return math.perm(items, chosen)


@tf.data_node(id="integer.square_root")
def square_root(value: int) -> int:
    """The greatest whole number whose square is not greater; exact for any size. Of a negative number it is an error.

    >>> square_root(17)
    4
    """
    if value < 0:
        raise ValueError(f"integer.square_root: expected a number that is not negative, got {value}.")
    return math.isqrt(value)


@tf.data_node(id="integer.digits")
def digits(value: int, base: int = 10) -> list[int]:
    """The digits, highest first; those of 0 are a single 0, and the sign is left out.

    A base below 2, and a number of more than 100,000 bits, are errors.

    >>> digits(2024)
    [2, 0, 2, 4]
    """
    if base < 2:
        raise ValueError(f"integer.digits: expected a base of 2 or more, got {base}.")
    if value.bit_length() > 100_000:
        raise ValueError("integer.digits: expected a number of 100000 bits at most.")
    rest = abs(value)
    found = [rest % base]
    while rest := rest // base:
        found.append(rest % base)
    return found[::-1]
