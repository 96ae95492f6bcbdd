"""Random requests: what they reach is measured, and must not become less."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from trioflow.conformance.capabilities import CLAIMED_BY, needed
from trioflow.conformance.engine import answer, problems_of
from trioflow.conformance.strategies import request_number, requests, situations
from trioflow.reference import small_step

FLOORS = {
    "choice": 35, "many choices": 25, "wide choice": 20, "ten steps": 35, "shared evaluation": 7,
    "waited for an evaluation": 2, "many evaluations": 6, "nested fork": 18, "merged": 35, "conflict": 2,
    "failure": 22, "failure in a fork": 8, "cancelled activation": 16, "cancelled evaluation": 4,
    "collected failure": 1, "time": 20, "cut off": 5, "action": 10, "gate": 3, "event handled": 6, "limit": 20,
    "completed": 35, "life": 20, "ahead": 8, "several ahead": 0.6, "taken up": 6, "ahead in vain": 1,
}  # fmt: skip
"""How many of a hundred requests bring a situation about, at least; about three quarters of what was measured."""


@pytest.mark.unmeasured
def test_floors():
    """Each situation comes about often enough to be tested by a campaign."""
    count = 1000
    found = Counter[str]()
    for number in range(count):
        request = request_number(number, "floors")
        found.update(situations(request, small_step(request)))
    below = {name: found[name] / count * 100 for name, floor in FLOORS.items() if found[name] / count * 100 < floor}
    assert below == {}
    assert set(found) <= set(FLOORS)


def test_a_request_is_its_number():
    assert request_number(7, 3) == request_number(7, 3) != request_number(8, 3)
    assert request_number(7, 3) != request_number(7, 4)


@pytest.mark.unmeasured
def test_what_ends_at_one_moment_does_not_fail_in_several_places():
    """Nothing fails while it is cleaned up where several time limits may be over at once (E2); elsewhere it does."""
    scripts = [str(request_number(number)["graph"]["nodes"]) for number in range(1500)]
    failing = [script for script in scripts if "[['set', 'nowhere']" in script]
    assert len(failing) >= 5
    assert [script for script in failing if "'within'" in script] == []


def test_requests_are_valid_and_survive_json():
    for number in range(200):
        request = request_number(number, "valid")
        assert problems_of(request) == []
        assert json.loads(json.dumps(request)) == request


@pytest.mark.unmeasured
@pytest.mark.parametrize("level", [0, 1, 2])
def test_what_a_port_claims_is_mostly_enough(level):
    """A port of a lower level is asked what it can do."""
    enough = 0
    for number in range(200):
        request = request_number(number, "low", capabilities=CLAIMED_BY[level])
        enough += needed(request, small_step(request)["status"]) <= CLAIMED_BY[level]
    assert enough > 180


@pytest.mark.unmeasured
@settings(max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(requests())
def test_hypothesis_draws_them_too(request):
    """Engine and reference agree on a request that Hypothesis drew: the way to test an engine of one's own."""
    assert problems_of(request) == []
    expected, came = small_step(request), answer(request)
    assert (came["steps"], came["canonical"], came["errors"]) == (
        expected["steps"], expected["canonical"], expected["errors"],
    )  # fmt: skip
