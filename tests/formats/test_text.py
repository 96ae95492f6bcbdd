"""The outline, as literal texts."""

from formats.graphs import BROKEN, HOSTILE, SMALL, wire

import trioflow as tf
from trioflow.formats.text import to_text

REGISTRY = tf.Registry.standard()


def test_the_outline_follows_control():
    """A single successor follows its node, several are indented below their sockets; data nodes come at the end."""
    drawn = to_text(SMALL, REGISTRY)
    assert (
        drawn
        == """\
variables:
    n: int = 0
    seen: list = [] (merge: append)

events:
    tick

* start (flow.start)
    then => loop.enter
loop (flow.for)
    times = 3
    body => show.enter
        show (debug.print)
            value <- sum.result
    done => after.enter
        after (debug.print)
            value = 'over'

data:
sum (math.add)
    b = 1
    a <- loop.index
"""
    )


def test_every_node_is_on_a_line_of_its_own():
    """Line ends and lone surrogates in ids are shown as escapes."""
    drawn = to_text(HOSTILE, REGISTRY)
    assert (
        drawn
        == r"""* say "hi" & <b>\n\N (flow.start)
    then => end.enter
end (debug.print)
    value = 'a "b"\nc'
    then => `grün`_x_ \u2028\ud800.enter
`grün`_x_ \u2028\ud800 (debug.print)
    value = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
    then => 1. http://a#b; $$.enter
1. http://a#b; $$ (debug.print)
"""
    )


def test_a_graph_with_errors_is_drawn():
    """Unknown types and sockets, a repeated id and a node that is not there are drawn all the same."""
    drawn = to_text(BROKEN, REGISTRY)
    assert (
        drawn
        == """\
* start (no.such_type)
    then => known.enter
known (debug.print)
    value <- known.misspelt
    misspelt => known.enter (above)
    then => ghost.enter

data:
sum (math.add)
    a <- ghost.out

wires without an end:
    ghost.out -> sum.a
    known.then -> ghost.enter
"""
    )


def test_what_no_start_reaches_is_told():
    """Exec nodes that no start leads to stand in a section of their own, with what follows them."""
    graph = tf.Graph(
        nodes=[tf.GraphNode(name, "debug.print") for name in "ab"], connections=[wire("a.then", "b.enter")]
    )
    drawn = to_text(graph, REGISTRY)
    assert (
        drawn
        == """\
not reached:
a (debug.print)
    then => b.enter
b (debug.print)
"""
    )


def test_a_deep_graph_stays_short():
    """Loops nested 2,000 deep make a text as long as the graph, not as its square, and no recursion error."""
    depth = 2_000
    nodes = [tf.GraphNode("start", "flow.start"), *(tf.GraphNode(f"l{i}", "flow.for") for i in range(depth))]
    wires = [wire("start.then", "l0.enter")]
    for i in range(depth - 1):
        wires += [wire(f"l{i}.body", f"l{i + 1}.enter"), wire(f"l{i}.done", f"l{i + 1}.enter")]
    text = to_text(tf.Graph(nodes=nodes, connections=wires), REGISTRY)
    assert len(text) < 100 * len(wires)
    assert all(f"l{i} (flow.for)" in text for i in range(depth))
