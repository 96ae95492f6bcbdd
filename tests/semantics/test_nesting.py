"""Validation across graphs: interfaces, boundaries, calls, and all problems with the way to them (C1, C2, M5)."""

from __future__ import annotations

import json

import attrs
import pytest
from support import Items, increment

import trioflow as tf
from trioflow.model.graph import Connection, Endpoint

STANDARD = tf.Registry.standard(plugins=False)
START = {"id": "start", "type": "flow.start"}
ENTER, LEAVE = {"id": "enter", "type": "graph.enter"}, {"id": "leave", "type": "graph.leave"}


def graph(**document):
    return tf.loads(json.dumps({"trioflow": "1.2", **document}))


def lines(found):
    return str(tf.validate(found, STANDARD)).splitlines()


def test_interface():
    """Names are such that sockets can have them, and unique on each side; types are known, defaults fit (C1)."""
    found = graph(
        interface={
            "entries": [{"name": "in"}, {"name": "a.b"}],
            "exits": [{"name": "out"}, {"name": "out"}],
            "inputs": [
                {"name": "in"},
                {"name": "x", "type": "itn"},
                {"name": "y", "type": "int", "default": "3"},
                {"name": "z", "type": "int", "default": None},
            ],
            "outputs": [{"name": "in", "type": "nothing"}, {"name": ""}],
        },
        nodes=[ENTER, LEAVE],
    )
    assert [line.partition(" Use")[0] for line in lines(found) if " interface" in line] == [
        "error[invalid-id] interface.entries[1].name: 'a.b' can't be the name of a socket.",
        "error[duplicate-id] interface.inputs[0].name: 'in' is the name of interface.entries[0] already. Give one of them "
        "another name.",
        "error[duplicate-id] interface.exits[1].name: 'out' is the name of interface.exits[0] already. Give one of them "
        "another name.",
        "error[invalid-id] interface.outputs[1].name: '' can't be the name of a socket.",
        "error[unknown-type] interface.inputs[1].type: There is no type 'itn'.",
        "error[unknown-type] interface.outputs[0].type: There is no type 'nothing'.",
        "error[type-mismatch] interface.inputs[2].default: Expected int, got str '3'. Give input 'y' a default of type int.",
    ]


def test_boundaries():
    """Boundaries need an interface, are there once, and no run starts at them (C1, M4)."""
    assert lines(graph(nodes=[START, ENTER, LEAVE]))[:2] == [
        "error[no-interface] nodes[1].type: 'enter' is at the boundary of a graph that declares no interface. Declare "
        'one: "interface": {...}.',
        "error[no-interface] nodes[2].type: 'leave' is at the boundary of a graph that declares no interface. Declare "
        'one: "interface": {...}.',
    ]
    interface = {"entries": [{"name": "in"}]}
    nodes = [{**ENTER, "initiator": True}, {"id": "again", "type": "graph.enter"}]
    assert lines(graph(interface=interface, nodes=nodes)) == [
        "error[data-initiator] nodes[0].initiator: No run can start at graph.enter. Mark a node that acts, or let callers "
        "enter here.",
        "error[second-boundary] nodes[1]: 'again' is a second graph.enter; 'enter' is one already. Keep one: its sockets "
        "may have many wires.",
    ]


@pytest.mark.parametrize(
    ("interface", "message"),
    [
        ({"entries": [{"name": "in"}]}, "declares entries, but no node of type graph.enter"),
        ({"exits": [{"name": "out"}]}, "declares exits, but no node of type graph.leave"),
        ({"outputs": [{"name": "y"}]}, "declares outputs, but no node of type graph.leave"),
    ],
)
def test_boundary_is_missing(interface, message):
    """What an interface declares needs the node at which it is inside (C1)."""
    assert message in lines(graph(interface=interface, nodes=[START]))[0]


