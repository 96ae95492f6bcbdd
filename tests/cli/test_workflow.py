"""Graphs that call, as workflows, on the command line."""

from __future__ import annotations

import trioflow as tf


def test_a_graph_becomes_a_workflow(cli, graph):
    """It is written to stdout or to a file, and runs as before."""
    path = graph(
        ("s", "flow.start", {}),
        ("p", "debug.print", {"value": "here"}),
        wires=["s.then -> p.enter"],
    )
    made = cli("workflow", path)
    assert made.code == 0
    assert tf.loads(made.out).kind == "workflow"
    assert cli("workflow", path, "-o", "made.yaml") == (0, "", "")
    assert tf.load("made.yaml") == tf.loads(made.out)
    assert cli("run", "made.yaml").out == "here\n"
    assert "would replace" in cli("workflow", path, "-o", path).err
    assert cli("workflow", path, "-o", "no/made.json").err.startswith("error: no/made.json: it can't be written")


def test_why_not(cli, graph):
    """What would not be the same is listed, and nothing is written."""
    path = graph(
        ("s", "flow.start", {}),
        *((name, "debug.print", {"value": name}) for name in "abc"),
        wires=["s.then -> a.enter", "s.then -> b.enter", "a.then -> c.enter", "b.then -> c.enter"],
    )
    code, out, err = cli("workflow", path)
    assert (code, out) == (2, "")
    assert "error[runs-several-times] connections[0].from: output s.then runs 'a' first and then 'b'" in err


def test_layers(cli, graph):
    """Which nodes can run at the same time, a line for each layer; only a valid workflow has any."""
    assert cli("draw", "vote", "--layers").out == "1  submit\n2  ann, bob, cyd\n3  decide\n"
    assert cli("draw", "draft", "--layers").out == "1  write, judge\n2  publish, give up\n"
    assert "Only a workflow has dependencies" in cli("draw", "fizzbuzz", "--layers").err
    path = graph({"id": "a", "type": "flow.strat"}, kind="workflow")
    assert "error[unknown-node-type] nodes[0].type" in cli("draw", path, "--layers").err
