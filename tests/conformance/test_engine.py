"""This engine against the reference: random graphs under drawn schedules, step by step."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance.campaign import Campaign
from trioflow.conformance.engine import REGISTRY, EnginePort, problems_of
from trioflow.conformance.judge import judge, judge_trace, requests, valid
from trioflow.conformance.scripted import Diary
from trioflow.conformance.strategies import request_number
from trioflow.model.structure import graph_from
from trioflow.reference import small_step

pytestmark = pytest.mark.unmeasured


def campaign(level, examples):
    port = EnginePort()
    made = Campaign(
        port, requests(level, port.capabilities), judge, judge_trace, level=level, examples=examples, valid=valid
    )
    made.run()
    assert [(finding.outcome, finding.message) for finding in made.findings()] == [
        ("passed", f"{examples} examples, seed 0")
    ]


def test_the_steps_are_those_of_the_reference():
    """Enabled sets, events of each step, canonical trace and outcome are equal, with the host pausing and cancelling."""
    campaign(3, 300)


def test_the_traces_could_have_happened():
    """Outcome and canonical trace are those that no schedule changes, and the trace has its order right."""
    campaign(1, 150)


HASTY = ('["within"', '["first"', '["twice"', '"max_strands"', '"timeout"')
"""What asks which of two comes first, or how many there are at once, which a schedule decides."""


async def alone(request):
    """How it ends where nobody watches, and the scheduler is trio's own."""
    diary = Diary()
    diary.began = trio.current_time()
    options = dict(request["options"])
    options["streams"] = {node: tf.StreamSettings(**each) for node, each in options.pop("streams", {}).items()}
    graph, variables = graph_from(request["graph"]), request.get("variables") or {}
    given = {"registry": REGISTRY, "services": {"diary": diary}, "variables": variables}
    try:
        result = await tf.run(graph, options=tf.RunOptions(**options), **given)
    except tf.RunAborted:
        return ("cancelled", {}, {})
    except Exception:
        return ("failed", {}, {})
    return ("completed", dict(result.variables), {node: dict(values) for node, values in result.outputs.items()})


def test_nobody_watches():
    """Runs that nobody watches or schedules, and so are the quickest, end as the reference says (E4)."""
    ended = []
    for number in range(1000):
        request = {**request_number(number, "nobody watches", with_actions=False), "level": 3}
        if any(each in json.dumps(request) for each in HASTY) or problems_of(request):
            continue
        expected = small_step(request)
        kinds = [event["event"] for event in expected["trace"]]
        if kinds.count("started") >= request["options"]["max_steps"]:
            continue
        found = trio.run(alone, request, clock=MockClock(autojump_threshold=0))
        ended.append("failed" if "failed" in kinds else expected["status"])
        # How far others come until a failure cancels them is a matter of the schedule.
        upto = 1 if "failed" in kinds else 3
        assert found[:upto] == (expected["status"], expected["variables"], expected["outputs"])[:upto], number
    assert ended.count("completed") > 130
    assert ended.count("failed") > 65
