"""Runs on their way from one journal to another: lines of JSON, each with a checksum chained to the line before."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.blobs import as_read, references, texts_of
from trioflow.durable.deeds import note
from trioflow.durable.records import Entry, NewRun, RunInfo, Signal, State, chain_of, checked
from trioflow.durable.signals import numbers_taken, taken_elsewhere
from trioflow.errors import JournalUnusable

if TYPE_CHECKING:
    from trioflow.durable.port import Store

FORMAT = "trioflow run"
VERSION = 1

_json = json.JSONEncoder(separators=(",", ":")).encode


def said_of(entry: Entry) -> list[Any]:
    """An entry as JSON has it."""
    return [base64.b64encode(entry.key).decode(), entry.node, entry.kind, entry[3]]


def entry_from(said: list[Any]) -> Entry:
    """What `said_of` was given."""
    return Entry(base64.b64decode(said[0]), *said[1:])


def line_of(said: Any, chain: int) -> tuple[str, int]:
    """A line that says this, and its checksum."""
    text = _json(said)
    chain = zlib.crc32(text.encode(), chain)
    return f"{chain:08x} {text}", chain


def read_lines(lines: Iterable[str], where: str) -> tuple[list[Any], int]:
    """What the lines say, and the last checksum. Raises `JournalUnusable` for one that is not what was written."""
    said: list[Any] = []
    chain = 0
    for number, line in enumerate(lines, 1):
        checksum, _, text = line.rstrip("\n").partition(" ")
        chain = zlib.crc32(text.encode("utf-8", "surrogatepass"), chain)
        if checksum != f"{chain:08x}":
            raise JournalUnusable(
                f"{where}, line {number}: that is not what was written. Nothing was changed. Restore it from a copy."
            )
        said.append(json.loads(text))
    if not said or not isinstance(said[0], list) or said[0][:1] != [FORMAT]:
        raise JournalUnusable(
            f"{where} holds no run: its first line does not begin one. Nothing was changed. Name what `trioflow runs "
            "export` or a FileJournal has written, or restore it from a copy."
        )
    if said[0][1] > VERSION:
        raise JournalUnusable(f"{where} was written by a newer version of trioflow. Install that version.")
    return said, chain


def export_lines(store: Store, run_id: str) -> Iterator[str]:
    """A run as lines of text. Raises `RunNotFound`, `JournalUnusable`."""
    info, entries = store.show(run_id), store.entries(run_id)
    taken = numbers_taken(entries)
    signals = [each for each in store.signals(run_id) if each.number not in taken]
    blobs = sorted(references([*texts_of(entries), info.state.outcome]))
    chain = 0
    for said in (
        [FORMAT, VERSION, json.loads(info.new.as_text())],
        *map(said_of, entries),
        *(["large", digest, store.blob(digest)] for digest in blobs),
        *(["signal", *attrs.astuple(each)] for each in signals),
        _state(info.state),
    ):
        line, chain = line_of(said, chain)
        yield line


def import_lines(store: Store, lines: Iterable[str], run_id: str | None = None, by: str | None = None) -> RunInfo:
    """Keep a run that was exported, under this name if one is given. Raises `JournalUnusable`, `JournalError`."""
    said, _ = read_lines(lines, "what is imported")
    new = NewRun.from_text(_json(said[0][2]), "what is imported")
    if run_id is not None:
        new = attrs.evolve(new, id=run_id)
    if len(said) < 2 or said[-1][0] != "state":
        raise JournalUnusable("What is imported ends before the run does: it was cut off. Nothing was changed.")
    state = State.from_text(_json(said[-1][1]), "what is imported")
    entries = [entry_from(each) for each in said[1:-1] if each[0] not in {"signal", "large"}]
    blobs = {digest: text for _, digest, text in (each for each in said[1:-1] if each[0] == "large")}
    entries = as_read(entries, blobs.__getitem__)
    checked("What is imported", state, entries)
    entries = [*map(taken_elsewhere, entries)]
    waiting = None if state.waiting is None else attrs.evolve(state.waiting, seen=-1)
    state = attrs.evolve(state, chain=chain_of(entries), waiting=waiting)
    store.insert(new, state, entries, blobs)
    if state.status not in {"completed", "failed", "pruned"}:
        for _, *fields in (each for each in said[1:-1] if each[0] == "signal"):
            store.send(new.id, Signal(*fields))
    note(store, new.id, "imported", by)
    return RunInfo(new=new, state=state)


def _state(state: State) -> list[Any]:
    return ["state", json.loads(state.as_text())]
