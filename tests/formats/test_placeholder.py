"""Placeholders: drawn and saved as they are, run as soon as somebody gives them a body."""

from __future__ import annotations

import attrs
import pytest

import trioflow as tf
from trioflow.formats.known import load
from trioflow.formats.placeholder import Answer, Filling, Placeholder, Sockets, placeholder, placeholders_in
from trioflow.formats.stub import stubs
from trioflow.testing import run_virtual

ASK = Sockets(exits=("yes", "no"), inputs={"who": "str"}, outputs={"answer": "str", "size": "int"})


def graph(sockets=ASK, **inputs):
    """Start, a placeholder, and a node behind each of its exits."""
    nodes = [
        tf.GraphNode("start", "flow.start"),
        placeholder("ask", "other.ask", {"text": "Well?", **inputs}, sockets=sockets, metadata={"x": 1}),
        *(tf.GraphNode(name, "debug.print", {"value": name}) for name in sockets.exits),
    ]
    wires = [tf.Connection(tf.Endpoint("start", "then"), tf.Endpoint("ask", "enter"))]
    wires += [tf.Connection(tf.Endpoint("ask", each), tf.Endpoint(each, "enter")) for each in sockets.exits]
    return tf.Graph(kind="workflow", nodes=nodes, connections=wires)


def run(made, body, name="ask"):
    registry = tf.Registry.standard()
    registry.body(name, body)
    filling = Filling(registry.bodies)
    filled = filling.fill(made, registry)
    filling.check()
    return run_virtual(filled)


def test_a_placeholder_is_an_unknown_node_and_survives_a_file(tmp_path):
    """Without a body it can't run, and what sockets it has is kept in the document."""
    tf.save(graph(), tmp_path / "g.json")
    again = load(tmp_path / "g.json")
    assert again.graph == graph()
    assert again.placeholders == {"nodes[1].type"}
    assert [each.sockets for each in placeholders_in(again.graph)] == [
        attrs.evolve(ASK, inputs={"text": "any", "who": "str"})
    ]
    assert "no node type 'other.ask'" in str(tf.validate(again.graph, tf.Registry.standard()).problems[0])


def test_a_function_is_a_body(capsys):
    """It gets the inputs that it names, and what it returns is the value of the outputs; it may be async."""

    async def ask(text, who="nobody", more=7):
        assert (text, who, more) == ("Well?", "Ada", 7)
        return Answer({"answer": "good", "size": 4}, "no")

    result = run(graph(who="Ada"), ask)
    assert (result.output("ask", "answer"), result.output("ask", "size")) == ("good", 4)
    assert capsys.readouterr().out == "no\n"


def test_a_body_that_takes_all(capsys):
    """`**inputs` gets whatever there is. The first exit is taken if nothing is said."""
    seen = []
    run(graph(), lambda **inputs: seen.append(inputs))
    assert seen == [{"text": "Well?", "who": None}]
    assert capsys.readouterr().out == "yes\n"


def test_a_single_output_gets_the_value(capsys):
    """With one output the value is its own, a mapping too unless it names just that output."""
    for value, result in ((5, 5), ({"a": 1}, {"a": 1}), ({"answer": 2}, 2)):
        assert run(graph(Sockets(outputs={"answer": "any"})), lambda v=value: v).output("ask", "answer") == result


def test_a_node_type_is_a_body(capsys):
    """It takes the place of the node, with the literals that it has inputs for."""
    run(graph(Sockets(exits=("then",))), tf.nodes.Print)
    assert capsys.readouterr().out == "\nthen\n"


def test_a_value_for_several_outputs_is_that_of_the_first():
    """Unless it is a mapping with names of outputs and nothing else."""
    for value, result in ((5, 5), ({"a": 1}, {"a": 1}), ({"answer": 2, "size": 3}, 2)):
        assert run(graph(), lambda v=value: v).output("ask", "answer") == result


def test_wrong_answers_are_errors():
    """A mapping that names outputs and something else, and an exit that is not there."""
    with pytest.raises(tf.NodeError, match="'sise' besides values of the outputs: answer, size"):
        run(graph(), lambda: {"answer": 5, "sise": 1})
    with pytest.raises(tf.NodeError, match="'yess', which is not an exec output.*Did you mean 'yes'"):
        run(graph(), lambda: Answer(exit="yess"))


def test_bodies_that_fit_nothing():
    """A node that is not there, an input that is not there, and what is no function."""
    with pytest.raises(tf.RegistryError, match="no node 'asc' to which a body could be given. Did you mean 'ask'"):
        run(graph(), lambda: 5, "asc")
    with pytest.raises(tf.RegistryError, match="wants 'wer', and the node has the inputs: text, who"):
        run(graph(), lambda wer: 5)
    with pytest.raises(tf.RegistryError, match="neither a function nor a node type"):
        run(graph(), 5)


def test_any_node_can_be_answered(capsys):
    """A node that is known here is answered instead of run; `*` is for placeholders alone."""
    made = graph(Sockets(outputs={"answer": "any"}))
    registry = tf.Registry.standard()
    for name, body in stubs({"then": None, "*": "hm"}).items():
        registry.body(name, body)
    filling = Filling(registry.bodies)
    result = run_virtual(filling.fill(made, registry))
    filling.check()
    assert result.output("ask", "answer") == "hm"
    assert filling.filled == {"then", "ask"}
    assert capsys.readouterr().out == ""


def test_graphs_inside_are_meant_by_their_names():
    """A node of a graph inside is `graph/node`, or just `node`."""
    inner = graph(Sockets(exits=()))
    outer = tf.Graph(graphs={"odd name": inner, "b": inner}, nodes=[])
    assert [(each.name, each.path) for each in placeholders_in(outer)] == [
        ("odd name/ask", 'graphs["odd name"].nodes[1]'),
        ("b/ask", "graphs.b.nodes[1]"),
    ]
    for name, count in (("b/ask", 1), ("ask", 2)):
        filling = Filling({name: lambda: None})
        filling.fill(outer, tf.Registry.standard())
        assert len(filling.filled) == count


def test_what_is_said_of_sockets_may_be_anything():
    """Metadata are anybody's: what is malformed there is as if nothing had been said."""
    for said in (None, 5, {"enters": 1, "exits": {}, "inputs": []}):
        node = tf.GraphNode("a", "b", {"x": 1}, metadata={"placeholder": said})
        assert Placeholder("a", "", node).sockets == Sockets(inputs={"x": "any"})


def test_turns_and_failures(capsys):
    """A stub may answer each time otherwise, and fail."""
    bodies = stubs({"a": {"$turns": [1, {"$value": 2, "$exit": "no"}]}, "b": {"$fail": "no paper"}, "c": {"x": 1}})
    assert [bodies["a"]() for _ in range(3)] == [1, Answer(2, "no"), Answer(2, "no")]
    assert bodies["c"]() == {"x": 1}
    with pytest.raises(Exception, match="no paper"):
        bodies["b"]()


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ([], "expected an object"),
        ({"a": {"$valu": 1}}, r"a.\$valu: expected some of .*Did you mean '\$value'"),
        ({"a": {"$turns": []}}, "stands alone, with a list"),
        ({"a": {"$turns": [{"$x": 1}]}}, r"a.\$turns\[0\].\$x"),
    ],
)
def test_wrong_stubs_are_told(tree, problem):
    """All problems at once, with their places."""
    with pytest.raises(tf.DocumentError, match=problem):
        stubs(tree)
