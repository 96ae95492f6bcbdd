"""What `check` says of workflows: each problem at its place, with its cure."""

from __future__ import annotations

import json
import sys

import pytest

import trioflow as tf

A = {"id": "a", "type": "flow.start"}
B, C, D = ({"id": name, "type": "debug.print", "inputs": {"value": 1}} for name in "bcd")
IF = {"id": "if", "type": "flow.branch", "inputs": {"condition": True}}


def problems(nodes, wires, kind="workflow", **more):
    """Codes with paths, and the messages."""
    document = {"trioflow": "1.2", "kind": kind, "nodes": nodes, "connections": wires, **more}
    report = tf.validate(tf.loads(json.dumps(document)), tf.Registry.standard(plugins=False))
    return {(each.code, each.path): f"{each.message} {each.cure}" for each in report.problems}


def wire(source, target, **more):
    return {"from": source, "to": target, **more}


@pytest.mark.parametrize(
    ("nodes", "wires", "problem", "words"),
    [
        ([A, {**B, "min": 3}], [wire("a", "b")], ("unmet-join", "nodes[1].min"), "needs tokens over 3 wires"),
        ([A, C, {**B, "min": 3}], [wire("a", "b"), wire("c", "b")], ("unmet-join", "nodes[2].min"), "and 2 lead to it"),
        (
            [A, C, {**B, "join": "first", "min": 3}],
            [wire("a", "b"), wire("c", "b")],
            ("unmet-join", "nodes[2].min"),
            "one must bring several",
        ),
        ([A, {**B, "join": "first"}], [wire("a", "b")], ("no-meaning", "nodes[1].join"), "1 exec wire leads to it"),
        ([{**A, "most": 3}, B], [wire("a", "b")], ("no-meaning", "nodes[0].most"), "no exec wire leads from it back"),
        (
            [A, C, {**B, "queue": 1, "rest": "cancel"}],
            [wire("a", "b"), wire("c", "b")],
            ("no-meaning", "nodes[2].queue"),
            "and not to start",
        ),
        (
            [A, C, {**B, "rest": "cancel"}],
            [wire("a", "b"), wire("c", "b")],
            ("no-meaning", "nodes[2].rest"),
            "which waits for all of them",
        ),
        ([{**A, "undo": "x"}, B], [wire("a", "b")], ("unknown-node", "nodes[0].undo"), "'x' is not there."),
        (
            [{**A, "undo": "m"}, {"id": "m", "type": "math.add"}],
            [],
            ("unknown-node", "nodes[0].undo"),
            "'m' is a data node.",
        ),
        ([{**A, "undo": "b"}, B], [wire("a", "b")], ("wired-undo", "nodes[0].undo"), "a.then -> b.enter"),
        (
            [{**A, "undo": "b"}, {**B, "undo": "c"}, C],
            [],
            ("undo-of-undo", "nodes[0].undo"),
            "Undoing is not undone",
        ),
        (
            [A, B],
            [wire("a", "b", **{"else": True})],
            ("else-beside-nothing", "connections[0].else"),
            "and none is beside it",
        ),
        (
            [A, B, C, D],
            [wire("a", "b", when="turn > 3"), wire("a", "c", **{"else": True}), wire("a", "d", **{"else": True})],
            ("second-else", "connections[2].else"),
            "are both taken",
        ),
        (
            [A, B, C],
            [wire("a", "b", when="turn > 3"), wire("a", "c", when="turn > 4", **{"else": True})],
            ("else-with-condition", "connections[1].when"),
            "Remove one of",
        ),
        ([A, B], [wire("a", "b", when="1 < 2")], ("constant-condition", "connections[0].when"), "holds always"),
        ([A, B], [wire("a", "b", when="2 < 1")], ("constant-condition", "connections[0].when"), "holds never"),
        ([A, B], [wire("a", "b", when="1 / 0 > 1")], ("constant-condition", "connections[0].when"), "divide by zero"),
        (
            [A, B],
            [wire("a", "b", when="out.x\n < 3")],
            ("bad-expression", "connections[0].when"),
            "line 1, column 4: there is no 'out.x' here",
        ),
        (
            [{**A, "set": {"v": "1 +"}}],
            [],
            ("bad-expression", "nodes[0].set.v"),
            "line 1, column 4",
        ),
        ([{**A, "set": {"v": "1"}}], [], ("undeclared-variable", "nodes[0].set.v"), "There is no variable 'v'."),
        ([A, B], [wire("a.then", "b", on="failed")], ("output-of-a-failure", "connections[0].from"), '"from": "a"'),
        ([A, B], [wire("a", "b", on="next")], ("no-stream", "connections[0].on"), "flow.start has no stream"),
        (
            [A, IF, B],
            [wire("a", "if"), wire("if", "b")],
            ("unknown-socket", "connections[1].from"),
            "if.true, if.false",
        ),
        (
            [A, {**B, "most": 2}],
            [wire("a", "b"), wire("b", "b"), wire("b", "b", on="exhausted")],
            ("no-way-out", "connections[2].to"),
            "leads back into the circle",
        ),
        ([A, B], [wire("a", "b"), wire("b", "b")], ("circle-without-most", "nodes[1]"), "round and round: 'b'"),
        (
            [A, {**B, "most": 2}, C],
            [wire("a", "b"), wire("a", "c"), wire("b", "c"), wire("c", "b")],
            ("joins-in-a-circle", "nodes[1]"),
            "'b' and 'c' are joins in one circle",
        ),
    ],
)
def test_problems(nodes, wires, problem, words):
    """Each is found, where it is, and says what to do."""
    found = problems(nodes, wires)
    assert problem in found, found
    assert words in found[problem]


