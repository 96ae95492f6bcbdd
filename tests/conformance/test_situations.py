"""What happens in random workflows: all of it comes up."""

from __future__ import annotations

from collections import Counter

from trioflow.conformance.situations import FLOORS, situations
from trioflow.conformance.workflows import judge_workflow, workflow_number

DRAWN = 40


def test_every_situation_comes_up():
    """In a few workflows; a campaign is held to the floors."""
    came_up = Counter()
    for number in range(DRAWN):
        request = workflow_number(number, 17)
        answer = judge_workflow(request)
        if answer is not None:
            came_up.update(situations(request, answer))
    assert {*came_up} == {*FLOORS}
    assert all(floor < 1000 for floor in FLOORS.values())


def test_what_is_a_situation():
    """By what came of a workflow, and not by what stands in it."""
    node = {"id": "b", "type": "script.exec", "min": 2}
    wires = [{"from": "a.o0", "to": "b.enter"}, {"from": "a.o1", "to": "b.enter"}]
    graph = {"nodes": [{"id": "a", "type": "script.exec"}, node], "connections": wires}
    activations = [[[0, 0], "<scope>", None, "completed", None], [[0, 0, 1, 0, 0], "a", None, "completed", "o0"]]
    answer = {
        "status": "completed",
        "errors": [],
        "variables": {},
        "canonical": {"activations": activations, "conflicts": []},
    }
    assert [*situations({"graph": graph}, answer)] == ["joins not met"]
    activations.append([[0, 0, 2, 1, 1, 1, 1], "b", "enter", "failed", None])
    assert [*situations({"graph": graph}, answer)] == ["join all", "failures"]
