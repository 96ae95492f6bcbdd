"""What a body can do with its context, and what it is told when it can't: T4, T7, S2, S4, S5, F6, D11, E3."""

from __future__ import annotations

import math

import pytest
import trio
from support import Note, chain, increment

import trioflow as tf


class Acts(tf.Node, id="context.acts"):
    """Does what the run's service `act` says."""

    enter = tf.ExecIn()
    x = tf.DataIn(float, default=0.0)
    y = tf.DataIn(float, default=0.0)
    z = tf.DataIn(int, default=0)
    item = tf.DataOut(float)
    also = tf.DataOut(int)
    second = tf.DataOut(int)
    body = tf.ExecOut()
    other = tf.ExecOut()
    done = tf.ExecOut()
    ended = tf.ExecOut()
    stream = tf.Stream(item, also, fires=body, done=done)
    more = tf.Stream(second, fires=other, done=ended)

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.services.get("act")(ctx)


class Does:
    """Runs one node that does something; `below` is a node that its stream fires."""

    def __init__(self, bench):
        self.bench = bench

    def __call__(self, act, below=None, *, fails=None, wire=lambda g, acts: None, stream=None, twice=False, **options):
        with tf.build() as g:
            g.variable("real", "float", 1.0)
            g.event("e")
            acts = g.add(Acts, "acts")
            chain(g, g.add(tf.nodes.Start), acts)
            if below is not None:
                under = g.add(below, "below")
                g.connect(acts.body, under.enter)
                if "value" in {socket.name for socket in under._type.inputs}:
                    g.connect(acts.item, under.value)
            if twice:
                g.connect(acts.done, g.add(Note, "again", value="again").enter)
            if stream:
                g.configure(acts, **stream)
            wire(g, acts)
        options = {"services": {"act": act}, **options}
        return self.bench.run(g.graph, **options) if fails is None else self.bench.fails(fails, g.graph, **options)


@pytest.fixture
def does(bench):
    return Does(bench)


class FailsAt(tf.Node, id="context.fails_at"):
    """Fails if the value says so."""

    enter = tf.ExecIn()
    value = tf.DataIn(float)

    async def execute(self, ctx: tf.Context) -> None:
        if await ctx.get_input(self.value) >= 1:
            raise ValueError(str(await ctx.get_input(self.value)))


class Sleeps(tf.Node, id="context.sleeps"):
    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        await trio.sleep(1)


# --- sockets


def test_unknown_sockets(does):
    """A name that no socket bears is told with the node, and the sockets there are (T4)."""

    async def act(ctx):
        told = []
        for attempt in (
            lambda: ctx.trigger("bdy"),
            lambda: ctx.get_input("w"),
            lambda: ctx.emit("itm", 1),
            lambda: ctx.trigger("body", {"second": 1, "no": 2}),
        ):
            with pytest.raises(tf.UnknownSocket) as caught:
                await attempt()
            told.append(str(caught.value))
        with pytest.raises(tf.UnknownSocket) as caught:
            ctx.set_output("itm", 1)
        ctx.services.get("told").extend([*told, str(caught.value)])

    told = []
    result = does(act, services={"act": act, "told": told})
    assert "acts" not in result.outputs, "all outputs are written, or none"
    for place, (name, known) in enumerate(
        [("bdy", "exec output"), ("w", "input"), ("itm", "output"), ("no", "output"), ("itm", "output")]
    ):
        assert "'acts'" in told[place]
        assert repr(name) in told[place]
        assert known in told[place]
    assert all(each in told[0] for each in ("body", "other", "done", "ended"))


def test_values(does):
    """A value has the type of its input; one that nothing supplies is what the body says (D1, D11)."""

    async def act(ctx):
        seen.append(await ctx.get_input("x"))
        seen.append(await ctx.try_get_input("x", "none"))
        seen.append(await ctx.try_get_input("y", "none"))

    def wire(g, acts):
        g.connect(g.add(increment, x=1).result, acts.x)
        g.connect(acts.item, acts.y)

    seen = []
    does(act, wire=wire)
    assert repr(seen) == "[2.0, 2.0, 0.0]"


