"""Graphs inside graphs: C1-C8 at run time."""

from __future__ import annotations

import gc
import itertools
from functools import partial

import pytest
import trio
from support import Add, Items, Note, Resource, Wait, chain, increment

import trioflow as tf
from trioflow.testing import EventLog, ShuffledSchedule, run_virtual

STANDARD = tf.Registry.standard(plugins=False)


@tf.data_node(id="calls.choose")
async def choose(when: bool, then: tf.Lazy[int], otherwise: tf.Lazy[int]) -> int:
    return await (then if when else otherwise)()


numbers = itertools.count()


@tf.data_node(id="calls.clock", volatile=True)
def clock() -> int:
    return next(numbers)


class Twice(tf.Node, id="calls.twice"):
    """Asks for its input before and after it triggers."""

    enter = tf.ExecIn()
    value = tf.DataIn(object)
    body = tf.ExecOut()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        before = await ctx.get_input(self.value)
        await ctx.trigger(self.body)
        ctx.services.get("notes").append((before, await ctx.get_input(self.value)))
        return self.then


class Branching(tf.Node, id="calls.branching"):
    """Starts two branches; the first one ends last."""

    enter = tf.ExecIn()
    number = tf.DataOut(int)
    body = tf.ExecOut()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        async with ctx.branches() as branches:
            branches.start(self.body, {self.number: 1})
            branches.start(self.body, {self.number: 2})
        return self.then


def outer(inner, after=lambda g, call: None, **inputs):
    """start -> call of a graph, then what `after` adds."""
    with tf.build(STANDARD) as g:
        call = g.add(g.define("inner", inner.graph), "call", **inputs)
        start = g.add(tf.nodes.Start)
        g.connect(start.then, call["in"])
        after(g, call)
    return g.graph


def noting(*outputs):
    """After the exit `out`: a note of each output."""

    def after(g, call):
        notes = [g.add(Note, f"note {name}", value=call[name]) for name in outputs]
        chain(g, *notes)
        g.connect(call.out, notes[0].enter)

    return after


def doubler(id="test.double"):
    """An exec graph in -> Wait -> out that doubles a number."""
    with tf.build(STANDARD) as g:
        into, out = g.declare_entry("in"), g.declare_exit("out")
        x, y = g.declare_input("x", "int", 1), g.declare_output("y", "int")
        wait = g.add(Wait, "wait")
        g.connect(into, wait.enter)
        g.connect(wait.then, out)
        g.connect(g.add(lambda x: x * 2, "times", x=x).result, y)
    return g


# --- exec graphs


def test_call(bench):
    """A call runs the graph from its entry to its exit in the caller's strand, and goes on there (C3, C5, C8)."""
    bench.run(outer(doubler(), noting("y"), x=21))
    assert bench.notes == ["end of wait", 42]
    assert bench.log.rows() == [
        ("RunStarted", None, "root"),
        ("started", "start", "0.0"),
        ("completed", "start", "0.0"),
        ("started", "call", "0.1"),
        ("started", "call/wait", "0.1.0"),
        ("completed", "call/wait", "0.1.0"),
        ("started", "call/leave", "0.1.1"),
        ("completed", "call/leave", "0.1.1"),
        ("evaluating", "call/times", "0.1"),
        ("evaluated", "call/times", "0.1"),
        ("completed", "call", "0.1"),
        ("started", "note y", "0.2"),
        ("completed", "note y", "0.2"),
        ("RunCompleted", None, "root"),
    ]


def test_default_of_an_input(bench):
    """An input that is not given has its default (C1, D1)."""
    bench.run(outer(doubler(), noting("y")))
    assert bench.notes[-1] == 2


def test_input_is_checked_at_the_boundary(bench):
    """A value that does not fit the declared type is refused where it comes in (C1, D11)."""

    def text(g, call):
        g.connect(g.add(lambda: "x").result, call.x)

    error = bench.fails(tf.CoercionError, outer(doubler(), text))
    assert str(error).startswith("lambda.result -> call.x: expected int, got str 'x'.")


def test_python_graph_node(bench):
    """A graph is a node type in Python too; the same type may be called at several places (C1)."""
    double = tf.graph_node(doubler().graph, id="test.double", doc="Doubles.")
    with tf.build(STANDARD) as g:
        start, one, two = g.add(tf.nodes.Start), g.add(double, "one", x=3), g.add(double, "two")
        g.connect(one.y, two.x)
        g.connect(start.then, one["in"])
        g.connect(one.out, two["in"])
    result = bench.run(g.graph)
    assert result.outputs == {"one": {"y": 6}, "two": {"y": 12}}
    assert double.summary == "Doubles."


def test_frames_are_fresh(bench):
    """Each call has variables at their defaults, and node state of its own (C3, R7)."""
    with tf.build(STANDARD) as inner:
        inner.variable("total", "int", 0)
        into, out, total = inner.declare_entry("in"), inner.declare_exit("out"), inner.declare_output("total", "int")
        add = inner.add(Add, "add", by=5)
        inner.connect(into, add.enter)
        inner.connect(add.then, out)
        inner.connect(inner.add("variable.get", "get", name="total").result, total)
    with tf.build(STANDARD) as g:
        g.variable("total", "int", 100)
        inner_id = g.define("inner", inner.graph)
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=3)
        call = g.add(inner_id, "call")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, call["in"])
        g.connect(call.out, g.add(Note, value=call.total).enter)
    result = bench.run(g.graph)
    assert bench.notes == [5, 5, 5]
    assert result.variables == {"total": 100}


def test_nodes_live_as_long_as_the_call(bench):
    """Nodes inside are set up when the call starts, and torn down when it ends (C3, R1)."""
    with tf.build(STANDARD) as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        one, two = inner.add(Resource, "one"), inner.add(Resource, "two")
        inner.connect(into, one.enter)
        chain(inner, one, two)
        inner.connect(two.then, out)

    def twice(g, call):
        other = g.add("graph:inner", "other")
        g.connect(call.out, other["in"])
        g.add(Resource, "outside")
        g.connect(other.out, g.add(Resource, "last").enter)

    bench.run(outer(inner, twice))
    assert bench.life == [
        "up outside", "up last",
        "up one", "up two", "down two", "down one",
        "up one", "up two", "down two", "down one",
        "down last", "down outside",
    ]  # fmt: skip


