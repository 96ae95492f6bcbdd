"""All that validation can say, in two documents: where, which rule is broken, what was found, and the cure (M5)."""

from __future__ import annotations

import json

import trioflow as tf
from trioflow.model.graph import StreamSettings

STANDARD = tf.Registry.standard(plugins=False)


def node(node_id, node_type, **more):
    return {"id": node_id, "type": node_type, **more}


def wire(source, target):
    return {"from": source, "to": target}


CALLED = {
    "interface": {
        "entries": [{"name": "a.b"}, {"name": "in"}, {"name": "in"}],
        "exits": [{"name": "out"}],
        "inputs": [{"name": "x", "type": "itn"}, {"name": "y", "type": "int", "default": "3"}],
    },
    "nodes": [
        node("e", "graph.enter", initiator=True),
        node("f", "graph.enter"),
        node("f", "flow.start"),
        node("", "flow.start"),
        node("a\nb", "flow.start"),
        node("bare", "graph:bare"),
        node("add", "math.add", inputs={"c": 1, "a": "x"}),
        node("get", "variable.get", inputs={"name": "nobody"}),
        node("each", "flow.for_each", inputs={"items": []}),
        node("half", "math.add", inputs={"a": 1}),
        node("more", "math.add", inputs={"a": 1, "b": 1}, stream={"limit": 1}),
    ],
    "connections": [
        wire("nobody.x", "add.b"),
        wire("add.rseult", "add.b"),
        wire("add.result", "each.enter"),
        wire("e.in", "add.a"),
        wire("add.result", "more.a"),
        wire("more.result", "more.a"),
        wire("each.index", "get.variable"),
        wire("each.body", "each.body"),
    ],
    "variables": [
        {"name": "v", "type": "itn", "merge": "x"},
        {"name": "v"},
        {"name": "", "type": "int", "default": "x"},
    ],
    "events": [{"name": "e"}, {"name": "e"}],
    "graphs": {"bare": {"nodes": [node("e", "graph.leave")]}},
}
STARTED = {
    "nodes": [
        node("add", "math.add", initiator=True),
        node("call", "graph:one", initiator=True),
        node("hear", "event.listen", inputs={"event": "e"}),
        node("wired", "event.listen"),
    ],
    "connections": [wire("add.result", "add.a"), wire("add.result", "add.b"), wire("add.result", "wired.event")],
    "graphs": {
        "one": {"interface": {"entries": [{"name": "in"}]}, "nodes": [node("enter", "graph.enter")]},
        "own": {
            "interface": {"outputs": [{"name": "y"}]},
            "nodes": [node("again", "graph:own"), node("leave", "graph.leave")],
            "connections": [wire("again.y", "leave.y")],
        },
    },
}


# What no document can say.
BUILT = tf.Graph(
    [
        tf.GraphNode("start", "flow.start"),
        tf.GraphNode("each", "flow.for_each", {"items": []}, stream=StreamSettings("x", -1, "y")),
    ]
)


def read(document):
    return tf.loads(json.dumps({"trioflow": "1.2", **document}))


def told(graph):
    problems = tf.validate(graph, STANDARD).problems
    return [f"{each.path}: {each.code} [{each.rule}] {each.message} | {each.cure}" for each in problems]


