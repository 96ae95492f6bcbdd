"""Which regular expressions are matched at once: none that could take long, and all that people write for small texts."""

from __future__ import annotations

import re

import pytest

from trioflow.nodes._patterns import is_quick


@pytest.mark.parametrize(
    "pattern",
    [
        "abc", "^a.c$", r"\d+", r"\d+-\d+", r"[a-z]+@[a-z]+\.com", "(a|b|cd)+?x".replace("+?", ""), "a?b?c", "(?=a)b", "(?!a)b",
        r"\s*=\s*", "[^,]*,", "[^a-f]*c", r"\w+ ", r"\w{3}", "(ab){3}", "(?i:a)b", "a*+b", ".*x", "[ab]*c", r"[\d,]*;", r"\D+x",
    ],
)  # fmt: skip
def test_quick_for_a_short_text(pattern):
    """Twenty characters."""
    assert is_quick(pattern, 0, 20)
    assert not is_quick(pattern, 0, 10**6)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$", "(ab|c)*(d|e)*f", "(?:a?){2000}", r"(a)\1", "(a)?(?(1)b|c)", "a" * 301, "(a*)*", "(a{2,3}){5}", "a{2,2000}",
        "a*b*c*d*e*f*g*h*i*j*", "(?:(?:a|b)(?:c|d)(?:e|f)?){1,3}x",
    ],
)  # fmt: skip
def test_not_sure_to_be_quick(pattern):
    """Whether for what it is made of, or for how it may be matched."""
    try:
        re.compile(pattern)
    except re.error:
        pytest.fail("no pattern")
    assert not is_quick(pattern, 0, 50)


@pytest.mark.parametrize(
    ("pattern", "flags", "quick"),
    [
        ("a*b", 0, True),
        ("a*a", 0, False),
        ("a*A", 0, True),
        ("a*A", re.IGNORECASE, False),
        ("[^b]*b", 0, True),
        ("[^a-c]*b", 0, True),
        ("[^c]*b", 0, False),
        ("[a-c]*b", 0, False),
        ("[a-c]*d", 0, True),
        (r"\d*x", 0, True),
        (r"\d*1", 0, False),
        (r"\s*x", 0, True),
        (r"\w*-", 0, True),
        (r"\w*_", 0, False),
        (r"\S*x", 0, False),
        (".*x", 0, False),
        ("a*(?i:b)", 0, False),
        ("(?i:a*b)", 0, False),
    ],
)
def test_a_run_whose_end_is_certain(pattern, flags, quick):
    """A repeat of what can't be the character behind it passes over the text once."""
    assert is_quick(pattern * 2, flags, 50) == quick  # two that are not make each other longer


def test_what_is_no_pattern():
    with pytest.raises(re.error):
        is_quick("(", 0, 1)
