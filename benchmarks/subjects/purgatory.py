"""purgatory: breakers as a decorator."""

from __future__ import annotations

import purgatory

from benchmarks.lib.in_calls import Call, calling, works

DISTRIBUTION = "purgatory"
RUNNER = "asyncio"
CANNOT: dict[str, str] = {}


def policy_none(size: int) -> Call:
    return calling(size, lambda: works)


def policy_breaker(size: int) -> Call:
    return calling(size, lambda: purgatory.AsyncCircuitBreakerFactory()("works")(works))
