"""Graph documents: what is read, what is refused and how, what is written."""

from __future__ import annotations

import importlib
import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trioflow.errors import DocumentError, MissingExtra
from trioflow.model import structure, yaml_text
from trioflow.model.builder import Builder
from trioflow.model.document import document_schema, dumps, load, loads, save
from trioflow.model.function_node import data_node
from trioflow.model.graph import Connection, CustomEvent, Endpoint, Graph, GraphNode, StreamSettings, Variable
from trioflow.model.registry import Registry

FULL = """\
{
  "trioflow": "1.2",
  "nodes": [
    {"id": "start", "type": "event.start"},
    {"id": "my.node", "type": "flow.for", "inputs": {"count": 3, "label": null}, "initiator": false, "stream": \
{"mode": "concurrent", "limit": 0, "on_error": "collect"}, "metadata": {"x": 1.5, "tags": ["ä", "😀"]}}
  ],
  "connections": [
    {"from": "start.then", "to": "my.node.enter"}
  ],
  "variables": [
    {"name": "total", "type": "int", "default": 0, "merge": "sum", "doc": "So far."}
  ],
  "events": [
    {"name": "done", "doc": "All of it."}
  ],
  "metadata": {"title": "Full"}
}
"""

GRAPH = Graph(
    nodes=[
        GraphNode("start", "event.start"),
        GraphNode(
            "my.node",
            "flow.for",
            {"count": 3, "label": None},
            initiator=False,
            stream=StreamSettings("concurrent", 0, "collect"),
            metadata={"x": 1.5, "tags": ["ä", "😀"]},
        ),
    ],
    connections=[Connection(Endpoint("start", "then"), Endpoint("my.node", "enter"))],
    variables=[Variable("total", "int", 0, "sum", "So far.")],
    events=[CustomEvent("done", "All of it.")],
    metadata={"title": "Full"},
)

YAML = """\
trioflow: '1.1'
nodes:
- id: a
  type: text.join
  inputs:
    answer: no
    when: 2020-01-01
    time: 12:30
    octal: 010
    big: 1e3
    hex: 0xff
    none: ~
    yes: true
"""


def problems(text: str, format: Literal["json", "yaml"] = "json") -> list[str]:
    with pytest.raises(DocumentError) as caught:
        loads(text, format=format)
    assert str(caught.value) == "\n".join(f"<string>: {problem}" for problem in caught.value.problems)
    return list(caught.value.problems)


def with_node(node: str) -> str:
    return f'{{"trioflow": "1.2", "nodes": [{node}]}}'


# --- reading and writing


def test_read_and_write() -> None:
    """A document is read as the graph that it says, and written as it was, one line for each node and wire."""
    assert loads(FULL) == GRAPH
    assert dumps(GRAPH) == FULL


def test_smallest() -> None:
    """What is at its default is not written; only the version always is."""
    assert dumps(Graph()) == '{\n  "trioflow": "1.2"\n}\n'
    assert dumps(Graph(), format="yaml") == 'trioflow: "1.2"\n'
    assert loads('{"trioflow": "1.2"}') == Graph()


def test_last_dot() -> None:
    """The last dot of an endpoint parts node and socket: ids of nodes may hold dots."""
    graph = loads('{"trioflow": "1.2", "connections": [{"from": "a.b.c", "to": "..d"}]}')
    assert graph.connections == (Connection(Endpoint("a.b", "c"), Endpoint(".", "d")),)


def test_yaml_is_not_guessed() -> None:
    """YAML scalars mean what the core schema of YAML 1.2 says: no dates, no times, `no` is a text."""
    (node,) = loads(YAML, format="yaml").nodes
    assert node.inputs == {
        "answer": "no", "when": "2020-01-01", "time": "12:30", "octal": 10, "big": 1000.0, "hex": 255, "none": None,
        "yes": True,
    }  # fmt: skip


def test_byte_order_mark() -> None:
    """A byte order mark, which some editors put first, is passed over."""
    assert loads("\ufeff" + FULL) == loads("\ufeff" + dumps(GRAPH, format="yaml"), format="yaml") == GRAPH


