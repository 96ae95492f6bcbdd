"""Values as the page shows them."""

from __future__ import annotations

import threading

import pytest

from trioflow.model.secret import HIDDEN, reveal
from trioflow.studio.shown import shown


class Raises:
    def __repr__(self):
        raise RuntimeError("no")


class Blocks:
    asked = 0

    def __repr__(self):
        Blocks.asked += 1
        threading.Event().wait(3)
        return "at last"


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


def test_one_that_blocks(monkeypatch):
    """It holds nobody up for long, and is not asked again."""
    monkeypatch.setattr("trioflow.studio.shown._LONGEST_WAIT", 0.01)
    assert [shown(Blocks()), shown([Blocks()])] == [
        "<Blocks: not shown, its repr takes too long>",
        "[<Blocks: not shown, its repr takes too long>]",
    ]
    assert Blocks.asked == 1


def test_secrets_are_hidden():
    """Also where a text is cut in the middle of one: no half of it is left."""
    secret = reveal("s3cr3t-of-the-studio")
    for text in (secret, "x" * 990 + secret + "x" * 5000, [secret], {"k": secret}):
        assert "s3cr" not in shown(text)
    assert HIDDEN in shown([secret])
