"""What can go wrong at the inputs of the standard nodes, by kind: each socket has a trait, each trait its nasty values.

A socket's trait follows from its type, and of texts and whole numbers, which may stand for anything, from its name. A new
node with a text or a whole number under a name that is not here fails a test, which asks for its trait.
"""

from __future__ import annotations

import datetime
import math
import types
import zoneinfo
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

HUGE = 10**5000
_BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")

TEXTS = {
    "text": (
        "a", "b", "body", "character", "characters", "default", "ellipsis", "end", "event", "inserted", "input", "keep", "label",
        "line", "logger", "loop", "message", "method", "name", "new", "node", "old", "prefix", "query", "replacement", "which",
        "condition", "count", "element", "expression", "id", "queue", "reason", "tenant", "item", "items", "kind", "language", "output", "result", "results", "script",
        "search", "until", "separator", "suffix", "text", "value", "algorithm", "pointer", "key", "flags", "host", "case", "code", "conversation",
        "database", "header", "key_header", "memory", "person", "question", "secret", "sql", "stdin", "system", "user",
    ),
    "encoding": ("encoding",),
    "pattern": ("pattern",),
    "template": ("template",),
    "url": ("base", "reference", "url"),
    "written duration": ("after", "duration", "lease", "timeout", "wait"),
    "zone": ("zone",),
}  # fmt: skip
WHOLES = {
    "size": (
        "attempts", "connections", "count", "decimals", "depth", "digits", "every", "indent", "length", "level", "limit", "longest",
        "memory", "most", "n", "retries", "rounds", "size", "step", "stop", "times", "width", "window", "chosen", "items", "bit", "by", "exponent",
    ),
    "place": ("end", "index", "start", "to"),
    "calendar": ("day", "days", "hour", "microsecond", "minute", "month", "months", "second", "week", "weekday", "year", "years"),
    "number": ("a", "b", "base", "case", "high", "low", "number", "port", "value"),
}  # fmt: skip
_BY_TYPE: dict[Any, str] = {
    float: "number", bool: "choice", types.NoneType: "choice", bytes: "body", Path: "path", datetime.date: "date",
    datetime.datetime: "moment", datetime.timedelta: "duration", list: "items", dict: "entries", set: "members",
    frozenset: "members", object: "value", Any: "value",
}  # fmt: skip

NASTY: dict[str, tuple[Any, ...]] = {
    "text": ("", "\ud800", "\0", "\ufeff{}", "1" * 5000, "٣", "1e400", "[" * 3000, "{a:>9999999999}", "a" * 200_000),
    "encoding": ("hex", "bz2", "rot13", "nonsense", "undefined", "", "\0", "\ud800", "x" * 10**6),
    "pattern": ("(", "(a+)+$", "[[a]", "a{99999999999}", "%", "*" * 5000, "(" * 5000, "\ud800", ""),
    "template": (
        "{",
        "{a",
        "{a.real}",
        "{a:>9999999999}",
        "{a!s:>9999999999}",
        "{a:{b}}",
        "{a:d}",
        "{}" * 50,
        "\ud800",
    ),
    "url": ("http://[", "http://h/a\tb", "s3://b/../c", "http://h:99999", "http://é.x/\ud800", "//", ""),
    "written duration": ("", "P1Y", "-30s", "1e9h", "PT0.0000001S", "٣s", "\0", "9" * 10**5 + "d"),
    "zone": ("", "Nowhere", "../etc", "\0", "+99:99", "x" * 10**5, "\ud800"),
    "size": (0, -1, HUGE, -HUGE, 10**10, 2**63),
    "place": (0, -1, HUGE, -HUGE, 2**63),
    "calendar": (0, -1, 13, 10**10, HUGE, -HUGE),
    "number": (0, -1, HUGE, -HUGE, 10**400, 0.0, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan),
    "body": (b"", b"\x1f\x8b", b"\xff\xfe", b"\0" * 200_000),
    "path": (Path("\ud800"), Path("a" * 5000), Path("/"), Path("..")),
    "date": (datetime.date.min, datetime.date.max),
    "moment": tuple(
        datetime.datetime(*shown, tzinfo=zone, fold=fold)  # type: ignore[arg-type]
        for shown in ((1, 1, 1), (2026, 3, 29, 2, 30), (2026, 10, 25, 2, 30), (9999, 12, 31, 23, 59))
        for zone in (None, datetime.UTC, _BERLIN)
        for fold in (0, 1)
    ),
    "duration": (datetime.timedelta.min, datetime.timedelta.max, datetime.timedelta(0)),
    "choice": (True, False, None),
}


def _nested(levels: int, around: Any) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = around(value)
    return value


NASTY["value"] = (
    None, HUGE, math.nan, "\ud800", b"\xff", _nested(3000, lambda inner: [inner]), _nested(3000, lambda inner: {"a": inner}),
    {HUGE: [HUGE]}, (HUGE,), frozenset({1, "a", None}), *NASTY["moment"][-8:],
)  # fmt: skip
NASTY["items"] = (
    [], [None], [HUGE, 0.5], [1e308, 1e308, -1e308], [math.nan, 1.0], [[1], [True], [1.0]], [{"a": 1}, {"a": True}],
    [NASTY["value"][5]] * 2, ["\ud800", "\0"], list(NASTY["moment"]), [[HUGE]], list(range(5000)),
)  # fmt: skip
NASTY["entries"] = ({}, {"a": HUGE}, {"\ud800": None}, {1: 2}, NASTY["value"][6], {"a": [math.nan]})
NASTY["members"] = (
    frozenset(),
    frozenset({1, "a"}),
    frozenset({HUGE, math.nan, None, (HUGE,)}),
    frozenset(range(5000)),
)


def trait(name: str, type_: Any) -> str | None:
    """The trait of a socket; None if it needs to be given one here."""
    origin, parts = get_origin(type_), get_args(type_)
    if origin in (Union, types.UnionType):
        found = {"number"} if float in parts else {trait(name, part) for part in parts} - {"choice"}
        return min(found, key=str) if found else "choice"
    if origin is Literal:
        return "choice"
    if type_ in (str, int):
        plain = name.rstrip("0123456789_") if name.startswith("case_") else name
        table = TEXTS if type_ is str else WHOLES
        return next((kind for kind, names in table.items() if plain in names), None)
    return _BY_TYPE.get(origin or type_)
