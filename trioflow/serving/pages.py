"""The studio under `/studio/GRAPH/`: a page for each graph, made when somebody first asks for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import trio

from trioflow.studio.security import Guard
from trioflow.studio.serving import app_of
from trioflow.studio.session import Session

if TYPE_CHECKING:
    from trioflow.model.graph import Graph
    from trioflow.model.registry import Registry
    from trioflow.studio.security import App, Receive, Scope, Send


class Pages:
    """An ASGI app. What is run on a page is run beside the jobs, in this process, and is not kept."""

    def __init__(
        self, graphs: Mapping[str, Graph], registry: Registry | None, token: str, hosts: Collection[str]
    ) -> None:
        self._graphs = graphs
        self._registry = registry
        self._token = token
        self._hosts = hosts
        self._made: dict[str, App] = {}
        self.nursery: trio.Nursery | None = None
        """Where what the pages run lives, while they are served."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with what the page of the graph answers."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        name, slash, rest = path.lstrip("/").partition("/")
        if name not in self._graphs or self.nursery is None:
            await _answer(send, 404, b"content-type", b"text/plain", b"There is no such page.\n")
        elif not slash:
            await _answer(send, 307, b"location", f"{scope['path']}/".encode(), b"")
        else:
            inner: dict[str, Any] = {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode(), "root_path": ""}
            await self._page(name, self.nursery)(inner, receive, send)

    def _page(self, name: str, nursery: trio.Nursery) -> App:
        app = self._made.get(name)
        if app is None:
            session = Session(self._graphs[name], self._registry, name=name)
            session.nursery = nursery
            nursery.start_soon(session.make_frames)
            app = self._made[name] = Guard(app_of(session), self._token, self._hosts)
        return app


async def _answer(send: Send, status: int, header: bytes, value: bytes, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(header, value)]})
    await send({"type": "http.response.body", "body": body})
