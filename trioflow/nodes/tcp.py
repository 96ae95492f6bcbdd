"""TCP: asking a server, being one for lines of text. Everything has a time limit, and no socket is left behind."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import attrs
import trio

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._helpers import open_helpers
from trioflow.nodes._text import LineSplitter, codec, decode, encode
from trioflow.nodes.loop import Loop


class NotConnected(ConnectionError):
    """A connection could not be opened, or was closed before all that was expected had come."""


class _Asking(tf.Node, abstract=True):
    enter = tf.ExecIn()
    host = tf.DataIn(str, doc="name or address")
    port = tf.DataIn(int, doc="from 1 to 65535")
    timeout = tf.DataIn(float, default=30.0, doc="seconds that all of it may take, on trio's clock")
    then = tf.ExecOut()
    timed_out = tf.ExecOut(doc="when it took longer")

    async def _peer(self, ctx: tf.Context) -> tuple[str, int, float]:
        node = type(self).type.id
        host, port = await ctx.get_input(self.host), check_port(node, await ctx.get_input(self.port), least=1)
        return host, port, expect.at_least_zero(node, "seconds", await ctx.get_input(self.timeout))

    def _late(self, ctx: tf.Context, host: str, port: int, seconds: float) -> tf.ExecOut:
        if not ctx.is_connected(self.timed_out):
            raise TimeoutError(f"{type(self).type.id}: {host}:{port} did not answer within {seconds:g} s.")
        return self.timed_out

    async def _exchange(self, host: str, port: int, data: bytes, until: bytes, most: int) -> bytes:
        node = type(self).type.id
        async with await connect(node, host, port) as stream:
            async with open_helpers() as helpers:
                # At the same time, since a server that answers meanwhile would wait for us to read.
                helpers.start_soon(_send, stream, data, not until)
                with _telling(node, host, port):
                    received = await _receive(node, stream, until, most, f"{host}:{port}")
                helpers.cancel_scope.cancel()
            return received


def check_port(node: str, port: int, *, least: int = 0) -> int:
    """The port, if it is one. Raises `ValueError`."""
    if not least <= port <= 65535:
        raise ValueError(f"{node} needs a port from {least} to 65535, got {port}.")
    return port


async def connect(node: str, host: str, port: int) -> trio.SocketStream:
    """A connection. Raises `NotConnected`."""
    with _telling(node, host, port):
        return await trio.open_tcp_stream(host, port)


@contextmanager
def _telling(node: str, host: str, port: int) -> Generator[None, None, None]:
    try:
        yield
    except (OSError, UnicodeError) as error:  # a host name that has no encoding raises the second
        if isinstance(error, NotConnected):
            raise
        causes: Any = getattr(error.__cause__, "exceptions", (error.__cause__ or error,))
        raise NotConnected(f"{node}: can't connect to {host}:{port}: {causes[0]}.") from error
    except trio.BrokenResourceError as error:
        raise NotConnected(f"{node}: the connection to {host}:{port} broke: {error.__cause__ or error}.") from error


async def _send(stream: trio.SocketStream, data: bytes, end: bool) -> None:
    try:
        await stream.send_all(data)
        if end:
            await stream.send_eof()
    except trio.BrokenResourceError:
        pass  # a server may answer before it has read all, and whether it did is seen where its answer is read


async def _receive(node: str, stream: trio.SocketStream, until: bytes, most: int, peer: str) -> bytes:
    received = bytearray()
    async for chunk in stream:
        begin = max(0, len(received) - len(until))
        received += chunk
        end = received.find(until, begin) if until else -1
        if end >= 0:
            return bytes(received[:end])
        if len(received) > most:
            raise ValueError(f"{node}: {peer} sent more than {most:,} bytes.")
    if until:
        raise NotConnected(f"{node}: {peer} closed the connection before all of the answer had come.")
    return bytes(received)


class TcpRequest(_Asking, id="tcp.request", durable="recorded"):
    """Connects, sends bytes, and receives until the other side closes the connection, or until a mark; then closes.

    Without a mark the other side is told that no more comes. A host that can't be reached, a connection that breaks or
    is closed before the mark, and more than `most` bytes are errors; taking too long is one if `timed_out` leads
    nowhere. Cancelled at any time.

    >>> fire("tcp.request", host="localhost", port=9, timeout=0.0, timed_out=lambda: None)
    [('timed_out', {})]
    """

    data = tf.DataIn(bytes, default=b"", doc="what is sent")
    until = tf.DataIn(bytes, default=b"", doc="the mark at the end of the answer; none: it ends with the connection")
    most = tf.DataIn(int, default=1 << 26, doc="bytes of the answer at most")
    received = tf.DataOut(bytes, doc="the answer, without the mark")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        host, port, seconds = await self._peer(ctx)
        data, until = await ctx.get_input(self.data), await ctx.get_input(self.until)
        most = await ctx.get_input(self.most)
        with trio.move_on_after(seconds):
            ctx.set_output(self.received, await self._exchange(host, port, data, until, most))
            return self.then
        return self._late(ctx, host, port, seconds)


class TcpAsk(_Asking, id="tcp.ask", durable="recorded"):
    """Connects, sends a line of text, receives one, and closes: what `tcp.listen` answers to. Errors as `tcp.request`.

    An answer that is not a text in the encoding is an error, too.

    >>> fire("tcp.ask", host="localhost", port=9, text="?", timeout=0.0, timed_out=lambda: None)
    [('timed_out', {})]
    """

    text = tf.DataIn(str, doc="the line, without its end")
    encoding = tf.DataIn(str, default="utf-8", doc="a name that Python knows")
    most = tf.DataIn(int, default=1 << 20, doc="bytes of the answer at most")
    answer = tf.DataOut(str, doc="the line that came back, without its end")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        host, port, seconds = await self._peer(ctx)
        text, encoding = await ctx.get_input(self.text), await ctx.get_input(self.encoding)
        most = await ctx.get_input(self.most)
        with trio.move_on_after(seconds):
            data = encode(text + "\n", encoding, "tcp.ask")
            received = await self._exchange(host, port, data, b"\n", most)
            ctx.set_output(self.answer, decode(received.removesuffix(b"\r"), encoding, f"tcp.ask: {host}:{port}"))
            return self.then
        return self._late(ctx, host, port, seconds)


class TcpWait(_Asking, id="tcp.wait_for", durable="recorded"):
    """Waits until somebody listens at a port, by trying to connect again and again; then goes on at `then`.

    Taking too long is an error if `timed_out` leads nowhere. Cancelled at any time.

    >>> fire("tcp.wait_for", host="localhost", port=9, timeout=0.0, timed_out=lambda: None)
    [('timed_out', {})]
    """

    every = tf.DataIn(float, default=0.1, doc="seconds between two attempts")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        host, port, seconds = await self._peer(ctx)
        every = expect.at_least_zero("tcp.wait_for", "seconds", await ctx.get_input(self.every))
        with trio.move_on_after(seconds):
            while True:
                try:
                    stream = await connect("tcp.wait_for", host, port)
                except NotConnected:
                    await trio.sleep(every)
                else:
                    await trio.aclose_forcefully(stream)
                    return self.then
        return self._late(ctx, host, port, seconds)


@attrs.define(eq=False)
class Line:
    """A line that a client sent, for `tcp.reply` to answer."""

    text: str
    client: str
    encoding: str
    answer: bytes | None = None
    hang_up: bool = False
    answered: trio.Event = attrs.field(factory=trio.Event, repr=False)
    over: trio.Event = attrs.field(factory=trio.Event, repr=False)  # the answer is sent, or nobody waits for it


class TcpListen(tf.Node, id="tcp.listen", durable="source"):
    """A server: sends each line of text that a client sends down `body`, where `tcp.reply` answers it.

    A stream without an end unless `times` is set, concurrent unless set otherwise; the data of each line's strand is
    dropped when its chain ends, so memory stays flat. A client gets its answers in order: its next line is looked at
    when the one before is answered. A client that sends nothing for `timeout` seconds, or whose line is not answered
    for as long, is disconnected; so is one that sends what is not text or a line of more than `longest` characters, and
    one beyond `connections`. All of them are told as feedback.

    A port that can't be opened is an error. Cancelled at any time; then, as at the end, all connections are closed.

    >>> [output for output, _ in fire("tcp.listen", listening="flow.break", virtual=False)]
    ['listening', 'done']
    """

    enter = tf.ExecIn()
    host = tf.DataIn(str, default="127.0.0.1", doc="the address to listen at; 0.0.0.0 for all of the machine's")
    port = tf.DataIn(int, default=0, doc="0 for any that is free")
    times = tf.DataIn(int, default=0, doc="lines after which it stops, 0 for never")
    timeout = tf.DataIn(float, default=60.0, doc="seconds that a client, and an answer, may take")
    connections = tf.DataIn(int, default=100, doc="clients at the same time")
    longest = tf.DataIn(int, default=1 << 16, doc="characters of a line at most")
    encoding = tf.DataIn(str, default="utf-8", doc="a name that Python knows")
    limit = tf.DataIn(
        int, default=0, doc="lines that are worked on at once, 0 for any number; the settings' limit wins"
    )
    open_port = tf.DataOut(int, doc="the port that it listens at")
    line = tf.DataOut(str, doc="the line, without its end")
    client = tf.DataOut(str, doc="address and port of who sent it")
    request = tf.DataOut(object, doc="for `tcp.reply`")
    listening = tf.ExecOut(doc="once, when it listens")
    body = tf.ExecOut(doc="one line")
    done = tf.ExecOut(doc="after the last line, or `flow.break` in sequential mode")
    lines = tf.Stream(line, client, request, fires=body, done=done, mode="concurrent", discard=True)

    async def execute(self, ctx: tf.Context) -> None:
        host, port = await ctx.get_input(self.host), check_port("tcp.listen", await ctx.get_input(self.port))
        times = await ctx.get_input(self.times)
        ctx.configure_stream(self.line, limit=await ctx.get_input(self.limit))
        server = await self._server(ctx)
        try:
            listeners = await trio.open_tcp_listeners(port, host=host)
        except OSError as error:
            raise OSError(f"tcp.listen: can't listen at {host}:{port}: {error.strerror or error}.") from error
        with Loop(ctx) as loop:
            async with open_helpers() as helpers:
                helpers.start_soon(trio.serve_listeners, server.serve, listeners)
                await ctx.trigger(self.listening, {self.open_port: listeners[0].socket.getsockname()[1]})
                count = 0
                async for line in server.received:
                    server.in_work.add(line)
                    with loop.round:
                        await ctx.emit(self.line, line.text, {self.client: line.client, self.request: line})
                    count += 1
                    if count == times:
                        break
                await ctx.join()
                for line in tuple(server.in_work):
                    await line.over.wait()
                helpers.cancel_scope.cancel()

    async def _server(self, ctx: tf.Context) -> _Server:
        encoding = await ctx.get_input(self.encoding)
        codec(encoding, "tcp.listen")  # before anybody connects
        return _Server(
            ctx,
            timeout=expect.at_least_zero("tcp.listen", "seconds", await ctx.get_input(self.timeout)),
            places=expect.at_least_one("tcp.listen", await ctx.get_input(self.connections)),
            longest=await ctx.get_input(self.longest),
            encoding=encoding,
        )


class _Server:
    """The clients of one listener, each in a task of its own."""

    def __init__(self, ctx: tf.Context, *, timeout: float, places: int, longest: int, encoding: str) -> None:
        self._ctx = ctx
        self._timeout = timeout
        self._free = places
        self._longest = longest
        self._encoding = encoding
        self._sender, self.received = trio.open_memory_channel[Line](0)
        # Lines that the body has taken, whose client has not got its answer yet.
        self.in_work: set[Line] = set()

    async def serve(self, stream: trio.SocketStream) -> None:
        client = _name(stream)
        async with stream:
            if not self._free:
                self._tell(f"{client} is turned away: there are as many connections as there may be")
                return
            self._free -= 1
            try:
                await self._converse(stream, client)
            except trio.BrokenResourceError:
                pass  # it has gone
            except ValueError as error:
                self._tell(str(error))
            finally:
                self._free += 1

    async def _converse(self, stream: trio.SocketStream, client: str) -> None:
        split = LineSplitter(self._encoding, self._longest, f"tcp.listen: what {client} sent")
        chunk = b"?"
        while chunk:
            chunk = b""
            with trio.move_on_after(self._timeout) as waiting:
                chunk = bytes(await stream.receive_some())
            if waiting.cancelled_caught:
                self._tell(f"{client} is disconnected: it sent nothing for {self._timeout:g} s")
                return
            for text in split(chunk, last=not chunk):
                if not await self._answered(stream, Line(text, client, self._encoding)):
                    return

    async def _answered(self, stream: trio.SocketStream, line: Line) -> bool:
        """Whether the conversation goes on."""
        try:
            with trio.move_on_after(self._timeout):
                await self._sender.send(line)
                await line.answered.wait()
                await stream.send_all(line.answer or b"")
                return not line.hang_up
            self._tell(
                f"{line.client} is disconnected: nobody answered {expect.short(line.text)} within {self._timeout:g} s"
            )
            return False
        finally:
            self.in_work.discard(line)
            line.over.set()

    def _tell(self, what: str) -> None:
        self._ctx.emit_feedback(what, "warning")


def _name(stream: trio.SocketStream) -> str:
    try:
        host, port, *_ = stream.socket.getpeername()
    except OSError:
        return "a client that has gone"
    return f"{host}:{port}"


class TcpReply(tf.Node, id="tcp.reply", durable="recorded"):
    """Answers a line that `tcp.listen` sent down its body, with a line of text. Goes on at once, it does not wait.

    Answering twice, or what is no such line, is an error; a client that has gone is none.

    >>> fire("tcp.reply", request=Line("hello", "127.0.0.1:1234", "utf-8"), text="you too")
    [('then', {})]
    """

    enter = tf.ExecIn()
    request = tf.DataIn(object, doc="what `tcp.listen` gave with the line")
    text = tf.DataIn(str, doc="the answer; its line end is added")
    hang_up = tf.DataIn(bool, default=False, doc="whether to close the connection then")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        line = await ctx.get_input(self.request)
        if not isinstance(line, Line):
            raise TypeError(f"tcp.reply needs a request of tcp.listen, got {expect.short(line)}.")
        if line.answer is not None:
            raise ValueError(f"tcp.reply: {expect.short(line.text)} of {line.client} is answered already.")
        line.answer = encode(await ctx.get_input(self.text) + "\n", line.encoding, "tcp.reply")
        line.hang_up = await ctx.get_input(self.hang_up)
        line.answered.set()
        return self.then
