"""Values on their way into an expression: what of Python's there is in CEL too."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from typing import Any

import attrs

from trioflow.errors import ExpressionFailed

_PLAIN = frozenset({type(None), bool, float, str, bytes, datetime.timedelta})
_INT64 = 2**63


def crossing(value: Any, name: str) -> Any:  # noqa: C901 - a table of kinds, row by row
    """The value as an expression gets it. Raises `ExpressionFailed`, which names it, for one that CEL has nothing for.

    Lists and mappings are copied at every depth, attrs classes become mappings of their fields.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        if -_INT64 <= value < _INT64:
            return value
        raise ExpressionFailed(f"{name} is {value}, and expressions have whole numbers of 64 bits.")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise ExpressionFailed(f"{name} is {value}, a moment without a time zone. Give it one.")
        return value
    if isinstance(value, BaseException):
        return failure(value, name)
    if isinstance(value, Mapping):
        return {crossing(key, name): crossing(each, f"{name}[{key!r}]") for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [crossing(each, f"{name}[{index}]") for index, each in enumerate(value)]
    if attrs.has(kind):
        return {
            field.name: crossing(getattr(value, field.name), f"{name}.{field.name}") for field in attrs.fields(kind)
        }
    if isinstance(value, enum.Enum):
        return crossing(value.value, name)
    for plain in (int, float, str):
        if isinstance(value, plain):  # a subclass
            return crossing(plain(value), name)
    raise ExpressionFailed(
        f"{name} is of type {kind.__name__}, which expressions do not have. They have null, true and false, numbers, "
        "texts, bytes, lists, mappings, moments with a time zone, durations, and attrs classes."
    )


def failure(error: BaseException, name: str = "error") -> dict[str, Any]:
    """What an expression knows of a failure: `type`, `message`, and what the exception itself has that can cross."""
    known: dict[str, Any] = {}
    for key, value in vars(error).items():
        if not key.startswith("_"):
            try:
                known[key] = crossing(value, f"{name}.{key}")
            except ExpressionFailed:
                continue
    code: Any = getattr(error, "code", None)
    if isinstance(code, str | int):
        known.setdefault("code", code)
    return {**known, "type": type(error).__name__, "message": str(error)}
