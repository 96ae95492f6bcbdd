"""From the policies of graphs, types and runs to the middlewares around each node, in their fixed order (P8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trioflow.errors import MiddlewareError, UnknownName, did_you_mean
from trioflow.model.composition import Boundary
from trioflow.model.policy import Laddered, Policy, Priority, Rung
from trioflow.policies.breaker import Breaker
from trioflow.policies.fallback import Fallback
from trioflow.policies.limit import Limit, Quota
from trioflow.policies.quarantine import Quarantine
from trioflow.policies.rate import Rate
from trioflow.policies.retry import Retry
from trioflow.policies.saga import Sagas
from trioflow.policies.skip import SkipOnError
from trioflow.policies.state import PolicyState
from trioflow.policies.timeout import TimeLimit
from trioflow.policies.waiting import PATIENCE
from trioflow.remote.placement import Placed
from trioflow.runtime.host.given import Given
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.address import selector
from trioflow.semantics.plan import Plan, PlanNode
from trioflow.semantics.policies.ladder import laddered


class Policies(Middleware):
    """Stands for all that policies put around the nodes of one run; a node without a policy has nothing around it.

    What they remember is in `state`: the host's service, or one of the run's own. Raises `UnknownName` for names of
    nodes that are not there, `MiddlewareError` for limiters and quotas that the host does not have.
    """

    def __init__(self, plan: Plan, given: Given) -> None:
        self._given = given.options.policies
        self._priority: Priority = given.options.priority
        self.names = frozenset(name for name in self._given if "*" not in name)
        problems = selector([*self._given]).problems(plan, "RunOptions.policies")
        if problems:
            raise UnknownName("\n".join(problems))
        services = given.services
        shared = services.get(PolicyState) or next((e for e in services.values() if isinstance(e, PolicyState)), None)
        self.state: PolicyState = shared or PolicyState()
        self._run = object()
        self._sagas = Sagas()
        self.isolates = True  # some of them may; each says so for itself

    def around(self, plan: Plan, node: PlanNode, name: str) -> Sequence[Middleware]:
        if isinstance(node.type.body, Boundary):
            return ()
        found = laddered(plan.graph, node.graph_node, node.type, self._given, name)
        return self._sagas.around(plan, node) if found is None else [*self._made(found, plan, node, name)]

    def _made(self, found: Laddered, plan: Plan, node: PlanNode, name: str) -> Iterator[Middleware]:
        """From the outermost to the innermost (P8)."""
        policy = found.policy
        if policy.quarantine is not None and node.type.is_exec:
            yield Quarantine(policy.quarantine, state=self.state)
        if policy.skip and node.type.is_exec:
            yield SkipOnError()
        if policy.fallback is not None:
            fallback = policy.fallback
            yield from Fallback(fallback.node, value=fallback.value, exit=fallback.exit).around(plan, node, name)
        if policy.timeout is not None:
            yield TimeLimit(policy.timeout)
        if policy.retry is not None and policy.retry.attempts > 1:
            yield Retry.by(policy.retry, self.state.budget(_place(found.said_by["retry"]), policy.retry))
        yield from self._sagas.around(plan, node)
        yield from self._attempt(policy, node, name)

    def _attempt(self, policy: Policy, node: PlanNode, name: str) -> Iterator[Middleware]:
        """What is around each attempt."""
        state, key = self.state, node.type.id
        own = node.graph_node.priority if node.graph_node.priority != "normal" else None  # W16
        priority = policy.priority or own or self._priority
        patience = PATIENCE if policy.patience is None else policy.patience
        if policy.breaker is not None:
            yield Breaker.by(policy.breaker, state, policy.breaker.key or key)
        if policy.rate is not None:
            yield Rate.by(policy.rate, state, policy.rate.key or key, priority, patience)
        if policy.limiter is not None:
            yield from self._limiter(policy.limiter, name, priority, patience)
        if policy.quota:
            yield self._quota(policy, name, priority, patience)
        if policy.limit is not None:
            yield Limit.by(policy.limit, state, policy.limit.key or key, priority, patience, self._run)
        if policy.attempt_timeout is not None:
            yield TimeLimit(policy.attempt_timeout, limit="attempt")

    def _limiter(self, limiter: str, name: str, priority: Priority, patience: float) -> Iterator[Middleware]:
        known = self.state.limiters
        found = known.get(limiter)
        if found is None:
            raise MiddlewareError(
                f"Node {name!r} needs the limiter {limiter!r}, which the host does not have."
                f"{did_you_mean(limiter, known)} It has: {', '.join(known) or 'none'}. Give it to the run: "
                f"services={{trioflow.PolicyState: "
                f"trioflow.PolicyState(limiters={{{limiter!r}: trioflow.Limiter(5)}})}}."
            )
        if found.rate is not None:
            yield Rate.by(found.rate, self.state, f"limiter {limiter}", priority, patience)
        if found.limit is not None:
            yield Limit.by(found.limit, self.state, f"limiter {limiter}", priority, patience, self._run)

    def _quota(self, policy: Policy, name: str, priority: Priority, patience: float) -> Middleware:
        try:
            return Quota(policy.quota, self.state, patience=patience, priority=priority, run=self._run)
        except MiddlewareError as error:
            raise MiddlewareError(f"Node {name!r}: {error}") from None

    async def __call__(self, invocation: Invocation) -> Outcome:
        raise AssertionError("it stands for others")


def _place(rung: Rung) -> str:
    """Where a budget belongs: all nodes that have a policy from one place share it."""
    return f"{rung.level} {rung.name}"


def policies_of(plan: Plan, given: Given) -> tuple[Sequence[Middleware], Sequence[Middleware]]:
    """The middlewares that the policies of a graph and of a run ask for: outside and inside of those of the host."""
    return [Policies(plan, given)], [Placed(plan, given)]
