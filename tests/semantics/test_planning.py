"""What is decided before a run: M3, M4, D1 to D3, D6, S2, R7."""

from __future__ import annotations

import copy
import pickle

import pytest
from support import STANDARD, Items, Note, chain, increment

import trioflow as tf
from trioflow.semantics.plan import Source
from trioflow.semantics.planning import kept_plan, make_plan


def planned(g):
    return make_plan(g.graph, STANDARD)


def node(plan, name):
    return plan.nodes[plan.node_index[name]]


def inputs(plan, name):
    return {each.socket.name: each for each in node(plan, name).inputs}


class Takes(tf.Node, id="plan.takes"):
    enter = tf.ExecIn()
    required = tf.DataIn(int)
    optional = tf.DataIn(int, default=7)
    lazy = tf.DataIn(int, default=8, lazy=True)
    other = tf.DataOut(int)
    value = tf.DataOut(int)
    then = tf.ExecOut()
    again = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None: ...


@tf.data_node(id="plan.clock", volatile=True)
def clock() -> int:
    return 1


def test_slots():
    """Variables have the first slots, then each exec node one per output and each data node one, in document order."""
    with tf.build(STANDARD) as g:
        g.variable("one")
        g.variable("two")
        chain(g, g.add(tf.nodes.Start, "start"), g.add(Takes, "first", required=1), g.add(Takes, "second", required=1))
        g.add(increment, "data", x=1)
        g.add(Takes, "third", required=1)
    plan = planned(g)
    assert plan.variable_index == {"one": 0, "two": 1}
    assert [(each.id, each.first_output, each.slot) for each in plan.nodes] == [
        ("start", 2, -1),
        ("first", 2, -1),
        ("second", 4, -1),
        ("data", -1, 6),
        ("third", 7, -1),
    ]
    assert plan.size == 10  # the last one stays empty


def test_where_inputs_come_from():
    """An input is a constant, a slot of an exec node, or a static or other data node's output (D1, D2, D3)."""
    with tf.build(STANDARD) as g:
        start, source = g.add(tf.nodes.Start), g.add(Takes, "source", required=1)
        data = g.add(increment, "data", x=source.value)
        after = g.add(Takes, "after", required=g.add(clock, "clock").result)
        chain(g, start, source, g.add(Takes, "takes", required=data.result, optional=source.value), after)
    plan = planned(g)
    timed = inputs(plan, "after")["required"]
    assert (timed.source, timed.slot) == (Source.NODE, node(plan, "clock").slot)
    found = inputs(plan, "takes")
    assert (found["required"].source, found["required"].slot) == (Source.STATIC, node(plan, "data").slot)
    assert (found["required"].upstream.id, found["required"].wire) == ("data", "data.result -> takes.required")
    assert (found["optional"].source, found["optional"].slot) == (Source.SLOT, node(plan, "source").first_output + 1)
    assert (found["lazy"].source, found["lazy"].constant.value) == (Source.CONSTANT, 8)


@pytest.mark.parametrize(
    ("literals", "constant"), [({}, 7), ({"optional": 5}, 5), ({"optional": None}, None)], ids=["none", "5", "None"]
)
@pytest.mark.parametrize("wired", [True, False])
def test_literal_before_default(literals, constant, wired):
    """The literal hides the default, None too; both stay behind a wire whose source is unset (D1)."""
    with tf.build(STANDARD) as g:
        start, takes = g.add(tf.nodes.Start), g.add(Takes, "takes", required=1, **literals)
        chain(g, start, takes)
        if wired:
            g.connect(takes.value, takes.optional)
    found = inputs(planned(g), "takes")["optional"]
    assert (found.source, found.constant.value) == (Source.SLOT if wired else Source.CONSTANT, constant)


def test_no_value_at_all():
    """A wired input without literal and default has no constant to fall back to (D1)."""
    with tf.build(STANDARD) as g:
        start, takes = g.add(tf.nodes.Start), g.add(Takes, "takes")
        g.connect(takes.value, takes.required)
        chain(g, start, takes)
    assert inputs(planned(g), "takes")["required"].constant is None


def test_literals_are_typed_once():
    """A literal is converted when the graph is planned, not at each step (D11)."""

    @tf.exec_node(id="plan.float")
    def takes_float(x: float) -> None: ...

    with tf.build(STANDARD) as g:
        start, takes = g.add(tf.nodes.Start), g.add(takes_float, "takes", x=3)
        g.connect(start.then, takes["enter"])
    assert repr(inputs(planned(g), "takes")["x"].constant.value) == "3.0"


def test_what_is_resolved_before_the_body():
    """Eager inputs that are wired are resolved before the body starts; constants and lazy ones need nothing (D7)."""
    with tf.build(STANDARD) as g:
        start, takes = g.add(tf.nodes.Start), g.add(Takes, "takes", required=1)
        g.connect(takes.other, takes.optional)
        g.connect(takes.value, takes.lazy)
        chain(g, start, takes)
    assert [each.socket.name for each in node(planned(g), "takes").to_resolve] == ["optional"]


