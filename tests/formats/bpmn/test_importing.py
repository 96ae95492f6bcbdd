"""What is said of documents: what is wrong, what is not understood, what means something else here."""

from __future__ import annotations

import random
import re
import time

import pytest
from formats.bpmn.processes import EXPECTED, FOLDER

import trioflow as tf
from trioflow.formats import bpmn
from trioflow.formats.known import import_document
from trioflow.formats.port import document_in
from trioflow.testing import EventLog, run_virtual

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:c="http://camunda.org/schema/1.0/bpmn">'


def document(inside, *, outside=""):
    return f'{HEAD}{outside}<process id="p" isExecutable="true">{inside}</process></definitions>'


def flow(source, target, inside=""):
    return f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'


def when(text, language=""):
    said = f' language="{language}"' if language else ""
    return f"<conditionExpression{said}>{text}</conditionExpression>"


def said(text):
    return {f"{each.severity} {each.code} {each.path}" for each in bpmn.loads(text).diagnostics}


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ('<task id="a"/><task id="a"/>', "error duplicate-id task 'a'"),
        ("<task/>", "error no-id task ''"),
        ('<task id="a"/>' + flow("a", "b"), "error unknown-element sequenceFlow 'a_b'"),
        ('<task id="a"/><subProcess id="s"><task id="i"/></subProcess>' + flow("a", "i"), "error unknown-element sequenceFlow 'a_i'"),
        ('<exclusiveGateway id="g" default="f"/>', "error unknown-element exclusiveGateway 'g'"),
        ('<boundaryEvent id="b" attachedToRef="z"/>', "error unknown-element boundaryEvent 'b'"),
        ('<task id="a"/><boundaryEvent id="b" attachedToRef="a"/>', "error no-counterpart boundaryEvent 'b'"),
        ('<task id="a"/><task id="b"/><complexGateway id="g"><activationCondition>activationCount > 2</activationCondition></complexGateway>' + flow("a", "g") + flow("b", "g"), "error condition-not-understood complexGateway 'g'"),
        ('<adHocSubProcess id="s"><task id="i"/><completionCondition>x</completionCondition></adHocSubProcess>', "info in-turn adHocSubProcess 's'"),
        ('<adHocSubProcess id="s"><task id="i"/><completionCondition>a b</completionCondition></adHocSubProcess>', "error condition-not-understood adHocSubProcess 's'"),
        ('<userTask id="a"/><boundaryEvent id="b" attachedToRef="a" parallelMultiple="true"><signalEventDefinition/><timerEventDefinition/></boundaryEvent>', "error no-counterpart boundaryEvent 'b'"),
        ('<subProcess id="s" triggeredByEvent="true"><startEvent id="x" parallelMultiple="true"><signalEventDefinition/><timerEventDefinition/></startEvent></subProcess>', "error no-counterpart startEvent 'x'"),
        ('<subProcess id="s"><endEvent id="x"><cancelEventDefinition/></endEvent></subProcess>', "error no-counterpart endEvent 'x'"),
        ('<intermediateThrowEvent id="x"><terminateEventDefinition/></intermediateThrowEvent>', "error no-counterpart intermediateThrowEvent 'x'"),
        ('<intermediateCatchEvent id="x"><escalationEventDefinition/></intermediateCatchEvent>', "error no-counterpart intermediateCatchEvent 'x'"),
        ('<intermediateThrowEvent id="x"><escalationEventDefinition escalationRef="m"/></intermediateThrowEvent>', "error unknown-element intermediateThrowEvent 'x'"),
        ('<strangeThing id="x"/>', "error no-counterpart strangeThing 'x'"),
        ('<serviceTask id="x" implementation="##WebService"/>', "error no-body serviceTask 'x'"),
        ('<businessRuleTask id="x"/>', "error no-body businessRuleTask 'x'"),
        ('<callActivity id="x" calledElement="q"/>', "error no-body callActivity 'x'"),
        ('<scriptTask id="x" scriptFormat="python"><script>import os</script></scriptTask>', "error script-not-understood scriptTask 'x'"),
        ('<serviceTask id="x" c:expression="${a b}"/>', "error script-not-understood serviceTask 'x'"),
        ('<intermediateCatchEvent id="x"><conditionalEventDefinition/></intermediateCatchEvent>', "error bad-field intermediateCatchEvent 'x'"),
        ('<intermediateCatchEvent id="x"><conditionalEventDefinition><condition>a b</condition></conditionalEventDefinition></intermediateCatchEvent>', "error condition-not-understood intermediateCatchEvent 'x'"),
        ('<startEvent id="s"><conditionalEventDefinition><condition>x</condition></conditionalEventDefinition></startEvent>', "info started-by startEvent 's'"),
        ('<intermediateThrowEvent id="x"><linkEventDefinition name="l"/></intermediateThrowEvent>', "error unknown-element intermediateThrowEvent 'x'"),
        ('<intermediateCatchEvent id="x"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>', "error unknown-element intermediateCatchEvent 'x'"),
        ('<endEvent id="x"><errorEventDefinition errorRef="m"/></endEvent>', "error unknown-element endEvent 'x'"),
        ('<intermediateCatchEvent id="x"><eventDefinitionRef>m</eventDefinitionRef></intermediateCatchEvent>', "error unknown-element intermediateCatchEvent 'x'"),
        ('<intermediateCatchEvent id="x"><timerEventDefinition/></intermediateCatchEvent>', "error bad-field intermediateCatchEvent 'x'"),
        ('<intermediateCatchEvent id="x"><timerEventDefinition><timeDuration>soon</timeDuration></timerEventDefinition></intermediateCatchEvent>', "error bad-field intermediateCatchEvent 'x'"),
        ('<task id="a"><standardLoopCharacteristics loopMaximum="many"/></task>', "error bad-field task 'a'"),
        ('<task id="a"><standardLoopCharacteristics><loopCondition>a b</loopCondition></standardLoopCharacteristics></task>', "error condition-not-understood task 'a'"),
        ('<task id="a"><standardLoopCharacteristics><loopCondition language="http://www.w3.org/1999/XPath">a</loopCondition></standardLoopCharacteristics></task>', "error condition-not-understood task 'a'"),
        ('<task id="a"><multiInstanceLoopCharacteristics/></task>', "error bad-field task 'a'"),
        ('<exclusiveGateway id="g"/><task id="a"/>' + flow("g", "a", when("a b")), "error condition-not-understood sequenceFlow 'g_a'"),
        ('<exclusiveGateway id="g"/><task id="a"/>' + flow("g", "a", when("a", "XPath")), "error condition-not-understood sequenceFlow 'g_a'"),
        ('<exclusiveGateway id="g"/><task id="a"/>' + flow("g", "a", when("f(a)")), "error condition-not-understood sequenceFlow 'g_a'"),
        ('<parallelGateway id="g"/><task id="a"/>' + flow("g", "a", when("x")), "info condition-ignored sequenceFlow 'g_a'"),
        ('<startEvent id="s"/><task id="a"/><task id="b"/>' + flow("s", "a"), "warning no-token task 'b'"),
        ('<subProcess id="s"><task id="a"/>' + flow("a", "a") + "</subProcess>", "warning no-start subProcess 's'"),
        ('<startEvent id="s"><messageEventDefinition/></startEvent>', "info started-by startEvent 's'"),
        ('<receiveTask id="r"/>', "info no-name receiveTask 'r'"),
        ('<task id="a" c:x="1"><extensionElements><c:y/></extensionElements></task>', "info extension namespace 'http://camunda.org/schema/1.0/bpmn'"),
        ('<intermediateThrowEvent id="t"><compensateEventDefinition activityRef="t"/></intermediateThrowEvent>', "error no-handler intermediateThrowEvent 't'"),
        ('<task id="a"/><boundaryEvent id="b" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>' + flow("a", "b"), "error bad-flow sequenceFlow 'a_b'"),
        ('<eventBasedGateway id="g"/><task id="a"/><receiveTask id="r"/>' + flow("g", "r") + flow("a", "r"), "error event-gateway receiveTask 'r'"),
        ('<exclusiveGateway id="g"/><task id="a"/><task id="b"/><parallelGateway id="j"/>' + flow("g", "a", when("x")) + flow("g", "b", when("y")) + flow("a", "j") + flow("b", "j"), "warning stuck parallelGateway 'j'"),
    ],
)  # fmt: skip
def test_what_is_said(inside, found):
    assert found in said(document(inside))


