"""Fallback: another node, values or a way on, in the place of a node that has failed (P5)."""

from __future__ import annotations

import pytest
from policies.flaky import Calls, calling, log

import trioflow as tf


def test_another_node(bench):
    """It is fired below the activation with inputs of the same names and the failure; its outputs become the node's."""
    result = bench.run(
        calling(fallback="stored", retry=tf.RetryPolicy(2, jitter=0)),
        services={"script": [OSError("a"), OSError("b")]},
    )
    assert result.variables["kept"] == "stored 1: OSError: b"
    assert log(bench.log) == [
        (0.0, "NodeStarted", "call", "0.1"),
        (0.0, "RetryScheduled", "call", "0.1", 1, 1.0, "OSError: a"),
        (1.0, "FellBack", "call", "0.1", "stored", "OSError: b"),
        (1.0, "NodeStarted", "stored", "0.1.!0"),
        (1.0, "NodeCompleted", "stored", "0.1.!0"),
        (1.0, "NodeCompleted", "call", "0.1"),
    ]


def test_it_does_not_run_otherwise(bench):
    """A node that takes another's place never starts by itself."""
    assert bench.run(calling(fallback="stored"), services={"script": []}).variables["kept"] == "called"
    assert [row[2] for row in log(bench.log)] == ["call", "call"]


def test_values_and_ways(bench):
    """Values of outputs, and an exec output, do without a node."""
    result = bench.run(calling(fallback=tf.FallbackPolicy(value={"result": [1]})), services={"script": [OSError("a")]})
    assert result.variables["kept"] == [1]
    assert log(bench.log)[1:] == [
        (0.0, "FellBack", "call", "0.1", None, "OSError: a"),
        (0.0, "NodeCompleted", "call", "0.1"),
    ]
    bench.run(calling(Ways, fallback=tf.FallbackPolicy(exit="late")), services={"script": [OSError("a")]})
    assert log(bench.log)[-1][:3] == (0.0, "NodeCompleted", "call")


class Ways(Calls, id="flaky.ways"):
    """Goes on at `late`, and has another way."""

    late = tf.ExecOut()


@pytest.mark.parametrize(
    ("fallback", "goes_on"),
    [("stored", "then"), (tf.FallbackPolicy("stored", exit="late"), "late"), (tf.FallbackPolicy(exit="late"), "late")],
)
def test_where_it_goes_on(bench, fallback, goes_on):
    """Where the fired node goes on, or where the policy says."""
    graph = calling(Ways, fallback=fallback)
    bench.run(graph, services={"script": [OSError("a")]})
    assert [
        each.handed_over for each in bench.log if isinstance(each, tf.events.NodeCompleted) and each.node == "call"
    ] == [goes_on]


def test_when_that_fails_too(bench):
    """What the fired node raises goes on, from the first failure."""

    @tf.exec_node(id="flaky.broken")
    def broken() -> object:
        raise KeyError("nothing there")

    with tf.build() as g:
        g.variable("total", "int", 0)
        start, call = g.add(tf.nodes.Start), g.add(Calls, "call")
        g.add(broken, "broken")
        g.connect(start.then, call.enter)
        g.configure(call, policy=tf.Policy(fallback="broken"))
    first = OSError("a")
    error = bench.fails(KeyError, g.graph, services={"script": [first]})
    assert error.__context__ is first
    skipping = tf.RunOptions(policies={"flaky.*": tf.Policy(skip=True)})
    bench.run(g.graph, services={"script": [first]}, options=skipping)
    assert [(row[1], row[2]) for row in log(bench.log)][-2:] == [("NodeSkipped", "broken"), ("NodeSkipped", "call")]


def test_what_it_gets(bench):
    """The failure itself, if it takes any value; inputs that can't be had are left out."""
    seen = []

    @tf.exec_node(id="flaky.takes")
    def takes(error: object, by: int = 7) -> object:
        seen.append((error, by))
        return None

    def unset() -> int:
        raise ValueError("no value")

    with tf.build() as g:
        g.variable("total", "int", 0)
        start, call = g.add(tf.nodes.Start), g.add(takes, "call", error="x", by=g.add(unset, "unset").result)
        g.connect(start.then, call.enter)
        g.add(takes, "takes", by=3)
        g.configure(call, policy=tf.Policy(fallback="takes"))
    bench.run(g.graph)
    ((error, by),) = seen
    assert (type(error), str(error), by) == (ValueError, "no value", 3)


def test_data_nodes_take_values_only(bench):
    """Whoever asks for a value gets one; nodes are not fired for it."""

    def fails() -> int:
        raise ValueError("no value")

    with tf.build() as g:
        g.variable("kept")
        keep = g.add(tf.nodes.SetVariable, name="kept", value=g.add(fails, "fails").result)
        g.connect(g.add(tf.nodes.Start).then, keep.enter)
    value = {"fails": tf.Policy(fallback=tf.FallbackPolicy(value={"result": 9}))}
    assert bench.run(g.graph, options=tf.RunOptions(policies=value)).variables["kept"] == 9
    node = {"fails": tf.Policy(fallback="keep")}
    bench.fails(ValueError, g.graph, options=tf.RunOptions(policies=node))


def test_alone(bench):
    """As a middleware; what makes no sense is refused when it is made, and what is not there when it is needed."""
    result = bench.run(
        calling(), services={"script": [OSError()]}, middleware=[tf.Fallback(value={"result": 1}, nodes=["call"])]
    )
    assert result.variables["kept"] == 1
    with pytest.raises(ValueError, match="a node or values, not both"):
        tf.Fallback("a", value={})
    with pytest.raises(ValueError, match="say what is to be done instead"):
        tf.Fallback()
    assert [repr(tf.Fallback("a")), repr(tf.Fallback(exit="b"))] == ["Fallback('a')", "Fallback(a value)"]
    error = bench.fails(
        tf.MiddlewareError,
        calling(),
        services={"script": [OSError()]},
        middleware=[tf.Fallback("nowhere", nodes=["call"])],
    )
    assert "fires 'nowhere', but there is no such node" in str(error)


def test_an_exit_that_is_not_there(bench):
    """A node that goes on where the other one can't says so, and how to cure it."""

    class Other(tf.Node, id="flaky.elsewhere"):
        enter = tf.ExecIn()
        result = tf.DataOut(object)
        elsewhere = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            return self.elsewhere

    with tf.build() as g:
        g.variable("total", "int", 0)
        start, call = g.add(tf.nodes.Start), g.add(Ways, "call")
        g.add(Other, "other")
        g.connect(start.then, call.enter)
    error = bench.fails(
        tf.MiddlewareError, g.graph, services={"script": [OSError()]}, middleware=[tf.Fallback("other", nodes=["call"])]
    )
    assert str(error) == (
        "'other' took the place of 'call' and went on at 'elsewhere', which is not one of then, late. Say where to go on: "
        "fallback: {node: other, exit: ...}."
    )
