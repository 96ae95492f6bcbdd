"""The page about the layout names what is there."""

from __future__ import annotations

import re
from pathlib import Path

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
