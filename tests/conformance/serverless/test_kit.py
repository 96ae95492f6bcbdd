"""The conformance kit of another standard: what passes, what fails and why, and what is no feature."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from trioflow.cli.conformance import conformance
from trioflow.conformance.serverless.gherkin import BadFeature, Scenario, Step, read_feature
from trioflow.conformance.serverless.kit import judge
from trioflow.conformance.serverless.stubs import HTTPBIN, PETSTORE, answer, serving

KIT = Path(os.environ.get("TRIOFLOW_CORPORA", "nowhere")) / "serverless-workflow" / "ctk"
HEAD = "document: {dsl: '1.0.3', namespace: test, name: test, version: '1.0.0'}"


def feature(do: str, *steps: str) -> str:
    lines = [
        "Feature: Ours",
        "  As a test",
        "  Scenario: One",
        "    Given a workflow with definition:",
        '    """yaml',
        f"    {HEAD}",
        *(f"    {line}" for line in do.splitlines()),
        '    """',
        *(f"    {line}" for line in "\n".join(steps).splitlines()),
    ]
    return "\n".join(lines)


def problem(do: str, *steps: str) -> str:
    (verdict,) = judge(read_feature(feature(do, *steps), "ours"))
    return verdict.problem


GREET = "do: [{a: {set: {x: {y: 1}, list: [1, 2]}}}, {b: {if: 'false', set: {x: 2}}}]"
RUN = "When the workflow is executed"
DONE = "Then the workflow should complete"


def text(value: str) -> str:
    return f'"""yaml\n{value}\n"""'


def test_what_passes():
    assert not problem(
        GREET,
        "And given the workflow input is:",
        text("n: 1"),
        RUN,
        "Then the workflow should complete with output:",
        text("x: {y: 1}\nlist: [1, 2]"),
        "And the workflow output should have properties 'x', 'x.y'",
        "And the workflow output should have a 'x.y' property with value:",
        text("1"),
        "And the workflow output should have a 'list' property containing 2 items",
        "And a should run first",
        "And b should run after a",
        "And b should run last",
    )


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([DONE], "The workflow was not executed."),
        ([RUN], "It has no step that judges anything."),
        ([RUN, "Then all is well"], "This step is not understood: all is well"),
        ([RUN, "Then the workflow should complete with output:", text("x: 2")], "output should be"),
        ([RUN, "Then the workflow output should have properties 'x.z'"], "The output has no property 'x.z'"),
        ([RUN, "Then the workflow output should have a 'list' property containing 1 items"], "must have 1 items"),
        (
            [RUN, "Then the workflow output should have a 'x.y' property with value:", text("true")],
            "x.y should be True",
        ),
        ([RUN, "Then the workflow should fault"], "The workflow completed with"),
        ([RUN, "Then b should run first"], "b should run first, and these ran: a, b."),
        ([RUN, "Then a should run after b"], "a should run after b, and these ran: a, b."),
    ],
)
def test_what_fails(steps, reason):
    assert reason in problem(GREET, *steps)


def test_workflows_that_fault_and_that_are_none():
    fails = "do: [{a: {raise: {error: {type: 'https://x.test/no', status: 400}}}}]"
    fault = ["Then the workflow should fault with error:"]
    assert not problem(fails, RUN, *fault, text("status: 400\ninstance: /do/0/a"))
    assert problem(fails, RUN, *fault, text("status: 401")) == "status should be 401, got 400."
    assert problem(fails, RUN, DONE).startswith("The workflow faulted: https://x.test/no")
    assert "unknown-task" in problem("do: [{a: {nothing: 1}}]", RUN, DONE)
    assert "may be asked here" in problem(
        "do: [{a: {call: http, with: {method: get, endpoint: 'https://elsewhere.test'}}}]", RUN, DONE
    )


def test_the_stubs_answer_what_the_kit_asks():
    call = "call: http, with: {method: get, endpoint: {uri: 'https://%s'}}"
    pets = call % "petstore.swagger.io/v2/pet/findByStatus?status=available"
    assert not problem(f"do: [{{a: {{{pets}}}}}]", RUN, DONE)
    denied = call % "httpbin.org/basic-auth/me/secret"
    assert "(401, " in problem(f"do: [{{a: {{{denied}}}}}]", RUN, DONE)
    assert "404" in problem(f"do: [{{a: {{{call % 'httpbin.org/nowhere'}}}}}]", RUN, DONE)