def test_output_without_a_source():
    """Each output must be made by something (C1, D1)."""
    assert lines(graph(interface={"outputs": [{"name": "y"}]}, nodes=[LEAVE])) == [
        "error[missing-input] nodes[0].inputs.y: Input 'y' of 'leave' has no wire, no literal and no default. Wire it, or "
        "give it a literal of type any."
    ]


def test_starts():
    """A graph that is called needs no initiator; one that only has exits does (C3, M4)."""
    callable_ = graph(interface={"entries": [{"name": "in"}]}, nodes=[ENTER])
    assert lines(callable_) == ["no problems"]
    only_exits = graph(interface={"exits": [{"name": "out"}]}, nodes=[LEAVE])
    assert [line.partition(":")[0] for line in lines(only_exits)] == ["error[no-initiator] nodes"]


def test_started_call():
    """A run can start at a call only if the graph that it calls starts by itself (C3, M4)."""
    called = {"id": "call", "type": "graph:one", "initiator": True}
    one = {"interface": {"entries": [{"name": "in"}]}, "nodes": [ENTER]}
    assert lines(graph(nodes=[called], graphs={"one": one})) == [
        "error[no-initiator] nodes[0].initiator: A run starts at 'call', but in the graph that it calls no node starts. "
        "Add a node of a type such as flow.start there, or enter this one through a wire."
    ]
    assert lines(graph(nodes=[called], graphs={"one": {**one, "nodes": [ENTER, START]}})) == ["no problems"]


def test_all_problems_with_the_way_to_them():
    """All problems of all graphs come in one report, each with the path that leads to it (M5, C1)."""
    bad = {"id": "bad", "type": "math.ad"}
    inner = tf.graph_node(graph(interface={}, nodes=[bad]), id="python.graph")
    found = graph(
        nodes=[START, bad, {"id": "call", "type": "graph:a b"}],
        graphs={
            "a b": {"interface": {}, "nodes": [bad], "graphs": {"c": {"interface": {}, "nodes": [bad]}}},
            "d": {"nodes": [START, {"id": "e", "type": "python.graph"}], "connections": [{"from": "x.y", "to": "e.z"}]},
        },
    )
    registry = tf.Registry.standard(plugins=False)
    registry.add(inner)
    assert [each.path for each in tf.validate(found, registry).errors] == [
        "nodes[1].type",
        'graphs["a b"].nodes[0].type',
        'graphs["a b"].graphs.c.nodes[0].type',
        "graphs.d.connections[0].from",
        "graphs.d.connections[0].to",
        "python.graph: nodes[0].type",
    ]


def test_visible_graphs():
    """A graph is visible in the graph that holds it and below, not beside (C1)."""
    call = {"id": "call", "type": "graph:one"}
    one = {"interface": {}}
    found = graph(nodes=[START, call], graphs={"one": one, "two": {"interface": {}, "nodes": [call]}})
    assert tf.validate(found, STANDARD).ok
    found = graph(nodes=[START, call], graphs={"two": {"interface": {}, "nodes": [call], "graphs": {"one": one}}})
    assert lines(found)[0].startswith("error[unknown-node-type] nodes[1].type: There is no node type 'graph:one'.")
    found = graph(nodes=[START, {"id": "call", "type": "graph:on"}], graphs={"one": one})
    assert "Did you mean 'graph:one'?" in lines(found)[0]


def test_each_graph_is_checked_once():
    """A graph that others call is checked once, and so are those that come after it (M5, C1)."""
    interface = {"interface": {"inputs": [{"name": "x", "type": "itn"}]}}
    caller = {"interface": {}, "nodes": [{"id": "call", "type": "graph:b", "inputs": {"x": 1}}]}
    found = graph(nodes=[START], graphs={"a": caller, "b": interface, "c": interface})
    assert [each.path for each in tf.validate(found, STANDARD).errors] == [
        "graphs.b.interface.inputs[0].type",
        "graphs.c.interface.inputs[0].type",
    ]


