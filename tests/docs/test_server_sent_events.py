"""The app of docs/server-sent-events.md, as it stands there, served by Hypercorn on loopback to clients of all manners."""

from __future__ import annotations

import gc
import json
import logging
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import types
from functools import partial
from pathlib import Path

import pytest
import trio

pytest.importorskip("starlette", reason="the app needs starlette")
pytest.importorskip("hypercorn", reason="the app is served by hypercorn[trio]")

from hypercorn.trio import serve

PAGE = Path(__file__).parents[2] / "docs" / "server-sent-events.md"
TEXT = PAGE.read_text(encoding="utf-8")
(BLOCK,) = re.finditer(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
CODE = BLOCK[1]


@pytest.fixture
def page(monkeypatch, caplog, recwarn):
    """The module of the page, with heartbeats and patience of less time; at the end nothing has been logged or warned of."""
    module = types.ModuleType("app")  # not "__main__"
    monkeypatch.setitem(sys.modules, "app", module)
    exec(compile("\n" * (TEXT.count("\n", 0, BLOCK.start()) + 1) + CODE, str(PAGE), "exec"), vars(module))
    assert (module.HEARTBEAT, module.PATIENCE) == (15, 30)
    module.HEARTBEAT, module.PATIENCE = 0.2, 1.0
    caplog.set_level(logging.WARNING)
    yield module
    gc.collect()
    assert [record.getMessage() for record in caplog.records] == []
    assert [str(warning.message) for warning in recwarn.list if "hypercorn" not in warning.filename] == []


def tasks():
    found, todo = [], [trio.lowlevel.current_root_task()]
    while todo:
        task = todo.pop()
        found.append(task.name)
        todo += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return found


def served(page, test, *, grace=0.5):
    """Serve the app while the test runs, and shut down; no run may be left by then."""

    async def main():
        config = page.configured(0)
        config.graceful_timeout = grace
        config.errorlog = logging.getLogger("hypercorn.error")
        stop = trio.Event()
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                (bind, *_) = await nursery.start(partial(serve, page.app, config, shutdown_trigger=stop.wait))
                await test(int(bind.rpartition(":")[2]), stop)
                stop.set()
            for client in clients:
                await client.stream.aclose()
            clients.clear()
            assert page.MOST.borrowed_tokens == 0
            while "trioflow.stream" in tasks():
                await trio.sleep(0.01)

    trio.run(main)


async def nothing_goes_on(page):
    """Wait until the server has noticed that all clients have left."""
    with trio.fail_after(10):
        while page.MOST.borrowed_tokens or "trioflow.stream" in tasks():
            await trio.sleep(0.01)


class Client:
    """A browser with a raw socket, so that it can do what browsers do not."""

    def __init__(self, stream):
        self.stream = stream
        self.received = b""

    async def until(self, pattern, size=65536):
        """Read on until this was received; False if the connection ended before."""
        while not re.search(pattern, self.received):
            try:
                more = await self.stream.receive_some(size)
            except trio.BrokenResourceError:
                return False
            if not more:
                return False
            self.received += more
        return True

    async def reset(self):
        """Leave without a word: RST."""
        self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.stream.aclose()

    @property
    def status(self):
        return int(self.received.split()[1])

    @property
    def events(self):
        """What a browser would make of it: id, kind, data."""
        found = []
        for part in re.findall(rb"^id: (.*)\nevent: (.*)\ndata: (.*)\n\n", self.received, re.MULTILINE):
            number, kind, data = (each.decode() for each in part)
            found.append((number, kind, json.loads(data)))
        return found


clients: list[Client] = []


async def connect(port, query, *headers, window=None):
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    if window is not None:
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    clients.append(Client(stream))
    lines = [f"GET /runs?{query} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    client = clients[-1]
    await stream.send_all("\r\n".join(lines).encode())
    return client


END = rb"0\r\n\r\n$"


def test_events_of_a_run(page):
    """A run is streamed from its beginning to its end, each event with its id, its kind and its data."""

    async def test(port, stop):
        client = await connect(port, "times=3&seconds=0.01")
        assert await client.until(END)
        head = client.received.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
        assert head[0] == "http/1.1 200 "
        assert {
            "content-type: text/event-stream; charset=utf-8",
            "cache-control: no-cache",
            "x-accel-buffering: no",
        } < {*head}
        assert not any(line.startswith("content-length") for line in head)
        events = client.events
        kinds = [kind for _, kind, _ in events]
        assert (kinds[0], kinds[-1], kinds.count("Progress")) == ("RunStarted", "RunCompleted", 3)
        assert [data["done"] for _, kind, data in events if kind == "Progress"] == [1, 2, 3]
        assert all(number == data["id"] for number, _, data in events)
        assert len({number for number, _, _ in events}) == len(events)

    served(page, test)


@pytest.mark.slow
def test_heartbeats(page):
    """While nothing happens, comments keep the connection alive."""

    async def test(port, stop):
        client = await connect(port, "times=1&seconds=0.9")
        assert await client.until(END)
        assert 2 <= client.received.count(b": still here\n\n") <= 5
        assert client.events[-1][1] == "RunCompleted"

    served(page, test)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "limits", "message"),
    [
        ("times=1&seconds=-1", {}, "The run has failed."),
        ("times=100000&seconds=0", {"max_steps": 10}, "The run reached its limit of 10 steps at node 'count'"),
        ("times=1&seconds=10", {"timeout": 0.1}, "The run reached its limit of 0.1 s"),
    ],
)
def test_a_failure_is_the_last_event(page, caplog, query, limits, message):
    """A run that fails ends the stream with an event `error`, which tells strangers of limits alone."""
    import trioflow as tf

    if limits:
        page.LIMITS = tf.RunOptions(**limits)

    async def test(port, stop):
        client = await connect(port, query)
        assert await client.until(END)
        number, kind, data = client.events[-1]
        assert (kind, data["message"][: len(message)]) == ("error", message)
        assert number.endswith("/end")
        assert b"must be non-negative" not in client.received

    served(page, test)
    (record,) = caplog.records
    assert (record.name, record.exc_info[1] is not None) == ("app", True)
    caplog.clear()


