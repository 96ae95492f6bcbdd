"""Graphs as node types: interfaces, documents within documents, files that refer to each other (C1)."""

from __future__ import annotations

import json

import pytest
import trio

import trioflow as tf

STANDARD = tf.Registry.standard(plugins=False)

DOCUMENT = """\
{
  "trioflow": "1.2",
  "nodes": [
    {"id": "start", "type": "flow.start"},
    {"id": "call", "type": "graph:twice", "inputs": {"x": 4}},
    {"id": "print", "type": "debug.print"}
  ],
  "connections": [
    {"from": "start.then", "to": "call.in"},
    {"from": "call.out", "to": "print.enter"},
    {"from": "call.y", "to": "print.value"}
  ],
  "graphs": {
    "twice": {
      "interface": {"entries": [{"name": "in"}], "exits": [{"name": "out", "callback": true, "doc": "d"}], \
"inputs": [{"name": "x", "type": "int", "default": null, "lazy": true}], "outputs": [{"name": "y", "type": "int"}]},
      "nodes": [
        {"id": "enter", "type": "graph.enter"},
        {"id": "leave", "type": "graph.leave"},
        {"id": "add", "type": "graph:add"}
      ],
      "connections": [
        {"from": "enter.in", "to": "leave.out"},
        {"from": "enter.x", "to": "add.a"},
        {"from": "enter.x", "to": "add.b"},
        {"from": "add.sum", "to": "leave.y"}
      ],
      "events": [
        {"name": "ping", "shared": true}
      ],
      "graphs": {
        "add": {
          "interface": {"inputs": [{"name": "a"}, {"name": "b"}], "outputs": [{"name": "sum"}]},
          "nodes": [
            {"id": "enter", "type": "graph.enter"},
            {"id": "leave", "type": "graph.leave"},
            {"id": "add", "type": "math.add"}
          ],
          "connections": [
            {"from": "enter.a", "to": "add.a"},
            {"from": "enter.b", "to": "add.b"},
            {"from": "add.result", "to": "leave.sum"}
          ]
        }
      }
    }
  }
}
"""


def test_document():
    """Graphs within a graph are read and written as they are, to any depth."""
    graph = tf.loads(DOCUMENT)
    assert tf.dumps(graph) == DOCUMENT
    assert tf.loads(tf.dumps(graph, format="yaml"), format="yaml") == graph
    twice = graph.graphs["twice"]
    assert twice.interface == tf.Interface(
        entries=(tf.Entry("in"),),
        exits=(tf.Exit("out", callback=True, doc="d"),),
        inputs=(tf.Input("x", "int", None, lazy=True),),
        outputs=(tf.Output("y", "int"),),
    )
    assert twice.events == (tf.CustomEvent("ping", shared=True),)
    assert [*twice.graphs] == ["add"]
    assert tf.validate(graph, STANDARD).problems == ()


def test_default_null_is_not_no_default():
    """An input with the default null has a default, one without has none (D1)."""
    text = '{"trioflow": "1.2", "interface": {"inputs": [{"name": "a", "default": null}, {"name": "b"}]}}'
    graph = tf.loads(text)
    assert graph.interface is not None
    assert [each.default for each in graph.interface.inputs] == [None, tf.UNSET]
    assert [json.loads(tf.dumps(graph))["interface"]["inputs"]] == [[{"name": "a", "default": None}, {"name": "b"}]]


def test_problems_of_inner_graphs():
    """What is wrong in a graph within a graph is told with its whole path."""
    text = (
        '{"trioflow": "1.2", "graphs": {"a b": {"nodes": 3}, "c": {"graphs": {"d": {"trioflow": "1.2", "nodez": []}}},'
        ' "e": 7, "f": {"interface": {"inputs": [{"name": 1}]}}}}'
    )
    with pytest.raises(tf.DocumentError) as caught:
        tf.loads(text)
    known = (
        "Known are: kind, limit, groups, on_error, keep_outputs, undo_on, undo_grace, interface, nodes, connections, variables, events, triggers, "
        "graphs, policies, "
        "metadata"
    )
    assert caught.value.problems == (
        'graphs["a b"].nodes: expected a list, got int 3',
        f'graphs.c.graphs.d: unknown key "trioflow". {known}',
        f"graphs.c.graphs.d: unknown key \"nodez\". Did you mean 'nodes'? {known}",
        "graphs.e: expected an object, got int 7",
        "graphs.f.interface.inputs[0].name: expected text, got int 1",
    )