def test_lines():
    """What is said has its line and column."""
    imported = bpmn.loads(document('\n  <task id="a"/>\n  <businessRuleTask id="g"/>'))
    assert [each.position for each in imported.errors] == [(3, 3)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<a/>", "its format is not recognised"),
        ('<definitions xmlns="http://schema.omg.org/spec/BPMN/1.0"/>', "the namespace of `definitions`"),
        (f"{HEAD}</definitions>", "there is no `process` in it"),
        (f"<!DOCTYPE d>{HEAD}</definitions>", "document type"),
    ],
)
def test_no_document(text, problem):
    with pytest.raises(tf.DocumentError, match=problem):
        import_document(document_in(text, syntax="xml"))


def test_bodies_for_tasks():
    """A service task gets a body by its id; its data associations are inputs, and outputs are variables."""
    text = document(
        """<dataObject id="o" name="order"/><dataObjectReference id="r" dataObjectRef="o"/><dataObject id="price"/>
        <serviceTask id="ask">
          <ioSpecification><dataInput id="in1" name="order"/><dataOutput id="out1" name="amount"/></ioSpecification>
          <dataInputAssociation><sourceRef>r</sourceRef><targetRef>in1</targetRef></dataInputAssociation>
          <dataOutputAssociation><sourceRef>out1</sourceRef><targetRef>price</targetRef></dataOutputAssociation>
        </serviceTask>"""
    )
    registry = tf.Registry.standard()
    registry.body("ask", lambda order: len(order))
    imported = import_document(document_in(text), registry)
    assert not imported.errors
    result = run_virtual(imported.graph, registry=registry, variables={"order": "book"})
    assert result.variables["price"] == 4


