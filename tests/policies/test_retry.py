"""Retry: when, how often and after how long a body that fails is run again (P1)."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from policies.flaky import Calls, calling, log

import trioflow as tf
from trioflow.nodes.http import HttpFailed
from trioflow.policies.machines.backoff import RetryBudget, delay_after

BUSY = HttpFailed("http.get", "http://x", 429, "Too Many Requests", 7.0)


def run(bench, script, expect=None, graph=None, options=None, **retry):
    """Run with this script and this policy; the log of policies and nodes."""
    graph = graph or calling(retry=tf.RetryPolicy(**{"jitter": 0, **retry}))
    arguments = {"services": {"script": [*script]}, "options": options}
    if expect is None:
        bench.run(graph, **arguments)
    else:
        bench.fails(expect, graph, **arguments)
    return log(bench.log)


def test_until_it_goes_well(bench):
    """Delays grow; each failure is told with the attempt and the delay; the activation starts and ends once."""
    assert run(bench, [OSError("a"), OSError("b")]) == [
        (0.0, "NodeStarted", "call", "0.1"),
        (0.0, "RetryScheduled", "call", "0.1", 1, 1.0, "OSError: a"),
        (1.0, "RetryScheduled", "call", "0.1", 2, 2.0, "OSError: b"),
        (3.0, "NodeCompleted", "call", "0.1"),
    ]


def test_the_last_failure_goes_on(bench):
    """After the last attempt its failure goes on as it is."""
    assert run(bench, [OSError("a"), OSError("b"), OSError("c")], OSError, attempts=2) == [
        (0.0, "NodeStarted", "call", "0.1"),
        (0.0, "RetryScheduled", "call", "0.1", 1, 1.0, "OSError: a"),
        (1.0, "NodeFailed", "call", "0.1"),
    ]


@pytest.mark.parametrize(
    ("backoff", "delays"),
    [
        ({"backoff": "none"}, [0, 0, 0]),
        ({"backoff": "fixed", "delay": 3}, [3, 3, 3]),
        ({"backoff": "linear", "delay": 3}, [3, 6, 9]),
        ({"backoff": "exponential", "delay": 3}, [3, 6, 12]),
        ({"factor": 10, "max_delay": 20}, [1, 10, 20]),
    ],
)
def test_strategies(bench, backoff, delays):
    """None, fixed, linear, exponential, at most max_delay."""
    rows = run(bench, [OSError()] * 3, attempts=4, **backoff)
    assert [row[5] for row in rows if row[1] == "RetryScheduled"] == delays


def test_jitter_is_the_same_under_every_schedule(bench):
    """Delays vary by a quarter, by what path and attempt say, and not by what bodies draw or who else runs."""
    rows = run(bench, [OSError()] * 2, jitter=0.25)
    delays = [row[5] for row in rows if row[1] == "RetryScheduled"]
    assert delays == [1.1168132917051894, 2.2695973693755818]
    again = run(bench, [OSError()] * 2, jitter=0.25)
    assert [row[5] for row in again if row[1] == "RetryScheduled"] == delays
    other = run(bench, [OSError()] * 2, jitter=0.25, options=tf.RunOptions(seed=1))
    assert [row[5] for row in other if row[1] == "RetryScheduled"] != delays


@given(
    st.builds(
        tf.RetryPolicy,
        backoff=st.sampled_from(["none", "fixed", "linear", "exponential"]),
        delay=st.floats(0, 1e6), max_delay=st.floats(0, 1e6), factor=st.floats(1, 1e9), jitter=st.floats(0, 1),
    ),
    st.integers(1, 10_000), st.floats(0, 1),
)  # fmt: skip
def test_delays_are_bounded(policy, attempt, chance):
    """Whatever is said, a delay is from 0 to max_delay, give or take the jitter."""
    assert 0 <= delay_after(policy, attempt, chance) <= policy.max_delay * (1 + policy.jitter) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("condition", "error", "again"),
    [
        ({"on": OSError}, ConnectionError("x"), True),
        ({"on": "OSError"}, ValueError("x"), False),
        ({"on": "http.4xx"}, HttpFailed("n", "u", 404, "x"), True),
        ({"on": "http.5xx"}, HttpFailed("n", "u", 404, "x"), False),
        ({"not_on": [ValueError]}, ValueError("x"), False),
        ({"on": Exception, "not_on": [ValueError]}, UnicodeError("x"), False),
        ({"on": OSError}, ExceptionGroup("g", [OSError(), ConnectionError()]), True),
        ({"on": OSError}, ExceptionGroup("g", [OSError(), ValueError()]), False),
        ({"not_on": ValueError}, ExceptionGroup("g", [OSError(), ValueError()]), False),
        ({}, ExceptionGroup("g", [OSError(), ValueError()]), True),
        ({}, tf.CircuitOpen("x", key="k", retry_after=1), False),
        ({"on": tf.CircuitOpen}, tf.CircuitOpen("x", key="k", retry_after=1), True),
    ],
    ids=str,
)
def test_which_errors(bench, condition, error, again):
    """By classes, names and codes; of a group each must be one; an open breaker only if it is named."""
    rows = run(bench, [error], None if again else type(error), **condition)
    assert [row[1] for row in rows] == [
        "NodeStarted",
        *(["RetryScheduled", "NodeCompleted"] if again else ["NodeFailed"]),
    ]


def test_what_is_no_exception_passes(bench):
    """A cancellation is never a failure, and what is no Exception is never tried again."""
    assert run(bench, [KeyboardInterrupt()], KeyboardInterrupt)[-1][1] == "NodeFailed"
    with pytest.raises(tf.LimitExceeded):
        bench.run(calling(retry=9), services={"script": [100]}, options=tf.RunOptions(timeout=5))
    assert log(bench.log)[-1][:2] == (5.0, "NodeCancelled")


def test_a_server_that_says_when(bench):
    """Where an error says how long to wait, it is that at least; if that is too long, there is no other attempt."""
    assert [row[5] for row in run(bench, [BUSY, BUSY]) if row[1] == "RetryScheduled"] == [7.0, 7.0]
    assert [row[5] for row in run(bench, [BUSY], delay=9) if row[1] == "RetryScheduled"] == [9.0]
    assert [row[1] for row in run(bench, [BUSY], HttpFailed, max_delay=6)] == ["NodeStarted", "NodeFailed"]


def test_a_budget_is_shared_by_whom_it_is_for(bench):
    """All nodes that have a retry from one place share its budget, which is that of a run."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start, both = g.add(tf.nodes.Start), [g.add(Calls, name) for name in "ab"]
        for node in both:
            g.connect(start.then, node.enter)
        g.policy("flaky.*", tf.Policy(retry=tf.RetryPolicy(budget=3, jitter=0, backoff="none", attempts=9)))
    script = [OSError("1"), OSError("2"), None, OSError("3"), OSError("4")]
    for _ in range(2):
        error = bench.fails(OSError, g.graph, services={"script": [*script]})
        assert str(error) == "4"
        assert [(row[2], row[4]) for row in log(bench.log) if row[1] == "RetryScheduled"] == [
            ("a", 1),
            ("a", 2),
            ("b", 1),
        ]


