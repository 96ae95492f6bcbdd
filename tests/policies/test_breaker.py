"""The breaker around nodes: what it tells, whom it lets through, and what it makes of cancellations (P2)."""

from __future__ import annotations

import pytest
import trio
from policies.flaky import Calls, calling, log

import trioflow as tf

QUICK = tf.BreakerPolicy(calls=2, window="10s", open="5s", probes=2)


def calls(times, pause=1.0, **policy):
    """A loop that calls a node so many times, skipping what fails, with a pause after each."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start, loop, call = g.add(tf.nodes.Start), g.add("flow.for", "loop", times=times), g.add(Calls, "call")
        wait = g.add(tf.nodes.Delay, "wait", seconds=pause)
        each = g.add(tf.nodes.Sequence, "each")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, each.enter)
        g.connect(each.first, call.enter)
        g.connect(each.second, wait.enter)
        g.configure(call, policy=tf.Policy(**{"skip": True, **policy}))
    return g.graph


def told(bench):
    return [row for row in log(bench.log) if row[1].startswith("Breaker")]


def test_closed_open_half_open_closed(bench):
    """Opens after half of two calls, refuses without running anything, lets two probes through, closes."""
    bench.run(calls(9, breaker=QUICK), services={"script": [None, OSError("a")]})
    assert told(bench) == [
        (0.0, "BreakerAttempted", "call", "0.1.0.0", "flaky.calls", "closed"),
        (1.0, "BreakerAttempted", "call", "0.1.1.0", "flaky.calls", "closed"),
        (
            1.0,
            "BreakerChanged",
            "call",
            "0.1.1.0",
            "flaky.calls",
            "closed",
            "open",
            "1 of 2 calls within 10 s have failed",
        ),
        (2.0, "BreakerBlocked", "call", "0.1.2.0", "flaky.calls", "open", 4.0),
        (3.0, "BreakerBlocked", "call", "0.1.3.0", "flaky.calls", "open", 3.0),
        (4.0, "BreakerBlocked", "call", "0.1.4.0", "flaky.calls", "open", 2.0),
        (5.0, "BreakerBlocked", "call", "0.1.5.0", "flaky.calls", "open", 1.0),
        (6.0, "BreakerChanged", "call", "0.1.6.0", "flaky.calls", "open", "half-open", "it was open for long enough"),
        (6.0, "BreakerAttempted", "call", "0.1.6.0", "flaky.calls", "half-open"),
        (7.0, "BreakerAttempted", "call", "0.1.7.0", "flaky.calls", "half-open"),
        (7.0, "BreakerChanged", "call", "0.1.7.0", "flaky.calls", "half-open", "closed", "all probes went well"),
        (8.0, "BreakerAttempted", "call", "0.1.8.0", "flaky.calls", "closed"),
    ]


def test_a_probe_that_fails(bench):
    """One probe that fails opens it again, for as long as before."""
    bench.run(calls(13, breaker=QUICK), services={"script": [OSError("a"), OSError("b"), None, OSError("c")]})
    changes = [row for row in told(bench) if row[1] == "BreakerChanged"]
    assert [(row[0], row[-2]) for row in changes] == [
        (1.0, "open"), (6.0, "half-open"), (7.0, "open"), (12.0, "half-open"),
    ]  # fmt: skip


def test_the_error(bench):
    """It says which breaker it is, and when to come again."""
    graph = calls(3, breaker=QUICK, skip=None, fallback=tf.FallbackPolicy(value={"result": 1}))
    bench.run(graph, services={"script": [OSError("a"), OSError("b")]})
    (error,) = [
        each.error for each in bench.log if isinstance(each, tf.FellBack) and not isinstance(each.error, OSError)
    ]
    assert (str(error), error.key, error.retry_after) == (
        "Node 'call' was not run: its breaker (flaky.calls) is open for another 4 s, since 2 of 2 calls within 10 s have failed.",
        "flaky.calls",
        4.0,
    )


def test_it_is_inside_the_retry(bench):
    """Each attempt counts; an open breaker is not tried again unless it is named, and then it says when."""
    retry = {"attempts": 5, "backoff": "none"}
    script = [OSError("a")] * 4
    error = bench.fails(
        tf.CircuitOpen, calling(breaker=QUICK, retry=tf.RetryPolicy(**retry)), services={"script": [*script]}
    )
    assert error.retry_after == 5
    named = tf.RetryPolicy(**retry, on=[OSError, tf.CircuitOpen])
    bench.run(calling(breaker=QUICK, retry=named), services={"script": [*script[:2]]})
    assert [row[:2] + row[5:6] for row in log(bench.log) if row[1] == "RetryScheduled"] == [
        (0.0, "RetryScheduled", 0.0), (0.0, "RetryScheduled", 0.0), (0.0, "RetryScheduled", 5.0),
    ]  # fmt: skip


def test_keys(bench):
    """Nodes of a type share one, or those with a key."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start = g.add(tf.nodes.Start)
        for name, key in (("a", None), ("b", None), ("c", "own")):
            node = g.add(Calls, name)
            g.connect(start.then, node.enter)
            g.configure(node, policy=tf.Policy(breaker=tf.BreakerPolicy(key=key, calls=1), skip=True))
    bench.run(g.graph, services={"script": [OSError("x")]})
    assert [(row[1], row[2], row[4]) for row in told(bench)] == [
        ("BreakerAttempted", "a", "flaky.calls"), ("BreakerChanged", "a", "flaky.calls"),
        ("BreakerBlocked", "b", "flaky.calls"), ("BreakerAttempted", "c", "own"),
    ]  # fmt: skip


