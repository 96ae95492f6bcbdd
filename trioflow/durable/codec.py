"""Values as text that comes back as the very same (J15), and failures (J7).

Exact types only: a subclass would come back as its base. What can't come back is refused when it is written, with the
place inside of the value. Nothing is pickled: text of a journal can't run code that the program does not have.
"""

from __future__ import annotations

import base64
import copyreg
import datetime
import decimal
import enum
import fractions
import importlib
import json
import math
import pathlib
import sys
import uuid
import zoneinfo
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import attrs

from trioflow.errors import RecordedFailure, Unrecordable

T = TypeVar("T")

_SIMPLE = (type(None), bool, int, str)
_HINT = "Make it of plain values, of attrs classes, or tell how it is written with trioflow.recordable"

_encode_ascii = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode_json = json.JSONDecoder().decode


@attrs.frozen
class _Recordable:
    """How values of one class are written."""

    cls: type[Any]
    name: str
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


_BY_CLASS: dict[type[Any], _Recordable] = {}
_BY_NAME: dict[str, _Recordable] = {}


def recordable(
    cls: type[T], encode: Callable[[T], Any], decode: Callable[[Any], T], *, name: str | None = None
) -> None:
    """Tell how values of a class are written to journals: as what `encode` gives, from which `decode` makes them anew.

    For values of exactly this class. What `encode` gives must be recordable itself. `name` stands for the class in
    journals; without it that is its module and name, which then must not change while runs are kept. Raises
    `ValueError` for a name that another class has; one that was made anew from the same text, as in a notebook, is
    not another.
    """
    made = _Recordable(cls, name or _name_of(cls), encode, decode)
    if _name_of(_BY_NAME.get(made.name, made).cls) != _name_of(cls):
        raise ValueError(f"Another class is recorded as {made.name!r} already: {_BY_NAME[made.name].cls!r}.")
    _BY_CLASS[cls] = _BY_NAME[made.name] = made


