"""The three forms of a diagram: the same diagram becomes the same graph in each."""

from __future__ import annotations

import json

import pytest
from formats.dipeo.diagrams import REGISTRY, read

import trioflow as tf
from trioflow.formats.dipeo import FORMAT
from trioflow.formats.known import detect, import_document
from trioflow.formats.port import ImportOptions, document_in

LIGHT = """
version: light
name: debate
nodes:
- label: Start
  type: start
  position: {x: 1, y: 2}
- label: Topic
  type: db
  position: {x: 3, y: 4}
  props: {operation: read, sub_type: file, file: questions.txt}
- {label: For, type: PERSON_JOB, position: {x: 5, y: 6}, person: Optimist, max_iteration: 2, default_prompt: again,
   first_only_prompt: "first: {{topic}}"}
- {label: Turns, type: condition, position: {x: 7.5, y: -8}, condition_type: detect_max_iterations}
- {label: End, type: endpoint, position: {x: 9, y: 10}, save_to_file: true, file_name: out.txt}
connections:
- {from: Start, to: Topic}
- {from: Topic, to: "For[first]", label: topic, content_type: raw_text}
- {from: For, to: Turns, content_type: conversation_state}
- {from: Turns_condfalse, to: For_default, content_type: conversation_state}
- {from: "Turns[condtrue]", to: End}
persons:
  Optimist: {service: openai, model: m, system_prompt: Be glad., api_key_id: K, temperature: 0.5}
"""
READABLE = """
version: readable
name: debate
persons:
- Optimist: {service: openai, model: m, system_prompt: Be glad., api_key_id: K, temperature: 0.5}
nodes:
- Start @(1,2)
- Topic @(3,4): {operation: read, sub_type: file, file: questions.txt}
- For [person_job] @(5,6): {person: Optimist, max_iteration: 2, default_prompt: again,
   first_only_prompt: "first: {{topic}}"}
- Turns @(7.5,-8): {condition_type: detect_max_iterations}
- End @(9,10): {save_to_file: true, file_name: out.txt}
flow:
- Start: to "Topic"
- Topic: to "For" in "_first" as "raw_text" naming "topic"
- For: to Turns as conversation_state
- Turns:
  - from "_condfalse" to "For" as "conversation_state"
  - from "_condtrue" to End
"""


def native(as_lists: bool) -> dict:
    """The same in the native form: with maps by ids, or with lists."""
    nodes = {
        "n1": {"type": "start", "position": {"x": 1, "y": 2}, "data": {"label": "Start"}},
        "n2": {"type": "db", "position": {"x": 3, "y": 4},
               "data": {"label": "Topic", "operation": "read", "subType": "file", "file": "questions.txt"}},
        "n3": {"type": "person_job", "position": {"x": 5, "y": 6, "__typename": "Vec2"},
               "data": {"label": "For", "person": "p1", "maxIteration": 2, "defaultPrompt": "again",
                        "firstOnlyPrompt": "first: {{topic}}", "__typename": "Data"}},
        "n4": {"type": "condition", "position": {"x": 7.5, "y": -8},
               "data": {"label": "Turns", "conditionType": "detect_max_iterations"}},
        "n5": {"type": "endpoint", "position": {"x": 9, "y": 10},
               "data": {"label": "End", "saveToFile": True, "fileName": "out.txt"}},
    }  # fmt: skip
    handles = {
        f"{each}_{name}_{way}": {"node_id": each, "label": name, "direction": way}
        for each in nodes
        for name, way in (("default", "input"), ("default", "output"), ("first", "input"))
    }
    arrows = {
        "a1": {"source": "n1_default_output", "target": "n2_default_input"},
        "a2": {"source": "n2_default_output", "target": "n3_first_input", "label": "topic", "content_type": "raw_text"},
        "a3": {"source": "n3_default_output", "target": "n4_default_input", "content_type": "conversation_state"},
        "a4": {"source": "n4_condfalse_output", "target": "n3", "content_type": "conversation_state",
               "data": {"branch": "false"}},
        "a5": {"source": "n4_condtrue_output", "target": "n5_default_input"},
    }  # fmt: skip
    persons = {"p1": {"label": "Optimist", "llm_config": {"service": "openai", "model": "m", "temperature": 0.5,
                      "system_prompt": "Be glad.", "api_key_id": "K"}, "type": "person"}}  # fmt: skip
    tree = {"nodes": nodes, "handles": handles, "arrows": arrows, "persons": persons}
    if as_lists:
        tree = {name: [{"id": key, **each} for key, each in part.items()] for name, part in tree.items()}
    return {**tree, "metadata": {"name": "debate", "author": None}}


