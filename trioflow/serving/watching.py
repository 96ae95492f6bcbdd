"""Who watches which run: events of runs in this process, written once, however many watch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from trioflow.model.jsonable import jsonable

if TYPE_CHECKING:
    from trioflow.jobs.records import Job
    from trioflow.runtime.base.watch import Observer
    from trioflow.semantics.events import Event

_BUFFER = 1000
"""Events that wait for one who watches; one that does not read misses what comes then."""


class Hub:
    """Those who watch, by job."""

    def __init__(self) -> None:
        self._watching: dict[str, set[trio.MemorySendChannel[str]]] = {}

    def watch(self, job: Job) -> Sequence[Observer]:
        """The observers of a job's run."""

        def tell(event: Event) -> None:
            channels = self._watching.get(job.id)
            if channels:
                text = json.dumps(jsonable(event.as_dict()))
                told = f"event: {type(event).__name__}\ndata: {text}\n\n"
                for channel in [*channels]:
                    with suppress(trio.WouldBlock):
                        channel.send_nowait(told)

        return [tell]

    def subscribe(self, job_id: str) -> tuple[trio.MemorySendChannel[str], trio.MemoryReceiveChannel[str]]:
        """Both ends of what this watcher gets; `unsubscribe` with the first."""
        send, receive = trio.open_memory_channel[str](_BUFFER)
        self._watching.setdefault(job_id, set()).add(send)
        return send, receive

    def unsubscribe(self, job_id: str, send: trio.MemorySendChannel[str]) -> None:
        """No more."""
        channels = self._watching.get(job_id)
        if channels is not None:
            channels.discard(send)
            if not channels:
                del self._watching[job_id]
        send.close()
