"""Plain flow: where a run starts, one thing after the other, waiting, and nodes that only mark or ask."""

from __future__ import annotations

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect


class Start(tf.Node, id="flow.start", durable="replayed", initiator=True):
    """Where a run starts. A graph may have several; they run one after the other, in document order.

    >>> fire("flow.start")
    [('then', {})]
    """

    then = tf.ExecOut(doc="what the run does")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.then


class Sequence(tf.Node, id="flow.sequence", durable="replayed"):
    """Runs up to four chains one after the other, each to completion before the next.

    Several wires at one exec output are dispatched one after the other too, in the order of the document: this node
    is for showing the order. A chain that fails ends the sequence.

    >>> fire("flow.sequence")
    [('first', {}), ('second', {}), ('third', {}), ('fourth', {})]
    """

    enter = tf.ExecIn()
    first = tf.ExecOut()
    second = tf.ExecOut()
    third = tf.ExecOut()
    fourth = tf.ExecOut(doc="handed over to, so that a long sequence of sequences does not nest")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        for each in (self.first, self.second, self.third):
            await ctx.trigger(each)
        return self.fourth


class Sequence8(Sequence, id="flow.sequence_8", durable="replayed"):
    """Runs up to eight chains one after the other, as `flow.sequence` does with four.

    For more, wire the last one to the next sequence.

    >>> [output for output, _ in fire("flow.sequence_8")]
    ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth']
    """

    fourth = tf.ExecOut()
    fifth = tf.ExecOut()
    sixth = tf.ExecOut()
    seventh = tf.ExecOut()
    eighth = tf.ExecOut(doc="handed over to, so that a long sequence of sequences does not nest")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        for each in (self.first, self.second, self.third, self.fourth, self.fifth, self.sixth, self.seventh):
            await ctx.trigger(each)
        return self.eighth


class Stop(tf.Node, id="flow.stop", durable="replayed"):
    """In a workflow, ends its scope at once: what else is under way is cancelled, and nothing else fires any more.

    The scope completes. How far others have come by then is a matter of time. A graph of another kind goes nowhere from
    here.

    >>> fire("flow.stop")
    []
    """

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        pass


class Undo(tf.Node, id="flow.undo", durable="replayed"):
    """In a workflow, undoes what was done on the way here by nodes that say how (`undo`), the last first.

    What is not on the way here stays as it is, and nothing is undone twice. Where undoing fails the others are undone
    all the same, then this fails. In a graph of another kind it is an error.

    >>> try:
    ...     fire("flow.undo")
    ... except Exception as error:
    ...     print(type(error).__name__)
    NodeError
    """

    enter = tf.ExecIn()
    node = tf.DataIn(str, default="", doc="undo only what this node did; all, if empty")
    count = tf.DataOut(int, doc="how many firings were undone")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_output(self.count, await ctx.undo(await ctx.get_input(self.node) or None))
        return self.then


class Saga(tf.Node, id="flow.saga", durable="replayed"):
    """Runs `body`; if it fails, what nodes in it did that say how (`undo`) is undone, the last first.

    Then it goes on at `failed`; if that leads nowhere, the failure goes on to whoever triggered. What can't be undone
    is noted on the failure. A cancellation undoes nothing. For the nodes of its own graph.

    >>> [output for output, _ in fire("flow.saga", body="flow.raise")]
    ['body', 'failed']
    """

    enter = tf.ExecIn()
    error = tf.DataOut(object, doc="the exception with which the body has failed")
    message = tf.DataOut(str, doc="its text, without the class")
    body = tf.ExecOut(doc="what is undone if it fails")
    then = tf.ExecOut(doc="when all of it went well")
    failed = tf.ExecOut(doc="when it failed, and was undone")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        try:
            await ctx.trigger(self.body)
        except Exception as error:
            if not ctx.is_connected(self.failed):
                raise
            ctx.set_output(self.error, error)
            ctx.set_output(self.message, str(error))
            return self.failed
        return self.then


class Delay(tf.Node, id="flow.delay", durable="replayed"):
    """Waits, then goes on. A negative number of seconds, or not a number, is an error. Cancelled at once.

    >>> fire("flow.delay", seconds=2.5)
    [('then', {})]
    """

    enter = tf.ExecIn()
    seconds = tf.DataIn(float, default=1.0, doc="how long, on trio's clock")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await ctx.sleep(expect.at_least_zero("flow.delay", "seconds", await ctx.get_input(self.seconds)))
        return self.then


class Marker(tf.Node, id="flow.marker", durable="replayed"):
    """Goes straight on: a place with a name, for people, events and breakpoints.

    With a label it tells whoever watches the run, as feedback of the level `debug`.

    >>> fire("flow.marker", label="half way")
    [('then', {})]
    """

    enter = tf.ExecIn()
    label = tf.DataIn(str, default="", doc="what to tell; nothing if empty")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        label = await ctx.get_input(self.label)
        if label:
            ctx.emit_feedback(label, "debug", tag="marker")
        return self.then


class Consume(tf.Node, id="flow.consume", durable="replayed"):
    """Asks for a value and drops it, so that the data nodes behind it are evaluated here. What they raise, it raises.

    >>> fire("flow.consume", value=[1, 2])
    [('then', {})]
    """

    enter = tf.ExecIn()
    value = tf.DataIn(object, doc="what is asked for")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await ctx.get_input(self.value)
        return self.then


class Measure(tf.Node, id="flow.measure", durable="replayed"):
    """Runs `body`, then goes on at `done` and tells how long it took. Not the same in every run.

    >>> fire("flow.measure", body=lambda: trio.sleep(2))
    [('body', {}), ('done', {'seconds': 2.0})]
    """

    enter = tf.ExecIn()
    seconds = tf.DataOut(float, doc="how long the body took, on trio's clock")
    body = tf.ExecOut(doc="what is measured")
    done = tf.ExecOut(doc="afterwards; not if the body fails")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        started = trio.current_time()
        await ctx.trigger(self.body)
        ctx.set_output(self.seconds, await ctx.once(lambda: trio.current_time() - started))
        return self.done
