"""Documents of ExecutionEngine and DiPeO that their own projects ship: each is read, checked, drawn, and run as meant.

They are not part of this project: the environment variable TRIOFLOW_CORPORA names the folder that has them, in
`execution-engine` and `dipeo`.
"""

from __future__ import annotations

import json
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import pytest
import trio

import trioflow as tf
from trioflow.formats import to_svg, to_text
from trioflow.formats.known import format_named, import_document, load
from trioflow.formats.placeholder import shaped
from trioflow.formats.port import ImportOptions, document_in, open_document
from trioflow.formats.stub import stubs
from trioflow.model.collecting import uncollected

FOLDER = Path(os.environ.get("TRIOFLOW_CORPORA", "nowhere"))
pytestmark = [
    pytest.mark.outside,
    pytest.mark.unmeasured,
    pytest.mark.skipif(
        not (FOLDER / "dipeo").is_dir(), reason="TRIOFLOW_CORPORA names no folder of documents of others"
    ),
]
ENGINE = sorted(FOLDER.glob("execution-engine/*.*"))
DIPEO = sorted(each for each in FOLDER.glob("dipeo/*.*") if each.suffix in {".yaml", ".json"})
REGISTRY = tf.Registry.standard(allow=["scripts"])


def name(path: object) -> str:
    """What a test calls a document; something else where there are none."""
    return f"{path.parent.name}/{path.name}" if isinstance(path, Path) else "none"


@pytest.mark.parametrize("path", [*ENGINE, *DIPEO], ids=name)
def test_each_is_read_checked_and_drawn(path):
    """All that is wrong is said by the import, with its place; the rest of the graph is valid, and is drawn."""
    result = load(path, REGISTRY)
    graph = shaped(result.graph)
    problems = [each for each in tf.validate(graph, REGISTRY).problems if each.severity is tf.Severity.ERROR]
    assert [str(each) for each in problems if each.path not in result.placeholders] == []
    assert all(each.path and (each.position or ": " in each.path) for each in result.diagnostics)
    known = ("no-counterpart", "missing-file", "template")
    assert {each.code for each in result.errors} <= {*known}
    assert all(each.id in to_text(graph, REGISTRY) for each in graph.nodes)
    assert to_svg(graph, REGISTRY).startswith("<svg")


@pytest.mark.parametrize("path", [*ENGINE, *DIPEO], ids=name)
def test_each_is_exported(path):
    """What was imported is exported, and imported again it is the same graph."""
    format_ = format_named("executionengine" if path in ENGINE else "dipeo")
    document = open_document(path)
    graph = format_.read(document, REGISTRY, ImportOptions()).graph
    again = document_in(format_.write(graph, REGISTRY), path=path, syntax="yaml")
    alike = format_.read(again, REGISTRY, ImportOptions()).graph
    assert alike == graph


def run(path: Path, answers: dict[str, Any]) -> tuple[tf.RunResult, list[str], list[str]]:
    """Run a document with answers for nodes: the result, the nodes that ran, and what code said."""
    registry = tf.Registry.standard(allow=["scripts"])
    for node_id, body in stubs(answers).items():
        registry.body(node_id, body)
    for each in load(path, REGISTRY).graph.all_nodes():
        if each.type == "template.render" and each.id not in answers:
            registry.body(each.id, lambda template, inputs: jinja2.Template(template).render(**inputs))
    result = load(path, registry)
    assert [str(each) for each in result.errors] == []
    ran: list[str] = []
    said: list[str] = []

    def see(event: Any) -> None:
        if type(event).__name__ == "Feedback":
            said.append(event.message)
        elif event.node != "<scope>":
            ran.append(event.node)

    watch = tf.observe(see, kinds=["NodeStarted", "Feedback"])
    return trio.run(partial(tf.run, result.graph, registry=registry, observers=[watch])), ran, said