@pytest.mark.parametrize("fails", ["setup", "body", "teardown", "body teardown", "hang"])
def test_a_call_that_fails(bench, fails):
    """Whatever fails in a call, what was set up is torn down, and no error hides another; notes show the way (C8)."""
    with tf.build(STANDARD) as inner:
        into = inner.declare_entry("in")
        one, two = inner.add(Resource, "one"), inner.add(Resource, "two", fail_in=fails)
        inner.connect(into, one.enter)
        chain(inner, one, two)
    expected = {"setup": OSError, "body": ValueError, "teardown": OSError, "hang": tf.TeardownTimeout}
    error = bench.fails(expected.get(fails, ExceptionGroup), outer(inner), options=tf.RunOptions(grace=2))
    assert bench.life == ["up one"] + ["up two"] * (fails != "setup") + ["down two"] * (fails != "setup") + ["down one"]
    if fails == "setup":
        assert error.__notes__[0] == "while node 'call/two' (test.resource) was set up"
    elif fails == "body":
        assert error.__notes__ == ["in node 'call/two' (test.resource), activation 0.1.1", "with fail_in = 'body'"]
        assert error.__cause__ is None
    elif fails == "teardown":
        assert error.__notes__[0] == "while node 'call/two' was torn down"
    elif fails == "hang":
        assert "cut off in: call/two" in str(error)
    else:
        assert [str(each) for each in error.exceptions] == ["body of two", "teardown of two"]
    assert [row[1] for row in bench.log.rows("failed")][-1] == "call"


def test_keys_inside(bench):
    """What is evaluated from the inputs of a call is named after what was given to this call (C3, E5)."""
    with tf.build(STANDARD) as g:
        loop = g.add(tf.nodes.ForLoop, times=2)
        call = g.add(g.define("inner", doubler().graph), "call", x=loop.index)
        chain(g, g.add(tf.nodes.Start), loop)
        g.connect(loop.body, call["in"])
        g.connect(call.out, g.add(Note, value=call.y).enter)
    bench.run(g.graph)
    keys = [event.key for event in bench.log if isinstance(event, tf.events.EvaluationCompleted)]
    assert len({*keys}) == len(keys) == 2


def exits(inner, *names):
    return [inner.declare_exit(name) for name in names]


def test_exit_noted_last(bench):
    """The call goes on, when its control has ended, at the exit that was reached last (C5)."""
    with tf.build(STANDARD) as inner:
        into = inner.declare_entry("in")
        first, second = exits(inner, "first", "second")
        sequence = inner.add(tf.nodes.Sequence)
        inner.connect(into, sequence.enter)
        inner.connect(sequence.first, first)
        inner.connect(sequence.second, second)
        inner.connect(sequence.third, inner.add(Note, value="still inside").enter)

    def after(g, call):
        for name in ("first", "second"):
            g.connect(call[name], g.add(Note, value=name).enter)

    bench.run(outer(inner, after))
    assert bench.notes == ["still inside", "second"]


def test_no_exit(bench):
    """A call that reaches no exit ends there; its outputs are written even so (C5)."""
    with tf.build(STANDARD) as inner:
        into, _ = inner.declare_entry("in"), inner.declare_exit("out")
        inner.connect(inner.add(lambda: 7).result, inner.declare_output("y"))
        inner.connect(into, inner.add(Note, value="in").enter)
    result = bench.run(outer(inner, noting("y")))
    assert (bench.notes, result.outputs) == (["in"], {"call": {"y": 7}})


def test_output_that_was_not_made(bench):
    """An output whose source was not written on the way that control took stays unset (C5)."""
    with tf.build(STANDARD) as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        direct, derived = inner.declare_output("direct"), inner.declare_output("derived")
        loop = inner.add(tf.nodes.ForLoop, times=0)
        inner.connect(into, loop.enter)
        inner.connect(loop.done, out)
        inner.connect(loop.index, direct)
        inner.connect(inner.add(increment, x=loop.index).result, derived)
    assert bench.run(outer(inner)).outputs == {}


@pytest.mark.parametrize("seed", range(6))
def test_exits_from_forks(seed):
    """In forks, the exit of the fork that was made last counts, whichever is reached last (C5, F3)."""
    with tf.build(STANDARD) as inner:
        into = inner.declare_entry("in")
        first, second = exits(inner, "first", "second")
        fork = inner.add(Branching)
        pick = inner.add(tf.nodes.Switch, value=fork.number, case_1=1, case_2=2)
        slow = inner.add(Wait, seconds=3.0)
        inner.connect(into, fork.enter)
        inner.connect(fork.body, pick.enter)
        inner.connect(pick.is_1, slow.enter)
        inner.connect(slow.then, first)
        inner.connect(pick.is_2, second)

    def after(g, call):
        for name in ("first", "second"):
            g.connect(call[name], g.add(Note, value=name).enter)

    notes = []
    run_virtual(outer(inner, after), services={"notes": notes}, middleware=[ShuffledSchedule(seed)])
    assert notes == ["end of wait", "second"]


def test_entries(bench):
    """Each entry has its own way in (C1, T5)."""
    with tf.build(STANDARD) as inner:
        for name in ("in", "other"):
            inner.connect(inner.declare_entry(name), inner.add(Note, value=name).enter)

    def after(g, call):
        g.connect(g.add(tf.nodes.Start, "second").then, call.other)

    bench.run(outer(inner, after))
    assert bench.notes == ["in", "other"]


def test_call_that_starts_runs(bench):
    """A call that is an initiator enters nowhere: the graph's own initiators run, in document order (C3, R2)."""
    with tf.build(STANDARD) as inner:
        out = inner.declare_exit("out")
        for name in ("a", "b"):
            note = inner.add(Note, value=name)
            inner.connect(inner.add(tf.nodes.Start, f"start {name}").then, note.enter)
            inner.connect(note.then, out)
    with tf.build(STANDARD) as g:
        call = g.add(g.define("inner", inner.graph), "call")
        g.configure(call, initiator=True)
        g.connect(call.out, g.add(Note, value="after").enter)
    bench.run(g.graph)
    assert bench.notes == ["a", "b", "after"]


