"""docs/durable.md: what it promises is compared, promise by promise. Its programs are run by tests/test_readme.py."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "durable.md").read_text(encoding="utf-8")


def test_each_promise_is_compared():
    """Each has at least one row in the table of what other systems promise."""
    promised = re.findall(
        r"^(\d+)\. \*\*", PAGE.partition("## What exactly")[2].partition("## Values")[0], re.MULTILINE
    )
    compared = re.findall(r"^\| (\d+) ", PAGE, re.MULTILINE)
    assert {*promised} == {*compared}
