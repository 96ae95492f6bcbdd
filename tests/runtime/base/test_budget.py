"""R8: steps and time are the host's budgets: they end the run, and nothing in a graph can catch or collect that."""

from __future__ import annotations

import pytest
import trio
from support import chain

import trioflow as tf
from trioflow.testing import EventLog, run_virtual


def fails_with(graph, limit, **given):
    with pytest.raises(tf.LimitExceeded) as caught:
        run_virtual(graph, **given)
    assert caught.value.limit == limit
    return caught.value


@pytest.mark.parametrize("mode", ["sequential", "concurrent"])
def test_items_that_are_collected(mode):
    with tf.build() as g:
        g.variable("n", "int", 0, merge="sum")
        each = g.add(tf.nodes.ForEach, items=list(range(1000)))
        g.configure(each, mode=mode, on_error="collect")
        chain(g, g.add(tf.nodes.Start), each)
        g.connect(each.body, g.add(tf.nodes.UpdateVariable, name="n", value=1).enter)
    log = EventLog()
    error = fails_with(g.graph, "steps", options=tf.RunOptions(max_steps=100), observers=[log])
    assert error.value == 100
    assert len([event for event in log if isinstance(event, tf.events.NodeStarted)]) == 100
    assert [
        type(event).__name__ for event in log if isinstance(event, tf.events.LimitReached | tf.events.RunFailed)
    ] == [
        "LimitReached",
        "RunFailed",
    ]
    assert not [event for event in log if isinstance(event, tf.events.NodeFailed)]


def test_retries_without_an_end():
    with tf.build() as g:
        retry = g.add("flow.retry", "retry", attempts=10**9, delay=0)
        chain(g, g.add(tf.nodes.Start), retry)

        @tf.exec_node
        def fail() -> None:
            raise ValueError

        g.connect(retry.body, g.add(fail).enter)
    fails_with(g.graph, "steps", options=tf.RunOptions(max_steps=100))


def test_nobody_can_catch_it():
    with tf.build() as g:
        attempt, loop = g.add("flow.try", "try"), g.add(tf.nodes.ForLoop, "loop", times=10)
        chain(g, g.add(tf.nodes.Start), attempt)
        g.connect(attempt.body, loop.enter)
        g.connect(loop.body, g.add(tf.nodes.Sequence, "inside").enter)
        g.connect(attempt.catch, g.add(tf.nodes.Sequence, "caught").enter)
    log = EventLog()
    fails_with(g.graph, "steps", options=tf.RunOptions(max_steps=5), observers=[log], middleware=[tf.SkipOnError()])
    assert log.rows("cancelled") == [("cancelled", "loop", "0.1.0"), ("cancelled", "try", "0.1")]


def test_a_failure_on_the_way_out_wins():
    class Fails(tf.Node):
        enter, body = tf.ExecIn(), tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            try:
                await ctx.trigger(self.body)
            finally:
                raise KeyError("clean-up")

    with tf.build() as g:
        fails = g.add(Fails)
        chain(g, g.add(tf.nodes.Start), fails)
        g.connect(fails.body, g.add(tf.nodes.Sequence).enter)
    with pytest.raises(KeyError, match="clean-up"):
        run_virtual(g.graph, options=tf.RunOptions(max_steps=2))


def test_in_a_shielded_scope_it_is_raised():
    class Shields(tf.Node):
        enter, body = tf.ExecIn(), tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            with trio.CancelScope(shield=True), pytest.raises(tf.LimitExceeded):
                await ctx.trigger(self.body)

    with tf.build() as g:
        shields = g.add(Shields)
        chain(g, g.add(tf.nodes.Start), shields)
        g.connect(shields.body, g.add(tf.nodes.Sequence).enter)
    fails_with(g.graph, "steps", options=tf.RunOptions(max_steps=2))


def test_a_time_that_has_passed_is_a_failure():
    """Also where a body has kept the cancellation away from it."""

    @tf.exec_node
    async def shields() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(5)

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(shields))
    fails_with(g.graph, "timeout", options=tf.RunOptions(timeout=2))


def test_the_first_of_two_budgets():
    with tf.build() as g:
        loop = g.add(tf.nodes.ForLoop, times=10)
        chain(g, g.add(tf.nodes.Start), loop)
        g.connect(loop.body, g.add(tf.nodes.Delay, seconds=1).enter)
    fails_with(g.graph, "steps", options=tf.RunOptions(max_steps=4, timeout=5))
    fails_with(g.graph, "timeout", options=tf.RunOptions(max_steps=40, timeout=5))


@pytest.mark.parametrize("max_steps", range(2, 12))
def test_with_a_host(max_steps):
    """`open_run` tells it in the result, and everything is torn down."""
    torn = []

    class Lives(tf.Node):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None: ...

        async def teardown(self) -> None:
            torn.append(1)

    with tf.build() as g:
        loop = g.add(tf.nodes.ForLoop, times=20)
        chain(g, g.add(tf.nodes.Start), loop)
        g.connect(loop.body, g.add(Lives).enter)

    async def main():
        async with tf.open_run(g.graph, options=tf.RunOptions(max_steps=max_steps)) as run:
            with pytest.raises(tf.LimitExceeded):
                await run.result()
            return run.status, run.statistics().steps

    assert trio.run(main) == (tf.RunStatus.FAILED, max_steps)
    assert torn == [1]
