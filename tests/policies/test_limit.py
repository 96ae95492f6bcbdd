"""Limits and quotas: who runs at once, whose a place is, and who would wait for ever (P3, P4)."""

from __future__ import annotations

import pytest
import trio
from policies.flaky import log, one_after_the_other

import trioflow as tf


@tf.exec_node(id="limit.sleep")
async def sleep(seconds: float = 1.0) -> None:
    await trio.sleep(seconds)


@tf.exec_node(id="limit.fail")
async def fail(seconds: float = 1.0) -> None:
    await trio.sleep(seconds)
    raise OSError("as told")


def at_once(*nodes, type=sleep, **policy):
    """Nodes that run at once, each with what it sleeps or with its policy, which may say another type."""
    with tf.build() as g:
        start, fork = g.add(tf.nodes.Start), g.add("flow.parallel_8", "fork")
        g.connect(start.then, fork.enter)
        own = [dict(each) if isinstance(each, dict) else {"seconds": each} for each in nodes]
        made = [
            g.add(each.pop("type", type), f"n{place}", seconds=each.pop("seconds", 1.0))
            for place, each in enumerate(own)
        ]
        one_after_the_other(g, fork, made)
        for node, each in zip(made, own, strict=True):
            g.configure(node, policy=tf.Policy(**{**policy, **each}))
    return g.graph


def ends(bench, kind="NodeCompleted"):
    return [(row[0], row[2]) for row in log(bench.log, digits=2) if row[1] == kind]


def test_at_most_so_many(bench):
    """The others wait in turn; nothing is told, for nobody waits long."""
    bench.run(at_once(3, 1, 1, 1, limit=2))
    assert ends(bench) == [(1.0, "n1"), (2.0, "n2"), (3.0, "n0"), (3.0, "n3")]
    assert [row for row in log(bench.log) if not row[1].startswith("Node")] == []


def test_priorities(bench):
    """Who waits comes by priority, then in turn."""
    bench.run(at_once({}, {"priority": "low"}, {}, {"priority": "high"}, {"priority": "critical"}, limit=1))
    assert ends(bench) == [(1.0, "n0"), (2.0, "n4"), (3.0, "n3"), (4.0, "n2"), (5.0, "n1")]


def test_keys(bench):
    """Nodes of a type share a limit, or those with a key."""
    bench.run(at_once({"limit": 1}, {"limit": 1}, {"limit": tf.LimitPolicy(1, key="own")}))
    assert ends(bench) == [(1.0, "n0"), (1.0, "n2"), (2.0, "n1")]


def test_who_gives_up(bench):
    """After patience it is told who holds the place, after `wait` the call fails."""
    graph = at_once(9, 1, limit=tf.LimitPolicy(1, wait="5s"), patience="2s", skip=True)
    bench.run(graph)
    what = "one of 1 places of limit.sleep"
    assert [row for row in log(bench.log, digits=2) if row[1] in ("Starving", "ResourceExhausted")] == [
        (2.0, "Starving", "n1", "0.1.1.1", what, 2.0, ("0.1.0.1",)),
        (5.0, "ResourceExhausted", "n1", "0.1.1.1", what, 5.0),
    ]
    (error,) = [each.error for each in bench.log if isinstance(each, tf.events.NodeSkipped)]
    assert str(error) == (
        "Node 'n1' has waited 5 s for one of 1 places of limit.sleep, which is as long as it may. It is held by the "
        "activations 0.1.0.1. Raise `wait`, or allow more at once."
    )
    bench.run(at_once(1, 1, limit=tf.LimitPolicy(1, wait="5s"), patience="9s"))
    assert ends(bench) == [(1.0, "n0"), (2.0, "n1")]


class Nest(tf.Node, id="limit.nest"):
    """Triggers below itself."""

    enter = tf.ExecIn()
    seconds = tf.DataIn(float, default=1.0)
    body = tf.ExecOut()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await trio.sleep(await ctx.get_input(self.seconds))
        await ctx.trigger(self.body)
        return self.then


def nested(outer, inner):
    """Two nodes at once, each with another one below; policies of the outer and of the inner ones."""
    with tf.build() as g:
        start, fork = g.add(tf.nodes.Start), g.add("flow.parallel", "fork")
        g.connect(start.then, fork.enter)
        aboves = [g.add(Nest, f"{name} above") for name in "ab"]
        one_after_the_other(g, fork, aboves)
        for above, name, policies in zip(aboves, "ab", zip(outer, inner, strict=True), strict=True):
            below = g.add(Nest, f"{name} below")
            g.connect(above.body, below.enter)
            for node, policy in zip((above, below), policies, strict=True):
                g.configure(node, policy=tf.Policy(**policy))
    return g.graph


def test_a_place_is_for_all_below(bench):
    """What an activation triggers needs no place of its own, so that one node can call itself."""
    bench.run(nested([{"limit": 1}] * 2, [{"limit": 1}] * 2))
    assert [(row[0], row[2]) for row in log(bench.log, digits=2) if row[1] == "NodeCompleted" and "below" in row[2]] == [
        (2.0, "a below"), (4.0, "b below"),
    ]  # fmt: skip


