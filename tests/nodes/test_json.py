"""JSON in slices reads and writes what Python's own module does, whatever the size and the place of the pieces."""

from __future__ import annotations

import json
import random

import pytest

from trioflow.nodes._json import NotJson, read, write
from trioflow.nodes._slices import finished

ROWS = [{"id": number, "name": f"n{number}", "tags": ["a", None, True, 1.5e-3]} for number in range(500)]


def drawn(dice, depth=0):
    kind = dice.randrange(9 if depth < 5 else 6)
    if kind == 0:
        return dice.choice([None, True, False])
    if kind == 1:
        return dice.randrange(-(10 ** dice.randrange(1, 30)), 10**30)
    if kind == 2:
        return dice.uniform(-1e300, 1e300)
    if kind < 5:
        return dice.choice(['"', "\\", "\n", "é", "😀", "ab"]) * dice.choice([0, 1, 5, 3000])
    if kind == 5:
        return "x" * dice.choice([9_000, 70_000])
    if kind < 8:
        return [drawn(dice, depth + 1) for _ in range(dice.choice([0, 1, 4, 40]))]
    return {
        f"{number}~/{'k' * dice.choice([0, 2000])}": drawn(dice, depth + 1) for number in range(dice.choice([0, 3, 30]))
    }


@pytest.mark.parametrize("seed", range(1, 7))
@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_written_is_read_again(seed, indent):
    """Both as Python's module does it."""
    value = [drawn(random.Random(seed)), ROWS[: seed * 40]]
    text = finished(write(value, indent))
    assert text == json.dumps(value, ensure_ascii=False, indent=indent)
    assert finished(read(text)) == value
    assert finished(read(json.dumps(value))) == value


@pytest.mark.parametrize("indent", [None, 3])
def test_sorted_keys(indent):
    value = {f"k{number * 7919 % 3001}": {"b": number, "a": [number]} for number in range(3000)}
    assert finished(write(value, indent, sort_keys=True)) == json.dumps(value, sort_keys=True, indent=indent)


@pytest.mark.parametrize(
    "value",
    [
        "a" * 200_000,
        [[]] * 5000,
        [{}] * 5000,
        {"a" * 20_000: "b" * 20_000},
        [[ROWS, ROWS], {"deep": {"rows": ROWS}}],
        [0.5] * 9000,
        ["]", "}", '",', "],", "},"] * 400,
        [True] * 5000 + [None] * 5000,
        [[" " * 9000, 1], 2],
    ],
)
@pytest.mark.parametrize("blank", ["", " " * 20_000, "\n\t"])
def test_pieces_anywhere(value, blank):
    """White space is passed over, however long."""
    text = json.dumps(value)
    assert finished(read(f"{blank}{text}{blank}")) == value
    assert finished(read(f"[{blank}{text}{blank},{blank}1{blank}]")) == [value, 1]
    assert finished(read(f'{{{blank}"k"{blank}:{blank}{text}{blank}}}')) == {"k": value}


@pytest.mark.parametrize("end", range(8_180, 8_200))
@pytest.mark.parametrize("number", ["1.5", "1e+5", "-12", "true", '"t"'])
def test_a_number_at_the_end_of_a_window(end, number):
    """One that goes on behind the window is read whole."""
    text = f"[{' ' * end}{number},2]"
    assert finished(read(text)) == json.loads(text)


def test_numbers_of_any_length():
    """A float stays a float; a whole number has all its digits."""
    long = 3**20_000
    for value in (long, -long, [long] * 3, {"a": long, "b": ["x" * 9000, long]}):
        text = finished(write(value))
        assert finished(read(text)) == value
    assert finished(read("[" + "1" * 5000 + ".5e-4990]")) == [float("1" * 5000 + ".5e-4990")]
    assert finished(read(" " * 9000 + "12.5e1")) == 125.0


LONG = json.dumps(ROWS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: Expecting value"),
        ("[1,\n?]", "line 2, column 1: Expecting value"),
        ("[1] 2", "line 1, column 5: Extra data"),
        ('{"a": 1, "a": 2}', "the key 'a' occurs more than once"),
        ("[NaN]", "JSON has no NaN"),
        ("[1e999]", "is beyond the greatest float"),
        ("[" * 100_000, "nested too deeply"),
        (LONG[:-1], "Expecting ',' delimiter"),
        (LONG + "x", "Extra data"),
        (LONG[:-1] + ",?]", "Expecting value"),
        (LONG[:-1] + ";1]", "Expecting ',' delimiter"),
        (LONG[:-1] + ",nul]", "Expecting value"),
        (LONG[:-1] + ",NaN]", "JSON has no NaN"),
        (LONG[:-1] + ",1e999]", "is beyond the greatest float"),
        (LONG[:-1] + ',{"a" 1}]', "Expecting ':' delimiter"),
        (LONG[:-1] + ",{1:1}]", "Expecting property name enclosed in double quotes"),
        (f'{{"a": {LONG}, "a": 1}}', "the key 'a' occurs more than once"),
        (f'{{"a": {LONG}, "b" 1}}', "Expecting ':' delimiter"),
        (f'{{"a": {LONG}, b: 1}}', "Expecting property name enclosed in double quotes"),
        (f'{{"a": {LONG}', "Expecting ',' delimiter"),
        (f'["{"a" * 9000}', "Unterminated string starting at"),
        ("[" * 100_000 + "1" + "]" * 100_000 + " " * 9000, "nested too deeply"),
        (f"[{LONG}," + "1" * 10_000_001 + "]", "a number of 10,000,001 digits"),
        (f"[{LONG}," + " " * 9000 + "1e999]", "is beyond the greatest float"),
    ],
)
def test_what_is_no_json(text, message):
    """The place is told, in a small text and in a large one."""
    with pytest.raises(NotJson, match="line|key|JSON|beyond|deeply") as caught:
        finished(read(text))
    assert message in str(caught.value)


def test_many_names_are_checked():
    """A key that comes again far behind its first is found."""
    many = ", ".join(f'"k{number}": {number}' for number in range(4000))
    with pytest.raises(NotJson, match="the key 'k7' occurs more than once"):
        finished(read(f'{{{many}, "k7": 1}}'))
    assert len(finished(read(f"{{{many}}}"))) == 4000


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ({1: 2}, TypeError, "the value has the key int 1; keys of JSON are texts"),
        ([ROWS, {"a/b": {2: 1}}], TypeError, "at '/1/a~1b' has the key"),
        ([ROWS, float("nan")], ValueError, "at '/1' is nan, which JSON does not have"),
        ({"a": ROWS, "b": [1, (2,)]}, TypeError, "at '/b/1' is tuple (2,)"),
        ([b"", ROWS], TypeError, "at '/0' is"),
        ([ROWS, object], TypeError, "at '/1' is"),
    ],
)
def test_what_json_has_no_form_for(value, error, message):
    with pytest.raises(error) as caught:
        finished(write(value))
    assert message in str(caught.value)


def test_too_deep_to_write():
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="the value is nested too deeply"):
        finished(write(value))
    while value:  # Python would take it apart from the outside, which is as deep
        value = value.pop()
