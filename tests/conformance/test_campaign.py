"""Random campaigns: what differs is found, shrunk, and held as a vector."""

from __future__ import annotations

import random

import pytest
from conformance.ports import Answering, completed

from trioflow.conformance.campaign import Campaign
from trioflow.conformance.port import PortFailure
from trioflow.conformance.vectors import check_vector, vector_from


def graph(numbers):
    nodes = [
        {"id": f"n{index}", "type": "script.exec", "initiator": True, "inputs": {"script": [["const", number]]}}
        for index, number in enumerate(numbers)
    ]
    return {"trioflow": "1.0", "nodes": nodes}


def requests(number, seed):
    """Some numbers to be added up, and a schedule that does not matter."""
    chance = random.Random(f"{seed}/{number}")
    numbers = [chance.randint(0, 1000) // chance.choice((1, 10, 1000)) for _ in range(chance.randint(1, 8))]
    return {"graph": graph(numbers), "choices": [chance.randint(0, 3) for _ in range(chance.randint(0, 5))]}


def numbers_of(request):
    return [node["inputs"]["script"][0][1] for node in request["graph"]["nodes"]]


def right(request):
    """Adds all numbers up."""
    return completed(variables={"sum": sum(numbers_of(request))}, canonical={"evaluations": []}, steps=[])


def campaign(answer, judge=right, **options):
    """A campaign that has run, and its findings."""
    level = options.setdefault("level", 2)
    options["valid"] = lambda request: (
        all(node["inputs"]["script"] for node in request["graph"]["nodes"]) and request["graph"]["nodes"]
    )
    port = Answering(answer, level, options.pop("capabilities", None))
    made = Campaign(port, requests, judge, options.pop("judge_trace", lambda request, answer: ()), **options)
    made.run()
    return made, [*made.findings()]


def test_a_port_that_is_right():
    """All examples are asked at the level, and progress is told."""
    told = []
    made, (finding,) = campaign(right, examples=50, seed=3, progress=lambda *now: told.append(now))
    assert made.ran == 50
    assert told == [(number, 0) for number in range(1, 51)]
    assert {request["level"] for request in made.port.asked} == {2}
    assert (finding.name, finding.level, finding.outcome) == ("campaign L2", 2, "passed")
    assert finding.message == "50 examples, seed 3"


def wrong_above(limit):
    def answer(request):
        sum_ = right(request)["variables"]["sum"]
        return {**right(request), "variables": {"sum": sum_ + (sum_ > limit)}}

    return answer


def test_a_difference_is_shrunk_and_is_a_vector():
    """The smallest request that fails is what is left, with what must come of it."""
    _, (finding,) = campaign(wrong_above(100), examples=200)
    assert (finding.name, finding.rules, finding.outcome) == ("campaign L2: variables", ("F3", "D8"), "failed")
    assert finding.message.splitlines()[0] == "variables.sum: expected 101, got 102"
    assert finding.message.splitlines()[1].startswith('It came of the request {"graph": {"trioflow": "1.0", "nodes": [')
    assert finding.vector is not None
    assert numbers_of(finding.vector) == [101]
    vector = vector_from(finding.vector, "saved")
    assert check_vector(Answering(right), vector).outcome == "passed"
    assert check_vector(Answering(wrong_above(100)), vector).outcome == "failed"


def test_the_same_seed_asks_the_same():
    def asked(seed):
        return [numbers_of(request) for request in campaign(right, seed=seed, examples=20)[0].port.asked]

    assert asked(5) == asked(5) != asked(6)


def test_failures_of_several_kinds_are_kept_apart():
    """Each kind of failure is shrunk by itself; those that are no answer count too."""

    def answer(request):
        numbers = numbers_of(request)
        if len(numbers) > 2:
            raise PortFailure("died", "it ended with exit code 1.")
        if max(numbers) > 500:
            return {"type": "error", "id": 0, "message": "too much", "context": None}
        if max(numbers) > 200:
            return {"type": "skipped", "id": 0, "reason": "too hard"}
        return {**right(request), "status": "failed" if max(numbers) > 20 else "completed"}

    made, found = campaign(answer, examples=300)
    assert {finding.name: (numbers_of(finding.vector), finding.message.splitlines()[0]) for finding in found} == {
        "campaign L2: died": ([0, 0, 0], "it ended with exit code 1."),
        "campaign L2: error": ([501], "it answered error instead of a result: too much"),
        "campaign L2: skipped": ([201], "it answered skipped instead of a result: too hard"),
        "campaign L2: status": ([21], 'status: expected "completed", got "failed"'),
    }
    for finding in found:
        vector_from(finding.vector, "saved")


def test_what_the_port_does_not_claim_is_not_asked():
    """Which requests those are is known from what must come of them, too."""

    def judge(request):
        return {**right(request), "status": "failed" if max(numbers_of(request)) > 100 else "completed"}

    made, _ = campaign(judge, judge, level=0, capabilities=frozenset({"core"}), examples=30)
    assert made.ran == len(made.port.asked) == 30
    assert all(max(numbers_of(request)) <= 100 for request in made.port.asked)


def test_what_may_fail_is_not_asked_of_a_port_without_failure():
    """What depends on the schedule may fail under one; a port that does not claim `failure` is spared it."""

    def judge(request):
        return None if max(numbers_of(request)) > 100 else right(request)

    made, _ = campaign(right, judge, level=0, capabilities=frozenset({"core"}), examples=30)
    assert made.ran == len(made.port.asked) == 30
    assert all(max(numbers_of(request)) <= 100 for request in made.port.asked)


def test_a_port_that_claims_too_little_for_any_request():
    """A campaign that asked nothing has not passed."""
    made, (finding,) = campaign(right, lambda request: {**right(request), "status": "failed"}, level=0, examples=5)
    assert (made.ran, finding.outcome) == (0, "skipped")
    assert finding.message == "all random requests needed more than the port claims"


@pytest.mark.parametrize(("level", "kinds"), [(0, []), (1, ["canonical.strands"]), (3, ["steps"])])
def test_what_is_compared_at_each_level(level, kinds):
    """The outcome at all levels, from level 1 on the canonical trace, from level 2 on the steps."""

    def judge(request):
        return {**right(request), "canonical": {"strands": []}, "steps": [{"do": "begin", "events": []}]}

    def answer(request):
        return {**right(request), "canonical": {"strands": [[[0], "forked"]]}}

    _, found = campaign(answer, judge, level=level, examples=10)
    assert [finding.name.partition(": ")[2] for finding in found if finding.outcome == "failed"] == kinds


def test_a_trace_that_could_not_have_happened():
    """Traces are judged at level 1, also where the outcome depends on the schedule; there is no vector of that."""

    def judge_trace(request, answer):
        return ["a was joined before it was forked"] if len(numbers_of(request)) > 2 else []

    _, (finding,) = campaign(right, lambda request: None, judge_trace=judge_trace, level=1, examples=50)
    assert finding.name == "campaign L1: trace"
    assert finding.message.splitlines()[:2] == [
        "the trace could not have happened:",
        "  a was joined before it was forked",
    ]
    assert '["const", 0]' in finding.message
    assert finding.vector is None
    _, (finding,) = campaign(right, lambda request: None, judge_trace=judge_trace, level=2, examples=50)
    assert finding.outcome == "passed"


def test_a_port_that_varies():
    """A failure that comes and goes is told as what it is."""
    count = 0

    def answer(request):
        nonlocal count
        count += 1
        return {**right(request), "status": "failed" if count == 7 else "completed"}

    _, (finding,) = campaign(answer, examples=50)
    assert finding.message.splitlines()[:2] == [
        'status: expected "completed", got "failed"',
        "It did not fail in the same way each time.",
    ]


def test_a_port_that_is_given_up_ends_the_campaign():
    """What was found until then is not lost."""

    def answer(request):
        nonlocal left
        left -= 1
        if left < 0:
            raise PortFailure("given-up", "it has failed too often and is not started again.")
        raise PortFailure("silent", "it gave no answer within 10 seconds.")

    left = 3
    made = Campaign(Answering(answer), requests, right, level=2, examples=50)
    with pytest.raises(PortFailure, match="not started again"):
        made.run()
    (finding,) = made.findings()
    assert finding.message.startswith("it gave no answer within 10 seconds.\nIt came of the request")


def test_an_interrupted_campaign_tells_what_it_has_found():
    def answer(request):
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return {**right(request), "status": "failed" if fails else "completed"}

    for fails, count in ((False, 0), (True, 1)):  # noqa: B007 - the port reads it
        left = 3
        made = Campaign(Answering(answer), requests, right, level=2, examples=50)
        with pytest.raises(KeyboardInterrupt):
            made.run()
        assert len([*made.findings()]) == count


def test_what_the_judge_raises_goes_through():
    """A fault of the judge is none of the port, and is not hidden."""

    def judge(request):
        if max(numbers_of(request)) > 500:
            raise ZeroDivisionError
        return {**right(request), "status": "failed" if max(numbers_of(request)) > 100 else "completed"}

    with pytest.raises(ZeroDivisionError):
        campaign(right, judge, examples=300)


def test_what_has_to_come_up():
    """A campaign that never met what it is for has failed, if it was long enough, and the port can do all of it."""
    floors = {"large": 300, "small": 1000}

    def size(request, answer):
        return ["large" if answer["variables"]["sum"] > 100 else "small"]

    made, found = campaign(right, examples=1000, situations=size, floors=floors)
    assert [(each.name, each.outcome) for each in found] == [
        ("campaign L2, situation: large", "passed"), ("campaign L2, situation: small", "failed"), ("campaign L2", "passed"),
    ]  # fmt: skip
    assert found[1].message == f"it came up {made.came_up['small']} times, and should 1,000 times at least"
    assert made.came_up.total() == 1000
    assert len(campaign(right, examples=20, situations=size, floors=floors)[1]) == 1