def test_two_that_wait_for_each_other(bench):
    """The one that closes the circle fails, and names who holds what it waits for."""
    one, two = {"limit": tf.LimitPolicy(1, key="one")}, {"limit": tf.LimitPolicy(1, key="two")}
    error = bench.fails(tf.Deadlock, nested([one, two], [two, one]))
    assert (str(error), error.holders) == (
        "Node 'b below' (activation 0.1.1.1.0) would wait for ever for one of 1 places of one: the activations that "
        "hold it, 0.1.0.1, wait themselves for what this one holds. Allow more at once, or don't need one limit within "
        "another.",
        ("0.1.0.1",),
    )
    assert [row[0] for row in log(bench.log, digits=2) if row[1] == "NodeFailed"][0] == 1.0
    bench.run(nested([one, two], [two, one | {"skip": True}]))  # the other one goes on


def test_quotas(bench):
    """All or nothing: nobody holds the one while waiting for the other."""
    state = tf.PolicyState(quota={"gpu": 1, "disk": 2})
    both, gpu, disk = {"quota": {"gpu": 1, "disk": 1}}, {"quota": {"gpu": 1}}, {"quota": {"disk": 1}}
    bench.run(at_once(both, both, gpu, disk, disk), services={tf.PolicyState: state})
    assert sorted(ends(bench)) == [(1.0, "n0"), (2.0, "n1"), (2.0, "n3"), (3.0, "n2"), (3.0, "n4")]
    assert state.leases.free == {"quota gpu": 1, "quota disk": 2}


def test_a_quota_below_a_quota(bench):
    """A node below leases its own in addition; where there can never be enough, it fails."""
    state = tf.PolicyState(quota={"gpu": 3})
    graph = nested([{"quota": {"gpu": 1}}] * 2, [{"quota": {"gpu": 1}}] * 2)
    bench.run(graph, services={tf.PolicyState: state})
    with_less = tf.PolicyState(quota={"gpu": 2})
    error = bench.fails(tf.Deadlock, graph, services={tf.PolicyState: with_less})
    assert error.holders == ("0.1.0.1", "0.1.1.1")
    assert with_less.leases.free == {"quota gpu": 2}


def test_quotas_that_can_never_be_met(bench):
    """They are refused before the run."""
    state = tf.PolicyState(quota={"gpu": 1})
    error = bench.fails(tf.MiddlewareError, at_once({"quota": {"gpu": 2}}), services={tf.PolicyState: state})
    assert str(error) == (
        "Node 'n0': A quota of 2 of gpu can never be met: there are 1 of 'gpu'. Give the run more: "
        "services={trioflow.PolicyState: trioflow.PolicyState(quota={'gpu': 2})}."
    )
    assert bench.log.events == []
    error = bench.fails(tf.MiddlewareError, at_once({"quota": {"gpu": 2}}))
    assert "the host has none of 'gpu'" in str(error)
    with pytest.raises(ValueError, match="quota 'gpu': expected a whole number of at least 1, got 0"):
        tf.PolicyState(quota={"gpu": 0})


def test_throttling(bench):
    """Failures halve what may run at once; what goes well raises it again."""
    limit = tf.LimitPolicy(4, adapt=True)
    nodes = [{"type": fail}] * 4 + [{"limit": tf.LimitPolicy(4, key="limit.fail", adapt=True)}] * 4
    bench.run(at_once(*nodes, limit=limit, skip=True))
    assert [(row[0], row[1], row[4:]) for row in log(bench.log, digits=2) if row[1] == "Throttled"] == [
        (1.0, "Throttled", ("limit.fail", 2)), (2.0, "Throttled", ("limit.fail", 3)),
    ]  # fmt: skip
    assert [row[0] for row in ends(bench)] == [2.0, 2.0, 3.0, 3.0]


async def test_cancelled_while_it_waits(autojump_clock):
    """A wait that is cut off, or a body, gives its place back at once."""
    state = tf.PolicyState(quota={"gpu": 1})
    made = [tf.Limit(1, state=state, key="k", nodes=["n0"]), tf.Quota({"gpu": 1}, state, nodes=["n0"])]
    times = []

    async def caller(place, seconds):
        await trio.sleep(place / 1000)
        with trio.move_on_after(seconds):
            await tf.run(at_once(1), middleware=made)
            times.append((place, round(trio.current_time(), 2)))

    async with trio.open_nursery() as nursery:
        for place, seconds in enumerate((100, 0.5, 1.2, 100)):
            nursery.start_soon(caller, place, seconds)
    assert times == [(0, 1.0), (3, 2.2)]
    assert state.leases.free == {"limit k": 1, "quota gpu": 1}
    assert state.leases.holders(["limit k", "quota gpu"]) == []
    assert [repr(each) for each in made] == ["Limit(1)", "Quota(1 of gpu)"]


def test_a_limiter_of_the_host(bench):
    """What names it shares it, of whatever type."""
    state = tf.PolicyState(limiters={"api": tf.Limiter(1)})
    bench.run(at_once(1, {"type": Nest}, limiter="api"), services={"state": state})
    assert ends(bench) == [(1.0, "n0"), (2.0, "n1")]
