"""Middleware: what wraps activations and evaluations."""

from __future__ import annotations

import pytest
import trio
from support import Fail, Note, Wait, chain, increment

import trioflow as tf


def test_time_limit(bench):
    """A node that takes longer than its limit is cancelled with all below it, and fails with NodeTimeout."""
    with tf.build() as g:
        start, loop, wait = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, "loop"), g.add(Wait, "w")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, wait.enter)
    error = bench.fails(tf.NodeTimeout, g.graph, middleware=[tf.TimeLimit(2.5, nodes=["loop"])])
    assert str(error) == "Node 'loop' took longer than its time limit of 2.5 s."
    assert bench.notes == ["end of w"] * 3
    assert bench.log.rows("cancelled", "failed", time=True)[0] == (2.5, "cancelled", "w", "0.1.2")
    bench.run(g.graph, middleware=[tf.TimeLimit(100)])
    with pytest.raises(ValueError, match="expected a duration of more than 0, got 0"):
        tf.TimeLimit(0)


def test_time_limit_of_an_evaluation(bench):
    """A data node can have a time limit too."""

    @tf.data_node(id="sleeps")
    async def sleeps() -> int:
        await trio.sleep(10)
        return 1

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(sleeps, "data").result))
    error = bench.fails(tf.NodeTimeout, g.graph, middleware=[tf.TimeLimit(1, nodes=["data"])])
    assert error.__notes__ == ["in node 'data' (sleeps), activation 0.1"]


def test_skip_on_error(bench):
    """A failing activation is skipped: nothing is handed over, the others go on, and the origin is kept (E2)."""
    with tf.build() as g:
        start, sequence = g.add(tf.nodes.Start), g.add(tf.nodes.Sequence, "sequence")
        middle, fail, after = g.add(tf.nodes.Sequence, "middle"), g.add(Fail, "fail"), g.add(Note, value="after")
        g.connect(start.then, sequence.enter)
        g.connect(sequence.first, middle.enter)
        g.connect(middle.first, fail.enter)
        g.connect(sequence.second, after.enter)
    bench.run(g.graph, middleware=[tf.SkipOnError(nodes=["middle"])])
    assert bench.notes == ["after"]
    skipped = [event for event in bench.log if isinstance(event, tf.events.NodeSkipped)]
    assert [(str(e.error), str(e.path), str(e.origin)) for e in skipped] == [("boom", "0.1.0", "0.1.0.0")]
    bench.fails(ValueError, g.graph, middleware=[tf.SkipOnError(errors=KeyError)])


def test_skipping_is_not_for_data_nodes(bench):
    """A data node can't be skipped: whoever asked needs a value."""

    class Skips(tf.Middleware):
        def applies(self, node, node_type):
            return not node_type.is_exec

        async def __call__(self, invocation):
            assert (invocation.kind, invocation.node.id) == ("evaluation", "increment")
            invocation.skip(ValueError("no"))

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(increment, x=1).result))
    assert str(bench.fails(TypeError, g.graph, middleware=[Skips()])) == (
        "Data node 'increment' can't be skipped: whoever asked for its value needs one."
    )
    bench.run(g.graph, middleware=[tf.SkipOnError()])


def test_a_body_may_run_again(bench):
    """A middleware may run a body again: a retry, in five lines; the first given is outermost."""

    class Retry(tf.Middleware):
        def applies(self, node, node_type):
            return node.id == "flaky"

        async def __call__(self, invocation):
            assert isinstance(invocation.context, tf.Context)
            while True:
                try:
                    return await invocation()
                except OSError:
                    await trio.sleep(1)

    class Flaky(tf.Node, id="flaky"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.state["tries"] = ctx.state.get("tries", 0) + 1
            if ctx.state["tries"] < 3:
                raise OSError("not yet")
            return self.then

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Flaky, "flaky"), g.add(Note, value="done"))
    result = bench.run(g.graph, middleware=[tf.TimeLimit(10), Retry()])
    assert (bench.notes, result.statistics.elapsed) == (["done"], 2.0)
    bench.fails(tf.NodeTimeout, g.graph, middleware=[tf.TimeLimit(1.5), Retry()])


def test_a_body_may_not_run_at_all(bench):
    """A middleware may answer instead of the body."""

    class Instead(tf.Middleware):
        def applies(self, node, node_type):
            return node.type in ("test.increment", "test.fail")

        async def __call__(self, invocation):
            return invocation.answer({"result": 42} if invocation.kind == "evaluation" else {})

    with tf.build() as g:
        start, note = g.add(tf.nodes.Start), g.add(Note, value=g.add(increment, x=1).result)
        chain(g, start, note, g.add(Fail))
    bench.run(g.graph, middleware=[Instead()])
    assert bench.notes == [42]
