"""Export: the document that a graph came from with what has been changed since, and a place for every element."""

from __future__ import annotations

import attrs
import pytest
from formats.bpmn.processes import EXPECTED, FOLDER, came_of, imported

import trioflow as tf
from trioflow.formats import bpmn
from trioflow.formats.bpmn.document import read_definitions
from trioflow.formats.xml_text import read_xml
from trioflow.model.graph import Connection, Endpoint, GraphNode

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">'


def plain(graph):
    """What a graph means: without metadata, whatever the order."""
    nodes = {
        node.id: attrs.evolve(node, metadata={}, inputs={k: v for k, v in node.inputs.items() if k != "data"})
        for node in graph.nodes
    }
    wires = {
        str(
            attrs.astuple(
                attrs.evolve(
                    each,
                    source=Endpoint(each.source.node, each.source.socket or "then"),
                    target=Endpoint(each.target.node, each.target.socket or "enter"),
                )
            )
        )
        for each in graph.connections
    }
    return nodes, wires, {each.name for each in graph.variables}, {each.name for each in graph.events}  # fmt: skip


def read(text):
    return read_definitions(read_xml(text), "<test>")


def graph_of(inside):
    return bpmn.loads(f'{HEAD}<process id="p" isExecutable="true">{inside}</process></definitions>').graph


def flow(source, target, inside=""):
    return f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'


@pytest.mark.unmeasured
def test_every_process_comes_back():
    """With a place for each element and flow, and everything else as it was."""
    for name in EXPECTED:
        graph = imported(name).graph
        text = bpmn.dumps(graph)
        assert plain(bpmn.loads(text).graph) == plain(graph), name
        found = read(text)
        assert found.placed.keys() >= found.nodes.keys(), name
        drawn = {each.get("bpmnElement") for each in found.element.everything() if each.name == "BPMNEdge"}
        assert drawn == set(found.flows), name
        again = bpmn.dumps(bpmn.loads(text).graph)
        assert again == text, name
        original = (FOLDER / f"{name}.bpmn").read_text(encoding="utf-8")
        assert text.startswith(original[: original.rindex("</")].rstrip()), name


def test_without_the_document_that_it_came_from():
    """A graph that only has elements BPMN can say becomes a document; of others it is said what is missing."""
    written = 0
    for name in EXPECTED:
        graph = attrs.evolve(imported(name).graph, metadata={})
        try:
            text = bpmn.dumps(graph)
        except tf.DocumentError as error:
            assert error.problems, name
            continue
        written += 1
        assert plain(bpmn.loads(text).graph) == plain(graph), name
    assert written >= 60


def test_what_is_drawn_does_not_overlap():
    """Elements of one scope stand apart, and what is inside a sub-process is inside."""
    for name in ("pools", "sub_process_nested", "event_sub_process_inside", "boundary_several", "inclusive_nested"):
        found = read(bpmn.dumps(imported(name).graph))
        for scope in [*found.processes, *(each.inner for each in found.nodes.values() if each.inner is not None)]:
            boxes = [found.placed[each.id] for each in scope.nodes if each.tag != "boundaryEvent"]
            for index, (x, y, width, height) in enumerate(boxes):
                for x2, y2, width2, height2 in boxes[:index]:
                    assert x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y, name
                if scope.owner is not None:
                    left, top, wide, high = found.placed[scope.owner.id]
                    assert left <= x and top <= y and x + width <= left + wide and y + height <= top + high, name


def test_what_is_placed_keeps_its_place():
    """New elements go below, and a sub-process that is drawn keeps where it is."""
    text = (FOLDER / "sub_process.bpmn").read_text(encoding="utf-8")
    inner = next(each for each in read(text).nodes.values() if each.inner is not None)
    diagram = (
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" '
        'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" id="d">\n<bpmndi:BPMNPlane id="pl">\n<bpmndi:BPMNShape id="x" '
        f'bpmnElement="{inner.id}"><dc:Bounds x="100" y="50" width="300" height="200"/></bpmndi:BPMNShape>\n'
        "</bpmndi:BPMNPlane>\n</bpmndi:BPMNDiagram>\n"
    )
    text = text.replace("</definitions>", f"{diagram}</definitions>").replace("</bpmn:definitions>", f"{diagram}</bpmn:definitions>")  # fmt: skip
    written = bpmn.dumps(bpmn.loads(text).graph)
    found = read(written)
    assert found.placed[inner.id] == (100, 50, 300, 200)
    assert all(found.placed[each.id][1] >= 250 for each in found.processes[0].nodes if each.id != inner.id)
    assert written.count("<bpmndi:BPMNDiagram") == written.count("</bpmndi:BPMNPlane") == 1


