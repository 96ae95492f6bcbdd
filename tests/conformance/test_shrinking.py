"""Failures are made small."""

from __future__ import annotations

from trioflow.conformance.engine import problems_of
from trioflow.conformance.shrinking import shrunk
from trioflow.conformance.strategies import request_number
from trioflow.reference import small_step


def test_what_is_left_can_not_be_done_without():
    """From a large graph to the one node that gives feedback, and what leads there."""

    def fails(request):
        return not problems_of(request) and len(small_step(request)["feedback"]) > 0

    request = next(r for r in (request_number(n, "shrink") for n in range(100)) if fails(r))
    small = shrunk(request, fails)
    assert fails(small)
    *before, node = small["graph"]["nodes"]
    assert node["inputs"]["script"] == [["feedback"]]
    assert [each["inputs"]["script"] for each in before] == [[]] * len(small["graph"]["connections"])
    assert small["choices"] == []


def test_it_stops_when_it_has_asked_often_enough():
    asked = []

    def fails(request):
        asked.append(request)
        return False

    request = request_number(1)
    assert shrunk(request, fails, most=5) == request
    assert len(asked) == 5
