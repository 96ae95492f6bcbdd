"""The three forms of the reference agree, and the judge of traces says no to traces that could not have happened."""

from __future__ import annotations

import copy

import pytest

from trioflow.conformance.strategies import request_number
from trioflow.reference import Undetermined, big_step, small_step, violations

SAME = ("status", "errors", "variables", "outputs", "feedback", "life", "canonical")
NUMBERS = range(400)


@pytest.mark.unmeasured
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


@pytest.mark.unmeasured
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
    "0.0 started and never closed (E1)": without(place("completed", [0, 0])),
    "0.0.0.1 closed without having started (E1)": without(place("started", [*FIRST, 1])),
    "0.0 is started a second time (E1)": [*TRACE[: place("started", [0, 0]) + 1], *TRACE[place("started", [0, 0]) :]],
    "0.0 is completed a second time (E1)": [*TRACE, TRACE[-1]],
    "0.0.0.0 closed as another node (E1)": changed(place("completed", [*FIRST, 0]), node="c"),
    "started before the one before it on its line had closed (T1)": moved(
        place("started", [*FIRST, 1]), place("completed", [*FIRST, 0])
    ),
    "0.0.1.1 started after 0.0, for which it runs, had closed (R4)": moved(
        place("completed", [0, 0]), place("started", [*SECOND, 1])
    ),
    "0.0.1.1 closed after 0.0, for which it runs (F5, R4)": moved(
        place("completed", [0, 0]), place("completed", [*SECOND, 1])
    ),
    "is 'c', to which nothing leads by 'again'": changed(place("started", [*FIRST, 1]), entered="again"),
    "is 'b', to which nothing leads by None": changed(place("started", [*FIRST, 0]), entered=None),
    "0.0.0.0 is 'nobody', which is not a node (E1)": changed(place("started", [*FIRST, 0]), node="nobody"),
    "0.0.0.0 has 'feedback', where nothing runs (E1)": moved(
        place("feedback", [*FIRST, 0]), place("completed", [*FIRST, 0])
    ),
    "0.0.1 was not joined when 0.0 completed (F5)": without(place("joined", SECOND)),
    "0.0.0.1 ran in 0.0.0 when that was joined (F5)": moved(place("joined", FIRST), place("completed", [*FIRST, 1])),
    "0.0.0.0 started before 0.0.0 was forked (F1)": moved(place("forked", FIRST), place("completed", [*FIRST, 0])),
    "0.0.1 is joined a second time (F5)": [*TRACE[: place("joined", SECOND) + 1], *TRACE[place("joined", SECOND) :]],
    "0.0.1 was joined before 0.0.0, forked earlier (F3)": moved(place("joined", SECOND), place("joined", FIRST)),
    "0.0.0 was joined and never forked (F5)": without(place("forked", FIRST)),
    "0.0.0 is forked a second time (F1)": [*TRACE[: place("forked", FIRST) + 1], *TRACE[place("forked", FIRST) :]],
    "7.7 has a conflict, and was never forked (F4)": changed(place("conflict"), path=[7, 7]),
    "0.0.0.0 closed while an evaluation ran for it (D5)": without(place("evaluated", [*FIRST, 0])),
    "0.0.0.0 ended an evaluation that had not begun (E1)": without(place("evaluating", [*FIRST, 0])),
    "a second time (D4, D5)": changed(
        place("evaluated", [*SECOND, 0]), key=TRACE[place("evaluated", [*FIRST, 0])]["key"]
    ),
}


def test_the_trace_that_is_spoilt_below_is_good():
    assert violations(REQUEST, TRACE) == []


@pytest.mark.parametrize("reason", CASES)
def test_a_trace_that_could_not_have_happened(reason):
    """Each rule of the judge says no to a trace in which one event is missing, moved or changed."""
    assert any(reason in said for said in violations(REQUEST, CASES[reason])), violations(REQUEST, CASES[reason])


def data(name, script):
    return {"id": name, "type": "script.data", "inputs": {"script": script}}


GIVEN_UP = {
    "graph": {
        "nodes": [
            node("a", [["emit"], ["emit"], ["try", [["join"]], [], []], ["emit"]], initiator=True,
                 stream={"mode": "concurrent"}),
            node("b", [["addvar", "v"]]),
        ],
        "connections": [{"from": "a.body", "to": "b.enter"}],
        "variables": [{"name": "v", "type": "int", "default": 0, "merge": "error"}],
    }
}  # fmt: skip
"""The second item cannot be joined, which is caught; the third can."""


def strands(answer):
    return [path[-1] for path, event in answer["canonical"]["strands"] if event == "joined"]


def test_a_join_that_failed_is_not_tried_again():
    """Who catches it completes without the forks that it gave up, and joins those that it makes later (F4, F5)."""
    graph = {**GIVEN_UP["graph"], "nodes": [copy.deepcopy(each) for each in GIVEN_UP["graph"]["nodes"]]}
    graph["nodes"][1]["inputs"]["script"] = [["get", "a"], ["if", [["addvar", "v"]], []]]
    graph["nodes"][0]["inputs"]["script"][:0] = [["const", 1]]
    graph["nodes"][0]["inputs"]["script"][-1:] = [["const", 0], ["emit"]]
    graph["connections"] = [*graph["connections"], {"from": "a.item", "to": "b.a"}]
    answer = small_step({"graph": graph})
    assert (answer["status"], strands(answer)) == ("completed", [0, 2])
    assert violations({"graph": graph}, answer["trace"]) == []


