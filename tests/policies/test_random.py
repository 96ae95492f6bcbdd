"""Random policies on random graphs, cancelled anywhere: no hang, and nothing is left behind (P1 to P8)."""

from __future__ import annotations

import random
import sys
from collections import Counter

import attrs
import pytest
import trio
import trio.testing
from policies.flaky import EventLog

import trioflow as tf

CASES = 150


@tf.exec_node(id="chance.act")
async def act(ctx: tf.Context, value: object = None) -> None:
    """Fails, sleeps, or does nothing, by chance that its path decides."""
    chance = ctx.random.random()
    if chance < 0.4:
        await trio.sleep(ctx.random.choice([0, 0.1, 1, 20]))
    if chance < 0.2:
        raise ctx.random.choice([OSError("by chance"), ExceptionGroup("by chance", [ValueError(), OSError()])])


class Acts(tf.Node, id="chance.below"):
    """Acts, with something below it."""

    enter = tf.ExecIn()
    body = tf.ExecOut()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await ctx.trigger(self.body)
        await act.__wrapped__(ctx)
        return self.then


@tf.data_node(id="chance.value")
async def value(ctx: tf.DataContext, x: int = 0) -> int:
    chance = ctx.random.random()
    await trio.sleep(0.5 if chance < 0.5 else 0)
    if chance < 0.2:
        raise OSError("no value")
    return x


def random_policy(chance, *, data=False):
    """Any of all that a policy may say."""

    def maybe(make):
        return make() if chance.random() < 0.35 else None

    pick = chance.choice
    said = {
        "timeout": maybe(lambda: pick([0.5, 5, 100])),
        "attempt_timeout": maybe(lambda: pick([0.1, 0.5])),
        "retry": maybe(lambda: tf.RetryPolicy(pick([2, 4]), pick(["none", "fixed", "linear", "exponential"]), pick([0, 0.1, 1]), budget=pick([None, 3]), clean=pick([False, True]))),
        "breaker": maybe(lambda: tf.BreakerPolicy(pick([None, "k"]), calls=pick([1, 3]), window=pick([1, 10]), open=pick([0, 1, 5]), probes=pick([1, 2]))),
        "rate": maybe(lambda: tf.RatePolicy(pick(["1/s", "20/s"]), pick([2, 3]), pick([None, "k"]), wait=pick([None, 2]))),
        "limit": maybe(lambda: tf.LimitPolicy(pick([1, 2]), pick([None, 1]), pick([None, "k", "l"]), pick([False, True]))),
        "limiter": maybe(lambda: "api"),
        "quota": maybe(lambda: {pick("ab"): 1}) or {},
        "patience": maybe(lambda: pick([0, 1])),
        "priority": maybe(lambda: pick(["low", "normal", "high", "critical"])),
    }  # fmt: skip
    if not data:
        said |= {
            "skip": maybe(lambda: True),
            "quarantine": maybe(lambda: 2),
            "fallback": maybe(lambda: pick([tf.FallbackPolicy(exit="then"), "instead"])),
        }
    return tf.Policy(**said)


def random_graph(seed):
    """Concurrent chains of nodes that act, some with others below them, some that ask for values."""
    chance = random.Random(seed)
    with tf.build() as g:
        start, fork = g.add(tf.nodes.Start), g.add("flow.parallel", "fork")
        g.add(act, "instead")
        g.connect(start.then, fork.enter)
        for way in "abcd"[: chance.randint(1, 4)]:
            before = fork[way]
            for _ in range(chance.randint(1, 3)):
                if chance.random() < 0.4:
                    node = g.add(Acts)
                    g.connect(node.body, g.add(act).enter)
                else:
                    node = g.add(act, value=g.add(value, x=chance.randint(0, 9)).result)
                g.connect(before, node.enter)
                before = node.then
    return with_policies(g.graph, chance)


def random_workflow(seed):
    """Layers of nodes that act at once, joined in some way, each of which may be done instead, or be undone."""
    chance = random.Random(seed)
    with tf.workflow(on_error=chance.choice(["fail", "collect"])) as w:
        w.add(act, "instead")
        w.add(act, "back")
        layer = [w.add(tf.nodes.Start)]
        for _ in range(chance.randint(1, 4)):
            above = []
            for _ in range(chance.randint(1, 3)):
                settings = {"undo": "back"} if chance.random() < 0.3 else {}
                settings["join"] = chance.choice(["all", "each", "first"])
                node = w.add(act, value=w.add(value, x=chance.randint(0, 9)).result, **settings)
                for each in chance.sample(layer, chance.randint(1, len(layer))):
                    w.connect(each, node, on="ended")
                above.append(node)
            layer = above
    return with_policies(w.graph, chance)


def with_policies(graph, chance):
    """The same graph, with any policy at most of its nodes. A limit at a node of a workflow is not a policy (W16)."""
    nodes = []
    for each in graph.nodes:
        if each.type.startswith("chance") and each.id not in ("instead", "back") and chance.random() < 0.8:
            policy = random_policy(chance, data=each.type == "chance.value")
            if graph.kind == "workflow":
                policy = attrs.evolve(policy, limit=None)
            each = attrs.evolve(each, policy=policy)
        nodes.append(each)
    return attrs.evolve(graph, nodes=nodes)


async def run_one(graph, seed, cancel_after):
    state = tf.PolicyState(quota={"a": 1, "b": 1}, limiters={"api": tf.Limiter(2, "9/s")})
    told = EventLog()
    ended = "completed"
    with trio.move_on_after(cancel_after) as scope:
        try:
            await tf.run(graph, observers=[told], services={tf.PolicyState: state}, options=tf.RunOptions(seed=seed))
        except Exception as error:
            ended = type(error).__name__
    if scope.cancelled_caught:
        ended = "cancelled"
    assert told.open() == []
    leases = state.leases
    assert leases.free == leases.capacities
    assert leases._holders == {}
    assert not any(leases._lines.values())
    assert not any(leases._held.values())
    assert not any(each.line for each in state._turnstiles.values())
    assert not any(each.probing for each in state._circuits.values())
    return ended, told


async def run_all(make, seeds):
    """Each run to its end, and again cut off at a moment of its own. How many ended in which way."""
    found = Counter()
    for seed in seeds:
        graph = make(seed)
        with trio.fail_after(10_000):
            ended, told = await run_one(graph, seed, float("inf"))
            moments = sorted({event.time for event in told})
            found[ended] += 1
            moment = moments[seed % len(moments)]
            await run_one(graph, seed, moment + (seed % 3) * 0.05)
    return found


def campaign(make, seeds):
    return trio.run(run_all, make, seeds, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.unmeasured
@pytest.mark.parametrize("make", [random_graph, random_workflow])
def test_nothing_hangs_and_nothing_is_left(make):
    """Each run ends, as it will, also where it is cut off; then nobody holds or waits for anything."""
    found = campaign(make, range(CASES))
    assert found["completed"] > CASES / 10, found
    assert sum(found.values()) - found["completed"] > CASES / 10, found


if __name__ == "__main__":  # python -m policies.test_random FIRST CASES
    first, cases = map(int, sys.argv[1:])
    for make in (random_graph, random_workflow):
        print(make.__name__, dict(campaign(make, range(first, first + cases))))
