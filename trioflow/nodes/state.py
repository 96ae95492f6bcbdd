"""What a node remembers of the values that went through it: the last ones, sums, counts, times.

Each keeps it in its own node state, which survives activations and forks and merges like the rest (F6): a concurrent
strand goes on from what was known where it was forked, and what it adds is not added up with what others add. To add
up over concurrent strands use a variable with a merge policy: `variable.add` and its like.
"""

from __future__ import annotations

import math
from typing import Any

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect


class Keep(tf.Node, id="state.keep", durable="replayed"):
    """Keeps a value as it is now: `kept` stays the same until the node is entered again, whatever the value does.

    >>> fire("state.keep", value=[1])
    [('then', {'kept': [1]})]
    """

    enter = tf.ExecIn()
    value = tf.DataIn(object, doc="what is kept")
    kept = tf.DataOut(object, doc="what it was")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_output(self.kept, await ctx.get_input(self.value))
        return self.then


class Previous(tf.Node, id="state.previous", durable="replayed", remembers=True):
    """Gives the value that it was entered with the last time, the first time `initial`.

    Each concurrent strand remembers for itself.

    >>> fire("state.previous", value=5, initial=0, enter=["enter", "enter"])
    [('then', {'previous': 0}), ('then', {'previous': 5})]
    """

    enter = tf.ExecIn()
    value = tf.DataIn(object, doc="what it gives the next time")
    initial = tf.DataIn(object, default=None, doc="what it gives the first time")
    previous = tf.DataOut(object, doc="the value of the last time")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value, initial = await ctx.get_input(self.value), await ctx.get_input(self.initial)
        ctx.set_output(self.previous, ctx.state.get("value", initial))
        ctx.state["value"] = value
        return self.then


class History(tf.Node, id="state.history", durable="replayed", remembers=True):
    """Gives the last so many values that it was entered with, the oldest first. `reset` forgets them.

    A size below 1 is an error. Each concurrent strand remembers for itself.

    >>> fire("state.history", value=1, size=2, enter=["enter", "enter", "enter"])[-1]
    ('then', {'items': [1, 1]})
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="forgets all; goes nowhere")
    value = tf.DataIn(object, default=None, doc="what is added")
    size = tf.DataIn(int, default=10, doc="how many it remembers")
    items = tf.DataOut(list, doc="the last values, this one included")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        size = expect.at_least_one("state.history", await ctx.get_input(self.size))
        if ctx.entered == "reset":
            items: list[Any] = []
        else:
            items = [*ctx.state.get("items", ()), await ctx.get_input(self.value)][-size:]
        ctx.state["items"] = items
        ctx.set_output(self.items, items)
        return None if ctx.entered == "reset" else self.then


class Collect(tf.Node, id="state.collect", durable="replayed", remembers=True):
    """Gives all values that it was entered with, the oldest first. `reset` forgets them.

    Each concurrent strand remembers for itself.

    >>> fire("state.collect", value="x", enter=["enter", "enter"])[-1]
    ('then', {'items': ['x', 'x']})
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="forgets all; goes nowhere")
    value = tf.DataIn(object, default=None, doc="what is added")
    items = tf.DataOut(list, doc="all values, this one included")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        is_reset = ctx.entered == "reset"
        items = [] if is_reset else [*ctx.state.get("items", ()), await ctx.get_input(self.value)]
        ctx.state["items"] = items
        ctx.set_output(self.items, items)
        return None if is_reset else self.then


