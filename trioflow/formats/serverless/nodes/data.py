"""Tasks that work on data alone: set, raise, wait."""

from __future__ import annotations

from typing import Any

from trioflow.formats.serverless.problem import WorkflowError
from trioflow.formats.serverless.task import Doing, Task, part


class Set(Task, id="serverless.set", durable="replayed"):
    """Gives an object, or what an expression gives."""

    async def perform(self, doing: Doing) -> Any:
        return doing.fill(doing.definition["set"])


class Raise(Task, id="serverless.raise", durable="replayed"):
    """Fails with an error that the document describes."""

    async def perform(self, doing: Doing) -> Any:
        error = doing.fill(doing.used("errors", part(doing.definition, "raise")["error"]))
        raise WorkflowError(
            str(error["type"]),
            error["status"],
            error.get("title") or "",
            error.get("detail") or "",
            error.get("instance") or doing.reference,
        )


class Wait(Task, id="serverless.wait", durable="replayed"):
    """Waits for a duration; gives its input."""

    async def perform(self, doing: Doing) -> Any:
        await doing.ctx.sleep(doing.seconds(doing.definition["wait"]))
        return doing.input
