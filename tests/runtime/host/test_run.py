"""Runs: R1-R8, B1, B2, and cancellation at every checkpoint."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import math
import weakref
from functools import partial

import pytest
import trio
import trio.testing
from support import Add, Fail, Items, Note, Resource, Wait, chain, increment

import trioflow as tf
from trioflow.runtime.base.failure import leaves
from trioflow.testing import EventLog, ShuffledSchedule


def virtually(main):
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def resources(*fails):
    with tf.build() as g:
        nodes = [g.add(tf.nodes.Start), *(g.add(Resource, f"r{i}", fail_in=f) for i, f in enumerate(fails))]
        chain(g, *nodes)
    return g.graph


async def run_hosted(graph, **arguments):
    async with tf.open_run(graph, **arguments) as run:
        return await run.result()


async def left_alone(graph, **arguments):
    async with tf.open_run(graph, **arguments):
        pass


async def left_busy(graph, **arguments):
    async with tf.open_run(graph, **arguments):
        await trio.sleep_forever()


def test_setup_and_teardown(bench):
    """Nodes are set up in document order and torn down in reverse (R1)."""
    bench.run(resources("", "", ""))
    assert bench.life == ["up r0", "up r1", "up r2", "down r2", "down r1", "down r0"]


def test_failing_setup(bench):
    """A failing setup tears down those already set up, and nothing is dispatched (R1)."""
    error = bench.fails(OSError, resources("", "setup", ""))
    assert (str(error), error.__notes__) == ("setup of r1", ["while node 'r1' (test.resource) was set up"])
    assert bench.life == ["up r0", "down r0"]
    assert bench.log.rows("started") == []


def test_failing_teardown(bench):
    """A failing teardown does not keep the others from theirs (R1)."""
    error = bench.fails(OSError, resources("", "teardown", ""))
    assert (str(error), error.__notes__) == ("teardown of r1", ["while node 'r1' was torn down"])
    assert bench.life[3:] == ["down r2", "down r1", "down r0"]


def test_no_error_hides_another(bench):
    """Errors of the run and of teardown come together (R1)."""
    group = bench.fails(ExceptionGroup, resources("teardown", "body", "teardown"))
    assert [str(error) for error in group.exceptions] == ["body of r1", "teardown of r2", "teardown of r0"]
    group = bench.fails(ExceptionGroup, resources("teardown", "teardown"))
    assert [str(error) for error in group.exceptions] == ["teardown of r1", "teardown of r0"]


@pytest.mark.parametrize("start", [tf.run, run_hosted, left_alone, left_busy])
def test_no_error_is_hidden_by_a_cancellation(start):
    """What fails while a run is cancelled from outside takes the place of the cancellation, all of it (R1, R5)."""
    life = []
    graph = resources("teardown", "teardown", "hang")

    async def main():
        with trio.move_on_after(1):
            await start(graph, services={"life": life}, options=tf.RunOptions(grace=3), middleware=[Sleeps()])

    with pytest.raises(ExceptionGroup) as caught:
        virtually(main)
    found = [*leaves(caught.value)]
    assert [type(error) for error in found] == [OSError, OSError, tf.TeardownTimeout]
    assert [str(error) for error in found[:2]] == ["teardown of r1", "teardown of r0"]


class Sleeps(tf.Middleware):
    def applies(self, node, node_type):
        return node.id == "r0"

    async def __call__(self, invocation):
        await trio.sleep(100)


class Interrupted(tf.Node, id="test.interrupted"):
    """Interrupts the program, and maybe fails in its teardown."""

    enter = tf.ExecIn()
    fails = tf.DataIn(bool, default=False)

    def __init__(self) -> None:
        self.fails_then = False

    async def execute(self, ctx: tf.Context) -> None:
        self.fails_then = await ctx.get_input(self.fails)
        await trio.sleep(1)
        raise KeyboardInterrupt

    async def teardown(self) -> None:
        if self.fails_then:
            raise OSError("teardown")


@pytest.mark.parametrize("start", [tf.run, run_hosted, left_alone, left_busy])
def test_an_interrupt_ends_everything(start):
    """An interrupt that arrives in a body ends run and host, as itself or with what fails besides (R1, R4)."""
    for fails, expected in ((False, [KeyboardInterrupt]), (True, [KeyboardInterrupt, OSError])):
        with tf.build() as g:
            chain(g, g.add(tf.nodes.Start), g.add(Interrupted, fails=fails))
        with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)) as caught:
            virtually(partial(start, g.graph))
        assert [type(error) for error in leaves(caught.value)] == expected
        assert isinstance(caught.value, BaseExceptionGroup) is fails


def test_grace_period(bench):
    """A teardown that hangs is cut off when the grace period ends; the others still get theirs (R1)."""
    error = bench.fails(tf.TeardownTimeout, resources("", "hang", ""), options=tf.RunOptions(grace=3))
    assert str(error) == (
        "Teardown took longer than the grace period of 3 s and was cut off in: r1. Raise RunOptions(grace=...) or make "
        "teardown faster."
    )
    assert bench.life[3:] == ["down r2", "down r1", "down r0"]


@pytest.mark.parametrize("method", ["__init__", "__new__", "setup"])
def test_nodes_with_something_to_do_are_made_first(method, bench):
    """Instances whose making may do something are made before the first dispatch; each node has one of its own (R1)."""
    made = []

    class Lives(tf.Node, id="test.lives"):
        enter, then = tf.ExecIn(), tf.ExecOut()

        async def execute(self, ctx):
            made.append(("execute", id(self)))
            return self.then

    def note(self, *arguments):
        made.append(("made", id(self)))

    async def setup(self, ctx):
        note(self)

    def new(cls):
        note(self := object.__new__(cls))
        return self

    setattr(Lives, method, {"__init__": note, "__new__": new, "setup": setup}[method])
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Lives), g.add(Lives))
    bench.run(g.graph)
    assert [what for what, _ in made] == ["made", "made", "execute", "execute"]
    assert made[0][1] == made[2][1] != made[1][1] == made[3][1]


def test_a_node_keeps_its_instance(bench):
    """What a node keeps on itself is there at its next activation, in the same run only (R1, R7)."""

    class Counts(tf.Node, id="test.counts"):
        enter = tf.ExecIn()

        async def execute(self, ctx):
            self.times = getattr(self, "times", 0) + 1
            bench.notes.append((ctx.node.id, self.times))

    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=2)
        g.connect(start.then, loop.enter)
        for name in "ab":
            g.connect(loop.body, g.add(Counts, name).enter)
    plan = tf.make_plan(g.graph, tf.Registry.standard(plugins=False))
    for _ in range(2):
        bench.run(plan)
        assert bench.notes == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_what_one_run_adds_to_a_plan_is_not_there_in_the_next(bench):
    """Middlewares and settings of streams are of the run that has them, whoever ran the plan before (R7, S2)."""

    class Twice(tf.Middleware):
        def applies(self, node, node_type):
            return node.id == "note"

        async def __call__(self, invocation):
            await invocation()
            return await invocation()

    with tf.build() as g:
        start, items = g.add(tf.nodes.Start), g.add(Items, "items", count=2)
        note = g.add(Note, "note", value=items.item)
        g.connect(start.then, items.enter)
        g.connect(items.body, note.enter)
    plan = tf.make_plan(g.graph, tf.Registry.standard(plugins=False))
    sequential = tf.RunOptions(streams={"items": tf.StreamSettings(mode="sequential")})
    seen = []
    for arguments in ({}, {"middleware": [Twice()]}, {"options": sequential}, {}):
        result = bench.run(plan, **arguments)
        seen.append((sorted(bench.notes), result.statistics.forks))
    assert seen == [([0, 1], 2), ([0, 0, 1, 1], 2), ([0, 1], 0), ([0, 1], 2)]


def test_initiators_one_after_the_other(bench):
    """Initiators run in document order by default, each after the one before (R2, M4)."""
    with tf.build() as g:
        g.variable("total", "int", 1, merge="sum")
        for _ in range(2):
            start, add = g.add(tf.nodes.Start), g.add(Add, by=1, after=1.0)
            chain(g, start, add)
    result = bench.run(g.graph)
    assert (result.variables, result.statistics.elapsed) == ({"total": 3}, 2.0)


def test_parallel_initiators(bench):
    """With parallel initiators each is a fork, and the forks are merged in document order (R2)."""
    with tf.build() as g:
        g.variable("total", "int", 1, merge="sum")
        for seconds in (2.0, 1.0):
            start, add = g.add(tf.nodes.Start), g.add(Add, by=1, after=seconds)
            chain(g, start, add)
    sequential = bench.run(g.graph)
    paths = bench.log.trace().activations
    result = bench.run(g.graph, options=tf.RunOptions(parallel_initiators=True))
    assert (result.variables, result.statistics.elapsed) == (sequential.variables, 2.0)
    assert bench.log.trace().activations == paths
    assert bench.log.rows("joined") == [("joined", None, "0"), ("joined", None, "1")]


def test_marked_initiator(bench):
    """A node that is marked in the graph starts a run, whatever its type says; one marked otherwise does not (M4)."""
    with tf.build() as g:
        start, note = g.add(tf.nodes.Start), g.add(Note, value="marked")
        g.configure(note, initiator=True)
        g.configure(start, initiator=False)
    bench.run(g.graph)
    assert bench.notes == ["marked"]


def test_status():
    """A run is not started, running, paused, and then ends in one of three ways (R3)."""
    with tf.build() as g:
        start, wait = g.add(tf.nodes.Start), g.add(Wait)
        chain(g, start, wait)

    async def main():
        async with tf.open_run(g.graph, services={"notes": []}) as run:
            assert run.status is tf.RunStatus.NOT_STARTED
            assert run.statistics().elapsed == 0.0
            await trio.sleep(0.5)
            assert run.status is tf.RunStatus.RUNNING
            run.gate.pause()
            assert run.status is tf.RunStatus.PAUSED
            run.gate.resume()
        assert run.status is tf.RunStatus.COMPLETED
        assert repr(run) == f"<Run {run.id}: completed, 2 steps, 0 strands>"
        async with tf.open_run(g.graph) as run:
            with pytest.raises(tf.UnknownName):
                await run.result()
        assert run.status is tf.RunStatus.FAILED

    virtually(main)


def test_failure_has_a_note(bench):
    """An exception reaches the host as itself, with a note that tells node, type and path (R4)."""
    with tf.build() as g:
        start, fail = g.add(tf.nodes.Start), g.add(Fail, "fail")
        chain(g, start, fail)
    error = bench.fails(ValueError, g.graph)
    assert error.__notes__ == ["in node 'fail' (test.fail), activation 0.1"]


def test_failure_of_the_run_is_not_lost():
    """Leaving the block raises what the run failed with, unless result() has raised it (R4)."""
    with tf.build() as g:
        start, fail = g.add(tf.nodes.Start), g.add(Fail)
        chain(g, start, fail)

    async def main():
        with pytest.raises(ValueError, match="boom"):
            async with tf.open_run(g.graph):
                pass
        async with tf.open_run(g.graph) as run:
            with pytest.raises(ValueError, match="boom"):
                await run.result()

    virtually(main)


def test_block_that_raises_after_the_run_has_failed():
    """The block's error arrives as itself, and says what the run has failed with (R1)."""
    with tf.build() as g:
        start, fail = g.add(tf.nodes.Start), g.add(Fail)
        chain(g, start, fail)

    async def main():
        with pytest.raises(KeyError, match="block") as caught:
            async with tf.open_run(g.graph):
                await trio.sleep(1)
                raise KeyError("block")
        assert caught.value.__notes__ == ["the run has failed, too: ValueError('boom')"]

    virtually(main)


