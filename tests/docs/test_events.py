"""What docs/events.md says of events in tables; its snippets are run by tests/test_readme.py."""

from __future__ import annotations

import re
from pathlib import Path

from trioflow import events

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")


def test_all_groups_are_in_the_page():
    """Each group of kinds is there, with all its kinds in their order."""
    for group, kinds in events.GROUPS.items():
        (row,) = re.findall(rf"^\| `{group}` \| (`[A-Z].*) \|$", PAGE, re.MULTILINE)
        assert re.findall(r"`(\w+)`", row) == [kind.__name__ for kind in kinds]


def test_all_that_every_event_has_is_in_the_page():
    """So is each attribute that all events have, besides the id that is made of two of them."""
    rows = re.findall(r"^\| `(\w+)` \| [a-z]", PAGE, re.MULTILINE)
    assert rows == ["run", "sequence", "id", *events.BASE[2:]]
