"""tenacity: retries as a decorator."""

from __future__ import annotations

import tenacity

from benchmarks.lib.in_calls import Call, calling, works

DISTRIBUTION = "tenacity"
RUNNER = "asyncio"
CANNOT: dict[str, str] = {}


def policy_none(size: int) -> Call:
    return calling(size, lambda: works)


def policy_retry(size: int) -> Call:
    retried = tenacity.retry(stop=tenacity.stop_after_attempt(3))(works)
    return calling(size, lambda: retried)
