"""In a browser: graphs that are called, in tabs of their own; and stretches of recordings, of which not all is there."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.durable.memory import MemoryJournal
from trioflow.studio import Session
from trioflow.studio.keeping import Kept, recording_of
from trioflow.studio.shelf import Opened
from trioflow.telemetry import Recorder

from .browsers import IN_A_BROWSER, browser, button, picture, start_paused, status, step, studio
from .pages import registry, summing
from .test_asking import approving

__all__ = ["browser", "picture", "studio"]

pytestmark = IN_A_BROWSER


def tab(page, name):
    return page.get_by_role("tablist", name="Graphs").get_by_role("tab", name=name)


def node(page, name):
    return page.locator(".node .hit").and_(page.get_by_role("button", name=name))


def test_a_graph_that_is_called(studio, picture):
    """It has a tab, in which it alone is seen; the tab says how many strands are in it, and one steps from tab to tab."""
    page = studio("hanoi")
    page.get_by_role("treeitem", name="move all graph:move").click()
    page.get_by_role("tab", name="Node").click()
    button(page, "Open the graph that it calls").click()
    page.locator("[role=tab][aria-selected=true]", has_text="move").wait_for()
    node(page, "branch, flow.branch").wait_for()
    assert node(page, "move all, graph:move").count() == 0
    for text in ("moves", "less.result > 0", "move all.disks"):
        page.get_by_label("Watch", exact=True).fill(text)
        page.keyboard.press("Enter")
        button(page, f"Watch {text} no more").wait_for()
    page.locator("#scene").focus()
    start_paused(page)
    tab(page, "hanoi").and_(page.locator("[aria-selected=true]")).wait_for()  # where the strand is
    assert node(page, "branch, flow.branch").count() == 0
    for _ in range(4):
        if tab(page, "move, 1 strand").count():
            break
        step(page, "F11")
    tab(page, "move, 1 strand").and_(page.locator("[aria-selected=true]")).wait_for()
    for _ in range(5):
        step(page, "F11")
    page.locator("#watch").get_by_role("listitem").first.locator("code").wait_for()
    picture(page, "studio.png")
    page.get_by_role("tab", name="Strands").click()
    page.get_by_text("1 strand is in move.").wait_for()
    tab(page, "hanoi").click()
    page.get_by_text("1 more in other graphs.").wait_for()
    tab(page, "hanoi").focus()
    page.keyboard.press("ArrowLeft")
    tab(page, "All graphs").and_(page.locator("[aria-selected=true]")).wait_for()


def test_called_graphs_by_keyboard(studio):
    """O opens what the chosen node calls, U goes back to the node that calls."""
    page = studio("hanoi", read_only=True)
    page.get_by_role("treeitem", name="move all graph:move").click()
    page.keyboard.press("o")
    tab(page, "move").and_(page.locator("[aria-selected=true]")).wait_for()
    page.keyboard.press("u")
    tab(page, "hanoi").and_(page.locator("[aria-selected=true]")).wait_for()
    assert page.locator(".node.selected").get_attribute("data-id") == "move all"


def test_a_stretch_of_a_recording(studio, monkeypatch):
    """What is not there is got when one goes there; a stretch is chosen in words or by a drag over the strands."""
    monkeypatch.setattr("trioflow.studio.serving._MOST_EVENTS", 40)
    recorder = Recorder(graph=summing(30))
    tf.testing.run_virtual(summing(30), registry=registry(), observers=[recorder])
    recording = recorder.recording()
    total = len(recording)
    page = studio(summing(30), recording=recording)
    status(page, f"looking back on {total}")
    moment = page.get_by_label("Moment")
    page.locator("#event", has_text=f"{total} of {total}").wait_for()
    moment.fill("50")
    page.locator("#event", has_text=f"50 of {total}").wait_for()
    counted = sum(row.kind == "NodeStarted" and row.node == "add" for row in [*recording][:50])
    page.locator('.node[data-id="add"] .count', has_text=str(counted)).wait_for()
    button(page, "Up to here").click()
    page.locator("#moment[min='0'][max='50']").wait_for()
    moment.fill("20")
    page.locator("#event", has_text=f"20 of {total}").wait_for()
    button(page, "From here").click()
    page.locator("#moment[min='20'][max='50']").wait_for()
    button(page, "To the end").click()
    page.locator("#event", has_text=f"50 of {total}").wait_for()
    box = page.locator(".gantt canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 5, steps=4)
    page.mouse.up()
    page.wait_for_function("() => Number(document.getElementById('moment').min) > 20")
    assert int(moment.get_attribute("max")) < 50
    button(page, "All of it").click()
    page.wait_for_function("() => document.getElementById('moment').min === '0'")


def test_what_lasts_long_is_folded(studio):
    """A night in which nothing happens leaves room for what does; it is said how long it was, and can be unfolded."""
    with tf.build() as g:
        start, first = g.add(tf.nodes.Start, "start"), g.add("flow.sleep", "nap", duration="50ms")
        night, last = g.add("flow.sleep", "night", duration="9h"), g.add("flow.sleep", "snooze", duration="50ms")
        g.connect(start.then, first.enter)
        g.connect(first.then, night.enter)
        g.connect(night.then, last.enter)
    recorder = Recorder(graph=g.graph)
    tf.testing.run_virtual(g.graph, registry=registry(), observers=[recorder])
    page = studio(g.graph, recording=recorder.recording())
    page.get_by_text("A stretch in which nothing happened, 9 h of 9 h, is folded.").wait_for()
    box = page.locator(".gantt canvas").bounding_box()
    page.mouse.move(box["x"] + 62 + (box["width"] - 62) / 2, box["y"] + 5)
    page.locator('.gantt canvas[title="Nothing happened for 9 h; it is folded"]').wait_for()
    page.mouse.move(box["x"] + 62 + (box["width"] - 62) / 4, box["y"] + 5)
    page.locator('.gantt canvas[title^="nap:"]').wait_for()
    button(page, "Unfold").click()
    page.get_by_text("is not folded").wait_for()
    page.mouse.move(box["x"] + 62 + (box["width"] - 62) / 4 + 1, box["y"] + 5)
    page.locator('.gantt canvas[title^="night:"]').wait_for()
    button(page, "Fold").click()
    page.get_by_text("is folded.").wait_for()


class Drawer:
    """Something to open."""

    def __init__(self, holds, names):
        self.holds, self.names = holds, names

    def titles(self):
        return [{"name": each, "about": "completed, 3 records"} for each in self.names]

    def open(self, name):
        return Opened(name, summing(), registry())


@pytest.mark.parametrize(
    ("holds", "names", "said", "begins"),
    [
        ("graphs", ["one.json"], "Choose a graph, or begin one.", True),
        ("graphs", [], "There is no graph in this folder yet. Begin one.", True),
        ("runs", ["monday"], "Choose a run, to look back on it or to go back in it.", False),
        ("runs", [], "No run is in this journal yet.", False),
    ],
)
def test_nothing_is_open_yet(studio, holds, names, said, begins):
    """It is said what can be opened, and that is no problem of a graph."""
    page = studio(Session(tf.Graph(), registry(), name="drawer", shelf=Drawer(holds, names)))
    page.get_by_text(said).wait_for()
    status(page, "Nothing is open yet.")
    page.get_by_text("What is opened has its nodes here.").wait_for()
    assert page.get_by_text("Problems:").count() == button(page, "Edit").count() == 0
    assert page.get_by_label("Name of a new graph").count() == begins
    for name in names:
        button(page, name).click()
        page.get_by_role("treeitem", name="loop flow.for").wait_for()
        status(page, "Ready")
        button(page, "Edit").wait_for()


def test_a_run_that_was_put_away_is_gone_on_with(studio):
    """It is looked back on first; then it goes on, asks what it waits for, and ends."""
    journal = MemoryJournal()
    with pytest.raises(tf.RunSuspended):
        trio.run(
            lambda: tf.run(tf.make_plan(approving(), registry()), journal=journal, run_id="order", suspend_after=0)
        )
    kept = Kept(journal, "order")
    page = studio(Session(approving(), registry(), name="order", recording=recording_of(kept), kept=kept))
    status(page, "looking back on")
    button(page, "Go on").click()
    page.get_by_role("button", name="yes: May we ship?").click()
    status(page, "completed")
    button(page, "Go on").wait_for(state="detached")
    page.get_by_role("button", name="ship, debug.print, 1 times").wait_for()
