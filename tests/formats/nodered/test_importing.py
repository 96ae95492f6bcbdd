"""What is said of flows: what is wrong, what is not understood, with the place; and rules of single nodes."""

from __future__ import annotations

import json
import random
import time

import pytest
import trio
from formats.mutating import survives
from formats.nodered.test_flows import EXPECTED, FOLDER, printed_by

import trioflow as tf
from trioflow.formats import nodered
from trioflow.formats.known import detect
from trioflow.formats.nodered.importing import import_tree
from trioflow.formats.nodered.mustache import mustache
from trioflow.formats.nodered.rules import matches
from trioflow.formats.port import document_in


def node(id_, type_, *wires, **more):
    return {"id": id_, "type": type_, "z": "t", "wires": [[*wires]] if wires else [], **more}


def said(*nodes):
    imported = nodered.loads(json.dumps([{"id": "t", "type": "tab"}, *nodes]))
    return {f"{each.severity} {each.code} {each.path}" for each in imported.diagnostics}


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ([3], "error wrong-type [1]"),
        ([node("a", "debug"), node("a", "debug")], "error duplicate-id [2].id"),
        ([node("a", "inject", "b")], "error unknown-node [1].wires[0][0]"),
        ([node("a", "link out", links=["x"])], "error unknown-node [1].links[0]"),
        ([node("a", "inject") | {"wires": 3}], "error wrong-type [1].wires"),
        ([node("a", "mqtt in", "b"), node("b", "debug")], "error no-counterpart [1]"),
        ([node("a", "function", func="for (;;) {}")], "error not-understood [1]"),
        ([node("a", "function", func="return msg", libs=[{"var": "fs"}])], "error not-understood [1]"),
        ([node("a", "switch", rules=[{"t": "jsonata_exp", "v": "1 +"}])], "error not-understood [1]"),
        ([node("a", "switch", rules=[{"t": "eqq", "v": "1"}])], "error not-understood [1]"),
        ([node("a", "switch", rules=[{"t": "eq", "v": "$x(", "vt": "jsonata"}])], "error not-understood [1]"),
        ([node("a", "switch", rules=3)], "error not-understood [1]"),
        ([node("a", "change", rules=[{"t": "sett"}])], "error not-understood [1]"),
        ([node("a", "change", rules=[{"t": "set", "p": "a b"}])], "error not-understood [1]"),
        ([node("a", "change", rules=[{"t": "move", "p": "a", "to": "a b", "tot": "msg"}])], "error not-understood [1]"),
        ([node("a", "change", action="replace")], "error not-understood [1]"),
        ([node("a", "delay", pauseType="queue")], "error not-understood [1]"),
        ([node("a", "delay", timeoutUnits="moons")], "error not-understood [1]"),
        ([node("a", "delay", timeout="soon")], "error not-understood [1]"),
        ([node("a", "join", mode="reduce")], "error not-understood [1]"),
        ([node("a", "join", build="heap")], "error not-understood [1]"),
        ([node("a", "batch", mode="interval")], "error not-understood [1]"),
        ([node("a", "link out", mode="send")], "error not-understood [1]"),
        ([node("a", "link out", links=3)], "error wrong-type [1].links"),
        ([node("a", "link call", links=["b"], linkType="dynamic")], "error not-understood [1]"),
        ([node("a", "link call", links=[])], "error not-understood [1]"),
        ([node("a", "status", "b"), node("b", "debug")], "warning left-out [1]"),
        ([node("a", "template", field="a b")], "error not-understood [1]"),
        ([node("a", "inject", props=[{"p": "a b"}])], "error not-understood [1]"),
        ([node("a", "inject", crontab="0 0 * * *")], "info started-by [1].crontab"),
        ([node("a", "inject", crontab="noon")], "error bad-field [1].crontab"),
        ([node("a", "subflow:s")], "error unknown-subflow [1].type"),
        ([{"id": "s", "type": "subflow", "in": [], "out": []}, node("i", "subflow:s") | {"z": "s"}, node("a", "subflow:s")], "error unknown-subflow [2].type"),
        ([node("a", "inject")], "info pressed [1]"),
        ([node("a", "inject", once=True), node("b", "inject", name="button")], "info not-pressed [2]"),
    ],
)  # fmt: skip
def test_what_is_said(nodes, found):
    assert found in said(*nodes)


