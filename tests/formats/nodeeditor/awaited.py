"""Node types that rows of the tables name before the standard library has them."""

from __future__ import annotations

from formats.nodeeditor.documents import REGISTRY

from trioflow.formats.nodeeditor.tables import FAMILIES, ROWS


def types_of(row):
    return {row.type, *row.parts.values()} - {None}


AWAITED = frozenset(
    type_id for row in (*FAMILIES, *ROWS) for type_id in types_of(row) if REGISTRY.find(type_id) is None
)


def exists(name: str) -> bool:
    """Whether all node types are there that a standard node of the format takes."""
    rows = [row for row in ROWS if row.name == name.removesuffix(" (ln)")]
    return any(not types_of(row) & AWAITED for row in rows)