def test_block_that_raises_cancels_the_run():
    """If the block raises, the run is cancelled and torn down first, and the block's error arrives as itself (R5)."""

    async def main():
        life = []
        with pytest.raises(KeyError, match="block"):
            async with tf.open_run(resources("", ""), services={"life": life}) as run:
                run.gate.pause()
                await trio.sleep(1)
                raise KeyError("block")
        assert run.status is tf.RunStatus.CANCELLED
        assert life == ["up r0", "up r1", "down r1", "down r0"]

    virtually(main)


def test_host_cancels():
    """run.cancel ends everything; result then says so (R5)."""
    with tf.build() as g:
        start, wait = g.add(tf.nodes.Start), g.add(Wait, "w", seconds=100.0)
        chain(g, start, wait)

    async def main():
        notes = []
        async with tf.open_run(g.graph, services={"notes": notes}) as run:
            await trio.sleep(1)
            run.cancel()
        assert (run.status, notes, trio.current_time()) == (tf.RunStatus.CANCELLED, ["end of w"], 1.0)
        async with tf.open_run(g.graph, services={"notes": notes}) as run:
            run.cancel()
            with pytest.raises(tf.RunAborted, match="was cancelled, so it has no result"):
                await run.result()

    virtually(main)


def test_cancel_scope_around_a_trigger(bench):
    """A scope around a trigger inside a body ends everything below it, and the body goes on (R5)."""

    class Limits(tf.Node, id="limits", initiator=True):
        body = tf.ExecOut()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            with trio.move_on_after(1.5):
                await ctx.trigger(self.body)
            return self.then

    with tf.build() as g:
        limits, items, wait = g.add(Limits), g.add(Items), g.add(Wait, "w", seconds=9.0)
        note = g.add(Note, value="went on")
        g.connect(limits.body, items.enter)
        g.connect(items.body, wait.enter)
        g.connect(limits.then, note.enter)
    result = bench.run(g.graph)
    assert bench.notes == ["end of w"] * 3 + ["went on"]
    assert (result.statistics.elapsed, result.statistics.strands) == (1.5, 0)
    assert len(bench.log.rows("cancelled")) == 4


