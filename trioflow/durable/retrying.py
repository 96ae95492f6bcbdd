"""Going on after a failure (J18): what failed is forgotten, with all that came after it, and the rest is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.blobs import outcome_of
from trioflow.durable.codec import dump, encode_failure, parse
from trioflow.durable.elapsed import ELAPSED
from trioflow.durable.keys import ancestors, path_key, path_part, show_key
from trioflow.durable.moment import MOMENTS, Moment
from trioflow.durable.recorder import CLOSED, DONE, UNDONE
from trioflow.durable.records import Entry, State, chain_of
from trioflow.errors import JournalError
from trioflow.semantics.address import show_path

if TYPE_CHECKING:
    from trioflow.durable.port import Session


class Skipped(Exception):
    """In place of the failure of an activation that somebody said to skip."""


def retry(session: Session, skip: Sequence[tuple[int, ...]] = ()) -> None:
    """Make the run one that can be resumed; the activations at these paths count as skipped.

    Goes to the history: the entries of what the run failed with, of what was undone because of that (W17), and of all
    that was recorded after these at later places, such as what was done because of the failure. What was cut off by
    it is begun again. Raises `JournalError` for a run that has completed, and for
    paths at which nothing has failed.
    """
    info = session.info
    if info.status == "completed":
        raise JournalError(
            f"Run {info.id!r} has completed: there is nothing to retry. To do some of it "
            "again, fork it before that (trioflow.fork_run, `trioflow runs fork`)."
        )
    said: dict[str, Any] = parse(outcome_of(info)) if info.state.outcome else {}
    failures = {path_key(path): (node, after) for path, node, after in said.get("at", ())}
    wanted = {path_key(path): path for path in skip}
    for key, path in wanted.items():
        if key not in failures:
            known = ", ".join(show_key(each) for each in failures) or "nowhere"
            raise JournalError(
                f"Nothing failed at {show_path(path)}, so nothing can be skipped there. Run {info.id!r} failed at: "
                f"{known}."
            )
    keep: list[Entry] = []
    superseded: list[Entry] = []
    first = min((after for _, after in failures.values()), default=len(session.entries))
    gone = _undone(session.entries, first)
    redone = {key: after for key, (_, after) in failures.items()} | gone.done
    for place, entry in enumerate(session.entries):
        forgotten = (place >= first and entry.kind == CLOSED) or any(
            path_part(entry.key) == key or (place >= after and entry.key > key and _came_after(entry, key))
            for key, after in redone.items()
        )
        forgotten = forgotten or any(each in gone.at for each in ancestors(entry.key))
        forgotten = forgotten and entry.kind != ELAPSED  # that time has passed
        (superseded if forgotten else keep).append(entry if forgotten else _not_cut_off(entry, place >= first))
    for key in wanted:
        node, _ = failures[key]
        keep.append(Entry(key, node, "done", dump({"k": encode_failure(Skipped("skipped by hand"), "")})))
    session.rewrite(keep, superseded)
    session.entries[:] = keep
    session.set_state("running")
    session.info = attrs.evolve(info, state=State(entries=len(keep), chain=chain_of(keep)))


def _came_after(entry: Entry, failure: bytes) -> bool:
    """Whether all that an entry stands for came after a failure: a moment may have begun long before."""
    return entry.kind not in MOMENTS or failure.hex() in Moment.of(entry).failures


@attrs.frozen
class _Undone:
    done: dict[bytes, int]
    """The keys of what was undone because something failed, and the places from which on it was recorded."""
    at: set[bytes]
    """Those of the activations that have undone it."""


def _undone(entries: Sequence[Entry], first: int) -> _Undone:
    """What was undone because of a failure that came here, and has to be done again."""
    found = _Undone({}, set())
    for entry in entries[first:]:
        if entry.kind == UNDONE:
            done, _, on_the_way = parse(entry.data)
            if not on_the_way:
                found.done[path_key(done)] = len(entries)
                found.at.add(path_part(entry.key))
    if found.done:
        for place, entry in enumerate(entries):
            for key in ancestors(entry.key):
                if place < found.done.get(key, 0):
                    found.done[key] = place
    return found


def _not_cut_off(entry: Entry, after: bool) -> Entry:
    """What ended while the failure cut it off has ended so; nobody cuts it off again (J8)."""
    if not after or entry.kind != DONE:
        return entry
    said: dict[str, Any] = parse(entry.data)
    return entry if said.pop("c", None) is None else entry._replace(data=dump(said))
