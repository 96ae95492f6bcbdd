"""How documents become graphs: names, sockets, values, connections; and what is said of what can't."""

from __future__ import annotations

from typing import Any

import pytest
from formats.nodeeditor.documents import (
    BY_NAME,
    NO_COUNTERPART,
    REGISTRY,
    document,
    imported,
    node,
    sample,
    setter,
    socket,
    told,
    value,
    variable,
    wire,
)

import trioflow as tf
from trioflow.formats.nodeeditor import import_tree


def graph_of(*nodes: Any, wires: Any = (), **more: Any) -> tf.Graph:
    return imported(document(*nodes, wires=wires, **more)).graph


def only(*nodes: Any, **more: Any) -> tf.GraphNode:
    return graph_of(*nodes, **more).nodes[0]


def wires_of(graph: tf.Graph) -> list[str]:
    return list(map(str, graph.connections))


# --- names ---


@pytest.mark.parametrize(
    ("name", "type_id", "expected"),
    [
        ("For Loop", None, "flow.for"),
        ("for loop", None, "flow.for"),
        ("ForLoop", None, "flow.for"),
        ("for_loop", "", "flow.for"),
        ("whatever it is called", "For Loop", "flow.for"),
        ("loop", "NodeEditor.Net.Services.Execution.ForLoopNode", "flow.for"),
        ("loop", "NodeEditor.Net.StandardNodeContext.ForLoopAsync(System.Int32)", "flow.for"),
        ("While", None, "flow.while"),
        ("Modulo", None, "math.modulo"),
        ("Dict Contains", None, "dict.has"),
        ("String To Upper", None, "text.upper"),
    ],
)
def test_a_node_is_known_by_its_name(name, type_id, expected):
    """The type is found by its id, by the class or method in it, by the name, or by an alias, however it is spelled."""
    made = node("x", "Marker") | {"name": name, "typeId": type_id, "inputs": [], "outputs": []}
    assert only(made).type == expected


def test_a_name_that_two_nodes_share_is_told_by_the_sockets():
    """Log is a logarithm if it has a result, and writes a log if it has control."""
    assert only(node("x", "Log (ln)")).type == "math.logarithm"
    assert only(node("x", "Log")).type == "debug.log"


def test_keys_may_be_in_any_case():
    """Older files write keys in PascalCase and call the exec type ExecutionPath."""
    tree = {
        "Nodes": [
            {
                "Id": "s",
                "Name": "Start",
                "ExecInit": True,
                "Outputs": [{"Name": "Exit", "TypeName": "X.ExecutionPath"}],
            },
            {
                "Id": "p",
                "Name": "Debug Print",
                "Inputs": [
                    {"Name": "Enter", "TypeName": "X.ExecutionPath"},
                    {
                        "Name": "Label",
                        "TypeName": "System.String",
                        "Value": {"TypeName": "System.String", "Json": "hi"},
                    },
                ],
            },
        ],
        "Connections": [
            {"OutputNodeId": "s", "OutputSocketName": "Exit", "InputNodeId": "p", "InputSocketName": "Enter"}
        ],
    }
    taken = imported(tree)
    assert taken.diagnostics == ()
    assert [(each.type, dict(each.inputs)) for each in taken.graph.nodes] == [
        ("flow.start", {}),
        ("debug.print", {"label": "hi"}),
    ]
    assert wires_of(taken.graph) == ["s.then -> p.enter"]


@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_are_read(version):
    """Versions 1 and 2 are read."""
    assert graph_of(node("s", "Start"), version=version).nodes[0].type == "flow.start"


# --- sockets ---


def test_stale_sockets_are_understood_if_one_is_left_over():
    """A socket name that is not known stands for the only one of its kind that is left, which is told."""
    taken = imported(sample("loop-list-string"))
    assert [each.code for each in taken.diagnostics if each.severity == "warning"] == []
    assert {
        (each.path, each.message.partition(": ")[2]) for each in taken.diagnostics if each.code == "stale-socket"
    } >= {
        ("nodes[5].outputs[0]", "it is taken as 'Result', which is left over."),
        ("nodes[6].inputs[1]", "it is taken as 'Item', which is left over."),
        ("nodes[11].inputs[0]", "it is taken as 'Value', which is left over."),
    }
    assert "list-add-a.result -> list-add-b.items" in wires_of(taken.graph)
    assert next(each for each in taken.graph.nodes if each.id == "list-add-a").inputs == {"item": "Alpha"}


