"""Documents as that editor and people's hands write them: what is odd is told, and means what it means there."""

from __future__ import annotations

import json

import pytest
from formats.nodeeditor.documents import REGISTRY, document, imported, node, told, value

from trioflow.errors import DocumentError
from trioflow.formats.nodeeditor import dumps, export_tree, import_tree
from trioflow.testing import run_virtual


def listener(**more):
    made = node("on", "Start") | {"typeId": "event.listener.ping", "name": "Custom Event: ping"} | more
    return made


EVENTS = [{"id": "ping", "name": "ping"}]


@pytest.mark.parametrize("flag", [[], {}, "true", 1])
@pytest.mark.parametrize("name", ["Debug Print", "Start"])
def test_a_flag_that_is_none(flag, name):
    """`execInit` of a wrong type is taken for false, noted with its place, and gone after an export."""
    tree = document(node("start", "Start"), node("odd", name) | {"execInit": flag})
    taken = imported(tree)
    noted = [each for each in taken.diagnostics if each.code == "bad-field"]
    assert [each.path for each in noted] == ["nodes[1].execInit"]
    assert "expected true or false, got" in noted[0].message.lower()
    assert taken.graph.nodes[1].initiator is (False if name == "Start" else None)
    assert json.loads(dumps(taken.graph, REGISTRY))["nodes"][1]["execInit"] is False


def test_a_listener_never_starts_by_itself():
    """That editor marks its listeners with `execInit`, too: they wait for their event here as there, and keep the mark."""
    show = node("show", "Debug Print", Value=1)
    tree = document(
        node("start", "Start"), listener(execInit=True), show, wires=["on.Exit -> show.Enter"], events=EVENTS
    )
    graph = imported(tree).graph
    assert [each.initiator for each in graph.nodes] == [None, None, None]
    assert run_virtual(graph).statistics.steps == 1
    assert export_tree(graph, REGISTRY) == tree


@pytest.mark.parametrize("least", [0, -1])
def test_no_parallelism_is_one(least):
    """A `Parallel ForEach` of 0 or fewer at once works on one at a time there; the document keeps what it says."""
    each = node("each", "Parallel ForEach", List=[1, 2], MaxParallelism=least)
    tree = document(node("start", "Start"), each, wires=["start.Exit -> each.Enter"])
    graph = imported(tree).graph
    assert graph.nodes[1].inputs["limit"] == 1
    assert [line for line in told(tree, "info") if "MaxParallelism" in line] == [
        f"info[differs] nodes[1].inputs[2].value: 'MaxParallelism' of 'each' is {least}, which is taken for 1, as there."
    ]
    run_virtual(graph)
    assert export_tree(graph, REGISTRY) == tree


def test_floats_in_texts_are_told():
    """Where a float may become a text it is said once for each type of node that it is written otherwise there."""
    nodes = [node("start", "Start"), node("half", "Divide", A=100, B=2), node("show", "Debug Print"),
             node("again", "Debug Print"), node("whole", "Debug Print", Value=1.0), node("text", "String Format")]  # fmt: skip
    wires = [
        "start.Exit -> show.Enter",
        "half.Result -> show.Value",
        "half.Result -> again.Value",
        "half.Result -> text.Arg0",
    ]
    lines = [line for line in told(document(*nodes, wires=wires), "info") if "50.0 here" in line]
    assert [line.partition(": ")[2] for line in lines] == [
        "'Debug Print' writes a float without a fraction as 50.0 here, and as 50 there. (so for 3 nodes)",
        "'String Format' writes a float without a fraction as 50.0 here, and as 50 there.",
    ]
    assert not [line for line in told(document(node("show", "Debug Print", Value="x"))) if "50.0" in line]


def test_several_starts_are_told():
    """They run one after the other here, and at once there; one is no difference."""
    lines = told(document(node("a", "Start"), node("b", "Start")), "info")
    assert lines == [
        "info[differs] nodes: 2 nodes start a run: one after the other here, concurrently there. "
        "RunOptions(parallel_initiators=True) and `trioflow run --parallel` run them concurrently."
    ]
    assert told(document(node("a", "Start")), "info") == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda tree: tree["nodes"][0].update(x=float("inf")), "nodes[0].x"),
        (lambda tree: tree["nodes"][1]["inputs"][2].update(value=value(float("nan"))), "nodes[1].inputs[2].value.json"),
        (lambda tree: tree.update(viewport={"zoom": float("-inf")}), "viewport.zoom"),
        (lambda tree: tree.update(plugins=[1, [float("nan")]]), "plugins[1][0]"),
    ],
)
def test_numbers_that_json_does_not_have(change, where):
    """NaN and infinities are refused when a document is read, wherever they are, and not first when it is written."""
    tree = document(node("start", "Start"), node("show", "Debug Print"))
    change(tree)
    with pytest.raises(DocumentError) as caught:
        import_tree(tree, REGISTRY)
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [where]


def test_such_numbers_in_texts():
    """Values may be written as texts that hold JSON: what those hold is looked at, too."""
    show = node("show", "Debug Print")
    show["inputs"][2]["value"] = {
        "typeName": "System.Collections.Generic.List`1[[System.Object]]",
        "json": "[1, [NaN]]",
    }
    lines = told(document(node("start", "Start"), show), "error")
    assert len(lines) == 1
    assert "expected a finite number at [1][0], got nan" in lines[0]


def test_what_only_the_editor_shows():
    """Where a node stands, and what is marked, is nothing here: what is odd in it is noted, and the graph is whole."""
    tree = document(node("a", "Start"))
    tree["nodes"][0] |= {"x": "left", "width": True, "callable": 1}
    tree |= {"viewport": {"x": 0, "zoom": "far"}, "selectedNodeIds": {}, "requiredPlugins": "none"}
    said = {each.path for each in imported(tree).diagnostics}
    odd = {"nodes[0].x", "nodes[0].width", "nodes[0].callable", "viewport.zoom", "selectedNodeIds", "requiredPlugins"}
    assert odd <= said
    assert "viewport" in {each.path for each in imported(tree | {"viewport": 3}).diagnostics}
