"""Types where values cross a connection (D11): exact, int to float, declared converters; nothing is guessed.

Of a container only its own type is checked when it crosses a wire: looking at each item would make the price of a
step depend on the data. Literals are checked to their depth, once, before the run.
"""

from __future__ import annotations

import base64
import datetime
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from trioflow.model.duration import parse_duration
from trioflow.model.held import Held
from trioflow.model.size import size_of
from trioflow.model.types import JSON_TYPES, checkable, describe_type, describe_value, is_exact, unwrapped

if TYPE_CHECKING:
    from cattrs import Converter

Converters = Mapping[tuple[type, type], Callable[[Any], Any]]

BUILT_IN_CONVERTERS: Converters = {(str, Path): Path}
"""Conversions without loss that need no declaration, besides int to float."""

_Boxes = list[Any] | tuple[Any, ...] | set[Any] | frozenset[Any]


class Mismatch(ValueError):
    """A value does not fit a type; the message says what was expected and what came."""

    cure = (
        "Only int to float and declared converters are applied at a wire; put a conversion node between, or declare a "
        "converter in the registry."
    )


class TooLarge(Mismatch):
    """A value takes more memory than the host allows."""

    cure = "Work with less at a time, or make the registry with more: Registry.standard(max_bytes=...)."


class Coercer:
    """Checks and converts values for one input.

    Values of the types in `passing` pass as they are, so that the common case is one look; calling the coercer does the
    rest and raises `Mismatch`.
    """

    __slots__ = ("_converters", "_target", "passing")

    def __init__(self, target: Any, converters: Converters) -> None:
        self._target = target
        self._converters = converters
        parts = get_args(target) if get_origin(target) is Union else (target,)
        self.passing = frozenset(part for part in parts if isinstance(part, type))

    def __call__(self, value: Any) -> Any:
        converted = _convert(value, self._target, self._converters)
        if converted is _NO:
            if isinstance(value, Held):
                return value  # it was checked where it is
            raise _mismatch(self._target, value)
        return converted


class SizedCoercer(Coercer):
    """Checks besides how large a value is."""

    __slots__ = ("_most",)

    def __init__(self, target: Any, converters: Converters, most: int) -> None:
        super().__init__(target, converters)
        self._most = most
        self.passing &= {bool, float, types.NoneType}  # which are of one size

    def __call__(self, value: Any) -> Any:
        if size_of(value, self._most) > self._most:
            raise TooLarge(f"expected at most about {self._most:,} bytes, got a larger {type(value).__name__}")
        return super().__call__(value)


_NO: Any = object()


def coercer_for(target: Any, converters: Converters, most: int | None = None) -> Coercer | None:
    """A coercer for inputs of this type, whose values may take about `most` bytes; None if every value fits."""
    target = checkable(target)
    if most is not None:
        return SizedCoercer(target, converters, most)
    return None if target is object else Coercer(target, converters)


def _convert(value: Any, target: Any, converters: Converters) -> Any:
    if is_exact(value, target):  # of a union, an exact member comes before a conversion
        return value
    if get_origin(target) is Union:
        return _convert_to_union(value, target, converters)
    if target is float and type(value) is int:
        try:
            as_float = float(value)
        except OverflowError:
            return _NO
        return as_float if int(as_float) == value else _NO  # lossless or not at all
    convert = converters.get((type(value), target)) or BUILT_IN_CONVERTERS.get((type(value), target))
    if convert is None:
        return _NO
    try:
        return convert(value)
    except Exception as error:  # a converter may refuse a value with whatever it likes
        raise _mismatch(target, value, f"{type(error).__name__}: {error}") from error


def _convert_to_union(value: Any, target: Any, converters: Converters) -> Any:
    for part in get_args(target):
        converted = _convert(value, part, converters)
        if converted is not _NO:
            return converted
    return _NO


def _mismatch(target: Any, value: Any, reason: str = "") -> Mismatch:
    because = f" ({reason})" if reason else ""
    return Mismatch(f"expected {describe_type(target)}, got {describe_value(value)}{because}")


# --- literals --------------------------------------------------------------------------------------------------------


