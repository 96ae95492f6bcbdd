"""Processes of every element, alone and in combination: what fires, and what comes of it."""

from __future__ import annotations

import pytest
from formats.bpmn.processes import CASES, EXPECTED, came_of, expected, imported

import trioflow as tf


@pytest.mark.parametrize(("name", "number"), CASES)
def test_what_comes_of_it(name, number):
    """The elements that fire, variables, times and failures are those of the standard's rules; all activations close."""
    case, found = EXPECTED[name][number], imported(name)
    assert not found.errors
    came, log = came_of(found.graph, case)
    wanted = expected(case)
    assert {key: came.get(key) for key in wanted} == wanted
    assert came.get("fails") == case.get("fails")
    assert log.open() == []


def test_the_graphs_are_sound():
    """No imported graph has an error, and each comes back from a document as it was."""
    for name in EXPECTED:
        graph = imported(name).graph
        assert [str(each) for each in tf.validate(graph, tf.Registry.standard()).errors] == [], name
        assert tf.loads(tf.dumps(graph)) == graph
