"""The pages of docs/ tell the truth: their snippets are run, one after the other, and print what stands below them."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import types
from pathlib import Path

import pytest

import trioflow as tf

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "server-sent-events.md"]
"""All but the one whose app is served for real, in tests/docs."""


def snippets(page: Path) -> list[tuple[int, str, str]]:
    """The line, the code and the expected output of each Python block."""
    text = page.read_text(encoding="utf-8")
    blocks = [*BLOCK.finditer(text)]
    found = []
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block[1] == "python":
            direct = following and following[1] == "text" and not text[block.end() : following.start()].strip()
            found.append((text.count("\n", 0, block.start()) + 1, block[2], following[2] if direct else ""))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_snippet_runs_and_prints_what_stands_below_it(page, monkeypatch):
    module = types.ModuleType(f"docs_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    found = snippets(page)
    assert found
    for line, code, expected in found:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * line + code, str(page), "exec"), vars(module))
        assert (line, printed.getvalue()) == (line, expected)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_and_names_that_are_mentioned_exist(page):
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (page.parent / link).exists(), link
    for name in re.findall(r"\btf\.(\w+)", text):
        assert hasattr(tf, name), name


def test_all_groups_of_events_are_in_their_page():
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    for group, kinds in tf.events.GROUPS.items():
        (row,) = re.findall(rf"^\| `{group}` \| (`[A-Z].*) \|$", page, re.MULTILINE)
        assert re.findall(r"`(\w+)`", row) == [kind.__name__ for kind in kinds]