class Nothing(tf.Node, id="context.nothing"):
    """Has an input for nothing but None."""

    enter = tf.ExecIn()
    value = tf.DataIn(type(None), lazy=True)

    async def execute(self, ctx: tf.Context) -> None:
        for _ in range(2):
            with pytest.raises(tf.CoercionError, match="expected None, got int 5"):
                await ctx.get_input(self.value)


def test_an_input_of_nothing():
    """An input whose type is that of None refuses other values, however often they are asked for (D11)."""

    @tf.data_node(id="context.five")
    def five() -> object:
        return 5

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Nothing, value=g.add(five).result))
    trio.run(tf.run, g.graph)


def test_variables(does):
    """A variable takes values of its type, those that become it, and None; others are told (D11, F4)."""

    async def act(ctx):
        for value in (2.5, 3, None):
            ctx.set_variable("real", value)
            seen.append(ctx.get_variable("real"))
        ctx.set_variable("real", "text")

    seen = []
    error = does(act, fails=tf.CoercionError)
    assert repr(seen) == "[2.5, 3.0, None]"
    assert str(error) == "Variable 'real': expected float, got str 'text'."


# --- one trigger at a time


@pytest.mark.parametrize(
    ("verb", "name", "start"),
    [
        ("trigger", "body", lambda ctx: ctx.trigger("body")),
        ("emit", "item", lambda ctx: ctx.emit("item", 1)),
        ("emit", "item", lambda ctx: ctx.emit(Acts.item, 1)),
        ("publish", "e", lambda ctx: ctx.publish("e")),
    ],
)
@pytest.mark.parametrize(
    "first", [lambda ctx: ctx.trigger("body"), lambda ctx: ctx.emit("item", 1), lambda ctx: ctx.publish("e")]
)
def test_one_trigger_at_a_time(does, verb, name, start, first):
    """While one trigger of an activation runs, another one is refused, with what to write instead; then not (T7)."""

    async def act(ctx):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(first, ctx)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(tf.ConcurrentTrigger) as caught:
                await start(ctx)
            told.append(str(caught.value))
        await start(ctx)

    def wire(g, acts):
        listen, sleeps = g.add(tf.nodes.Listen, event="e"), g.add(Sleeps)
        g.connect(listen.then, sleeps.enter)

    told = []
    does(act, Sleeps, wire=wire)
    assert told[0].startswith(f"Node 'acts': {verb}({name!r}) while another trigger of the same activation is running.")
    assert f"branches.start({name!r})" in told[0]


# --- streams


@pytest.mark.parametrize("mode", ["sequential", "concurrent"])
def test_also(does, mode):
    """The values that an emit brings along are written with the item (S1)."""

    async def act(ctx):
        await ctx.emit("item", 1.0, {"also": 2})

    assert does(act, stream={"mode": mode}).outputs["acts"] == {"item": 1.0, "also": 2}


@pytest.mark.parametrize(
    ("configured", "settled", "fails"),
    [
        (None, None, True),
        ("collect", None, False),
        ("fail", None, True),
        ("fail", "collect", False),
        ("collect", "fail", True),
    ],
)
def test_on_error(does, configured, settled, fails):
    """A failing item fails the body, or is collected, as the type, the body, and before both the graph says (S2, S4)."""

    async def act(ctx):
        if configured is not None:
            ctx.configure_stream("item", on_error=configured)
        for number in range(3):
            await ctx.emit("item", number)
        seen.append([str(error) for error in ctx.failures()])

    seen = []
    does(act, FailsAt, fails=ValueError if fails else None, stream=settled and {"on_error": settled})
    assert seen == ([] if fails else [["1.0", "2.0"]])


