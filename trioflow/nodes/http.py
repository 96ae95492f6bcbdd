"""HTTP, by the extra `http` (httpx): requests, downloads, streams of lines. No socket is left behind.

Each node keeps its connections for the next request, until the run ends. Proxies are those of the host's environment.
"""

from __future__ import annotations

import email.utils
import functools
import io
import json
import math
import re
import ssl
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._disk import write_atomically
from trioflow.nodes._json import NotJson, read, write
from trioflow.nodes._packing import BadPacking, Unpacker
from trioflow.nodes._slices import in_turns
from trioflow.nodes._text import LineSplitter, NoEncoding, NotText, codec, decode_steps, encode_steps
from trioflow.nodes.loop import Loop
from trioflow.nodes.url import query_pairs

if TYPE_CHECKING:
    import httpx

ReadAs = Literal["text", "bytes", "json"]


class HttpFailed(Exception):
    """A server answered with a status of 400 or more, which says that it could not do what it was asked for.

    `retry_after` are the seconds after which the server wants to be asked again, if it says so.
    """

    def __init__(self, node: str, url: str, status: int, reason: str, retry_after: float | None = None) -> None:
        self.status = status
        self.retry_after = retry_after
        when = "" if retry_after is None else f", and wants to be asked again in {retry_after:g} s"
        super().__init__(f"{node}: {url} answered {f'{status} {reason}'.strip()}{when}.")

    __reduce__ = tf.TrioflowError.__reduce__


class NotAnswered(ConnectionError):
    """A server could not be reached, or did not keep to the protocol."""


class TooLarge(ValueError):
    """An answer has more bytes than it may have."""