def test_lone_surrogate() -> None:
    """Half of a surrogate pair survives in JSON as an escape; YAML refuses it."""
    graph = Graph(metadata={"half": "\ud800"})
    assert loads(dumps(graph)) == graph
    with pytest.raises(DocumentError) as caught:
        dumps(graph, format="yaml")
    assert caught.value.problems == (
        "a text holds half of a surrogate pair, which YAML can't say. Write the document as JSON.",
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", "~", "null", "yes", "no", "1", "1e5", "0x1", "0o7", ".5", "-.inf", ".nan", "2020-01-01", "12:30", "<<", "=",
     "# x", "a: b", "- a", "\t", " ", "\n", "a\n b\n", "\r", "\x85", "\u2028", "\ufeff", "\x00", "'", '"', "1_000"]
)  # fmt: skip
names = texts.filter(bool)
sockets = names.filter(lambda name: "." not in name)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(texts, values, max_size=3)
settings = st.builds(
    StreamSettings,
    st.none() | st.sampled_from(["sequential", "concurrent"]),
    st.none() | st.integers(min_value=0),
    st.none() | st.sampled_from(["fail", "collect"]),
)
endpoints = st.builds(Endpoint, names, sockets)
graphs = st.builds(
    Graph,
    nodes=st.lists(
        st.builds(
            GraphNode,
            texts,
            texts.filter(lambda name: not name.startswith("inline.")),
            mappings,
            st.none() | st.booleans(),
            st.none() | settings,
            mappings,
        ),
        max_size=3,
    ),
    connections=st.lists(st.builds(Connection, endpoints, endpoints), max_size=3),
    variables=st.lists(st.builds(Variable, texts, texts, values, texts, texts), max_size=2),
    events=st.lists(st.builds(CustomEvent, texts, texts), max_size=2),
    metadata=mappings,
)


@cache
def schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(document_schema())


@pytest.mark.unmeasured
@given(graphs)
def test_json_round_trip(graph: Graph) -> None:
    """Every graph comes back from JSON as it was, and its document fits the schema."""
    text = dumps(graph)
    assert loads(text) == graph
    assert dumps(loads(text)) == text
    schema().validate(json.loads(text))


@pytest.mark.unmeasured
@given(graphs)
def test_yaml_round_trip(graph: Graph) -> None:
    """Every graph comes back from YAML as it was."""
    text = dumps(graph, format="yaml")
    assert loads(text, format="yaml") == graph


# --- versions

NEWER = {
    "trioflow": "1.7",
    "nodes": [{"id": "a", "type": "t", "stream": {"mode": "sequential", "window": 3}, "colour": {"r": 1}}],
    "connections": [{"from": "a.b", "to": "c.d", "weight": 2}],
    "variables": [{"name": "v", "unit": "m"}],
    "events": [{"name": "e", "urgent": True}],
    "clusters": [["a"]],
}


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_newer_minor_is_kept(format: Literal["json", "yaml"]) -> None:
    """What a newer minor version says beyond this one is kept and written back, with its version."""
    graph = loads(json.dumps(NEWER))
    assert (graph.version, graph.extra, graph.nodes[0].extra) == ("1.7", {"clusters": [["a"]]}, {"colour": {"r": 1}})
    assert json.loads(dumps(graph)) == NEWER
    assert loads(dumps(graph, format=format), format=format) == graph


def test_newer_minor_is_still_checked() -> None:
    """In a document of a newer minor version the known keys are checked as ever, and the unknown ones for JSON."""
    text = '{"trioflow": "1.3", "nodes": [{"id": 7, "type": "t", "new": NaN}], "new": 1}'
    assert problems(text) == [
        "nodes[0].new: expected a finite number, got nan. JSON has no NaN and no infinity: leave it out, or use null",
        "nodes[0].id: expected text, got int 7",
    ]


