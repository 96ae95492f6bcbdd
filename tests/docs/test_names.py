"""Pages about names of others name what is there: members of the package, of runs and contexts, events, node types."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import trioflow as tf
from trioflow.durable.executing import JournalledRun

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = ["names-dipeo", "names-semantickernel-graph", "names-executionengine", "dipeo", "executionengine"]
OURS = {"tf": tf, "run": JournalledRun, "ctx": tf.Context}
ROW = re.compile(r"^\|(?P<theirs>(?:`[^`]*`|[^`|])*)\|(?P<ours>(?:`[^`]*`|[^`|])*)\|$", re.MULTILINE)
THEIRS = {"NotStarted", "ExceptionGroup"}
OF_SCRIPTS = {"state.get", "state.set", "state.progress", "state.log"}


def ours(page: str) -> list[str]:
    """What stands in backticks in the second column of the tables of a page."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    return [code for row in ROW.finditer(text) for code in re.findall(r"`([^`]*)`", row["ours"])]


@pytest.mark.parametrize("page", PAGES)
def test_names_are_there(page):
    """Each name of ours that a table gives can be found."""
    registry = tf.Registry.standard(allow=["scripts"])
    missing = []
    codes = ours(page)
    for code in codes:
        for owner, name in re.findall(r"\b(tf|run|ctx)\.(\w+)", code):
            if not hasattr(OURS[owner], name):
                missing.append(f"{owner}.{name}")
        camel = page.startswith("names") and re.fullmatch(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+", code) and code not in THEIRS
        if camel and not hasattr(tf.events, code) and not hasattr(tf, code):
            missing.append(code)
        family = re.fullmatch(r"(flow|state|script|value|person|api|text|template|json|user|hook|variable)\.\w+", code)
        if family is not None and code not in OF_SCRIPTS and registry.find(code) is None:
            missing.append(code)
    assert codes
    assert missing == []
