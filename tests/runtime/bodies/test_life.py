"""Nodes of graphs that are called, from setup to teardown, and what comes into such a graph: R1, C3, C4, S2."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest
import trio
from support import Fail, Items, Note, Resource, chain, increment

import trioflow as tf


class Closes(tf.Node, id="life.closes"):
    """Has only a teardown, which takes a second."""

    enter = tf.ExecIn()
    then = tf.ExecOut()
    ended: list[str]

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        self.ended = ctx.services.get("life")
        return self.then

    async def teardown(self) -> None:
        await trio.sleep(1)
        self.ended.append("closed")


class Made(tf.Node, id="life.made"):
    """Has only an `__init__`, which fails."""

    enter = tf.ExecIn()

    def __init__(self) -> None:
        raise OSError("not made")

    async def execute(self, ctx: tf.Context) -> None: ...


class Unfinished(tf.Node, ABC, id="life.unfinished"):
    """Has a method that is not written yet, so that no instance can be made."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None: ...

    @abstractmethod
    def missing(self) -> None: ...


def called(fill):
    """A graph that calls another one, which `fill` fills between entry and exit."""
    with tf.build() as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        fill(inner, into, out)
    with tf.build() as g:
        call = g.add(g.define("inner", inner.graph), "call")
        after = g.add(Note, "after", value="after")
        start = g.add(tf.nodes.Start, "start")
        g.connect(start.then, call["in"])
        g.connect(call.out, after.enter)
    return g.graph


def test_only_a_teardown(bench):
    """A node of a call that has only a teardown is torn down at its end, within the grace period (R1, C3)."""

    def fill(inner, into, out):
        closes = inner.add(Closes)
        inner.connect(into, closes.enter)
        inner.connect(closes.then, out)

    result = bench.run(called(fill))
    assert (bench.life, bench.notes) == (["closed"], ["after"])
    assert result.statistics.elapsed == pytest.approx(1)


@pytest.mark.parametrize(("node", "error"), [(Made, OSError), (Unfinished, TypeError)])
def test_only_an_init(bench, node, error):
    """A node of a call that can't be made fails the call, whether or not it would be reached (R1, C3)."""
    found = bench.fails(error, called(lambda inner, into, out: (inner.connect(into, out), inner.add(node, "made"))))
    assert found.__notes__[0] == f"while node 'call/made' ({node.type.id}) was set up"


def test_teardown_after_a_cancellation(bench):
    """A teardown may take its time when the call was cancelled (R1, T2)."""

    def fill(inner, into, out):
        closes, wait = inner.add(Closes), inner.add("flow.delay", seconds=10.0)
        inner.connect(into, closes.enter)
        inner.connect(closes.then, wait.enter)

    result = bench.fails(tf.NodeTimeout, called(fill), middleware=[tf.TimeLimit(2, nodes=["call"])])
    assert "'call'" in str(result)
    assert bench.life == ["closed"]


@pytest.mark.parametrize(
    ("fails", "message", "parts"),
    [
        (["teardown"], "teardown of one", []),
        (["teardown", "teardown"], "several nodes failed to tear down", ["teardown of two", "teardown of one"]),
        (["body teardown"], "the call ended badly, and so did its teardown", ["body of one", "teardown of one"]),
    ],
)
def test_failing_teardowns(bench, fails, message, parts):
    """No failure of a call hides another (R1, R4)."""

    def fill(inner, into, out):
        last = into
        for name, how in zip(("one", "two"), fails, strict=False):
            resource = inner.add(Resource, name, fail_in=how)
            inner.connect(last, resource.enter)
            last = resource.then
        inner.connect(last, out)

    error = bench.fails(Exception, called(fill))
    assert str(error).partition(" (")[0] == message
    assert [str(each) for each in getattr(error, "exceptions", ())] == parts


class Gives(tf.Node, id="life.gives"):
    """Gives what is below it a second, and goes on if it fails with an OSError."""

    enter, body, then = tf.ExecIn(), tf.ExecOut(), tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        with trio.move_on_after(1), pytest.raises(OSError, match="teardown of one"):
            await ctx.trigger(self.body)
        return self.then


def test_a_teardown_that_fails_after_a_cancellation(bench):
    """It takes the place of the cancellation, as itself: a body around the call catches it (R4, R5)."""
    with tf.build() as inner:
        into = inner.declare_entry("in")
        resource = inner.add(Resource, "one", fail_in="teardown")
        inner.connect(into, resource.enter)
        inner.connect(resource.then, inner.add("flow.delay", seconds=10.0).enter)
    with tf.build() as g:
        gives, call = g.add(Gives), g.add(g.define("inner", inner.graph), "call")
        chain(g, g.add(tf.nodes.Start), gives, g.add(Note, value="after"))
        g.connect(gives.body, call["in"])
    bench.run(g.graph)
    assert bench.notes == ["after"]


