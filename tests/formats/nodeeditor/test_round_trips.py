"""Documents survive import and export, and graphs export and import: on random ones, odd as they may be."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from formats.nodeeditor.documents import BY_NAME, REGISTRY, node, value, variable
from hypothesis import given, settings
from hypothesis import strategies as st

import trioflow as tf
from trioflow.formats.nodeeditor import dumps, export_tree, import_tree, loads
from trioflow.formats.nodeeditor.row import Row
from trioflow.formats.nodeeditor.tables import ROWS

IDS = st.text(st.sampled_from("ab./ ->é0"), min_size=1, max_size=4).filter(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([0.5, 2.0, 1e9]) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
VALUES: dict[str, Any] = {
    "int": st.integers(-100, 100),
    "float": st.sampled_from([0.5, 1.0, -2, 3, 1e300]),
    "bool": st.booleans(),
    "str": st.text(max_size=3),
    "list": st.lists(JSON, max_size=2),
    "dict": st.dictionaries(st.text(max_size=2), JSON, max_size=2),
    "any": JSON,
}
OFTEN = ["Comment", "Start", "Debug Print", "Set Variable", "Substring", "Delay", "Dot Product 2D", "ForEach Loop"]
UNKNOWN = st.dictionaries(st.sampled_from(["color", "editorHint", "Plugin", "z"]), JSON, max_size=2)


@st.composite
def nodes(draw: st.DrawFn, id: str, variables: list[Any], events: list[Any]) -> dict[str, Any]:
    """A standard node, one about a variable or event, or one that nobody knows; with odd spellings and fields."""
    made = node(id, draw(st.sampled_from(sorted(BY_NAME)) | st.sampled_from(OFTEN)))
    families = [f"variable.get.{each['id']}" for each in variables] + [f"event.trigger.{each['id']}" for each in events]
    how = draw(st.integers(0, 9))
    if how == 0 and families:
        made["typeId"] = draw(st.sampled_from(families))
    elif how == 1:
        made["name"] = draw(st.sampled_from(["No Such Node", "x.y", "debug print", "DEBUGPRINT", ""]))
    elif how == 2:
        made["typeId"] = draw(st.sampled_from(["A.B.ForLoopNode", "Nowhere.Nothing", "variable.get.gone"]))
    for each in made["inputs"]:
        kind = {"System.Int32": "int", "System.Double": "float", "System.Boolean": "bool", "System.String": "str"}.get(
            each["typeName"], "list" if "List" in each["typeName"] else "dict" if "Dict" in each["typeName"] else "any"
        )
        if not each["isExecution"] and draw(st.booleans()):
            wrong = draw(st.integers(0, 9)) == 0
            each["value"] = value(draw(JSON if wrong else VALUES[kind]), kind)
        if draw(st.integers(0, 9)) == 0:
            each["name"] = draw(st.sampled_from([each["name"].upper(), each["name"].replace(" ", ""), "Stale"]))
        each |= draw(UNKNOWN)
    if draw(st.booleans()):
        made["execInit"] = draw(st.booleans())
    for key in draw(
        st.lists(st.sampled_from(["typeId", "callable", "execInit", "outputs", "inputs", "x"]), max_size=2)
    ):
        made.pop(key, None)
    return made | draw(UNKNOWN)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    variables = [
        variable(
            f"v{number % 2}", f"id{number}", typeName=draw(st.sampled_from(["System.Int32", "System.Object", "X.Y"]))
        )
        | draw(UNKNOWN)
        for number in range(draw(st.integers(0, 3)))
    ]
    events = [{"id": f"e{number}", "name": "ping"} for number in range(draw(st.integers(0, 2)))]
    ids = draw(st.lists(IDS, min_size=1, max_size=6, unique=True))
    made = [draw(nodes(id, variables, events)) for id in ids]
    ends = [
        (each["id"], socket["name"], side, socket["isExecution"])
        for each in made
        for side in ("inputs", "outputs")
        for socket in each.get(side, ())
    ]
    wires = []
    sources, targets = ([end for end in ends if end[2] == side] for side in ("outputs", "inputs"))
    for _ in range(draw(st.integers(0, 8)) if sources and targets else 0):
        source = draw(st.sampled_from(sources))
        like = [end for end in targets if end[3] == source[3]] or targets
        target = draw(st.sampled_from(like if draw(st.integers(0, 9)) else targets))
        wire = {
            "outputNodeId": source[0],
            "outputSocketName": draw(st.sampled_from([source[1]] * 8 + [source[1].lower(), "Nothing"])),
            "inputNodeId": draw(st.sampled_from([target[0]] * 9 + ["nobody"])),
            "inputSocketName": target[1],
            "isExecution": source[3],
        } | draw(st.just({}) | UNKNOWN)
        # Of the same connection written twice in two ways an export may swap the ways.
        if wire not in wires and (source[0], source[1], target[0], target[1]) not in {
            (each["outputNodeId"], each["outputSocketName"], each["inputNodeId"], each["inputSocketName"])
            for each in wires
        }:
            wires.append(wire)
    tree = {"version": draw(st.sampled_from([1, 2])), "nodes": made, "connections": wires, **draw(UNKNOWN)}
    if variables or draw(st.booleans()):
        tree["variables"] = variables
    if events:
        tree["events"] = events
    if draw(st.booleans()):
        tree["overlays"] = [{"id": "o", "title": "t"}]
    return pascal(tree) if draw(st.integers(0, 4)) == 0 else tree


def pascal(tree: Any) -> Any:
    """The keys as older files have them."""
    if isinstance(tree, list):
        return [pascal(each) for each in tree]
    if isinstance(tree, dict) and "typeName" in tree and "json" in tree:
        return {"TypeName": tree["typeName"], "Json": tree["json"]}
    if isinstance(tree, dict):
        return {key[:1].upper() + key[1:]: pascal(each) for key, each in tree.items()}
    return tree


@pytest.mark.unmeasured
@given(documents())
@settings(max_examples=100, deadline=None)
def test_a_document_survives(tree):
    """What was imported, and saved and loaded since, is exported as the document that it was."""
    text = json.dumps(tree)
    graph = import_tree(tree, REGISTRY).graph
    assert json.loads(text) == tree, "an import changes nothing"
    assert export_tree(tf.loads(tf.dumps(graph)), REGISTRY) == tree


LIKE_OTHERS = {"JSON Array Length"}
"""What an export does not choose: another row says the same of fewer values."""


@st.composite
def graphs(draw: st.DrawFn) -> tf.Graph:
    """A graph of ours of what the format has, with everything given that its rows give."""
    rows = [row for row in ROWS if row.type and not row.wires and not row.parts and row.name not in LIKE_OTHERS]
    made: list[tuple[tf.GraphNode, Row]] = []
    wires: list[tf.Connection] = []
    for id in draw(st.lists(IDS, min_size=1, max_size=6, unique=True)):
        row = draw(st.sampled_from(rows))
        inputs = {at.socket: given for at, given in row.given.items()}
        for each in row.inputs:
            sources = [
                (node.id, output)
                for node, other in made
                for output in other.outputs
                if output.source is not None
                and (output.is_exec == each.is_exec)
                and (output.is_exec or output.kind == each.kind or (output.kind, each.kind) == ("float", "int"))
                and output.per == 1
            ]
            wired = each.to and sources and each.per == 1 and not each.more and draw(st.booleans())
            if wired:
                source, output = draw(st.sampled_from(sources))
                wires.append(
                    tf.Connection(tf.Endpoint(source, output.source.socket), tf.Endpoint(id, each.to[0].socket))
                )
            elif each.to and not each.is_exec:
                inputs[each.to[0].socket] = draw(VALUES[each.kind])
                if row.type.startswith("variable.") and each.name == "Name":
                    inputs["name"] = draw(IDS)
                if each.least is not None:
                    inputs[each.to[0].socket] = max(each.least, inputs[each.to[0].socket])
                if each.per != 1:
                    inputs[each.to[0].socket] = draw(st.sampled_from([0.5, 2.0]))
        initiator = draw(st.sampled_from([None, not row.starts])) if row.is_exec else None
        metadata = draw(st.dictionaries(st.sampled_from(["color", "doc"]), JSON, max_size=1))
        made.append((tf.GraphNode(id, row.type, inputs, initiator, metadata=metadata), row))
    named = {node.inputs["name"] for node, _ in made if node.type.startswith("variable.") and "name" in node.inputs}
    kinds = draw(st.lists(KINDS))
    variables = {name: tf.Variable(name) for name in sorted(named)}
    variables |= {f"v{number}": tf.Variable(f"v{number}", kind, doc=kind) for number, kind in enumerate(kinds)}
    return tf.Graph(
        nodes=[node for node, _ in made],
        connections=wires,
        variables=variables.values(),
        events=[tf.CustomEvent("e", "doc")] if draw(st.booleans()) else [],
        metadata=draw(st.dictionaries(st.sampled_from(["title", "doc"]), JSON, max_size=1)),
    )


KINDS = st.sampled_from(["int", "float", "bool", "str", "list", "dict", "any"])


@pytest.mark.unmeasured
@given(graphs())
@settings(max_examples=100, deadline=None)
def test_a_graph_survives(graph):
    """A graph of nodes that the format has is the same after an export and an import, but for what imports keep."""
    back = loads(dumps(graph, REGISTRY), REGISTRY).graph
    nodes = tuple(attrs.evolve(each, metadata=without_ours(each.metadata)) for each in back.nodes)
    plain = attrs.evolve(back, nodes=nodes, metadata=without_ours(back.metadata))
    assert plain == graph
    assert inputs_of(plain) == inputs_of(graph), "true, 1 and 1.0 are not the same"


def inputs_of(graph):
    return [json.dumps(dict(each.inputs), sort_keys=True) for each in graph.nodes]


GARBLED = JSON | st.fixed_dictionaries(
    {},
    optional={
        "document": JSON | st.just({"nodes": []}),
        "omitted": JSON | st.just([[0, {"id": "c", "name": "Comment"}]]),
        "dropped": JSON | st.just([[0, {}]]),
        "connections": JSON | st.just([{}]),
        "implicit": JSON,
        "texts": JSON,
        "part": JSON | st.just(["s", "x"]),
        "converts": JSON | st.just("s"),
        "id": JSON,
        "name": JSON | st.just("Start"),
        "inputs": JSON,
    },
)


@given(GARBLED, GARBLED)
@settings(max_examples=100, deadline=None)
def test_what_an_import_kept_may_be_garbled(of_graph, of_node):
    """Whatever somebody does to what an import kept: the graph is exported, or it is said why not."""
    graph = tf.Graph(
        nodes=[
            tf.GraphNode("s", "flow.start", metadata={"nodeeditor": of_node}),
            tf.GraphNode("p", "debug.print", metadata={"nodeeditor": of_node}),
        ],
        connections=[tf.Connection(tf.Endpoint("s", "then"), tf.Endpoint("p", "enter"))],
        metadata={"nodeeditor": of_graph},
    )
    try:
        back = import_tree(export_tree(graph, REGISTRY), REGISTRY).graph
    except tf.DocumentError:
        return
    assert [(each.id, each.type) for each in back.nodes] == [("s", "flow.start"), ("p", "debug.print")]


def without_ours(metadata):
    return {key: each for key, each in metadata.items() if key != "nodeeditor"}
