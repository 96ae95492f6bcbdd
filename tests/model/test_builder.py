"""Building graphs in Python."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from trioflow.errors import InvalidGraph, NodeDefinitionError, UnknownNodeType, UnknownSocket
from trioflow.model.builder import Builder, build
from trioflow.model.context import Context
from trioflow.model.function_node import data_node
from trioflow.model.graph import Connection, CustomEvent, Endpoint, GraphNode, StreamSettings, Variable
from trioflow.model.node_type import Node
from trioflow.model.registry import Registry
from trioflow.model.sockets import DataIn, DataOut, ExecIn, ExecOut


class Step(Node, id="test.Step"):
    enter = ExecIn()
    value = DataIn(int, default=0)
    then = ExecOut()
    out = DataOut(int)

    async def execute(self, ctx: Context) -> None: ...


class Other(Step, abstract=True):
    pass


@data_node(id="test.echo")
def echo(result: int) -> int:
    return result


@pytest.fixture
def g() -> Builder:
    registry = Registry()
    registry.add(Step)
    return build(registry)


def test_nodes_and_wires(g: Builder) -> None:
    """Nodes keep their order; inputs that are outputs of other nodes become wires, others literals."""
    with g:
        first = g.add(Step, value=1)
        second: Any = g.add("test.Step", "my.second", value=first.out)
        g.connect(first.then, second["enter"])
    assert g.graph.nodes == (GraphNode("step", "test.Step", {"value": 1}), GraphNode("my.second", "test.Step"))
    assert g.graph.connections == (
        Connection(Endpoint("step", "out"), Endpoint("my.second", "value")),
        Connection(Endpoint("step", "then"), Endpoint("my.second", "enter")),
    )
    assert g.graph.types == {"test.Step": Step.type}


def test_what_is_no_output_is_refused_with_what_was_meant(g: Builder) -> None:
    """A variable, and a node, where one of its outputs is meant; the node that was to be added is not there."""
    total = g.variable("total", "int", 0)
    step = g.add(Step, "step")
    with pytest.raises(InvalidGraph) as variable:
        g.add(Step, "next", value=total)
    assert str(variable.value).splitlines()[0] == (
        "Input 'value' of node 'next' was given the variable 'total'. "
        "Wire what reads it: add('variable.get', name='total').result."
    )
    with pytest.raises(InvalidGraph, match=r"was given the node 'step'\. Wire one of its data outputs: out\."):
        g.add(Step, "next", value=step)
    assert [node.id for node in g.graph.nodes] == ["step"]


def test_free_ids(g: Builder) -> None:
    """Nodes without an id of their own are called by their type, and numbered from the second on."""
    for _ in range(3):
        g.add(Step)
    g.add(lambda: 1)
    assert [node.id for node in g.graph.nodes] == ["step", "step_2", "step_3", "lambda"]
    assert g.graph.nodes[3].type == "inline.1.<lambda>"


def test_input_and_output_of_one_name(g: Builder) -> None:
    """Inputs and outputs are separate namespaces: the wire tells which one is meant (M3)."""
    first = g.add(echo, "first", result=1)
    second = g.add(echo, "second", result=first.result)
    third = g.add(echo, "third")
    g.connect(second.result, third.result)
    assert [str(wire) for wire in g.graph.connections] == [
        "first.result -> second.result", "second.result -> third.result",
    ]  # fmt: skip


def test_variables_and_events(g: Builder) -> None:
    """Variables and events are declared with their defaults."""
    g.variable("total", "int", 0, merge="sum", doc="So far.")
    g.event("done", doc="All of it.")
    assert g.graph.variables == (Variable("total", "int", 0, "sum", "So far."),)
    assert g.graph.events == (CustomEvent("done", "All of it."),)


def test_configure_keeps_what_it_is_not_given(g: Builder) -> None:
    """Configuring a node a second time does not forget the first time."""
    step = g.add(Step)
    g.configure(step, initiator=True, mode="concurrent", metadata={"x": 1})
    g.configure(step, limit=4)
    (node,) = g.graph.nodes
    assert node == GraphNode(
        "step", "test.Step", initiator=True, stream=StreamSettings("concurrent", 4), metadata={"x": 1}
    )


def test_a_graph_does_not_follow_its_builder(g: Builder) -> None:
    """A graph taken from a builder stays as it is when the builder goes on."""
    before = g.graph
    g.add(echo)
    assert (before.nodes, dict(before.types)) == ((), {})


def test_python_may_ask_a_handle_anything() -> None:
    """A handle has no special attributes but Python's own, so that tools can look at it."""
    handle: Any = build(Registry()).add(echo, "e")
    assert repr(handle) == "<node 'e': test.echo>"
    assert not hasattr(handle, "__fspath__")
    assert copy.copy(handle).result == handle.result


