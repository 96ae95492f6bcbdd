"""Graphs as documents of the format: what was changed since an import, what was built here, and what can't be said."""

from __future__ import annotations

import attrs
import pytest
from formats.nodeeditor.documents import REGISTRY, document, imported, node, sample, setter, socket, value, variable

import trioflow as tf
from trioflow.formats.nodeeditor import dumps, export_tree, import_tree, loads


def exported(graph: tf.Graph):
    return export_tree(graph, REGISTRY)


def problems(graph: tf.Graph) -> list[str]:
    with pytest.raises(tf.DocumentError) as caught:
        exported(graph)
    return list(caught.value.problems)


def changed(graph: tf.Graph, id: str, /, **changes) -> tf.Graph:
    """The graph with one node changed; `inputs` are added to what it has, and taken away where they are None."""
    nodes = []
    for each in graph.nodes:
        if each.id == id:
            inputs = {**each.inputs, **changes.pop("inputs", {})}
            each = attrs.evolve(each, inputs={key: of for key, of in inputs.items() if of is not None}, **changes)
        nodes.append(each)
    return attrs.evolve(graph, nodes=nodes)


def without(graph: tf.Graph, ends: str) -> tf.Graph:
    return attrs.evolve(graph, connections=[each for each in graph.connections if str(each) != ends])


@pytest.mark.parametrize("name", ["hello-world", "loop-list-string"])
def test_the_samples_survive(name):
    """The program's own documents come back as they were."""
    assert exported(imported(sample(name)).graph) == sample(name)


# --- what was changed since ---


def test_a_changed_literal_is_written():
    """A literal that was changed is written into the document, and nothing else is."""
    tree = document(node("l", "For Loop", LoopTimes=3), node("d", "Delay"), node("n", "String", Value="a"))
    graph = changed(imported(tree).graph, "l", inputs={"times": 5})
    graph = changed(graph, "d", inputs={"seconds": 0.25})
    again = exported(graph)
    assert again["nodes"][0]["inputs"][1].pop("value") == value(5, "int")
    assert again["nodes"][1]["inputs"][1].pop("value") == value(250, "int")
    for each in (tree["nodes"][0], tree["nodes"][1]):
        each["inputs"][1].pop("value")
    assert again == tree


def test_a_literal_of_an_input_that_the_document_lacks():
    """An input that the document does not list is added for its value; one that lost its value is emptied."""
    bare = node("p", "Debug Print") | {"inputs": []}
    graph = imported(document(bare, node("q", "Debug Print", Label="x"))).graph
    again = exported(changed(changed(graph, "p", inputs={"label": "hi"}), "q", inputs={"label": None}))
    assert again["nodes"][0]["inputs"] == [socket("Label", "str", is_input=True, value=value("hi", "str"))]
    assert again["nodes"][1]["inputs"][1]["value"] is None


def test_values_that_are_texts_of_json_stay_such():
    """A document whose values are texts of JSON gets changed values as such texts."""
    made = node("l", "For Loop", LoopTimes=3)
    made["inputs"][1]["value"]["json"] = "3"
    graph = imported(document(made)).graph
    assert exported(graph) == document(made)
    again = exported(changed(graph, "l", inputs={"times": 5}))
    assert again["nodes"][0]["inputs"][1]["value"]["json"] == "5"


def test_a_renamed_node_and_a_removed_connection():
    """A node that got another id, and a connection that is gone, are so in the document."""
    tree = document(node("s", "Start"), node("p", "Debug Print"), wires=["s.Exit -> p.Enter"])
    graph = without(imported(tree).graph, "s.then -> p.enter")
    again = exported(changed(graph, "p", id="print"))
    assert [each["id"] for each in again["nodes"]] == ["s", "print"]
    assert again["connections"] == []


def test_a_node_that_became_another():
    """A node that got another type is written anew; a removed one takes nothing with it."""
    graph = imported(document(node("a", "Add"), node("b", "Number"))).graph
    graph = attrs.evolve(
        changed(graph, "a", type="math.subtract"), nodes=changed(graph, "a", type="math.subtract").nodes[:1]
    )
    assert [(each["id"], each["name"]) for each in exported(graph)["nodes"]] == [("a", "Subtract")]


def test_initiators_are_written():
    """A node that was marked as an initiator since, or no longer is one, is written so."""
    graph = imported(document(node("m", "Marker"), node("s", "Start"))).graph
    again = exported(changed(changed(graph, "m", initiator=True), "s", initiator=False))
    assert [each["execInit"] for each in again["nodes"]] == [True, False]