def test_a_good_workflow_has_none():
    """Conditions, failure wires, undo, a circle with a most."""
    nodes = [{**A, "undo": "c"}, {**B, "most": 2}, C, D]
    wires = [
        wire("a", "b"),
        wire("b", "b", when="turn < 2"),
        wire("b", "d", **{"else": True}),
        wire("a", "d", on="failed"),
    ]
    assert problems(nodes, wires) == {}


def test_what_means_nothing_in_a_calls_graph():
    """Settings of workflows are warned of where exec wires call (W1)."""
    nodes = [A, {**B, "join": "first", "min": 2, "set": {"v": "1"}}]
    wires = [wire("a", "b", when="turn > 1", on="failed", priority=2)]
    found = problems(nodes, wires, kind="graph", limit=3, on_error="collect")
    assert [path for code, path in found if code == "no-meaning"] == [
        "limit", "on_error", "nodes[1].join", "nodes[1].min", "nodes[1].set",
        "connections[0].when", "connections[0].on", "connections[0].priority",
    ]  # fmt: skip


def test_callbacks_are_for_one_strand():
    """A callback exit of a workflow would be reached in concurrent strands (W14)."""
    leave = {"id": "leave", "type": "graph.leave"}
    interface = {"exits": [{"name": "out", "callback": True}]}
    found = problems([A, leave], [wire("a", "leave.out")], interface=interface)
    assert ("concurrent-callback", "interface.exits[0].callback") in found


def test_exits_that_nothing_leads_to():
    """A call would never go on there (W14)."""
    leave = {"id": "leave", "type": "graph.leave"}
    interface = {"exits": [{"name": "out"}, {"name": "other"}]}
    found = problems([A, leave], [wire("a", "leave.out"), wire("a", "leave.other", enabled=False)], interface=interface)
    assert [place for place in found if place[0] == "unreachable-exit"] == [("unreachable-exit", "interface.exits[1]")]
    found = problems([A, leave], [wire("a", "leave")], interface={"exits": [{"name": "out"}]})
    assert found == {}


LEAVE_LOOP = {"id": "leave", "type": "flow.break"}


def test_a_firing_leaves_no_loop():
    """Neither one inside the workflow, nor one whose body calls it: each firing has a strand of its own (W9)."""
    each = {"id": "each", "type": "flow.for_each", "inputs": {"items": [1]}}
    found = problems([each, LEAVE_LOOP], [wire("each.body", "leave")])
    assert "a firing of a workflow" in found["no-loop-to-leave", "nodes[1]"]
    loop = {"id": "loop", "type": "flow.for", "inputs": {"times": 2}}
    inner = {
        "kind": "workflow",
        "interface": {"entries": [{"name": "in"}]},
        "nodes": [{"id": "enter", "type": "graph.enter"}, LEAVE_LOOP],
        "connections": [wire("enter.in", "leave")],
    }
    nodes = [A, loop, {"id": "call", "type": "graph:w"}]
    wires = [wire("a.then", "loop.enter"), wire("loop.body", "call.in")]
    found = problems(nodes, wires, kind="graph", graphs={"w": inner})
    assert "(`when`), or end the scope with flow.stop" in found["no-loop-to-leave", "graphs.w.nodes[1]"]


