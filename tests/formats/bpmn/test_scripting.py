"""Scripts: a subset of Python, and assignments in other languages."""

from __future__ import annotations

import pytest

from trioflow.formats.bpmn import evaluation, scripting
from trioflow.formats.bpmn.expressions import NotUnderstood


def ran(text, language="", **values):
    shown = []
    evaluation.run(scripting.script_of(text, language).action, values, shown.append, "the script")
    return values if not shown else (values, shown)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x = 1; y = x", {"x": 1, "y": 1}),
        ("a, (b, c) = 1, [2, 3]", {"a": 1, "b": 2, "c": 3}),
        ("x: int = 2\nx **= 3", {"x": 8}),
        ("d = {'a': [1]}\nd['a'][0] += 1\nd.b = 2", {"d": {"a": [2], "b": 2}}),
        ("x = 0\nwhile True:\n    x += 1\n    if x > 3:\n        break", {"x": 4}),
        ("s = ''\nfor c in 'abc':\n    if c == 'b':\n        continue\n    s += c\nelse:\n    s += '!'", {"s": "ac!", "c": "c"}),
        ("x = [i for i in range(5) if i % 2]", {"x": [1, 3], "i": 4}),
        ("x = {k: v for k, v in {'a': 1}.items()}", {"x": {"a": 1}, "k": "a", "v": 1}),
        ("x = {1, 2} | {i for i in [3]}", {"x": {1, 2, 3}, "i": 3}),
        ("x = sum(i for i in (1, 2))", {"x": 3, "i": 2}),
        ("x = 'abc'[::-1].upper()[:2]", {"x": "CB"}),
        ("x = f'{1 / 4:.3f} {1!s}'", {"x": "0.250 1"}),
        ("x = 1 if 2 not in [2] else -3", {"x": -3}),
        ("x = [1, 2]\ndel x[0]\nassert x == [2]\npass", {"x": [2]}),
        ("x = not 1 or 'yes' and 0", {"x": 0}),
        ("x = 'n' + 1", {"x": "n1"}),
        ("x = 1\ndel x", {"x": None}),
        ("x = 'ab' * 2\ny = [0] * 2", {"x": "abab", "y": [0, 0]}),
        ("x = (None is None) and 1 < 2 < 3", {"x": True}),
        ("x = len", {"x": len}),
        ("    x = 1\n    y = 2", {"x": 1, "y": 2}),
        ("x = 'ab'.length\ny = [1].contains(1)", {"x": 2, "y": True}),
        ("x = y = 1\nif x > 1:\n    x = 5\nelse:\n    x = [1 not in [1], 'a'.isEmpty()]", {"x": [False, False], "y": 1}),
        ("d = {}\nd['a'] = 1\ndel d['a']\nwhile d:\n    d = 0\nelse:\n    d = 2", {"d": 2}),
    ],
)  # fmt: skip
def test_python(text, values):
    assert ran(text, "python") == values


def test_print():
    """What a script prints goes to whoever runs it."""
    assert ran("print('a', 1)\nprint(1, 2, sep='-')") == ({}, ["a 1", "1-2"])
    assert ran("console.log()", "javascript") == ({}, [""])


@pytest.mark.parametrize("language", ["javascript", "groovy", "application/x-js"])
def test_other_languages(language):
    """Assignments and prints are understood whatever the language; strings and comments hide what ends statements."""
    text = "var a = 'x;y'; let b = 2 // two\nb += 3\nexecution.setVariable(\"c\", a.length() + b);\nb++;\nprintln(c)\na"
    assert ran(text, language) == ({"a": "x;y", "b": 6, "c": 8}, ["8"])


def test_a_bare_language():
    """Where no language is said, what is not Python is read as one of the others."""
    assert ran("var x = 1 && 2;") == {"x": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os", "'import os' in line 1 is not allowed"), ("x = (lambda: 1)()", "lambda"), ("def f():\n  1", "def f"),
        ("x =", "it is not Python in line 1"), ("with x:\n    y", "with x"), ("x = [*y]", "allowed"),
        ("try:\n    x\nexcept ValueError:\n    y", "try:"), ("f'{x'", "not Python"), ("x := 1", "not Python"),
    ],
)  # fmt: skip
def test_refused(text, message):
    """What is not in the subset is refused with its line, before anything runs."""
    with pytest.raises(NotUnderstood, match=".") as caught:
        scripting.parse_script(text, "python")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y", "there is no variable 'y'"), ("x = 1 / 0", "ZeroDivisionError"), ("open('x')", "no function 'open'"),
        ("''.format(1)", "not a function that scripts have"), ("''.__class__", "has no '__class__'"),
        ("().__class__()", "not a function that scripts have"), ("x = 10 ** 10000", "too large"), ("x = 'a' * 9999999", "large"),
        ("while True:\n    pass", "more than 1,000 steps"), ("range(10 ** 9)", "goes on for too long"),
        ("x = 'a' % 1", "f-strings"), ("x = {}\nx.y", "there is no 'y' in it; there are: none"),
        ("x = 1\nx.y = 2", "is not a mapping"), ("assert 1 > 2", "does not hold"), ("x = 'a'.center(9999999)", "too large"),
        ("x = f'{1:9999}'", "too long a text"), ("len.x()", "not a function that scripts have"), ("x = 1 @ 2", "MatMult"),
        ("x = 'a' * 900000\ny = x + x", "too large"), ("[1][3]", "IndexError"), ("a, b = 1, 2, 3", "ValueError"),
        ("x = [1].nothing()", "not a function that scripts have"), ("for i in range(1000):\n    x = i", "more than 1,000 steps"),
        ("x = [i for i in range(900)]", "more than 1,000 steps"), ("x = [0]\nfor x[0] in [1, 2]:\n    pass\nx.y", "has no 'y'"),
    ],
)  # fmt: skip
def test_failures(text, message, monkeypatch):
    """Scripts fail with what is wrong, and do nothing that they may not."""
    monkeypatch.setattr(evaluation, "STEPS", 1000)
    with pytest.raises(evaluation.ScriptFailed, match=".") as caught:
        ran(text, "python")
    assert message in str(caught.value)


def test_what_is_shared_is_copied():
    """A script changes what is its own."""
    mine = {"a": [1]}
    copied = evaluation.own(mine)
    copied["a"].append(2)
    assert (mine, evaluation.own(3)) == ({"a": [1]}, 3)
    assert scripting.changed_in(scripting.parse_script("a.b.append(1)\nc['x'] = 1\nd = e[1]")) == ["a", "c"]
