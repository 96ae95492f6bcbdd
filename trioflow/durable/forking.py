"""Other runs out of one: what was recorded before a path, in a run of its own, which goes on from there (J16)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.changes import document_of
from trioflow.durable.codec import decode, decode_failure, dump, encode, parse
from trioflow.durable.deeds import note
from trioflow.durable.elapsed import ELAPSED
from trioflow.durable.keys import ancestors, is_path, path_key, path_of, path_part, show_key
from trioflow.durable.moment import MOMENTS, Moment, compacted, moments_among
from trioflow.durable.recorder import CLOSED, DONE, RAN, UNDONE
from trioflow.durable.records import Entry, State, chain_of
from trioflow.durable.signals import taken_elsewhere
from trioflow.durable.whole import whole
from trioflow.errors import JournalError
from trioflow.model.document import loads
from trioflow.semantics.address import show_path

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.durable.records import RunInfo


def fork_run(
    journal: Journal,
    run_id: str,
    new_id: str,
    *,
    at: Sequence[int] | None = None,
    variables: Mapping[str, object] | None = None,
    graph: str | None = None,
    migrate: Callable[[Recorded], Recorded | None] | None = None,
    migrate_moment: Callable[[RecordedMoment], RecordedMoment | None] | None = None,
    by: str | None = None,
) -> RunInfo:
    """Begin a run with what was recorded of another before the path `at`, which is done anew with all after it.

    Without `at` with all that was recorded. `variables` replace start values of that name; what was recorded then still
    counts, so a run that decides otherwise because of them before that path diverges (J12). `graph`: another document;
    what was recorded must be what that does, too. `migrate` is given the end of each activation that was recorded, and
    gives what it is in the new run: another node, other values; None for one that is done anew. With `migrate_moment`
    the new run begins with the moments of the other one, and not with what they superseded: it is given each of them,
    and gives what it is in the new run; None if all below that activation is done anew. `by`: who does it, for those
    who look later at either of the runs (J28). The new run is not run by this: `resume_run` does that. Raises
    `RunNotFound`, `Unrecordable`, and `JournalError` for a name that was used,
    a variable that the run does not have, or a path before which nothing is kept any more (J26).
    """
    if not new_id:
        raise JournalError("The other run needs a name, by which it is resumed, and an empty text is not one.")
    info = journal.show(run_id)
    entries = whole(journal, run_id) if migrate_moment is None else compacted(journal.entries(run_id)).keep
    moments = moments_among(entries)
    if moments and variables:
        raise _gone(run_id, moments[0], "It can be forked only with the start values that it had.")
    if moments and migrate is not None and migrate_moment is None:
        raise _gone(run_id, moments[0], "Say what becomes of moments, too: migrate_moment=.")
    kept = [*entries] if at is None else before(entries, tuple(at), run_id)
    if migrate is not None:
        kept = _migrated(kept, migrate)
    if migrate_moment is not None:
        kept = [*_with_moments(kept, migrate_moment)]
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
    if graph is not None or migrate is not None or migrate_moment is not None:
        new = attrs.evolve(new, types="{}")  # those of the program that goes on with it
    journal.insert(new, State(entries=len(kept), chain=chain_of(kept)), kept)
    what = "forked" if graph is None and migrate is None else "migrated"
    place = "" if at is None else f" before {show_path(at)}"
    note(journal, new_id, what, by, f"from {run_id!r}{place}")
    note(journal, run_id, what, by, f"to {new_id!r}{place}")
    return journal.show(new_id)


def _gone(run_id: str, moment: Moment, cure: str) -> JournalError:
    return JournalError(
        f"What was recorded of run {run_id!r} before {show_key(moment.shown)} was superseded by a moment, and its "
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


@attrs.frozen
class RecordedMoment:
    """A moment, for `migrate_moment` of `fork_run`: what is behind an activation. `attrs.evolve` makes another one.

    Nodes are named as seen from the outermost graph, `call/work`, and so are variables of graphs that are called,
    `call/sum`.
    """

    path: tuple[int, ...]
    node: str
    mark: Any
    """What its body goes on from."""
    exit: str | None
    """Of a body that has ended: the exec output at which it goes on."""
    outputs: Mapping[str, Any]
    """What was written below it last: `node.output` and the value."""
    variables: Mapping[str, Any]
    state: Mapping[tuple[str, str], Any]
    """Node, name, and the value."""


def _with_moments(
    entries: Sequence[Entry], migrate: Callable[[RecordedMoment], RecordedMoment | None]
) -> Iterator[Entry]:
    """These entries, with what moments among them become; what these supersede is not there any more."""
    for entry in entries:
        if entry.kind not in MOMENTS:
            yield entry
            continue
        moment = Moment.of(entry)
        outputs: dict[str, Any] = {}
        variables: dict[str, Any] = {}
        state: dict[tuple[str, str], Any] = {}
        rest: list[Sequence[Any]] = []
        for cell in moment.cells:
            out, what, whose, name, written = cell
            around = _graph_around(moment.node, out)
            if what == "o":
                outputs[f"{around}{whose}.{name}"] = decode(written)
            elif what == "v":
                variables[around + name] = decode(written)
            elif what == "s" and written != {"$u": 0}:
                state[around + whose, name] = decode(written)
            else:
                rest.append(cell)
        path = path_of(moment.path)
        made = migrate(RecordedMoment(path, moment.node, decode(moment.mark), moment.exit, outputs, variables, state))
        if made is None:
            continue
        cells = [*rest]
        places = [
            *(("v", name, "", value) for name, value in made.variables.items()),
            *(("o", *name.rpartition(".")[::2], value) for name, value in made.outputs.items()),
            *(("s", *place, value) for place, value in made.state.items()),
        ]
        for what, whose, name, value in places:
            around, _, own = whose.rpartition("/")
            out = made.node.count("/") - (around.count("/") + 1 if around else 0)
            place = ["", own] if what == "v" else [own, name]
            cells.append([out, what, *place, encode(value, f"what {whose or name!r} is migrated to")])
        yield attrs.evolve(
            moment, node=made.node, mark=encode(made.mark, "the mark that is migrated to"), exit=made.exit,
            cells=cells, where="gone",
        ).entry()  # fmt: skip


def _graph_around(node: str, out: int) -> str:
    """What is before the names of nodes in the graph of a node, or in one so far further out."""
    graphs = node.split("/")[:-1]
    return "".join(f"{each}/" for each in graphs[: len(graphs) - out])


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


def before(entries: Sequence[Entry], at: tuple[int, ...], run_id: str) -> list[Entry]:
    """What was recorded before a path, in the order of paths, which is a consistent cut whatever the schedule was.

    Of the activations around it that is what they had asked their contexts for by then. Raises `JournalError` if that
    is not known any more.
    """
    end = path_key(at)
    for moment in moments_among(entries):
        if moment.path < end < moment.end or (moment.published and end <= moment.path):
            raise _gone(run_id, moment, "Name a path that is not before that.")
    around = {path_key(at[:depth]) for depth in range(len(at))}
    then = next((place for place, each in enumerate(entries) if path_part(each.key) >= end), len(entries))
    # What is undone comes before all in the order of paths, and was undone for something that comes later (W17).
    later = {path_part(each.key) for each in entries if each.kind == UNDONE and not _is_behind(each, end)}
    kept: list[Entry] = []
    for place, entry in enumerate(entries):
        part = path_part(entry.key)
        if later and any(each in later for each in ancestors(entry.key)):
            continue
        if part in around:
            if entry.kind in MOMENTS or (entry.kind not in {RAN, CLOSED} and place < then):
                kept.append(entry)
        elif part < end:
            kept.append(entry)
    return kept


def _is_behind(undone: Entry, end: bytes) -> bool:
    """Whether something was undone by who had ended before this key."""
    by = path_key(parse(undone.data)[1])
    return by < end and not end.startswith(by)


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


def past_of(journal: Journal, run_id: str, at: Sequence[int]) -> Past:
    """What effects had written before the path `at`. What replayed nodes wrote is not recorded, so it is not told.

    Raises `RunNotFound`, `JournalUnusable`, and `JournalError` if nothing was recorded before, or is not kept any more.
    """
    entries = whole(journal, run_id)
    kept = sorted((each for each in before(entries, tuple(at), run_id) if each.kind != ELAPSED), key=_place)
    if not kept:
        first = min((path_part(each.key) for each in entries if each.kind != ELAPSED), default=None)
        cure = "" if first is None else f" Name a path after {show_key(first)}, where its first record was made."
        raise JournalError(f"Nothing was recorded of run {run_id!r} before {show_path(at)}.{cure}")
    outputs: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    for entry in kept:
        if entry.kind in MOMENTS:
            _see(Moment.of(entry), outputs, variables)
        if entry.kind != "done":
            continue
        said = parse(entry.data)
        outputs.update({f"{entry.node}.{name}": decode(value) for name, value in said.get("o", {}).items()})
        variables.update({name: decode(value) for name, value in said.get("v", {}).items()})
    return Past(outputs, variables, len(kept), show_key(_place(kept[-1])))


def _place(entry: Entry) -> bytes:
    """What entries are sorted by: a moment stands where what is not behind it begins."""
    return Moment.of(entry).end if entry.kind in MOMENTS else entry.key


def _see(moment: Moment, outputs: dict[str, Any], variables: dict[str, Any]) -> None:
    """What was written by then, below an activation in one graph or another."""
    for out, what, whose, name, written in moment.cells:
        around = _graph_around(moment.node, out)
        if what == "v":
            variables[around + name] = decode(written)
        elif what == "o":
            outputs[f"{around}{whose}.{name}"] = decode(written)