ORDER = (
    '<startEvent id="s"/><!-- kept --><scriptTask id="a" name="Count" scriptFormat="python"><documentation>why'
    '</documentation><script>x = 1</script></scriptTask><exclusiveGateway id="g" default="g_c"/><task id="b"/><task id="c"/>'
    '<boundaryEvent id="late" attachedToRef="b"><timerEventDefinition><timeDuration>PT5S</timeDuration></timerEventDefinition>'
    '</boundaryEvent><endEvent id="e"/>'
    + flow("s", "a") + flow("a", "g") + flow("g", "b", "<conditionExpression>${x > 3}</conditionExpression>")
    + flow("g", "c") + flow("b", "e") + flow("late", "c") + flow("c", "e")
)  # fmt: skip


def changed(graph, *, nodes=None, wires=None):
    text = bpmn.dumps(attrs.evolve(
        graph,
        nodes=nodes if nodes is not None else graph.nodes,
        connections=wires if wires is not None else graph.connections,
    ))  # fmt: skip
    return text, bpmn.loads(text).graph


def test_a_changed_script():
    """The element is said anew, with what else stood in it, and comments stay."""
    graph = graph_of(ORDER)
    nodes = [
        attrs.evolve(each, inputs={**each.inputs, "script": "x = 5"}) if each.id == "a" else each
        for each in graph.nodes
    ]
    text, back = changed(graph, nodes=nodes)
    assert "<!-- kept -->" in text and "<documentation>why</documentation>" in text and 'name="Count"' in text
    assert came_of(back, {"values": {"x": 5}})[0]["values"] == {"x": 5}


def test_a_new_task_and_a_changed_condition():
    """Wires that are added, changed and taken out are flows; a default may move."""
    graph = graph_of(ORDER)
    wires = [
        attrs.evolve(each, when="vars.x < 3", otherwise=False) if each.target.node == "c" and each.source.node == "g"
        else attrs.evolve(each, when=None, otherwise=True) if each.source.node == "g"
        else each
        for each in graph.connections
        if (each.source.node, each.target.node) != ("c", "e")
    ]  # fmt: skip
    new = GraphNode("new", "bpmn.task", metadata={"bpmn": {"element": "manualTask", "name": "By hand"}})
    wires += [Connection(Endpoint("c"), Endpoint("new")), Connection(Endpoint("new", "then"), Endpoint("e", "enter"))]
    nodes = [attrs.evolve(each, join="each") if each.id == "e" else each for each in (*graph.nodes, new)]
    text, back = changed(graph, nodes=nodes, wires=wires)
    assert '<manualTask id="new" name="By hand"/>' in text
    assert came_of(back, {})[0]["fires"] == {"s": 1, "a": 1, "g": 1, "c": 1, "new": 1, "e": 1}


def test_a_task_that_is_taken_out():
    """With its flows, its boundary events, and the default that led to it."""
    graph = graph_of(ORDER)
    gone = {"c", "late"}
    nodes = [each for each in graph.nodes if each.id not in gone]
    nodes = [attrs.evolve(each, join="all") if each.id == "e" else each for each in nodes]
    wires = [each for each in graph.connections if gone.isdisjoint((each.source.node, each.target.node))]
    with pytest.raises(tf.DocumentError, match="guard"):
        changed(graph, nodes=nodes, wires=wires)  # the graph still waits for the event
    gone = {"c"}
    nodes = [attrs.evolve(each, join="all") if each.id == "e" else each for each in graph.nodes if each.id not in gone]
    wires = [each for each in graph.connections if gone.isdisjoint((each.source.node, each.target.node))]
    text, _ = changed(graph, nodes=nodes, wires=wires)
    assert 'id="c"' not in text and "default=" not in text and "late_c" not in text


