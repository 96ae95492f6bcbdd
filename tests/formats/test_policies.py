"""Policies are drawn at their nodes, and told with their types."""

from __future__ import annotations

import pytest
from support import STANDARD

import trioflow as tf
from trioflow.formats.dot import to_dot
from trioflow.formats.mermaid import to_mermaid
from trioflow.formats.reference import kind_of
from trioflow.formats.svg import to_svg
from trioflow.formats.text import to_text


@tf.exec_node(id="drawn.call", policy=tf.Policy(retry=2, timeout="5s"))
def call() -> None: ...


@pytest.fixture
def graph():
    with tf.build(STANDARD) as g:
        start, node = g.add(tf.nodes.Start), g.add(call, "call")
        g.add(call, "instead")
        g.connect(start.then, node.enter)
        g.configure(node, policy=tf.Policy(retry=4, fallback="instead"))
        g.policy("drawn.*", tf.Policy(breaker=0.5))
    return g.graph


def test_outline(graph):
    """With `!` below their nodes; what is fired in place of others is not taken for lost."""
    assert to_text(graph, STANDARD) == (
        "policies:\n    drawn.*: breaker 0.5\n\n"
        "* start (flow.start)\n    then => call.enter\ncall (drawn.call)\n    ! retry 4\n    ! fallback instead\n\n"
        "in place of others:\ninstead (drawn.call)\n"
    )


def test_pictures(graph):
    """In Mermaid, DOT and SVG they stand at their nodes."""
    for text in (to_mermaid(graph, STANDARD), to_dot(graph, STANDARD), to_svg(graph, STANDARD)):
        assert "! retry 4" in text
        assert "fallback instead" in text


def test_types():
    """What a type says is told with it."""
    assert kind_of(call.type) == "exec node, timeout 5s, retry 2"
