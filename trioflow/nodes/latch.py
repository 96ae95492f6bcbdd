"""Nodes that remember how often or with what they were entered, and go on accordingly.

What they remember is node state, so it forks and merges like the rest (F6): each concurrent strand starts with what
was remembered where it was forked.
"""

from __future__ import annotations

from typing import Any

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import compared
from trioflow.nodes._slices import in_turns


class Gate(tf.Node, id="flow.gate", durable="replayed", remembers=True):
    """Lets control through while it is open. `open`, `close` and `toggle` change that, and go nowhere.

    Each concurrent strand remembers for itself.

    >>> fire("flow.gate", enter=["enter", "close", "enter", "toggle", "enter"])
    [('then', {'is_open': True}), ('then', {'is_open': True})]
    """

    enter = tf.ExecIn(doc="goes through, if it is open")
    open = tf.ExecIn(doc="opens it")
    close = tf.ExecIn(doc="closes it")
    toggle = tf.ExecIn(doc="opens it if it is closed, closes it if it is open")
    starts_open = tf.DataIn(bool, default=True, doc="whether it is open until something changes that")
    is_open = tf.DataOut(bool, doc="whether it is open now")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        was_open: bool = ctx.state.get("open", await ctx.get_input(self.starts_open))
        is_open = {"open": True, "close": False, "toggle": not was_open}.get(ctx.entered or "", was_open)
        ctx.state["open"] = is_open
        ctx.set_output(self.is_open, is_open)
        return self.then if ctx.entered == "enter" and is_open else None


class Once(tf.Node, id="flow.once", durable="replayed", remembers=True):
    """Goes on at `then` the first time, later at `again`; `reset` makes the next time the first.

    Each concurrent strand remembers for itself.

    >>> fire("flow.once", enter=["enter", "enter", "reset", "enter"])
    [('then', {}), ('again', {}), ('then', {})]
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="forgets; goes nowhere")
    then = tf.ExecOut(doc="the first time")
    again = tf.ExecOut(doc="every other time")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        was_used = ctx.state.get("used", False)
        ctx.state["used"] = ctx.entered == "enter"
        if ctx.entered == "reset":
            return None
        return self.again if was_used else self.then


class AtMost(tf.Node, id="flow.at_most", durable="replayed", remembers=True):
    """Goes on at `then` the first so many times, later at `over`; `reset` starts anew. 0 or less is never.

    Each concurrent strand remembers for itself.

    >>> fire("flow.at_most", times=1, enter=["enter", "enter"])
    [('then', {'count': 1}), ('over', {})]
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="forgets; goes nowhere")
    times = tf.DataIn(int, doc="how often it goes on at `then`")
    count = tf.DataOut(int, doc="how often it has")
    then = tf.ExecOut(doc="the first so many times")
    over = tf.ExecOut(doc="every other time")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        if ctx.entered == "reset":
            ctx.state["count"] = 0
            ctx.set_output(self.count, 0)
            return None
        count = ctx.state.get("count", 0)
        if count >= await ctx.get_input(self.times):
            return self.over
        ctx.state["count"] = count + 1
        ctx.set_output(self.count, count + 1)
        return self.then


class FlipFlop(tf.Node, id="flow.flip_flop", durable="replayed", remembers=True):
    """Goes on at `a` and at `b` in turn, `a` first; `reset` makes it `a` again.

    Each concurrent strand remembers for itself.

    >>> fire("flow.flip_flop", enter=["enter", "enter", "enter"])
    [('a', {'is_a': True}), ('b', {'is_a': False}), ('a', {'is_a': True})]
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="starts anew; goes nowhere")
    is_a = tf.DataOut(bool, doc="whether it went on at `a`")
    a = tf.ExecOut()
    b = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        if ctx.entered == "reset":
            ctx.state["a next"] = True
            return None
        is_a: bool = ctx.state.get("a next", True)
        ctx.state["a next"] = not is_a
        ctx.set_output(self.is_a, is_a)
        return self.a if is_a else self.b


class Cycle(tf.Node, id="flow.cycle", durable="replayed", remembers=True):
    """Goes on at the outputs that are wired, one after the other, and again from the first; `reset` starts anew.

    Without any it does nothing. Each concurrent strand remembers for itself.

    >>> [output for output, _ in fire("flow.cycle", enter=["enter"] * 5)]
    ['a', 'b', 'c', 'd', 'a']
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="starts anew; goes nowhere")
    a = tf.ExecOut()
    b = tf.ExecOut()
    c = tf.ExecOut()
    d = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        ways = [way for way in (self.a, self.b, self.c, self.d) if ctx.is_connected(way)]
        if ctx.entered == "reset" or not ways:
            ctx.state["next"] = 0
            return None
        place: int = ctx.state.get("next", 0)
        ctx.state["next"] = (place + 1) % len(ways)
        return ways[place]