def test_random_is_the_same_under_every_schedule(bench):
    """ctx.random comes from the run's seed and the path (R6)."""

    class Rolls(tf.Node, id="rolls"):
        enter = tf.ExecIn()
        chance = tf.DataIn(float)
        out = tf.DataOut(object)

        async def execute(self, ctx: tf.Context) -> None:
            ctx.set_variable(
                "rolls", [*ctx.get_variable("rolls"), (ctx.random.random(), await ctx.get_input(self.chance))]
            )

    with tf.build() as g:
        g.variable("rolls", "list", [], merge="append")
        start, items = g.add(tf.nodes.Start), g.add(Items, count=4)
        rolls = g.add(Rolls, chance=g.add("random.uniform").result)
        g.connect(start.then, items.enter)
        g.connect(items.body, rolls.enter)
    seen = [bench.run(g.graph, middleware=[ShuffledSchedule(seed)]).variables["rolls"] for seed in range(4)]
    assert seen[1:] == seen[:-1]
    assert len({number for pair in seen[0] for number in pair}) == 8
    other = bench.run(g.graph, options=tf.RunOptions(seed=1)).variables["rolls"]
    assert other != seen[0]


def test_running_twice_shares_nothing(bench):
    """Two runs of one plan share neither values nor evaluations nor instances (R7)."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start, add = g.add(tf.nodes.Start), g.add(Add)
        note = g.add(Note, value=g.add(increment, x=1).result)
        chain(g, start, add, note)
    plan = tf.make_plan(g.graph, tf.Registry.standard(plugins=False))
    for _ in range(2):
        result = bench.run(plan)
        assert (result.variables, result.statistics.evaluations, bench.notes) == ({"total": 1}, 1, [2])


async def test_context_of_a_run_is_its_own(bench):
    """What a body does to its context variables stays in the run (promise 1, R7)."""
    variable = contextvars.ContextVar("variable", default="host")

    @tf.exec_node(id="test.sets")
    def sets() -> None:
        bench.notes.append(variable.get())
        variable.set("body")

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(sets), g.add(sets))
    await tf.run(g.graph)
    assert (bench.notes, variable.get()) == (["host", "body"], "host")


@pytest.mark.parametrize("ending", ["completes", "fails", "is cancelled"])
async def test_a_run_is_freed_as_soon_as_it_has_ended(ending):
    """A run, its nodes and what it has written are no work for the garbage collector, however it has ended."""
    seen, scope = [], trio.CancelScope()

    class Seen(tf.Node, id="test.seen"):
        enter, then, result = tf.ExecIn(), tf.ExecOut(), tf.DataOut(object)

        async def execute(self, ctx):
            value = Seen.Value()
            seen.extend((weakref.ref(self), weakref.ref(value)))
            ctx.set_output(self.result, value)
            if len(seen) == 4 and ending == "fails":
                raise ValueError(ending)
            if len(seen) == 4 and ending == "is cancelled":
                scope.cancel()
                await trio.sleep_forever()
            return self.then

        class Value:
            pass

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Seen), g.add(Seen))
    gc.disable()
    try:
        with contextlib.suppress(ValueError), scope:
            await tf.run(g.graph)
        await trio.lowlevel.checkpoint()  # until then trio keeps hold of the cancellation
        assert [each() for each in seen] == [None] * 4
    finally:
        gc.enable()


async def test_contexts_of_runs_beside_each_other(bench):
    """Runs that wait in turns have contexts of their own, which they keep while they wait (R7)."""
    variable = contextvars.ContextVar("variable", default="host")

    class Sets(tf.Node, id="test.sets_and_waits"):
        enter, value = tf.ExecIn(), tf.DataIn(str)

        async def execute(self, ctx):
            variable.set(await ctx.get_input(self.value))
            for _ in range(3):
                await trio.lowlevel.checkpoint()
                bench.notes.append(variable.get() == await ctx.get_input(self.value))

    def graph(value):
        with tf.build() as g:
            chain(g, g.add(tf.nodes.Start), g.add(Sets, value=value))
        return g.graph

    async with trio.open_nursery() as nursery:
        for value in ("one", "two"):
            nursery.start_soon(tf.run, graph(value))
    assert (bench.notes, variable.get()) == ([True] * 6, "host")


async def test_nurseries_of_the_host_do_not_matter(bench):
    """A run goes on in the task that awaits it, whatever that has open around it (F8)."""
    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        start, items, loop = g.add(tf.nodes.Start), g.add(Items, count=3), g.add(tf.nodes.ForLoop, times=2)
        g.connect(start.then, items.enter)
        g.connect(items.body, loop.enter)
        g.connect(loop.body, g.add(Add).enter)
    async with trio.open_nursery() as outer, trio.open_nursery() as inner:
        outer.start_soon(trio.sleep_forever)
        inner.start_soon(trio.lowlevel.checkpoint)
        result = await tf.run(g.graph)
        outer.cancel_scope.cancel()
    assert result.variables == {"total": 6}


def test_cancelled_from_outside_and_a_teardown_that_fails(bench):
    """What fails in the teardown of a run that was cancelled is raised as itself (R1, R5)."""
    with tf.build() as g:
        resource = g.add(Resource, "one", fail_in="teardown")
        chain(g, g.add(tf.nodes.Start), resource)
        g.connect(resource.body, g.add(Wait, seconds=5.0).enter)

    async def main():
        with trio.move_on_after(1):
            with pytest.raises(OSError, match="teardown of one"):
                await tf.run(g.graph, services={"notes": bench.notes, "life": bench.life})
            return "raised"

    assert virtually(main) == "raised"


@pytest.mark.parametrize("start", [tf.run, run_hosted])
@pytest.mark.parametrize("nested", [1, 2])
def test_nesting_of_strands(bench, nested, start):
    """As many strands as the run says may be inside each other, the first one not counted (F8)."""
    with tf.build() as g:
        last = g.add(tf.nodes.Start).then
        for place in range(nested):
            items = g.add(Items, f"items {place}", count=1)
            g.connect(last, items.enter)
            last = items.body
        g.connect(last, g.add(Note).enter)

    def run(limit):
        options = tf.RunOptions(max_nesting=limit)
        trio.run(lambda: start(g.graph, services={"notes": bench.notes}, options=options))

    run(nested)
    assert bench.notes == [None]
    if nested > 1:
        with pytest.raises(tf.DepthExceeded, match="nest deeper than 1"):
            run(1)


@pytest.mark.parametrize("start", [tf.run, run_hosted])
def test_cancelled_from_outside(start, bench):
    """A scope around a run ends it as cancelled, whoever has got hold of it, and what comes out is trio's own (R5)."""
    log, caught = EventLog(), []
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Wait, "wait", seconds=5))

    async def main():
        with trio.move_on_after(1) as scope:
            try:
                await start(g.graph, services={"notes": bench.notes}, observers=[log])
            except BaseException as error:
                caught.append(error)
                raise
        return scope.cancelled_caught

    assert virtually(main)
    assert [type(error) for error in caught] == [trio.Cancelled]
    assert bench.notes == ["end of wait"]
    assert [type(each).__name__ for each in log][-2:] == ["NodeCancelled", "RunCancelled"]