class Tally(tf.Node, id="state.tally", durable="replayed", remembers=True):
    """Counts how often it was entered with each value. `reset` forgets. A value that can't be a key is an error.

    Each concurrent strand remembers for itself.

    >>> fire("state.tally", value="x", enter=["enter", "enter"])[-1]
    ('then', {'counts': {'x': 2}, 'count': 2})
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="forgets all; goes nowhere")
    value = tf.DataIn(object, default=None, doc="what is counted")
    counts = tf.DataOut(dict, doc="the number of times by value, in the order in which they first came")
    count = tf.DataOut(int, doc="the number of times of this value")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        counts: dict[Any, int] = {}
        if ctx.entered == "enter":
            value: Any = await ctx.get_input(self.value)
            counts.update(ctx.state.get("counts", {}))
            try:
                counts[value] = counts.get(value, 0) + 1
            except TypeError as error:
                raise TypeError(f"state.tally can't count {expect.short(value)}: {error}.") from None
            ctx.set_output(self.count, counts[value])
        ctx.state["counts"] = counts
        ctx.set_output(self.counts, counts)
        return self.then if ctx.entered == "enter" else None


class Statistics(tf.Node, id="state.statistics", durable="replayed", remembers=True):
    """Number, sum, mean, smallest and greatest of the numbers that it was entered with. `reset` forgets.

    Whole numbers add up exactly, floats with what addition loses; not-a-number is an error. Each concurrent strand
    remembers for itself.

    >>> fire("state.statistics", value=4, enter=["enter", "enter"])[-1]
    ('then', {'count': 2, 'total': 8, 'mean': 4.0, 'smallest': 4, 'greatest': 4})
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="forgets all; goes nowhere, and the outputs stay as they are")
    value: tf.DataIn[int | float] = tf.DataIn(int | float, default=0, doc="the next number")
    count = tf.DataOut(int, doc="how many")
    total = tf.DataOut(int | float)
    mean = tf.DataOut(float)
    smallest = tf.DataOut(int | float)
    greatest = tf.DataOut(int | float)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        if ctx.entered == "reset":
            ctx.state.clear()
            return None
        value = await ctx.get_input(self.value)
        if math.isnan(value):
            raise ValueError("state.statistics: a value is not a number.")
        state = ctx.state
        state["count"] = state.get("count", 0) + 1
        state["total"] = state.get("total", 0) + value
        state["smallest"] = min(state.get("smallest", value), value)
        state["greatest"] = max(state.get("greatest", value), value)
        ctx.set_output(self.count, state["count"])
        ctx.set_output(self.total, state["total"])
        ctx.set_output(self.mean, state["total"] / state["count"])
        ctx.set_output(self.smallest, state["smallest"])
        ctx.set_output(self.greatest, state["greatest"])
        return self.then


class Change(tf.Node, id="state.change", durable="replayed", remembers=True):
    """How much a number differs from the one that it was entered with the last time; 0 the first time.

    Each concurrent strand remembers for itself.

    >>> fire("state.change", value=5, enter=["enter", "enter"])
    [('then', {'change': 0}), ('then', {'change': 0})]
    """

    enter = tf.ExecIn()
    value: tf.DataIn[int | float] = tf.DataIn(int | float, doc="the number")
    change = tf.DataOut(int | float, doc="this one less the last one")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value = await ctx.get_input(self.value)
        ctx.set_output(self.change, value - ctx.state.get("value", value))
        ctx.state["value"] = value
        return self.then


class Stopwatch(tf.Node, id="state.stopwatch", durable="recorded", remembers=True):
    """Tells how many seconds it has run. Not the same in every run.

    `start` starts it or lets it go on, `stop` holds it, `enter` only reads it; all three go on at `then`. `reset` sets
    it to 0 and holds it, and goes nowhere. Starting one that runs, and stopping one that does not, changes nothing.
    Each concurrent strand remembers for itself.

    >>> fire("state.stopwatch", enter=["start", "stop"], then=lambda: trio.sleep(2))
    [('then', {'seconds': 0.0, 'is_running': True}), ('then', {'seconds': 2.0, 'is_running': False})]
    """

    start = tf.ExecIn(doc="starts it, or lets it go on")
    stop = tf.ExecIn(doc="holds it")
    reset = tf.ExecIn(doc="sets it to 0 and holds it; goes nowhere")
    enter = tf.ExecIn(doc="reads it")
    seconds = tf.DataOut(float, doc="how long it has run, on trio's clock")
    is_running = tf.DataOut(bool, doc="whether it runs now")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        now, state = trio.current_time(), ctx.state
        since: float | None = state.get("since")
        before: float = state.get("before", 0.0)
        seconds = before if since is None else before + now - since
        if ctx.entered == "reset":
            seconds, since = 0.0, None
        elif ctx.entered == "start":
            since = now
        elif ctx.entered == "stop":
            since = None
        else:
            since = None if since is None else now
        state["before"], state["since"] = seconds, since
        ctx.set_output(self.seconds, seconds)
        ctx.set_output(self.is_running, since is not None)
        return None if ctx.entered == "reset" else self.then
