"""Types on sockets, as documents and people write them."""

from __future__ import annotations

import datetime
import types
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

NAMED_TYPES: dict[str, Any] = {
    "any": object,
    "bool": bool,
    "bytes": bytes,
    "date": datetime.date,
    "datetime": datetime.datetime,
    "dict": dict,
    "duration": datetime.timedelta,
    "float": float,
    "int": int,
    "list": list,
    "path": Path,
    "set": set,
    "str": str,
}
"""The type names that a document may use for a variable."""

_NAMES = {value: name for name, value in NAMED_TYPES.items()}


def describe_type(type_: Any) -> str:
    """The name of a socket's type for people: `int`, `list[str]`, `int | None`, `any`."""
    if type_ is Any or type_ is object:
        return "any"
    if type_ is None or type_ is types.NoneType:
        return "None"
    if isinstance(type_, list):  # the parameters of a Callable
        return f"[{', '.join(map(describe_type, cast('list[object]', type_)))}]"
    origin = get_origin(type_)
    if origin is Annotated:
        return describe_type(get_args(type_)[0])
    if origin is Union or origin is types.UnionType:
        return " | ".join(describe_type(part) for part in get_args(type_))
    if origin is Literal:
        return " | ".join(repr(part) for part in get_args(type_))
    if origin is not None:
        inner = ", ".join("..." if part is ... else describe_type(part) for part in get_args(type_))
        return f"{describe_type(origin)}[{inner}]"
    if isinstance(type_, TypeVar):
        return "any"
    return _NAMES.get(type_) or getattr(type_, "__qualname__", None) or str(type_)
