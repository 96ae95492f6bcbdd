"""`Unwind`: a body goes back to one above it in its strand; no failure, unless nobody catches it."""

from __future__ import annotations

import pytest
import trio
from support import Fail, Note

import trioflow as tf


class Back(tf.Unwind):
    pass


class GoBack(tf.Node, id="test.go_back"):
    enter = tf.ExecIn()

    async def execute(self, ctx):
        raise Back("to the catcher")


class Catch(tf.Node, id="test.catch"):
    enter = tf.ExecIn()
    body = tf.ExecOut()
    then = tf.ExecOut()

    async def execute(self, ctx):
        try:
            await ctx.trigger(self.body)
        except Back:
            ctx.services.get("notes").append("caught")
        return self.then


def graph(build):
    with tf.build() as g:
        g.connect(g.add("flow.start").then, build(g).enter)
    return g.graph


def test_it_is_caught_above(bench):
    """What is in between ends as cancelled, and the one that catches goes on."""

    def build(g):
        catch, between = g.add(Catch, "catch"), g.add("flow.sequence", "between")
        g.connect(catch.body, between.enter)
        g.connect(between.first, g.add(GoBack, "back").enter)
        g.connect(between.second, g.add(Note, value="never").enter)
        g.connect(catch.then, g.add(Note, "after", value="after").enter)
        return catch

    bench.run(graph(build))
    assert bench.notes == ["caught", "after"]
    assert [row[:2] for row in bench.log.rows("cancelled", "failed")] == [
        ("cancelled", "back"),
        ("cancelled", "between"),
    ]


def around(output):
    def build(g):
        parallel = g.add("flow.parallel")
        g.connect(parallel.a, g.add("flow.delay", seconds=60.0).enter)
        g.connect(parallel.b, g.add(GoBack, "back").enter)
        return parallel

    return build if output == "parallel" else lambda g: g.add(GoBack, "back")


@pytest.mark.parametrize("where", ["strand", "parallel"])
def test_nobody_catches_it(bench, where):
    """The run fails, and says so; it does not look as if somebody had cancelled it."""
    error = bench.fails(tf.NodeError, graph(around(where)))
    assert str(error) == (
        "A node raised Back('to the catcher') to get back to a body above it in its strand, but none there catches it."
    )
    assert type(error.__cause__) is Back
    assert [type(each).__name__ for each in bench.log][-1] == "RunFailed"


def test_a_failure_beside_it_is_what_the_run_fails_with(bench):
    """A failure in another strand at the same time is not lost."""

    class FailsWhenCancelled(tf.Node):
        enter = tf.ExecIn()

        async def execute(self, ctx):
            try:
                await trio.sleep_forever()
            finally:
                raise OSError("clean-up failed")

    def build(g):
        parallel, wait = g.add("flow.parallel"), g.add("flow.delay")
        g.connect(parallel.a, g.add(FailsWhenCancelled).enter)
        g.connect(parallel.b, wait.enter)
        g.connect(wait.then, g.add(GoBack).enter)
        return parallel

    error = bench.fails(ExceptionGroup, graph(build))
    assert [type(each) for each in error.exceptions] == [OSError]


def test_a_try_does_not_catch_it(bench):
    """`except Exception` lets it pass, as `flow.try` shows; a real failure there is caught as ever."""

    def build(g):
        catch, guard = g.add(Catch, "catch"), g.add("flow.try")
        g.connect(catch.body, guard.enter)
        g.connect(guard.body, g.add(Fail).enter)
        g.connect(guard.catch, g.add(GoBack).enter)
        return catch

    bench.run(graph(build))
    assert bench.notes == ["caught"]
