"""TCP: real servers and clients on the machine itself; no socket is left behind."""

from __future__ import annotations

import gc
import os
import re
import socket
import weakref

import pytest
import trio

import trioflow as tf
from trioflow.nodes._helpers import open_helpers
from trioflow.nodes._text import NotText
from trioflow.nodes.tcp import Line, NotConnected


def asking(node_type, port, wired=(), **inputs):
    """A graph that asks a server on this machine; `wired` ways on lead somewhere."""
    with tf.build() as g:
        node = g.add(node_type, "node", host="127.0.0.1", port=port, **inputs)
        g.connect(g.add("flow.start").then, node.enter)
        for output in wired:
            g.connect(node[output], g.add("flow.marker", output).enter)
    return g.graph


async def ask(handler, node_type, **inputs):
    """What a node gives whose server is this handler."""
    async with open_helpers() as helpers:
        listeners = await helpers.start(trio.serve_tcp, handler, 0)
        port = listeners[0].socket.getsockname()[1]
        result = await tf.run(asking(node_type, port, **inputs))
        helpers.cancel_scope.cancel()
    return result.outputs.get("node")


def open_sockets():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:"):
            found.append(target)
    return len(found)


@pytest.fixture(autouse=True)
async def no_socket_is_left():
    """Whatever a test does, as many sockets are open afterwards."""
    before = open_sockets()
    yield
    assert open_sockets() == before


async def upper(stream):
    async for chunk in stream:
        await stream.send_all(chunk.upper())


async def silent(stream):
    await trio.sleep_forever()


async def hanging_up(stream):
    await stream.send_all(b"half")


async def test_until_the_end():
    """Without a mark the answer ends with the connection; whatever its size, both directions go at the same time."""
    assert await ask(upper, "tcp.request", data=b"ab" * 2_000_000) == {"received": b"AB" * 2_000_000}


async def test_until_a_mark():
    """With a mark the answer ends there, in however many pieces the mark comes."""

    async def slowly(stream):
        for byte in b"one\r\ntwo":
            await stream.send_all(bytes([byte]))
            await trio.sleep(0.001)
        await trio.sleep_forever()

    assert await ask(slowly, "tcp.request", until=b"\r\n") == {"received": b"one"}
    assert await ask(slowly, "tcp.ask", text="?") == {"answer": "one"}


async def test_a_host_that_does_not_answer():
    """It ends within the time limit, as an error or at `timed_out`."""
    with pytest.raises(TimeoutError, match=r"tcp.request: 127.0.0.1:\d+ did not answer within 0.1 s."):
        await ask(silent, "tcp.request", until=b"x", timeout=0.1)
    assert await ask(silent, "tcp.ask", text="?", timeout=0.1, wired=["timed_out"]) is None


async def test_cancelling():
    """Waiting for an answer is cancelled at once."""
    with trio.move_on_after(0.1) as scope:
        await ask(silent, "tcp.request", until=b"x")
    assert scope.cancelled_caught


async def test_nobody_there():
    """A port at which nobody listens, and a name that there is not, are clear errors."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(NotConnected, match=rf"tcp.request: can't connect to 127.0.0.1:{port}: .*refused"):
            await tf.run(asking("tcp.request", port))
    with tf.build() as g:
        node = g.add("tcp.request", host="x" * 70, port=1)  # no name may be that long
        g.connect(g.add("flow.start").then, node.enter)
    with pytest.raises(NotConnected, match="can't connect to xxx"):
        await tf.run(g.graph)


@pytest.mark.parametrize("port", [0, 65536])
async def test_a_port_that_is_none(port):
    with pytest.raises(ValueError, match=f"tcp.request needs a port from 1 to 65535, got {port}."):
        await tf.run(asking("tcp.request", port))


async def test_an_answer_that_is_cut_off():
    """A connection that is closed before the mark is an error."""
    with pytest.raises(NotConnected, match="closed the connection before all of the answer had come"):
        await ask(hanging_up, "tcp.request", until=b"\n")


async def test_an_answer_without_end():
    """More than `most` bytes are an error, not all of the memory."""

    async def endless(stream):
        try:
            while True:
                await stream.send_all(b"x" * 1000)
        except trio.BrokenResourceError:
            pass

    with pytest.raises(ValueError, match=r"sent more than 5,000 bytes."):
        await ask(endless, "tcp.request", most=5000)


async def test_an_answer_that_is_no_text():
    async def binary(stream):
        await stream.send_all(b"\xff\n")

    with pytest.raises(NotText, match=r"tcp.ask: 127.0.0.1:\d+ is not utf-8 text: byte 0xff at offset 0"):
        await ask(binary, "tcp.ask", text="?")


async def test_a_connection_that_breaks():
    """A server that resets the connection is an error."""

    async def reset(stream):
        await stream.receive_some(1)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with pytest.raises(NotConnected, match="the connection to 127.0.0.1:.* broke: .*reset"):
        await ask(reset, "tcp.request", data=b"xx", until=b"x")


async def test_waiting_for_a_port():
    """It goes on as soon as somebody listens; if nobody does in time, that is an error."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tf.run, asking("tcp.wait_for", port, every=0.01))
            await trio.sleep(0.05)
            assert nursery.child_tasks
            reserved.listen()
            nursery.cancel_scope.deadline = trio.current_time() + 20
        assert not nursery.cancel_scope.cancelled_caught
    with pytest.raises(TimeoutError, match="tcp.wait_for: .* did not answer within 0.05 s."):
        await tf.run(asking("tcp.wait_for", port, timeout=0.05, every=0.01))