def _chunks(encoder: json.JSONEncoder) -> Callable[[Any], str]:
    """What `encoder.encode` does, without making anything anew each time, which takes longer than most values do."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    write: Any = make(
        None, encoder.default, json.encoder.encode_basestring, None,
        encoder.key_separator, encoder.item_separator, False, False, True,
    )  # fmt: skip

    def encode_json(value: Any) -> str:
        return "".join(write(value, 0))

    return encode_json


_encode_json = _chunks(json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False))


def dump(value: Any) -> str:
    """What `encode` gave, as a line of text."""
    text = _encode_json(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:  # names of files may hold what no encoding can
        return _encode_ascii(value)
    return text


def parse(text: str) -> Any:
    """What `dump` was given."""
    return _decode_json(text)


def is_simple(value: Any) -> bool:
    """Whether a value is written as it is, and comes back so."""
    kind = type(value)
    return kind is str or kind is bool or value is None or (kind is int and -_MOST < value < _MOST)


def encode(value: Any, where: str) -> Any:
    """A value as JSON knows it. Raises `Unrecordable`, which says where in it the trouble is."""
    kind: type[Any] = type(value)
    if kind in _SIMPLE:
        return value if kind is not int or -_MOST < value < _MOST else {"$i": hex(value)}
    try:
        return _encode(value, where)
    except RecursionError:
        raise Unrecordable(f"{where} holds itself, or nests too deep to be recorded. {_HINT}.") from None


_MOST = 10**4000
"""Python refuses to write longer numbers in decimal."""


def _encode(value: Any, where: str) -> Any:  # noqa: C901 - one case for each type
    kind: type[Any] = type(value)
    if kind in _SIMPLE:
        return value if kind is not int or -_MOST < value < _MOST else {"$i": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"$f": repr(value)}
    if kind is list:
        return [_encode(each, f"{where}[{place}]") for place, each in enumerate(value)]
    if kind is dict:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: _encode(each, f"{where}[{key!r}]") for key, each in value.items()}
        return {
            "$d": [
                [_encode(key, f"a key of {where}"), _encode(each, f"{where}[{key!r}]")] for key, each in value.items()
            ]
        }
    if kind is tuple:
        return {"$t": [_encode(each, f"{where}[{place}]") for place, each in enumerate(value)]}
    if kind is bytes:
        return {"$b": base64.b64encode(value).decode()}
    if kind is set or kind is frozenset:
        # Sorted as written: the order of a set differs between interpreters.
        return {
            "$s" if kind is set else "$z": sorted((_encode(each, f"an item of {where}") for each in value), key=dump)
        }
    plain = _PLAIN.get(kind)
    if plain is not None:
        return {f"${plain[0]}": plain[1](value)}
    if kind is datetime.datetime or kind is datetime.time:
        return {"$when" if kind is datetime.datetime else "$time": _encode_moment(value, where)}
    found = _BY_CLASS.get(kind)
    if found is not None:
        return {"$c": found.name, "v": _encode(found.encode(value), f"{where} (as written by recordable)")}
    if isinstance(value, enum.Enum):
        return {"$n": _importable(kind, where), "v": value.name}
    if isinstance(value, BaseException):
        return {"$e": encode_failure(value, where)}
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return {
            "$m": _importable(kind, where),
            "v": [_encode(each, f"{where}[{place}]") for place, each in enumerate(value)],
        }
    if attrs.has(kind):
        names = [field.name for field in attrs.fields(kind)]
        return {
            "$a": _importable(kind, where),
            "v": {name: _encode(getattr(value, name), f"{where}.{name}") for name in names},
        }
    raise Unrecordable(
        f"{where} is a {kind.__module__}.{kind.__qualname__}, which would not come back as it is. {_HINT}."
    )


def _encode_moment(value: datetime.datetime | datetime.time, where: str) -> Any:
    """A time, with its zone: isoformat alone forgets the name of a zone, and which of two equal hours it is."""
    zone = value.tzinfo
    if (zone is None or type(zone) is datetime.timezone) and not value.fold:
        return value.isoformat()
    if zone is not None and not isinstance(zone, datetime.timezone | zoneinfo.ZoneInfo):
        raise Unrecordable(f"{where} has the time zone {zone!r}, which would not come back as it is. Use zoneinfo.")
    name = zone.key if isinstance(zone, zoneinfo.ZoneInfo) else None
    told = value.isoformat() if name is None else value.replace(tzinfo=None).isoformat()
    return [told, value.fold, name]


def _decode_moment(cls: Any, written: Any) -> Any:
    if isinstance(written, str):
        return cls.fromisoformat(written)
    told, fold, name = written
    made = cls.fromisoformat(told).replace(fold=fold)
    return made if name is None else made.replace(tzinfo=zoneinfo.ZoneInfo(name))


_PLAIN: dict[type[Any], tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    datetime.date: ("date", datetime.date.isoformat, datetime.date.fromisoformat),
    datetime.timedelta: (
        "span",
        lambda span: str(span // datetime.timedelta(microseconds=1)),
        lambda text: datetime.timedelta(microseconds=int(text)),
    ),
    decimal.Decimal: ("dec", str, decimal.Decimal),
    fractions.Fraction: ("frac", str, fractions.Fraction),
    uuid.UUID: ("uuid", str, uuid.UUID),
    pathlib.PurePosixPath: ("pure", str, pathlib.PurePosixPath),
    type(pathlib.Path()): ("path", str, pathlib.Path),
    type(...): ("dots", lambda _: "", lambda _: ...),
}
_READ = {f"${name}": read for name, _, read in _PLAIN.values()}


def decode(value: Any) -> Any:  # noqa: C901 - one case for each type
    """The value. Raises `Unrecordable` for what can't be made here, such as of a class that is not there any more."""
    kind = type(value)
    if kind is list:
        return [decode(each) for each in value]
    if kind is not dict:
        return value
    tag = next(iter(value), "")
    if not tag.startswith("$"):
        return {key: decode(each) for key, each in value.items()}
    held = value[tag]
    match tag:
        case "$i":
            return int(held, 16)
        case "$f":
            return float(held)
        case "$d":
            return {decode(key): decode(each) for key, each in held}
        case "$t":
            return tuple(decode(each) for each in held)
        case "$b":
            return base64.b64decode(held)
        case "$s":
            return {decode(each) for each in held}
        case "$z":
            return frozenset(decode(each) for each in held)
        case "$e":
            return decode_failure(held)
        case "$when":
            return _decode_moment(datetime.datetime, held)
        case "$time":
            return _decode_moment(datetime.time, held)
        case "$c":
            if held not in _BY_NAME:
                raise Unrecordable(
                    f"The journal has a value of {held!r}, and nobody has told trioflow.recordable how it is read."
                )
            return _BY_NAME[held].decode(decode(value["v"]))
        case "$n":
            return _found(held)[value["v"]]
        case "$m":
            return _found(held)(*decode(value["v"]))
        case "$a":
            return _attrs_object(_found(held), decode(value["v"]))
        case _ if tag in _READ:
            return _READ[tag](held)
        case _:
            raise Unrecordable(f"The journal has a value of the kind {tag!r}, which this version does not know.")


