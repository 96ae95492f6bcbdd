"""Nodes that remember, entered by concurrent strands only, are told before the run (F6)."""

from __future__ import annotations

import time

import pytest

import trioflow as tf
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, StreamSettings

STANDARD = tf.Registry.standard(plugins=False)
REMEMBERING = [type_id for type_id in STANDARD.ids() if STANDARD.get(type_id).remembers]


def wire(written: str) -> Connection:
    source, target = (Endpoint(*end.rsplit(".", 1)) for end in written.split(" -> "))
    return Connection(source, target)


def graph(nodes: dict[str, str], wires: list[str], concurrent: tuple[str, ...] = ()) -> Graph:
    """Nodes by id, of types whose area is `flow` if they name none; `start` is there."""
    return Graph(
        [
            GraphNode(
                name,
                type_ if "." in type_ else f"flow.{type_}",
                stream=StreamSettings("concurrent") if name in concurrent else None,
            )
            for name, type_ in {"start": "start", **nodes}.items()
        ],
        [wire(each) for each in wires],
    )


def told(graph: Graph, registry: tf.Registry = STANDARD) -> list[tuple[str, str]]:
    """The nodes that are told, and who starts the strands."""
    found = [problem for problem in tf.validate(graph, registry).problems if problem.code == "split-memory"]
    return [(problem.message.split("'")[1], problem.message.split("'")[3]) for problem in found]


def test_join_behind_branches():
    """A join that branches of one node enter is told with its place, its rule, and where the branches are joined."""
    nodes = {"fork": "parallel", "join": "join"}
    report = tf.validate(graph(nodes, ["start.then -> fork.enter", "fork.a -> join.a", "fork.b -> join.b"]), STANDARD)
    assert report.problems == (
        tf.Problem(
            code="split-memory",
            severity=tf.Severity.WARNING,
            path="nodes[2]",
            message="'join' (flow.join) remembers in each strand for itself, and it is entered by concurrent branches "
            "of 'fork' only: none sees what the others left there.",
            cure="Enter it from 'done' of 'fork', where the strands are joined, or collect in a variable with a merge "
            "policy.",
            rule="F6",
        ),
    )


def test_items():
    """A node that each item enters once is told; running the items one after the other is a cure more."""
    nodes = {"each": "parallel_for_each", "once": "once"}
    report = tf.validate(graph(nodes, ["start.then -> each.enter", "each.body -> once.enter"]), STANDARD)
    (problem,) = report.warnings
    assert (problem.message, problem.cure) == (
        "'once' (flow.once) remembers in each strand for itself, and each item of 'each' enters it in a strand of its "
        "own: none sees what the others left there.",
        "Enter it from 'done' of 'each', where the strands are joined, let the stream run sequentially, or collect in a "
        "variable with a merge policy.",
    )


@pytest.mark.parametrize("type_id", REMEMBERING)
@pytest.mark.parametrize("fork", ["flow.parallel", "flow.parallel_8", "flow.race", "flow.alongside"])
def test_every_node_that_remembers(type_id, fork):
    """It is told behind the branches of every node that starts some, and nowhere if one of them alone leads to it."""
    entry = STANDARD.get(type_id).exec_inputs[0].name
    first, second = [output.name for output in STANDARD.get(fork).exec_outputs][:2]
    nodes, enter = {"fork": fork, "it": type_id}, "start.then -> fork.enter"
    one, other = f"fork.{first} -> it.{entry}", f"fork.{second} -> it.{entry}"
    assert told(graph(nodes, [enter, one, other])) == [("it", "fork")]
    assert told(graph(nodes, [enter, one])) == told(graph(nodes, [enter, one, one])) == []


def test_what_keeps_state_says_so():
    """All standard nodes that read their node state declare it."""
    assert REMEMBERING == [
        "flow.at_most", "flow.counter", "flow.cycle", "flow.every_nth", "flow.flip_flop", "flow.gate", "flow.join",
        "flow.on_change", "flow.once", "flow.throttle", "flow.wait_for", "person.ask", "person.stream", "state.change", "state.collect",
        "state.history", "state.previous", "state.statistics", "state.stopwatch", "state.tally",
    ]  # fmt: skip