# --- callbacks and lazy inputs


def repeated(lazy):
    """A graph that is a loop whose body is outside: triggers `each` with an index while `go on` holds."""
    with tf.build(STANDARD) as inner:
        into = inner.declare_entry("in")
        go_on = inner.declare_input("go_on", "bool", lazy=lazy)
        each, out = inner.declare_exit("each", callback=True), inner.declare_exit("out")
        index = inner.declare_output("index", "int")
        loop, branch = inner.add(tf.nodes.ForLoop, times=4), inner.add(tf.nodes.Branch, condition=go_on)
        inner.connect(into, loop.enter)
        inner.connect(loop.body, branch.enter)
        inner.connect(branch.true, each)
        inner.connect(loop.done, out)
        inner.connect(loop.index, index)
    return inner


def with_body(g, call):
    g.variable("total", "int", 0)
    add = g.add(Add, "add", by=call.index)
    note = g.add(Note, "note", value=call.index)
    g.connect(call.each, add.enter)
    chain(g, add, note)
    g.connect(call.out, g.add(Note, value="out").enter)
    total = g.add("variable.get", name="total")
    g.connect(g.add(lambda total: total < 3, "small", total=total.result).result, call.go_on)


@pytest.mark.parametrize(("lazy", "notes"), [(False, [0, 1, 2, 3, "out"]), (True, [0, 1, 2, "out"])])
def test_callback(bench, lazy, notes):
    """A callback exit is triggered at once and comes back; a lazy input is as new as what it did (C6, C4)."""
    bench.run(outer(repeated(lazy), with_body))
    assert bench.notes == notes
    assert bench.log.rows("started")[:7] == [
        ("started", "start", "0.0"),
        ("started", "call", "0.1"),
        ("started", "call/for", "0.1.0"),
        ("started", "call/branch", "0.1.0.0"),
        ("started", "call/leave", "0.1.0.1"),
        ("started", "add", "0.1.0.1.0"),
        ("started", "note", "0.1.0.1.1"),
    ]


def test_break_outside_of_the_loop(bench):
    """A loop inside can be left from what its callback leads to, and what is set up inside is torn down (C6, R1)."""
    with tf.build(STANDARD) as inner:
        into, each, out = (
            inner.declare_entry("in"),
            inner.declare_exit("each", callback=True),
            inner.declare_exit("out"),
        )
        life, loop = inner.add(Resource, "life"), inner.add(tf.nodes.ForLoop, times=5)
        inner.connect(into, life.enter)
        inner.connect(life.body, loop.enter)
        inner.connect(loop.body, each)
        inner.connect(life.then, out)

    def after(g, call):
        note = g.add(Note, value="round")
        g.connect(call.each, note.enter)
        g.connect(note.then, g.add("flow.break").enter)
        g.connect(call.out, g.add(Note, value="out").enter)

    bench.run(outer(inner, after))
    assert (bench.notes, bench.life) == (["round", "out"], ["up life", "down life"])


def test_lazy_input_within_one_activation(bench):
    """A body inside that asks again for a lazy input sees what a callback has changed meanwhile (C4, D7)."""
    with tf.build(STANDARD) as inner:
        into, each, out = (
            inner.declare_entry("in"),
            inner.declare_exit("each", callback=True),
            inner.declare_exit("out"),
        )
        value = inner.declare_input("value", "int", lazy=True)
        twice = inner.add(Twice, value=inner.add(increment, x=inner.add(increment, x=value).result).result)
        inner.connect(into, twice.enter)
        inner.connect(twice.body, each)
        inner.connect(twice.then, out)

    def after(g, call):
        g.variable("total", "int", 0)
        g.connect(call.each, g.add(Add, by=5).enter)
        g.connect(g.add("variable.get", name="total").result, call.value)

    bench.run(outer(inner, after))
    assert bench.notes == [(2, 7)]


def test_volatile_behind_a_lazy_input(bench):
    """A volatile node behind a lazy input is evaluated once for each activation inside that asks (C4, D6)."""
    with tf.build(STANDARD) as inner:
        into, value = inner.declare_entry("in"), inner.declare_input("value", "int", lazy=True)
        later = inner.add(increment, x=value)
        both = inner.add(lambda a, b: a + 1 == b, a=value, b=later.result)
        notes = [inner.add(Note, value=each) for each in (later.result, later.result, both.result)]
        inner.connect(into, notes[0].enter)
        chain(inner, *notes)

    def after(g, call):
        g.connect(g.add(clock).result, call.value)

    bench.run(outer(inner, after))
    first, second, same = bench.notes
    assert (first < second, same) == (True, True)


def test_lazy_input_that_nobody_asks_for(bench):
    """A lazy input is not evaluated before it is asked for (C4)."""
    with tf.build(STANDARD) as inner:
        into, _ = inner.declare_entry("in"), inner.declare_input("value", "int", lazy=True)
        inner.connect(into, inner.add(Note, value="in").enter)

    def after(g, call):
        g.connect(g.add(lambda: 1 / 0).result, call.value)

    bench.run(outer(inner, after))
    assert bench.notes == ["in"]


@pytest.mark.parametrize("seed", range(4))
def test_lazy_input_in_a_fork(seed):
    """Forks inside may ask for lazy inputs that come in through several graphs (C4, F1)."""
    with tf.build(STANDARD) as middle:
        into, each = middle.declare_entry("in"), middle.declare_exit("each", callback=True)
        value = middle.declare_input("value", "int", lazy=True)
        items = middle.add(Items, count=2)
        wait = middle.add(Wait)
        note = middle.add(Note, value=middle.add(increment, x=value).result)
        middle.connect(into, items.enter)
        middle.connect(items.body, wait.enter)
        chain(middle, wait, note)
        middle.connect(items.done, each)
    with tf.build(STANDARD) as inner:  # passes its lazy input on
        into, each = inner.declare_entry("in"), inner.declare_exit("each", callback=True)
        call = inner.add(inner.define("middle", middle.graph), "middle", value=inner.declare_input("value", lazy=True))
        inner.connect(into, call["in"])
        inner.connect(call.each, each)

    def after(g, call):
        g.variable("total", "int", 0)
        g.connect(call.each, g.add(Add, by=5).enter)
        g.connect(g.add("variable.get", name="total").result, call.value)

    notes = []
    run_virtual(outer(inner, after), services={"notes": notes}, middleware=[ShuffledSchedule(seed)])
    assert sorted(map(str, notes)) == ["1", "1", "end of wait", "end of wait"]


