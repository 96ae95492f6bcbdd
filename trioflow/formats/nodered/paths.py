"""Paths in messages and contexts, as the editor writes them: `payload.items[0]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trioflow.formats import javascript


def read(holder: Mapping[str, Any], path: Any) -> Any:
    """What a path such as `payload.items[0]` leads to; None if it leads nowhere."""
    try:
        return javascript.evaluate(javascript.expression(str(path)), holder)
    except javascript.ScriptFailed:
        return None


def write(holder: dict[str, Any], path: str, value: Any) -> None:
    """Set what a path leads to, and make what is on the way there."""
    tree = javascript.expression(path)
    for each in _prefixes(tree):
        if read(holder, each) is None:
            javascript.run(
                [javascript.Statement("set", javascript.expression("{}"), javascript.expression(each))], holder, {}
            )
    scope = _Scope(holder, value)
    javascript.run([javascript.Statement("set", javascript.expression("value_"), tree)], scope, {})


def delete(holder: Any, path: str) -> None:
    """Take out what a path leads to."""
    inner = _prefixes(javascript.expression(path))
    holder = read(holder, inner[-1]) if inner else holder
    last = re.split(r"[.\[]", path)[-1].strip("]'\"")
    if isinstance(holder, dict):
        holder.pop(last, None)
    elif isinstance(holder, list) and last.isdigit() and int(last) < len(holder):
        del holder[int(last)]


class _Scope(dict[str, Any]):
    """A holder of names, in which `value_` is something else."""

    def __init__(self, holder: dict[str, Any], value: Any) -> None:
        super().__init__()
        self._holder, self._value = holder, value

    def get(self, name: str, default: Any = None) -> Any:
        return self._value if name == "value_" else self._holder.get(name, default)

    def __setitem__(self, name: str, value: Any) -> None:
        self._holder[name] = value


def _prefixes(tree: Any) -> list[str]:
    """The paths on the way to what a tree leads to, the outermost first."""
    import ast  # noqa: PLC0415 - only the shapes of trees

    found: list[str] = []
    inner = getattr(tree, "value", None)
    while isinstance(inner, ast.Attribute | ast.Subscript | ast.Name):
        found.insert(0, ast.unparse(inner))
        inner = getattr(inner, "value", None)
    return found
