"""A flaky service on loopback, called in earnest: it fails, is busy, hangs, and dies; nobody who calls it does (P1, P2, P5)."""

from __future__ import annotations

import functools

import pytest
import trio
import trio.testing
from policies.flaky import EventLog
from policies.flaky_service import CALLERS, call_for

import trioflow as tf

pytest.importorskip("httpx", reason="the nodes for HTTP need httpx")

ANSWERS = {
    "ok": "HTTP/1.1 200 OK\r\n",
    "broken": "HTTP/1.1 500 Broken\r\n",
    "busy": "HTTP/1.1 429 Busy\r\nRetry-After: 1\r\n",
    "missing": "HTTP/1.1 404 Missing\r\n",
}


async def service(script, stream):
    """Answers one request as the script says; `hangs` never answers, `dies` closes the connection."""
    async with stream:
        await stream.receive_some(65536)
        what = script.pop(0) if script else "ok"
        if what == "hangs":
            await trio.sleep(60)
        elif what != "dies":
            await stream.send_all(f"{ANSWERS[what]}Content-Length: 4\r\nConnection: close\r\n\r\nfine".encode())


@tf.exec_node(id="service.stored")
async def stored(error: str = "") -> None:
    await trio.sleep(0.03)  # as long as a cache may take


async def called(times, *script, **policy):
    """Call the service so many times, one after the other; what was told, and what came of each call."""
    with tf.build() as g:
        start, loop, get = (
            g.add(tf.nodes.Start),
            g.add("flow.for", "loop", times=times),
            g.add("http.get", "get", url="x"),
        )
        g.add(stored, "stored")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, get.enter)
    log = EventLog()
    async with trio.open_nursery() as nursery:
        serving = functools.partial(trio.serve_tcp, functools.partial(service, [*script]), 0, host="127.0.0.1")
        (listener, *_) = await nursery.start(serving)
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/"
        nodes = [
            tf.GraphNode("get", "http.get", {"url": url}, policy=tf.Policy(**policy)) if each.id == "get" else each
            for each in g.graph.nodes
        ]
        graph = tf.Graph(nodes=nodes, connections=g.graph.connections, types=g.graph.types)
        with trio.fail_after(30):
            await tf.run(graph, observers=[log])
        nursery.cancel_scope.cancel()
    return log


def kinds(log):
    return [type(each).__name__ for each in log if isinstance(each, tf.events.Decision)]


async def test_broken_hanging_dying():
    """A status, a hanging and a closed connection are tried again; what is not there is not."""
    retry = tf.RetryPolicy(5, backoff="none", on=["http.5xx", "NotAnswered", "NodeTimeout"])
    policy = {"retry": retry, "attempt_timeout": "300ms", "fallback": tf.FallbackPolicy("stored", exit="then")}
    log = await called(2, "broken", "hangs", "dies", "ok", "missing", **policy)
    assert kinds(log) == [*["RetryScheduled"] * 3, "FellBack"]
    errors = [str(each.error) for each in log if isinstance(each, tf.RetryScheduled | tf.FellBack)]
    assert [each.partition(" answered ")[2] or each.partition(": ")[0] for each in errors] == [
        "500 Broken.", "An attempt of node 'get' took longer than its time limit of 0.3 s.", "http.get", "404 Missing.",
    ]  # fmt: skip
    assert log.open() == []


async def test_busy():
    """What the server says with Retry-After is waited for, and not more."""
    log = await called(1, "busy", retry=tf.RetryPolicy(2, delay="10ms", on=["http.429"]))
    (scheduled,) = [each for each in log if isinstance(each, tf.RetryScheduled)]
    (ended,) = [each for each in log if isinstance(each, tf.events.NodeCompleted) and each.node == "get"]
    assert scheduled.delay == 1.0
    assert 1.0 <= ended.time - scheduled.time < 10


async def test_dead():
    """A breaker spares a service that is dead, and lets calls through again when it is back."""
    breaker = tf.BreakerPolicy(calls=2, open="100ms", probes=1)
    policy = {
        "breaker": breaker,
        "fallback": tf.FallbackPolicy("stored", exit="then"),
    }
    log = await called(20, "dies", "dies", "dies", **policy)
    changes = [each.new for each in log if isinstance(each, tf.BreakerChanged)]
    assert changes == ["open", "half-open", "open", "half-open", "closed"]


@pytest.mark.unmeasured
def test_under_load():
    """All callers make all their calls, though the service is dead for a while; nobody is left waiting."""
    log = EventLog()
    clock = trio.testing.MockClock(autojump_threshold=0.005)
    result, service = trio.run(functools.partial(call_for, 9.0, observers=[log]), clock=clock)
    assert result.statistics.steps > 20 * CALLERS
    assert service.answers["fine"] > 0
    assert {"RetryScheduled", "FellBack"} <= {*kinds(log)}
    assert log.open() == []
