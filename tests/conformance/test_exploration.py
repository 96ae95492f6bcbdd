"""Every schedule, each once."""

from __future__ import annotations

import math

import pytest
from conformance.ports import Answering, Interleaved, completed

from trioflow.conformance.exploration import Undecided, schedules


def explored(port):
    return [*schedules(lambda choices: port.run({"choices": choices}))]


@pytest.mark.parametrize(("tasks", "steps", "count"), [(1, 5, 1), (2, 2, 6), (3, 2, 90), (3, 3, 1680), (4, 2, 2520)])
def test_all_interleavings_are_found(tasks, steps, count):
    """There are as many schedules as there are interleavings, none is taken twice, and each leads to its own steps."""
    found = explored(Interleaved(tasks, steps))
    assert len(found) == count == math.factorial(tasks * steps) // math.factorial(steps) ** tasks
    assert len({choices for choices, _ in found}) == count
    assert len({tuple(step.get("chosen") for step in answer["steps"]) for _, answer in found}) == count


def test_the_choices_lead_to_the_answer():
    """The choices that come with an answer are those that a vector needs to get it again."""
    port = Interleaved(3, 2)
    for choices, answer in explored(port):
        assert port.run({"choices": choices}) == answer


def test_nothing_is_asked_twice():
    """One run for each schedule: the first choices of the rest are taken without asking."""
    port = Interleaved(2, 2)
    explored(port)
    assert port.asked == [(), (0, 1), (0, 1, 1), (1,), (1, 0, 1), (1, 1)]


def release(chosen, *enabled):
    return {"do": "release", "enabled": [*enabled], "chosen": chosen, "events": []}


def test_a_port_whose_enabled_sets_vary():
    """The same choices must lead to the same enabled sets."""
    second = release("x", "x", "y"), release("y", "x", "y")
    answers = iter([[release("a", "a", "b"), second[0]], [release("b", "b", "c"), second[1]]])
    said = r"the choices \[0, 1\] led to \('a', 'b'\) at decision 0 in one run, and to \('b', 'c'\) in another"
    with pytest.raises(Undecided, match=said):
        explored(Answering(lambda _: completed(steps=next(answers))))


def test_a_port_whose_decisions_vanish():
    answers = iter([[release("a", "a", "b")], []])
    port = Answering(lambda _: completed(steps=next(answers)))
    with pytest.raises(
        Undecided, match=r"the choices \[1\] led to \('a', 'b'\) at decision 0 in one run, and to none in"
    ):
        explored(port)


def test_a_port_that_does_not_do_as_it_is_told():
    """The chosen label is the one that the choices name."""
    port = Answering(lambda _: completed(steps=[release("a", "a"), release("a", "a", "b")]))
    with pytest.raises(Undecided, match="step 1 released 'a' where the schedule says 'b'"):
        explored(port)


def test_an_answer_that_is_no_result_ends_it():
    skipped = {"type": "skipped", "id": 0, "reason": ""}
    assert explored(Answering(lambda _: skipped)) == [((), skipped)]
