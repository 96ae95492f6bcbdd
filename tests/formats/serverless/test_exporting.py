"""What came from a document is a document again, the same; what a document can't say is told."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from formats.serverless.everything import EVERYTHING
from formats.serverless.workflows import graph_of
from hypothesis import given, settings
from hypothesis import strategies as st

import trioflow as tf
from trioflow.errors import DocumentError
from trioflow.formats.known import import_document
from trioflow.formats.port import document_in
from trioflow.formats.serverless import FORMAT
from trioflow.formats.serverless.exporting import write_tree
from trioflow.formats.serverless.importing import read_tree
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode

NAMES = st.sampled_from(["a", "b", "c d", "e/f", "~g", "ü"])
VALUES = st.recursive(
    st.sampled_from([None, True, 0, -1.5, "x", "${ .x }", ".y", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
LEAVES = st.sampled_from([
    {"wait": {"seconds": 1}},
    {"wait": "PT1S"},
    {"call": "f", "with": {"n": 1}},
    {"call": "http", "with": {"method": "get", "endpoint": "https://x.test/{id}"}},
    {"emit": {"event": {"with": {"source": "https://x.test", "type": "t"}}}},
    {"listen": {"to": {"any": []}}},
    {"raise": {"error": {"type": "https://x.test", "status": 400}}},
    {"run": {"shell": {"command": "true"}}},
    {"run": {"container": {"image": "x"}}},
])  # fmt: skip
SETS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=2).map(lambda values: {"set": values})


@st.composite
def lists(draw: st.DrawFn, tasks: st.SearchStrategy[dict[str, Any]]) -> list[dict[str, Any]]:
    """A list of tasks, which lead to each other."""
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    found = []
    for name in names:
        task = dict(draw(tasks))
        directive = draw(st.sampled_from([None, None, "continue", "exit", "end", *names]))
        if directive is not None:
            task["then"] = directive
        if "switch" in task:
            task["switch"] = [{"c": {"when": ".x", "then": draw(st.sampled_from(names))}}, {"d": {"then": "end"}}]
        if draw(st.booleans()):
            task["if"] = "${ .x }"
        found.append({name: task})
    return found


def nested(tasks: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    inside = lists(tasks)
    return st.one_of(
        inside.map(lambda do: {"do": do}),
        inside.map(lambda do: {"for": {"in": ".x", "each": "i"}, "while": "$i", "do": do}),
        inside.map(lambda do: {"try": do, "catch": {"do": do, "when": "$error"}}),
        inside.map(lambda do: {"listen": {"to": {"any": []}}, "foreach": {"do": do}}),
        inside.filter(bool).map(lambda do: {"fork": {"branches": do, "compete": True}}),
        st.just({"switch": []}),
    )


DOCUMENTS = lists(st.recursive(LEAVES | SETS, nested, max_leaves=6)).map(
    lambda do: {
        "document": EVERYTHING["document"],
        "use": {"functions": {"f": {"set": {"y": 1}}}, "extensions": EVERYTHING["use"]["extensions"]},
        "do": do,
    }
)


@pytest.mark.unmeasured
@settings(max_examples=30)
@given(DOCUMENTS)
def test_import_export_and_import_again_is_the_identity(tree):
    graph = read_tree(tree, "x").graph
    written = write_tree(graph)
    assert written == tree
    again = read_tree(written, "x").graph
    assert (again.nodes, again.connections) == (graph.nodes, graph.connections)


def test_every_field_comes_back():
    graph = read_tree(EVERYTHING, "x").graph
    assert write_tree(graph) == EVERYTHING
    text = FORMAT.write(graph, tf.Registry.standard())
    assert import_document(document_in(text, syntax="yaml")).graph == graph


def changed(graph: Graph, node: str, **inputs: Any) -> Graph:
    nodes = [attrs.evolve(each, inputs={**each.inputs, **inputs}) if each.id == node else each for each in graph.nodes]
    return attrs.evolve(graph, nodes=nodes)


GRAPH = graph_of("do: [{a: {set: {x: 1}}}, {b: {do: [{c: {set: {x: 2}}}]}}]")


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (attrs.evolve(GRAPH, nodes=GRAPH.nodes[:1]), ["a document is one node of the type serverless.workflow; there"]),
        (
            attrs.evolve(GRAPH, connections=[*GRAPH.connections[:-1], Connection(Endpoint("b", "then"), Endpoint("a", "enter"))]),
            ["wire 'b.then -> a.enter' is one too many", "wire 'workflow.tasks -> a.enter' is missing"],
        ),
        (
            attrs.evolve(GRAPH, nodes=[*GRAPH.nodes, GraphNode("more", "flow.start")]),
            ["node 'more' is one too many: a document of the format would say another graph."],
        ),
        (attrs.evolve(GRAPH, variables=GRAPH.variables[1:]), ["variable 'input' is missing"]),
        (
            attrs.evolve(GRAPH, nodes=[attrs.evolve(each, initiator=each.id == "a") for each in GRAPH.nodes]),
            ["node 'a' was changed"],
        ),
        (changed(GRAPH, "b", reference="/do/0/b"), ["node 'b': another one has the place '/do/0/b'", "node 'c': the place"]),
        (changed(GRAPH, "c", reference="/do/1/b/do/1/c"), ["the task do[1].b.do[0] is missing."]),
        (changed(GRAPH, "c", reference="/do/1/b/for/0/c"), ["node 'c': the place '/do/1/b/for/0/c' of its task is not in"]),
        (changed(GRAPH, "c", reference="/do/x/c/0/c"), ["node 'c': the place"]),
        (changed(GRAPH, "c", reference="/do/7/c/0/c"), ["node 'c': the place"]),
        (changed(GRAPH, "c", reference="/do/1/b/do/99999999999/c"), ["node 'c': the place"]),
        (changed(GRAPH, "c", reference="/do/1/b/do/²/c"), ["node 'c': the place"]),
        (changed(GRAPH, "c", reference=1), ["node 'c' is one too many"]),
        (changed(GRAPH, "a", task={"sett": 1}), ["node 'a' is one too many"]),
        (changed(GRAPH, "workflow", document={}), ["node 'workflow': its input `document` must be an object with"]),
        (changed(GRAPH, "workflow", document=1), ["node 'workflow': its input `document` must be an object with"]),
    ],
)  # fmt: skip
def test_what_a_document_can_not_say_is_told(graph, expected):
    with pytest.raises(DocumentError) as caught:
        write_tree(graph)
    for each in expected:
        assert any(problem.startswith(each) for problem in caught.value.problems), caught.value.problems


def test_many_differences_are_counted():
    nodes = [*GRAPH.nodes, *(GraphNode(f"more {n}", "flow.start") for n in range(30))]
    with pytest.raises(DocumentError) as caught:
        write_tree(attrs.evolve(GRAPH, nodes=nodes))
    assert (len(caught.value.problems), caught.value.problems[-1]) == (21, "and 10 more.")


def test_workflows_that_are_called_are_documents_of_their_own():
    """They are not written, and what they can't say is told, too."""
    other = {**EVERYTHING, "document": {**EVERYTHING["document"], "name": "other"}, "do": [{"a": {"wait": "PT1S"}}]}
    called = {"run": {"workflow": {"namespace": "n", "name": "other", "version": "1.0.0"}}}
    tree = {"document": EVERYTHING["document"], "do": [{"c": called}]}
    graph = read_tree(tree, "x", {("n", "other", "1.0.0"): other}).graph
    assert write_tree(graph) == tree
    (name,) = graph.graphs
    inner = changed(graph.graphs[name], "a", reference="/do/5/a")
    with pytest.raises(DocumentError, match="graphs.n/other/1.0.0: node 'a': the place '/do/5/a'"):
        write_tree(attrs.evolve(graph, graphs={name: inner}))
