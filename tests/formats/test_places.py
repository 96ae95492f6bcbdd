"""Nodes where their metadata says, and what has no place of its own below; all sockets where they are asked for."""

from __future__ import annotations

import json

import trioflow as tf
from trioflow.formats import to_diagram

REGISTRY = tf.Registry.standard()


def node(name, type_="flow.start", x=None, y=None):
    return {"id": name, "type": type_} | ({} if x is None else {"metadata": {"position": {"x": x, "y": y}}})


def drawn(*nodes, wires=(), **more):
    document = {"trioflow": "1.2", "nodes": [*nodes], "connections": [{"from": a, "to": b} for a, b in wires]}
    return to_diagram(tf.loads(json.dumps(document | more)), REGISTRY, own_places=True)


def test_nodes_are_where_they_say():
    """Also left of and above nothing; the frame is around them."""
    diagram = drawn(node("a", x=-50, y=20), node("b", "debug.print", 200, -30), wires=[("a", "b")])
    assert [(each.x, each.y) for each in diagram.nodes] == [(-50, 20), (200, -30)]
    assert diagram.x < -50 and diagram.y < -30
    (wire,) = diagram.wires
    assert wire.points == ((34, 31), (200, -19)) and wire.ends == (("a", "then"), ("b", "enter"))


def test_those_that_say_nothing_come_below():
    """As does what says something that is no place."""
    odd = [{"id": "c", "type": "flow.start", "metadata": {"position": {"x": "1", "y": 2}}},
           {"id": "d", "type": "flow.start", "metadata": {"position": [1, 2]}}]  # fmt: skip
    diagram = drawn(node("a", x=0, y=0), node("b", "debug.print"), *odd, wires=[("a", "b"), ("c", "b")])
    assert all(each.y > diagram.nodes[0].y + diagram.nodes[0].height for each in diagram.nodes[1:])


def test_wires_that_go_back_turn_round():
    """Between the two nodes where there is room, else below them."""
    apart = drawn(node("a", x=300, y=0), node("b", "debug.print", 0, 200), wires=[("a", "b")]).wires[0].points
    assert len(apart) == 4 and 0 < apart[1][1] < 200
    beside = drawn(node("a", x=300, y=0), node("b", "debug.print", 0, 0), wires=[("a", "b")])
    assert beside.wires[0].points[1][1] > beside.nodes[1].y + beside.nodes[1].height


def test_graphs_inside_keep_their_shape():
    """In their frames, below."""
    inner = {"nodes": [node("c", x=100, y=100), node("d", x=300, y=150)]}
    diagram = drawn(node("a", x=0, y=0), graphs={"inner": inner})
    c, d = diagram.graphs[0].nodes
    assert (d.x - c.x, d.y - c.y) == (200, 50)
    assert diagram.graphs[0].y > diagram.nodes[0].y + diagram.nodes[0].height
    assert c.x >= diagram.graphs[0].x


def test_all_sockets():
    """Those that say nothing, too."""
    graph = tf.loads('{"trioflow": "1.2", "nodes": [{"id": "a", "type": "flow.for"}]}')
    (item,) = to_diagram(graph, REGISTRY, all_sockets=True).nodes
    assert [each.name for each in item.inputs] == ["enter", "times", "start", "step"]
    assert [each.name for each in item.outputs] == ["body", "done", "index"]
