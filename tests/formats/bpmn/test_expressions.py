"""Expressions of several languages, as one; and as conditions in CEL."""

from __future__ import annotations

import pytest

from trioflow.expressions import compile_expression
from trioflow.formats.bpmn import evaluation, scripting
from trioflow.formats.bpmn.cel import as_cel
from trioflow.formats.bpmn.expressions import NotUnderstood, names_in, parse, understands

VALUES = {"x": 3, "y": "abc", "xs": [1, 2], "m": {"a": {"b": 5}}, "n": None, "t": True, "f": False, "d": 2.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${x > 2}", True), ("#{x > 3}", False), ("= x = 3", True), ("x == 3 && y != 'abc'", False),
        ("x gt 2 and x le 3", True), ("not(x < 3) or f", True), ("!t || !f", True), ("1 < x <= 3", True),
        ("'b' in y", True), ("${y.contains('z')}", False), ("2 in xs", True), ("x not in [1, 2]", True),
        ("x in [1..3]", True), ("x in [4..9]", False), ("if x > 2 then t else f", True), ("x > 5 ? t : f", False),
        ("m.a.b == 5", True), ("m['a'].b > 5", False), ("n is None", True), ("n is not null", False),
        ("empty n", True), ("not empty xs", True), ("len(xs) == 2", True), ("xs.size() >= 3", False),
        ("y.startsWith('a') and y.endsWith('c')", True), ("y.equals('abc')", True), ("d * 2 == 5.0", True),
        ("x - 1 == 2", True), ("x / 2 > 1.4", True), ("x % 2 == 1", True), ("x + 1 == 4", True), ("-x < 0", True),
        ("x + 0.5 == 3.5", True), ("execution.getVariable('x') === 3", True), ("vars.x <> 4", True), ("string(x) == '3'", True),
        ("{a: 1}.a == 1", True), ("contains(y, 'b')", True), ("t if x > 1 else f", True), ("xs[0] == 1", True),
        ("y + 'd' == 'abcd'", True), ("+x == 3", True), ("xs == [1, 2,]", True), ("[] == xs", False),
        ("xs.isEmpty()", False), ("bool(t)", True), ("int('3') == x", True),
    ],
)  # fmt: skip
def test_the_same_twice(text, value):
    """An expression is the same evaluated here, and written as CEL."""
    tree = parse(text)
    assert evaluation.value(evaluation.value_of(tree), VALUES, text) is value
    names = {f"vars.{name}": None for name in VALUES}
    given = {f"vars.{name}": each for name, each in VALUES.items()}
    assert compile_expression(as_cel(text), names, condition=True).holds(given) is value


def test_what_binds_tighter():
    """Signs bind as in the languages that they come from."""
    assert as_cel("!x == y") == "(!vars.x) == vars.y"
    assert as_cel("not x == y") == "!(vars.x == vars.y)"
    assert as_cel("a or b and not c") == "vars.a || (vars.b && (!vars.c))"
    assert evaluation.value(evaluation.value_of(parse("2 + 3 * 4 ** 2 - 6 // 4")), {}, "") == 49
    assert evaluation.value(evaluation.value_of(parse("{'a': 1, b: 2}")), {}, "") == {"a": 1, "b": 2}
    assert evaluation.value(evaluation.value_of(parse("{}")), {}, "") == {}
    assert as_cel('"\\"" == x') == '"\\"" == vars.x'
    assert as_cel("(if a then 1 else 2) == 1") == "(vars.a ? 1 : 2) == 1"


def test_names():
    """The variables that a text reads: no functions, and none of a comprehension."""
    assert sorted(names_in(parse("a.b > len(c) and d[e] in f"))) == ["a", "c", "d", "e", "f"]
    assert sorted(names_in(scripting.parse_script("y = [i * k for i in x]\ny.append(z)"))) == ["k", "x", "y", "z"]


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("x > ", "it ends too early", 4), ("x >< 3", "'<' is not expected there", 3), ("x 3", "'3' is not expected", 2),
        ("x.3", "a name is expected", 2), ("(x", "')' is expected instead of 'the end'", 2), ("x § 3", "'§ 3'", 2),
        ("if x then y", "'else' is expected", 11), ("f(x", "')' is expected", 3), ("{a 1}", "':' is expected", 3),
        ("[1, 2", "']' is expected", 5), ("[1 2]", "']' is expected instead of '2'", 3), ("", "it ends too early", 0),
        ("{a: 1", "'}' is expected", 5), ("(" * 99, "nested too deeply", 60), ("not " * 99 + "x", "too deeply", 240),
        ("-" * 99 + "x", "too deeply", 60), ("'\\x'", "is not a text", 0), ("x = = 3", "'=' is not expected", 4),
    ],
)  # fmt: skip
def test_what_is_not_understood(text, message, at):
    """A text that is not an expression is refused with its place."""
    with pytest.raises(NotUnderstood, match=".") as caught:
        parse(text)
    assert message in str(caught.value)
    assert abs(caught.value.at - at) <= 1


@pytest.mark.parametrize(
    "text", ["f(x)", "x.f()", "x ** 2", "{1: 2} == range(x)", "x.matches()", "len(x, y)", "x // 2"]
)
def test_no_conditions(text):
    """What CEL has nothing for is no condition."""
    with pytest.raises(NotUnderstood):
        as_cel(text)


def test_languages():
    """XPath is not read."""
    assert not understands("http://www.w3.org/1999/XPath")
    assert understands("")
    assert understands("https://www.omg.org/spec/DMN/20191111/FEEL/")
