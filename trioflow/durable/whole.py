"""All that was ever recorded of a run: what moments have superseded comes back out of its history (J26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioflow.durable.codec import parse
from trioflow.durable.moment import MOMENT, SUPERSEDED, moment_among

if TYPE_CHECKING:
    from trioflow.durable.port import Store
    from trioflow.durable.records import Entry


def whole(store: Store, run_id: str) -> list[Entry]:
    """The entries of a run from its beginning, as if no moment had been taken.

    Where the history was not kept they begin with a moment, and what was before is gone. Raises as `Store.entries`.
    """
    entries = store.entries(run_id)
    if moment_among(entries) is None:
        return entries
    parts = [entries]
    superseded = _superseded(store.history(run_id))
    while (moment := moment_among(parts[-1])) is not None and moment.number in superseded:
        parts.append(superseded[moment.number])
    begun_with = parts[-1][:1] if moment is not None else []
    return begun_with + [entry for part in reversed(parts) for entry in part if entry.kind != MOMENT]


def discarded(store: Store, run_id: str) -> list[Entry]:
    """What was superseded by somebody who retried or settled, and counts for nothing any more (J20)."""
    history = store.history(run_id)
    for first, end, _ in reversed(_segments(history)):
        del history[first : end + 1]
    return history


def _superseded(history: list[Entry]) -> dict[int, list[Entry]]:
    """By the number of a moment: what it has superseded."""
    return {number: history[first:end] for first, end, number in _segments(history)}


def _segments(history: list[Entry]) -> list[tuple[int, int, int]]:
    """Of each moment: where in the history what it superseded begins and ends, and its number.

    A file may have it twice, if its process died in between.
    """
    found: list[tuple[int, int, int]] = []
    for place, entry in enumerate(history):
        if entry.kind == SUPERSEDED:
            number, count = parse(entry.data)
            found.append((place - count, place, number))
    return found
