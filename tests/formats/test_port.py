"""The port of importers: how documents are opened and told apart, and what is said of them."""

from __future__ import annotations

import json

import attrs
import pytest

import trioflow as tf
from trioflow.formats import known
from trioflow.formats.known import FORMATS, detect, format_named, import_document, load
from trioflow.formats.placeholder import Sockets, placeholder
from trioflow.formats.port import Document, Format, Imported, ImportOptions, Notes, document_in, open_document

REGISTRY = tf.Registry.standard()


def read(document, registry, options):
    """A format of the tests: nodes by their names, each of which leads to the next; `call FILE` calls another one."""
    notes, nodes, wires = Notes(), [], []
    for index, name in enumerate(document.tree["steps"]):
        called = name.removeprefix("call ")
        if called != name:
            nodes.append(tf.GraphNode(called, f"file:{called}"))
        else:
            nodes.append(placeholder(name, "steps.step", {"speed": index}, sockets=Sockets(outputs={"result": "any"})))
            notes.error("no-counterpart", f"steps[{index}]", f"There is no step {name!r}.", node=name)
    if document.tree.get("slow") or options.timeouts == "theirs":
        notes.info("differs", "slow", "It is slow.")
    ids = [each.id for each in nodes]
    wires = [tf.Connection(tf.Endpoint(a), tf.Endpoint(b)) for a, b in zip(ids, ids[1:], strict=False)]
    interface = tf.Interface(entries=[tf.Entry("enter")], exits=[tf.Exit("then")])
    inner = [tf.GraphNode("in", "graph.enter"), *nodes, tf.GraphNode("out", "graph.leave")]
    ends = [
        tf.Connection(tf.Endpoint("in", "enter"), tf.Endpoint(ids[0])),
        tf.Connection(tf.Endpoint(ids[-1]), tf.Endpoint("out", "then")),
    ]
    return Imported(
        tf.Graph(kind="workflow", interface=interface, nodes=inner, connections=[*wires, *ends]), tuple(notes)
    )


STEPS = Format("steps", "Steps of the tests", lambda each: "steps" in each.top, read)


@pytest.fixture
def steps(monkeypatch):
    """The format of the tests, known to all."""
    monkeypatch.setattr(known, "FORMATS", {"steps": "trioflow_test_steps", **FORMATS})
    monkeypatch.setattr(known, "format_named", lambda name: STEPS if name == "steps" else format_named(name))


def test_the_format_is_known_by_the_document(steps):
    """The first format that takes a document for one of its own has it; a graph of trioflow is none of anybody's."""
    assert detect(document_in('{"steps": []}')).name == "steps"
    assert detect(document_in('{"nodes": [], "version": 1}')).name == "nodeeditor"
    assert detect(document_in('{"trioflow": "1.0", "steps": []}')) is None
    assert detect(document_in("[1]")) is None
    assert detect(document_in("<steps/>")) is None


def test_all_known_formats_have_their_names():
    """The table leads to the formats, and a name that is not in it is told with the nearest."""
    assert [format_named(name).name for name in FORMATS] == [*FORMATS]
    with pytest.raises(ValueError, match="Did you mean 'nodeeditor'"):
        format_named("nodeditor")


def test_what_nobody_knows_is_said(steps):
    """A document without a format is refused with the formats that there are."""
    with pytest.raises(tf.DocumentError, match="not recognised. Formats that are known: steps, "):
        import_document(document_in('{"what": 1}', name="x.json"))


def test_findings_have_their_lines(steps):
    """Each finding is told with its path, and line and column in the text."""
    document = document_in('slow: true\nsteps:\n- mill\n- "grind"\n', syntax="yaml")
    assert [str(each) for each in import_document(document, REGISTRY).diagnostics] == [
        "error[no-counterpart] steps[0]: There is no step 'mill'. (line 3, column 3)",
        "error[no-counterpart] steps[1]: There is no step 'grind'. (line 4, column 3)",
        "info[differs] slow: It is slow. (line 1, column 7)",
    ]


