"""Schemas and patches of JSON values."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trioflow as tf
from trioflow.nodes.json_schema import SchemaUnmet, checker
from trioflow.testing import evaluate, fire


def validated(value, schema, **given):
    ((_, values),) = fire("json.validate_schema", value=value, schema=schema, **given)
    return values


def test_a_value_that_fits():
    schema = {"properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}
    assert validated({"n": 1}, schema) == {"result": {"n": 1}, "valid": True, "problems": []}


def test_all_that_is_wrong_is_told_with_its_place():
    schema = {"properties": {"n": {"type": "integer"}, "s": {"minLength": 2}}, "required": ["x"]}
    with pytest.raises(SchemaUnmet) as caught:
        validated({"n": "1", "s": ""}, schema)
    assert (
        str(caught.value)
        == "json.validate_schema: the value does not fit: $.n: '1' is not of type 'integer' (and 2 more)."
    )
    assert len(caught.value.problems) == 3
    with pytest.raises(SchemaUnmet, match=r"fit: \$: 1 is not of type 'string'\."):
        validated(1, {"type": "string"})
    assert validated(1, False, strict=False)["problems"] == ["$: False schema does not allow 1"]
    assert len(validated(["x"] * 100, {"items": {"type": "integer"}}, strict=False)["problems"]) == 20


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("string", "a schema is an object, or true or false; got str"),
        ({"type": "strin"}, r"this is not a schema: \$\.type: .'strin' is not valid"),
        ({"$ref": "https://example.com/schema"}, "the schema refers to 'https://example.com/schema', which is not in it"),
        ({"$ref": "#"}, "the value can't be checked: RecursionError"),
    ],
)  # fmt: skip
def test_schemas_that_are_none(schema, message):
    with pytest.raises(ValueError, match=f"json.validate_schema: {message}"):
        validated(1e308, schema)


def test_a_schema_without_end():
    deep = {"not": {}}
    for _ in range(20_000):
        deep = {"not": deep}
    with pytest.raises(ValueError, match="n: the schema can't be checked: RecursionError"):
        checker("n", deep)


def test_the_draft_that_a_schema_names():
    """In draft 4 `exclusiveMaximum` is a truth value."""
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 3, "exclusiveMaximum": True}
    assert validated(3, old, strict=False)["valid"] is False
    with pytest.raises(ValueError, match="this is not a schema"):
        validated(3, {"maximum": 3, "exclusiveMaximum": True})


def test_without_jsonschema(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema.validators", None)
    with pytest.raises(tf.MissingExtra, match=r"json.validate_schema needs .*trioflow\[schema\]"):
        validated(1, {})


# --- patches ---------------------------------------------------------------------------------------------------------


def patched(document, *operations):
    return evaluate("json.patch", document=document, patch=list(operations))


@pytest.mark.parametrize(
    ("document", "operations", "result"),
    [
        ({"a": 1}, [{"op": "add", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
        ({"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2, 3]}),
        ({"a": []}, [{"op": "add", "path": "/a/-", "value": 2}], {"a": [2]}),
        (1, [{"op": "add", "path": "", "value": 2}], 2),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
        ([1, 2], [{"op": "remove", "path": "/0"}], [2]),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": [2]}], {"a": [2]}),
        (1, [{"op": "replace", "path": "", "value": 2}], 2),
        ({"a": 1, "b": {}}, [{"op": "move", "from": "/a", "path": "/b/c"}], {"b": {"c": 1}}),
        ({"a": 1}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": 1}),
        ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}, {"op": "add", "path": "/b/-", "value": 2}], {"a": [1], "b": [1, 2]}),
        ({"a~/": 1}, [{"op": "test", "path": "/a~0~1", "value": 1}], {"a~/": 1}),
    ],
)  # fmt: skip
def test_patches(document, operations, result):
    assert patched(document, *operations) == result


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ("add", "an operation is an object, got str 'add'"),
        ({"op": "ad", "path": ""}, "there is no operation 'ad'; there are add, replace"),
        ({"op": ["add"], "path": ""}, "there is no operation"),
        ({"op": "add", "value": 1}, "add needs 'path', a JSON pointer"),
        ({"op": "add", "path": "/a"}, "add needs 'value'."),
        ({"op": "move", "path": "/a", "from": 1}, "move needs 'from', a JSON pointer"),
        ({"op": "test", "path": "/l/0", "value": True}, "the test does not hold: '/l/0' is int 1"),
        ({"op": "remove", "path": "/x"}, "'/x'"),
        ({"op": "remove", "path": ""}, "the whole value can't be removed"),
        ({"op": "replace", "path": "/x", "value": 1}, "'/x'"),
        ({"op": "add", "path": "/l/3", "value": 1}, "a list of 2 has no place '3' to add at"),
        ({"op": "add", "path": "/l/01", "value": 1}, "a list of 2 has no place '01' to add at"),
        ({"op": "add", "path": "/n/x", "value": 1}, "there is no '/n/x': int 1 has no parts"),
        ({"op": "move", "from": "/l", "path": "/l/0"}, "'/l' can't be moved into itself"),
        ({"op": "move", "from": "/x", "path": "/x"}, "'/x'"),
        ({"op": "add", "path": "x", "value": 1}, "'x'"),
    ],
)
def test_operations_that_can_not_be_done(operation, message):
    """All or nothing: what was given is as it was."""
    document = {"l": [1, 2], "n": 1}
    with pytest.raises(ValueError) as caught:
        patched(document, {"op": "add", "path": "/o", "value": 0}, operation)
    assert str(caught.value).startswith("json.patch: operation 1: ")
    assert message in str(caught.value)
    assert document == {"l": [1, 2], "n": 1}


def test_many_operations_leave_turns_to_others():
    operations = [{"op": "add", "path": "/-", "value": n} for n in range(1000)]
    assert patched([], *operations) == [*range(1000)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab/~", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def pointers(value, at=""):
    """Of all parts of a value."""
    found = [at]
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            found += pointers(each, f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}")
    return found


@pytest.mark.unmeasured
@settings(max_examples=40)
@given(json_values, json_values, st.data())
def test_what_is_replaced_is_there(document, value, data):
    """As `json.set` says it, and what was given is never touched."""
    pointer = data.draw(st.sampled_from(pointers(document)))
    before = repr(document)
    changed = patched(document, {"op": "replace", "path": pointer, "value": value})
    assert repr(document) == before
    assert changed == evaluate("json.set", value=document, pointer=pointer, part=value)
