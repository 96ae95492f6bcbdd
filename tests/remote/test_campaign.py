"""A small version of `campaign.py`: bodies' processes are killed while runs go on."""

from __future__ import annotations

import importlib

import pytest

pytest.importorskip("trio_parallel", reason="needs the extra processes")
pytest.importorskip("psutil", reason="looks for processes to kill")
pytestmark = [pytest.mark.slow, pytest.mark.outside, pytest.mark.unmeasured]


def test_a_campaign():
    campaign = importlib.import_module("tests.remote.campaign")
    came = campaign.run(3, campaign.Processes(2), ("spawn_main",), seed=1, seconds=60, pause=0.4, most=6)
    assert came["rounds"] and came["others than alone"] == 0, came
