"""What `trioflow.testing` has for tests of nodes."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import pytest

import trioflow as tf
from trioflow.testing import evaluate


class Pair(NamedTuple):
    drawn: float
    twice: float


@tf.data_node(id="test.draw_pair", volatile=True)
def draw_pair(ctx: tf.DataContext) -> Pair:
    """A number and its double."""
    drawn = ctx.random.random()
    return Pair(drawn, 2 * drawn)


@tf.data_node(id="test.seconds")
def in_seconds(value: datetime.timedelta) -> float:
    return value.total_seconds()


class Halve(tf.Node, id="test.halve"):
    """A data node written as a class."""

    value = tf.DataIn(float)
    half = tf.DataOut(float)

    async def execute(self, ctx: tf.Context) -> None:
        ctx.set_output(self.half, await ctx.get_input(self.value) / 2)


def test_a_node_by_id_by_function_by_class_and_by_lambda():
    """`evaluate` takes whatever a builder takes, and gives the value of the only output."""
    assert evaluate("math.add", a=1, b=2) == 3
    assert evaluate(tf.Registry.standard().get("math.add"), a=1, b=2) == 3
    assert evaluate(Halve, value=3) == 1.5
    assert evaluate(lambda x: x + 1, x=1) == 2


def test_all_outputs_of_one_evaluation():
    """Several outputs come as a dict, from one evaluation even of a volatile node (D6), the same each time (R6)."""
    pair = evaluate(draw_pair)
    assert list(pair) == ["drawn", "twice"]
    assert pair["twice"] == 2 * pair["drawn"]
    assert pair == evaluate(draw_pair)


def test_inputs_may_be_in_their_written_form():
    """Literals are read as those of a graph are (D11)."""
    assert evaluate(in_seconds, value="PT1M") == 60.0


def test_what_a_node_raises_is_raised():
    """The node's error comes through as it is (R4)."""
    with pytest.raises(ZeroDivisionError):
        evaluate("math.divide", a=1, b=0)


def test_exec_nodes_are_refused():
    """An exec node does more than give values, so it is refused by name."""
    with pytest.raises(tf.NodeDefinitionError, match=r"data nodes; 'debug.print' is an exec node"):
        evaluate("debug.print", value=1)
