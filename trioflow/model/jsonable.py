"""Any value as JSON has it, for people's tools to read: never raises, never endless."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from typing import Any, cast

from trioflow.model.duration import format_duration
from trioflow.model.secret import hide

_DEEPEST = 50
_LONGEST_REPR = 1000
_LONGEST_NUMBER = 14_000
"""Bits; Python writes no number of more than 4300 digits."""


def jsonable(value: object, depth: int = 0) -> Any:
    """The value itself if JSON has it; lists for tuples, sorted lists for sets, and text for everything else."""
    if isinstance(value, str):
        return hide(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() < _LONGEST_NUMBER else first_digits(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            pairs = cast("Mapping[object, object]", value).items()
            return {hide(key) if isinstance(key, str) else _text(key): jsonable(each, depth + 1) for key, each in pairs}
        if isinstance(value, list | tuple):
            return [jsonable(each, depth + 1) for each in cast("list[object]", value)]
        if isinstance(value, set | frozenset):
            return [jsonable(each, depth + 1) for each in sorted(cast("set[object]", value), key=_text)]
    return _text(value)


def first_digits(value: int) -> str:
    """A whole number of thousands of digits for people: how it begins, and how many digits it has."""
    size = abs(value)
    shift = size.bit_length() - 200
    import decimal  # noqa: PLC0415 - hardly ever needed

    with decimal.localcontext(decimal.Context(prec=50, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)):
        rounded = (decimal.Decimal(size >> shift) * decimal.Decimal(2) ** shift).as_tuple()
    digits = "".join(map(str, rounded.digits))
    count = len(digits) + int(rounded.exponent)
    return f"{'-' if value < 0 else ''}{digits[:40]}... ({count} digits)"


def to_json(value: object) -> str:
    """One line of JSON, in ASCII, so that every terminal, pipe and file takes it."""
    try:
        return json.dumps(jsonable(value))
    except ValueError:  # Python writes no number of thousands of digits
        return json.dumps(_text(value))


def _text(value: object) -> str:
    try:
        if isinstance(value, datetime.timedelta):
            return format_duration(value)  # as documents write it
        if isinstance(value, int) and value.bit_length() >= _LONGEST_NUMBER:
            return first_digits(value)
        text = repr(value) if isinstance(value, bytes) else str(value)
    except Exception as error:  # a foreign __str__ may raise anything
        text = f"<{type(value).__name__}: {type(error).__name__} when shown>"
    text = hide(text)
    return text if len(text) <= _LONGEST_REPR else text[: _LONGEST_REPR - 3] + "..."
