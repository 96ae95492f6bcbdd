"""The page in a real browser, as a person uses it: by the names of things, with nothing in the console.

Chromium is the system's own. Where there is none, or the package that drives it is missing, these are skipped.
"""

from __future__ import annotations

import queue
import re
import shutil
import threading

import pytest
import trio

import trioflow as tf
from trioflow.cli.source import open_source
from trioflow.studio import Session
from trioflow.telemetry import Recorder

from .pages import failing, registry, summing

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
pytest.importorskip("starlette", reason="the page is served with starlette")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.outside,
    pytest.mark.slow,
    pytest.mark.unmeasured,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Served(threading.Thread):
    """A session that is served in a thread of its own, until it is told to stop."""

    def __init__(self, session):
        super().__init__()
        self.session, self.begun = session, queue.SimpleQueue()
        self.start()
        self.page, self.token, self.stop = self.begun.get(timeout=20)

    def run(self):
        async def serve():
            stop = trio.Event()
            async with tf.studio.serve_session(self.session) as page:
                self.begun.put((page, trio.lowlevel.current_trio_token(), stop))
                await stop.wait()

        trio.run(serve)

    def end(self):
        if self.is_alive():
            self.token.run_sync_soon(self.stop.set)
        self.join(20)


@pytest.fixture
def studio(browser):
    """Open a graph in a page; at the end its console must be empty, and nothing from elsewhere asked for."""
    served, said, contexts = [], [], []

    def open_page(graph="hanoi", width=1280, height=800, scheme="light", **given):
        if isinstance(graph, str):
            source = open_source(graph, ())
            session = Session(source.graph, source.registry, name=graph, **given)
        else:
            session = Session(graph, registry(), name="graph", **given)
        served.append(Served(session))
        address = served[-1].page.address
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda request: request.url.startswith(address.partition("#")[0]) or said.append(request.url)
        )
        page.goto(address)
        page.locator("#status", has_text=re.compile("Ready|looking back|has problems")).wait_for()
        page.served, page.said = served[-1], said
        return page

    yield open_page
    for context in contexts:
        context.close()
    for each in served:
        each.end()
    assert said == []


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def status(page, text):
    page.locator("#status", has_text=text).wait_for()


def start_paused(page):
    button(page, "Run…").click()
    page.get_by_label("Stop before the first node").check()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    status(page, "stopped: before the first node")


def test_the_token_leaves_the_address(studio):
    """Whoever looks over the shoulder does not see it; a reload still works."""
    page = studio()
    assert page.url == page.served.page.address.partition("#")[0]
    page.reload()
    status(page, "Ready")


def test_without_the_address(studio):
    """A page without its token says what is missing."""
    page = studio()
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.get_by_text("This page needs its address").wait_for()
    page.get_by_text("The token is missing or wrong").wait_for()
    assert [text for text in page.said if "401" not in text] == []  # the browser itself tells of refusals
    page.said.clear()


def test_a_graph_is_seen_and_run(studio):
    """Its nodes are buttons with names, called graphs included; after a run they say how often they ran."""
    page = studio()
    page.get_by_role("button", name="move all, graph:move").wait_for()
    button(page, "Run").click()
    status(page, "completed · 61 steps, 60 evaluations")
    page.get_by_role("button", name="on top, graph:move, 7 times").wait_for()


def test_stepping(studio):
    """Into, over and out lead where the debugger leads; the node where the strand waits is chosen and looked into."""
    page = studio(summing())
    start_paused(page)
    button(page, "Into").click()
    status(page, "stepped into 0.0")
    button(page, "Into").click()
    status(page, "stepped into 0.1")
    page.get_by_role("button", name="add, variable.update, parked").wait_for()
    button(page, "Over").click()
    status(page, "stepped over 0.1.0")
    page.get_by_role("heading", name="add").wait_for()
    page.get_by_role("tab", name="Outline").click()
    page.get_by_role("treeitem", name="square studio.square").click()
    page.get_by_role("tab", name="Node").click()
    button(page, "evaluate").click()
    page.locator("code.evaluated", has_text="1").wait_for()
    button(page, "Out").click()
    status(page, "completed")


def test_a_variable_is_set_and_an_output_evaluated(studio):
    """Both by hand, while the strand waits."""
    page = studio(summing())
    start_paused(page)
    for path in ("0.0", "0.1"):
        button(page, "Into").click()
        status(page, f"stepped into {path}")
    page.get_by_label("Value of total").fill("1000")
    button(page, "set").click()
    page.get_by_role("tab", name="Messages").click()
    page.get_by_text("total was set to 1000").wait_for()
    button(page, "Resume").click()
    page.get_by_text("1005").wait_for()


def test_breakpoints(studio):
    """Set at a node with a condition, hit, listed, switched off, removed."""
    page = studio(summing())
    page.get_by_role("treeitem", name="add variable.update").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_label("Condition of the breakpoint").fill("value == 4")
    button(page, "Set breakpoint").click()
    page.get_by_role("button", name="add, variable.update, breakpoint").wait_for()
    button(page, "Run").click()
    status(page, "stopped: breakpoint on 'add'")
    page.get_by_role("tab", name="Breakpoints").click()
    page.get_by_label("b1 counts").uncheck()
    page.get_by_label("Remove b1").click()
    page.get_by_text("No breakpoint is set").wait_for()
    button(page, "Resume").click()
    status(page, "completed")