def test_older_minor_is_written_as_this_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document of an older minor version is read, and written in the version of this library."""
    monkeypatch.setattr(structure, "FORMAT_VERSION", "1.3")
    assert loads('{"trioflow": "1.2"}').version == "1.3"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '{"trioflow": "2.0", "nodes": 3}',
            "trioflow: the document has version 2.0 of the format, and this trioflow reads 1.x (1.2). "
            "Use the trioflow that wrote it, or write the document anew.",
        ),
        ("{}", 'the document: the key "trioflow", the version of the format, is missing. Write "trioflow": "1.2".'),
        (
            '{"trioflo": "1.0"}',
            'the document: the key "trioflow", the version of the format, is missing. Write "trioflow": "1.2". '
            'Is "trioflo" meant to be it?',
        ),
        (
            '{"trioflow": 1.0}',
            'trioflow: expected a version such as "1.2", got float 1.0. Write "trioflow": "1.2".',
        ),
        *(
            (
                f'{{"trioflow": "{version}"}}',
                f'trioflow: expected a version such as "1.2", got text "{version}". Write "trioflow": "1.2".',
            )
            for version in ("1", "1.0.0", "v1.0", "01.0", "1.0 ", "")
        ),
    ],
)
def test_bad_version(text: str, problem: str) -> None:
    """A document without a version that this library reads is refused for that alone."""
    assert problems(text) == [problem]


# --- bad documents

A = '"id": "a", "type": "t"'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "the document: expected an object, got a list"),
        ("null", "the document: expected an object, got null"),
        ('{"trioflow": "1.2", "nodes": {}}', "nodes: expected a list, got an object"),
        ('{"trioflow": "1.2", "nodes": "ab"}', 'nodes: expected a list, got text "ab"'),
        (with_node("3"), "nodes[0]: expected an object, got int 3"),
        (with_node('{"id": 7, "type": "t"}'), "nodes[0].id: expected text, got int 7"),
        (with_node('{"id": null, "type": "t"}'), "nodes[0].id: expected text, got null"),
        (with_node('{"type": "t"}'), 'nodes[0]: the key "id" is missing. Add it.'),
        (
            with_node(f'{{{A}, "initator": true}}'),
            "nodes[0]: unknown key \"initator\". Did you mean 'initiator'? "
            "Known are: id, type, inputs, initiator, stream, config, policy, join, min, unmet, rest, choose, most, priority, limit, group, queue, undo, undo_from, set, metadata",
        ),
        (
            with_node(f'{{{A}, "extra": {{}}}}'),
            'nodes[0]: unknown key "extra". Known are: id, type, inputs, initiator, stream, config, policy, join, min, unmet, rest, choose, most, priority, limit, group, queue, undo, undo_from, set, metadata',
        ),
        (with_node(f'{{{A}, "initiator": 1}}'), "nodes[0].initiator: expected true or false, got int 1"),
        (with_node(f'{{{A}, "inputs": []}}'), "nodes[0].inputs: expected an object, got a list"),
        (with_node(f'{{{A}, "inputs": {{"x": 1, "x": 2}}}}'),
         'nodes[0].inputs: the key "x" occurs more than once. Keep one of them'),
        (with_node(f'{{{A}, "id": "b"}}'), 'nodes[0]: the key "id" occurs more than once. Keep one of them'),
        (with_node(f'{{{A}, "inputs": {{"a b": [1, -1e999]}}}}'),
         'nodes[0].inputs["a b"][1]: expected a finite number, got -inf. JSON has no NaN and no infinity: leave it '
         "out, or use null"),
        (with_node(f'{{{A}, "stream": {{"limit": -1}}}}'),
         "nodes[0].stream.limit: expected a whole number of at least 0, got int -1"),
        (with_node(f'{{{A}, "stream": {{"limit": true}}}}'),
         "nodes[0].stream.limit: expected a whole number, got true"),
        (with_node(f'{{{A}, "stream": {{"limit": 4.0}}}}'),
         "nodes[0].stream.limit: expected a whole number, got float 4.0"),
        (with_node(f'{{{A}, "stream": {{"mode": "concurent"}}}}'),
         'nodes[0].stream.mode: expected "sequential" or "concurrent", got text "concurent". Did you mean '
         "'concurrent'?"),
        (with_node(f'{{{A}, "stream": {{"on_error": []}}}}'),
         'nodes[0].stream.on_error: expected "fail" or "collect", got a list'),
        *((f'{{"trioflow": "1.2", "connections": [{{"from": "{end}", "to": "b.c"}}]}}',
           f'connections[0].from: expected an endpoint "node.socket", got text "{end}"') for end in ("", ".a", "a.")),
        ('{"trioflow": "1.2", "connections": [{"from": "a.b"}]}', 'connections[0]: the key "to" is missing. Add it.'),
        ('{"trioflow": "1.2", "variables": [{"name": "v", "default": NaN}]}',
         "variables[0].default: expected a finite number, got nan. JSON has no NaN and no infinity: leave it out, or "
         "use null"),
        ('{"trioflow": "1.2", "nodez": []}',
         "the document: unknown key \"nodez\". Did you mean 'nodes'? Known are: kind, limit, groups, on_error, keep_outputs, undo_on, undo_grace, interface, nodes, connections, "
         "variables, events, triggers, graphs, policies, metadata"),
        ("", "it is empty."),
        ('{\n  "a": 1,\n  b: 2\n}', "line 3, column 3: Expecting property name enclosed in double quotes."),
        ("{} {}", "line 1, column 4: Extra data."),
        ("[" * 100_000, "it is nested too deeply, or holds itself. Flatten its values."),
    ],
)  # fmt: skip
def test_bad_json(text: str, problem: str) -> None:
    """Each thing that can be wrong is told with its path, what was expected, and what came."""
    assert problems(text) == [problem]


def test_huge_integer() -> None:
    """An integer that Python does not convert is refused like any other bad text."""
    (problem,) = problems(f'{{"trioflow": "1.2", "metadata": {{"x": {"9" * 5000}}}}}')
    assert problem.startswith("Exceeds the limit (4300 digits) for integer string conversion")


def test_all_at_once() -> None:
    """All problems of a document come in one error, in the order of the document."""
    text = '{"trioflow": "1.2", "nodes": [{"id": 7, "type": "t"}, 3, {"id": "a"}], "events": {}}'
    assert problems(text) == [
        "nodes[0].id: expected text, got int 7",
        "nodes[1]: expected an object, got int 3",
        'nodes[2]: the key "type" is missing. Add it.',
        "events: expected a list, got an object",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\nb: 2", "line 2, column 2: did not find expected ',' or ']'."),
        ("a: &x 1\nb: *x", "line 1, column 4: anchors (&x) are not read. Repeat the value."),
        ("b: *x", "line 1, column 4: aliases (*x) are not read. Repeat the value."),
        (
            "a: !!python/name:os.system x",
            "line 1, column 4: tags (tag:yaml.org,2002:python/name:os.system) are not read. Write a plain value.",
        ),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document starts. Write one graph per file."),
        ("? [a]\n: 1", "line 1, column 1: a list or an object can't be a key. Keys are texts."),
        (
            "a: 1\nb: \x01",
            "line 2, column 4: the character U+0001 is not allowed in YAML. Write it as an escape in a text in double "
            "quotes.",
        ),
        ("", "the document: expected an object, got null"),
        (
            "trioflow: '1.1'\nmetadata: {1: 2}",
            "metadata: expected keys that are texts, got int 1. Put the key in quotes",
        ),
        (
            "trioflow: '1.1'\nmetadata: {x: .inf}",
            "metadata.x: expected a finite number, got inf. JSON has no NaN and no infinity: leave it out, or use null",
        ),
        (
            "trioflow: '1.1'\nmetadata: {x: 1, x: 2}",
            'metadata: the key "x" occurs more than once. Keep one of them',
        ),
        (
            "trioflow: 1.0",
            'trioflow: expected a version such as "1.2", got float 1.0. Write "trioflow": "1.2".',
        ),
    ],
)
def test_bad_yaml(text: str, problem: str) -> None:
    """YAML that says what JSON can't, or nothing at all, is told with its line."""
    assert problems(text, "yaml") == [problem]


