"""Tasks that run something, and those that leave their work to others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import trio
from formats.serverless.workflows import HEAD, graph_of, imported, said

import trioflow as tf
from trioflow.cli import main
from trioflow.formats.known import import_document, load
from trioflow.formats.port import document_in, open_document
from trioflow.formats.serverless import WorkflowError
from trioflow.formats.stub import stubs


def ran(text: str, input: Any = None) -> Any:
    async def main() -> Any:
        variables = {} if input is None else {"input": input}
        registry = tf.Registry.standard(allow=["scripts"])
        return await tf.run(graph_of(text), registry=registry, variables=variables, options=tf.RunOptions(timeout=20))

    return trio.run(main).variables["output"]


def shell(command: str, more: str = "", run: str = "", task: str = "") -> str:
    return f"do: [{{r: {{run: {{shell: {{command: '{command}'{more}}}{run}}}{task}}}}}]"


def test_a_shell_command():
    text = shell("cat; echo $1 $A", ", stdin: '${ .text }', arguments: [x, '${ .n }'], environment: {A: '${ .n }'}")
    assert ran(text, {"text": "hi ", "n": "7"}) == "hi x 7\n"
    assert ran(shell("cat", ", stdin: '${ . }'"), {"a": 1}) == '{"a": 1}'


def test_what_a_process_gives():
    command = "echo out; echo err >&2; exit 3"
    assert ran(shell(command, run=", return: code")) == 3
    assert ran(shell(command, run=", return: all")) == {"code": 3, "stdout": "out\n", "stderr": "err\n"}
    assert ran(shell("echo err >&2", run=", return: stderr")) == "err\n"
    assert ran(shell("echo x", run=", return: none"), {"n": 1}) == {"n": 1}
    with pytest.raises(WorkflowError, match="It ended with exit code 3: err"):
        ran(shell(command))
    with pytest.raises(WorkflowError, match="It ended with exit code 4."):
        ran(shell("exit 4"))


def test_a_process_that_takes_too_long_or_writes_too_much(monkeypatch):
    with pytest.raises(WorkflowError, match="it took longer than 0.1 s"):
        ran(shell("sleep 60", task=", timeout: {after: {milliseconds: 100}}"))
    monkeypatch.setattr("trioflow.formats.serverless.nodes.processes._MOST", 10)
    with pytest.raises(WorkflowError, match="It wrote more than 10 bytes"):
        ran(shell("yes | head -c 100"))


def script(described: str) -> str:
    return f"do: [{{r: {{run: {{script: {{{described}}}}}}}}}]"


def test_scripts(tmp_path):
    text = """
    do:
    - r:
        run:
          script:
            language: python
            arguments: [a]
            environment: {A: b}
            stdin: c
            code: |
              import sys, os
              print(sys.argv[1], os.environ["A"], sys.stdin.read())
    """
    assert ran(text) == "a b c\n"
    path = tmp_path / "x.py"
    path.write_text("print(5)")
    assert ran(script(f"language: python, source: {{endpoint: 'file://{path}'}}")) == "5\n"
    path.unlink()
    with pytest.raises(WorkflowError, match="can't be read"):
        ran(script(f"language: python, source: {{endpoint: 'file://{path}'}}"))
    with pytest.raises(WorkflowError, match="What runs 'cobol' is not understood"):
        ran(script("language: cobol, code: x"))


def test_a_language_that_is_not_here(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(WorkflowError, match="What runs 'javascript' is not here"):
        ran(script("language: javascript, code: x"))


def test_scripts_need_to_be_allowed():
    for text in (shell("true"), script("language: python, code: x")):
        (problem,) = tf.validate(graph_of(text), tf.Registry.standard()).problems
        assert "not allowed here" in problem.message


OTHER = """
document: {dsl: '1.0.3', namespace: test, name: other, version: VERSION}
input: {from: .n}
do:
- a: {set: {n: '${ $input + ADD }'}}
- b: {if: '.n < 10', run: {workflow: {namespace: test, name: other, version: VERSION}}}
"""


def folder_of(path: Path) -> Path:
    for version, add in (("1.0.0", 1), ("1.10.0", 4), ("1.9.0", 3)):
        text = OTHER.replace("VERSION", f"'{version}'").replace("ADD", str(add))
        (path / f"other-{version}.yaml").write_text(text)
    (path / "broken.json").write_text("{")
    (path / "note.json").write_text("[]")
    return path


def calling(path: Path, described: str, more: str = "") -> Any:
    main = folder_of(path) / "main.yaml"
    main.write_text(f"{HEAD}do: [{{c: {{run: {{workflow: {{namespace: test, name: other, {described}}}{more}}}}}}}]")
    found = load(main)
    assert not found.errors, found.errors
    return trio.run(lambda: tf.run(found.graph, variables={"input": {"n": 1}})).variables["output"]


def test_workflows_call_workflows_beside_them(tmp_path):
    """Also themselves, and the newest version of others."""
    assert calling(tmp_path, "version: '1.0.0'") == {"n": 10}
    assert calling(tmp_path, "version: latest") == {"n": 13}
    assert calling(tmp_path, "version: '1.9.0', input: {n: '${ .n + 20 }'}") == {"n": 24}
    assert calling(tmp_path, "version: '1.0.0'", ", return: none") == {"n": 1}


def test_what_is_wrong_with_a_workflow_that_is_called(tmp_path):
    (tmp_path / "other.yaml").write_text(
        "document: {dsl: '1.0.3', namespace: test, name: other, version: '1'}\ndo: [{a: {set: '${ 1 + }'}}]"
    )
    (tmp_path / "main.yaml").write_text(
        f"{HEAD}do: [{{c: {{run: {{workflow: {{namespace: test, name: other, version: '1'}}}}}}}}]"
    )
    (error,) = load(tmp_path / "main.yaml").errors
    assert (error.path, error.message[:36]) == ("do[0].c.run", "test/other/1: do[0].a.set: '1 +' is ")


PLACEHOLDERS = """
do:
- a: {call: grpc, with: {proto: {endpoint: 'file://x'}, service: {name: s, host: h}, method: m, arguments: {n: '${ .n }'}}}
- b: {run: {container: {image: hello, stdin: '${ .n }'}, return: all}}
- c: {run: {workflow: {namespace: no, name: where, version: '1'}}}
- d: {call: 'https://x.test/f.yaml', with: {n: 1}}
- e: {call: asyncapi, with: {subscription: {filter: '${ $message }', consume: {amount: 1}}}}
"""


def test_what_others_do_is_a_placeholder():
    found = imported(PLACEHOLDERS)
    assert [(each.code, each.path, each.node) for each in found.diagnostics] == [
        ("placeholder", "do[0].a", "a.grpc"),
        ("placeholder", "do[1].b", "b.container"),
        ("placeholder", "do[2].c", "c.missing_workflow"),
        ("placeholder", "do[3].d", "d.catalogued"),
        ("placeholder", "do[4].e", "e.asyncapi"),
    ]


def test_placeholders_get_bodies_from_the_host():
    registry = tf.Registry.standard()
    given: dict[str, Any] = {}

    def answer(name: str) -> Any:
        def body(input: Any) -> Any:
            given[name] = input
            return {"n": len(given)}

        return body

    for name in ("a.grpc", "b.container", "c.missing_workflow", "d.catalogued", "e.asyncapi"):
        registry.body(name, answer(name))
    found = import_document(document_in(HEAD + PLACEHOLDERS, syntax="yaml"), registry)
    assert not found.errors
    result = trio.run(lambda: tf.run(found.graph, registry=registry, variables={"input": {"n": 0}}))
    assert result.variables["output"] == {"n": 5}
    assert given["a.grpc"]["arguments"] == {"n": 0}
    assert given["b.container"]["container"]["stdin"] == 1
    assert (given["c.missing_workflow"], given["d.catalogued"]) == ({"n": 2}, {"n": 1})


def test_placeholders_are_answered_by_stubs():
    registry = tf.Registry.standard()
    for name, body in stubs({"*": {"$value": {"output": {"n": 3}}}}).items():
        registry.body(name, body)
    found = import_document(document_in(HEAD + PLACEHOLDERS, syntax="yaml"), registry)
    result = trio.run(lambda: tf.run(found.graph, registry=registry))
    assert result.variables["output"] == {"n": 3}


ANSWERED = """
do:
- a: {call: http, with: {method: get, endpoint: 'https://x.test/{id}'}, output: {as: .n}}
- a2: {do: [{a: {run: {shell: {command: 'true'}}, if: '. == 3'}}, {b: {wait: PT1H}}]}
- c: {try: [{d: {listen: {to: {any: []}}}}], catch: {do: [{e: {set: {caught: '${ $error.detail }'}}}]}}
"""


def test_any_task_may_be_answered():
    """What is around its work stays: conditions, input, output, errors that are caught."""
    given: dict[str, Any] = {}
    answers = {"a": {"n": 3}, "a 2": 4, "b": {"$value": {"output": 5}}, "d": {"$fail": "nobody"}}
    registry = tf.Registry.standard()
    for name, body in stubs(answers).items():

        def noting(input: Any, *, name: str = name, body: Any = body) -> Any:
            given[name] = input
            return body()

        registry.body(name, noting)
    found = import_document(document_in(HEAD + ANSWERED, syntax="yaml"), registry)
    assert not found.errors
    result = trio.run(lambda: tf.run(found.graph, registry=registry, variables={"input": {"id": 1}}))
    assert result.variables["output"] == {"caught": "StubbedFailure: nobody"}
    assert given == {
        "a": {"method": "get", "endpoint": "https://x.test/{id}"},
        "a 2": {"shell": {"command": "true"}},
        "b": 4,
        "d": 5,
    }


def test_tasks_of_workflows_that_are_called_may_be_answered(tmp_path):
    main = folder_of(tmp_path) / "main.yaml"
    main.write_text(HEAD + "do: [{c: {run: {workflow: {namespace: test, name: other, version: '1.0.0'}}}}]")
    for name in ("test/other/1.0.0/a", "a"):
        registry = tf.Registry.standard()
        registry.body(name, lambda: {"n": 50})
        found = load(main, registry)
        result = trio.run(lambda r=registry, f=found: tf.run(f.graph, registry=r, variables={"input": {"n": 1}}))
        assert result.variables["output"] == {"n": 50}


def test_what_is_awaited_all_the_same():
    assert said(shell("true", run=", await: false")) == [
        "info[awaits] do[0].r.run.await: It is waited for all the same."
    ]


def test_the_command_line(tmp_path, capsys):
    path = tmp_path / "hello.yaml"
    greet = "do: [{a: {set: {greeting: '${ \"Hello \\(.name)\" }'}}}, {b: {run: {shell: {command: 'echo $1', arguments: ['${ .greeting }']}}}}]"
    path.write_text(HEAD + greet)

    def run(*args: str) -> tuple[int, str, str]:
        code = main(args)
        return code, *capsys.readouterr()

    code, output, _ = run("check", str(path))
    assert (code, "scripts, which run only with --allow scripts: b" in output) == (0, True)
    code, _, errors = run("run", str(path))
    assert (code, "--allow scripts" in errors) == (2, True)
    assert run("draw", str(path), "--format", "text")[0] == 0
    code, output, _ = run("run", str(path), "--allow", "scripts", "--json", "--set", 'input={"name": "Ada"}')
    assert (code, json.loads(output)["variables"]["output"]) == (0, "Hello Ada\n")
    graph = tmp_path / "graph.json"
    assert run("import", str(path), "-o", str(graph))[0] == 0
    assert run("export", str(graph), "-o", str(tmp_path / "again.yaml"))[0] == 0
    assert open_document(tmp_path / "again.yaml").tree == open_document(path).tree
