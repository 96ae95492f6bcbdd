"""A small version of `campaign.py`: a server and workers, of which some are killed, stopped and updated."""

from __future__ import annotations

import importlib

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.outside, pytest.mark.unmeasured]
for package in ("httpx", "cronsim", "starlette", "hypercorn", "watchfiles"):
    pytest.importorskip(package, reason="needs the extra serve")


def test_a_campaign():
    """Every order and every night is a job that is done, once."""
    campaign = importlib.import_module("tests.serving.campaign")
    came = campaign.run(4.0, postgres=False, faults=1.5, nights=2.0, workers=2)
    assert campaign.is_right(came) and came["orders"] and came["nights"], came
