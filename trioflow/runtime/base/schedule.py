"""Controlled schedules: the seam through which a test decides which strand goes on (see `trioflow.conformance`).

A run that starts while `current_schedule` is set asks it for a turn at each point where strands can overtake each
other: before each dispatch, after the gate if it had to wait there, and before each evaluation. Other runs pay nothing
for it: a controlled run has no fuel, so that each of its steps takes the way that is rare elsewhere.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol


class Schedule(Protocol):
    """Decides when each strand goes on."""

    async def turn(self, label: str) -> None:
        """Wait until whoever bears this label may go on. A cancellation point. Labels that wait are all different."""


current_schedule: ContextVar[Schedule | None] = ContextVar("current_schedule", default=None)
"""The schedule of runs that are started in this context, if it is controlled."""
