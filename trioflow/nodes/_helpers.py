"""Tasks that help a body while it triggers or emits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

import trioflow as tf


@asynccontextmanager
async def open_helpers() -> AsyncGenerator[trio.Nursery, None]:
    """A nursery whose tasks only help the block, and end of themselves or are cancelled when it fails.

    What the block raises is raised as it is, not in a group: it is the failure of a node further on (R4), or a break.
    """
    raised: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield nursery
        except (Exception, tf.Unwind) as error:
            raised = error
            nursery.cancel_scope.cancel()
    if raised is not None:
        raise raised
