"""trioflow's page: what it costs a run, and how quick it is in Chromium."""

from __future__ import annotations

import queue
import random
import shutil
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import trio

import trioflow as tf
from trioflow.studio import Session
from trioflow.telemetry import Recorder

Run = Callable[[], Awaitable[Any]]
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


def sources(size: int) -> list[tuple[int, int]]:
    """For each node after the first the two before it that it takes its inputs from; the same for all subjects."""
    state = size

    def draw(most: int) -> int:
        nonlocal state
        state = state * 16_807 % 2_147_483_647
        return 1 + state % most

    return [(number - draw(min(number, 60)), number - draw(min(number, 60))) for number in range(1, size - 1)]


def _drawn(size: int) -> tf.Graph:
    with tf.build() as g:
        g.add(tf.nodes.Start)
        nodes = [g.add("math.add", a=1, b=1)]
        for one, other in sources(size):
            nodes.append(g.add("math.add", a=nodes[one].result, b=nodes[other].result))
    return g.graph


def _looping(size: int) -> tf.Plan:
    """A `flow.for` whose body adds what a data node gives to a variable; behind it a node that is never reached."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "loop", times=size)
        add = g.add(tf.nodes.UpdateVariable, "write", name="total", value=g.add("math.add", a=loop.index, b=1).result)
        end, never = g.add("flow.branch", "end", condition=False), g.add(tf.nodes.Print, "never", value="")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, add.enter)
        g.connect(loop.done, end.enter)
        g.connect(end.true, never.enter)
    return tf.make_plan(g.graph, tf.Registry.standard())


# --- what it costs the run ---


def _costing(size: int, how: str) -> Run:
    plan = _looping(size)

    async def run() -> float:
        recorder = Recorder()
        observers = [recorder] if how == "record" else []
        async with tf.open_run(plan, observers=observers) as running, trio.open_nursery() as nursery:
            if how in ("glance", "follow"):
                session = Session(plan.graph, plan.registry)
                session.attach(running)
                session.watch("glance" if how == "glance" else "follow")
                for task in (session.make_frames, partial(session.show, running), partial(_read, session)):
                    nursery.start_soon(task)
            if how == "stop":
                running.gate.add_breakpoint("never")
            before = time.process_time()
            assert (await running.result()).variables == {"total": size * (size + 1) // 2}
            spent = time.process_time() - before
            nursery.cancel_scope.cancel()
        return spent

    return run


async def _read(session: Session) -> None:
    async for _ in session.backlog.read():
        pass


def studio_none(size: int) -> Run:
    return _costing(size, "none")


def studio_stop(size: int) -> Run:
    return _costing(size, "stop")


def studio_glance(size: int) -> Run:
    return _costing(size, "glance")


def studio_follow(size: int) -> Run:
    return _costing(size, "follow")


def studio_record(size: int) -> Run:
    return _costing(size, "record")


# --- how soon it answers ---


def _long(size: int) -> tf.Graph:
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=10**9)
        g.connect(start.then, loop.enter)
        control = loop.body
        for _ in range(size - 2):
            each = g.add("debug.inspect", value=1)
            g.connect(control, each.enter)
            control = each.then
    return g.graph


def studio_pause(size: int) -> Run:
    graph = _long(size)

    async def run() -> float:
        session = Session(graph)
        async with tf.studio.serve_session(session) as page, httpx.AsyncClient() as http:
            await session.start({})
            messages = session.backlog.read()
            began = time.perf_counter()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_ask, http, page, {"do": "pause"})
                async for text in messages:
                    if '"reason":"paused' in text:
                        break
                spent = time.perf_counter() - began
            await messages.aclose()
        return spent

    return run


def studio_step(size: int) -> Run:
    graph = _long(size)

    async def run() -> float:
        session = Session(graph)
        async with tf.studio.serve_session(session) as page, httpx.AsyncClient() as http:
            await session.start({}, paused=True)
            await session.live().gate.wait_parked()
            spent = []
            for _ in range(20):
                began = time.perf_counter()
                await _ask(http, page, {"do": "step", "how": "into", "strand": 0})
                spent.append(time.perf_counter() - began)
        return statistics.median(spent)

    return run


async def _ask(http: httpx.AsyncClient, page: tf.studio.Page, asked: dict[str, Any]) -> None:
    headers = {"authorization": f"Bearer {page.token}"}
    answer = await http.post(f"http://127.0.0.1:{page.port}/api/do", headers=headers, json=asked)
    assert answer.status_code == 200, answer.text


# --- how quick it is in Chromium ---


class _Served(threading.Thread):
    """A session that is served by a thread of its own."""

    def __init__(self, session: Session) -> None:
        super().__init__(daemon=True)
        self.session = session
        self._begun: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.start()
        self.page, self.token = self._begun.get(timeout=60)

    def run(self) -> None:
        async def serve() -> None:
            async with tf.studio.serve_session(self.session) as page:
                self._begun.put((page, trio.lowlevel.current_trio_token()))
                await trio.sleep_forever()

        trio.run(serve)


_WATCH = """
const look = () => {
  const said = document.getElementById('status')?.textContent || '';
  if (/^(Ready|looking)/.test(said)) requestAnimationFrame(() => { window.shown = performance.now() / 1000; });
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
_MOVE = """async () => {
  const scene = document.getElementById('scene');
  let frames = 0;
  const began = performance.now();
  while (performance.now() - began < 3000) {
    const turn = frames % 80 < 40 ? 1 : -1;
    const how = { deltaY: 12 * turn, clientX: 400, clientY: 400, bubbles: true, cancelable: true };
    scene.dispatchEvent(new WheelEvent('wheel', how));
    await new Promise(requestAnimationFrame);
    frames++;
  }
  return (performance.now() - began) / 1000 / frames;
}"""
_SCRUB = """async () => {
  const [{ Recording }, { getRecording, getGraph }] = await Promise.all([import('./recording.js'), import('./api.js')]);
  const past = new Recording(await getRecording(), (await getGraph()).nodes.length);
  const began = performance.now();
  for (let i = 0; i < 200; i++) past.after(past.first + Math.floor(Math.random() * (past.stop - past.first)));
  return (performance.now() - began) / 1000 / 200;
}"""


@contextmanager
def _opened(session: Session) -> Generator[tuple[Any, _Served]]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - for these workloads alone

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise RuntimeError("Chromium is not installed")
    served = _Served(session)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(100_000)
        page.add_init_script(_WATCH)
        page.goto(served.page.address)
        page.wait_for_function("() => window.shown")
        yield page, served
        browser.close()


def studio_load(size: int) -> Callable[[], float]:
    session = Session(_drawn(size))

    def run() -> float:
        with _opened(session) as (page, _):
            return float(page.evaluate("() => window.shown"))

    return run


def studio_frame(size: int) -> Callable[[], float]:
    session = Session(_drawn(size))
    wires = len(session.scene.document["wires"])

    async def light() -> None:
        flow: dict[str, int] = {}
        while True:
            await trio.sleep(1 / 30)
            came = {str(each): flow.get(str(each), 0) + 1 for each in random.sample(range(wires), min(33, wires))}
            flow |= came
            session.backlog.add({"flow": came})

    def run() -> float:
        with _opened(session) as (page, served):
            served.token.run_sync_soon(lambda: session.nursery and session.nursery.start_soon(light))
            page.keyboard.press("0")
            return float(page.evaluate(_MOVE))

    return run


def studio_moment(size: int) -> Callable[[], float]:
    recorder = Recorder()
    plan = _looping(size // 6)
    trio.run(lambda: tf.run(plan, observers=[recorder]))
    session = Session(plan.graph, plan.registry, recording=recorder.recording())

    def run() -> float:
        with _opened(session) as (page, _):
            return float(page.evaluate(_SCRUB))

    return run
