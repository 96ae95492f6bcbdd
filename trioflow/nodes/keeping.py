"""What a graph says about how its run is kept in a journal."""

from __future__ import annotations

import trioflow as tf
from trioflow.nodes import _expect as expect


class Checkpoint(tf.Node, id="flow.checkpoint", durable="replayed"):
    """In a run that is kept in a journal: all that was done so far is durable, and moments are taken; then goes on.

    So a run that dies after this goes on from here, and not from before. The loops around it say where they are when
    they come to their next round, and what was recorded of the rounds before is taken away. With `every` that is done
    each so-manyth time. When moments are taken besides says the journal. A run that is not kept just goes on.

    >>> fire("flow.checkpoint")
    [('then', {})]
    """

    enter = tf.ExecIn()
    every = tf.DataIn(int, default=1, doc="at each so-manyth time that control comes here")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        every = expect.at_least_one("flow.checkpoint", await ctx.get_input(self.every))
        if every > 1:
            times = ctx.state["times"] = (ctx.state.get("times", 0) + 1) % every
            if times:
                return self.then
        await ctx.checkpoint()
        return self.then
