"""Values that cross into a graph that is called, and values as an input's type: C4, D1, D4, D11."""

from __future__ import annotations

import pytest
from support import STANDARD, Note, chain, increment

import trioflow as tf
from trioflow.runtime.base.inputs import missing, take_in, typed
from trioflow.runtime.base.records import Caller
from trioflow.semantics.planning import make_plan
from trioflow.semantics.store import new_cell


@tf.data_node(id="ports.real")
def real(x: float) -> float:
    return x


@tf.exec_node(id="ports.takes")
def takes(x: int) -> str:
    return repr(x)


@pytest.fixture
def plan():
    """A plan with two inputs that take floats."""
    with tf.build(STANDARD) as g:
        number = g.add(increment, "number", x=1)
        for name in ("one", "two"):
            g.add(real, name, x=number.result)
        g.add(tf.nodes.Start)
    return make_plan(g.graph, STANDARD)


def test_none_is_a_literal(bench):
    """None as a literal is the value, whatever the type of the input (D1)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(takes, "it", x=None))
    assert bench.run(g.graph).output("it") == "None"


def test_typed_value_is_made_once(plan):
    """A value as an input's type is one and the same cell each time, as old and of the same origin (D4, D11)."""
    one, two = (plan.node(name).inputs[0] for name in ("one", "two"))
    cell = new_cell(1, 7, "somebody")
    first = typed(one, cell)
    assert (repr(first.value), first.serial, first.origin) == ("1.0", 7, "somebody")
    assert typed(two, cell) is not first
    assert typed(one, cell) is first
    already = new_cell(1.0, 7)
    assert typed(one, already) is already


def test_value_that_came_in(plan):
    """What came into a call is one cell inside, as old and of the same origin, for each that came (C4, D4)."""
    call = plan.node("one")
    caller = Caller(call, None)
    cell, other = new_cell(1, 7, "somebody"), new_cell(1, 8, "somebody")
    inside = take_in(caller, 0, call.inputs[0], cell)
    assert inside is not cell
    assert (repr(inside.value), inside.serial, inside.origin) == ("1.0", 7, "somebody")
    assert take_in(caller, 0, call.inputs[0], cell) is inside
    assert take_in(caller, 0, call.inputs[0], other) is not inside
    assert take_in(caller, 0, call.inputs[0], cell) is inside


def test_missing(plan):
    """What is missed is told with the node, its type, and where it should have come from (D1)."""
    call = plan.node("one")
    said = "Input 'x' of node 'one' (ports.real) has no value: {}, and it has neither a literal nor a default. Give it a literal, or make sure that the source runs first."
    wired = call.inputs[0]
    assert str(missing(call, wired)) == said.format("its source has not been written yet (number.result -> one.x)")
    wired.connection = None
    assert str(missing(call, wired)) == said.format("nothing is wired to it")


def test_input_of_a_data_graph_has_its_type(bench):
    """Inside of a graph a value has the type that the interface says (C4, D11)."""
    with tf.build() as inner:
        x, y = inner.declare_input("x", "float"), inner.declare_output("y")
        inner.connect(inner.add("convert.type_name", value=x).result, y)
    with tf.build() as g:
        name = g.define("inner", inner.graph)
        call = g.add(name, "call", x=g.add(increment, x=1).result)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=call.y))
    bench.run(g.graph)
    assert bench.notes == ["float"]
