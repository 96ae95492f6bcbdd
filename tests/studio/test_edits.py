"""Edits: each does what it says, refuses what means nothing, and keeps all that it is not about."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trioflow as tf
from trioflow.errors import UnknownName
from trioflow.studio import edits
from trioflow.studio.bench import Bench
from trioflow.studio.edits import EDITS, EditError, apply
from trioflow.studio.places import with_places

from .pages import registry, summing

REGISTRY = registry()


def done(graph, *made):
    added = []
    for each in made:
        graph = apply(graph, REGISTRY, each, added)
    return graph


def wires(graph):
    return [str(each) for each in graph.connections]


def holding():
    """A graph that holds another one, `inner`, which holds `deep`."""
    text = """{"trioflow": "1.2", "graphs": {"inner": {"nodes": [{"id": "a", "type": "flow.start"}],
    "graphs": {"deep": {"nodes": [{"id": "b", "type": "flow.start"}]}}}}}"""
    return tf.loads(text)


def test_a_node_is_added_under_a_name_of_its_own():
    """By its type, with a number where that is taken; its place is in its metadata."""
    added = []
    graph = tf.Graph()
    for _ in range(2):
        graph = apply(graph, REGISTRY, edits.Add("flow.for", 10.4, 20), added)
    graph = apply(graph, REGISTRY, edits.Add("graph:x/y.json", id="mine"), added)
    assert added == ["for", "for2", "mine"]
    assert graph.nodes[0].metadata == {"position": {"x": 10, "y": 20}}
    assert graph.nodes[2].metadata == {}
    with pytest.raises(EditError, match="already"):
        done(graph, edits.Add("flow.for", id="for"))


def test_removing_takes_the_wires_along():
    """Those that lead there, and those that lead away."""
    graph = done(summing(), edits.Remove(["loop"]))
    assert [each.id for each in graph.nodes] == ["start", "square", "add"]
    assert wires(graph) == ["square.result -> add.value"]
    with pytest.raises(UnknownName, match="'lop' any more"):
        done(summing(), edits.Remove(["lop"]))


def test_copies_keep_the_wires_among_them():
    """And stand a little lower, under numbers of their own."""
    graph = done(summing(), edits.Move({"add": [0, 0]}), edits.Duplicate(["square", "add"]))
    assert [each.id for each in graph.nodes][4:] == ["square2", "add2"]
    assert wires(graph)[-1] == "square2.result -> add2.value"
    assert graph.nodes[5].metadata == {"position": {"x": 30, "y": 40}}


def test_a_part_is_pasted_elsewhere():
    """With the wires among its nodes, under ids that are free, and the first of them at the place."""
    text = tf.dumps(edits.part_of(with_places(summing(), REGISTRY), ["loop", "square"]))
    added = []
    pasted = edits.apply(tf.Graph(), REGISTRY, edits.Paste(text, 100, 200), added)
    assert added == ["loop", "square"]
    assert [f"{each.source} -> {each.target}" for each in pasted.connections] == ["loop.index -> square.n"]
    assert min(each.metadata["position"]["x"] for each in pasted.nodes) == 100
    again = edits.apply(pasted, REGISTRY, edits.Paste(text), added)
    assert [each.id for each in again.nodes] == ["loop", "square", "loop2", "square2"]
    assert len(again.connections) == 2
    for wrong in ("no document", '{"trioflow": "1.0", "nodes": []}'):
        with pytest.raises(EditError):
            done(summing(), edits.Paste(wrong))
    with pytest.raises(UnknownName):
        edits.part_of(summing(), ["nothing"])


def test_a_new_id_is_named_everywhere():
    """By wires, and by what is undone by the node."""
    graph = tf.loads(
        '{"trioflow": "1.2", "kind": "workflow", "nodes": [{"id": "a", "type": "flow.start"}, '
        '{"id": "b", "type": "debug.print", "undo": "c"}, {"id": "c", "type": "debug.print"}],'
        '"connections": [{"from": "a.then", "to": "b.enter"}]}'
    )
    graph = done(graph, edits.Rename("c", "back"), edits.Rename("b", "there"), edits.Rename("a", "a"))
    assert [each.id for each in graph.nodes] == ["a", "there", "back"]
    assert graph.nodes[1].undo == "back" and wires(graph) == ["a.then -> there.enter"]
    for wanted in ("a", " "):
        with pytest.raises(EditError):
            done(graph, edits.Rename("there", wanted))


def test_inputs_are_read_by_their_types():
    """Texts are taken as they are, all else as JSON; what fits nothing is kept as a text, and validation tells."""
    graph = summing()
    for text, value in (("7", 7), ("x", "x"), ('"7"', "7"), ("[1]", [1]), ("NaN", "NaN")):
        assert done(graph, edits.SetInput("loop", "times", text)).nodes[1].inputs["times"] == value
    assert done(graph, edits.SetInput("add", "name", "7")).nodes[3].inputs["name"] == "7"
    assert "times" not in done(graph, edits.SetInput("loop", "times", None)).nodes[1].inputs


def test_all_else_of_a_node_is_set_as_the_document_says_it():
    """Problems are told in words; what a newer version has said stays."""
    graph = tf.loads(
        '{"trioflow": "1.99", "nodes": [{"id": "a", "type": "flow.start", "glow": 3, "inputs": {"x": 1}}]}'
    )
    assert edits.settings_of(graph.nodes[0]) == {"glow": 3}
    changed = done(graph, edits.Settle("a", {"glow": 3, "policy": {"retry": 2}})).nodes[0]
    assert changed.policy is not None and changed.extra == {"glow": 3} and changed.inputs == {"x": 1}
    with pytest.raises(EditError, match="policy"):
        done(graph, edits.Settle("a", {"policy": {"retri": 2}}))


def test_wires_are_drawn_and_cut():
    """A data input has one wire, control has as many as are drawn."""
    graph = done(summing(), edits.Connect(["loop", "index"], ["add", "value"]))
    assert "loop.index -> add.value" in wires(graph)
    assert "square.result -> add.value" not in wires(graph)
    graph = done(graph, edits.Connect(["loop", "done"], ["add", "enter"]))
    assert "loop.body -> add.enter" in wires(graph) and "loop.done -> add.enter" in wires(graph)
    with pytest.raises(EditError, match="connected already"):
        done(graph, edits.Connect(["loop", "done"], ["add", "enter"]))
    with pytest.raises(EditError, match="a node and a socket"):
        done(graph, edits.Connect(["loop"], ["add", "enter"]))
    graph = done(graph, edits.Disconnect(["loop", "done"], ["add", "enter"]))
    assert "loop.done -> add.enter" not in wires(graph)
    with pytest.raises(UnknownName, match="no wire from loop.done to add.enter"):
        done(graph, edits.Disconnect(["loop", "done"], ["add", "enter"]))


def test_a_wire_that_leaves_out_its_socket_is_found():
    """The page names the socket that there is only one of."""
    graph = tf.loads(
        '{"trioflow": "1.2", "nodes": [{"id": "a", "type": "flow.start"}, {"id": "b", "type": "debug.print"}],'
        '"connections": [{"from": "a", "to": "b"}]}'
    )
    assert wires(done(graph, edits.Disconnect(["a", "then"], ["b", "enter"]))) == []


def test_a_wire_of_a_workflow_is_told_when_it_is_taken():
    """As the document says it."""
    graph = done(summing(), edits.Rewire(["start", "then"], ["loop", "enter"], {"when": "total > 3", "on": "ended"}))
    wire = next(each for each in graph.connections if each.source.node == "start")
    assert (wire.when, wire.on) == ("total > 3", "ended")
    assert edits.wire_settings(wire) == {"when": "total > 3", "on": "ended"}
    with pytest.raises(EditError, match="on"):
        done(graph, edits.Rewire(["start", "then"], ["loop", "enter"], {"on": "never"}))


def test_variables_and_the_kind():
    """Declared, changed, dropped; what they say beyond that stays."""
    graph = done(summing(), edits.SetVariable("total", "float", "1.5", "sum"), edits.SetVariable("more", "str", "7"))
    assert [(each.name, each.type, each.default, each.merge) for each in graph.variables] == [
        ("total", "float", 1.5, "sum"),
        ("more", "str", "7", "last"),
    ]
    graph = done(graph, edits.DropVariable("total"), edits.SetVariable("more"), edits.SetKind("workflow"))
    assert (graph.variables[0].default, graph.kind) == (None, "workflow")
    with pytest.raises(UnknownName):
        done(graph, edits.DropVariable("total"))
    with pytest.raises(EditError):
        done(graph, edits.SetVariable(" "))


def test_graphs_that_the_document_holds_are_edited_in_their_place():
    """However deep; one that is not there is told."""
    graph = done(holding(), edits.Add("debug.print", graph="inner/deep"), edits.Add("flow.for", graph="inner"))
    inner = graph.graphs["inner"]
    assert [each.id for each in inner.nodes] == ["a", "for"]
    assert [each.id for each in inner.graphs["deep"].nodes] == ["b", "print"]
    with pytest.raises(UnknownName, match="no graph 'iner'"):
        done(holding(), edits.Add("flow.for", graph="iner"))


def test_places_are_numbers():
    """Two of them, finite."""
    for place in ([1.0], [1.0, float("nan")]):
        with pytest.raises(EditError, match="two numbers"):
            done(summing(), edits.Move({"add": place}))
    moved = done(summing(), edits.Move({"add": [1, 2]}))
    assert done(moved, edits.Arrange()) == summing()


NODES = st.sampled_from(["start", "loop", "square", "add", "for", "nothing"])
SOCKETS = st.sampled_from(["then", "enter", "body", "index", "n", "value", "result"])
END = st.tuples(NODES, SOCKETS).map(list)
ANY = st.one_of(
    st.builds(edits.Add, st.sampled_from(["flow.for", "studio.square", "no.such"]), st.floats(-9, 9), st.floats(-9, 9)),
    st.builds(edits.Remove, st.lists(NODES, max_size=3)),
    st.builds(edits.Duplicate, st.lists(NODES, max_size=3)),
    st.builds(edits.Rename, NODES, NODES),
    st.builds(edits.SetInput, NODES, SOCKETS, st.none() | st.text(max_size=4)),
    st.builds(edits.Move, st.dictionaries(NODES, st.tuples(st.floats(), st.floats()).map(list), max_size=2)),
    st.just(edits.Arrange()),
    st.builds(edits.Connect, END, END),
    st.builds(edits.Disconnect, END, END),
    st.builds(edits.SetVariable, st.sampled_from(["total", "x"]), st.sampled_from(["int", "str"]), st.text(max_size=3)),
    st.builds(edits.DropVariable, st.sampled_from(["total", "x"])),
)  # fmt: skip


@pytest.mark.unmeasured
@settings(max_examples=20)
@given(st.lists(st.tuples(ANY, st.integers(0, 3)), max_size=12))
def test_whatever_is_done_can_be_undone(steps):
    """Any edits, undone and done again now and then: undoing all leads back to the start, and each version is a document."""
    start = summing()
    bench = Bench(start, REGISTRY)
    for edit, undone in steps:
        try:
            bench.edit([edit])
        except (EditError, UnknownName):
            continue
        assert tf.loads(tf.dumps(attrs.evolve(bench.graph, types={}))).nodes == bench.graph.nodes
        for _ in range(undone):
            bench.undo()
        if undone == 3:
            bench.redo()
    last = bench.graph
    count = 0
    while bench.undo() is not None:
        count += 1
    assert bench.graph is start and bench.history.is_saved
    for _ in range(count):
        bench.redo()
    assert bench.graph is last


def test_each_edit_says_what_it_does():
    """The words of undo."""
    assert all(kind.label and kind.__doc__ for kind in EDITS.values())
