"""Limits of how many run at once, and quotas: leases that are held while a body runs (P3, P4)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import trio

from trioflow.errors import Deadlock, MiddlewareError
from trioflow.model.policy import PRIORITIES, LimitPolicy, Priority, seconds_of
from trioflow.policies.events import Throttled
from trioflow.policies.machines.leases import Holder, Leases, Request
from trioflow.policies.machines.throttle import Throttle
from trioflow.policies.state import PolicyState
from trioflow.policies.waiting import PATIENCE, Waiting, shown
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.plan import Plan, PlanNode


class Limit(Middleware):
    """Lets at most `at_once` activations or evaluations run at the same time; a bulkhead (P3).

    A place is for the activation and all below it: what it triggers takes no other of the same key. Who waits comes by
    priority, then in turn. After `patience` seconds `Starving` is told, after `wait` seconds it fails with
    `BudgetExhausted`. Who would wait for ever, since all who could make room wait themselves, fails with `Deadlock`,
    which names them. Nodes of one type share a limit, or all with the same `key`. `adapt`: failures halve what may run
    at once, and as many calls that go well raise it by one again; tells `Throttled`.
    """

    def __init__(
        self,
        at_once: int,
        *,
        wait: float | str | None = None,
        key: str | None = None,
        adapt: bool = False,
        patience: float | str = PATIENCE,
        priority: Priority = "normal",
        state: PolicyState | None = None,
        nodes: Collection[str] | None = None,
    ) -> None:
        self._policy = LimitPolicy(at_once, wait, key, adapt)
        self._state = state or PolicyState()
        self._patience: float = seconds_of(patience)
        self._priority: Priority = priority
        self.nodes = nodes

    @classmethod
    def by(
        cls,
        policy: LimitPolicy,
        state: PolicyState,
        key: str,
        priority: Priority,
        patience: float,
        run: object | None = None,
    ) -> Limit:
        """The one of a key, by a policy; `run` stands for the only run that it is for."""
        limit = cls.__new__(cls)
        limit._run = run
        limit._policy = policy
        limit._key = key
        limit._name = name = f"limit {key}"
        limit._leases = state.leases
        limit._throttle = state.throttle(key, policy.at_once) if policy.adapt else None
        if name not in state.leases.capacities:
            state.leases.offer(name, policy.at_once if limit._throttle is None else limit._throttle.limit)
        limit._amounts = {name: 1}
        most = math.inf if policy.wait is None else policy.wait
        what = f"one of {policy.at_once} places of {key}"
        limit._waiting = Waiting(what, patience, most, PRIORITIES.index(priority))
        return limit

    _run: object | None
    _key: str
    _name: str
    _leases: Leases
    _throttle: Throttle | None
    _amounts: Mapping[str, int]
    _waiting: Waiting

    def around(self, plan: Plan, node: PlanNode, name: str) -> tuple[Middleware, ...]:
        key = self._policy.key or node.type.id
        return (Limit.by(self._policy, self._state, key, self._priority, self._patience),)

    async def __call__(self, invocation: Invocation) -> Outcome:
        leases = self._leases

        def holder() -> Holder:
            return (self._run or invocation.run, *invocation.context.path)

        if leases.is_held(self._name) and leases.above(self._name, holder()):  # P3
            return await invocation()
        request = leases.ask(holder, self._amounts, self._waiting.rank)
        if not request.granted:
            await wait_for(leases, request, self._waiting, invocation)
        try:
            if self._throttle is not None:
                return await self._throttled(invocation, self._throttle)
            return await invocation()
        finally:
            granted = leases.end(request)
            if granted:
                _wake(granted)

    async def _throttled(self, invocation: Invocation, throttle: Throttle) -> Outcome:
        era = throttle.era
        try:
            outcome = await invocation()
        except Exception:
            self._adapted(invocation, changed=throttle.failed(era))
            raise
        self._adapted(invocation, changed=throttle.succeeded())
        return outcome

    def _adapted(self, invocation: Invocation, *, changed: bool) -> None:
        if changed and self._throttle is not None:
            _wake(self._leases.offer(self._name, self._throttle.limit))
            invocation.tell(Throttled(self._key, self._throttle.limit))

    def __repr__(self) -> str:
        return f"Limit({self._policy.at_once})"


class Quota(Middleware):
    """Leases some of the host's resources while a body runs: all of them, or none (P4).

    `amounts`: how many of what; `state` says how many there are of each. Two that need the same things can't each wait
    for what the other has. Who waits comes by priority, then in turn; after `patience` seconds `Starving` is told. A
    node below one that holds some leases its own in addition; if that can never be, it fails with `Deadlock`. `run`
    stands for the only run that it is for, if there is only one. Raises `MiddlewareError` for what the host does not
    have, or not as many.
    """

    def __init__(
        self,
        amounts: Mapping[str, int],
        state: PolicyState,
        *,
        patience: float | str = PATIENCE,
        priority: Priority = "normal",
        run: object | None = None,
        nodes: Collection[str] | None = None,
    ) -> None:
        self._leases = state.leases
        self._run = run
        self._amounts = {f"quota {name}": amount for name, amount in sorted(amounts.items())}
        what = ", ".join(f"{amount} of {name}" for name, amount in sorted(amounts.items()))
        for name, amount in amounts.items():
            if amount > state.quota.get(name, 0):
                there = f"there are {state.quota[name]}" if name in state.quota else "the host has none"
                raise MiddlewareError(
                    f"A quota of {what} can never be met: {there} of {name!r}. Give the run more: "
                    f"services={{trioflow.PolicyState: trioflow.PolicyState(quota={{{name!r}: {amount}}})}}."
                )
        self._waiting = Waiting(what, seconds_of(patience), rank=PRIORITIES.index(priority))
        self.nodes = nodes

    async def __call__(self, invocation: Invocation) -> Outcome:
        request = self._leases.ask(
            lambda: (self._run or invocation.run, *invocation.context.path), self._amounts, self._waiting.rank
        )
        if not request.granted:
            await wait_for(self._leases, request, self._waiting, invocation)
        try:
            return await invocation()
        finally:
            give_back(self._leases, request)

    def __repr__(self) -> str:
        return f"Quota({self._waiting.resource})"


async def wait_for(leases: Leases, request: Request, waiting: Waiting, invocation: Invocation) -> None:
    """Wait until a request is granted. When cancelled, nothing of it is left behind."""
    try:
        if leases.stuck(request):
            holders = shown(leases.holders(request.amounts))
            raise Deadlock(
                f"Node {invocation.address.name!r} (activation {shown([request.holder])[0]}) would wait for ever for "
                f"{waiting.resource}: the activations that hold it, {', '.join(holders)}, wait themselves for what "
                "this one holds. Allow more at once, or don't need one limit within another.",
                holders=holders,
            )
        granted = trio.Event()
        request.wake = granted.set
        await waiting.wait(invocation, granted.wait, lambda: leases.holders(request.amounts))
    except BaseException:
        give_back(leases, request)
        raise


def give_back(leases: Leases, request: Request) -> None:
    """End a request, and wake those who get what it had."""
    _wake(leases.end(request))


def _wake(granted: list[Request]) -> None:
    for each in granted:
        if each.wake is not None:
            each.wake()
