"""Graphs in which a loop has something open around it, beside it, or below it."""

from __future__ import annotations

from contextlib import nullcontext

import attrs
import trio
from durable.graphs import STOP, act
from durable.test_moments import REGISTRY, Noting

import trioflow as tf


class Ticks(tf.Node, id="open.ticks", durable="source"):
    """Sends numbers that it reads somewhere."""

    enter = tf.ExecIn()
    number = tf.DataOut(int)
    body = tf.ExecOut()
    done = tf.ExecOut()
    numbers = tf.Stream(number, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        async for again in ctx.emitted():
            await again()
        for number in range(ctx.resumed(0), 5):
            ctx.mark(number + 1)
            await ctx.emit(self.number, number)


class Rounds(tf.Node, id="open.rounds", durable="replayed"):
    """Triggers in rounds, and can't be begun in any."""

    enter = tf.ExecIn()
    body = tf.ExecOut()
    done = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        for _ in range(2):
            await ctx.trigger(self.body)
        return self.done


class Own(Rounds, id="open.own", durable=None):
    """The same, of which nobody has said that it is replayed."""


class Asking(tf.Node, id="open.asking", durable="replayed"):
    """A loop that asks its context for things."""

    enter = tf.ExecIn()
    limit = tf.DataIn(bool, default=False, doc="whether there is a time limit around its rounds")
    body = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        limit = await ctx.get_input(self.limit)
        first = ctx.resumed(0)
        with ctx.time_limit(1000) if limit else nullcontext():
            for number in range(first, 4):
                await ctx.trigger_at(number, self.body)
                await ctx.once(act, f"once {number}")
                await ctx.sleep(1)


class Beside(tf.Node, id="open.beside", durable="replayed"):
    """A loop with a branch beside it: no moment can be taken of it, as the branch may still be running."""

    enter = tf.ExecIn()
    branch = tf.ExecOut()
    body = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        first = ctx.resumed(0)
        async with ctx.branches() as branches:
            branches.start(self.branch)
            for number in range(first, 3):
                await ctx.trigger_at(number, self.body)


class Reminding(tf.Node, id="open.reminding", durable="replayed"):
    """A loop that puts something off in each round."""

    enter = tf.ExecIn()
    body = tf.ExecOut()
    reminded = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        for number in range(ctx.resumed(0), 4):
            await ctx.trigger_at(number, self.body)
            handle = ctx.later(self.reminded, 10 - number)
            if number == 2:
                ctx.drop_later(handle)


@tf.exec_node(id="open.fails")
async def fails(ctx: tf.Context, value: int = 0, after: float = 0.0) -> int:
    """Leaves a value, waits, and fails."""
    ctx.set_output("result", value)
    await trio.sleep(after)
    act(f"fails {value}")
    if STOP.get("mended") is None:
        raise LookupError(value)
    return value


class Reporting(tf.Node, id="open.reporting"):
    """Says how far it is."""

    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        for number in range(3):
            ctx.report_progress(number + 1, 3, f"part {number}")
            await trio.sleep(0.5)
        return self.then


REGISTRY.add(Ticks, Rounds, Own, Asking, Beside, Reminding, fails, Reporting)


def effects(g, body, times=4, name="loop"):
    """A loop over an effect that writes a variable; gives where it ends."""
    total = g.add("variable.get", name="sum").result
    loop, note = g.add("flow.repeat", name, times=times), g.add(Noting, f"{name}_note", value=total)
    g.connect(body, loop.enter)
    g.connect(loop.body, note.enter)
    g.connect(note.then, g.add("variable.add", name="sum", value=loop.round).enter)
    return loop.done


def begun():
    g = tf.Builder(REGISTRY)
    g.variable("sum", "int", default=0, merge="sum")
    return g, g.add("flow.start").then


def then_note(g, left, name="after"):
    g.connect(left, g.add(Noting, name, value=g.add("variable.get", name="sum").result).enter)


def source():
    """In a source that reads the world, one item after the other."""
    g, start = begun()
    ticks = g.add(Ticks, "ticks")
    g.connect(start, ticks.enter)
    then_note(g, effects(g, ticks.body, times=1), "inner")
    then_note(g, ticks.done)
    return g.graph


def in_rounds():
    """In a body that says nothing about itself."""
    g, start = begun()
    rounds = g.add(Rounds, "rounds")
    g.connect(start, rounds.enter)
    then_note(g, effects(g, rounds.body), "inner")
    then_note(g, rounds.done)
    return g.graph


def auto():
    """In a body of which it is not known whether it dispatches."""
    g, start = begun()
    own = g.add(Own, "own")
    g.connect(start, own.enter)
    then_note(g, effects(g, own.body), "inner")
    then_note(g, own.done)
    return g.graph


def asking(limit=False):
    """In a loop that asks its context for answers and timers."""
    g, start = begun()
    loop = g.add(Asking, "asking", limit=limit)
    g.connect(start, loop.enter)
    then_note(g, loop.body)
    return g.graph


def inner_graph(name="called"):
    """A graph with a variable and a loop of its own, that goes out in each round and comes back."""
    inner = tf.Builder(REGISTRY)
    inner.variable("sum", "int", default=0)
    start = inner.declare_entry("enter")
    times = inner.declare_input("times", "int")
    loop = inner.add("flow.repeat", "loop", times=times)
    inner.connect(start, loop.enter)
    more = inner.add("variable.add", name="sum", value=loop.round)
    note = inner.add(Noting, name, value=inner.add("variable.get", name="sum").result)
    inner.connect(loop.body, note.enter)
    inner.connect(note.then, more.enter)
    inner.connect(more.then, inner.declare_exit("each", callback=True))
    inner.connect(inner.add("variable.get", name="sum").result, inner.declare_output("sum", "int"))
    inner.connect(loop.done, inner.declare_exit("done"))
    return inner.graph


def called():
    """In a graph that is called, out of which control comes and goes back again; and when it has ended."""
    g, start = begun()
    call = g.add(g.define("inner", inner_graph()), "call", times=4)
    g.connect(start, call.enter)
    more = g.add("variable.add", "outside", name="sum", value=call.sum)
    note = g.add(Noting, "outer", value=call.sum)
    g.connect(call.each, note.enter)
    g.connect(note.then, more.enter)
    then_note(g, effects(g, call.done))
    return g.graph


def workflow():
    """In a graph that a workflow calls, while other tokens wait for each other."""
    g, start = begun()
    inner = g.define("inner", inner_graph())
    first, second = (g.add(inner, name, times=3) for name in ("first", "second"))
    g.connect(start, first.enter)
    g.connect(first.done, second.enter)
    then_note(g, second.done)
    return attrs.evolve(g.graph, kind="workflow")


def concurrent_items():
    """In items of a stream beside each other, each with a loop, and in what comes after them."""
    g, start = begun()
    items = g.add("flow.parallel_for", "items", times=3)
    g.connect(start, items.enter)
    effects(g, items.body, times=3)
    effects(g, items.done, name="later")
    return g.graph


def long_items(times=3, limit=None):
    """In items beside each other that do many things, one after the other."""
    g, start = begun()
    items = g.add("flow.for_each", "items", items=[*range(times)])
    g.configure(items, mode="concurrent", limit=limit)
    g.connect(start, items.enter)
    total, last = g.add("variable.get", name="sum").result, items.body
    for place in range(5):
        note, more = (
            g.add(Noting, f"note{place}", value=total),
            g.add("variable.add", f"add{place}", name="sum", value=1),
        )
        g.connect(last, note.enter)
        g.connect(note.then, more.enter)
        last = more.then
    then_note(g, items.done)
    return g.graph


def few_at_a_time():
    """In items of which two are open at a time."""
    g, start = begun()
    items = g.add("flow.for_each", "items", items=[1, 2, 3])
    g.configure(items, mode="concurrent", limit=2)
    g.connect(start, items.enter)
    effects(g, items.body, times=2)
    then_note(g, items.done)
    return g.graph


def collecting():
    """In a stream that collects failures."""
    g, start = begun()
    items = g.add("flow.for_each", "items", items=[1, 2])
    g.configure(items, on_error="collect")
    g.connect(start, items.enter)
    effects(g, items.body)
    return g.graph


def branches():
    """In branches, and in a loop with a branch beside it."""
    g, start = begun()
    both, beside = g.add("flow.parallel", "both"), g.add(Beside, "beside")
    g.connect(start, both.enter)
    effects(g, both.a)
    g.connect(both.b, beside.enter)
    then_note(g, beside.branch, "branch")
    then_note(g, beside.body, "body")
    return g.graph


def raced():
    """In a race that something else wins in the end: what was cut off stays so."""
    g, start = begun()
    race, slow, quick = (
        g.add("flow.race", "race"),
        g.add("flow.sleep", duration="100s"),
        g.add("flow.sleep", duration="1s"),
    )
    g.connect(start, race.enter)
    g.connect(effects(g, race.a), slow.enter)
    g.connect(race.b, quick.enter)
    effects(g, race.done, name="later")
    return g.graph


def waiting():
    """While a timer is open beside it."""
    g, start = begun()
    both, sleep = g.add("flow.parallel", "both"), g.add("flow.sleep", duration="1h")
    g.connect(start, both.enter)
    g.connect(both.a, sleep.enter)
    then_note(g, sleep.then, "slept")
    effects(g, both.b)
    return g.graph


def every_second(most=9):
    """Putting itself off again and again, beside something that was put off for long, until that is taken back."""
    g, start = begun()
    long = g.add("flow.later", "long", seconds=1e6)
    later = g.add("flow.later", "later", seconds=1.0)
    g.connect(start, long.enter)
    g.connect(long.done, g.add(Noting, "never", value=1).enter)
    once = g.add("flow.once", "once")
    g.connect(long.then, once.enter)
    g.connect(once.then, later.enter)
    total = g.add("variable.get", name="sum").result
    note, more = g.add(Noting, "note", value=total), g.add("variable.add", name="sum", value=1)
    enough = g.add("flow.branch", "enough", condition=g.add("logic.less", a=total, b=most).result)
    g.connect(later.done, note.enter)
    g.connect(note.then, more.enter)
    g.connect(more.then, enough.enter)
    g.connect(enough.true, later.enter)
    g.connect(enough.false, long.cancel)
    return g.graph


def reminding():
    """In a loop that puts things off itself."""
    g, start = begun()
    loop = g.add(Reminding, "loop")
    g.connect(start, loop.enter)
    then_note(g, loop.body)
    then_note(g, effects(g, loop.reminded, times=2, name="inner"), "reminded")
    return g.graph


def putting_off():
    """In a loop that puts something off in each round, and in one that takes some of that back."""
    g, start = begun()
    g.event("asked")
    loop, later = g.add("flow.for", "loop", times=5), g.add("flow.later", "later", seconds=5.0)
    other, post = g.add("flow.later", "other", seconds=3.0), g.add("event.post", event="asked", payload=loop.index)
    note, back = g.add(Noting, "note", value=loop.index), g.add("flow.repeat", "back", times=3)
    once = g.add("flow.at_most", "once", times=5)
    for source, target in (
        (start, loop.enter), (loop.body, later.enter), (later.then, other.enter), (other.then, post.enter),
        (post.then, once.enter), (once.then, note.enter), (loop.done, back.enter), (back.done, other.cancel),
    ):  # fmt: skip
        g.connect(source, target)
    then_note(g, back.body, "during")
    then_note(g, effects(g, later.done, times=2, name="inner"), "put_off")
    then_note(g, other.done, "never")
    listen = g.add("event.listen", event="asked")
    heard = g.add(Noting, "heard", value=listen.payload)
    g.connect(listen.then, heard.enter)
    g.connect(heard.then, g.add("variable.add", name="sum", value=listen.payload).enter)
    return g.graph


def caught():
    """After failures that were caught, in each round."""
    g, start = begun()
    loop, guard = g.add("flow.repeat", "outer", times=3), g.add("flow.try", "guard")
    g.connect(start, loop.enter)
    g.connect(loop.body, guard.enter)
    g.connect(guard.body, g.add("durable.failing", "fails", value=loop.round).enter)
    then_note(g, guard.catch, "caught")
    effects(g, guard.done)
    return g.graph


def in_a_circle(most=9):
    """In a workflow that goes in a circle, with two ways that join in each round."""
    with tf.workflow(REGISTRY) as w:
        w.variable("sum", "int", default=0, merge="sum")
        total = w.add("variable.get", name="sum").result
        start, work = w.add("flow.start"), w.add(Noting, "work", value=total)
        a, b = w.add(Noting, "a", value="a"), w.add("variable.add", "b", name="sum", value=1)
        meet = w.add(Noting, "meet", value=total)
        more = w.add("flow.branch", "more", condition=w.add("logic.less", a=total, b=most).result)
        for source, target in (
            (start.then, work.enter), (work.then, a.enter), (work.then, b.enter), (a.then, meet.enter),
            (b.then, meet.enter), (meet.then, more.enter), (more.true, work.enter),
            (more.false, w.add(Noting, "last", value=total).enter),
        ):  # fmt: skip
            w.connect(source, target)
    return w.graph