class EmitAndTrigger(tf.Node, id="calls.emit_and_trigger"):
    """Emits one item, and triggers `side` while the item's chain goes on."""

    enter = tf.ExecIn()
    item = tf.DataOut(int)
    body = tf.ExecOut()
    side = tf.ExecOut()
    stream = tf.Stream(item, fires=body, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.emit(self.item, 1)
        await ctx.trigger(self.side)


def test_fork_does_not_see_what_a_callback_writes(bench):
    """While an item's chain goes on, a callback changes what a lazy input reads: the item does not see it (C4, F1)."""
    with tf.build(STANDARD) as inner:
        into, each = inner.declare_entry("in"), inner.declare_exit("each", callback=True)
        value = inner.declare_input("value", "int", lazy=True)
        node, wait = inner.add(EmitAndTrigger), inner.add(Wait, seconds=2.0)
        note = inner.add(Note, value=value)
        inner.connect(into, node.enter)
        inner.connect(node.body, wait.enter)
        chain(inner, wait, note)
        inner.connect(node.side, each)

    def after(g, call):
        g.variable("total", "int", 0)
        add = g.add(Add, by=5)
        g.connect(call.each, add.enter)
        total = g.add("variable.get", name="total").result
        g.connect(add.then, g.add(Note, value=total).enter)
        g.connect(total, call.value)

    bench.run(outer(inner, after))
    assert bench.notes == [5, "end of wait", 0]


def test_callback_in_a_fork(bench):
    """A callback exit that is reached in a fork is an error that says what to do instead (C6, T7)."""
    with tf.build(STANDARD) as inner:
        into, each = inner.declare_entry("in"), inner.declare_exit("each", callback=True)
        items = inner.add(Items)
        inner.connect(into, items.enter)
        inner.connect(items.body, each)
    error = bench.fails(tf.ConcurrentTrigger, outer(inner))
    assert str(error) == (
        "The callback exit 'each' of 'call' (graph:inner) is reached in a concurrent strand. The graph around goes on in "
        "one strand, so only what the call itself dispatches may lead there. Collect the results in a variable, and go "
        "out after the strands are joined; or let the graph around fork."
    )


# --- events


def publisher(shared):
    with tf.build(STANDARD) as inner:
        inner.event("ping", shared=shared)
        into = inner.declare_entry("in")
        publish = inner.add(tf.nodes.Publish, event="ping", payload=5)
        heard = inner.add(tf.nodes.Listen, "hears", event="ping")
        inner.connect(into, publish.enter)
        inner.connect(heard.then, inner.add(Note, value="inside").enter)
    return inner


def listening(g, call, *, shared=False):
    g.event("ping", shared=shared)
    heard = g.add(tf.nodes.Listen, "hears", event="ping")
    g.connect(heard.then, g.add(Note, "heard", value=heard.payload).enter)


@pytest.mark.parametrize(("shared", "notes"), [(False, ["inside"]), (True, ["inside", 5])])
def test_shared_event(bench, shared, notes):
    """An event is private to the call, unless it is shared: then the graph around hears it after the call's own (C7)."""
    bench.run(outer(publisher(shared), listening))
    assert bench.notes == notes
    if shared:
        assert bench.log.rows("started")[-2:] == [("started", "hears", "0.1.0.2"), ("started", "heard", "0.1.0.3")]


def test_event_shared_through_several_graphs(bench):
    """A shared event goes on outwards as long as each graph shares it (C7)."""
    with tf.build(STANDARD) as middle:
        call = middle.add(middle.define("publisher", publisher(shared=True).graph), "inner")
        middle.connect(middle.declare_entry("in"), call["in"])
        listening(middle, call, shared=True)
    bench.run(outer(middle, listening))
    assert bench.notes == ["inside", 5, 5]
    assert [row[1] for row in bench.log.rows("started") if "hears" in row[1]] == [
        "call/inner/hears",
        "call/hears",
        "hears",
    ]


def test_shared_event_that_nobody_declares(bench):
    """A shared event that the graph around does not declare stays inside (C7, B2)."""
    bench.run(outer(publisher(shared=True)))
    assert bench.notes == ["inside"]


def test_shared_event_in_a_fork(bench):
    """A shared event that is published in a fork is an error, like a callback there (C7, T7)."""
    with tf.build(STANDARD) as inner:
        inner.event("ping", shared=True)
        into, items = inner.declare_entry("in"), inner.add(Items)
        inner.connect(into, items.enter)
        inner.connect(items.body, inner.add(tf.nodes.Publish, event="ping").enter)
    error = bench.fails(tf.ConcurrentTrigger, outer(inner, listening))
    assert "The shared event 'ping' of 'call' (graph:inner) is reached in a concurrent strand." in str(error)


def test_outer_events_are_not_heard_inside(bench):
    """What the graph around publishes is not heard in the graphs that it calls (C7)."""
    with tf.build(STANDARD) as inner:
        inner.event("ping", shared=True)
        inner.connect(inner.declare_entry("in"), inner.declare_exit("out"))
        inner.connect(inner.add(tf.nodes.Listen, event="ping").then, inner.add(Note, value="inside").enter)

    def after(g, call):
        g.event("ping")
        g.connect(call.out, g.add(tf.nodes.Publish, event="ping").enter)

    bench.run(outer(inner, after))
    assert bench.notes == []


# --- shared with the run around


def test_limits_are_those_of_the_run(bench):
    """Steps inside count, and the error names the node with the calls that lead to it (C3, R8, C8)."""
    error = bench.fails(tf.LimitExceeded, outer(doubler()), options=tf.RunOptions(max_steps=2))
    assert "limit of 2 steps at node 'call/wait'" in str(error)


def test_gate(bench):
    """A breakpoint inside stops there, named with the call; a graph is paused as a whole (C8, G3)."""

    async def main():
        async with tf.open_run(outer(doubler(), noting("y")), services={"notes": []}) as run:
            run.gate.add_breakpoint("call/wait")
            with pytest.raises(tf.UnknownName):
                run.gate.add_breakpoint("call/nothing")
            with pytest.raises(tf.UnknownName):
                run.gate.add_breakpoint("wait")
            hits = [event.node async for event in _until_hit(run)]
            await run.gate.wait_parked()
            assert run.statistics().strands_parked == 1
            run.gate.resume()
            await run.result()
        return hits

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == ["call/wait"]


async def _until_hit(run):
    async for event in run.events():
        if isinstance(event, tf.events.BreakpointHit):
            yield event
            return


class JoinBeside(tf.Node, id="calls.join_beside"):
    """Triggers in a task of its own, while another waits for an item that it has emitted."""

    enter = tf.ExecIn()
    item = tf.DataOut(int)
    each = tf.ExecOut()
    body = tf.ExecOut()
    stream = tf.Stream(item, fires=each, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.emit(self.item, 1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ctx.trigger, self.body)
            await trio.sleep(2)
            nursery.start_soon(ctx.join)


def test_parked_inside_a_call():
    """A strand that waits inside a call and outside of it is parked once (C3, G2)."""

    async def main():
        with tf.build(STANDARD) as inner:
            wait = inner.add(Wait)
            inner.connect(inner.declare_entry("in"), wait.enter)
            inner.connect(wait.then, inner.add(Note).enter)
        with tf.build(STANDARD) as g:
            node, slow, item = g.add(JoinBeside), g.add(Wait, seconds=5.0), g.add(Wait, seconds=1.0)
            g.connect(g.add(tf.nodes.Start, "one").then, node.enter)
            g.connect(node.body, g.add(g.define("inner", inner.graph), "call")["in"])
            g.connect(node.each, item.enter)
            g.connect(item.then, g.add(Note).enter)
            g.connect(g.add(tf.nodes.Start, "two").then, slow.enter)
            g.connect(slow.then, g.add(Note).enter)
        options = tf.RunOptions(parallel_initiators=True)
        async with tf.open_run(g.graph, services={"notes": []}, options=options) as run:
            await trio.sleep(0.5)
            run.gate.pause()
            await run.gate.wait_parked()
            parked_at = trio.current_time()
            run.gate.resume()
        return parked_at

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == pytest.approx(5.0)


class Elsewhere(tf.Middleware):
    """Runs the bodies of calls in a task of its own."""

    def applies(self, node, node_type):
        return node.id == "call"

    async def __call__(self, invocation):
        outcomes = []

        async def elsewhere():
            outcomes.append(await invocation())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(elsewhere)
        return outcomes[0]


def test_call_in_a_task_of_its_own(bench):
    """A call may run in another task than the strand that calls (C3)."""
    bench.run(outer(doubler()), middleware=[Elsewhere()])
    assert bench.log.rows("started") == [("started", "start", "0.0"), ("started", "call", "0.1")] + [
        ("started", "call/wait", "0.1.0"),
        ("started", "call/leave", "0.1.1"),
    ]
    assert bench.notes == ["end of wait"]


def test_middleware_and_time_limit(bench):
    """Middlewares are for nodes of called graphs too; they are asked once for each node (C3)."""
    asked = []

    class Asked(tf.Middleware):
        def applies(self, node, node_type):
            asked.append(node.id)
            return False

        async def __call__(self, invocation):
            raise AssertionError

    def again(g, call):
        g.connect(call.out, g.add("graph:inner", "again")["in"])

    bench.run(outer(doubler(), again), middleware=[Asked()])
    assert sorted(asked) == ["again", "call", "start", "times", "wait"]
    bench.fails(tf.NodeTimeout, outer(doubler()), middleware=[tf.TimeLimit(0.5, nodes=["call/wait"])])
    bench.fails(tf.NodeTimeout, outer(doubler()), middleware=[tf.TimeLimit(0.5, nodes=["call"])])


class Draw(tf.Node, id="calls.draw"):
    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.services.get("notes").append((ctx.path, ctx.random.random()))
        return self.then


def test_random_by_path(bench):
    """Random numbers inside depend on the path alone: the same in each run, others in each call (C3, R6)."""
    with tf.build(STANDARD) as inner:
        draw = inner.add(Draw)
        inner.connect(inner.declare_entry("in"), draw.enter)
        inner.connect(draw.then, inner.declare_exit("out"))

    def again(g, call):
        g.connect(call.out, g.add("graph:inner", "again")["in"])

    graph = outer(inner, again)
    bench.run(graph)
    first = [*bench.notes]
    bench.run(graph)
    assert bench.notes == first
    assert [path for path, _ in first] == [(0, 1, 0), (0, 2, 0)]
    assert len({number for _, number in first}) == 2


def test_concurrent_calls(bench):
    """Calls in concurrent strands are apart from each other, and merge as any node does (C3, F1)."""

    def traced(seed):
        with tf.build(STANDARD) as g:
            g.variable("found", "list", [], merge="append")
            start, items = g.add(tf.nodes.Start), g.add(Items, count=4)
            call = g.add(g.define("inner", doubler().graph), "call", x=items.item)
            keep = g.add(tf.nodes.UpdateVariable, name="found", operation="append", value=call.y)
            g.connect(start.then, items.enter)
            g.connect(items.body, call["in"])
            g.connect(call.out, keep.enter)
        log = EventLog()
        middleware = [] if seed is None else [ShuffledSchedule(seed)]
        result = run_virtual(g.graph, services={"notes": []}, observers=[log], middleware=middleware)
        return result.variables, log.trace()

    expected = traced(None)
    assert expected[0] == {"found": [0, 2, 4, 6]}
    assert all(traced(seed) == expected for seed in range(8))


def test_calls_leave_nothing_behind():
    """A million calls would run in constant memory, whatever the graph computes of lazy inputs (C3, C4)."""

    def cells():
        gc.collect()
        return sum(type(each).__name__ in ("Cell", "Evaluation", "ExecFrame") for each in gc.get_objects())

    class Counting(tf.Middleware):
        counts = []

        def applies(self, node, node_type):
            return node.id == "call"

        async def __call__(self, invocation):
            if invocation.context.path[-1] in (10, 110):
                self.counts.append(cells())
            return await invocation()

    with tf.build(STANDARD) as inner:
        into, value = inner.declare_entry("in"), inner.declare_input("value", "int", lazy=True)
        branch = inner.add(tf.nodes.Branch)
        data = inner.add(inner.define("data", square_plus().graph), "data", x=inner.add(increment, x=value).result)
        inner.connect(inner.add(lambda x: x > 0, x=data.both).result, branch.condition)
        inner.connect(into, branch.enter)
    with tf.build(STANDARD) as g:
        g.variable("total", "int", 5)
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=120)
        call = g.add(g.define("inner", inner.graph), "call", value=g.add("variable.get", name="total").result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, call["in"])
    trio.run(lambda: tf.run(g.graph, middleware=[Counting()]))
    early, late = Counting.counts
    assert late - early < 50


# --- recursion


def down(levels):
    """A graph that calls itself until its input is 0, counting the levels."""
    with tf.build(STANDARD) as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        n, depth = inner.declare_input("n", "int"), inner.declare_output("depth", "int")
        inner.variable("depth", "int", 0)
        more = inner.add(tf.nodes.Branch, condition=inner.add(lambda n: n > 0, "positive", n=n).result)
        again = inner.add_recursive("inner", "again", n=inner.add(lambda n: n - 1, "less", n=n).result)
        keep = inner.add(tf.nodes.SetVariable, name="depth", value=inner.add(increment, x=again.depth).result)
        inner.connect(into, more.enter)
        inner.connect(more.true, again["in"])
        inner.connect(more.false, out)
        inner.connect(again.out, keep.enter)
        inner.connect(keep.then, out)
        inner.connect(inner.add("variable.get", name="depth").result, depth)
    return outer(inner, n=levels)


@pytest.mark.unmeasured
def test_recursion():
    """A graph may call itself 10,000 levels deep (C3, T9)."""
    assert trio.run(tf.run, down(10_000)).outputs == {"call": {"depth": 10_000}}


@pytest.mark.unmeasured
def test_recursion_without_end():
    """Recursion without end is DepthExceeded, whatever the run has set up so far (C3, T9)."""
    with pytest.raises(tf.DepthExceeded, match="deeper than 5000: again repeats"):
        trio.run(lambda: tf.run(down(10**9), options=tf.RunOptions(max_depth=5000)))


def test_recursion_cancelled_from_outside():
    """Deep recursion that is cancelled comes back through all levels (C3, R5)."""

    async def main():
        with trio.move_on_after(0.2) as scope:
            await tf.run(down(10**9), options=tf.RunOptions(max_depth=10**9))
        return scope.cancelled_caught

    assert trio.run(main)


def test_recursion_through_forks():
    """Recursion through forks ends in DepthExceeded before trio is in danger (C3, F8)."""
    with tf.build(STANDARD) as inner:
        items = inner.add(Items, count=1)
        inner.connect(inner.declare_entry("in"), items.enter)
        inner.connect(items.body, inner.add_recursive("inner", "again")["in"])
    with pytest.raises(tf.DepthExceeded) as caught:
        trio.run(tf.run, outer(inner))
    assert caught.value.limit == "nesting"


# --- data graphs


def square_plus(extra=None):
    """A data graph with two outputs: one of `x`, one of `y`."""
    with tf.build(STANDARD) as inner:
        x, y = inner.declare_input("x", "int"), inner.declare_input("y", "int", 1)
        square = inner.add(lambda x: x * x, "square", x=x)
        inner.connect(square.result, inner.declare_output("squared", "int"))
        inner.connect(inner.add(increment, "next", x=y).result, inner.declare_output("next", "int"))
        both = inner.add(lambda a, b: a + b, "both", a=square.result, b=y)
        inner.connect(both.result, inner.declare_output("both", "int"))
    return inner


def loop_over(inner, fill, times=3):
    """start -> for -> nodes that `fill` adds, which get the loop's index."""
    with tf.build(STANDARD) as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, "for", times=times)
        g.connect(start.then, loop.enter)
        nodes = fill(g, g.define("inner", inner.graph), loop)
        chain(g, *nodes)
        g.connect(loop.body, nodes[0].enter)
    return g.graph


