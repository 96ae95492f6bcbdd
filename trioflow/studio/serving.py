"""The server: an ASGI app of a session, and the page served on this machine until its block is left."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import struct
from bisect import bisect_left
from collections.abc import AsyncGenerator, Collection
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any

import attrs
import trio

from trioflow.errors import MissingExtra
from trioflow.model.graph import Graph
from trioflow.model.jsonable import jsonable
from trioflow.model.registry import Registry
from trioflow.model.secret import hide
from trioflow.runtime.host.run import Run
from trioflow.semantics.plan import Plan
from trioflow.studio.backlog import Backlog
from trioflow.studio.commands import CommandError, obey
from trioflow.studio.forms import catalogue
from trioflow.studio.security import Guard, Receive, Scope, Send
from trioflow.studio.session import Recorded, Session
from trioflow.studio.settings import settings_form
from trioflow.telemetry import Profile, Recording

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_MOST_ASKED = 1_000_000
"""Bytes of a command."""
_MOST_NOTES = 10_000
_MOST_EVENTS = 1_000_000
"""Events of a recording that the page gets at a time."""
_NOTHING = {"error": "Nothing was recorded. Start a run that is recorded."}
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@attrs.frozen
class Page:
    """A page that is served."""

    port: int
    token: str
    host: str = "127.0.0.1"

    @property
    def address(self) -> str:
        """What to open in a browser. Whoever has it can do all that the page can."""
        return f"http://{self.host}:{self.port}/#token={self.token}"


@contextlib.asynccontextmanager
async def serve(
    shown: Run | Graph | Plan,
    *,
    port: int = 0,
    name: str = "graph",
    registry: Registry | None = None,
    read_only: bool = False,
    values: bool = True,
    glance: bool = False,
    allow_hosts: Collection[str] = (),
) -> AsyncGenerator[Page]:
    """Serve a page on a run of one's own while the block is open, or on a graph: `page.address` is what to open.

    With `read_only` it can pause, step and look. `values=False` keeps all values from it. With `glance` it looks at the
    run from time to time instead of following each event, which costs a few percent. A run goes on when the block is
    left, paused if it is. A graph is edited and run in the page, with the node types of a `registry`; what the page has
    started is cancelled when the block is left. Cancelling the block ends the serving. Raises `OSError` if the port is
    taken, `MissingExtra`.
    """
    run = shown if isinstance(shown, Run) else None
    graph = shown.plan if isinstance(shown, Run) else shown
    if isinstance(graph, Plan):
        registry = graph.registry
        graph = graph.graph
    session = Session(graph, registry, name=name, read_only=read_only, values=values)
    if glance:
        session.watch("glance")
    if run is not None:
        session.is_attached = True
        session.attach(run)
    async with serve_session(session, port=port, allow_hosts=allow_hosts) as page:
        if run is not None:
            assert session.nursery is not None
            session.nursery.start_soon(session.show, run)
        yield page


@contextlib.asynccontextmanager
async def serve_session(
    session: Session, *, port: int = 0, host: str = "127.0.0.1", allow_hosts: Collection[str] = ()
) -> AsyncGenerator[Page]:
    """Serve a session while the block is open; its runs are cancelled when it is left.

    Raises `OSError` if the port is taken, `MissingExtra`.
    """
    try:
        from hypercorn.config import Config  # noqa: PLC0415 - an optional package
        from hypercorn.trio import serve as serve_app  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingExtra("The studio", "studio") from error
    token = secrets.token_urlsafe(24)
    config = Config()
    config.accesslog = config.errorlog = None
    config.include_server_header = False
    config.graceful_timeout = 0.2  # so long an open stream holds up the end
    config.h11_max_incomplete_size = 16_384
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family)
    taken = listening.getsockname()[1]
    config.bind = [f"fd://{listening.detach()}"]
    stop = trio.Event()
    app: Any = Guard(app_of(session), token, (*allow_hosts, *(() if host == "127.0.0.1" else (host,))))
    async with trio.open_nursery() as server, trio.open_nursery() as nursery:
        await server.start(partial(serve_app, app, config, shutdown_trigger=stop.wait))
        session.nursery = nursery
        nursery.start_soon(session.make_frames)
        nursery.start_soon(session.watch_file)
        try:
            yield Page(taken, token, host)
        finally:
            session.nursery = None
            nursery.cancel_scope.cancel()
            stop.set()


def app_of(session: Session) -> Any:
    """The ASGI app of a session, without what guards it. Raises `MissingExtra`."""
    try:
        from starlette.applications import Starlette  # noqa: PLC0415 - an optional package
        from starlette.routing import Route  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingExtra("The studio", "studio") from error
    answers = _Answers(session)
    return Starlette(
        routes=[
            Route("/api/graph", answers.graph),
            Route("/api/catalogue", answers.catalogue),
            Route("/api/settings", answers.settings),
            Route("/api/shelf", answers.shelf),
            Route("/api/events", answers.events),
            Route("/api/do", answers.do, methods=["POST"]),
            Route("/api/recording", answers.recording),
            Route("/api/recording/profile", answers.recording_profile),
            Route("/api/recording/file", answers.recording_file),
            Route("/", answers.file),
            Route("/{name}", answers.file),
        ]
    )


class _Answers:
    """What is answered, by address."""

    def __init__(self, session: Session) -> None:
        from starlette import responses  # noqa: PLC0415 - an optional package

        self._session = session
        self._made = responses
        folder = resources.files("trioflow.studio").joinpath("static")
        self._files = {each.name: each.read_bytes() for each in folder.iterdir()}

    async def file(self, request: Request) -> Response:
        """A file of the page; there are no others."""
        name = request.path_params.get("name", "index.html")
        if name not in self._files:
            return self._made.Response("There is no such page.\n", 404, media_type="text/plain")
        return self._made.Response(self._files[name], media_type=_TYPES[name.rpartition(".")[2]])

    async def graph(self, request: Request) -> Response:
        """The graph, with places for all of it."""
        told = self._session.document(all_sockets=request.query_params.get("sockets") == "all")
        return self._made.Response(told, media_type="application/json")

    async def catalogue(self, _request: Request) -> Response:
        """The node types that there are."""
        session = self._session
        return self._json(await trio.to_thread.run_sync(catalogue, session.scene.graph, session.registry))

    async def settings(self, _request: Request) -> Response:
        """What can be said of a node beyond its inputs, as fields of a form."""
        return self._json(settings_form())

    async def shelf(self, _request: Request) -> Response:
        """What can be opened."""
        shelf = self._session.shelf
        return self._json([] if shelf is None else await trio.to_thread.run_sync(shelf.titles))

    async def events(self, request: Request) -> Any:
        """Frames, without end."""
        return _Stream(self._session.backlog, request.headers.get("last-event-id", ""))

    async def do(self, request: Request) -> Response:
        """Do what is asked for."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return self._json({"error": "Commands are JSON."}, 415)
        body = b""
        async with contextlib.aclosing(request.stream()) as parts:
            async for part in parts:
                body += part
                if len(body) > _MOST_ASKED:
                    break
        if len(body) > _MOST_ASKED:
            return self._json({"error": f"A command has at most {_MOST_ASKED:,} bytes."}, 413)
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            return self._json({"error": "This is not JSON."}, 400)
        try:
            return self._json({"ok": True, "result": await obey(self._session, asked)})
        except CommandError as error:
            problems = [[path, hide(what)] for path, what in error.problems]
            return self._json({"error": hide(str(error)), "problems": problems}, 409)

    async def recording(self, request: Request) -> Response:
        """A stretch of what was recorded: the events `from` up to `to`; without these the last ones."""
        found = self._session.recording()
        if found is None:
            return self._json(_NOTHING, 404)
        asked = [request.query_params.get(name, "") for name in ("from", "to")]
        if any(each and not (each.isascii() and each.isdecimal()) for each in asked):
            return self._json({"error": "from and to are numbers of events."}, 400)
        stop = min(len(found), int(asked[1])) if asked[1] else len(found)
        first = min(stop, int(asked[0])) if asked[0] else max(0, stop - _MOST_EVENTS)
        stop = min(stop, first + _MOST_EVENTS)
        packed = await trio.to_thread.run_sync(_packed, self._session, found, first, stop)
        return self._made.Response(packed, media_type="application/octet-stream")

    async def recording_profile(self, _request: Request) -> Response:
        """Where the time of what was recorded went, by node."""
        found = self._session.recording()
        if found is None:
            return self._json(_NOTHING, 404)
        return self._json(await trio.to_thread.run_sync(_profiled, self._session, found))

    async def recording_file(self, _request: Request) -> Response:
        """What was recorded, as a file that `trioflow studio` opens."""
        found = self._session.recording()
        if found is None:
            return self._json(_NOTHING, 404)
        packed = await trio.to_thread.run_sync(found.as_bytes)
        return self._made.Response(packed, media_type="application/octet-stream")

    def _json(self, data: Any, status: int = 200) -> Response:
        return self._made.JSONResponse(data, status)