def test_the_stubs_are_like_what_they_stand_for():
    """A pet has its own page, statuses their pets, and there is nothing else."""
    assert answer(PETSTORE, "/v2/pet/7", {})[1]["id"] == 7
    assert answer(PETSTORE, "/v2/pet/findByStatus?status=sold", {}) == (200, [])
    assert answer(PETSTORE, "/v2/swagger.json", {})[0] == 200
    for host, target in ((PETSTORE, "/v2/pet/rex"), (PETSTORE, "/v2/x"), (HTTPBIN, "/get"), ("x.test", "/")):
        assert answer(host, target, {})[0] == 404
    right = {"authorization": "Basic " + base64.b64encode(b"me:secret").decode()}
    assert answer(HTTPBIN, "/basic-auth/me/secret", right) == (200, {"authenticated": True, "user": "me"})
    assert answer(HTTPBIN, "/basic-auth/me/other", right)[0] == 401


def test_the_stubs_speak_http_and_nothing_else():
    async def main() -> list[bytes]:
        async with serving() as instead:
            port = int(instead[PETSTORE].rpartition(":")[2])
            found = []
            for said in (
                b"GET /v2/pet/1 HTTP/1.1\r\nHost: petstore.swagger.io\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
                b"nonsense\r\n\r\n",
            ):
                stream = await trio.open_tcp_stream("127.0.0.1", port)
                async with stream:
                    await stream.send_all(said)
                    found.append(b"".join([each async for each in stream]))
            return found

    answered, nothing = trio.run(main)
    assert answered.startswith(b"HTTP/1.1 200") and b'"name": "Rex"' in answered
    assert nothing == b""


def test_scenarios_have_a_time_limit(monkeypatch):
    monkeypatch.setattr("trioflow.conformance.serverless.kit._LIMIT", 0.1)
    assert problem("do: [{w: {wait: PT1H}}]", RUN, DONE) == "It took longer than 0.1 s."


def test_what_is_no_feature():
    assert read_feature("Feature: x\n\n  Scenario: y\n    # said\n    Given z\n", "f") == [
        Scenario("f", "y", (Step("z"),))
    ]
    for wrong, reason in (
        ('Scenario: y\n"""\n"""', "there is no step"),
        ('Scenario: y\nGiven z\n"""yaml\na: 1', "does not end"),
        ("Scenario: y\nPerhaps z", "'Perhaps z' is not a step"),
    ):
        with pytest.raises(BadFeature, match=reason):
            read_feature(wrong, "f")


def test_the_command_prints_a_table(tmp_path):
    def run(*args):
        ran = CliRunner().invoke(conformance, ["serverless-workflow", str(tmp_path), *args], standalone_mode=False)
        return ran.return_value, ran.output, ran.exception

    assert "there is no scenario" in str(run()[2])
    (tmp_path / "one.feature").write_text(feature(GREET, RUN, DONE))
    assert run()[:2] == (0, "one  One  passed\n1 of 1 scenarios pass\n")
    (tmp_path / "two.feature").write_text(feature(GREET, RUN, "Then b should run first"))
    code, output, _ = run()
    assert (code, output.splitlines()[2:]) == (
        1,
        ["     b should run first, and these ran: a, b.", "1 of 2 scenarios pass"],
    )
    (tmp_path / "two.feature").write_text("Scenario: y\nPerhaps z")
    assert "is not a step" in str(run()[2])


@pytest.mark.outside
@pytest.mark.unmeasured
@pytest.mark.skipif(not KIT.is_dir(), reason="TRIOFLOW_CORPORA names no folder with the kit of the standard")
def test_the_kit_of_the_standard_passes():
    ran = CliRunner().invoke(conformance, ["serverless-workflow", str(KIT)], standalone_mode=False)
    assert (ran.return_value, ran.output.splitlines()[-1]) == (0, "21 of 21 scenarios pass"), ran.output
