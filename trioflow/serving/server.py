"""The server: triggers, the API, the pages, and a worker, until its block is left."""

from __future__ import annotations

import importlib
import secrets as random_secrets
import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import trio

from trioflow.errors import MissingExtra, TrioflowError
from trioflow.jobs.queue import Queue
from trioflow.jobs.records import LIMIT
from trioflow.jobs.store import jobs_of
from trioflow.jobs.worker import Worker
from trioflow.model.clock import SYSTEM_CLOCK, Clock
from trioflow.serving.app import app_of
from trioflow.serving.pages import Pages
from trioflow.serving.sources import at_files, at_messages, at_times
from trioflow.serving.watching import Hub

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.jobs.records import Job
    from trioflow.model.graph import Graph
    from trioflow.model.registry import Registry
    from trioflow.serving.triggers import Trigger

_AGAIN = 1.0
"""Seconds until a source that failed is begun again."""


@attrs.frozen
class Address:
    """Where a server answers."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


class Server:
    """Graphs by name, what triggers them, and who may ask over HTTP.

    Jobs go into queues of the journal. `tokens`: those who ask the API give one of them as a bearer; without any one is
    made, `server.tokens`. `secrets` are those of webhooks and of the graphs. `folder` is what patterns of files are
    relative to. `runs`: how many jobs run in this process at a time; 0 to leave all to other workers. `most`: bytes of
    a request. `limit`: how many jobs wait in a queue at most; those who ask for more are told so, triggers wait.
    `clock` says when it is, `tell` is called with a line for each thing that happens.
    """

    def __init__(
        self,
        journal: Journal,
        graphs: Mapping[str, Graph],
        triggers: Sequence[Trigger] = (),
        *,
        registry: Registry | None = None,
        tokens: Sequence[str] = (),
        secrets: Mapping[str, str] | None = None,
        folder: Path | None = None,
        runs: int = 10,
        queues: Sequence[str] = ("default",),
        most: int = 1_000_000,
        limit: int = LIMIT,
        clock: Clock = SYSTEM_CLOCK,
        look: float = 5.0,
        tell: Callable[[str], None] = lambda _: None,
        **worker: Any,
    ) -> None:
        self.journal = journal
        self.graphs = dict(graphs)
        self.triggers = [*triggers]
        self.tokens = [*tokens] or [random_secrets.token_urlsafe(24)]
        self.secrets = dict(secrets or {})
        self.most = most
        self.limit = limit
        self.hub = Hub()
        self.store = jobs_of(journal)
        self.tell = tell
        self._folder = (folder or Path.cwd()).resolve()
        self.clock = clock
        self._look = look
        self._registry = registry
        missing = sorted({each.secret for each in triggers if each.secret is not None} - self.secrets.keys())
        if missing:
            raise ValueError(f"webhooks are signed with secrets that are not given: {', '.join(missing)}")
        into = dict.fromkeys([*queues, *(each.into for each in triggers)])
        self.worker = (
            Worker(
                journal,
                [*into],
                runs=runs,
                registry=registry,
                secrets=self.secrets,
                watch=self.hub.watch,
                tell=tell,
                **worker,
            )
            if runs
            else None
        )

    async def fire(self, trigger: Trigger, value: Any, which: str, *, wait: bool = True) -> Job:
        """Put the job of a trigger. What happened for a second time is the job that it was the first time.

        In a full queue it waits, or raises `QueueFull` if `wait` is False. Raises `JournalUnusable`.
        """
        variables = dict(trigger.set)
        if trigger.value is not None:
            variables[trigger.value] = value
        job = await Queue(self.journal, trigger.into, limit=self.limit).put(
            self.graphs[trigger.graph],
            variables,
            key=f"{trigger.name}: {which}",
            priority=trigger.priority,
            tenant=trigger.tenant,
            attempts=trigger.attempts,
            wait=wait,
        )
        self.tell(f"trigger {trigger.name}: job {job.id}")
        return job

    @asynccontextmanager
    async def serve(self, *, host: str = "127.0.0.1", port: int = 0, drain: float = 0.0) -> AsyncGenerator[Address]:
        """Serve while the block is open; what runs then is put away when it is left, and handed back.

        Raises `OSError` if the port is taken, `MissingExtra`, `JournalUnusable`. Cancelling the block ends the serving.
        """
        try:
            from hypercorn.config import Config  # noqa: PLC0415 - an extra
            from hypercorn.trio import serve as serve_app  # noqa: PLC0415

            if any(each.kind == "files" for each in self.triggers):
                importlib.import_module("watchfiles")
        except ImportError as error:
            raise MissingExtra("trioflow serve", "serve") from error
        config = Config()
        config.accesslog = config.errorlog = None
        config.include_server_header = False
        config.graceful_timeout = 0.2
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
        taken = listening.getsockname()[1]
        config.bind = [f"fd://{listening.detach()}"]
        stop = trio.Event()
        hosts = () if host == "127.0.0.1" else (host,)
        pages = Pages(self.graphs, self._registry, self.tokens[0], hosts)
        app: Any = app_of(self, pages)
        async with trio.open_nursery() as serving:
            await serving.start(partial(serve_app, app, config, shutdown_trigger=stop.wait))
            async with trio.open_nursery() as sources:
                pages.nursery = sources
                for trigger in self.triggers:
                    sources.start_soon(self._wait_for, trigger)
                if self.worker is not None:
                    await serving.start(partial(self.worker.run, drain=drain))
                try:
                    yield Address(host, taken)
                finally:
                    sources.cancel_scope.cancel()
                    stop.set()
                    if self.worker is not None:
                        self.worker.stop()

    async def _wait_for(self, trigger: Trigger) -> None:
        """Whatever goes wrong with a trigger, the others go on, and it is begun again."""
        while True:
            try:
                if trigger.kind == "cron":
                    await at_times(trigger, self.store, self.clock, self.fire, look=self._look)
                elif trigger.kind == "files":
                    await at_files(trigger, self._folder, self.fire, look=min(self._look, 1.0))
                elif trigger.kind == "queue":
                    await at_messages(trigger, self.journal, self.fire)
                else:
                    return
            except (TrioflowError, OSError) as error:
                self.tell(f"trigger {trigger.name}: {error}")
            await trio.sleep(_AGAIN)