def test_a_failure(studio):
    """It can be stopped at; then the node, the path and the error are told, and the node is marked."""
    page = studio(failing())
    page.get_by_role("tab", name="Breakpoints").click()
    page.get_by_label("Stop where a node fails").check()
    button(page, "Run").click()
    status(page, "stopped: ")
    button(page, "Resume").click()
    status(page, "failed: ValueError: no 7")
    page.get_by_text("activation 0.1").wait_for()
    page.get_by_role("button", name="fail, studio.fails, 1 times, failed 1 times").wait_for()


def test_all_by_keyboard(studio):
    """The outline is a tree that arrows walk through; keys set a breakpoint, run, step and resume."""
    page = studio(summing())
    page.get_by_role("treeitem").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter", "F9"):
        page.keyboard.press(key)
    page.get_by_role("button", name="add, variable.update, breakpoint").wait_for()
    page.keyboard.press("F8")
    status(page, "stopped: breakpoint on 'add'")
    page.keyboard.press("F10")
    status(page, "stepped over 0.1.0")
    page.keyboard.press("F9")
    page.locator(".node.stop").wait_for(state="detached")
    page.keyboard.press("F8")
    status(page, "completed")
    page.get_by_role("tab", name="Node").click()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Strands").get_attribute("aria-selected") == "true"


def test_looking_back(studio):
    """One event after the other, backwards and forwards, and heat of where the time went."""
    page = studio(summing())
    button(page, "Run").click()
    status(page, "completed")
    button(page, "Look back").click()
    status(page, "looking back on")
    page.get_by_role("button", name="add, variable.update, 3 times").wait_for()
    button(page, "To the start").click()
    page.get_by_text("before the first event").wait_for()
    page.get_by_role("button", name="add, variable.update", exact=True).wait_for()
    button(page, "One event on").click()
    page.locator("#event", has_text="1 of").wait_for()
    page.get_by_label("Moment").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="add, variable.update, 3 times").wait_for()
    button(page, "Heat").click()
    page.locator('.node[style*="--heat: 100%"]').wait_for()
    button(page, "Live").click()
    status(page, "completed")


def test_a_recording_that_is_given(studio):
    """It is looked back on at once."""
    recorder = Recorder()
    trio.run(lambda: tf.run(tf.make_plan(summing(), registry()), observers=[recorder]))
    page = studio(summing(), recording=recorder.recording())
    status(page, "looking back on")
    page.get_by_role("button", name="add, variable.update, 3 times").wait_for()


def test_markup_in_names_is_text(studio):
    """An id or a value that is markup is shown as it is written."""
    with tf.build() as g:
        g.variable("v", "str", "<img src=x onerror=alert(1)>")
        start = g.add(tf.nodes.Start, "<b id=evil>x</b>")
        end = g.add(tf.nodes.SetVariable, "end", name="v", value="<script>1</script>")
        g.connect(start.then, end.enter)
    page = studio(g.graph)
    button(page, "Run").click()
    status(page, "completed")
    page.get_by_role("tab", name="Messages").click()
    page.get_by_text("'<script>1</script>'", exact=True).wait_for()
    assert page.locator("#evil, aside img, aside script").count() == 0


def test_problems(studio):
    """An invalid graph is shown with its problems and cures, and can't be run."""
    graph = tf.loads(
        '{"trioflow": "1.0", "nodes": [{"id": "a", "type": "flow.start"}, {"id": "b", "type": "flow.stat"}]}'
    )
    page = studio(graph)
    page.get_by_role("heading", name="Problems", exact=True).wait_for()
    assert button(page, "Run").is_disabled()
    page.get_by_role("button", name="b, flow.stat, has problems").wait_for()


def test_reading_only(studio):
    """There is nothing to start, set or cancel."""
    page = studio("fizzbuzz", read_only=True)
    assert button(page, "Run").count() == button(page, "Cancel").count() == 0
    assert button(page, "Resume").is_disabled()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")])
def test_it_fits(studio, width, scheme):
    """Nothing hangs over the edge, no buttons overlap, and all text has contrast, wide and narrow, light and dark."""
    page = studio("hanoi", width=width, scheme=scheme)
    start_paused(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [each.bounding_box() for each in page.locator("header button").all()]
    for place, one in enumerate(boxes):
        assert one["x"] >= 0 and one["x"] + one["width"] <= width
        for other in boxes[:place]:
            apart = one["x"] >= other["x"] + other["width"] or other["x"] >= one["x"] + one["width"]
            assert apart or one["y"] >= other["y"] + other["height"] or other["y"] >= one["y"] + one["height"]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


def test_the_server_goes_away(studio):
    """It is said, and nothing is lost from view."""
    page = studio(summing())
    button(page, "Run").click()
    status(page, "completed")
    page.served.end()
    status(page, "not connected")
    page.get_by_role("button", name="add, variable.update, 3 times").wait_for()
    page.close()
    assert [text for text in page.said if not text.startswith("Failed to load resource")] == []
    page.said.clear()
