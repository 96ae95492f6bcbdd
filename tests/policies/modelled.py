"""What a node with policies does, said once more without tasks, events or a scheduler: calls that come one by one (P1 to P8).

Time is a number that this model turns. A body is a list of attempts: how long each takes, and with what it fails, if it
does. Whoever reads `Called` from outside to inside reads the fixed nesting (P8).
"""

from __future__ import annotations

import builtins
import math

import trioflow as tf


class Over(Exception):
    """The time for all attempts is over."""


class Called:
    """One node, called again and again; `log` is what is told, with the time."""

    def __init__(self, policy, attempts):
        self.policy, self.attempts = policy, list(attempts)
        self.now, self.deadline = 0.0, math.inf
        self.log = []
        self.failures = 0
        self.retries = 0
        self.open_until = None  # None: closed
        self.passed = None  # a number: half-open
        self.ended = []  # of the breaker, since it closed: the tenth of its window, and whether the call failed
        self.tokens, self.since = None, 0.0

    def tell(self, *what):
        self.log.append((round(self.now, 6), *what))

    def wait(self, seconds):
        """Raises `Over` at the moment at which the time for all attempts is over."""
        if self.now + seconds >= self.deadline:
            self.now = self.deadline
            raise Over
        self.now += seconds

    # --- from outside to inside ---

    def call(self):
        """What comes of one call: `then`, or the name of what it fails with; None if it is skipped."""
        most = self.policy.quarantine
        if most is not None and self.failures >= most:
            return None
        try:
            return self.skipping()
        except Exception as error:
            return self.counted(error)

    def counted(self, error):
        if self.policy.quarantine is not None:
            self.failures += 1
            if self.failures == self.policy.quarantine:
                self.tell("Quarantined")
        return type(error).__name__

    def skipping(self):
        try:
            return self.falling_back()
        except Exception:
            if not self.policy.skip:
                raise
            return None

    def falling_back(self):
        try:
            return self.timed()
        except Exception as error:
            if self.policy.fallback is None:
                raise
            self.tell("FellBack", type(error).__name__)
            return "then"

    def timed(self):
        if self.policy.timeout is None:
            return self.retried()
        self.deadline = self.now + self.policy.timeout
        try:
            return self.retried()
        except Over:
            raise tf.NodeTimeout("") from None
        finally:
            self.deadline = math.inf

    def retried(self):
        retry = self.policy.retry
        attempt = 1
        while True:
            try:
                return self.broken()
            except Over:
                raise
            except Exception as error:
                delay = None if retry is None else self.delay(retry, error, attempt)
                if delay is None:
                    raise
                self.tell("RetryScheduled", attempt, round(delay, 6))
            self.wait(delay)
            attempt += 1

    def delay(self, retry, error, attempt):
        named = any(each.__name__ in retry.on for each in type(error).__mro__) if retry.on else None
        wanted = not isinstance(error, tf.CircuitOpen) if named is None else named
        if any(each.__name__ in retry.not_on for each in type(error).__mro__):
            wanted = False
        if attempt >= retry.attempts or not wanted:
            return None
        grown = {
            "none": 0.0, "fixed": retry.delay, "linear": retry.delay * attempt,
            "exponential": retry.delay * retry.factor ** (attempt - 1),
        }[retry.backoff]  # fmt: skip
        asked = getattr(error, "retry_after", 0.0)
        if asked > retry.max_delay:
            return None
        if retry.budget is not None:
            if self.retries >= retry.budget:
                return None
            self.retries += 1
        return max(min(retry.max_delay, grown), asked)

    def broken(self):
        policy = self.policy.breaker
        if policy is None:
            return self.limited()
        if self.open_until is not None:
            if self.now < self.open_until:
                left = self.open_until - self.now
                self.tell("BreakerBlocked")
                raise tf.CircuitOpen("", key="", retry_after=left)
            self.open_until, self.passed = None, 0
            self.tell("BreakerChanged", "half-open")
        try:
            outcome = self.limited()
        except Over:
            raise
        except Exception:
            self.ends(policy, failed=True)
            raise
        self.ends(policy, failed=False)
        return outcome

    def ends(self, policy, *, failed):
        if self.passed is not None:
            self.passed += 1
            if failed:
                self.opens(policy)
            elif self.passed == policy.probes:
                self.passed, self.ended = None, []
                self.tell("BreakerChanged", "closed")
            return
        part = int(self.now * 10 // policy.window)
        self.ended = [each for each in [*self.ended, (part, failed)] if each[0] > part - 10]
        bad = sum(failed for _, failed in self.ended)
        if failed and len(self.ended) >= policy.calls and bad >= policy.rate * len(self.ended):
            self.opens(policy)

    def opens(self, policy):
        self.open_until, self.passed, self.ended = self.now + policy.open, None, []
        self.tell("BreakerChanged", "open")

    def limited(self):
        rate = self.policy.rate
        if rate is not None:
            if self.tokens is None:
                self.tokens = rate.capacity
            self.tokens = min(rate.capacity, self.tokens + (self.now - self.since) * rate.per_second)
            self.since = self.now
            cost = min(max(0.5, rate.weight * {"low": 1.5, "normal": 1, "high": 0.6, "critical": 0.5}[self.policy.priority or "normal"]), rate.capacity)  # fmt: skip
            missing = max(0.0, cost - self.tokens) / rate.per_second
            if missing > 1e-9:
                most = math.inf if rate.wait is None else rate.wait
                if most < missing:
                    self.wait(most)
                    self.tell("ResourceExhausted")
                    raise tf.BudgetExhausted("", budget="")
                self.wait(missing)
                self.tokens, self.since = cost, self.now
            self.tokens -= cost
        return self.attempt()

    def attempt(self):
        takes, error = self.attempts.pop(0) if self.attempts else (0.0, None)
        limit = self.policy.attempt_timeout
        if limit is not None and limit < takes:
            self.wait(limit)
            raise tf.NodeTimeout("")
        self.wait(takes)
        if error is not None:
            raise getattr(builtins, error)("by the script")
        return "then"
