"""docs/drawing.md: its snippets run, its commands work, and its picture is the one that is made today."""

from __future__ import annotations

import re
from pathlib import Path

from trioflow.cli import main

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "drawing.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_program():
    """The snippets, one after the other."""
    exec(compile("\n".join(blocks("python")), "drawing.md", "exec"), {})


def test_the_commands(capsys, tmp_path, monkeypatch):
    """Each does what it says, and the picture is that of the page."""
    monkeypatch.chdir(tmp_path)
    for line in blocks("sh")[0].splitlines():
        assert main(line.partition("#")[0].split()[1:]) == 0
    drawn = (tmp_path / "fizzbuzz.svg").read_text(encoding="utf-8")
    assert drawn == (DOCS / "pictures" / "fizzbuzz.svg").read_text(encoding="utf-8")
