"""Parameters with expressions: a text that begins with `=` is filled where it has `{{ }}`, for each item."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from trioflow.formats import javascript
from trioflow.formats.n8n.moments import Moment

Item = dict[str, Any]
"""What n8n has in `json` of an item."""
Outputs = list[list[Item]]

_INSIDE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NODE = re.compile(
    r"""\$\(\s*(["'])(?P<one>.*?)\1\s*\)|\$node\[\s*(["'])(?P<other>.*?)\3\s*\]|\$node\.(?P<third>\w+)"""
)
_CALLED = re.compile(r"\.(first|last|all|itemMatching)\(\s*\w*\s*\)")
_NAMES = {"$json": "json_", "$itemIndex": "index_", "$input": "input_", "$env": "env_", "$runIndex": "0",
          "$now": "now_", "$today": "today_"}  # fmt: skip


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """An expression without the names that only n8n has. Raises `NotUnderstood` for those that are not known."""
    text = _NODE.sub(lambda match: f"nodes_[{(match['one'] or match['other'] or match['third'])!r}]", text)
    text = _CALLED.sub(r".\1", text)
    for name, ours in _NAMES.items():
        text = re.sub(re.escape(name) + r"\b", ours, text)
    unknown = re.search(r"\$\w+", text)
    if unknown is not None:
        raise javascript.NotUnderstood(f"{unknown[0]!r} is not known here")
    return text


def check(value: Any) -> Iterator[str]:
    """What is wrong with the expressions in a parameter, however deep they stand."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, str) and each.startswith("="):
            for inside in _INSIDE.findall(each):
                try:
                    javascript.expression(plain(inside))
                except javascript.NotUnderstood as problem:
                    yield f"the expression {inside.strip()!r}: {problem}"
        elif isinstance(each, dict):
            todo += each.values()
        elif isinstance(each, list):
            todo += each


def names_for(items: list[Item], index: int, data: Mapping[str, Outputs], now: Moment) -> dict[str, Any]:
    """What expressions see for one item."""
    return {
        "json_": items[index] if index < len(items) else {},
        "index_": index,
        "input_": _node(items, index),
        "nodes_": {name: _node(next((each for each in outputs if each), []), index) for name, outputs in data.items()},
        "env_": dict(os.environ),
        "now_": now,
        "today_": now.start_of("day"),
    }


def _node(items: list[Item], index: int) -> dict[str, Any]:
    wrapped = [{"json": each} for each in items]
    empty: dict[str, Any] = {"json": {}}
    item = wrapped[index] if index < len(wrapped) else wrapped[0] if wrapped else empty
    return {
        "item": item,
        "json": item["json"],
        "itemMatching": item,
        "all": wrapped,
        "first": wrapped[0] if wrapped else empty,
        "last": wrapped[-1] if wrapped else empty,
    }


def filled(value: Any, names: Mapping[str, Any]) -> Any:
    """A parameter with its expressions evaluated; one that is nothing else keeps its kind."""
    if isinstance(value, str):
        if not value.startswith("="):
            return value
        text = value[1:]
        whole = _INSIDE.fullmatch(text.strip())
        if whole is not None:
            return _evaluated(whole[1], names)
        return _INSIDE.sub(lambda match: _written(_evaluated(match[1], names)), text)
    if isinstance(value, dict):
        return {name: filled(each, names) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    return value


def _evaluated(text: str, names: Mapping[str, Any]) -> Any:
    found = javascript.evaluate(javascript.expression(plain(text)), names)
    return str(found) if isinstance(found, Moment) else found


def _written(value: Any) -> str:
    return "" if value is None else javascript.as_text(value)


def read(item: Any, path: str) -> Any:
    """A field of an item, by its name or by a path with dots; None if it is not there."""
    if isinstance(item, dict) and path in item:
        return item[path]
    for part in path.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return item


def write(item: Item, path: str, value: Any) -> None:
    """Set a field, by a path with dots."""
    *before, last = path.split(".")
    for part in before:
        inner = item.get(part)
        item[part] = dict(inner) if isinstance(inner, dict) else {}
        item = item[part]
    item[last] = value