def test_the_same_diagram_is_the_same_graph():
    """In the light form, the readable one, and the native one with lists and with maps."""
    wanted = FORMAT.read(document_in(LIGHT, syntax="yaml"), REGISTRY, ImportOptions())
    assert len(wanted.graph.nodes) > 5
    assert wanted.errors == ()
    others = [
        import_document(document_in(READABLE, syntax="yaml"), REGISTRY),
        read(native(as_lists=False)),
        read(native(as_lists=True)),
    ]
    for other in others:
        assert other.graph == wanted.graph
        assert {each.message for each in other.diagnostics} == {each.message for each in wanted.diagnostics}


def test_a_diagram_is_known_by_its_version_or_its_arrows():
    """And by nothing else."""
    for tree, name in (
        ({"version": "light", "nodes": []}, "dipeo"), ({"nodes": {}, "arrows": {}}, "dipeo"),
        ({"version": "native", "nodes": {}}, "dipeo"), ({"version": "light"}, None),
    ):  # fmt: skip
        found = detect(document_in(json.dumps(tree)))
        assert (found.name if found else None) == name
    for text in ('{"version": "heavy", "nodes": []}', "[1]"):
        with pytest.raises(tf.DocumentError, match="expected a diagram"):
            import_document(document_in(text), REGISTRY, format=FORMAT)


def test_the_readable_form_guesses_types():
    """A node that does not say its type is known by what it says instead."""
    text = """
        version: readable
        nodes:
          Begin the start: {}
          Ask: {prompt: How?}
          Say @(1,2): {default_prompt: x}
          Run: {code: x = 1}
          Call: {diagram_name: d}
          Fill: {template_content: t}
          Tell: {hook_type: shell, command: ls}
          Get: {url: u}
          Store: {operation: write, file: f}
          End: {}
          Other [ir_builder]: {}
    """
    diagram = import_document(document_in(text, syntax="yaml"), REGISTRY).graph
    kept = {each.id: each.metadata["dipeo"]["type"] for each in diagram.nodes if "type" in each.metadata["dipeo"]}
    assert [*kept.values()] == [
        "start", "user_response", "person_job", "code_job", "template_job", "hook", "api_job", "db", "endpoint",
        "ir_builder",
    ] or [*kept.values()] == [
        "start", "user_response", "person_job", "code_job", "sub_diagram", "template_job", "hook", "api_job", "db",
        "endpoint", "ir_builder",
    ]  # fmt: skip


WRONG = {
    "a node": ("nodes: [{A: {}, B: {}}]", "nodes[0]: Expected an object with one key, got an object."),
    "properties": ("nodes: [{Start: 5}]", "nodes[0]: Expected an object, got 5."),
    "a flow": ("nodes: [Start]\nflow: [{Start: nowhere}]", "flow[0].Start: Expected where it leads, got 'nowhere'."),
    "several": ("nodes: [Start]\nflow: [{Start: [to Gone, 5]}]", "flow[0].Start[1]: Expected where it leads, got 5."),
    "persons": ("nodes: [Start]\npersons: [{P: 5}]", "persons[0].P: Expected a person, an object, got 5."),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_in_the_readable_form(name):
    """Each with its place."""
    text, expected = WRONG[name]
    found = import_document(document_in(f"version: readable\n{text}", syntax="yaml"), REGISTRY).diagnostics
    assert any(expected in str(each) for each in found), found


def test_what_is_wrong_in_the_native_form():
    """A label that is none, and an id that occurs twice."""
    tree = {"nodes": [{"id": "a", "type": "start", "data": {"label": 5}}, {"id": "a", "type": "endpoint", "data": {}}],
            "arrows": [{"source": "x_default_output", "target": "a"}]}  # fmt: skip
    found = [str(each) for each in read(tree).diagnostics]
    for expected in (
        "nodes[0].data.label: Expected a text, got 5.", "nodes[1].id: There is a node 'a' already.",
        "arrows[0]: There is no node 'x_default_output'.",
    ):  # fmt: skip
        assert any(expected in each for each in found), found
