"""What policies remember, in one place, as plain data when somebody asks: for runs to share, keep and resume (P6)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs

from trioflow.model.policy import BreakerPolicy, LimitPolicy, RatePolicy, RetryPolicy
from trioflow.policies.machines.backoff import RetryBudget
from trioflow.policies.machines.circuit import Circuit
from trioflow.policies.machines.leases import Leases
from trioflow.policies.machines.throttle import Throttle
from trioflow.policies.machines.turnstile import Turnstile


def _limit(value: Any) -> LimitPolicy | None:
    return LimitPolicy(value) if isinstance(value, int) else value


def _rate(value: Any) -> RatePolicy | None:
    return RatePolicy(value) if isinstance(value, str) else value


@attrs.frozen
class Limiter:
    """What all that name it share: a limit, a rate, or both (P3). Short forms as in `Policy`: `Limiter(5, "50/s")`."""

    limit: LimitPolicy | None = attrs.field(default=None, converter=_limit)
    rate: RatePolicy | None = attrs.field(default=None, converter=_rate)


class PolicyState:
    """Breakers, buckets, places, quotas, budgets of retries and counts of failures.

    Each run has one of its own, unless the host gives one as a service: `services={PolicyState: state}`. Runs that get
    the same one share all of it, on one event loop. `quota` says how many there are of the named things that nodes
    lease, `limiters` what nodes may name as `limiter`. `as_data` is all that it remembers as data that JSON has;
    `state.restore(data)` goes on from there: an open breaker stays open, a budget stays spent. Who waits and who holds
    something is no part of it. Times are relative to the clock at that moment.
    """

    def __init__(
        self, *, quota: Mapping[str, int] | None = None, limiters: Mapping[str, Limiter] | None = None
    ) -> None:
        self.quota: Mapping[str, int] = dict(quota or {})
        self.limiters: Mapping[str, Limiter] = dict(limiters or {})
        for name, amount in self.quota.items():
            if type(amount) is not int or amount < 1:
                raise ValueError(f"quota {name!r}: expected a whole number of at least 1, got {amount!r}.")
        self.leases = Leases({f"quota {name}": amount for name, amount in self.quota.items()})
        self._circuits: dict[str, Circuit] = {}
        self._turnstiles: dict[str, Turnstile] = {}
        self._throttles: dict[str, Throttle] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self.failures: dict[str, int] = {}
        """Failures of nodes that may be quarantined, by name."""
        self._kept: Mapping[str, Any] = {}
        self._kept_at = 0.0

    # --- what policies ask for, by key; made when first asked for ---

    def circuit(self, key: str, policy: BreakerPolicy) -> Circuit:
        """The breaker of this key."""
        found = self._circuits.get(key)
        if found is None:
            kept = self._kept.get("circuits", {}).get(key)
            found = Circuit(policy) if kept is None else Circuit.of_data(policy, kept, self._kept_at)
            self._circuits[key] = found
        return found

    def turnstile(self, key: str, policy: RatePolicy) -> Turnstile:
        """The bucket of this key."""
        found = self._turnstiles.get(key)
        if found is None:
            found = self._turnstiles[key] = Turnstile(policy.per_second, policy.capacity)
            kept = self._kept.get("full_at", {}).get(key)
            found.full_at = -math.inf if kept is None else kept + self._kept_at
        return found

    def throttle(self, key: str, most: int) -> Throttle:
        """What says how many may run of this key."""
        found = self._throttles.get(key)
        if found is None:
            found = self._throttles[key] = Throttle(most, self._kept.get("throttles", {}).get(key, most))
        return found

    def budget(self, key: str, policy: RetryPolicy) -> RetryBudget:
        """The retries that are left for this key."""
        found = self._budgets.get(key)
        if found is None:
            used = self._kept.get("budgets", {}).get(key, 0)
            found = self._budgets[key] = RetryBudget(policy.budget, used)
        return found

    # --- as data ---

    def as_data(self, now: float) -> dict[str, Any]:
        """What it remembers at this moment of trio's clock, as plain data."""
        return {
            "circuits": {
                **self._kept.get("circuits", {}),
                **{key: each.as_data(now) for key, each in self._circuits.items()},
            },
            "full_at": {
                **self._kept.get("full_at", {}),
                **{key: each.full_at - now for key, each in self._turnstiles.items() if each.full_at > now},
            },
            "throttles": {**self._kept.get("throttles", {}), **{k: each.limit for k, each in self._throttles.items()}},
            "budgets": {**self._kept.get("budgets", {}), **{k: each.used for k, each in self._budgets.items()}},
            "failures": dict(self.failures),
        }

    def restore(self, data: Mapping[str, Any], now: float) -> None:
        """Go on from what `as_data` gave, at this moment. For one that nobody has used yet."""
        self._kept = data
        self._kept_at = now
        self.failures.update(data["failures"])