FORK = ["start.then -> fork.enter", "fork.a -> x.enter", "fork.b -> y.enter"]
STEPS = {"fork": "parallel", "x": "marker", "y": "marker", "it": "counter"}


@pytest.mark.parametrize(
    ("wires", "expected"),
    [
        ([*FORK, "x.then -> it.enter", "y.then -> it.enter"], [("it", "fork")]),
        ([*FORK, "x.then -> it.enter", "y.then -> x.enter"], [("it", "fork")]),
        ([*FORK, "x.then -> it.enter"], []),
        ([*FORK, "fork.done -> it.enter"], []),
        ([*FORK, "x.then -> it.enter", "y.then -> it.enter", "fork.done -> it.reset"], []),
        ([*FORK, "x.then -> it.enter", "y.then -> it.enter", "start.then -> it.enter"], []),
        # From a place that nothing leads to nobody comes; who comes round has been there before.
        ([*FORK[1:], "x.then -> it.enter", "y.then -> it.enter"], []),
        ([*FORK, "x.then -> it.enter", "y.then -> it.enter", "it.then -> x.enter"], [("it", "fork")]),
        ([*FORK, "x.then -> it.enter", "y.then -> it.enter", "it.then -> fork.enter"], [("it", "fork")]),
    ],
)
def test_ways_to_it(wires, expected):
    """It is told if all ways to it that are ever taken go through several concurrent outputs of one node."""
    assert told(graph(STEPS, wires)) == expected


def test_a_listener_is_another_way():
    """Who publishes an event is not known."""
    nodes = {**STEPS, "hear": "event.listen"}
    wires = [*FORK, "x.then -> it.enter", "y.then -> it.enter", "hear.then -> it.reset"]
    assert told(graph(nodes, wires)) == []


def test_forks_in_forks():
    """The nearest node that starts strands is named; inside a single branch there is one strand."""
    nodes = {"outer": "parallel", "inner": "parallel", "it": "counter"}
    wires = ["start.then -> outer.enter", "outer.a -> inner.enter", "inner.a -> it.enter", "inner.b -> it.enter"]
    assert told(graph(nodes, wires)) == [("it", "inner")]
    assert told(graph(nodes, [*wires, "outer.b -> it.enter"])) == [("it", "outer")]
    assert told(graph(nodes, [*wires[:-1], "outer.b -> it.enter"])) == [("it", "outer")]
    assert told(graph(nodes, [*wires[:2], "inner.done -> it.enter"])) == []


ITEMS = ["start.then -> each.enter", "each.body -> x.enter", "x.then -> it.enter"]


@pytest.mark.parametrize(
    ("nodes", "wires", "expected"),
    [
        ({"x": "marker"}, ITEMS, [("it", "each")]),
        ({"x": "delay"}, [*ITEMS[:2], "x.then -> fork.enter", "fork.a -> it.enter"], [("it", "each")]),
        ({"x": "marker"}, [*ITEMS[:2], "each.done -> it.enter"], []),
        ({"x": "marker"}, [*ITEMS, "each.body -> it.reset"], []),
        ({"x": "marker"}, [*ITEMS, "it.then -> it.enter"], []),
        ({"x": "repeat"}, [*ITEMS[:2], "x.body -> it.enter"], []),
        ({"x": "repeat"}, [*ITEMS[:2], "x.done -> it.enter"], []),
    ],
)
def test_ways_of_an_item(nodes, wires, expected):
    """What the strand of an item may enter more than once may be meant to remember for that item."""
    nodes = {"each": "for_each", "fork": "parallel", "it": "counter", **nodes}
    assert told(graph(nodes, wires, concurrent=("each",))) == expected
    assert told(graph(nodes, wires)) == []