class Counter(tf.Node, id="flow.counter", durable="replayed", remembers=True):
    """Counts how often it was entered, from `start` in steps of `step`, and goes on. `reset` goes back to the start.

    Each concurrent strand remembers for itself.

    >>> fire("flow.counter", start=10, enter=["enter", "enter", "reset", "enter"])
    [('then', {'count': 11}), ('then', {'count': 12}), ('then', {'count': 11})]
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="goes back to the start, and goes nowhere")
    start = tf.DataIn(int, default=0, doc="what it is before it was entered")
    step = tf.DataIn(int, default=1, doc="what is added each time")
    count = tf.DataOut(int, doc="the sum")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        start, step = await ctx.get_input(self.start), await ctx.get_input(self.step)
        count = start if ctx.entered == "reset" else ctx.state.get("count", start) + step
        ctx.state["count"] = count
        ctx.set_output(self.count, count)
        return self.then if ctx.entered == "enter" else None


class WaitFor(tf.Node, id="flow.wait_for", durable="replayed", remembers=True):
    """Goes on at `then` each time it has been entered `times` times, at `waiting` meanwhile. `reset` starts anew.

    It waits for no time and holds no strand. Less than 1 is an error. Each concurrent strand remembers for itself.

    >>> fire("flow.wait_for", times=2, enter=["enter", "enter", "enter"])
    [('waiting', {'missing': 1}), ('then', {'missing': 0}), ('waiting', {'missing': 1})]
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="starts anew; goes nowhere")
    times = tf.DataIn(int, default=2, doc="how often")
    missing = tf.DataOut(int, doc="how often it must still be entered")
    then = tf.ExecOut(doc="when it has been entered that often")
    waiting = tf.ExecOut(doc="when not yet")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        times = expect.at_least_one("flow.wait_for", await ctx.get_input(self.times))
        if ctx.entered == "reset":
            ctx.state["count"] = 0
            ctx.set_output(self.missing, times)
            return None
        count = ctx.state.get("count", 0) + 1
        ctx.state["count"] = 0 if count >= times else count
        ctx.set_output(self.missing, max(0, times - count))
        return self.then if count >= times else self.waiting


class EveryNth(tf.Node, id="flow.every_nth", durable="replayed", remembers=True):
    """Goes on at `then` the first time and each `n`-th time after that, otherwise at `other`. `reset` starts anew.

    Less than 1 is an error. Each concurrent strand remembers for itself.

    >>> [output for output, _ in fire("flow.every_nth", n=3, enter=["enter"] * 4)]
    ['then', 'other', 'other', 'then']
    """

    enter = tf.ExecIn()
    reset = tf.ExecIn(doc="starts anew; goes nowhere")
    n = tf.DataIn(int, doc="one in how many")
    then = tf.ExecOut(doc="the first of each n")
    other = tf.ExecOut(doc="the others")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        if ctx.entered == "reset":
            ctx.state["count"] = 0
            return None
        n = expect.at_least_one("flow.every_nth", await ctx.get_input(self.n))
        count = ctx.state.get("count", 0)
        ctx.state["count"] = (count + 1) % n
        return self.other if count % n else self.then


class OnChange(tf.Node, id="flow.on_change", durable="replayed", remembers=True):
    """Goes on at `changed` if the value is not what it was the last time, otherwise at `same`. The first is a change.

    Equal means equal in value and in type. `previous` stays unset until there is one. Each concurrent strand remembers
    for itself.

    >>> fire("flow.on_change", value=1, enter=["enter", "enter"])
    [('changed', {}), ('same', {'previous': 1})]
    """

    enter = tf.ExecIn()
    value = tf.DataIn(object, doc="what is watched")
    previous = tf.DataOut(object, doc="what it was the last time")
    changed = tf.ExecOut()
    same = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value: Any = await ctx.get_input(self.value)
        first = "value" not in ctx.state
        previous = ctx.state.get("value")
        ctx.state["value"] = value
        if first:
            return self.changed
        ctx.set_output(self.previous, previous)
        is_same = type(value) is type(previous) and await in_turns(compared(value, previous))
        return self.same if is_same else self.changed


class Throttle(tf.Node, id="flow.throttle", durable="recorded", remembers=True):
    """Goes on at `then` at most once in so many seconds, otherwise at `dropped`. Not the same in every run.

    It never waits. A negative number of seconds, or not a number, is an error. Each concurrent strand remembers for
    itself.

    >>> fire("flow.throttle", seconds=1.0, enter=["enter", "enter"])
    [('then', {}), ('dropped', {})]
    """

    enter = tf.ExecIn()
    seconds = tf.DataIn(float, doc="how long, on trio's clock")
    then = tf.ExecOut(doc="the first in that time")
    dropped = tf.ExecOut(doc="the others")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        seconds = expect.at_least_zero("flow.throttle", "seconds", await ctx.get_input(self.seconds))
        now = trio.current_time()
        if now < ctx.state.get("free at", now):
            return self.dropped
        ctx.state["free at"] = now + seconds
        return self.then
