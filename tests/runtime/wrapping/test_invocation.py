"""What a middleware does with an invocation: attempts, isolation, answers, fired nodes, what it is told (A1-A8)."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
import trio
from support import STANDARD, Add, Deeper, Fail, Items, Note, Resource, Wait, chain, increment

import trioflow as tf


class Wrap(tf.Middleware):
    """A middleware made of a function."""

    def __init__(self, call, *nodes, isolates=False):
        self.nodes = nodes or None
        self.isolates = isolates
        self.call = call

    async def __call__(self, invocation):
        return await self.call(invocation)

    def __repr__(self):
        return f"Wrap({self.call.__name__})"


class Flaky(tf.Node, id="wrap.flaky"):
    """Fails so many times, which it counts outside of the store; triggers before, if wired."""

    enter = tf.ExecIn()
    fails = tf.DataIn(int, default=2)
    value = tf.DataIn(object, default=None)
    result = tf.DataOut(int)
    body = tf.ExecOut()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        seen = ctx.services.get("notes")
        count = sum(1 for each in seen if each == f"run {ctx.node.id}") + 1
        seen.append(f"run {ctx.node.id}")
        ctx.set_output(self.result, count)
        ctx.state["runs"] = ctx.state.get("runs", 0) + 1
        ctx.emit_feedback(f"{ctx.random.random()}")
        await ctx.trigger(self.body)
        if count <= await ctx.get_input(self.fails):
            raise OSError(f"run {count}")
        return self.then


def flaky(fails=2, below=None, after=True):
    """A graph of start, a flaky node, what it triggers, and a note after it."""
    with tf.build(STANDARD) as g:
        g.variable("total", "int", 0, merge="sum")
        start, node = g.add(tf.nodes.Start), g.add(Flaky, "flaky", fails=fails)
        chain(g, start, node)
        if below is not None:
            g.connect(node.body, below(g))
        if after:
            g.connect(node.then, g.add(Note, "after", value=node.result).enter)
    return g.graph


def paths(bench, *kinds):
    return [row[1:] for row in bench.log.rows(*kinds)]


# --- attempts (A2) ---------------------------------------------------------------------------------------------------


def test_attempts_have_paths_of_their_own(bench):
    """The first attempt's paths are as ever; later ones have a mark, and no path comes twice (A2, T8)."""
    bench.run(flaky(below=lambda g: g.add(Add, "add").enter), middleware=[tf.Retry(3, nodes=["flaky"])])
    assert paths(bench, "started") == [
        ("start", "0.0"),
        ("flaky", "0.1"),
        ("add", "0.1.0"),
        ("add", "0.1.~2.0"),
        ("add", "0.1.~3.0"),
        ("after", "0.2"),
    ]
    assert bench.log.events[-1].sequence == len(bench.log.events) - 1


def test_attempts_are_not_steps(bench):
    """Attempts count neither as steps nor as levels (A2)."""
    graph = flaky(below=lambda g: g.add(Add, "add").enter)
    result = bench.run(
        graph, middleware=[tf.Retry(3, nodes=["flaky"])], options=tf.RunOptions(max_depth=3, max_steps=6)
    )
    assert result.statistics.steps == 6


def test_random_numbers_start_afresh_in_each_attempt(bench):
    """Each attempt has random numbers of its own, the same in every run (A2, R6)."""

    def drawn():
        bench.run(flaky(), middleware=[tf.Retry(3, nodes=["flaky"])])
        return [event.message for event in bench.log if isinstance(event, tf.events.Feedback)]

    first = drawn()
    assert len(set(first)) == 3
    assert drawn() == first
    bench.run(flaky(0))
    assert [event.message for event in bench.log if isinstance(event, tf.events.Feedback)] == first[:1]


def test_attempts_within_attempts_never_meet(bench):
    """Of nested retries each run of the body has a path and random numbers of its own (A2)."""
    retries = [tf.Retry(2, nodes=["flaky"]), tf.Retry(2, nodes=["flaky"])]
    bench.run(flaky(3, below=lambda g: g.add(Add, "add").enter), middleware=retries)
    below = [path for node, path in paths(bench, "started") if node == "add"]
    assert below == ["0.1.0", "0.1.~2.0", "0.1.~3.0", "0.1.~3.~2.0"]
    drawn = [event.message for event in bench.log if isinstance(event, tf.events.Feedback)]
    assert len(set(drawn)) == 4


def test_attempts_of_evaluations_within_attempts_never_meet(bench):
    """The same for a data node (A2)."""
    drawn = []

    @tf.data_node(id="wrap.draws")
    def draws(ctx: tf.DataContext) -> float:
        drawn.append(ctx.random.random())
        if len(drawn) < 4:
            raise OSError
        return drawn[-1]

    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(draws, "draws").result))
    retries = [tf.Retry(2, nodes=["draws"]), tf.Retry(2, nodes=["draws"])]
    bench.run(g.graph, middleware=retries)
    assert len(set(drawn)) == 4
    assert bench.notes == [drawn[-1]]


def test_eager_inputs_are_resolved_once(bench):
    """Eager inputs are resolved once for all attempts, what a body asks for is asked afresh (A2, A5)."""
    asked = []

    @tf.data_node(id="wrap.eager", volatile=True)
    def eager() -> int:
        asked.append("eager")
        return len(asked)

    @tf.data_node(id="wrap.late", volatile=True)
    def late() -> int:
        asked.append("late")
        return len(asked)

    seen = []

    @tf.exec_node(id="wrap.takes")
    async def takes(value: int, more: tf.Lazy[int]) -> None:
        seen.append((value, await more()))
        if len(seen) < 3:
            raise OSError

    with tf.build(STANDARD) as g:
        node = g.add(takes, "takes", value=g.add(eager).result, more=g.add(late).result)
        chain(g, g.add(tf.nodes.Start), node)
    for isolated in (False, True):
        asked.clear()
        seen.clear()
        bench.run(g.graph, middleware=[tf.Retry(3, nodes=["takes"], isolated=isolated)])
        assert asked == ["eager", "late", "late", "late"]
        assert seen == [(1, 2), (1, 3), (1, 4)]


