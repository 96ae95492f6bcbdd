"""M1, R7, C3: running a graph never changes it: what bodies change in place is each run's own."""

from __future__ import annotations

import trioflow as tf
from trioflow.testing import run_virtual


class Stack:
    """What a converter makes of a text: something that can be changed."""

    def __init__(self, text: str) -> None:
        self.items = [text]


@tf.exec_node(id="test.grow")
async def grow(items: list) -> list:
    items.append("x")
    return list(items)


@tf.exec_node(id="test.grow_default")
def grow_default(items: list = ["d"]) -> list:  # noqa: B006 - what is tested
    items.append("x")
    return list(items)


def three_runs(g, node="n", **given):
    before = tf.dumps(g.graph)
    found = [run_virtual(g.graph, **given).output(node) for _ in range(3)]
    assert tf.dumps(g.graph) == before
    return found


def started(g, node):
    g.connect(g.add(tf.nodes.Start).then, node.enter)


def test_a_literal():
    with tf.build() as g:
        started(g, g.add(grow, "n", items=["l"]))
    assert three_runs(g) == [["l", "x"]] * 3


def test_a_default_of_a_type():
    with tf.build() as g:
        started(g, g.add(grow_default, "n"))
    assert three_runs(g) == [["d", "x"]] * 3


def test_a_nested_literal():
    @tf.exec_node
    def deep(items: dict) -> object:
        items["a"][0].append("x")
        return items["a"][0]

    with tf.build() as g:
        started(g, g.add(deep, "n", items={"a": [["l"]]}))
    assert three_runs(g) == [["l", "x"]] * 3


def test_a_literal_behind_a_wire_that_was_not_written():
    with tf.build() as g:
        source = g.add(grow, "source", items=[])
        node = g.add(grow, "n", items=["l"])
        g.connect(source.result, node.items)
        started(g, node)
    assert three_runs(g) == [["l", "x"]] * 3


def test_a_literal_of_a_data_node():
    @tf.data_node
    def last(items: list) -> object:
        items.append(len(items))
        return items[-1]

    with tf.build() as g:
        started(g, g.add(keep, "n", value=g.add(last, items=[5]).result))
    assert three_runs(g) == [1, 1, 1]


@tf.exec_node(id="test.keep")
def keep(value: object) -> object:
    return value


def test_the_default_of_a_variable():
    with tf.build() as g:
        g.variable("l", "list", ["v"])
        started(g, g.add(grow, "n", items=g.add("variable.get", name="l").result))
    assert three_runs(g) == [["v", "x"]] * 3


def test_start_values_of_variables():
    given = {"l": ["s"]}
    with tf.build() as g:
        g.variable("l", "list", ["v"])
        started(g, g.add(grow, "n", items=g.add("variable.get", name="l").result))
    assert three_runs(g, variables=given) == [["s", "x"]] * 3
    assert given == {"l": ["s"]}


def test_the_default_of_an_input_of_a_graph():
    with tf.build() as g:
        items = g.declare_input("items", "list", default=["d"])
        start = g.declare_entry("enter")
        node = g.add(grow, "n", items=items)
        g.connect(start, node.enter)
        started(g, node)
    assert three_runs(g) == [["d", "x"]] * 3


def test_each_call_of_a_graph_begins_anew():
    with tf.build() as inner:
        enter, done, out = inner.declare_entry("enter"), inner.declare_exit("done"), inner.declare_output("out", "list")
        inner.variable("l", "list", ["v"])
        one = inner.add(grow, "one", items=inner.add("variable.get", name="l").result)
        two = inner.add(grow, "two", items=["l"])
        inner.connect(enter, one.enter)
        inner.connect(one.then, two.enter)
        inner.connect(two.then, done)
        inner.connect(inner.add(lambda a, b: a + b, a=one.result, b=two.result).result, out)
    with tf.build() as g:
        g.variable("found", "list", [])
        type_id = g.define("inner", inner.graph)
        loop = g.add(tf.nodes.ForLoop, times=3)
        call = g.add(type_id)
        show = g.add(tf.nodes.UpdateVariable, name="found", operation="append", value=call.out)
        started(g, loop)
        g.connect(loop.body, call.enter)
        g.connect(call.done, show.enter)
    assert run_virtual(g.graph).variables["found"] == [["v", "x", "l", "x"]] * 3


def test_within_one_run_a_literal_is_one_cell():
    """D1: who changes it gets what it has become."""
    with tf.build() as g:
        loop = g.add(tf.nodes.ForLoop, times=2)
        node = g.add(grow, "n", items=["l"])
        started(g, loop)
        g.connect(loop.body, node.enter)
    assert three_runs(g) == [["l", "x", "x"]] * 3


def test_what_a_converter_makes_of_a_literal_is_the_run_s_own():
    @tf.exec_node
    def push(stack: Stack) -> int:
        stack.items.append("x")
        return len(stack.items)

    registry = tf.Registry.standard()
    registry.add_converter(str, Stack, Stack)
    with tf.build(registry) as g:
        started(g, g.add(push, "n", stack="s"))
    plan = tf.make_plan(g.graph, registry)
    assert [run_virtual(plan).output("n") for _ in range(3)] == [2, 2, 2]


def test_a_body_gets_copies_of_the_literals_of_its_node():
    class Looks(tf.Node):
        enter, items, found = tf.ExecIn(), tf.DataIn(list), tf.DataOut(list)

        async def execute(self, ctx):
            ctx.node.inputs["items"].append("x")
            ctx.set_output(self.found, ctx.node.inputs["items"])

    with tf.build() as g:
        started(g, g.add(Looks, "n", items=["l"]))
    before = tf.dumps(g.graph)
    assert [run_virtual(g.graph).output("n", "found") for _ in range(2)] == [["l"]] * 2
    assert tf.dumps(g.graph) == before


def test_such_a_literal_has_the_name_of_any_other():
    """E5: whether a literal could be changed is not seen in keys of evaluations."""

    def keys(literal):
        found = []
        with tf.build() as g:
            value = g.add(lambda items: len(items), "data", items=literal)
            started(g, g.add(keep, "n", value=value.result))
        run_virtual(
            g.graph, observers=[lambda e: found.append(e.key) if isinstance(e, tf.events.EvaluationCompleted) else None]
        )
        return found

    assert keys([1]) == keys("a") != []
