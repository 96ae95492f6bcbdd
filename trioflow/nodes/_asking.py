"""Asking a server over HTTP and getting the whole answer: what the nodes share that call services, hooks and models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

import attrs
import trio

import trioflow as tf
from trioflow.nodes._json import NotJson, read, write
from trioflow.nodes._slices import in_turns
from trioflow.nodes._text import decode_steps, encode_steps
from trioflow.nodes.http import HttpFailed, _check_headers, _chunks, _encoding, _seconds_until, _telling, _trusted
from trioflow.nodes.url import query_pairs

if TYPE_CHECKING:
    import httpx

NEEDS = {"httpx": "httpx>=0.28"}


class ApiFailed(HttpFailed):
    """A service answered with a status of 400 or more.

    `content` is what it said, `problem` the problem details (RFC 9457) if it gave some: `type`, `title`, `detail` and
    what else there is. `retry_after` are the seconds after which it wants to be asked again, if it says so.
    """

    def __init__(
        self, node: str, url: str, status: int, reason: str, retry_after: float | None = None, content: Any = None
    ) -> None:
        super().__init__(node, url, status, reason, retry_after)
        self.content = content
        self.problem: Mapping[str, Any] | None = None
        said = ""
        if isinstance(content, dict):
            known = cast("dict[str, Any]", content)
            if "title" in known or "detail" in known:
                self.problem = known
            said = ": ".join(str(known[key]) for key in ("title", "detail") if isinstance(known.get(key), str))
        elif isinstance(content, str):
            said = " ".join(content.split())
        if said:
            self.args = (f"{str(self)[:-1]}: {said[:300].rstrip('.')}.",)


@attrs.frozen
class Answer:
    """What a server answered: all of it."""

    node: str
    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    data: bytes
    retry_after: float | None
    response: httpx.Response = attrs.field(repr=False)

    async def content(self, read_as: str = "auto") -> Any:
        """What it says: JSON, a text, or bytes; `auto` goes by its type. Raises `ValueError` for what is none."""
        form = read_as
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind.endswith(("/json", "+json"))
        if read_as == "auto":
            form = "json" if is_json else "text" if kind.startswith("text/") or not kind else "bytes"
        if form == "bytes":
            return self.data
        if form == "json" and not self.data:
            return None
        where = f"{self.node}: what {self.url} sent"
        encoding = _encoding(self.node, self.response, self.url)
        if encoding is None:
            encoding = json.detect_encoding(self.data) if form == "json" else "utf-8"
        text = await in_turns(decode_steps(self.data, encoding, where))
        if form == "text":
            return text
        try:
            return await in_turns(read(text))
        except NotJson as error:
            raise ValueError(f"{where} is not JSON: {error}.") from None

    async def failure(self) -> ApiFailed:
        """The error for an answer with a status of 400 or more."""
        try:
            content = await self.content()
        except ValueError:
            content = self.data.decode(errors="replace")
        return ApiFailed(self.node, self.url, self.status, self.reason, self.retry_after, content)


def new_client(what: str) -> httpx.AsyncClient:
    """A client that keeps its connections. Raises `MissingExtra`."""
    try:
        import httpx  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise tf.MissingExtra(what, "http") from error
    return httpx.AsyncClient(timeout=None, verify=_trusted())  # noqa: S113 - time limits are those of trio's scopes


async def json_bytes(node: str, value: object) -> bytes:
    """A value as JSON. Raises `ValueError`."""
    try:
        text = await in_turns(write(value))
        return await in_turns(encode_steps(text, "utf-8", node))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{node}: what is sent can't be written as JSON: {error}.") from None


async def ask(
    client: httpx.AsyncClient,
    ctx: tf.DataContext,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    query: Mapping[str, Any] | None = None,
    redirects: bool = False,
    most: int = 1 << 26,
    node: str | None = None,
) -> Answer:
    """Send a request and wait for the whole answer. Cancelled at any time.

    Raises `NotAnswered` if there is none, `TooLarge`, and `ValueError` for what can't be asked.
    """
    import httpx  # noqa: PLC0415 - an extra

    node = node or ctx.node.type
    sent = _check_headers(node, headers)
    if not any(name.lower() == "accept-encoding" for name in sent):
        sent["accept-encoding"] = "gzip, deflate"  # what is unpacked here
    try:
        parsed = httpx.URL(url)
        shown = str(parsed.copy_with(username=None, password=None, query=None))
        pairs: Any = await in_turns(query_pairs(node, dict(query))) if query else ()
        full = parsed.copy_merge_params(pairs) if query else parsed
        request = client.build_request(method, full, headers=sent, content=content)
    except (httpx.InvalidURL, TypeError, UnicodeError) as error:
        raise ValueError(f"{node}: {url!r} can't be asked: {error}.") from None
    with _telling(node, shown):
        response = await client.send(request, stream=True, follow_redirects=redirects)
    try:
        data = bytearray()
        async with aclosing(_chunks(node, response, shown, most)) as chunks:
            async for chunk in chunks:
                data += chunk
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
            await response.aclose()
    return Answer(
        node,
        shown,
        response.status_code,
        response.reason_phrase,
        dict(response.headers.items()),
        bytes(data),
        _seconds_until(response.headers.get("retry-after"), cast("tf.Context", ctx)),
        response,
    )
