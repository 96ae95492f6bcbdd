"""Custom events: one node publishes, others listen."""

from __future__ import annotations

import trioflow as tf


class Publish(tf.Node, id="event.publish", durable="replayed"):
    """Dispatches every listener of an event, and goes on when all are done. Without a listener it does nothing.

    >>> with tf.build() as g:
    ...     _ = g.event("found")
    ...     start, publish = g.add("flow.start"), g.add("event.publish", event="found", payload=5)
    ...     listen, after = g.add("event.listen", event="found"), g.add("debug.print", value="after")
    ...     show = g.add("debug.print", value=listen.payload)
    ...     for source, target in (start, publish), (publish, after), (listen, show):
    ...         g.connect(source.then, target.enter)
    >>> _ = trio.run(tf.run, g.graph)
    5
    after
    """

    enter = tf.ExecIn()
    event = tf.DataIn(str, names="event", doc="an event that the graph declares")
    payload = tf.DataIn(object, default=None, doc="what the listeners get")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await ctx.publish(await ctx.get_input(self.event), await ctx.get_input(self.payload))
        return self.then


class Listen(tf.Node, id="event.listen", durable="replayed", listens="event"):
    """Starts each time the event is published, in the strand of whoever published it, or of the host if that did.

    >>> with tf.build() as g:
    ...     _ = g.event("found")
    ...     listen = g.add("event.listen", event="found")
    ...     g.connect(listen.then, g.add("debug.print", value=listen.payload).enter)
    ...     start = g.add("flow.start")
    >>> async def main():
    ...     async with tf.open_run(g.graph) as run:
    ...         await run.publish("found", payload=5)
    >>> trio.run(main)
    5
    """

    event = tf.DataIn(str, names="event", doc="an event that the graph declares, as a literal")
    payload = tf.DataOut(object, doc="what was published with it")
    then = tf.ExecOut(doc="what to do about it")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_output(self.payload, ctx.payload)
        return self.then


class Post(tf.Node, id="event.post", durable="replayed"):
    """Goes on at once, and publishes an event when the run's initiators have ended, in order with all that is put off.

    `event.publish` does it here and now, and goes on when the listeners are done.

    >>> with tf.build() as g:
    ...     _ = g.event("found")
    ...     post, listen = g.add("event.post", event="found", payload="later"), g.add("event.listen", event="found")
    ...     g.connect(g.add("flow.start").then, post.enter)
    ...     g.connect(post.then, g.add("debug.print", value="now").enter)
    ...     g.connect(listen.then, g.add("debug.print", value=listen.payload).enter)
    >>> _ = trio.run(tf.run, g.graph)
    now
    later
    """

    enter = tf.ExecIn()
    event = tf.DataIn(str, names="event", doc="an event that the graph declares")
    payload = tf.DataIn(object, default=None, doc="what the listeners get")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.post(await ctx.get_input(self.event), await ctx.get_input(self.payload))
        return self.then
