"""Other runs out of one: what was recorded before a path, in a run of its own, which goes on from there (J16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.changes import document_of
from trioflow.durable.codec import decode, decode_failure, dump, encode, parse
from trioflow.durable.deeds import note
from trioflow.durable.keys import is_path, path_key, path_of, path_part, show_key
from trioflow.durable.moment import Moment, moment_among
from trioflow.durable.recorder import CLOSED, DONE, RAN
from trioflow.durable.records import Entry, State, chain_of
from trioflow.durable.signals import taken_elsewhere
from trioflow.durable.whole import whole
from trioflow.errors import JournalError
from trioflow.model.document import loads
from trioflow.semantics.address import show_path

if TYPE_CHECKING:
    from trioflow.durable.port import Store
    from trioflow.durable.records import RunInfo


def fork_run(
    store: Store,
    run_id: str,
    new_id: str,
    *,
    at: Sequence[int] | None = None,
    variables: Mapping[str, object] | None = None,
    graph: str | None = None,
    migrate: Callable[[Recorded], Recorded | None] | None = None,
    by: str | None = None,
) -> RunInfo:
    """Begin a run with what was recorded of another before the path `at`, which is done anew with all after it.

    Without `at` with all that was recorded. `variables` replace start values of that name; what was recorded then still
    counts, so a run that decides otherwise because of them before that path diverges (J12). `graph`: another document;
    what was recorded must be what that does, too. `migrate` is given the end of each activation that was recorded, and
    gives what it is in the new run: another node, other values; None for one that is done anew. `by`: who does it, for
    those who look later at either of the runs (J28). The new run is not run
    by this: `resume_run` does that. Raises `RunNotFound`, `Unrecordable`, and `JournalError` for a name that was used,
    a variable that the run does not have, or a path before which nothing is kept any more (J26).
    """
    info, entries = store.show(run_id), whole(store, run_id)
    moment = moment_among(entries)
    if moment is not None and (variables or graph is not None or migrate is not None):
        raise _gone(run_id, moment, "Only from there on, with its graph and its variables, can it be forked.")
    kept = [*entries] if at is None else before(entries, tuple(at))
    if moment is not None and at is not None and path_key(at) < moment.end:
        raise _gone(run_id, moment, "Name a path that is not before that.")
    if migrate is not None:
        kept = _migrated(kept, migrate)
    kept = [taken_elsewhere(entry) for entry in kept]
    start: dict[str, Any] = parse(info.new.variables)
    for name, value in (variables or {}).items():
        start[name] = encode(value, f"variable {name!r}")
    new = attrs.evolve(
        info.new,
        id=new_id,
        variables=dump(start),
        parent=run_id,
        parent_path=None if at is None else show_path(at),
    )
    if graph is not None:
        document, digest = document_of(loads(graph))
        new = attrs.evolve(new, document=document, graph=digest)
    if graph is not None or migrate is not None:
        new = attrs.evolve(new, types="{}")  # those of the program that goes on with it
    store.insert(new, State(entries=len(kept), chain=chain_of(kept)), kept)
    what = "forked" if graph is None and migrate is None else "migrated"
    place = "" if at is None else f" before {show_path(at)}"
    note(store, new_id, what, by, f"from {run_id!r}{place}")
    note(store, run_id, what, by, f"to {new_id!r}{place}")
    return store.show(new_id)


def _gone(run_id: str, moment: Moment, cure: str) -> JournalError:
    return JournalError(
        f"What was recorded of run {run_id!r} before {show_key(moment.end)} was superseded by a moment, and its "
        f"history was not kept. {cure}"
    )


@attrs.frozen
class Recorded:
    """The end of an activation, as it was recorded, for `migrate` of `fork_run`: `attrs.evolve` makes another one."""

    path: tuple[int, ...]
    node: str
    """As seen from the outermost graph: `call/work`."""
    outputs: Mapping[str, Any]
    variables: Mapping[str, Any]
    exit: str | None
    """The exec output at which it went on."""
    failure: BaseException | None
    """What it failed with; can't be changed."""


def _migrated(entries: Sequence[Entry], migrate: Callable[[Recorded], Recorded | None]) -> list[Entry]:
    """What the ends of activations become; what else was recorded of these activations goes along."""
    ends = {entry.key: _end(entry, migrate) for entry in entries if entry.kind == DONE and is_path(entry.key)}
    kept: list[Entry] = []
    for entry in entries:
        part = path_part(entry.key)
        end = ends.get(part, entry)
        if end is not None:
            own = part in ends and entry.key != part
            kept.append(entry._replace(node=end.node) if own else end if part in ends else entry)
    return kept


def _end(entry: Entry, migrate: Callable[[Recorded], Recorded | None]) -> Entry | None:
    said: dict[str, Any] = parse(entry.data)
    failure = decode_failure(said["e"]) if "e" in said else None
    outputs, variables = (_decoded(said.get(letter, {})) for letter in "ov")
    made = migrate(Recorded(path_of(entry.key), entry.node, outputs, variables, said.get("x"), failure))
    if made is None:
        return None
    where = f"what node {made.node!r} is migrated to"
    for letter, values in (("o", made.outputs), ("v", made.variables)):
        said.pop(letter, None)
        if values:
            said[letter] = {name: encode(value, f"{where}: {name!r}") for name, value in values.items()}
    said.pop("i", None)  # whether its inputs are those that it had can't be told any more
    if made.exit is not None:
        said["x"] = made.exit
    return Entry(entry.key, made.node, entry.kind, dump(said))


def _decoded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: decode(value) for name, value in values.items()}


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

    Raises `RunNotFound`, `JournalUnusable`, and `JournalError` if nothing was recorded before, or is not kept any more.
    """
    entries = whole(store, run_id)
    moment = moment_among(entries)
    if moment is not None and path_key(at) < moment.end:
        raise _gone(run_id, moment, "Name a path that is not before that.")
    kept = sorted(before(entries, tuple(at)), key=lambda each: each.key)
    if not kept:
        raise JournalError(f"Nothing was recorded of run {run_id!r} before {show_path(at)}.")
    outputs: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    if moment is not None:
        for what, whose, name, written in moment.cells:
            if what == "v":
                variables[name] = decode(written)
            elif what == "o":
                outputs[f"{whose}.{name}"] = decode(written)
    for entry in kept:
        if entry.kind != "done":
            continue
        said = parse(entry.data)
        outputs.update({f"{entry.node}.{name}": decode(value) for name, value in said.get("o", {}).items()})
        variables.update({name: decode(value) for name, value in said.get("v", {}).items()})
    return Past(outputs, variables, len(kept), show_key(kept[-1].key))
