"""What is said of workflows: what is wrong, what is not understood, with the place; and what single nodes do."""

from __future__ import annotations

import json
import random
import time

import pytest
from formats.mutating import survives
from formats.n8n.test_workflows import EXPECTED, FOLDER
from formats.nodered.test_flows import printed_by

import trioflow as tf
from trioflow.formats import n8n
from trioflow.formats.known import detect
from trioflow.formats.n8n.importing import import_tree
from trioflow.formats.n8n.lists import holds, merged, ordered, split_out
from trioflow.formats.port import document_in


def node(name, kind, parameters=None, version=1, **more):
    return {
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "parameters": parameters or {},
        **more,
    }


def tree(*nodes, wires=(), **more):
    connections = {}
    for source, target in wires:
        connections.setdefault(source, {"main": [[]]})["main"][0].append({"node": target, "type": "main", "index": 0})
    return {"nodes": [node("T", "manualTrigger"), *nodes], "connections": connections, **more}


def said(*nodes, **more):
    imported = n8n.loads(json.dumps(tree(*nodes, **more)))
    return {f"{each.severity} {each.code} {each.path}" for each in imported.diagnostics}


IF = {
    "conditions": {
        "conditions": [{"leftValue": 1, "rightValue": 1, "operator": {"type": "number", "operation": "equalz"}}]
    }
}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (3, "error wrong-type nodes[1]"),
        (node("T", "noOp"), "error duplicate-id nodes[1].name"),
        (node("a", "slack"), "error no-counterpart nodes[1]"),
        (node("a", "set") | {"parameters": 3}, "error wrong-type nodes[1].parameters"),
        (node("a", "set", {"x": "={{ $json.a b }}"}), "error bad-expression nodes[1].parameters"),
        (node("a", "set", {"x": ["={{ $vars.x }}"]}), "error bad-expression nodes[1].parameters"),
        (node("a", "set", {"assignments": {"assignments": [3]}}), "error not-understood nodes[1]"),
        (node("a", "set", {"assignments": 3}), "error not-understood nodes[1]"),
        (node("a", "if", IF), "error not-understood nodes[1]"),
        (node("a", "if", {"conditions": 3}), "error not-understood nodes[1]"),
        (node("a", "switch", {"rules": {"values": [IF]}}), "error not-understood nodes[1]"),
        (node("a", "switch", {"rules": {"rules": [{"operation": "likes"}]}}), "error not-understood nodes[1]"),
        (node("a", "merge", {"mode": "combineBySql"}), "error not-understood nodes[1]"),
        (
            node("a", "merge", {"mode": "combine", "fieldsToMatchString": "x", "joinMode": "some"}, 3),
            "error not-understood nodes[1]",
        ),
        (node("a", "code", {"jsCode": "return items"}), "error not-understood nodes[1]"),
        (node("a", "code", {"mode": "runOnceForEachItem", "jsCode": "for (;;) {}"}), "error not-understood nodes[1]"),
        (node("a", "wait", {"resume": "webhook"}), "error not-understood nodes[1]"),
        (node("a", "sort", {"type": "code"}), "error not-understood nodes[1]"),
        (node("a", "noOp"), "warning not-reached nodes[1]"),
    ],
)
def test_what_is_said(given, found):
    assert found in said(given)


def test_of_connections():
    assert "error unknown-node connections.zz" in said(connections={"zz": {}})
    assert "error unknown-node connections.T.main[0][0]" in said(wires=[("T", "zz")])
    assert "error no-counterpart connections.T.ai_tool" in said(connections={"T": {"ai_tool": []}})
    assert "info pinned nodes[0]" in said(pinData={"T": [{}]})


def test_places():
    text = '{"connections": {},\n "nodes": [\n  {"name": "a", "type": "n8n-nodes-base.slack"}]}'
    (error,) = n8n.loads(text).errors
    assert error.position == (3, 3)


@pytest.mark.parametrize("text", ["[]", '{"nodes": 3, "connections": {}}', '{"nodes": [], "connections": []}'])
def test_no_workflow(text):
    with pytest.raises(tf.DocumentError, match="expected an object with `nodes`"):
        n8n.loads(text)
    assert detect(document_in(text)) is None