def evaluated(bench):
    return [row[1] for row in bench.log.rows("evaluating")]


def test_data_graph(bench):
    """A graph without entries and exits is a data node: evaluated when asked, as far as asked, and remembered (C2)."""

    def fill(g, inner, loop):
        call = g.add(inner, "call", x=7, y=loop.index)
        return [g.add(Note, value=call.squared), g.add(Note, value=call.squared), g.add(Note, value=call.next)]

    bench.run(loop_over(square_plus(), fill))
    assert bench.notes == [49, 49, 1, 49, 49, 2, 49, 49, 3]
    # `both` is never asked for; `squared` depends on nothing that changes, `next` on the index.
    assert evaluated(bench) == ["call", "call/square", "call", "call/next"] + ["call", "call/next"] * 2


def test_outputs_share_what_is_inside(bench):
    """Two outputs of one data graph that need the same node inside evaluate it once (C2, D4)."""

    def fill(g, inner, loop):
        call = g.add(inner, "call", x=loop.index)
        return [g.add(Note, value=call.squared), g.add(Note, value=call.both)]

    bench.run(loop_over(square_plus(), fill, times=2))
    assert bench.notes == [0, 1, 1, 2]
    assert evaluated(bench) == ["call", "call/square", "call", "call/both"] * 2


