"""Wall time, as a port: what time it is, is said by the host (A10). Durations are measured on trio's clock instead."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod


class Clock(ABC):
    """Says what time it is. Give one to a run with `services={trioflow.Clock: clock}`; without, it is the system's."""

    @abstractmethod
    def now(self) -> datetime.datetime:
        """The date and time, in UTC."""


class SystemClock(Clock):
    """The clock of the system."""

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)


SYSTEM_CLOCK = SystemClock()