def test_a_socket_that_may_be_several_is_not_guessed():
    """Of two sockets that are left over none is taken: connection and value are left out, and told."""
    made = node("x", "Add")
    made["inputs"] = [socket(name, "float", is_input=True, value=value(1.5, "float")) for name in ("P", "Q")]
    source = node("n", "Number")
    tree = document(made, source, wires=["n.Result -> x.P"])
    assert told(tree) == [
        "warning[unknown-socket] nodes[0].inputs[0]: 'Add' has no input 'P', so its value is left out. It has: A, B.",
        "warning[unknown-socket] nodes[0].inputs[1]: 'Add' has no input 'Q', so its value is left out. It has: A, B.",
        "warning[unknown-socket] connections[0]: Node 'x' (Add) has no input 'P'. The connection is left out. "
        "Its inputs: A, B.",
    ]
    assert graph_of(made, source, wires=["n.Result -> x.P"]).connections == ()


def test_a_socket_of_another_type_is_not_guessed():
    """A socket that is left over is not taken for one that its values don't fit."""
    made = node("x", "String Length") | {"inputs": [socket("Items", "list", is_input=True)]}
    assert told(document(made, node("l", "List Create"), wires=["l.Result -> x.Items"])) == [
        "warning[unknown-socket] connections[0]: Node 'x' (String Length) has no input 'Items'. "
        "The connection is left out. Its inputs: Value."
    ]


# --- values ---


def test_what_is_not_said_is_what_it_is_there():
    """An input without a value gets what it has there by default, unless ours has the same."""
    assert only(node("x", "Add")).inputs == {"a": 0, "b": 0}
    bare = node("x", "Delay") | {"inputs": []}
    assert only(bare).inputs == {}  # one second on both sides
    assert only(node("x", "List Add") | {"inputs": []}).inputs == {"items": [], "item": None}
    assert only(node("x", "For Loop") | {"inputs": []}).inputs == {}


def test_a_wired_input_needs_no_default():
    """The default of an input that is wired is left to the wire."""
    assert only(node("x", "Add") | {"inputs": []}, node("n", "Number"), wires=["n.Result -> x.B"]).inputs == {"a": 0}


def test_values_may_be_texts_of_json():
    """Where each value is a text that holds JSON, as some versions write it, the values are read from the texts."""
    made = node("x", "For Loop", LoopTimes=3)
    made["inputs"][1]["value"]["json"] = "3"
    printed = node("p", "Debug Print", Label="a")
    printed["inputs"][1]["value"]["json"] = '"a"'
    graph = graph_of(made, printed)
    assert [dict(each.inputs) for each in graph.nodes] == [{"times": 3}, {"label": "a"}]


def test_a_text_that_looks_like_json_is_a_text():
    """Where values are not written as texts of JSON, a text of a string is taken as it is."""
    assert only(node("x", "String", Value='"a"'), node("n", "Integer", Value=1)).inputs["value"] == '"a"'


@pytest.mark.parametrize(
    ("name", "input", "wrong", "problem"),
    [
        ("For Loop", "LoopTimes", "many", 'expected a whole number, got "many", which is not JSON either'),
        ("For Loop", "LoopTimes", 1.5, "expected a whole number, got 1.5"),
        ("For Loop", "LoopTimes", 2**64, "expected a number of at most 64 bits, got one of 65"),
        ("Add", "A", [1], "expected a number, got [1]"),
        ("Branch", "Cond", 1, "expected true or false, got 1"),
        ("String", "Value", {"a": 1}, 'expected a text, got {"a": 1}'),
        ("List Count", "List", True, "expected a list, got true"),
        ("Dict Count", "Dict", [], "expected an object, got []"),
    ],
)
def test_a_value_of_another_type_is_an_error(name, input, wrong, problem):
    """A value that is not of its socket's type is told with its place, and kept for an export."""
    made = node("x", name)
    place = next(place for place, each in enumerate(made["inputs"]) if each["name"] == input)
    kinds = {"For Loop": "int", "Add": "float", "Branch": "bool", "String": "str"}
    made["inputs"][place]["value"] = value(wrong, kinds.get(name, "list" if name == "List Count" else "dict"))
    number = node("i", "Integer", Value=1)  # so that values are no texts of JSON
    assert told(document(made, number)) == [
        f"error[bad-value] nodes[0].inputs[{place}].value: Input {input!r} of 'x': {problem}. Give it a value of its type."
    ]


def test_not_a_number_is_no_value():
    """What JSON does not have is an error, also as a value of any type."""
    made = node("x", "Pass Through", Value=1.0)
    made["inputs"][0]["value"]["json"] = float("nan")
    with pytest.raises(tf.DocumentError) as caught:
        told(document(made))
    assert caught.value.problems == (
        "nodes[0].inputs[0].value.json: expected a finite number, got nan. JSON has no NaN and no infinity.",
    )