def test_step_limit(bench):
    """Reaching the step limit is an error that names limit and value; exactly so many dispatches pass (R8)."""
    with tf.build() as g:
        start, loop, note = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=500), g.add(Note, "note")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, note.enter)
    for limit in (1, 2, 64, 65, 200):
        error = bench.fails(tf.LimitExceeded, g.graph, options=tf.RunOptions(max_steps=limit))
        assert (error.limit, error.value, len(bench.log.rows("started"))) == ("steps", limit, limit)
    assert str(error) == (
        "The run reached its limit of 200 steps at node 'note' (activation 0.1). If the graph is meant to go on for "
        "longer, raise RunOptions(max_steps=...)."
    )
    assert bench.run(g.graph, options=tf.RunOptions(max_steps=502)).statistics.steps == 502


def test_timeout(bench):
    """Reaching the time limit is an error that names it, also for a body that never waits (R8)."""
    with tf.build() as g:
        start, wait = g.add(tf.nodes.Start), g.add(Wait, seconds=10.0)
        chain(g, start, wait)
    error = bench.fails(tf.LimitExceeded, g.graph, options=tf.RunOptions(timeout=2.5))
    assert str(error) == (
        "The run reached its limit of 2.5 s after 2 steps. Raise RunOptions(timeout=...) if it is meant to take longer."
    )
    assert [row[0] for row in bench.log.rows()][-3:] == ["cancelled", "LimitReached", "RunFailed"]


