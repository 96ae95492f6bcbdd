"""What an import needs of a compiled graph is its shape: here that shape without LangGraph, for everything that is said of it."""

from __future__ import annotations

import operator
from types import SimpleNamespace

import pytest
import trio

import trioflow as tf
from trioflow.formats.langgraph import from_langgraph, state_of
from trioflow.testing import EventLog

START, END = "__start__", "__end__"


class LastValue:
    pass


class EphemeralValue:
    pass


class Command:
    def __init__(self, goto, update=None):
        self.goto, self.update = goto, update


class Send:
    def __init__(self, node, arg):
        self.node, self.arg = node, arg


class Model:
    def __init__(self, **values):
        self.__dict__.update(values)


def runnable(function):
    return SimpleNamespace(func=function, invoke=function)


def spec(function, **more):
    return SimpleNamespace(runnable=runnable(function), **more)


def branch(function, ends=None):
    return SimpleNamespace(path=runnable(function), ends=ends)


def compiled(nodes, edges=(), waiting=(), branches=None, channels=None, managed=(), **more):
    channels = channels or {"x": LastValue(), "log": SimpleNamespace(operator=operator.add, value=[])}
    specs = {name: each if isinstance(each, SimpleNamespace) else spec(each) for name, each in nodes.items()}
    builder = SimpleNamespace(nodes=specs, edges=set(edges), waiting_edges=set(waiting), branches=branches or {},
                              channels=channels, managed=dict.fromkeys(managed))  # fmt: skip
    return SimpleNamespace(builder=builder, name="drawn", **more)


def logs(name):
    return lambda state: {"log": [name]}


def ran(graph, given=None):
    imported, log = from_langgraph(graph), EventLog()
    result = trio.run(lambda: tf.run(imported.graph, variables={"input": given or {}}, observers=[log]))
    return state_of(imported.graph, result.variables), [
        node for _, node, _ in log.rows("started") if node in graph.builder.nodes
    ]


def test_state_and_joins():
    graph = compiled(
        {name: logs(name) for name in "abcd"}, [(START, "a"), ("a", "b"), ("a", "c"), ("d", END)], [(("b", "c"), "d")]
    )
    assert ran(graph, {"x": 3}) == ({"x": 3, "log": ["a", "b", "c", "d"]}, ["a", "b", "c", "d"])


def test_a_reducer_without_a_begin():
    """What it begins with is only known for some types."""
    channels = {"n": SimpleNamespace(operator=max, value=int)}
    graph = compiled(
        {"a": lambda state: {"n": 3, "unheard": 1}, "b": lambda state: {"n": 2}},
        [(START, "a"), ("a", "b")],
        channels=channels,
    )
    assert ran(graph)[0] == {"n": 3}


def test_routers():
    branches = {
        "a": {"one": branch(lambda state: "far", {"far": "b", "near": "c"}), "two": branch(lambda state: ["c", END])}
    }
    assert ran(compiled({name: logs(name) for name in "abc"}, [(START, "a")], branches=branches))[1] == ["a", "b", "c"]


def test_commands():
    nodes = {
        "a": spec(lambda state: [Command("b", {"x": 1}), Command(["c"])], ends=("b", "c")),
        "b": logs("b"),
        "c": logs("c"),
    }
    assert ran(compiled(nodes, [(START, "a")]))[1] == ["a", "b", "c"]


def test_circles():
    branches = {"a": {"again": branch(lambda state: "a" if len(state["log"]) < 3 else END, {"a": "a", END: END})}}
    assert ran(compiled({"a": logs("a")}, [(START, "a")], branches=branches))[1] == ["a"] * 3


