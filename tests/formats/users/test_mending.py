"""Documents of some thirty elements, as their users write them; and what is said of typical mistakes, one cure each."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from formats.nodered.test_flows import printed_by

import trioflow as tf
from trioflow.formats.known import import_document
from trioflow.formats.port import document_in

FOLDER = Path(__file__).parent


def read(name, *mistakes):
    """A document, with mistakes in it: what stands in it, and what instead."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    for right, wrong in mistakes:
        assert right in text, right
        text = text.replace(right, wrong, 1)
    return import_document(document_in(text, path=FOLDER / name))


def test_a_modellers_process():
    imported = read("loan.bpmn")
    assert not imported.errors
    values = {"income": 50, "amount": 500}
    assert printed_by(imported.graph, variables={**values, "name": "Eve"}) == (["reported Eve"], 0)
    assert printed_by(imported.graph, variables={**values, "name": "Ada"}) == (["refused 0"], 0)
    richer = {"income": 90, "amount": 500, "name": "Bob"}  # nobody sends documents, and after two hours it is too late
    assert printed_by(imported.graph, variables=richer) == (["offer 1", "offer 2", "refused 400"], 7200)


def test_a_flow():
    imported = read("readings.json")
    assert not imported.diagnostics
    lines, seconds = printed_by(imported.graph)
    assert (sorted(lines), seconds) == (
        ["3 readings", "alarm: t2 at level 9", "h1 is fine: 45.5", "no value of x9", "t1 is fine: 21.4"],
        2.1,
    )


def test_a_workflow(tmp_path, monkeypatch, capsys):
    pytest.importorskip("yaml", reason="PyYAML is not installed")
    monkeypatch.chdir(tmp_path)
    imported = read("build.yml")
    assert not imported.errors
    trio.run(lambda: tf.run(imported.graph, registry=tf.Registry.standard(allow=["scripts"])))
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "build for linux -O2",
        "build for mac plain",
        "build success, release success",
        "cleaned up",
        "lint found something",
        "released 1.4.2: What is new in 1.4.2",
        "tests of 1.4.2",
        "widgets 1.4.2",
    ]