def test_variables_are_written():
    """Variables that were changed, added, or renamed are so in the document, and keep what else it says of them."""
    tree = document(setter("x", "id-v"), variables=[variable("v", "id-v", color="red"), variable("w", "id-w")])
    graph = imported(tree).graph
    graph = attrs.evolve(
        graph,
        variables=[tf.Variable("v", "int", 5, doc="five"), tf.Variable("v2", "list", [1])],
        events=[tf.CustomEvent("ping", doc="pong")],
    )
    again = exported(graph)
    assert again["variables"] == [
        {
            "id": "id-v",
            "name": "v",
            "typeName": "System.Int32",
            "defaultValue": value(5, "int"),
            "color": "red",
            "trioflowExtra": {"doc": "five"},
        },
        {
            "id": "v2",
            "name": "v2",
            "typeName": "NodeEditor.Net.Models.SerializableList",
            "defaultValue": value([1], "list"),
        },
    ]
    assert again["events"] == [{"id": "ping", "name": "ping", "trioflowExtra": {"doc": "pong"}}]


def test_a_node_may_be_about_another_variable():
    """A node that was given another variable names that one's id."""
    put = setter("x", "a-id")
    put["inputs"][1]["value"] = value(1)
    tree = document(put, variables=[variable("a"), variable("b")])
    again = exported(changed(imported(tree).graph, "x", inputs={"name": "b"}))
    assert again == document(put | {"typeId": "variable.set.b-id"}, variables=tree["variables"])


def test_metadata_of_others_are_written():
    """Metadata that were added since come back after an import."""
    graph = changed(imported(document(node("s", "Start"))).graph, "s", metadata={"color": "red"})
    graph = attrs.evolve(graph, metadata={**graph.metadata, "title": "t"})
    back = import_tree(exported(graph), REGISTRY).graph
    assert back.metadata["title"] == "t"
    assert back.nodes[0].metadata["color"] == "red"


# --- what was built here ---


def test_a_graph_that_was_built_here():
    """A graph of nodes that the format has becomes a document with everything that the other program wants."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=2)
        show = g.add(tf.nodes.Print, value=loop.index)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, show.enter)
    tree = exported(g.graph)
    assert list(tree) == ["version", "nodes", "connections", "viewport", "selectedNodeIds"]
    assert tree["nodes"][1] == {
        "id": "for",
        "typeId": None,
        "name": "For Loop",
        "callable": True,
        "execInit": False,
        "x": 260,
        "y": 0,
        "width": 200,
        "height": 120,
        "inputs": [
            socket("Enter", "exec", is_input=True),
            socket("LoopTimes", "int", is_input=True, value=value(2, "int")),
        ],
        "outputs": [
            socket("LoopPath", "exec", is_input=False),
            socket("Exit", "exec", is_input=False),
            socket("Index", "int", is_input=False),
        ],
    }
    assert tree["connections"][-1] == {
        "outputNodeId": "for",
        "outputSocketName": "LoopPath",
        "inputNodeId": "print",
        "inputSocketName": "Enter",
        "isExecution": True,
    }


def test_texts_that_look_like_json_are_told():
    """A graph all of whose values look like texts of JSON says that they are not."""
    graph = tf.Graph(nodes=[tf.GraphNode("p", "debug.print", {"value": "", "label": '"a"'})])
    graph = attrs.evolve(graph, nodes=[tf.GraphNode("p", "debug.print", {"label": '"a"'})])
    back = loads(dumps(graph, REGISTRY), REGISTRY).graph
    assert back.nodes[0].inputs == {"label": '"a"'}


def test_what_the_format_can_not_say_is_listed():
    """Everything that would get lost is told, each with its place, and nothing is written."""
    graph = tf.Graph(
        nodes=[
            tf.GraphNode("r", "flow.race"),
            tf.GraphNode("f", "flow.for", {"times": 3, "start": 1}),
            tf.GraphNode("e", "flow.for_each", {"items": []}, stream=tf.StreamSettings(mode="concurrent")),
        ],
        variables=[tf.Variable("s", "list", [], merge="append"), tf.Variable("d", "date", "2024-01-01")],
    )
    assert problems(graph) == [
        "nodes[0] 'r': the format has no node for flow.race. Make it of other nodes.",
        "nodes[1] 'f': 'For Loop' of the format has nothing for input 'start' of flow.for.",
    ]
    assert problems(attrs.evolve(graph, nodes=graph.nodes[2:])) == [
        "nodes[0] 'e': the format has nothing for its stream.",
        "variable 's': the format can't say its type, its merge policy, or its default.",
        "variable 'd': the format can't say its type, its merge policy, or its default.",
    ]


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        (
            tf.GraphNode("x", "math.add", {"a": 1}),
            "nodes[0] 'x': input 'b' is not given, and would become 0.",
        ),
        (
            tf.GraphNode("x", "flow.for", {"times": 1.5}),
            "node 'x': 'LoopTimes' of 'For Loop': expected a whole number, got 1.5.",
        ),
        (tf.GraphNode("x", "flow.start", extra={"new": 1}), "nodes[0] 'x': the format has nothing for its extra."),
        (
            tf.GraphNode("x", "flow.delay", {"seconds": 0.0001}),
            "node 'x': 'DelayMs' of 'Delay': expected a whole number, got 0.1.",
        ),
    ],
)
def test_a_node_that_would_become_another(node, problem):
    """A node that an import would give another meaning is told."""
    assert problems(tf.Graph(nodes=[node])) == [problem]


def test_a_delay_that_is_wired_in_seconds():
    """A wire into an input that has another unit there can't be said."""
    graph = tf.Graph(
        nodes=[tf.GraphNode("n", "math.add", {"a": 1, "b": 1}), tf.GraphNode("d", "flow.delay")],
        connections=[tf.Connection(tf.Endpoint("n", "result"), tf.Endpoint("d", "seconds"))],
    )
    assert "connection n.result -> d.seconds: it would be lost." in problems(graph)


