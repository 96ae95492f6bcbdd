"""From one type to another, by rules that are stated: nothing is guessed, rounded or cut.

Wires convert only what loses nothing and needs no rule; everything else is a node here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, cast

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._as_text import text_of
from trioflow.nodes._elsewhere import work
from trioflow.nodes._equality import in_order_steps
from trioflow.nodes._slices import Steps, sliced

Number = int | float
TypeName = Literal["none", "bool", "int", "float", "number", "str", "bytes", "list", "dict", "set"]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "none": type(None), "bool": bool, "int": int, "float": float, "number": (int, float), "str": str, "bytes": bytes,
    "list": list, "dict": dict, "set": (set, frozenset),
}  # fmt: skip
_WHOLE = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _whole(node: str, text: str) -> Steps[int]:
    if len(text) > expect.LONGEST_NUMBER:
        raise ValueError(f"{node}: expected {expect.LONGEST_NUMBER} digits at most, got {len(text)} characters.")
    number: int = int(text) if len(text) < 4_000 else (yield work("whole", text))
    return number


def grouped(digits: str) -> str:
    """The digits of a whole number with commas between thousands."""
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    first = len(digits) % 3
    groups = [digits[:first], *(digits[start : start + 3] for start in range(first, len(digits), 3))]
    return sign + ",".join(group for group in groups if group)


@sliced(id="convert.to_int")
def to_int(value: Number | str) -> Steps[int]:
    """The whole number that a value is: a float without a fraction, or a text of decimal digits, perhaps with a sign.

    A fraction, infinity, not-a-number, and any other text (spaces, underscores, ٣) are errors. To round, take
    `math.round`, `math.floor` or the like.

    >>> to_int("-12")
    -12
    """
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise ValueError(f"convert.to_int: expected decimal digits, got {expect.shown(value)}.")
        return (yield from _whole("convert.to_int", value))
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(f"convert.to_int: {value!r} is not a whole number.")
    return int(value)


@tf.data_node(id="convert.to_float")
def to_float(value: Number | str) -> float:
    """The float that a value is, or a text writes with a point and an exponent; a text is rounded to the nearest.

    A whole number that no float holds exactly is an error, and so is any other text, also one that is beyond floats.

    >>> to_float("1e3")
    1000.0
    """
    if isinstance(value, str):
        number = float(value) if _DECIMAL.fullmatch(value) else float("nan")
        if number - number != 0:
            raise ValueError(f"convert.to_float: expected a number such as '-1.5e3', got {expect.shown(value)}.")
        return number
    if isinstance(value, int):
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if number != value:
            raise ValueError(f"convert.to_float: no float is exactly {expect.shown(value)}.")
        return number
    return value


@sliced(id="convert.to_number")
def to_number(text: str) -> Steps[int | float]:
    """The number that a text writes: a whole number if it is only digits, perhaps with a sign, otherwise a float.

    Any other text is an error, also one that is beyond floats.

    >>> to_number("12"), to_number("12.0")
    (12, 12.0)
    """
    if _WHOLE.fullmatch(text):
        return (yield from _whole("convert.to_number", text))
    number = float(text) if _DECIMAL.fullmatch(text) else float("nan")
    if number - number != 0:
        raise ValueError(f"convert.to_number: expected a number such as '-12' or '1.5e3', got {expect.shown(text)}.")
    return number


@tf.data_node(id="convert.is_number")
def is_number(text: str) -> bool:
    """Whether `convert.to_number` reads the text.

    >>> is_number("1.5"), is_number("1,5")
    (True, False)
    """
    return bool(_WHOLE.fullmatch(text) or (_DECIMAL.fullmatch(text) and abs(float(text)) != float("inf")))


@tf.data_node(id="convert.to_bool")
def to_bool(value: bool | int | str) -> bool:
    """The truth value: of 1, "1", "true", "yes", "on" it is true, of 0, "0", "false", "no", "off" false.

    Capitals do not matter. Everything else is an error.

    >>> to_bool("Yes")
    True
    """
    known = value.lower() if isinstance(value, str) else str(value) if value in (0, 1) else ""
    known = known.lower()
    if known in ("true", "yes", "on", "1"):
        return True
    if known in ("false", "no", "off", "0"):
        return False
    raise ValueError(
        f"convert.to_bool: expected true or false, yes or no, on or off, 1 or 0, got {expect.shown(value)}."
    )


@tf.data_node(id="convert.bool_to_int")
def bool_to_int(value: bool) -> int:
    """1 for true, 0 for false.

    >>> bool_to_int(True)
    1
    """
    return int(value)


@sliced(id="convert.number_to_text")
def number_to_text(value: Number, decimals: int = -1, separator: str = "") -> Steps[str]:
    """A number in decimal digits: with so many after the point, or with as many as it takes to read it back.

    The separator stands between thousands. Halves are rounded to the even neighbour. Infinity and not-a-number are
    `inf` and `nan`. More than 1000 decimals are an error.

    >>> number_to_text(1234567.891, 2, " ")
    '1 234 567.89'
    """
    if decimals > 1000:
        raise ValueError(f"convert.number_to_text: expected 1000 decimals at most, got {expect.short(decimals)}.")
    if isinstance(value, int):
        digits: str = yield from text_of(int(value))
        text = grouped(digits) + (f".{'0' * decimals}" if decimals > 0 else "")
    elif decimals < 0:
        text = f"{value:,}" if abs(value) < 1e16 else f"{value!r}"
    else:
        text = f"{value:,.{decimals}f}"
    expect.at_most("convert.number_to_text", text.count(",") * len(separator) + len(text), "characters")
    return text.replace(",", separator)


@sliced(id="convert.to_base")
def to_base(value: int, base: int = 16, length: int = 0) -> Steps[str]:
    """A whole number in a base from 2 to 36, in small letters, with zeros in front up to so many digits.

    Another base, and a number of more than 100,000 bits, are errors.

    >>> to_base(255, 2), to_base(-10, 16, 4)
    ('11111111', '-000a')
    """
    if not 2 <= base <= 36:
        raise ValueError(f"convert.to_base: expected a base from 2 to 36, got {expect.short(base)}.")
    if value.bit_length() > 100_000:
        raise ValueError("convert.to_base: expected a number of 100000 bits at most.")
    job = work("in_base", abs(value), base)
    digits: list[int] = (yield job) if value.bit_length() > 10_000 else job.here()
    text = "".join(_DIGITS[digit] for digit in digits)
    return "-" * (value < 0) + text.rjust(expect.at_most("convert.to_base", length, "digits"), "0")


@sliced(id="convert.from_base")
def from_base(text: str, base: int = 16) -> Steps[int]:
    """The whole number that digits and letters write in a base from 2 to 36, perhaps with a sign.

    Capitals do not matter. Anything else, prefixes such as 0x too, is an error.

    >>> from_base("ff")
    255
    """
    if not 2 <= base <= 36:
        raise ValueError(f"convert.from_base: expected a base from 2 to 36, got {expect.short(base)}.")
    if len(text) > expect.LONGEST_NUMBER:
        raise ValueError(
            f"convert.from_base: expected {expect.LONGEST_NUMBER} digits at most, got {len(text)} characters."
        )
    if not re.fullmatch(rf"[-+]?[{_DIGITS[:base]}]+", text, re.IGNORECASE | re.ASCII):
        raise ValueError(f"convert.from_base: expected digits of base {base}, got {expect.shown(text)}.")
    number: int = int(text, base) if len(text) < 4_000 else (yield work("whole", text, base))
    return number


@tf.data_node(id="convert.to_path")
def to_path(text: str) -> Path:
    """The path that a text names.

    >>> to_path("a/b").name
    'b'
    """
    return Path(text)


@tf.data_node(id="convert.path_to_text")
def path_to_text(path: Path) -> str:
    """The text of a path.

    >>> path_to_text(Path("a/b"))
    'a/b'
    """
    return str(path)


@sliced(id="convert.to_list")
def to_list(value: object) -> Steps[list[Any]]:
    """The items of a list or tuple, the members of a set, as `set.to_list` orders them, or the value as the only item.

    None is an empty list. Texts, bytes and dictionaries are single values.

    >>> to_list((1, 2)), to_list("ab"), to_list(None)
    ([1, 2], ['ab'], [])
    """
    if value is None:
        return []
    if isinstance(value, set | frozenset):
        return (yield from in_order_steps(cast("set[Any]", value)))
    if isinstance(value, list | tuple):
        return list(cast("list[Any]", value))
    return [value]


@tf.data_node(id="convert.type_name")
def type_name(value: object) -> str:
    """The name of a value's type: `none`, `bool`, `int`, `float`, `str`, `list` and so on.

    >>> type_name(1.5)
    'float'
    """
    return "none" if value is None else type(value).__name__


@tf.data_node(id="convert.is_type")
def is_type(value: object, type: TypeName) -> bool:
    """Whether a value is of a type. A truth value is not a number.

    >>> is_type(1, "number"), is_type(True, "number")
    (True, False)
    """
    return isinstance(value, _TYPES[type]) and (type == "bool" or not isinstance(value, bool))
