"""Cycles, and bodies that may await: what the walks and the messages do at their edges (M5, T6)."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode
from trioflow.model.scope import Scope
from trioflow.semantics.topology import cycle_through, may_await


@tf.exec_node(id="t.start", initiator=True)
def start() -> None: ...


@tf.exec_node(id="t.step")
def step() -> None: ...


class Nests(tf.Node, id="t.nests"):
    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.trigger(self.then)


@tf.data_node(id="t.add")
def add(a: int = 0, b: int = 0) -> int:
    return a + b


REGISTRY = tf.Registry()
REGISTRY.add(start, step, Nests, add)


def problems(nodes, wires):
    connections = [Connection(Endpoint(*source.split(".")), Endpoint(*target.split("."))) for source, target in wires]
    report = tf.validate(Graph(nodes=[GraphNode("start", "t.start"), *nodes], connections=connections), REGISTRY)
    return [problem for problem in report.problems if problem.code != "unreachable"]


def ring(count):
    """Data nodes that feed each other in a circle."""
    nodes = [GraphNode(f"n{place}", "t.add") for place in range(count)]
    return nodes, [(f"n{place}.result", f"n{(place + 1) % count}.a") for place in range(count)]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (12, "'n0' -> 'n1' -> 'n2' -> 'n3' -> 'n4' -> 'n5' -> 'n6' -> 'n7' -> 'n8' -> 'n9' -> 'n10' -> 'n11' -> 'n0'."),
        (13, "'n0' -> 'n1' -> 'n2' -> 'n3' -> 'n4' -> 'n5' -> ... (1 more) -> 'n7' -> 'n8' -> 'n9' -> 'n10' -> 'n11' "
         "-> 'n12' -> 'n0'."),
        (15, "'n0' -> 'n1' -> 'n2' -> 'n3' -> 'n4' -> 'n5' -> ... (3 more) -> 'n9' -> 'n10' -> 'n11' -> 'n12' -> 'n13' "
         "-> 'n14' -> 'n0'."),
    ],
)  # fmt: skip
def test_long_cycle(count, shown):
    """A message shows twelve nodes of a cycle in the direction of the values, and counts the others (M5)."""
    (problem,) = problems(*ring(count))
    assert problem.message == f"Data nodes depend on each other: {shown}"


def test_more_than_one_cycle():
    """A message that shows one cycle says how many nodes lie on such cycles (M5)."""
    nodes, wires = ring(3)
    (problem,) = problems(nodes, [*wires, ("n1.result", "n0.b")])
    assert problem.message == (
        "Data nodes depend on each other: 'n0' -> 'n1' -> 'n0' (3 nodes lie on cycles with each other)."
    )


def test_each_exec_cycle_is_looked_at():
    """After a cycle in which everything hands over, another may await (T6)."""
    nodes = [GraphNode("a", "t.step"), GraphNode("b", "t.nests")]
    (problem,) = problems(nodes, [("a.then", "a.enter"), ("b.then", "b.enter")])
    assert (problem.code, problem.path) == ("exec-cycle", "nodes[2]")


def test_cycle_stays_in_its_knot():
    """The way back to a node is looked for among the nodes that lie on a cycle with it."""
    assert cycle_through(0, {0, 1}, {0: [2, 1], 1: [0]}) == [0, 1]


def test_what_can_not_be_looked_at():
    """A method that has no code of its own may await (T6)."""

    class Built(tf.Node, id="t.built"):
        then = tf.ExecOut()
        helper = print

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            return self.then

    assert may_await(Built.type)


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_methods_of_classes(kind):
    """The code of a method that needs no instance is looked at (T6)."""

    class Helped(tf.Node, id="t.helped"):
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            return self.then

        @kind
        def helper(*args):
            return args

    assert not may_await(Helped.type)


def test_each_inner_function_is_looked_at():
    """The code of every function inside of a body is looked at, not only that of the last (T6)."""

    @tf.exec_node
    async def body(ctx: tf.Context) -> None:
        async def first() -> None:
            await ctx.trigger("then")

        def last() -> None: ...

        last()
        await first()

    assert may_await(body.type)


def test_boundaries_await_nothing():
    """A graph's own boundary awaits nothing, nor does a call of a graph without an interface (T6)."""
    scope = Scope(Graph(nodes=[], graphs={"one": Graph()}), REGISTRY)
    for type_id in ("graph.enter", "graph.leave", "graph:one"):
        node_type = scope.find(type_id)
        assert node_type is not None
        assert not may_await(node_type)
