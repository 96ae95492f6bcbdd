"""Retry: a body that fails is run again (P1)."""

from __future__ import annotations

import random
from collections.abc import Collection

from trioflow.errors import CircuitOpen
from trioflow.model.policy import Backoff, RetryPolicy, error_names
from trioflow.policies.events import RetryScheduled
from trioflow.policies.machines.backoff import RetryBudget, delay_after
from trioflow.runtime.wrapping.invocation import Invocation, Outcome
from trioflow.runtime.wrapping.middleware import Middleware
from trioflow.semantics.policies.conditions import condition, leaves

Errors = type[BaseException] | str | Collection[type[BaseException] | str]


class Retry(Middleware):
    """Runs a body again if it fails: at most `attempts` times in all, with growing delays in between (P1).

    The delay after the n-th attempt is `delay` times `factor` to the power n-1 (`exponential`), times n (`linear`),
    itself (`fixed`) or nothing (`none`), at most `max_delay`, and varied by `jitter`, a share of it, by chance that is
    the same under every schedule. Where an error says itself how long to wait (`retry_after`, as answers of HTTP do),
    it is that at least; if that is more than `max_delay`, no further attempt is made. `on`, `not_on`: which errors, as
    classes, names or codes such as `http.5xx`; of a group each must be one. An open breaker is not tried again unless
    it is named. Cancellations always pass. `isolated`: what a failed attempt wrote is dropped (A3). `budget`: retries
    that all nodes together may make, as long as this object is used. Tells `RetryScheduled`. The last failure goes on
    as it is. Raises `ValueError` for what is out of range.
    """

    def __init__(
        self,
        attempts: int = 3,
        *,
        backoff: Backoff = "exponential",
        delay: float | str = 1.0,
        max_delay: float | str = 60.0,
        factor: float = 2.0,
        jitter: float = 0.25,
        on: Errors = (),
        not_on: Errors = (),
        budget: int | None = None,
        isolated: bool = False,
        nodes: Collection[str] | None = None,
    ) -> None:
        policy = RetryPolicy(
            attempts, backoff, delay, max_delay, factor, jitter, error_names(on), error_names(not_on), budget, isolated
        )  # fmt: skip
        self._take(policy, RetryBudget(policy.budget))
        self.nodes = nodes

    @classmethod
    def by(cls, policy: RetryPolicy, budget: RetryBudget) -> Retry:
        """The same from a policy, with a budget that it shares with others."""
        retry = cls.__new__(cls)
        retry._take(policy, budget)
        return retry

    def _take(self, policy: RetryPolicy, budget: RetryBudget) -> None:
        self._policy = policy
        self._budget = budget
        self.isolates = policy.clean
        self._on = condition(policy.on) if policy.on else _unless_open
        self._not_on = condition(policy.not_on) if policy.not_on else None

    async def __call__(self, invocation: Invocation) -> Outcome:
        attempt = 1
        while True:
            try:
                return await invocation(isolated=self.isolates)
            except Exception as error:
                delay = self._delay(invocation, error, attempt)
                if delay is None:
                    raise
                if invocation.wanted(RetryScheduled):
                    invocation.tell(RetryScheduled(attempt, delay, error))
            await invocation.sleep(delay)
            attempt += 1

    def _delay(self, invocation: Invocation, error: Exception, attempt: int) -> float | None:
        """Seconds before the next attempt; None if there is none."""
        policy = self._policy
        if attempt >= policy.attempts or not self._applies(error):
            return None
        # u of P1: the same under every schedule, and not what the body draws.
        chance = random.Random(f"{invocation.random_key}/retry {attempt}").random()
        delay = delay_after(policy, attempt, chance)
        asked = max((getattr(each, "retry_after", None) or 0.0 for each in leaves(error)), default=0.0)
        if asked > policy.max_delay or not (invocation.decided or self._budget.take()):
            return None
        return max(delay, asked)

    def _applies(self, error: Exception) -> bool:
        """Whether an error is one to be tried again; of a group each (P1)."""
        found = [*leaves(error)]
        if self._not_on is not None and any(map(self._not_on, found)):
            return False
        return all(isinstance(each, Exception) and self._on(each) for each in found)

    def __repr__(self) -> str:
        return f"Retry({self._policy.attempts})"


def _unless_open(error: BaseException) -> bool:
    return not isinstance(error, CircuitOpen)
