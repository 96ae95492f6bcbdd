"""Literals as people type them, and the list of node types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trioflow as tf
from trioflow.studio.forms import catalogue, kind_of, read_literal, sockets_of, written_literal

from .pages import registry

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.unmeasured
@given(st.sampled_from(["any", "int", "dict"]), VALUES)
def test_what_is_written_is_read_back(kind, value):
    """Whatever the literal is."""
    assert read_literal(kind, written_literal(kind, value)) == value


@pytest.mark.parametrize("text", ["", "7", '"x"', "[1"])
def test_texts_are_as_they_are(text):
    """Nobody has to quote them."""
    assert read_literal("str", text) == text
    assert written_literal("str", text) == text


def test_a_secret_is_no_text():
    """It is named, not written."""
    assert read_literal("str", '{"secret": "KEY"}') == {"secret": "KEY"}
    assert written_literal("str", {"secret": "KEY"}) == '{"secret": "KEY"}'


def test_types_of_inputs():
    """As words; what nobody knows is any."""
    assert kind_of(registry().get("flow.for"), "times") == "int"
    assert kind_of(registry().get("flow.for"), "nothing") == kind_of(None, "x") == "any"


def test_the_catalogue_has_what_the_graph_may_use():
    """Graphs that it holds first, then the registry; with sockets, control and data."""
    found = catalogue(tf.loads('{"trioflow": "1.2", "graphs": {"inner": {}}}'), registry())
    assert found[0]["id"] == "graph:inner"
    by_id = {each["id"]: each for each in found}
    assert by_id["flow.for"]["in"][:2] == [["enter", ""], ["times", "int"]]
    assert ["index", "int"] in by_id["flow.for"]["out"] and by_id["flow.for"]["exec"]


def test_what_is_one_of_a_few():
    """Is offered: names of variables, words of the type, true and false."""
    graph = tf.loads(
        '{"trioflow": "1.2", "variables": [{"name": "total"}], "nodes": [{"id": "add", "type": "variable.update"}, {"id": "if", "type": "flow.branch"}]}'
    )
    offered = {
        each["name"]: (each["names"], each["choices"])
        for node in graph.nodes
        for each in sockets_of(graph, node, registry().get(node.type))
    }
    assert offered["name"] == ("variable", ["total"])
    assert offered["operation"][1][:2] == ["add", "append"] and offered["condition"] == (None, ["true", "false"])
    assert offered["value"] == (None, None)