def test_schemas_and_values():
    """A node gets what its schema names, as an object if that is a class; what it gives may be an object, too."""

    class Part(dict):
        __annotations__ = {"x": int}

    seen = []
    nodes = {
        "a": spec(lambda state: seen.append(state), input_schema=Part),
        "b": spec(
            lambda state: Model(x=state.x + 1), input_schema=type("S", (Model,), {"__annotations__": {"x": int}})
        ),
    }
    assert ran(compiled(nodes, [(START, "a"), ("a", "b")]), {"x": 3, "log": ["l"]})[0] == {"x": 4, "log": ["l"]}
    assert seen == [{"x": 3}]


def test_async_functions():
    async def node(state):
        await trio.sleep(0)
        return {"x": 1}

    graph = compiled({"a": SimpleNamespace(runnable=SimpleNamespace(func=None, afunc=node))}, [(START, "a")])
    assert ran(graph)[0] == {"x": 1, "log": []}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (Command(Send("zz", 1)), "goes on at 'zz', which is not a node"),
        (Command("z"), "'z', which is not a node"),
        (3, "which is not a mapping"),
    ],
)
def test_what_fails(given, problem):
    with pytest.raises(tf.NodeError, match=problem):
        ran(compiled({"a": lambda state: given, "b": logs("b")}, [(START, "a")]))


def test_concurrent_writes_of_a_last_value():
    with pytest.raises(tf.MergeError):
        ran(compiled({"a": lambda state: {"x": 1}, "b": lambda state: {"x": 2}}, [(START, "a"), (START, "b")]))


def test_what_is_said():
    nodes = {name: logs(name) for name in "abc"} | {"d": spec(logs("d"), retry_policy=[1], cache_policy=None)}
    graph = compiled(
        nodes,
        [(START, "a"), ("a", "b"), ("b", "d"), ("a", "d")],
        channels={"x": EphemeralValue()},
        managed=["steps"],
        checkpointer=object(),
        interrupt_before_nodes=["a"],
    )
    said = {f"{each.severity} {each.code} {each.path}" for each in from_langgraph(graph).diagnostics}
    assert said == {
        "info other-channel channels.x", "warning left-out channels.steps", "warning left-out checkpointer",
        "warning left-out interrupt_before_nodes.a", "warning left-out nodes.d.retry_policy", "info fires-once nodes.d",
    }  # fmt: skip


def sends(items, *, then="d"):
    """A router that sends items to `b`, behind which there is another node."""
    nodes = {"a": logs("a"), "b": lambda item: {"log": [f"b{item}"]}, "c": logs("c"), then: logs(then)}
    branches = {"a": {"way": branch(lambda state: [Send("b", each) for each in items] or ["c"], {"b": "b", "c": "c"})}}
    return compiled(nodes, [(START, "a"), ("b", then)], branches=branches)


def test_what_is_sent_to_a_node():
    """It is called once for each, in one firing; what is behind it fires once."""
    state, fired = ran(sends([1, 2, 3]))
    assert (state["log"], fired) == (["a", "b1", "b2", "b3", "d"], ["a", "b", "d"])
    assert ran(sends([7]))[0]["log"] == ["a", "b7", "d"]
    assert ran(sends([]))[0]["log"] == ["a", "c"]


def test_what_was_sent_is_taken_once():
    """A node that is sent to in a circle gets each only in the round in which it was sent."""
    nodes = {"a": logs("a"), "b": lambda item: {"log": [f"b{item}"], "x": item}}
    back = branch(lambda state: "a" if state["x"] < 3 else END)
    to_b = branch(lambda state: [Send("b", state.get("x", 0) + 1)], {"b": "b"})
    graph = compiled(nodes, [(START, "a")], branches={"a": {"way": to_b}, "b": {"way": back}})
    assert ran(graph)[0]["log"] == ["a", "b1", "a", "b2", "a", "b3"]


def test_concurrent_writes_of_what_is_sent():
    """A key without a reducer may be written by one of the calls only."""
    graph = sends([1, 2])
    graph.builder.nodes["b"] = spec(lambda item: {"x": item})
    with pytest.raises(tf.NodeError, match="'b' was sent to 2 times, and more than once it wrote 'x', which has no"):
        ran(graph)
