"""Looking up types, sockets and wires: what is said of those that are not there, and what is then left out (M3, M5)."""

from __future__ import annotations

import pytest

import trioflow as tf
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, Unreadable, Variable
from trioflow.model.scope import Scope
from trioflow.semantics import wiring
from trioflow.semantics.wiring import Wiring


@tf.exec_node(id="t.step")
def step(value: int = 0) -> int:
    return value


@tf.exec_node(id="t.needs")
def needs(value: int) -> None: ...


@tf.exec_node(id="t.start", initiator=True)
def start() -> None: ...


@tf.data_node(id="t.add")
def add(a: int = 0, b: int = 0) -> int:
    return a + b


class Hears(tf.Node, id="t.hears", listens="event"):
    event = tf.DataIn(str)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.then


REGISTRY = tf.Registry()
REGISTRY.add(step, needs, start, add, Hears)
START = GraphNode("start", "t.start")


def problems(nodes, wires=(), **more):
    connections = [Connection(Endpoint(*source.split(".")), Endpoint(*target.split("."))) for source, target in wires]
    return tf.validate(Graph(nodes=[START, *nodes], connections=connections, **more), REGISTRY).problems


def codes(*arguments, **more):
    return [problem.code for problem in problems(*arguments, **more)]


def test_socket_of_the_other_side():
    """A socket that is there, but on the other side or of the other kind, is said to be that (M3)."""
    nodes = [GraphNode("step", "t.step", {"enter": 1}), GraphNode("add", "t.add")]
    found = problems(nodes, [("start.then", "step.enter"), ("step.enter", "add.a"), ("add.result", "add.result")])
    assert [problem.cure for problem in found] == [
        "Its data inputs: value. 'enter' is an exec input.",
        "Its outputs: then, result. 'enter' is an exec input.",
        "Its inputs: a, b. 'result' is a data output.",
    ]


def test_wires_to_nowhere():
    """A wire to a node that is not there, or of which nothing is known, is one problem at most (M5)."""
    assert codes([], [("start.then", "nobody.enter")]) == ["unknown-node"]
    step, odd = GraphNode("step", "t.step"), GraphNode("odd", "t.unknown")
    assert codes([step, odd], [("start.then", "odd.enter"), ("odd.then", "step.enter")]) == ["unknown-node-type"]


def test_wrong_wire_is_not_missing_too():
    """An input at which a wrong wire ends is not reported as missing (M5)."""
    nodes = [GraphNode("needs", "t.needs")]
    assert codes(nodes, [("start.then", "needs.enter"), ("start.then", "needs.value")]) == ["kind-mismatch"]


@pytest.mark.parametrize(
    ("nodes", "wires", "found"),
    [
        ([START], [], "duplicate-id"),
        ([GraphNode("odd", "t.unknown")], [], "unknown-node-type"),
        ([], [("nobody.then", "lost.enter")], "unknown-node"),
        ([], [("lost.then", "lost.value")], "kind-mismatch"),
    ],
)
def test_what_can_not_be_told(nodes, wires, found):
    """As long as not every wire can be followed, nothing is called unreachable (M5)."""
    lost = GraphNode("lost", "t.step")
    assert codes([lost], []) == ["unreachable"]
    assert codes([lost, *nodes], wires) == [found]


def test_listener_names_an_event():
    """What a listener listens for is the name of an event, whether or not its socket says so (B1)."""
    assert codes([GraphNode("hears", "t.hears", {"event": "nothing"})]) == ["undeclared-event"]


def test_files():
    """A graph in a file that could not be read is a problem with the reasons; without a document there is none (C1)."""
    nodes = [GraphNode("one", "file:a.json"), GraphNode("two", "file:b.json")]
    found = problems(nodes, files={"a.json": Unreadable(("no text", "no nodes"))})
    assert [(problem.code, problem.path, problem.message, problem.cure) for problem in found] == [
        (
            "unreadable-file",
            "nodes[1].type",
            "a.json can't be read as a graph: no text; no nodes",
            "Repair it, or name another file.",
        ),
        (
            "unreadable-file",
            "nodes[2].type",
            "b.json was not read: this graph does not come from a file.",
            "Load the document with trioflow.load, or name a graph in it: graph:NAME.",
        ),
    ]


def test_only_names_have_near_names():
    """What is not a text is like no name (M5)."""
    (problem,) = problems([], variables=[Variable("v", 5)])
    assert (problem.message, problem.cure.partition(": ")[0]) == ("There is no type 5.", "Use one of")
    assert problem.cure.endswith("str.")


def test_near_names_are_looked_for_so_many_times(monkeypatch):
    """A report compares with a hundred thousand names, then it goes without (M5)."""
    monkeypatch.setattr(wiring, "_NAMES_COMPARED", 5)
    found = Wiring(Scope(Graph(), REGISTRY))
    assert [found.suggest("nam", ["name", "other"]) for _ in range(3)] == [" Did you mean 'name'?"] * 2 + [""]


def test_ids_that_can_be_seen():
    """A character that takes space, or none, is no control character: an id may have it (M1)."""
    assert codes([GraphNode("a\u00a0b\u00adc", "t.start")]) == []