def test_strand_limit(bench):
    """Reaching the limit of concurrent strands is an error that names it (R8)."""
    with tf.build() as g:
        start, items, wait = g.add(tf.nodes.Start), g.add(Items, count=5), g.add(Wait)
        g.connect(start.then, items.enter)
        g.connect(items.body, wait.enter)
    error = bench.fails(tf.LimitExceeded, g.graph, options=tf.RunOptions(max_strands=3))
    assert (error.limit, error.value) == ("strands", 3)
    assert str(error).startswith("The run reached its limit of 3 strands (activation 0.1).")
    bench.run(g.graph, options=tf.RunOptions(max_strands=6))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_steps": 0}, "RunOptions.max_steps must be more than 0, got 0."),
        ({"timeout": -1}, "RunOptions.timeout must be more than 0, got -1."),
        ({"timeout": math.nan}, "RunOptions.timeout must be more than 0, got nan."),
    ],
)
def test_bad_options(options, message):
    """Options that make no sense are refused where they are made."""
    with pytest.raises(ValueError, match="must be more than 0") as caught:
        tf.RunOptions(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"variables": 3, "services": ["a"]},
            "variables= must be a mapping .*, got int.\nservices= must be .*, got list",
        ),
        ({"middleware": tf.TimeLimit(3)}, "middleware= must be a list of callables, got TimeLimit"),
        ({"observers": print}, "observers= must be a list of callables, got builtin_function"),
        ({"options": 3}, "options= must be RunOptions, got int"),
    ],
)
async def test_arguments_of_the_wrong_type(arguments, message):
    """They are refused before anything runs, all at once, by the names that the host gave them."""
    with pytest.raises(TypeError, match=message):
        await tf.run(resources(), **arguments)


