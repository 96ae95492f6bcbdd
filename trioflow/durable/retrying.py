"""Going on after a failure (J18): what failed is forgotten, with all that came after it, and the rest is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.blobs import outcome_of
from trioflow.durable.codec import dump, encode_failure, parse
from trioflow.durable.elapsed import ELAPSED
from trioflow.durable.keys import path_key, path_part, show_key
from trioflow.durable.moment import MOMENTS, Moment
from trioflow.durable.records import Entry, State, chain_of
from trioflow.errors import JournalError
from trioflow.semantics.address import show_path

if TYPE_CHECKING:
    from trioflow.durable.port import Session


class Skipped(Exception):
    """In place of the failure of an activation that somebody said to skip."""


def retry(session: Session, skip: Sequence[tuple[int, ...]] = ()) -> None:
    """Make the run one that can be resumed; the activations at these paths count as skipped.

    Goes to the history: the entries of what the run failed with, and of all that was recorded after that at later
    places, such as what was done because of the failure. Raises `JournalError` for a run that has completed, and for
    paths at which nothing has failed.
    """
    info = session.info
    if info.status == "completed":
        raise JournalError(f"Run {info.id!r} has completed: there is nothing to retry.")
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
    for place, entry in enumerate(session.entries):
        forgotten = any(
            path_part(entry.key) == key or (place >= after and entry.key > key and _came_after(entry, key))
            for key, (_, after) in failures.items()
        )
        forgotten = forgotten and entry.kind != ELAPSED  # that time has passed
        (superseded if forgotten else keep).append(entry)
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