def test_places():
    text = '[\n  {"id": "t", "type": "tab"},\n  {"id": "a", "type": "inject", "z": "t", "wires": [["b"]]}\n]'
    (error,) = nodered.loads(text).errors
    assert error.position == (3, 54)


@pytest.mark.parametrize("text", ["{}", '{"flows": 3}', "3"])
def test_no_flows(text):
    with pytest.raises(tf.DocumentError, match="expected a list of nodes"):
        nodered.loads(text)
    assert detect(document_in(text)) is None


def printed(*nodes):
    return printed_by(nodered.loads(json.dumps([{"id": "t", "type": "tab"}, *nodes])).graph)[0]


def test_a_failure_that_nothing_catches():
    with pytest.raises(tf.NodeError, match="not there"):
        printed(node("a", "inject", "f"), node("f", "function", func="msg.payload = msg.nothing.at.all; return msg;"))


def test_what_begins_again_and_again():
    """Every so many seconds, for ever."""
    nodes = [node("a", "inject", "b", repeat="10", payload="tick", payloadType="str"), node("b", "debug")]
    imported = nodered.loads(json.dumps(nodes))

    async def main():
        with trio.move_on_after(25):
            await tf.run(imported.graph)
        return trio.current_time()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize(
    ("more", "payload", "expected"),
    [
        ({"type": "json", "action": "str", "pretty": True}, {"a": 1}, '{     "a": 1 }'),
        ({"type": "json", "action": "obj"}, {"a": 1}, '{"a": 1}'),
        ({"type": "json", "action": "str"}, "a", "a"),
        ({"type": "range", "minin": "0", "maxin": "10", "minout": "0", "maxout": "100", "action": "clamp", "round": True}, 12, "100"),
        ({"type": "range", "minin": "0", "maxin": "10", "minout": "0", "maxout": "100", "action": "roll"}, 12, "20"),
        ({"type": "range", "minin": "0", "maxin": "10", "minout": "0", "maxout": "100", "action": "drop"}, 12, None),
        ({"type": "rbe", "func": "rbei"}, 1, None),
        ({"type": "sort", "order": "descending", "msgKey": "n", "msgKeyType": "msg", "as_num": True}, [{"n": 1}, {"n": 2}], '[{"n": 2}, {"n": 1}]'),
        ({"type": "sort"}, 3, "3"),
        ({"type": "split"}, 7, "7"),
        ({"type": "split", "spltType": "len", "splt": 2}, "abc", "ab c"),
        ({"type": "split", "arraySplt": 2}, [1, 2, 3], "[1, 2] [3]"),
        ({"type": "join"}, 7, None),
        ({"type": "delay", "pauseType": "delayv"}, 7, "7"),
        ({"type": "delay", "pauseType": "random", "randomUnits": "minutes"}, 7, "7"),
        ({"type": "change", "rules": [{"t": "delete", "p": "payload[0]"}]}, [1, 2], "[2]"),
        ({"type": "change", "rules": [{"t": "change", "p": "payload", "from": "7", "fromt": "num", "to": "8", "tot": "num"}]}, 7, "8"),
        ({"type": "change", "rules": [{"t": "set", "p": "n", "pt": "flow", "to": "5", "tot": "num"}, {"t": "set", "p": "payload", "to": "n", "tot": "flow"}]}, 1, "5"),
        ({"type": "change", "rules": [{"t": "set", "p": "n", "pt": "global", "to": "", "tot": "date"}, {"t": "delete", "p": "n", "pt": "global"}]}, 1, "1"),
        ({"type": "change", "rules": [{"t": "set", "p": "payload", "to": "TRIOFLOW_NOT_THERE", "tot": "env"}]}, 1, ""),
        ({"type": "template", "syntax": "plain", "template": "{{payload}}"}, 1, "{{payload}}"),
        ({"type": "debug", "active": False}, 1, None),
    ],
)  # fmt: skip
def test_single_nodes(more, payload, expected):
    start = node("a", "inject", "b", payload=json.dumps(payload), payloadType="json")
    lines = printed(start, node("b", more.pop("type"), "p", **more), node("p", "debug"))
    assert (" ".join(lines) if lines else None) == expected


