"""A circuit breaker: closed, open, half-open (P2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

import attrs

from trioflow.model.policy import BreakerPolicy

State = Literal["closed", "open", "half-open"]
Cause = Literal["too many failures", "it was open for long enough", "a probe has failed", "all probes went well"]

TABLE: Mapping[tuple[State, Cause], State] = {
    ("closed", "too many failures"): "open",
    ("open", "it was open for long enough"): "half-open",
    ("half-open", "a probe has failed"): "open",
    ("half-open", "all probes went well"): "closed",
}
"""Every change that there is (P2)."""

SLICES = 10
"""Parts of a window: calls are counted by parts, and forgotten by parts."""


@attrs.define
class Circuit:
    """What one breaker remembers. Each call is admitted, and then has succeeded, failed, or been dropped.

    `era` grows with each change: what becomes of a call that was admitted in an earlier one makes no difference.
    """

    policy: BreakerPolicy
    state: State = "closed"
    until: float = 0.0
    """When an open one lets probes through."""
    era: int = 0
    calls: int = 0
    """Calls that have ended in the window."""
    failures: int = 0
    probing: int = 0
    """Probes that are on their way."""
    passed: int = 0
    """Probes that went well."""
    why: str = ""
    """Why it has changed the last time, for people."""
    slices: deque[list[int]] = attrs.field(factory=deque[list[int]])
    """Number of the slice, calls, failures; the oldest first."""

    def admit(self, now: float) -> int | None:
        """The era in which a call is let through; None if it is not (P2)."""
        if self.state == "closed":
            return self.era
        if self.state == "open":
            if now < self.until:
                return None
            self._change("it was open for long enough")
        if self.probing + self.passed >= self.policy.probes:
            return None
        self.probing += 1
        return self.era

    def succeeded(self, era: int, now: float) -> None:
        """A call that was admitted has gone well."""
        if era != self.era:
            return
        if self.state == "closed":
            slices = self.slices
            if slices and slices[-1][0] == now * SLICES // self.policy.window:  # as mostly: see `_count`
                slices[-1][1] += 1
                self.calls += 1
            else:
                self._count(now, 0)
        else:
            self.probing -= 1
            self.passed += 1
            if self.passed == self.policy.probes:
                self._change("all probes went well")

    def failed(self, era: int, now: float) -> None:
        """A call that was admitted has failed."""
        if era != self.era:
            return
        policy = self.policy
        if self.state == "closed":
            self._count(now, 1)
            if self.calls >= policy.calls and self.failures >= policy.rate * self.calls:
                self._change("too many failures")
                self.until = now + policy.open
        else:
            self._change("a probe has failed")
            self.until = now + policy.open

    def dropped(self, era: int) -> None:
        """A call that was admitted was cancelled: it has neither gone well nor failed (P2)."""
        if era == self.era and self.state == "half-open":
            self.probing -= 1

    def as_data(self, now: float) -> dict[str, Any]:
        """What it remembers, as plain data; times are counted from now on."""
        number = self._slice(now)
        return {
            "state": self.state,
            "why": self.why,
            "until": self.until - now,
            "passed": self.passed,
            "slices": [[number - each, calls, failures] for each, calls, failures in self.slices],
        }

    @classmethod
    def of_data(cls, policy: BreakerPolicy, data: Mapping[str, Any], now: float) -> Circuit:
        """One that remembers this. Probes that were on their way are taken for dropped."""
        circuit = cls(policy, data["state"], data["until"] + now, passed=data["passed"], why=data["why"])
        number = circuit._slice(now)
        for age, calls, failures in data["slices"]:
            circuit.slices.append([number - age, calls, failures])
            circuit.calls += calls
            circuit.failures += failures
        return circuit

    def _change(self, cause: Cause) -> None:
        counted = cause == "too many failures"
        self.why = (
            f"{self.failures} of {self.calls} calls within {self.policy.window:g} s have failed" if counted else cause
        )
        self.state = TABLE[self.state, cause]
        self.era += 1
        self.calls = self.failures = self.probing = self.passed = 0
        self.slices.clear()

    def _count(self, now: float, failed: int) -> None:
        slices = self.slices
        number = self._slice(now)
        if not slices or slices[-1][0] != number:
            slices.append([number, 0, 0])
            while slices[0][0] <= number - SLICES:
                _, calls, failures = slices.popleft()
                self.calls -= calls
                self.failures -= failures
        last = slices[-1]
        last[1] += 1
        last[2] += failed
        self.calls += 1
        self.failures += failed

    def _slice(self, now: float) -> int:
        return int(now * SLICES // self.policy.window)
