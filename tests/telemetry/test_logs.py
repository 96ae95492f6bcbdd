"""Logs: one record for what people want to read."""

from __future__ import annotations

import logging

from telemetry.runs import failing, looping, watched

import trioflow as tf
from trioflow.telemetry import Logs


def test_a_failure_is_told_once(caplog):
    """Where it arose, and for the run; not at the nodes that it passes."""
    with caplog.at_level(logging.DEBUG, "trioflow.run"):
        watched(failing(), Logs())
    run = caplog.records[0].run
    assert [(each.levelname, each.getMessage(), each.node, each.path) for each in caplog.records] == [
        ("DEBUG", f"run {run} started", None, "root"),
        ("ERROR", "node 'bad' (0.1.0) failed: ValueError: no 0", "bad", "0.1.0"),
        ("ERROR", f"run {run} failed: ValueError: no 0", None, "root"),
    ]


def test_feedback_has_its_level(caplog):
    """What a body says comes at the level that it names."""

    @tf.exec_node(id="logs.says")
    def says(ctx: tf.Context) -> None:
        ctx.emit_feedback("careful", level="warning")

    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(says, "says").enter)
    with caplog.at_level(logging.INFO, "trioflow.run"):
        watched(g.graph, Logs())
    assert [(each.levelname, each.getMessage()) for each in caplog.records][:1] == [
        ("WARNING", "node 'says' (0.1): careful")
    ]


def test_a_logger_of_ones_own(caplog):
    """Records go to the logger that was given."""
    with caplog.at_level(logging.INFO, "mine"):
        watched(looping(1), Logs(logging.getLogger("mine")))
    assert [(each.name, each.getMessage().partition(" ")[2].partition(" ")[2]) for each in caplog.records] == [
        ("mine", "completed after 1.000 s")
    ]
