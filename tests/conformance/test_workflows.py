"""Random workflows on this engine and in the reference in rounds."""

from __future__ import annotations

from itertools import islice

import pytest
from conformance.workflow_campaign import campaign

from trioflow.conformance.comparison import OUTCOME, difference
from trioflow.conformance.engine import answer, problems_of
from trioflow.conformance.judge import ReferencePort, judge
from trioflow.conformance.workflows import (
    LIMITS,
    judge_workflow,
    judged_workflows,
    random_workflow,
    with_limit,
    workflow_number,
)

DRAWN = 60


@pytest.mark.unmeasured
def test_random_workflows():
    """Under drawn limits and schedules the engine leaves what the loop of rounds says (W1-W18)."""
    for request, expected in islice(judged_workflows("tests"), DRAWN):
        fields = {name: expected[name] for name in (*OUTCOME, "canonical")}
        assert difference(fields, answer(request)) is None, request


def test_what_is_drawn():
    """The same for the same seed, and with a variety that makes the comparison say something."""
    assert random_workflow("x") == random_workflow("x")
    drawn = [random_workflow(str(number)) for number in range(200)]
    valid = [each["graph"] for each in drawn if not problems_of(each)]
    assert len(valid) > 150
    found = {
        "joins": sum("min" in node or "join" in node for graph in valid for node in graph["nodes"]),
        "undo": sum("undo" in node for graph in valid for node in graph["nodes"]),
        "conditions": sum("when" in wire for graph in valid for wire in graph["connections"]),
        "else": sum("else" in wire for graph in valid for wire in graph["connections"]),
        "circles": sum("most" in graph["nodes"][0] for graph in valid),
    }
    assert {name: count for name, count in found.items() if count < 20} == {}


@pytest.mark.parametrize("limit", LIMITS)
def test_the_judge_knows_workflows(limit):
    """The reference runs a workflow in rounds, whatever the level and the schedule."""
    drawn = next(each for each in map(random_workflow, map(str, range(9))) if not problems_of(each))
    request = with_limit({**drawn, "level": 3, "choices": [5, 7]}, limit)
    expected = judge(request)
    assert expected is not None
    assert ReferencePort().run(request)["canonical"] == expected["canonical"]
    assert expected["canonical"] == answer(request)["canonical"]


def test_workflows_by_number():
    """What ports are asked: a valid workflow for each number, and what must come of it under any schedule."""
    assert workflow_number(3, "x") == workflow_number(3, "x") != workflow_number(4, "x")
    drawn = [workflow_number(number, 1) for number in range(20)]
    assert not any(map(problems_of, drawn))
    judged = [judge_workflow(request) for request in drawn]
    assert sum(each is None for each in judged) < 5
    assert next(judged_workflows("x")) == next(judged_workflows("x"))
    assert not any({"steps", "trace"} & set(each) for each in judged if each is not None)


def test_a_workflow_that_takes_too_many_steps_is_not_judged():
    """Which step is one too many is a matter of time."""
    assert judge_workflow({**workflow_number(0, 1), "options": {"max_steps": 1}}) is None


@pytest.mark.unmeasured
def test_workflows_of_thirty_nodes():
    """A few of those that `python -m conformance.workflow_campaign` compares, each under every limit (W1-W18)."""
    compared, found = campaign(0, 6)
    assert compared > 3
    assert found["more than 12 nodes"] > 1
