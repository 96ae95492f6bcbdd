"""Moments as data: what an open body has behind it, or what a closed one came to, in place of what was recorded below.

A moment belongs to one activation. It holds what was written since that began, in its strand and in the graphs around,
how much was counted, and what a body needs to go on. Whatever else is open in the run is none of its business: that is
run again, and finds this in its place (J26). Pure data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from trioflow.durable.codec import dump, parse
from trioflow.durable.keys import ancestors, number_key, part_key, path_key, path_part
from trioflow.durable.records import PUBLISHED, TOLD, Entry

ROUND, WHOLE = "round", "whole"
"""Kinds of moments: a body is about to begin something, and could be begun there; one has ended, with all below it."""
SUPERSEDED = "superseded"
"""Kind of the entry that ends what a moment has superseded, in the history."""
MOMENTS = frozenset({ROUND, WHOLE})

_PART = {ROUND: "r", WHOLE: "w"}
_NUMBERED = frozenset("optn")
"""Letters of what a body asked its context for, and of what was due next, which is numbered."""


@attrs.frozen(kw_only=True)
class Moment:
    """What is behind an activation."""

    path: bytes
    """The key of the activation."""
    node: str
    """As seen from the outermost graph: `call/work`."""
    kind: str
    number: int
    """Of the moment in its run: what has superseded another one has the higher number."""
    where: str = "beside"
    """Where what it supersedes is: still `beside` it, in the `history`, or `gone`."""
    mark: Any = None
    """What a body goes on from, as the codec writes it."""
    exit: str | None = None
    """Of one that has ended: the exec output at which control goes on."""
    count: int = 0
    """How much it has dispatched so far; all of that has ended."""
    at: Sequence[int] = ()
    """In a scope of a workflow: the numbers of the firing with which it goes on; all others have ended."""
    asked: int = 0
    """How often its context was asked."""
    came_back: int = 0
    """How often something that it began had come back (D6)."""
    emitted: int = 0
    """How many items it has emitted."""
    steps: int = 0
    """Dispatches below it."""
    forks: int = 0
    """Strands that began and ended below it."""
    signals: Sequence[Sequence[int]] = ()
    """The numbers of signals that the run has taken: from the first of each pair up to, not including, the second."""
    volatile: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """How often it has asked for volatile nodes, by name with a letter before it."""
    put_off: int = 0
    """How often it has put something off (B3)."""
    later: Sequence[Sequence[Any]] = ()
    """What was put off below it, and is not handled yet."""
    gone: Sequence[Sequence[Any]] = ()
    """What others had put off, and was handled or taken back below it: by path and number."""
    published: int = 0
    """Of the strand of the host's events: how many of these were handled (J25)."""
    told: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """How often it has told what, by kind and node, if events are kept (J29)."""
    policies: Any = None
    """What the policies of the run remember (J23)."""
    failures: Sequence[str] = ()
    """The keys, as hexadecimal digits, of what had failed when it began: a retry of these forgets it (J18)."""
    cells: Sequence[Sequence[Any]] = ()
    """What was written, by age: how many graphs further out, what it is, whose, its name, and the value."""

    @property
    def key(self) -> bytes:
        """Of its entry."""
        return part_key(self.path, _PART[self.kind])

    @property
    def end(self) -> bytes:
        """A key before which, from the activation on, all is superseded."""
        if self.at:
            return self.path + path_key(self.at)
        return self.path + (number_key(self.count) if self.kind == ROUND else b"\xff")

    @property
    def shown(self) -> bytes:
        """A key for people: where what is still known begins."""
        return self.end if self.kind == ROUND else self.path

    def entry(self) -> Entry:
        """As it is kept."""
        said = {field.name: getattr(self, field.name) for field in attrs.fields(Moment)[3:]}
        said = {name: value for name, value in said.items() if value or name == "mark"}
        if self.policies:
            said["p"] = said.pop("policies")
        return Entry(self.key, self.node, self.kind, dump(said))

    @classmethod
    def of(cls, entry: Entry) -> Moment:
        """What `entry` gave."""
        said = parse(entry.data)
        if "p" in said:
            said["policies"] = said.pop("p")
        return cls(path=path_part(entry.key), node=entry.node, kind=entry.kind, **said)

    def is_passed(self, entries: Sequence[Entry]) -> bool:
        """Whether something has ended in its scope that comes after the firing with which it goes on."""
        end = self.end
        return bool(self.at) and any(
            entry.key.startswith(self.path) and path_part(entry.key) > end and not entry.key.startswith(end)
            for entry in entries
            if entry.kind != TOLD
        )

    def _undone(self, part: bytes) -> bytes:
        """The path of the firing that is undone at another one (W17), which is as old as that; or that itself."""
        first = len(self.path)
        if not part.startswith(number_key(0), first):
            return part
        return self.path + part[first + 2 + part[first + 1] :]

    def covers(self, key: bytes) -> bool:
        """Whether what has this key is superseded, if it belongs to this activation or is below it."""
        if self.kind == WHOLE:
            return True
        path = self.path
        part = path_part(key)
        if part != path:
            return (self._undone(part) if self.at else part) < self.end
        if key == path:
            return False
        letter, name = chr(key[len(path) + 1]), key[len(path) + 2 :].decode("utf-8", "surrogatepass")
        if letter in _NUMBERED:
            return int(name) < self.asked
        if letter == "i":
            return int(name) < self.emitted
        asked_for, sharp, times = name.rpartition("#")
        return letter == "r" or bool(sharp and int(times) < self.volatile.get(letter + asked_for, 0))