class Server:
    """A graph that listens; each line is answered with its letters in capitals, unless it says otherwise."""

    def __init__(self, mode=None, body=None, **inputs):
        self.opened = trio.Event()
        self.port = 0
        self.feedback = []
        opened = self

        @tf.exec_node(id="test.opened")
        def tell(port: int) -> None:
            opened.port = port
            opened.opened.set()

        with tf.build() as g:
            listen = g.add("tcp.listen", "listen", **inputs)
            g.connect(g.add("flow.start").then, listen.enter)
            g.connect(listen.listening, g.add(tell, port=listen.open_port).enter)
            reply = g.add(
                "tcp.reply", "reply", request=listen.request, text=g.add(lambda x: x.upper(), x=listen.line).result
            )
            if body is None:
                g.connect(listen.body, reply.enter)
            else:
                body(g, listen, reply)
            if mode is not None:
                g.configure(listen, mode=mode)
        self.graph = g.graph

    async def run(self, task_status=trio.TASK_STATUS_IGNORED):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.report, task_status)
            self.result = await tf.run(self.graph, observers=[self.watch])

    async def report(self, task_status):
        await self.opened.wait()
        task_status.started(self.port)

    def watch(self, event):
        if isinstance(event, tf.events.Feedback):
            self.feedback.append(re.sub(r"127.0.0.1:\d+", "CLIENT", event.message))

    async def connect(self):
        return await trio.open_tcp_stream("127.0.0.1", self.port)


async def lines(stream, count):
    data = b""
    while data.count(b"\n") < count:
        chunk = await stream.receive_some()
        if not chunk:
            return data, "closed"
        data += chunk
    return data, "open"


@pytest.mark.parametrize("mode", ["concurrent", "sequential"])
async def test_lines_are_answered(mode):
    """Each line gets its answer, in order, also several that come at once; after `times` lines it stops."""
    server = Server(mode, times=3)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        async with await server.connect() as client:
            await client.send_all(b"one\r\ntw")
            assert await lines(client, 1) == (b"ONE\n", "open")
            await client.send_all("o\nthré\nfour\n".encode())
            assert await lines(client, 3) == ("TWO\nTHRÉ\n".encode(), "closed")
    assert server.feedback == []


async def test_clients_do_not_wait_for_each_other():
    """A line that takes long keeps no other client waiting."""

    def slow(g, listen, reply):
        branch = g.add("flow.branch", condition=g.add(lambda x: x == "slow", x=listen.line).result)
        wait = g.add("flow.delay", seconds=60)
        g.connect(listen.body, branch.enter)
        g.connect(branch.true, wait.enter)
        g.connect(branch.false, reply.enter)

    server = Server(body=slow)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        async with await server.connect() as first, await server.connect() as second:
            await first.send_all(b"slow\n")
            await second.send_all(b"fast\n")
            assert await lines(second, 1) == (b"FAST\n", "open")
        nursery.cancel_scope.cancel()


async def closed(server, client):
    """What a client gets before it is disconnected, within a time limit."""
    with trio.fail_after(20):
        return (await lines(client, 1000))[0], server.feedback