def test_nodes_of_two_graphs(bench):
    """What is known of the last node of a graph is not taken for the first one of a graph that it calls (C2, D4)."""
    with tf.build(STANDARD) as inner:
        first = inner.add(lambda x: x + 100, "first")
        inner.connect(inner.declare_input("x", "int"), first.x)
        inner.connect(first.result, inner.declare_output("y", "int"))
    with tf.build(STANDARD) as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=1)
        notes = [g.add(Note), g.add(Note)]
        call = g.add(g.define("inner", inner.graph), "call", x=loop.index)
        last = g.add(lambda x: x + 1, "last", x=loop.index)
        chain(g, start, loop)
        g.connect(loop.body, notes[0].enter)
        chain(g, *notes)
        g.connect(last.result, notes[0].value)
        g.connect(call.y, notes[1].value)
    bench.run(g.graph)
    assert bench.notes == [1, 100]


def test_unchanged_cell_stays(bench):
    """What depends on an output of a data graph is not evaluated again if that output has not changed (C2, D4)."""
    with tf.build(STANDARD) as inner:
        x, y = inner.declare_input("x", "int"), inner.declare_input("y", "int")
        when = inner.declare_input("when", "bool")
        pick = inner.add(choose, "pick", when=when, then=x, otherwise=y)
        inner.connect(pick.result, inner.declare_output("picked", "int"))
        inner.connect(x, inner.declare_output("x", "int"))

    def fill(g, inner, loop):
        call = g.add(inner, "call", x=3, y=loop.index, when=True)
        after = [g.add(increment, f"after {each}", x=call[each]) for each in ("picked", "x")]
        return [g.add(Note, value=each.result) for each in after]

    bench.run(loop_over(inner, fill, times=2))
    assert bench.notes == [4, 4, 4, 4]
    assert evaluated(bench) == ["call", "call/pick", "after picked", "call", "after x"]