def test_a_value_without_counterpart_is_told():
    """A value that nothing here takes is left out with a warning, unless it is the default."""
    assert told(document(node("x", "Counter", Reset=True))) == [
        "warning[no-counterpart] nodes[0].inputs[1]: 'Reset' of 'Counter' has no counterpart, so its value is left out."
    ]
    assert told(document(node("x", "Counter", Reset=False))) == []


# --- connections ---


def test_values_are_converted_where_the_other_program_does():
    """A number that goes into a text gets a node that converts it, once for all that want it."""
    nodes = [node("n", "Integer", Value=3), node("a", "String Length"), node("b", "String Length")]
    for each in nodes[1:]:
        each["inputs"][0]["typeName"] = "System.Object"
    graph = graph_of(*nodes, wires=["n.Result -> a.Value", "n.Result -> b.Value"])
    assert wires_of(graph) == [
        "n.result -> n.result as str.value",
        "n.result as str.result -> a.value",
        "n.result as str.result -> b.value",
    ]
    assert graph.nodes[-1].type == "text.to_text"


def test_fractions_are_rounded_where_whole_numbers_are_wanted():
    """A double into an int is rounded, as there."""
    graph = graph_of(node("n", "Number"), node("l", "For Loop"), wires=["n.Result -> l.LoopTimes"])
    assert [each.type for each in graph.nodes] == ["logic.coalesce", "flow.for", "math.round"]


def test_ids_of_added_nodes_are_new():
    """What an import adds gets ids that the document does not use."""
    nodes = [
        node("d", "Dot Product 2D"),
        node("d/x", "Number"),
        node("s", "String Length"),
        node("d/x.result as str", "Number"),
    ]
    nodes[2]["inputs"][0]["typeName"] = "System.Object"
    graph = graph_of(*nodes, wires=["d/x.Result -> s.Value"])
    assert [each.id for each in graph.nodes[4:]] == ["d/x 2", "d/y", "d/x.result as str 2"]
    assert "d/x 2.result -> d.a" in wires_of(graph)


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"Comment"}))
def test_wires_join_what_is_there(name):
    """Whether its inputs are wired or not: the wires of an imported node join nodes that are in the graph."""
    made = node("x", name)
    data = [each["name"] for each in made["inputs"] if not each["isExecution"]]
    for wires in ([], [f"any.Result -> x.{each}" for each in data]):
        graph = graph_of(made, node("any", "Pass Through"), wires=wires)
        ids = {each.id for each in graph.nodes}
        assert {end.node for each in graph.connections for end in (each.source, each.target)} <= ids
        assert len(ids) == len(graph.nodes)


@pytest.mark.parametrize(
    ("ends", "problem"),
    [
        ("gone.Exit -> p.Enter", "[unknown-node] connections[0]: There is no node 'gone' for its output."),
        ("s.Exit -> gone.Enter", "[unknown-node] connections[0]: There is no node 'gone' for its input."),
        (
            "s.Exit -> p.Entry",
            "[unknown-socket] connections[0]: Node 'p' (Debug Print) has no input 'Entry'. "
            "@ Its inputs: Enter, Label, Value. Did you mean 'Enter'?",
        ),
        (
            "s.Exit -> p.Value",
            "[kind-mismatch] connections[0]: s.Exit -> p.Value joins an exec socket and a data socket.",
        ),
        (
            "t.Result -> l.List",
            "[type-mismatch] connections[0]: t.Result -> l.List: str can't go into list. @ Put a conversion between.",
        ),
        (
            "c.Result -> x.Reset",
            "[no-counterpart] connections[0]: c.Result -> x.Reset: 'Reset' of 'Counter' has no counterpart.",
        ),
    ],
)
def test_a_connection_that_joins_nothing_is_left_out(ends, problem):
    """A connection whose ends are missing or don't fit is left out, and told with its place."""
    nodes = [
        node("s", "Start"),
        node("p", "Debug Print"),
        node("t", "String"),
        node("l", "List Count"),
        node("c", "Boolean"),
        node("x", "Counter"),
    ]
    tree = document(*nodes, wires=[ends])
    left = "The connection is left out."
    expected = problem.replace("@", left) if "@" in problem else f"{problem} {left}"
    assert told(tree) == [f"warning{expected}"]
    assert imported(tree).graph.connections == ()


