"""What is no document of the format: every problem of its structure at once, each with its place."""

from __future__ import annotations

import json

import pytest
from formats.nodeeditor.documents import document, imported, node, sample

import trioflow as tf
from trioflow.formats.nodeeditor import loads, looks_like_document


def problems(tree) -> list[str]:
    with pytest.raises(tf.DocumentError) as caught:
        imported(tree)
    assert caught.value.source == "doc.json"
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ([], "the document: expected an object, got a list."),
        (None, "the document: expected an object, got null."),
        ({}, 'the document: the key "nodes" is missing. Give a graph.'),
        ({"version": 3, "nodes": []}, "version: expected 1 or 2, got 3. Save it with a program of that version."),
        ({"version": True, "nodes": []}, "version: expected 1 or 2, got true. Save it with a program of that version."),
        ({"nodes": {}}, "nodes: expected a list, got an object."),
        ({"nodes": [7]}, "nodes[0]: expected an object, got 7."),
        ({"nodes": [{}]}, 'nodes[0]: the key "id" is missing. Add it.'),
        ({"nodes": [{"id": 3}]}, "nodes[0].id: expected a text, got 3."),
        ({"nodes": [{"id": " "}]}, "nodes[0].id: expected a text, got ' '."),
        ({"nodes": [{"id": "a", "typeId": 1}]}, "nodes[0].typeId: expected a text, got 1."),
        ({"nodes": [{"id": "a", "inputs": "x"}]}, "nodes[0].inputs: expected a list, got 'x'."),
        (
            {"nodes": [{"id": "a", "inputs": [{"name": "b", "value": 5}]}]},
            "nodes[0].inputs[0].value: expected an object, got 5.",
        ),
        ({"nodes": [{"id": "a", "outputs": [{}]}]}, 'nodes[0].outputs[0]: the key "name" is missing. Add it.'),
        (
            {"nodes": [], "connections": [{"outputNodeId": "a", "outputSocketName": "b", "inputNodeId": "c"}]},
            'connections[0]: the key "inputSocketName" is missing. Add it.',
        ),
        ({"nodes": [], "variables": [{"id": "a"}]}, 'variables[0]: the key "name" is missing. Add it.'),
        (
            {"nodes": [], "events": [{"id": "a", "name": "x"}, {"id": "a", "name": "y"}]},
            "events[1].id: 'a' is the id of events[0] already. Give one of them another.",
        ),
        ({"nodes": [], "events": [None]}, "events[0]: expected an object, got null."),
        ({"nodes": [{"id": "a", 5: "b"}]}, "nodes[0]: expected keys that are texts, got 5. Put the key in quotes."),
        (
            {"nodes": [{"id": "a", "Id": "b"}]},
            "nodes[0]: a key occurs more than once. Keep one of them.",
        ),
        (
            {"nodes": [{"id": "a"}, {"id": "b"}, {"id": "a"}]},
            "nodes[2].id: 'a' is the id of nodes[0] already. Give one of them another.",
        ),
        (
            {"nodes": [], "variables": [{"id": "a", "name": "x"}, {"name": "a"}]},
            "variables[1].id: 'a' is the id of variables[0] already. Give one of them another.",
        ),
    ],
)
def test_structure_is_checked(tree, expected):
    """A document that is not one is refused with the place, what was expected, and what came."""
    assert expected in problems(tree)


def test_every_problem_comes_at_once():
    """All problems of the structure come together."""
    assert len(problems({"version": "1", "nodes": [{}, 1], "connections": 5, "events": [{}]})) == 5


def test_what_is_empty_is_an_empty_graph():
    """Lists may be null or missing."""
    assert imported({"nodes": None, "connections": None}).graph.nodes == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "it is empty."),
        (
            '{"version": 1, "nodes": [{"id": "a"',
            "line 1, column 36: Expecting ',' delimiter. The text ends there: is it cut off?",
        ),
        ("[" * 100_000, "it is nested too deeply, or holds itself. Flatten its values."),
        ('{"nodes": [{"id": "a", "id": "a"}]}', "nodes[0]: a key occurs more than once. Keep one of them."),
    ],
)
def test_text_that_is_no_document(text, expected):
    """A text that is cut off, too deep, or says something twice is refused with the place."""
    with pytest.raises(tf.DocumentError) as caught:
        loads(text, source="doc.json")
    assert str(caught.value) == f"doc.json: {expected}"


def test_a_cut_off_document_is_refused_wherever_it_is_cut():
    """No beginning of a document is taken for one."""
    text = json.dumps(sample("hello-world"))
    for end in range(1, len(text) - 1, 97):
        with pytest.raises(tf.DocumentError, match="line 1, column"):
            loads(text[:end])


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (document(node("s", "Start")), True),
        ({"Version": 1, "Nodes": 5}, True),
        ({"nodes": [], "requiredPlugins": []}, True),
        ({"nodes": []}, False),
        ({"trioflow": "1.0", "nodes": [], "version": 1}, False),
        ([], False),
        ({"version": 1}, False),
    ],
)
def test_documents_are_recognised(tree, expected):
    """A document is known by its keys, whatever is wrong with their values."""
    assert looks_like_document(tree) is expected
