"""What standard nodes of the format do once they are imported: each is run, and gives what it gives there."""

from __future__ import annotations

import math
from typing import Any

import pytest
from formats.nodeeditor.documents import document, imported, node, setter, variable

from trioflow.testing import run_virtual

UNSEEN = object()


def values_of(name: str, given: dict[str, Any], outputs: Any) -> dict[str, Any]:
    """The values of outputs of a data node, taken into variables one after the other."""
    nodes, wires, before = [node("start", "Start"), node("x", name, **given)], [], "start"
    for number, output in enumerate(outputs):
        nodes.append(setter(f"set-{number}", f"v{number}"))
        wires += [f"{before}.Exit -> set-{number}.Enter", f"x.{output} -> set-{number}.Value"]
        before = f"set-{number}"
    variables = [variable(output, f"v{number}") for number, output in enumerate(outputs)]
    taken = imported(document(*nodes, wires=wires, variables=variables))
    assert [each for each in taken.diagnostics if each.severity != "info"] == []
    return {output: run_virtual(taken.graph).variables[output] for output in outputs}


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # conversion
    ("To String", {"Value": 7}, {"Result": "7"}),
    ("Number To String", {"Value": 2.5}, {"Result": "2.5"}),
    ("To Int", {"Value": 2.9}, {"Result": 2}),
    ("To Int", {"Value": -2.9}, {"Result": -2}),
    ("Parse Int", {"Value": "12"}, {"Result": 12, "Success": True}),
    ("Parse Int", {"Value": "x", "Default": 5}, {"Result": 5, "Success": False}),
    ("To Double", {"Value": "2.5"}, {"Result": 2.5}),
    ("Parse Double", {"Value": "1e3"}, {"Result": 1000.0, "Success": True}),
    ("Parse Double", {"Value": "", "Default": 0.5}, {"Result": 0.5, "Success": False}),
    ("To Bool", {"Value": "false"}, {"Result": False}),
    ("Parse Bool", {"Value": "True"}, {"Result": True, "Success": True}),
    ("Parse Bool", {"Value": "?"}, {"Result": False, "Success": False}),
    ("Int To Double", {"Value": 3}, {"Result": 3.0}),
    ("Double To Int", {"Value": 3.7}, {"Result": 3}),
    ("Char At", {"Value": "abc", "Index": 1}, {"Result": "b"}),
    ("Char At", {"Value": "abc", "Index": 9}, {"Result": ""}),
    ("Char Code", {"Value": "Az"}, {"Result": 65}),
    ("From Char Code", {}, {"Result": "A"}),
    ("Type Name", {"Value": "x"}, {"Result": "str"}),
    # dates
    ("Format DateTime", {"DateTime": "2024-02-29T12:30:00"}, {"Result": "2024-02-29 12:30:00"}),
    ("Add Days", {"DateTime": "2024-02-28", "Days": 1.5}, {"Result": "2024-02-29T12:00:00+00:00"}),
    ("Date Diff Days", {"From": "2024-02-28", "To": "2024-03-01T12:00:00"}, {"Result": 2.5}),
    (
        "Parse Date Parts",
        {"DateTime": "2024-02-29T12:30:05"},
        {"Year": 2024, "Month": 2, "Day": 29, "Hour": 12, "Minute": 30, "Second": 5},
    ),
    # dictionaries
    ("Dict Create", {}, {"Result": {}}),
    ("Dict Set", {"Dict": {"a": 1}, "Key": "b", "Value": 2}, {"Result": {"a": 1, "b": 2}}),
    ("Dict Get", {"Dict": {"a": 1}, "Key": "a"}, {"Value": 1, "Found": True}),
    ("Dict Get", {"Dict": {"a": 1}, "Key": "b"}, {"Value": None, "Found": False}),
    ("Dict Remove", {"Dict": {"a": 1, "b": 2}, "Key": "a"}, {"Result": {"b": 2}, "Removed": True}),
    ("Dict Contains Key", {"Dict": {"a": 1}, "Key": "a"}, {"Result": True}),
    ("Dict Keys", {"Dict": {"a": 1}}, {"Result": ["a"]}),
    ("Dict Values", {"Dict": {"a": 1}}, {"Result": [1]}),
    ("Dict Count", {"Dict": {"a": 1}}, {"Result": 1}),
    ("Dict Clear", {"Dict": {"a": 1}}, {"Result": {}}),
    ("Dict Merge", {"A": {"a": 1, "b": 1}, "B": {"b": 2}}, {"Result": {"a": 1, "b": 2}}),
    # JSON
    ("JSON Parse", {"Json": '{"a": [1]}'}, {"Result": {"a": [1]}, "Success": True}),
    ("JSON Parse", {"Json": "{"}, {"Result": None, "Success": False}),
    ("JSON Stringify", {"Value": {"a": 1}}, {"Result": '{"a": 1}'}),
    ("JSON Stringify", {"Value": {"a": 1}, "Indented": True}, {"Result": '{\n  "a": 1\n}'}),
    ("JSON Get Property", {"Json": {"a": 1}, "Property": "a"}, {"Value": 1, "Found": True}),
    ("JSON Get Property", {"Json": {"a": 1}, "Property": "b"}, {"Value": None, "Found": False}),
    ("JSON Get Index", {"Json": [1, 2], "Index": 1}, {"Value": 2, "Found": True}),
    ("JSON Get Index", {"Json": [1, 2], "Index": 2}, {"Value": None, "Found": False}),
    ("JSON Array Length", {"Json": [1, 2]}, {"Result": 2}),
    ("JSON To Dict", {"Json": {"a": 1}}, {"Result": {"a": 1}, "Success": True}),
    ("JSON To Dict", {}, {"Result": {}, "Success": False}),
    ("JSON To List", {"Json": [1]}, {"Result": [1], "Success": True}),
    # lists
    ("List Reverse", {"List": [1, 2]}, {"Result": [2, 1]}),
    ("List Sort", {"List": [2, 1]}, {"Result": [1, 2]}),
    ("List Sort Descending", {"List": [1, 2]}, {"Result": [2, 1]}),
    ("List First", {"List": [7, 8]}, {"Result": 7, "HasValue": True}),
    ("List First", {}, {"Result": None, "HasValue": False}),
    ("List Last", {"List": [7, 8]}, {"Result": 8, "HasValue": True}),
    ("List Distinct", {"List": [1, 1, 2]}, {"Result": [1, 2]}),
    ("List Flatten", {"List": [[1], 2]}, {"Result": [1, 2]}),
    ("List Concat", {"A": [1], "B": [2]}, {"Result": [1, 2]}),
    ("List Range", {"Start": 2, "End": 5}, {"Result": [2, 3, 4]}),
    ("List Repeat", {"Value": "a", "Count": 3}, {"Result": ["a", "a", "a"]}),
    ("List Is Empty", {}, {"Result": True}),
    ("List Any", {"List": [0]}, {"Result": True}),
    ("List Sum", {"List": [1, 2.5]}, {"Result": 3.5}),
    ("List Average", {"List": [1, 2]}, {"Result": 1.5}),
    ("List Min", {"List": [2, 1]}, {"Result": 1}),
    ("List Max", {"List": [2, 1]}, {"Result": 2}),
    ("List Create", {}, {"Result": []}),
    ("List Add", {"List": [1], "Item": None}, {"Result": [1, None]}),
    ("List Insert", {"List": [1], "Item": 0}, {"Result": [0, 1]}),
    ("List Remove At", {"List": [1, 2], "Index": 1}, {"Result": [1]}),
    ("List Remove Value", {"List": [1, 2, 1], "Value": 1}, {"Result": [2, 1]}),
    ("List Clear", {"List": [1]}, {"Result": []}),
    ("List Contains", {"List": [1], "Value": 1}, {"Result": True}),
    ("List Index Of", {"List": [1], "Value": 2}, {"Result": -1}),
    ("List Count", {"List": [1]}, {"Result": 1}),
    ("List Get", {"List": [1, 2], "Index": 1}, {"Result": 2}),
    ("List Get", {"List": [1, 2], "Index": 2}, {"Result": None}),
    ("List Set", {"List": [1, 2], "Index": 0, "Value": 9}, {"Result": [9, 2]}),
    ("List Slice", {"List": [1, 2, 3], "Start": 1}, {"Result": [2, 3]}),
    ("List Slice", {"List": [1, 2, 3], "Start": 1, "Count": 1}, {"Result": [2]}),
    # logic
    ("Equal", {"A": "a", "B": "a"}, {"Result": True}),
    ("Not Equal", {"A": "a", "B": None}, {"Result": True}),
    ("Greater Than", {"A": 1, "B": 0.5}, {"Result": True}),
    ("Less Or Equal", {}, {"Result": True}),
    ("String Equal Ignore Case", {"A": "Ab", "B": "aB"}, {"Result": True}),
    ("And", {"A": True, "B": True}, {"Result": True}),
    ("And", {"A": True}, {"Result": False}),
    ("Not", {}, {"Result": True}),
    ("Xor", {"A": True}, {"Result": True}),
    ("Select", {"Condition": True, "TrueValue": 1, "FalseValue": 2}, {"Result": 1}),
    ("Select", {"TrueValue": 1}, {"Result": None}),
    ("Select String", {"FalseValue": "no"}, {"Result": "no"}),
    ("Is Null", {}, {"Result": True}),
    ("Is Not Null", {"Value": 0}, {"Result": True}),
    ("Coalesce", {"Fallback": 3}, {"Result": 3}),
    ("True", {}, {"Result": True}),
    ("False", {}, {"Result": False}),
    # mathematics
    ("Lerp", {"A": 2, "B": 4}, {"Result": 3.0}),
    ("Inverse Lerp", {"A": 2, "B": 4, "Value": 3}, {"Result": 0.5}),
    ("Map Range", {"Value": 0.25}, {"Result": 25.0}),
    ("Smoothstep", {"Edge0": 0, "Edge1": 2, "Value": 0.5}, {"Result": 0.15625}),
    ("Smoothstep", {"Value": 7}, {"Result": 1.0}),
    ("Distance 2D", {"X2": 3, "Y2": 4}, {"Result": 5.0}),
    ("Dot Product 2D", {"X1": 1, "Y1": 2, "X2": 3, "Y2": 4}, {"Result": 11}),
    ("Deg To Rad", {"Degrees": 180}, {"Result": math.pi}),
    ("Rad To Deg", {"Radians": math.pi}, {"Result": 180.0}),
    ("Exp", {}, {"Result": 1.0}),
    ("Truncate", {"Value": -1.5}, {"Result": -1}),
    ("Is Even", {"Value": 4}, {"Result": True}),
    ("Is Odd", {"Value": 3}, {"Result": True}),
    ("Is NaN", {}, {"Result": False}),
    ("Is Infinity", {"Value": 1}, {"Result": False}),
    ("Subtract", {"A": 3, "B": 1}, {"Result": 2}),
    ("Divide", {"A": 3, "B": 2}, {"Result": 1.5}),
    ("Power", {"Base": 3}, {"Result": 9}),
    ("Sqrt", {"Value": 9}, {"Result": 3.0}),
    ("Log (ln)", {"Value": 1}, {"Result": 0.0}),
    ("Log10", {"Value": 1000}, {"Result": 3.0}),
    ("Sin", {}, {"Result": 0.0}),
    ("Atan2", {"Y": 1, "X": 1}, {"Result": math.pi / 4}),
    ("PI", {}, {"Result": math.pi}),
    ("Add Int", {"A": 1, "B": 2}, {"Result": 3}),
    ("Divide Int", {"A": -7, "B": 2}, {"Result": -3}),
    ("Increment", {"Value": 1}, {"Result": 2}),
    ("Decrement", {"Value": 1}, {"Result": 0}),
    ("Bitwise Xor", {"A": 6, "B": 3}, {"Result": 5}),
    ("Shift Left", {"Value": 3}, {"Result": 6}),
    ("Shift Right", {"Value": 5}, {"Result": 2}),
    # numbers
    ("Abs", {"Value": -1.5}, {"Result": 1.5}),
    ("Min", {"A": 1, "B": 2}, {"Result": 1}),
    ("Mod", {"A": 7, "B": 4}, {"Result": 3}),
    ("Round", {"Value": 2.5}, {"Result": 2}),
    ("Ceiling", {"Value": 2.1}, {"Result": 3}),
    ("Clamp", {"Value": 7}, {"Result": 1}),
    ("Random Range", {"Min": 4, "Max": 5}, {"Result": 4}),
    ("Sign", {"Value": -3}, {"Result": -1}),
    ("Random Choice", {"List": [8]}, {"Result": 8, "Index": 0}),
    ("Random Shuffle", {"List": [8]}, {"Result": [8]}),
    # constants
    ("Number", {"Value": 1.5}, {"Result": 1.5}),
    ("Boolean", {}, {"Result": False}),
    ("Pass Through", {"Value": [1]}, {"Result": [1]}),
    ("Null", {}, {"Result": None}),
    ("Print Value", {"Value": 3}, {"PassThrough": 3}),
    # texts
    ("String Format", {"Format": "{0} of {1}", "Arg0": "a", "Arg1": 2}, {"Result": "a of 2"}),
    ("String Is Empty", {}, {"Result": True}),
    ("String Is Whitespace", {"Value": " "}, {"Result": True}),
    ("Index Of", {"Value": "abca", "Search": "a"}, {"Result": 0}),
    ("Last Index Of", {"Value": "abca", "Search": "a"}, {"Result": 3}),
    ("Regex Match", {"Value": "a12", "Pattern": "[0-9]+"}, {"Match": "12", "Success": True}),
    ("Regex Replace", {"Value": "a12", "Pattern": "[0-9]", "Replacement": "#"}, {"Result": "a##"}),
    ("Pad Left", {"Value": "7", "TotalWidth": 3, "PadChar": "0"}, {"Result": "007"}),
    ("Pad Right", {"Value": "7", "TotalWidth": 3}, {"Result": "7  "}),
    ("Repeat String", {"Value": "ab", "Count": 2}, {"Result": "abab"}),
    ("Reverse String", {"Value": "ab"}, {"Result": "ba"}),
    ("New Line", {}, {"Result": "\n"}),
    ("String Concat", {"A": "a", "B": "b"}, {"Result": "ab"}),
    ("String Concat 3", {"A": "a", "B": "b", "C": "c"}, {"Result": "abc"}),
    ("String Concat 4", {"A": "a", "B": "b", "C": "c", "D": "d"}, {"Result": "abcd"}),
    ("String Length", {"Value": "abc"}, {"Result": 3}),
    ("Substring", {"Value": "abcd", "Start": 1, "Length": 2}, {"Result": "bc"}),
    ("Substring", {"Value": "abcd", "Start": 1}, {"Result": "bcd"}),
    ("Substring", {"Value": "abcd", "Start": 3, "Length": 9}, {"Result": "d"}),
    ("Replace", {"Value": "aba", "Old": "a", "New": "c"}, {"Result": "cbc"}),
    ("To Upper", {"Value": "a"}, {"Result": "A"}),
    ("Trim", {"Value": " a "}, {"Result": "a"}),
    ("Contains", {"Value": "abc", "Search": "b"}, {"Result": True}),
    ("Starts With", {"Value": "abc", "Prefix": "a"}, {"Result": True}),
    ("Split", {"Value": "a,b"}, {"Result": ["a", "b"]}),
    ("Join", {"List": ["a", "b"]}, {"Result": "a, b"}),
]


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [pytest.param(*case, id=f"{case[0]}-{index}") for index, case in enumerate(CASES)],
)
def test_a_data_node_gives_what_it_gives_there(name, given, expected):
    """An imported data node has the values of the original."""
    found = values_of(name, given, expected)
    assert found == (pytest.approx(expected) if isinstance(next(iter(expected.values())), float) else expected)
