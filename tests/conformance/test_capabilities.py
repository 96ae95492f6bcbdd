"""What a port must be capable of for a request."""

from __future__ import annotations

import pytest

from trioflow.conformance.capabilities import CLAIMED_BY, needed


def graph(*script, type="script.exec", **more):
    node = {"id": "a", "type": type, "inputs": {"script": [*script], **more.pop("inputs", {})}}
    return {"trioflow": "1.0", "nodes": [node], **more}


NEEDS = [
    ({"graph": graph(["trigger", "o0"])}, "core"),
    ({"graph": graph(type="script.data")}, "data"),
    ({"graph": graph(["fail", "x"])}, "failure"),
    ({"graph": graph(["twice", "o0"])}, "failure"),
    ({"graph": graph(["getstate", "k"])}, "state"),
    ({"graph": graph(), "options": {"max_depth": 3}}, "limit"),
    ({"graph": graph(["branches", [], []])}, "fork"),
    ({"graph": graph(), "options": {"parallel_initiators": True}}, "fork"),
    ({"graph": graph(["emit"])}, "stream"),
    ({"graph": graph(["sleep", 0])}, "time"),
    ({"graph": graph(), "options": {"timeout": 3}}, "time"),
    ({"graph": graph(events=[{"name": "e"}])}, "event"),
    ({"graph": graph(inputs={"life": ["ok", "ok"]})}, "life"),
    ({"graph": graph(), "actions": [{"at": 0, "do": "pause"}]}, "action"),
    # Operations inside others.
    ({"graph": graph(["loop", 2, [["if", [], [["emit"]]]]])}, "stream"),
    ({"graph": graph(["within", 2, []])}, "time"),
    ({"graph": graph(["branches", ["o0"], [["emit"]]])}, "fork stream"),
    ({"graph": graph(["try", [["emit"]], [["now"]], [["setstate", "k"]]])}, "failure stream time state"),
    # What only looks like an operation, or like none.
    ({"graph": graph(["const", [["emit"]]])}, "core"),
    ({"graph": graph(["loop"], 5, [], [[]])}, "core"),
    ({"graph": {"trioflow": "1.0", "nodes": [{"id": "a", "type": "script.exec"}]}}, "core"),
    ({"graph": graph(), "options": {"parallel_initiators": False, "streams": {}}, "actions": []}, "core"),
]


@pytest.mark.parametrize(("request_", "needs"), NEEDS)
def test_what_a_request_needs(request_, needs):
    assert needed(request_, "completed") == {"core", *needs.split()}


def test_what_must_come_of_a_request_counts():
    """A run that fails by itself needs `failure`, a graph that is not valid needs `validation`."""
    assert needed({"graph": graph()}, "failed") == {"core", "failure"}
    assert needed({"graph": graph()}, "invalid") == {"core", "validation"}
    assert needed({"graph": graph()}, "cancelled") == {"core"}


def test_levels_claim_what_the_levels_below_claim():
    for level in (1, 2, 3):
        assert CLAIMED_BY[level - 1] < CLAIMED_BY[level]
