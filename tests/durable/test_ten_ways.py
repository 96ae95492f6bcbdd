"""A program with files, a server, a database, a timer and a person, brought down in ten ways and resumed."""

from __future__ import annotations

import random

import pytest
from durable.ten_ways import WAYS, bring_down

pytestmark = [pytest.mark.unmeasured, pytest.mark.outside, pytest.mark.slow]  # some processes for each


@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)
def test_brought_down(tmp_path, way):
    """Nothing recorded is done again, nothing is lost, and transactions are done once. `ten_ways.py` does it often."""
    assert way.__name__ in bring_down(way, tmp_path, random.Random(way.__name__))