def test_data_graph_is_not_stale(bench):
    """A data graph sees its inputs as they are each time it is asked, also variables around it (C2, D8)."""

    def fill(g, inner, loop):
        g.variable("total", "int", 0)
        call = g.add(inner, "call", x=g.add("variable.get", name="total").result)
        return [g.add(Add, by=2), g.add(Note, value=call.squared)]

    bench.run(loop_over(square_plus(), fill))
    assert bench.notes == [4, 16, 36]


def test_missing_input_inside(bench):
    """An input that is not written yet is missing where it is used, and only there (C2, D1)."""

    def fill(g, inner, loop):
        later = g.add(tf.nodes.ForLoop, "later")
        call = g.add(inner, "call", x=later.index)
        return [g.add(Note, value=call.next), g.add(Note, value=call.squared)]

    error = bench.fails(tf.MissingInput, loop_over(square_plus(), fill))
    assert bench.notes == [2]
    assert "Input 'x' of node 'square'" in str(error)
    assert error.__notes__[0].startswith("in node 'call/square'")


def test_volatile_inside(bench):
    """A data graph with a volatile node in it is evaluated once for each activation that asks (C2, D6)."""
    with tf.build(STANDARD) as middle:
        middle.connect(middle.add(clock, "clock").result, middle.declare_output("now", "int"))
    with tf.build(STANDARD) as inner:
        call = inner.add(inner.define("middle", middle.graph), "middle")
        inner.connect(call.now, inner.declare_output("now", "int"))

    def fill(g, inner, loop):
        one, two = g.add(inner, "one"), g.add(inner, "two")
        same = g.add(lambda a, b: a == b, a=one.now, b=one.now)
        other = g.add(lambda a, b: a == b, a=one.now, b=two.now)
        return [g.add(Note, value=one.now), g.add(Note, value=same.result), g.add(Note, value=other.result)]

    bench.run(loop_over(inner, fill, times=2))
    (first, *same), (second, *also) = bench.notes[:3], bench.notes[3:]
    assert first < second
    assert same == also == [True, False]


def test_not_everything_in_a_volatile_graph_changes(bench):
    """What does not depend on the volatile node inside stays, and what depends on that outside too (C2, D4)."""
    with tf.build(STANDARD) as inner:
        inner.connect(inner.add(clock, "clock").result, inner.declare_output("now", "int"))
        square = inner.add(lambda x: x * x, "square", x=inner.declare_input("x", "int"))
        inner.connect(square.result, inner.declare_output("squared", "int"))

    def fill(g, inner, loop):
        call = g.add(inner, "call", x=3)
        return [g.add(Note, value=g.add(increment, "after", x=call.squared).result), g.add(Note, value=call.now)]

    bench.run(loop_over(inner, fill, times=3))
    assert bench.notes[::2] == [10, 10, 10]
    assert [evaluated(bench).count(name) for name in ("call/clock", "call/square", "after")] == [3, 1, 1]


class Opened(tf.Node, id="calls.opened"):
    """A data node that lives: tells when it is set up and torn down."""

    value = tf.DataIn(int, default=0)
    result = tf.DataOut(int)

    async def setup(self, ctx: tf.SetupContext) -> None:
        await trio.sleep(1)
        self.life = ctx.services.get("life")
        self.life.append("up")

    async def execute(self, ctx: tf.DataContext) -> None:
        ctx.set_output(self.result, await ctx.get_input(self.value))

    async def teardown(self) -> None:
        self.life.append("down")


def test_nodes_of_data_graphs_live(bench):
    """Nodes of a data graph are set up when it is first asked for, and torn down with the graph around it (C2, R1)."""
    with tf.build(STANDARD) as inner:
        opened = inner.add(Opened, value=inner.add(Opened, value=inner.declare_input("x", "int")).result)
        inner.connect(opened.result, inner.declare_output("y", "int"))
    with tf.build(STANDARD) as middle:
        items, call = middle.add(Items, count=3), middle.add(middle.define("data", inner.graph), "data")
        middle.connect(middle.declare_entry("in"), items.enter)
        middle.connect(items.item, call.x)
        middle.connect(items.body, middle.add(Note, value=call.y).enter)
        middle.connect(items.done, middle.declare_exit("out"))

    def after(g, call):
        g.connect(call.out, g.add(Note, value="after").enter)
        g.add(g.define("unused", inner.graph), "never", x=1)

    bench.run(outer(middle, after))
    assert bench.life == ["up", "up", "down", "down"]
    assert (sorted(bench.notes[:3]), bench.notes[3:]) == ([0, 1, 2], ["after"])


def factorial(n):
    with tf.build(STANDARD) as inner:
        n_in, value = inner.declare_input("n", "int"), inner.declare_output("value", "int")
        less = inner.add(lambda n: n - 1, "less", n=n_in)
        again = inner.add_recursive("inner", "again", n=less.result)
        product = inner.add(lambda n, value: n * value % 1_000_003, "product", n=n_in, value=again.value)
        small = inner.add(lambda n: n <= 1, "small", n=n_in)
        inner.connect(inner.add(choose, when=small.result, then=1, otherwise=product.result).result, value)
    with tf.build(STANDARD) as g:
        call = g.add(g.define("inner", inner.graph), "call", n=n)
        g.connect(g.add(tf.nodes.Start).then, g.add(Note, value=call.value).enter)
    return g.graph


