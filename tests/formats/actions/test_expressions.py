"""Expressions in `${{ }}`: what they are, and what is wrong with them."""

from __future__ import annotations

import math

import pytest

from trioflow.formats.actions.expressions import (
    BadExpression,
    ExpressionFailed,
    as_text,
    evaluate,
    filled,
    holds,
    parse,
    unwrapped,
)

CONTEXTS = {
    "env": {"Name": "x", "n": 3},
    "matrix": {"list": [1, 2]},
    "needs": {"a": {"result": "success"}, "b": {"result": "failure"}},
}


def value(text):
    return evaluate(parse(text), CONTEXTS, {"success": lambda: True})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env.name", "x"), ("env['Name']", "x"), ("env.nothing.more", None), ("matrix.list[1]", 2),
        ("matrix.list[7]", None), ("needs.*.result", ["success", "failure"]), ("matrix[*]", [[1, 2]]),
        ("0x1F", 31), ("-1.5e1", -15), ("1 < 2", True), ("2 <= 1", False), ("'b' > 'A'", True), ("2 >= 2", True),
        ("'a' != 'A'", False), ("true == 1", True), ("null == ''", True), ("'x' == 1", False),
        ("env == 1", False), ("!!env.n", True), ("!!!env.n", False), ("(1 == 2) || 'else'", "else"),
        ("null && 1", None), ("success()", True), ("startsWith('Hello', 'he')", True),
        ("contains(matrix.list, 2)", True), ("contains(matrix.list, 9)", False), ("join(matrix.list, '-')", "1-2"),
        ("join('ab')", "ab"), ("fromJSON('{\"a\": [1]}').a[0]", 1), ("toJSON(null)", "null"),
        ("format('{{{0}}}', 'a')", "{a}"), ("matrix.list[0] == 1 && matrix.list[1] == 2", True),
    ],
)  # fmt: skip
def test_what_they_are(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("'a", "is not understood"), ("env.a = 1", "Values are compared by =="), ('"a"', "Texts stand in single quotes"), ("stepz.a", "There is no context 'stepz'. Did you mean 'steps'"),
        ("containz('a')", "There is no function 'containz' here. Did you mean 'contains'"), ("env.", "A name is expected"),
        ("env.1", "A name is expected"), ("1 +", "is not understood"), ("(1", "')' is expected instead of 'the end'"),
        ("1 2", "'2' is not expected there"), ("", "It ends too early"), ("contains('a' 'b')", "')' is expected"),
        ("env[1", "']' is expected"), ("&&", "'&&' is not expected"), ("(" * 99, "nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_wrong(text, problem):
    with pytest.raises(BadExpression, match=problem.replace("(", r"\(").replace(")", r"\)").replace("[", r"\[")):
        parse(text)


@pytest.mark.parametrize("text", ["fromJSON('no')", "format('{3}')", "env < 'a'"])
def test_what_can_not_be_evaluated(text):
    try:
        assert value(text) is False  # unlike kinds are compared as numbers
    except ExpressionFailed as error:
        assert "can't be evaluated" in str(error)


def test_texts_with_expressions():
    """One that is nothing else keeps its kind; braces in texts don't end it."""
    look = lambda tree: evaluate(tree, CONTEXTS, {})
    assert filled("${{ env.n }}", look) == 3
    assert filled("${{ env.n }}-${{ '}}' }}", look) == "3-}}"
    assert filled({"a": ["${{ env.n }}", 1]}, look) == {"a": [3, 1]}
    assert unwrapped("${{ a }}") == " a " and unwrapped("a == '${{'") == "a == '${{'"


def test_as_texts():
    assert [as_text(each) for each in (None, True, False, 2.0, 2.5, "a", [1])] == [
        "",
        "true",
        "false",
        "2",
        "2.5",
        "a",
        "[\n  1\n]",
    ]
    assert [holds(each) for each in (None, "", 0, math.nan, False, "0", 1, [])] == [False] * 5 + [True] * 3


def test_what_they_read():
    assert parse("contains(needs.a.result, env['x']) && matrix[env.n]").reads() == [
        ("needs", "a", "result"),
        ("env", "x"),
        ("matrix",),
        ("env", "n"),
    ]
