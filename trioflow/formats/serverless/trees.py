"""Values of a document, whatever stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

Tree = Mapping[str, Any]
Library = Mapping[tuple[str, str, str], Tree]
"""Workflows by namespace, name and version."""


def named_by(tree: Tree) -> tuple[str, str, str]:
    """The namespace, the name and the version of a document; texts, whatever it says."""
    about = tree.get("document")
    said: Tree = cast("Tree", about) if isinstance(about, Mapping) else {}
    return str(said.get("namespace", "")), str(said.get("name", "")), str(said.get("version", ""))


def objects_in(value: Any) -> Iterator[Any]:
    """All values in a value, and itself."""
    todo = [value]
    while todo:
        each = todo.pop()
        yield each
        if isinstance(each, Mapping):
            todo += cast("Tree", each).values()
        elif isinstance(each, list):
            todo += items_in(each)


def items_in(value: Any) -> list[Any]:
    """The items of a list; none of what is none."""
    return value if isinstance(value, list) else []


def object_of(value: Any) -> Tree:
    """An object; an empty one for what is none."""
    return cast("Tree", value) if isinstance(value, Mapping) else {}


def fields_of(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of an object; none of what is none."""
    yield from object_of(value).items()


def get_in(value: Any, *keys: str) -> Any:
    """What a way of keys leads to; None if it leads nowhere."""
    for key in keys:
        value = object_of(value).get(key)
    return value


def as_version(text: str) -> tuple[int, ...]:
    """A version as numbers that compare."""
    return tuple(int(each) if each.isdigit() else -1 for each in text.split("."))