def test_inputs_that_failed_are_resolved_again_and_then_kept(bench):
    """What a second attempt has resolved, a third one gets (A2)."""
    asked, seen = [], []

    @tf.data_node(id="wrap.fragile", volatile=True)
    def fragile() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise OSError("input")
        return len(asked)

    @tf.exec_node(id="wrap.takes")
    def takes(value: int) -> None:
        seen.append(value)
        if len(seen) < 2:
            raise OSError("body")

    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(takes, "takes", value=g.add(fragile).result))
    bench.run(g.graph, middleware=[tf.Retry(3, nodes=["takes"])])
    assert (len(asked), seen) == (2, [2, 2])


def test_inputs_of_a_call_are_resolved_once(bench):
    """The same for a call of a graph (A2, A5)."""
    asked = []

    @tf.data_node(id="wrap.eager", volatile=True)
    def eager() -> int:
        asked.append(1)
        return len(asked)

    with tf.build(STANDARD) as inner:
        into, value = inner.declare_entry("in"), inner.declare_input("value", "int")
        out = inner.declare_exit("out")
        note, node = inner.add(Note, value=value), inner.add(Flaky, "flaky", fails=2)
        inner.connect(into, note.enter)
        inner.connect(note.then, node.enter)
        inner.connect(node.then, out)
    with tf.build(STANDARD) as g:
        call = g.add(g.define("called", inner.graph), "call", value=g.add(eager).result)
        start = g.add(tf.nodes.Start)
        g.connect(start.then, call["in"])
    bench.run(g.graph, middleware=[tf.Retry(3, nodes=["call"])])
    assert len(asked) == 1
    assert [each for each in bench.notes if each != "run call/flaky" and each != "run flaky"] == [1, 1, 1]
    assert [path for node, path in paths(bench, "started") if node == "call/flaky"] == [
        "0.1.1",
        "0.1.~2.1",
        "0.1.~3.1",
    ]


def test_each_attempt_of_an_evaluation_is_a_moment(bench):
    """A volatile node that a data node asks for itself is asked afresh in each attempt (A2, D6)."""
    asked, seen = [], []

    @tf.data_node(id="wrap.clock", volatile=True)
    def clock() -> int:
        asked.append(1)
        return len(asked)

    @tf.data_node(id="wrap.asks")
    async def asks(value: tf.Lazy[int]) -> int:
        seen.append((await value(), await value()))
        if len(seen) < 3:
            raise OSError
        return seen[-1][0]

    with tf.build(STANDARD) as g:
        node = g.add(asks, "asks", value=g.add(clock).result)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=node.result))
    bench.run(g.graph, middleware=[tf.Retry(3, nodes=["asks"])])
    assert seen == [(1, 1), (2, 2), (3, 3)]
    assert bench.notes == [3]


def test_a_failed_attempt_leaves_what_it_wrote(bench):
    """Outputs, variables and state of failed attempts stay (A3)."""
    result = bench.run(
        flaky(below=lambda g: g.add(Add, "add").enter), middleware=[tf.Retry(3, nodes=["flaky"], delay=0)]
    )
    assert result.variables["total"] == 3
    assert result.output("flaky") == 3


def test_the_context_of_an_attempt_ends_with_it(bench):
    """A context that was kept beyond its attempt is dead, that of every attempt (A2)."""
    kept = []

    @tf.exec_node(id="wrap.keeps")
    def keeps(ctx: tf.Context) -> None:
        kept.append(ctx)
        if len(kept) < 3:
            raise OSError

    @tf.data_node(id="wrap.keeps_too")
    def keeps_too(ctx: tf.DataContext) -> int:
        kept.append(ctx)
        if len(kept) % 3:
            raise OSError
        return 1

    with tf.build(STANDARD) as g:
        node = g.add(keeps, "keeps")
        chain(g, g.add(tf.nodes.Start), node, g.add(Note, value=g.add(keeps_too).result))
    bench.run(g.graph, middleware=[tf.Retry(3)])
    assert len(kept) == 6
    for context in kept:
        with pytest.raises(tf.NodeError, match="was used after its"):
            context.get_variable("x")


def test_a_failed_evaluation_closes_all_its_contexts(bench):
    """Also where every attempt fails (A2)."""
    kept = []

    @tf.data_node(id="wrap.keeps")
    def keeps(ctx: tf.DataContext) -> int:
        kept.append(ctx)
        raise OSError("never")

    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(keeps, "keeps").result))
    bench.fails(OSError, g.graph, middleware=[tf.Retry(3, nodes=["keeps"])])
    assert len(kept) == 3
    for context in kept:
        with pytest.raises(tf.NodeError, match="was used after its"):
            context.set_output("result", 1)


def test_concurrent_attempts(bench):
    """A middleware may make attempts at the same time, and take the first that succeeds (A2)."""

    async def hedge(invocation):
        outcomes = []

        async def attempt(delay):
            await trio.sleep(delay)
            outcomes.append(await invocation(isolated=invocation.kind == "activation"))
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(attempt, 0)
            nursery.start_soon(attempt, 1)
        return outcomes[0]

    class Slow(tf.Node, id="wrap.slow"):
        enter = tf.ExecIn()
        body = tf.ExecOut()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.set_variable("total", ctx.get_variable("total") + 1)
            await ctx.trigger(self.body)
            await trio.sleep(5 if len(ctx.path) < 3 else 1)
            return self.then

    @tf.data_node(id="wrap.slow_data")
    async def slow_data(ctx: tf.DataContext, x: tf.Lazy[int]) -> int:
        await trio.sleep(5 * ctx.random.random())
        return await x()

    with tf.build(STANDARD) as g:
        g.variable("total", "int", 0)
        node = g.add(Slow, "slow")
        value = g.add(slow_data, "data", x=g.add(increment, x=1).result).result
        chain(g, g.add(tf.nodes.Start), node, g.add(Note, value=value))
        g.connect(node.body, g.add(Wait, "wait", seconds=0.5).enter)
    result = bench.run(g.graph, middleware=[Wrap(hedge, "slow", "data", isolates=True)])
    assert result.variables["total"] == 1
    assert bench.notes == ["end of wait", "end of wait", 2]
    assert 2.5 < result.statistics.elapsed < 7.5


# --- isolated attempts (A3) ------------------------------------------------------------------------------------------