def moments_among(entries: Iterable[Entry]) -> list[Moment]:
    """All moments in these entries, in their order."""
    return [Moment.of(entry) for entry in entries if entry.kind in MOMENTS]


@attrs.frozen
class Compacted:
    """Entries, without what moments among them supersede."""

    keep: list[Entry]
    places: list[int]
    """Of what is kept: where it was among all."""
    superseded: dict[int, list[Entry]]
    """By the number of the moment."""

    @property
    def history(self) -> list[Entry]:
        """What goes to the history."""
        found: list[Entry] = []
        for number, entries in self.superseded.items():
            found += [*entries, Entry(b"\xffm", "", SUPERSEDED, dump([number, len(entries)]))]
        return found

    def settled(self, where: str) -> list[Entry]:
        """What is kept, once what is superseded is there: each moment says so."""
        return [
            attrs.evolve(moment, where=where).entry()
            if entry.kind in MOMENTS and (moment := Moment.of(entry)).number in self.superseded
            else entry
            for entry in self.keep
        ]


def compacted(entries: Sequence[Entry]) -> Compacted:
    """What is superseded goes to the outermost moment that covers it; of one activation the last one counts."""
    last: dict[bytes, Moment] = {}
    host: Moment | None = None
    for moment in moments_among(entries):
        last[moment.path] = moment
        if moment.published:
            host = moment
    if not last:
        return Compacted([*entries], [*range(len(entries))], {})
    keep: list[Entry] = []
    places: list[int] = []
    superseded: dict[int, list[Entry]] = {}
    for place, entry in enumerate(entries):
        by = _covered_by(entry, last) if entry.kind != PUBLISHED else host
        if entry.kind == PUBLISHED and host is not None and number_of_event(entry) >= host.published:
            by = None
        if by is None:
            keep.append(entry)
            places.append(place)
        else:
            superseded.setdefault(by.number, []).append(entry)
    return Compacted(keep, places, superseded)


def number_of_event(entry: Entry) -> int:
    """Which one it is of the events that the host has published."""
    return int(entry.key[2:])


def _covered_by(entry: Entry, last: Mapping[bytes, Moment]) -> Moment | None:
    found: Moment | None = None
    if entry.kind == TOLD:
        return None
    for path in ancestors(entry.key):  # the innermost first
        moment = last.get(path)
        if moment is None or not moment.covers(entry.key):
            continue
        if entry.key == moment.key and (entry.kind in MOMENTS and Moment.of(entry).number == moment.number):
            continue
        found = moment
    return found


def numbers_in(pairs: Iterable[Sequence[int]]) -> set[int]:
    """The numbers in `Moment.signals`."""
    return {number for first, end in pairs for number in range(first, end)}


def as_pairs(numbers: Iterable[int]) -> list[list[int]]:
    """The same numbers, as few pairs."""
    pairs: list[list[int]] = []
    for number in sorted(numbers):
        if pairs and pairs[-1][1] == number:
            pairs[-1][1] += 1
        else:
            pairs.append([number, number + 1])
    return pairs