def test_the_last_source_of_an_input_counts():
    """A data input with two sources keeps the last, as there, and the other is told."""
    tree = document(
        node("a", "Number"),
        node("b", "Number"),
        node("x", "Abs"),
        wires=["a.Result -> x.Value", "b.Result -> x.Value"],
    )
    assert wires_of(imported(tree).graph) == ["b.result -> x.value"]
    assert told(tree) == [
        "warning[second-source] connections[0]: Input 'Value' of 'x' gets its value from connections[1]. "
        "The connection is left out. A data input has one source."
    ]


def test_an_exit_that_never_fires_is_a_note():
    """What is behind the Exit of a Sequence never runs there either."""
    tree = document(node("x", "Sequence"), node("p", "Debug Print"), wires=["x.Exit -> p.Enter"])
    assert told(tree) == []
    assert told(tree, "info") == [
        "info[never-fires] connections[0]: x.Exit -> p.Enter is left out: 'Sequence' never goes on at 'Exit', "
        "there neither."
    ]


def test_all_is_told_at_once():
    """Problems of nodes, values and connections come together, each with its place."""
    bad = node("x", "For Loop", LoopTimes=3)
    bad["inputs"][1]["value"]["json"] = "a"
    tree = document(bad, node("y", "Marker") | {"name": "Foo"}, wires=["a.b -> c.d", wire("x.Exit -> y.Nope")])
    codes = [line.partition("[")[2].partition("]")[0] for line in told(tree)]
    assert sorted(codes) == ["bad-value", "no-counterpart", "unknown-node", "unknown-node", "unknown-socket"]


# --- placeholders ---


def test_a_node_without_counterpart_becomes_a_placeholder():
    """An unknown node keeps its sockets and values, and is told with its place and the nearest names."""
    unknown = node("x", "Debug Print", Label="hi") | {"name": "Debug Prints"}
    tree = document(node("s", "Start"), unknown, node("p", "Marker"), wires=["s.Exit -> x.Enter", "x.Exit -> p.Enter"])
    taken = imported(tree)
    assert list(map(str, taken.errors)) == [
        "error[no-counterpart] nodes[1] 'Debug Prints': No node type of that name is known ('Debug Prints'). "
        "It is kept as a placeholder, nodeeditor.debug_prints. Did you mean 'Debug Print', 'Debug Warning' or 'Debug Error'?"
    ]
    assert taken.graph.nodes[1].type == "nodeeditor.debug_prints"
    assert taken.graph.nodes[1].inputs == {"label": "hi"}
    assert wires_of(taken.graph) == ["s.then -> x.enter", "x.exit -> p.enter"]
    assert taken.placeholders == {"nodes[1].type"}
    assert tf.loads(tf.dumps(taken.graph)) == taken.graph
    with pytest.raises(tf.InvalidGraph, match=r"nodeeditor\.debug_prints"):
        tf.make_plan(taken.graph, REGISTRY)


@pytest.mark.parametrize("name", sorted(NO_COUNTERPART))
def test_a_standard_node_that_has_none_says_why(name):
    """A standard node that nothing here can stand for says what to do instead."""
    assert "no node type of that name" not in told(document(node("x", name)))[0]


def test_sockets_of_a_placeholder_have_names_of_their_own():
    """Sockets whose names are the same here are told apart, and may be wired."""
    unknown = node("x", "Marker") | {"name": "?", "typeId": "A.B", "inputs": [], "outputs": []}
    unknown["outputs"] = [socket(name, "any", is_input=False) for name in ("Out Put", "out_put", "...")]
    graph = graph_of(unknown, node("p", "Debug Print"), wires=["x.out_put -> p.Value"])
    assert graph.nodes[0].type == "nodeeditor.unnamed"
    assert len(graph.connections) == 1


def test_a_variable_that_is_gone_is_a_placeholder():
    """A node about a variable that the document does not have says so."""
    assert told(document(setter("x", "gone"))) == [
        "error[no-counterpart] nodes[0] 'Set gone': The document has no variable with the id 'gone'. "
        "It is kept as a placeholder, nodeeditor.set_gone."
    ]


def test_very_many_unknown_names_are_told_quickly():
    """Near names are looked for only so often."""
    nodes = [node(f"n{number}", "Marker") | {"name": f"Foo {number}"} for number in range(1000)]
    assert len(told(document(*nodes))) == 1000


# --- variables, events, layout ---


