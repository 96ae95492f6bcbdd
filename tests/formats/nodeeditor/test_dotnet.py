"""Types and values as .NET writes them."""

from __future__ import annotations

import pytest

from trioflow.formats.nodeeditor.dotnet import BadValue, fits, is_text_of, kind_of, read_text, read_value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("System.Int32", "int"),
        ("int", "int"),
        ("System.Int64, System.Private.CoreLib", "int"),
        ("System.Nullable`1[[System.Int32, System.Private.CoreLib]]", "int"),
        ("System.Double?", "float"),
        ("System.Single", "float"),
        ("System.Boolean", "bool"),
        ("system.string", "str"),
        ("System.Object", "any"),
        ("System.Int32[]", "list"),
        ("System.Collections.Generic.List`1[[System.Int32]]", "list"),
        ("List<int>", "list"),
        ("NodeEditor.Blazor.Models.SerializableList", "list"),
        ("System.Collections.Generic.Dictionary`2[[System.String],[System.Object]]", "dict"),
        ("NodeEditor.Net.Services.Execution.ExecutionSocket", "exec"),
        ("ExecutionPath", "exec"),
        ("My.Own.Type", None),
        ("", None),
    ],
)
def test_kinds_of_types(name, expected):
    """A type is known by its name, whatever its namespace, assembly, arguments and case."""
    assert kind_of(name) == expected


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, "int", 3),
        (3.0, "int", 3),
        ("3", "int", 3),
        (2, "float", 2),
        ("2.5", "float", 2.5),
        ("true", "bool", True),
        ("text", "str", "text"),
        ("3", "str", "3"),
        ("[1]", "list", [1]),
        ('{"a": 1}', "dict", {"a": 1}),
        ("anything", "any", "anything"),
        ("anything", None, "anything"),
        (None, "int", None),
    ],
)
def test_values_are_read_by_their_kind(value, kind, expected):
    """A value is taken as it is, or from a text that holds it; a number stays as it is written."""
    found = read_value(value, kind)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (True, "int", "expected a whole number, got true"),
        (1, "str", "expected a text, got 1"),
        ("x" * 99, "int", 'expected a whole number, got "' + "x" * 56 + "..., which is not JSON either"),
        ("[" * 100_000, "list", None),
        ("3", "list", "expected a list, got 3"),
        (float("inf"), "float", "expected a finite number, got inf, which JSON does not have"),
    ],
)
def test_values_of_another_kind(value, kind, expected):
    """A value that is of another kind is told with what was expected."""
    with pytest.raises(BadValue) as caught:
        read_value(value, kind)
    assert expected is None or str(caught.value) == expected


def test_texts_of_json():
    """Whether a value is a text of JSON, and what is in it."""
    assert is_text_of("3", "int")
    assert is_text_of("null", "int")
    assert is_text_of('"a"', "str")
    assert not is_text_of("3", "str")
    assert not is_text_of(3, "int")
    assert not is_text_of("a", "any")
    assert read_text('"a"', "str") == "a"
    assert read_text("[1]", "any") == [1]
    assert read_text(3, "int") == 3
    with pytest.raises(BadValue):
        read_text("a", "any")


def test_what_fits_what():
    """Equal kinds, numbers, and anything of type Object or of a foreign type."""
    assert fits("int", "int")
    assert fits("int", "float")
    assert fits("float", "int")
    assert fits("any", "list")
    assert fits("str", None)
    assert not fits("str", "int")
    assert not fits("bool", "float")