@pytest.mark.parametrize("path", ENGINE, ids=name)
def test_engine_dry(path):
    """With an answer for all nodes that are C#, each runs to its end, and each node of the definition once."""
    _, ran, _ = run(path, {"*": {"done": 1}})
    tree = open_document(path).tree
    handlers = {each["targetNodeId"] for each in tree["connections"] if each["triggerMessageType"] == "Fail"}
    for node in tree["nodes"]:
        assert ran.count(node["nodeId"]) == (0 if node["nodeId"] in handlers else 1)


def test_sequential_and_parallel_definitions():
    """Steps one after the other; two analyses between the beginning and one report, which gets both."""
    assert run(FOLDER / "execution-engine/Sequential.yaml", {"*": {}})[1] == [
        "validate-order", "process-payment", "send-confirmation",
    ]  # fmt: skip
    _, ran, _ = run(FOLDER / "execution-engine/Parallel.yaml", {"*": {}})
    assert (ran[0], ran[-1], sorted(ran[1:3])) == (
        "fetch-data", "generate-report", ["analyze-inventory", "analyze-sales"],
    )  # fmt: skip


def test_a_failure_leads_to_the_handler():
    """What is wired for failures runs when there is one, and what was wired for success does not."""
    for ending in ("json", "yaml"):
        answers = {"fetch-data": {"$fail": "no network"}, "*": {}}
        _, ran, _ = run(FOLDER / f"execution-engine/simple-workflow.{ending}", answers)
        assert ran == ["start", "fetch-data", "error-handler"]


def test_a_container_gives_what_its_children_gave():
    """As the finish of the example reads it."""
    seen: dict[str, Any] = {}
    registry = tf.Registry.standard()
    for node, body in stubs({"*": {}, "check-network": {"networkStatus": "OK"}}).items():
        registry.body(node, body)
    registry.body("finish", lambda input: seen.update(input))
    result = load(FOLDER / "execution-engine/ContainerExample.yaml", registry)
    trio.run(partial(tf.run, result.graph, registry=registry))
    assert (seen["TotalChildren"], seen["CompletedChildren"], seen["ExecutionMode"]) == (3, 3, "Parallel")
    assert seen["ChildResults"]["check-network"] == {"networkStatus": "OK"}
    assert {*seen["ChildResults"]} == {"check-network", "check-storage", "check-prereqs"}


def test_a_subflow_is_called_for_each_machine():
    """The deployment calls the other definition three times, each with the name of the workflow's variable."""
    seen: list[Any] = []
    registry = tf.Registry.standard()
    registry.body("*", dict)
    registry.body("os-update", lambda input: seen.append(input))
    registry.body("mocarc-update", lambda: {"deploymentStatus": "Success"})
    result = load(FOLDER / "execution-engine/azs_deployment.yaml", registry)
    trio.run(partial(tf.run, result.graph, registry=registry))
    assert seen == [{"nodeName": "AzS-Node"}] * 3


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of its own, with the files that diagrams read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "files" / "uploads").mkdir(parents=True)
    (tmp_path / "files" / "uploads" / "questions.txt").write_text("Cycle?")
    (tmp_path / "files" / "uploads" / "sample_data.csv").write_text("name,amount\nA,1\nB,2\n")
    return tmp_path


def test_hello_world():
    """From the start to the end."""
    assert run(FOLDER / "dipeo/hello_world.yaml", {})[0].output("end", "kept") == {}


@pytest.mark.parametrize(
    "diagram", ["simple_iter.light.yaml", "simple_iter.native.json", "my_workflow.yaml", "test_diagram.yaml",
                "stdin_test_workflow.yaml", "test_simple_iter.yaml", "simple_iter_shorthand.light.yaml"],
)  # fmt: skip
def test_a_person_is_asked_three_times(folder, diagram):
    """And then how often it has answered; what it says is written to a file."""
    _, ran, _ = run(FOLDER / "dipeo" / diagram, {"printer": "hi", "ask": "Three times.", "*": None})
    most = [node for node in load(FOLDER / "dipeo" / diagram).graph.nodes if node.id == "printer"]
    wanted = most[0].metadata["dipeo"]["props"]["max_iteration"]
    assert (ran.count("printer"), ran.count("ask")) == (wanted, 1)