def test_a_function_that_sends_no_message():
    with pytest.raises(tf.NodeError, match="which are objects, got 3"):
        printed(node("a", "inject", "f"), node("f", "function", func="return 3;"))


def test_joins_of_other_kinds():
    """Whole messages, lists that were split in pieces, what is merged."""
    start = node("a", "inject", "s", payload='[{"x":1},{"y":2}]', payloadType="json")
    merged = node("j", "join", "p", mode="custom", build="merged", count="2")
    assert printed(start, node("s", "split", "j"), merged, node("p", "debug")) == ['{"x": 1, "y": 2}']
    whole = node("j", "join", "p", mode="custom", build="array", count="2", propertyType="full")
    assert '"topic": ""' in printed(start, node("s", "split", "j"), whole, node("p", "debug"))[0]
    assert printed(start, node("s", "split", "j", arraySplt=2), node("j", "join", "p"), node("p", "debug")) == [
        '[{"x": 1}, {"y": 2}]'
    ]
    twice = [
        node("s", "split", "s2"),
        node("s2", "split", "j", addname="topic"),
        node("j", "join", "k"),
        node("k", "join", "p"),
    ]
    assert printed(start, *twice, node("p", "debug")) == ['[{"x": 1}, {"y": 2}]']


@pytest.mark.parametrize(
    ("rule", "found", "value", "other", "expected"),
    [
        ("eq", 1, "1", None, True), ("neq", "a", "b", None, True), ("lte", 1, 1, None, True), ("gt", 1, 2, None, False), ("btwn", 5, 9, 1, True),
        ("true", True, "", None, True), ("false", True, "", None, False), ("null", None, "", None, True), ("nnull", 1, "", None, True),
        ("empty", [], "", None, True), ("nempty", "a", "", None, True), ("empty", 3, "", None, False), ("hask", {"a": 1}, "a", None, True),
        ("istype", "a", "string", None, True), ("istype", True, "number", None, False), ("istype", True, "boolean", None, True),
        ("istype", [], "array", None, True), ("istype", 1, "unheard", None, False),
    ],
)  # fmt: skip
def test_rules(rule, found, value, other, expected):
    assert matches(rule, found, value, other) is expected


def test_templates():
    assert mustache("{{#a}}{{.}},{{/a}}{{&b}}{{c}}{{#d}}x{{/d}}", [{"a": [1, 2], "b": "<", "d": False}]) == "1,2,<"
    assert mustache("{{#a}}{{#a}}{{b}}{{/a}}{{/a}}", [{"a": {"b": 1}}]) == "1"
    with pytest.raises(tf.NodeError, match="'a' is not closed"):
        mustache("{{#a}}", [{"a": 1}])


MUTATED = [None, "", 3, True, [], {}, "x", "a b", ["x"], [["a1"]], {"x": 1}]


def test_each_field_once():
    """Each value changed once: an error or a note with its place, and never a traceback."""
    chance = random.Random(6)
    for name in EXPECTED:
        survives(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")), chance, 25, MUTATED, nodered.FORMAT)


@pytest.mark.timed
def test_ten_thousand_nodes():
    tree = [node(f"n{index}", "change", f"n{index + 1}", rules=[]) for index in range(10_000)]
    tree.append(node("n10000", "debug"))
    begun = time.process_time()
    assert len(import_tree(tree).graph.nodes) > 10_000
    assert time.process_time() - begun < 2


def test_a_flow_that_nearly_is_one():
    """A node that stands on no flow of the document, but nearly on one; what is like nothing may be left out on purpose."""
    tab = {"id": "f6f2187d.f17ca8", "type": "tab"}
    node = {"id": "n", "type": "debug", "wires": []}
    said = import_tree([tab, {**node, "z": "f6f2187d.f17ca9"}]).diagnostics
    assert [(each.code, each.path) for each in said] == [("unknown-node", "[1].z")]
    assert import_tree([tab, {**node, "z": "elsewhere"}]).diagnostics == ()