@pytest.mark.parametrize(
    "text", ['{"trioflow": "1.2", "graphs": []}', '{"trioflow": "1.2", "graphs": {"a": {}, "a": {}}}']
)
def test_bad_graphs(text):
    """`graphs` is an object in which each name occurs once."""
    with pytest.raises(tf.DocumentError):
        tf.loads(text)


def test_inline_function_within_a_graph():
    """A graph within a graph that no document can hold is refused with its path."""
    with tf.build(STANDARD) as inner:
        inner.add(lambda: 1, "one")
    with tf.build(STANDARD) as g:
        g.define("inner", inner.graph)
    with pytest.raises(tf.DocumentError, match=r"graphs\.inner\.nodes\[0\]\.type: node 'one' is made from a function"):
        tf.dumps(g.graph)


# --- builder


def test_builder():
    """Declared sockets are ends of wires inside, and sockets of the node that calls."""
    with tf.build(STANDARD) as inner:
        into, out = inner.declare_entry("in", doc="start here"), inner.declare_exit("out")
        x, y = inner.declare_input("x", "int", 3), inner.declare_output("y", "float")
        inner.connect(into, out)
        inner.connect(x, y)
    assert [(node.id, node.type) for node in inner.graph.nodes] == [("enter", "graph.enter"), ("leave", "graph.leave")]
    assert list(map(str, inner.graph.connections)) == ["enter.in -> leave.out", "enter.x -> leave.y"]
    node_type = tf.graph_node(inner.graph, id="test.inner", doc="First line.\n\nMore.")
    assert node_type.is_exec
    assert [(each.name, each.type, each.default, each.lazy) for each in node_type.inputs] == [("x", int, 3, False)]
    assert [(each.name, each.type) for each in node_type.outputs] == [("y", float)]
    assert [(each.name, each.doc) for each in node_type.exec_inputs] == [("in", "start here")]


def test_builder_refuses():
    """Names are unique, literals fit sockets that exist, and an entry is not a place to connect to."""
    with tf.build(STANDARD) as inner:
        into, x = inner.declare_entry("in"), inner.declare_input("x")
    with tf.build(STANDARD) as g:
        type_id = g.define("inner", inner.graph)
        assert type_id == "graph:inner"
        with pytest.raises(tf.InvalidGraph, match="already a graph 'inner'"):
            g.define("inner", inner.graph)
        with pytest.raises(tf.UnknownSocket, match="has no data input 'z'"):
            g.add(type_id, z=1)
        with pytest.raises(tf.UnknownNodeType):
            g.add("graph:other")
        with pytest.raises(tf.UnknownSocket):
            g.connect(x, into)


def test_ids_of_boundaries_are_free():
    """A node may have the id that a boundary would get."""
    with tf.build(STANDARD) as g:
        g.add(tf.nodes.Start, "enter")
        g.declare_input("x")
    assert [node.id for node in g.graph.nodes] == ["enter", "enter_2"]


# --- files


def write(folder, name, **document):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"trioflow": "1.2", **document}))
    return path


def calls(*files):
    nodes = [{"id": f"n{place}", "type": f"file:{file}"} for place, file in enumerate(files)]
    return [{"id": "start", "type": "flow.start"}, *nodes]


ADD_ONE = {
    "interface": {"inputs": [{"name": "x", "type": "int"}], "outputs": [{"name": "y", "type": "int"}]},
    "nodes": [
        {"id": "enter", "type": "graph.enter"},
        {"id": "leave", "type": "graph.leave"},
        {"id": "add", "type": "math.add", "inputs": {"b": 1}},
    ],
    "connections": [{"from": "enter.x", "to": "add.a"}, {"from": "add.result", "to": "leave.y"}],
}


