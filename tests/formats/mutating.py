"""Documents with one thing wrong: each value once of another type, each text cut off, each key misspelt."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from trioflow.formats.port import Imported

Place = tuple[str | int, ...]


def places(tree: Any, at: Place = ()) -> Iterator[Place]:
    """All values in a tree, the whole first."""
    yield at
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from places(value, (*at, key))


def written(place: Place) -> str:
    """The path of a place as messages write it."""
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in place).removeprefix(".")


def changed(tree: Any, place: Place, change: Callable[[Any], Any]) -> Any:
    """The tree with another value at a place."""
    if not place:
        return change(tree)
    made = copy.deepcopy(tree)
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = change(inner[place[-1]])
    return made


def of_another_type(value: Any) -> Any:
    """An object where there was none, a number where there was one or a list."""
    return 7.5 if isinstance(value, dict | list) else {"wrong": [1]}


def misspelt(tree: Any, place: Place) -> Any:
    """The tree with a letter more in the last key of a place."""
    made = copy.deepcopy(tree)
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    key = place[-1]
    kept = {f"{each}x" if each == key else each: value for each, value in inner.items()}
    inner.clear()
    inner.update(kept)
    return made


def told(before: Imported, after: Imported, place: Place) -> list[str]:
    """What is said now and was not said before, of this place, of what is in it or around it."""
    known = {str(each) for each in before.diagnostics}
    path = written(place)
    return [
        str(each)
        for each in after.diagnostics
        if str(each) not in known and (each.path.startswith(path) or path.startswith(each.path) or path in str(each))
    ]
