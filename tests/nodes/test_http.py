"""HTTP: a real server on the machine itself, written by hand; no socket is left behind."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import socket
import sys
import zlib

import pytest
import trio

import trioflow as tf
from trioflow.nodes._helpers import open_helpers
from trioflow.nodes._text import NotText
from trioflow.nodes.http import HttpFailed, NotAnswered, TooLarge


def open_sockets():
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except FileNotFoundError:
            continue
    return found


@pytest.fixture(autouse=True)
async def no_socket_is_left(monkeypatch):
    """Whatever a test does, as many sockets are open afterwards. No proxy is in between."""
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    before = open_sockets()
    yield
    assert open_sockets() == before


class Server:
    """Answers by path, and keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.connections = 0
        self.sent = 0

    async def __call__(self, stream):
        self.connections += 1
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    chunk = await stream.receive_some()
                    if not chunk:
                        return
                    data += chunk
                head, _, data = data.partition(b"\r\n\r\n")
                request, *headers = head.decode().split("\r\n")
                headers = {name.lower(): value for name, value in (header.split(": ", 1) for header in headers)}
                length = int(headers.get("content-length", 0))
                while len(data) < length:
                    data += await stream.receive_some()
                body, data = data[:length], data[length:]
                method, target, _ = request.split()
                self.asked.append((method, target, headers, body))
                await getattr(self, target[1:].partition("?")[0])(stream, method, body)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def answer(self, stream, body, status="200 OK", **headers):
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await stream.send_all("\r\n".join([*lines, "", ""]).encode() + body)

    async def hello(self, stream, method, body):
        await self.answer(stream, b"h\xe4llo\n", content_type="text/plain; charset=latin-1")

    async def echo(self, stream, method, body):
        await self.answer(stream, json.dumps([method, body.decode()]).encode())

    async def binary(self, stream, method, body):
        await self.answer(stream, b"ok\xff")

    async def missing(self, stream, method, body):
        await self.answer(stream, b"no such page", "404 Not Found")

    async def moved(self, stream, method, body):
        await self.answer(stream, b"", "302 Found", location="/hello")

    async def circle(self, stream, method, body):
        await self.answer(stream, b"", "302 Found", location="/circle")

    async def bomb(self, stream, method, body):
        await self.answer(stream, gzip.compress(b"0" * 10_000_000), content_encoding="gzip")

    async def members(self, stream, method, body):
        await self.answer(stream, gzip.compress(b"hello ") + gzip.compress(b"world"), content_encoding="gzip")

    async def cut(self, stream, method, body):
        packed = gzip.compress(os.urandom(20_000))
        await self.answer(stream, packed[: len(packed) // 2], content_encoding="gzip")

    async def deflated(self, stream, method, body):
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)  # as some servers do, without zlib's head
        await self.answer(stream, packer.compress(b"raw") + packer.flush(), content_encoding="deflate")

    async def twice(self, stream, method, body):
        await self.answer(stream, gzip.compress(zlib.compress(b"twice")), content_encoding="deflate, gzip")

    async def odd(self, stream, method, body):
        await self.answer(stream, b"odd", content_encoding="br")

    async def nonsense(self, stream, method, body):
        await self.answer(stream, b"a", content_type="text/plain; charset=nonsense")

    async def packed_text(self, stream, method, body):
        await self.answer(stream, bz2.compress(b"0" * 100_000), content_type="text/plain; charset=bz2")

    async def euro(self, stream, method, body):
        await self.answer(
            stream, '{"a":"é€"}'.encode("iso-8859-15"), content_type="application/json; charset=iso-8859-15"
        )

    async def marked(self, stream, method, body):
        await self.answer(stream, '\ufeff{"a": 1}'.encode("utf-16"), content_type="application/json")

    async def again(self, stream, method, body):
        await self.answer(stream, b'{"y": 1, "y": 2}')

    async def nothing(self, stream, method, body):
        await stream.send_all(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def garbage(self, stream, method, body):
        await stream.send_all(b"what?\r\n\r\n")
        await stream.aclose()

    async def broken(self, stream, method, body):
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
        await stream.aclose()

    async def silent(self, stream, method, body):
        await trio.sleep_forever()

    async def stuck(self, stream, method, body):
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\none\ntwo")
        await trio.sleep_forever()

    async def endless(self, stream, method, body):
        await stream.send_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            await stream.send_all(b"line\n" * 1000)
            self.sent += 5000


async def ask(target, node_type="http.get", wired=("then", "failed", "timed_out"), server=None, wire=None, **inputs):
    """Which way a node went on, and what it gave."""
    notes = []

    @tf.exec_node(id="test.way")
    def tell(way: str) -> None:
        notes.append(way)

    async with open_helpers() as helpers:
        listeners = await helpers.start(trio.serve_tcp, server or Server(), 0)
        port = listeners[0].socket.getsockname()[1]
        with tf.build() as g:
            node = g.add(node_type, "node", url=f"http://127.0.0.1:{port}/{target}", **inputs)
            g.connect(g.add("flow.start").then, node.enter)
            for way in wired:
                g.connect(node[way], g.add(tell, way=way).enter)
            if wire is not None:
                wire(g, node)
        with trio.fail_after(20):
            result = await tf.run(g.graph)
        helpers.cancel_scope.cancel()
    return notes, result.outputs.get("node", {})


async def test_get():
    """Text in the encoding that the server names, bytes as they are, JSON as what it stands for."""
    notes, outputs = await ask("hello")
    assert (notes, outputs["status"], outputs["content"]) == (["then"], 200, "hällo\n")
    assert outputs["reply_headers"]["content-type"] == "text/plain; charset=latin-1"
    assert (await ask("binary", read_as="bytes"))[1]["content"] == b"ok\xff"
    assert (await ask("echo", read_as="json"))[1]["content"] == ["GET", ""]


async def test_what_is_sent():
    """Query, headers, method and body arrive as they were given."""
    server = Server()
    await ask("hello?a=1", server=server, query={"b": "x y", "c": 2}, headers={"X-Mine": "yes"})
    method, target, headers, body = server.asked[-1]
    assert (method, target, headers["x-mine"], body) == ("GET", "/hello?a=1&b=x+y&c=2", "yes", b"")
    await ask("echo", "http.post", server=server, value={"ä": [1, None]})
    method, target, headers, body = server.asked[-1]
    assert (method, headers["content-type"], body) == ("POST", "application/json", '{"ä": [1, null]}'.encode())
    await ask("echo", "http.post", server=server, value=1, headers={"Content-Type": "application/x"})
    assert server.asked[-1][2]["content-type"] == "application/x"
    await ask("echo", "http.request", server=server, method="put", body="ä")
    assert server.asked[-1][::3] == ("PUT", "ä".encode())


async def test_compressed_answers(tmp_path):
    """Several members are one answer; what is cut off, or packed in a way that is not known, is an error, and no file."""
    assert (await ask("members"))[1]["content"] == "hello world"
    assert (await ask("deflated"))[1]["content"] == "raw"
    assert (await ask("twice"))[1]["content"] == "twice"
    with pytest.raises(NotAnswered, match="http.get: the compressed answer of .*/cut can't be unpacked: it is cut off"):
        await ask("cut", read_as="bytes")
    with pytest.raises(NotAnswered, match="packed its answer by 'br'; known are gzip and deflate"):
        await ask("odd")
    path = tmp_path / "old"
    path.write_text("old")
    with pytest.raises(NotAnswered, match="cut off"):
        await ask("cut", "http.download", path=path)
    assert path.read_text() == "old"


async def test_charsets():
    """JSON is read by the charset that the server names, or by its first bytes; names of no text encoding are errors."""
    for target, name in (("nonsense", "nonsense"), ("packed_text", "bz2")):
        with pytest.raises(
            NotText, match=f"http.get: .*/{target} names the text encoding '{name}', which does not exist"
        ):
            await ask(target)
    assert (await ask("euro", read_as="json"))[1]["content"] == {"a": "é€"}
    assert (await ask("marked", read_as="json"))[1]["content"] == {"a": 1}
    with pytest.raises(ValueError, match="is not JSON: the key 'y' occurs more than once"):
        await ask("again", read_as="json")
    assert (await ask("nothing", read_as="json"))[1]["content"] is None


async def test_query():
    """A query is written as `url.write_query` writes it."""
    server = Server()
    await ask("hello", server=server, query={"b": ["x", "y"], "d": True, "c": None})
    assert server.asked[-1][1] == "/hello?b=x&b=y&d=true&c="


async def test_redirects():
    """The node goes where the server says, unless told not to; in a circle it does not go for ever."""
    assert (await ask("moved"))[1]["content"] == "hällo\n"
    assert (await ask("moved", redirects=False))[1]["status"] == 302
    with pytest.raises(NotAnswered, match="http.get: .*/circle: .*redirects"):
        await ask("circle")


async def test_a_server_that_can_not():
    """A status of 400 or more goes on at `failed`, with what the server says, or is an error that says so."""
    notes, outputs = await ask("missing", read_as="json")
    assert (notes, outputs["status"], outputs["content"]) == (["failed"], 404, "no such page")
    with pytest.raises(HttpFailed, match=r"http.get: http://127.0.0.1:\d+/missing answered 404 Not Found.") as caught:
        await ask("missing", wired=())
    assert caught.value.status == 404


@pytest.mark.parametrize("target", ["silent", "stuck"])
async def test_a_server_that_does_not_answer(target):
    """It ends within the time limit, as an error or at `timed_out`, also in the middle of the answer."""
    assert (await ask(target, timeout=0.1))[0] == ["timed_out"]
    with pytest.raises(TimeoutError, match=r"http.get: http://.*/\w+ did not answer within 0.1 s."):
        await ask(target, timeout=0.1, wired=())


async def test_cancelling():
    """Waiting for an answer is cancelled at once."""
    with trio.move_on_after(0.1) as scope:
        await ask("silent")
    assert scope.cancelled_caught


@pytest.mark.parametrize(("target", "message"), [
    ("garbage", "http.get: http://127.0.0.1:PORT/garbage: "),
    ("broken", "http.get: http://127.0.0.1:PORT/broken: "),
])  # fmt: skip
async def test_servers_that_do_not_keep_to_the_protocol(target, message):
    with pytest.raises(NotAnswered, match=message.replace("PORT", r"\d+")):
        await ask(target)


async def test_nobody_there():
    """A server that can't be reached is a clear error, without the password that the URL may hold."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://me:secret@127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(NotAnswered, match=r"http.get: http://127.0.0.1:\d+/: ") as caught:
            await alone("http.get", url=url)
    assert "secret" not in str(caught.value)


async def alone(node_type, **inputs):
    with tf.build() as g:
        node = g.add(node_type, "node", **inputs)
        g.connect(g.add("flow.start").then, node.enter)
    return await tf.run(g.graph)


@pytest.mark.parametrize(("node_type", "inputs", "error", "message"), [
    ("http.get", {"url": "nowhere"}, ValueError, "http.get: 'nowhere' can't be asked: "),
    ("http.get", {"url": "ftp://host"}, ValueError, "http.get: 'ftp://host' can't be asked: "),
    ("http.get", {"url": "http://a:b/"}, ValueError, "http.get: 'http://a:b/' can't be asked: "),
    ("http.get", {"url": "http://a", "timeout": -1.0}, ValueError, "http.get needs 0 seconds or more, got -1.0."),
    ("http.request", {"url": "http://a", "method": "GE T"}, ValueError, "http.request: 'GE T' is not an HTTP method."),
    ("http.post", {"url": "http://a", "value": {1}}, ValueError, "http.post: what is sent can't be written as JSON: "),
    ("http.post", {"url": "http://a", "value": float("nan")}, ValueError, "http.post: what is sent can't be written"),
])  # fmt: skip
async def test_what_can_not_be_asked(node_type, inputs, error, message):
    """It is told before anything is sent, and names what was given."""
    with pytest.raises(error) as caught:
        await alone(node_type, **inputs)
    assert str(caught.value).startswith(message)


async def test_headers_that_can_not_be_sent():
    """A name or value that no header can have is told before it is sent."""
    with pytest.raises(ValueError, match=r"http.get: 'http://127.0.0.1:\d+/hello' can't be asked: Illegal header name"):
        await ask("hello", headers={"a b": "x"})
    with pytest.raises(
        ValueError, match=r"http.get: 'http://127.0.0.1:\d+/hello' can't be asked: Illegal header value"
    ):
        await ask("hello", headers={"a": "x\r\nb: y"})
    with pytest.raises(ValueError, match=r"http.get: 'http://127.0.0.1:\d+/hello' can't be asked: "):
        await ask("hello", headers={"a": "\u20ac"})


async def test_headers_that_come_by_wire_are_checked():
    with tf.build() as g:
        node = g.add("http.get", url="http://a", headers=g.add(lambda: {"n": 1}).result)
        g.connect(g.add("flow.start").then, node.enter)
    with pytest.raises(TypeError, match="http.get: headers are texts, got 'n': 1."):
        await tf.run(g.graph)


async def test_answers_that_are_not_what_was_expected():
    """No text, no JSON, or too large, also if it is so only when unpacked."""
    with pytest.raises(NotText, match=r"http.get: what http://.*/binary sent is not utf-8 text: byte 0xff at offset 2"):
        await ask("binary")
    with pytest.raises(ValueError, match=r"http.get: what http://.*/hello sent is not JSON: "):
        await ask("hello", read_as="json")
    with pytest.raises(TooLarge, match=r"http.get: http://.*/bomb sent more than 1,000,000 bytes."):
        await ask("bomb", most=1_000_000)


async def test_connections_are_kept():
    """A node that asks again uses the connection that it has; at the end of the run it is closed."""
    server = Server()

    async with open_helpers() as helpers:
        listeners = await helpers.start(trio.serve_tcp, server, 0)
        with tf.build() as g:
            loop = g.add("flow.repeat", times=3)
            get = g.add("http.get", url=f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/hello")
            g.connect(g.add("flow.start").then, loop.enter)
            g.connect(loop.body, get.enter)
        await tf.run(g.graph)
        helpers.cancel_scope.cancel()
    assert (len(server.asked), server.connections) == (3, 1)


async def test_download(tmp_path):
    """The file holds all of it, or what it held before, with nothing beside it."""
    path = tmp_path / "file"
    notes, outputs = await ask("bomb", "http.download", path=str(path))
    assert (notes, outputs["size"], path.stat().st_size) == (["then"], 10_000_000, 10_000_000)
    path.write_text("before")
    assert (await ask("missing", "http.download", path=str(path)))[0] == ["failed"]
    assert (await ask("stuck", "http.download", path=str(path), timeout=0.1))[0] == ["timed_out"]
    for target, error in ("broken", NotAnswered), ("endless", TooLarge):
        with pytest.raises(error):
            await ask(target, "http.download", path=str(path), most=100_000)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "before")]


def noting(g, node):
    notes = []

    @tf.exec_node(id="test.line")
    def note(number: int, line: str) -> None:
        notes.append((number, line))

    g.connect(node.body, g.add(note, number=node.number, line=node.line).enter)
    return notes


async def test_lines():
    """Each line is sent when it comes; the last one need not have an end."""
    found = []
    notes, _ = await ask("hello", "http.lines", wired=["done"], wire=lambda g, node: found.append(noting(g, node)))
    assert (notes, found[0]) == (["done"], [(1, "hällo")])
    assert (await ask("missing", "http.lines", wired=["failed", "done"]))[0] == ["failed"]
    with pytest.raises(HttpFailed):
        await ask("missing", "http.lines", wired=())
    found.clear()
    wired = ["timed_out", "done"]
    notes, _ = await ask(
        "stuck", "http.lines", wired=wired, timeout=0.5, wire=lambda g, node: found.append(noting(g, node))
    )
    assert (notes, found[0]) == (["timed_out"], [(1, "one")])


async def test_lines_without_end():
    """Back-pressure: the server waits while a line is worked on, for which there is no time limit; break ends it."""
    server = Server()

    def stop(g, node):
        wait, branch = g.add("flow.delay", seconds=0.7), g.add("flow.break")
        g.connect(node.body, wait.enter)
        g.connect(wait.then, branch.enter)

    notes, outputs = await ask("endless", "http.lines", wired=["done"], server=server, wire=stop, timeout=0.5)
    assert (notes, outputs["number"]) == (["done"], 1)
    assert server.sent < 20_000_000


async def test_what_fails_in_the_body_is_itself():
    """A failure further on is raised as it is, and is not taken for one of the server."""
    with pytest.raises(RuntimeError, match="mine"):

        def fail(g, node):
            @tf.exec_node(id="test.fail")
            def failing() -> None:
                raise RuntimeError("mine")

            g.connect(node.body, g.add(failing).enter)

        await ask("hello", "http.lines", wired=(), wire=fail)


async def test_without_the_extra():
    """Without httpx the error names the command that installs it, before the run begins."""
    code = """if True:
        import sys
        sys.modules["httpx"] = None
        import trio, trioflow as tf
        with tf.build() as g:
            start, get = g.add("flow.start"), g.add("http.get", url="http://a")
            g.connect(start.then, get.enter)
        try:
            trio.run(tf.run, g.graph)
        except tf.InvalidGraph as error:
            print(error)
        """
    done = await trio.run_process([sys.executable, "-c", code], capture_stdout=True)
    assert done.stdout.decode() == (
        "The graph has 1 error:\n  error[missing-package] nodes[1].type: 'get' (http.get) needs httpx, which is not "
        "installed. Install it with: python -m pip install 'httpx>=0.28'\n"
    )
