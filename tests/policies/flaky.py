"""Nodes that fail as they are told to, for tests of policies."""

from __future__ import annotations

import trio

import trioflow as tf
from trioflow.testing import EventLog


class Calls(tf.Node, id="flaky.calls"):
    """Does what the script of the run says, call by call: fails, sleeps, or returns; then it returns."""

    enter = tf.ExecIn()
    by = tf.DataIn(int, default=1)
    result = tf.DataOut(object)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        script = ctx.services.get("script")
        try:
            await does(script.pop(0) if script else None)
        finally:
            ctx.set_variable("total", ctx.get_variable("total") + await ctx.get_input(self.by))
        ctx.set_output(self.result, "called")
        return self.then


async def does(what):
    """A number is slept, an error raised, a pair is one after the other."""
    if isinstance(what, tuple):
        for each in what:
            await does(each)
    elif isinstance(what, int | float):
        await trio.sleep(what)
    elif what is not None:
        raise what


@tf.exec_node(id="flaky.stored")
def stored(by: int, error: str = "") -> str:
    return f"stored {by}: {error}"


def calling(node=Calls, registry=None, **policy):
    """Start, a node with this policy, and a note of what it gave."""
    with tf.build(registry) as g:
        g.variable("total", "int", 0)
        start, call, keep = g.add(tf.nodes.Start), g.add(node, "call"), g.add(tf.nodes.SetVariable, "keep", name="kept")
        g.variable("kept")
        g.connect(start.then, call.enter)
        if hasattr(call, "then"):
            g.connect(call.then, keep.enter)
        g.connect(call.result, keep.value)
        if policy:
            g.configure(call, policy=tf.Policy(**policy))
        if getattr(tf.Policy(**policy).fallback, "node", None) == "stored":
            g.add(stored, "stored")
    return g.graph


def one_after_the_other(g, fork, nodes):
    """Let nodes run at once, but arrive in their order: each a thousandth of a second after the one before."""
    for place, (node, way) in enumerate(zip(nodes, "abcdefgh", strict=False)):
        late = g.add(tf.nodes.Delay, seconds=place * 0.001)
        g.connect(fork[way], late.enter)
        g.connect(late.then, node.enter)


def log(events, *leave_out, digits=6):
    """Events of nodes and policies as rows: time, kind, node, path, and what policies tell."""
    rows = []
    for event in events:
        kind = type(event).__name__
        if event.node in ("start", "keep", "fork", None) or event.node.startswith("delay") or kind in leave_out:
            continue
        own = [getattr(event, name) for name in tf.events.fields_of(type(event)) if name not in tf.events.BASE]
        said = [] if kind.startswith("Node") else [shown(each) for each in own]
        rows.append((round(event.time, digits), kind, event.node, str(event.path), *said))
    return rows


def shown(value):
    return f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else value


__all__ = ["Calls", "EventLog", "calling", "does", "log", "stored"]
