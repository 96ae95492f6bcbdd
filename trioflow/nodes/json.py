"""JSON, read strictly: no NaN, no infinity, no key twice.

A value of JSON is none, a truth value, a number, a text, a list, or a dictionary whose keys are texts. Pointers are
those of RFC 6901: `/users/0/name`; the empty pointer is the whole value.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

import trioflow as tf
from trioflow.nodes import _expect as expect


def _read(node: str, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"{node}: line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except ValueError as error:  # a key twice, NaN, a number of too many digits
        raise ValueError(f"{node}: {error}.") from None
    except RecursionError:
        raise ValueError(f"{node}: the text is nested too deeply.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise ValueError(f"the key {twice!r} occurs more than once")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"JSON has no {name}")


def _check(node: str, value: object, path: str = "") -> None:
    """Raise for what JSON has no form for; Python's own writer turns keys into texts and tuples into lists."""
    where = f"at {path!r}" if path else "the value"
    if isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            if not isinstance(key, str):
                raise TypeError(f"{node}: {where} has the key {expect.shown(key)}; keys of JSON are texts.")
            _check(node, item, f"{path}/{_escaped(key)}")
    elif isinstance(value, list):
        for place, item in enumerate(cast("list[object]", value)):
            _check(node, item, f"{path}/{place}")
    elif isinstance(value, float):
        if value - value != 0:
            raise ValueError(f"{node}: {where} is {value!r}, which JSON does not have.")
    elif value is not None and not isinstance(value, str | bool | int):
        raise TypeError(f"{node}: {where} is {expect.shown(value)}, which JSON does not have.")


def _written(node: str, value: object, indent: int | None, sort_keys: bool) -> str:
    try:
        _check(node, value)
        return json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=sort_keys)
    except RecursionError:
        raise ValueError(f"{node}: the value is nested too deeply.") from None


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _steps(node: str, pointer: str) -> list[str]:
    if (pointer and not pointer.startswith("/")) or re.search(r"~(?![01])", pointer):
        raise ValueError(f"{node}: {pointer!r} is not a JSON pointer; write '' or one such as '/users/0/name'.")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _child(node: str, value: object, step: str, pointer: str) -> str | int:
    """The key or place that a step of a pointer leads to, which has to be there."""
    if isinstance(value, dict):
        if step in value:
            return step
        raise KeyError(f"{node}: there is no {pointer!r}: the key {step!r} is missing.")
    if isinstance(value, list):
        length = len(cast("list[object]", value))
        if re.fullmatch(r"0|[1-9][0-9]{0,17}", step) and int(step) < length:
            return int(step)
        raise IndexError(f"{node}: there is no {pointer!r}: a list of {length} has no item {step!r}.")
    raise TypeError(f"{node}: there is no {pointer!r}: {expect.shown(value)} has no parts.")


@tf.data_node(id="json.parse")
def parse(text: str) -> object:
    """The value that a JSON text writes. A text that is no JSON is an error that says where.

    >>> parse('{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    """
    return _read("json.parse", text)


@tf.data_node(id="json.write")
def write(value: object, indent: int = 0, sort_keys: bool = False) -> str:
    """The value as a JSON text: in one line, or indented by so many spaces; keys as they are, or sorted.

    What JSON does not have is an error that says where: other types, other keys than texts, NaN and infinity.

    >>> write({"b": [1, True], "a": None}, sort_keys=True)
    '{"a": null, "b": [1, true]}'
    """
    if not 0 <= indent <= 100:
        raise ValueError(f"json.write: expected an indent from 0 to 100, got {indent}.")
    return _written("json.write", value, indent or None, sort_keys)


@tf.data_node(id="json.is_valid")
def is_valid(text: str) -> bool:
    """Whether `json.parse` reads the text.

    >>> is_valid("[1, ]")
    False
    """
    try:
        _read("json.is_valid", text)
    except ValueError:
        return False
    return True


@tf.data_node(id="json.parse_lines")
def parse_lines(text: str) -> list[Any]:
    r"""The values of a text with one JSON value in each line; blank lines are passed over.

    A line that is no JSON is an error that says which.

    >>> parse_lines('{"a": 1}\n\n[2]\n')
    [{'a': 1}, [2]]
    """
    lines = enumerate(text.split("\n"), 1)  # other line ends may be part of a text in JSON
    return [_read(f"json.parse_lines: value in line {number}", line) for number, line in lines if line.strip()]


@tf.data_node(id="json.write_lines")
def write_lines(values: list[Any]) -> str:
    r"""Each value as JSON in a line of its own. What JSON does not have is an error.

    >>> write_lines([{"a": 1}, [2]])
    '{"a": 1}\n[2]\n'
    """
    return "".join(f"{_written('json.write_lines', value, None, sort_keys=False)}\n" for value in values)


@tf.data_node(id="json.get")
def get(value: object, pointer: str) -> object:
    """The part of a value that a pointer leads to. One that leads nowhere is an error that says where it ends.

    >>> get({"users": [{"name": "Ada"}]}, "/users/0/name")
    'Ada'
    """
    for step in _steps("json.get", pointer):
        value = cast("Any", value)[_child("json.get", value, step, pointer)]
    return value


@tf.data_node(id="json.has")
def has(value: object, pointer: str) -> bool:
    """Whether a pointer leads to a part of the value. A text that is no pointer is an error.

    >>> has({"users": []}, "/users/0")
    False
    """
    for step in _steps("json.has", pointer):
        try:
            value = cast("Any", value)[_child("json.has", value, step, pointer)]
        except (LookupError, TypeError):
            return False
    return True


@tf.data_node(id="json.set")
def set_(value: object, pointer: str, part: object) -> object:
    """The value with one part replaced, or added: a new key in a dictionary, `-` for the end of a list.

    All before the last step has to be there: otherwise it is an error. The empty pointer gives the part itself.

    >>> set_({"users": [{"name": "Ada"}]}, "/users/0/age", 36)
    {'users': [{'name': 'Ada', 'age': 36}]}
    """
    return _changed(value, _steps("json.set", pointer), pointer, part)


def _changed(value: object, steps: list[str], pointer: str, part: object) -> object:
    if not steps:
        return part
    step, *rest = steps
    if not rest and isinstance(value, dict):
        return {**value, step: part}
    if not rest and step == "-" and isinstance(value, list):
        return [*value, part]
    key = _child("json.set", value, step, pointer)
    copy: Any = cast("Any", value).copy()
    copy[key] = _changed(copy[key], rest, pointer, part)
    return copy


@tf.data_node(id="json.merge_patch")
def merge_patch(value: object, patch: object) -> object:
    """The value changed by a patch (RFC 7396): its keys are set, at every depth; those that are none are removed.

    A patch that is no dictionary takes the place of the value.

    >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 5}})
    {'b': {'c': 5, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    merged: dict[Any, Any] = {**value} if isinstance(value, dict) else {}
    for key, part in cast("dict[object, object]", patch).items():
        if part is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), part)
    return merged
