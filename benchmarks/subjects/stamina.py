"""stamina: retries as a decorator."""

from __future__ import annotations

import stamina

from benchmarks.lib.in_calls import Call, calling, works

DISTRIBUTION = "stamina"
RUNNER = "asyncio"
CANNOT: dict[str, str] = {}


def policy_none(size: int) -> Call:
    return calling(size, lambda: works)


def policy_retry(size: int) -> Call:
    retried = stamina.retry(on=OSError, attempts=3)(works)
    return calling(size, lambda: retried)
