"""What standard nodes of the format do with control once they are imported."""

from __future__ import annotations

from typing import Any

import pytest
from formats.nodeeditor.documents import document, imported, node, variable

import trioflow as tf
from trioflow.testing import run_virtual


def printed(capsys: pytest.CaptureFixture[str], *nodes: Any, wires: Any, entered: int = 1, **more: Any) -> list[str]:
    """What a document prints whose `Start` enters the node x so many times."""
    starts = [f"start-{number}" for number in range(entered)]
    tree = document(
        *(node(start, "Start") for start in starts),
        *nodes,
        wires=[*(f"{start}.Exit -> x.{nodes[0]['inputs'][0]['name']}" for start in starts), *wires],
        **more,
    )
    taken = imported(tree)
    assert [str(each) for each in taken.diagnostics if each.severity == "error"] == []
    run_virtual(taken.graph)
    return capsys.readouterr().out.splitlines()


def shown(name: str, output: str | None = None, **given: Any) -> tuple[list[Any], list[str]]:
    """A node x, each of its exec outputs wired to a print of the output's name and a value."""
    x = node("x", name, **given)
    outputs = [each["name"] for each in x["outputs"] if each["isExecution"]]
    prints = [node(f"on {each}", "Debug Print", Label=each) for each in outputs]
    wires = [f"x.{each} -> on {each}.Enter" for each in outputs]
    if output is not None:
        wires += [f"x.{output} -> on {each}.Value" for each in outputs]
    return [x, *prints], wires


CASES: list[tuple[str, str | None, dict[str, Any], int, list[str]]] = [
    ("Branch", None, {"Cond": True}, 1, ["True: "]),
    ("Branch", None, {}, 1, ["False: "]),
    ("Multi Branch", None, {"Cond_1": True}, 1, ["Path 1: "]),
    ("Multi Branch", None, {}, 1, ["Default: "]),
    ("For Loop", "Index", {"LoopTimes": 2}, 1, ["LoopPath: 0", "LoopPath: 1", "Exit: 1"]),
    (
        "For Loop Step",
        "Index",
        {"StartValue": 4, "EndValue": 0, "Step": -2},
        1,
        ["LoopPath: 4", "LoopPath: 2", "Exit: 2"],
    ),
    ("For Loop Reverse", "Index", {"Start": 2, "End": 1}, 1, ["LoopPath: 2", "LoopPath: 1", "Exit: 1"]),
    ("Loop N Times", "Iteration", {"N": 2}, 1, ["Body: 0", "Body: 1", "Done: 1"]),
    ("ForEach Loop", "Obj", {"List": ["a", "b"]}, 1, ["LoopPath: a", "LoopPath: b", "Exit: b"]),
    ("ForEach Dict", "Value", {"Dict": {"a": 1, "b": 2}}, 1, ["LoopPath: 1", "LoopPath: 2", "Exit: 2"]),
    ("Parallel ForEach", "Index", {"List": ["a"]}, 1, ["LoopPath: 0", "Exit: 0"]),
    ("While Loop", None, {}, 1, ["Exit: "]),
    ("Do While Loop", None, {}, 1, ["LoopPath: ", "Exit: "]),
    ("Repeat Until", None, {"Condition": True}, 1, ["LoopPath: ", "Exit: "]),
    ("Sequence", None, {}, 1, ["Then 0: ", "Then 1: ", "Then 2: ", "Then 3: "]),
    ("Switch Int", None, {"Value": 4}, 1, ["Case 4: "]),
    ("Switch Int", None, {"Value": 9}, 1, ["Default: "]),
    ("Switch String", None, {"Value": "b", "Match_0": "a", "Match_1": "b"}, 1, ["Case 1: "]),
    ("Switch String", None, {"Match_0": "a"}, 1, ["Case 1: "]),  # an empty text is what is not given
    ("Gate", None, {}, 1, ["Continue: "]),
    ("Gate", None, {"Open": False}, 1, ["Closed: "]),
    ("Once", None, {}, 3, ["First: ", "Already Run: ", "Already Run: "]),
    ("Counter", "Count", {}, 2, ["Exit: 1", "Exit: 2"]),
    ("Flip Flop", "IsA", {}, 3, ["A: True", "B: False", "A: True"]),
    ("Wait Count", "TriggersSoFar", {"Count": 2}, 4, ["Exit: 2", "Exit: 2"]),
    ("Assert", None, {}, 1, ["Exit: "]),
    ("Delay", None, {}, 1, ["Exit: "]),
    ("Consume", None, {"Value": 1}, 1, ["Exit: "]),
    ("Marker", None, {}, 1, ["Exit: "]),
    ("Debug Warning", None, {"Message": "m"}, 1, ["Exit: "]),
    ("Debug Error", None, {"Message": "m"}, 1, ["Exit: "]),
    ("Breakpoint", None, {}, 1, ["Exit: "]),
    ("Log", None, {"Message": "m"}, 1, ["Exit: "]),
    ("Timer", "ElapsedMs", {}, 1, ["Done: 0.0"]),
    ("Stopwatch", "ElapsedMs", {}, 1, ["Exit: 0.0"]),
    ("Set Variable", "Value", {"Name": "v", "Value": 3}, 1, ["Exit: 3"]),
    ("Increment Variable", "Value", {"Step": 2}, 2, ["Exit: 2", "Exit: 4"]),
]


