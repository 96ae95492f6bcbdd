"""Who did what to a run (J28): made where it is done, by whoever says so, in this process."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from trioflow.durable.owner import this_process
from trioflow.durable.records import Deed, Signal, State

if TYPE_CHECKING:
    from trioflow.durable.port import Store


def deed(what: str, by: str | None, detail: str = "", *, at: float | None = None) -> Deed:
    """Something that is done now, or at that time of the host's clock, in seconds since 1970."""
    return Deed(what, time.time() if at is None else at, by, this_process().shown, detail)


def signalled(signal: Signal, state: State) -> Deed:
    """That a signal was sent: an answer, if the run was put away to wait for it."""
    waited_for = state.waiting is not None and signal.name in state.waiting.signals
    return deed("answered" if waited_for else "signalled", signal.by, signal.name, at=signal.at)


def note(store: Store, run_id: str, what: str, by: str | None = None, detail: str = "") -> None:
    """Keep that this is done now, by whom it says, or by who uses the journal. Blocks."""
    store.note(run_id, deed(what, by or store.by, detail))


def deeds_chain(deeds: Iterable[Deed], chain: int = 0) -> int:
    """The checksum after these."""
    for each in deeds:
        chain = each.chained(chain)
    return chain
