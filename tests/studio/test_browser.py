"""The page in a real browser, as a person uses it: by the names of things, with nothing in the console."""

from __future__ import annotations

import re

import pytest
import trio

import trioflow as tf
from trioflow.studio import Session
from trioflow.telemetry import Recorder

from .browsers import IN_A_BROWSER, browser, button, start_paused, status, step, stepped, studio
from .pages import failing, hold, registry, summing

__all__ = ["browser", "studio"]

pytestmark = IN_A_BROWSER


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
    stepped(page, "stepped into 0.0")
    button(page, "Into").click()
    stepped(page, "stepped into 0.1")
    page.get_by_role("button", name="add, variable.update, parked").wait_for()
    status(page, "stopped at add: stepped into")
    button(page, "Over").click()
    stepped(page, "stepped over 0.1.0")
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
        stepped(page, f"stepped into {path}")
    page.get_by_label("Value of total").fill("1000")
    button(page, "set").click()
    page.get_by_role("tab", name="Messages").click()
    page.get_by_text("total was set to 1000").wait_for()
    button(page, "Resume").click()
    page.get_by_text("1005").wait_for()


def test_what_a_node_keeps(studio):
    """It is in the panel while a strand stands there."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "loop", times=2)
        once = g.add("flow.once", "once")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, once.enter)
    page = studio(g.graph)
    page.get_by_role("treeitem", name="once flow.once").click()
    page.keyboard.press("F9")
    page.locator(".node.stop").wait_for()
    for _ in range(2):
        page.keyboard.press("F8")
        status(page, "stopped: breakpoint on 'once'")
        page.locator("#panel").get_by_text("As seen by").wait_for()
    page.get_by_role("table", name="What it keeps for this strand").get_by_text("used").wait_for()


def test_values_beside_outputs(studio):
    """While a run stands, what the strand sees at the outputs that are in view, also what is stale; not while it runs."""
    page = studio(summing())
    start_paused(page)
    for _ in range(3):
        step(page, "F11")
    page.locator('.node[data-id="loop"] .pin.out em', has_text="1").wait_for()
    page.locator('.node[data-id="square"] .pin.out em.stale', has_text="0").wait_for()
    button(page, "Values").click()
    page.locator('.node[data-id="loop"] .pin.out em', has_text="1").wait_for(state="detached")
    button(page, "Values").click()
    page.locator('.node[data-id="loop"] .pin.out em', has_text="1").wait_for()
    button(page, "Resume").click()
    status(page, "completed")
    page.locator('.node[data-id="loop"] .pin.out em', has_text="1").wait_for(state="detached")


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


def test_finding_a_node(studio):
    """`/` leads to a field that leaves what is looked for; arrows lead on to it, and it is chosen."""
    page = studio("hanoi")
    page.locator("#scene").focus()
    page.keyboard.press("/")
    page.keyboard.type("top")
    page.get_by_role("treeitem", name="move all").wait_for(state="detached")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("treeitem", name="on top", selected=True).wait_for()
    page.get_by_label("Find a node").fill("nothing of that kind")
    page.get_by_text("No node has that in its name or type").wait_for()


def test_how_far_a_node_has_come(studio):
    """At the node, and in words."""

    @tf.exec_node(id="browser.copies")
    async def copies(ctx: tf.Context) -> None:
        ctx.report_progress(3, 10, "files")
        await trio.sleep_forever()

    with tf.build() as g:
        start, copy = g.add(tf.nodes.Start, "start"), g.add(copies, "copy")
        g.connect(start.then, copy.enter)
    known = registry()
    known.add(copies)
    page = studio(Session(g.graph, known))
    page.get_by_role("treeitem", name="copy").click()
    page.get_by_role("tab", name="Node").click()
    button(page, "Run").click()
    page.get_by_text("3 of 10 files").first.wait_for()
    assert page.locator('.node.measured[data-id="copy"] .bar').bounding_box()["width"] > 5
    button(page, "Cancel").click()
    status(page, "cancelled")


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
    stepped(page, "stepped over 0.1.0")
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
    page.get_by_role("treeitem", name="add variable.update").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_text("In the whole run").wait_for()
    button(page, "Heat").click()
    page.locator('.node[style*="--heat: 100%"]').first.wait_for()
    button(page, "Live").click()
    status(page, "completed")


def test_going_back(studio):
    """Values then are told; a run that a journal keeps is gone back in: another one stops there."""
    page = studio(summing())
    button(page, "Run…").click()
    page.get_by_label("Keep a journal").check()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    status(page, "completed")
    button(page, "Look back").click()
    page.get_by_role("img", name="What the strand did over time").wait_for()
    for _ in range(9):
        button(page, "One event back").click()
    page.locator("#event", has_text="12 of 21").wait_for()
    page.get_by_role("tab", name="Node").click()
    page.get_by_text("outputs {'result': 1}").first.wait_for()
    page.get_by_role("table", name="Variables then").get_by_text("0").wait_for()
    button(page, "Go back to here").click()
    status(page, "stopped: breakpoint on 'add' · 3 steps")
    button(page, "Resume").click()
    status(page, "completed")
    button(page, "Look back").click()
    status(page, "of run-2")


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
    page.get_by_role("heading", name="Problems: 1 error").wait_for()
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
    boxes = [each.bounding_box() for each in page.locator("header button:visible").all()]
    for place, one in enumerate(boxes):
        assert one["x"] >= 0 and one["x"] + one["width"] <= width
        for other in boxes[:place]:
            apart = one["x"] >= other["x"] + other["width"] or other["x"] >= one["x"] + one["width"]
            assert apart or one["y"] >= other["y"] + other["height"] or other["y"] >= one["y"] + one["height"]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


def test_an_hour_of_frames(studio):
    """A page that is left open takes all of them, and is no larger at the end than after its first ten minutes."""
    page = studio(summing())
    session, token = page.served.session, page.served.token
    size = page.context.new_cdp_session(page)
    size.send("Performance.enable")

    def burst(first, count):
        """What so many frames of a run that goes on tell: fewer than are kept, so that none is left out."""
        for number in range(first, first + count):
            said = {
                "n": number,
                "kind": "Note",
                "text": f"note {number}",
                "node": 0,
                "name": "start",
                "path": "",
                "time": 1.0,
            }
            session.backlog.add(
                {"steps": number, "counts": {"1": number}, "messages": [said], "flow": {"0": number, "1": number}}
            )

    def grown(until, since):
        for first in range(since, until, 500):
            token.run_sync_soon(burst, first, 500)
            page.wait_for_function(
                "(name) => document.querySelector('.node[data-id=loop] .hit').getAttribute('aria-label').includes(name)",
                arg=f", {first + 499} times",
            )
        size.send("HeapProfiler.collectGarbage")
        found = {each["name"]: each["value"] for each in size.send("Performance.getMetrics")["metrics"]}
        return found["JSHeapUsedSize"], found["Nodes"], found["JSEventListeners"]

    page.get_by_role("tab", name="Messages").click()
    hour = 30 * 60 * 60
    before, after = grown(hour // 6, 0), grown(hour, hour // 6)
    assert page.locator("#panel .list li").count() == 200
    for one, other in zip(before, after, strict=True):
        assert other <= 1.2 * one


def test_wires_are_lit_by_how_much_comes_over_them(studio):
    """The more a second, the stronger; of one that is chosen it is said how much."""
    page = studio(summing())
    button(page, "Edit").click()
    page.get_by_role("treeitem", name="add variable.update").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_role("button", name="← loop.body").click()
    button(page, "Edit").click()
    page.get_by_text("Nothing has come over it yet.").wait_for()
    session, token = page.served.session, page.served.token
    ink = """() => {
      const lit = document.querySelectorAll('#scene canvas')[1];
      const copy = new OffscreenCanvas(lit.width, lit.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(lit, 0, 0);
      return copy.getImageData(0, 0, lit.width, lit.height).data.reduce((sum, each, at) => (at % 4 === 3 ? sum + each : sum), 0);
    }"""

    def strongest(by):
        """The most that is seen while so much more comes over all wires again and again."""
        nonlocal came
        most = 0
        for _ in range(6):
            came += by
            told = {"status": "running", "flow": {str(wire): came for wire in range(4)}}
            token.run_sync_soon(session.backlog.add, told)
            for _ in range(3):
                most = max(
                    most, page.evaluate(f"() => new Promise((go) => requestAnimationFrame(() => go(({ink})())))")
                )
        return most

    came = 0
    calm, busy = strongest(0.01), strongest(1000)
    assert 0 < calm < busy
    page.get_by_text("Something came over it").wait_for()
    while not page.get_by_text(re.compile(r"now about [0-9,]+ a second")).count():
        strongest(1000)


def test_strands_over_time(studio):
    """While a run goes on, and after it: a row for each strand, where a click chooses it and its node, until one looks back."""
    with tf.build() as g:
        start, each = g.add(tf.nodes.Start, "start"), g.add("flow.parallel_for", "each", times=4, limit=3)
        held = g.add(hold, "hold")
        g.connect(start.then, each.enter)
        g.connect(each.body, held.enter)
    page = studio(g.graph)
    page.get_by_role("tab", name="Strands").click()
    assert button(page, "Over time").count() == 0
    button(page, "Run").click()
    page.get_by_text("strand 3", exact=True).wait_for()
    button(page, "Over time").click()
    chart = page.get_by_role("img", name=re.compile("What [0-9]+ strands did over time"))
    page.get_by_text("of the run, as seen about six times a second").wait_for()
    box = chart.bounding_box()
    assert box["height"] >= 4 * 15  # the first one, and three at once
    chart.click(position={"x": box["width"] - 4, "y": 2.5 * 15})
    page.locator('.node.selected[data-id="hold"]').wait_for()
    page.locator("#panel li.chosen", has_text="strand 2").wait_for()
    button(page, "Cancel").click()
    status(page, "cancelled")
    chart.wait_for()
    button(page, "Look back").click()
    chart.wait_for(state="hidden")
    page.get_by_role("img", name=re.compile("the slider above leads there")).wait_for()
    button(page, "Live").click()
    chart.wait_for()


def test_what_is_pressed_stays(studio):
    """An entry that tells something new while it is pressed is chosen all the same, by mouse and by the space bar."""
    page = studio(summing())
    session, token = page.served.session, page.served.token

    def told(count):
        token.run_sync_soon(session.backlog.add, {"counts": {"3": count}, "breakpoints": [{"id": str(count)}] * count})
        page.locator('.node[data-id="add"] .count', has_text=str(count)).wait_for()

    entry = page.get_by_role("treeitem", name="add variable.update")
    page.get_by_role("tab", name="Node").focus()
    entry.hover()
    page.mouse.down()
    told(7)
    page.mouse.up()
    page.locator('.node.selected[data-id="add"]').wait_for()
    entry.get_by_text("7").wait_for()  # which is told once it is let go
    stops = page.get_by_role("tab", name="Breakpoints")
    stops.focus()
    page.keyboard.down(" ")
    told(8)
    page.keyboard.up(" ")
    stops.and_(page.locator("[aria-selected=true]")).wait_for()


def test_a_page_that_is_hidden(studio):
    """It lets go of its stream, so that many may be open; when it is seen again it has all that happened meanwhile."""
    page = studio(summing())
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden }); document.dispatchEvent(new Event('visibilitychange')); }"
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/api/events")):
        page.evaluate(hide, True)
    button(page, "Run").click()
    assert "completed" not in page.locator("#status").inner_text()
    page.evaluate(hide, False)
    status(page, "completed")
    page.get_by_role("button", name="add, variable.update, 3 times").wait_for()


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


def test_a_watch_list(studio):
    """What is on it stays in view, whatever else is looked at, and says what it is at each stop, afterwards, and back then."""
    page = studio(summing())
    page.locator("#scene").focus()
    page.keyboard.press("w")
    page.keyboard.type("square.result + total")
    page.keyboard.press("Enter")
    start_paused(page)
    watched = page.get_by_role("list", name="Watched").get_by_role("listitem")
    watched.filter(has_text="square.result + total").get_by_text("not computed").wait_for()
    page.get_by_role("button", name="Evaluate square.result + total at each stop").click()
    watched.get_by_text("MissingInput").wait_for()
    for path in ("0.0", "0.1"):
        button(page, "Into").click()
        stepped(page, f"stepped into {path}")
    watched.locator("code", has_text="0").wait_for()
    page.get_by_role("tab", name="Node").click()
    button(page, "Watch total").click()
    watched.nth(1).locator("code", has_text="0").wait_for()
    button(page, "Watch total").click()
    page.get_by_role("alert").get_by_text("on the watch list already").wait_for()
    for path, both, total in (("0.1.0", "1", "0"), ("0.1.1", "5", "1")):
        button(page, "Over").click()
        stepped(page, f"stepped over {path}")
        watched.nth(0).locator("code", has_text=both).wait_for()
        watched.nth(1).locator("code", has_text=total).wait_for()
    page.locator("#watch li.changed b", has_text="total").last.wait_for()
    button(page, "Watch square.result + total no more").click()
    page.get_by_role("tab", name="Outline").click()
    button(page, "Resume").click()
    status(page, "completed")
    watched.locator("code", has_text="5").wait_for()
    button(page, "Look back").click()
    button(page, "To the start").click()
    watched.get_by_text("not known of a recording").wait_for()
    button(page, "Watch total no more").click()
    watched.wait_for(state="detached")


@pytest.mark.parametrize("keep", [False, True])
def test_a_question_is_answered(studio, keep):
    """It stands above the graph until it is answered; then the run goes on. In a run that is kept the answer is a signal."""
    with tf.build() as g:
        g.variable("said", "str", "")
        start, ask = g.add(tf.nodes.Start, "start"), g.add("flow.approve", "ask", text="May we ship it?")
        note = g.add(tf.nodes.SetVariable, "note", name="said", value=ask.comment)
        paid = g.add(
            "flow.wait_signal" if keep else "user.ask",
            "paid",
            **{"name": "paid"} | ({} if keep else {"question": "Who paid?"}),
        )
        g.connect(start.then, ask.enter)
        g.connect(ask.approved, note.enter)
        g.connect(note.then, paid.enter)
    page = studio(g.graph)
    button(page, "Run…").click()
    page.get_by_label("Keep a journal").set_checked(keep)
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    asks = page.get_by_role("region", name="Questions")
    asks.get_by_role("button", name="ask", exact=True).click()
    page.locator('.node.selected[data-id="ask"]').wait_for()
    asks.get_by_label("Comment: May we ship it?").fill("well done")
    asks.get_by_role("button", name="yes: May we ship it?").click()
    field = asks.get_by_label("Answer: waits for the signal paid" if keep else "Answer: Who paid?")
    field.fill("Ada")
    field.press("Enter")
    status(page, "completed · 4 steps")
    asks.wait_for(state="hidden")
    assert page.served.session.run.variables() == {"said": "well done"}


def test_a_page_that_is_frozen(studio):
    """It stands still while the run goes on, says how far that is, and shows all of it when it is let go."""
    page = studio(summing())
    button(page, "Freeze").click()
    status(page, "frozen: Ready")
    page.served.token.run_sync_soon(page.served.session.nursery.start_soon, page.served.session.start, {})
    status(page, "frozen: Ready. Press Run. · 5 steps since then")
    assert page.get_by_role("button", name="add, variable.update, 3 times").count() == 0
    button(page, "Freeze").click()
    status(page, "completed · 5 steps")
    page.get_by_role("button", name="add, variable.update, 3 times").wait_for()
    page.get_by_role("tab", name="Messages").click()
    button(page, "Freeze").click()
    button(page, "Run").click()  # what is asked for is seen
    status(page, re.compile("^completed"))


def test_breakpoints_on_wires(studio):
    """A wire is chosen and stopped at, by button and by key; one that only tells goes on."""
    page = studio(summing())
    button(page, "Edit").click()
    page.get_by_role("treeitem", name="add variable.update").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_role("button", name="← loop.body").click()
    button(page, "Edit").click()
    page.get_by_label("Condition of the breakpoint").fill("hits > 1")
    button(page, "Set breakpoint").click()
    page.get_by_text("Breakpoint b1 if hits > 1, hit 0").wait_for()
    button(page, "Run").click()
    status(page, "stopped: breakpoint on 'loop.body -> add.enter'")
    button(page, "Resume").click()
    status(page, "stopped")
    page.get_by_role("tab", name="Breakpoints").click()
    page.get_by_label("Remove b1").click()
    page.get_by_label("Where to stop").select_option("node")
    page.get_by_label("Place").fill("add")
    page.get_by_label("Tell it in the messages").check()
    button(page, "Set").click()
    page.get_by_text("b2, told 0").wait_for()
    page.locator("#panel form.stack [data-key=place]:placeholder-shown").wait_for()
    button(page, "Resume").click()
    status(page, "completed")