def test_the_nearest_graph_is_meant():
    """Of several graphs with one name, the one is meant that is held nearest (C1)."""
    x = {"interface": {"inputs": [{"name": "x"}]}}
    y = {"interface": {"inputs": [{"name": "y"}]}}
    call = {"id": "call", "type": "graph:one"}
    found = graph(
        nodes=[START, call], graphs={"one": x, "two": {"interface": {}, "nodes": [call], "graphs": {"one": y}}}
    )
    assert [(each.path, each.code) for each in tf.validate(found, STANDARD).errors] == [
        ("nodes[1].inputs.x", "missing-input"),
        ("graphs.two.nodes[0].inputs.y", "missing-input"),
    ]


def test_wires_to_a_call():
    """A call has the sockets of the interface, with their types (C1, M3, D11)."""
    interface = {"inputs": [{"name": "x", "type": "int"}], "outputs": [{"name": "y", "type": "str"}]}
    found = graph(
        nodes=[
            START,
            {"id": "one", "type": "graph:one", "inputs": {"x": "1"}},
            {"id": "two", "type": "graph:one"},
            {"id": "print", "type": "debug.print"},
        ],
        connections=[
            {"from": "start.then", "to": "print.enter"},
            {"from": "one.y", "to": "two.x"},
            {"from": "two.z", "to": "print.value"},
        ],
        graphs={"one": {"interface": interface, "nodes": [{**LEAVE, "inputs": {"y": "text"}}]}},
    )
    assert lines(found) == [
        "error[type-mismatch] nodes[1].inputs.x: Expected int, got str '1'. Give one.x a value of type int.",
        "error[type-mismatch] connections[1]: one.y gives str, two.x takes int. Put a node between that makes int of str, "
        "or register a converter.",
        "error[unknown-socket] connections[2].from: Node 'two' (graph:one) has no output 'z'. Its outputs: y.",
    ]


def test_unreachable_in_a_data_graph():
    """In a data graph nothing acts, so an exec node there never runs, even behind an initiator (C2)."""
    nodes = [START, {**LEAVE, "inputs": {"y": 1}}, {"id": "print", "type": "debug.print", "inputs": {"value": 1}}]
    inner = {"interface": {"outputs": [{"name": "y"}]}, "nodes": nodes}
    inner["connections"] = [{"from": "start.then", "to": "print.enter"}]
    found = graph(nodes=[START], graphs={"one": inner})
    assert [line.partition(" Wire")[0] for line in lines(found)] == [
        "warning[unreachable] graphs.one.nodes[0]: 'start' never runs: no initiator or listener leads to it.",
        "warning[unreachable] graphs.one.nodes[2]: 'print' never runs: no initiator or listener leads to it.",
    ]


def test_reachable_in_a_data_graph_by_itself():
    """A graph that is run by itself starts at its initiators, even if others would only ask for its values (C2)."""
    nodes = [START, {**LEAVE, "inputs": {"y": 1}}, {"id": "print", "type": "debug.print", "inputs": {"value": 1}}]
    found = graph(
        interface={"outputs": [{"name": "y"}]}, nodes=nodes, connections=[{"from": "start.then", "to": "print.enter"}]
    )
    assert lines(found) == ["no problems"]


def test_exec_cycle_through_a_callback():
    """A call hands over at its exits, but awaits what its callbacks lead to: that nests (C5, C6, T6)."""

    def looped(callback):
        out = {"name": "out", "callback": callback}
        inner = {"interface": {"entries": [{"name": "in"}], "exits": [out]}, "nodes": [ENTER, LEAVE]}
        inner["connections"] = [{"from": "enter.in", "to": "leave.out"}]
        return graph(
            nodes=[START, {"id": "call", "type": "graph:one"}],
            connections=[{"from": "start.then", "to": "call.in"}, {"from": "call.out", "to": "call.in"}],
            graphs={"one": inner},
        )

    assert lines(looped(callback=False)) == ["no problems"]
    assert [line.partition(":")[0] for line in lines(looped(callback=True))] == ["warning[exec-cycle] nodes[1]"]


# --- data graphs without end