MISTAKES = [
    ("loan.bpmn", 'attachedToRef="verify"', 'attachedToRef="verfy"', "Did you mean 'verify'?"),
    ("loan.bpmn", 'errorRef="Error_fraud"', 'errorRef="Error_froud"', "Did you mean 'Error_fraud'?"),
    ("loan.bpmn", 'default="to_refuse"', 'default="to_refused"', "Name one of: to_offers, to_refuse."),
    ("loan.bpmn", 'messageRef="Message_docs"', 'messageRef="Message_doc"', "Did you mean 'Message_docs'?"),
    ("loan.bpmn", "PT2H", "14 days", "Write a duration such as PT5S"),
    ("loan.bpmn", 'targetRef="was_reminded"', 'targetRef="was_remind"', "Did you mean 'was_reminded'"),
    ("loan.bpmn", "score &gt; 100", "score &gt; ", "it ends too early"),
    ("loan.bpmn", "<bpmn:loopCardinality>2</bpmn:loopCardinality>", "", "Give it a loopCardinality"),
    ("loan.bpmn", 'parallelGateway id="joined"', 'paralelGateway id="joined"', "Did you mean 'parallelGateway'"),
    ("loan.bpmn", "income * 10 - amount", "income * 10 - (amount", "'(' was never closed"),
    ("loan.bpmn", "terminateEventDefinition", "cancelEventDefinition", "Put it into a transaction"),
    ("loan.bpmn", "timerEventDefinition>", "conditionalEventDefinition>", "no element found|mismatched"),
    ("loan.bpmn", 'sourceRef="', 'sourceref="', "Did you mean 'sourceRef'?"),
    ("loan.bpmn", 'sourceRef="', 'source="', "It has no sourceRef"),
    ("loan.bpmn", 'isExecutable="true"', 'isExecutable="yes"', 'Write isExecutable="true"'),
    ("readings.json", '"b1"\n  ]', '"b11"\n  ]', "Did you mean 'b1'"),
    ("readings.json", '"t": "gt"', '"t": "gte "', "Did you mean 'gte'"),
    ("readings.json", "payload.value * f", "payload.value * f(", "Mend it, or say what it does"),
    ("readings.json", '"pauseType": "delay"', '"pauseType": "delayed"', "only delay, delayv, random and rate"),
    ("readings.json", '"timeoutUnits": "seconds"', '"timeoutUnits": "second"', "Did you mean 'seconds'"),
    ("readings.json", '"payload.sensor"', '"payload sensor"', "'payload sensor' is not a path to a value"),
    ("readings.json", '"id": "a15"', '"id": "a14"', "There is another node 'a14'"),
    ("readings.json", '"type": "split"', '"type": "spilt"', "Did you mean 'split'"),
    ("readings.json", '"once": true', '"once": "true"', "Expected true or false, got 'true'"),
    ("readings.json", "subflow:s0", "subflow:s1", "The subflow 's1' is not there"),
    ("readings.json", '"payloadType": "json"', '"payloadType": "jsn"', "Did you mean 'json'"),
    ("readings.json", r"{\"sensor\":\"t1\",", r"{\"sensor\":t1,", "is not JSON"),
    ("readings.json", "{{payload}} readings", "{{payload} readings", "a `{{` is not closed"),
    ("readings.json", '"error.message"', '"error message"', "'error message' is not a path to a value"),
    ("readings.json", '"type": "tab"', '"type": "tabb"', "Did you mean 'tab'?"),
    ("readings.json", '"func": "', '"funct": "', "Did you mean 'func'?"),
    ("readings.json", '"timeout": "', '"timeout": "x', "`timeout` is a number, got 'x2'"),
    ("build.yml", "needs.prepare.outputs.version", "needs.prepare.output.version", "Did you mean 'outputs'?"),
    ("build.yml", "needs.prepare.outputs.version", "needs.prepare.outputs.verison", "Did you mean 'version'?"),
    ("build.yml", "continue-on-error: true", "continue-on-error: yess", "Expected true or false"),
    ("build.yml", "needs: [prepare, build]", "needs: [prepare, biuld]", "Did you mean 'build'?"),
    ("build.yml", "outcome == 'failure'", "outcome = 'failure'", "Values are compared by =="),
    ("build.yml", "steps.lint.outcome", "steps.lnit.outcome", "Did you mean 'lint'?"),
    ("build.yml", "max-parallel", "max_parallel", "Did you mean 'max-parallel'?"),
    ("build.yml", "- name: Notes", "- nmae: Notes", "Did you mean 'name'?"),
    ("build.yml", "timeout-minutes", "timeout-minute", "Did you mean 'timeout-minutes'?"),
    ("build.yml", "startsWith(needs", "startWith(needs", "Did you mean 'startsWith'?"),
    ("build.yml", "id: targets", "id: version", "There is another step 'version' in this job"),
    ("build.yml", "${{ matrix.target }}", "${{ matrix.target }", "End it with }}."),
    ("build.yml", "needs: [lint, test, prepare]", "needs: [lint, test]", "Add 'prepare' to the `needs` of the job."),
    ("build.yml", "pull_request:", "pull_requests:", "Did you mean 'pull_request'"),
    ("build.yml", "steps.notes.outputs", "step.notes.outputs", "There are the contexts env, github"),
    ("build.yml", "needs: prepare\n", "need: prepare\n", "Did you mean 'needs'?"),
    ("build.yml", "'failure')", '"failure")', "Texts stand in single quotes"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "said"), MISTAKES)
def test_what_is_said_of_a_mistake(name, right, wrong, said):
    """The message is of the place, with line and column, and names the cure."""
    if name.endswith("yml"):
        pytest.importorskip("yaml", reason="PyYAML is not installed")
    if "|" in said:
        with pytest.raises(tf.DocumentError, match=said):
            read(name, (right, wrong))
        return
    found = [each for each in read(name, (right, wrong)).diagnostics if said in str(each)]
    assert found and all(each.position is not None for each in found)
