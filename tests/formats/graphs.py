"""The graphs that the tests of drawings draw."""

import trioflow as tf
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode


def wire(source: str, target: str) -> Connection:
    ends = [Endpoint(*end.rsplit(".", 1)) for end in (source, target)]
    return Connection(*ends)


SMALL = Graph(
    nodes=[
        GraphNode("start", "flow.start"),
        GraphNode("loop", "flow.for", {"times": 3}),
        GraphNode("sum", "math.add", {"b": 1}),
        GraphNode("show", "debug.print"),
        GraphNode("after", "debug.print", {"value": "over"}),
    ],
    connections=[
        wire("start.then", "loop.enter"),
        wire("loop.body", "show.enter"),
        wire("loop.index", "sum.a"),
        wire("sum.result", "show.value"),
        wire("loop.done", "after.enter"),
    ],
    variables=[tf.Variable("n", "int", 0), tf.Variable("seen", "list", [], merge="append")],
    events=[tf.CustomEvent("tick")],
)

HOSTILE = Graph(
    nodes=[
        GraphNode('say "hi" & <b>\n\\N', "flow.start"),
        GraphNode("end", "debug.print", {"value": 'a "b"\nc'}),
        GraphNode("`grün`_x_ \u2028\ud800", "debug.print", {"value": "x" * 60}),
        GraphNode("1. http://a#b; $$", "debug.print"),
    ],
    connections=[
        wire('say "hi" & <b>\n\\N.then', "end.enter"),
        wire("end.then", "`grün`_x_ \u2028\ud800.enter"),
        wire("`grün`_x_ \u2028\ud800.then", "1. http://a#b; $$.enter"),
    ],
)

BROKEN = Graph(
    nodes=[
        GraphNode("start", "no.such_type", initiator=True),
        GraphNode("known", "debug.print"),
        GraphNode("known", "debug.print"),
        GraphNode("sum", "math.add"),
    ],
    connections=[
        wire("start.then", "known.enter"),
        wire("known.misspelt", "known.enter"),
        wire("known.misspelt", "known.value"),
        wire("ghost.out", "sum.a"),
        wire("known.then", "ghost.enter"),
    ],
)
