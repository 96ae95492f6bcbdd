"""docs/durable.md tells the truth: its programs, one after the other, print what stands below them."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import trioflow as tf

PAGE = (Path(__file__).parents[2] / "docs" / "durable.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|text)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_programs():
    """Each block of Python is run; where text follows, that is what it prints."""
    known: dict[str, object] = {"__name__": "durable"}
    for place, (kind, text) in enumerate(BLOCKS):
        if kind == "text":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, f"durable.md, block {place}", "exec", dont_inherit=True), known)
        after = BLOCKS[place + 1] if place + 1 < len(BLOCKS) else ("", "")
        assert printed.getvalue() == (after[1] if after[0] == "text" else "")
    assert {type(each) for each in known.values()} >= {tf.SqliteJournal}


def test_the_promises_have_numbers():
    """Each promise is one row of the comparison, at least."""
    promised = re.findall(
        r"^(\d+)\. \*\*", PAGE.partition("## What exactly")[2].partition("## Values")[0], re.MULTILINE
    )
    compared = {row for row in re.findall(r"^\| (\d+) ", PAGE, re.MULTILINE)}
    assert {*promised} == compared
