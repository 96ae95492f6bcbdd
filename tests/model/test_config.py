"""Types whose sockets depend on what stands as `config` at a node (M2)."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from support import Note

import trioflow as tf
from trioflow.formats import to_text
from trioflow.model.node_type import Beside, Configured
from trioflow.testing import run_virtual

REGISTRY = tf.Registry.standard(plugins=False)


class Adds(tf.Node, id="test.adds"):
    """Adds the inputs that `config` names, and asks the graph that it names as `by`."""

    enter = tf.ExecIn()
    result = tf.DataOut(int)
    then = tf.ExecOut()

    @classmethod
    def configured(cls, config: Mapping[str, Any], find: Callable[[str], tf.NodeType | None]) -> Configured:
        names = config.get("names", [])
        if not isinstance(names, list):
            raise ValueError(f"expected a list of names, got {names!r}")
        sockets: dict[str, Any] = {name: tf.DataIn(int) for name in names}
        if "by" not in config:
            return Configured(sockets)
        found = find(config["by"])
        if found is None:
            raise ValueError(f"there is no {config['by']!r} here")
        sockets |= {"help": tf.ExecOut(), "start": tf.DataOut(int), "helped": tf.DataIn(int, lazy=True)}
        return Configured(sockets, {"help": Beside(found, {"help": "enter", "start": "n"}, {"twice": "helped"})})

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        total = sum([await ctx.get_input(name) for name in ctx.node.config.get("names", ())])
        if "help" in ctx.type.beside:
            await ctx.trigger("help", {"start": total})
            total = await ctx.get_input("helped")
        ctx.set_output(self.result, total)
        return self.then


def doubling() -> tf.Graph:
    with tf.build() as g:
        enter, done = g.declare_entry("enter"), g.declare_exit("done")
        twice = g.declare_output("twice", "int")
        keep = g.add("state.keep", value=g.add("math.multiply", a=g.declare_input("n", "int"), b=2).result)
        g.connect(enter, keep.enter)
        g.connect(keep.then, done)
        g.connect(keep.kept, twice)
    return g.graph


def adding(builder: Callable[[], Any] = tf.build, **config: Any) -> tf.Graph:
    with builder() as g:
        if "by" in config:
            g.define("double", doubling())
        start = g.add("flow.start")
        adds = g.add(Adds, "adds", config={"names": ["a", "b"], **config}, a=1, b=g.add("math.add", a=2, b=3).result)
        g.connect(start.then, adds.enter)
        g.connect(adds["then"], g.add(Note, "note", value=adds.result).enter)
    return g.graph


def run(graph: tf.Graph) -> list[Any]:
    notes: list[Any] = []
    run_virtual(graph, services={"notes": notes})
    return notes


def test_sockets_of_a_configuration_are_wired_and_given_like_others() -> None:
    assert run(adding()) == [6]


def test_a_document_holds_it() -> None:
    graph = adding()
    text = tf.dumps(graph)
    assert '"config"' in text
    registry = tf.Registry.standard(plugins=False)
    registry.add(Adds, Note)
    notes: list[Any] = []
    read = tf.loads(text)
    run_virtual(read, registry=registry, services={"notes": notes})
    assert (notes, tf.dumps(read)) == ([6], text)


@pytest.mark.parametrize("builder", [tf.build, tf.workflow])
def test_a_node_beside_is_called_below_the_one_that_is_configured(builder: Callable[[], Any]) -> None:
    """It is as if it stood in the graph: it has a name, an activation, and a place in drawings."""
    graph = adding(builder, by="graph:double")
    started: list[Any] = []

    def see(event: Any) -> None:
        if type(event).__name__ == "NodeStarted" and event.node in ("adds", "adds:help"):
            started.append((event.node, len(event.path.as_tuple())))

    notes: list[Any] = []
    run_virtual(graph, services={"notes": notes}, observers=[see])
    assert notes == [12]
    (one, depth), (other, deeper) = started
    assert (one, other) == ("adds", "adds:help")
    assert depth < deeper
    assert "adds:help (graph:double)" in to_text(graph, REGISTRY)


def test_the_way_on_is_still_its_only_exit() -> None:
    """What leads to a node beside it is none: `connect(node, ...)` and `"from": "node"` mean where it goes on."""
    with tf.workflow() as w:
        w.define("double", doubling())
        adds = w.add(Adds, "adds", config={"by": "graph:double"})
        w.connect(adds, w.add(Note, "note", value=adds.result))
    assert run(w.graph) == [0]
    assert str(w.graph.connections[-1]) == "adds.then -> note.enter"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"names": "a"}, "test.adds: expected a list of names, got 'a'."),
        ({"names": ["then", "then"]}, ""),
        ({"names": [], "by": "graph:none"}, "test.adds: there is no 'graph:none' here."),
        ({"names": ["enter"]}, "two inputs are called 'enter'"),
    ],
)
def test_a_configuration_that_is_wrong(config: dict[str, Any], message: str) -> None:
    registry = tf.Registry.standard(plugins=False)
    registry.add(Adds)
    graph = tf.Graph([tf.GraphNode("start", "flow.start"), tf.GraphNode("adds", "test.adds", config=config)])
    found = tf.validate(graph, registry).problems
    assert to_text(graph, registry)  # it is drawn all the same
    if message:
        assert [each.path for each in found if each.code == "config"] == ["nodes[1].config"]
        assert message in next(each for each in found if each.code == "config").message


def test_a_type_that_has_none_says_so() -> None:
    graph = tf.Graph([tf.GraphNode("start", "flow.start", config={"a": 1})])
    (problem,) = tf.validate(graph, REGISTRY).errors
    assert (problem.code, problem.message) == ("config", "flow.start: it has no configuration.")
    with tf.build() as g, pytest.raises(tf.NodeDefinitionError, match="flow.start: it has no configuration"):
        g.add("flow.start", config={"a": 1})


def test_a_configured_type_is_pickled_by_name() -> None:
    made = Adds.type.configured({"names": ["a"]}, lambda _: None)
    again = pickle.loads(pickle.dumps(made))
    assert [each.name for each in again.inputs] == ["a"]
    assert again.config == {"names": ["a"]}
    beside = Adds.type.configured({"by": "x"}, lambda _: tf.graph_node(doubling(), id="graph:double"))
    with pytest.raises(tf.NodeDefinitionError, match="pickle the graph instead"):
        pickle.dumps(beside)
