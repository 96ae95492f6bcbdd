"""JSON, read strictly: no NaN, no infinity, no key twice.

A value of JSON is none, a truth value, a number, a text, a list, or a dictionary whose keys are texts. Pointers are
those of RFC 6901: `/users/0/name`; the empty pointer is the whole value.
"""

from __future__ import annotations

import re
from typing import Any, cast

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._json import NotJson, read
from trioflow.nodes._json import write as write_json
from trioflow.nodes._slices import SLICE, TURN, Steps, batches, copied, entries, joined, sliced


def _read(node: str, text: str) -> Steps[Any]:
    try:
        return (yield from read(text))
    except NotJson as error:
        raise ValueError(f"{node}: {error}.") from None


def _written(node: str, value: object, indent: int | None, sort_keys: bool) -> Steps[str]:
    try:
        return (yield from write_json(value, indent, sort_keys=sort_keys))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{node}: {error}.") from None


def _steps(node: str, pointer: str) -> list[str]:
    if (pointer and not pointer.startswith("/")) or re.search(r"~(?![01])", pointer):
        raise ValueError(
            f"{node}: {expect.short(pointer)} is not a JSON pointer; write '' or one such as '/users/0/name'."
        )
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _child(node: str, value: object, step: str, pointer: str) -> str | int:
    """The key or place that a step of a pointer leads to, which has to be there."""
    if isinstance(value, dict):
        if step in value:
            return step
        raise KeyError(f"{node}: there is no {expect.short(pointer)}: the key {expect.short(step)} is missing.")
    if isinstance(value, list):
        length = len(cast("list[object]", value))
        if re.fullmatch(r"0|[1-9][0-9]{0,17}", step) and int(step) < length:
            return int(step)
        raise IndexError(
            f"{node}: there is no {expect.short(pointer)}: a list of {length} has no item {expect.short(step)}."
        )
    raise TypeError(f"{node}: there is no {expect.short(pointer)}: {expect.shown(value)} has no parts.")


@sliced(id="json.parse")
def parse(text: str) -> Steps[object]:
    """The value that a JSON text writes. A text that is not JSON is an error that says where.

    A byte order mark in front is passed over. A number beyond the greatest float is an error.

    >>> parse('{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    """
    return (yield from _read("json.parse", text))


@sliced(id="json.write")
def write(value: object, indent: int = 0, sort_keys: bool = False) -> Steps[str]:
    """The value as a JSON text: in one line, or indented by so many spaces; keys as they are, or sorted.

    What JSON does not have is an error that says where: other types, other keys than texts, NaN and infinity.

    >>> write({"b": [1, True], "a": None}, sort_keys=True)
    '{"a": null, "b": [1, true]}'
    """
    if not 0 <= indent <= 100:
        raise ValueError(f"json.write: expected an indent from 0 to 100, got {expect.short(indent)}.")
    return (yield from _written("json.write", value, indent or None, sort_keys))


@sliced(id="json.is_valid")
def is_valid(text: str) -> Steps[bool]:
    """Whether `json.parse` reads the text.

    >>> is_valid("[1, ]")
    False
    """
    try:
        yield from _read("json.is_valid", text)
    except ValueError:
        return False
    return True


@sliced(id="json.parse_lines")
def parse_lines(text: str) -> Steps[list[Any]]:
    r"""The values of a text with one JSON value in each line; blank lines are passed over.

    A line that is not JSON is an error that says which.

    >>> parse_lines('{"a": 1}\n\n[2]\n')
    [{'a': 1}, [2]]
    """
    found: list[Any] = []
    begin = number = size = 0
    while begin < len(text):
        end = text.find("\n", begin)  # other line ends may be part of a text in JSON
        end = len(text) if end < 0 else end
        line = text[begin:end]
        number += 1
        size += end - begin + 50
        if size > SLICE * 10:
            yield TURN
            size = 0
        if number == 1:
            line = line.removeprefix("\ufeff")
        if line.strip():
            found.append((yield from _read(f"json.parse_lines: value in line {number}", line)))
        begin = end + 1
    return found


@sliced(id="json.write_lines")
def write_lines(values: list[Any]) -> Steps[str]:
    r"""Each value as JSON in a line of its own. What JSON does not have is an error.

    >>> write_lines([{"a": 1}, [2]])
    '{"a": 1}\n[2]\n'
    """
    lines: list[str] = []
    size = 0
    for value in values:
        lines.append((yield from _written("json.write_lines", value, None, sort_keys=False)))
        size += len(lines[-1]) + 50
        if size > SLICE * 10:
            yield TURN
            size = 0
    lines.append("")
    return (yield from joined(lines, "\n"))


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


@sliced(id="json.set")
def set_(value: object, pointer: str, part: object) -> Steps[object]:
    """The value with one part replaced, or added: a new key in a dictionary, `-` for the end of a list.

    All before the last step has to be there: otherwise it is an error. The empty pointer gives the part itself.

    >>> set_({"users": [{"name": "Ada"}]}, "/users/0/age", 36)
    {'users': [{'name': 'Ada', 'age': 36}]}
    """
    steps = _steps("json.set", pointer)
    outer: list[tuple[Any, Any]] = []
    for place, step in enumerate(steps):
        is_last = place == len(steps) - 1
        if is_last and (isinstance(value, dict) or (step == "-" and isinstance(value, list))):
            outer.append((value, step))
            break
        key = _child("json.set", value, step, pointer)
        outer.append((value, key))
        value = cast("Any", value)[key]
    for holder, key in reversed(outer):
        if isinstance(holder, list) and key == "-":
            part = yield from copied(holder, [part])
            continue
        changed: Any = (yield from entries(holder.items())) if isinstance(holder, dict) else (yield from copied(holder))
        changed[key] = part
        part = changed
    return part


@sliced(id="json.merge_patch")
def merge_patch(value: object, patch: object) -> Steps[object]:
    """The value changed by a patch (RFC 7396): its keys are set, at every depth; those that are none are removed.

    A patch that is no dictionary takes the place of the value.

    >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 5}})
    {'b': {'c': 5, 'd': 3}}
    """
    try:
        return (yield from _patched(value, patch))
    except RecursionError:
        raise ValueError("json.merge_patch: the patch is nested too deeply.") from None


def _patched(value: object, patch: object) -> Steps[object]:
    if not isinstance(patch, dict):
        return patch
    merged: dict[Any, Any] = (yield from entries(value.items())) if isinstance(value, dict) else {}
    for batch in batches(cast("dict[object, object]", patch).items()):
        for key, part in batch:
            if part is None:
                merged.pop(key, None)
            else:
                merged[key] = yield from _patched(merged.get(key), part)
        if len(batch) == SLICE:
            yield TURN
    return merged
