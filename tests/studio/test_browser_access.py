"""For people who do not see the page: axe finds nothing, in any of its states, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

import trioflow as tf
from trioflow.studio import Session

from .browsers import IN_A_BROWSER, browser, button, start_paused, status, studio
from .pages import registry, summing
from .test_asking import approving

__all__ = ["browser", "studio"]

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [*IN_A_BROWSER, pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm install in tests/studio")]


def violations(page):
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")["violations"]
    return [(each["id"], each["help"], [node["html"][:200] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(studio, scheme):
    """In the outline, forms, dialogs, while a run stands, and looking back."""
    page = studio(summing(), scheme=scheme)
    assert violations(page) == []
    button(page, "Edit").click()
    page.get_by_label("Kind of the graph").wait_for()
    assert violations(page) == []
    page.get_by_role("treeitem", name="loop flow.for").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_label("Value of times").wait_for()
    assert violations(page) == []
    page.get_by_text("Policy: retries, limits, fallback").click()
    page.get_by_label("At most so often").check()
    page.get_by_label("How often, such as 50/s").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Duplicate").focus()
    page.keyboard.press("n")
    page.locator("#picked-0").wait_for()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_label("Watch", exact=True).fill("square.result")
    page.keyboard.press("Enter")
    start_paused(page)
    page.get_by_role("button", name="Evaluate square.result at each stop").wait_for()
    for tab in ("Node", "Strands", "Breakpoints", "Messages"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Strands":
            button(page, "Over time").click()
            page.get_by_role("group", name="Strands over time, so far").wait_for()
        assert violations(page) == [], tab
    button(page, "Resume").click()
    status(page, "completed")
    button(page, "Look back").click()
    status(page, "looking back")
    assert violations(page) == []


def test_axe_finds_nothing_in_questions_and_lists(studio):
    """Questions above the graph, a run that goes on, a wire with a breakpoint, on a narrow screen."""
    session = Session(approving(), registry())
    page = studio(session, width=400)
    button(page, "Run").click()
    page.get_by_role("button", name="yes: May we ship?").wait_for()
    assert violations(page) == []
    button(page, "Cancel").click()
    status(page, "cancelled")
    button(page, "Edit").click()
    page.get_by_role("treeitem", name="ask flow.approve").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_role("button", name="← start.then").click()
    button(page, "Set breakpoint").click()
    button(page, "Remove breakpoint").wait_for()
    assert violations(page) == []


def test_axe_finds_nothing_where_nothing_is(studio):
    """In an empty graph, on a narrow screen."""
    page = studio(tf.Graph(), width=400)
    page.get_by_text("An empty graph").wait_for()
    assert violations(page) == []
