"""What exec wires say about the data of their targets."""

from __future__ import annotations

import attrs
import pytest
import trio

import trioflow as tf
from trioflow.testing import run_virtual

N = tf.nodes


@tf.exec_node
def order(amount: int) -> dict:
    """An order."""
    return {"amount": amount, "lines": ["a", "b"]}


@tf.exec_node
def note(value: object, log: tf.FromServices[list]) -> None:
    """Note a value."""
    log.append(value)


def run(graph, registry=None, **more):
    log: list = []
    result = run_virtual(graph, registry=registry or tf.Registry.standard(plugins=False), services={list: log}, **more)
    return log, result


def test_an_output_and_an_expression():
    """An output by its name is a wire, anything else is evaluated when the input is asked for."""
    with tf.workflow() as w:
        w.variable("tax", "float", 0.5)
        a = w.add(order, "a", amount=8)
        w.connect(a, w.add(note, "all"), data={"value": "out.result"})
        w.connect(a, w.add(note, "some"), data={"value": "out.result.amount * 2"})
        w.connect(a, w.add(note, "more"), data={"value": "double(out.result.amount) * (1.0 + vars.tax)"})
    log, _ = run(w.graph)
    assert log == [{"amount": 8, "lines": ["a", "b"]}, 16, 12.0]
    assert tf.loads(tf.dumps(attrs.evolve(w.graph, types={}))).connections == w.graph.connections


def test_it_is_never_stale():
    """In a loop the input is what the round before has left, as over any data wire."""
    with tf.workflow() as w:
        w.variable("n", "int", 0)
        a = w.add(N.AddToVariable, "a", name="n", value=1, most=9)
        b = w.add(note, "b")
        w.connect(a, b, data={"value": "out.result * 10"})
        w.connect(b, a, when="vars.n < 3")
    assert run(w.graph)[0] == [10, 20, 30]


def test_in_a_graph_that_calls_too():
    """It is a data wire in any graph."""
    with tf.build() as g:
        start, b = g.add(N.Start), g.add(note, "b")
        g.connect(start.then, b.enter)
        g.variable("v", "int", 4)
    wire = attrs.evolve(g.graph.connections[0], data={"value": "vars.v + 1"})
    assert run(attrs.evolve(g.graph, connections=(wire,)))[0] == [5]


def test_items_failures_and_inputs_of_the_graph():
    """An item, what a firing failed with, and what a caller gave."""

    @tf.exec_node
    def fail() -> None:
        raise OSError("no van")

    with tf.workflow() as inner:
        entry, given = inner.declare_entry("go"), inner.declare_input("given", "int")
        first, each = inner.add(note, "first", value=given), inner.add(N.ForEach, "each", items=["x", "y"])
        inner.connect(entry, first)
        inner.connect(first, each)
        inner.connect(each, inner.add(note, "item"), on="next", data={"value": "item + '!'"})
        bad = inner.add(fail, "bad")
        inner.connect(each.done, bad)
        said = inner.add(note, "said")
        inner.connect(bad, said, on="failed", data={"value": "error.message + ' ' + string(input.given)"})
    with tf.workflow() as w:
        w.connect(w.add(N.Start), w.add(w.define("inner", inner.graph), given=7))
    assert run(w.graph)[0] == [7, "x!", "y!", "no van 7"]


def test_transforms_and_what_stands_in():
    """Steps that the host knows by name, one after the other; a default for what nobody has written."""
    registry = tf.Registry.standard(plugins=False)
    registry.add_transform("sorted", lambda value: sorted(value))

    async def joined(value):
        await trio.sleep(1)
        return "+".join(value)

    registry.add_transform("joined", joined)
    with tf.workflow() as w:
        a, never = w.add(order, "a", amount=1), w.add(order, "never", amount=1)
        steps = tf.WireData(value="['b', 'a']", transforms=("sorted", "joined"))
        w.connect(a, w.add(note, "b"), data={"value": steps})
        c = w.add(note, "c")
        w.connect(a, never, when="out.result.amount > 1")
        w.connect(a, c)
        w.connect(never, c, data={"value": tf.WireData(value="out.result.amount", default="nothing")})
    log, _ = run(w.graph, registry)
    assert sorted(log) == ["a+b", "nothing"]
    document = tf.dumps(attrs.evolve(w.graph, types={}))
    assert '"data": {"value": {"value": "[\'b\', \'a\']", "transforms": ["sorted", "joined"]}}' in " ".join(
        document.split()
    ).replace("{ ", "{").replace(" }", "}").replace("[ ", "[").replace(" ]", "]")


def test_what_is_wrong():
    """An input that is not there, one that has a wire, a transform and a name that nobody knows: each with its place."""
    with tf.workflow() as w:
        a = w.add(order, "a", amount=1)
        b = w.add(note, "b", value=a.result)
        w.connect(a, b, data={
            "valeu": "1", "value": tf.WireData(value="out.reslt", transforms=("sorte",)),
        })  # fmt: skip
        w.connect(a, w.add(note, "c"), data={"value": "round + 1"})
    registry = tf.Registry.standard(plugins=False)
    registry.add_transform("sorted", sorted)
    found = tf.validate(w.graph, registry).errors
    assert [(each.code, each.path) for each in found] == [
        ("unknown-socket", "connections[1].data.valeu"),
        ("second-source", "connections[1].data.value"),
        ("bad-expression", "connections[1].data.value"),
        ("unknown-transform", "connections[1].data.value.transforms[0]"),
        ("bad-expression", "connections[2].data.value"),
    ]
    assert "Did you mean 'sorted'" in str(found[3])


def test_a_default_is_not_for_failures():
    """An expression that can't be evaluated fails whoever asks for the input."""
    with tf.workflow() as w:
        a = w.add(order, "a", amount=1)
        w.connect(a, w.add(note, "b"), data={"value": tf.WireData(value="out.result.colour", default="red")})
    with pytest.raises(tf.ExpressionFailed, match="Key not found"):
        run(w.graph)


def test_a_transform_that_went_away():
    """A registry that has forgotten a transform since it was planned says so."""
    registry = tf.Registry.standard(plugins=False)
    registry.add_transform("sorted", sorted)
    with tf.workflow() as w:
        a = w.add(order, "a", amount=1)
        w.connect(a, w.add(note, "b"), data={"value": tf.WireData(value="[2, 1]", transforms=("sorted",))})
    plan = tf.make_plan(w.graph, registry)
    registry.transforms.clear()
    log: list = []
    with pytest.raises(tf.UnknownName, match="no transform 'sorted'"):
        trio.run(lambda: tf.run(plan, services={list: log}))
