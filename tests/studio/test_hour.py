"""What a person does with the page in an hour: thirty nodes by mouse, as many by keyboard, three faults found.

They make pictures of docs/studio.md: `TRIOFLOW_PICTURES=docs/pictures python -m pytest tests/studio -m browser`.
"""

from __future__ import annotations

import re

import trio

import trioflow as tf
from trioflow.studio import Session
from trioflow.studio.files import GraphFile

from .browsers import IN_A_BROWSER, browser, button, picture, status, studio
from .pages import registry
from .test_browser_editing import drag, middle, node, pick, pin

__all__ = ["browser", "picture", "studio"]

pytestmark = IN_A_BROWSER

MANY = 30


def chosen(page, name):
    """Wait until a node is there and chosen, with its fields."""
    page.wait_for_function("(name) => document.querySelector('#panel [data-key=id]')?.value === name", arg=name)


def fresh(tmp_path):
    """A graph that is not there yet."""
    return Session(tf.Graph(), registry(), name="g.json", file=GraphFile(tmp_path / "g.json"))


def test_thirty_nodes_with_the_mouse(studio, tmp_path, picture):
    """Each is dragged out of the one before; then they run, one after the other."""
    session = fresh(tmp_path)
    page = studio(session, width=1920, height=1080)
    page.mouse.dblclick(60, 140)
    pick(page, "flow.start")
    node(page, "start, flow.start").wait_for()
    last = "start"
    for number in range(1, MANY):
        column, row = number % 6, number // 6
        at = (80 + 230 * column, 140 + 170 * row)
        drag(page, middle(pin(page, last, "out", "then")), at)
        pick(page, "debug.print")
        last = "print" if number == 1 else f"print{number}"
        chosen(page, last)
        page.get_by_label("Value of value").fill(f"number {number}")
        # What it says makes it wider.
        page.locator(".node .pin", has_text=f"value = 'number {number}'").wait_for()
    page.get_by_text("has problems").wait_for(state="detached")
    button(page, "Run").click()
    status(page, f"completed · {MANY} steps")
    page.keyboard.press("Control+s")
    page.get_by_text("saved g.json").wait_for()
    saved = tf.load(tmp_path / "g.json")
    assert len(saved.connections) == MANY - 1
    assert [each.inputs.get("value") for each in saved.nodes[1:]] == [f"number {each}" for each in range(1, MANY)]
    picture(page, "studio-editing.png")


def test_thirty_nodes_with_the_keyboard(studio, tmp_path, picture):
    """N, C and the names of types are enough; Tab leads to the fields."""
    session = fresh(tmp_path)
    page = studio(session)
    page.keyboard.press("n")
    pick(page, "flow.start")
    node(page, "start, flow.start").wait_for()
    for number in range(1, MANY):
        page.keyboard.press("c")
        pick(page, "a new node")
        page.get_by_role("combobox", name=re.compile("Add a node for")).wait_for()
        pick(page, "debug.print")
        chosen(page, "print" if number == 1 else f"print{number}")
        page.get_by_label("Value of value").focus()
        page.keyboard.type(str(number))
        page.locator(".node .pin", has_text=f"value = {number}").wait_for()
        page.locator("#scene").focus()
    page.keyboard.press("F8")
    status(page, f"completed · {MANY} steps")
    assert [each.inputs.get("value") for each in session.bench.graph.nodes] == [None, *range(1, MANY)]
    page.keyboard.press("c")
    page.get_by_role("combobox", name=re.compile("Connect")).wait_for()
    page.keyboard.type("print1")
    page.get_by_role("option", name="print10.enter").first.wait_for()
    picture(page, "studio-keyboard.png")


@tf.exec_node(id="hour.slow")
async def slow() -> None:
    await trio.sleep(0.03)


@tf.data_node(id="hour.price")
def price(n: int) -> int:
    return 100 // (3 - n)


