"""What nobody but people can know: whether an effect was done before the process died (J4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trioflow.durable.activation import END, ITEM
from trioflow.durable.codec import dump, encode
from trioflow.durable.deeds import note
from trioflow.durable.keys import part_key, path_key, path_of, path_part
from trioflow.durable.recorder import DONE
from trioflow.durable.recording import INTENT
from trioflow.durable.records import Entry
from trioflow.errors import JournalError
from trioflow.model.values import NO_VALUES
from trioflow.semantics.address import show_path

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.durable.port import Session


def settle(
    journal: Journal,
    run_id: str,
    path: Sequence[int],
    *,
    again: bool = False,
    outputs: Mapping[str, object] = NO_VALUES,
    exit: str | None = "then",
    by: str | None = None,
) -> None:
    """Say of an activation that is in doubt what came of it, so that its run can be resumed.

    `again`: it was not done, and is begun again. Otherwise it was done, with these outputs, and goes on at this exec
    output; a source that could not tell where it was has ended with what it had emitted. `by`: who says so, for those
    who look later (J28). Blocks. Raises `RunNotFound`,
    `RunOwned`, `Unrecordable`, and `JournalError` if nothing there is in doubt.
    """
    session = journal.take(run_id)
    try:
        _settle(session, tuple(path), again, outputs, exit)
        note(journal, run_id, "settled", by, f"{show_path(path)} {'was not done' if again else 'was done'}")
    finally:
        session.close()


def _settle(
    session: Session, path: tuple[int, ...], again: bool, outputs: Mapping[str, object], left_at: str | None
) -> None:
    key = path_key(path)
    doubts = _in_doubt(session.entries)
    if key not in doubts:
        known = ", ".join(show_path(path_of(each)) for each in doubts) or "nowhere"
        raise JournalError(
            f"Nothing is in doubt at {show_path(path)} of run {session.info.id!r}. It is in doubt at: {known}."
        )
    doubtful = doubts[key]
    if again and doubtful.kind == ITEM:
        raise JournalError("A source that can't tell where it was can't be begun again: say that it has ended there.")
    if again:
        session.rewrite([each for each in session.entries if each is not doubtful], [doubtful])
        return
    said = {
        "o": {name: encode(value, f"output {name!r}") for name, value in outputs.items()},
        "x": left_at,
    }
    if doubtful.kind == ITEM:
        session.append([Entry(part_key(key, "z"), doubtful.node, END, dump(said))])
    else:
        session.append([Entry(key, doubtful.node, DONE, dump(said))])


def _in_doubt(entries: Sequence[Entry]) -> dict[bytes, Entry]:
    """By activation: intents, and last items of sources, without an end."""
    ended = {path_part(each.key) for each in entries if each.kind in {DONE, END}}
    return {
        path_part(each.key): each
        for each in entries
        if each.kind in {INTENT, ITEM} and path_part(each.key) not in ended
    }
