"""Conditions in Python's syntax in CEL, and what code sets and asks for."""

from __future__ import annotations

import pytest

from trioflow.formats.dipeo.expressions import Code, Untranslatable, names_in, translate


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a == 1 and not b or c is None", "((x_a == 1 && !(x_b)) || x_c == null)"),
        ("1 < a <= 2", "(1 < x_a && x_a <= 2)"),
        ("a in [1, 'x'] and b not in c", '(x_a in [1, "x"] && !(x_b in x_c))'),
        ("-a + b * 2 % 3 / 4.5", "(-(x_a) + (double(((x_b * 2) % 3)) / double(4.5)))"),
        ("a if b else True", "(x_b ? x_a : true)"),
        ("len(a.b['c']) > int('1')", 'size(x_a.b["c"]) > int("1")'),
        ("a.get('k', 0) == a.get('l')", '("k" in x_a ? x_a["k"] : 0) == ("l" in x_a ? x_a["l"] : null)'),
        ("a.startswith('b')", 'x_a.startsWith("b")'),
    ],
)
def test_what_is_understood(text, meant):
    """Comparisons, logic, arithmetic, members, a few functions and methods."""
    assert translate(text, lambda name: f"x_{name}") == meant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a ==", "it is not an expression"),
        ("gone", "nothing is known of 'gone'"),
        ("[x for x in a]", "can't be said in CEL"),
        ("a // 2", "can't be said in CEL"),
        ("f(a)", "the call 'f\\(a\\)' can't"),
        ("a.strip()", "the call 'a.strip\\(\\)' can't"),
        ("a[1:2]", "can't be said in CEL"),
        ("b'x'", "can't be said in CEL"),
        ("(" * 1000, "it is not an expression"),
    ],
)
def test_what_is_not_understood_is_said(text, why):
    """Never a condition that is false for want of a better one."""
    with pytest.raises(Untranslatable, match=why):
        translate(text, lambda name: None if name == "gone" else name)


def test_names():
    """Those of an expression; none of one that can't be read."""
    assert names_in("a + b.c") == {"a", "b"}
    assert names_in("a +") == frozenset()


def test_code():
    """What it sets and keeps, what it asks for first, its functions, and whether it returns or prints."""
    code = Code(
        "import os, sys as system\nfrom a import b\n_own = given\ntotal = total + 1\ncount += 1\n"
        "for i, j in pairs:\n    last = i\nx: int = 3\ny: int\nlater = lambda: unknown\nmade = [q for q in z]\n"
        "def f(a, /, b, *, c):\n    print(inner)\ndef g(**all): ...\nclass C: ...\n"
    )
    assert code.values == ["total", "count", "i", "j", "last", "x", "y", "later", "made"]
    assert [*code.asked] == ["given", "total", "count", "pairs"]
    assert code.functions == {"f": ("a", "b", "c"), "g": None}
    assert (code.returns, code.prints, code.problem) == (False, True, "")
    assert Code("if a:\n    return 1").returns
    assert Code("x = (").problem == "'(' was never closed (line 1 of the code)"
    assert "null bytes" in Code("x\0").problem
