"""Graphs to show, and a page served for a test."""

from __future__ import annotations

import contextlib
import json
import os

import h11
import httpx
import trio

import trioflow as tf


@tf.data_node(id="studio.square")
def square(n: int) -> int:
    return n * n


@tf.exec_node(id="studio.fails")
async def fails(n: int) -> None:
    raise ValueError(f"no {n}")


@tf.exec_node(id="studio.hold")
async def hold() -> None:
    await trio.sleep_forever()


def registry():
    made = tf.Registry.standard()
    made.add(square, fails, hold)
    return made


def summing(times=3):
    """`loop` adds the squares of its indexes to the variable `total`."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "loop", times=times)
        squared = g.add(square, "square", n=loop.index)
        add = g.add(tf.nodes.UpdateVariable, "add", name="total", value=squared.result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, add.enter)
    return g.graph


def failing():
    """`fail` fails."""
    with tf.build() as g:
        start, fail = g.add(tf.nodes.Start, "start"), g.add(fails, "fail", n=7)
        g.connect(start.then, fail.enter)
    return g.graph


def holding():
    """`hold` never ends."""
    with tf.build() as g:
        start, held = g.add(tf.nodes.Start, "start"), g.add(hold, "hold")
        g.connect(start.then, held.enter)
    return g.graph


class Client:
    """What a page asks, without a page."""

    def __init__(self, page, http):
        self.page, self.http = page, http
        self.base = f"http://127.0.0.1:{page.port}"
        self.headers = {"authorization": f"Bearer {page.token}"}

    async def get(self, path):
        return await self.http.get(self.base + path, headers=self.headers)

    async def post(self, asked):
        return await self.http.post(f"{self.base}/api/do", headers=self.headers, json=asked)

    async def ask(self, do, **more):
        answer = await self.post({"do": do, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    async def refused(self, do, **more):
        answer = await self.post({"do": do, **more})
        assert answer.status_code == 409
        return answer.json()["error"]

    async def frames(self, until, last=""):
        """Messages of the stream, as (id, kind, data), up to the first for which `until` holds."""
        found, held = [], b""
        wire = h11.Connection(h11.CLIENT)
        headers = {"host": "localhost", "last-event-id": last, **self.headers}
        async with await trio.open_tcp_stream("127.0.0.1", self.page.port) as stream:
            await stream.send_all(
                wire.send(h11.Request(method="GET", target="/api/events", headers=[*headers.items()]))
            )
            while True:
                event = wire.next_event()
                if event is h11.NEED_DATA:
                    wire.receive_data(await stream.receive_some(65536))
                elif isinstance(event, h11.Data):
                    held += event.data
                    *messages, held = held.split(b"\n\n")
                    for message in messages:
                        fields = dict(line.split(": ", 1) for line in message.decode().splitlines())
                        if fields.get("data"):
                            found.append((fields["id"], fields["event"], json.loads(fields["data"])))
                            if until(found[-1][2]):
                                return found
                else:
                    assert isinstance(event, h11.Response) and event.status_code == 200, event


LIMIT = 120
"""Seconds after which something hangs; how fast a machine is does not matter."""


@contextlib.asynccontextmanager
async def opened(session, **given):
    with trio.fail_after(LIMIT):
        async with tf.studio.serve_session(session, **given) as page, httpx.AsyncClient(timeout=LIMIT) as http:
            yield Client(page, http)


async def settled(session, holds):
    """Wait until something holds of the session."""
    with trio.fail_after(LIMIT):
        while not holds(session):
            await trio.sleep(0.005)


def replace_file(path, text):
    """Write a file at once, so that nobody sees half of it."""
    beside = path.with_suffix(".beside")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
