"""Graphs that call as workflows: whether they mean the same, and that they do (W1)."""

from __future__ import annotations

import json
import random
from collections import Counter

import attrs
import pytest
import trio

import trioflow as tf
from trioflow.conformance.engine import REGISTRY, answer
from trioflow.model.structure import graph_from

N = tf.nodes


@tf.exec_node
def note(text: str, log: tf.FromServices[list]) -> str:
    """Note a text."""
    log.append(text)
    return text


def graph_of(*wires: str, variables: bool = False, **inputs):
    """Notes by name, wired as said; the first node is a start."""
    names = dict.fromkeys(name for wire in wires for name in wire.split())
    with tf.build() as g:
        nodes = {name: g.add(N.Start, name) if name == "start" else g.add(note, name, text=name) for name in names}
        for wire in wires:
            source, target = wire.split()
            g.connect(nodes[source].then, nodes[target].enter)
        if variables:
            g.variable("v", "int", 0)
    return g.graph


def said(graph):
    return [(each.severity.value, each.code, each.path) for each in tf.check_as_workflow(graph).problems]


def both(graph):
    """What is left behind, and the notes, as it is and as a workflow."""
    found = []
    for each in (graph, tf.as_workflow(graph)):
        log: list[str] = []
        result = trio.run(lambda graph=each, log=log: tf.run(graph, services={list: log}))
        found.append((dict(result.variables), {name: dict(row) for name, row in result.outputs.items()}, log))
    assert found[0] == found[1]
    return found[0]


def test_a_chain():
    """One after the other is the same either way."""
    graph = graph_of("start a", "a b", "b c")
    assert said(graph) == []
    assert both(graph)[2] == ["a", "b", "c"]
    made = tf.as_workflow(graph)
    assert made.kind == "workflow"
    assert tf.as_workflow(made) is made


def test_ways_that_exclude_each_other_meet():
    """A node after a branch fires for the one token that comes, as it was called once."""
    with tf.build() as g:
        start, branch = g.add(N.Start), g.add(N.Branch, condition=True)
        one, other, end = (g.add(note, name, text=name) for name in ("one", "other", "end"))
        g.connect(start.then, branch.enter)
        g.connect(branch.true, one.enter)
        g.connect(branch.false, other.enter)
        for each in (one, other):
            g.connect(each.then, end.enter)
    assert said(g.graph) == []
    assert both(g.graph)[2] == ["one", "end"]
    assert [node.join for node in tf.as_workflow(g.graph).nodes] == ["all"] * 4 + ["each"]


def test_loops_of_both_kinds():
    """A loop whose body is triggered, and one that is wired back, go round as often."""
    with tf.build() as g:
        start, loop = g.add(N.Start), g.add(N.ForLoop, times=3)
        count, again = g.add(N.AddToVariable, name="n", value=1), g.add(N.AddToVariable, "again", name="n", value=10)
        more = g.add(N.Branch, condition=g.add(lambda n: n < 1500, n=again.result).result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, count.enter)
        g.connect(loop.done, again.enter)
        g.connect(again.then, more.enter)
        g.connect(more.true, again.enter)
        g.variable("n", "int", 0)
    assert both(g.graph)[0] == {"n": 1503}


def test_what_never_ran_does_not():
    """A node that no wire leads to fires in a workflow, and did not run: it is marked."""
    graph = graph_of("start a", "lost found")
    assert both(graph)[2] == ["a"]
    assert [node.initiator for node in tf.as_workflow(graph).nodes] == [None, None, False, None]


def test_an_initiator_that_a_wire_leads_to():
    """It is where the run starts, and it is told so."""
    with tf.build() as g:
        a = g.add(note, "a", text="a")
        b = g.add(N.Once, "b")
        g.connect(a.then, b.enter)
        g.connect(b.then, a.enter)
        g.configure(a, initiator=True)
    assert both(g.graph)[2] == ["a", "a"]


def test_what_meets_again():
    """A target of two wires that run one after the other runs twice; as a join it would once."""
    graph = graph_of("start a", "start b", "a c", "b c")
    assert said(graph) == [("error", "runs-several-times", "connections[0].from")]
    with pytest.raises(
        tf.InvalidGraph, match="can't become a workflow that means the same, for 1 error:\n.*'c' runs beh"
    ):
        tf.as_workflow(graph)


def test_what_uses_what_was_there_before():
    """A later target that reads what an earlier one wrote, or the same variable, must stay the later one."""
    graph = graph_of("start a", "start b")
    assert said(graph) == [("info", "at-once", "connections[0].from")]
    assert sorted(both(graph)[2]) == ["a", "b"]
    wire = tf.Connection(tf.Endpoint("a", "result"), tf.Endpoint("b", "text"))
    reads = attrs.evolve(graph, connections=(*graph.connections, wire))
    assert said(reads) == [("error", "relies-on-order", "connections[0].from")]
    assert "a.result -> b.text would be read too early" in str(tf.check_as_workflow(reads))
    with tf.build() as g:
        start = g.add(N.Start)
        for name in "ab":
            g.connect(start.then, g.add(N.AddToVariable, name, name="v", value=1).enter)
        g.variable("v", "int", 0)
    assert "both use variable 'v'" in str(tf.check_as_workflow(g.graph))


