"""Conditions in CEL: what is refused before a run, and what fails in it."""

from __future__ import annotations

import datetime
import enum
import sys

import attrs
import pytest

import trioflow as tf
from trioflow.expressions import BadExpression, compile_expression
from trioflow.expressions.values import crossing

NAMES = {"out.score": float, "out.name": str, "out.ok": bool, "vars.total": int, "error": None, "out.page": None}


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("out.score < 8", {"out.score": 7.5}, True),
        ("out.score < 8", {"out.score": 8}, False),
        ("out.score > 3.5 && out.score < 8", {"out.score": 5}, True),
        ("out.name == 'a'", {"out.name": "a"}, True),
        ("out.name == null", {"out.name": None}, True),
        ("out.ok", {"out.ok": True}, True),
        ("has(out.page.size) && out.page.size > 3", {"out.page": {}}, False),
        ("error.code == 503", {"error": type("E", (Exception,), {"code": 503})("x")}, True),
        ("size(out.page) == 2", {"out.page": (1, 2)}, True),
    ],
)
def test_what_holds(text, values, holds):
    """Numbers of all types compare, null is a value, and only what is named is needed."""
    assert compile_expression(text, NAMES, condition=True).holds(values) is holds


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("out.scor < 8", "line 1, column 4: there is no 'out.scor' here. Did you mean 'out.score'"),
        ("true\n|| nothing", "line 2, column 4: there is no 'nothing' here."),
        ("out.score < 'a'", "line 1, column 11: a number is compared with a text."),
        ("out.ok == 1", "line 1, column 8: true or false is compared with a number."),
        ("out.score <", "line 1, column 12: the expression ends too early: a value is missing"),
        ("", "line 1, column 1: the expression ends too early: a value is missing"),
        ("out.page in [1, 2", "line 1, column 18: the expression ends too early: expected ] or ,"),
        ("(out.ok", "line 1, column 8: ')' is missing"),
        ("out.ok out.ok", "line 1, column 8: 'out' can't stand here"),
        ("out.ok and not out.ok", "line 1, column 8: 'and' can't stand here; 'and' is written &&, 'not' is written !"),
        ("out..ok", "line 1, column 5: '..' can't stand here"),
        ("out.score = 3", "line 1, column 11: two values are compared with =="),
        ("out.score @ 3", "line 1, column 11: '@' means nothing here"),
        ("out.name == 'and", "line 1, column 13: the text that begins here has no closing '"),
        ("1 + 1", "line 1, column 1: a condition is true or false, and this is a number"),
        ("out.name", "line 1, column 1: a condition is true or false, and this is a text"),
    ],
)
def test_what_is_refused(text, problem):
    """With line and column, before anything runs."""
    with pytest.raises(BadExpression) as caught:
        compile_expression(text, NAMES, condition=True)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    ("text", "values", "problem"),
    [
        ("out.score < 8", {"out.score": "x"}, "The expression 'out.score < 8' failed: No matching overloads"),
        ("out.page.size > 3", {"out.page": {}}, "failed: Key not found in map"),
        ("1 / vars.total > 0", {"vars.total": 0}, "failed: divide by zero"),
        ("out.page", {"out.page": 3}, "The condition 'out.page' is 3, and a condition is true or false."),
        ("out.page == 1", {"out.page": object()}, "out.page is of type object, which expressions do not have."),
        ("out.page == 1", {"out.page": [{"a": 2**70}]}, r"out.page[0]['a'] is 1180591620717411303424, and expressions"),
    ],
)
def test_what_fails(text, values, problem):
    """An error is a value in CEL, and a true one: it never counts as an answer."""
    with pytest.raises(tf.ExpressionFailed) as caught:
        compile_expression(text, NAMES, condition=True).holds(values)
    assert problem in str(caught.value)


def test_values():
    """What an expression gives is Python again."""
    found = compile_expression("{'a': [out.score, 1], 'b': out.name}", NAMES).value({"out.score": 2.5, "out.name": "x"})
    assert found == {"a": [2.5, 1], "b": "x"}
    assert repr(compile_expression("1", {})) == "<expression '1'>"


class Colour(enum.IntEnum):
    RED = 3


@attrs.frozen
class Point:
    x: int
    secret: object = 1


def test_what_crosses():
    """Plain values, containers, attrs classes, failures; what is a number or a text in disguise."""
    now = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    assert crossing({"a": (1, None, b"x", now, datetime.timedelta(1))}, "v") == {
        "a": [1, None, b"x", now, datetime.timedelta(1)]
    }
    assert crossing(Point(2), "v") == {"x": 2, "secret": 1}
    assert crossing(Colour.RED, "v") == 3
    error = OSError("gone")
    error.place = "here"  # type: ignore[attr-defined]
    error.what = object()  # type: ignore[attr-defined]
    assert crossing(error, "error") == {"type": "OSError", "message": "gone", "place": "here"}
    with pytest.raises(tf.ExpressionFailed, match="a moment without a time zone"):
        crossing(datetime.datetime(2026, 1, 2), "v")  # noqa: DTZ001


def test_without_the_package(monkeypatch):
    """The message is the command that installs it."""
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    with pytest.raises(tf.MissingExtra, match=r"python -m pip install 'trioflow\[expressions\]'"):
        compile_expression("1 < 2 && 3 < 4", {"a": int})


def test_too_long():
    """What would take milliseconds to read in one piece is refused."""
    with pytest.raises(BadExpression, match="10,000 characters at most, and this has 10,001"):
        compile_expression("1" * 10_001, {})