@pytest.mark.unmeasured
def test_recursive_data_graph():
    """A data graph may call itself behind a lazy input, thousands of levels deep (C2, D10)."""
    notes = []
    for n, observers in ((1, []), (5, []), (1_100, [lambda event: None]), (3_000, [])):
        trio.run(partial(tf.run, factorial(n), services={"notes": notes}, observers=observers))
    expected = [1]
    for each in range(2, 3_001):
        expected.append(expected[-1] * each % 1_000_003)
    assert notes == [expected[n - 1] for n in (1, 5, 1_100, 3_000)]


def test_recursive_data_graph_without_end():
    """A data graph that always asks for itself ends in DepthExceeded (C2, T9)."""
    with pytest.raises(tf.DepthExceeded, match="Data graphs nest deeper than 500 at node 'call/again/again/.../again"):
        trio.run(lambda: tf.run(factorial(10**9), options=tf.RunOptions(max_depth=500), services={"notes": []}))


def test_failure_inside_a_data_graph(bench):
    """A failure in a data graph is of the node inside, and every asker gets it (C2, C8, D5)."""
    with tf.build(STANDARD) as inner:
        x = inner.declare_input("x", "int")
        inner.connect(inner.add(lambda x: 1 // x, "divide", x=x).result, inner.declare_output("y", "int"))

    def fill(g, inner, loop):
        return [g.add(Note, value=g.add(inner, "call", x=loop.index).y)]

    error = bench.fails(ZeroDivisionError, loop_over(inner, fill))
    assert error.__notes__[0].startswith("in node 'call/divide' (inline.0.<lambda>), activation 0.1.0")
    assert bench.log.rows("evaluation failed") == [
        ("evaluation failed", "call/divide", "0.1.0"),
        ("evaluation failed", "call", "0.1.0"),
    ]


@tf.data_node(id="calls.or_else")
async def or_else(value: tf.Lazy[int], otherwise: int) -> int:
    try:
        return await value()
    except ZeroDivisionError:
        return otherwise


def test_failure_that_is_caught_inside(bench):
    """A data graph in which a failure was caught is evaluated anew, for it may not fail again (C2, D5)."""
    fails = [True, True, False, False]  # asked before the body and by it (D7), both times anew

    @tf.data_node
    def transient() -> int:
        return 1 // (not fails.pop(0))

    with tf.build(STANDARD) as middle:
        x, y = middle.declare_input("x", "int"), middle.declare_output("y", "int")
        middle.connect(middle.add(or_else, value=x, otherwise=-1).result, y)
    with tf.build(STANDARD) as inner:
        call = inner.add(inner.define("middle", middle.graph), "middle", x=inner.declare_input("x", "int"))
        inner.connect(call.y, inner.declare_output("y", "int"))

    def fill(g, inner, loop):
        return [g.add(Note, value=g.add(inner, "call", x=g.add(transient).result).y)]

    bench.run(loop_over(inner, fill, times=3))
    assert (bench.notes, fails) == ([-1, 1, 1], [False])


def test_converted_at_the_boundary(bench):
    """A value that is converted where it comes in is one value for all that is inside (C2, D4, D11)."""
    with tf.build(STANDARD) as inner:
        x = inner.declare_input("x", "float")
        inner.connect(inner.add(lambda x: x / 2, "half", x=x).result, inner.declare_output("half", "float"))
        inner.connect(inner.add(lambda x: x, "same", x=x).result, inner.declare_output("same", "float"))

    def fill(g, inner, loop):
        call = g.add(inner, "call", x=loop.index)
        return [g.add(Note, value=each) for each in (call.half, call.same, call.half)]

    bench.run(loop_over(inner, fill, times=2))
    assert bench.notes == [0.0, 0.0, 0.0, 0.5, 1.0, 0.5]
    assert [type(each) for each in bench.notes] == [float] * 6
    assert evaluated(bench) == ["call", "call/half", "call", "call/same"] * 2


@pytest.mark.parametrize("seed", range(6))
def test_data_graph_in_concurrent_strands(seed):
    """Strands that share the inputs share the evaluation, and the trace is the same under every schedule (C2, D5)."""

    def traced(middleware):
        with tf.build(STANDARD) as g:
            start, items = g.add(tf.nodes.Start), g.add(Items, count=4)
            inner = g.define("inner", square_plus().graph)
            shared, own = g.add(inner, "shared", x=5), g.add(inner, "own", x=items.item)
            notes = [g.add(Note, value=shared.both), g.add(Note, value=own.both), g.add(Note, value=own.next)]
            g.connect(start.then, items.enter)
            g.connect(items.body, notes[0].enter)
            chain(g, *notes)
        log = EventLog()
        run_virtual(g.graph, services={"notes": []}, observers=[log], middleware=middleware)
        return log.trace(), sorted(row[1] for row in log.rows("evaluating") if "/" in row[1])

    expected = traced([])
    assert traced([ShuffledSchedule(seed)]) == expected
    assert expected[1].count("shared/square") == 1
    assert expected[1].count("own/square") == 4


def test_run_by_itself(bench):
    """A graph with an interface may have initiators too: by itself, its inputs have their defaults (C1, C3)."""
    with tf.build(STANDARD) as g:
        x, out = g.declare_input("x", "int", 3), g.declare_exit("out")
        lazy = g.declare_input("y", "int", 4, lazy=True)
        z = g.declare_input("z", "int", 7)
        notes = [g.add(Note, value=x), g.add(Note, value=g.add(increment, x=lazy).result), g.add(Note, value=z)]
        chain(g, g.add(tf.nodes.Start), *notes)
        g.connect(notes[-1].then, out)
    bench.run(g.graph)
    assert bench.notes == [3, 5, 7]


def test_can_be_called_but_not_run():
    """A graph that nothing starts by itself can be called, not run (C1, M4)."""
    graph = doubler().graph
    assert tf.validate(graph, STANDARD).problems == ()
    with pytest.raises(tf.InvalidGraph, match="can be called by other graphs, but no node starts it"):
        tf.make_plan(graph, STANDARD)
