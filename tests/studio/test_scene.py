"""The graph as the page gets it."""

from __future__ import annotations

import trioflow as tf
from trioflow.cli.source import open_source
from trioflow.studio.edits import Move, apply
from trioflow.studio.places import with_places
from trioflow.studio.scene import Scene

from .pages import registry, summing


def test_nodes_are_found_by_the_names_of_events():
    """`work` and `call/work`, through graphs that call themselves; what is not drawn is nowhere."""
    source = open_source("hanoi", ())
    scene = Scene(source.graph, source.registry)
    nodes = scene.document["nodes"]
    inner = scene.place("move all/print")
    assert nodes[inner]["id"] == "print" and nodes[inner]["frame"] == "g1"
    assert scene.place("move all/out of the way/on top/print") == inner
    assert nodes[scene.place("print")]["frame"] == ""
    for name in (None, "nothing", "print/print", "move all/nothing", ""):
        assert scene.place(name) is None


def test_a_node_knows_its_names():
    """The shortest first, so many of them at most."""
    source = open_source("hanoi", ())
    scene = Scene(source.graph, source.registry)
    names = scene.document["nodes"][scene.place("move all/print")]["names"]
    assert names[:2] == ["move all/print", "move all/out of the way/print"]
    assert len(names) == 16


def test_wires_that_lead_somewhere():
    """An exec wire lights by the input that was entered, a data wire by the node that was evaluated."""
    scene = Scene(summing(), registry())
    wires = scene.document["wires"]
    nodes = scene.document["nodes"]

    def name(wire):
        wire = wires[wire]
        return f"{nodes[wire['from']]['id']}.{wire['output']} -> {nodes[wire['to']]['id']}.{wire['input']}"

    assert [name(each) for each in scene.lit_by_start(scene.place("add"), "enter")] == ["loop.body -> add.enter"]
    assert [name(each) for each in scene.lit_by_value(scene.place("square"))] == ["square.result -> add.value"]
    assert scene.lit_by_start(scene.place("start"), None) == []


def test_problems_are_at_their_nodes():
    """Of a node or of the end of a wire; with the cure."""
    graph = tf.loads(
        '{"trioflow": "1.0", "nodes": [{"id": "a", "type": "flow.start"}, {"id": "b", "type": "no.such"}],'
        ' "connections": [{"from": "a.then", "to": "b.enter"}]}'
    )
    scene = Scene(graph, tf.Registry.standard())
    (problem, *_) = scene.document["problems"]
    assert scene.document["nodes"][problem["node"]]["id"] == "b"
    assert problem["severity"] == "error" and problem["cure"]


def test_problems_of_wires_and_of_the_whole():
    """That of a wire is at the node that it leads to; one of no node is at none."""
    graph = tf.loads(
        '{"trioflow": "1.0", "nodes": [{"id": "a", "type": "flow.start"}, {"id": "b", "type": "debug.print"}],'
        ' "connections": [{"from": "a.then", "to": "b.nothing"}]}'
    )
    (problem, *_) = Scene(graph, tf.Registry.standard()).document["problems"]
    assert problem["path"].startswith("connections[0]") and problem["node"] == 1
    (problem,) = Scene(tf.loads('{"trioflow": "1.0", "nodes": []}'), tf.Registry.standard()).document["problems"]
    assert problem["node"] is None


def test_problems_in_graphs_that_the_document_holds():
    """They are at their nodes there; what is at none is at none."""
    graph = tf.loads(
        '{"trioflow": "1.2", "nodes": [{"id": "a", "type": "flow.start"}], "graphs": {"in": {"nodes": '
        '[{"id": "b", "type": "no.such"}], "graphs": {"odd name": {"variables": [{"name": "v", "type": "what"}], '
        '"nodes": [{"id": "c", "type": "no.such"}]}}}}}'
    )
    scene = Scene(graph, registry())
    nodes = scene.document["nodes"]
    at = {each["path"]: each["node"] for each in scene.document["problems"]}
    assert nodes[at["graphs.in.nodes[0].type"]]["id"] == "b"
    assert nodes[at['graphs.in.graphs["odd name"].nodes[0].type']]["id"] == "c"
    assert at['graphs.in.graphs["odd name"].variables[0].type'] is None
    assert [each["graph"] for each in scene.document["frames"]] == ["", "in", "in/odd name"]


def test_a_workflow_says_how_tokens_go():
    """Terms of wires, notes of nodes, and what undoes what; that is no wire that lights."""
    graph = tf.loads(
        '{"trioflow": "1.2", "kind": "workflow", "nodes": [{"id": "a", "type": "debug.print", "undo": "u", '
        '"join": "first"}, {"id": "u", "type": "debug.print"}, {"id": "b", "type": "debug.print"}], '
        '"connections": [{"from": "a.then", "to": "b.enter", "when": "1 > 0"}]}'
    )
    scene = Scene(graph, registry())
    wires = scene.document["wires"]
    assert [(each["undo"], each["terms"]) for each in wires] == [(False, "when 1 > 0"), (True, "undo")]
    assert scene.document["nodes"][0]["notes"] == ("join: first",)
    assert scene.lit_by_value(0) == []


def test_nothing_jumps():
    """When a node is moved, also in a graph that is called, all others stay where they were."""
    source = open_source("hanoi", ())

    def places(graph):
        nodes = Scene(graph, source.registry, all_sockets=True).document["nodes"]
        return {(each["frame"], each["id"]): (each["x"], each["y"]) for each in nodes}

    before = places(source.graph)
    graph = with_places(source.graph, source.registry)
    for way, frame, name in (("move", "g1", "branch"), ("", "", "start"), ("move", "g1", "print")):
        x, y = places(graph)[frame, name]
        graph = apply(graph, source.registry, Move({name: [x - 30, y + 40]}, graph=way), [])
    after = places(graph)
    moved = {each for each in before if max(abs(a - b) for a, b in zip(before[each], after[each], strict=True)) > 1}
    assert moved == {("g1", "branch"), ("", "start"), ("g1", "print")}


def test_with_all_sockets_everything_has_the_same_place():
    """So whoever has one of the two knows where the other has a node or a wire."""
    for name in ("hanoi", "census", "approval"):
        source = open_source(name, ())
        few, all_ = (Scene(source.graph, source.registry, all_sockets=each).document for each in (False, True))
        assert [(each["frame"], each["id"], each["names"]) for each in few["nodes"]] == [
            (each["frame"], each["id"], each["names"]) for each in all_["nodes"]
        ]
        ends = ("from", "output", "to", "input")
        assert [[each[end] for end in ends] for each in few["wires"]] == [
            [each[end] for end in ends] for each in all_["wires"]
        ]


def test_wires_tell_where_they_bend():
    """An output that leads to many nodes far away has wires of few points each, though they pass all that is between."""
    with tf.build() as g:
        loop = g.add(tf.nodes.ForLoop, "loop")
        last = loop.body
        for number in range(60):
            shown = g.add(tf.nodes.Print, f"n{number}", value=loop.index)
            g.connect(last, shown.enter)
            last = shown.then
    wires = Scene(g.graph, tf.Registry.standard()).document["wires"]
    assert max(len(each["points"]) for each in wires) < 30