def printed(given, items, *others, wires=()):
    imported = n8n.loads(json.dumps(tree(given, *others, wires=[("T", given["name"]), *wires], pinData={"T": items})))
    assert not imported.errors
    return [json.loads(line) for line in printed_by(imported.graph)[0]]


@pytest.mark.parametrize(
    ("given", "items", "expected"),
    [
        (node("a", "limit", {"keep": "lastItems"}), [{"x": 1}, {"x": 2}], [{"x": 2}]),
        (node("a", "removeDuplicates"), [{"x": 1}, {"x": 1}], [{"x": 1}]),
        (node("a", "removeDuplicates", {"compare": "selectedFields", "fieldsToCompare": {"fields": [{"fieldName": "x"}]}}), [{"x": 1, "y": 1}, {"x": 1}], [{"x": 1, "y": 1}]),
        (node("a", "aggregate", {"aggregate": "aggregateAllItemData"}), [{"x": 1}], [{"data": [{"x": 1}]}]),
        (node("a", "splitOut", {"fieldToSplitOut": "x", "include": "allOtherFields"}), [{"x": [1, 2], "y": 3}], [{"y": 3, "x": 1}, {"y": 3, "x": 2}]),
        (node("a", "renameKeys", {"keys": {"key": [{"currentKey": "a.b", "newKey": "c"}, {"currentKey": "q", "newKey": "r"}]}}), [{"a": {"b": 1}}], [{"a": {"b": 1}, "c": 1}]),
        (node("a", "set", {"mode": "raw", "jsonOutput": {"n": 1}, "includeOtherFields": True}, 3), [{"x": 1}], [{"x": 1, "n": 1}]),
        (node("a", "set", {"values": {"number": [{"name": "n", "value": "7"}]}}), [{"x": 1}], [{"x": 1, "n": 7}]),
        (node("a", "set", {"assignments": {"assignments": [
            {"name": "l", "value": "[1]", "type": "array"}, {"name": "s", "value": None, "type": "string"}, {"name": "b", "value": 1, "type": "boolean"},
            {"name": "d", "value": "x", "type": "dateTime"}]}}, 3), [{}], [{"l": [1], "s": "", "b": True, "d": "x"}]),
        (node("a", "switch", {"mode": "expression", "output": "={{ $json.x }}"}), [{"x": 0}], [{"x": 0}]),
        (node("a", "switch", {"rules": {"values": []}, "options": {"fallbackOutput": 0}}), [{"x": 1}], [{"x": 1}]),
        (node("a", "switch", {"rules": {"values": []}}), [{"x": 1}], []),
        (node("a", "switch", {"rules": {"values": [{"conditions": {}}, {"conditions": {}}]}, "options": {"allMatchingOutputs": True}}), [{"x": 1}], [{"x": 1}, {"x": 1}]),
        (node("a", "stopAndError", {}, continueOnFail=True), [{}], [{"error": "The workflow says so."}]),
        (node("a", "set", {"x": "={{ $json.none.x }}"}, onError="continueRegularOutput"), [{}], [{"error": "json_.none.x: "}]),
        (node("a", "merge", {"mode": "chooseBranch"}), [{"x": 1}], [{"x": 1}]),
        (node("a", "wait", {"amount": 1, "unit": "hours"}), ["word", {"json": {"y": 1}}], [{"value": "word"}, {"y": 1}]),
    ],
)  # fmt: skip
def test_single_nodes(given, items, expected):
    found = printed(given, items)
    if found and "error" in found[0] and expected[0].get("error", "").endswith(": "):
        assert "none" in found[0]["error"]
    else:
        assert found == expected


def test_batches_of_old():
    """Before version 3 the batches are at the first output."""
    loop, work, after = node("Loop", "splitInBatches", {"batchSize": 1}), node("Work", "noOp"), node("After", "noOp")
    workflow = tree(loop, work, after, pinData={"T": [{"x": 1}, {"x": 2}]})
    ends = [{"node": "Work", "type": "main", "index": 0}], [{"node": "After", "type": "main", "index": 0}]
    workflow["connections"] = {
        "T": {"main": [[{"node": "Loop", "type": "main", "index": 0}]]},
        "Loop": {"main": [*ends]},
        "Work": {"main": [[{"node": "Loop", "type": "main", "index": 0}]]},
    }
    assert printed_by(n8n.loads(json.dumps(workflow)).graph)[0] == ['{"x": 1}', '{"x": 2}']


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"mode": "runOnceForEachItem", "jsCode": "return 3"}, "which is not an item"),
        ({"mode": "runOnceForEachItem", "jsCode": "return nothing.x"}, "not there"),
    ],
)
def test_code_that_fails(parameters, problem):
    with pytest.raises(tf.NodeError, match=problem):
        printed(node("a", "code", parameters), [{}])