def test_several_starts():
    """Initiators run one after the other, and would fire at once."""
    with tf.build() as g:
        for name in "ab":
            g.configure(g.add(note, name, text=name), initiator=True)
    assert said(g.graph) == [("info", "at-once", "nodes[0]")]
    assert sorted(both(g.graph)[2]) == ["a", "b"]


def test_listeners_are_reached():
    """Two that publish reach the same listeners, which would hear of both at once."""
    with tf.build() as g:
        g.event("e")
        start = g.add(N.Start)
        for name in "ab":
            g.connect(start.then, g.add(N.Publish, name, event="e").enter)
        g.connect(g.add(N.Listen, event="e").then, g.add(note, text="heard").enter)
    assert said(g.graph) == [("error", "runs-several-times", "connections[0].from")]


def test_what_a_workflow_can_not_do():
    """Leaving a loop from inside, and callbacks."""
    with tf.build() as g:
        start, loop = g.add(N.Start), g.add(N.ForLoop, times=3)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, g.add(N.Break).enter)
    assert said(g.graph) == [("error", "leaves-strand", "nodes[2]")]
    with tf.build() as g:
        entry, leave = g.declare_entry("go"), g.declare_exit("each", callback=True)
        g.connect(entry, leave)
    assert said(g.graph) == [("error", "concurrent-callback", "interface.exits[0].callback")]


def test_problems_of_the_graph_come_first():
    """What can't run can't be converted, and the reason is not the conversion."""
    assert said(tf.Graph()) == [("error", "no-initiator", "nodes")]


# --- drawn graphs ---


def drawn(seed: str) -> dict:
    """A graph of scripted nodes that call, from a seed."""
    chance = random.Random(seed)
    size = chance.randint(3, 9)
    nodes = []
    for place in range(size):
        script = [["get", "a"], ["add", place + 1], ["feedback"], ["set", "x"]]
        if chance.random() < 0.3:
            script.append(["trigger", "o1"])
        if chance.random() < 0.2:
            script += [["const", place], ["addvar", "v"]]
        if chance.random() < 0.3:
            end = [["return", "o0"]], [["return", "o2"]]
            script += [["getstate", "k"], ["add", 1], ["setstate", "k"], ["add", 1_000_002], ["if", *end]]
        else:
            script.append(["return", chance.choice(["o0", "o0", "o2"])])
        nodes.append({"id": f"n{place}", "type": "script.exec", "inputs": {"script": script}})
    nodes[0]["initiator"] = True
    wires = []
    for target in range(1, size):
        for source in chance.sample(range(target), min(target, chance.choice([1, 1, 1, 2]))):
            wires.append((f"n{source}.{chance.choice(['o0', 'o1', 'o2'])}", f"n{target}.enter"))
    if chance.random() < 0.3:
        place = chance.randrange(1, size)
        wires.append((f"n{place}.o0", f"n{chance.randint(1, place)}.again"))
    wires += [(f"n{chance.randrange(size)}.x", f"n{place}.a") for place in range(size) if chance.random() < 0.5]
    return {
        "trioflow": "1.2",
        "nodes": nodes,
        "connections": [{"from": source, "to": target} for source, target in dict.fromkeys(wires)],
        "variables": [{"name": "v", "type": "int", "default": 0}],
    }


@pytest.mark.unmeasured
def test_drawn_graphs_mean_the_same():
    """A workflow that was made of a graph leaves the same behind, and tells the same, if perhaps in another order."""
    seen: Counter[str] = Counter()
    for number in range(150):
        graph = graph_from(drawn(f"convert/{number}"))
        report = tf.check_as_workflow(graph, REGISTRY)
        if not report.ok:
            seen["refused"] += 1
            continue
        made = tf.as_workflow(graph, REGISTRY)
        calls, tokens = (
            answer({"graph": json.loads(tf.dumps(each)), "options": {"max_steps": 200}}) for each in (graph, made)
        )
        if calls["status"] == "cancelled":
            continue
        for field in ("status", "errors", "variables", "outputs"):
            assert calls[field] == tokens[field], number
        assert Counter(each[1] for each in calls["feedback"]) == Counter(each[1] for each in tokens["feedback"])
        seen["the same"] += 1
        seen["at once"] += bool(report.infos)
        seen["a circle"] += any(node.most for node in made.nodes)
        seen["a scope"] += any(len(path) > 5 for path, _ in tokens["feedback"])
    assert min(seen[each] for each in ("refused", "the same", "at once", "a circle", "a scope")) > 5, seen


def test_what_meant_nothing_says_nothing():
    """What only a workflow says of itself had no meaning in a graph that calls, and has none in what is made of it (W1)."""
    graph = tf.Graph(
        nodes=[tf.GraphNode("a", "flow.start")],
        limit=3,
        on_error="collect",
        keep_outputs="needed",
        undo_on=["cancelled"],
        undo_grace="1s",
    )
    made = tf.as_workflow(graph)
    plain = tf.Graph()
    assert all(
        getattr(made, name) == getattr(plain, name)
        for name in ("limit", "groups", "on_error", "keep_outputs", "undo_on", "undo_grace")
    )