async def test_settings_of_streams_that_are_not_there():
    """They are refused before anything runs, with the node that was meant."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Items, "items", count=1))
    settings = {name: tf.StreamSettings(limit=2) for name in ("item", "others")}
    with pytest.raises(tf.UnknownName, match=r"'item'. Did you mean 'items'(.|\n)*'others'"):
        await tf.run(g.graph, options=tf.RunOptions(streams=settings))


def test_variables_of_the_run(bench):
    """Start values are given by name, and checked like everything that crosses a wire (D11)."""
    with tf.build() as g:
        g.variable("x", "float", 1.0)
        g.add(tf.nodes.Start)
    assert bench.run(g.graph, variables={"x": 3}).variables == {"x": 3.0}
    error = bench.fails(tf.UnknownName, g.graph, variables={"y": 1})
    assert str(error) == "There is no variable 'y'. The graph declares: x."
    error = bench.fails(tf.CoercionError, g.graph, variables={"x": "3"})
    assert str(error) == "Variable 'x': expected float, got str '3'."


def test_variables_of_no_type_and_of_no_value(bench):
    """A start value of a variable without a type is taken as it is, and None by a variable of any type (D11)."""
    with tf.build() as g:
        g.variable("x", "float", 1.0)
        g.variable("any")
        g.add(tf.nodes.Start)
    assert bench.run(g.graph, variables={"x": None, "any": 5}).variables == {"x": None, "any": 5}


def test_wrong_variables_of_the_run(bench):
    """All start values that are wrong are told at once, of whatever kind, in their order."""
    with tf.build() as g:
        g.variable("x", "float", 1.0)
        g.variable("n", "int", 1)
        g.add(tf.nodes.Start)
    types = "Variable 'x': expected float, got str '3'.", "Variable 'n': expected int, got str 'one'."
    error = bench.fails(tf.CoercionError, g.graph, variables={"x": "3", "n": "one"})
    assert str(error).splitlines() == list(types)
    error = bench.fails(tf.UnknownName, g.graph, variables={"x": "3", "y": 1, "n": "one"})
    assert str(error).splitlines() == [types[0], "There is no variable 'y'. The graph declares: x, n.", types[1]]


def test_setting_a_variable(bench):
    """Setting an undeclared variable, or one to a value of another type, is an error that tells (D11, M5)."""

    class Sets(tf.Node, id="sets variable", initiator=True):
        name = tf.DataIn(str)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            ctx.set_variable(await ctx.get_input(self.name), "text")

    for name, error, message in (
        ("cout", tf.UnknownName, "There is no variable 'cout'. Did you mean 'count'? The graph declares: count."),
        ("count", tf.CoercionError, "Variable 'count': expected int, got str 'text'."),
    ):
        with tf.build() as g:
            g.variable("count", "int", 0)
            g.add(Sets, name=name)
        assert str(bench.fails(error, g.graph)) == message


def test_services(bench):
    """Services are found by type, by base class, or by name; a missing one is an error that lists the public ones."""

    class Asks(tf.Node, id="asks", initiator=True):
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            notes = ctx.services.get("notes")
            notes.append((ctx.services.get(int), ctx.services.get("name"), ctx.services.get(float)))
            ctx.services.get("nme")

    with tf.build() as g:
        g.add(Asks)
    error = bench.fails(tf.UnknownName, g.graph, services={int: 5, "name": "x", "half": 0.5, "_own": 1})
    assert bench.notes == [(5, "x", 0.5)]
    assert str(error) == (
        "This run has no service 'nme'. Did you mean 'name'? It has: notes, life, int, name, half. "
        "Pass it to whoever runs the graph: services={'nme': ...}."
    )


def test_result_of_what_was_not_written(bench):
    """Asking a result for an output that nobody wrote is an error that offers what there is."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, "loop", times=1)
        g.connect(start.then, loop.enter)
    result = bench.run(g.graph)
    assert result.output("loop", "index") == 0
    with pytest.raises(tf.UnknownName, match=r"Nothing was written to loop.indx. Did you mean 'loop.index'\?"):
        result.output("loop", "indx")


def listening_graph():
    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        g.event("e")
        start = g.add(tf.nodes.Start)
        listen = g.add(tf.nodes.Listen, "listen", event="e")
        add = g.add(Add, by=listen.payload, after=1.0)
        chain(g, listen, add)
        second = g.add(tf.nodes.Listen, "second", event="e")
        note = g.add(Note, value=second.payload)
        chain(g, second, note)
    return g, start


def test_publish_runs_listeners_in_document_order(bench):
    """publish dispatches every listener in document order in the publisher's strand, and returns when done (B1)."""
    g, start = listening_graph()
    publish, after = g.add(tf.nodes.Publish, event="e", payload=5), g.add(Note, "after", value="after")
    chain(g, start, publish, after)
    result = bench.run(g.graph)
    assert (result.variables, bench.notes) == ({"total": 5}, [5, "after"])
    assert [row[1:] for row in bench.log.rows("started")] == [
        ("start", "0.0"), ("publish", "0.1"), ("listen", "0.1.0"), ("add", "0.1.1"), ("second", "0.1.2"),
        ("note", "0.1.3"), ("after", "0.2"),
    ]  # fmt: skip


