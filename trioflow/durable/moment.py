"""A moment of a run as it is kept: where the run is in its loops, and what its store holds (J26). Pure data."""

from __future__ import annotations

from typing import Any

import attrs

from trioflow.durable.codec import dump, parse
from trioflow.durable.keys import path_key
from trioflow.durable.records import Entry

MOMENT = "moment"
SUPERSEDED = "superseded"
"""Kinds of entries: a moment, in place of all entries before it; and in the history, after what a moment superseded."""
KEY = b"\xffm"
"""The key of both: they belong to the root."""


@attrs.frozen
class Opening:
    """An activation that was open at a moment, to be begun in its middle."""

    index: int
    """Its number on its line."""
    item: int | None
    """The number of that line below the activation around it, if that had emitted it; None if it had triggered it."""
    node: str
    entered: str | None
    wire: str | None
    onward: list[tuple[str, str | None, str | None]]
    """What is to be dispatched on its line after it: node, entry, wire."""
    mark: Any
    """What its body goes on from, as the codec writes it."""
    count: int
    """How much it had dispatched, with what was open in it."""
    asked: int
    """How often its context had been asked."""
    came_back: int
    """How often something that it began had come back (D6)."""
    emitted: int
    """How many items it had emitted, with the one that was open in it."""


@attrs.frozen
class Moment:
    """Where a run is, and what it holds."""

    number: int
    """Of the moment in its run, from 1."""
    initiator: int
    open: list[Opening]
    """The outermost first."""
    steps: int
    """Dispatches before those of the open activations."""
    evaluations: int
    forks: int
    signals: list[int]
    """The numbers of those that were taken."""
    volatile: list[list[Any]]
    """By key as hexadecimal digits: how often a volatile node was asked for in an open activation."""
    cells: list[list[Any]]
    """What was written, by age: what it is, whose it is, its name, and the value as the codec writes it."""

    @property
    def paths(self) -> list[tuple[int, ...]]:
        """The paths of the open activations, the outermost first."""
        found: list[tuple[int, ...]] = []
        path: tuple[int, ...] = (self.initiator,)
        for opening in self.open:
            path = (*path, opening.index) if opening.item is None else (*path, opening.item, opening.index)
            found.append(path)
        return found

    @property
    def end(self) -> bytes:
        """A key before which all was done."""
        return path_key((*self.paths[-1], self.open[-1].count))

    def entry(self) -> Entry:
        """As it is kept."""
        return Entry(KEY, "", MOMENT, dump(attrs.astuple(self)))


def moment_among(entries: list[Entry]) -> Moment | None:
    """The moment with which the entries of a run begin; None if they begin with the run."""
    if not entries or entries[0].kind != MOMENT:
        return None
    number, initiator, opened, *rest = parse(entries[0].data)
    return Moment(number, initiator, [Opening(*each) for each in opened], *rest)


def mark_of(moment: Moment, superseded: int) -> Entry:
    """What comes in the history after so many entries that a moment has superseded."""
    return Entry(KEY, "", SUPERSEDED, dump([moment.number, superseded]))
