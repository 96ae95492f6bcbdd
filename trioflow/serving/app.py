"""What is answered over HTTP: start, list, watch, signal, cancel, put back; webhooks and events.

All under `/api/` needs a token, as `Authorization: Bearer …`. Webhooks are signed instead. Bodies are JSON, and
bounded.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import trio

from trioflow.durable.signals import send_signal
from trioflow.errors import JournalError, JournalUnusable, MissingExtra, RunNotFound, TrioflowError, did_you_mean
from trioflow.jobs.errors import JobNotFound, QueueFull
from trioflow.jobs.queue import Queue
from trioflow.jobs.records import ENDED, STATUSES, Job
from trioflow.model.jsonable import jsonable
from trioflow.serving.signing import delivery_of, is_signed

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from trioflow.serving.server import Server
    from trioflow.serving.triggers import Trigger

_LOOK = 0.5
"""Seconds between two looks at a job that somebody watches."""
_HEARTBEAT = 15.0
_PUT = ("queue", "priority", "tenant", "key", "id", "not_before", "attempts")

Answer = Callable[["Request"], Awaitable["Response"]]


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


def app_of(server: Server, pages: Any) -> Any:
    """The ASGI app of a server. Raises `MissingExtra`."""
    try:
        from starlette.applications import Starlette  # noqa: PLC0415 - an extra
        from starlette.routing import Mount, Route  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("trioflow serve", "serve") from error
    answers = _Answers(server)
    asked = answers.asked
    return Starlette(
        routes=[
            Route("/health", answers.plain(answers.health)),
            Route("/hooks/{path:path}", answers.plain(answers.hook), methods=["POST"]),
            Route("/api/graphs", asked(answers.graphs)),
            Route("/api/runs", asked(answers.start), methods=["POST"]),
            Route("/api/jobs", asked(answers.jobs)),
            Route("/api/jobs/{id}", asked(answers.job)),
            Route("/api/jobs/{id}/watch", asked(answers.watch)),
            Route("/api/jobs/{id}/cancel", asked(answers.cancel), methods=["POST"]),
            Route("/api/jobs/{id}/retry", asked(answers.retry), methods=["POST"]),
            Route("/api/jobs/{id}/signals", asked(answers.signal), methods=["POST"]),
            Route("/api/events/{name}", asked(answers.event), methods=["POST"]),
            Route("/api/triggers/{name}", asked(answers.trigger), methods=["POST"]),
            Mount("/studio", pages),
        ]
    )


class _Answers:
    def __init__(self, server: Server) -> None:
        from starlette import responses  # noqa: PLC0415 - an extra

        self._server = server
        self._made = responses
        self._tokens = [f"Bearer {token}".encode() for token in server.tokens]

    # --- who may ask, and what goes wrong ---

    def asked(self, answer: Answer) -> Answer:
        """For those who have a token."""

        async def guarded(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not any(hmac.compare_digest(given, token) for token in self._tokens):
                raise Refused(401, "Give a token: Authorization: Bearer TOKEN.")
            return await answer(request)

        return self.plain(guarded)

    def plain(self, answer: Answer) -> Answer:
        """What is refused, as an answer."""

        async def told(request: Request) -> Response:
            try:
                return await answer(request)
            except Refused as refused:
                return self._json({"error": str(refused)}, refused.status)
            except (JobNotFound, RunNotFound) as error:
                return self._json({"error": str(error)}, 404)
            except QueueFull as error:
                return self._json({"error": str(error)}, 429)
            except JournalUnusable as error:
                return self._json({"error": str(error)}, 503)
            except JournalError as error:
                return self._json({"error": str(error)}, 409)
            except (TrioflowError, ValueError) as error:
                return self._json({"error": str(error)}, 400)

        return told

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async with contextlib.aclosing(request.stream()) as parts:
            async for part in parts:
                body += part
                if len(body) > self._server.most:
                    raise Refused(413, f"A body has at most {self._server.most:,} bytes.")
        return bytes(body)

    async def _asked(self, request: Request) -> dict[str, Any]:
        said = _parsed(await self._body(request) or b"{}")
        if not isinstance(said, dict):
            raise Refused(400, "Expected a JSON object.")
        return said

    # --- answers ---

    async def health(self, _: Request) -> Response:
        """Whether the store can be used."""
        counts = await trio.to_thread.run_sync(self._server.store.counts)
        return self._json({"ok": True, "waiting": sum(n for (_, status), n in counts.items() if status == "queued")})

    async def graphs(self, _: Request) -> Response:
        """Which graphs there are, with their variables, and what triggers them."""
        triggers = self._server.triggers
        return self._json(
            [
                {
                    "graph": name,
                    "variables": {each.name: jsonable(each.default) for each in graph.variables},
                    "triggers": [each.name for each in triggers if each.graph == name],
                }
                for name, graph in self._server.graphs.items()
            ]
        )

    async def start(self, request: Request) -> Response:
        """Put a job by hand."""
        said = await self._asked(request)
        graph = self._server.graphs.get(said.get("graph", ""))
        if graph is None:
            names = self._server.graphs
            raise Refused(404, f"There is no graph {said.get('graph')!r}.{did_you_mean(str(said.get('graph')), names)}")
        unknown = said.keys() - {"graph", "variables", *_PUT}
        if unknown:
            raise Refused(400, f"There is no {', '.join(sorted(unknown))} to give; there is: {', '.join(_PUT)}.")
        settings = {name: said[name] for name in _PUT if name in said and name != "queue"}
        queue = Queue(self._server.journal, said.get("queue", "default"), limit=self._server.limit)
        try:
            job = await queue.put(graph, said.get("variables", {}), wait=False, **settings)
        except (TypeError, AttributeError) as error:
            raise Refused(400, f"That can't be put: {error}") from error
        return self._json(job.as_json(), 202)

    async def jobs(self, request: Request) -> Response:
        """Jobs, the newest first."""
        asked = request.query_params
        status = asked.get("status")
        if status is not None and status not in STATUSES:
            raise Refused(400, f"There is no status {status!r}.{did_you_mean(status, STATUSES)}")
        limit = asked.get("limit", "100")
        if not limit.isdecimal():
            raise Refused(400, f"limit: expected a number, got {limit!r}.")

        def look() -> list[Job]:
            return self._server.store.jobs(
                queue=asked.get("queue"), tenant=asked.get("tenant"), status=status, limit=int(limit)
            )

        return self._json([job.as_json() for job in await trio.to_thread.run_sync(look)])

    async def job(self, request: Request) -> Response:
        """One job, and how far its run is."""
        return self._json(await self._told(request.path_params["id"]))

    async def watch(self, request: Request) -> Any:
        """What happens to a job until it has ended, and to its run if it is run here: server-sent events."""
        await trio.to_thread.run_sync(self._server.store.show, request.path_params["id"])
        return self._made.StreamingResponse(
            self._watch(request.path_params["id"]),
            media_type="text/event-stream",
            headers={"cache-control": "no-cache", "x-accel-buffering": "no"},
        )

    async def _watch(self, job_id: str) -> AsyncGenerator[str]:
        hub = self._server.hub
        send, receive = hub.subscribe(job_id)
        try:
            before = ""
            quiet = 0.0
            while True:
                told = await self._told(job_id)
                now = json.dumps(told)
                if now != before:
                    before, quiet = now, 0.0
                    yield f"event: job\ndata: {now}\n\n"
                if told["status"] in ENDED:
                    return
                ends = trio.current_time() + _LOOK
                while (text := await _next(receive, ends)) is not None:
                    yield text
                quiet += _LOOK
                if quiet >= _HEARTBEAT:
                    quiet = 0.0
                    yield ": still here\n\n"
        finally:
            hub.unsubscribe(job_id, send)

    async def _told(self, job_id: str) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            told = self._server.store.show(job_id).as_json()
            try:
                info = self._server.journal.show(job_id)
            except RunNotFound:
                return {**told, "run": None}
            return {**told, "run": {"status": info.status, "records": info.state.entries}}

        return await trio.to_thread.run_sync(look)

    async def cancel(self, request: Request) -> Response:
        """Cancel a job."""
        job = await trio.to_thread.run_sync(self._server.store.cancel, request.path_params["id"])
        return self._json(job.as_json())

    async def retry(self, request: Request) -> Response:
        """Put a job back."""
        job = await trio.to_thread.run_sync(self._server.store.put_back, request.path_params["id"])
        return self._json(job.as_json())

    async def signal(self, request: Request) -> Response:
        """Send a signal to a run."""
        said = await self._asked(request)
        name = said.get("name")
        if not isinstance(name, str) or not name:
            raise Refused(400, "name: expected the name of the signal.")

        job_id = request.path_params["id"]

        def send() -> bool:
            self._server.store.show(job_id)
            try:
                self._server.journal.show(job_id)
            except RunNotFound:
                raise Refused(409, f"The run of job {job_id!r} has not begun yet.") from None
            return send_signal(
                self._server.journal,
                job_id,
                name,
                said.get("payload"),
                key=said.get("key"),
                by=said.get("by"),
            )

        return self._json({"new": await trio.to_thread.run_sync(send)})

    async def event(self, request: Request) -> Response:
        """Publish an event: each trigger for it puts a job."""
        name = request.path_params["name"]
        found = [each for each in self._server.triggers if each.kind == "event" and each.what == name]
        if not found:
            raise Refused(404, f"Nothing is triggered by an event {name!r}.")
        value = _parsed(await self._body(request) or b"null")
        jobs = [await self._fired(each, value, request) for each in found]
        return self._json([job.as_json() for job in jobs], 202)

    async def trigger(self, request: Request) -> Response:
        """Let a trigger put its job now, by hand."""
        name = request.path_params["name"]
        found = next((each for each in self._server.triggers if each.name == name), None)
        if found is None:
            names = [each.name for each in self._server.triggers]
            raise Refused(404, f"There is no trigger {name!r}.{did_you_mean(name, names)}")
        job = await self._fired(found, _parsed(await self._body(request) or b"null"), request)
        return self._json(job.as_json(), 202)

    async def hook(self, request: Request) -> Response:
        """A webhook, signed with the secret of its trigger."""
        path = f"/{request.path_params['path']}"
        found = next((each for each in self._server.triggers if each.kind == "webhook" and each.what == path), None)
        if found is None:
            raise Refused(404, f"There is no webhook {path}.")
        body = await self._body(request)
        if found.secret is not None:
            now = self._server.clock.now().timestamp()
            if not is_signed(self._server.secrets[found.secret], body, request.headers, now):
                self._server.tell(f"trigger {found.name}: refused, its signature is missing, wrong or old")
                raise Refused(
                    401, "The signature is missing, wrong or old. X-Hub-Signature-256: sha256=HMAC of the body."
                )
        job = await self._fired(found, _parsed(body or b"null"), request)
        return self._json({"job": job.id}, 202)

    async def _fired(self, trigger: Trigger, value: Any, request: Request) -> Job:
        """The job of what has happened; of what the sender says to be the same, the same."""
        which = delivery_of(request.headers, value, trigger.id) or uuid.uuid4().hex
        return await self._server.fire(trigger, value, which, wait=False)

    def _json(self, data: Any, status: int = 200) -> Response:
        return self._made.JSONResponse(jsonable(data), status)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "This is not JSON.") from None


async def _next(receive: trio.MemoryReceiveChannel[str], ends: float) -> str | None:
    """What comes next until then."""
    with trio.move_on_at(ends):
        return await receive.receive()
    return None