def test_publishing_without_listener(bench):
    """Deeper without a listener does nothing; an undeclared event is an error (B2)."""

    class Publishes(tf.Node, id="publishes", initiator=True):
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            await ctx.publish("quiet")
            await ctx.publish("quite")

    with tf.build() as g:
        g.event("quiet")
        g.add(Publishes)
    assert str(bench.fails(tf.UnknownName, g.graph)) == (
        "There is no event 'quite'. Did you mean 'quiet'? The graph declares: quiet."
    )


def test_listener_that_publishes_its_own_event(bench):
    """A listener that publishes its own event nests, up to the depth limit (B2)."""
    with tf.build() as g:
        g.event("e")
        start, publish = g.add(tf.nodes.Start), g.add(tf.nodes.Publish, event="e")
        listen, again = g.add(tf.nodes.Listen, event="e"), g.add(tf.nodes.Publish, event="e")
        chain(g, start, publish)
        chain(g, listen, again)
    assert bench.fails(tf.DepthExceeded, g.graph, options=tf.RunOptions(max_depth=50)).limit == "depth"


def test_host_publishes_in_arrival_order():
    """What the host publishes is handled in arrival order, in a strand of its own that is joined at the end (B1)."""
    g, _ = listening_graph()

    async def main():
        notes = []
        async with tf.open_run(g.graph, services={"notes": notes}, options=tf.RunOptions(stay_open=True)) as run:
            run.publish_nowait("e", 1)
            await run.publish("e", 2)
            assert (notes, trio.current_time()) == ([1, 2], 2.0)
            await trio.sleep(10)
            await run.publish("e", 4)
            run.close()
            assert (await run.result()).variables == {"total": 7}
            with pytest.raises(tf.RunFinished, match="The run takes no events any more: 'e' was not published"):
                run.publish_nowait("e", 8)

    virtually(main)


def test_host_publish_and_a_run_that_fails():
    """Whoever waits for a published event is told if the run ends before it was handled (B1, B2)."""
    g, start = listening_graph()
    chain(g, start, g.add(Fail, after=0.5))

    async def main():
        with pytest.raises(ValueError, match="boom"):
            async with tf.open_run(g.graph, services={"notes": []}) as run:
                with pytest.raises(tf.RunFinished, match=r"The run ended \(failed\) before event 'e' was handled"):
                    await run.publish("e", 1)

    virtually(main)


def test_host_publish_and_a_run_that_is_cancelled():
    """Whoever waits for a published event is told so, too, if the run is cancelled meanwhile (B1)."""
    g, start = listening_graph()
    chain(g, start, g.add(Wait, seconds=5.0))

    async def main():
        async with tf.open_run(g.graph, services={"notes": []}) as run, trio.open_nursery() as nursery:
            nursery.start_soon(cancels_later, run)
            with pytest.raises(tf.RunFinished, match=r"The run ended \(cancelled\) before event 'e' was handled"):
                await run.publish("e", 1)

    virtually(main)


async def cancels_later(run):
    await trio.sleep(0.5)
    run.cancel()


def test_host_publish_and_a_run_that_is_torn_down():
    """A run that has failed, or been cancelled, takes no events, though it is not torn down yet (B1)."""

    class SlowDown(tf.Node, id="test.slow_down"):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None:
            raise ValueError("boom")

        async def teardown(self) -> None:
            await trio.sleep(2)

    g, start = listening_graph()
    chain(g, start, g.add(SlowDown))

    async def main():
        with pytest.raises(ValueError, match="boom"):
            async with tf.open_run(g.graph, services={"notes": []}) as run:
                await trio.sleep(1)
                with pytest.raises(tf.RunFinished, match="takes no events any more"):
                    run.publish_nowait("e", 1)

    virtually(main)


def test_host_publish_and_a_run_that_ends():
    """An event that was handled is no error, even if the run ends at once (B1)."""
    g, _ = listening_graph()

    async def main():
        options = tf.RunOptions(stay_open=True)
        async with tf.open_run(g.graph, services={"notes": []}, options=options) as run:
            run.close()
            await run.publish("e", 1)
            assert (await run.result()).variables == {"total": 1}

    virtually(main)


def test_events_of_a_run():
    """Who subscribes gets the events of this run, up to a thousand that it is behind (E3)."""
    with tf.build() as g:
        g.add(tf.nodes.Start)

    async def main():
        async with tf.open_run(g.graph) as run:
            log = run.events()
            assert {event.run async for event in log} == {run.id}
            assert repr(log) == "<Subscription: 0 of 1000 buffered, 0 dropped>"

    virtually(main)


