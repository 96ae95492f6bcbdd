"""What Python does in one piece, and what runs it in a process of its own.

This file is imported by the nodes, and run as a script by the processes that `_elsewhere` starts: so it imports nothing
but the standard library. Both talk in frames: what is large goes in parts, so that neither side ever has to look at all
of it at once.
"""

from __future__ import annotations

import decimal
import math
import operator
import os
import pickle
import re
import select
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

HEAD = struct.Struct("!I")

VALUE, PIECE, TEXT, ITEMS, LIST, END, ERROR = range(7)
"""Kinds of frames: a value; a piece of a text, and its end; items of a list, and its end; the end of all; an error."""

_LONG = 500_000
"""Characters that are sent in one frame."""

_MANY = 2_000
"""Items that are sent in one frame."""

_IDLE = 60.0
"""Seconds after which a process that nobody needs ends."""


# What is done


def _compiled(pattern: str, flags: int) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except (re.error, OverflowError, RecursionError) as error:
        short = pattern if len(pattern) <= 200 else f"{pattern[:200]}..."
        raise ValueError(f"{short!r} is not a regular expression: {error}") from None


def matches(pattern: str, flags: int, value: str) -> bool:
    """Whether a pattern matches all of a text."""
    return _compiled(pattern, flags).fullmatch(value) is not None


def search(pattern: str, flags: int, value: str) -> tuple[tuple[int, int], ...] | None:
    """Where the first match is: all of it, then its groups; -1 for a group that took no part."""
    match = _compiled(pattern, flags).search(value)
    return match and match.regs


def search_names(pattern: str, flags: int, value: str) -> dict[str, str] | None:
    """The groups with names of the first match; empty if they took no part."""
    match = _compiled(pattern, flags).search(value)
    return match and match.groupdict("")


def search_all(pattern: str, flags: int, value: str) -> list[tuple[tuple[int, int], ...]]:
    """Where all matches are."""
    return [match.regs for match in _compiled(pattern, flags).finditer(value)]


def substitute(pattern: str, flags: int, value: str, replacement: str, count: int, most: int) -> str:
    """A text with what matches replaced, or only the first of it.

    Raises `ValueError` for a replacement that does not fit, and `OverflowError` for a result that is too long.
    """
    compiled = _compiled(pattern, flags)
    literal = "\\" not in replacement  # what names no group need not be gone through for each match
    parts: list[str] = []
    length = end = 0
    try:
        compiled.sub(replacement, "")  # checks it, also if nothing matches
        for number, match in enumerate(compiled.finditer(value)):
            if number == count and count:
                break
            parts += (value[end : match.start()], replacement if literal else match.expand(replacement))
            length += len(parts[-1]) + len(parts[-2])
            end = match.end()
            if length > most:
                raise OverflowError
    except (re.error, IndexError) as error:
        raise ValueError(f"the replacement {replacement!r} does not fit: {error}") from None
    return "".join((*parts, value[end:]))


def unquoted(text: str) -> str:
    """What a part of a URL writes. Raises `ValueError` with the reason for what is no UTF-8."""
    from urllib.parse import unquote  # noqa: PLC0415 - most processes don't need it

    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError(error.reason) from None


def queried(query: str) -> list[tuple[str, str]]:
    """The names and values of a query. Raises `ValueError` for what is none."""
    from urllib.parse import parse_qsl  # noqa: PLC0415 - as above

    return parse_qsl(query, keep_blank_values=True, errors="strict")


def of_text(method: str, value: str, *arguments: Any) -> Any:
    """What a method of texts gives."""
    return getattr(value, method)(*arguments)


def digits(value: int) -> str:
    """A whole number of any length in decimal digits."""
    size = value.bit_length()
    if size < 14_000:  # about 4200 digits; what is longer Python only writes if the host lets it
        return str(value)
    with decimal.localcontext(decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX)):
        powers: dict[int, decimal.Decimal] = {}
        text = str(_decimal(abs(value), size, powers))
    return f"-{text}" if value < 0 else text


def _decimal(value: int, size: int, powers: dict[int, decimal.Decimal]) -> decimal.Decimal:
    if size < 2_000:
        return decimal.Decimal(value)
    half = size >> 1
    if half not in powers:
        powers[half] = decimal.Decimal(2) ** half
    upper, lower = value >> half, value & ((1 << half) - 1)
    return _decimal(upper, size - half, powers) * powers[half] + _decimal(lower, half, powers)


