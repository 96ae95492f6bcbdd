"""How long to wait before the next attempt (P1)."""

from __future__ import annotations

import attrs

from trioflow.model.policy import RetryPolicy


def delay_after(policy: RetryPolicy, attempt: int, chance: float) -> float:
    """Seconds to wait after the attempt of this number, from 1, has failed (P1). `chance` is from 0 to 1.

    min(max_delay, delay · factorⁿ⁻¹), or delay · n, or delay; times 1 ± jitter.
    """
    if policy.backoff == "none":
        return 0.0
    if policy.backoff == "exponential":
        try:
            grown = policy.delay * policy.factor ** (attempt - 1)
        except OverflowError:
            grown = policy.max_delay
    else:
        grown = policy.delay * attempt if policy.backoff == "linear" else policy.delay
    return min(policy.max_delay, grown) * (1 + policy.jitter * (2 * chance - 1))


@attrs.define
class RetryBudget:
    """How many retries are left in a run; `total` None is any number."""

    total: int | None
    used: int = 0

    def take(self) -> bool:
        """Use one up, if there is one."""
        if self.total is not None and self.used >= self.total:
            return False
        self.used += 1
        return True