def test_teardowns_that_hang(bench):
    """Every teardown that is cut off is named (R1)."""

    def fill(inner, into, out):
        one, two = inner.add(Resource, "one", fail_in="hang"), inner.add(Resource, "two", fail_in="hang")
        inner.connect(into, one.enter)
        inner.connect(one.then, two.enter)

    error = bench.fails(tf.TeardownTimeout, called(fill))
    assert str(error).startswith(
        "Teardown took longer than the grace period of 5 s and was cut off in: call/two, call/one. Raise"
    )


def test_each_input_has_its_place(bench):
    """What comes into a call is found inside, each input at its own output (C3)."""
    with tf.build() as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        x, y = inner.declare_input("x"), inner.declare_input("y")
        one, two = inner.add(Note, "one", value=x), inner.add(Note, "two", value=y)
        inner.connect(into, one.enter)
        inner.connect(one.then, two.enter)
        inner.connect(two.then, out)
    with tf.build() as g:
        call = g.add(g.define("inner", inner.graph), "call", x=1, y=2)
        g.connect(g.add(tf.nodes.Start).then, call["in"])
    bench.run(g.graph)
    assert bench.notes == [1, 2]


def test_missing_input_of_a_call(bench):
    """What a call misses is told in its name (D1, D7)."""
    with tf.build() as inner:
        inner.connect(inner.declare_entry("in"), inner.declare_exit("out"))
        inner.declare_input("x")
    with tf.build() as g:
        items, call = g.add(Items, "items"), g.add(g.define("inner", inner.graph), "call")
        g.connect(items.item, call.x)
        g.connect(g.add(tf.nodes.Start).then, call["in"])
    error = bench.fails(tf.MissingInput, g.graph)
    assert str(error).startswith("Input 'x' of node 'call' (graph:inner) has no value")


def test_settings_of_streams_are_for_the_outermost_graph(bench):
    """What a run says of a stream by a node's id is not for nodes of that id in graphs that are called (S2)."""

    def graph(wait):
        def fill(inner, into, out):
            items = inner.add(Items, "start", count=2)  # as a node of the outer graph is called
            inner.connect(into, items.enter)
            inner.connect(items.body, inner.add("flow.delay", seconds=1.0).enter)
            inner.connect(items.done, out)

        return called(fill)

    options = tf.RunOptions(streams={"start": tf.StreamSettings(limit=1)})
    assert bench.run(graph(1), options=options).statistics.elapsed == pytest.approx(1)


def test_nesting_of_data_graphs(bench):
    """A data graph that calls itself without end is refused at the depth that the run says, and that is told (T9)."""
    with tf.build() as one:
        x, y = one.declare_input("x"), one.declare_output("y")
        again = one.add_recursive("one", "again", x=x)
        one.connect(one.add("logic.select", condition=x, if_true=again.y, if_false=1).result, y)
    for depth, known in ((3, 3), (5, 5)):
        with tf.build() as g:
            note = g.add(Note, value=g.add(g.define("one", one.graph), "call", x=True).y)
            chain(g, g.add(tf.nodes.Start), note)
        error = bench.fails(tf.DepthExceeded, g.graph, options=tf.RunOptions(max_depth=depth))
        assert (error.limit, error.value) == ("depth", known)
        assert str(error) == (
            f"Data graphs nest deeper than {depth} at node {'call' + '/again' * depth!r} (graph:one). One that calls "
            "itself ends only behind a lazy input that is not asked for; if it does, raise RunOptions(max_depth=...)."
        )
        (reached,) = (event for event in bench.log if isinstance(event, tf.events.LimitReached))
        assert (str(reached.path), reached.node, reached.limit, reached.value) == (
            "0.1",
            "call" + "/again" * depth,
            "depth",
            depth,
        )


def test_outputs_after_one_that_was_not_made(bench):
    """Of the outputs of a call each that was made is written, whatever comes before it (C5)."""
    with tf.build() as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        never, items = inner.add(Items, "never"), inner.add(Items, "items", count=1)
        inner.connect(into, items.enter)
        inner.connect(items.done, out)
        inner.connect(never.item, inner.declare_output("first"))
        inner.connect(inner.add(increment, x=never.item).result, inner.declare_output("second"))
        inner.connect(items.item, inner.declare_output("third"))
    with tf.build() as g:
        call = g.add(g.define("inner", inner.graph), "call")
        g.connect(g.add(tf.nodes.Start).then, call["in"])
    assert bench.run(g.graph).outputs["call"] == {"third": 0}