def whole(text: str, base: int = 10) -> int:
    """The whole number that digits write, as many as there are."""
    if len(text) < 4_000:
        return int(text, base)
    found = _whole(text.lstrip("+-"), base)
    return -found if text[0] == "-" else found


def _whole(text: str, base: int) -> int:
    if len(text) < 4_000:
        return int(text, base)
    half = len(text) >> 1
    power: int = base**half
    return _whole(text[:-half], base) * power + _whole(text[-half:], base)


def in_base(value: int, base: int) -> list[int]:
    """The digits of a number that is not negative in a base, highest first."""
    found: list[int] = []
    _add_digits(value, base, 0, found)
    return found


def _add_digits(value: int, base: int, width: int, found: list[int]) -> None:
    """Add the digits, filled with zeros in front up to a width."""
    size = value.bit_length() // (base.bit_length() - 1 or 1)
    if size < 100:
        own: list[int] = []
        while value:
            value, digit = divmod(value, base)
            own.append(digit)
        if not own and not width and not found:
            own.append(0)
        found.extend([0] * (width - len(own)))
        found.extend(reversed(own))
        return
    half = max(int(value.bit_length() / math.log2(base)) // 2, 1)
    upper, lower = divmod(value, base**half)
    _add_digits(upper, base, max(width - half, 0), found)
    _add_digits(lower, base, half, found)


DONE: dict[str, Callable[..., Any]] = {
    "matches": matches, "search": search, "search_all": search_all, "search_names": search_names,
    "substitute": substitute, "text": of_text, "unquoted": unquoted, "queried": queried,
    "digits": digits, "whole": whole, "in_base": in_base, "int": int,
    "multiply": operator.mul, "divide": operator.truediv, "floor_divide": operator.floordiv, "modulo": operator.mod,
    "divmod": divmod, "power": operator.pow, "factorial": math.factorial, "combinations": math.comb,
    "permutations": math.perm, "gcd": math.gcd, "lcm": math.lcm, "isqrt": math.isqrt, "sum": sum, "product": math.prod,
}  # fmt: skip
"""What a process can be asked for."""


# How it is told


def frames(value: Any) -> Iterator[bytes]:
    """A value in frames."""
    if isinstance(value, str) and len(value) > _LONG:
        for start in range(0, len(value), _LONG):
            yield frame(PIECE, value[start : start + _LONG])
        yield frame(TEXT, None)
    elif isinstance(value, list) and len(value) > _MANY:
        for start in range(0, len(value), _MANY):
            yield frame(ITEMS, value[start : start + _MANY])
        yield frame(LIST, None)
    else:
        yield frame(VALUE, value)


def frame(kind: int, value: Any) -> bytes:
    """One frame: its length, its kind, its value."""
    data = pickle.dumps((kind, value), pickle.HIGHEST_PROTOCOL)
    return HEAD.pack(len(data)) + data


class Values:
    """What comes in frames, put together."""

    def __init__(self) -> None:
        self.complete: list[Any] = []
        self._pieces: list[Any] = []

    def add(self, data: bytes) -> int:
        """Take one frame, and tell its kind."""
        kind, value = pickle.loads(data)  # noqa: S301 - from a process that is ours
        if kind == PIECE:
            self._pieces.append(value)
        elif kind == ITEMS:
            self._pieces.extend(value)
        elif kind == TEXT:
            self.complete.append("".join(self._pieces))
            self._pieces = []
        elif kind == LIST:
            self.complete.append(self._pieces)
            self._pieces = []
        else:
            self.complete.append(value)
        return int(kind)


def _answer(asked: Sequence[Any]) -> Iterator[bytes]:
    name, *arguments = asked
    try:
        result = DONE[name](*arguments)
    except Exception as error:  # whatever it is, it is told
        yield frame(ERROR, (type(error).__name__, str(error)))
    else:
        yield from frames(result)
        yield frame(END, None)


def _main() -> None:
    sys.set_int_max_str_digits(0)
    source, target = sys.stdin.fileno(), sys.stdout.fileno()
    while select.select([source], [], [], _IDLE)[0]:
        values = Values()
        while True:
            head = _read(source, HEAD.size)
            if not head:
                return
            if values.add(_read(source, HEAD.unpack(head)[0])) == END:
                break
        for data in _answer(values.complete[:-1]):
            view = memoryview(data)
            while view:
                view = view[os.write(target, view) :]


def _read(source: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = os.read(source, size - len(data))
        if not chunk:
            return b""
        data += chunk
    return data


if __name__ == "__main__":
    _main()
