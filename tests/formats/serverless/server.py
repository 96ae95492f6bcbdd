"""A server on loopback that answers by path."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import h11
import trio

Answer = tuple[int, dict[str, str], bytes]


class Server:
    """Answers by path, and keeps what it was asked."""

    def __init__(self, answers: dict[str, Answer | Callable[..., Answer]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    async def __call__(self, stream: trio.SocketStream) -> None:
        wire = h11.Connection(h11.SERVER)
        async with stream:
            try:
                while True:
                    parts: list[Any] = []
                    while not parts or not isinstance(parts[-1], h11.EndOfMessage | h11.ConnectionClosed):
                        event = wire.next_event()
                        if event is h11.NEED_DATA:
                            wire.receive_data(await stream.receive_some())
                        else:
                            parts.append(event)
                    request, *body, _ = parts if len(parts) > 1 else [None, None]
                    if request is None:
                        return
                    headers = {name.decode(): value.decode() for name, value in request.headers}
                    data = b"".join(bytes(each.data) for each in body)
                    self.asked.append((request.method.decode(), request.target.decode(), headers, data))
                    found = self.answers.get(request.target.decode().partition("?")[0], (404, {}, b""))
                    status, said, content = found(headers, data) if callable(found) else found
                    head = [*said.items(), ("content-length", str(len(content)))]
                    for each in (h11.Response(status_code=status, headers=head), h11.Data(content), h11.EndOfMessage()):
                        await stream.send_all(wire.send(each) or b"")
                    wire.start_next_cycle()
            except (h11.ProtocolError, trio.BrokenResourceError):
                return


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return status, {"content-type": "application/json", **headers}, json.dumps(value).encode()


@asynccontextmanager
async def serving(server: Server) -> AsyncGenerator[str]:
    """Where the server is asked."""
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(
            lambda task_status: trio.serve_tcp(server, 0, host="127.0.0.1", task_status=task_status)
        )
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()