def data(fill):
    with tf.build(STANDARD) as inner:
        x, y, z = inner.declare_input("x"), inner.declare_output("y"), inner.declare_output("z")
        fill(inner, x, y, z)
    return inner.graph


def endless(**graphs):
    with tf.build(STANDARD) as g:
        for name, each in graphs.items():
            g.define(name, each)
        g.add(tf.nodes.Start)
    return [each for each in lines(g.graph) if "endless" in each]


def test_endless():
    """A data graph whose value always needs the value itself is an error, whatever lies between (C2)."""

    def own(inner, x, y, z):
        inner.connect(inner.add(increment, x=inner.add_recursive("one", "again", x=x).y).result, y)
        inner.connect(x, z)

    assert endless(one=data(own)) == [
        "error[endless-graph] graphs.one.nodes[2]: The value of a graph needs a value of itself, without end: one.y -> "
        "one.y. Let a lazy input decide whether it is needed, for example one of logic.select."
    ]


def test_endless_in_turn():
    """Also if graphs need each other in turn (C2)."""

    def other(name, socket):
        def fill(inner, x, y, z):
            call = inner.add_recursive(name, "call", x=x)
            inner.connect(call[socket], y)
            inner.connect(x, z)

        return data(fill)

    (line,) = endless(one=other("two", "y"), two=other("one", "y"))
    assert "graphs.one.nodes[2]" in line
    assert "one.y -> two.y -> one.y" in line
    assert endless(one=other("two", "y"), two=other("one", "z")) == []  # z needs only the input


def test_endless_behind_inputs():
    """Every eager input is followed to where its value comes from, whatever supplies the others (C2)."""

    def own(inner, x, y, z):
        again = inner.add_recursive("one", "again", x=x)
        inner.connect(inner.add("math.add", a=again.y, b=inner.add(increment, x=x).result).result, y)
        inner.connect(inner.add("math.add", a=again.z, b=x).result, z)

    assert len(endless(one=data(own))) == 2

    def with_literal(inner, x, y, z):
        again = inner.add_recursive("one", "again", x=x)
        inner.connect(inner.add("math.add", a=again.y, b=1).result, y)
        inner.connect(x, z)

    assert len(endless(one=data(with_literal))) == 1


def test_exec_nodes_are_asked_nothing():
    """What an exec node left behind is read, so a value that it would need is not needed again (C2, D2)."""

    def own(inner, x, y, z):
        again = inner.add_recursive("one", "again", x=x)
        item = inner.add(Items, count=again.y).item
        inner.connect(item, y)
        inner.connect(inner.add("math.add", a=again.z, b=item).result, z)

    (line,) = endless(one=data(own))
    assert "one.z -> one.z" in line


def test_each_node_is_followed_once():
    """A chain of nodes that use each value twice is followed in linear time (C2)."""

    def chain(inner, x, y, z):
        value = x
        for _ in range(60):
            value = inner.add("math.add", a=value, b=value).result
        inner.connect(value, y)
        inner.connect(x, z)

    assert endless(one=data(chain)) == []


def test_endless_is_not_asked_of_half_a_graph():
    """As long as a wire of a graph leads nowhere, it is not told what its values need (C2, M5)."""

    def own(inner, x, y, z):
        inner.connect(inner.add_recursive("one", "again", x=x).y, y)
        inner.connect(x, z)

    whole = data(own)
    half = attrs.evolve(
        whole, connections=[*whole.connections, Connection(Endpoint("no", "body"), Endpoint("leave", "y"))]
    )
    assert endless(one=half) == []


def test_not_endless():
    """A lazy input may decide, and an output that needs another output of the same graph ends (C2)."""

    def lazily(inner, x, y, z):
        again = inner.add_recursive("one", "again", x=x)
        picked = inner.add("logic.select", condition=x, if_true=again.y, if_false=1)
        inner.connect(picked.result, y)
        inner.connect(again.y, z)

    assert endless(one=data(lazily)) == []
