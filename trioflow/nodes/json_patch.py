"""Patches of JSON values (RFC 6902): lists of operations, of which all are done or none."""

from __future__ import annotations

import re
from typing import Any, cast

from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import compared
from trioflow.nodes._slices import TURN, Steps, sliced
from trioflow.nodes.json import _child, _steps

_NODE = "json.patch"
_NEEDED = {
    "add": ("value",),
    "replace": ("value",),
    "test": ("value",),
    "move": ("from",),
    "copy": ("from",),
    "remove": (),
}


@sliced(id="json.patch")
def patch(document: object, patch: list[Any]) -> Steps[object]:
    """The value changed by the operations of a patch (RFC 6902): add, remove, replace, move, copy, test.

    An operation that can't be done, and a test that does not hold, is an error that says which; then nothing is done.

    >>> patch({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}, {"op": "move", "from": "/a", "path": "/b"}])
    {'b': [1, 2]}
    """
    patched = _Patched(document)
    for number, operation in enumerate(patch):
        if number % 200 == 199:
            yield TURN
        try:
            yield from _do(patched, operation)
        except (KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
            said = str(error.args[0] if error.args else type(error).__name__).removeprefix(f"{_NODE}: ")
            raise ValueError(f"{_NODE}: operation {number}: {said}") from None
    return patched.value


def _do(patched: _Patched, operation: object) -> Steps[None]:  # noqa: C901 - one operation after the other
    if not isinstance(operation, dict):
        raise TypeError(f"an operation is an object, got {expect.shown(operation)}.")
    given = cast("dict[str, Any]", operation)
    op = given.get("op")
    if not isinstance(op, str) or op not in _NEEDED:
        raise ValueError(f"there is no operation {expect.short(op)}; there are {', '.join(_NEEDED)}.")
    for key in ("path", *_NEEDED[op]):
        if key not in given or (key in ("path", "from") and not isinstance(given[key], str)):
            raise ValueError(f"{op} needs {key!r}{'' if key == 'value' else ', a JSON pointer'}.")
    path = given["path"]
    if op == "add":
        patched.add(path, given["value"])
    elif op == "remove":
        patched.remove(path)
    elif op == "replace":
        patched.replace(path, given["value"])
    elif op == "test":
        if not (yield from compared(patched.get(path), given["value"])):
            raise ValueError(f"the test does not hold: {expect.short(path)} is {expect.shown(patched.get(path))}.")
    elif op == "copy":
        value = patched.get(given["from"])
        patched.share()
        patched.add(path, value)
    elif path == given["from"] or path.startswith(f"{given['from']}/"):
        if path != given["from"]:
            raise ValueError(f"{expect.short(given['from'])} can't be moved into itself.")
        patched.get(path)
    else:
        patched.add(path, patched.remove(given["from"]))


class _Patched:
    """A value that is changed, without touching what it was: each container is copied before it is changed first."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self._own: dict[int, Any] = {}

    def share(self) -> None:
        """From now on parts may be in several places: nothing is this value's own."""
        self._own.clear()

    def get(self, pointer: str) -> Any:
        value = self.value
        for step in _steps(_NODE, pointer):
            value = value[_child(_NODE, value, step, pointer)]
        return value

    def add(self, pointer: str, value: Any) -> None:
        steps = _steps(_NODE, pointer)
        if not steps:
            self.value = value
            return
        holder = self._holder(steps, pointer)
        step = steps[-1]
        if isinstance(holder, dict):
            holder[step] = value
        elif step == "-":
            holder.append(value)
        elif re.fullmatch(r"0|[1-9][0-9]{0,17}", step) and int(step) <= len(holder):
            holder.insert(int(step), value)
        else:
            raise IndexError(f"a list of {len(holder)} has no place {expect.short(step)} to add at.")

    def remove(self, pointer: str) -> Any:
        steps = _steps(_NODE, pointer)
        if not steps:
            raise ValueError("the whole value can't be removed.")
        holder = self._holder(steps, pointer)
        return holder.pop(_child(_NODE, holder, steps[-1], pointer))

    def replace(self, pointer: str, value: Any) -> None:
        steps = _steps(_NODE, pointer)
        if not steps:
            self.value = value
            return
        holder = self._holder(steps, pointer)
        holder[_child(_NODE, holder, steps[-1], pointer)] = value

    def _holder(self, steps: list[str], pointer: str) -> Any:
        """What holds the last step, its own all the way there."""
        value = self.value = self._owned(self.value)
        for step in steps[:-1]:
            key = _child(_NODE, value, step, pointer)
            value[key] = value = self._owned(value[key])
        if not isinstance(value, dict | list):
            raise TypeError(f"there is no {expect.short(pointer)}: {expect.shown(value)} has no parts.")
        return value

    def _owned(self, value: Any) -> Any:
        if not isinstance(value, dict | list) or self._own.get(id(value)) is value:
            return value
        copied: Any = dict(value) if isinstance(value, dict) else [*value]
        self._own[id(copied)] = copied
        return copied