def test_an_isolated_attempt_that_fails_leaves_nothing(bench):
    """Outputs, variables and state of a failed attempt are dropped, those of the one that succeeds joined (A3)."""
    result = bench.run(
        flaky(below=lambda g: g.add(Add, "add").enter), middleware=[tf.Retry(3, nodes=["flaky"], isolated=True)]
    )
    assert (result.variables["total"], result.output("flaky")) == (1, 3)
    assert [path for node, path in paths(bench, "started") if node == "add"] == ["0.1.0", "0.1.~2.0", "0.1.~3.0"]
    error = bench.fails(
        OSError,
        flaky(5, below=lambda g: g.add(Add, "add").enter),
        middleware=[tf.Retry(2, nodes=["flaky"], isolated=True)],
    )
    assert str(error) == "run 2"


def test_what_an_isolated_attempt_sees(bench):
    """It starts with what is there, sees what it writes, and so does who comes after it (A3, F1)."""
    seen = []

    class Counts(tf.Node, id="wrap.counts"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.state["n"] = ctx.state.get("n", 0) + 1
            ctx.set_variable("total", ctx.get_variable("total") + 1)
            seen.append((ctx.state["n"], ctx.get_variable("total"), ctx.path))
            if len(seen) % 2:
                raise OSError
            return self.then

    with tf.build(STANDARD) as g:
        g.variable("total", "int", 10)
        loop, node = g.add(tf.nodes.ForLoop, times=2), g.add(Counts, "counts")
        g.connect(g.add(tf.nodes.Start).then, loop.enter)
        g.connect(loop.body, node.enter)
    result = bench.run(g.graph, middleware=[tf.Retry(2, nodes=["counts"], isolated=True)])
    assert [each[:2] for each in seen] == [(1, 11), (1, 11), (2, 12), (2, 12)]
    assert result.variables["total"] == 12


@pytest.mark.parametrize("policy", ["last", "first", "sum", "error"])
def test_isolated_attempts_and_merge_policies(bench, policy):
    """Nobody else writes meanwhile, so the attempt's values are taken, whatever the policy (A3, F4)."""
    with tf.build(STANDARD) as g:
        g.variable("total", "int", 1, merge=policy)
        before, node = g.add(Add, "before", by=10), g.add(Flaky, "flaky", fails=1)
        g.connect(node.body, g.add(Add, "add", by=100).enter)
        chain(g, g.add(tf.nodes.Start), before, node, g.add(Add, "after", by=1000))
    result = bench.run(g.graph, middleware=[tf.Retry(3, nodes=["flaky"], isolated=True)])
    assert result.variables["total"] == 1111


def test_isolated_attempts_of_items_and_branches(bench):
    """Isolated attempts inside of concurrent strands, of nodes that have strands themselves (A3, F3)."""
    with tf.build(STANDARD) as g:
        g.variable("total", "int", 0, merge="sum")
        items, node = g.add(Items, "items", count=3), g.add(Flaky, "flaky", fails=2)
        parallel = g.add(tf.nodes.Parallel, "parallel")
        inner = g.add(Items, "inner", count=2)
        g.connect(g.add(tf.nodes.Start).then, items.enter)
        g.connect(items.body, node.enter)
        g.connect(node.body, parallel.enter)
        g.connect(parallel.a, g.add(Add, by=1).enter)
        g.connect(parallel.b, inner.enter)
        g.connect(inner.body, g.add(Add, by=10, after=0.5).enter)
    result = bench.run(g.graph, middleware=[tf.Retry(9, nodes=["flaky"], isolated=True)])
    assert result.variables["total"] == 3 * 21
    everything = tf.Retry(9, isolated=True)
    assert bench.run(g.graph, middleware=[everything]).variables["total"] == 3 * 21


def test_isolated_attempts_of_a_call(bench):
    """A call is isolated with all that happens inside; its exit and outputs are those of the last attempt (A3, C5)."""
    with tf.build(STANDARD) as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        node = inner.add(Flaky, "flaky", fails=2)
        inner.connect(into, node.enter)
        inner.connect(node.then, out)
        inner.connect(node.result, inner.declare_output("result", "int"))
    with tf.build(STANDARD) as g:
        call = g.add(g.define("called", inner.graph), "call")
        g.connect(g.add(tf.nodes.Start).then, call["in"])
        g.connect(call.out, g.add(Note, value=call.result).enter)
    for nodes in (["call"], ["call/flaky"], ["call", "call/flaky"]):
        bench.run(g.graph, middleware=[tf.Retry(3, nodes=nodes, isolated=True)])
        assert bench.notes[-1] == 3


def test_isolation_is_refused_where_a_node_may_leave_its_graph():
    """Nodes that may call back or publish shared events are refused before the run, all at once (A3, C6, C7)."""
    with tf.build(STANDARD) as inner:
        inner.event("ping", shared=True)
        into, each = inner.declare_entry("in"), inner.declare_exit("each", callback=True)
        first, second = inner.add(Add, "first"), inner.add(Add, "second")
        publish, last = inner.add(tf.nodes.Publish, "publish", event="ping"), inner.add(Add, "last")
        inner.connect(into, first.enter)
        inner.connect(first.then, second.enter)
        inner.connect(second.then, each)
        inner.connect(second.then, publish.enter)
        inner.connect(publish.then, last.enter)
        inner.variable("total", "int", 0)
    with tf.build(STANDARD) as g:
        call = g.add(g.define("called", inner.graph), "call")
        g.connect(g.add(tf.nodes.Start).then, call["in"])
    names = ["call/first", "call/publish", "call/last"]
    with pytest.raises(tf.MiddlewareError) as caught:
        tf.testing.run_virtual(g.graph, middleware=[tf.Retry(isolated=True, nodes=names)])
    assert [line[:63] for line in str(caught.value).splitlines()] == [
        "Retry(3) isolates the attempts of node 'call/first', but it lea",
        "Retry(3) isolates the attempts of node 'call/publish', but 'pub",
    ]
    tf.testing.run_virtual(g.graph, middleware=[tf.Retry(isolated=True, nodes=["call", "call/last"])])
    tf.testing.run_virtual(g.graph, middleware=[tf.Retry(nodes=names)])


def test_isolation_must_be_announced(bench):
    """Who isolates without saying so in its class is told how to (A3)."""

    async def alone(invocation):
        return await invocation(isolated=True)

    error = bench.fails(tf.MiddlewareError, flaky(0), middleware=[Wrap(alone, "flaky")])
    assert str(error) == (
        "Wrap(alone), around node 'flaky' (wrap.flaky), isolates an attempt, but does not say so beforehand. Write "
        "`isolates = True` in its class, so that nodes which can't be isolated are refused before the run."
    )


def test_isolated_attempts_in_each_other_take_no_stack(bench):
    """A node that nests, each level in an isolated attempt, is bounded by depth alone (A3, T9)."""
    with tf.build(STANDARD) as g:
        node = g.add(Deeper, "deep", levels=600)
        g.connect(g.add(tf.nodes.Start).then, node.enter)
        g.connect(node.body, node.enter)
    result = bench.run(g.graph, middleware=[tf.Retry(2, isolated=True, nodes=["deep"])])
    assert result.statistics.steps == 601
    error = bench.fails(
        tf.DepthExceeded,
        g.graph,
        middleware=[tf.Retry(1, isolated=True, nodes=["deep"])],
        options=tf.RunOptions(max_depth=100),
    )
    assert error.value == 100


def test_many_middlewares_take_no_stack(bench):
    """Many middlewares around a node that nests (T9)."""
    with tf.build(STANDARD) as g:
        node = g.add(Deeper, "deep", levels=100)
        g.connect(g.add(tf.nodes.Start).then, node.enter)
        g.connect(node.body, node.enter)
    assert bench.run(g.graph, middleware=[tf.TimeLimit(1)] * 40).statistics.steps == 101


def test_an_isolated_attempt_is_cancelled_with_nothing_left(bench):
    """An attempt that a time limit cuts off leaves nothing, and the next one may succeed (A3)."""

    class Slow(tf.Node, id="wrap.slow"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.set_variable("total", ctx.get_variable("total") + 1)
            await trio.sleep(5 if len(ctx.path) < 3 else 0.5)
            return self.then

    with tf.build(STANDARD) as g:
        g.variable("total", "int", 0)
        chain(g, g.add(tf.nodes.Start), g.add(Slow, "slow"))
    result = bench.run(g.graph, middleware=[tf.Retry(2, isolated=True, jitter=0, nodes=["slow"]), tf.TimeLimit(2)])
    assert (result.variables["total"], result.statistics.elapsed) == (1, 3.5)


# --- middlewares around each other -----------------------------------------------------------------------------------


def test_a_time_limit_around_a_retry(bench):
    """What is outermost is for all attempts, with the waits between them."""
    bench.fails(tf.NodeTimeout, flaky(5), middleware=[tf.TimeLimit(3.5), tf.Retry(9, jitter=0, nodes=["flaky"])])
    assert bench.notes == ["run flaky"] * 3


def test_skipping_around_a_retry(bench):
    """The last failure may be skipped; and a retry around sees no failure where it was skipped."""
    bench.run(flaky(5), middleware=[tf.SkipOnError(nodes=["flaky"]), tf.Retry(2, nodes=["flaky"])])
    assert bench.notes == ["run flaky"] * 2
    assert paths(bench, "skipped") == [("flaky", "0.1")]
    bench.run(flaky(5), middleware=[tf.Retry(2, nodes=["flaky"]), tf.SkipOnError(nodes=["flaky"])])
    assert bench.notes == ["run flaky"]


def test_only_named_failures_are_tried_again(bench):
    """`on` says which exceptions; others go on at once."""
    bench.fails(OSError, flaky(), middleware=[tf.Retry(3, on=ValueError)])
    assert bench.notes == ["run flaky"]
    with pytest.raises(ValueError, match="RetryPolicy.attempts: expected a whole number of at least 1, got 0"):
        tf.Retry(0)
    with pytest.raises(
        ValueError, match="expected a duration of 0 or more, in seconds or as a text such as '30s', got -1"
    ):
        tf.Retry(1, delay=-1)
    assert repr(tf.Retry(4)) == "Retry(4)"
    assert repr(tf.SkipOnError()) == "SkipOnError()"


# --- answers (A4) ----------------------------------------------------------------------------------------------------


class Fields(NamedTuple):
    whole: int
    rest: int


@tf.exec_node(id="wrap.exec_single")
def exec_single(x: int) -> int:
    return x


@tf.exec_node(id="wrap.exec_fields")
async def exec_fields() -> Fields:
    return Fields(0, 0)


@tf.exec_node(id="wrap.exec_none")
def exec_none() -> None: ...


@tf.data_node(id="wrap.data_fields")
def data_fields() -> Fields:
    return Fields(0, 0)


class DataClass(tf.Node, id="wrap.data_class"):
    value = tf.DataOut(int)
    other = tf.DataOut(int)

    async def execute(self, ctx: tf.DataContext) -> None:
        ctx.set_output(self.value, 0)


def answering(*nodes, **answer):
    async def answers(invocation):
        return invocation.answer(**answer)

    return Wrap(answers, *nodes)


def has(node, name):
    try:
        return node[name] is not None
    except tf.UnknownSocket:
        return False


def graph_with(make, *values):
    """A graph in which a node is entered, or asked for these outputs."""
    with tf.build(STANDARD) as g:
        g.variable("v", "int", 0)
        node = make(g)
        start = g.add(tf.nodes.Start)
        last = start.then
        if has(node, "enter"):
            g.connect(last, node.enter)
            last = node.then if has(node, "then") else node.done
        for value in values:
            note = g.add(Note, value=node[value])
            g.connect(last, note.enter)
            last = note.then
    return g.graph


def called(g, *, data):
    with tf.build(STANDARD) as inner:
        if not data:
            inner.connect(inner.declare_entry("enter"), inner.declare_exit("then"))
        for name in ("whole", "rest"):
            inner.connect(inner.add(increment, x=0).result, inner.declare_output(name, "int"))
    return g.add(g.define("called", inner.graph), "node")


@pytest.mark.parametrize(
    ("make", "outputs"),
    [
        (lambda g: g.add(exec_single, "node", x=1), {"result": 42}),
        (lambda g: g.add(exec_fields, "node"), {"whole": 4, "rest": 2}),
        (lambda g: g.add(exec_none, "node"), {}),
        (lambda g: g.add(Flaky, "node"), {"result": 42}),
        (lambda g: g.add(Items, "node"), {"item": 42}),
        (lambda g: called(g, data=False), {"whole": 4, "rest": 2}),
        (lambda g: g.add(increment, "node", x=1), {"result": 42}),
        (lambda g: g.add(data_fields, "node"), {"whole": 4, "rest": 2}),
        (lambda g: g.add(DataClass, "node"), {"value": 4, "other": 2}),
        (lambda g: called(g, data=True), {"whole": 4, "rest": 2}),
    ],
)
def test_answers_for_every_kind_of_body(bench, make, outputs):
    """A middleware may answer instead of any body, in the same way (A4)."""
    graph = graph_with(make, *outputs)
    exits = [each.name for each in tf.make_plan(graph, STANDARD).node("node").type.exec_outputs]
    answer = {"exit": "then" if "then" in exits else "done"} if exits else {}
    bench.run(graph, middleware=[answering("node", outputs=outputs, **answer)])
    assert bench.notes == [*outputs.values()]


def test_an_answer_of_everything(bench):
    """Outputs, exit, variables and state are written as the body would have (A4)."""
    answer = answering("flaky", outputs={"result": 7}, exit=Flaky.then, variables={"total": 5}, state={"runs": 3})
    graph = flaky(0)
    result = bench.run(graph, middleware=[answer])
    assert (bench.notes, result.variables["total"]) == ([7], 5)
    bench.run(graph, middleware=[answering("flaky", exit=None)])
    assert bench.notes == []


def wrong(bench, graph, **answer):
    error = bench.fails(tf.MiddlewareError, graph, middleware=[answering("node", **answer)])
    head = r"Wrap\(answers\), around node 'node' \([\w.:]+\), answers in a way that its type does not allow: (.*)\."
    return re.fullmatch(head, str(error))[1].split("; ")


def test_wrong_answers(bench):
    """All that the type does not allow is told at once, with the middleware and the node (A4)."""
    graph = graph_with(lambda g: g.add(Flaky, "node"))
    assert wrong(bench, graph, outputs={"reslt": 1, "result": "x"}, exit="thn", variables={"v": "x", "w": 1}) == [
        "there is no data output 'reslt'. Did you mean 'result'? It declares: result",
        "output 'result': expected int, got str 'x'",
        "variable 'v': expected int, got str 'x'",
        "variable 'w': There is no variable 'w'. The graph declares: v.",
        "there is no exec output 'thn'. Did you mean 'then'? It declares: body, then",
    ]
    assert wrong(bench, graph) == ["it has the exec outputs body, then: say at which it goes on, or exit=None"]
    graph = graph_with(lambda g: g.add(exec_fields, "node"))
    assert wrong(bench, graph, outputs={"rest": 1}) == ["output 'whole' is missing"]
    graph = graph_with(lambda g: g.add(increment, "node", x=1), "result")
    assert wrong(bench, graph, exit="then", variables={"v": 1}) == [
        "output 'result' is missing",
        "there is no exec output 'then'. It declares: none",
        "a data node sets no variables and keeps no state",
    ]


def test_no_outcome(bench):
    """A middleware that returns anything else is named, with what to return (A4)."""

    async def nothing(invocation):
        await invocation()

    async def text(invocation):
        return "then"

    error = bench.fails(tf.MiddlewareError, flaky(0), middleware=[Wrap(nothing, "flaky")])
    assert str(error) == (
        "Wrap(nothing), around node 'flaky' (wrap.flaky), returned NoneType instead of an Outcome. Return what "
        "`await invocation()`, `invocation.answer(...)` or `invocation.skip(...)` gives."
    )
    bench.fails(tf.MiddlewareError, flaky(0), middleware=[Wrap(text, "flaky")])


def test_the_outcome_of_another_activation_is_refused(bench):
    """An outcome that was kept from another activation says nothing of this one; its data may be answered (A4)."""
    kept = []

    async def again(invocation):
        if not kept:
            kept.append(await invocation())
            kept.append(dict(kept[0].outputs))
        return kept[0]

    async def data(invocation):
        if not kept:
            kept.append(await invocation())
            kept.append(dict(kept[0].outputs))
            return kept[0]
        return invocation.answer(kept[1])

    with tf.build(STANDARD) as g:
        first, second = g.add(increment, "first", x=1), g.add(increment, "second", x=2)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=first.result), g.add(Note, value=second.result))
    error = bench.fails(tf.MiddlewareError, g.graph, middleware=[Wrap(again, "first", "second")])
    assert "returned the outcome of another activation or evaluation" in str(error)
    kept.clear()
    bench.run(g.graph, middleware=[Wrap(data, "first", "second")])
    assert bench.notes == [2, 2]


