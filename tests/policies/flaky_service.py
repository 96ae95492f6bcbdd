"""A workflow that keeps calling a flaky service on loopback for minutes: `python -m policies.flaky_service --seconds 300`.

The service is slow, answers 500 or 429 with Retry-After, hangs, closes connections, and is dead for a fifth of the time.
With `--virtual` the time is trio's mock clock, which goes on whenever nothing has happened for a moment.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter

import trio
import trio.testing

import trioflow as tf

CALLERS = 6
PAUSE = 0.2
ATTEMPT = 2.0


@tf.exec_node(id="service.stored_page")
def stored(url: str = "", error: str = "") -> str:
    return f"the stored page, because of {error}"


class Service:
    """Answers on a port of its own; dead means that nobody listens there."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.answers: Counter[str] = Counter()
        self.port = 0

    async def live(self, dead_from: float, dead_for: float) -> None:
        """Serve, be dead for a while, and serve again."""
        began = trio.current_time()
        with trio.move_on_at(began + dead_from):
            await self._serve(self._listener)
        await trio.sleep_until(began + dead_from + dead_for)
        self._listener = (await trio.open_tcp_listeners(self.port, host="127.0.0.1"))[0]
        await self._serve(self._listener)

    async def open(self) -> None:
        self._listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        self.port = self._listener.socket.getsockname()[1]

    async def _serve(self, listener) -> None:
        async with listener:
            await trio.serve_listeners(self._answer, [listener])

    async def _answer(self, stream) -> None:
        try:
            async with stream:
                while await stream.receive_some(65536) and await self._one(stream):
                    pass
        except trio.BrokenResourceError:
            self.answers["caller gone"] += 1

    async def _one(self, stream) -> bool:
        """Answer one request; whether the connection is kept."""
        ways = {"fine": 72, "slow": 10, "500": 7, "429": 5, "hangs": 3, "closes": 3}
        (way,) = self._chance.choices([*ways], [*ways.values()])
        self.answers[way] += 1
        if way == "closes":
            return False
        await trio.sleep({"slow": 1.0, "hangs": 10 * ATTEMPT}.get(way, 0.01))
        status = {"500": "500 Broken", "429": "429 Busy\r\nRetry-After: 1"}.get(way, "200 OK")
        await stream.send_all(f"HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\npage".encode())
        return True


def workflow(url: str, rounds: int) -> tf.Graph:
    """Several callers, each of which calls, waits, and calls again, so many times."""
    policy = tf.Policy(
        timeout="20s",
        attempt_timeout=f"{ATTEMPT:g}s",
        retry=tf.RetryPolicy(4, delay="200ms", on=["http.5xx", "http.429", "NotAnswered", "NodeTimeout"]),
        breaker=tf.BreakerPolicy(calls=10, window="10s", open="5s", probes=2),
        rate=tf.RatePolicy("20/s", burst=5),
        fallback=tf.FallbackPolicy("stored", exit="then"),
        patience="1s",
    )
    with tf.workflow() as w:
        start, end = w.add(tf.nodes.Start, "start"), w.add(tf.nodes.Marker, "end")
        w.add(stored, "stored")
        for number in range(CALLERS):
            call = w.add("http.get", f"call {number}", url=url)
            wait = w.add(tf.nodes.Delay, f"wait {number}", seconds=PAUSE, most=rounds)
            w.configure(call, policy=policy)
            w.connect(start.then, call.enter)
            w.connect(call.then, wait.enter)
            w.connect(wait.then, call.enter)
            w.connect(wait, end, on="exhausted")
            w.connect(call, end, on="exhausted")
    return w.graph


async def call_for(seconds: float, seed: int = 1, observers=()) -> tuple[tf.RunResult, Service]:
    """Call the service for about so long; it is dead for a fifth of that, at most a minute."""
    service = Service(seed)
    await service.open()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(service.live, seconds / 3, min(60.0, seconds / 5))
        graph = workflow(f"http://127.0.0.1:{service.port}/page", max(1, round(seconds / 0.45)))
        result = await tf.run(graph, observers=observers, options=tf.RunOptions(seed=seed, max_steps=None))
        nursery.cancel_scope.cancel()
    return result, service


def tell(event: tf.Event) -> None:
    """What a policy has decided, as a line. That a closed breaker let a call through says nothing."""
    if isinstance(event, tf.BreakerAttempted) and event.state == "closed":
        return
    own = [name for name in tf.events.fields_of(type(event)) if name not in tf.events.BASE]
    said = ", ".join(f"{name} {shown(getattr(event, name))}" for name in own)
    print(f"{event.time:7.2f} s  {event.node:<8}{type(event).__name__:<18}{said}", flush=True)


def shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--virtual", action="store_true")
    given = parser.parse_args()
    tracker = tf.Tracker()
    told = tf.observe(tell, kinds=["policies"])
    clock = trio.testing.MockClock(autojump_threshold=0.005) if given.virtual else None
    result, service = trio.run(call_for, given.seconds, given.seed, [tracker, told], clock=clock)
    print(result.report())
    print(dict(service.answers))


if __name__ == "__main__":
    main()
