"""Diagrams with one thing wrong: an error or a note with its place, never a traceback, never silence."""

from __future__ import annotations

import json
import time

import pytest
from formats.dipeo.diagrams import REGISTRY, diagram, node, read, wire
from formats.dipeo.test_forms import LIGHT, READABLE, native
from formats.mutating import changed, misspelt, of_another_type, places, told, written
from hypothesis import given, settings
from hypothesis import strategies as st

import trioflow as tf
from trioflow.formats.dipeo import FORMAT, export_light
from trioflow.formats.known import import_document
from trioflow.formats.placeholder import shaped
from trioflow.formats.port import ImportOptions, document_in

WHOLE = diagram(
    {**node("start", "start", custom_data={"free": 1}, trigger_mode="manual"), "position": {"x": 1, "y": 2}},
    node("p", "person_job", person="P", default_prompt="d", first_only_prompt="f", max_iteration=2, memorize_to="FULL",
         tools=[], text_format="class A:\n    x: int", at_most=3),
    node("c", "condition", condition_type="detect_max_iterations", skippable=True),
    node("q", "condition", condition_type="check_nodes_executed", target_nodes=["p"]),
    node("custom", "condition", condition_type="custom", expression="x == 1"),
    node("judge", "condition", condition_type="llm_decision", person="P", judge_by="odd?", memorize_to="FULL"),
    node("code", "code_job", language="python", code="result = 1", timeout=3),
    node("t", "template_job", engine="jinja2", template_content="{{x}}", variables={"free": 1}, output_path="o.txt"),
    node("api", "api_job", url="http://h", method="GET", headers={"A": "b"}, params={"a": "b"}, timeout=3, max_retries=1,
         auth_type="bearer", auth_config={"token": "t"}),
    node("hook", "hook", hook_type="shell", config={"command": "ls", "args": ["a"], "env": {"A": "b"}, "cwd": "/",
         "timeout": 3}),
    node("v", "json_schema_validator", json_schema={"type": "object"}, strict_mode=True),
    node("db", "db", operation="read", sub_type="file", file="f.json", format="json", keys=["a"]),
    node("sub", "sub_diagram", diagram_name="gone", diagram_format="light", batch=False, ignore_input=False),
    node("user", "user_response", prompt="?", timeout=3),
    node("end", "endpoint", save_to_file=True, file_path="x.txt", file_format="txt", join_policy={"policy_type": "all"}),
    wires=[wire("start -> p", "x", "raw_text"), "p -> c", "c[condfalse] -> p", "c[condtrue] -> q", "q[condtrue] -> code",
           wire("code -> custom", "x"), "custom[condtrue] -> judge", "judge[condtrue] -> t", "t -> api", "api -> hook",
           "hook -> v", "v -> db", "db -> sub", "sub -> user", "user -> end"],
    persons={"P": {"service": "openai", "model": "m", "system_prompt": "s", "api_key_id": "k", "temperature": 1}},
    name="n", description="d",
)  # fmt: skip
FREE = ("custom_data.", "variables.", "json_schema", "headers.", "params.", "env.", "auth_config.", "args[", "keys[",
        "metadata", "data.branch", "tags")  # fmt: skip
"""What may be anything: start values, and what is passed on as it is."""
ANY = ("name", "description", "skippable", "api_key_id", "__typename")
"""What is kept for an export, or means nothing here."""


def free(place) -> bool:
    """Whether a place may hold anything."""
    path = written(place)
    unused = path.startswith("arrows") and place[-1] == "id" or path.startswith("persons") and place[-1] == "type"
    return any(each in path for each in FREE) or unused or (bool(place) and place[-1] in ANY)


@pytest.fixture(params=["light", "readable", "native"])
def whole(request):
    """A document that is right, in each of the three forms."""
    from trioflow.model.document import read_text  # noqa: PLC0415 - for this alone

    if request.param == "light":
        return WHOLE
    return native(as_lists=True) if request.param == "native" else read_text(READABLE, format="yaml", source="x")


def test_values_of_another_type(whole):
    """Each value of the document, once: it is said where."""
    before, silent = read(whole), []
    for number, place in enumerate(places(whole)):
        try:
            after = read(changed(whole, place, of_another_type))
        except tf.DocumentError:
            continue
        if number % 9 == 0:  # what is made can be checked, whatever was wrong
            tf.validate(shaped(after.graph), REGISTRY)
        if not told(before, after, place) and not free(place):
            silent.append(written(place))
    assert silent == []


