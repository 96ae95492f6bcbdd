"""Failures and time limits, on a virtual clock."""

from __future__ import annotations

import pytest
import trio
from support import Fail, Note, Wait, chain

import trioflow as tf
from trioflow.nodes.guard import NodeRaised
from trioflow.testing import fire


def failing(times, error=ValueError):
    """A function that fails so often, and tells when it was called."""
    called = []

    def call():
        called.append(trio.current_time())
        if len(called) <= times:
            raise error(f"no {len(called)}")

    return call, called


def since_first(times):
    return [time - times[0] for time in times]


def outputs(fired):
    return [output for output, _ in fired]


def around(node_type, output, body, *ways, **inputs):
    """start -> node -> body at one output, with notes at other ways."""
    with tf.build() as g:
        node = g.add(node_type, "node", **inputs)
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(node[output], body(g).enter)
        for way in ways:
            g.connect(node[way], g.add(Note, way, value=way).enter)
    return g.graph


def test_retry_until_it_does_not_fail():
    """The number of each attempt is known; waits grow by the factor, up to the longest."""
    call, called = failing(4)
    fired = fire("flow.retry", attempts=9, delay=1.0, factor=3.0, longest=5.0, body=call)
    assert fired == [("body", {"attempt": number}) for number in (1, 2, 3, 4, 5)] + [("done", {})]
    assert since_first(called) == [0, 1, 4, 9, 14]


def test_retry_in_vain():
    """The last failure is given, or goes on if `failed` leads nowhere, as it is and after no more waiting."""
    call, called = failing(9)
    fired = fire("flow.retry", attempts=2, body=call)
    assert (outputs(fired), fired[-1][1]["message"]) == (["body", "body", "failed"], "no 2")
    assert type(fired[-1][1]["error"]) is ValueError
    assert since_first(called) == [0, 1]


def test_retry_without_a_way_for_failures(bench):
    graph = around("flow.retry", "body", lambda g: g.add(Fail), "done", attempts=2)
    assert str(bench.fails(ValueError, graph)) == "boom"
    assert (bench.notes, bench.log.rows("failed", time=True)[0]) == ([], (0.0, "failed", "fail", "0.1.0"))


@pytest.mark.parametrize(("inputs", "message"), [
    ({"attempts": 0}, "flow.retry needs 1 or more, got 0."),
    ({"delay": -1.0}, "flow.retry needs 0 delay or more, got -1.0."),
    ({"factor": float("nan")}, "flow.retry needs 0 factor or more, got nan."),
    ({"longest": -0.5}, "flow.retry needs 0 longest or more, got -0.5."),
])  # fmt: skip
def test_retry_needs_numbers_that_make_sense(inputs, message):
    with pytest.raises(ValueError) as caught:
        fire("flow.retry", **inputs)
    assert str(caught.value) == message


def test_retry_for_a_very_long_time():
    """A wait that has grown beyond what a number can hold stays at the longest."""
    call, called = failing(1100)
    fire("flow.retry", attempts=1101, delay=1.0, factor=2.0, longest=float("1e300"), body=call)
    assert len(called) == 1101


def test_retry_is_cancelled_while_it_waits(bench):
    graph = around("flow.retry", "body", lambda g: g.add(Fail), delay=50.0)
    bench.fails(tf.LimitExceeded, graph, options=tf.RunOptions(timeout=10))
    assert bench.log.rows("cancelled", time=True) == [(10.0, "cancelled", "node", "0.1")]


def test_timeout_cancels_its_body_alone(bench):
    """What takes too long is cancelled; what it wrote stays; the run goes on."""
    with tf.build() as g:
        g.variable("n", "int", 0)
        node, first = g.add("flow.timeout", "node", seconds=2.0), g.add("variable.set", name="n", value=1)
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(node.body, first.enter)
        g.connect(first.then, g.add(Wait, "w", seconds=9.0).enter)
        g.connect(node.timed_out, g.add(Note, "late", value="late").enter)
        g.connect(node.done, g.add(Note, "done", value="done").enter)
    result = bench.run(g.graph)
    assert (bench.notes, result.variables, result.statistics.elapsed) == (["end of w", "late"], {"n": 1}, 2.0)


def test_timeout_in_time(bench):
    graph = around("flow.timeout", "body", lambda g: g.add(Wait, "w", seconds=1.0), "done", "timed_out", seconds=2.0)
    bench.run(graph)
    assert bench.notes == ["end of w", "done"]


def test_timeout_without_a_way_on(bench):
    """Taking too long is a failure if `timed_out` leads nowhere, which a try can catch."""
    error = bench.fails(TimeoutError, around("flow.timeout", "body", lambda g: g.add(Wait), seconds=0.5))
    assert str(error) == "flow.timeout: the body took longer than 0.5 s."


def test_timeout_does_not_take_a_failure_for_its_own(bench):
    """A failure of the body is itself, also a TimeoutError."""

    class TooLate(tf.Node):
        enter = tf.ExecIn()

        async def execute(self, ctx):
            raise TimeoutError("mine")

    error = bench.fails(
        TimeoutError, around("flow.timeout", "body", lambda g: g.add(TooLate), "timed_out", seconds=9.0)
    )
    assert (str(error), bench.notes) == ("mine", [])