def _attrs_object(cls: type[Any], values: Mapping[str, Any]) -> Any:
    """An object with these fields: not made by its constructor, which may do what was done to these fields already."""
    made = object.__new__(cls)
    missing = [field.name for field in attrs.fields(cls) if field.name not in values]
    if missing:
        raise Unrecordable(f"The journal has a {cls.__qualname__} without {', '.join(missing)}: the class has changed.")
    for name, each in values.items():
        object.__setattr__(made, name, each)
    return made


# --- failures --------------------------------------------------------------------------------------------------------


def encode_failure(error: BaseException, where: str) -> list[Any]:
    """A failure as class, arguments and what was added to it (J7). One that can't be made again goes by its names."""
    kind = type(error)
    try:
        made: Any = error.__reduce__()
        function, arguments = made[0], made[1]
        state = made[2] if len(made) > 2 else None
        if function is copyreg.__newobj__:  # type: ignore[attr-defined]
            arguments = arguments[1:]
            way = "new"
        elif function is kind:
            way = "call"
        else:
            raise Unrecordable(f"{where} is made in a way of its own")
        written = [
            way,
            _importable(kind, where),
            [_encode(each, f"{where}: an argument") for each in arguments],
            {
                name: _encode(each, f"{where}.{name}")
                for name, each in (state or {}).items()
                if not (
                    name.startswith("__trioflow") or name == "__notes__"
                )  # which say where it arose, and will again
            },
        ]
        again = decode_failure(written)
        # Of an OSError whose second name was set to None the text has "-> None" at its end, and no other has.
        if type(again) is not kind or str(again) != str(error).removesuffix(" -> None"):
            raise Unrecordable(f"{where} comes back as something else")
    except Exception:
        names = [f"{each.__module__}.{each.__qualname__}" for each in kind.__mro__ if issubclass(each, Exception)]
        return ["names", names, _text_of(error)]
    return written


def decode_failure(written: list[Any]) -> BaseException:
    """The failure, as far as it can be made."""
    way = written[0]
    if way == "names":
        return RecordedFailure(written[1], written[2])
    cls = _found(written[1])
    arguments = [decode(each) for each in written[2]]
    error = cast("BaseException", cls(*arguments) if way == "call" else cls.__new__(cls, *arguments))
    state = {name: decode(each) for name, each in written[3].items()}
    if state:
        vars(error).update(state)
    return error


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(it has no text)"


# --- classes by name -------------------------------------------------------------------------------------------------


def _name_of(cls: type[Any]) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _importable(cls: type[Any], where: str) -> str:
    name = _name_of(cls)
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not cls:
        raise Unrecordable(
            f"{where} is a {cls.__qualname__}, which can't be imported from {cls.__module__} by that name. Put the "
            "class at the top of a module."
        )
    return name


def _found(name: str) -> Any:
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise Unrecordable(
            f"The journal has a value of {name}, and {module} can't be imported here ({error})."
        ) from error
    for part in path.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise Unrecordable(f"The journal has a value of {name}, and there is no such class here any more.")
    return found
