"""What `trioflow.testing` has for tests of nodes."""

from __future__ import annotations

import datetime
import gc
import sys
from typing import NamedTuple

import pytest

import trioflow as tf
from trioflow.testing import EventLog, evaluate, fire, run_virtual


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


def test_services_and_functions_for_inputs():
    """`evaluate` and `fire` give services, and call a function when its input is resolved: a lazy one when it is asked."""

    @tf.data_node(id="test.served")
    def served(service: tf.FromServices[Pair], n: int) -> float:
        return service.drawn + n

    async def condition():
        return next(answers)

    answers = iter([True, True, False])
    assert evaluate(served, n=2, services={Pair: Pair(1.5, 3.0)}) == 3.5
    assert evaluate("logic.select", condition=True, if_true=lambda: "yes", if_false=lambda: 1 / 0) == "yes"
    assert fire("flow.while", condition=condition) == [("body", {}), ("body", {}), ("done", {})]


def test_rows_with_what_events_tell():
    """Numbers and texts, so that a log of progress and feedback can be compared with a literal."""

    @tf.exec_node(id="test.tells")
    def tells(ctx: tf.Context) -> None:
        ctx.report_progress(1, 3, "one")
        ctx.emit_feedback("careful", "warning")
        raise ValueError("no")

    with tf.build() as g:
        g.connect(g.add("flow.start").then, g.add(tells, "tells").enter)
    log = EventLog()
    with pytest.raises(ValueError):
        run_virtual(g.graph, observers=[log])
    assert log.rows("Progress", "Feedback", "failed", data=True) == [
        ("Progress", "tells", "0.1", {"done": 1, "total": 3, "message": "one"}),
        ("Feedback", "tells", "0.1", {"message": "careful", "level": "warning", "tag": None}),
        ("failed", "tells", "0.1", {"error": {"type": "ValueError", "message": "no"}, "origin": [0, 1]}),
    ]


def test_a_trigger_that_nobody_awaits():
    """Python's warning says what was not awaited."""

    class Forgets(tf.Node, id="test.forgets"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            ctx.trigger(self.then)

    with pytest.warns(RuntimeWarning, match="coroutine 'ctx.trigger' was never awaited"):
        fire(Forgets)
        gc.collect()


def test_the_kit_says_which_package_is_missing(monkeypatch):
    """`check_node_type` without Hypothesis is a sentence with a cure."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "hypothesis"]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in [name for name in sys.modules if name.startswith("trioflow.conformance")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(tf.MissingExtra, match=r"pip install 'trioflow\[testing\]'"):
        from trioflow.conformance import check_node_type  # noqa: F401, PLC0415