def test_of_vendors():
    """What Camunda and Zeebe put in and what is understood of it."""
    text = document(
        """<serviceTask id="a" c:expression="${x + 1}" c:resultVariable="y"/>
        <scriptTask id="b" scriptFormat="juel" c:resultVariable="z"><script>${y * 2}</script></scriptTask>
        <scriptTask id="d"><extensionElements><script expression="=z + 1" resultVariable="w"/></extensionElements></scriptTask>
        <callActivity id="k"><extensionElements><calledElement processId="q"/></extensionElements></callActivity>
        <task id="e"><multiInstanceLoopCharacteristics c:collection="xs" c:elementVariable="x2"/></task>"""
        + flow("a", "b") + flow("b", "d") + flow("d", "k") + flow("k", "e"),
        outside='<process id="q"><task id="i"/></process>',
    )  # fmt: skip
    log = EventLog()
    result = run_virtual(bpmn.loads(text).graph, variables={"x": 1, "xs": [1, 2]}, observers=[log])
    assert (result.variables["y"], result.variables["z"], result.variables["w"]) == (2, 4, 5)
    assert [node for _, node, _ in log.rows("started")].count("e") == 2


def test_names_and_places_are_kept():
    """Names, extensions and where elements are drawn stand in the metadata."""
    text = document('<task id="a" name="Pack it"><extensionElements><c:x k="v"><c:y>t</c:y></c:x></extensionElements></task>').replace(
        "</definitions>",
        '<BPMNDiagram xmlns="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="urn:dc"><BPMNPlane><BPMNShape bpmnElement="a">'
        '<dc:Bounds x="1" y="2" width="3" height="4"/></BPMNShape><BPMNShape id="s" bpmnElement="b"><dc:Bounds x="?"/></BPMNShape>'
        "<BPMNShape/></BPMNPlane></BPMNDiagram></definitions>",
    )  # fmt: skip
    imported = bpmn.loads(text)
    kept = imported.graph.nodes[0].metadata["bpmn"]
    assert (kept["name"], kept["bounds"], kept["element"]) == ("Pack it", [1.0, 2.0, 3.0, 4.0], "task")
    assert kept["extensions"][0]["children"][0]["text"] == "t"
    assert "bad-bounds" in {each.code for each in imported.diagnostics}