def test_an_unknown_exit_of_the_body_is_seen(bench):
    """A body that returns what its type does not declare fails inside of the middlewares (T4)."""

    class Wrong(tf.Node, id="wrap.wrong"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            return "nowhere"

    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Wrong, "wrong"))
    bench.run(g.graph, middleware=[tf.SkipOnError(errors=tf.UnknownSocket)])
    assert paths(bench, "skipped") == [("wrong", "0.1")]


# --- outcomes (A6) ---------------------------------------------------------------------------------------------------


def test_an_outcome_can_be_answered(bench):
    """What a body did in one activation can be done by an answer in another, deleted state included (A4, A6)."""
    kept, seen = [], []

    class Forgets(tf.Node, id="wrap.forgets"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.state["a"] = [1]
            ctx.state["b"] = 2
            del ctx.state["b"]
            return self.then

    async def answers(invocation):
        seen.append(dict(invocation.context.state))
        if not kept:
            outcome = await invocation()
            kept.append((outcome.outputs, outcome.exit, outcome.state))
            outcome.state["a"].append("a copy")
            return outcome
        return invocation.answer(kept[0][0], kept[0][1], state={**kept[0][2], "a": "again"})

    with tf.build(STANDARD) as g:
        loop = g.add(tf.nodes.ForLoop, times=3)
        g.connect(g.add(tf.nodes.Start).then, loop.enter)
        g.connect(loop.body, g.add(Forgets, "node").enter)
    bench.run(g.graph, middleware=[Wrap(answers, "node")])
    assert seen == [{}, {"a": [1]}, {"a": "again"}]


def test_outcomes_are_plain_data(bench):
    """Outputs, exit, variables and state that were written, and whether anything was dispatched (A6)."""
    told = []

    class Writes(tf.Node, id="wrap.writes"):
        enter = tf.ExecIn()
        result = tf.DataOut(int)
        other = tf.DataOut(int)
        body = tf.ExecOut()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.set_output(self.result, 1)
            ctx.set_variable("total", 2)
            ctx.state.update(a=3, b=4)
            del ctx.state["b"]
            await ctx.trigger(self.body)
            if len(told) < 1:
                told.append(None)
                raise OSError
            return self.then

    async def looks(invocation):
        outcome = await invocation()
        told.append(outcome)
        told.append((outcome.outputs, outcome.exit, outcome.variables, outcome.state, outcome.dispatched))
        return outcome

    def graph(*, wired):
        with tf.build(STANDARD) as g:
            g.variable("total", "int", 0)
            g.variable("more", "int", 0)
            node = g.add(Writes, "node")
            chain(g, g.add(tf.nodes.Start), node)
            if wired:
                g.connect(node.body, g.add(exec_none).enter)
        return g.graph

    for isolated in (False, True):
        for wired in (False, True):
            told.clear()
            middleware = [Wrap(looks, "node"), tf.Retry(2, nodes=["node"], isolated=isolated)]
            bench.run(graph(wired=wired), middleware=middleware)
            assert told[-1] == ({"result": 1}, "then", {"total": 2}, {"a": 3, "b": tf.UNSET}, wired)
            assert repr(told[-2]) == "<outcome: then>"


@pytest.mark.parametrize("attempts", [1, 2])
def test_outcomes_of_evaluations(bench, attempts):
    """The outputs of a data node, of whatever kind of body; it has nothing else (A6)."""
    told = []

    async def looks(invocation):
        for _ in range(attempts):
            outcome = await invocation()
        told.append((dict(outcome.outputs), outcome.exit, dict(outcome.variables), outcome.dispatched))
        return outcome

    for make, names, outputs in (
        (lambda g: g.add(increment, "node", x=1), ["result"], {"result": 2}),
        (lambda g: g.add(data_fields, "node"), ["whole"], {"whole": 0, "rest": 0}),
        (lambda g: g.add(DataClass, "node"), ["value"], {"value": 0}),
    ):
        told.clear()
        bench.run(graph_with(make, *names), middleware=[Wrap(looks, "node")])
        assert told == [(outputs, None, {}, False)]
        assert bench.notes == [outputs[names[0]]]


def test_an_outcome_can_be_read_after_later_attempts(bench):
    """An outcome of an attempt tells of it as long as the activation goes on (A6)."""
    told = []

    async def twice(invocation):
        first = await invocation()
        second = await invocation()
        told.append((first.exit, second.exit, dict(second.outputs), dict(second.variables)))
        return second

    bench.run(flaky(0, below=lambda g: g.add(Add, "add").enter), middleware=[Wrap(twice, "flaky")])
    assert told == [("then", "then", {"result": 2}, {"total": 2})]


# --- fired nodes (A4) ------------------------------------------------------------------------------------------------


def firing(name, inputs=None, told=None, answers=None):
    async def fires(invocation):
        outcome = await invocation.fire(name, inputs or {})
        if told is not None:
            told.append((dict(outcome.outputs), outcome.exit, dict(outcome.variables), outcome.dispatched))
        return await invocation() if answers is None else invocation.answer(**answers)

    return fires


def firing_graph(make=lambda g: g.add(exec_single, "other", x=1)):
    with tf.build(STANDARD) as g:
        g.variable("total", "int", 0)
        other = make(g)
        start, node = g.add(tf.nodes.Start), g.add(exec_none, "node")
        chain(g, start, node, g.add(Note, "last", value=g.add(increment, "data", x=5).result))
        if has(other, "then"):
            g.connect(other.then, g.add(Note, "never", value="never").enter)
    return g.graph


def test_firing_a_node(bench):
    """Another node of the graph runs below the activation, with a mark in its path, and hands nothing over (A4)."""
    told = []
    result = bench.run(firing_graph(), middleware=[Wrap(firing("other", {"x": 9}, told), "node")])
    assert told == [({"result": 9}, "then", {}, False)]
    assert paths(bench, "started")[:3] == [("start", "0.0"), ("node", "0.1"), ("other", "0.1.!0")]
    assert bench.notes == [6]
    assert (result.statistics.steps, result.output("other")) == (4, 9)


def test_firing_leaves_the_inputs_that_are_not_given(bench):
    """What is not given is as it is there, and None is a value (A4, D1)."""
    told = []
    bench.run(firing_graph(), middleware=[Wrap(firing("other", None, told), "node")])
    assert told[0][0] == {"result": 1}
    note = firing("note", {"value": None})
    bench.run(firing_graph(lambda g: g.add(Note, "note", value=3)), middleware=[Wrap(note, "node")])
    assert bench.notes == [None, 6]


def test_firing_after_the_inputs_were_resolved(bench):
    """A fired node has inputs of its own, also with middlewares around it (A4, A5)."""

    async def fires(invocation):
        assert await invocation.inputs() == {"x": 1}
        await invocation.fire("note", {"value": "fired"})
        return await invocation()

    async def looks(invocation):
        assert await invocation.inputs() == {"value": "fired"}
        return await invocation()

    with tf.build(STANDARD) as g:
        note = g.add(Note, "note", value=3)
        chain(g, g.add(tf.nodes.Start), g.add(exec_single, "node", x=1))
        assert note is not None
    bench.run(g.graph, middleware=[Wrap(fires, "node"), Wrap(looks, "note")])
    assert bench.notes == ["fired"]


def test_middlewares_of_a_fired_node(bench):
    """They are around it as ever: it may be tried again, or skipped, which is told (A4, E1)."""
    graph = firing_graph(lambda g: g.add(Flaky, "other", fails=1))
    bench.run(graph, middleware=[Wrap(firing("other"), "node"), tf.Retry(2, nodes=["other"])])
    assert bench.notes == ["run other", "run other", 6]
    told = []

    async def fires(invocation):
        told.append((await invocation.fire("other")).skipped)
        return await invocation()

    bench.run(graph, middleware=[Wrap(fires, "node"), tf.SkipOnError(nodes=["other"])])
    assert str(told[0]) == "run 1"
    assert paths(bench, "skipped") == [("other", "0.1.!0")]


def test_a_fired_node_that_fails(bench):
    """What it raises is raised, with where it arose (A4, E2)."""
    error = bench.fails(
        ValueError,
        firing_graph(lambda g: g.add(Fail, "other")),
        middleware=[Wrap(firing("other"), "node")],
    )
    assert error.__notes__ == ["in node 'other' (test.fail), activation 0.1.!0"]
    assert paths(bench, "failed") == [("other", "0.1.!0"), ("node", "0.1")]


def test_firing_every_kind_of_node(bench):
    """Classes with setup, streams, calls of graphs, initiators (A4)."""
    told = []

    def called_there(g):
        node = called(g, data=False)
        return node

    for name, make, outputs in (
        ("other", lambda g: g.add(Resource, "other"), {}),
        ("other", lambda g: g.add(Items, "other"), {"item": 2}),
        ("node", called_there, {"whole": 1, "rest": 1}),
    ):
        told.clear()
        with tf.build(STANDARD) as g:
            make(g)
            chain(g, g.add(tf.nodes.Start), g.add(exec_none, "first"))
        for _ in range(2):
            bench.run(g.graph, middleware=[Wrap(firing(name, None, told), "first")])
        assert [each[0] for each in told] == [outputs, outputs]
        assert bench.life == (["up other", "down other"] if name == "other" and not outputs else [])


def test_firing_in_a_called_graph(bench):
    """A name is that of a node in the graph in which the middleware's node is (A4)."""
    with tf.build(STANDARD) as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        node = inner.add(exec_none, "node")
        inner.add(Note, "inside", value=1)
        inner.connect(into, node.enter)
        inner.connect(node.then, out)
    with tf.build(STANDARD) as g:
        call = g.add(g.define("called", inner.graph), "call")
        g.connect(g.add(tf.nodes.Start).then, call["in"])
        g.add(Note, "outside", value=2)
    bench.run(g.graph, middleware=[Wrap(firing("inside", {"value": "x"}), "call/node")])
    assert bench.notes == ["x"]
    assert ("call/inside", "0.1.0.!0") in paths(bench, "started")
    error = bench.fails(tf.MiddlewareError, g.graph, middleware=[Wrap(firing("outside"), "call/node")])
    assert str(error) == (
        "Wrap(fires), around node 'call/node' (wrap.exec_none), fires 'outside', but there is no such node in its "
        "graph. Did you mean 'inside'? It can fire: node, inside. Name one of them, or add a node 'outside' that no "
        "wire leads to."
    )
    error = bench.fails(tf.MiddlewareError, g.graph, middleware=[Wrap(firing("leave"), "call/node")])
    assert "that is the boundary of the graph" in str(error)


def test_wrong_firing(bench):
    """Data nodes can't be fired, nor with inputs that there are not or other types; evaluations fire nothing (A4)."""
    graph = firing_graph()

    def message(*arguments, node="node", error=tf.MiddlewareError):
        return str(bench.fails(error, graph, middleware=[Wrap(firing(*arguments), node)]))

    assert "fires 'data', but that is a data node, which does nothing." in message("data")
    assert message("other", {"y": 1, "x": "one"}).endswith(
        "fires 'other' with inputs that it can't take: it has no data input 'y'. It declares: x; "
        "input 'x': expected int, got str 'one'."
    )
    assert message("other", node="data", error=TypeError) == (
        "Data node 'data' can't fire 'other': evaluations have no effects (D8)."
    )


def test_a_fired_node_counts(bench):
    """It is a step and a level: the limits hold for it (A4, R8, T9)."""
    fires = Wrap(firing("other"), "node")
    error = bench.fails(tf.LimitExceeded, firing_graph(), middleware=[fires], options=tf.RunOptions(max_steps=2))
    assert error.limit == "steps"
    error = bench.fails(tf.DepthExceeded, firing_graph(), middleware=[fires], options=tf.RunOptions(max_depth=1))
    assert error.limit == "depth"


def test_a_node_that_fires_itself_ends_at_the_depth(bench):
    """Firing nests without Python's stack, up to the run's depth (A4, T9)."""
    graph = firing_graph()
    options = tf.RunOptions(max_depth=500)
    error = bench.fails(tf.DepthExceeded, graph, middleware=[Wrap(firing("node"), "node")], options=options)
    assert error.value == 500


def test_firing_in_an_attempt(bench):
    """What is fired in an attempt has the attempt in its path; numbers go on within one (A4)."""

    async def fires(invocation):
        await invocation.fire("other")
        await invocation.fire("other")
        return await invocation()

    graph = firing_graph()
    bench.run(graph, middleware=[Wrap(fires, "node")])
    assert [path for node, path in paths(bench, "started") if node == "other"] == ["0.1.!0", "0.1.!1"]
    count = []

    async def twice(invocation):
        count.append(await invocation())
        return await invocation()

    bench.run(graph, middleware=[Wrap(twice, "node"), Wrap(firing("other"), "node")])
    assert [path for node, path in paths(bench, "started") if node == "other"] == ["0.1.!0", "0.1.~2.!0"]


def test_the_gate_is_before_a_fired_node():
    """A breakpoint stops before a fired node, too (A1, A4, G3)."""

    async def main():
        hit = []
        services = {"notes": []}
        fires = Wrap(firing("other"), "node")
        async with tf.open_run(firing_graph(), middleware=[fires], services=services) as run:
            run.gate.add_breakpoint("other")
            async for event in run.events():
                if isinstance(event, tf.events.BreakpointHit):
                    hit.append(event.node)
                    run.gate.resume()
        assert hit == ["other"]

    trio.run(main)


# --- looking and telling (A1, A5, A8) --------------------------------------------------------------------------------


def test_what_an_invocation_tells_of_itself(bench):
    """Kind, node, type, context and address (A1)."""
    told = []

    async def looks(invocation):
        told.append((invocation.kind, invocation.node.id, invocation.type.id, str(invocation.address)))
        await invocation()
        outcome = await invocation()
        told.append((type(invocation.context).__name__, str(invocation.address)))
        return outcome

    bench.run(firing_graph(), middleware=[Wrap(looks, "node", "data")])
    assert told == [
        ("activation", "node", "wrap.exec_none", "node at 0.1"),
        ("BodyContext", "node at 0.1, attempt 2"),
        ("evaluation", "data", "test.increment", "data at 0.2"),
        ("EvaluationContext", "data at 0.2, attempt 2"),
    ]


def test_inputs_are_those_that_the_body_sees(bench):
    """The values of the eager inputs, for both kinds of nodes; lazy ones are not asked for (A5)."""
    told = []

    @tf.data_node(id="wrap.chance", volatile=True)
    def chance() -> int:
        told.append("asked")
        return len(told)

    @tf.exec_node(id="wrap.takes")
    async def takes(value: int, lazy: tf.Lazy[int]) -> int:
        return value

    async def looks(invocation):
        told.append(dict(await invocation.inputs()))
        outcome = await invocation()
        told.append(dict(outcome.outputs))
        return outcome

    with tf.build(STANDARD) as g:
        value = g.add(chance, "chance").result
        node = g.add(takes, "takes", value=value, lazy=value)
        data = g.add(increment, "data", x=node.result)
        chain(g, g.add(tf.nodes.Start), node, g.add(Note, value=data.result))
    bench.run(g.graph, middleware=[Wrap(looks, "takes", "data")])
    assert told == ["asked", {"value": 1}, {"result": 1}, {"x": 1}, {"result": 2}]


def test_inputs_that_are_missing(bench):
    """What resolving them raises is raised to the middleware (A5, D7)."""
    caught = []

    async def looks(invocation):
        try:
            await invocation.inputs()
        except tf.MissingInput as error:
            caught.append(error)
        return invocation.answer({"result": 1})

    with tf.build(STANDARD) as g:
        later = g.add(exec_single, "later", x=1)
        node = g.add(exec_single, "node", x=later.result)
        chain(g, g.add(tf.nodes.Start), node)
    bench.run(g.graph, middleware=[Wrap(looks, "node")])
    assert len(caught) == 1


def test_telling(bench):
    """A middleware's own events come in order with the rest, with node and path (A8)."""
    bench.run(flaky(1), middleware=[tf.Retry(2, nodes=["flaky"], delay=3, jitter=0)])
    told = [event for event in bench.log if isinstance(event, tf.RetryScheduled)]
    assert [(each.node, str(each.path), each.attempt, each.delay, str(each.error)) for each in told] == [
        ("flaky", "0.1", 1, 3, "run 1")
    ]
    assert [event.sequence for event in bench.log] == [*range(len(bench.log.events))]
    assert bench.log.trace() == bench.log.trace()


def test_telling_of_an_evaluation_in_a_called_graph(bench):
    """The name is that from the outermost graph (A8, C8)."""
    runs = []

    @tf.data_node(id="wrap.fragile")
    def fragile() -> int:
        runs.append(1)
        if len(runs) < 2:
            raise OSError
        return 1

    with tf.build(STANDARD) as inner:
        inner.connect(inner.add(fragile, "fragile").result, inner.declare_output("y", "int"))
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(g.define("d", inner.graph), "call").y))
    bench.run(g.graph, middleware=[tf.Retry(2, nodes=["call/fragile"])])
    assert [(row[1], row[2]) for row in bench.log.rows("RetryScheduled")] == [("call/fragile", "0.1")]