def with_policy(policy):
    (variable,) = GIVEN_UP["graph"]["variables"]
    return {"graph": {**GIVEN_UP["graph"], "variables": [{**variable, "merge": policy}]}}


def test_a_join_that_cannot_fail_leaves_nothing_out():
    """Under `last` there was no failure that the owner could have caught (F4)."""
    request = with_policy("last")
    trace = small_step(request)["trace"]
    assert violations(request, trace) == []
    left_out = [told for told in trace if (told["event"], told["path"]) != ("joined", [0, 0, 1])]
    assert violations(request, left_out) == [
        "0.0.1 was not joined when 0.0 completed (F5)",
        "0.0.2 was joined, and 0.0.1, forked earlier, was not (F3, F4)",
    ]


def test_a_join_gives_up_only_forks_that_have_ended():
    """The join that failed had waited for all forks; those that were joined later were forked after it (F4, F5)."""
    request = with_policy("sum")
    trace = small_step(request)["trace"]
    left_out = [told for told in trace if (told["event"], told["path"]) != ("joined", [0, 0, 1])]
    assert violations(request, left_out) == []
    late = left_out.pop(next(n for n, told in enumerate(left_out) if told["path"] == [0, 0, 1, 0] and "handed" in told))
    left_out.insert(next(n for n, told in enumerate(left_out) if told["path"] == [0, 0, 2]) + 1, late)
    assert violations(request, left_out) == ["0.0.2 was joined, and 0.0.1, forked earlier, was not (F3, F4)"]


CAUGHT = {
    "graph": {
        "nodes": [
            node("one", [["get", "a"], ["trigger", "o0"]], initiator=True),
            node("two", [["get", "a"]]),
            data("bad", [["fail", "bad"]]),
            data("catches", [["try", [["get", "c"]], [["set", "x"]], []]]),
            data("uses", [["get", "a"], ["set", "x"]]),
        ],
        "connections": [
            {"from": "bad.x", "to": "catches.c"},
            {"from": "catches.x", "to": "uses.a"},
            {"from": "uses.x", "to": "one.a"},
            {"from": "uses.x", "to": "two.a"},
            {"from": "one.o0", "to": "two.enter"},
        ],
    }
}


def test_what_stands_on_a_caught_failure_is_made_anew():
    """It gets new cells each time, under names that are the same, and so its key is the same, too (D4)."""
    trace = small_step(CAUGHT)["trace"]
    assert len({told["key"] for told in trace if told["event"] == "evaluated"}) == 2
    assert [told["node"] for told in trace if told["event"] == "evaluated"].count("uses") > 2
    assert violations(CAUGHT, trace) == []


def test_what_stands_on_it_is_not_made_anew_alone():
    """Without another evaluation of what caught the failure there are no new cells (D4)."""
    trace, seen = [], False
    for told in small_step(CAUGHT)["trace"]:
        if told.get("node") in ("bad", "catches") and seen:
            continue
        seen = seen or (told["event"], told.get("node")) == ("evaluated", "catches")
        trace.append(told)
    said = violations(CAUGHT, trace)
    assert said
    assert all("made uses#" in each and "a second time (D4, D5)" in each for each in said)


def test_a_failure_of_its_own_is_no_answer():
    """What a body catches without having asked for a data node is remembered (D4)."""
    request = copy.deepcopy(CAUGHT)
    request["graph"]["connections"][0]["from"] = "one.x"
    assert any("made catches#" in each for each in violations(request, small_step(CAUGHT)["trace"]))


def test_an_option_that_is_null_is_missing():
    """`null` for a limit is no limit, as in the engine (spec/INTERPRETING.md, 1)."""
    options = dict.fromkeys(["max_steps", "max_depth", "max_nesting", "max_strands", "timeout"])
    assert small_step({**REQUEST, "options": options}) == small_step({**REQUEST, "options": {}})


def chain(kind, source, length):
    """`length` data nodes, each of the one before it, and a node that asks for the last."""
    script = [["get", kind], ["add", 1], ["set", "x"]]
    nodes = [node("ask", [["get", "b"], ["feedback"]], initiator=True)]
    nodes += [{"id": f"d{n}", "type": "script.data", "inputs": {"script": script}} for n in range(length)]
    wires = [{"from": f"d{n}.x", "to": f"d{n + 1}.{each}"} for n in range(length - 1) for each in source]
    return {"graph": {"nodes": nodes, "connections": [*wires, {"from": f"d{length - 1}.x", "to": "ask.b"}]}}


@pytest.mark.unmeasured
@pytest.mark.parametrize("form", [small_step, big_step])
@pytest.mark.parametrize("socket", ["a", "c"])
def test_a_long_chain_of_data_nodes(form, socket):
    """Neither eager nor lazy inputs are limited by Python's call stack (D10)."""
    assert form(chain(socket, socket, 4000))["feedback"] == [[[0, 0], 4000]]