def test_diagrams_lose_what_is_gone():
    """Shapes, edges and mentions of what was taken out are not there any more."""
    text = bpmn.dumps(graph_of('<task id="a"/><task id="b"><incoming>a_b</incoming></task>' + flow("a", "b")))
    graph = bpmn.loads(text).graph
    text, _ = changed(graph, nodes=graph.nodes[1:], wires=[])
    assert "a_b" not in text and "a_shape" not in text and "b_shape" in text


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (GraphNode("n", "bpmn.event"), "<intermediateThrowEvent "),
        (GraphNode("n", "bpmn.gateway", choose="first"), "<exclusiveGateway "),
        (GraphNode("n", "bpmn.gateway"), "<parallelGateway "),
        (GraphNode("n", "bpmn.gateway", metadata={"bpmn": {"element": "inclusiveGateway"}}), "<inclusiveGateway "),
        (GraphNode("n", "bpmn.user_task", {"waits": [{"element": "n", "kind": "message", "name": "n", "form": ""}]}), "<userTask "),
        (GraphNode("n", "bpmn.receive_task", {"waits": [{"element": "n", "kind": "message", "name": "hello", "form": ""}]}), 'name="hello"'),
        (GraphNode("n", "bpmn.catch_event", {"waits": [{"element": "n", "kind": "signal", "name": "hello", "form": ""}]}), "<signalEventDefinition "),
        (GraphNode("n", "bpmn.catch_event", {"waits": [{"element": "n", "kind": "timer", "name": "PT5S", "form": "duration"}]}), "<timeDuration>PT5S"),
        (GraphNode("n", "bpmn.throw_event", {"kind": "signal", "name": "hello"}), "<intermediateThrowEvent "),
        (GraphNode("n", "bpmn.throw_event", {"kind": "message", "name": "m"}), 'messageRef="m"'),
    ],
)  # fmt: skip
def test_new_elements(node, said):
    graph = bpmn.loads(f'{HEAD}<message id="m"/><process id="p" isExecutable="true"><task id="a"/><task id="b"/></process></definitions>').graph  # fmt: skip
    wires = [Connection(Endpoint("a"), Endpoint("n")), Connection(Endpoint("n"), Endpoint("b"))]
    waits = node.inputs.get("waits")
    heard = [attrs.evolve(GraphNode(f"{waits[0]['name']} (from outside)", "bpmn.listen", {"event": waits[0]["name"], "kind": waits[0]["kind"]}))] if waits and waits[0]["kind"] != "timer" else []  # fmt: skip
    variables = [tf.Variable("bpmn_signals", merge="union")] if heard and waits[0]["kind"] == "signal" else []
    events = [tf.CustomEvent(waits[0]["name"])] if heard else []
    text = bpmn.dumps(attrs.evolve(graph, nodes=(*graph.nodes, node, *heard), connections=wires, variables=variables, events=events))  # fmt: skip
    assert said in text


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        (GraphNode("n", "debug.print"), "'n': BPMN has no element for a node of type 'debug.print'"),
        (GraphNode("n o", "bpmn.task"), "'n o': ids in BPMN begin with a letter"),
        (GraphNode("n", "bpmn.task", limit=3), "'n': BPMN can't say limit of it"),
        (GraphNode("n", "bpmn.catch_event", {"waits": []}), "'n': BPMN has no element"),
        (GraphNode("n", "bpmn.error_end", {"code": "E", "data": []}, initiator=False), "'n': BPMN can't say initiator of it"),
    ],
)  # fmt: skip
def test_what_can_not_be_said(node, problem):
    with pytest.raises(tf.DocumentError) as raised:
        bpmn.dumps(tf.Graph(kind="workflow", on_error="collect", nodes=[node]))
    assert any(problem in each for each in raised.value.problems), raised.value.problems


def test_what_a_graph_has_that_a_process_has_not():
    graph = tf.Graph(kind="workflow", limit=3, nodes=[GraphNode("n", "bpmn.task")], variables=[tf.Variable("x")])
    with pytest.raises(tf.DocumentError) as raised:
        bpmn.dumps(graph)
    said = " ".join(raised.value.problems)
    assert "the variable 'x' gets lost" in said and "can't say the graph's limit: 3" in said and "on_error" in said
    with pytest.raises(tf.DocumentError, match="its control calls"):
        bpmn.dumps(tf.Graph())


def test_wires_that_can_not_be_said():
    graph = graph_of('<task id="a"/><task id="b"/>' + flow("a", "b"))
    wires = [attrs.evolve(graph.connections[0], on="failed")]
    with pytest.raises(tf.DocumentError) as raised:
        bpmn.dumps(attrs.evolve(graph, connections=wires))
    assert [*raised.value.problems] == [
        "the wire a.then -> b.enter gets lost.",
        "there would be a wire a.then -> b.enter.",
    ]
