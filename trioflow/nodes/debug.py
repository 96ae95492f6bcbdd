"""Telling people: print, feedback."""

from __future__ import annotations

import sys
from typing import Any, Literal

import trioflow as tf

Level = Literal["debug", "info", "warning", "error"]


class Print(tf.Node, id="debug.print"):
    """Prints a value on a line of its own, with a label in front if there is one."""

    enter = tf.ExecIn()
    value = tf.DataIn(object, default="", doc="what to print")
    label = tf.DataIn(str, default="", doc="what to print before it, with a colon")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        label, value = await ctx.get_input(self.label), await ctx.get_input(self.value)
        sys.stdout.write(f"{label}: {value}\n" if label else f"{value}\n")
        return self.then


class Feedback(tf.Node, id="debug.feedback"):
    """Tells whoever watches the run something: an event, not a line of output."""

    enter = tf.ExecIn()
    message = tf.DataIn(object, doc="what to tell")
    level: tf.DataIn[Any] = tf.DataIn(Level, default="info", doc="how important it is")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.emit_feedback(str(await ctx.get_input(self.message)), await ctx.get_input(self.level))
        return self.then
