"""Types where values cross a connection (D11): exact, int to float, declared converters; nothing is guessed."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin

import cattrs
import cattrs.preconf.json

from trioflow.model.types import describe_type

Converters = Mapping[tuple[type, type], Callable[[Any], Any]]

BUILT_IN_CONVERTERS: Converters = {(str, Path): Path}
"""Conversions without loss that need no declaration, besides int to float."""

_JSON_TYPES = (bool, int, float, str, list, dict, type(None))
_literals = cattrs.preconf.json.make_converter()


class Mismatch(ValueError):
    """A value does not fit a type; the message says what was expected and what came."""


class Coercer:
    """Checks and converts values for one input.

    `exact` is a type whose values pass as they are, so that the common case is one comparison; calling the coercer
    does the rest and raises `Mismatch`.
    """

    __slots__ = ("_converters", "_target", "exact")

    def __init__(self, target: Any, converters: Converters) -> None:
        self._target = target
        self._converters = converters
        self.exact: type | None = target if isinstance(target, type) else None

    def __call__(self, value: Any) -> Any:
        converted = _convert(value, self._target, self._converters)
        if converted is _NO:
            raise Mismatch(f"expected {describe_type(self._target)}, got {_describe_value(value)}")
        return converted


_NO: Any = object()


def coercer_for(target: Any, converters: Converters) -> Coercer | None:
    """A coercer for inputs of this type; None if every value fits."""
    target = _normal(target)
    return None if target is object else Coercer(target, converters)


def _normal(target: Any) -> Any:
    """The part of a type that can be checked when a value arrives: containers without their parameters."""
    if target is Any or isinstance(target, TypeVar | str):
        return object
    if target is None:
        return types.NoneType
    if isinstance(target, NewType):
        return _normal(target.__supertype__)
    origin = get_origin(target)
    if origin is Annotated:
        return _normal(get_args(target)[0])
    if origin is Literal:
        return target
    if origin is Union or origin is types.UnionType:
        parts = [_normal(part) for part in get_args(target)]
        if object in parts:
            return object
        return Union[tuple(parts)]  # noqa: UP007 - built at run time
    if origin is not None:
        return origin if isinstance(origin, type) and not _is_protocol(origin) else object
    if not isinstance(target, type) or _is_protocol(target):
        return object
    return target


def _is_protocol(type_: type) -> bool:
    """Abstract classes of collections can be checked; protocols that are not runtime-checkable can't."""
    return getattr(type_, "_is_protocol", False) and not getattr(type_, "_is_runtime_protocol", False)


def _convert(value: Any, target: Any, converters: Converters) -> Any:
    if get_origin(target) is Literal:
        hit = any(value == choice and type(value) is type(choice) for choice in get_args(target))
        return value if hit else _NO
    if get_origin(target) is Union:
        parts = get_args(target)
        for part in parts:  # an exact member comes before a conversion
            if _is_exact(value, part):
                return value
        for part in parts:
            converted = _convert(value, part, converters)
            if converted is not _NO:
                return converted
        return _NO
    if _is_exact(value, target):
        return value
    if target is float and type(value) is int:
        try:
            as_float = float(value)
        except OverflowError:
            return _NO
        return as_float if int(as_float) == value else _NO  # lossless or not at all
    convert = converters.get((type(value), target)) or BUILT_IN_CONVERTERS.get((type(value), target))
    return convert(value) if convert is not None else _NO


def _is_exact(value: Any, target: Any) -> bool:
    """Whether a value is of the type. Unlike in Python, a truth value is not a number."""
    if isinstance(value, bool) and target in (int, float):
        return False
    if not isinstance(target, type):
        return False
    return isinstance(value, target)


def _describe_value(value: Any) -> str:
    text = repr(value)
    return f"{describe_type(type(value))} {text if len(text) <= 60 else text[:57] + '...'}"


def coerce_literal(value: Any, target: Any, converters: Converters) -> Any:
    """A literal of a graph as a value of the input's type; raises `Mismatch`.

    Besides what may cross a connection, a literal in JSON may be the written form of a richer type (a date, an enum,
    an attrs class), which cattrs then reads.
    """
    coercer = coercer_for(target, converters)
    if coercer is None:
        return value
    try:
        return coercer(value)
    except Mismatch:
        normal = _normal(target)
        if normal in _JSON_TYPES or not isinstance(value, str | dict | list | int | float):
            raise
        if not isinstance(normal, type):
            raise
        try:
            return _literals.structure(value, target)
        except Exception as error:  # whatever cattrs or the class objects with, the literal does not fit
            raise Mismatch(
                f"expected {describe_type(target)}, got {_describe_value(value)} ({type(error).__name__}: {error})"
            ) from error


def compatible(source: Any, target: Any, converters: Converters) -> bool:
    """Whether an output of type `source` can ever feed an input of type `target`; True unless it surely can't."""
    source, target = _normal(source), _normal(target)
    if source is object or target is object:
        return True
    if get_origin(source) is Union:
        return any(compatible(part, target, converters) for part in get_args(source))
    if get_origin(target) is Union:
        return any(compatible(source, part, converters) for part in get_args(target))
    if get_origin(source) is Literal:
        return any(_convert(choice, target, converters) is not _NO for choice in get_args(source))
    if get_origin(target) is Literal:
        return any(isinstance(choice, source) for choice in get_args(target))
    if source is bool and target in (int, float):
        return False
    if target is float and source is int:
        return True
    if (source, target) in converters or (source, target) in BUILT_IN_CONVERTERS:
        return True
    return issubclass(source, target) or issubclass(target, source)
