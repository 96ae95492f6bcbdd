"""Functions with several exec outputs."""

from typing import Literal, NamedTuple

import pytest

import trioflow as tf
from trioflow.testing import EventLog, run_virtual


class Rated(NamedTuple):
    score: int
    text: str


@tf.exec_node(exits={"small": "below 10", "large": ""})
def sized(number: int) -> Literal["small", "large"] | None:
    """Judge a number; 0 ends there."""
    return None if number == 0 else "small" if number < 10 else "large"


@tf.exec_node(exits=["again", "done"])
async def rated(text: str) -> tuple[str, Rated]:
    """Rate a text."""
    return ("done" if text.endswith("!") else "again"), Rated(len(text), text)


@tf.exec_node(exits=["again", "done"])
def counted(text: str) -> tuple[str, int]:
    """Count letters."""
    return "done", len(text)


@tf.exec_node(exits=["a", "b"])
def wrong(value: object) -> str:
    """Return whatever it gets."""
    return value


@tf.exec_node(exits=["a", "b"])
def wrong_pair(value: object) -> tuple[str, object]:
    """The same, where a result is to come with it."""
    return value


@tf.exec_node
def reached(which: str) -> None:
    """Be reached."""


def ways(node, **inputs):
    """What is reached behind each exec output of a node, and the run's result."""
    log = EventLog()
    with tf.build() as g:
        start, choice = g.add(tf.nodes.Start), g.add(node, "choice", **inputs)
        g.connect(start.then, choice.enter)
        for socket in node.type.exec_outputs:
            g.connect(choice[socket.name], g.add(reached, socket.name, which=socket.name).enter)
    run = run_virtual(g.graph, observers=[log])
    found = [event.node for event in log if type(event) is tf.events.NodeStarted]
    return found[2:], run


@pytest.mark.parametrize("observed", [False, True])
def test_it_goes_on_where_the_function_says(observed):
    """By name, with or without a result, at once or awaited; None ends there. Watched or not it is the same."""
    assert ways(sized, number=3)[0] == ["small"]
    assert ways(sized, number=30)[0] == ["large"]
    assert ways(sized, number=0)[0] == []
    way, run = ways(rated, text="good!")
    assert (way, run.output("choice", "score"), run.output("choice", "text")) == (["done"], 5, "good!")
    way, run = ways(counted, text="good")
    assert (way, run.output("choice")) == (["done"], 4)
    assert [(each.name, each.doc) for each in sized.type.exec_outputs] == [("small", "below 10"), ("large", "")]
    assert sized(3) == "small"


def test_unwatched_it_is_a_quick_step():
    """A plain one is a call of the function, and needs no activation."""
    with tf.build() as g:
        start, one, two = g.add(tf.nodes.Start), g.add(sized, "one", number=12), g.add(counted, "two", text="abc")
        g.connect(start.then, one.enter)
        g.connect(one.large, two.enter)
        g.connect(two.done, g.add(sized, "three", number=0).enter)
    plan = tf.make_plan(g.graph, tf.Registry.standard())
    assert all(plan.nodes[plan.node_index[name]].step is not None for name in ("one", "two", "three"))
    result = run_virtual(g.graph)
    assert (result.statistics.steps, result.output("two")) == (4, 3)


def test_in_a_workflow():
    """A wire from each; tokens go where the function says."""
    with tf.workflow() as w:
        one, two = w.add(counted, "one", text="ab"), w.add(sized, "two", number=3)
        w.connect(one.done, two)
        w.variable("seen", "str", "")
        w.connect(two.small, w.add(reached, "small", which="x", set={"seen": "'small'"}))
        w.connect(two.large, w.add(reached, "large", which="x", set={"seen": "'large'"}))
    assert run_virtual(w.graph).variables["seen"] == "small"


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize(
    ("node", "value", "told"),
    [
        (wrong, "c", "returned str 'c' as the exec output at which it goes on. It has: a, b."),
        (wrong, ["a"], "returned list ['a'] as the exec output at which it goes on. It has: a, b."),
        (wrong, ("a", 1), "returned tuple ('a', 1) as the exec output"),
        (wrong_pair, "a", "returned str 'a'. It has to return an exec output and its result: `return 'a', result`."),
        (wrong_pair, ("c", 1), "returned str 'c' as the exec output"),
        (wrong_pair, (3, 1), "returned int 3 as the exec output"),
    ],
)
def test_what_is_no_exit(node, value, told, watched):
    """It says what came, and what there is."""
    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(node, value=value).enter)
    with pytest.raises(tf.NodeError) as caught:
        run_virtual(g.graph, observers=[EventLog()] if watched else [])
    assert told in str(caught.value)


def test_what_can_not_be_declared():
    """Exits that are none, and annotations that say something else."""

    def decide(value: int) -> str: ...
    def rates(value: int) -> int: ...
    def names(value: int) -> Literal["yes", "no"]: ...
    def three(value: int) -> tuple[str, int, int]: ...

    for exits in ((), ("a", "a"), "ab", ("",), (1, 2), {"a", "b"}):
        with pytest.raises(tf.NodeDefinitionError, match="Name its exec outputs, each once and in order"):
            tf.exec_node(exits=exits)(decide)
    for function in (rates, three):
        with pytest.raises(tf.NodeDefinitionError, match="annotate that as `str` or `Literal`, or with its result"):
            tf.exec_node(exits=["a"])(function)
    with pytest.raises(tf.NodeDefinitionError, match="it may return 'no', and its exits are yes, maybe"):
        tf.exec_node(exits=["yes", "maybe"])(names)