# --- addresses (A1) --------------------------------------------------------------------------------------------------


def test_a_name_is_of_the_outermost_graph(bench):
    """`work` is not `call/work`; patterns are of types, in whatever graph; unknown names are refused at once (A1)."""
    with tf.build(STANDARD) as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        work = inner.add(Add, "work")
        inner.variable("total", "int", 0)
        inner.connect(into, work.enter)
        inner.connect(work.then, out)
    with tf.build(STANDARD) as g:
        g.variable("total", "int", 0)
        call, work = g.add(g.define("called", inner.graph), "call"), g.add(Add, "work")
        g.connect(g.add(tf.nodes.Start).then, call["in"])
        g.connect(call.out, work.enter)
    seen = []

    async def looks(invocation):
        seen.append(invocation.address.name)
        return await invocation()

    def run(*nodes):
        seen.clear()
        bench.run(g.graph, middleware=[Wrap(looks, *nodes)])
        return [*seen]

    assert run("work") == ["work"]
    assert run("call/work") == ["call/work"]
    assert run("test.a*") == ["call/work", "work"]
    assert run("no.such.type*") == []
    with pytest.raises(tf.UnknownName) as caught:
        bench.run(
            g.graph,
            middleware=[Wrap(looks, "wrk", "call/wrk"), tf.Retry(nodes=["cal"])],
            options=tf.RunOptions(streams={"wok": tf.StreamSettings(limit=1)}),
        )
    assert [line.split(" Name ")[0] for line in str(caught.value).splitlines()] == [
        "Wrap: there is no node 'call/wrk'. Did you mean 'call/work', 'call/enter' or 'call'?",
        "Wrap: there is no node 'wrk'. Did you mean 'work'?",
        "Retry: there is no node 'cal'. Did you mean 'call'?",
        "RunOptions.streams: there is no node 'wok'. Did you mean 'work'?",
    ]
    with pytest.raises(TypeError, match=r"got the text 'work'. Write \['work'\]"):
        bench.run(g.graph, middleware=[tf.Retry(nodes="work")])


