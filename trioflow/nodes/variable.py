"""Variables of the graph: read, write, update."""

from __future__ import annotations

from typing import Any, Literal

import trioflow as tf


class GetVariable(tf.Node, id="variable.get"):
    """The value of a variable, as it is when asked."""

    name = tf.DataIn(str, names="variable", doc="a variable that the graph declares")
    result = tf.DataOut(object, doc="its value")

    async def execute(self, ctx: tf.DataContext) -> None:
        ctx.set_output(self.result, ctx.get_variable(await ctx.get_input(self.name)))


class SetVariable(tf.Node, id="variable.set"):
    """Sets a variable. A value that does not fit the variable's type is an error."""

    enter = tf.ExecIn()
    name = tf.DataIn(str, names="variable", doc="a variable that the graph declares")
    value = tf.DataIn(object, doc="its new value")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_variable(await ctx.get_input(self.name), await ctx.get_input(self.value))
        return self.then


Update = Literal["add", "append", "union", "min", "max"]


class UpdateVariable(tf.Node, id="variable.update"):
    """Changes a variable by what it was: adds, appends, unites, or keeps the smaller or greater.

    `append` adds one item to a list; `union` takes over a dict's entries or the items of a list that are not there yet.
    In concurrent strands give the variable the merge policy that goes with it: sum, append, union, min, max.
    """

    enter = tf.ExecIn()
    name = tf.DataIn(str, names="variable", doc="a variable that the graph declares")
    value = tf.DataIn(object, doc="what it is changed by")
    operation: tf.DataIn[Any] = tf.DataIn(Update, default="add", doc="how")
    result = tf.DataOut(object, doc="its new value")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        name, by = await ctx.get_input(self.name), await ctx.get_input(self.value)
        value = _update(await ctx.get_input(self.operation), ctx.get_variable(name), by)
        ctx.set_variable(name, value)
        ctx.set_output(self.result, value)
        return self.then


def _update(operation: str, old: Any, by: Any) -> Any:
    if operation == "append":
        return [*old, by]
    if operation == "union":
        return {**old, **by} if isinstance(old, dict) else [*old, *(item for item in by if item not in old)]
    if operation == "min":
        return min(old, by)
    if operation == "max":
        return max(old, by)
    return old + by