@pytest.mark.slow
@pytest.mark.parametrize(("loader", "levels"), [("CSafeLoader", 950), ("CSafeLoader", 100_000), ("SafeLoader", 950)])
@pytest.mark.parametrize(
    ("opened", "closed"),
    [("[", "]"), ("{a: ", "}"), ("[[{a: ", "}]]"), ("[", ""), ("- ", ""), ("? ", "")],
    ids=["lists", "objects", "both", "unclosed", "rows", "keys"],
)
def test_too_deep_yaml(monkeypatch: pytest.MonkeyPatch, loader: str, opened: str, closed: str, levels: int) -> None:
    """Nesting beyond all use is told in the same words for every shape, whatever PyYAML itself says to it."""
    monkeypatch.setattr(yaml_text, "_Loader", getattr(yaml, loader))
    text = f"trioflow: '1.1'\nmetadata:\n  x:\n    {opened * levels}1{closed * levels}"
    assert problems(text, "yaml") == ["it is nested too deeply, or holds itself. Flatten its values."]


def test_unknown_format() -> None:
    """A format that is neither JSON nor YAML is the caller's mistake."""
    wrong: Any = "jsn"
    with pytest.raises(ValueError, match=r"^format must be 'json' or 'yaml', not 'jsn'\. Did you mean 'json'\?$"):
        loads("{}", format=wrong)


