"""All checks one after the other, and what is left of them when they are cut short."""

from __future__ import annotations

import attrs
import pytest
from conformance.ports import GRAPH, Answering, Interleaved, completed

from trioflow.conformance.capabilities import CLAIMED_BY, WORKFLOW
from trioflow.conformance.port import PortFailure
from trioflow.conformance.suite import Random, Suite
from trioflow.conformance.vectors import vector_from


class Told:
    """Keeps what it is told of the progress."""

    def __init__(self):
        self.said = []

    def show(self, what, done, total, failed):
        self.said.append((what, done, total, failed))


def vector(name, **fields):
    tree = {"name": name, "rules": ["D2"], "graph": GRAPH, "expect": {"status": "completed"}}
    return vector_from({**tree, **fields}, "test")


def random(judge=lambda request: completed(canonical=None, steps=[]), examples=50):
    asked = []

    def requests(level, capabilities):
        asked.append((level, capabilities))
        return lambda number, seed: {"graph": GRAPH, "variables": {"v": number}}

    return asked, Random(requests, judge, lambda request, answer: (), lambda request: True, seed=1, examples=examples)


def suite(port, *vectors, random=None, level=3):
    told = Told()
    return Suite(port, vectors, random, level, told), told


def answer(request):
    return completed(canonical=None, steps=[])


def test_vectors_and_then_campaigns():
    """Most random graphs are asked at the highest level, some under schedules of the port's own."""
    port = Answering(answer)
    asked, chance = random()
    made, told = suite(port, vector("a"), vector("b", expect={"status": "failed"}), random=chance)
    made.run()
    assert [(finding.name, finding.outcome) for finding in made.findings] == [
        ("a", "passed"),
        ("b", "failed"),
        ("campaign L1", "passed"),
        ("campaign L3", "passed"),
    ]
    assert [request["level"] for request in port.asked] == [0, 0, *[1] * 10, *[3] * 40]
    assert asked == [(1, port.capabilities), (3, port.capabilities)]
    assert told.said[0] == ("vectors: a", 0, 2, 0)
    assert told.said[2] == ("vectors: b", 1, 2, 0)
    assert told.said[4] == ("campaign L1", 1, 10, 1)
    assert told.said[-1] == ("campaign L3", 40, 40, 1)


@pytest.mark.parametrize(
    ("claimed", "wanted", "levels"), [(0, 3, {0}), (1, 3, {1}), (2, 3, {1, 2}), (3, 0, {0}), (3, 2, {1, 2})]
)
def test_campaigns_are_of_the_claimed_level_or_less(claimed, wanted, levels):
    port = Answering(answer, claimed)
    _, chance = random()
    suite(port, random=chance, level=wanted)[0].run()
    assert {request["level"] for request in port.asked} == levels


@pytest.mark.parametrize(("knows", "asked"), [(True, 10), (False, 0)])
def test_workflows_are_asked_of_those_who_know_them(knows, asked):
    """A fifth as many as other graphs, beside them, at the highest level; what was judged is compared."""
    port = Answering(answer, 3, CLAIMED_BY[3] | {WORKFLOW} if knows else None)
    _, chance = random()
    chance = attrs.evolve(
        chance,
        workflows=lambda number, seed: {"graph": GRAPH, "variables": {"w": number}},
        judge_workflow=lambda request: completed(
            status="failed" if request["variables"].get("w") == 9 else "completed"
        ),
    )
    made, told = suite(port, random=chance)
    made.run()
    assert [request["level"] for request in port.asked if "w" in request["variables"]].count(3) >= asked
    assert {finding.name for finding in made.findings if "workflows" in finding.name} == (
        {"campaign workflows: status"} if knows else set()
    )
    assert any(said[:3] == ("campaign workflows", 10, 10) for said in told.said) is knows


def test_no_examples():
    port = Answering(answer)
    _, chance = random(examples=0)
    made, _ = suite(port, random=chance)
    made.run()
    assert (made.findings, port.asked) == ([], [])


def test_schedules_are_told():
    """A vector with many schedules shows that it goes on."""
    made, told = suite(Interleaved(2, 2), vector("all", level=2, schedule="all"))
    made.run()
    assert told.said == [("vectors: all", 0, 1, 0)] + [(f"vectors: all ({n} schedules)", 0, 1, 0) for n in range(1, 7)]


def test_a_port_that_is_given_up():
    """What comes after is not tried; what came before stays."""

    def fails(request):
        nonlocal left
        left -= 1
        if not left:
            raise PortFailure("given-up", "it has failed too often and is not started again.")
        return answer(request)

    for first, names in ((2, ["a", "port: restarts"]), (6, ["a", "b", "port: restarts"])):
        left = first
        made, _ = suite(Answering(fails), vector("a"), vector("b"), random=random()[1])
        made.run()
        assert [finding.name for finding in made.findings] == names


def test_an_interrupt_goes_through():
    """What was found until then stays, that of a campaign too."""

    def fails(request):
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return {**answer(request), "status": "failed" if request["level"] else "completed"}

    left = 4
    made, _ = suite(Answering(fails), vector("a"), random=random()[1])
    with pytest.raises(KeyboardInterrupt):
        made.run()
    assert [finding.name for finding in made.findings] == ["a", "campaign L1: status"]


def test_a_port_that_does_not_stop_well():
    port = Answering(answer)
    port.close = lambda: (_ for _ in ()).throw(PortFailure("exit", "it still runs."))
    made, _ = suite(port)
    made.run()
    assert [(finding.name, finding.message) for finding in made.findings] == [("port: stop", "it still runs.")]
