"""Who did what to a run (J28): made where it is done, by whoever says so, in this process."""

from __future__ import annotations

import time
from collections.abc import Iterable

from trioflow.durable.owner import this_process
from trioflow.durable.records import Deed, Signal


def deed(what: str, by: str | None, detail: str = "", *, at: float | None = None) -> Deed:
    """Something that is done now, or at that time of the host's clock, in seconds since 1970."""
    return Deed(what, time.time() if at is None else at, by, this_process().shown, detail)


def signalled(signal: Signal) -> Deed:
    """That a signal was sent."""
    return deed("signalled", signal.by, signal.name, at=signal.at)


def deeds_chain(deeds: Iterable[Deed], chain: int = 0) -> int:
    """The checksum after these."""
    for each in deeds:
        chain = each.chained(chain)
    return chain
