"""Putting things off: what a run does later, one after the other, when its initiators have ended."""

from __future__ import annotations

import trioflow as tf


class Later(tf.Node, id="flow.later", durable="replayed"):
    """Goes on at `then` at once, and dispatches what is at `done` after so long, when the run's initiators have ended.

    What is due is handled one after the other, in order of its time, each with the data as they are then. Entered
    through `cancel` it takes back what it has put off: that of one `handle`, or all. In a run that is kept, the time
    goes on while no process has it.

    >>> with tf.build() as g:
    ...     later = g.add("flow.later", seconds=5.0)
    ...     g.connect(g.add("flow.start").then, later.enter)
    ...     g.connect(later.done, g.add("debug.print", value="later").enter)
    ...     g.connect(later.then, g.add("debug.print", value="now").enter)
    >>> _ = trio.run(tf.run, g.graph, clock=trio.testing.MockClock(autojump_threshold=0))
    now
    later
    """

    enter = tf.ExecIn()
    cancel = tf.ExecIn(doc="take back what was put off")
    seconds = tf.DataIn(float, default=1.0, doc="after how long")
    which = tf.DataIn(str, default="", doc="with `cancel`: only what has this handle")
    then = tf.ExecOut(doc="at once")
    done = tf.ExecOut(doc="when it is due")
    handle = tf.DataOut(str, doc="of what was put off last")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        if ctx.entered == "cancel":
            ctx.drop_later(await ctx.get_input(self.which) or None)
        else:
            ctx.set_output(self.handle, ctx.later(self.done, await ctx.get_input(self.seconds)))
        return self.then