def coerce_literal(value: Any, target: Any, converters: Converters) -> Any:
    """A literal of a graph as a value of the input's type; raises `Mismatch`.

    Besides what may cross a connection, a literal in JSON may be the written form of a richer type (a date, a
    duration, bytes in base64, an enum, an attrs class, a set), which cattrs then reads; the items of a container are
    literals too.
    """
    behind = unwrapped(target)
    if behind is not target:
        return coerce_literal(value, behind, converters)
    origin = get_origin(target)
    if origin is Union or origin is types.UnionType:
        return _literal_of_union(value, target, converters)
    if isinstance(value, list | tuple | set | frozenset) and origin in (list, tuple, set, frozenset):
        return _literal_box(value, target, converters)
    if isinstance(value, dict) and origin is dict:
        key, item = get_args(target)
        return {coerce_literal(k, key, converters): coerce_literal(v, item, converters) for k, v in value.items()}
    coercer = coercer_for(target, converters)
    if coercer is None:
        return value
    try:
        return coercer(value)
    except Mismatch:
        normal = checkable(target)
        written = isinstance(value, str | dict | list | int | float)
        if not written or normal in JSON_TYPES or not isinstance(normal, type):
            raise
        return _read(value, target)


def _literal_of_union(value: Any, target: Any, converters: Converters) -> Any:
    # A part that takes the value as it is comes before one that converts it.
    for part in sorted(get_args(target), key=lambda part: not is_exact(value, checkable(part))):
        try:
            return coerce_literal(value, part, converters)
        except Mismatch:
            continue
    raise _mismatch(target, value)


def _literal_box(value: _Boxes, target: Any, converters: Converters) -> Any:
    kind = get_origin(target)
    hints = get_args(target)
    if type(value) not in (list, kind):
        raise _mismatch(target, value)
    if kind is not tuple or hints[1:] == (...,):
        hints = hints[:1] * len(value)
    if len(hints) != len(value):
        raise _mismatch(target, value, f"{len(value)} items instead of {len(hints)}")
    return kind(coerce_literal(item, hint, converters) for item, hint in zip(value, hints, strict=True))


def _read(value: Any, target: Any) -> Any:
    """A value from its written form."""
    from cattrs import ClassValidationError, transform_error  # noqa: PLC0415 - few graphs have such a literal
    from cattrs.v import format_exception  # noqa: PLC0415 - as above

    def describe(error: BaseException, target: type | None) -> str:
        return str(error) if isinstance(error, Mismatch) else format_exception(error, target)

    try:
        return _reader().structure(value, target)
    except ClassValidationError as error:
        reasons = "; ".join(transform_error(error, path="literal", format_exception=describe))
        raise _mismatch(target, value, reasons) from error
    except Exception as error:  # whatever cattrs or the class objects with, the literal does not fit
        raise _mismatch(target, value, f"{type(error).__name__}: {error}") from error


def _strict(value: Any, target: Any) -> Any:
    """In place of cattrs' own hooks, which read numbers from texts and round them."""
    kind = next(kind for kind in _SCALARS if issubclass(target, kind))
    converted = _convert(value, kind, {})
    if converted is _NO:
        raise _mismatch(target, value)
    return converted if target is kind else target(converted)  # cattrs gives subclasses, such as IntEnum, here too


def _bytes(value: Any, _: object) -> bytes:
    """In place of cattrs' base85, which few other programs write."""
    try:
        return base64.b64decode(_written_as_text(value), validate=True)
    except ValueError as error:
        raise ValueError(f"bytes are written in base64, such as 'AP8='; {error}") from None


def _duration(value: Any, _: object) -> datetime.timedelta:
    return parse_duration(_written_as_text(value))


def _written_as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("write it as text")
    return value


_SCALARS = (bool, int, float, str)


@functools.cache
def _reader() -> Converter:
    from cattrs.preconf.json import make_converter  # noqa: PLC0415 - as above

    reader = make_converter(forbid_extra_keys=True)
    for kind in _SCALARS:
        reader.register_structure_hook(kind, _strict)
    reader.register_structure_hook(bytes, _bytes)
    reader.register_structure_hook(datetime.timedelta, _duration)
    return reader


# --- connections -----------------------------------------------------------------------------------------------------


def compatible(source: Any, target: Any, converters: Converters) -> bool:
    """Whether an output of type `source` can ever feed an input of type `target`; True unless it surely can't."""
    source, target = checkable(source), checkable(target)
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
    if target is datetime.date and issubclass(source, datetime.datetime):
        return False
    if target is float and source is int:
        return True
    return _related(source, target, converters)


def _related(source: type, target: type, converters: Converters) -> bool:
    try:
        # A value may be of a subclass of what its output declares, and a subclass may be both.
        if any(target is made and issubclass(given, source) for given, made in (*BUILT_IN_CONVERTERS, *converters)):
            return True
        if inspect.isabstract(source) and inspect.isabstract(target):
            return True
        return issubclass(source, target) or issubclass(target, source)
    except TypeError:  # a protocol with attributes can be asked only about instances
        return True
