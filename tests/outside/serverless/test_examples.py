"""The examples of the standard are read, checked, drawn and written again, and do what their authors say."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from formats.serverless.server import Server, as_json, serving
from formats.serverless.test_events import event

import trioflow as tf
from trioflow.formats import to_svg
from trioflow.formats.known import load
from trioflow.formats.port import open_document
from trioflow.formats.serverless import Events, Hosts, WorkflowError
from trioflow.formats.serverless.exporting import write_tree
from trioflow.formats.stub import stubs

FOLDER = Path(os.environ.get("TRIOFLOW_CORPORA", "nowhere")) / "serverless-workflow" / "examples"

pytestmark = [
    pytest.mark.outside,
    pytest.mark.unmeasured,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="TRIOFLOW_CORPORA names no folder with the examples of the standard"
    ),
]
EXAMPLES = sorted(FOLDER.glob("*.yaml")) if FOLDER.is_dir() else []
REGISTRY = tf.Registry.standard(allow=["scripts"])
ELSEWHERE = {"call-asyncapi": 5, "call-custom-function-cataloged": 1, "call-grpc": 1, "call-mcp": 1, "run-container": 6}
ELSEWHERE |= {"run-return": 4, "run-subflow": 1}
"""What is done by others: how many examples whose names begin like that have a placeholder."""


def test_all_are_read_checked_drawn_and_written():
    found: dict[str, list[str]] = {}
    for path in EXAMPLES:
        read = load(path, REGISTRY)
        found[path.stem] = [each.code for each in read.diagnostics if each.severity != "info"]
        problems = {each.code for each in tf.validate(read.graph, REGISTRY).problems}
        assert problems == ({"unknown-node-type"} if found[path.stem] else set()), path.stem
        drawn = to_svg(read.graph, REGISTRY)
        tasks = [node for node in read.graph.nodes if "reference" in node.inputs]
        assert tasks and all(f">{node.id}<" in drawn for node in tasks), path.stem
        assert write_tree(read.graph) == open_document(path).tree, path.stem
    assert len(found) == 66
    assert {name for name, codes in found.items() if codes} == {
        path.stem for path in EXAMPLES if path.stem.startswith(tuple(ELSEWHERE))
    }
    assert all(set(codes) <= {"placeholder"} for codes in found.values())
    counts = {begin: sum(name.startswith(begin) for name in found) for begin in ELSEWHERE}
    assert counts == ELSEWHERE


@attrs.frozen
class Ran:
    """How one has ended: with an output or an error, and what it asked for."""

    output: Any
    error: WorkflowError | None
    asked: list[tuple[str, str, Any]]


def run(name: str, input: Any = None, *sent: Any, answers: Mapping[str, Any] | None = None, dry: bool = False) -> Ran:
    """Run an example: all hosts are one server, which answers these paths; `dry` answers what is done by others."""
    registry, server, events = tf.Registry.standard(allow=["scripts"]), Server(dict(answers or {})), Events()
    if dry:
        for stubbed, body in stubs({"*": {"$value": {"output": "done"}}}).items():
            registry.body(stubbed, body)
    for each in sent:
        events.send(each)

    class Anywhere(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            return self["url"]

    async def main() -> Any:
        async with serving(server) as url:
            result = await tf.run(
                load(FOLDER / f"{name}.yaml", registry).graph,
                registry=registry,
                variables={} if input is None else {"input": input},
                services={Hosts: Hosts(Anywhere(url=url)), **({Events: events} if sent else {})},
                options=tf.RunOptions(timeout=30),
            )
            return result.variables["output"]

    def asked() -> list[tuple[str, str, Any]]:
        return [(method, target, json.loads(body) if body else None) for method, target, _, body in server.asked]

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NO_PROXY", "*")
            return Ran(trio.run(main), None, asked())
    except ExceptionGroup as group:
        (error,) = group.exceptions
        assert isinstance(error, WorkflowError), error
        return Ran(None, error, asked())


def test_what_others_do_is_answered_by_stubs():
    ran = [run(path.stem, dry=True) for path in EXAMPLES if path.stem.startswith(tuple(ELSEWHERE))]
    assert [each.output for each in ran if each.error is not None or each.output not in ("done", {})] == []


def test_what_can_not_run_without_the_world_says_why():
    """Nothing is given, nobody answers: each ends by itself, with an output or an error that has a place."""
    for path in EXAMPLES:
        if path.stem.startswith((*ELSEWHERE, "wait-", "run-script", "try-catch-retry")):
            continue
        ran = run(path.stem)
        assert ran.error is None or (ran.error.detail or ran.error.title), path.stem
        assert ran.error is None or ran.error.instance.startswith("/"), path.stem


def test_decisions():
    for given, expected in (
        ({"orderType": "electronic"}, {"validate": True, "status": "fulfilled"}),
        ({"orderType": "physical"}, {"inventory": "clear", "items": 1, "address": "Elmer St"}),
        ({"orderType": "else"}, {"log": "warn", "message": "something's wrong"}),
    ):
        assert run("switch-then-string", given).output == expected
    error = run("conditional-task", {"customer": {"age": 17}}).error
    assert error is not None and (error.status, error.title) == (400, "Access Forbidden")
    ran = run("conditional-task", {"customer": {"age": 18}, "bet": 5}, answers={"/api/bet/on/football": as_json("ok")})
    assert (ran.output, ran.asked[0][:2]) == ("ok", ("POST", "/api/bet/on/football"))


def test_errors_are_raised_and_caught():
    for name in ("raise-inline", "raise-reusable"):
        error = run(name).error
        assert error is not None and error.status == 500 and "is a work in progress" in (error.detail or "")
    ran = run("try-catch-then", {"petId": 7})
    assert (ran.output, ran.asked) == ({"error": "$error"}, [("GET", "/v2/pet/7", None)])  # a text, says a note
    ran = run("try-catch-then", {"petId": 7}, answers={"/v2/pet/7": as_json({"petId": 7})})
    assert ran.asked == [("GET", "/v2/pet/7", None), ("PUT", "/v2/pet/7", {"petId": 7, "status": "sold"})]


def test_calls_follow_each_other():
    ran = run("do-multiple", {"petId": 7}, answers={"/v2/pet/7": as_json({"petId": 7})})
    assert ran.asked[1] == ("PUT", "/v2/pet/7", {"petId": 7, "status": "sold"})
    world = {"/api/people/1": as_json({"homeworld": "https://swapi.dev/api/planets/1"}), "/api/planets/1": as_json("T")}
    assert run("star-wars-homeworld", {"id": 1}, answers=world).output == "T"
    error = run("star-wars-homeworld", {"id": "one"}).error
    assert error is not None and error.type.endswith("/validation") and "'one' is not of type 'integer'" in error.detail
    ran = run("call-http-query-headers-expressions", {"searchQuery": "Luke"}, answers={"/api/people/": as_json(1)})
    assert ran.asked == [("GET", "/api/people/?search=Luke", None)]


def test_events():
    hot = event("com.fake-hospital.vitals.measurements.temperature", {"temperature": 39})
    cool = event("com.fake-hospital.vitals.measurements.temperature", {"temperature": 37})
    slow = event("com.fake-hospital.vitals.measurements.bpm", {"bpm": 50})
    assert run("listen-to-all", None, cool, slow, hot).output == [slow["data"], hot["data"]]
    assert run("listen-to-any-until-condition", None, *[event("x", n) for n in range(6)]).output == [0, 1, 2, 3]
    assert (
        run("set", None, event("io.serverlessworkflow.samples.events.trigger.v1", 5)).output["startEvent"]["data"] == 5
    )
    ran = run("emit")
    assert ran.output["data"]["items"] == [{"breed": "dalmatian", "quantity": 101}]


def test_processes():
    assert run("run-shell-stdin-and-arguments").output == "STDIN was: Hello World\nARGS are Foo Bar\n"
    if shutil.which("node"):
        output = run("run-script-with-stdin-and-arguments").output
        assert output == "stdin >  Hello Workflow\narg >  hello\nenv >  bar\n"