@pytest.mark.parametrize(("mode", "between", "told"), [
    ("concurrent", False, True), ("concurrent", True, False), ("sequential", False, False),
])  # fmt: skip
def test_a_concurrent_item_leaves_no_loop(mode, between, told):
    """But it does leave a loop of its own, and items that come one after the other leave theirs."""
    each = {"id": "each", "type": "flow.for_each", "inputs": {"items": [1]}, "stream": {"mode": mode}}
    loop = {"id": "loop", "type": "flow.for", "inputs": {"times": 2}}
    way = [wire("each.body", "loop.enter"), wire("loop.body", "leave.enter")]
    wires = [wire("a.then", "each.enter"), *(way if between else [wire("each.body", "leave.enter")])]
    found = problems([A, each, LEAVE_LOOP, *([loop] if between else [])], wires, kind="graph")
    assert (("no-loop-to-leave", "nodes[2]") in found) == told


@pytest.mark.parametrize(
    ("settings", "path", "rule"),
    [
        ({"undo_on": ["failed", "timeout"]}, "undo_on", "W22"),
        ({"undo_grace": "5s"}, "undo_grace", "W22"),
        ({"undo_from": "started"}, "nodes[0].undo_from", "W21"),
    ],
)
def test_undoing_that_means_nothing(settings, path, rule):
    """When something is undone means nothing where nothing is, nor does a time that is never looked at."""
    node = {"id": "a", "type": "flow.start", **{name: value for name, value in settings.items() if name == "undo_from"}}
    graph = {name: value for name, value in settings.items() if name != "undo_from"}
    read = tf.loads(json.dumps({"trioflow": "1.2", "kind": "workflow", "nodes": [node], **graph}))
    (found,) = tf.validate(read, tf.Registry.standard(plugins=False)).problems
    assert (found.code, found.path, found.rule, found.severity.value) == ("no-meaning", path, rule, "warning")


def test_an_empty_list_of_reasons():
    """A graph that is made in Python may say after nothing; then it should have no `undo` (W22)."""
    graph = tf.Graph(kind="workflow", undo_on=(), nodes=[tf.GraphNode("a", "flow.start")])
    found = tf.validate(graph, tf.Registry.standard(plugins=False))
    assert [(each.code, each.path) for each in found.problems] == [("bad-setting", "undo_on")]


@pytest.mark.parametrize(
    ("join", "settings", "told"),
    [("each", {}, True), ("all", {}, False), ("each", {"choose": "first"}, False)],
)
def test_tokens_multiply(join, settings, told):
    """Two wires of a node that both lead back to it, where nothing joins; one may be chosen (W10)."""
    one, other = ({**each, "most": 3} for each in (B, C))
    last = {**D, "join": join, **settings}
    nodes = [{**A, "initiator": True}, {**one, "join": "each"}, {**other, "join": "each"}, last]
    wires = [wire("a", "b"), wire("b", "d"), wire("c", "d"), wire("d", "b"), wire("d", "c")]
    assert (("tokens-multiply", "nodes[3]") in problems(nodes, wires)) == told


def test_settings_that_are_none():
    """All of them at once; a graph that is made in Python is not read from a document (W1)."""
    with tf.workflow(limit=0, groups={"g": 0}, on_error="colect", undo_on=["failed", "cancel"]) as w:
        a = w.add(tf.nodes.Start, "a")
        b = w.add(tf.nodes.Print, "b", join="any", min=0, unmet="no", rest="stop", choose="best", most=-1, priority="top", limit=0, queue=0)  # fmt: skip
        w.add(tf.nodes.Print, "c", min="every", undo_from="begun")
        w.connect(a, b, on="faild")
    found = {problem.path: problem for problem in tf.validate(w.graph, tf.Registry.standard(plugins=False)).problems}
    assert {problem.code for problem in found.values()} == {"bad-setting"}
    assert {*found} == {
        "on_error", "limit", "groups.g", "nodes[1].join", "nodes[1].unmet", "nodes[1].rest", "nodes[1].choose",
        "nodes[1].priority", "nodes[1].min", "nodes[1].most", "nodes[1].limit", "nodes[1].queue", "connections[0].on",
        "undo_on", "nodes[2].undo_from",
    }  # fmt: skip
    assert "Did you mean 'failed'?" in found["connections[0].on"].message
    assert found["nodes[1].min"].message == 'Expected a whole number of at least 1, or "every", got 0.'


def test_without_the_package(monkeypatch):
    """A condition can't be checked, nor run, without what evaluates it."""
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    found = problems([A, B], [wire("a", "b", when="turn > 77")])
    assert "trioflow[expressions]" in found["no-expressions", "connections[0].when"]
