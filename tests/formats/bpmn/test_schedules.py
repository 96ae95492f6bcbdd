"""The same processes under drawn schedules and limits: nothing but time decides what comes of them."""

from __future__ import annotations

import attrs
import pytest
from formats.bpmn.processes import CASES, EXPECTED, came_of, expected, imported

from trioflow.testing import ShuffledSchedule

pytestmark = pytest.mark.unmeasured

WAITS = {"bpmn.catch_event", "bpmn.receive_task", "bpmn.user_task", "bpmn.event_gateway", "bpmn.guard", "bpmn.watch"}


@pytest.mark.parametrize("seed", [1, 2])
def test_drawn_schedules(seed):
    for name, number in CASES[seed % 2 :: 2]:
        case = EXPECTED[name][number]
        came, log = came_of(imported(name).graph, case, middleware=[ShuffledSchedule(seed)])
        wanted = expected(case)
        assert (name, {key: came.get(key) for key in wanted}) == (name, wanted)
        assert log.open() == []


@pytest.mark.parametrize("limit", [1, 2])
def test_limits(limit):
    """Where nothing waits for something else in the same scope, a limit changes nothing."""
    for name, number in CASES:
        graph, case = imported(name).graph, EXPECTED[name][number]
        if WAITS.isdisjoint(node.type for node in graph.nodes):
            came, _ = came_of(attrs.evolve(graph, limit=limit), case)
            wanted = expected(case)
            assert (name, {key: came.get(key) for key in wanted}) == (name, wanted)
