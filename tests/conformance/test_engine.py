"""This engine against the reference: random graphs under drawn schedules, step by step."""

from __future__ import annotations

import pytest

from trioflow.conformance.campaign import Campaign
from trioflow.conformance.engine import EnginePort
from trioflow.conformance.judge import judge, judge_trace, requests, valid

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
