"""What tests of the data nodes share: their types by area, asking one, and inputs of all kinds."""

from __future__ import annotations

import datetime
import math
import random
import types
import zoneinfo
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import settings

import trioflow as tf
from trioflow.model.node_type import FunctionBody
from trioflow.semantics.coercion import coerce_literal
from trioflow.testing import evaluate

AREAS = (
    "bits", "bytes", "convert", "csv", "date", "dict", "duration", "integer", "json", "list", "logic", "math", "path", "random",
    "regex", "set", "statistics", "table", "text", "time", "trigonometry", "unicode", "url",
)  # fmt: skip
REGISTRY = tf.Registry.standard(plugins=False)
TYPES = {area: [each for each in REGISTRY if each.id.startswith(f"{area}.")] for area in AREAS}


def fits(value, type_):
    """Whether a value is of a type, at every depth, as it is: nothing has to be converted."""
    read = coerce_literal(value, type_, {})
    return type(read) is type(value) and written(read) == written(value)


def written(value):
    """A value as text, in which equal ones do not differ: not-a-number is itself, 1 is not true, sets have no order."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{written(key)}: {written(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(written, value))})"
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}({', '.join(sorted(map(written, value)))})"
    return hex(value) if type(value) is int else repr(value)  # Python writes no number of thousands of digits


def fitting(node_type, values):
    """The values, by the names of the outputs, each of which has to be of its output's type."""
    for output in node_type.outputs:
        assert fits(values[output.name], output.type), f"{node_type.id}: {output.name} is {values[output.name]!r}"
    return values


def value_of(node, /, **inputs):
    """What a data node gives, asked from within a graph: `trioflow.testing.evaluate`, with a look at the types."""
    result = evaluate(node, **inputs)
    node_type = REGISTRY.get(node)
    fitting(node_type, result if len(node_type.outputs) > 1 else {node_type.outputs[0].name: result})
    return result


def function_of(node_type):
    """The node type's function if it can be called as it is, or None: it takes lazy inputs or a context."""
    body = node_type.body
    assert isinstance(body, FunctionBody)
    plain = not body.is_async and len(body.parameters) == len(node_type.inputs)
    if not plain or any(socket.lazy for socket in node_type.inputs):
        return None
    return body.function.__wrapped__ if body.in_slices else body.function  # all of it, and not the first slice


def call(type_id, /, **inputs):
    """What a data node's function gives, called without a graph; for the many calls of a property."""
    return function_of(REGISTRY.get(type_id))(**inputs)


WHOLES = (*range(-2, 8), 10, 255, 1000, 2**53 + 1, 2**64, -(10**30))
FLOATS = (0.0, -0.0, 0.1, 0.5, 1.0, 2.0, -1.5, 3.25, 2**53, 1e-300, 1e300, -1e300, math.nan, math.inf, -math.inf)
TEXTS = (
    "", "a", "b", "c", " x ", "é", "ß😀", "a,b,,c", "12", "-1.5e3", "inf", "true", "(", "a|b", r"(\d+)-(?P<b>x)?", r"\1", "{a}",
    "{", "2026-02-28", "2026-02-28T12:00Z", "%Y", "%d.%m.%Y", "%", "Europe/Berlin", "+01:00", "PT1.5S", "P1Y", "/a/0", "a/../b",
    "/", "..", "x.tar.gz", "http://[x", "http://a.b:9/c?d=e#f", "utf-8", "rot13", "AP8=", "00 ff", '{"a": [1, null]}',
    "[" * 3000, '"', "a\nb\r\n", "\ud800", "\0",
)  # fmt: skip
DATES = tuple(datetime.date(*day) for day in ((9996, 2, 29), (9999, 2, 28), (9999, 12, 31)))
ZONES = (None, datetime.UTC, zoneinfo.ZoneInfo("Europe/Berlin"), zoneinfo.ZoneInfo("Australia/Lord_Howe"))
MOMENTS = tuple(
    datetime.datetime(*shown, tzinfo=zone)
    for shown in ((1, 1, 1), (2026, 3, 29, 2, 30), (2026, 10, 25, 2, 30), (9999, 12, 31, 23, 59, 59, 999999))
    for zone in ZONES
)
DURATIONS = tuple(
    datetime.timedelta(days, seconds) for days in (0, 1, -1, 999_999_999, -999_999_999) for seconds in (0, 0.5, 90)
)
CHOICES = {
    int: WHOLES, float: FLOATS, str: TEXTS, bool: (True, False), types.NoneType: (None,), bytes: (b"", b"a-b", b"\xff\0"),
    Path: tuple(Path(text) for text in TEXTS if "\0" not in text), datetime.date: DATES, datetime.datetime: MOMENTS,
    datetime.timedelta: DURATIONS,
}  # fmt: skip


law = settings(max_examples=50, deadline=None)
"""Of a law that inputs of all kinds have to keep: quick, and not failed by a machine that is busy."""


def drawn(type_: Any, draw: random.Random) -> Any:
    """A value that a wire may bring to an input of this type: of lists and dictionaries it checks no item."""
    if type_ in (object, Any):
        type_ = draw.choice((*CHOICES, list[Any], dict[str, Any], tuple[()], frozenset[Any]))
    if type_ in CHOICES:
        return draw.choice(CHOICES[type_])
    origin, parts = get_origin(type_), get_args(type_)
    if origin is Literal:
        return draw.choice(parts)
    if origin in (Union, types.UnionType):
        return drawn(draw.choice(parts), draw)
    if origin is list:
        item = draw.choice((parts[0], parts[0], Any, int))
        return [drawn(item, draw) for _ in range(draw.choice((0, 1, 2, 3, 3, 4)))]
    if origin is dict:
        return {drawn(draw.choice((str, int)), draw): drawn(parts[1], draw) for _ in range(draw.randrange(4))}
    if origin is tuple:
        return (1, "a")
    assert origin in (set, frozenset), type_
    return origin(drawn(draw.choice((str, int, float, types.NoneType)), draw) for _ in range(draw.randrange(4)))
