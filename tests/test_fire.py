"""`trioflow.testing.fire`: one exec node alone."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.nodes.guard import NodeRaised
from trioflow.testing import fire


class Twice(tf.Node):
    """Writes, fires, writes the same again, fires."""

    enter = tf.ExecIn()
    other = tf.ExecIn()
    value = tf.DataIn(int, default=1)
    out = tf.DataOut(int)
    which = tf.DataOut(str)
    body = tf.ExecOut()
    done = tf.ExecOut()

    async def execute(self, ctx):
        ctx.set_output(self.which, ctx.entered)
        for _ in range(2):
            await ctx.trigger(self.body, {self.out: await ctx.get_input(self.value)})
        return self.done


def test_what_fired_and_what_was_written_for_it():
    """Each output with what was written since the one before, also if the value is the same (D9)."""
    assert fire(Twice, value=5) == [
        ("body", {"out": 5, "which": "enter"}), ("body", {"out": 5}), ("done", {})
    ]  # fmt: skip


def test_exec_inputs_are_entered_in_order():
    fired = fire(Twice, enter=["other", "enter"])
    assert [values["which"] for _, values in fired if "which" in values] == ["other", "enter"]
    assert fire(Twice, enter="other")[0] == ("body", {"out": 1, "which": "other"})


def test_reactions():
    """At an exec output something may happen: a function, one that is awaited, or a node."""
    times = []

    async def wait():
        times.append(trio.current_time())
        await trio.sleep(1)

    fire(Twice, body=wait)
    assert times[1] - times[0] == 1
    called = []
    fire(Twice, done=lambda: called.append(1))
    assert called == [1]
    with pytest.raises(NodeRaised, match="raised by the graph"):
        fire(Twice, body="flow.raise")
    assert len(fire(Twice, body=Twice)) == 3


def test_variables():
    assert fire("variable.add", variables={"n": 1}, name="n") == [("then", {"result": 2})]


def test_what_can_not_be_fired():
    """Data nodes, and types that there are not."""
    with pytest.raises(ValueError, match="fire\\(\\) is for exec nodes, and 'math.add' is not one."):
        fire("math.add")
    with pytest.raises(ValueError, match="fire\\(\\) is for exec nodes, and <class 'int'> is not one."):
        fire(int)
    with pytest.raises(tf.UnknownNodeType):
        fire("flow.fro")
    with pytest.raises(tf.UnknownSocket):
        fire("flow.for", tines=3)


def test_starting_nodes():
    """A node that has no exec input starts of itself."""
    assert fire("flow.start") == [("then", {})]


def test_what_the_node_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        fire(Twice, body=lambda: 1 / 0)
