"""A page in a real browser, opened on a session that is served by a thread of its own.

Chromium is the system's own. Where there is none, or the package that drives it is missing, tests in it are skipped.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import threading
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.cli.source import open_source
from trioflow.studio import Session

from .pages import registry

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
pytest.importorskip("starlette", reason="the page is served with starlette")

DOCS = Path(__file__).parents[2] / "docs"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.outside,
    pytest.mark.slow,
    pytest.mark.unmeasured,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]

FLAGS = [
    "--no-sandbox",  # which root needs
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""It asks for nothing by itself. A folder for its profile, new and empty, is made by what drives it."""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Served(threading.Thread):
    """A session that is served in a thread of its own, until it is told to stop."""

    def __init__(self, session):
        super().__init__()
        self.session, self.begun = session, queue.SimpleQueue()
        self.start()
        self.page, self.token, self.stop = self.begun.get(timeout=120)

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
        self.join(120)


@pytest.fixture
def studio(browser):
    """Open a graph in a page; at the end its console must be empty, and nothing from elsewhere asked for."""
    served, said, contexts = [], [], []

    def open_page(graph="hanoi", width=1280, height=800, scheme="light", **given):
        if isinstance(graph, str):
            source = open_source(graph, ())
            session = Session(source.graph, source.registry, name=graph, **given)
        else:
            session = graph if isinstance(graph, Session) else Session(graph, registry(), name="graph", **given)
        served.append(Served(session))
        address = served[-1].page.address
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda request: request.url.startswith(address.partition("#")[0]) or said.append(request.url)
        )
        page.goto(address)
        page.locator("#status", has_text=re.compile("Ready|looking back|Has problems|Nothing is open|Empty")).wait_for()
        page.served, page.said = served[-1], said
        return page

    yield open_page
    for context in contexts:
        context.close()
    for each in served:
        each.end()
    assert said == [], said


@pytest.fixture
def picture(tmp_path):
    """Keep what a page shows, under a name."""
    folder = Path(os.environ.get("TRIOFLOW_PICTURES", tmp_path))

    def take(page, name, where="studio.md", *, at_once=False):
        if not at_once:
            page.wait_for_timeout(800)  # until no wire is lit
        page.screenshot(path=folder / name)
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
        assert f"(pictures/{name})" in (DOCS / where).read_text(encoding="utf-8")

    return take


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def status(page, text):
    page.locator("#status", has_text=text).wait_for()


def stepped(page, how):
    """Wait until the run stands because of this step; the words are of the node that it has come to."""
    page.locator(f'#status[title$="{how}"]', has_text="stopped at ").wait_for()


def step(page, key):
    """Press a key that lets a strand go on, and wait until it stands somewhere else."""
    before = page.locator("#status").inner_text()
    page.keyboard.press(key)
    page.wait_for_function(
        "(before) => { const now = document.getElementById('status').textContent; return now !== before && now.startsWith('stopped'); }",
        arg=before,
    )


def start_paused(page):
    button(page, "Run…").click()
    page.get_by_label("Stop before the first node").check()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    status(page, "stopped: before the first node")
