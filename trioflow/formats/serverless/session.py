"""What the tasks of one workflow share while it runs: its events, and the connections to servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

import attrs

import trioflow as tf
from trioflow.formats.serverless.cloudevents import Events

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


@attrs.frozen
class Hosts:
    """A service of `trioflow.run`: what is asked instead of a host, such as `{"petstore.example": "http://127.0.0.1:8080"}`.

    For tests, and for what stands elsewhere in this network. `only`: no other host is asked.
    """

    instead: Mapping[str, str]
    only: bool = False


@attrs.define
class Session:
    """What the tasks of one workflow share."""

    events: Events
    hosts: Hosts
    _stack: AsyncExitStack
    _client: httpx.AsyncClient | None = None

    async def client(self) -> httpx.AsyncClient:
        """The client for all requests of the workflow, which keeps its connections."""
        if self._client is None:
            try:
                import httpx  # noqa: PLC0415 - an extra
            except ImportError as error:
                raise tf.MissingExtra("Calls over HTTP", "http") from error
            # Time limits are those of tasks, by trio's scopes.
            self._client = await self._stack.enter_async_context(httpx.AsyncClient(timeout=None))  # noqa: S113
        return self._client


_SESSION: ContextVar[Session | None] = ContextVar("_SESSION", default=None)


def service(ctx: tf.DataContext, kind: type[T]) -> T | None:
    """What the host gave of that type; None if it gave nothing."""
    try:
        return ctx.services.get(kind)
    except tf.UnknownName:
        return None


@asynccontextmanager
async def open_session(ctx: tf.DataContext) -> AsyncGenerator[Session, None]:
    """A session for a workflow; one that is called by another has the events of that one."""
    around = _SESSION.get()
    async with AsyncExitStack() as stack:
        events = around.events if around is not None else service(ctx, Events) or Events(from_outside=False)
        session = Session(events, service(ctx, Hosts) or Hosts({}), stack)
        token = _SESSION.set(session)
        try:
            yield session
        finally:
            _SESSION.reset(token)


@asynccontextmanager
async def session_of(ctx: tf.DataContext) -> AsyncGenerator[Session, None]:
    """The session of the workflow around; one of its own for a task that runs alone, or in another process."""
    around = _SESSION.get()
    if around is not None:
        yield around
        return
    async with open_session(ctx) as session:
        yield session
