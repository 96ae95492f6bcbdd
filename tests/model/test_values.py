"""Values of graphs: own copies of containers, mappings that nobody can change."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict, deque

import pytest

from trioflow.model.graph import Graph, GraphNode, Input, Variable
from trioflow.model.values import FrozenMapping, frozen, own_copy


def test_containers_are_copied_at_every_depth():
    value = [{"a": [1]}, ({2}, [3])]
    copied = own_copy(value)
    assert copied == value
    copied[0]["a"].append("x")
    copied[1][0].add("x")
    copied[1][1].append("x")
    assert value == [{"a": [1]}, ({2}, [3])]


@pytest.mark.parametrize("value", [1, "text", None, (1, "a"), b"bytes", object(), frozenset({1})])
def test_nothing_else_is_copied(value):
    assert own_copy(value) is value


@pytest.mark.parametrize("value", [OrderedDict(a=1), deque([1]), bytearray(b"a")])
def test_other_containers_keep_their_type(value):
    copied = own_copy(value)
    assert type(copied) is type(value)
    assert copied == value
    assert copied is not value


def test_a_list_that_holds_itself():
    value: list = [1]
    value.append(value)
    copied = own_copy(value)
    assert copied is not value
    assert copied[1] is copied


def test_a_frozen_mapping_gives_copies():
    given = {"items": [1]}
    mapping = frozen(given)
    given["items"].append(2)
    mapping["items"].append(3)
    mapping.get("items").append(4)
    [*mapping.values()][0].append(5)
    dict(mapping)["items"].append(6)
    assert mapping == {"items": [1]}


def test_a_frozen_mapping_is_a_mapping():
    mapping = FrozenMapping({"a": 1})
    assert (mapping.get("a"), mapping.get("b"), mapping.get("b", 2)) == (1, None, 2)
    assert hash(mapping) == hash(FrozenMapping({"a": 1}))
    assert pickle.loads(pickle.dumps(mapping)) == copy.deepcopy(mapping) == mapping
    assert frozen(mapping) is mapping
    assert repr(mapping) == "{'a': 1}"


def test_a_graph_is_not_changed_by_whoever_gave_it_its_values():
    literal, default = ["l"], ["d"]
    node = GraphNode("n", "t", inputs={"items": literal}, metadata={"place": [1, 2]})
    graph = Graph(nodes=[node], variables=[Variable("v", "list", default)])
    given = Input("i", "list", default)
    literal.append("x")
    default.append("x")
    node.metadata["place"].append("x")
    graph.nodes[0].inputs["items"].append("x")
    assert (node.inputs, node.metadata) == ({"items": ["l"]}, {"place": [1, 2]})
    assert (graph.variables[0].default, given.default) == (["d"], ["d"])
