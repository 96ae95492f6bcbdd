"""The two hosts that the kit calls, a pet store and httpbin, served on loopback: only what its scenarios ask for."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import h11
import trio

PETSTORE, HTTPBIN = "petstore.swagger.io", "httpbin.org"

_OPERATIONS: Mapping[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Pets", "version": "1"},
    "host": PETSTORE,
    "basePath": "/v2",
    "schemes": ["https"],
    "paths": {
        "/pet/findByStatus": {
            "get": {
                "operationId": "findPetsByStatus",
                "parameters": [{"name": "status", "in": "query", "required": True, "type": "string"}],
            }
        },
        "/pet/{petId}": {
            "get": {
                "operationId": "getPetById",
                "parameters": [{"name": "petId", "in": "path", "required": True, "type": "integer"}],
            }
        },
    },
}


def answer(host: str, target: str, headers: Mapping[str, str]) -> tuple[int, Any]:
    """What a host answers to a GET: the status, and what it sends as JSON."""
    path, _, query = target.partition("?")
    if host == PETSTORE:
        return _pets(path.removeprefix("/v2"), query)
    if host == HTTPBIN and path.startswith("/basic-auth/"):
        user, _, password = path.removeprefix("/basic-auth/").partition("/")
        expected = base64.b64encode(f"{user}:{password}".encode()).decode()
        if headers.get("authorization") == f"Basic {expected}":
            return 200, {"authenticated": True, "user": user}
        return 401, {"authenticated": False}
    return 404, {"message": f"nothing at {target}"}


def _pets(path: str, query: str) -> tuple[int, Any]:
    pet: dict[str, Any] = {"id": 1, "name": "Rex", "status": "available", "photoUrls": [], "tags": []}
    if path == "/swagger.json":
        return 200, _OPERATIONS
    if path == "/pet/findByStatus":
        return 200, [{**pet, "id": number} for number in (1, 2, 3)] if query == "status=available" else []
    name = path.removeprefix("/pet/")
    if path.startswith("/pet/") and name.isdigit():
        return 200, {**pet, "id": int(name)}
    return 404, {"code": 404, "type": "unknown", "message": f"no pet {name!r}"}


@asynccontextmanager
async def serving() -> AsyncGenerator[dict[str, str], None]:
    """Serve both hosts on a port of loopback; gives what is to be asked instead of them."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(_serve)
        port = listeners[0].socket.getsockname()[1]
        yield dict.fromkeys((PETSTORE, HTTPBIN), f"http://127.0.0.1:{port}")
        nursery.cancel_scope.cancel()


async def _serve(task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED) -> None:
    await trio.serve_tcp(_connection, 0, host="127.0.0.1", task_status=task_status)


async def _connection(stream: trio.SocketStream) -> None:
    wire = h11.Connection(h11.SERVER)

    async def event() -> Any:
        while True:
            found = wire.next_event()
            if found is not h11.NEED_DATA:
                return found
            wire.receive_data(await stream.receive_some(65_536))

    async with stream:
        try:
            while True:
                request = await event()
                if not isinstance(request, h11.Request):
                    return
                while not isinstance(await event(), h11.EndOfMessage):
                    pass
                headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
                status, value = answer(headers.get("host", ""), request.target.decode(), headers)
                body = json.dumps(value).encode()
                said = [("content-type", "application/json"), ("content-length", str(len(body)))]
                for part in (h11.Response(status_code=status, headers=said), h11.Data(body), h11.EndOfMessage()):
                    await stream.send_all(wire.send(part) or b"")
                if wire.our_state is h11.MUST_CLOSE:
                    return
                wire.start_next_cycle()
        except (h11.ProtocolError, trio.BrokenResourceError):
            return  # whoever asked has gone, or speaks another language