def test_targets_in_the_order_of_the_wires():
    """The order of the wires of one exec output is the order of dispatch, whatever lies between them (M3)."""
    with tf.build(STANDARD) as g:
        start, takes = g.add(tf.nodes.Start), g.add(Takes, "takes", required=1)
        a, b, c = (g.add(Note, name) for name in "abc")
        chain(g, start, takes)
        g.connect(takes.then, c.enter)
        g.connect(takes.again, b.enter)
        g.connect(takes.then, a.enter)
        g.connect(takes.then, c.enter)
    targets = node(planned(g), "takes").targets
    assert [[(target.node.id, target.entered) for target in each] for each in targets] == [
        [("c", "enter"), ("a", "enter"), ("c", "enter")],
        [("b", "enter")],
    ]


def test_initiators_in_document_order():
    """Initiators are marked by their type or in the graph, where the graph has the last word (M4)."""
    with tf.build(STANDARD) as g:
        g.configure(g.add(Note, "first"), initiator=True)
        g.configure(g.add(tf.nodes.Start, "not this one"), initiator=False)
        g.add(tf.nodes.Start, "start")
        g.configure(g.add(Note, "last"), initiator=True)
        g.add(Note, "no")
    assert [(each.node.id, each.entered) for each in planned(g).initiators] == [
        ("first", None),
        ("start", None),
        ("last", None),
    ]


def test_listeners_in_document_order():
    """Each event has its listeners in document order, and is known without any (B1, B2)."""
    with tf.build(STANDARD) as g:
        g.event("a")
        g.event("b")
        g.event("nobody's")
        g.add(tf.nodes.Start)
        for name, event in (("one", "b"), ("two", "a"), ("three", "b")):
            g.add(tf.nodes.Listen, name, event=event)
    listeners = planned(g).listeners
    assert {event: [each.id for each in nodes] for event, nodes in listeners.items()} == {
        "a": ["two"],
        "b": ["one", "three"],
        "nobody's": [],
    }


def test_what_depends_on_a_volatile_node():
    """A volatile data node, and each data node behind it, is good for one activation only; exec nodes stop it (D6)."""
    with tf.build(STANDARD) as g:
        first = g.add(increment, "first", x=g.add(clock, "clock").result)
        second = g.add(increment, "second", x=first.result)
        takes = g.add(Takes, "takes", required=second.result)
        g.add(increment, "behind", x=takes.value)
        g.add(increment, "apart", x=1)
        chain(g, g.add(tf.nodes.Start), takes)
    assert [each.id for each in planned(g).nodes if each.impure] == ["clock", "first", "second"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("concurrent", None, "fail")),
        ({"limit": 4}, ("concurrent", 4, "fail")),
        ({"limit": 0}, ("concurrent", None, "fail")),
        ({"mode": "sequential", "on_error": "collect"}, ("sequential", None, "collect")),
    ],
)
def test_stream_settings(settings, expected):
    """What the graph says of a stream comes before what the type says; what it says is settled (S1, S2)."""
    with tf.build(STANDARD) as g:
        items = g.add(Items, "items")
        g.configure(items, **settings)
        g.connect(g.add(tf.nodes.Start).then, items.enter)
    (stream,) = node(planned(g), "items").streams
    assert (stream.mode, stream.limit, stream.on_error) == expected
    assert stream.settled == frozenset(settings)
    assert (stream.fires, stream.done, stream.discard) == (0, 1, False)


def test_refused_graph():
    """A graph with errors gets no plan, and the error has them all (M5)."""
    graph = tf.Graph([tf.GraphNode("a", "no.such"), tf.GraphNode("b", "test.missing")])
    with pytest.raises(tf.InvalidGraph) as caught:
        make_plan(graph, STANDARD)
    assert all(name in str(caught.value) for name in ("no.such", "test.missing"))


def test_a_graph_is_planned_once():
    """Runs of one graph share its plan, until something is added to the registry; other registries have others."""
    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add("debug.print", value=1).enter)
    graph, registry = g.graph, tf.Registry.standard()
    plan = kept_plan(graph, registry)
    assert kept_plan(graph, registry) is plan
    registry.add(clock)
    again = kept_plan(graph, registry)
    assert again is not plan
    assert kept_plan(graph, None) is not again
    assert kept_plan(graph, None) is kept_plan(graph, None)


def test_a_plan_that_is_kept_is_no_part_of_the_graph():
    """Graphs are equal, and copied and pickled, without it; those that are refused are refused again."""
    graph = tf.Graph([tf.GraphNode("start", "flow.start")])
    kept_plan(graph, None)
    assert graph == tf.Graph([tf.GraphNode("start", "flow.start")])
    for other in (copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        assert (other, other.kept.value) == (graph, None)
    wrong = tf.Graph([tf.GraphNode("a", "no.such")])
    for _ in range(2):
        with pytest.raises(tf.InvalidGraph, match=r"no\.such"):
            kept_plan(wrong, None)
