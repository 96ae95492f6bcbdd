"""What policies cost: `python -m benchmarks.policy_prices` measures the table of docs/policies.md.

In turns within one process, and the best of several rounds of each. Libraries that are not installed are left out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import trio

import trioflow as tf
from trioflow.policies.machines.leases import Leases

CALLS = 2_000
ROUNDS = 7


class Works(tf.Node, id="policy_prices.works"):
    """Does nothing, and succeeds."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None: ...


def ours(policy: tf.Policy | None, **arguments: Any) -> Callable[[], float]:
    with tf.build() as g:
        start, loop, node = g.add(tf.nodes.Start), g.add("flow.for", times=CALLS), g.add(Works)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, node.enter)
        g.configure(node, policy=policy)

    async def once() -> float:
        began = time.perf_counter()
        await tf.run(g.graph, options=tf.RunOptions(max_steps=None), **arguments)
        return time.perf_counter() - began

    return lambda: trio.run(once)


def tracked() -> float:
    return ours(None, observers=[tf.Tracker()])()


async def _works() -> None: ...


def theirs(decorated: Callable[[], Any]) -> Callable[[], float]:
    async def once() -> float:
        began = time.perf_counter()
        for _ in range(CALLS):
            await decorated()
        return time.perf_counter() - began

    return lambda: asyncio.run(once())


def subjects() -> dict[str, Callable[[], float]]:
    found: dict[str, Callable[[], float]] = {
        "trioflow, no policy": ours(None),
        "trioflow, retry": ours(tf.Policy(retry=tf.RetryPolicy(3))),
        "trioflow, breaker": ours(tf.Policy(breaker=tf.BreakerPolicy())),
        "trioflow, limit": ours(tf.Policy(limit=tf.LimitPolicy(3))),
        "trioflow, rate": ours(tf.Policy(rate=tf.RatePolicy("1000000/s"))),
        "trioflow, tracker": tracked,
        "a function of asyncio": theirs(_works),
    }
    try:
        import tenacity  # noqa: PLC0415

        found["tenacity, retry"] = theirs(tenacity.retry(stop=tenacity.stop_after_attempt(3))(_works))
    except ImportError:
        pass
    try:
        import stamina  # noqa: PLC0415

        found["stamina, retry"] = theirs(stamina.retry(on=OSError, attempts=3)(_works))
    except ImportError:
        pass
    try:
        import purgatory  # noqa: PLC0415

        found["purgatory, breaker"] = theirs(purgatory.AsyncCircuitBreakerFactory()("works")(_works))
    except ImportError:
        pass
    try:
        import aiolimiter  # noqa: PLC0415

        def limited() -> float:  # a limiter is for one event loop
            limiter = aiolimiter.AsyncLimiter(1e9, 1)

            async def call() -> None:
                async with limiter:
                    await _works()

            return theirs(call)()

        found["aiolimiter, rate"] = limited
    except ImportError:
        pass
    return found


def admitting(waiters: int) -> float:
    """Microseconds for one to leave and the next to be let in, with so many waiting."""
    leases = Leases({"a": 1})
    holder = leases.ask((0,), {"a": 1}, 1)
    for number in range(waiters):
        leases.ask((number + 1,), {"a": 1}, number % 4)
    began = time.perf_counter()
    for _ in range(100):
        (holder,) = leases.end(holder)
    return (time.perf_counter() - began) / 100 * 1e6


def main() -> None:
    best: dict[str, float] = {}
    asked = subjects()
    for _ in range(ROUNDS):
        for name, measure in asked.items():
            best[name] = min(best.get(name, 1e9), measure())
    for name, seconds in best.items():
        plain = best["trioflow, no policy" if name.startswith("trioflow") else "a function of asyncio"]
        print(f"{name:<24}{seconds / CALLS * 1e6:8.2f} µs a call{(seconds - plain) / CALLS * 1e6:8.2f} µs added")
    for waiters in (100, 1_000, 10_000, 100_000):
        print(f"{waiters:>7} waiting: {min(admitting(waiters) for _ in range(3)):.2f} µs to admit the next")


if __name__ == "__main__":
    main()
