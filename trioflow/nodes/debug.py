"""Telling people: print, log, feedback, progress."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._as_text import text_of
from trioflow.nodes._slices import in_turns

Level = Literal["debug", "info", "warning", "error"]


def _write(stream: TextIO, text: str) -> None:
    """Write a text; what the stream's encoding has no bytes for, such as a lone surrogate, as an escape."""
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


class Print(tf.Node, id="debug.print", durable="recorded"):
    """Prints a value on a line of its own, with a label in front if there is one.

    >>> fire("debug.print", value=42, label="answer")
    answer: 42
    [('then', {})]
    """

    enter = tf.ExecIn()
    value = tf.DataIn(object, default="", doc="what to print")
    label = tf.DataIn(str, default="", doc="what to print before it, with a colon")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        label, value = await ctx.get_input(self.label), await ctx.get_input(self.value)
        text = await in_turns(text_of(value))
        _write(sys.stdout, f"{label}: {text}\n" if label else f"{text}\n")
        return self.then


class PrintError(tf.Node, id="debug.print_error", durable="recorded"):
    """Prints a value on a line of its own where errors go, so that it is not mixed into what a graph prints.

    >>> fire("debug.print_error", value="careful")
    [('then', {})]
    """

    enter = tf.ExecIn()
    value = tf.DataIn(object, default="", doc="what to print")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        _write(sys.stderr, f"{await in_turns(text_of(await ctx.get_input(self.value)))}\n")
        return self.then


class Inspect(tf.Node, id="debug.inspect", durable="recorded"):
    """Tells what a value is: its type, how Python writes it, shortened if it is long, and its length if it has one.

    A width below 1 is an error.

    >>> fire("debug.inspect", value=["a"])
    [('then', {'kind': 'list', 'text': "['a']", 'length': 1})]
    """

    enter = tf.ExecIn()
    value = tf.DataIn(object, default=None, doc="what is looked at")
    width = tf.DataIn(int, default=80, doc="characters of a text at most, and items of a list")
    kind = tf.DataOut(str, doc="the name of its type")
    text = tf.DataOut(str, doc="how Python writes it")
    length = tf.DataOut(int, doc="how long it is; -1 if it has no length")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value: Any = await ctx.get_input(self.value)
        width = expect.at_least_one("debug.inspect", await ctx.get_input(self.width))
        short = expect.Short()
        for limit in ("maxstring", "maxother", "maxlong", "maxlist", "maxtuple", "maxdict", "maxset"):
            setattr(short, limit, width)
        ctx.set_output(self.kind, type(value).__name__)
        ctx.set_output(self.text, short.repr(value))
        ctx.set_output(self.length, len(value) if hasattr(value, "__len__") else -1)
        return self.then


class Log(tf.Node, id="debug.log", durable="recorded"):
    """Gives a message to Python's logging, with the node's id as `node` in the record. The host says where it goes.

    >>> fire("debug.log", message="half way", level="debug")
    [('then', {})]
    """

    enter = tf.ExecIn()
    message = tf.DataIn(object, doc="what to log")
    level: tf.DataIn[Any] = tf.DataIn(Level, default="info", doc="how important it is")
    logger = tf.DataIn(str, default="trioflow.graph", doc="the name of the logger")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        message, level = await ctx.get_input(self.message), await ctx.get_input(self.level)
        logger = logging.getLogger(await ctx.get_input(self.logger))
        text = await in_turns(text_of(message))
        logger.log(logging.getLevelNamesMapping()[level.upper()], "%s", text, extra={"node": ctx.node.id})
        return self.then


class Feedback(tf.Node, id="debug.feedback", durable="recorded"):
    """Tells whoever watches the run something: an event, not a line of output.

    >>> fire("debug.feedback", message="half way")
    [('then', {})]
    """

    enter = tf.ExecIn()
    message = tf.DataIn(object, doc="what to tell")
    level: tf.DataIn[Any] = tf.DataIn(Level, default="info", doc="how important it is")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        message = await in_turns(text_of(await ctx.get_input(self.message)))
        ctx.emit_feedback(message, await ctx.get_input(self.level))
        return self.then


class Progress(tf.Node, id="debug.progress", durable="recorded"):
    """Tells whoever watches the run how far it is: an event, which displays show.

    >>> fire("debug.progress", done=3, total=10, message="files")
    [('then', {})]
    """

    enter = tf.ExecIn()
    done = tf.DataIn(float, doc="how much is done")
    total = tf.DataIn(float | None, default=None, doc="how much there is to do, if that is known")
    message = tf.DataIn(str, default="", doc="of what")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        done, total = await ctx.get_input(self.done), await ctx.get_input(self.total)
        ctx.report_progress(done, total, await ctx.get_input(self.message))
        return self.then
