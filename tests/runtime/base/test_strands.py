"""Forks at their edges: what is told of them, how many there may be, and in which order they fail (F1 to F4, R4, R8)."""

from __future__ import annotations

import pytest
import trio
from support import Note, chain

import trioflow as tf
from trioflow import events


class Forks(tf.Node, id="strands.forks"):
    """Starts its branches, and does with them what the service `act` says."""

    enter = tf.ExecIn()
    one = tf.ExecOut()
    two = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        async with ctx.branches() as branches:
            await ctx.services.get("act")(branches.start(self.one), branches.start(self.two))


class Sets(tf.Node, id="strands.sets"):
    """Sets the variable, sleeps, and fails if it is to, at the end or when it is cancelled."""

    enter = tf.ExecIn()
    to = tf.DataIn(int, default=0)
    seconds = tf.DataIn(float, default=0.0)
    fails = tf.DataIn(str, default="")

    async def execute(self, ctx: tf.Context) -> None:
        ctx.set_variable("v", await ctx.get_input(self.to))
        try:
            await trio.sleep(await ctx.get_input(self.seconds))
            if await ctx.get_input(self.fails) == "at the end":
                raise ValueError(ctx.node.id)
        except trio.Cancelled:
            if ctx.node.inputs.get("fails") == "when cancelled":
                raise KeyError(ctx.node.id) from None
            raise


def graph(one, two):
    with tf.build() as g:
        g.variable("v", "int", 5)
        forks = g.add(Forks, "forks")
        chain(g, g.add(tf.nodes.Start), forks)
        g.connect(forks.one, g.add(Sets, "one", **one).enter)
        g.connect(forks.two, g.add(Sets, "two", **two).enter)
    return g.graph


async def nothing(one, two): ...


def test_what_is_told(bench):
    """A fork tells which node forked it, when it starts and when it is joined, and so does a conflict (F1, F3, F4)."""
    bench.run(graph({"to": 1}, {"to": 2}), services={"act": nothing})
    told = [
        (type(event).__name__, str(event.path), event.node)
        for event in bench.log
        if isinstance(event, (events.StrandForked, events.StrandJoined, events.MergeConflict))
    ]
    assert told == [
        ("StrandForked", "0.1.0", "forks"),
        ("StrandForked", "0.1.1", "forks"),
        ("StrandJoined", "0.1.0", "forks"),
        ("MergeConflict", "0.1.1", "forks"),
        ("StrandJoined", "0.1.1", "forks"),
    ]


@pytest.mark.parametrize(("cancelled", "value"), [(None, 2), (0, 2), (1, 1)])
def test_cancelled_fork_writes_nothing(bench, cancelled, value):
    """What a fork wrote does not count if it was cancelled by itself, and it is not joined (F2, F3)."""

    async def act(*forks):
        if cancelled is not None:
            await trio.sleep(1)
            forks[cancelled].cancel()

    both = graph({"to": 1, "seconds": 10.0}, {"to": 2, "seconds": 10.0})
    result = bench.run(both, services={"act": act})
    assert result.variables["v"] == value
    joined = [str(event.path) for event in bench.log if isinstance(event, events.StrandJoined)]
    assert joined == [f"0.1.{place}" for place in (0, 1) if place != cancelled]


def test_order_of_failures(bench):
    """Two failures come in the order of the forks, whichever was first; a single one comes alone (R4, F3)."""
    both = graph({"seconds": 9.0, "fails": "when cancelled"}, {"seconds": 1.0, "fails": "at the end"})
    error = bench.fails(ExceptionGroup, both, services={"act": nothing})
    assert [type(each) for each in error.exceptions] == [KeyError, ValueError]
    (failed,) = (event for event in bench.log if isinstance(event, events.RunFailed))
    assert str(failed.origin) == "0.1.1.0"
    alone = graph({"seconds": 9.0}, {"seconds": 1.0, "fails": "at the end"})
    bench.fails(ValueError, alone, services={"act": nothing})


@pytest.mark.parametrize(("limit", "fits"), [(2, False), (3, True)])
def test_number_of_strands(bench, limit, fits):
    """As many strands may be alive as the run says, the first one counted (R8)."""
    options = tf.RunOptions(max_strands=limit)
    two = graph({"seconds": 1.0}, {"seconds": 1.0})
    if fits:
        statistics = bench.run(two, services={"act": nothing}, options=options).statistics
        assert (statistics.forks, statistics.strands) == (2, 0)
        return
    error = bench.fails(tf.LimitExceeded, two, services={"act": nothing}, options=options)
    assert (error.limit, error.value) == ("strands", limit)


def test_branch_at_an_unknown_output(bench):
    """A branch at an exec output that is not there is told with the node, and those there are (T4)."""

    class Odd(tf.Node, id="strands.odd"):
        enter = tf.ExecIn()
        one = tf.ExecOut()
        two = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with ctx.branches() as branches:
                branches.start("three")

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Odd, "odd"))
    error = bench.fails(tf.UnknownSocket, g.graph)
    assert str(error) == "Node 'odd' (strands.odd) has no exec output 'three'. It declares: one, two."


def test_lazy_inputs_of_graphs_around(bench):
    """In a fork, what passes through several graphs is computed where it stands in them, for each of them once (C4, F1)."""
    calls = []

    @tf.data_node(id="strands.plus")
    async def plus(x: int, by: int) -> int:
        calls.append((x, by))
        return x + by

    with tf.build() as inner:
        into, forks = inner.declare_entry("in"), inner.add(Forks, "forks")
        y = inner.declare_input("y", lazy=True)
        inner.connect(into, forks.enter)
        for output in (forks.one, forks.two):
            inner.connect(output, inner.add(Note, value=inner.add("math.add", a=y, b=1).result).enter)
    with tf.build() as middle:
        into, x = middle.declare_entry("in"), middle.declare_input("x", lazy=True)
        for _ in range(5):
            middle.add(Note, value="never")
        call = middle.add(middle.define("inner", inner.graph), "inner")
        middle.connect(middle.add(plus, x=x, by=10).result, call.y)
        middle.connect(into, call["in"])
    with tf.build() as g:
        z = g.declare_input("z", "int", 5, lazy=True)
        call = g.add(g.define("middle", middle.graph), "middle", x=g.add(plus, x=z, by=100).result)
        g.connect(g.add(tf.nodes.Start).then, call["in"])
    bench.run(g.graph, services={"act": nothing})
    assert bench.notes == [116, 116]
    assert sorted(calls) == [(5, 100), (105, 10)]
