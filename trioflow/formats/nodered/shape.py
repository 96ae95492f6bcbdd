"""What an export looks like: which nodes are known, and what stands in their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trioflow.formats.shapes import ANYTHING, FLAG, NUMBER, SINGLE, TEXT, Shape, a_list, an_object

TYPES: Mapping[str, str] = {
    "inject": "inject",
    "debug": "debug",
    "function": "function",
    "switch": "switch",
    "change": "change",
    "template": "template",
    "range": "range",
    "json": "json",
    "rbe": "filter",
    "delay": "delay",
    "split": "split",
    "join": "join",
    "batch": "batch",
    "sort": "sort",
    "junction": "pass",
    "link in": "pass",
    "link out": "pass",
    "link call": "link_call",
    "catch": "pass",
    "complete": "complete",
    "status": "pass",
}


BESIDE = frozenset({"tab", "subflow", "group", "comment", "global-config", "ui_base", "ui_tab", "ui_group"})
_OF_ALL: Mapping[str, Shape] = {
    "type": TEXT, "name": TEXT, "z": TEXT, "g": TEXT, "x": NUMBER, "y": NUMBER, "w": NUMBER, "h": NUMBER, "d": FLAG,
    "wires": Shape("a list of lists", (list,)),
}  # fmt: skip


_PORT = an_object(x=NUMBER, y=NUMBER, wires=a_list(an_object(id=TEXT, port=NUMBER)))
_OF_KNOWN = an_object(
    SINGLE, **_OF_ALL, links=a_list(TEXT), once=FLAG, active=FLAG, disabled=FLAG, rules=a_list(an_object(SINGLE)),
    props=a_list(an_object(SINGLE)), topics=a_list(an_object(SINGLE)),
    scope=a_list(TEXT), libs=a_list(an_object(SINGLE)),
    env=a_list(an_object(ANYTHING, name=TEXT, type=TEXT)), nodes=a_list(TEXT), style=an_object(SINGLE),
    **dict.fromkeys(("in", "out"), a_list(_PORT)), status=_PORT, meta=an_object(ANYTHING),
)  # fmt: skip
"""Single values, but for a few fields: so are all nodes that the editor itself brings."""


def shape_of(raw: Mapping[str, Any]) -> Shape:
    """What the fields of a node have to look like."""
    kind = raw.get("type")
    known = isinstance(kind, str) and (
        kind in TYPES or kind in ("tab", "subflow", "group", "comment") or kind.startswith("subflow:")
    )
    return _OF_KNOWN if known else an_object(**_OF_ALL)


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, if it is one."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def ways(raw: Mapping[str, Any]) -> list[Any]:
    """The wires of a node, by its outputs."""
    found: Any = raw.get("wires")
    return found if isinstance(found, list) else []


def whole(value: Any) -> int:
    """A number, if it is one."""
    return value if isinstance(value, int) else 0
