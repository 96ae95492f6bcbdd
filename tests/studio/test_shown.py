"""Values as the page shows them."""

from __future__ import annotations

import pytest

from trioflow.model.secret import HIDDEN, reveal
from trioflow.studio.shown import shown


class Raises:
    def __repr__(self):
        raise RuntimeError("no")


class Long:
    def __repr__(self):
        return "x" * 100_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        ("a", "'a'"),
        ([1, [2]], "[1, [2]]"),
        (Raises(), "<Raises: RuntimeError when shown>"),
        ([Raises()], "[<Raises: RuntimeError when shown>]"),
    ],
)
def test_values(value, text):
    """As Python writes them; what can't be shown says so."""
    assert shown(value) == text


@pytest.mark.parametrize(
    "value",
    [
        Long(),
        "x" * 100_000,
        [*range(100_000)],
        {n: n for n in range(100_000)},
        b"x" * 100_000,
        [["x" * 1000] * 30] * 30,
    ],
)
def test_long_values_are_cut(value):
    """Whatever is long in them."""
    assert len(shown(value)) <= 2000
    assert "..." in shown(value)


def test_secrets_are_hidden():
    """Also where a text is cut in the middle of one: no half of it is left."""
    secret = reveal("s3cr3t-of-the-studio")
    for text in (secret, "x" * 990 + secret + "x" * 5000, [secret], {"k": secret}):
        assert "s3cr" not in shown(text)
    assert HIDDEN in shown([secret])
