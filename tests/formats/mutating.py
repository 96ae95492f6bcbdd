"""Documents with one thing wrong: each value once of another type, each text cut off, each key misspelt."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import trioflow as tf
from trioflow.formats.known import import_document
from trioflow.formats.port import Format, Imported, document_in

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


def survives(tree: Any, chance: random.Random, most: int, values: Sequence[Any], form: Format) -> None:
    """Some places of a document hold other values, one after the other: it is refused, or can be validated."""
    found = [*places(tree)][1:]
    for place in chance.sample(found, min(most, len(found))):
        value = chance.choice(values)
        try:
            imported = import_document(
                document_in(json.dumps(changed(tree, place, lambda _, value=value: value))), format=form
            )
            if not imported.errors:
                tf.validate(imported.graph, tf.Registry.standard())
        except tf.DocumentError:
            pass


def told(before: Imported, after: Imported, place: Place) -> list[str]:
    """What is said now and was not said before, of this place, of what is in it or around it."""
    known = {str(each) for each in before.diagnostics}
    path = written(place)
    return [
        str(each)
        for each in after.diagnostics
        if str(each) not in known and (each.path.startswith(path) or path.startswith(each.path) or path in str(each))
    ]