def test_budgets():
    """So many, or any number."""
    budget = RetryBudget(2)
    assert [budget.take() for _ in range(4)] == [True, True, False, False]
    assert RetryBudget(None, 99).take()


@pytest.mark.parametrize(("clean", "total"), [(False, 3), (True, 1)])
def test_clean_attempts(bench, clean, total):
    """What a failed attempt wrote stays, unless attempts are clean (A3)."""
    graph = calling(retry=tf.RetryPolicy(clean=clean))
    assert bench.run(graph, services={"script": [OSError()] * 2}).variables["total"] == total


def test_clean_attempts_of_a_node_that_leads_out(bench):
    """They are refused before the run (A3)."""
    with tf.build() as inner:
        inner.event("told", shared=True)
        publish = inner.add(tf.nodes.Publish, "publish", event="told")
        inner.connect(inner.declare_entry("enter"), publish.enter)
        inner.configure(publish, policy=tf.Policy(retry=tf.RetryPolicy(clean=True)))
    with tf.build() as g:
        g.event("told")
        g.connect(g.add(tf.nodes.Start).then, g.add(tf.graph_node(inner.graph, id="flaky.called"), "call").enter)
    error = bench.fails(tf.MiddlewareError, g.graph)
    assert str(error).startswith("Retry(3) isolates the attempts of node 'call/publish', but 'publish' may publish")


def test_data_nodes(bench):
    """An evaluation is tried again as well; the sum is of what it gives in the end."""
    script = [OSError("x"), OSError("y")]

    @tf.data_node(policy=tf.Policy(retry=tf.RetryPolicy(jitter=0)))
    def reading() -> int:
        if script:
            raise script.pop()
        return 5

    with tf.build() as g:
        g.variable("kept")
        keep = g.add(tf.nodes.SetVariable, name="kept", value=g.add(reading, "reading").result)
        g.connect(g.add(tf.nodes.Start).then, keep.enter)
    result = bench.run(g.graph)
    assert (result.variables["kept"], result.statistics.elapsed) == (5, 3.0)


def test_alone(bench):
    """As a middleware it does the same without any policy, for all nodes that it is told."""
    bench.run(
        calling(),
        services={"script": [OSError("a")]},
        middleware=[tf.Retry(backoff="fixed", delay="2s", nodes=["call"])],
    )
    assert [row[1] for row in log(bench.log)] == ["NodeStarted", "RetryScheduled", "NodeCompleted"]
    budget = tf.Retry(budget=1, jitter=0)
    bench.run(calling(), services={"script": [OSError("a")]}, middleware=[budget])
    bench.fails(OSError, calling(), services={"script": [OSError("a")]}, middleware=[budget])


async def test_cancelled_while_it_waits(autojump_clock):
    """Between attempts it waits, and a cancellation ends that at once."""
    with trio.move_on_after(0.5) as scope:
        await tf.run(calling(retry=3), services={"script": [OSError()]})
    assert scope.cancelled_caught
    assert trio.current_time() == 0.5