def test_events_of_what_had_begun_before():
    """Who subscribes while a body runs is told where it was when it ends (E1, E3)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Wait, "wait"))

    async def main():
        async with tf.open_run(g.graph, services={"notes": []}) as run:
            await trio.sleep(0.5)
            return [(type(event).__name__, str(event.path)) async for event in run.events()]

    assert virtually(main) == [("NodeCompleted", "0.1"), ("RunCompleted", "root")]


def test_events_of_the_host_share_a_strand():
    """What the host publishes while the run goes on is handled one after the other, in a strand beside the initiators (B1)."""
    g, _ = listening_graph()

    async def main():
        notes, log = [], EventLog()
        options = tf.RunOptions(stay_open=True)
        async with tf.open_run(g.graph, services={"notes": notes}, options=options, observers=[log]) as run:
            await trio.sleep(1)
            run.publish_nowait("e", 1)
            await run.publish("e", 2)
            assert (notes, trio.current_time()) == ([1, 2], 3.0)
            run.close()
        heard = [event.path.as_tuple() for event in log.events if isinstance(event, tf.events.NodeStarted)]
        assert heard[0] == (0, 0)
        assert {path[0] for path in heard[1:]} == {1}

    virtually(main)


def test_the_strand_of_the_host_is_not_counted():
    """The host can publish to a run that may have no strand besides its first (B1, R8)."""
    g, start = listening_graph()
    chain(g, start, g.add(Wait, seconds=5.0))

    async def main():
        options = tf.RunOptions(max_strands=1)
        async with tf.open_run(g.graph, services={"notes": []}, options=options) as run:
            await trio.sleep(1)
            await run.publish("e", 3)
            assert (await run.result()).variables == {"total": 3}

    virtually(main)


def test_the_host_publishes_beside_concurrent_initiators():
    """A run whose initiators run concurrently takes events until the last of them is done, and then ends (B1, R2)."""
    g, start = listening_graph()
    chain(g, start, g.add(Wait, seconds=5.0))

    async def main():
        options = tf.RunOptions(parallel_initiators=True)
        async with tf.open_run(g.graph, services={"notes": []}, options=options) as run:
            for at in (1, 3):
                await trio.sleep_until(at)
                await run.publish("e", at)
            assert (await run.result()).variables == {"total": 4}
            assert trio.current_time() == 5.0
            with pytest.raises(tf.RunFinished):
                run.publish_nowait("e", 8)

    virtually(main)


# --- cancellation at every checkpoint ---


def cancel_graphs():
    yield resources("", "")
    with tf.build() as g:
        r, start = g.add(Resource, "r"), g.add(tf.nodes.Start)
        items, wait = g.add(Items, count=3), g.add(Wait, seconds=1.0)
        value = g.add(slow, x=items.item)
        note = g.add(Note, value=value.result)
        chain(g, start, r)
        g.connect(r.body, items.enter)
        g.connect(items.body, wait.enter)
        chain(g, wait, note)
    yield g.graph
    with tf.build() as g:
        g.event("e")
        start, parallel, race = g.add(tf.nodes.Start), g.add(tf.nodes.Parallel), g.add(tf.nodes.Race)
        r = g.add(Resource, "r")
        value = g.add(slow, x=1).result
        chain(g, start, r)
        g.connect(r.body, parallel.enter)
        for branch in (parallel.a, parallel.b):
            g.connect(branch, g.add(Note, value=value).enter)
        publish = g.add(tf.nodes.Publish, event="e")
        g.connect(parallel.c, publish.enter)
        chain(g, g.add(tf.nodes.Listen, event="e"), g.add(Wait, seconds=0.5))
        g.connect(parallel.done, race.enter)
        g.connect(race.a, g.add(Wait, seconds=1.0).enter)
        g.connect(race.b, g.add(Wait, seconds=2.0).enter)
    yield g.graph


@tf.data_node(id="slow")
async def slow(x: int) -> int:
    await trio.sleep(1)
    return x


class CancelAt(trio.abc.Instrument):
    """Cancels a scope when a task is about to run for the n-th time."""

    def __init__(self, scope, number):
        self.scope = scope
        self.left = number

    def before_task_step(self, task):
        self.left -= 1
        if self.left == 0:
            self.scope.cancel()


@pytest.mark.parametrize("graph", list(cancel_graphs()), ids=["resources", "stream", "branches"])
def test_cancelled_at_every_checkpoint(graph):
    """Cancelled at the 1st, 2nd, ... n-th step of a task: all activations close, no task is left, all torn down (R5)."""
    number = 0
    while True:
        number += 1
        log, life = EventLog(), []

        async def main(number=number, log=log, life=life):
            with trio.CancelScope() as scope:
                instrument = CancelAt(scope, number)
                trio.lowlevel.add_instrument(instrument)
                services = {"notes": [], "life": life}
                await tf.run(graph, observers=[log], services=services, options=tf.RunOptions(turn_after=math.inf))
            trio.lowlevel.remove_instrument(instrument)
            assert not trio.lowlevel.current_task().child_nurseries
            return instrument.left > 0

        unharmed = virtually(main)
        assert log.open() == []
        ups = [entry[3:] for entry in life if entry.startswith("up")]
        assert [entry[5:] for entry in life if entry.startswith("down")] == ups[::-1]
        ends = [type(event).__name__ for event in log if type(event).__name__ in ("RunCompleted", "RunCancelled")]
        if log.events:
            assert len(ends) == 1
        if unharmed:
            assert number > 3
            return
