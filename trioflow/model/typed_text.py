"""Values as people type them: a text, read by the declared type of what it is for."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trioflow.model.duration import parse_duration


def read_value(name: str, kind: str, text: str) -> Any:
    """A value for this variable, of this kind. Raises `ValueError`."""
    needed, read = _READERS.get(kind, _ANY)
    try:
        return read(text)
    except ValueError:
        raise ValueError(f"variable {name!r} needs {needed}, not {text!r}.") from None


def _whole(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise ValueError(text)  # int() would take 1_000 and other digits than ours
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text):
        raise ValueError(text)
    return float(text)


def _duration(text: str) -> datetime.timedelta:
    try:
        return datetime.timedelta(seconds=_number(text))
    except ValueError:
        return parse_duration(text)


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _json_of(*kinds: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            value = json.loads(text)
        except RecursionError as error:
            raise ValueError(text) from error
        if type(value) not in kinds:
            raise ValueError(text)
        return value

    return read


def _set_of(text: str) -> set[Any]:
    try:
        return set(_json_of(list)(text))
    except TypeError as error:  # a list in the list
        raise ValueError(text) from error


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


_ANY: tuple[str, Callable[[str], Any]] = ("anything", _json_or_text)
_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "bool": ("true or false", _truth),
    "bytes": ("text", str.encode),
    "date": ("a date such as 2030-01-31", datetime.date.fromisoformat),
    "datetime": ("a date and time such as 2030-01-31T12:00:00", datetime.datetime.fromisoformat),
    "dict": ("an object in JSON", _json_of(dict)),
    "duration": ("a number of seconds, or a duration such as 90m or PT1H30M", _duration),
    "float": ("a number", _number),
    "int": ("a whole number", _whole),
    "list": ("a list in JSON", _json_of(list)),
    "path": ("a path", Path),
    "set": ("a list in JSON", _set_of),
    "str": ("text", str),
}
