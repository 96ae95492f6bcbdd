"""What the values of a document may be: shapes, against which a whole tree is held, with the place of each value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import attrs

from trioflow.errors import did_you_mean
from trioflow.formats.fields import kind


@attrs.frozen
class Shape:
    """What a value may be. `words` say it; `fields` are those of an object, `items` what a list holds.

    `others` is the shape of fields that are not named; with `is_closed` there may be none. Without types it may be
    anything; null always stands for what is not there.
    """

    words: str
    types: tuple[type, ...] = ()
    fields: Mapping[str, Shape] = attrs.field(factory=dict[str, "Shape"], kw_only=True)
    others: Shape | None = attrs.field(default=None, kw_only=True)
    items: Shape | None = attrs.field(default=None, kw_only=True)
    is_closed: bool = attrs.field(default=False, kw_only=True)

    def admits(self, value: Any) -> bool:
        """Whether a value is of its types; true and false are no numbers."""
        if not self.types or value is None:
            return True
        return bool in self.types if isinstance(value, bool) else isinstance(value, self.types)


ANYTHING = Shape("anything")
TEXT = Shape("a text", (str,))
FLAG = Shape("true or false", (bool,))
NUMBER = Shape("a number", (int, float))
SINGLE = Shape("a text, a number, or true or false", (str, int, float, bool))


def an_object(others: Shape | None = None, **fields: Shape) -> Shape:
    """The shape of an object with these fields; `others` is that of fields that are not named."""
    return Shape("an object", (dict,), fields=fields, others=others)


def a_list(items: Shape) -> Shape:
    """The shape of a list."""
    return Shape("a list", (list,), items=items)


def mismatches(
    value: Any, shape: Shape, path: str, is_expression: Callable[[str], bool] | None = None
) -> Iterator[tuple[str, str]]:
    """The places of a tree that are not of their shapes, with what is wrong there. Expressions may become anything."""
    todo: list[tuple[str, Any, Shape]] = [(path, value, shape)]
    while todo:
        at, each, wanted = todo.pop()
        if is_expression is not None and isinstance(each, str) and is_expression(each):
            continue
        if not wanted.admits(each):
            yield at, f"Expected {wanted.words}, got {kind(each)}."
        elif isinstance(each, dict):
            for name, inner in reversed(cast("dict[str, Any]", each).items()):
                place = f"{at}.{name}" if at else name
                expected = wanted.fields.get(name, wanted.others)
                if expected is not None:
                    todo.append((place, inner, expected))
                elif wanted.is_closed:
                    yield place, f"{name!r} is not known there.{did_you_mean(name, wanted.fields)}"
        elif isinstance(each, list) and wanted.items is not None:
            todo += [(f"{at}[{index}]", inner, wanted.items) for index, inner in reversed([*enumerate(each)])]
