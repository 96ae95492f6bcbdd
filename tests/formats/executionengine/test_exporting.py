"""From workflows to definitions: what was imported is exported as it was, and the rest only if nothing gets lost."""

from __future__ import annotations

import attrs
import pytest
from formats.executionengine.definitions import code, container, definition, imported, wire

import trioflow as tf
from trioflow.formats.executionengine import KEY, export_yaml
from trioflow.formats.known import import_document
from trioflow.formats.port import document_in

REGISTRY = tf.Registry.standard()


def again(graph):
    """The graph after an export and an import."""
    return import_document(document_in(export_yaml(graph, REGISTRY), syntax="yaml")).graph


def test_an_import_is_exported_as_it_was():
    """All fields, wires back to loops and those that lead nowhere, too."""
    tree = definition(
        code("a", description="first", priority="High", retryPolicy={"maxAttempts": 2}),
        {"nodeId": "f", "runtimeType": "ForEach", "collectionExpression": "input.x"},
        code("b", configuration={"message": "hello"}),
        container(),
        wires=["a -> f", "f.LoopBody -> b", "b -> f", wire("f -> c", isEnabled=False, priority=3), "a -> gone"],
        metadata={"author": "me"}, defaultVariables={"x": 1}, maxConcurrency=3,
    )  # fmt: skip
    graph = imported(tree).graph
    assert again(graph) == graph


def test_changes_are_exported():
    """A node that was taken out is gone with its wires; one that only passes on, and a new wire, are written."""
    graph = imported(definition(code("a"), code("b"), code("c"), wires=["a -> b", "b -> c"])).graph
    less = attrs.evolve(
        graph,
        nodes=[each for each in graph.nodes if each.id != "c"],
        connections=[each for each in graph.connections if "c" not in {each.source.node, each.target.node}],
    )
    text = export_yaml(attrs.evolve(less, metadata={KEY: {**less.metadata[KEY], "connections": [
        each for each in less.metadata[KEY]["connections"] if each["targetNodeId"] != "c"]}}), REGISTRY)  # fmt: skip
    assert "nodeId: b" in text
    assert "nodeId: c" not in text


def test_a_graph_of_ours_is_exported_if_it_can_be():
    """Nodes that pass on what they get, wires for outcomes, limits and joins."""
    with tf.workflow(limit=2) as w:
        a = w.add("state.keep", "a", value={})
        b, c = (w.add("state.keep", name, value=a.kept) for name in "bc")
        w.connect(a.then, b.enter)
        w.connect(a.then, c.enter)
    empty = [attrs.evolve(each, inputs={"value": {}}) for each in w.graph.nodes]  # where a source has failed
    graph = attrs.evolve(w.graph, nodes=empty)
    text = export_yaml(graph, REGISTRY)
    assert "maxConcurrency: 2" in text
    assert [wire.target.node for wire in again(graph).connections if wire.target.socket == "enter"] == ["b", "c"]


def test_what_cannot_be_said_is_listed():
    """A node that the format has nothing for, and a condition that it can't write."""
    with tf.workflow() as w:
        a, b = w.add("state.keep", "a", value={}), w.add("debug.print", "b")
        w.connect(a.then, b.enter)
    with pytest.raises(tf.DocumentError) as caught:
        export_yaml(w.graph, REGISTRY)
    assert [*caught.value.problems] == ["nodes[1]: there is nothing for node 'b' (debug.print)."]
    graph = imported(definition(code("a"), code("b"), wires=["a -> b"])).graph
    changed = attrs.evolve(graph, connections=[attrs.evolve(each, when="1 == 1") for each in graph.connections])
    with pytest.raises(tf.DocumentError, match=r"a.then -> b.enter \(on completed, when 1 == 1, priority 0\) can't"):
        export_yaml(changed, REGISTRY)
    with pytest.raises(tf.DocumentError, match="limit: can't be said as it is"):
        export_yaml(attrs.evolve(graph, limit=7), REGISTRY)
    nested = imported(definition(container())).graph
    inner = attrs.evolve(nested.graphs["c"], limit=9)
    with pytest.raises(tf.DocumentError, match="graphs.c.limit: can't be said as it is"):
        export_yaml(attrs.evolve(nested, graphs={"c": inner}), REGISTRY)
    inside = attrs.evolve(graph, graphs={"g": tf.Graph()})
    with pytest.raises(tf.DocumentError, match="graphs.g: a graph that no node of the format holds can't be said"):
        export_yaml(inside, REGISTRY)


def test_what_yaml_cannot_write_is_said():
    """A value of a node that no document can hold."""
    graph = imported(definition(code("a", configuration={"when": 1}))).graph
    node = graph.nodes[0]
    odd = attrs.evolve(node, metadata={**node.metadata, KEY: {**node.metadata[KEY], "description": b"\x00"}})
    with pytest.raises(tf.DocumentError):
        export_yaml(attrs.evolve(graph, nodes=[odd]), REGISTRY)
