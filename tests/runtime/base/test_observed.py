"""What observers are told of activations and of the run as a whole, field by field (E1, E2, E3)."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from support import Fail, Note, Resource, chain, increment

import trioflow as tf
from trioflow import events


def of(bench, kind):
    return [event for event in bench.log if isinstance(event, kind)]


def test_activations(bench):
    """An activation tells where it was entered, and which exec output it handed over to, if any (E1, T6)."""
    with tf.build() as g:
        branch = g.add("flow.branch", "branch", condition=False)
        chain(g, g.add(tf.nodes.Start, "start"), branch)
        g.connect(branch["false"], g.add(Fail, "fail").enter)
    bench.run(g.graph, middleware=[tf.SkipOnError(nodes=["fail"])])
    assert [(str(each.path), each.node, each.entered) for each in of(bench, events.NodeStarted)] == [
        ("0.0", "start", None),
        ("0.1", "branch", "enter"),
        ("0.2", "fail", "enter"),
    ]
    assert [(str(each.path), each.node, each.handed_over) for each in of(bench, events.NodeCompleted)] == [
        ("0.0", "start", "then"),
        ("0.1", "branch", "false"),
    ]
    (skipped,) = of(bench, events.NodeSkipped)
    assert (str(skipped.path), skipped.node, str(skipped.error), str(skipped.origin)) == ("0.2", "fail", "boom", "0.2")


def test_nothing_handed_over(bench):
    """An activation that ends by itself hands over to nothing (E1, T6)."""

    class Ends(tf.Node, id="observed.ends"):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None: ...

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start, "start"), g.add(Ends, "ends"))
    bench.run(g.graph)
    assert [each.handed_over for each in of(bench, events.NodeCompleted)] == ["then", None]


@pytest.mark.parametrize("triggers", [True, False])
def test_many_wires(bench, triggers):
    """All wires of an exec output are followed in their order, triggered or handed over to (M3, T6)."""

    class Goes(tf.Node, id="observed.goes"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
            if triggers:
                await ctx.trigger(self.then)
                return None
            return self.then

    with tf.build() as g:
        goes, twice = g.add(Goes), g.add(Goes)
        chain(g, g.add(tf.nodes.Start), goes)
        g.connect(goes.then, g.add(Note, value=1).enter)
        g.connect(goes.then, twice.enter)
        for number in (2, 3, 4, 5):
            g.connect(twice.then, g.add(Note, value=number).enter)
        for number in (6, 7):
            g.connect(goes.then, g.add(Note, value=number).enter)
    bench.run(g.graph)
    assert bench.notes == [1, 2, 3, 4, 5, 6, 7]


def test_run(bench):
    """All events of a run bear its id, are numbered, and end with how it ended (E3)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Fail, "fail"))
    error = bench.fails(ValueError, g.graph)
    told = [*bench.log]
    assert len({event.run for event in told}) == 1
    assert isinstance(told[0].run, str)
    numbers = [event.sequence for event in told]
    assert numbers == sorted(set(numbers))
    failed = told[-1]
    assert isinstance(failed, events.RunFailed)
    assert (failed.error, str(failed.origin), failed.node, str(failed.path)) == (error, "0.1", None, "root")


def test_failure_of_no_node(bench):
    """A run that fails outside of every activation says so (E2)."""
    with tf.build() as g:
        g.add(tf.nodes.Start)
    bench.fails(TimeoutError, g.graph, middleware=[Breaks()])
    (failed,) = of(bench, events.RunFailed)
    assert failed.origin is None


class Breaks(tf.Middleware):
    """Can't even say for which nodes it is."""

    def applies(self, node, node_type):
        raise TimeoutError

    async def __call__(self, invocation): ...


def test_start_values(bench):
    """Start values have the types of the variables; all that are wrong are told at once, with what there is (F4, R1)."""
    with tf.build() as g:
        g.variable("real", "float")
        g.variable("any")
        g.add(tf.nodes.Start)
    result = bench.run(g.graph, variables={"real": 1, "any": None})
    assert repr(result.variables) in ("{'real': 1.0, 'any': None}", "mappingproxy({'real': 1.0, 'any': None})")
    error = bench.fails(tf.UnknownName, g.graph, variables={"rael": 1, "other": 2})
    assert str(error).splitlines() == [
        "There is no variable 'rael'. Did you mean 'real'? The graph declares: real, any.",
        "There is no variable 'other'. The graph declares: real, any.",
    ]
    with tf.build() as g:
        g.add(tf.nodes.Start)
    assert str(bench.fails(tf.UnknownName, g.graph, variables={"x": 1})).endswith("The graph declares: none.")