class Extends(tf.Node, id="wrap.extends"):
    """Changes the list that it gets, which is notes' business to see."""

    enter = tf.ExecIn()
    value = tf.DataIn(list)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value = await ctx.get_input(self.value)
        value.append("changed")
        return self.then


def listed(x: int) -> list:
    return [x]


def test_outcomes_of_evaluations_are_copies(bench):
    """What a middleware does to the outputs that it sees is not seen by whoever asked for them (A6)."""

    async def spoils(invocation):
        outcome = await invocation()
        outcome.outputs["result"].append("spoilt")
        return outcome

    with tf.build() as g:
        made = g.add(listed, "made", x=3)
        chain(g, g.add(tf.nodes.Start), g.add(Note, "note", value=made.result))
    bench.run(g.graph, middleware=[Wrap(spoils, "made")])
    assert bench.notes == [[3]]


def test_answers_are_copies(bench):
    """A graph that changes what a middleware has answered does not change what that keeps for the next run (R7)."""
    kept = {"result": [3]}

    async def answers(invocation):
        return invocation.answer(kept)

    with tf.build() as g:
        made = g.add(listed, "made", x=3)
        chain(g, g.add(tf.nodes.Start), g.add(Extends, "extends", value=made.result))
    bench.run(g.graph, middleware=[Wrap(answers, "made")])
    assert kept == {"result": [3]}


def test_inputs_of_fired_nodes_are_copies(bench):
    """A node that changes what it is fired with does not change what the middleware has given it (R7)."""
    given = {"value": [3]}

    async def fires(invocation):
        await invocation.fire("extends", given)
        return await invocation()

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, "note", value=1))
        g.add(Extends, "extends", value=[])
    bench.run(g.graph, middleware=[Wrap(fires, "note")])
    assert given == {"value": [3]}