@pytest.mark.slow
async def test_clients_that_are_silent_or_not_answered():
    """Both are disconnected when the time is over, and told about."""
    server = Server(body=lambda g, listen, reply: None, timeout=0.3)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        async with await server.connect() as client:
            assert await closed(server, client) == (b"", ["CLIENT is disconnected: it sent nothing for 0.3 s"])
        server.feedback.clear()
        async with await server.connect() as client:
            await client.send_all(b"hello\n")
            assert await closed(server, client) == (
                b"", ["CLIENT is disconnected: nobody answered 'hello' within 0.3 s"]
            )  # fmt: skip
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("sent", "message"), [
    (b"a\n\xff\n", "tcp.listen: what CLIENT sent is not utf-8 text: byte 0xff at offset 2: invalid start byte."),
    (b"a\n" + b"x" * 1000, "tcp.listen: what CLIENT sent: a line has more than 10 characters."),
])  # fmt: skip
async def test_clients_that_send_what_is_no_line(sent, message):
    """What is not a text, and a line without end, disconnects this client; the server goes on."""
    server = Server(longest=10)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        async with await server.connect() as client:
            await client.send_all(sent)
            assert await closed(server, client) == (b"A\n", [message])
        async with await server.connect() as client:
            await client.send_all(b"b\n")
            assert await lines(client, 1) == (b"B\n", "open")
        nursery.cancel_scope.cancel()


async def test_too_many_clients():
    """One beyond the limit is turned away; when another has gone there is room again."""
    server = Server(connections=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        async with await server.connect() as first:
            await first.send_all(b"a\n")
            assert await lines(first, 1) == (b"A\n", "open")
            async with await server.connect() as second:
                assert await closed(server, second) == (
                    b"", ["CLIENT is turned away: there are as many connections as there may be"]
                )  # fmt: skip
        await trio.sleep(0.05)
        async with await server.connect() as third:
            await third.send_all(b"c\n")
            assert await lines(third, 1) == (b"C\n", "open")
        nursery.cancel_scope.cancel()


async def test_a_client_that_goes_away():
    """One that resets the connection before its answer comes does not disturb the server."""

    def slow(g, listen, reply):
        wait = g.add("flow.delay", seconds=0.1)
        g.connect(listen.body, wait.enter)
        g.connect(wait.then, reply.enter)

    server = Server(body=slow, times=2)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            client = await server.connect()
            await client.send_all(b"a\n")
            await trio.sleep(0.05)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            await client.aclose()
            async with await server.connect() as other:
                await other.send_all(b"b\n")
                assert await lines(other, 1) == (b"B\n", "open")


async def test_hanging_up_and_breaking():
    """A reply may close the connection; in sequential mode `flow.break` stops the server."""

    def body(g, listen, reply):
        stop = g.add("flow.branch", condition=g.add(lambda x: x == "stop", x=listen.line).result)
        bye = g.add("tcp.reply", "bye", request=listen.request, text="bye", hang_up=True)
        g.connect(listen.body, stop.enter)
        g.connect(stop.true, g.add("flow.break").enter)
        g.connect(stop.false, bye.enter)

    server = Server("sequential", body=body)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            async with await server.connect() as client:
                await client.send_all(b"a\nb\n")
                assert await closed(server, client) == (b"bye\n", [])
            async with await server.connect() as client:
                await client.send_all(b"stop\n")
                assert await closed(server, client) == (b"", [])


@pytest.mark.slow
async def test_memory_stays_flat():
    """The data of each line is dropped when its chain ends, however many lines there are: nothing adds up."""
    alive, found = weakref.WeakSet(), []

    def body(g, listen, reply):
        def look(line: object, text: str) -> None:
            alive.add(line)
            if text == "look":
                gc.collect()
                found.append(len(alive))

        counted = g.add(tf.exec_node(look), line=listen.request, text=listen.line)
        g.variable("n", "int", 0, merge="sum")
        add = g.add("variable.add", name="n")
        g.connect(listen.body, counted.enter)
        g.connect(counted.then, add.enter)
        g.connect(add.then, reply.enter)

    server = Server(times=300, body=body)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        async with await server.connect() as client:
            await client.send_all((b"x\n" * 99 + b"look\n") * 3)
            assert (await lines(client, 300))[1] == "open"
    assert found[0] < 10
    assert found == found[:1] * 3
    assert server.result.variables == {"n": 0}


async def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"tcp.listen: can't listen at 127.0.0.1:{port}: .*in use"):
            await tf.run(Server(port=port).graph)


async def test_replies_that_are_none():
    """Answering what is no line, or twice, is an error."""
    with tf.build() as g:
        reply = g.add("tcp.reply", request="x", text="y")
        g.connect(g.add("flow.start").then, reply.enter)
    with pytest.raises(TypeError, match="tcp.reply needs a request of tcp.listen, got 'x'."):
        await tf.run(g.graph)
    with tf.build() as g:
        line = g.add(lambda: Line("hello", "CLIENT", "utf-8", answer=b"x"))
        reply = g.add("tcp.reply", request=line.result, text="y")
        g.connect(g.add("flow.start").then, reply.enter)
    with pytest.raises(ValueError, match="tcp.reply: 'hello' of CLIENT is answered already."):
        await tf.run(g.graph)
