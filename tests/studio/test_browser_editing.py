"""Editing in a real browser: a graph from nothing, with the mouse and with the keyboard, and what others do meanwhile."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.studio import Session
from trioflow.studio.files import GraphFile

from .browsers import IN_A_BROWSER, browser, button, picture, status, studio
from .pages import registry, summing

__all__ = ["browser", "picture", "studio"]

pytestmark = IN_A_BROWSER


@pytest.fixture
def in_file(tmp_path):
    """A session on a file, which holds a graph or is not there yet."""

    def made(graph=None):
        path = tmp_path / "g.json"
        if graph is not None:
            path.write_text(tf.dumps(graph))
        file = GraphFile(path)
        return Session(tf.Graph() if graph is None else file.read(), registry(), name="g.json", file=file)

    return made


def pick(page, text):
    page.locator(".picking input").fill(text)
    page.locator("#picked-0").wait_for()
    page.keyboard.press("Enter")


def node(page, name):
    return page.get_by_role("button", name=name)


def until(page, holds):
    """Wait until something holds of the session."""
    while not holds():
        page.wait_for_timeout(10)


def saved(session):
    return tf.load(session.bench.file.path)


def save(page):
    page.keyboard.press("Control+s")
    page.get_by_text("saved g.json").wait_for()


def middle(locator):
    """Where it is, once it stays there: what was edited before may still be on its way, and move it."""
    before = None
    while (box := locator.bounding_box()) is None or box != before:
        before = box
        locator.page.wait_for_timeout(50)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end, steps=3)
    page.mouse.up()


def pin(page, place, side, name):
    return page.locator(f'.node[data-id="{place}"] .pin.{side}[title^="{name}:"] i')


def test_from_nothing_with_the_mouse(studio, in_file):
    """Nodes are added where one clicks, wired by dragging, moved, deleted, undone; then the graph runs, and is saved."""
    session = in_file()
    page = studio(session)
    button(page, "Add a node…").click()
    pick(page, "flow.start")
    node(page, "start, flow.start").wait_for()
    page.mouse.dblclick(640, 330)
    pick(page, "flow.for")
    page.get_by_label("Value of times").fill("3")
    until(page, lambda: session.bench.graph.nodes[1].inputs.get("times") == 3)
    drag(page, middle(pin(page, "start", "out", "then")), middle(pin(page, "for", "in", "enter")))
    page.locator(".socket", has_text="start.then").wait_for()
    drag(page, middle(pin(page, "for", "out", "body")), (700, 600))
    pick(page, "debug.print")
    page.locator(".socket", has_text="for.body").wait_for()
    drag(page, middle(pin(page, "for", "out", "index")), middle(pin(page, "print", "in", "value")))
    page.locator(".socket", has_text="for.index").wait_for()
    x, y = middle(node(page, "print, debug.print").locator("xpath=../b"))
    drag(page, (x, y), (x + 60, y - 40))
    button(page, "Run").click()
    status(page, "completed · 5 steps")
    save(page)
    graph = saved(session)
    assert {str(each) for each in graph.connections} == {
        "start.then -> for.enter", "for.body -> print.enter", "for.index -> print.value"
    }  # fmt: skip
    page.mouse.click(*middle(node(page, "print, debug.print").locator("xpath=../b")))
    button(page, "Delete").click()
    node(page, "print, debug.print").wait_for(state="detached")
    button(page, "Undo").click()
    node(page, "print, debug.print").wait_for()
    page.locator("#name", has_text="g.json").wait_for()
    assert page.locator("#name").inner_text() == "g.json"


def test_copying(studio, in_file):
    """What is chosen is copied with its wires, under other ids; what is cut is gone, and comes back."""
    session = in_file(summing())
    page = studio(session)
    button(page, "Edit").click()
    page.locator('.node[data-id="loop"]').click(position={"x": 40, "y": 9})
    page.locator('.node[data-id="square"]').click(position={"x": 40, "y": 9}, modifiers=["Shift"])
    page.keyboard.press("Control+c")
    page.locator("#toast", has_text="copied 2 nodes").wait_for()
    page.keyboard.press("Control+v")
    page.locator('.node.selected[data-id="square2"]').wait_for()
    save(page)
    assert "loop2.index -> square2.n" in {str(each) for each in saved(session).connections}
    page.keyboard.press("Control+x")
    page.locator('.node[data-id="square2"]').wait_for(state="detached")
    page.keyboard.press("Control+z")
    page.locator('.node[data-id="square2"]').wait_for()


def test_from_nothing_with_the_keyboard(studio, in_file):
    """N adds, C connects, Tab leads to fields, Alt and arrows move, Delete and Ctrl+Z do what they do everywhere."""
    session = in_file()
    page = studio(session)
    press = page.keyboard.press
    page.get_by_text("An empty graph").wait_for()
    press("n")
    pick(page, "flow.start")
    node(page, "start, flow.start").wait_for()
    press("c")
    pick(page, "a new node")
    page.get_by_role("combobox", name="Add a node for start.then").wait_for()
    pick(page, "debug.print")
    page.get_by_label("Value of value").wait_for()
    page.locator(".socket", has_text="start.then").wait_for()
    page.get_by_label("Value of value").focus()
    page.keyboard.type("hello")
    page.locator(".node > b", has_text="print").wait_for()
    page.locator("#panel .note.error").wait_for(state="detached")
    page.locator("#scene").focus()
    press("Alt+ArrowDown")
    press("Control+d")
    node(page, "print2, debug.print").wait_for()
    press("Delete")
    node(page, "print2, debug.print").wait_for(state="detached")
    press("Control+z")
    node(page, "print2, debug.print").wait_for()
    press("Control+Shift+z")
    node(page, "print2, debug.print").wait_for(state="detached")
    press("F8")
    status(page, "completed · 2 steps")
    save(page)
    assert saved(session).nodes[1].inputs == {"value": "hello"}


def test_it_is_checked_while_one_types(studio, in_file):
    """The problem stands below the field in words, and goes when it is cured; the caret stays where it was."""
    page = studio(in_file(summing()))
    button(page, "Edit").click()
    page.get_by_role("treeitem", name="loop flow.for").click()
    page.get_by_role("tab", name="Node").click()
    field = page.get_by_label("Value of times")
    field.fill("3x")
    page.get_by_text("Expected int, got str '3x'").wait_for()
    assert button(page, "Run").is_disabled()
    field.press("Home")
    field.press("ArrowRight")
    field.press("Delete")
    page.get_by_text("Expected int").wait_for(state="detached")
    page.wait_for_function("() => document.activeElement.selectionStart === 1")
    assert field.input_value() == "3"


def test_a_workflow_is_made(studio, in_file):
    """Its kind, a variable, the condition of a wire, a policy; all by fields."""
    session = in_file(summing())
    page = studio(session)
    button(page, "Edit").click()
    page.get_by_label("Kind of the graph").select_option("workflow")
    page.get_by_label("Name of another variable").fill("limit")
    page.get_by_label("Name of another variable").press("Enter")
    page.get_by_label("Type of limit").select_option("int")
    page.get_by_label("Start value of limit").fill("5")
    page.get_by_role("treeitem", name="loop flow.for").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_text("All of it, as JSON").click()
    page.get_by_label("More of the node, as JSON").fill('{"policy": {"retry": 2}}')
    button(page, "Set").click()
    page.get_by_role("button", name="← start.then").click()
    page.get_by_label("Taken when").fill("vars.limit > 3")
    page.wait_for_function("() => document.querySelector('[data-key=undo]').title.includes('change a wire')")
    save(page)
    graph = saved(session)
    assert graph.kind == "workflow" and graph.variables[1] == tf.Variable("limit", "int", 5)
    assert graph.nodes[1].policy is not None
    assert [each.when for each in graph.connections if each.source.node == "start"] == ["vars.limit > 3"]


def test_a_variable_is_declared_where_it_is_named(studio, in_file):
    """The node that names one that is not there yet offers to; then the problem is gone."""
    session = in_file(summing())
    page = studio(session)
    button(page, "Edit").click()
    page.get_by_role("treeitem", name="add variable.update").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_label("Value of name").fill("sum")
    button(page, "Declare the variable sum").click()
    button(page, "Declare the variable sum").wait_for(state="detached")
    page.locator("#panel .note.error").wait_for(state="detached")
    page.get_by_label("Type of sum").select_option("int")
    page.get_by_label("Start value of sum").fill("7")
    until(page, lambda: session.bench.graph.variables[1:] == (tf.Variable("sum", "int", 7),))
    save(page)
    assert [each.name for each in saved(session).variables] == ["total", "sum"]


def test_two_pages(studio, in_file):
    """What one does the other shows; both edit the same graph, and each can undo."""
    page = studio(in_file(summing()))
    other = page.context.new_page()
    other.goto(page.served.page.address)
    for each in (page, other):
        button(each, "Edit").click()
        node(each, "add, variable.update").wait_for()
    other.keyboard.press("n")
    pick(other, "debug.print")
    node(page, "print, debug.print").wait_for()
    page.keyboard.press("n")
    pick(page, "flow.for")
    node(other, "for, flow.for").wait_for()
    other.locator("#scene").focus()
    other.keyboard.press("Control+z")
    node(page, "for, flow.for").wait_for(state="detached")
    assert node(page, "print, debug.print").count() == 1
    # What one page asks about may be gone by what the other did; the browser itself tells of that.
    assert [text for text in page.said if "409" not in text] == []
    page.said.clear()


def test_somebody_else_writes_the_file(studio, in_file):
    """Without own changes it is read again; with some, the page says so, and a person chooses; deleted, it says so."""
    session = in_file(summing())
    path = session.bench.file.path
    page = studio(session)
    path.write_text(path.read_text().replace('"square"', '"theirs"').replace("square.", "theirs."))
    node(page, "theirs, studio.square").wait_for()
    button(page, "Edit").click()
    page.keyboard.press("n")
    pick(page, "debug.print")
    node(page, "print, debug.print").wait_for()
    path.write_text(path.read_text()[:40])
    page.get_by_role("alert").get_by_text("changed by somebody else").wait_for()
    page.keyboard.press("Control+s")
    page.get_by_role("heading", name="Save anyway?").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Save anyway").click()
    page.get_by_text("saved g.json").wait_for()
    path.unlink()
    page.get_by_text("was deleted").wait_for()
    page.locator("#file").get_by_role("button", name="Save").click()
    page.locator("#file").wait_for(state="hidden")
    assert len(tf.load(path).nodes) == 5
    assert [text for text in page.said if "409" not in text] == []  # the browser itself tells of refusals
    page.said.clear()


def test_a_policy_in_fields(studio, in_file, picture):
    """Each in words; what is wrong stands at its field, the graph stays as it was until it is right, and all is undone."""
    session = in_file(summing())
    page = studio(session)
    button(page, "Edit").click()
    page.get_by_role("treeitem", name="add variable.update").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_text("Policy: retries, limits, fallback").click()

    def policy():
        return session.bench.graph.nodes[3].policy

    retry = page.get_by_role("group", name="Try again where it fails")
    page.get_by_label("Try again where it fails").check()
    retry.get_by_label("Attempts in all").fill("5")
    until(page, lambda: policy().retry.attempts == 5)
    retry.get_by_label("First wait").fill("3")
    retry.get_by_text("Expected a duration such as '30s'").wait_for()
    page.get_by_label("Try again where it fails").scroll_into_view_if_needed()
    picture(page, "studio-policy.png")
    assert policy().retry.delay == 1
    retry.get_by_label("First wait").fill("3s")
    retry.get_by_text("Expected a duration").wait_for(state="detached")
    retry.get_by_label("How the wait between them grows").select_option("linear")
    retry.get_by_label("Only for these errors").fill("OSError, http.5xx")
    retry.get_by_label("A failed attempt leaves nothing").check()
    limit = page.get_by_role("group", name="At most so many at once")
    page.get_by_label("At most so many at once").check()
    limit.get_by_label("How many at once").fill("2")
    fallback = page.get_by_role("group", name="What takes its place where it fails")
    page.get_by_label("What takes its place where it fails").check()
    fallback.get_by_label("This node").fill("nobody")
    fallback.get_by_text("There is no node 'nobody'.").wait_for()
    assert button(page, "Run").is_disabled()
    fallback.get_by_label("This node").fill("")
    page.get_by_label("What takes its place where it fails").uncheck()
    fallback.get_by_label("This node").wait_for(state="detached")
    page.get_by_label("Where it fails it counts as skipped").select_option("yes")
    page.get_by_label("Leases on resources of the host").fill('{"gpu": 1}')
    save(page)
    expected = tf.Policy(
        retry=tf.RetryPolicy(attempts=5, delay="3s", backoff="linear", on=("OSError", "http.5xx"), clean=True),
        limit=2, skip=True, quota={"gpu": 1},
    )  # fmt: skip
    assert saved(session).nodes[3].policy == expected
    page.get_by_label("Time for each attempt").fill("20s")
    page.get_by_role("tab", name="Outline").click()
    page.get_by_role("treeitem", name="loop flow.for").click()  # what was typed is not lost
    until(page, lambda: policy().attempt_timeout == 20)
    page.get_by_role("treeitem", name="add variable.update").click()
    page.get_by_role("tab", name="Node").click()
    for _ in range(2):
        button(page, "Undo").click()
    page.get_by_label("How many at once").wait_for(state="detached")
    assert policy() is None
    # What was refused leads to a line in the console of the browser itself.
    assert [text for text in page.said if "409" not in text] == []
    page.said.clear()