def test_options_reach_the_format(steps):
    """What the caller wishes is the importer's to know."""
    said = import_document(document_in('{"steps": ["a"]}'), options=ImportOptions("theirs")).diagnostics
    assert said[-1].code == "differs"


def test_syntax_goes_by_name_and_by_how_a_text_begins(tmp_path):
    """YAML and XML are known by the name, XML also by its first character."""
    for name, text, syntax in (
        ("a.yml", "a: 1", "yaml"),
        ("a.json", "{}", "json"),
        ("a.bpmn", "<a/>", "xml"),
        ("a", "\ufeff <a/>", "xml"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert open_document(tmp_path / name).syntax == syntax
    assert document_in("<a/>").root.name == "a"
    assert document_in("<a/>").tree is None
    assert document_in("{}").root is None
    assert document_in("<a/>").position("a") is None


def test_keys_are_texts():
    """In YAML keys may be numbers and truth values: here they are texts. Lists stay lists."""
    document = document_in("2: a\ntrue: b\n~: {2.5: [{3: c}]}", syntax="yaml")
    assert document.tree == {"2": "a", "true": "b", "": {"2.5": [{"3": "c"}]}}
    assert document.top == {"2", "true", ""}
    assert document_in("[]").top == frozenset()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &x 1\nb: *x", "anchors"),
        ("a: !!python/object:os.system 1", "tags"),
        ("a: 1\na: 2", "the document: these keys occur more than once: 'a'"),
        ("a: [{b: .nan}]", r"a\[0\].b: nan is not a value that JSON has"),
        ("a: [1", "line 2, column 1: did not find expected"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_hostile_yaml_is_refused(text, problem):
    """Whatever JSON can't say is told with its place."""
    with pytest.raises(tf.DocumentError, match=problem):
        _ = document_in(text, syntax="yaml").tree


def test_files_that_are_named_are_read_too(steps, tmp_path):
    """Each file once, whatever format it has; what is said of them has their names. A missing one is validation's."""
    (tmp_path / "outer.json").write_text('{"steps": ["call inner.yaml", "call none.json"]}', encoding="utf-8")
    (tmp_path / "inner.yaml").write_text("steps: [mill, call own.json, call outer.json]", encoding="utf-8")
    interface = {"entries": [{"name": "enter"}], "exits": [{"name": "then"}]}
    own = {"trioflow": "1.0", "interface": interface, "nodes": [{"id": "e", "type": "graph.enter"}]}
    (tmp_path / "own.json").write_text(json.dumps(own), encoding="utf-8")
    imported = load(tmp_path / "outer.json")
    assert imported.formats == {"steps"}
    assert [each.path for each in imported.diagnostics] == ["inner.yaml: steps[0]"]
    problems = [str(each) for each in tf.validate(imported.graph, REGISTRY).problems if each.severity.value == "error"]
    assert "none.json can't be read" in problems[0]
    assert "inner.yaml: nodes[1].type" in problems[1]


def test_own_graphs_are_loaded_as_ever(tmp_path):
    """A graph of trioflow is no import."""
    tf.save(tf.Graph(nodes=[tf.GraphNode("s", "flow.start")]), tmp_path / "g.yaml")
    imported = load(tmp_path / "g.yaml")
    assert imported == Imported(tf.load(tmp_path / "g.yaml"))


def test_a_format_that_recurses_says_so():
    """A document that is nested too deeply for its reader is refused, too."""

    def fall(*_):
        raise RecursionError

    with pytest.raises(tf.DocumentError, match="nested too deeply"):
        import_document(document_in("{}"), format=attrs.evolve(STEPS, read=fall))


def test_a_graph_alone_is_an_import():
    """A document knows nothing of a file unless it came from one."""
    document = Document("x", "{}")
    assert (document.path, document.is_ours) == (None, False)
    assert Imported(tf.Graph()).errors == ()
