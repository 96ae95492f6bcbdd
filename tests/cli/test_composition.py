"""The command line and graphs inside graphs: check, run and draw go into them."""

from __future__ import annotations

import json

import pytest

INNER = {
    "interface": {"entries": [{"name": "in"}], "inputs": [{"name": "text", "type": "str"}]},
    "nodes": [{"id": "enter", "type": "graph.enter"}, {"id": "fail", "type": "flow.raise"}],
    "connections": [{"from": "enter.in", "to": "fail.enter"}, {"from": "enter.text", "to": "fail.message"}],
}


@pytest.fixture
def write(tmp_path):
    def write(name, **document):
        (tmp_path / name).write_text(json.dumps({"trioflow": "1.2", **document}))
        return tmp_path / name

    return write


@pytest.fixture
def outer(write):
    write("inner.json", **INNER)
    return write(
        "outer.json",
        nodes=[
            {"id": "start", "type": "flow.start"},
            {"id": "call", "type": "file:inner.json", "inputs": {"text": "boom"}},
        ],
        connections=[{"from": "start.then", "to": "call.in"}],
    )


def test_failure_inside(cli, outer):
    """A failure is told with the node inside, its type and the call that leads to it (C8)."""
    ended = cli("run", outer)
    assert ended.code == 1
    assert ended.err.splitlines()[0] == "error: node 'call/fail' (flow.raise), activation 0.1.0: NodeRaised: boom"
    told = json.loads(cli("run", outer, "--json").out)["error"]
    assert (told["node"], told["path"]) == ("call/fail", [0, 1, 0])


def test_check(cli, outer, write):
    """`check` goes into files; what is wrong there is told with the file (M5)."""
    assert cli("check", outer).code == 0
    write("inner.json", **{**INNER, "nodes": [*INNER["nodes"], {"id": "x", "type": "no.such"}]})
    ended = cli("check", outer)
    assert (ended.code, ended.err) == (2, "")
    assert f"{outer}: error[unknown-node-type] inner.json: nodes[2].type: There is no node type 'no.such'." in ended.out
    (outer.parent / "inner.json").unlink()
    ended = cli("check", outer)
    assert ended.code == 2
    assert (
        "error[unreadable-file] nodes[1].type: inner.json can't be read as a graph: it can't be read: No such"
        in ended.out
    )


def test_check_and_run_of_a_graph_to_be_called(cli, outer):
    """A graph that is there to be called passes `check`; `run` says that nothing starts it (M4)."""
    inner = outer.parent / "inner.json"
    assert cli("check", inner).code == 0
    ended = cli("run", inner)
    assert ended.code == 2
    assert "no node starts it" in ended.err


def test_draw(cli, outer):
    """`draw` shows the graphs that are called, `--fold` does not."""
    assert "graph inner.json:" in cli("draw", outer).out
    assert 'subgraph g1["inner.json"]' in cli("draw", outer, "--format", "mermaid").out
    folded = cli("draw", outer, "--fold")
    assert (folded.code, folded.err) == (0, "")
    assert "graph inner.json:" not in folded.out
    assert "call (file:inner.json)" in folded.out
