"""What the example workflows are made of: nodes that say what they would do, take their time, ask, count, and fail.

    trioflow run approval.json --nodes trioflow.examples.workflows.steps

(`trioflow run approval` finds both by itself.) Everything else in them is a standard node.
"""

from __future__ import annotations

from typing import Any

import trioflow as tf


class StepFailed(Exception):
    """What a step fails with that is to fail."""


@tf.exec_node(id="step.do", durable="recorded")
async def do(ctx: tf.Context, text: str, value: Any = None, seconds: float = 0.0) -> Any:
    """Take so many seconds, tell what was done, and give the value as result."""
    await ctx.sleep(seconds)
    print(text)
    return value


@tf.exec_node(id="step.may_fail", durable="recorded")
def may_fail(text: str, fails: bool = False) -> None:
    """Tell what is done, and fail at it if that is said."""
    if fails:
        raise StepFailed(f"can't {text}")
    print(text)


@tf.exec_node(id="step.count", durable="replayed")
def count(ctx: tf.Context, text: str) -> int:
    """Tell what is done, and give how often that was so far."""
    times: int = ctx.state.get("times", 0) + 1
    ctx.state["times"] = times
    print(text)
    return times


@tf.exec_node(id="step.import", durable="recorded")
async def import_file(ctx: tf.Context, file: str) -> None:
    """Take a second to import a file; what is called broken fails half-way."""
    await ctx.sleep(0.5)
    if "broken" in file:
        raise StepFailed(f"{file} is not a table")
    await ctx.sleep(0.5)
    print(f"import {file}")


class Ask(tf.Node, id="step.ask", durable="replayed"):
    """Asks somebody, who takes some seconds to say yes or no. `flow.approve` is for people."""

    enter = tf.ExecIn()
    text = tf.DataIn(str)
    answer = tf.DataIn(str, default="yes")
    seconds = tf.DataIn(float, default=0.0)
    approved = tf.ExecOut()
    rejected = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        text, answer = await ctx.get_input(self.text), await ctx.get_input(self.answer)
        await ctx.sleep(await ctx.get_input(self.seconds))
        print(f"{text} {answer}")
        return self.approved if answer == "yes" else self.rejected
