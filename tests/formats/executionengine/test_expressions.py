"""Conditions in the manner of C#, in CEL."""

from __future__ import annotations

import pytest

from trioflow.formats.executionengine.expressions import Untranslatable, member, translate


def resolve(root: str, name: str) -> str | None:
    """Everything is known but `gone`."""
    return None if name == "gone" else f"{root or 'bare'}_{name}"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('output.status == "ok"', 'output_status == "ok"'),
        ("a && !b || not c", "bare_a && !bare_b || !bare_c"),
        ("x and y or True", "bare_x && bare_y || true"),
        ("1 + 2 * -n % 3.5 <= 4", "1 + 2 * -bare_n % 3.5 <= 4"),
        ("ok ? 'a' : (b ? 1 : null)", 'bare_ok ? "a" : (bare_b ? 1 : null)'),
        ('Output["a b"].Count > 0', "size(output_a b) > 0"),
        ("list[i + 1].name", "bare_list[bare_i + 1].name"),
        ('GetInput("x") > GetGlobal("y")', "input_x > globals_y"),
        ('name.StartsWith("A") && name.Contains("b")', 'bare_name.startsWith("A") && bare_name.contains("b")'),
        ("x.ToString() == '1'", 'string(bare_x) == "1"'),
        (r'"a\n\"b\""', r'"a\n\"b\""'),
        ("globals", "bare_globals"),
    ],
)
def test_what_is_understood(text, meant):
    """Comparisons, logic, arithmetic, members, a few methods, and the names of what a node gets and gives."""
    assert translate(text, resolve) == meant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("a ==", "it is not complete"),
        ("a b", "'b' was not expected"),
        ("(a", r"'\)' is missing"),
        ("a ? b", "':' is missing"),
        ("a[1 2", "'\\]' was expected, not '2'"),
        ("a # b", "'# b' is not understood"),
        ("a.Trim()", "the method Trim is not known"),
        ("GetInput(x)", "GetInput needs a name in quotes"),
        ("output.gone", "nothing is known of 'output.gone' here"),
        ("gone", "nothing is known of 'gone' here"),
        ("* 2", "'\\*' was not expected"),
    ],
)
def test_what_is_not_understood_is_said(text, why):
    """Never a condition that is false for want of a better one."""
    with pytest.raises(Untranslatable, match=why):
        translate(text, resolve)


def test_members():
    """A key that is no name is written in brackets."""
    assert (member("x", "a"), member("x", "a b")) == ("x.a", 'x["a b"]')
