"""Governor: nodes start as fast as the host can bear (P4)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from trioflow.model.policy import PRIORITIES, Priority, RatePolicy, seconds_of
from trioflow.policies.events import Governed
from trioflow.policies.load import HostLoad
from trioflow.policies.machines.flow import Flow, Load
from trioflow.policies.machines.turnstile import Turnstile
from trioflow.policies.rate import pass_through, wake_first
from trioflow.policies.waiting import PATIENCE, Waiting
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware, RunLife
from trioflow.semantics.policies.check import cost


class Governor(Middleware):
    """Lets nodes start at a `rate`, less of it above the `soft` mark, none above the `hard` one (P4).

    The marks are percents of processor time; with less than `memory` bytes left nothing starts either. Once stopped,
    nodes start again only below the soft mark. The load is read once in `every` seconds, in a task of the run, however
    many nodes and runs there are: give one governor to all of them. What runs is never stopped. `load` reads it; by
    default by psutil, extra `governor`, and in a container by what that may use. Calls cost by `priority` as for rates
    (P7). Tells `Governed` at the next node when the rate is another one. Raises `ValueError` for marks that make no
    sense, `MissingExtra` without psutil.
    """

    def __init__(
        self,
        *,
        rate: str = "50/s",
        burst: float = 100.0,
        soft: float = 70.0,
        hard: float = 85.0,
        memory: float = 512 * 2**20,
        every: float | str = 1.0,
        priority: Priority = "normal",
        patience: float | str = PATIENCE,
        load: Callable[[], Load] | None = None,
        nodes: Collection[str] | None = None,
    ) -> None:
        if not 0 <= soft < hard:
            raise ValueError(f"Governor needs a soft mark below the hard one, got {soft!r} and {hard!r}.")
        full = RatePolicy(rate, burst)
        self._load = load or HostLoad()
        self._flow = Flow(full.per_second, soft, hard, memory)
        self._turnstile = Turnstile(full.per_second, full.capacity)
        self._cost = min(cost(1.0, priority), full.capacity)
        self._waiting = Waiting("the governor", seconds_of(patience), rank=PRIORITIES.index(priority))
        self._every: float = seconds_of(every)
        self._read_at = float("-inf")
        self._latest: Load | None = None
        self._told = full.per_second
        self.nodes = nodes

    def life(self, run: RunLife) -> AbstractAsyncContextManager[object]:
        return self._reading(run)

    @asynccontextmanager
    async def _reading(self, run: RunLife) -> AsyncGenerator[None, None]:
        self._read()
        run.nursery.start_soon(self._keep_reading)
        yield

    async def _keep_reading(self) -> None:
        while True:
            await trio.sleep(self._every)
            self._read()

    def _read(self) -> None:
        """Read the load, unless another run has done so just now."""
        now = trio.current_time()
        if now - self._read_at < self._every * 0.9:
            return
        self._read_at = now
        self._latest = self._load()
        rate = self._flow.at(self._latest)
        if rate != self._turnstile.rate:
            self._turnstile.change(rate, now)
            wake_first(self._turnstile)

    async def __call__(self, invocation: Invocation) -> Outcome:
        turnstile = self._turnstile
        if turnstile.rate != self._told and self._latest is not None:
            self._told = turnstile.rate
            invocation.tell(Governed(turnstile.rate, self._latest.cpu, self._latest.memory))
        await pass_through(turnstile, self._cost, self._waiting, invocation)
        return await invocation()

    def __repr__(self) -> str:
        return f"Governor({self._flow.soft:g}, {self._flow.hard:g})"
