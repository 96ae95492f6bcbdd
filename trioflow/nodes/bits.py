"""Bits of whole numbers. A negative number has endless ones in front, as in two's complement; bit 0 is the lowest."""

from __future__ import annotations

import trioflow as tf
from trioflow.nodes import _expect as expect

_MOST_BITS = expect.MOST


def _position(node: str, bit: int) -> int:
    if not 0 <= bit <= _MOST_BITS:
        raise ValueError(f"{node}: expected a number of bits from 0 to {_MOST_BITS}, got {expect.short(bit)}.")
    return bit


def _fixed(node: str, value: int, width: int) -> int:
    if not 1 <= width <= _MOST_BITS:
        raise ValueError(f"{node}: width must be from 1 to {_MOST_BITS} bits, got {expect.short(width)}.")
    if not 0 <= value < 1 << width:
        raise ValueError(
            f"{node}: expected a number of {width} bits, which is not negative, got {expect.short(value)}."
        )
    return value


@tf.data_node(id="bits.and")
def and_(a: int, b: int) -> int:
    """The bits that both have.

    >>> and_(0b1100, 0b1010)
    8
    """
    return a & b


@tf.data_node(id="bits.or")
def or_(a: int, b: int) -> int:
    """The bits that at least one has.

    >>> or_(0b1100, 0b1010)
    14
    """
    return a | b


@tf.data_node(id="bits.xor")
def xor(a: int, b: int) -> int:
    """The bits that exactly one has.

    >>> xor(0b1100, 0b1010)
    6
    """
    return a ^ b


@tf.data_node(id="bits.not")
def not_(value: int) -> int:
    """All bits the other way round, which is one less than the negative number.

    >>> not_(5)
    -6
    """
    return ~value


@tf.data_node(id="bits.shift_left")
def shift_left(value: int, by: int = 1) -> int:
    """The bits moved up, zeros after them. Moving by a negative number, or by more than 10,000,000, is an error.

    >>> shift_left(3, 4)
    48
    """
    return value << _position("bits.shift_left", by)


@tf.data_node(id="bits.shift_right")
def shift_right(value: int, by: int = 1) -> int:
    """The bits moved down, the lowest ones lost; keeps the sign. Moving by a negative number is an error.

    >>> shift_right(48, 4)
    3
    """
    return value >> _position("bits.shift_right", by)


@tf.data_node(id="bits.rotate_left")
def rotate_left(value: int, by: int = 1, width: int = 32) -> int:
    """The bits of a number of a fixed width moved up, those that leave at the top back in at the bottom.

    A negative `by` rotates the other way. A number that does not have so many bits, or is negative, is an error.

    >>> rotate_left(0b1001, 1, 4)
    3
    """
    _fixed("bits.rotate_left", value, width)
    by %= width
    return (value << by | value >> (width - by)) & ((1 << width) - 1)


@tf.data_node(id="bits.test")
def test(value: int, bit: int) -> bool:
    """Whether the number has this bit. A negative bit is an error; above the highest one there is only the sign.

    >>> test(0b100, 2)
    True
    """
    return bool(value >> _position("bits.test", bit) & 1)


@tf.data_node(id="bits.set")
def set_(value: int, bit: int, on: bool = True) -> int:
    """The number with this bit on, or off. A negative bit is an error.

    >>> set_(0b1000, 0)
    9
    """
    mask = 1 << _position("bits.set", bit)
    return value | mask if on else value & ~mask


@tf.data_node(id="bits.toggle")
def toggle(value: int, bit: int) -> int:
    """The number with this bit the other way round. A negative bit is an error.

    >>> toggle(0b1001, 3)
    1
    """
    return value ^ 1 << _position("bits.toggle", bit)


@tf.data_node(id="bits.count")
def count(value: int) -> int:
    """How many ones the number has; for a negative number those of the number without its sign.

    >>> count(0b10110)
    3
    """
    return value.bit_count()


@tf.data_node(id="bits.length")
def length(value: int) -> int:
    """How many bits the number without its sign needs; 0 needs none.

    >>> length(255)
    8
    """
    return value.bit_length()


@tf.data_node(id="bits.field")
def field(value: int, start: int, width: int) -> int:
    """The number that so many bits from `start` on make. A negative start or width is an error.

    >>> field(0xABCD, 4, 8) == 0xBC
    True
    """
    return value >> _position("bits.field", start) & (1 << _position("bits.field", width)) - 1


@tf.data_node(id="bits.to_signed")
def to_signed(value: int, width: int = 32) -> int:
    """What the bits of a fixed width mean in two's complement. A number that does not have so many bits is an error.

    >>> to_signed(0xFF, 8)
    -1
    """
    _fixed("bits.to_signed", value, width)
    return value - (1 << width) if value >> (width - 1) else value


@tf.data_node(id="bits.to_unsigned")
def to_unsigned(value: int, width: int = 32) -> int:
    """The bits of a number in two's complement, as a number that is not negative. One that does not fit is an error.

    >>> to_unsigned(-1, 8)
    255
    """
    if not (1 <= width <= _MOST_BITS and -1 << (width - 1) <= value < 1 << width):
        raise ValueError(f"bits.to_unsigned: {expect.short(value)} does not fit into {expect.short(width)} bits.")
    return value & (1 << width) - 1