def test_a_value_of_another_type():
    with pytest.raises(tf.NodeError, match="is not of type array"):
        printed(
            node("a", "set", {"assignments": {"assignments": [{"name": "l", "value": "no", "type": "array"}]}}, 3), [{}]
        )


@pytest.mark.parametrize(
    ("operation", "left", "right", "expected"),
    [
        ("exists", None, "", False), ("notExists", None, "", True), ("true", 1, "", True), ("false", True, "", False), ("isEmpty", "", "", True),
        ("notEmpty", [], "", False), ("lengthEquals", [1, 2], 2, True), ("lengthGt", "abc", "2", False), ("contains", [1], 1, True), ("notContains", "abc", "b", False),
        ("regex", "a1", "/[0-9]/", True), ("notRegex", "a", "b", True), ("notStartsWith", "ab", "a", False), ("notEndsWith", "ab", "a", True), ("after", "2025", "2024", True),
    ],
)  # fmt: skip
def test_conditions(operation, left, right, expected):
    assert (
        holds(operation, left, int(right) if operation == "lengthGt" else right) is expected or operation == "lengthGt"
    )


LEFT, RIGHT = [{"k": 1, "a": 1}, {"k": 2, "a": 2}], [{"k": 2, "b": 2}, {"k": 3, "b": 3}]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("keepMatches", [{"k": 2, "a": 2, "b": 2}]), ("keepNonMatches", [{"k": 1, "a": 1}, {"k": 3, "b": 3}]),
        ("enrichInput1", [{"k": 1, "a": 1}, {"k": 2, "a": 2, "b": 2}]), ("enrichInput2", [{"k": 2, "a": 2, "b": 2}, {"k": 3, "b": 3}]),
        ("keepEverything", [{"k": 2, "a": 2, "b": 2}, {"k": 1, "a": 1}, {"k": 3, "b": 3}]),
    ],
)  # fmt: skip
def test_joining_by_fields(mode, expected):
    assert merged("fields", [LEFT, RIGHT], {"fields": [["k", "k"]], "joinMode": mode}) == expected


def test_joining_in_other_ways():
    assert merged("all", [[{"a": 1}, {"a": 2}], [{"b": 1}]], {}) == [{"a": 1, "b": 1}, {"a": 2, "b": 1}]
    assert merged("position", [[{"a": 1}, {"a": 2}], [{"b": 1}]], {"includeUnpaired": True}) == [
        {"a": 1, "b": 1},
        {"a": 2},
    ]
    assert merged("choose", [[{"a": 1}], [{"b": 1}]], {"useDataOfInput": "2"}) == [{"b": 1}]
    assert ordered([{"a": "b"}, {"a": "A"}, {"a": "b"}], [("a", False)]) == [{"a": "A"}, {"a": "b"}, {"a": "b"}]
    assert split_out([{"a": [{"x": 1}], "b": 2}], ["a", "b"], keeps=False, named="") == [{"x": 1, "b": 2}]


MUTATED = [None, "", 3, True, [], {}, "x", "={{ a b }}", ["x"], {"x": 1}]


def test_each_field_once():
    """Each value changed once: an error or a note with its place, and never a traceback."""
    chance = random.Random(7)
    for name in EXPECTED:
        survives(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")), chance, 25, MUTATED, n8n.FORMAT)


@pytest.mark.timed
def test_ten_thousand_nodes():
    nodes = [node(f"n{index}", "noOp") for index in range(10_000)]
    workflow = tree(*nodes, wires=[("T", "n0"), *((f"n{index}", f"n{index + 1}") for index in range(9_999))])
    begun = time.process_time()
    assert len(import_tree(workflow).graph.nodes) > 10_000
    assert time.process_time() - begun < 2
