"""Bodies that enter nurseries or cancel scopes and don't leave them are named; nothing is left open (R4)."""

from __future__ import annotations

import pytest
import trio
from support import chain

import trioflow as tf
from trioflow.testing import run_virtual


@tf.exec_node(id="test.opens")
async def opens(what: str, ctx: tf.Context) -> None:
    if "n" in what:
        nursery = await trio.open_nursery().__aenter__()
        nursery.start_soon(trio.sleep_forever)
    if "s" in what:
        trio.CancelScope().__enter__()
    if "f" in what:
        raise ValueError("failed too")


@tf.data_node(id="test.opens_data")
async def opens_data(fails: bool = False) -> int:
    trio.CancelScope().__enter__()
    if fails:
        raise ValueError("failed too")
    return 1


def in_a_scope_of_the_host(graph, **given):
    """Runs it where trio's own error would come: inside a cancel scope and a nursery of the host."""

    async def main():
        async with trio.open_nursery():
            with trio.move_on_after(5):
                return await tf.run(graph, **given)

    try:
        return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("s", "entered 1 cancel scope and not left it"),
        ("n", "entered 1 nursery and not left it"),
        ("nns", "entered 1 nursery and 1 cancel scope and not left them"),
    ],
)
@pytest.mark.parametrize("parallel", [False, True])
def test_an_exec_node(what, said, parallel):
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(opens, "culprit", what=what), g.add(tf.nodes.Delay, seconds=1))
    with pytest.raises(tf.NodeError, match=said) as caught:
        in_a_scope_of_the_host(g.graph, options=tf.RunOptions(parallel_initiators=parallel))
    assert str(caught.value).startswith("Node 'culprit' (test.opens) has")
    assert caught.value.__notes__[0] == "in node 'culprit' (test.opens), activation 0.1"


def test_deep_inside_and_caught():
    """The rest of the run goes on as if it had not been."""
    with tf.build() as g:
        attempt = g.add("flow.try", "try")
        chain(g, g.add(tf.nodes.Start), attempt)
        g.connect(attempt.body, g.add(opens, "culprit", what="ns").enter)
        g.connect(attempt.catch, g.add(tf.nodes.Delay, "after", seconds=1).enter)
    assert in_a_scope_of_the_host(g.graph).statistics.steps == 4


def test_a_body_that_fails_too():
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(opens, "culprit", what="sf"))
    with pytest.raises(ValueError, match="failed too") as caught:
        in_a_scope_of_the_host(g.graph)
    assert caught.value.__notes__[0].startswith("It has entered 1 cancel scope and not left it.")


@pytest.mark.parametrize("fails", [False, True])
def test_a_data_node(fails):
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add("debug.print", value=g.add(opens_data, "culprit", fails=fails).result))
    with pytest.raises((tf.NodeError, ValueError)) as caught:
        in_a_scope_of_the_host(g.graph)
    told = caught.value.__notes__[0] if fails else str(caught.value)
    assert told.startswith("Data node 'culprit' (test.opens_data) has entered 1 cancel scope and not left it.")


@pytest.mark.parametrize("when", ["setup", "teardown"])
def test_setup_and_teardown(when):
    class Opens(tf.Node, id="test.life"):
        enter = tf.ExecIn()

        async def setup(self, ctx: tf.SetupContext) -> None:
            if when == "setup":
                trio.CancelScope().__enter__()

        async def execute(self, ctx: tf.Context) -> None: ...

        async def teardown(self) -> None:
            if when == "teardown":
                trio.CancelScope().__enter__()

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Opens, "culprit"))
    with pytest.raises(tf.NodeError, match=f"Its `{when}` has entered 1 cancel scope") as caught:
        in_a_scope_of_the_host(g.graph)
    assert "node 'culprit'" in caught.value.__notes__[0]


def test_who_runs_a_graph_inside_a_run_too_deep_is_told():
    """Runs in runs take Python's stack: a limit error that names `max_depth` comes before a RecursionError."""

    @tf.exec_node
    async def again() -> None:
        await tf.run(g.graph)

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(again, "again"))
    with pytest.raises(tf.DepthExceeded, match=r"runs are inside each other.*max_depth.*graph:NAME") as caught:
        trio.run(tf.run, g.graph)
    assert (caught.value.limit, caught.value.value) == ("depth", 100_000)


def test_some_runs_inside_each_other():
    @tf.exec_node
    async def again(left: int) -> int:
        if left:
            await tf.run(g.graph, variables={"left": left - 1})
        return left

    with tf.build() as g:
        g.variable("left", "int", 20)
        node = g.add(again, "again", left=g.add("variable.get", name="left").result)
        chain(g, g.add(tf.nodes.Start), node)
    assert run_virtual(g.graph).output("again") == 20


class StopsAsync(tf.Node, id="test.stops"):
    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        raise StopAsyncIteration("end")


@pytest.mark.parametrize("way", ["in sequence", "in a branch", "as an item", "in open_run"])
def test_stop_async_iteration_arrives_as_itself(way):
    with tf.build() as g:
        start, stops = g.add(tf.nodes.Start), g.add(StopsAsync, "stops")
        if way == "in a branch":
            parallel = g.add("flow.parallel")
            g.connect(start.then, parallel.enter)
            g.connect(parallel.a, stops.enter)
        elif way == "as an item":
            each = g.add(tf.nodes.ForEach, items=[1])
            g.configure(each, mode="concurrent")
            g.connect(start.then, each.enter)
            g.connect(each.body, stops.enter)
        else:
            g.connect(start.then, stops.enter)

    async def main():
        if way != "in open_run":
            return await tf.run(g.graph)
        async with tf.open_run(g.graph) as run:
            return await run.result()

    with pytest.raises(StopAsyncIteration, match="end") as caught:
        trio.run(main)
    assert caught.value.__notes__[0].startswith("in node 'stops' (test.stops), activation 0.")
