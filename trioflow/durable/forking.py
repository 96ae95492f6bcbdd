"""Other runs out of one: what was recorded before a path, in a run of its own, which goes on from there (J16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.codec import decode, dump, encode, parse
from trioflow.durable.keys import path_key, path_part, show_key
from trioflow.durable.recorder import CLOSED, RAN
from trioflow.durable.records import Entry, State, chain_of
from trioflow.errors import JournalError
from trioflow.semantics.address import show_path

if TYPE_CHECKING:
    from trioflow.durable.port import Store
    from trioflow.durable.records import RunInfo


def fork_run(
    store: Store,
    run_id: str,
    new_id: str,
    *,
    at: Sequence[int],
    variables: Mapping[str, object] | None = None,
    graph: str | None = None,
) -> RunInfo:
    """Begin a run with what was recorded of another before the path `at`, which is done anew with all after it.

    `variables` replace start values of that name; what was recorded then still counts, so a run that decides otherwise
    because of them before that path diverges (J12). `graph`: another document, whose recorded part must be the same.
    The new run is not run by this: `resume_run` does that. Raises `RunNotFound`, and `JournalError` for a name that was
    used, or a variable that the run does not have.
    """
    info, entries = store.show(run_id), store.entries(run_id)
    kept = before(entries, tuple(at))
    start: dict[str, Any] = parse(info.new.variables)
    for name, value in (variables or {}).items():
        start[name] = encode(value, f"variable {name!r}")
    new = attrs.evolve(
        info.new, id=new_id, variables=dump(start), parent=run_id, parent_path=show_path(at), document=info.new.document
    )
    if graph is not None:
        from trioflow.durable.running import document_of  # noqa: PLC0415 - only here
        from trioflow.model.document import loads  # noqa: PLC0415 - as above

        document, digest = document_of(loads(graph))
        new = attrs.evolve(new, document=document, graph=digest)
    store.insert(new, State(entries=len(kept), chain=chain_of(kept)), kept)
    return store.show(new_id)


def before(entries: Sequence[Entry], at: tuple[int, ...]) -> list[Entry]:
    """What was recorded before a path, in the order of paths, which is a consistent cut whatever the schedule was.

    Of the activations around it that is what they had asked their contexts for by then.
    """
    end = path_key(at)
    around = {path_key(at[:depth]) for depth in range(len(at))}
    then = next((place for place, each in enumerate(entries) if path_part(each.key) >= end), len(entries))
    kept: list[Entry] = []
    for place, entry in enumerate(entries):
        part = path_part(entry.key)
        if part in around:
            if entry.kind not in {RAN, CLOSED} and place < then:
                kept.append(entry)
        elif part < end:
            kept.append(entry)
    return kept


@attrs.frozen
class Past:
    """What is known of a run when it came to a path."""

    outputs: Mapping[str, Any]
    """What effects had written last: `node.output` and its value."""
    variables: Mapping[str, Any]
    """What effects had set, by name."""
    recorded: int
    """How many records there were before."""
    last: str
    """Where the last of them was made."""


def past_of(store: Store, run_id: str, at: Sequence[int]) -> Past:
    """What effects had written before the path `at`. What replayed nodes wrote is not recorded, so it is not told.

    Raises `RunNotFound`, `JournalUnusable`, and `JournalError` if nothing was recorded before.
    """
    kept = sorted(before(store.entries(run_id), tuple(at)), key=lambda each: each.key)
    if not kept:
        raise JournalError(f"Nothing was recorded of run {run_id!r} before {show_path(at)}.")
    outputs: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    for entry in kept:
        if entry.kind != "done":
            continue
        said = parse(entry.data)
        outputs.update({f"{entry.node}.{name}": decode(value) for name, value in said.get("o", {}).items()})
        variables.update({name: decode(value) for name, value in said.get("v", {}).items()})
    return Past(outputs, variables, len(kept), show_key(kept[-1].key))
