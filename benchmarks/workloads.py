"""The graphs that are measured, and the same work written by hand in trio."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

import trioflow as tf

STEPS = 20_000
"""Steps in each measurement, so that what a run costs once does not count."""


# --- nodes ---


class Loop(tf.Node, id="bench.loop"):
    """Triggers its body `times` times."""

    enter = tf.ExecIn()
    times = tf.DataIn(int, default=STEPS)
    body = tf.ExecOut()
    done = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        for _ in range(await ctx.get_input(self.times)):
            await ctx.trigger(self.body)
        return self.done


class Step(tf.Node, id="bench.step"):
    """Does nothing and hands over."""

    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.then


class Count(tf.Node, id="bench.count"):
    """Hands over until it was entered `times` times: a loop made of a wire."""

    enter = tf.ExecIn()
    again = tf.ExecOut()
    done = tf.ExecOut()

    async def setup(self, ctx: tf.SetupContext) -> None:
        self.left = ctx.services.get("times")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        self.left -= 1
        return self.again if self.left > 0 else self.done


class Nest(tf.Node, id="bench.nest"):
    """Awaits a trigger of itself until it was entered `times` times."""

    enter = tf.ExecIn()
    again = tf.ExecOut()

    async def setup(self, ctx: tf.SetupContext) -> None:
        self.left = ctx.services.get("times")

    async def execute(self, ctx: tf.Context) -> None:
        self.left -= 1
        if self.left > 0:
            await ctx.trigger(self.again)


class Ask(tf.Node, id="bench.ask"):
    """Asks for its input `STEPS` times."""

    enter = tf.ExecIn()
    value = tf.DataIn(object)

    async def execute(self, ctx: tf.Context) -> None:
        for _ in range(STEPS):
            await ctx.get_input(self.value)


class Emit(tf.Node, id="bench.emit"):
    """Emits `STEPS` items."""

    enter = tf.ExecIn()
    item = tf.DataOut(int)
    body = tf.ExecOut()
    done = tf.ExecOut()
    items = tf.Stream(item, fires=body, done=done, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        for number in range(STEPS):
            await ctx.emit(self.item, number)


@tf.data_node(id="bench.forty_two")
def forty_two() -> int:
    """A pure value."""
    return 42


@tf.data_node(id="bench.add")
def add(a: int, b: int = 1) -> int:
    """A link of a data chain."""
    return a + b


@tf.exec_node(id="bench.take")
def take(value: int) -> int:
    """Wants a value."""
    return value


# --- graphs ---


def loop() -> tf.Graph:
    """A loop that triggers one node per index."""
    with tf.build() as g:
        start, each, step = g.add(tf.nodes.Start), g.add(Loop), g.add(Step)
        g.connect(start.then, each.enter)
        g.connect(each.body, step.enter)
    return g.graph


def hand_over() -> tf.Graph:
    """A node that hands over to itself."""
    with tf.build() as g:
        start, count = g.add(tf.nodes.Start), g.add(Count)
        g.connect(start.then, count.enter)
        g.connect(count.again, count.enter)
    return g.graph


def nested() -> tf.Graph:
    """A node that awaits a trigger of itself."""
    with tf.build() as g:
        start, nest = g.add(tf.nodes.Start), g.add(Nest)
        g.connect(start.then, nest.enter)
        g.connect(nest.again, nest.enter)
    return g.graph


def demand() -> tf.Graph:
    """One value, asked for again and again."""
    with tf.build() as g:
        start, ask, value = g.add(tf.nodes.Start), g.add(Ask), g.add(forty_two)
        g.connect(start.then, ask.enter)
        g.connect(value.result, ask.value)
    return g.graph


def emit() -> tf.Graph:
    """A stream of concurrent items with nothing but a step behind it."""
    with tf.build() as g:
        start, stream, step = g.add(tf.nodes.Start), g.add(Emit), g.add(Step)
        g.connect(start.then, stream.enter)
        g.connect(stream.body, step.enter)
    return g.graph


def data_chain(length: int) -> tf.Graph:
    """`length` data nodes, each wanting the one before."""
    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        last = g.add(forty_two)
        for _ in range(length - 1):
            last = g.add(add, a=last.result)
        wants = g.add(take, "take", value=last.result)
        g.connect(start.then, wants.enter)
    return g.graph


def wide(length: int) -> tf.Graph:
    """`length` nodes: half of them steps in a chain, half of them data nodes that feed nothing but the next."""
    with tf.build() as g:
        control = g.add(tf.nodes.Start).then
        value = g.add(forty_two).result
        for _ in range(length // 2 - 1):
            step, sum_ = g.add(Step), g.add(add, a=value)
            g.connect(control, step.enter)
            control, value = step.then, sum_.result
    return g.graph


# --- the same by hand ---


async def step_by_hand() -> None:
    """What a step is by hand: a function, awaited, with a check for cancellation."""
    await trio.lowlevel.checkpoint_if_cancelled()


async def steps_by_hand() -> None:
    """The counterpart of `loop` and `hand_over`."""
    for _ in range(STEPS):
        await step_by_hand()


async def value_by_hand() -> int:
    """The counterpart of `forty_two`: as cancellable as `get_input` is."""
    await trio.lowlevel.checkpoint_if_cancelled()
    return 42


async def bare_value() -> int:
    """An awaited function that can't even be cancelled."""
    return 42


async def values_by_hand() -> None:
    """The counterpart of `demand`."""
    for _ in range(STEPS):
        await value_by_hand()


async def bare_values() -> None:
    """The least that awaiting costs, for comparison."""
    for _ in range(STEPS):
        await bare_value()


async def tasks_by_hand() -> None:
    """The counterpart of `emit`: a bare `start_soon` for each item."""
    async with trio.open_nursery() as nursery:
        for _ in range(STEPS):
            nursery.start_soon(step_by_hand)


# --- measuring ---


@dataclass
class Pair:
    """A graph, its counterpart, and how many times longer it should take at most."""

    name: str
    graph: Callable[[], tf.Graph]
    by_hand: Callable[[], Awaitable[None]]
    aim: float | None


PAIRS = [
    Pair("a loop of triggers", loop, steps_by_hand, 6.0),
    Pair("a chain of hand-overs", hand_over, steps_by_hand, 6.0),
    Pair("a re-used demand", demand, values_by_hand, 3.0),
    Pair("a re-used demand, to a bare await", demand, bare_values, None),
    Pair("a concurrent emit", emit, tasks_by_hand, 3.0),
]


def run_of(graph: tf.Graph, times: int = STEPS) -> Callable[[], Awaitable[object]]:
    """A run of a graph that is planned already."""
    plan = tf.make_plan(graph, tf.Registry.standard())
    options = tf.RunOptions(max_depth=times + 10)
    return lambda: tf.run(plan, services={"times": times}, options=options)


def peak(work: Callable[[], object]) -> int:
    """The most bytes that Python objects took at once while this ran."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def resident() -> int:
    """The most memory that this process ever had, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
