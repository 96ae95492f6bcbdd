"""Calls of services over HTTP, by the extra `http`: authorised, with JSON both ways, and errors that policies know."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._asking import NEEDS, ApiFailed, ask, json_bytes, new_client
from trioflow.nodes.http import NotAnswered

if TYPE_CHECKING:
    import httpx

__all__ = ["ApiFailed", "NotAnswered"]


class CallApi(tf.Node, id="api.call", durable="recorded"):
    """Calls a service and gives what it answers: JSON as values, a text, or bytes, by the type of the answer.

    `body` is sent as JSON; a text or bytes as they are. `auth` says how `secret`, which may be `{"secret": "NAME"}`, is
    sent along: as a `bearer` token, as the password of `user` (`basic`), or as a header of its own (`header`).
    `key_header` names a header for a key that is the same in all attempts, and after a resume, so that a service does
    once what it is asked twice: `Idempotency-Key`.

    A status of 400 or more is the error `ApiFailed`, with problem details if there are some. A policy tries again:
    `retry: {attempts: 4, on: [http.5xx, http.429, NotAnswered]}` waits as long as `Retry-After` says. One that
    takes longer than `timeout` is a `TimeoutError`. Needs the extra `http`.

    >>> try:
    ...     fire("api.call", method="POST", url="http://localhost:9", body={"n": 1}, timeout=0.0)
    ... except TimeoutError as error:
    ...     print(error)
    api.call: http://localhost:9 did not answer within 0 s.
    """

    needs_packages = NEEDS

    enter = tf.ExecIn()
    url = tf.DataIn(str, doc="what is called, with http:// or https:// in front")
    method = tf.DataIn(str, default="GET", doc="such as POST or DELETE")
    query = tf.DataIn(dict[str, Any], default={}, doc="what is added to the URL, as `url.write_query` writes it")
    headers = tf.DataIn(dict[str, str], default={}, doc="what is sent along")
    body = tf.DataIn(object, default=None, doc="what is sent: a text or bytes as they are, all else as JSON")
    auth: tf.DataIn[Any] = tf.DataIn(Literal["none", "bearer", "basic", "header"], default="none", doc="who is asking")
    user = tf.DataIn(str, default="", doc="for `basic`")
    secret = tf.DataIn(str, default="", secret=True, doc="the token, the password or the key")
    header = tf.DataIn(str, default="X-API-Key", doc="the name of the header, for `header`")
    key_header = tf.DataIn(str, default="", doc="a header that gets a key of this activation, such as Idempotency-Key")
    read_as: tf.DataIn[Any] = tf.DataIn(Literal["auto", "json", "text", "bytes"], default="auto", doc="the answer")
    timeout = tf.DataIn(float, default=30.0, doc="seconds that all of it may take, on trio's clock")
    redirects = tf.DataIn(bool, default=True, doc="whether to go where the service says instead")
    most = tf.DataIn(int, default=1 << 26, doc="bytes of the answer at most, when it is unpacked")
    result = tf.DataOut(object, doc="what the service answered")
    status = tf.DataOut(int, doc="such as 200")
    reply_headers = tf.DataOut(dict[str, str], doc="what it sent along, names in small letters")
    then = tf.ExecOut()

    _client: httpx.AsyncClient

    async def setup(self, ctx: tf.SetupContext) -> None:
        self._client = new_client("The node type api.call")

    async def teardown(self) -> None:
        await self._client.aclose()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        url, method = await ctx.get_input(self.url), await ctx.get_input(self.method)
        if not method.isascii() or not method.isalpha():
            raise ValueError(f"api.call: {expect.short(method)} is not an HTTP method.")
        headers = {**await ctx.get_input(self.headers), **await self._authorisation(ctx)}
        key_header = await ctx.get_input(self.key_header)
        if key_header:
            headers[key_header] = ctx.key
        content = await _content(await ctx.get_input(self.body), headers)
        seconds = expect.at_least_zero("api.call", "seconds", await ctx.get_input(self.timeout))
        query, redirects = await ctx.get_input(self.query), await ctx.get_input(self.redirects)
        most, read_as = await ctx.get_input(self.most), await ctx.get_input(self.read_as)
        with trio.move_on_after(seconds):
            answer = await ask(
                self._client, ctx, method.upper(), url,
                headers=headers, content=content, query=query, redirects=redirects, most=most,
            )  # fmt: skip
            if answer.status >= 400:
                raise await answer.failure()
            ctx.set_output(self.result, await answer.content(read_as))
            ctx.set_output(self.status, answer.status)
            ctx.set_output(self.reply_headers, dict(answer.headers))
            return self.then
        raise TimeoutError(f"api.call: {url} did not answer within {seconds:g} s.")

    async def _authorisation(self, ctx: tf.Context) -> dict[str, str]:
        auth, secret = await ctx.get_input(self.auth), await ctx.get_input(self.secret)
        if auth == "none":
            return {}
        if auth == "bearer":
            return {"authorization": f"Bearer {secret}"}
        if auth == "basic":
            joined = f"{await ctx.get_input(self.user)}:{secret}"
            return {"authorization": f"Basic {base64.b64encode(joined.encode()).decode()}"}
        return {await ctx.get_input(self.header): secret}


async def _content(body: Any, headers: dict[str, str]) -> bytes | None:
    """What is sent, with its type among the headers if none is given."""
    if body is None:
        return None
    if isinstance(body, bytes):
        kind, data = "application/octet-stream", body
    elif isinstance(body, str):
        kind, data = "text/plain; charset=utf-8", body.encode()
    else:
        kind, data = "application/json", await json_bytes("api.call", body)
    _with_default(headers, "content-type", kind)
    return data


def _with_default(headers: dict[str, str], name: str, value: str) -> Mapping[str, str]:
    if not any(each.lower() == name for each in headers):
        headers[name] = value
    return headers