def test_variables_keep_type_and_default():
    """Variables come with the type and the default of the document; a type of .NET is any type."""
    int_, text = "System.Int32", "System.String"
    variables = [
        variable("n", typeName=int_, defaultValue={"typeName": int_, "json": 3}),
        variable("t", typeName=text),
        variable("o", typeName="My.Type"),
        variable("bad", typeName=int_, defaultValue={"typeName": int_, "json": []}),
        variable("n", "other"),
    ]
    tree = document(node("s", "Start"), variables=variables)
    assert imported(tree).graph.variables == (
        tf.Variable("n", "int", 3),
        tf.Variable("t", "str", ""),
        tf.Variable("o", "any", None),
        tf.Variable("bad", "int", []),
        tf.Variable("n (other)", "any", None),
    )
    assert told(tree) == [
        "error[bad-value] variables[3].defaultValue: Variable 'bad': expected a whole number, got []."
    ]
    assert told(tree, "info") == [
        "info[renamed] variables[4].name: Another variable is called 'n' too: this one becomes 'n (other)'."
    ]


def test_a_variable_that_is_only_named_is_declared():
    """Get Variable and its kin name variables that the document need not declare; a counted one starts at 0."""
    tree = document(node("a", "Increment Variable"), node("b", "Set Variable", Name="v"), node("c", "Get Variable"))
    assert imported(tree).graph.variables == (
        tf.Variable("counter", "any", 0),
        tf.Variable("v", "any"),
        tf.Variable("myVar", "any"),
    )
    assert len(told(tree, "info")) == 3


def test_initiators_are_those_of_the_document():
    """A node that is marked as a start is one, and a Start that is not, is none."""
    marked = node("m", "Marker") | {"execInit": True}
    unmarked = node("s", "Start") | {"execInit": False}
    data = node("d", "Number") | {"execInit": True}
    assert [each.initiator for each in graph_of(marked, unmarked, data).nodes] == [True, False, None]


def test_what_the_graph_does_not_need_is_kept():
    """Layout, unknown fields and comments survive in metadata, and the metadata as JSON."""
    comment = node("c", "Comment", Text="why") | {"color": "red"}
    graph = graph_of(node("s", "Start") | {"tint": [1]}, comment, overlays=[{"id": 1}])
    assert [each.id for each in graph.nodes] == ["s"]
    assert graph.nodes[0].metadata["nodeeditor"]["x"] == 12.5
    assert graph.nodes[0].metadata["nodeeditor"]["tint"] == [1]
    assert graph.metadata["nodeeditor"]["omitted"] == [[1, comment]]
    assert graph.metadata["nodeeditor"]["document"]["overlays"] == [{"id": 1}]
    assert tf.loads(tf.dumps(graph)) == graph


def test_different_meanings_are_noted_once():
    """Where a node means something else here there is a note, one for all nodes of the kind."""
    tree = document(*(node(f"d{number}", "Divide") for number in range(3)))
    assert told(tree, "info") == [
        "info[differs] nodes[0] 'Divide': Dividing by zero is an error here, where there it gives 0. (so for 3 nodes)"
    ]


def test_a_broken_package_of_nodes_is_no_obstacle():
    """If our type can't be loaded, what is said there is taken as it is, and validation says what is wrong."""
    registry = tf.Registry()
    registry.add_package("math", "no_such_module")
    taken = import_tree(document(node("x", "Add", A=1.5)), registry)
    assert taken.graph.nodes[0].inputs == {"a": 1.5, "b": 0}
    assert "no_such_module" in str(tf.validate(taken.graph, registry))


def test_ours_may_be_one_more():
    """An input that ours counts otherwise is changed where it is given, and where it is wired."""
    given = only(node("x", "Random Range", Max=10))
    assert given.inputs == {"low": 0, "high": 9}
    graph = graph_of(node("x", "Random Range"), node("n", "Integer", Value=10), wires=["n.Result -> x.Max"])
    assert [(each.type, dict(each.inputs)) for each in graph.nodes[2:]] == [("math.add", {"b": -1})]
    assert wires_of(graph)[-1] == "n.result -1.result -> x.high"


@pytest.mark.parametrize("extra", [5, [], {"metadata": 5, "doc": [], "converted": "no", "valuesAreTexts": 0}])
def test_what_an_export_added_may_be_garbled(extra):
    """What trioflow has written beyond the format is passed over if it is something else by now."""
    garbled = {"trioflowExtra": extra}
    tree = document(
        node("s", "Start") | garbled,
        node("p", "Debug Print"),
        wires=[wire("s.Exit -> p.Enter") | garbled],
        variables=[variable("v") | garbled],
        events=[{"id": "e", "name": "e"} | garbled],
        **garbled,
    )
    graph = imported(tree).graph
    assert tf.loads(tf.dumps(graph)) == graph
    assert (graph.variables[0].doc, graph.events[0].doc) == ("", "")