@pytest.mark.parametrize(("limit", "seconds"), [(None, 1), (0, 1), (1, 4), (2, 2)])
def test_limit(does, limit, seconds):
    """A stream of concurrent items has as many in flight as its body says; 0 is any number, less is refused (S3)."""

    async def act(ctx):
        with pytest.raises(tf.NodeError) as caught:
            ctx.configure_stream("item", limit=-1)
        told.append(str(caught.value))
        ctx.configure_stream("item", limit=limit)
        began = trio.current_time()
        for number in range(4):
            await ctx.emit("item", number)
        await ctx.join()
        told.append(trio.current_time() - began)

    told = []
    does(act, Sleeps, stream={"mode": "concurrent"})
    assert told[0] == "Node 'acts': a stream's limit is 0 (any number) or more, got -1."
    assert told[1] == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("options", "fails"),
    [({}, True), ({"on_error": "collect"}, False), ({"mode": "concurrent", "on_error": "collect"}, False)],
)
def test_settings_of_the_run(does, options, fails):
    """What the run says of a stream comes before what the graph says, each setting for itself (S2)."""

    async def act(ctx):
        for number in range(3):
            await ctx.emit("item", number)
        await ctx.join()
        seen.append([str(error) for error in ctx.failures()])

    seen = []
    settings = tf.RunOptions(streams={"acts": tf.StreamSettings(**options)})
    does(act, FailsAt, fails=ValueError if fails else None, stream={"on_error": "fail"}, options=settings)
    assert seen == ([] if fails else [["1.0", "2.0"]])


@pytest.mark.parametrize(("limit", "seconds"), [(None, 2), (0, 1), (1, 4)])
def test_limit_of_the_run(does, limit, seconds):
    """A run that says nothing of the limit keeps that of the graph (S2, S3)."""

    async def act(ctx):
        began = trio.current_time()
        for number in range(4):
            await ctx.emit("item", number)
        await ctx.join()
        seen.append(trio.current_time() - began)

    seen = []
    settings = tf.RunOptions(streams={"acts": tf.StreamSettings("concurrent", limit)})
    does(act, Sleeps, stream={"limit": 2}, options=settings)
    assert seen == [pytest.approx(seconds)]


def test_two_streams_are_done(bench):
    """The done sockets of all streams fire, in the order of the streams, when the body has ended (S5)."""
    with tf.build() as g:
        acts = g.add(Acts, "acts")
        chain(g, g.add(tf.nodes.Start), acts)
        g.connect(acts.ended, g.add(Note, value="ended").enter)
        g.connect(acts.done, g.add(Note, value="done").enter)

    async def act(ctx):
        await ctx.emit("second", 1)

    bench.run(g.graph, services={"act": act})
    assert bench.notes == ["done", "ended"]


class Collects(tf.Node, id="context.collects"):
    """Emits to a concurrent and to a sequential stream, which collect failures, and tells how many there were."""

    enter = tf.ExecIn()
    beside = tf.DataOut(int)
    after = tf.DataOut(int)
    count = tf.DataOut(int)
    one = tf.ExecOut()
    two = tf.ExecOut()
    concurrent = tf.Stream(beside, fires=one, mode="concurrent", on_error="collect")
    sequential = tf.Stream(after, fires=two, on_error="collect")

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.emit(self.beside, 1)
        await ctx.emit(self.after, 1)
        await ctx.join()
        ctx.set_output(self.count, len(ctx.failures()))


def test_failures_of_two_streams(bench):
    """A body gets the failures of all its streams, also of items that have the same number (S4)."""
    with tf.build() as g:
        collects, one, two = g.add(Collects, "node"), g.add(FailsAt, value=1.0), g.add(FailsAt, value=2.0)
        chain(g, g.add(tf.nodes.Start), collects)
        g.connect(collects.one, one.enter)
        g.connect(collects.two, two.enter)
    assert bench.run(g.graph).output("node", "count") == 2


def test_a_body_that_only_emits_gives_turns():
    """Emitting into concurrent strands lets other tasks have a turn after so many items (T2)."""
    turns = 0

    class Emits(tf.Node, id="context.emits"):
        enter = tf.ExecIn()
        item = tf.DataOut(int)
        body = tf.ExecOut()
        stream = tf.Stream(item, fires=body, mode="concurrent")

        async def execute(self, ctx: tf.Context) -> None:
            before = turns
            for number in range(64):
                await ctx.emit(self.item, number)
            ctx.services.get("notes").append(turns - before)

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Emits))

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            options = tf.RunOptions(turn_every=16, turn_after=math.inf)
            await tf.run(g.graph, options=options, services={"notes": notes})
            nursery.cancel_scope.cancel()

    notes = []
    trio.run(main)
    assert 3 <= notes[0] <= 5  # in each of its rounds trio may run the other task first or last


def test_failures_of_no_stream(does):
    """A body without streams has no failures of items, whatever else it has asked for (S4)."""

    class Lonely(tf.Node, id="context.lonely"):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None:
            ctx.random.random()
            ctx.services.get("seen").append(ctx.failures())

    async def act(ctx):
        await ctx.emit("item", 1.0)

    seen = []
    does(act, Lonely, services={"act": act, "seen": seen})
    assert seen == [()]