def test_yaml_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyYAML the error is the command that installs it."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "trioflow.model.yaml_text", raising=False)
    monkeypatch.delattr(importlib.import_module("trioflow.model"), "yaml_text", raising=False)
    with pytest.raises(MissingExtra) as caught:
        loads("", format="yaml")
    assert str(caught.value) == (
        "YAML needs an optional package. Install it with: python -m pip install 'trioflow[yaml]'"
    )


# --- graphs that no document can hold


class Thing:
    def __repr__(self) -> str:
        return "<thing>"


def itself() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


wrong_id: Any = 7


@pytest.mark.parametrize(
    ("graph", "problem"),
    [
        (Graph(nodes=[GraphNode(wrong_id, "t")]), "nodes[0].id: expected text, got int 7"),
        (
            Graph(nodes=[GraphNode("a", "t", {"x": [Thing()]})]),
            "nodes[0].inputs.x[0]: expected a value that JSON has, got Thing <thing>. "
            "Write it as text, number, list or object",
        ),
        (
            Graph(variables=[Variable("v", default=(1, 2))]),
            "variables[0].default: expected a value that JSON has, got tuple (1, 2). "
            "Write it as text, number, list or object",
        ),
        (
            Graph(metadata={"x": float("nan")}),
            "metadata.x: expected a finite number, got nan. JSON has no NaN and no infinity: leave it out, or use null",
        ),
        (Graph(metadata={"x": itself()}), "it is nested too deeply, or holds itself. Flatten its values."),
        (
            Graph(connections=[Connection(Endpoint("a", "b.c"), Endpoint("d", "e"))]),
            "connections[0].from: 'a' and 'b.c' do not read back. Use texts, and no dot in the name of the socket",
        ),
        (
            Graph(extra={"new": 1}),
            'the document: unknown key "new". Known are: kind, limit, groups, on_error, keep_outputs, undo_on, undo_grace, interface, nodes, connections, variables, events, triggers, graphs, policies, metadata',
        ),
    ],
)
def test_graph_that_can_not_be_written(graph: Graph, problem: str) -> None:
    """A graph that would not read back as itself is refused when it is written."""
    with pytest.raises(DocumentError) as caught:
        dumps(graph)
    assert str(caught.value) == f"<graph>: {problem}"


def test_inline_types() -> None:
    """A lambda has no name in a document; the cure is a function with one. Classes and named functions are fine."""

    @data_node(id="test.named")
    def named() -> int:
        return 1

    g = Builder(Registry())
    g.add(named)
    dumps(g.graph)
    g.add(lambda: 1, "x")
    with pytest.raises(DocumentError) as caught:
        dumps(g.graph)
    assert str(caught.value) == (
        "<graph>: nodes[1].type: node 'x' is made from a function that has no name in a document (inline.1.<lambda>). "
        "Put the function into a module, name it with @data_node, and add that"
    )


# --- files


@pytest.mark.parametrize(
    ("name", "first"), [("g.json", "{"), ("g.yaml", "t"), ("g.YML", "t"), ("g", "{"), ("g.txt", "{")]
)
def test_save_and_load(tmp_path: Path, name: str, first: str) -> None:
    """The end of a file's name says its format: YAML for .yaml and .yml, otherwise JSON."""
    path = tmp_path / name
    save(GRAPH, path)
    assert path.read_text(encoding="utf-8")[0] == first
    assert load(str(path)) == GRAPH
    assert os.listdir(tmp_path) == [name]


