"""What is found to be wrong with policies before a run, each with its path and its cure (M5, P8)."""

from __future__ import annotations

import attrs
import pytest
from support import STANDARD

import trioflow as tf


@tf.exec_node(id="check.fetch")
def fetch(url: str = "", error: str = "") -> str:
    return url


@tf.exec_node(id="check.other")
def other(url: str, error: object) -> str:
    return url


@tf.exec_node(id="check.without")
def without() -> None: ...


@tf.data_node(id="check.value")
def value() -> int:
    return 1


class Ways(tf.Node, id="check.ways"):
    """Has two exec outputs, none of which is `then`."""

    enter = tf.ExecIn()
    good = tf.ExecOut()
    bad = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.good


def graph(node=fetch, **policy):
    """Start, a node with a policy, and some that could take its place."""
    with tf.build(STANDARD) as g:
        start, one = g.add(tf.nodes.Start), g.add(node, "one")
        g.connect(start.then, one.enter)
        g.configure(one, policy=tf.Policy(**policy))
        g.add(other, "other")
        g.add(without, "without")
        g.add(value, "value")
    return g.graph


def found(graph):
    """All problems but what only says that the others are not used."""
    report = tf.validate(graph, STANDARD)
    said = {"unreachable", "missing-input"}
    return [f"{each.code} {each.path}: {each.message} {each.cure}" for each in report.problems if each.code not in said]


def test_what_is_right():
    """A node may take the place of another; then it is reached, and gets what it needs."""
    assert found(graph(fallback="other", retry=3, timeout="1m", rate="5/s")) == []
    report = tf.validate(graph(fallback="other"), STANDARD)
    assert [str(each.path) for each in report.problems] == ["nodes[3]", "nodes[4]"]
    assert report.ok


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"timeout": 5, "attempt_timeout": 9}, "contradictory-policy nodes[1].policy.attempt_timeout: 'one' has 5 s for all attempts (node one) and 9 s for each (node one): no attempt ever gets so far. Change one of the two."),
        ({"retry": tf.RetryPolicy(delay="2m")}, "contradictory-policy nodes[1].policy.retry.delay: The first delay is 120 s, and none may be more than 60 s. Raise max_delay, or lower delay."),
        ({"retry": tf.RetryPolicy(on=[OSError], not_on=[OSError])}, "contradictory-policy nodes[1].policy.retry.not_on: 'OSError' is both to be tried again and not. Remove it from one of the two."),
        ({"rate": tf.RatePolicy("5/s", burst=2, weight=3)}, "unmeetable nodes[1].policy.rate: A call costs 3, and no more than 2 may come at once. Raise burst, or lower weight."),
        ({"quota": {"gpu": 0}}, "bad-policy nodes[1].policy.quota.gpu: Expected a whole number of at least 1, got 0. Remove it, if none is needed."),
        ({"fallback": tf.FallbackPolicy()}, "bad-policy nodes[1].policy.fallback: Expected a node, a value or an exit, got nothing. Say one thing that is to be done instead."),
        ({"fallback": "one"}, "fallback-circle nodes[1].policy.fallback: 'one' is its own fallback, and would fail again. Name another node, or give it a retry."),
        ({"fallback": "otter"}, "unknown-node nodes[1].policy.fallback: There is no node 'otter'. Did you mean 'other'? Name a node of this graph."),
        ({"fallback": "value"}, "bad-fallback nodes[1].policy.fallback: 'value' (check.value) can't be fired: it is not an exec node with a body. Name an exec node."),
        ({"fallback": "start"}, "bad-fallback nodes[1].policy.fallback: 'start' takes the place of another node, and has an exec wire of its own: start.then -> one.enter. Remove the wire: its outputs become those of the other."),
        ({"fallback": "without"}, "bad-fallback nodes[1].policy.fallback: 'without' has no output 'result', which would be missing. Name a node with outputs of the same names."),
        ({"fallback": tf.FallbackPolicy("other", exit="thn")}, "unknown-socket nodes[1].policy.fallback.exit: 'one' has no exec output 'thn'. Did you mean 'then'? Name one of: then."),
        ({"fallback": tf.FallbackPolicy(value={"reslt": "x"})}, "unknown-socket nodes[1].policy.fallback.value: 'one' has no data output 'reslt'. Did you mean 'result'? Name one of: result."),
        ({"fallback": tf.FallbackPolicy(value={})}, "bad-fallback nodes[1].policy.fallback.value: Output 'result' of 'one' would be missing. Give a value for each output."),
        ({"fallback": tf.FallbackPolicy(value={"result": 5})}, "type-mismatch nodes[1].policy.fallback.value: Output 'result': expected str, got int 5. Give it a value of type str."),
    ],
    ids=lambda each: each.split(" ")[0] if isinstance(each, str) else "",
)  # fmt: skip
def test_errors_of_a_node(policy, said):
    """Contradictions, names that are not there, and what can't be met keep a graph from running."""
    problems = found(graph(**policy))
    assert said in problems
    with pytest.raises(tf.InvalidGraph):
        tf.make_plan(graph(**policy), STANDARD)