# --- what is told


def test_feedback_and_progress(does):
    """Feedback and progress say which activation of which node gave them (E3)."""

    async def act(ctx):
        ctx.emit_feedback("hello", "warning", 5)
        ctx.report_progress(1, 2, "half")

    does(act)
    feedback, progress = (each for each in does.bench.log if isinstance(each, (tf.events.Feedback, tf.events.Progress)))
    assert (str(feedback.path), feedback.node, feedback.message, feedback.level, feedback.tag) == (
        "0.1", "acts", "hello", "warning", 5,
    )  # fmt: skip
    assert (str(progress.path), progress.node, progress.done, progress.total, progress.message) == (
        "0.1", "acts", 1, 2, "half",
    )  # fmt: skip


def test_feedback_without_more(does):
    """Feedback is an information unless it says otherwise, and progress needs neither an end nor words (E3)."""

    async def act(ctx):
        ctx.emit_feedback("hello")
        ctx.report_progress(1)

    does(act)
    feedback, progress = (each for each in does.bench.log if isinstance(each, (tf.events.Feedback, tf.events.Progress)))
    assert (feedback.level, feedback.tag) == ("info", None)
    assert (progress.total, progress.message) == (None, "")


# --- state


def test_state(does):
    """A node's state is a mapping of its own: what is deleted is gone, and what other nodes keep is not in it (F6)."""

    async def act(ctx):
        if ctx.node.id == "other":
            ctx.state["theirs"] = 1
            return
        ctx.state["b"], ctx.state["a"], ctx.state["c"] = 1, 2, 3
        del ctx.state["b"]
        seen.append((dict(ctx.state), len(ctx.state), "b" in ctx.state, "theirs" in ctx.state))
        with pytest.raises(KeyError, match="b"):
            del ctx.state["b"]
        with pytest.raises(KeyError, match="'b'"):
            ctx.state["b"]
        ctx.state["b"] = 4
        seen.append([*ctx.state])

    seen = []
    does(act, wire=lambda g, acts: g.configure(g.add(Acts, "other"), initiator=True))
    assert seen == [({"a": 2, "c": 3}, 2, False, False), ["a", "b", "c"]]


class Pairs(tf.Node, id="context.pairs", initiator=True):
    """Writes two outputs at once, then emits, with the second output as the item."""

    then = tf.ExecOut()
    body = tf.ExecOut()
    first = tf.DataOut(str)
    second = tf.DataOut(str)
    items = tf.Stream(second, fires=body, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.trigger(self.then, {self.first: "first", self.second: "second"})
        await ctx.emit(self.second, "item")
        await ctx.emit(self.second, "another", {self.first: "beside it"})


def test_outputs_where_nobody_watches():
    """Each value goes to its own output, by trigger and by emit (T4, S1)."""
    seen = []

    @tf.exec_node(id="context.see")
    def see(a: str, b: str) -> None:
        seen.append((a, b))

    with tf.build() as g:
        pairs, sees = g.add(Pairs), g.add(see)
        g.connect(pairs.then, sees.enter)
        g.connect(pairs.body, sees.enter)
        g.connect(pairs.first, sees.a)
        g.connect(pairs.second, sees.b)
    trio.run(tf.run, g.graph)
    assert seen == [("first", "second"), ("first", "item"), ("beside it", "another")]


@pytest.mark.parametrize("ask", [lambda ctx: ctx.get_variable("nmae"), lambda ctx: ctx.set_variable("nmae", 1)])
def test_a_variable_that_is_not_there(bench, ask):
    """Whoever asks for a variable of another name is told which there are."""

    @tf.exec_node(id="context.asks")
    def asks(ctx: tf.Context) -> None:
        ask(ctx)

    with tf.build() as g:
        g.variable("name", "int", 0)
        chain(g, g.add(tf.nodes.Start), g.add(asks))
    error = bench.fails(tf.UnknownName, g.graph)
    assert str(error) == "There is no variable 'nmae'. Did you mean 'name'? The graph declares: name."
    assert error.__context__ is None  # nothing that happened before is of interest
