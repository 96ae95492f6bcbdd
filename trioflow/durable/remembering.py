"""What policies remember, recorded with what they decided, so that a run that is resumed goes on from there (J23).

An open breaker stays open, a spent budget stays spent. What they remember is kept with the end of an activation, or
with the pause before its next attempt, which is when it is decided: one record has both. What the host shares between
runs belongs to the host, and is not kept here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import trio

from trioflow.durable.codec import parse
from trioflow.policies.nesting import Policies
from trioflow.policies.state import PolicyState

if TYPE_CHECKING:
    from trioflow.durable.records import Entry
    from trioflow.runtime.host.given import Given

KINDS = frozenset({"done", "timer", "round", "whole"})
"""Kinds of entries that may have it."""


class Remembered:
    """What the policies of one run remember."""

    def __init__(self, state: PolicyState) -> None:
        self._state = state
        self._last = state.as_data(0.0)

    def restore(self, entries: Sequence[Entry], now: float) -> None:
        """Go on from what was recorded last, at this time of the host's clock, in seconds since 1970."""
        for entry in reversed(entries):
            if entry.kind not in KINDS or '"p":' not in entry.data:
                continue
            said = parse(entry.data)
            if isinstance(said, dict) and "p" in said:
                then, data = said["p"]
                self._state.restore(data, trio.current_time() - max(0.0, now - then))
                break
        self._last = self._state.as_data(0.0)

    def all_of_it(self, now: float) -> list[Any]:
        """What they remember now, for a moment, which may stand in place of where it was recorded."""
        return [now, self._state.as_data(trio.current_time())]

    def news(self, now: float) -> list[Any] | None:
        """What they remember now, to be recorded; None if that has not changed since it was asked for last."""
        if (remembered := self._state.as_data(0.0)) == self._last:
            return None
        self._last = remembered
        return [now, self._state.as_data(trio.current_time())]


def remembered_by(given: Given) -> Remembered | None:
    """What is remembered in a run of its own; None if there are no policies, or their state is the host's."""
    states = [each.state for each in given.middleware if isinstance(each, Policies)]
    shared = [each for each in given.services.values() if isinstance(each, PolicyState)]
    return Remembered(states[0]) if states and states[0] not in shared else None