def test_unknown_errors():
    """A name that no error has is a warning, as a module may still define it."""
    (said,) = found(graph(retry=tf.RetryPolicy(on=["OSError", "TimeotError", "http.5xx"])))
    assert said.startswith(
        "unknown-error nodes[1].policy.retry.on[1]: No error is known that is called 'TimeotError'. Did you mean "
        "'TimeoutError'"
    )
    report = tf.validate(graph(fallback="other", retry=tf.RetryPolicy(on=["TimeotError"])), STANDARD)
    assert report.ok


def test_several_exits():
    """Where a node has several exec outputs, it must be known at which it goes on."""
    assert found(graph(Ways, fallback="other")) == [
        "no-exit nodes[1].policy.fallback: 'other' goes on at then, which is not one of good, bad. Say at which it goes on: exit."
    ]
    assert found(graph(Ways, fallback=tf.FallbackPolicy(value={}))) == [
        "no-exit nodes[1].policy.fallback: 'one' has the exec outputs good, bad. Say at which it goes on: exit."
    ]
    assert found(graph(Ways, fallback=tf.FallbackPolicy("other", exit="bad"))) == []
    assert found(graph(Ways, fallback=tf.FallbackPolicy(exit="bad"))) == []


def test_circles_of_fallbacks():
    """Two nodes that take each other's place would go on for ever; it is told once."""
    with tf.build(STANDARD) as g:
        start, one, two = g.add(tf.nodes.Start), g.add(fetch, "one"), g.add(fetch, "two")
        g.connect(start.then, one.enter)
        g.configure(one, policy=tf.Policy(fallback="two"))
        g.configure(two, policy=tf.Policy(fallback="one"))
    assert [each for each in found(g.graph) if each.startswith("fallback-circle")] == [
        "fallback-circle nodes[1].policy.fallback: Fallbacks lead in a circle: 'one' -> 'two' -> 'one'. Let the last of them fail, or give it a value."
    ]


def test_fallbacks_that_start_by_themselves():
    """What takes the place of another does not start runs."""
    with tf.build(STANDARD) as g:
        start, one, two = g.add(tf.nodes.Start), g.add(fetch, "one"), g.add(fetch, "two")
        g.connect(start.then, one.enter)
        g.configure(one, policy=tf.Policy(fallback="two"))
        g.configure(two, initiator=True)
    assert found(g.graph) == [
        "bad-fallback nodes[1].policy.fallback: 'two' takes the place of another node, and starts by itself. Name a node that does not start runs."
    ]


def test_data_nodes():
    """Whoever asks for a value needs one: no skipping, but a fallback with a value."""
    with tf.build(STANDARD) as g:
        start, one = g.add(tf.nodes.Start), g.add(fetch, "one", url=g.add(lambda: "x", "text").result)
        g.connect(start.then, one.enter)
    text = tf.GraphNode("text", g.graph.nodes[1].type, policy=tf.Policy(skip=True, quarantine=2, fallback="one"))
    wrong = tf.Graph(
        nodes=(g.graph.nodes[0], text, g.graph.nodes[2]), connections=g.graph.connections, types=g.graph.types
    )
    message = "'text' is a data node: whoever asks for its value needs one. Give it a fallback with a value."
    assert found(wrong) == [f"no-policy nodes[1].policy.{key}: {message}" for key in ("skip", "quarantine", "fallback")]


def test_patterns_and_the_ladder():
    """A pattern without nodes, and what contradicts itself between rungs, are warnings; boundaries have no policy."""
    with tf.build(STANDARD) as g:
        start, one = g.add(tf.nodes.Start), g.add(fetch, "one")
        g.connect(start.then, one.enter)
        g.configure(one, policy=tf.Policy(attempt_timeout=9))
        g.policy("chek.*", tf.Policy(retry=2))
        g.policy("check.*", tf.Policy(timeout=5))
    assert found(g.graph) == [
        "contradictory-policy nodes[1].policy.attempt_timeout: 'one' has 5 s for all attempts (graph check.*) and 9 s for each (node one): no attempt ever gets so far. Change one of the two.",
        "unmatched-pattern policies[\"chek.*\"]: No node of the graph has a type that 'chek.*' means. Write a pattern of types such as 'http.*', or remove it. Types here: check.fetch, flow.start.",
    ]
    assert tf.validate(g.graph, STANDARD).ok
    with tf.build(STANDARD) as inner:
        enter = inner.declare_entry("enter")
        inner.connect(enter, inner.add(without, "a").enter)
    nodes = [tf.GraphNode(each.id, each.type, policy=tf.Policy(retry=2)) for each in inner.graph.nodes]
    boundary = tf.Graph(
        interface=inner.graph.interface, nodes=nodes, connections=inner.graph.connections, types=inner.graph.types
    )
    (problem,) = [each for each in found(boundary) if each.startswith("no-policy")]
    assert problem.startswith("no-policy nodes[0].policy: 'enter' is the boundary of the graph")


def test_limits_in_workflows():
    """A firing waits before it starts, so a limit stands at the node itself."""
    with tf.build(STANDARD) as g:
        start, one = g.add(tf.nodes.Start), g.add(fetch, "one")
        g.connect(start.then, one.enter)
        g.configure(one, policy=tf.Policy(limit=3))
    workflow = attrs.evolve(g.graph, kind="workflow")
    assert found(workflow) == [
        "no-policy nodes[1].policy.limit: 'one' is a node of a workflow, whose firings wait before they start. Write limit: 3 at the node itself, or a group of the graph."
    ]
