"""Rates: who passes when, who comes first, and what becomes of those who give up (P3, P7)."""

from __future__ import annotations

import trio
from policies.flaky import log, one_after_the_other

import trioflow as tf
from trioflow.policies.rate import wake_first


@tf.exec_node(id="rate.call")
def call() -> None: ...


def many(*priorities, **policy):
    """Nodes with these priorities, all at once, in their order."""
    with tf.build() as g:
        start, fork = g.add(tf.nodes.Start), g.add("flow.parallel_8", "fork")
        g.connect(start.then, fork.enter)
        nodes = [g.add(call, f"{place} {priority}") for place, priority in enumerate(priorities)]
        one_after_the_other(g, fork, nodes)
        for node, priority in zip(nodes, priorities, strict=True):
            g.configure(node, policy=tf.Policy(priority=priority, **policy))
    return g.graph


def passed(bench):
    return [(row[0], row[2]) for row in log(bench.log, digits=2) if row[1] == "NodeCompleted"]


def test_at_the_rate(bench):
    """A burst at once, then one by one, in turn."""
    bench.run(many(*["normal"] * 5, rate=tf.RatePolicy("2/s", burst=2)))
    assert passed(bench) == [
        (0.0, "0 normal"),
        (0.0, "1 normal"),
        (0.5, "2 normal"),
        (1.0, "3 normal"),
        (1.5, "4 normal"),
    ]


def test_priorities_and_costs(bench):
    """The highest waits least, and costs least: 0.5, 0.6, 1 and 1.5 of a token."""
    bench.run(many("normal", "low", "normal", "high", "critical", rate=tf.RatePolicy("1/s", burst=1.5)))
    assert passed(bench) == [
        (0.0, "0 normal"), (0.0, "4 critical"), (0.6, "3 high"), (1.6, "2 normal"), (3.1, "1 low"),
    ]  # fmt: skip


def test_priority_of_a_run(bench):
    """A run has a priority, for all nodes that say none."""
    graph = many(None, None, rate=tf.RatePolicy("1/s", burst=1))
    bench.run(graph, options=tf.RunOptions(priority="critical"))
    assert [row[0] for row in passed(bench)] == [0.0, 0.0]
    with_weight = many(None, None, None, rate=tf.RatePolicy("1/s", burst=4, weight=4))
    bench.run(with_weight, options=tf.RunOptions(priority="critical"))
    assert [row[0] for row in passed(bench)] == [0.0, 0.0, 2.0]


def test_who_gives_up(bench):
    """After `wait` a call fails and is told; those behind it lose nothing by it."""
    bench.run(many(*["normal"] * 4, rate=tf.RatePolicy("1/m", burst=1, wait="20s"), skip=True, patience="5s"))
    rows = [row for row in log(bench.log, digits=2) if row[1] in ("Starving", "ResourceExhausted", "NodeSkipped")]
    what = "the rate 1/m of rate.call"
    assert rows[:3] == [(5.0, "Starving", f"{place} normal", f"0.1.{place}.1", what, 5.0, ()) for place in (1, 2, 3)]
    assert sorted(rows[3:]) == sorted(
        each
        for place in (1, 2, 3)
        for each in [
            (20.0, "ResourceExhausted", f"{place} normal", f"0.1.{place}.1", what, 20.0),
            (20.0, "NodeSkipped", f"{place} normal", f"0.1.{place}.1"),
        ]
    )
    (error, *_) = [each.error for each in bench.log if isinstance(each, tf.events.NodeSkipped)]
    assert (type(error), error.budget) == (tf.BudgetExhausted, what)
    assert str(error) == (
        "Node '1 normal' has waited 20 s for the rate 1/m of rate.call, which is as long as it may. Raise `wait`, or "
        "allow more at once."
    )


async def test_cancelled_while_it_waits(autojump_clock):
    """Who is cancelled costs nobody anything, and the next in line has its turn when it would."""
    state = tf.PolicyState()
    rate = tf.Rate("1/s", burst=1, state=state, key="k")
    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(call, "call").enter)
    times = []

    async def caller(place, seconds):
        await trio.sleep(place / 1000)
        with trio.move_on_after(seconds):
            await tf.run(g.graph, middleware=[tf.Rate("1/s", burst=1, state=state, key="k", nodes=["call"])])
            times.append((place, round(trio.current_time(), 2)))

    async with trio.open_nursery() as nursery:
        for place, seconds in enumerate((100, 0.5, 0.7, 100, 1.5, 100)):
            nursery.start_soon(caller, place, seconds)
    assert times == [(0, 0.0), (3, 1.0), (5, 2.0)]
    turnstile = state.turnstile("k", tf.RatePolicy("1/s"))
    assert not turnstile.line
    wake_first(turnstile)
    assert repr(rate) == "Rate(1/s)"


def test_a_limiter_of_the_host(bench):
    """Nodes that name one share it, also across runs; one that the host does not have is refused."""
    state = tf.PolicyState(limiters={"api": tf.Limiter(rate="1/s")})
    graph = many("normal", "normal", "normal", limiter="api")
    bench.run(graph, services={tf.PolicyState: state})
    assert [row[0] for row in passed(bench)] == [0.0, 1.0, 2.0]
    error = bench.fails(tf.MiddlewareError, many("normal", limiter="apy"), services={tf.PolicyState: state})
    assert str(error) == (
        "Node '0 normal' needs the limiter 'apy', which the host does not have. Did you mean 'api'? It has: api. Give "
        "it to the run: services={trioflow.PolicyState: trioflow.PolicyState(limiters={'apy': trioflow.Limiter(5)})}."
    )