@pytest.mark.parametrize(
    ("diagram", "first", "second", "judge"),
    [("debate.light.yaml", "Optimist", "Pessimist", "Judge Panel"),
     ("debatev1.readable.yaml", "Optimist panel", "Pessimist panel", "Judge panel")],
)  # fmt: skip
def test_a_debate(folder, diagram, first, second, judge):
    """By turns, two of the one and three of the other, and then the judge, whose verdict is written to a file."""
    _, ran, _ = run(FOLDER / "dipeo" / diagram, {first: "yes", second: "no", judge: "Both are right."})
    turns = [each for each in ran if each in {first, second, judge}]
    assert turns == [first, second, first, second, second, judge]
    assert (folder / "files/results/output.txt").read_text() == "Both are right."


def test_questions_and_a_greeting(folder):
    """Two questions, and a person who is told both answers."""
    result, _, _ = run(
        FOLDER / "dipeo/user_input_demo.light.yaml", {"ask_name": "Ada", "ask_age": "36", "greet": "Hi!"}
    )
    assert result.output("greet prompt", "result") == (
        "Generate a personalized greeting for Ada who is 36 years old. Be friendly and warm!"
    )
    assert (folder / "files/results/greeting.txt").read_text() == "Hi!"


def test_data_is_cleaned_and_reported(folder):
    """Code of the diagram runs: it reads the table, counts, and writes the report."""
    run(FOLDER / "dipeo/simple_data_processing.light.yaml", {"analyze patterns": "It grows."})
    text = (folder / "files/results/data_processing_report.md").read_text()
    for expected in ("**Dataset**: sales_data", "- Total Rows: 2", "It grows.", "Data quality: 100.0%"):
        assert expected in text


def test_replies_with_a_schema(folder):
    """Code prints what it found in the reply of a person."""
    person = {
        "person": {"name": "John Doe", "age": 35, "occupation": "engineer", "location": "SF", "skills": ["Python"]}
    }
    answers = {"extract_person_info": person, "generate_ui_example": {"component": {"type": "div"}}}
    result, _, said = run(FOLDER / "dipeo/text_format_pydantic_demo.light.yaml", answers)
    assert "Name: John Doe" in said
    assert "Skills: Python" in said
    assert json.loads("\n".join(said[said.index("=== Raw JSON ===") + 1 :])) == person
    assert result.output("endpoint", "kept") is not None


@pytest.mark.parametrize("kind", ["definition", "code", "condition", "person"])
def test_ten_thousand_nodes(kind):
    """Are imported and checked within two seconds of the processor."""
    count = 10_000
    if kind == "definition":
        tree: Any = {
            "workflowId": "w",
            "nodes": [{"nodeId": f"n{i}", "runtimeType": "CSharpScript", "scriptContent": "x"} for i in range(count)],
            "connections": [
                {"sourceNodeId": f"n{i}", "targetNodeId": f"n{i + 1}", "triggerMessageType": "Complete"}
                for i in range(count - 1)
            ],
        }
    else:
        type_, props = {
            "code": ("code_job", {"language": "python", "code": "result = 1"}),
            "condition": ("condition", {"condition_type": "custom", "expression": "x == 1"}),
            "person": ("person_job", {"person": "Ada", "default_prompt": "Say {{x}}", "max_iteration": 1}),
        }[kind]
        way = "[condtrue]" if kind == "condition" else ""
        tree = {
            "version": "light",
            "nodes": [{"label": f"n{i}", "type": type_, "props": props} for i in range(count)],
            "connections": [{"from": f"n{i}{way}", "to": f"n{i + 1}", "label": "x"} for i in range(count - 1)],
        }
    text = json.dumps(tree)
    taken = []
    for _ in range(2):
        start = time.process_time()
        with uncollected():  # as `trioflow check` does it
            result = import_document(document_in(text), REGISTRY)
            tf.validate(shaped(result.graph), REGISTRY)
        taken.append(time.process_time() - start)
    assert min(taken) < 2