def test_which_process_runs():
    """The first that nothing starts; pools of a collaboration run together."""
    two = f'{HEAD}<process id="p" isExecutable="true"><task id="a"/></process><process id="q"><task id="b"/></process></definitions>'
    imported = bpmn.loads(two)
    assert "several-processes" in {each.code for each in imported.diagnostics}
    log = EventLog()
    run_virtual(imported.graph, observers=[log])
    assert [node for _, node, _ in log.rows("started") if node in "ab"] == ["a"]
    pools = (
        '<collaboration id="c"><participant id="x" processRef="p"/><participant id="y" processRef="q"/></collaboration>'
    )
    log = EventLog()
    run_virtual(bpmn.loads(two.replace(HEAD, HEAD + pools)).graph, observers=[log])
    assert sorted(node for _, node, _ in log.rows("started") if node in "ab") == ["a", "b"]


MUTATED = ["", "x", "-1", "99", "true", "${", "é", "s", "p"]


def test_each_field_once():
    """Each attribute and each text changed once: an error or a note with its place, and never a traceback."""
    chance = random.Random(4)
    registry = tf.Registry.standard()
    for name in [*EXPECTED][::4]:
        text = (FOLDER / f"{name}.bpmn").read_text(encoding="utf-8")
        places = [*re.finditer(r'="([^"]*)"|>([^<>\s][^<>]*)<', text)]
        for place in chance.sample(places, min(8, len(places))):
            group = 1 if place[1] is not None else 2
            changed = text[: place.start(group)] + chance.choice(MUTATED) + text[place.end(group) :]
            try:
                imported = import_document(document_in(changed, name=name), registry)
            except tf.DocumentError:
                continue
            if not imported.errors:
                tf.validate(imported.graph, registry)


def test_what_is_found_by_reference():
    """Definitions of events that stand outside, names of messages that only their sender has, data of associations."""
    text = (
        HEAD + '<signalEventDefinition id="sd" signalRef="sig"/><signal id="sig" name="go"/><message id="m" name="order"/>'
        '<collaboration id="c"><participant id="x" processRef="p"/><participant id="y" processRef="q"/>'
        '<messageFlow id="mf" sourceRef="send" targetRef="take"/></collaboration>'
        '<process id="p" isExecutable="true"><intermediateThrowEvent id="send"><messageEventDefinition messageRef="m"/>'
        '</intermediateThrowEvent></process><process id="q" isExecutable="true"><intermediateCatchEvent id="take">'
        '<messageEventDefinition/></intermediateCatchEvent><intermediateCatchEvent id="go"><eventDefinitionRef>sd'
        '</eventDefinitionRef></intermediateCatchEvent>' + flow("take", "go") + "</process></definitions>"
    )  # fmt: skip
    nodes = {node.id: node for node in bpmn.loads(text).graph.nodes}
    assert nodes["take"].inputs["waits"][0]["name"] == "order"
    assert nodes["go"].inputs["waits"][0]["name"] == "go"


def test_compensation_of_what_is_not_there():
    text = document(
        '<task id="a"/><intermediateThrowEvent id="t"><compensateEventDefinition activityRef="z"/></intermediateThrowEvent>'
    )
    assert "error unknown-element intermediateThrowEvent 't'" in said(text)


@pytest.mark.timed
def test_ten_thousand_elements():
    """A long document is read in less than two seconds."""
    inside = "".join(f'<task id="t{index}"/>' for index in range(5000))
    inside += "".join(flow(f"t{index}", f"t{index + 1}") for index in range(4999))
    begun = time.process_time()
    assert len(bpmn.loads(document(inside)).graph.nodes) == 5000
    assert time.process_time() - begun < 2


def test_flags_as_schemas_write_them():
    """1 and 0 are true and false in XML."""

    def read(flag):
        imported = bpmn.loads(
            '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="1">'
            '<startEvent id="s"/><task id="t"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>'
            f'<boundaryEvent id="b" attachedToRef="t" cancelActivity="{flag}"><messageEventDefinition messageRef="m"/>'
            '</boundaryEvent></process><message id="m" name="m"/></definitions>'
        )
        assert not imported.errors
        return {(each.id, each.type) for each in imported.graph.nodes}, [*map(str, imported.graph.connections)]

    assert read("0") == read("false") != read("true") == read("1")
