"""How control moves: T1-T9."""

from __future__ import annotations

import math
from contextlib import AsyncExitStack

import pytest
import trio
from support import Deeper, Fail, Note, Wait, chain

import trioflow as tf
from trioflow.testing import run_virtual


def test_loop_log(bench):
    """A loop triggers its body once per index, each round a new activation, and then hands over (T1, T3, T6, T8)."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, "loop", times=2)
        body, after = g.add(Note, "body", value=loop.index), g.add(Note, "after", value="after")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, body.enter)
        g.connect(loop.done, after.enter)
    bench.run(g.graph)
    assert bench.notes == [0, 1, "after"]
    assert bench.log.rows() == [
        ("RunStarted", None, "root"),
        ("started", "start", "0.0"),
        ("completed", "start", "0.0"),
        ("started", "loop", "0.1"),
        ("started", "body", "0.1.0"),
        ("completed", "body", "0.1.0"),
        ("started", "body", "0.1.1"),
        ("completed", "body", "0.1.1"),
        ("completed", "loop", "0.1"),
        ("started", "after", "0.2"),
        ("completed", "after", "0.2"),
        ("RunCompleted", None, "root"),
    ]


def test_body_runs_each_time(bench):
    """A body that is triggered ten times runs ten times (T3)."""
    with tf.build() as g:
        start, loop, body = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=10), g.add(Note)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, body.enter)
    bench.run(g.graph)
    assert len(bench.notes) == 10


def test_targets_in_wire_order_each_with_its_hand_overs(bench):
    """Each target runs with everything it hands over to, before the next target (T1, T6, M3)."""
    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        a1, a2, b = g.add(Note, value="a1"), g.add(Note, value="a2"), g.add(Note, value="b")
        g.connect(start.then, a1.enter)
        g.connect(start.then, b.enter)
        g.connect(a1.then, a2.enter)
    bench.run(g.graph)
    assert bench.notes == ["a1", "a2", "b"]
    assert [row[2] for row in bench.log.rows("started")] == ["0.0", "0.1", "0.2", "0.3"]  # T8


def test_two_exec_paths_into_one_node(bench):
    """A node with two wires in runs once for each, and knows which input it was entered through (T5)."""

    class Doors(tf.Node, id="doors"):
        front = tf.ExecIn()
        back = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None:
            ctx.services.get("notes").append(ctx.entered)

    with tf.build() as g:
        start, doors = g.add(tf.nodes.Start), g.add(Doors)
        g.connect(start.then, doors.back)
        g.connect(start.then, doors.front)
    bench.run(g.graph)
    assert bench.notes == ["back", "front"]


def test_failure_ends_the_trigger(bench):
    """A failure ends the trigger: later targets are not dispatched, and the caller can catch it as itself (T1, R4)."""

    class Catch(tf.Node, id="catch"):
        enter = tf.ExecIn()
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            try:
                await ctx.trigger(self.body)
            except ValueError as error:
                ctx.services.get("notes").append(str(error))

    with tf.build() as g:
        start, catch, fail, never = g.add(tf.nodes.Start), g.add(Catch), g.add(Fail), g.add(Note, value="never")
        g.connect(start.then, catch.enter)
        g.connect(catch.body, fail.enter)
        g.connect(catch.body, never.enter)
    bench.run(g.graph)
    assert bench.notes == ["boom"]


def test_unconnected_output_is_a_cancellation_point():
    """Triggering an unconnected output does nothing, and is a cancellation point (T4)."""

    class Lonely(tf.Node, id="lonely", initiator=True):
        out = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            await ctx.trigger(self.out)
            with trio.CancelScope() as scope:
                scope.cancel()
                await ctx.trigger(self.out)
            assert scope.cancelled_caught

    with tf.build() as g:
        g.add(Lonely)
    assert run_virtual(g.graph).statistics.steps == 1


def test_every_dispatch_is_a_cancellation_point(bench):
    """A body that cancels its own scope gets no further than the next dispatch (T2)."""

    class Cancels(tf.Node, id="cancels", initiator=True):
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            with trio.CancelScope() as scope:
                await ctx.trigger(self.body)
                scope.cancel()
                await ctx.trigger(self.body)
            ctx.services.get("notes").append(scope.cancelled_caught)

    with tf.build() as g:
        node, note = g.add(Cancels), g.add(Note, value="ran")
        g.connect(node.body, note.enter)
    bench.run(g.graph)
    assert bench.notes == ["ran", True]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda ctx: ctx.trigger("bdy"),
            "Node 'loop' (t.undeclared) has no exec output 'bdy'. Did you mean 'body'? It declares: body, done.",
        ),
        (
            lambda ctx: ctx.get_input("tims"),
            "Node 'loop' (t.undeclared) has no data input 'tims'. Did you mean 'times'? It declares: times.",
        ),
        (
            lambda ctx: ctx.set_output("indx", 1),
            "Node 'loop' (t.undeclared) has no data output 'indx'. Did you mean 'index'? It declares: index.",
        ),
        (
            lambda ctx: ctx.emit("index", 1),
            "Node 'loop' (t.undeclared) has no stream with item output 'index'. It declares: none.",
        ),
    ],
)
def test_undeclared_socket(bench, act, message):
    """Using a socket that is not declared is an error that lists the declared ones (T4)."""

    class Undeclared(tf.Node, id="t.undeclared", initiator=True):
        times = tf.DataIn(int, default=1)
        index = tf.DataOut(int)
        body = tf.ExecOut()
        done = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            awaitable = act(ctx)
            if awaitable is not None:
                await awaitable

    with tf.build() as g:
        g.add(Undeclared, "loop")
    assert str(bench.fails(tf.UnknownSocket, g.graph)) == message


def test_returning_an_undeclared_socket(bench):
    """Returning something that is not an exec output is a failure of that activation (T4, T6)."""

    class Returns(tf.Node, id="t.returns", initiator=True):
        then = tf.ExecOut()

        async def execute(self, ctx):
            return "than"

    with tf.build() as g:
        g.add(Returns)
    error = bench.fails(tf.UnknownSocket, g.graph)
    assert str(error) == (
        "Node 'returns' (t.returns) has no exec output to return 'than'. Did you mean 'then'? It declares: then."
    )
    assert bench.log.rows("failed") == [("failed", "returns", "0.0")]


def test_one_trigger_at_a_time(bench):
    """A second trigger while one runs is an error that shows the cure (T7)."""

    class Both(tf.Node, id="both", initiator=True):
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ctx.trigger, self.body)
                await trio.sleep(0.5)
                await ctx.trigger(self.body)

    with tf.build() as g:
        both, wait = g.add(Both), g.add(Wait)
        g.connect(both.body, wait.enter)
    group = bench.fails(ExceptionGroup, g.graph)
    assert str(group.exceptions[0]) == (
        "Node 'both': trigger('body') while another trigger of the same activation is running. An activation runs one "
        "at a time. For concurrent work write\n    async with ctx.branches() as branches:\n"
        "        branches.start('body')\ninstead of starting ctx.trigger in a nursery."
    )


def test_trigger_from_a_task_of_the_body(bench):
    """A body may trigger from a task of its own, at any depth (T7)."""

    class FromTask(tf.Node, id="from task"):
        enter = tf.ExecIn()
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ctx.trigger, self.body)

    with tf.build() as g:
        start, one, two, note = g.add(tf.nodes.Start), g.add(FromTask), g.add(FromTask), g.add(Note, value="deep")
        g.connect(start.then, one.enter)
        g.connect(one.body, two.enter)
        g.connect(two.body, note.enter)
    bench.run(g.graph)
    assert bench.notes == ["deep"]


def test_loop_made_of_wires(bench):
    """A loop made of wires does not nest, however long it runs (T6)."""

    class Turn(tf.Node, id="turn"):
        enter = tf.ExecIn()
        again = tf.ExecOut()
        done = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.state["n"] = ctx.state.get("n", 0) + 1
            return self.again if ctx.state["n"] < 5000 else self.done

    with tf.build() as g:
        start, turn, note = g.add(tf.nodes.Start), g.add(Turn), g.add(Note, value="done")
        g.connect(start.then, turn.enter)
        g.connect(turn.again, turn.enter)
        g.connect(turn.done, note.enter)
    result = bench.run(g.graph, options=tf.RunOptions(max_depth=3))
    assert (bench.notes, result.statistics.steps) == (["done"], 5002)


def test_ten_thousand_levels():
    """Ten thousand nested triggers need no recursion (T9)."""
    with tf.build() as g:
        start, deep = g.add(tf.nodes.Start), g.add(Deeper, levels=10_000)
        g.connect(start.then, deep.enter)
        g.connect(deep.body, deep.enter)
    assert run_virtual(g.graph).statistics.steps == 10_001


@pytest.mark.parametrize("limit", [3, 16, 17, 100, 5000])
def test_depth_limit(bench, limit):
    """Beyond the depth limit DepthExceeded names the nodes that repeat (T9, R8)."""
    with tf.build() as g:
        start, deep = g.add(tf.nodes.Start), g.add(Deeper, "deep", levels=10_000)
        g.connect(start.then, deep.enter)
        g.connect(deep.body, deep.enter)
    log = []
    with pytest.raises(tf.DepthExceeded) as caught:
        run_virtual(g.graph, options=tf.RunOptions(max_depth=limit), observers=[log.append])
    assert str(caught.value) == (
        f"Activations nest deeper than {limit}: deep repeats. Let the nodes return their exec output instead of awaiting "
        "trigger (a hand-over does not nest), or raise RunOptions(max_depth=...)."
    )
    assert (caught.value.limit, caught.value.value) == ("depth", limit)
    assert [type(event).__name__ for event in log].count("LimitReached") == 1
    assert [type(event).__name__ for event in log].count("NodeStarted") == limit


def test_the_gate_is_before_the_limit():
    """A dispatch that would nest too deep waits at a closed gate before it fails (T2, T9)."""
    with tf.build() as g:
        start, deep = g.add(tf.nodes.Start), g.add(Deeper, "deep", levels=10)
        g.connect(start.then, deep.enter)
        g.connect(deep.body, deep.enter)

    async def main():
        async with tf.open_run(g.graph, options=tf.RunOptions(max_depth=3)) as run:
            run.gate.pause()
            run.gate.step(3)
            await run.gate.wait_parked()
            assert (run.status, run.statistics().strands_parked) == (tf.RunStatus.PAUSED, 1)
            run.gate.resume()
            with pytest.raises(tf.DepthExceeded):
                await run.result()
            assert run.statistics().steps == 4  # the one that was refused, too

    trio.run(main)


class Nested(tf.Middleware):
    """Opens nurseries inside each other around a node."""

    def applies(self, node, node_type):
        return node.id == "call"

    async def __call__(self, invocation):
        async with AsyncExitStack() as stack:
            for _ in range(256):
                await stack.enter_async_context(trio.open_nursery())
            await invocation()


def test_nurseries_around_a_call(bench):
    """Where too many nurseries are open around the call of a graph, that is told with its node (F8, C3)."""
    with tf.build() as inner:
        inner.connect(inner.declare_entry("in"), inner.add(Note).enter)
    with tf.build() as g:
        call = g.add(g.define("inner", inner.graph), "call")
        g.connect(g.add(tf.nodes.Start).then, call["in"])
    error = bench.fails(BaseException, g.graph, middleware=[Nested()])
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, tf.DepthExceeded)
    assert "at node 'call'" in str(error)
    (told,) = [event for event in bench.log if isinstance(event, tf.events.LimitReached)]
    assert (str(told.path), told.node, told.limit) == ("0.1", "call", "nesting")


def test_failure_through_many_levels():
    """A failure passes ten thousand levels and arrives as itself, noted once (R4, T9)."""

    class Deep(tf.Node, id="deep fail"):
        enter = tf.ExecIn()
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            ctx.state["level"] = ctx.state.get("level", 0) + 1
            if ctx.state["level"] == 10_000:
                raise ValueError("at the bottom")
            await ctx.trigger(self.body)

    with tf.build() as g:
        start, deep = g.add(tf.nodes.Start), g.add(Deep, "deep")
        g.connect(start.then, deep.enter)
        g.connect(deep.body, deep.enter)
    with pytest.raises(ValueError, match="at the bottom") as caught:
        run_virtual(g.graph)
    assert len(caught.value.__notes__) == 1
    assert caught.value.__notes__[0].startswith("in node 'deep' (deep fail), activation 0.1.0.0...0.0.0.0 (")


def test_cancellation_deep_inside():
    """A deadline ends an endless nesting, and a body that never waits (T2, R5)."""

    class Endless(tf.Node, id="endless"):
        enter = tf.ExecIn()
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            while True:
                await ctx.trigger(self.body)

    with tf.build() as g:
        start, endless, note = g.add(tf.nodes.Start), g.add(Endless), g.add(tf.nodes.Sequence)
        g.connect(start.then, endless.enter)
        g.connect(endless.body, note.enter)

    async def main():
        with trio.move_on_after(0.05) as scope:
            await tf.run(g.graph)
        return scope.cancelled_caught

    assert trio.run(main)


@pytest.mark.parametrize(("every", "turns"), [(64, 1), (8, 4)])
def test_scheduler_gets_its_turn(every, turns):
    """Other tasks get a turn at least every so many dispatches (T2)."""
    with tf.build() as g:
        start, loop, body = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=64), g.add(tf.nodes.Sequence)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, body.enter)
    seen = []

    async def main():
        async with trio.open_nursery() as nursery:

            async def host():
                while True:
                    seen.append(run.statistics().steps)
                    await trio.lowlevel.checkpoint()

            async with tf.open_run(g.graph, options=tf.RunOptions(turn_every=every, turn_after=math.inf)) as run:
                nursery.start_soon(host)
                await run.result()
            nursery.cancel_scope.cancel()

    trio.run(main)
    gaps = [after - before for before, after in zip(seen, seen[1:], strict=False)]
    # In each of its rounds trio may run the host first or last: between two of its turns there may be two of ours.
    assert max(gaps) <= 2 * every
    assert sum(gap > 0 for gap in gaps) >= turns


def test_a_slow_body_gives_turns_by_time():
    """Bodies that take long give the scheduler its turn by time, not by count (T2)."""
    import time

    class Slow(tf.Node, id="slow"):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None:
            time.sleep(0.002)

    with tf.build() as g:
        start, loop, body = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=20), g.add(Slow)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, body.enter)
    turns = 0

    async def main():
        nonlocal turns
        async with tf.open_run(g.graph) as run:
            while run.status in (tf.RunStatus.NOT_STARTED, tf.RunStatus.RUNNING):
                turns += 1
                await trio.lowlevel.checkpoint()

    trio.run(main)
    assert turns >= 15


def test_repeated_wire_dispatches_twice(bench):
    """Two wires between the same exec sockets dispatch twice (M3)."""
    with tf.build() as g:
        start, note = g.add(tf.nodes.Start), g.add(Note, value=1)
        chain(g, start, note)
        chain(g, start, note)
    bench.run(g.graph)
    assert bench.notes == [1, 1]
