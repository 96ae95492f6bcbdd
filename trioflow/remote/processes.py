"""Other processes of this host, for bodies that compute: with trio-parallel, extra `processes`."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import trio

from trioflow.errors import MiddlewareError
from trioflow.remote.calling import answered
from trioflow.remote.keeping import Keeper, remove_left
from trioflow.remote.places import Place, PlaceDied, require

if TYPE_CHECKING:
    from trioflow.model.policy import RunOnPolicy

_GRACE = 0.5
"""Seconds that a process has to end by itself after the one that has started it."""


class Processes(Place):
    """At most `workers` processes at a time, as many as there are processors if nothing is said; they are kept.

    Cancelling a body kills its process, whatever it does. Processes end with this one, however it ends. Raises
    `MissingExtra` where a run begins that needs it, and `MiddlewareError` in a process that is being started: its main
    script has no guard.
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"workers must be 1 or more, got {workers}.")
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise MiddlewareError(
                "This process is being started to run bodies, and its main script runs a graph while it is imported. "
                'Put what the script does under `if __name__ == "__main__":`.'
            )
        self.workers = workers or os.cpu_count() or 1
        self._room: trio.CapacityLimiter | None = None
        self._answered = False
        self._keeper: Keeper | None = None

    def prepare(self) -> None:
        require("trio_parallel", "run_on: processes", "processes")

    async def call(self, call: bytes, asked: RunOnPolicy) -> bytes:
        trio_parallel: Any = importlib.import_module("trio_parallel")
        if self._room is None:
            self._room = trio.CapacityLimiter(self.workers)
        try:
            answer: bytes = await trio_parallel.run_sync(work, call, kill_on_cancel=True, limiter=self._room)
        except trio_parallel.BrokenWorkerError as error:
            raise PlaceDied("a process has died", started=self._answered) from error
        self._answered = True
        return answer

    def keeper(self) -> Keeper:
        """Values are kept in memory that processes share, or else in files."""
        if self._keeper is None:
            self._keeper = Keeper.made()
        return self._keeper

    def __repr__(self) -> str:
        return f"Processes({self.workers})"


def work(call: bytes) -> bytes:
    """In the other process: do a call, and end with the process that has started this one."""
    global _watched  # noqa: PLW0603 - once in a process
    if not _watched:
        _watched = True
        threading.Thread(target=_end_with_parent, daemon=True).start()
    return answered(call)


_watched = False


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        time.sleep(_GRACE)
        remove_left()
        os._exit(1)
