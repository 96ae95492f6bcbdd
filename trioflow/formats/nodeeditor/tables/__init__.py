"""The tables: every standard node of the format and what it is here, by area; and what .NET converts by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from trioflow.formats.nodeeditor.row import Row, key_of
from trioflow.formats.nodeeditor.tables import acting, containers, numbers, texts

ROWS: tuple[Row, ...] = (*acting.ROWS, *numbers.ROWS, *texts.ROWS, *containers.ROWS)

FAMILIES: tuple[Row, ...] = acting.FAMILIES


def _by_key() -> Mapping[str, tuple[Row, ...]]:
    found: dict[str, tuple[Row, ...]] = {}
    for row in ROWS:
        for key in {key_of(name) for name in (row.name, *row.aliases)}:
            found[key] = (*found.get(key, ()), row)
    return found


def _by_type() -> Mapping[str, tuple[Row, ...]]:
    found: dict[str, tuple[Row, ...]] = {}
    for row in (*FAMILIES, *ROWS):
        if row.type is not None:
            found[row.type] = (*found.get(row.type, ()), row)
    return found


ROWS_BY_KEY = _by_key()
ROWS_BY_TYPE = _by_type()


class Conversion(NamedTuple):
    """A node type of ours that converts, with its input and output."""

    type: str
    input: str = "value"
    output: str = "result"


CONVERSIONS: Mapping[tuple[str | None, str | None], Conversion] = {
    ("int", "str"): Conversion("text.to_text"),
    ("float", "str"): Conversion("text.to_text"),
    ("bool", "str"): Conversion("text.to_text"),
    ("any", "str"): Conversion("text.to_text"),
    ("float", "int"): Conversion("math.round"),
    ("str", "int"): Conversion("text.parse_int"),
    ("str", "float"): Conversion("text.parse_float"),
}
"""What .NET converts where a value crosses a connection, and a node does here: nothing is guessed on wires (D11)."""
