"""Runs that a journal keeps: what there is of one to look back on, and another one that goes on from there."""

from __future__ import annotations

import datetime
import itertools
import re
from array import array
from typing import Any

import attrs

from trioflow.durable.codec import decode, decode_failure, parse
from trioflow.durable.forking import fork_run
from trioflow.durable.journal import Journal
from trioflow.durable.keys import path_of
from trioflow.durable.records import Entry
from trioflow.errors import UnknownName
from trioflow.model.secret import hide
from trioflow.semantics.address import show_path
from trioflow.studio.shown import shown
from trioflow.telemetry import Recording

_STARTED, _COMPLETED, _FAILED = range(3)
_KINDS = ("NodeStarted", "NodeCompleted", "NodeFailed")
_NO_STRAND = 0xFFFFFFFF


@attrs.frozen
class Kept:
    """A run of a journal."""

    journal: Journal
    run_id: str


def fresh_id(journal: Journal, base: str) -> str:
    """A name for another run, `base` and a number, which no run of the journal has had. Blocks if the journal does."""
    known = {each.id for each in journal.runs()}
    return next(name for number in itertools.count(1) if (name := f"{base}-{number}") not in known)


def fork(kept: Kept, recording: Recording, event: int) -> tuple[Kept, str, str]:
    """Begin another run with what was recorded before an event; also the node that is done anew, and its path.

    Blocks if the journal does. Raises `JournalError`, and `UnknownName` for an event that is about no activation.
    """
    if not 0 <= event < len(recording):
        raise UnknownName(f"The recording has {len(recording):,} events, and none of the number {event:,}.")
    row = recording[event]
    # What is told of data belongs to the activation that has asked for it.
    for number in range(event, -1, -1):
        other = recording[number]
        if other.path == row.path and other.kind == "NodeStarted" and other.node is not None:
            path = recording.path(row.path)
            new_id = fresh_id(kept.journal, re.sub(r"-[0-9]+$", "", kept.run_id))
            fork_run(kept.journal, kept.run_id, new_id, at=path)
            return Kept(kept.journal, new_id), other.node, show_path(path)
    raise UnknownName("This event is about no node. Choose one that is.")


def recording_of(kept: Kept, *, values: bool = True) -> Recording:
    """What a journal has of a run, as a recording: its effects in the order of paths, without times.

    Blocks if the journal does. Raises `JournalError`.
    """
    columns: dict[str, array[Any]] = {
        name: array(code)
        for name, code in (("kind", "B"), ("node", "H"), ("strand", "I"), ("path", "I"), ("time", "d"),
                           ("parent", "I"), ("index", "q"))
    }  # fmt: skip
    columns["parent"].append(0)
    columns["index"].append(0)
    numbers: dict[tuple[int, ...], int] = {(): 0}
    nodes: dict[str, int] = {}
    notes: dict[int, str] = {}
    for entry in sorted(kept.journal.entries(kept.run_id), key=lambda each: each.key):
        if entry.kind != "done":
            continue
        path = path_of(entry.key)
        failed, note = _said(entry, values=values)
        for kind in (_STARTED, _FAILED if failed else _COMPLETED):
            columns["kind"].append(kind)
            columns["node"].append(nodes.setdefault(entry.node, len(nodes)))
            columns["strand"].append(_NO_STRAND)
            columns["path"].append(_number(path, numbers, columns))
            columns["time"].append(0.0)
        if note:
            notes[len(columns["kind"]) - 1] = note
    created = datetime.datetime.fromtimestamp(kept.journal.show(kept.run_id).new.created, datetime.UTC)
    return Recording(kept.run_id, created, _KINDS, [*nodes], columns, notes)


def _number(path: tuple[int, ...], numbers: dict[tuple[int, ...], int], columns: dict[str, array[Any]]) -> int:
    for depth in range(1, len(path) + 1):
        part = path[:depth]
        if part not in numbers:
            columns["parent"].append(numbers[part[:-1]])
            columns["index"].append(part[-1])
            numbers[part] = len(numbers)
    return numbers[path]


def _said(entry: Entry, *, values: bool) -> tuple[bool, str]:
    """Whether an effect has failed, and what it came to."""
    said: dict[str, Any] = parse(entry.data)
    if "e" in said:
        try:
            error = decode_failure(said["e"])
            return True, hide(f"{type(error).__name__}: {error}")
        except Exception:  # its class is not here: then by its name
            return True, str(said["e"][1])
    parts = [f"{word} {_shown(said[key])}" for key, word in (("o", "outputs"), ("v", "variables")) if said.get(key)]
    return False, ", ".join(parts) if values else ""


def _shown(written: dict[str, Any]) -> str:
    try:
        return shown({name: decode(value) for name, value in written.items()})
    except Exception:  # a class that is not here: then as it is written
        return shown(written)