@pytest.mark.parametrize("probes", [1, 17])
async def test_half_open_under_1000_callers(probes, autojump_clock):
    """Exactly so many are let through, however many come at once, and also when all of those were cancelled."""
    state = tf.PolicyState()
    breaker = tf.Breaker(calls=1, open=5, probes=probes, key="k", state=state, nodes=["probe"])
    running, refused, seconds = [], [], [1.0]

    @tf.exec_node(id="breaker.probe")
    async def probe(ctx: tf.Context) -> None:
        if not running:
            running.append("the one that opens it")
            raise OSError("opens it")
        running.append(ctx.path)
        await trio.sleep(seconds[0])

    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(probe, "probe").enter)
    plan = tf.make_plan(g.graph, tf.Registry.standard())
    with pytest.raises(OSError, match="opens it"):
        await tf.run(plan, middleware=[breaker])

    async def caller():
        with trio.move_on_after(2):
            try:
                await tf.run(plan, middleware=[breaker])
            except tf.CircuitOpen:
                refused.append("one more")

    async def all_at_once():
        running.clear()
        running.append("not the first any more")
        refused.clear()
        async with trio.open_nursery() as nursery:
            for _ in range(1000):
                nursery.start_soon(caller)
        assert (len(running) - 1, len(refused)) == (probes, 1000 - probes)

    circuit = state.circuit("k", tf.BreakerPolicy())
    await trio.sleep(5)
    seconds[0] = 100.0  # until they are cancelled: they give their places back
    await all_at_once()
    assert (circuit.state, circuit.probing, circuit.passed) == ("half-open", 0, 0)
    seconds[0] = 1.0
    await all_at_once()
    assert circuit.state == "closed"


def test_alone(bench):
    """As a middleware of its own it has a breaker for each type, or one by its key; runs that get it share it."""
    breaker = tf.Breaker(calls=1, open="1m", nodes=["call"])
    bench.fails(OSError, calling(), services={"script": [OSError()]}, middleware=[breaker])
    bench.fails(tf.CircuitOpen, calling(), services={"script": []}, middleware=[breaker])
    assert repr(breaker) == "Breaker(by type)"
    one_probe = tf.Breaker(calls=1, open=0, probes=1, key="k")
    assert repr(one_probe) == "Breaker(k)"
    bench.fails(OSError, calling(), services={"script": [OSError()]}, middleware=[one_probe])
    bench.run(calling(), services={"script": []}, middleware=[one_probe])


def test_while_probes_are_on_their_way(bench):
    """The error says that others are tried first."""
    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        start, both, call, wait = (
            g.add(tf.nodes.Start),
            g.add("flow.parallel", "fork"),
            g.add(Calls, "call"),
            g.add(tf.nodes.Delay, "wait", seconds=1),
        )
        other = g.add(Calls, "other")
        first = g.add(Calls, "opens")
        g.connect(start.then, first.enter)
        g.connect(start.then, both.enter)
        g.connect(both.a, call.enter)
        g.connect(both.b, wait.enter)
        g.connect(wait.then, other.enter)
        g.policy("flaky.*", tf.Policy(breaker=tf.BreakerPolicy(calls=1, open=0, probes=1), skip=True))
    bench.run(g.graph, services={"script": [OSError(), 5]})
    (error,) = [each.error for each in bench.log if isinstance(each, tf.events.NodeSkipped) and each.node == "other"]
    assert str(error) == "Node 'other' was not run: its breaker (flaky.calls) lets 1 calls through first."
