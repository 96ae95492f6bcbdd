"""Types on sockets: as documents and people write them, and which values are of one (D11)."""

from __future__ import annotations

import datetime
import types
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, cast, get_args, get_origin, is_typeddict

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

JSON_TYPES = (bool, int, float, str, list, dict, types.NoneType)
"""The types that JSON writes as they are; a value of any other type has a written form."""

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


def checkable(target: Any) -> Any:
    """The part of a type that can be checked when a value arrives: containers without their parameters."""
    if target is Any or isinstance(target, TypeVar | str):
        return object
    if target is None:
        return types.NoneType
    behind = unwrapped(target)
    if behind is not target:
        return checkable(behind)
    if is_typeddict(target):
        return dict
    origin = get_origin(target)
    if origin is Literal:
        return target
    if origin is Union or origin is types.UnionType:
        parts = [checkable(part) for part in get_args(target)]
        if object in parts:
            return object
        return Union[tuple(parts)]  # noqa: UP007 - built at run time
    if origin is not None:
        return origin if isinstance(origin, type) and not _is_protocol(origin) else object
    if not isinstance(target, type) or _is_protocol(target):
        return object
    return target


def unwrapped(target: Any) -> Any:
    """The type behind another name for it, or behind annotations."""
    if isinstance(target, NewType):
        return target.__supertype__
    if get_origin(target) is Annotated:
        return get_args(target)[0]
    if type(target).__name__ == "TypeAliasType":  # `type X = ...`, which Python 3.11 does not have
        return target.__value__
    return target


def _is_protocol(type_: type) -> bool:
    """Abstract classes of collections can be checked; protocols that are not runtime-checkable can't."""
    return getattr(type_, "_is_protocol", False) and not getattr(type_, "_is_runtime_protocol", False)


def is_exact(value: Any, target: Any) -> bool:
    """Whether a value is of the type. Unlike in Python, a truth value is not a number, and a moment is not a day."""
    if isinstance(value, bool) and target in (int, float):
        return False
    if target is datetime.date and isinstance(value, datetime.datetime):
        return False
    origin = get_origin(target)
    if origin is Literal:
        return any(type(value) is type(choice) and value == choice for choice in get_args(target))
    if origin is Union:
        return any(is_exact(value, part) for part in get_args(target))
    return isinstance(value, target)


def describe_value(value: Any) -> str:
    """A value and its type for people, at most a line."""
    text = repr(value)
    return f"{describe_type(type(value))} {text if len(text) <= 60 else text[:57] + '...'}"


def may_stand_for(value: Any, target: Any) -> bool:
    """Whether a default in code can be a value of a type; true unless it surely can't.

    None is a value for any input (D1), and an integer one for a float. A text, a number or a container may be the
    written form of a richer type; that is not read here.
    """
    behind = unwrapped(target)
    if behind is not target:
        return may_stand_for(value, behind)
    origin, parts = get_origin(target), get_args(target)
    if origin is Union or origin is types.UnionType:
        return any(may_stand_for(value, part) for part in parts)
    if origin in (list, set, frozenset) and isinstance(value, origin):
        return all(may_stand_for(item, parts[0]) for item in cast("list[object]", value))
    if origin is dict and isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return all(may_stand_for(key, parts[0]) and may_stand_for(item, parts[1]) for key, item in items)
    normal = checkable(target)
    if value is None or normal is object or is_exact(value, normal) or (normal is float and type(value) is int):
        return True
    return isinstance(value, str | int | float | list | dict) and isinstance(normal, type) and normal not in JSON_TYPES
