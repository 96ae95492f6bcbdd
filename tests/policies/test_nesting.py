"""Policies of graphs, types and runs around their nodes, in their fixed order (P8)."""

from __future__ import annotations

import pytest
from policies.flaky import Calls, calling, log
from support import STANDARD

import trioflow as tf
from trioflow.policies.nesting import Policies
from trioflow.runtime.host.given import Given


def test_what_nobody_has_said_costs_nothing():
    """Nodes without a policy have nothing around them, whatever others have; nor has a run without any."""
    graph = calling(retry=2)
    plan = tf.make_plan(graph, STANDARD)
    made = Policies(plan, Given())
    around = {node.id: [repr(each) for each in made.around(plan, node, node.id)] for node in plan.nodes}
    assert around == {"start": [], "call": ["Retry(2)"], "keep": []}
    assert plan.policed
    assert not tf.make_plan(calling(), STANDARD).policed


def test_the_fixed_order():
    """From the outermost to the innermost, whatever the order in which they are said."""
    graph = calling(
        attempt_timeout=1, limit=3, quota={"gpu": 1}, limiter="api", rate="5/s", breaker=0.5, retry=2, timeout=9,
        fallback="stored", skip=True, quarantine=4, patience=1, priority="low",
    )  # fmt: skip
    plan = tf.make_plan(graph, STANDARD)
    call = plan.node("call")
    assert call is not None
    state = tf.PolicyState(quota={"gpu": 1}, limiters={"api": tf.Limiter(6, "7/s")})
    made = Policies(plan, Given(services={tf.PolicyState: state}))
    assert made.state is state
    assert [repr(each) for each in made.around(plan, call, "call")] == [
        "Quarantine(4)", "SkipOnError()", "Fallback('stored')", "TimeLimit(9)", "Retry(2)", "Breaker(flaky.calls)",
        "Rate(5/s)", "Rate(7/s)", "Limit(6)", "Quota(1 of gpu)", "Limit(3)", "TimeLimit(1)",
    ]  # fmt: skip
    assert Policies(plan, Given(services={"any": state})).state is state


def test_what_the_host_gives_is_inside(bench):
    """Middlewares of the host are around the body, inside of what policies put around it."""
    seen = []

    class Sees(tf.Middleware):
        nodes = ("call",)

        async def __call__(self, invocation):
            seen.append(str(invocation.address))
            return await invocation()

    bench.run(calling(retry=2), services={"script": [OSError()]}, middleware=[Sees()])
    assert seen == ["call at 0.1", "call at 0.1.~2"]


def test_policies_of_a_run(bench):
    """A run says them by names, also in graphs that are called, and by patterns, which reach all graphs."""
    with tf.build() as called:
        called.variable("total", "int", 0)
        node = called.add(Calls, "call")
        called.connect(called.declare_entry("enter"), node.enter)
    with tf.build() as g:
        kind = tf.graph_node(called.graph, id="flaky.called")
        start, one, two = g.add(tf.nodes.Start), g.add(kind, "one"), g.add(kind, "two")
        g.connect(start.then, one.enter)
        g.connect(start.then, two.enter)
    steady = tf.RetryPolicy(backoff="none")
    named = tf.RunOptions(policies={"two/call": tf.Policy(retry=steady)})
    bench.fails(OSError, g.graph, services={"script": [OSError("first")]}, options=named)
    bench.run(g.graph, services={"script": [None, OSError("second")]}, options=named)
    assert [row[2] for row in log(bench.log) if row[1] == "RetryScheduled"] == ["two/call"]
    everywhere = tf.RunOptions(policies={"flaky.*": tf.Policy(retry=steady)})
    bench.run(g.graph, services={"script": [OSError("1"), None, OSError("2")]}, options=everywhere)
    assert [row[2] for row in log(bench.log) if row[1] == "RetryScheduled"] == ["one/call", "two/call"]


def test_names_that_are_not_there(bench):
    """They are refused before the run."""
    error = bench.fails(tf.UnknownName, calling(), options=tf.RunOptions(policies={"cal": tf.Policy(retry=2)}))
    assert str(error).startswith("RunOptions.policies: there is no node 'cal'. Did you mean 'call'?")


def test_graphs_that_are_called(bench):
    """A graph that is called has its own policies, and only what it calls may have any."""
    with tf.build() as called:
        called.variable("total", "int", 0)
        node = called.add(Calls, "call")
        called.connect(called.declare_entry("enter"), node.enter)
        called.policy("flaky.*", tf.Policy(retry=tf.RetryPolicy(backoff="none")))
    with tf.build() as g:
        start, one = g.add(tf.nodes.Start), g.add(tf.graph_node(called.graph, id="flaky.called"), "one")
        g.connect(start.then, one.enter)
    assert tf.make_plan(g.graph, STANDARD).policed
    bench.run(g.graph, services={"script": [OSError("first")]})
    assert [row[2] for row in log(bench.log) if row[1] == "RetryScheduled"] == ["one/call"]


def test_from_a_document(bench):
    """The same from a document, by the ids of node types."""
    text = tf.dumps(calling(retry=tf.RetryPolicy(backoff="fixed", delay="2s", jitter=0), timeout="5s"))
    registry = tf.Registry.standard(plugins=False)
    registry.add(Calls)
    bench.run(tf.loads(text), registry=registry, services={"script": [OSError("a"), OSError("b")]})
    assert [(row[0], row[1]) for row in log(bench.log)][1:3] == [(0.0, "RetryScheduled"), (2.0, "RetryScheduled")]


async def test_it_stands_for_others():
    """It is never around a node itself."""
    plan = tf.make_plan(calling(retry=2), STANDARD)
    with pytest.raises(AssertionError, match="it stands for others"):
        await Policies(plan, Given())(None)