def test_taken_id(g: Builder) -> None:
    """An id can be given once."""
    g.add(Step, "a")
    with pytest.raises(InvalidGraph) as caught:
        g.add(Step, "a")
    assert str(caught.value) == "There is already a node 'a'. Ids are unique: choose another."


@pytest.mark.parametrize("name", ["valeu", "out", "enter"])
def test_literal_for_what_is_no_data_input(g: Builder, name: str) -> None:
    """Only data inputs take values: neither outputs nor exec inputs do."""
    with pytest.raises(UnknownSocket) as caught:
        g.add(Step, "a", **{name: 1})
    hint = " Did you mean 'value'?" if name == "valeu" else ""
    assert str(caught.value) == f"Node 'a' (test.Step) has no data input {name!r}.{hint} It has: value."
    assert g.graph.nodes == ()


def test_unknown_socket(g: Builder) -> None:
    """Asking a node for a socket that it does not have lists those that it has."""
    step: Any = g.add("test.Step", "a")
    with pytest.raises(UnknownSocket) as caught:
        step.thn  # noqa: B018 - the look-up is the test
    assert str(caught.value) == (
        "Node 'a' (test.Step) has no socket 'thn'. Did you mean 'then'? It has: value, enter, out, then."
    )


def test_wires_the_wrong_way(g: Builder) -> None:
    """A wire goes from an output to an input; the refusal says which end is wrong."""
    a, b = g.add(Step, "a"), g.add(Step, "b")
    anything: Any = g
    with pytest.raises(UnknownSocket) as caught:
        anything.connect(a.enter, b.enter)
    assert str(caught.value) == (
        "connect(source, target) needs an output of a node in this graph here, not <ExecIn 'a.enter'>. "
        "Write g.connect(a.then, b.enter) with a and b from g.add(...)."
    )
    with pytest.raises(UnknownSocket, match=r"needs an input of a node in this graph here, not <ExecIn 'enter'>\."):
        anything.connect(a.then, Step.enter)


def test_unknown_type(g: Builder) -> None:
    """A type id that nobody declares is refused with the nearest."""
    with pytest.raises(UnknownNodeType) as caught:
        g.add("test.Stop")
    assert str(caught.value) == "There is no node type 'test.Stop'. Did you mean 'test.Step'?"


@pytest.mark.parametrize(("node", "shown"), [(3, "3"), (Other, repr(Other))])
def test_what_is_no_node_type(g: Builder, node: Any, shown: str) -> None:
    """What is neither a type, nor a function, nor an id is refused; abstract classes are, too."""
    with pytest.raises(InvalidGraph) as caught:
        g.add(node)
    assert str(caught.value) == (
        f"{shown} is neither a node type that is not abstract, nor a function, nor the id of a type."
    )


def test_two_types_of_one_id(g: Builder) -> None:
    """Two types of the same id in one graph are refused: one would run the other's body."""

    @data_node(id="test.Step")
    def step() -> int:
        return 1

    g.add(Step)
    with pytest.raises(NodeDefinitionError) as caught:
        g.add(step)
    assert str(caught.value) == "Two node types have the id 'test.Step'. Give one of them another: id='...'."


def test_configure_something_else(g: Builder) -> None:
    """Only nodes of this graph can be configured."""
    with pytest.raises(InvalidGraph) as caught:
        g.configure("step")
    assert str(caught.value) == "configure(node) needs a node of this graph, from g.add(...), not 'step'."


def test_sockets_of_a_handle_are_attributes_for_tools():
    """`hasattr` and `getattr` with a default work, and `dir` lists the sockets: what prompts and notebooks ask."""
    with build() as g:
        loop = g.add("flow.for", times=2)
    assert not hasattr(loop, "bodi")
    assert getattr(loop, "bodi", None) is None
    assert {"enter", "times", "body", "index"} <= {*dir(loop)}
    with pytest.raises(UnknownSocket, match="Did you mean 'body'"):
        loop.bodi  # noqa: B018