def test_called():
    """What can be wrong with a graph that others call, and with its nodes, wires and variables."""
    assert told(read(CALLED)) == [
        "interface.entries[0].name: invalid-id [C1] 'a.b' can't be the name of a socket. | Use visible characters, and no dot.",
        "interface.entries[2].name: duplicate-id [C1] 'in' is the name of interface.entries[1] already. | Give one of them another name.",
        "interface.inputs[0].type: unknown-type [C1] There is no type 'itn'. | Use one of: any, bool, bytes, date, datetime, dict, duration, float, int, list, path, set, str. Did you mean 'int'?",
        "interface.inputs[1].default: type-mismatch [D11] Expected int, got str '3'. | Give input 'y' a default of type int.",
        "interface: no-boundary [C1] The interface declares exits, but no node of type graph.leave is there. | Add one, and wire it.",
        "nodes[0].initiator: data-initiator [M4] No run can start at graph.enter. | Mark a node that acts, or let callers enter here.",
        "nodes[1]: second-boundary [C1] 'f' is a second graph.enter; 'e' is one already. | Keep one: its sockets may have many wires.",
        "nodes[2].id: duplicate-id [M1] 'f' is the id of nodes[1] already. | Give one of them another id.",
        "nodes[3].id: invalid-id [M1] Expected a text that is not empty, got ''. | Name it.",
        "nodes[4].id: invalid-id [M1] 'a\\nb' has a control character or a line break in it. | Use characters that can be seen.",
        "nodes[5].type: no-interface [C1] 'bare' calls graph:bare, which declares no interface. | Declare one there: \"interface\": {...}.",
        "nodes[6].inputs.c: unknown-socket [M5] Node 'add' (math.add) has no data input 'c'. | Its data inputs: a, b.",
        "nodes[6].inputs.a: type-mismatch [D11] Expected int | float, got str 'x'. | Give add.a a value of type int | float.",
        "nodes[7].inputs.name: undeclared-variable [M5] There is no variable 'nobody'. | Declare it in the graph, or name one of: , v.",
        "nodes[9].inputs.b: missing-input [D1] Input 'b' of 'half' has no wire, no literal and no default. | Wire it, or give it a literal of type int | float.",
        "nodes[10].stream: no-stream [S2] math.add has no stream to set. | Remove the setting.",
        "nodes[10]: data-cycle [M5] Data nodes depend on each other: 'more' -> 'more'. | Break the cycle, or pass the value through an exec node, which makes it feedback.",
        "connections[0].from: unknown-node [M5] There is no node 'nobody'. | Name a node of the graph.",
        "connections[1].from: unknown-socket [M5] Node 'add' (math.add) has no output 'rseult'. | Its outputs: result. Did you mean 'result'?",
        "connections[2]: kind-mismatch [M3] add.result is a data output, each.enter is an exec input. | Connect exec to exec and data to data.",
        "connections[3]: kind-mismatch [M3] e.in is an exec output, add.a is a data input. | Connect exec to exec and data to data.",
        "connections[5].to: second-source [M3] more.a gets its value from add.result (connections[4]), and from more.result too. | A data input has one source: remove one of the two.",
        "connections[6].to: unknown-socket [M5] Node 'get' (variable.get) has no input 'variable'. | Its inputs: name.",
        "connections[7].to: unknown-socket [M5] Node 'each' (flow.for_each) has no input 'body'. | Its inputs: enter, items, limit. 'body' is an exec output.",
        "variables[0].type: unknown-type [M1] There is no type 'itn'. | Use one of: any, bool, bytes, date, datetime, dict, duration, float, int, list, path, set, str. Did you mean 'int'?",
        "variables[0].merge: unknown-merge-policy [F4] There is no merge policy 'x'. | Use one of: last, first, error, sum, append, union, min, max.",
        "variables[1].name: duplicate-id [M1] 'v' is the name of variables[0] already. | Give one of them another name.",
        "variables[2].name: invalid-id [M1] Expected a text that is not empty, got ''. | Name it.",
        "variables[2].default: type-mismatch [D11] Expected int, got str 'x'. | Give variable '' a value of type int.",
        "events[1].name: duplicate-id [M1] 'e' is the name of events[0] already. | Give one of them another name.",
        'graphs.bare.nodes: no-initiator [M4] No node starts the graph, so nothing would run. | Add a node of a type such as flow.start, or mark one with "initiator": true.',
        "graphs.bare.nodes[0].type: no-interface [C1] 'e' is at the boundary of a graph that declares no interface. | Declare one: \"interface\": {...}.",
    ]


def test_started():
    """What can be wrong with where runs start, and with events."""
    assert told(read(STARTED)) == [
        "nodes[0].initiator: data-initiator [M4] 'add' is a data node (math.add), which runs only when its value is asked for. | Mark an exec node.",
        "nodes[0]: data-cycle [M5] Data nodes depend on each other: 'add' -> 'add'. | Break the cycle, or pass the value through an exec node, which makes it feedback.",
        "nodes[1].initiator: no-initiator [M4] A run starts at 'call', but in the graph that it calls no node starts. | Add a node of a type such as flow.start there, or enter this one through a wire.",
        "nodes[2].inputs.event: undeclared-event [M5] There is no event 'e'. | Declare it in the graph, or name one of: none.",
        "nodes[3].inputs.event: wired-event-name [B1] 'wired' listens for an event that must be known before the run starts. | Give the name as a literal instead of a wire.",
        "connections[2]: type-mismatch [D11] add.result gives int | float, wired.event takes str. | Put a node between that makes str of int | float, or register a converter.",
        "graphs.own.nodes[0]: endless-graph [C2] The value of a graph needs a value of itself, without end: own.y -> own.y. | Let a lazy input decide whether it is needed, for example one of logic.select.",
    ]


def test_built():
    """What can be wrong with a graph that was not read but built."""
    assert told(BUILT) == [
        "nodes[1].stream.limit: bad-limit [S3] Expected a whole number of at least 0, got -1. | Use 0 for any number of items in flight.",
        "nodes[1].stream.mode: bad-setting [S2] Expected 'sequential' or 'concurrent', got 'x'. | Use one of them.",
        "nodes[1].stream.on_error: bad-setting [S4] Expected 'fail' or 'collect', got 'y'. | Use one of them.",
        "nodes[1]: unreachable [M5] 'each' never runs: no initiator or listener leads to it. | Wire it up, or remove it.",
    ]
