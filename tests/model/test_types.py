"""Names of types, as people read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import pytest

from trioflow.model.types import NAMED_TYPES, describe_type

T = TypeVar("T")


class Outer:
    class Inner:
        pass


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        (Any, "any"),
        (object, "any"),
        (T, "any"),
        (None, "None"),
        (int, "int"),
        (list[str], "list[str]"),
        (dict[str, int | None], "dict[str, int | None]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Literal["a", 1], "'a' | 1"),
        (Annotated[int, "some note"], "int"),
        (Callable[[int, str], None], "Callable[[int, str], None]"),
        (Outer.Inner, "Outer.Inner"),
    ],
)
def test_describe(hint: object, name: str) -> None:
    """Every annotation has a name for people."""
    assert describe_type(hint) == name


def test_named_types_describe_themselves() -> None:
    """A type that documents can name is described by that very name."""
    assert {name: describe_type(type_) for name, type_ in NAMED_TYPES.items()} == {name: name for name in NAMED_TYPES}
