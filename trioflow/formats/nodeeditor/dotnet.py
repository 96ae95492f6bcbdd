"""The types of the format, which are those of .NET, and the values that are written with them.

A *kind* is one of our type names (`int`, `float`, `bool`, `str`, `list`, `dict`, `any`), or `exec`.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterator
from typing import Any, cast

_SPELLINGS = {
    "exec": "ExecutionSocket ExecutionPath",
    "int": "Int32 Int64 Int16 UInt32 UInt64 UInt16 Byte SByte int long short uint ulong ushort",
    "float": "Double Single Decimal float",
    "bool": "Boolean bool",
    "str": "String Char",
    "list": "SerializableList List IList IEnumerable IReadOnlyList ArrayList",
    "dict": "SerializableDict SerializableDictionary Dictionary IDictionary IReadOnlyDictionary",
    "any": "Object",
}
_KINDS = {name.lower(): kind for kind, names in _SPELLINGS.items() for name in names.split()}

TYPE_NAMES = {
    "exec": "NodeEditor.Net.Services.Execution.ExecutionSocket",
    "int": "System.Int32",
    "float": "System.Double",
    "bool": "System.Boolean",
    "str": "System.String",
    "list": "NodeEditor.Net.Models.SerializableList",
    "dict": "NodeEditor.Net.Models.SerializableDict",
    "any": "System.Object",
}
"""How an exported document names each kind."""

ZEROS: dict[str, Any] = {"int": 0, "float": 0, "bool": False, "str": "", "list": [], "dict": {}, "any": None}
"""What an input of each kind has in .NET if nothing gives it a value."""

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "list": "a list",
    "dict": "an object",
}
_CLASSES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
    "list": (list,),
    "dict": (dict,),
}
_LONGEST_INT = 64


class BadValue(ValueError):
    """A value is not of the type that is written beside it; the message says what was expected and what came."""


@functools.lru_cache(maxsize=10_000)
def kind_of(type_name: str) -> str | None:
    """The kind that a .NET type name stands for; None for a type that is not known here.

    Namespaces, assemblies and arguments of generics do not matter, nor does case.
    """
    if type_name.rstrip().endswith("[]"):
        return "list"
    name = re.split(r"[`<\[,]", type_name.replace("System.Nullable`1[[", ""), maxsplit=1)[0].strip().rstrip("?")
    return _KINDS.get(name.rpartition(".")[2].lower())


def fits(source: str | None, target: str | None) -> bool:
    """Whether the format itself lets an output of one kind feed an input of another. A foreign type is None."""
    numbers = {"int", "float"}
    return source == target or {source, target} <= numbers or not {"any", None}.isdisjoint({source, target})


def read_value(value: Any, kind: str | None) -> Any:
    """The value as one of the kind. A number is kept as it is written: 2 of type Double stays a whole number.

    What should be something else than a text may be written as a text that holds it in JSON. Raises `BadValue`.
    """
    if value is None or kind in (None, "any"):
        return _finite(value)
    assert kind is not None
    if not _is_a(value, kind) and isinstance(value, str):
        value = _read_text(value, kind)
    if kind == "int" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not _is_a(value, kind):
        raise BadValue(f"expected {_EXPECTED[kind]}, got {_say(value)}")
    if kind == "int" and int(value).bit_length() > _LONGEST_INT:
        raise BadValue(f"expected a number of at most {_LONGEST_INT} bits, got one of {int(value).bit_length()}")
    return _finite(value)


def is_text_of(value: Any, kind: str | None) -> bool:
    """Whether the value is a text that holds a value of the kind in JSON."""
    if not isinstance(value, str):
        return False
    try:
        inner = _read_text(value, kind or "any")
    except BadValue:
        return False
    return inner is None or kind in (None, "any") or _is_a(inner, str(kind))


def read_text(value: Any, kind: str | None) -> Any:
    """The value in a text that holds it in JSON. Raises `BadValue`."""
    return read_value(_read_text(value, kind or "any") if isinstance(value, str) else value, kind)


def kind_of_value(value: Any) -> str:
    """The kind that a value is written with if it goes into an input of any kind."""
    return next((kind for kind in ("bool", "int", "float", "str", "list", "dict") if _is_a(value, kind)), "any")


def _is_a(value: Any, kind: str) -> bool:
    classes = _CLASSES.get(kind, (object,))
    return isinstance(value, classes) and (kind == "bool" or not isinstance(value, bool) or kind == "any")


def _read_text(text: str, kind: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadValue(
            f"expected {_EXPECTED.get(kind, 'a value')}, got {_say(text)}, which is not JSON either"
        ) from error


def _finite(value: Any) -> Any:
    for path, number in not_finite(value):
        where = f" at {path}" if path else ""
        raise BadValue(f"expected a finite number{where}, got {number!r}, which JSON does not have")
    return value


def not_finite(tree: Any) -> Iterator[tuple[str, float]]:
    """The numbers in a tree of dicts and lists that JSON does not have, by path: NaN and infinities, in order."""
    waiting: list[tuple[str, Any]] = [("", tree)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, float) and not math.isfinite(value):
            yield path, value
        elif isinstance(value, dict):
            inner = cast("dict[object, object]", value).items()
            waiting += [(f"{path}.{key}" if path else str(key), each) for key, each in inner][::-1]
        elif isinstance(value, list):
            waiting += [(f"{path}[{place}]", each) for place, each in enumerate(cast("list[object]", value))][::-1]


def _say(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else shown[:57] + "..."