def test_file(tmp_path):
    """A graph calls a graph in a file, whose path is relative to its own, also from a graph within it."""
    write(tmp_path, "lib/one.json", **ADD_ONE)
    two = {
        **ADD_ONE,
        "nodes": [*ADD_ONE["nodes"][:2], {"id": "a", "type": "file:one.json"}, {"id": "b", "type": "graph:g"}],
        "connections": [
            {"from": "enter.x", "to": "a.x"},
            {"from": "a.y", "to": "b.x"},
            {"from": "b.y", "to": "leave.y"},
        ],
        "graphs": {
            "g": {
                **ADD_ONE,
                "nodes": [*ADD_ONE["nodes"][:2], {"id": "add", "type": "file:../lib/one.json"}],
                "connections": [{"from": "enter.x", "to": "add.x"}, {"from": "add.y", "to": "leave.y"}],
            }
        },
    }
    write(tmp_path, "lib/two.json", **two)
    path = write(
        tmp_path,
        "main.json",
        nodes=[
            {"id": "start", "type": "flow.start"},
            {"id": "two", "type": "file:lib/two.json", "inputs": {"x": 40}},
            {"id": "set", "type": "variable.set", "inputs": {"name": "v"}},
        ],
        connections=[{"from": "start.then", "to": "set.enter"}, {"from": "two.y", "to": "set.value"}],
        variables=[{"name": "v"}],
    )
    graph = tf.load(path)
    assert tf.validate(graph, STANDARD).problems == ()
    assert trio.run(tf.run, graph).variables == {"v": 42}
    inner = graph.files["lib/two.json"]
    assert isinstance(inner, tf.Graph)
    assert inner.files["one.json"] is inner.graphs["g"].files["../lib/one.json"]
    assert tf.loads(tf.dumps(graph)) == graph  # files are no part of the document


def test_files_in_a_circle(tmp_path):
    """Files may refer to each other, and to themselves: each is read once, and recursion is legal."""
    into = {"interface": {"entries": [{"name": "in"}]}}
    loop = {"connections": [{"from": "enter.in", "to": "n1.in"}]}
    enter = {"id": "enter", "type": "graph.enter"}
    write(tmp_path, "b.json", **into, **loop, nodes=[enter, *calls("b.json", "a.json")])
    path = write(tmp_path, "a.json", **into, nodes=[enter, *calls("a.json", "./b.json")], **loop)
    graph = tf.load(path)
    b = graph.files["./b.json"]
    assert isinstance(b, tf.Graph)
    assert graph.files["a.json"] is graph
    assert (b.files["a.json"], b.files["b.json"]) == (graph, b)
    assert tf.validate(graph, STANDARD).ok


def test_bad_files(tmp_path):
    """A file that is missing, broken or no graph that can be called is a problem of each node that refers to it."""
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "binary.json").write_bytes(b"\xff\x00")
    write(tmp_path, "closed.json", nodes=[{"id": "start", "type": "flow.start"}])
    write(tmp_path, "wrong.json", **{**ADD_ONE, "nodes": [*ADD_ONE["nodes"][:2], {"id": "add", "type": "math.ad"}]})
    names = ("missing.json", "broken.json", "binary.json", ".", "closed.json", "wrong.json", "a\0b")
    graph = tf.load(write(tmp_path, "main.json", nodes=calls(*names)))
    found = [(each.code, each.path, each.message) for each in tf.validate(graph, STANDARD).errors]
    assert [each[:2] for each in found] == [
        ("unreadable-file", "nodes[1].type"),
        ("unreadable-file", "nodes[2].type"),
        ("unreadable-file", "nodes[3].type"),
        ("unreadable-file", "nodes[4].type"),
        ("no-interface", "nodes[5].type"),
        ("missing-input", "nodes[6].inputs.x"),
        ("unreadable-file", "nodes[7].type"),
        ("unknown-node-type", "wrong.json: nodes[2].type"),
    ]
    assert found[0][2] == "missing.json can't be read as a graph: it can't be read: No such file or directory."
    assert found[1][2].startswith("broken.json can't be read as a graph: line 1, column 2: Expecting property name")


def test_file_of_a_graph_that_comes_from_none():
    """A graph that was not loaded from a file can't refer to one."""
    graph = tf.loads(json.dumps({"trioflow": "1.2", "nodes": calls("other.json")}))
    (problem,) = tf.validate(graph, STANDARD).errors
    assert str(problem) == (
        "error[unreadable-file] nodes[1].type: other.json was not read: this graph does not come from a file. Load the "
        "document with trioflow.load, or name a graph in it: graph:NAME."
    )
