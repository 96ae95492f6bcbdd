"""Building workflows in Python."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.testing import run_virtual


def wires(graph):
    return [str(each) for each in graph.connections]


def test_nodes_stand_for_their_sockets():
    """A node is its only exec socket on either side; one with several has to be asked for one."""
    with tf.workflow(limit=3, groups={"g": 2}, on_error="collect") as w:
        a, b, choose = w.add(tf.nodes.Start, "a"), w.add(tf.nodes.Print, "b", value=1), w.add("flow.branch", "if")
        w.after(a, b, choose)
        w.connect(choose["true"], b, when="turn > 1", priority=2)
        w.connect(choose["false"], b, otherwise=True)
        w.connect(choose, b, on=["failed", "ended"])
        with pytest.raises(tf.UnknownSocket, match=r"stands for its only exec output, and it has 2: if.true, if.false"):
            w.connect(choose, b)
        with pytest.raises(tf.UnknownSocket, match="Write w.connect"):
            w.connect("a", b)  # a text is not a node
    graph = w.graph
    assert (graph.kind, graph.limit, dict(graph.groups), graph.on_error) == ("workflow", 3, {"g": 2}, "collect")
    assert wires(graph) == [
        "a.then -> b.enter", "a.then -> if.enter", "if.true -> b.enter", "if.false -> b.enter", "if -> b.enter",
    ]  # fmt: skip
    assert graph.connections[4].outcomes == ("failed", "ended")
    assert tf.loads(tf.dumps(graph)) == graph


def test_what_is_undone_when():
    """A workflow says after what it is undone, and in how many seconds, also as a text (W22)."""
    with tf.workflow(undo_on=["failed", "timeout", "failed"], undo_grace="1500ms") as w:
        w.add(tf.nodes.Print, "back", value=1)
        w.add(tf.nodes.Print, "a", value=1, undo="back", undo_from="started")
    assert (w.graph.undo_on, w.graph.undo_grace) == (("failed", "timeout"), 1.5)
    written = tf.dumps(w.graph)
    assert '"undo_on": [ "failed", "timeout" ]' in " ".join(written.split())
    assert '"undo_grace": "1500ms"' in written
    assert tf.loads(written) == w.graph
    assert tf.Graph(kind="workflow", undo_on="timeout").undo_on == ("timeout",)
    with pytest.raises(ValueError, match="more than 0"):
        tf.Graph(undo_grace=0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("[]", "undo_on: expected a list of at least one of failed, cancelled, timeout, got []"),
        ('"timeout"', "undo_on: expected a list of at least one of"),
        ('["failed", "timed_out"]', "undo_on[1]: expected one of failed, cancelled, timeout, got 'timed_out'"),
        ("[7]", "undo_on[0]: expected one of failed, cancelled, timeout, got 7"),
    ],
)
def test_reasons_that_are_none(given, said):
    """A document that names others is not read (W22)."""
    with pytest.raises(tf.DocumentError) as caught:
        tf.loads(f'{{"trioflow": "1.2", "kind": "workflow", "undo_on": {given}}}')
    assert said in str(caught.value)


def test_settings_besides_inputs():
    """What is a setting of workflows and no input of the type is one of the node."""
    with tf.workflow() as w:
        undo = w.add(tf.nodes.Print, "undo", value="back")
        w.add(tf.nodes.Print, "a", value=1, join="first", min=2, undo=undo, set={"v": "1"})
    node = w.graph.nodes[1]
    assert (node.join, node.min, node.undo, dict(node.set), dict(node.inputs)) == (
        "first",
        2,
        "undo",
        {"v": "1"},
        {"value": 1},
    )


def test_data_wires_that_order():
    """With `implicit` a data wire between exec nodes draws the exec wire, once; data nodes order nothing."""

    @tf.exec_node
    def one() -> int:
        return 1

    @tf.exec_node
    def add(a: int, b: int) -> int:
        return a + b

    with tf.workflow(implicit=True) as w:
        first = w.add(one, "one")
        double = w.add(lambda x: x * 2, "double", x=first.result)
        w.add(add, "add", a=first.result, b=first.result)
        w.add(add, "other", a=double.result, b=1)
    assert [each for each in wires(w.graph) if "enter" in each] == ["one.then -> add.enter"]


def test_the_order_of_ids():
    """A graph in the order of its ids says what can go first by names alone; graphs in it, too."""
    started = []

    @tf.exec_node(id="order.start")
    def begin(ctx: tf.Context) -> None:
        started.append(ctx.node.id)

    with tf.workflow() as inner:
        inner.add(begin, "y"), inner.add(begin, "x")
    with tf.workflow(limit=1) as w:
        for name in ("c", "a", "b"):
            w.add(begin, name)
        w.define("inner", inner.graph)
    ordered = w.graph.in_order_of_ids()
    assert [node.id for node in ordered.graphs["inner"].nodes] == ["x", "y"]
    for graph in (w.graph, ordered):
        run_virtual(graph)
    assert started == ["c", "a", "b", "a", "b", "c"]
    assert ordered.in_order_of_ids() == ordered