def test_leftovers_are_told():
    """A node that an import had added, and that nothing needs any more, is told."""
    tree = document(node("n", "Integer", Value=3), node("a", "String Length"), wires=["n.Result -> a.Value"])
    tree["nodes"][1]["inputs"][0]["typeName"] = "System.Object"
    graph = without(imported(tree).graph, "n.result as str.result -> a.value")
    assert "nodes[2] 'n.result as str': nothing of the document needs it. Remove it." in problems(graph)


def test_values_that_no_document_can_hold():
    """A value that JSON does not have is told."""
    graph = tf.Graph(nodes=[tf.GraphNode("p", "debug.print", {"value": {1, 2}})])
    with pytest.raises(tf.DocumentError, match="JSON"):
        dumps(graph, REGISTRY)


def test_a_variable_that_is_gone():
    """A node about a variable that the graph no longer declares is told."""
    tree = document(setter("x", "a-id"), variables=[variable("a")])
    graph = changed(imported(tree).graph, "x", inputs={"name": "gone"})
    assert "variable 'gone': it would be there besides." in problems(graph)


def test_sockets_that_the_format_lacks():
    """A wire to a socket that the format has nothing for is told where it is."""
    graph = tf.Graph(
        nodes=[tf.GraphNode("n", "math.add", {"a": 1, "b": 1}), tf.GraphNode("f", "flow.for")],
        connections=[tf.Connection(tf.Endpoint("n", "result"), tf.Endpoint("f", "start"))],
    )
    assert problems(graph) == [
        "nodes[1] 'f': 'For Loop' of the format has nothing for input 'start' of flow.for.",
        "connections[0] n.result -> f.start: the format has no such sockets.",
    ]


def test_another_order_of_connections():
    """Order has meaning: a graph whose wires stand in an order that no import gives is told."""
    graph = imported(document(node("x", "Dot Product 2D"))).graph
    turned = attrs.evolve(graph, connections=reversed(graph.connections))
    assert problems(turned) == ["connections: their order would be another."]


def test_a_part_that_was_changed():
    """A change inside of what stands for one node of the format is told."""
    graph = changed(imported(document(node("x", "Dot Product 2D"))).graph, "x/y", type="math.divide")
    assert problems(graph) == ["nodes[2] 'x/y': it would become a math.multiply."]
    graph = imported(document(node("x", "Dot Product 2D"))).graph
    assert "node 'x/y' (math.multiply) would be there besides." in problems(attrs.evolve(graph, nodes=graph.nodes[:2]))


def test_a_conversion_that_goes_round():
    """Conversions that a hand has wired in a circle end in an error, not in an endless search."""
    tree = document(node("n", "Integer", Value=3), node("a", "String Length"), wires=["n.Result -> a.Value"])
    tree["nodes"][1]["inputs"][0]["typeName"] = "System.Object"
    graph = imported(tree).graph
    id = graph.nodes[2].id
    circle = tf.Connection(tf.Endpoint(id, "result"), tf.Endpoint(id, "value"))
    assert problems(attrs.evolve(graph, connections=[circle, *graph.connections[1:]]))


def test_a_graph_of_a_newer_version():
    """What a newer trioflow has written, and the format has nothing for, is told."""
    graph = tf.Graph(nodes=[tf.GraphNode("s", "flow.start")], extra={"new": 1})
    assert problems(graph) == ["the graph: the format has nothing for its extra."]


def test_names_in_another_order():
    """Variables and events that an import would lose or turn around are told."""
    tree = document(node("x", "Increment Variable"), variables=[variable("v")])
    graph = imported(tree).graph
    assert problems(attrs.evolve(graph, variables=reversed(graph.variables))) == [
        "variables: their order would be another."
    ]
    assert problems(attrs.evolve(graph, variables=graph.variables[:1])) == [
        "variable 'counter': it would be there besides."
    ]
