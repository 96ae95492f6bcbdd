"""The data nodes: what each gives, and what it does at its edges."""

from __future__ import annotations

import datetime

import pytest
from data_nodes import REGISTRY, value_of

import trioflow as tf


@pytest.mark.parametrize(
    ("type_id", "inputs", "expected"),
    [
        ("math.add", {"a": 2**53, "b": 1}, 2**53 + 1),  # whole numbers stay exact
        ("math.add", {"a": 1, "b": 0.5}, 1.5),
        ("math.subtract", {"a": 1, "b": 3}, -2),
        ("math.multiply", {"a": 3, "b": 4}, 12),
        ("math.divide", {"a": 1, "b": 4}, 0.25),
        ("math.floor_divide", {"a": -7, "b": 2}, -4),
        ("math.modulo", {"a": -7, "b": 2}, 1),
        ("math.modulo", {"a": 7, "b": -2}, -1),
        ("math.power", {"base": 2, "exponent": 10}, 1024),
        ("math.negate", {"value": 3}, -3),
        ("math.absolute", {"value": -3}, 3),
        ("math.minimum", {"a": 2, "b": 1}, 1),
        ("math.maximum", {"a": 2, "b": 1}, 2),
        ("math.clamp", {"value": 5, "low": 0, "high": 3}, 3),
        ("math.clamp", {"value": -5}, 0),
        ("math.round", {"value": 2.5}, 2),  # halves to the even neighbour
        ("math.round", {"value": 3.5}, 4),
        ("math.round", {"value": 1.256, "digits": 2}, 1.26),
        ("math.floor", {"value": -1.5}, -2),
        ("math.ceiling", {"value": -1.5}, -1),
        ("math.square_root", {"value": 9}, 3.0),
        ("logic.equal", {"a": 1, "b": 1.0}, True),
        ("logic.equal", {"a": 1, "b": True}, False),
        ("logic.not_equal", {"a": "x", "b": "y"}, True),
        ("logic.less", {"a": 1, "b": 2}, True),
        ("logic.less_equal", {"a": 2, "b": 2}, True),
        ("logic.greater", {"a": "b", "b": "a"}, True),
        ("logic.greater_equal", {"a": 1, "b": 2}, False),
        ("logic.and", {"a": True, "b": False}, False),
        ("logic.and", {"a": False, "b": True}, False),
        ("logic.or", {"a": False, "b": True}, True),
        ("logic.or", {"a": True, "b": False}, True),
        ("logic.not", {"value": True}, False),
        ("logic.xor", {"a": True, "b": False}, True),
        ("logic.select", {"condition": False, "if_true": 1, "if_false": 2}, 2),
        ("logic.is_none", {"value": None}, True),
        ("logic.coalesce", {"value": None, "otherwise": 2}, 2),
        ("logic.coalesce", {"value": 1, "otherwise": 2}, 1),
        ("text.concat", {"a": "x", "b": "y"}, "xy"),
        ("text.join", {"items": [1, "a"]}, "1, a"),
        ("text.split", {"value": "a,b,,c"}, ["a", "b", "", "c"]),
        ("text.format", {"template": "{a}-{b} {{}}", "a": 1, "b": "x"}, "1-x {}"),
        ("text.upper", {"value": "straße"}, "STRASSE"),
        ("text.lower", {"value": "ABC"}, "abc"),
        ("text.strip", {"value": "  a \n"}, "a"),
        ("text.replace", {"value": "aaa", "old": "a", "new": "b"}, "bbb"),
        ("text.contains", {"value": "abc", "search": ""}, True),
        ("text.starts_with", {"value": "abc", "prefix": "ab"}, True),
        ("text.ends_with", {"value": "abc", "suffix": "ab"}, False),
        ("text.length", {"value": "é😀"}, 2),
        ("text.slice", {"value": "abcdef", "start": -3, "stop": 99}, "def"),
        ("text.to_text", {"value": [1]}, "[1]"),
        ("text.parse_int", {"value": "-12"}, -12),
        ("text.parse_float", {"value": "1e3"}, 1000.0),
        ("list.literal", {"items": [1, 2]}, [1, 2]),
        ("list.range", {"stop": 3}, [0, 1, 2]),
        ("list.range", {"start": 5, "stop": 0, "step": -2}, [5, 3, 1]),
        ("list.length", {"items": []}, 0),
        ("list.get", {"items": [1, 2], "index": -1}, 2),
        ("list.first", {"items": [1, 2]}, 1),
        ("list.last", {"items": [1, 2]}, 2),
        ("list.append", {"items": [1], "item": 2}, [1, 2]),
        ("list.concat", {"a": [1], "b": [2]}, [1, 2]),
        ("list.slice", {"items": [1, 2, 3], "start": 1}, [2, 3]),
        ("list.contains", {"items": [1], "item": 1}, True),
        ("list.index_of", {"items": [1], "item": 2}, -1),
        ("list.index_of", {"items": [1, 2], "item": 2}, 1),
        ("list.reverse", {"items": [1, 2]}, [2, 1]),
        ("list.sort", {"items": [2, 1, 3]}, [1, 2, 3]),
        ("list.sort", {"items": [2, 1, 3], "descending": True}, [3, 2, 1]),
        ("list.sum", {"items": [1, 2.5]}, 3.5),
        ("list.sum", {"items": []}, 0),
        ("time.monotonic", {}, 0.0),
    ],
)
def test_value(type_id, inputs, expected):
    """A data node gives the value that its documentation says."""
    value = value_of(type_id, **inputs)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("type_id", "inputs", "error", "message"),
    [
        ("math.divide", {"a": 1, "b": 0}, ZeroDivisionError, "division by zero"),
        ("math.floor_divide", {"a": 1, "b": 0}, ZeroDivisionError, "by zero"),
        ("math.modulo", {"a": 1, "b": 0}, ZeroDivisionError, "by zero"),
        ("math.power", {"base": -8, "exponent": 0.5}, ValueError, "is not a real number"),
        ("math.clamp", {"value": 1, "low": 2, "high": 1}, ValueError, r"low \(2\) is greater than high \(1\)"),
        ("math.floor", {"value": float("nan")}, ValueError, "NaN"),
        ("math.ceiling", {"value": float("inf")}, OverflowError, "infinity"),
        ("math.square_root", {"value": -1}, ValueError, "math domain error|nonnegative"),
        ("logic.less", {"a": 1, "b": "x"}, TypeError, "logic.less: int 1 and str 'x' can't be compared"),
        ("text.split", {"value": "a", "separator": ""}, ValueError, "empty separator"),
        ("text.replace", {"value": "a", "old": "", "new": "b"}, ValueError, "`old` is empty"),
        ("text.format", {"template": "{x}"}, KeyError, "x"),
        ("text.parse_int", {"value": "1.5"}, ValueError, "a whole number in decimal digits"),
        ("text.parse_float", {"value": "x"}, ValueError, "a number such as"),
        ("list.range", {"stop": 1, "step": 0}, ValueError, "must not be zero"),
        ("list.get", {"items": [1], "index": 1}, IndexError, "there is no item 1 in a list of 1"),
        ("list.get", {"items": [1], "index": -2}, IndexError, "there is no item -2 in a list of 1"),
        ("list.first", {"items": []}, IndexError, "list.first: the list is empty"),
        ("list.last", {"items": []}, IndexError, "list.last: the list is empty"),
        ("list.sort", {"items": [1, "a"]}, TypeError, "not supported between"),
        ("random.choice", {"items": []}, IndexError, "random.choice: the list is empty"),
        ("random.integer", {"low": 2, "high": 1}, ValueError, "empty range"),
    ],
)
def test_edge(type_id, inputs, error, message):
    """At its edges a data node fails with an error that says why."""
    with pytest.raises(error, match=message):
        value_of(type_id, **inputs)


