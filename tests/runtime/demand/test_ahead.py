"""Evaluations ahead: inputs of one node are resolved at once, and nobody sees more of it than that it is quicker (D12)."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from runtime.scripted import ASKED, KINDS, networks
from support import STANDARD, Items, Note, Wait, chain

import trioflow as tf
from trioflow.semantics.planning import make_plan
from trioflow.testing import EventLog, run_virtual

ONE_BY_ONE = tf.RunOptions(max_ahead=0)


@tf.data_node(id="ahead.slow")
async def slow(x: int, seconds: float, ctx: tf.DataContext) -> int:
    """Says when it begins and ends, and how."""
    says = ctx.services.get("says")
    says.append(f"{ctx.node.id} begins")
    try:
        await trio.sleep(seconds)
    except trio.Cancelled:
        says.append(f"{ctx.node.id} cut off")
        raise
    says.append(f"{ctx.node.id} ends")
    return x


@tf.data_node(id="ahead.fails")
async def fails(x: int, seconds: float) -> int:
    await trio.sleep(seconds)
    raise ValueError(f"boom {x}")


@tf.data_node(id="ahead.add")
def add(a: int, b: int) -> int:
    return a + b


@tf.data_node(id="ahead.eight")
def eight(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int) -> int:
    return sum((a, b, c, d, e, f, g, h))


@tf.exec_node(id="ahead.take")
async def take(a: int, b: int, ctx: tf.Context) -> None:
    ctx.services.get("notes").append((a, b))


class Takes(tf.Node, id="ahead.takes"):
    enter = tf.ExecIn()
    a = tf.DataIn(int)
    b = tf.DataIn(int)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.services.get("notes").append((await ctx.get_input(self.a), await ctx.get_input(self.b)))
        return self.then


@pytest.fixture
def says():
    return []


def summed(g, left, right):
    return g.add(add, a=left.result, b=right.result)


def noted(g, value):
    """A graph that notes a value, and the time."""
    chain(g, g.add(tf.nodes.Start), g.add(Note, value=value.result))
    return g.graph


def elapsed(bench, graph, **arguments):
    bench.run(graph, **arguments)
    return round(bench.log.events[-1].time, 6)


# --- time ------------------------------------------------------------------------------------------------------------


def of_eight():
    with tf.build(STANDARD) as g:
        sources = [g.add(slow, f"s{number}", x=number, seconds=0.05) for number in range(8)]
        return noted(g, g.add(eight, **dict(zip("abcdefgh", (each.result for each in sources), strict=True))))


@pytest.mark.parametrize(("most", "seconds"), [(16, 0.05), (7, 0.05), (3, 0.1), (1, 0.2), (0, 0.4)])
def test_as_many_at_once_as_may_be(bench, says, most, seconds):
    options = tf.RunOptions(max_ahead=most)
    assert elapsed(bench, of_eight(), options=options, services={"says": says}) == seconds
    assert bench.notes == [28]


@pytest.mark.parametrize("taker", [take, Takes])
def test_inputs_of_exec_nodes(bench, says, taker):
    """The inputs of functions and classes that are dispatched are resolved at once too, the first time and later."""
    with tf.build(STANDARD) as g:
        g.variable("v", "int", 1)
        v = g.add(tf.nodes.GetVariable, name="v").result
        p, q = g.add(slow, "p", x=v, seconds=1.0), g.add(slow, "q", x=v, seconds=1.0)
        takes = g.add(taker, a=p.result, b=q.result)
        again = g.add(taker, a=p.result, b=q.result)
        changes = [g.add(tf.nodes.SetVariable, name="v", value=value) for value in (2, 3)]
        loop = g.add(tf.nodes.ForLoop, times=2)
        chain(g, g.add(tf.nodes.Start), takes, changes[0], loop)
        g.connect(loop.body, again.enter)
        g.connect(again.then, changes[1].enter)
    assert elapsed(bench, g.graph, services={"says": says}) == 3
    assert bench.notes == [(1, 1), (2, 2), (3, 3)]


def test_calls_of_exec_graphs(bench, says):
    with tf.build(STANDARD) as inner:
        note = inner.add(
            Note, value=inner.add(add, a=inner.declare_input("a", "int"), b=inner.declare_input("b", "int")).result
        )
        inner.connect(inner.declare_entry("in"), note.enter)
    with tf.build(STANDARD) as g:
        p, q = g.add(slow, "p", x=1, seconds=1.0), g.add(slow, "q", x=2, seconds=1.0)
        call = g.add(g.define("inner", inner.graph), a=p.result, b=q.result)
        g.connect(g.add(tf.nodes.Start).then, call["in"])
    assert elapsed(bench, g.graph, services={"says": says}) == 1
    assert bench.notes == [3]


def test_inside_data_graphs(bench, says):
    """A call of a data graph is not begun ahead; the inputs of nodes inside are resolved at once."""
    with tf.build(STANDARD) as inner:
        x = inner.declare_input("x", "int")
        p, q = inner.add(slow, "p", x=x, seconds=1.0), inner.add(slow, "q", x=x, seconds=1.0)
        inner.connect(summed(inner, p, q).result, inner.declare_output("result"))
    with tf.build(STANDARD) as g:
        name = g.define("inner", inner.graph)
        graph = noted(g, summed(g, g.add(name, x=1), g.add(name, x=2)))
    assert elapsed(bench, graph, services={"says": says}) == 2
    assert bench.notes == [6]


@pytest.mark.parametrize("watched", [True, False])
def test_at_any_distance_and_through_functions(says, watched):
    """What is behind several nodes is begun as soon as it can be; plain functions between are called once."""
    calls = []

    @tf.data_node(id="ahead.between")
    def between(x: int) -> int:
        calls.append(x)
        return x

    with tf.build(STANDARD) as g:
        g.variable("v", "int", 5)
        v = g.add(between, x=g.add(tf.nodes.GetVariable, name="v").result)
        left = g.add(
            slow, "p2", x=g.add(between, x=g.add(slow, "p1", x=v.result, seconds=1.0).result).result, seconds=1.0
        )
        right = g.add(
            slow, "q2", x=g.add(between, x=g.add(slow, "q1", x=v.result, seconds=1.0).result).result, seconds=1.0
        )
        graph = noted(g, summed(g, left, right))
    log, notes = EventLog(), []
    run_virtual(graph, services={"says": says, "notes": notes}, observers=[log] if watched else [])
    assert notes == [10]
    assert calls == [5, 5, 5]
    assert max(says.index("p1 begins"), says.index("q1 begins")) < min(says.index("p1 ends"), says.index("q1 ends"))
    assert max(says.index("p2 begins"), says.index("q2 begins")) < min(says.index("p2 ends"), says.index("q2 ends"))


def test_nobody_waits_without_need(bench):
    """Inputs that are plain functions, or one that awaits, are resolved as ever: the plan knows."""
    with tf.build(STANDARD) as g:
        p, q = g.add(slow, "p", x=1, seconds=1.0), g.add(slow, "q", x=2, seconds=1.0)
        plain = [g.add(add, f"plain{each}", a=each, b=each) for each in range(2)]
        nodes = {
            "two functions": summed(g, *plain),
            "one that awaits": summed(g, p, plain[0]),
            "the same twice": summed(g, p, p),
            "two that await": summed(g, p, q),
        }
        nodes["one behind which two await"] = summed(g, nodes["two that await"], plain[1])
        graph = noted(g, nodes["two functions"])
    plan = make_plan(graph, STANDARD)
    ahead = [name for name, handle in nodes.items() if plan.nodes[plan.node_index[handle.result.endpoint.node]].ahead]
    assert ahead == ["two that await"]


# --- nothing else ----------------------------------------------------------------------------------------------------


@pytest.mark.unmeasured
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(networks(ASKED, list(KINDS)), st.integers(1, 4))
def test_less_time_and_nothing_else(network, most):
    """Whoever evaluates ahead does and tells the same as whoever does not, and takes no more time (D12, E5).

    How long it takes one by one may depend on who of several strands is the first to ask for what fails at first.
    """

    def run(max_ahead):
        log, services = EventLog(), network.services()
        options = tf.RunOptions(max_ahead=max_ahead, max_steps=400)
        try:
            run_virtual(network.graph(), registry=STANDARD, observers=[log], services=services, options=options)
        except* tf.LimitExceeded:
            assert options.max_steps in (len(log.rows("started")), None)
        assert log.open() == []
        return log.trace(), sorted(services["answers"], key=lambda each: each[0]), log.events[-1].time

    (*one_by_one, longer), (*at_once, shorter) = run(0), run(most)
    assert one_by_one == at_once
    assert shorter <= longer or any(shorter <= run(0)[-1] for _ in range(30))


def test_told_as_if_one_came_after_the_other(bench, says):
    """What is told comes in the order of the inputs, whoever has ended first; bodies run when they can."""
    with tf.build(STANDARD) as g:
        graph = noted(g, summed(g, g.add(slow, "p", x=1, seconds=2.0), g.add(slow, "q", x=2, seconds=1.0)))
    bench.run(graph, services={"says": says})
    told = bench.log.rows("evaluating", "evaluated", time=True)
    assert [row[:3] for row in told] == [
        (0, "evaluating", "p"), (2, "evaluated", "p"), (2, "evaluating", "q"), (2, "evaluated", "q"),
        (2, "evaluating", "add"), (2, "evaluated", "add"),
    ]  # fmt: skip
    assert says == ["p begins", "q begins", "q ends", "p ends"]
    durations = {each.node: each.duration for each in bench.log if type(each) is tf.events.EvaluationCompleted}
    assert durations["p"] == 2
    assert bench.notes == [3]


def caught(g, value, seconds=0.0):
    """Ask for a value and catch what it fails with."""

    @tf.exec_node(id="ahead.try")
    async def attempt(x: tf.Lazy[int], ctx: tf.Context) -> None:
        try:
            await x()
        except ValueError as error:
            ctx.services.get("notes").append((str(error), error.__notes__))

    chain(g, g.add(tf.nodes.Start), g.add(attempt, x=value.result))
    return g.graph


def test_what_was_ahead_of_a_failure_is_cut_off(bench, says):
    with tf.build(STANDARD) as g:
        graph = caught(g, summed(g, g.add(fails, "p", x=1, seconds=1.0), g.add(slow, "q", x=2, seconds=2.0)))
    bench.run(graph, services={"says": says})
    assert says == ["q begins", "q cut off"]
    assert bench.log.rows("evaluating", "evaluated", "evaluation failed", "evaluation cancelled") == [
        ("evaluating", "p", "0.1"), ("evaluation failed", "p", "0.1"),
    ]  # fmt: skip
    assert bench.log.events[-1].time == 1


def test_what_has_ended_ahead_of_a_failure_is_forgotten(bench, says):
    """It is evaluated again by whoever asks for it next."""
    with tf.build(STANDARD) as g:
        q = g.add(slow, "q", x=2, seconds=0.5)
        caught(g, summed(g, g.add(fails, "p", x=1, seconds=1.0), q))
        later = g.add(Note, value=q.result)
        g.connect(g.add(tf.nodes.Start, "second").then, later.enter)
    bench.run(g.graph, services={"says": says})
    assert says == ["q begins", "q ends"] * 2
    assert [row[1] for row in bench.log.rows("evaluating")] == ["p", "q"]


def test_a_failure_ahead_waits_for_its_turn(bench, says):
    with tf.build(STANDARD) as g:
        graph = caught(g, summed(g, g.add(slow, "p", x=1, seconds=2.0), g.add(fails, "q", x=2, seconds=1.0)))
    bench.run(graph, services={"says": says})
    assert bench.log.rows("evaluating", "evaluated", "evaluation failed", time=True) == [
        (0, "evaluating", "p", "0.1"), (2, "evaluated", "p", "0.1"), (2, "evaluating", "q", "0.1"),
        (2, "evaluation failed", "q", "0.1"),
    ]  # fmt: skip
    assert bench.notes == [("boom 2", ["in node 'q' (ahead.fails), activation 0.1", "with x = 2, seconds = 1.0"])]


@pytest.mark.parametrize("seconds", [0.5, 1.5])
def test_a_time_limit_ends_what_is_ahead(bench, says, seconds):
    """Whether its turn has come or not, what runs ahead ends with whoever needs it."""
    with tf.build(STANDARD) as g:
        total = summed(g, g.add(slow, "p", x=1, seconds=1.0), g.add(slow, "q", x=2, seconds=9.0))
        graph = noted(g, total)
    limit = tf.TimeLimit(seconds, nodes=["note"])
    bench.fails(tf.NodeTimeout, graph, services={"says": says}, middleware=[limit])
    assert "q cut off" in says
    assert [row[1] for row in bench.log.rows("evaluation cancelled")] == (["p"] if seconds < 1 else ["q"])
    assert bench.log.events[-1].time == seconds


def test_lazy_inputs_wait_for_their_turn(bench, says):
    @tf.data_node(id="ahead.asks")
    async def asks(x: tf.Lazy[int], ctx: tf.DataContext) -> int:
        ctx.services.get("says").append("asks")
        return await x()

    with tf.build(STANDARD) as g:
        r = g.add(slow, "r", x=3, seconds=1.0)
        graph = noted(g, summed(g, g.add(slow, "p", x=1, seconds=2.0), g.add(asks, "q", x=r.result)))
    assert elapsed(bench, graph, services={"says": says}) == 3
    assert says == ["p begins", "asks", "p ends", "r begins", "r ends"]
    assert [row[1] for row in bench.log.rows("evaluating")] == ["p", "q", "r", "add"]


def test_shared_across_strands(bench, says):
    """What one strand has begun ahead is evaluated once for all (D5)."""
    with tf.build(STANDARD) as g:
        total = summed(g, g.add(slow, "p", x=1, seconds=2.0), g.add(slow, "q", x=2, seconds=1.0))
        loop = g.add(Items, count=3)
        g.connect(g.add(tf.nodes.Start).then, loop.enter)
        g.connect(loop.body, g.add(Note, value=total.result).enter)
    assert elapsed(bench, g.graph, services={"says": says}) == 2
    assert says == ["p begins", "q begins", "q ends", "p ends"]
    assert bench.notes == [3, 3, 3]
    assert len(bench.log.rows("evaluated")) == 3


def test_who_waited_for_what_was_cut_off_begins_anew(bench, says):
    """Nobody gets the cancellation of what another strand had ahead (D5)."""
    with tf.build(STANDARD) as g:
        q = g.add(slow, "q", x=2, seconds=2.0)
        total = summed(g, g.add(fails, "p", x=1, seconds=1.0), q)
        both = g.add(tf.nodes.Parallel)
        g.connect(g.add(tf.nodes.Start).then, both.enter)
        skipped = g.add(Note, "skipped", value=total.result)
        wait, other = g.add(Wait, seconds=0.5), g.add(Note, "other", value=q.result)
        g.connect(both.a, skipped.enter)
        g.connect(both.b, wait.enter)
        g.connect(wait.then, other.enter)
    skip = tf.SkipOnError(nodes=["skipped"], errors=ValueError)
    assert elapsed(bench, g.graph, services={"says": says}, middleware=[skip]) == 3
    assert says == ["q begins", "q cut off", "q begins", "q ends"]
    assert bench.notes == ["end of wait", 2]


def test_what_is_remembered_is_not_begun(bench, says):
    """Nor is what may be remembered: whether it fits is found out when its turn has come (D4)."""
    asked = []

    @tf.data_node(id="ahead.reads")
    async def reads(x: int, ctx: tf.DataContext) -> int:
        asked.append("reads")
        await trio.sleep(1)
        return x + ctx.get_variable("v")

    @tf.data_node(id="ahead.asks")
    async def asks(x: tf.Lazy[int]) -> int:
        asked.append("asks")
        await trio.sleep(1)
        return await x()

    class Writes(tf.Node, id="ahead.writes"):
        enter = tf.ExecIn()
        out = tf.DataOut(int)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.set_output(self.out, 1)
            return self.then

    with tf.build(STANDARD) as g:
        g.variable("v", "int", 1)
        g.variable("w", "int", 1)
        writes = g.add(Writes)
        q = summed(g, g.add(reads, x=writes.out), g.add(asks, x=g.add(tf.nodes.GetVariable, name="w").result))
        total = summed(g, g.add(slow, "p", x=writes.out, seconds=1.0), q)
        chain(
            g, g.add(tf.nodes.Start), writes, g.add(Note, value=q.result), g.add(Note, value=total.result),
            g.add(tf.nodes.SetVariable, name="v", value=2), g.add(Note, value=total.result),
            g.add(tf.nodes.SetVariable, name="w", value=2), g.add(Note, value=total.result),
        )  # fmt: skip
    bench.run(g.graph, services={"says": says})
    assert bench.notes == [3, 4, 5, 6]
    assert asked == ["reads", "asks", "reads", "asks"]


def test_an_input_that_is_missing_fails_when_its_turn_has_come(bench, says):
    with tf.build(STANDARD) as g:
        never = g.add(Items)
        q = g.add(slow, "q", x=never.item, seconds=1.0)
        graph = noted(g, summed(g, g.add(slow, "p", x=1, seconds=1.0), q))
    error = bench.fails(tf.MissingInput, graph, services={"says": says})
    assert "Input 'x' of node 'q'" in str(error)
    assert says == ["p begins", "p ends"]


def test_a_variable_that_is_another_one_is_not_shared(bench):
    """Who asks for what another strand has ahead takes it up only if its questions have the same answers."""

    @tf.data_node(id="ahead.variable")
    async def variable(x: int, ctx: tf.DataContext) -> int:
        await trio.sleep(1)
        return x + ctx.get_variable("v")

    with tf.build(STANDARD) as g:
        g.variable("v", "int", 1)
        q = g.add(variable, "q", x=10)
        total = summed(g, g.add(variable, "p", x=100), q)
        both = g.add(tf.nodes.Parallel)
        g.connect(g.add(tf.nodes.Start).then, both.enter)
        g.connect(both.a, g.add(Note, "one", value=total.result).enter)
        wait, other = g.add(Wait, seconds=2.0), g.add(Note, "other", value=q.result)
        changes = g.add(tf.nodes.SetVariable, name="v", value=5)
        slower = g.add(Note, "third", value=summed(g, g.add(slow, "r", x=1, seconds=3.0), q).result)
        g.connect(both.b, changes.enter)
        chain(g, changes, wait, other)
        g.connect(both.c, slower.enter)
    bench.run(g.graph, services={"says": []})
    assert sorted(each for each in bench.notes if isinstance(each, int)) == [12, 15, 112]


def test_volatile_nodes_are_asked_at_the_same_moment(bench):
    """What is ahead of its turn is of the moment of whoever asks, like everything that is asked then (D6)."""

    @tf.data_node(id="ahead.clock", volatile=True)
    async def clock(x: int) -> float:
        await trio.sleep(x)
        return trio.current_time()

    @tf.data_node(id="ahead.difference")
    def difference(a: float, b: float) -> float:
        return b - a

    with tf.build(STANDARD) as g:
        value = g.add(difference, a=g.add(clock, "p", x=2).result, b=g.add(clock, "q", x=1).result)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=value.result), g.add(Note, value=value.result))
    assert elapsed(bench, g.graph) == 4
    assert bench.notes == [-1, -1]


def test_functions_that_are_called_ahead_leave_others_their_turn(says):
    """However many there are, the scheduler gets its turn (T2)."""
    turns = []

    @tf.data_node(id="ahead.other")
    def other(x: int) -> int:
        turns.append(x)
        return x

    async def main():
        with tf.build(STANDARD) as g:
            last = g.add(other, x=0)
            for number in range(1, 50):
                last = g.add(other, x=g.add(add, a=last.result, b=number).result)
            graph = noted(
                g, summed(g, g.add(slow, "p", x=1, seconds=0.0), g.add(slow, "q", x=last.result, seconds=0.0))
            )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other_task)
            await tf.run(graph, services={"says": says, "notes": []}, options=tf.RunOptions(turn_after=1e-9))
            nursery.cancel_scope.cancel()

    async def other_task():
        while True:
            turns.append("turn")
            await trio.lowlevel.checkpoint()

    trio.run(main)
    assert turns.count("turn") > 25
    assert len(turns) - turns.count("turn") == 50


def test_told_on_request(bench, says):
    """Who names the kinds is told what is begun ahead and what is forgotten; who wants all events is not."""
    with tf.build(STANDARD) as g:
        p, q, r = (
            g.add(fails, "p", x=1, seconds=2.0),
            g.add(slow, "q", x=2, seconds=1.0),
            g.add(slow, "r", x=2, seconds=3.0),
        )
        graph = caught(g, summed(g, summed(g, q, p), r))
    told = EventLog()
    bench.run(graph, services={"says": says}, observers=[tf.observe(told, kinds=["ahead"])])
    assert [(kind, node, time) for time, kind, node, _ in told.rows(time=True)] == [
        ("EvaluationAhead", "p", 0), ("EvaluationAhead", "r", 0), ("EvaluationForgotten", "r", 2),
    ]  # fmt: skip
    assert not [event for event in bench.log if event.on_request]


def test_what_has_ended_before_its_turn(bench, says):
    """That is told, too, on request; it lasted as long as its body did, and not until its turn came (E3)."""

    @tf.data_node(id="ahead.at_once")
    def at_once(x: int) -> int:
        return x

    with tf.build(STANDARD) as g:
        p, q, r = (
            g.add(slow, "p", x=1, seconds=3.0),
            g.add(slow, "q", x=2, seconds=1.0),
            g.add(fails, "r", x=2, seconds=2.0),
        )
        graph = caught(g, summed(g, p, summed(g, q, summed(g, g.add(at_once, "s", x=1), r))))
    told = EventLog()
    bench.run(graph, services={"says": says}, observers=[tf.observe(told, kinds=["ahead"])])
    assert [(time, node) for time, kind, node, _ in told.rows(time=True) if kind == "EvaluationReady"] == [
        (0, "s"), (1, "q"), (2, "r"),
    ]  # fmt: skip
    ends = (tf.events.EvaluationCompleted, tf.events.EvaluationFailed)
    assert [(event.node, event.time, event.duration) for event in bench.log if isinstance(event, ends)] == [
        ("p", 3, 3), ("q", 3, 1), ("s", 3, 0), ("r", 3, 2),
    ]  # fmt: skip


def test_who_begins_to_watch_is_told_of_what_has_ended_ahead(bench, says):
    """It is told when its turn comes, by the name that it has where all is watched (E3, E5)."""
    with tf.build(STANDARD) as g:
        graph = noted(g, summed(g, g.add(slow, "p", x=1, seconds=2.0), g.add(slow, "q", x=2, seconds=1.0)))
    bench.run(graph, services={"says": says})
    (expected,) = [
        event.key for event in bench.log if type(event) is tf.events.EvaluationCompleted and event.node == "q"
    ]
    log = EventLog()

    async def main():
        async with tf.open_run(graph, services={"says": says, "notes": []}) as run:
            await trio.sleep(1.5)
            run.observe(log)
            await run.result()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert [row[1:3] for row in log.rows("evaluating", "evaluated", time=True)] == [
        ("evaluated", "p"), ("evaluating", "q"), ("evaluated", "q"), ("evaluating", "add"), ("evaluated", "add"),
    ]  # fmt: skip
    assert [event.key for event in log if type(event) is tf.events.EvaluationCompleted and event.node == "q"] == [
        expected
    ]


# --- what is around bodies -------------------------------------------------------------------------------------------


def test_what_middlewares_tell_waits_for_its_turn(bench, says):
    """Nor is a second attempt made before: it begins a moment (A2, A8)."""
    attempts = []

    @tf.data_node(id="ahead.flaky")
    async def flaky(x: int) -> int:
        attempts.append(trio.current_time())
        await trio.sleep(0.25)
        if len(attempts) == 1:
            raise ValueError("flaky")
        return x

    with tf.build(STANDARD) as g:
        graph = noted(g, summed(g, g.add(slow, "p", x=1, seconds=2.0), g.add(flaky, "q", x=2)))
    bench.run(graph, services={"says": says}, middleware=[tf.Retry(2, delay=0.5, nodes=["q"])])
    assert bench.notes == [3]
    began = attempts[0]
    assert [each - began for each in attempts] == [0, 2]
    rows = [(row[0], row[1], row[2]) for row in bench.log.rows("evaluating", "RetryScheduled", "evaluated", time=True)]
    assert rows == [
        (0, "evaluating", "p"), (2, "evaluated", "p"), (2, "evaluating", "q"), (2, "RetryScheduled", "q"),
        (2.25, "evaluated", "q"), (2.25, "evaluating", "add"), (2.25, "evaluated", "add"),
    ]  # fmt: skip


def test_a_scope_left_open_ahead_is_told_by_name(bench, says):
    @tf.data_node(id="ahead.open")
    async def leaves_open(x: int) -> int:
        trio.CancelScope().__enter__()
        return x

    with tf.build(STANDARD) as g:
        graph = noted(g, summed(g, g.add(slow, "p", x=1, seconds=2.0), g.add(leaves_open, "q", x=2)))
    error = bench.fails(tf.NodeError, graph, services={"says": says})
    assert str(error).startswith("Data node 'q' (ahead.open) has entered 1 cancel scope and not left it.")


def test_a_scope_left_open_ahead_of_a_failure_is_noted(bench, says):
    @tf.data_node(id="ahead.open_and_fails")
    async def opens_and_fails(x: int) -> int:
        trio.CancelScope().__enter__()
        raise ValueError("q")

    with tf.build(STANDARD) as g:
        graph = noted(g, summed(g, g.add(slow, "p", x=1, seconds=2.0), g.add(opens_and_fails, "q", x=2)))
    error = bench.fails(ValueError, graph, services={"says": says})
    assert error.__notes__[0].startswith("Data node 'q' (ahead.open_and_fails) has entered 1 cancel scope")


@pytest.mark.parametrize("error", [KeyboardInterrupt, StopIteration, TypeError])
def test_functions_that_fail_ahead(bench, says, error):
    """A plain function is called ahead if what it needs is there; what it fails with waits for its turn."""

    @tf.data_node(id="ahead.raises")
    def raises(x: int) -> int:
        says.append("raises")
        raise error("q")

    with tf.build(STANDARD) as g:
        q = g.add(slow, "q", x=g.add(raises, x=1).result, seconds=1.0)
        graph = noted(g, summed(g, g.add(slow, "p", x=1, seconds=2.0), q))
    expected = RuntimeError if error is StopIteration else error
    bench.fails(expected, graph, services={"says": says})
    assert says == ["raises"] if error is KeyboardInterrupt else ["raises", "p begins", "p ends"]


def test_interrupted_ahead(bench, says):
    """What is no failure ends the run at once, as itself."""

    @tf.data_node(id="ahead.interrupted")
    async def interrupted(x: int) -> int:
        await trio.sleep(1)
        raise KeyboardInterrupt

    with tf.build(STANDARD) as g:
        graph = noted(g, summed(g, g.add(slow, "p", x=1, seconds=2.0), g.add(interrupted, "q", x=2)))
    bench.fails(KeyboardInterrupt, graph, services={"says": says})
    assert says == ["p begins", "p cut off"]


def test_the_context_of_what_was_forgotten_is_dead(bench, says):
    kept = []

    @tf.data_node(id="ahead.keeps")
    async def keeps(x: int, ctx: tf.DataContext) -> int:
        kept.append(ctx)
        return x

    with tf.build(STANDARD) as g:
        graph = caught(g, summed(g, g.add(fails, "p", x=1, seconds=1.0), g.add(keeps, "q", x=2)))
    bench.run(graph, services={"says": says})
    with pytest.raises(tf.NodeError, match="The context of node 'q' was used after its evaluation"):
        kept[0].get_variable("v")


def test_random_numbers_are_the_same(bench, says):
    @tf.data_node(id="ahead.draws")
    async def draws(x: int, ctx: tf.DataContext) -> int:
        await trio.sleep(x)
        return ctx.random.randrange(1000)

    with tf.build(STANDARD) as g:
        graph = noted(g, summed(g, g.add(draws, "p", x=2), g.add(draws, "q", x=1)))
    bench.run(graph)
    drawn = [*bench.notes]
    bench.run(graph, options=ONE_BY_ONE)
    assert bench.notes == drawn


def test_a_chain_of_any_length_beside_another(bench):
    """Neither Python's stack nor the number of nurseries grows with it (D10, F8)."""

    @tf.data_node(id="ahead.next")
    async def following(x: int) -> int:
        await trio.lowlevel.checkpoint()
        return x + 1

    with tf.build(STANDARD) as g:
        ends = []
        for start in (0, 10):
            last = g.add(following, x=start)
            for _ in range(1500):
                last = g.add(following, x=last.result)
            ends.append(last)
        graph = noted(g, summed(g, *ends))
    bench.run(graph)
    assert bench.notes == [3012]


def test_diamonds_on_diamonds(bench):
    """However many nodes have several inputs, the strand has inputs of one at once."""

    @tf.data_node(id="ahead.both")
    async def both(a: int, b: int) -> int:
        await trio.lowlevel.checkpoint()
        return (a + b) % 1009

    with tf.build(STANDARD) as g:
        left, right = g.add(both, a=1, b=2), g.add(both, a=3, b=4)
        for _ in range(400):
            left, right = g.add(both, a=left.result, b=right.result), g.add(both, a=right.result, b=left.result)
        graph = noted(g, summed(g, left, right))
    bench.run(graph)
    assert len(bench.log.rows("evaluating")) == 803


def test_no_fewer_than_none():
    with pytest.raises(ValueError, match=r"RunOptions\.max_ahead must be 0 or more, got -1"):
        tf.RunOptions(max_ahead=-1)
