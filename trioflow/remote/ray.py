"""A Ray cluster as a place: extra `ray`."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import trio

from trioflow.remote.calling import answered
from trioflow.remote.places import Place, PlaceDied, require

if TYPE_CHECKING:
    from trioflow.model.policy import RunOnPolicy

_KILL_WITHIN = 0.2
_OWN = ("num_cpus", "num_gpus", "memory")
"""Resources that Ray knows; others are those that its nodes were given."""
_DEATHS = ("WorkerCrashedError", "NodeDiedError", "OutOfMemoryError", "ObjectLostError")


class Ray(Place):
    """A cluster: the one at `address`, "auto" for the one that runs on this host, or one of this host's own.

    `options` are those of `ray.init`. A body gets the `resources` that its policy says: `num_cpus` (1), `num_gpus`,
    `memory` in bytes, and others by name. Cancelling it interrupts it, and kills its process after `kill_within` (0.2
    s). Ray's own retries are off. The code of nodes must be installed on all its hosts. Raises `MissingExtra`.
    """

    def __init__(self, address: str | None = None, **options: Any) -> None:
        self._address = address
        self._options = options
        self._remote: Any = None
        self._answered = False

    def prepare(self) -> None:
        require("ray", "A place on Ray", "ray")

    async def call(self, call: bytes, asked: RunOnPolicy) -> bytes:
        ray: Any = importlib.import_module("ray")
        if self._remote is None:
            self._remote = self._connected(ray)
        remote: Any = self._remote
        given = {"num_cpus": 1, **asked.resources}
        options: dict[str, Any] = {name: value for name, value in given.items() if name in _OWN}
        options["resources"] = {name: value for name, value in given.items() if name not in _OWN}
        task = remote.options(max_retries=0, **options).remote(call)
        deaths = tuple(getattr(ray.exceptions, name) for name in _DEATHS)
        within = _KILL_WITHIN if asked.kill_within is None else asked.kill_within
        try:
            answer = await _result(ray, task, within)
        except deaths as error:
            raise PlaceDied(type(error).__name__, started=self._answered) from error
        self._answered = True
        return answer

    def _connected(self, ray: Any) -> Any:
        """In the main thread, which `ray.init` wants to be in; it takes a second or two."""
        if not ray.is_initialized():
            quiet = {"log_to_driver": False, "include_dashboard": False} if self._address is None else {}
            ray.init(self._address, **{**quiet, **self._options})
        return ray.remote(answered)

    def __repr__(self) -> str:
        return f"Ray({self._address!r})" if self._address else "Ray()"


async def _result(ray: Any, task: Any, kill_within: float) -> bytes:
    ended = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def tell(_: object) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(ended.set)

    future = task.future()
    future.add_done_callback(tell)
    try:
        await ended.wait()
    except trio.Cancelled:
        ray.cancel(task, force=False)
        with trio.move_on_after(kill_within, shield=True):
            await ended.wait()
        if not ended.is_set():
            ray.cancel(task, force=True)
        raise
    answer: bytes = future.result()
    return answer
