"""All that was ever recorded of a run: what moments have superseded comes back out of its history (J26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioflow.durable.codec import parse
from trioflow.durable.moment import MOMENTS, SUPERSEDED, Moment, number_of_event
from trioflow.durable.records import PUBLISHED

if TYPE_CHECKING:
    from trioflow.durable.port import Store
    from trioflow.durable.records import Entry


def whole(store: Store, run_id: str) -> list[Entry]:
    """The entries of a run from its beginning, as if no moment had been taken; what is below one stands in its place.

    Where the history was not kept, moments are left among them, and what these superseded is gone. Raises as
    `Store.entries`.
    """
    entries = store.entries(run_id)
    if all(entry.kind not in MOMENTS for entry in entries):
        return entries
    superseded = _superseded(store.history(run_id))
    found: list[Entry] = []
    published: list[Entry] = []
    waiting = [*reversed(entries)]
    while waiting:
        entry = waiting.pop()
        if entry.kind not in MOMENTS:
            found.append(entry)
            continue
        moment = Moment.of(entry)
        if moment.where == "history" and moment.number in superseded:
            below = superseded[moment.number]
            waiting += [each for each in reversed(below) if each.kind != PUBLISHED]
            published += [each for each in below if each.kind == PUBLISHED]
        elif moment.where != "beside":
            found.append(entry)
    return sorted(published, key=number_of_event) + found  # which were there before they were handled


def discarded(store: Store, run_id: str) -> list[Entry]:
    """What was superseded by somebody who retried or settled, and counts for nothing any more (J20)."""
    history = store.history(run_id)
    for first, end, _ in reversed(_segments(history)):
        del history[first : end + 1]
    return history


def _superseded(history: list[Entry]) -> dict[int, list[Entry]]:
    """By the number of a moment: what it has superseded."""
    found: dict[int, list[Entry]] = {}
    for first, end, number in _segments(history):
        entries = history[first:end]
        known = found.setdefault(number, [])
        if known[-len(entries) :] != entries:  # a file may have it twice, if its process died in between
            known += entries
    return found


def _segments(history: list[Entry]) -> list[tuple[int, int, int]]:
    """Of each moment: where in the history what it superseded begins and ends, and its number."""
    found: list[tuple[int, int, int]] = []
    for place, entry in enumerate(history):
        if entry.kind == SUPERSEDED:
            number, count = parse(entry.data)
            found.append((max(place - count, 0), place, number))
    return found
