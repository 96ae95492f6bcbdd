"""The three forms of the reference agree, and the judge of traces says no to traces that could not have happened."""

from __future__ import annotations

import copy

import pytest

from trioflow.conformance.strategies import request_number
from trioflow.reference import Undetermined, big_step, small_step, violations

SAME = ("status", "errors", "variables", "outputs", "feedback", "life", "canonical")
NUMBERS = range(400)


def test_a_schedule_free_answer_is_that_of_any_schedule():
    """Where `big_step` answers at all, `small_step` says the same under a drawn schedule, and under the first one."""
    determined = 0
    for number in NUMBERS:
        request = request_number(number, "three forms", with_actions=False)
        try:
            expected = big_step(request)
        except Undetermined:
            continue
        determined += 1
        for choices in (request["choices"], []):
            answer = small_step({**request, "choices": choices})
            assert {name: answer[name] for name in SAME} == {name: expected[name] for name in SAME}, number
    assert determined > len(NUMBERS) / 4


def test_traces_that_happened_could_have_happened():
    """The judge accepts what `small_step` did."""
    for number in NUMBERS:
        request = request_number(number, "three forms")
        assert violations(request, small_step(request)["trace"]) == [], number


def node(name, script, **further):
    return {"id": name, "type": "script.exec", "inputs": {"script": script}, **further}


REQUEST = {
    "graph": {
        "trioflow": "1.0",
        "nodes": [
            node("a", [["loop", 2, [["emit"]]], ["join"], ["get", "b"]], initiator=True, stream={"mode": "concurrent"}),
            node("b", [["get", "a"], ["feedback"], ["addvar", "v"], ["return", "o0"]]),
            node("c", []),
            {"id": "d", "type": "script.data", "inputs": {"script": [["get", "a"], ["set", "x"]]}},
        ],
        "connections": [
            {"from": "a.body", "to": "b.enter"},
            {"from": "b.o0", "to": "c.enter"},
            {"from": "a.item", "to": "d.a"},
            {"from": "d.x", "to": "b.a"},
        ],
        "variables": [{"name": "v", "type": "int", "default": 0}],
    }
}
TRACE = small_step(REQUEST)["trace"]


def place(event, path=None, nth=0):
    found = [
        index for index, told in enumerate(TRACE) if told["event"] == event and (path is None or told["path"] == path)
    ]
    return found[nth]


def moved(source, target):
    trace = copy.deepcopy(TRACE)
    trace.insert(target, trace.pop(source))
    return trace


def without(index):
    return [told for number, told in enumerate(TRACE) if number != index]


def changed(index, **fields):
    return [{**told, **fields} if number == index else told for number, told in enumerate(TRACE)]


FIRST, SECOND = [0, 0, 0], [0, 0, 1]
CASES = {
    "never closed (E1)": without(place("completed", [0, 0])),
    "without having started there (E1)": without(place("started", [*FIRST, 1])),
    "started twice (E1)": [*TRACE[: place("started", [0, 0]) + 1], *TRACE[place("started", [0, 0]) :]],
    "closed twice (E1)": [*TRACE, TRACE[-1]],
    "before the one before it on its line had closed (T1)": moved(
        place("started", [*FIRST, 1]), place("completed", [*FIRST, 0])
    ),
    "for which it runs, had closed (R4)": moved(place("completed", [0, 0]), place("started", [*SECOND, 1])),
    "nothing leads to 'c' by 'again'": changed(place("started", [*FIRST, 1]), entered="again"),
    "where nothing runs (E1)": moved(place("feedback", [*FIRST, 0]), place("completed", [*FIRST, 0])),
    "without joining 0.0.1 (F5)": without(place("joined", SECOND)),
    "joined while 0.0.0.1 ran in it (F5)": moved(place("joined", FIRST), place("completed", [*FIRST, 1])),
    "joined twice (F5)": [*TRACE[: place("joined", SECOND) + 1], *TRACE[place("joined", SECOND) :]],
    "which was forked later (F3)": moved(place("joined", SECOND), place("joined", FIRST)),
    "joined and never forked (F5)": without(place("forked", FIRST)),
    "forked twice (F1)": [*TRACE[: place("forked", FIRST) + 1], *TRACE[place("forked", FIRST) :]],
    "where nothing was forked (F4)": changed(place("conflict"), path=[7, 7]),
    "closed while an evaluation ran for it (D5)": without(place("evaluated", [*FIRST, 0])),
    "without having begun it (E1)": without(place("evaluating", [*FIRST, 0])),
    "was made twice (D4, D5)": changed(
        place("evaluated", [*SECOND, 0]), key=TRACE[place("evaluated", [*FIRST, 0])]["key"]
    ),
}


def test_the_trace_that_is_spoilt_below_is_good():
    assert violations(REQUEST, TRACE) == []


@pytest.mark.parametrize("reason", CASES)
def test_a_trace_that_could_not_have_happened(reason):
    """Each rule of the judge says no to a trace in which one event is missing, moved or changed."""
    assert any(reason in said for said in violations(REQUEST, CASES[reason])), violations(REQUEST, CASES[reason])


def test_an_option_that_is_null_is_missing():
    """`null` for a limit is no limit, as in the engine (spec/INTERPRETING.md, 1)."""
    options = dict.fromkeys(["max_steps", "max_depth", "max_nesting", "max_strands", "timeout"])
    assert small_step({**REQUEST, "options": options}) == small_step({**REQUEST, "options": {}})
