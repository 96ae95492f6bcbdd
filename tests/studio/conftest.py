"""What tests of the page share."""

from __future__ import annotations

import pytest


@pytest.fixture
def patient(monkeypatch):
    """Answers come when strands are where they stop, however slow the machine; not for graphs in which one never does."""
    monkeypatch.setattr("trioflow.studio.commands._SETTLES", 60)
