"""Tasks that call others over HTTP."""

from __future__ import annotations

from typing import Any

import trioflow as tf
from trioflow.formats.serverless.calling import Call, called
from trioflow.formats.serverless.openapi import operation_of
from trioflow.formats.serverless.session import session_of
from trioflow.formats.serverless.task import Doing, Task, part


class _Call(Task, abstract=True):
    secret = tf.DataIn(str, default="", secret=True, doc="the secret that its authentication names, as JSON")


class CallHttp(_Call, id="serverless.call_http", durable="recorded", capabilities={"network"}):
    """Sends a request by HTTP, and gives what the answer holds, or all of the answer."""

    async def perform(self, doing: Doing) -> Any:
        given = part(doing.definition, "with")
        async with session_of(doing.ctx) as session:
            call = Call.of(doing, given, await doing.ctx.get_input(self.secret))
            return await called(doing, session, call)


class CallOpenApi(_Call, id="serverless.call_openapi", durable="recorded", capabilities={"network"}):
    """Calls an operation that an OpenAPI document describes, version 2 or 3; otherwise as `serverless.call_http`."""

    async def perform(self, doing: Doing) -> Any:
        given = part(doing.definition, "with")
        async with session_of(doing.ctx) as session:
            call = await operation_of(doing, session, given, await doing.ctx.get_input(self.secret))
            return await called(doing, session, call)
