"""A server on this machine, written by hand so that it can misbehave: each path is a function of the test's."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from trioflow.nodes._helpers import open_helpers


@attrs.frozen
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answering = Callable[["Exchange"], Awaitable[None]]


@attrs.define
class Exchange:
    """One request, and how it is answered."""

    asked: Asked
    stream: trio.SocketStream
    number: int
    """How many requests came before."""

    async def answer(self, body: bytes | str | dict | list = b"", status="200 OK", **headers: str) -> None:
        if isinstance(body, dict | list):
            body = json.dumps(body).encode()
            headers.setdefault("content_type", "application/json")
        data = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(data)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.stream.send_all("\r\n".join([*lines, "", ""]).encode() + data)

    async def cut(self, said: bytes = b"") -> None:
        """Begin an answer, and go away."""
        await self.stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + said)
        await self.stream.aclose()


@attrs.define
class Loopback:
    url: str
    asked: list[Asked] = attrs.Factory(list)


@asynccontextmanager
async def loopback(answering: Answering) -> AsyncGenerator[Loopback, None]:
    """A server while the block is open."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    server = Loopback(f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}")

    async def handle(stream: trio.SocketStream) -> None:
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    chunk = await stream.receive_some()
                    if not chunk:
                        return
                    data += chunk
                head, _, data = data.partition(b"\r\n\r\n")
                request, *lines = head.decode().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                length = int(headers.get("content-length", 0))
                while len(data) < length:
                    data += await stream.receive_some()
                method, target, _ = request.split()
                asked = Asked(method, target, headers, data[:length])
                data = data[length:]
                server.asked.append(asked)
                await answering(Exchange(asked, stream, len(server.asked) - 1))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            await trio.aclose_forcefully(stream)

    async with open_helpers() as helpers:
        helpers.start_soon(trio.serve_listeners, handle, listeners)
        try:
            yield server
        finally:
            helpers.cancel_scope.cancel()