def test_a_setting_makes_a_stream_sequential():
    """What counts is the mode that the node in the graph has."""
    nodes = [
        GraphNode("start", "flow.start"),
        GraphNode("each", "flow.parallel_for_each", stream=StreamSettings("sequential")),
        GraphNode("it", "flow.once"),
    ]
    wires = [wire("start.then -> each.enter"), wire("each.body -> it.enter")]
    assert told(Graph(nodes, wires)) == []


def test_in_a_graph_that_is_called():
    """It is told where it is, also if control comes in through the boundary."""
    with tf.build(STANDARD) as part:
        enter, fork, join = part.declare_entry("enter"), part.add("flow.parallel"), part.add("flow.join")
        part.connect(enter, fork.enter)
        part.connect(fork.a, join.a)
        part.connect(fork.b, join.b)
    with tf.build(STANDARD) as g:
        call = g.add(g.define("part", part.graph), "call")
        g.connect(g.add("flow.start").then, call.enter)
    (problem,) = tf.validate(g.graph, STANDARD).warnings
    assert (problem.code, problem.path) == ("split-memory", "graphs.part.nodes[2]")


class Both(tf.Node, id="my.both"):
    """Starts a strand for each of its outputs, and one for each item."""

    enter = tf.ExecIn()
    item = tf.DataOut(int)
    left = tf.ExecOut(concurrent=True)
    right = tf.ExecOut(concurrent=True)
    body = tf.ExecOut()
    go_on = tf.ExecOut()
    items = tf.Stream(item, fires=body, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None: ...


@tf.exec_node(id="my.last", remembers=True)
def last(ctx: tf.Context) -> int:
    ctx.state["n"] = n = ctx.state.get("n", 0) + 1
    return n


def test_types_of_your_own():
    """Types of users declare the same; where one goes on has whatever name."""
    registry = tf.Registry()
    registry.add(tf.nodes.Start, Both, last)
    nodes = {"both": "my.both", "it": "my.last"}
    enter = "start.then -> both.enter"
    assert told(graph(nodes, [enter, "both.left -> it.enter", "both.right -> it.enter"]), registry) == [("it", "both")]
    assert told(graph(nodes, [enter, "both.left -> it.enter", "both.body -> it.enter"]), registry) == [("it", "both")]
    assert told(graph(nodes, [enter, "both.body -> it.enter"]), registry) == [("it", "both")]
    assert told(graph(nodes, [enter, "both.left -> it.enter"]), registry) == []
    (problem,) = tf.validate(graph(nodes, [enter, "both.body -> it.enter"]), registry).warnings
    assert problem.cure.startswith("Enter it from 'go_on' of 'both', where the strands are joined, let")


def test_remembering_is_for_exec_nodes():
    """A data node has no state to remember in."""
    with pytest.raises(tf.NodeDefinitionError, match="remembers is for exec nodes; a data node keeps nothing"):

        class _Wrong(tf.Node, remembers=True):
            value = tf.DataOut(int)

            async def execute(self, ctx: tf.DataContext) -> None: ...


def test_a_graph_that_is_not_complete():
    """As long as not every wire can be followed, there may be other ways."""
    wires = [*FORK, "x.then -> it.enter", "y.then -> it.enter"]
    assert told(graph(STEPS, [*wires, "nobody.then -> it.enter"])) == []


@pytest.mark.timed
def test_long_chains():
    """It takes time in proportion to the graph."""
    many = 10_000
    nodes = {"fork": "parallel", **{f"n{place}": "counter" for place in range(many)}}
    wires = ["start.then -> fork.enter", "fork.a -> n0.enter", "fork.b -> n0.enter"]
    wires += [f"n{place}.then -> n{place + 1}.enter" for place in range(many - 1)]
    drawn = graph(nodes, wires)
    before = time.process_time()
    assert len(told(drawn)) == many
    assert time.process_time() - before < 5