def test_load_names_the_file(tmp_path: Path) -> None:
    """Problems of a file begin with its path."""
    path = tmp_path / "g.json"
    path.write_text('{"trioflow": 1}')
    with pytest.raises(DocumentError, match="g.json: trioflow: expected a version") as caught:
        load(path)
    assert caught.value.source == str(path)


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    """A missing file, a folder, a name that is none and bytes that are no text are document errors of one line."""
    (tmp_path / "binary.json").write_bytes(b"{\xff\xfe")
    for name, reason in {
        "missing.json": "it can't be read: No such file or directory.",
        "": "it can't be read: Is a directory.",
        "a\0b": "it can't be read: embedded null byte.",
        "binary.json": "it is not UTF-8 text: byte 0xff at offset 1. Save it as UTF-8.",
    }.items():
        with pytest.raises(DocumentError) as caught:
            load(tmp_path / name)
        assert caught.value.problems == (reason,)


def test_saving_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where saving fails, the file is as it was before, and no other file is left."""
    path = tmp_path / "g.json"
    path.write_text("before")
    with pytest.raises(DocumentError):
        save(Graph(metadata={"x": Thing()}), path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DocumentError) as caught:
        save(GRAPH, path)
    assert str(caught.value) == f"{path}: it can't be written: No space left on device."
    assert (path.read_text(), os.listdir(tmp_path)) == ("before", ["g.json"])


def test_saving_into_nowhere(tmp_path: Path) -> None:
    """A folder that is not there, or in the file's place, is a document error."""
    for path, reason in (
        (tmp_path / "no" / "g.json", "it can't be written: No such file or directory."),
        (tmp_path, "it can't be written: Is a directory."),
    ):
        with pytest.raises(DocumentError) as caught:
            save(GRAPH, path)
        assert caught.value.problems == (reason,)
    assert os.listdir(tmp_path) == []


def test_saving_keeps_link_and_mode(tmp_path: Path) -> None:
    """Saving through a link changes the file that it points to, and keeps that file's permissions."""
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    target.write_text("")
    target.chmod(0o640)
    link.symlink_to(target)
    save(GRAPH, link)
    assert link.is_symlink()
    assert (load(target), target.stat().st_mode & 0o777) == (GRAPH, 0o640)


# --- the schema


def test_schema_file_is_up_to_date() -> None:
    """The schema in the repository is the one that the model's classes say."""
    path = Path(__file__).parents[2] / "spec" / "schema" / "graph.schema.json"
    assert json.loads(path.read_text()) == document_schema(), (
        "Write it anew: python -m trioflow.model.document > spec/schema/graph.schema.json"
    )


def test_schema_accepts_good_documents() -> None:
    """The schema is a valid one and accepts a document that uses everything."""
    jsonschema.Draft202012Validator.check_schema(document_schema())
    schema().validate(json.loads(FULL))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"trioflow": "2.0"}',
        '{"trioflow": "1.2", "nodez": []}',
        with_node('{"id": 7, "type": "t"}'),
        with_node('{"id": "a"}'),
        with_node(f'{{{A}, "initiator": 1}}'),
        with_node(f'{{{A}, "stream": {{"limit": -1}}}}'),
        with_node(f'{{{A}, "stream": {{"mode": "both"}}}}'),
        '{"trioflow": "1.2", "connections": [{"from": "a.", "to": "b.c"}]}',
    ],
)
def test_schema_refuses_bad_documents(text: str) -> None:
    """What the reader refuses, the schema refuses."""
    with pytest.raises(DocumentError):
        loads(text)
    with pytest.raises(jsonschema.ValidationError):
        schema().validate(json.loads(text))


def test_types_of_a_script_are_warned_of(tmp_path: Path) -> None:
    """A graph with node types of `__main__` is saved, and loads nowhere else: who saves it is told."""
    inner = Graph(nodes=[GraphNode("b", "__main__.boom")])
    graph = Graph(nodes=[GraphNode("a", "flow.start")], graphs={"inner": inner})
    with pytest.warns(UserWarning, match=r"g.json names node types of this script.*: __main__.boom. Move them"):
        save(graph, tmp_path / "g.json")
    assert load(tmp_path / "g.json") == graph