def test_time_limits_inside_each_other(bench):
    """The inner limit ends what is inside it, the outer one both."""

    def inner(g):
        node = g.add("flow.timeout", "inner", seconds=1.0)
        wait, again = g.add(Wait, "short", seconds=9.0), g.add(Wait, "long", seconds=9.0)
        g.connect(node.body, wait.enter)
        g.connect(node.timed_out, again.enter)
        return node

    result = bench.run(around("flow.timeout", "body", inner, "timed_out", seconds=3.0))
    assert (bench.notes, result.statistics.elapsed) == (["end of short", "end of long", "timed_out"], 3.0)


def test_shield_finishes_what_it_began(bench):
    """A cancelled run lets the body end, within the time limit; after it nothing more is done."""
    graph = around("flow.shield", "body", lambda g: g.add(Wait, "w", seconds=4.0), "done", seconds=9.0)
    bench.fails(tf.LimitExceeded, graph, options=tf.RunOptions(timeout=1))
    assert bench.notes == ["end of w"]
    assert bench.log.rows("completed", "cancelled", time=True)[1:] == [
        (4.0, "completed", "w", "0.1.0"), (4.0, "completed", "node", "0.1")
    ]  # fmt: skip


def test_shield_holds_up_nothing_for_ever(bench):
    """A body that takes longer than the limit is cancelled: a failure, unless all was cancelled anyway."""
    graph = around("flow.shield", "body", lambda g: g.add(Wait, "w", seconds=99.0), "done", seconds=3.0)
    assert str(bench.fails(TimeoutError, graph)) == "flow.shield: the body took longer than 3 s."
    bench.fails(tf.LimitExceeded, graph, options=tf.RunOptions(timeout=1))
    assert bench.log.rows("cancelled", time=True)[-1] == (3.0, "cancelled", "node", "0.1")
    for seconds in float("inf"), float("nan"), -1.0:
        with pytest.raises(ValueError, match="flow.shield needs"):
            fire("flow.shield", seconds=seconds)


def test_fallback_takes_the_first_that_does_not_fail():
    """Ways that lead nowhere do not count; the one that was taken is told."""
    fired = fire("flow.fallback", first="flow.raise", second=lambda: 1 / 0)
    assert (outputs(fired), fired[-1]) == (["first", "second", "third", "done"], ("done", {"taken": "third"}))


def test_fallback_when_all_fail(bench):
    """One failure is raised as it is, several as a group; with no way at all it goes on."""
    error = bench.fails(ValueError, around("flow.fallback", "second", lambda g: g.add(Fail), "done"))
    assert (str(error), bench.notes) == ("boom", [])
    with tf.build() as g:
        node = g.add("flow.fallback")
        g.connect(g.add("flow.start").then, node.enter)
        for way in "first", "fourth":
            g.connect(node[way], g.add(Fail, way).enter)
    group = bench.fails(ExceptionGroup, g.graph)
    assert [type(each) for each in group.exceptions] == [ValueError, ValueError]
    with tf.build() as g:
        chain(g, g.add("flow.start"), g.add("flow.fallback"))
    bench.run(g.graph)


def test_raising_again(bench):
    """What was caught is raised again as it is; what is not an exception is an error."""
    with tf.build() as g:
        node, note = g.add("flow.try", "try"), g.add(Note, value="seen")
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(node.body, g.add(Fail, "fail").enter)
        g.connect(node.catch, note.enter)
        g.connect(note.then, g.add("flow.raise_again", error=node.error).enter)
    error = bench.fails(ValueError, g.graph)
    assert (str(error), bench.notes, error.__notes__[0]) == (
        "boom",
        ["seen"],
        "in node 'fail' (test.fail), activation 0.1.0",
    )
    with pytest.raises(TypeError, match="flow.raise_again needs an exception, got 'x'."):
        fire("flow.raise_again", error="x")


def test_a_failure_in_cleanup_or_catch(bench):
    """It goes on; the failure that was there before is its context."""
    with tf.build() as g:
        node = g.add("flow.try", "try")
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(node.body, g.add(Fail, "fail").enter)
        g.connect(node.catch, g.add("flow.raise", message="in catch").enter)
        g.connect(node.cleanup, g.add(Note, value="cleanup").enter)
    error = bench.fails(NodeRaised, g.graph)
    assert (str(error), str(error.__context__), bench.notes) == ("in catch", "boom", ["cleanup"])


def test_describing_errors():
    """Class, text and where it arose; what is not an exception is an error."""
    from trioflow.nodes.guard import describe_error

    error = KeyError("lost")
    error.add_note("in node 'x'")
    assert describe_error(error) == ("KeyError", "'lost'", ["in node 'x'"])
    with pytest.raises(TypeError, match="flow.describe_error needs an exception, got None."):
        describe_error(None)