def test_shared_event_of_the_outermost_graph(bench):
    """An event that the outermost graph shares has nobody outside to hear it (C7, B1)."""
    with tf.build() as g:
        g.event("e", shared=True)
        listen, note = g.add(tf.nodes.Listen, event="e"), g.add(Note, value="heard")
        g.connect(listen.then, note.enter)
        chain(g, g.add(tf.nodes.Start), g.add("event.publish", event="e"), g.add(Note, value="after"))
    bench.run(g.graph)
    assert bench.notes == ["heard", "after"]


def test_lazy_input_after_each_callback(bench):
    """What each callback writes, a lazy input sees (C4, C6)."""
    with tf.build() as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out", callback=True)
        lazy = inner.declare_input("lazy", lazy=True)
        each = inner.add(Items, "items", count=3)
        inner.configure(each, mode="sequential")
        note = inner.add(Note, value=inner.add("text.to_text", value=lazy).result)
        inner.connect(into, each.enter)
        inner.connect(each.body, note.enter)
        inner.connect(note.then, out)
    with tf.build() as g:
        g.variable("total", "int", 0)
        call = g.add(g.define("inner", inner.graph), "call", lazy=g.add("variable.get", name="total").result)
        g.connect(g.add(tf.nodes.Start).then, call["in"])
        g.connect(call.out, g.add("variable.add", name="total", value=1)["enter"])
    bench.run(g.graph)
    assert bench.notes == ["0", "1", "2"]


@tf.data_node(id="life.caught")
async def caught(fails: tf.Lazy[int]) -> int:
    with pytest.raises(ZeroDivisionError):
        await fails()
    return 1


@tf.data_node(id="life.fails")
def fails() -> int:
    return 1 // 0


def test_after_a_callback_nothing_is_taken_for_current(bench):
    """What came of a caught failure is good for one demand, after a callback too (D5, C6)."""

    class Asks(tf.Node, id="life.asks"):
        enter = tf.ExecIn()
        value = tf.DataIn(int, lazy=True)
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            await ctx.trigger(self.body)
            for _ in range(2):
                bench.notes.append(await ctx.get_input(self.value))

    with tf.build() as inner:
        into, each = inner.declare_entry("in"), inner.declare_exit("each", callback=True)
        asks = inner.add(Asks, value=inner.add(caught, "caught", fails=inner.add(fails).result).result)
        inner.connect(into, asks.enter)
        inner.connect(asks.body, each)
    with tf.build() as g:
        call = g.add(g.define("inner", inner.graph), "call")
        g.connect(g.add(tf.nodes.Start).then, call["in"])
        g.connect(call.each, g.add(Note, value="outside").enter)
    bench.run(g.graph)
    assert bench.notes == ["outside", 1, 1]
    assert [name for _, name, _ in bench.log.rows("evaluated")] == ["call/caught"] * 2


@pytest.mark.parametrize(("names", "known"), [([], "none"), (["one", "two"], "one, two")])
def test_unknown_event(bench, names, known):
    """An event that is not there is told, and those that are (B1)."""

    class Publishes(tf.Node, id="life.publishes"):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None:
            await ctx.publish("missing")

    with tf.build() as g:
        for name in names:
            g.event(name)
        chain(g, g.add(tf.nodes.Start), g.add(Publishes))
    error = bench.fails(tf.UnknownName, g.graph)
    assert str(error) == f"There is no event 'missing'. The graph declares: {known}."


@pytest.mark.parametrize(
    ("levels", "name"),
    [(8, "a/b/c/d/e/f/g/h/fail"), (9, "a/b/c/.../f/g/h/i/fail"), (12, "a/b/c/.../i/j/k/l/fail")],
)
def test_names_in_deep_graphs(bench, levels, name):
    """The name of a node that is far inside of other graphs loses its middle (C8)."""

    def inside(call, name):
        with tf.build() as outer:
            into, out = outer.declare_entry("in"), outer.declare_exit("out")
            node = outer.add(outer.define("inner", call), name) if name else outer.add(Fail, "fail")
            outer.connect(into, node["in"] if name else node.enter)
            if name:
                outer.connect(node.out, out)
        return outer.graph

    graph = inside(None, None)
    names = "abcdefghijkl"[:levels]
    for each in reversed(names[1:]):
        graph = inside(graph, each)
    with tf.build() as g:
        call = g.add(g.define("inner", graph), names[0])
        g.connect(g.add(tf.nodes.Start).then, call["in"])
    error = bench.fails(ValueError, g.graph)
    assert error.__notes__[0].startswith(f"in node {name!r} (test.fail)")
