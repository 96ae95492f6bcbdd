"""The graph as data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import pytest
import trio

import trioflow as tf
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode


def test_text_of_endpoints_and_connections() -> None:
    """Endpoints and connections read as `node.socket` and `from -> to`."""
    wire = Connection(Endpoint("my.node", "then"), Endpoint("b", "enter"))
    assert (str(wire.source), str(wire)) == ("my.node.then", "my.node.then -> b.enter")


def test_nothing_can_be_assigned() -> None:
    """A graph and its nodes are immutable (M1)."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Graph().nodes = ()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        GraphNode("a", "t", {"x": 1}).inputs["x"] = 2  # type: ignore[index]  # pyright: ignore[reportIndexIssue]


def test_a_graph_does_not_share_what_it_was_made_from() -> None:
    """What the maker does to its own dictionary afterwards does not reach the node."""
    inputs = {"x": 1}
    node = GraphNode("a", "t", inputs)
    inputs["x"] = 2
    assert node.inputs == {"x": 1}


def test_lists_become_tuples() -> None:
    """Any iterable of nodes will do."""
    assert Graph(nodes=[GraphNode("a", "t")]).nodes == (GraphNode("a", "t"),)


def test_python_types_do_not_make_graphs_unequal() -> None:
    """Graphs are equal by what their documents say."""
    assert Graph(types={"t": object()}) == Graph()  # pyright: ignore[reportArgumentType]
    assert Graph(extra={"new": 1}) != Graph()


@pytest.mark.parametrize(
    ("use", "given"), [(tf.dumps, "builder"), (partial(trio.run, tf.run), "builder"), (tf.dumps, {})]
)
def test_only_a_graph_is_a_graph(use: Callable[[Any], Any], given: Any) -> None:
    """A builder, or anything else in the place of a graph, is refused in a sentence, which says what a builder has."""
    with tf.build() as g:
        g.add(tf.nodes.Start)
    value = g if given == "builder" else given
    cure = " Give its `graph`." if given == "builder" else ""
    with pytest.raises(tf.GraphError) as caught:
        use(value)
    assert str(caught.value) == f"Expected a graph, not a value of type {type(value).__name__}.{cure}"


def test_all_nodes_of_all_levels(tmp_path):
    """Of graphs in graphs, in files that name each other, and behind types that came with it; each graph once."""
    inner = tf.Graph([tf.GraphNode("run", "process.run")])
    middle = tf.Graph([tf.GraphNode("a", "graph:inner"), tf.GraphNode("b", "graph:inner")], graphs={"inner": inner})
    (tmp_path / "other.json").write_text('{"trioflow": "1.0", "nodes": [{"id": "o", "type": "file:main.json"}]}')
    tf.save(tf.Graph([tf.GraphNode("c", "file:other.json")], graphs={"middle": middle}), tmp_path / "main.json")
    graph = tf.load(tmp_path / "main.json")
    assert [node.id for node in graph.nodes] == ["c"]
    assert sorted(node.id for node in graph.all_nodes()) == ["a", "b", "c", "o", "run"]

    with tf.build() as part:
        enter = part.declare_entry("enter")
        part.connect(enter, part.add("debug.print", "inside").enter)
    with tf.build() as g:
        g.add(tf.graph_node(part.graph, id="a.part"), "call")
    assert {"call", "inside"} <= {node.id for node in g.graph.all_nodes()}