class _Stream:
    """An answer that goes on until whoever asked has gone. One that does not read waits alone."""

    def __init__(self, backlog: Backlog, last_id: str) -> None:
        self._backlog = backlog
        self._last_id = last_id

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._leave, receive, nursery.cancel_scope)
            async with contextlib.aclosing(self._backlog.read(self._last_id)) as messages:
                async for text in messages:
                    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    async def _leave(self, receive: Receive, scope: trio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()


def _packed(session: Session, recording: Recorded, first: int, stop: int) -> bytes:
    """A stretch of a recording as the page reads it: the length of a head, the head as JSON, and the columns.

    The head is filled up to 8 bytes. `before` is how often each kind was told of each node before. The columns are,
    little-endian and one after the other: times (8 bytes), strands, paths (4), nodes (2), kinds (1).
    """
    stretch = recording.stretch(first, stop)
    notes = dict([*stretch.notes.items()][-_MOST_NOTES:])
    written: dict[str, tuple[list[int], list[str]]] = {}
    for name, (places, texts) in session.written.items():
        inside = slice(max(0, bisect_left(places, first) - 1), bisect_left(places, stop))
        written[name] = (places[inside], texts[inside])
    head = {
        "run": recording.run,
        "first": first,
        "events": stop - first,
        "total": len(recording),
        "most": _MOST_EVENTS,
        "duration": recording.duration,
        "kinds": recording.kinds,
        "names": recording.nodes,
        "places": [session.scene.place(each) for each in recording.nodes],
        "before": [[kind, node, count] for (kind, node), count in stretch.before.items()],
        "notes": notes if session.values else {},
        "written": written if session.values else {},
    }
    text = json.dumps(jsonable(head)).encode()
    text += b" " * (-(len(text) + 4) % 8)
    names = ("time", "strand", "path", "node", "kind")
    return struct.pack("<I", len(text)) + text + b"".join(stretch.columns[name].tobytes() for name in names)


def _profiled(session: Session, recording: Recorded) -> list[dict[str, Any]]:
    whole = recording if isinstance(recording, Recording) else recording.whole()
    return [
        {"node": session.scene.place(each.node), "name": each.node, "own": each.own, "total": each.total,
         "steps": each.steps, "evaluations": each.evaluations, "failed": each.failed}
        for each in Profile.of(whole).nodes.values()
    ]  # fmt: skip
