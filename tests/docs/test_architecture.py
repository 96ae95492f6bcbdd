"""The page about the layout names what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_files_that_are_named_exist():
    named = re.findall(r"`((?:model|semantics|runtime)/[\w/]*(?:\.py)?)`", PAGE)
    assert len(named) > 15
    for name in named:
        assert (ROOT / "trioflow" / name).exists(), name


def test_all_rooms_are_named():
    rooms = {path.name for path in (ROOT / "trioflow" / "runtime").iterdir() if path.name[0] not in "._"}
    assert {f"runtime/{name}{'' if name.endswith('.py') else '/'}" for name in rooms} <= set(
        re.findall(r"`([^`\n]+)`", PAGE)
    )


SECTIONS = re.findall(r"^## (One \w+)\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)


def test_a_trigger_a_demand_a_fork_a_firing_and_a_resume_are_followed():
    assert [title for title, _ in SECTIONS] == ["One trigger", "One demand", "One fork", "One firing", "One resume"]


@pytest.mark.parametrize(("title", "text"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_functions_that_are_named_are_in_the_files_that_are_named(title, text):
    """Each name of a section is one in a file of that section, or what is written by whoever uses it."""
    text = re.sub(r"`(?:await|tf)\b[^`]*`", "", text)
    files = [ROOT / "trioflow" / name for name in re.findall(r"`(\w+/[\w/]+\.py)`", text)]
    assert files
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    for name in re.findall(r"`(?:ctx\.)?(\w+)`", text):
        assert re.search(rf"\b{name}\b", source), name
