"""From workflows to light diagrams: what was imported is exported, whichever form it had, and nothing gets lost."""

from __future__ import annotations

import attrs
import pytest
from formats.dipeo.diagrams import END, REGISTRY, START, diagram, node, read, wire
from formats.dipeo.test_importing import loop

import trioflow as tf
from trioflow.formats.dipeo import FORMAT, KEY, export_light
from trioflow.formats.port import ImportOptions, document_in

ALL = diagram(
    {**START, "position": {"x": 1, "y": 2}},
    node("ask", "person_job", person="P", default_prompt="{{x}}"),
    node("c", "condition", condition_type="custom", expression="x == 1"),
    node("files", "db", operation="write", sub_type="file", file="a/b.txt"),
    node("code", "code_job", code="x = 1"), node("more", "code_job", code="result = x"),
    node("sub", "sub_diagram", diagram_name="gone", batch=True), node("ir", "ir_builder", source="x"), END,
    wires=[wire("start -> ask", "x", "object"), "ask -> c", "c[condtrue] -> files", "c[condfalse] -> code",
           "code -> more", "more -> sub", "sub -> ir", "ir -> end"],
    persons={"P": {"service": "openai", "model": "m"}}, name="all", tags=["x"],
)  # fmt: skip


def again(graph):
    """The graph after an export and an import."""
    return FORMAT.read(document_in(export_light(graph, REGISTRY), syntax="yaml"), REGISTRY, ImportOptions()).graph


@pytest.mark.parametrize("tree", [ALL, loop(3, first_only_prompt="x", memorize_to="GOLDFISH")])
def test_an_import_is_exported(tree):
    """All that it says is there again."""
    graph = read(tree).graph
    assert again(graph) == graph


def test_what_cannot_be_said_is_listed():
    """Nodes, wires, literals, variables and graphs that a diagram has nothing for."""
    graph = read(ALL).graph
    extra = tf.GraphNode("p", "debug.print")
    extra_helper = tf.GraphNode("h", "value.join", metadata={KEY: {"made": True}})
    with pytest.raises(tf.DocumentError) as caught:
        export_light(attrs.evolve(graph, nodes=[*graph.nodes, extra]), REGISTRY)
    assert [*caught.value.problems] == [f"nodes[{len(graph.nodes)}]: a diagram has nothing for node 'p' (debug.print)."]
    changed = [attrs.evolve(each, inputs={"value": 7}) if each.id == "end" else each for each in graph.nodes]
    variables = [*graph.variables, tf.Variable("extra", "int", 1)]
    wires = [
        *graph.connections,
        tf.Connection(tf.Endpoint("start", "then"), tf.Endpoint("end", "enter"), enabled=False),
    ]
    for other, expected in (
        (attrs.evolve(graph, nodes=changed), "{'value': 7} of node 'end' can't be said"),
        (attrs.evolve(graph, variables=variables), "variables: can't be said as it is"),
        (attrs.evolve(graph, connections=wires), r"start.then -> end.enter \(on completed, off, priority 0\) can't be"),
        (attrs.evolve(graph, connections=graph.connections[1:]), "the document would have .* besides"),
        (attrs.evolve(graph, connections=graph.connections[::-1]), "connections: their order can't be said"),
        (attrs.evolve(graph, nodes=graph.nodes[::-1]), "nodes: their order can't be said"),
        (attrs.evolve(graph, nodes=graph.nodes[1:]), "nodes: the document would have a node 'start inputs'"),
        (
            attrs.evolve(graph, graphs={"g": tf.Graph()}, nodes=[*graph.nodes, extra_helper]),
            "node 'h' .* can't be said",
        ),
        (attrs.evolve(graph, graphs={"g": tf.Graph()}), "graphs.g: a graph that no node"),
    ):
        with pytest.raises(tf.DocumentError, match=expected):
            export_light(other, REGISTRY)


def test_what_yaml_cannot_write_is_said():
    """A value that no document can hold."""
    graph = read(diagram(START)).graph
    odd = attrs.evolve(graph, metadata={KEY: {**graph.metadata[KEY], "name": b"\0"}})
    with pytest.raises(tf.DocumentError):
        export_light(odd, REGISTRY)
