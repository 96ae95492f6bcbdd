"""Signals: what people and other programs tell a run from outside, whether a process has it or not (J21)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from trioflow.durable.activation import SIGNAL
from trioflow.durable.codec import dump, encode, parse
from trioflow.durable.moment import MOMENTS, Moment, numbers_in
from trioflow.durable.records import Entry, Signal

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal


def send_signal(
    journal: Journal,
    run_id: str,
    name: str,
    payload: object = None,
    *,
    key: str | None = None,
    by: str | None = None,
) -> bool:
    """Send a run a signal, which is durable when this returns; whoever waits for its name in the run takes it.

    Of several with one `key` the first counts; gives whether this was the first. `by` says who sends it, for those who
    look at the run later. Blocks. Raises `RunNotFound`, `Unrecordable`, and `JournalError` for a run that has ended.
    """
    return journal.send(run_id, make_signal(name, payload, key=key, by=by or journal.by, at=time.time()))


def make_signal(name: str, payload: object, *, key: str | None, by: str | None, at: float) -> Signal:
    """A signal that is not sent yet. Raises `Unrecordable`."""
    text = dump(encode(payload, f"the payload of signal {name!r}"))
    return Signal(-1, name, text, key or uuid.uuid4().hex, by, at)


def numbers_taken(entries: Iterable[Entry]) -> set[int]:
    """The numbers of the signals that a run with these entries has taken."""
    taken: set[int] = set()
    for entry in entries:
        if entry.kind in MOMENTS:
            taken |= numbers_in(Moment.of(entry).signals)
        elif entry.kind == SIGNAL:
            taken.add(parse(entry.data)["n"])
    return taken - {None}


def taken_elsewhere(entry: Entry) -> Entry:
    """An entry for another run, whose signals have numbers of their own: what was taken is none of those."""
    if entry.kind in MOMENTS:
        return attrs.evolve(Moment.of(entry), signals=()).entry()
    if entry.kind != SIGNAL:
        return entry
    said = parse(entry.data)
    return entry if said["n"] is None else entry._replace(data=dump({**said, "n": -1}))