def shopping(times):
    """`total` adds up prices; there is none for the third, and `wait` is slow."""
    with tf.build() as g:
        g.variable("sum", "int", 0)
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "loop", times=times)
        wait, fetch = g.add(slow, "wait"), g.add(price, "price", n=loop.index)
        total = g.add(tf.nodes.UpdateVariable, "total", name="sum", value=fetch.result)
        report = g.add(tf.nodes.Print, "report", value="done")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, total.enter)
        g.connect(total.then, wait.enter)
        g.connect(loop.done, report.enter)
    known = registry()
    known.add(slow, price)
    return Session(g.graph, known, name="shopping.json")


def test_a_fault_is_found_by_stepping(studio, picture):
    """With a breakpoint where the sum is made, and a condition; the value that comes is looked at before it is used."""
    page = studio(shopping(3))
    page.get_by_role("treeitem", name="total variable.update").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_label("Condition of the breakpoint").fill("hits == 3")
    button(page, "Set breakpoint").click()
    button(page, "Run").click()
    status(page, "stopped: breakpoint on 'total'")
    page.get_by_role("tab", name="Outline").click()
    page.get_by_role("treeitem", name="price hour.price").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_role("table", name="Inputs").get_by_text("from loop.index").wait_for()
    button(page, "evaluate").click()
    page.locator("code.evaluated", has_text="100").wait_for()
    picture(page, "studio-stepping.png")
    button(page, "Resume").click()
    status(page, "completed")


def test_a_fault_is_found_by_looking_back(studio, picture):
    """The run has failed; what was before is gone through backwards, with what variables were then."""
    page = studio(shopping(4))
    button(page, "Run").click()
    status(page, "failed: ZeroDivisionError")
    button(page, "Look back").click()
    for _ in range(2):
        button(page, "One event back").click()
    page.get_by_role("tab", name="Outline").click()
    page.get_by_role("treeitem", name="total variable.update").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_role("table", name="Variables then").get_by_text("183").wait_for()
    picture(page, "studio-looking-back.png")


def test_a_slow_node_is_found_by_heat(studio, picture):
    """It is the hot one."""
    page = studio(shopping(3))
    button(page, "Run").click()
    status(page, "completed")
    button(page, "Look back").click()
    button(page, "Heat").click()
    page.locator('.node[data-id="wait"][style*="--heat: 100%"]').wait_for()
    page.get_by_role("list", name="Most time of their own").get_by_role("listitem").first.get_by_text("wait").wait_for()
    picture(page, "studio-heat.png")
    page.get_by_role("treeitem", name="wait hour.slow").click()
    page.get_by_role("tab", name="Node").click()
    page.get_by_text("s of its own").wait_for()
    page.locator('.node[data-id="loop"][style*="--heat: 100%"]').wait_for(state="detached")
    button(page, "Heat: own").click()
    page.locator('.node[data-id="loop"][style*="--heat: 100%"]').wait_for()  # with all that it led to
    button(page, "Heat: total").click()
    page.locator('.node[style*="--heat: 100%"]').first.wait_for(state="detached")


@tf.exec_node(id="hour.ship")
async def ship(n: int) -> None:
    await trio.sleep(0.4 * (1 + n % 4))


def test_strands_over_time(studio, picture):
    """Orders that are shipped at the same time, three at once: which one holds up the others is seen while they run."""
    with tf.build() as g:
        start, each = g.add(tf.nodes.Start, "start"), g.add("flow.parallel_for", "orders", times=8, limit=3)
        sent, told = g.add(ship, "ship", n=each.index), g.add(tf.nodes.Print, "report", value="all are shipped")
        g.connect(start.then, each.enter)
        g.connect(each.body, sent.enter)
        g.connect(each.done, told.enter)
    known = registry()
    known.add(ship)
    page = studio(Session(g.graph, known, name="orders.json"))
    button(page, "Run").click()
    page.get_by_role("tab", name="Strands").click()
    button(page, "Over time").click()
    page.get_by_role("img", name=re.compile("What [6-9] strands did over time")).wait_for()
    picture(page, "studio-over-time.png", at_once=True)
    status(page, "completed")
