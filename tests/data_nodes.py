"""What tests of the data nodes share: their types by area, asking one, and inputs of all kinds."""

from __future__ import annotations

import datetime
import types
import zoneinfo
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st

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
    return repr(value)


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
    return None if not plain or any(socket.lazy for socket in node_type.inputs) else body.function


def call(type_id, /, **inputs):
    """What a data node's function gives, called without a graph; for the many calls of a property."""
    return function_of(REGISTRY.get(type_id))(**inputs)


wholes = st.integers(-4, 12) | st.sampled_from([255, 1000, -(2**31), 2**53 + 1, 2**64, -(10**30)])
floats = st.floats(width=32) | st.sampled_from([0.5, -1.5, 2.0, 1e300, float("nan"), float("inf"), float("-inf")])
texts = st.text(max_size=6) | st.sampled_from(
    ["", "a,b,,c", "12", "-1.5e3", "true", "(", r"(\d+)-(?P<b>x)?", "{a}", "{", "2026-02-28", "2026-02-28T12:00Z", "%Y",
     "%d.%m.%Y", "Europe/Berlin", "+01:00", "PT1.5S", "P1Y", "/a/0", "a/../b", "/", "..", "http://[x", "utf-8", "rot13",
     "AP8=", "00 ff", '{"a": [1]}', "[" * 3000, '"', "a\nb\r\n", "\ud800", "\0"]
)  # fmt: skip
scalars = st.none() | st.booleans() | wholes | floats | texts
values = st.recursive(
    scalars | st.dates() | st.timedeltas() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
moments = st.datetimes(
    timezones=st.sampled_from([None, datetime.UTC, *map(zoneinfo.ZoneInfo, ("Europe/Berlin", "Australia/Lord_Howe"))])
)


def inputs_of(type_: Any) -> st.SearchStrategy[Any]:
    """Values that a wire brings to an input of this type: of lists and dictionaries it checks no item."""
    plain = {
        int: wholes, float: floats, str: texts, bool: st.booleans(), bytes: st.binary(max_size=8), object: values, Any: values,
        types.NoneType: st.none(), Path: texts.filter(lambda text: "\0" not in text).map(Path), datetime.date: st.dates(),
        datetime.datetime: moments, datetime.timedelta: st.timedeltas(),
    }  # fmt: skip
    if type_ in plain:
        return plain[type_]
    origin, parts = get_origin(type_), get_args(type_)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in (Union, types.UnionType):
        return st.one_of(map(inputs_of, parts))
    if origin is list:
        return st.lists(inputs_of(parts[0]), max_size=4) | st.lists(values, max_size=3)
    if origin is dict:
        return st.dictionaries(texts | wholes, values, max_size=4)
    assert origin in (set, frozenset), type_
    return st.frozensets(st.none() | wholes | texts | floats, max_size=4).map(origin)