def test_keys_that_are_misspelt(whole):
    """Each key of the document, once: what is not known is said, or that something is missing."""
    before, silent = read(whole), []
    for place in places(whole):
        if not place or isinstance(place[-1], int) or free(place):
            continue
        try:
            after = read(misspelt(whole, place))
        except tf.DocumentError:
            continue
        # What was right is gone: so it is said of what holds it; labels are keys in the readable form.
        if not told(before, after, () if "(" in place[-1] else place[:-1]):
            silent.append(written(place))
    assert silent == []


def test_what_is_cut_off_is_refused():
    """A text that ends anywhere is told with its line, and never a traceback."""
    text = json.dumps(WHOLE)
    for end in range(0, len(text), 97):
        with pytest.raises(tf.DocumentError):
            import_document(document_in(text[:end]), REGISTRY, format=FORMAT)
    for form in (LIGHT, READABLE):
        for end in range(0, len(form), 61):
            try:
                read_ = import_document(document_in(form[:end], syntax="yaml"), REGISTRY, format=FORMAT)
                tf.validate(shaped(read_.graph), REGISTRY)
            except tf.DocumentError:
                pass  # where it ends well, it is another diagram


LABELS = st.sampled_from(["a", "b", "c d", "ä", "start", "a inputs", "a prompt"])
CONTENT = st.sampled_from(["", "raw_text", "object", "conversation_state"])
NODES = st.one_of(
    st.builds(lambda name: node(name, "start", custom_data={"x": 1}), LABELS),
    st.builds(lambda name: node(name, "endpoint"), LABELS),
    st.builds(lambda name, text: node(name, "code_job", code=text), LABELS, st.sampled_from(["x = 1", "result = x", "("])),
    st.builds(lambda name, count: node(name, "person_job", default_prompt="{{x}}", max_iteration=count), LABELS,
              st.integers(1, 2)),
    st.builds(lambda name: node(name, "condition", condition_type="detect_max_iterations"), LABELS),
    st.builds(lambda name, text: node(name, "condition", condition_type="custom", expression=text), LABELS,
              st.sampled_from(["x == 1", "f(", "a.b"])),
    st.builds(lambda name, more: node(name, "sub_diagram", diagram_name="d", **more), LABELS,
              st.sampled_from([{}, {"batch": True}])),
    st.builds(lambda name: {"label": name, "type": "ir_builder", "position": {"x": 1, "y": 2}, "free": 1}, LABELS),
)  # fmt: skip
WIRES = st.builds(
    lambda source, handle, target, label, content: wire(f"{source}{handle} -> {target}", label, content),
    LABELS, st.sampled_from(["", "", "[condtrue]", "[condfalse]"]), LABELS, st.sampled_from(["", "x", "y"]), CONTENT,
)  # fmt: skip
DIAGRAMS = st.builds(
    lambda nodes, wires: diagram(*nodes, wires=wires), st.lists(NODES, max_size=5), st.lists(WIRES, max_size=6)
)


@pytest.mark.unmeasured
@settings(max_examples=40)
@given(DIAGRAMS)
def test_import_export_import(tree):
    """What an import makes is exported, and imported again it is the same graph."""
    graph = read(tree).graph
    tf.validate(shaped(graph), REGISTRY)
    text = export_light(graph, REGISTRY)
    assert FORMAT.read(document_in(text, syntax="yaml"), REGISTRY, ImportOptions()).graph == graph


@pytest.mark.timed
@pytest.mark.unmeasured
def test_time_grows_with_length():
    """A diagram of four times the length takes about four times as long, and not the square of that."""

    def seconds(count: int) -> float:
        nodes = [node(f"n{i}", "code_job", code="result = 1") for i in range(count)]
        text = json.dumps(diagram(*nodes, wires=[wire(f"n{i} -> n{i + 1}", "x") for i in range(count - 1)]))
        start = time.process_time()
        tf.validate(import_document(document_in(text), REGISTRY).graph, REGISTRY)
        return time.process_time() - start

    assert seconds(800) < 12 * min(seconds(200) for _ in range(2))
