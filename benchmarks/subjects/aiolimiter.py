"""aiolimiter: a rate as a block."""

from __future__ import annotations

import aiolimiter

from benchmarks.lib.in_calls import Call, calling, works

DISTRIBUTION = "aiolimiter"
RUNNER = "asyncio"
CANNOT: dict[str, str] = {}


def policy_none(size: int) -> Call:
    return calling(size, lambda: works)


def policy_rate(size: int) -> Call:
    def limited() -> Call:  # a limiter is for one event loop
        limiter = aiolimiter.AsyncLimiter(1e9, 1)

        async def call() -> None:
            async with limiter:
                await works()

        return call

    return calling(size, limited)
