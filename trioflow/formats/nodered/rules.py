"""The rules of switch and change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trioflow.formats import javascript

RULES = frozenset({"eq", "neq", "lt", "lte", "gt", "gte", "btwn", "cont", "regex", "true", "false", "null",
                   "nnull", "empty", "nempty", "hask", "istype", "jsonata_exp", "else"})  # fmt: skip


def matches(rule: str, found: Any, value: Any, other: Any = None, *, case: bool = False) -> bool:
    """Whether a rule of a switch holds."""
    compare = javascript.expression
    names = {"a": found, "b": value, "c": other}
    signs = {
        "eq": "a == b",
        "neq": "a != b",
        "lt": "a < b",
        "lte": "a <= b",
        "gt": "a > b",
        "gte": "a >= b",
        "btwn": "(a >= b && a <= c) || (a <= b && a >= c)",
    }
    if rule in signs:
        return bool(javascript.evaluate(compare(signs[rule]), names))
    match rule:
        case "cont":
            return str(value) in javascript.as_text(found)
        case "regex":
            return re.search(str(value), javascript.as_text(found), re.IGNORECASE if case else 0) is not None
        case "true" | "false":
            return found is (rule == "true")
        case "null" | "nnull":
            return (found is None) is (rule == "null")
        case "empty" | "nempty":
            sized = isinstance(found, str | list | dict)
            return sized and (not found) is (rule == "empty")
        case "hask":
            return isinstance(found, dict) and value in found
        case _:  # istype
            kinds: Mapping[str, Any] = {
                "string": str,
                "number": (int, float),
                "boolean": bool,
                "array": list,
                "object": dict,
                "null": type(None),
                "undefined": type(None),
            }
            is_bool = isinstance(found, bool)
            return isinstance(found, kinds.get(str(value), ())) and (is_bool is (value == "boolean"))


def replaced(before: Any, old: Any, new: Any, by_pattern: bool) -> Any:
    """A value in which one is changed into another: a part of a text, or all of it."""
    if isinstance(before, str):
        if by_pattern:
            text = re.sub(r"\$(\d)", r"\\\1", javascript.as_text(new))
            return re.sub(str(old), text, before)
        return new if before == old else before.replace(str(old), javascript.as_text(new))
    return new if javascript.equal(before, old) else before