def test_what_can_not_be_run(page):
    """Bad questions, questions for a run that has gone, and too many at once are answered as such."""

    async def test(port, stop):
        async def status(query, *headers):
            client = await connect(port, query, *headers)
            await client.until(END)
            await client.stream.aclose()
            return client.status

        assert await status("times=x&seconds=1") == await status("") == 400
        assert await status("times=1&seconds=0", "Last-Event-ID: 1-1/7") == 204
        page.MOST.total_tokens = 1
        first = await connect(port, "times=1&seconds=100")
        assert await first.until(b"NodeStarted")
        assert await status("times=1&seconds=0") == 503
        await first.reset()
        await nothing_goes_on(page)
        assert await status("times=1&seconds=0") == 200

    served(page, test)


@pytest.mark.slow
def test_clients_who_leave(page):
    """Of 50 clients at once half leave in the middle, in order or abruptly: their runs end, the others' go on."""
    whole = []

    async def one(port, number):
        client = await connect(port, f"times={10 if number % 2 else 10**6}&seconds=0.1")
        if number % 2:
            assert await client.until(END)
            whole.append([kind for _, kind, _ in client.events].count("Progress"))
        else:
            assert await client.until(b'"done": 3,' if number % 3 else b"RunStarted")
            await (client.reset() if number % 4 else client.stream.aclose())

    async def test(port, stop):
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(one, port, number)
        assert whole == [10] * 25
        await nothing_goes_on(page)

    served(page, test)


def test_who_leaves_before_the_first_event(page):
    """A client may be gone before anything was sent to it."""

    async def test(port, stop):
        for _ in range(20):
            client = await connect(port, "times=1000000&seconds=0")
            await client.reset()
        await nothing_goes_on(page)

    served(page, test)


@pytest.mark.unmeasured
def test_a_slow_client(page):
    """One that reads slowly does not slow down the run: it is told how many events it has missed, and how the run ended."""

    async def test(port, stop):
        slow = await connect(port, "times=20000&seconds=0", window=65536)
        await trio.sleep(1)
        assert await slow.until(END)
        kinds = [kind for _, kind, _ in slow.events]
        assert (kinds[0], kinds[-1]) == ("RunStarted", "RunCompleted")
        missed = sum(data["count"] for _, kind, data in slow.events if kind == "EventsDropped")
        assert missed + len(kinds) - kinds.count("EventsDropped") == 3 * 20_000 + 6
        assert missed > 1000

    served(page, test)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such timeout")
def test_a_client_that_reads_nothing(page):
    """One that reads nothing at all counts as gone after a while, though Hypercorn can't be cancelled where it writes."""

    async def test(port, stop):
        stuck = await connect(port, "times=100000&seconds=0", window=2048)
        await stuck.until(b"RunStarted")
        await nothing_goes_on(page)
        await stuck.stream.aclose()

    served(page, test)


@pytest.mark.slow
def test_a_shutdown_with_clients(page):
    """A server that shuts down cancels the runs of clients who are still there."""

    async def test(port, stop):
        connected = [await connect(port, "times=1000000&seconds=0.1") for _ in range(10)]
        for client in connected:
            assert await client.until(b"Progress")
        stop.set()
        for client in connected:
            await client.until(END)

    served(page, test)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "start", ["app.py", "-m hypercorn --worker-class trio --graceful-timeout 3 --bind 127.0.0.1:8000 app:app"]
)
def test_a_signal_ends_the_server(number, start, tmp_path):
    """The server as it is started on the page ends cleanly by a signal, with clients connected, and says no word about it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "app.py").write_text(CODE.replace("8000", str(port)), encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, "-W", "default", *start.replace("8000", str(port)).replace("timeout 3", "timeout 1").split()],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    async def main():
        with trio.fail_after(30):
            while True:
                try:
                    connected = [await connect(port, "times=1000000&seconds=0.05") for _ in range(5)]
                    break
                except OSError:
                    assert server.poll() is None
                    await trio.sleep(0.1)
            for client in connected:
                assert await client.until(b"Progress")
            server.send_signal(number)
            for client in connected:
                await client.until(END)
                await client.stream.aclose()
            clients.clear()

    try:
        trio.run(main)
        began = time.monotonic()
        output, _ = server.communicate(timeout=20)
        assert time.monotonic() - began < 10
    finally:
        server.kill()
        server.communicate()
    assert server.returncode == 0, output
    assert "Traceback" not in output
    assert "Warning" not in output, output