@pytest.mark.parametrize("socket", ["a", "c"])
def test_a_ladder_of_diamonds(socket):
    """Two ways at each of a hundred levels: each data node is evaluated once, and each way looked at once (D4)."""
    request = chain(socket, "ab" if socket == "a" else "cd", 100)
    for data_node in request["graph"]["nodes"][1:]:
        data_node["inputs"]["script"] = [["get", "b" if socket == "a" else "d"], *data_node["inputs"]["script"]]
    answer = small_step(request)
    assert answer["feedback"] == [[[0, 0], 100]]
    assert len(answer["canonical"]["evaluations"]) == 100


@pytest.mark.unmeasured
def test_deep_triggers():
    """A node that awaits itself nests as deep as the limit says, not as Python's call stack does (T9)."""
    again = node("n", [["trigger", "o0"]], initiator=True)
    graph = {"nodes": [again], "connections": [{"from": "n.o0", "to": "n.enter"}]}
    answer = small_step({"graph": graph, "options": {"max_depth": 1500}})
    assert answer["errors"] == ["depth"]
    assert len(answer["canonical"]["activations"]) == 1499


def test_what_was_asked_before_a_write_is_asked_again():
    """The answer to a demand holds until something is written, in the same activation too (D4)."""
    graph = {
        "nodes": [
            node("n", [["const", 1], ["setvar", "v"], ["get", "b"], ["feedback"],
                       ["const", 2], ["setvar", "v"], ["get", "b"], ["feedback"]], initiator=True),
            {"id": "d", "type": "script.data", "inputs": {"script": [["getvar", "v"], ["set", "x"]]}},
        ],
        "connections": [{"from": "d.x", "to": "n.b"}],
        "variables": [{"name": "v", "type": "int", "default": 0}],
    }  # fmt: skip
    assert small_step({"graph": graph})["feedback"] == [[[0, 0], 1], [[0, 0], 2]]


UNDETERMINED = {
    "what the host": {"actions": [{"at": 0, "do": "cancel"}]},
    "who makes the last step": {"options": {"max_steps": 3}},
    "how many strands are alive": {"options": {"max_strands": 2}},
}


@pytest.mark.parametrize("reason", UNDETERMINED)
def test_what_depends_on_the_schedule(reason):
    """The schedule-free form does not answer where who is first matters, and says why (E5)."""
    with pytest.raises(Undetermined, match=reason):
        big_step({**REQUEST, **UNDETERMINED[reason]})


def failing(owner, item):
    """An owner with a concurrent stream that catches its failure, and what its two items do."""
    return {
        "graph": {
            "trioflow": "1.0",
            "nodes": [
                node("start", [["try", [["trigger", "o0"]], [["feedback"]], []]], initiator=True),
                node("owner", owner, stream={"mode": "concurrent"}),
                node("item", [["get", "a"], *item]),
            ],
            "connections": [
                {"from": "start.o0", "to": "owner.enter"},
                {"from": "owner.body", "to": "item.enter"},
                {"from": "owner.item", "to": "item.a"},
            ],
            "variables": [{"name": "v", "type": "int", "default": 0, "merge": "error"}],
        }
    }


EMITS = [["loop", 3, [["emit"]]]]


@pytest.mark.parametrize(
    ("owner", "item", "failure"),
    [
        (EMITS, [["setvar", "v"]], "merge"),  # the first of the three was joined
        ([*EMITS, ["join"]], [["setvar", "v"]], "merge"),
        ([*EMITS, ["try", [["join"]], [["feedback"]], []], ["fail", "no"]], [["setvar", "v"]], "fail: no"),
        ([*EMITS, ["join"], ["fail", "no"]], [["set", "x"]], "fail: no"),
    ],
)
def test_a_failure_that_cuts_nothing_off(owner, item, failure):
    """What fails when all forks have ended and been waited for, such as their join, fails under every schedule (F4)."""
    request = failing(owner, item)
    expected = big_step(request)
    assert expected["feedback"][0] == [[0, 0], failure]
    for choices in ([], [1], [2, 1], [5, 3, 1, 4, 2]):
        answer = small_step({**request, "choices": choices})
        assert {name: answer[name] for name in SAME} == {name: expected[name] for name in SAME}


@pytest.mark.parametrize(
    ("owner", "item"),
    [
        (EMITS, [["fail", "no"]]),
        ([*EMITS, ["fail", "no"]], [["setvar", "v"]]),
        ([*EMITS, ["try", [["join"]], [], []], ["emit"], ["fail", "no"]], [["setvar", "v"]]),
        ([*EMITS, ["join"], ["emit"], ["fail", "no"]], [["set", "x"]]),
    ],
)
def test_a_failure_that_cuts_something_off(owner, item):
    """How far the other forks had come when one fails, or their owner, depends on the schedule (F2)."""
    with pytest.raises(Undetermined, match="what a failure cuts off"):
        big_step(failing(owner, item))
