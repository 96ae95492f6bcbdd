"""Rate: at most so many calls in a time, the others wait in line (P3)."""

from __future__ import annotations

import math
from collections.abc import Collection

import trio

from trioflow.model.policy import PRIORITIES, Priority, RatePolicy, seconds_of
from trioflow.policies.machines.turnstile import Ticket, Turnstile
from trioflow.policies.state import PolicyState
from trioflow.policies.waiting import PATIENCE, Waiting
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.plan import Plan, PlanNode
from trioflow.semantics.policies.check import cost


class Rate(Middleware):
    """Lets calls through at most as often as `limit` says, such as `"50/s"`; `burst` of them at once (P3).

    A call costs `weight` times a factor of its `priority`: critical 0.5, high 0.6, normal 1, low 1.5, and at least 0.5.
    Who waits comes by priority, then in turn. After `patience` seconds of waiting `Starving` is told; after `wait`
    seconds the call fails with `BudgetExhausted`. Nodes of one type share a rate, or all with the same `key`.
    """

    def __init__(
        self,
        limit: str,
        *,
        burst: float | None = None,
        key: str | None = None,
        weight: float = 1.0,
        wait: float | str | None = None,
        patience: float | str = PATIENCE,
        priority: Priority = "normal",
        state: PolicyState | None = None,
        nodes: Collection[str] | None = None,
    ) -> None:
        self._policy = RatePolicy(limit, burst, key, weight, wait)
        self._state = state or PolicyState()
        self._patience: float = seconds_of(patience)
        self._priority: Priority = priority
        self.nodes = nodes

    @classmethod
    def by(cls, policy: RatePolicy, state: PolicyState, key: str, priority: Priority, patience: float) -> Rate:
        """The one of a key, by a policy."""
        rate = cls.__new__(cls)
        rate._policy = policy
        rate._turnstile = state.turnstile(key, policy)
        rate._cost = min(cost(policy.weight, priority), policy.capacity)  # what costs more would wait for ever
        most = math.inf if policy.wait is None else policy.wait
        rate._waiting = Waiting(f"the rate {policy.limit} of {key}", patience, most, PRIORITIES.index(priority))
        return rate

    _turnstile: Turnstile
    _cost: float
    _waiting: Waiting

    def around(self, plan: Plan, node: PlanNode, name: str) -> tuple[Middleware, ...]:
        key = self._policy.key or node.type.id
        return (Rate.by(self._policy, self._state, key, self._priority, self._patience),)

    async def __call__(self, invocation: Invocation) -> Outcome:
        if not invocation.known:  # J23: else it has paid
            await pass_through(self._turnstile, self._cost, self._waiting, invocation)
        return await invocation()

    def __repr__(self) -> str:
        return f"Rate({self._policy.limit})"


async def pass_through(turnstile: Turnstile, cost: float, waiting: Waiting, invocation: Invocation) -> None:
    """Pass a turnstile, now or later; when cancelled one has not passed, and costs nobody anything."""
    ticket = turnstile.arrive(cost, waiting.rank, trio.current_time())
    if ticket is None:
        return
    try:
        await waiting.wait(invocation, lambda: _turn(turnstile, ticket))
    except BaseException:
        turnstile.leave(ticket)
        raise
    finally:
        wake_first(turnstile)


def wake_first(turnstile: Turnstile) -> None:
    """Let the one that stands first look whether it is its turn."""
    first = turnstile.line.first()
    if first is not None and first.wake is not None:
        first.wake()


async def _turn(turnstile: Turnstile, ticket: Ticket) -> None:
    """Wait until one is first and enough has come together; only the first looks at the clock."""
    while not turnstile.go(ticket, trio.current_time()):
        woken = trio.Event()
        ticket.wake = woken.set
        first = turnstile.line.first() is ticket
        with trio.CancelScope(deadline=turnstile.ready_at(ticket) if first else math.inf):
            await woken.wait()
