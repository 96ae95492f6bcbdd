"""Node types that rows of the tables name, and that the standard library is going to have.

What is here may be missing; whatever else a row names has to be there. Empty it when they have come, and it can go.
"""

from __future__ import annotations

from formats.nodeeditor.documents import REGISTRY

from trioflow.formats.nodeeditor.row import Row
from trioflow.formats.nodeeditor.tables import ROWS

_AREAS = {
    "bits": "and or shift_left shift_right xor",
    "convert": "is_type number_to_text to_bool to_float type_name",
    "debug": "log",
    "dict": "get_or has keys length literal merge pick remove set values",
    "duration": "from_parts to_seconds",
    "file": "list",
    "flow": "consume counter do_while flip_flop for_each_dict for_reverse for_step marker measure multi_branch once parallel_for_each switch_int switch_text wait_for",
    "integer": "is_even",
    "json": "is_valid parse write",
    "list": "flatten get_or insert is_empty remove remove_at repeat set unique",
    "logic": "on_error",
    "math": "constant exponential interpolate is_finite is_nan logarithm map_range sign truncate",
    "random": "boolean text uuid",
    "regex": "contains find replace",
    "state": "stopwatch",
    "statistics": "maximum mean minimum",
    "text": "fill find find_last is_empty pad repeat reverse",
    "time": "add difference format parse parts to_timestamp write",
    "trigonometry": "angle cosine distance sine tangent to_degrees to_radians",
    "unicode": "code_point equal_ignoring_case from_code_point",
}
AWAITED = frozenset(f"{area}.{name}" for area, names in _AREAS.items() for name in names.split())


def is_missing(type_id: str) -> bool:
    """Whether a type that is awaited has not come yet."""
    return type_id in AWAITED and REGISTRY.find(type_id) is None


def exists(name: str) -> bool:
    """Whether all node types are there that a standard node of the format takes."""
    rows = [row for row in ROWS if row.name == name.removesuffix(" (ln)")]
    return any(not any(map(is_missing, types_of(row))) for row in rows)


def types_of(row: Row) -> set[str]:
    return {row.type, *row.parts.values()} if row.type is not None else set()
