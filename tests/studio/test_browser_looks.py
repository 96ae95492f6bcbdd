"""What a person sees: an answer at once, nothing that covers something else, and nothing that scolds who has done nothing yet."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.studio import Session
from trioflow.studio.files import GraphFile

from .browsers import IN_A_BROWSER, browser, button, start_paused, status, step, studio
from .pages import registry, summing
from .test_browser_editing import node, pick

__all__ = ["browser", "studio"]

pytestmark = IN_A_BROWSER


class Slow:
    """Holds up what the page asks at an address, until it is let go."""

    def __init__(self, page, address):
        self.held, self.open = [], False
        page.route(address, lambda route: route.continue_() if self.open else self.held.append(route))

    def let_go(self):
        self.open = True
        for each in self.held:
            each.continue_()


def overlaps(one, other):
    return (
        one["x"] < other["x"] + other["width"] - 1
        and other["x"] < one["x"] + one["width"] - 1
        and one["y"] < other["y"] + other["height"] - 1
        and other["y"] < one["y"] + one["height"] - 1
    )


def test_what_takes_a_while_is_seen_to_go_on(studio):
    """While the server has not answered, the page shows that it waits; then no more."""
    page = studio(summing())
    button(page, "Run").click()
    status(page, "completed")
    waiting = page.locator("html.waiting")
    slow = Slow(page, "**/api/recording")
    button(page, "Look back").click()
    waiting.wait_for()
    slow.let_go()
    status(page, "looking back")
    waiting.wait_for(state="detached")


def test_types_are_asked_for_while_they_come(studio, tmp_path):
    """The field is there before the types are; what is typed and taken meanwhile counts when they have come."""
    page = studio(summing())
    slow = Slow(page, "**/api/catalogue")
    page.keyboard.press("e")
    page.keyboard.press("n")
    page.get_by_role("combobox", name="Add a node").wait_for()
    page.get_by_text("Looking …").wait_for()
    page.keyboard.type("debug.print")
    page.keyboard.press("Enter")
    slow.let_go()
    node(page, "print, debug.print").wait_for()


def test_an_empty_graph_has_no_problems_yet(studio, tmp_path):
    """It says what to do; first among the types is what a graph begins with, then what it has already."""
    page = studio(Session(tf.Graph(), registry(), name="g.json", file=GraphFile(tmp_path / "g.json")))
    status(page, "Empty. Add a node.")
    assert page.get_by_text("Problems").count() == 0
    first = page.locator("#picked li").first
    page.keyboard.press("n")
    first.get_by_text("flow.start").wait_for()
    pick(page, "math.add")
    page.get_by_text("Problems").wait_for()
    page.keyboard.press("n")
    first.get_by_text("math.add").wait_for()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
def test_values_do_not_cover_nodes(studio, width, height):
    """They are as wide as there is room before the next node."""
    page = studio("hanoi", width=width, height=height)
    start_paused(page)
    for _ in range(9):
        step(page, "F11")
    page.locator(".pin em", has_text="False").wait_for(state="attached")
    button(page, "Fit").click()
    nodes = [each.bounding_box() for each in page.locator(".node").all()]
    values = [each.bounding_box() for each in page.locator(".pin.out em:not(:empty)").all()]
    assert len([each for each in values if each]) >= 4
    assert not [(one, other) for one in values if one for other in nodes if overlaps(one, other)]


def test_nothing_lies_over_the_graph_of_a_narrow_page(studio):
    """What zooms and colours stands below it."""
    page = studio("hanoi", width=400)
    boxes = [page.locator(each).bounding_box() for each in ("#scene", "#view", "#tabs", "header")]
    assert not [(one, other) for at, one in enumerate(boxes) for other in boxes[:at] if overlaps(one, other)]
    assert page.evaluate("document.documentElement.scrollWidth") == 400


def test_strands_of_a_moment(studio):
    """Looking back, the list has those that were at a node then."""
    with tf.build() as g:
        start, each = g.add(tf.nodes.Start, "start"), g.add("flow.parallel_for", "each", times=3)
        wait = g.add(tf.nodes.Delay, "wait", seconds=0.05)
        g.connect(start.then, each.enter)
        g.connect(each.body, wait.enter)
    page = studio(g.graph)
    button(page, "Run").click()
    status(page, "completed")
    button(page, "Look back").click()
    page.get_by_role("tab", name="Strands").click()
    page.get_by_text("At this moment no strand was at a node.").wait_for()
    for _ in range(6):
        button(page, "One event back").click()
    page.get_by_role("tab", name="Strands").click()
    page.get_by_role("listitem").filter(has_text="strand 0 at each").wait_for()
    page.get_by_role("listitem").filter(has_text="at wait").first.wait_for()


def view(page):
    """Where the graph is drawn, and how large: x, y, scale."""
    words = page.locator("#scene .nodes").evaluate("(layer) => new DOMMatrix(layer.style.transform)")
    return words["e"], words["f"], words["a"]


def test_fingers_move_and_zoom(studio):
    """One drags the graph along, two that part make it larger."""
    page = studio(summing(), width=400)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    box = page.locator("#scene").bounding_box()
    middle, down = box["x"] + box["width"] / 2, box["y"] + box["height"] - 40

    def touch(kind, *apart):
        points = [{"x": middle + each, "y": down, "id": number} for number, each in enumerate(apart)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    begin = view(page)
    touch("touchStart", 0)
    for each in (20, 40, 60):
        touch("touchMove", each)
    touch("touchEnd")
    page.wait_for_function(
        "(before) => new DOMMatrix(document.querySelector('#scene .nodes').style.transform).e > before + 30",
        arg=begin[0],
    )
    moved = view(page)
    assert moved[2] == begin[2]
    touch("touchStart", -30, 30)
    for each in (45, 60):
        touch("touchMove", -each, each)
    touch("touchEnd")
    page.wait_for_function(
        "(before) => new DOMMatrix(document.querySelector('#scene .nodes').style.transform).a > before * 1.4",
        arg=moved[2],
    )
    assert page.evaluate("visualViewport.scale") == 1