@pytest.mark.parametrize(
    ("name", "output", "given", "entered", "expected"),
    [pytest.param(*case, id=f"{case[0]}-{index}") for index, case in enumerate(CASES)],
)
def test_an_exec_node_goes_on_where_it_does_there(capsys, name, output, given, entered, expected):
    """An imported exec node fires the outputs of the original, with the same values."""
    nodes, wires = shown(name, output, **given)
    if name == "Timer":  # it has no time yet when it fires its body
        wires = [each for each in wires if " -> on Body." not in each]
    assert printed(capsys, *nodes, wires=wires, entered=entered) == expected


def test_branches_run_concurrently(capsys):
    """Parallel Branch runs its branches in any order, and goes on when all are done."""
    nodes, wires = shown("Parallel Branch")
    *branches, last = printed(capsys, *nodes, wires=wires)
    assert (sorted(branches), last) == (["A: ", "B: ", "C: ", "D: "], "Exit: ")


def test_a_failure_is_caught(capsys):
    """Try Catch gives the message of Throw Error to what is behind Catch, and goes on at Finally."""
    nodes, wires = shown("Try Catch", "Error")
    throw = node("throw", "Throw Error", Message="oh no")
    wires = [each for each in wires if "on Try." not in each and "on Finally.Value" not in each]
    assert printed(capsys, nodes[0], *nodes[2:], throw, wires=[*wires, "x.Try -> throw.Enter"]) == [
        "Catch: oh no",
        "Finally: ",
    ]


def test_an_assertion_fails_with_its_message():
    """Assert fails the run with the message of the document."""
    tree = document(node("s", "Start"), node("x", "Assert", Condition=False, Message="m"), wires=["s.Exit -> x.Enter"])
    with pytest.raises(Exception, match="m"):
        run_virtual(imported(tree).graph)


def test_a_delay_counts_milliseconds():
    """DelayMs, given or wired, is a thousand to the second."""
    start, literal = node("s", "Start"), node("a", "Delay", DelayMs=1500)
    number, wired = node("n", "Integer", Value=250), node("b", "Delay")
    graph = imported(
        document(
            start, literal, number, wired, wires=["s.Exit -> a.Enter", "a.Exit -> b.Enter", "n.Result -> b.DelayMs"]
        )
    ).graph
    assert next(each for each in graph.nodes if each.id == "a").inputs == {"seconds": 1.5}
    assert run_virtual(graph).statistics.elapsed == pytest.approx(1.75)


def test_data_nodes_in_a_loop_are_fresh(capsys):
    """A data node behind a loop's index is evaluated anew in each round."""
    nodes = [node("x", "For Loop", LoopTimes=3), node("sum", "Add", B=10), node("p", "Debug Print")]
    wires = ["x.LoopPath -> p.Enter", "x.Index -> sum.A", "sum.Result -> p.Value"]
    assert printed(capsys, *nodes, wires=wires) == ["10", "11", "12"]


def test_a_custom_event_reaches_its_listeners(capsys):
    """`event.trigger.ID` publishes what `event.listener.ID` listens for, by the name of the document's event."""
    listen, trigger = node("l", "Start"), node("x", "Marker")
    listen |= {"typeId": "event.listener.e1", "name": "Custom Event: Ping", "execInit": False}
    trigger |= {"typeId": "event.trigger.e1", "name": "Trigger Event: Ping"}
    nodes = [trigger, listen, node("p", "Debug Print", Label="heard")]
    events = [{"id": "e1", "name": "Ping"}]
    assert printed(capsys, *nodes, wires=["l.Exit -> p.Enter"], events=events) == ["heard: "]


def test_variables_are_known_by_their_ids(capsys):
    """`variable.get.ID` and `variable.set.ID` are about the variable that has the id, whatever its name."""
    get, put = node("g", "Pass Through"), node("x", "Set Variable", Value=5)
    get |= {"typeId": "variable.get.id-1", "name": "Get total", "inputs": []}
    put |= {"typeId": "variable.set.id-1", "name": "Set total"}
    del put["inputs"][1]
    variables = [
        variable("total", "id-1", typeName="System.Int32", defaultValue={"typeName": "System.Int32", "json": 2})
    ]
    wires = ["x.Exit -> p.Enter", "g.Value -> p.Value"]
    get["outputs"][0]["name"] = "Value"
    assert printed(capsys, put, get, node("p", "Debug Print"), wires=wires, variables=variables) == ["5"]
    tree = document(put, get, variables=variables)
    assert imported(tree).graph.variables == (tf.Variable("total", "int", 2),)