def test_chance():
    """Nodes of chance stay within their bounds, and give the same for the same seed and path (R6)."""
    assert 2.0 <= value_of("random.uniform", low=2.0, high=3.0) <= 3.0
    assert value_of("random.integer", low=4, high=4) == 4
    assert value_of("random.choice", items=["only"]) == "only"
    shuffled = value_of("random.shuffle", items=list(range(50)))
    assert sorted(shuffled) == list(range(50))
    assert shuffled == value_of("random.shuffle", items=list(range(50)))


def test_now():
    """The clock gives the time with its zone."""
    now = value_of("time.now")
    assert now.tzinfo is datetime.UTC
    assert abs(datetime.datetime.now(datetime.UTC) - now) < datetime.timedelta(minutes=1)


def test_every_node_is_documented():
    """Every standard node type has a first line of documentation, and an id in its area (M2)."""
    for node_type in REGISTRY:
        assert node_type.summary.endswith("."), node_type.id
        assert node_type.id.count(".") == 1


def test_python_names():
    """The nodes can be named in Python; an unknown name is an AttributeError."""
    known = tf.Registry.standard(plugins=False, allow=["scripts"]).ids()
    for name in tf.nodes.__all__:
        assert getattr(tf.nodes, name).type.id in known
    assert dir(tf.nodes) == sorted(tf.nodes.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        tf.nodes.Nothing  # noqa: B018
