"""What goes to other processes goes by name: pickles and copies of types, graphs, plans, options, registries (A9)."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import attrs
import pytest
from support import STANDARD, Note, chain, increment

import trioflow as tf
from trioflow.model.by_name import by_name, importable_name
from trioflow.testing import run_virtual


@tf.exec_node(id="by_name.acts")
async def acts(ctx: tf.Context, x: int = 1) -> int:
    return x


def bare(x: int) -> int:
    return x + 1


class Outer:
    """A place below the top of the module."""

    class Inside(tf.Node, id="by_name.inside"):
        """A class in a class."""

        enter = tf.ExecIn()
        secret = tf.DataIn(str, secret=True, default="")
        item = tf.DataOut(int)
        body = tf.ExecOut()
        done = tf.ExecOut()
        stream = tf.Stream(item, fires=body, done=done)

        async def execute(self, ctx: tf.Context) -> None: ...


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("node", [increment, acts])
def test_functions(node):
    """A node made of a function is what is at its name: the very same in this process (A9)."""
    assert importable_name(node.type) == f"{node.__module__}:{node.__name__}"
    for same in (through_pickle, copy.copy, copy.deepcopy):
        assert same(node) is node
        assert same(node.type) is node.type


@pytest.mark.parametrize("node", [Note, Outer.Inside])
def test_classes(node):
    """So is one made of a class, also inside of another (A9)."""
    for same in (through_pickle, copy.copy, copy.deepcopy):
        assert same(node.type) is node.type
    assert importable_name(Outer.Inside.type) == f"{__name__}:Outer.Inside"


def test_graphs_as_types():
    """A graph goes by value, with the types that it holds by name (A9)."""
    with tf.build(STANDARD) as inner:
        inner.connect(inner.add(increment, x=inner.declare_input("x", "int")).result, inner.declare_output("y", "int"))
    made = tf.graph_node(inner.graph, id="by_name.graph", doc="A graph.")
    again = through_pickle(made)
    assert (again.id, again.doc, [each.name for each in again.outputs]) == ("by_name.graph", "A graph.", ["y"])
    assert again.body.graph == inner.graph


def everything():
    with tf.build(STANDARD) as inner:
        inner.connect(inner.add(increment, x=inner.declare_input("x", "int")).result, inner.declare_output("y", "int"))
    with tf.build(STANDARD) as g:
        g.variable("v", "list", [1, {"a": 2}])
        call = g.add(g.define("called", inner.graph), "call", x=1)
        note = g.add(Note, "note", value=g.add(increment, "data", x=call.y).result)
        chain(g, g.add(tf.nodes.Start), g.add(acts, "acts", x=3), note)
    return g.graph


@pytest.mark.parametrize("same", [through_pickle, copy.copy, copy.deepcopy])
def test_graphs_plans_and_registries(same, bench):
    """All of these can be sent and copied, and run (A9)."""
    graph = everything()
    assert same(graph) == graph
    plan = tf.make_plan(graph, STANDARD)
    for each in (same(graph), same(plan)):
        bench.run(each)
        assert bench.notes == [3]
    registry = same(STANDARD)
    assert registry.ids() == STANDARD.ids()
    assert registry.get("flow.for") is STANDARD.get("flow.for")
    run_virtual(same(graph), registry=registry, services={"notes": []})


def test_options():
    """Options go by value (A9)."""
    options = tf.RunOptions(seed=3, streams={"each": tf.StreamSettings(limit=2), "http.*": tf.StreamSettings()})
    for same in (through_pickle, copy.deepcopy):
        assert same(options) == options
        assert attrs.evolve(same(options), seed=4).seed == 4


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(lambda x: x + 1, id="lambda"),
        tf.data_node(id="by_name.lambda")(lambda x: x),
        tf.data_node(id="by_name.other")(bare),
    ],
)
def test_what_has_no_name(node):
    """What can't be found by a name can't be pickled, and is told how it can; it can be copied (A9)."""
    with tf.build(STANDARD) as g:
        added = g.add(node, "node", x=1)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=added.result))
    (node_type,) = [each for name, each in g.graph.types.items() if name not in ("test.note", "flow.start")]
    if importable_name(node_type) is None:
        for each in (g.graph, tf.make_plan(g.graph, STANDARD), node_type):
            with pytest.raises(tf.NodeDefinitionError, match="can't be pickled: types are pickled by name.*decorate"):
                pickle.dumps(each)
    assert copy.deepcopy(g.graph) == g.graph


def test_a_function_that_is_there_as_itself():
    """A bare function of a module goes by name: a type made of it is made again (A9)."""
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(bare, "node", x=1).result))
    notes = []
    run_virtual(through_pickle(g.graph), services={"notes": notes})
    assert notes == [2]


def test_what_is_gone():
    """A name at which there is nothing any more is told, with the cure (A9)."""
    with pytest.raises(tf.NodeDefinitionError, match="Node type 'x' was at support:gone, but there is nothing there"):
        by_name("support:gone", "x")
    with pytest.raises(tf.NodeDefinitionError, match="is in module 'no_such_module', which can't be imported here"):
        by_name("no_such_module:gone", "x")


def test_another_process(tmp_path):
    """A graph that was pickled here runs in another process that has the code (A9)."""
    file = tmp_path / "graph.pickle"
    with tf.build() as g:
        loop = g.add(tf.nodes.ForLoop, times=3)
        g.connect(g.add(tf.nodes.Start).then, loop.enter)
        g.connect(loop.body, g.add(tf.nodes.Print, value=loop.index).enter)
    file.write_bytes(pickle.dumps(tf.make_plan(g.graph, tf.Registry.standard())))
    code = f"import pickle, trio, trioflow; trio.run(trioflow.run, pickle.load(open({str(file)!r}, 'rb')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1", "2"]