class _Exchange(tf.Node, abstract=True):
    """A request, with the limits and ways on that all of them have."""

    needs_packages = {"httpx": "httpx>=0.28"}  # noqa: RUF012 - read only

    enter = tf.ExecIn()
    url = tf.DataIn(str, doc="what is asked for, with http:// or https:// in front")
    query = tf.DataIn(dict[str, Any], default={}, doc="what is added to the URL, as `url.write_query` writes it")
    headers = tf.DataIn(dict[str, str], default={}, doc="what is sent along")
    timeout = tf.DataIn(float, default=30.0, doc="seconds that all of it may take, on trio's clock")
    redirects = tf.DataIn(bool, default=True, doc="whether to go where the server says instead")
    status = tf.DataOut(int, doc="what the server said, such as 200")
    reply_headers = tf.DataOut(dict[str, str], doc="what it sent along, names in small letters")
    failed = tf.ExecOut(doc="when the status is 400 or more")
    timed_out = tf.ExecOut(doc="when it took longer")

    _client: httpx.AsyncClient

    async def setup(self, ctx: tf.SetupContext) -> None:
        try:
            import httpx  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise tf.MissingExtra(f"The node type {type(self).type.id}", "http") from error
        # Time limits are those of trio's scopes, for all of a request.
        self._client = httpx.AsyncClient(timeout=None, verify=_trusted())  # noqa: S113

    async def teardown(self) -> None:
        await self._client.aclose()

    async def _seconds(self, ctx: tf.Context) -> float:
        return expect.at_least_zero(type(self).type.id, "seconds", await ctx.get_input(self.timeout))

    @asynccontextmanager
    async def _open(
        self, ctx: tf.Context, method: str, content: str | bytes | None = None, kind: str | None = None
    ) -> AsyncGenerator[tuple[httpx.Response, str], None]:
        """The answer as it begins to come, and the URL for people. Its status and headers are written.

        Raises `NotAnswered`, or `ValueError` for what can't be asked.
        """
        import httpx  # noqa: PLC0415 - an extra

        node, url = type(self).type.id, await ctx.get_input(self.url)
        headers, query = _check_headers(node, await ctx.get_input(self.headers)), await ctx.get_input(self.query)
        given = {name.lower() for name in headers}
        if kind is not None and "content-type" not in given:
            headers["content-type"] = kind
        if "accept-encoding" not in given:
            headers["accept-encoding"] = "gzip, deflate"  # what is unpacked here
        redirects = await ctx.get_input(self.redirects)
        try:
            parsed = httpx.URL(url)
            shown = str(parsed.copy_with(username=None, password=None))
            pairs: Any = await in_turns(query_pairs(node, query))
            full = parsed.copy_merge_params(pairs) if query else parsed
            request = self._client.build_request(method, full, headers=headers, content=content)
        except (httpx.InvalidURL, TypeError, UnicodeError) as error:
            raise ValueError(f"{node}: {url!r} can't be asked: {error}.") from None
        with _telling(node, shown):
            response = await self._client.send(request, stream=True, follow_redirects=redirects)
        try:
            ctx.set_output(self.status, response.status_code)
            ctx.set_output(self.reply_headers, dict(response.headers.items()))
            yield response, shown
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                await response.aclose()

    def _ending(
        self, ctx: tf.Context, response: httpx.Response, url: str, well: tf.ExecOut | None
    ) -> tf.ExecOut | None:
        if response.status_code < 400:
            return well
        if not ctx.is_connected(self.failed):
            after = _seconds_until(response.headers.get("retry-after"), ctx)
            raise HttpFailed(type(self).type.id, url, response.status_code, response.reason_phrase, after)
        return self.failed

    async def _late(self, ctx: tf.Context, seconds: float) -> tf.ExecOut:
        if not ctx.is_connected(self.timed_out):
            url = await ctx.get_input(self.url)
            raise TimeoutError(f"{type(self).type.id}: {url} did not answer within {seconds:g} s.")
        return self.timed_out


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed; read once, since that takes longer than all else that a client needs."""
    import httpx  # noqa: PLC0415 - an extra

    return httpx.create_ssl_context()


def _seconds_until(after: str | None, ctx: tf.Context) -> float | None:
    """What a server says with Retry-After: seconds, or a date."""
    if after is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", after.strip()):
        return float(after)
    try:
        date = email.utils.parsedate_to_datetime(after)
    except ValueError:
        return None
    return max(0.0, (date - ctx.now()).total_seconds()) if date.tzinfo is not None else None


def _check_headers(node: str, headers: Mapping[Any, Any]) -> dict[str, str]:
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"{node}: headers are texts, got {expect.short(name)}: {expect.short(value)}.")
    return dict(headers)


@contextmanager
def _telling(node: str, url: str) -> Generator[None, None, None]:
    """What httpx says is raised as what it means here."""
    import httpx  # noqa: PLC0415 - an extra

    try:
        yield
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise ValueError(f"{node}: {url!r} can't be asked: {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotAnswered(f"{node}: {url}: {str(error).rstrip('.') or type(error).__name__}.") from error


async def _chunks(node: str, response: httpx.Response, url: str, most: float) -> AsyncGenerator[bytes, None]:
    """What comes, unpacked, piece by piece, with turns for others. Raises `TooLarge`, `NotAnswered`."""
    packed = size = 0
    unpackers = _unpackers(node, response, url)
    pieces = response.aiter_raw()
    try:
        while True:
            with _telling(node, url):
                received = await anext(pieces, b"")
            packed += len(received)
            with _unpacking(node, url):
                if not received and packed:
                    for unpacker in unpackers:
                        unpacker.end()
                for piece in _through(unpackers, received):
                    size += len(piece)
                    if size > most:
                        raise TooLarge(f"{node}: {url} sent more than {most:,} bytes.")
                    if piece:
                        yield piece
                    await trio.lowlevel.checkpoint()
            if not received:
                return
    finally:
        # Generators inside of it stay open if this one is only closed: cancelling what they wait for ends them all.
        with trio.CancelScope() as scope:
            scope.cancel()
            async for _ in pieces:
                pass


def _unpackers(node: str, response: httpx.Response, url: str) -> list[Unpacker]:
    """What takes off the content codings, the last one first. Raises `NotAnswered` for one that is not known."""
    found: list[Unpacker] = []
    for name in response.headers.get("content-encoding", "").split(","):
        coding = name.strip().lower()
        if coding in ("gzip", "x-gzip"):
            found.append(Unpacker("gzip"))
        elif coding == "deflate":
            found.append(Unpacker("deflate"))
        elif coding not in ("", "identity"):
            raise NotAnswered(f"{node}: {url} packed its answer by {expect.short(coding)}; known are gzip and deflate.")
        if len(found) > _CODINGS:
            raise NotAnswered(f"{node}: {url} packed its answer more than {_CODINGS} times.")
    return found[::-1]


_CODINGS = 5


def _through(unpackers: Sequence[Unpacker], data: bytes) -> Iterator[bytes]:
    if not unpackers:
        yield data
        return
    for piece in unpackers[0](data):
        yield from _through(unpackers[1:], piece)


@contextmanager
def _unpacking(node: str, url: str) -> Generator[None, None, None]:
    try:
        yield
    except BadPacking as error:
        raise NotAnswered(f"{node}: the compressed answer of {url} can't be unpacked: {error}.") from None


class _Asking(_Exchange, abstract=True):
    """A request whose answer is kept."""

    read_as: tf.DataIn[Any] = tf.DataIn(ReadAs, default="text", doc="what the answer is")
    most = tf.DataIn(int, default=1 << 26, doc="bytes of the answer at most, when it is unpacked")
    content = tf.DataOut(object, doc="the answer: a text, bytes, or what the JSON stands for")
    then = tf.ExecOut(doc="when the status is less than 400")

    async def _ask(
        self, ctx: tf.Context, method: str, body: str | bytes | None = None, kind: str | None = None
    ) -> tf.ExecOut | None:
        node, seconds, most = type(self).type.id, await self._seconds(ctx), await ctx.get_input(self.most)
        read_as: ReadAs = await ctx.get_input(self.read_as)
        with trio.move_on_after(seconds):
            async with (
                self._open(ctx, method, body, kind) as (response, url),
                aclosing(_chunks(node, response, url, most)) as chunks,
            ):
                held = io.BytesIO()
                async for chunk in chunks:
                    held.write(chunk)
            # A server that can't do what it was asked for seldom says so in the form that was expected.
            form: ReadAs = "text" if read_as == "json" and response.status_code >= 400 else read_as
            ctx.set_output(self.content, await _read(node, held.getvalue(), form, response, url))
            return self._ending(ctx, response, url, self.then)
        return await self._late(ctx, seconds)


async def _read(node: str, data: bytes, form: ReadAs, response: httpx.Response, url: str) -> Any:
    if form == "bytes":
        return data
    if form == "json" and not data and response.status_code in (204, 205):
        return None  # there is no content, as the status says
    where = f"{node}: what {url} sent"
    encoding = _encoding(node, response, url)
    if encoding is None:
        encoding = json.detect_encoding(data) if form == "json" else "utf-8"
    text = await in_turns(decode_steps(data, encoding, where))
    if form == "text":
        return text
    try:
        return await in_turns(read(text))
    except NotJson as error:
        raise ValueError(f"{where} is not JSON: {error}.") from None


def _encoding(node: str, response: httpx.Response, url: str) -> str | None:
    """The text encoding that the server names, if it does. Raises `NotText` for one that does not exist."""
    name = response.charset_encoding
    if name is None:
        return None
    try:
        codec(name, node)
    except NoEncoding:
        raise NotText(
            f"{node}: {url} names the text encoding {expect.short(name)}, which does not exist.", ""
        ) from None
    return name


class HttpGet(_Asking, id="http.get", durable="recorded"):
    """Asks for a URL, and gives what the server answers: a text, bytes or JSON.

    Goes on at `failed` if the status is 400 or more, and at `timed_out` if it took longer than `timeout`; where these
    lead nowhere it is an error: `HttpFailed`, `TimeoutError`. What can't be reached, is larger than `most`, or is not
    what `read_as` says, and a URL that can't be asked are errors. Cancelled at any time. Needs the extra `http`.

    >>> fire("http.get", url="http://localhost:9", timeout=0.0, timed_out=lambda: None)
    [('timed_out', {})]
    """

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        return await self._ask(ctx, "GET")


class HttpPost(_Asking, id="http.post", durable="recorded"):
    """Sends a value as JSON to a URL, and gives what the server answers; otherwise as `http.get`.

    A value that JSON can't express is an error.

    >>> fire("http.post", url="http://localhost:9", value={"n": 1}, timeout=0.0, timed_out=lambda: None)
    [('timed_out', {})]
    """

    value = tf.DataIn(object, doc="what is sent")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        try:
            text = await in_turns(write(await ctx.get_input(self.value)))
            data = await in_turns(encode_steps(text, "utf-8", "http.post: what is sent"))
        except (TypeError, ValueError) as error:
            raise ValueError(f"http.post: what is sent can't be written as JSON: {error}.") from None
        return await self._ask(ctx, "POST", data, "application/json")


class HttpRequest(_Asking, id="http.request", durable="recorded"):
    """Any request, with a text or bytes as its body; otherwise as `http.get`.

    >>> fire("http.request", method="DELETE", url="http://localhost:9", timeout=0.0, timed_out=lambda: None)
    [('timed_out', {})]
    """

    method = tf.DataIn(str, default="GET", doc="such as PUT or DELETE")
    body = tf.DataIn(str | bytes, default=b"", doc="what is sent; a text as UTF-8")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        method, body = await ctx.get_input(self.method), await ctx.get_input(self.body)
        if not method.isascii() or not method.isalpha():
            raise ValueError(f"http.request: {expect.short(method)} is not an HTTP method.")
        return await self._ask(ctx, method.upper(), body)


class HttpDownload(_Exchange, id="http.download", durable="recorded", capabilities={"network", "files"}):
    """Asks for a URL, and writes the answer to a file: it holds all of it or what it held before.

    Goes on at `failed` and `timed_out` as `http.get` does; nothing is written then. In constant memory.

    >>> fire("http.download", url="http://localhost:9", path="file", timeout=0.0, timed_out=lambda: None)
    [('timed_out', {})]
    """

    path = tf.DataIn(Path, doc="the file; its folder has to be there")
    timeout = tf.DataIn(float, default=math.inf, doc="seconds that all of it may take, on trio's clock")
    most = tf.DataIn(int, default=1 << 40, doc="bytes at most, when they are unpacked")
    size = tf.DataOut(int, doc="bytes written")
    then = tf.ExecOut(doc="when the status is less than 400")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        path, most, seconds = await ctx.get_input(self.path), await ctx.get_input(self.most), await self._seconds(ctx)
        with trio.move_on_after(seconds):
            async with self._open(ctx, "GET") as (response, url):
                if response.status_code < 400:
                    async with aclosing(_chunks("http.download", response, url, most)) as chunks:
                        size = await trio.to_thread.run_sync(write_atomically, path, _from_thread(chunks))
                    ctx.set_output(self.size, size)
            return self._ending(ctx, response, url, self.then)
        return await self._late(ctx, seconds)


def _from_thread(chunks: AsyncGenerator[bytes, None]) -> Iterator[bytes]:
    """The chunks, for a thread to ask for: each is received in the task that waits for the thread."""

    async def receive() -> bytes:
        return await anext(chunks, b"")

    while chunk := trio.from_thread.run(receive):
        yield chunk


class HttpLines(_Exchange, id="http.lines", durable="source"):
    r"""Asks for a URL, and sends each line of the answer down `body` when it comes; goes on at `done` after the last.

    A stream in constant memory, with back-pressure: while lines are worked on the server has to wait. `flow.break` ends
    it. `timeout` is for each wait for the server, not for all of it, so that a server may go on for ever. Goes on at
    `failed` and `timed_out` as `http.get` does.

    >>> fire("http.lines", url="http://localhost:9", timeout=0.0, timed_out=lambda: None)
    [('timed_out', {})]
    """

    longest = tf.DataIn(int, default=1 << 20, doc="characters of a line at most")
    limit = tf.DataIn(int, default=0, doc="concurrent lines in flight, 0 for any number; the settings' limit wins")
    line = tf.DataOut(str, doc="the line, without its end")
    number = tf.DataOut(int, doc="its number, from 1")
    body = tf.ExecOut(doc="one line")
    done = tf.ExecOut(doc="after the last line")
    lines = tf.Stream(line, number, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        ctx.configure_stream(self.line, limit=await ctx.get_input(self.limit))
        seconds, longest = await self._seconds(ctx), await ctx.get_input(self.longest)
        left = True
        with Loop(ctx) as loop:
            await loop.emit_again(ctx)
            left = False
        if left:
            return None
        with trio.move_on_after(seconds) as patience:
            async with self._open(ctx, "GET") as (response, url):
                if response.status_code >= 400:
                    return self._ending(ctx, response, url, None)
                encoding = _encoding("http.lines", response, url) or "utf-8"
                split = LineSplitter(encoding, longest, f"http.lines: what {url} sent")
                async with aclosing(_chunks("http.lines", response, url, math.inf)) as chunks:
                    await self._send(ctx, chunks, split, patience, seconds)
            return None
        return await self._late(ctx, seconds)

    async def _send(
        self,
        ctx: tf.Context,
        chunks: AsyncGenerator[bytes, None],
        split: LineSplitter,
        patience: trio.CancelScope,
        seconds: float,
    ) -> None:
        number = 0
        last = False
        with Loop(ctx) as loop:
            while not last:
                patience.deadline = trio.current_time() + seconds
                chunk = await anext(chunks, b"")
                patience.deadline = math.inf
                last = not chunk
                for line in split(chunk, last=last):
                    number += 1
                    with loop.round:
                        await ctx.emit(self.line, line, {self.number: number})