def test_origin_of_start_values(bench):
    """An evaluation that reads a start value is the same one in every run (E5)."""

    @tf.data_node(id="observed.reads")
    def reads(ctx: tf.DataContext) -> int:
        return ctx.get_variable("x")

    def keys(name):
        with tf.build() as g:
            for each in ("x", "y"):
                g.variable(each, "int", 1)
            chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(increment, x=g.add(reads).result).result))
        bench.run(g.graph, variables={name: 1})
        return {event.key for event in of(bench, events.EvaluationCompleted)}

    assert keys("x") == keys("x") == keys("y")  # its value is no part of it


def test_timeout(bench):
    """A run that takes too long says which limit it reached, and when; one that does not completes (R8)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add("flow.delay", seconds=5.0))
    error = bench.fails(tf.LimitExceeded, g.graph, options=tf.RunOptions(timeout=2.5))
    assert (error.limit, error.value) == ("timeout", 2.5)
    (reached,) = of(bench, events.LimitReached)
    assert (str(reached.path), reached.node, reached.limit, reached.value) == ("root", None, "timeout", 2.5)
    statistics = bench.run(g.graph, options=tf.RunOptions(timeout=10)).statistics
    assert (statistics.status, statistics.elapsed) == (tf.RunStatus.COMPLETED, 5)


def test_elapsed():
    """A run's time runs from its start to its end, and then stands still (R3)."""

    async def main():
        await trio.sleep(100)
        async with tf.open_run(g.graph) as run:
            await trio.sleep(2)
            seen.append(run.status)
            result = await run.result()
        await trio.sleep(100)
        seen.append((await run.result()).statistics)
        seen.append(result.statistics)

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add("flow.delay", seconds=5.0))
    seen = []
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    running, after, statistics = seen
    assert (running, statistics.status, statistics.elapsed) == (tf.RunStatus.RUNNING, tf.RunStatus.COMPLETED, 5)
    assert after.elapsed == 5


def test_run_and_teardown_fail(bench):
    """No failure of a run hides another (R1, R4)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Resource, "one", fail_in="body teardown"))
    error = bench.fails(ExceptionGroup, g.graph)
    assert str(error).startswith("the run ended badly, and so did its teardown")


def test_key_of_what_was_written(bench):
    """Each write has an origin of its own, so evaluations after it have another key, whatever the value (E5)."""

    @tf.data_node(id="observed.reads")
    def reads(ctx: tf.DataContext) -> int:
        return ctx.get_variable("x")

    class Writes(tf.Node, id="observed.writes"):
        enter = tf.ExecIn()
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            for _ in range(3):
                ctx.set_variable("x", 1)
                await ctx.trigger(self.body)

    with tf.build() as g:
        g.variable("x", "int", 1)
        writes, note = g.add(Writes), g.add(Note, value=g.add(reads).result)
        chain(g, g.add(tf.nodes.Start), writes)
        g.connect(writes.body, note.enter)
    bench.run(g.graph)
    assert bench.notes == [1, 1, 1]
    assert len({event.key for event in of(bench, events.EvaluationCompleted)}) == 3


def test_open_run():
    """A run that is opened takes the same as one that is called (R1)."""

    class Passes(tf.Middleware):
        count = 0

        def applies(self, node, node_type):
            return True

        async def __call__(self, invocation):
            self.count += 1
            return await invocation()

    async def main():
        async with tf.open_run(g.graph, variables={"x": 5}, middleware=[passes]) as run:
            return await run.result()

    with tf.build() as g:
        g.variable("x", "int", 1)
        g.add(tf.nodes.Start)
    passes = Passes()
    assert trio.run(main).variables == {"x": 5}
    assert passes.count == 1


def test_limit_of_steps(bench):
    """A run that reached a limit tells which, and at which node (R8)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, "one"), g.add(Note, "two"))
    error = bench.fails(tf.LimitExceeded, g.graph, options=tf.RunOptions(max_steps=2))
    (reached,) = of(bench, events.LimitReached)
    assert (reached.node, reached.limit, reached.value) == ("two", "steps", 2)
    assert "'two'" in str(error)


def test_missing_service(bench):
    """A service that the run does not have is told with those that it has (R1)."""

    @tf.exec_node(id="observed.asks")
    def asks(ctx: tf.Context) -> None:
        ctx.services.get(dict)

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(asks, "asks"))
    error = bench.fails(tf.UnknownName, g.graph)
    assert str(error).startswith("This run has no service 'dict'. It has: notes, life. ")
    with pytest.raises(tf.UnknownName) as caught:
        trio.run(tf.run, g.graph)
    assert str(caught.value).startswith("This run has no service 'dict'. It has: none. ")
