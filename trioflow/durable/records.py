"""What a journal keeps of a run: what it was begun with, its entries in order, and how far it is. Pure data.

Each entry has a checksum that is chained to the one before, and the run's state has the last of the chain: an entry
that is changed, missing or in another place is found out when the run is read (J19).
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

import attrs

from trioflow.errors import JournalUnusable

Status = Literal["running", "completed", "failed", "stuck", "suspended", "pruned"]
"""`running` is every run that has not ended, whether a process has it now or not, but for those that were put away
because all of them waits: these are `suspended`, and need no process until then. `pruned` is what is left of a run
whose entries were removed: its name is never used again (J18)."""


_to_json = json.JSONEncoder(separators=(",", ":")).encode


class Entry(NamedTuple):
    """One thing that was recorded. `kind` says what, `data` is text that the codec reads.

    As a tuple it is what is kept: of large values that is where they are, and `data` of what a store has read has them.
    """

    key: bytes
    node: str
    """The node as seen from the outermost graph: `call/work`."""
    kind: str
    data: str

    def chained(self, chain: int) -> int:
        """The checksum of this entry after one with that checksum."""
        text = f"{len(self.node)},{len(self.kind)},{len(self.key)},{self.node}{self.kind}{self[3]}"
        return zlib.crc32(self.key, zlib.crc32(text.encode("utf-8", "surrogatepass"), chain))


def chain_of(entries: Iterable[Entry], chain: int = 0) -> int:
    """The checksum after these entries."""
    for entry in entries:
        chain = entry.chained(chain)
    return chain


@attrs.frozen
class Signal:
    """Something that was sent to a run from outside (J21)."""

    number: int
    """In the order of arrival, from 0."""
    name: str
    payload: str
    """As the codec writes it."""
    key: str
    """Of two signals with one key the second is none."""
    by: str | None = None
    """Who sent it."""
    at: float = 0.0
    """When, in seconds since 1970."""

    def checksum(self) -> int:
        """Of all of it."""
        return zlib.crc32(_to_json(attrs.astuple(self)).encode())


@attrs.frozen(kw_only=True)
class NewRun:
    """What a run is begun with. It never changes."""

    id: str
    graph: str
    """A digest of the document."""
    document: str
    """The graph, as `dumps` writes it; empty if it can't be written."""
    types: str = "{}"
    """The versions of the node types, as JSON."""
    variables: str = "{}"
    """The start values, as the codec writes them."""
    seed: int = 0
    created: float = 0.0
    """Seconds since 1970, by the host's clock."""
    parent: str | None = None
    """The run that it was forked from."""
    parent_path: str | None = None

    def as_text(self) -> str:
        """All of it, as JSON."""
        return _to_json(attrs.astuple(self))

    @classmethod
    def from_text(cls, text: str, where: str) -> NewRun:
        """What `as_text` gave. Raises `JournalUnusable`."""
        return cls(**_from_json(text, cls, where))

    def checksum(self) -> int:
        """Of all of it."""
        return zlib.crc32(self.as_text().encode())


@attrs.frozen
class Waiting:
    """What a run that was put away waits for (J22)."""

    due: float | None = None
    """When the first of its timers is due, in seconds since 1970."""
    signals: tuple[str, ...] = ()
    """The names of the signals that it waits for."""
    seen: int = -1
    """The number of the last signal that it had looked at."""


PUBLISHED = "published"
"""Kind of the entries that the host has published an event (J25)."""
TOLD = "told"
"""Kind of the entries that an event was told, which no moment supersedes (J29)."""


@attrs.frozen(kw_only=True)
class State:
    """How far a run is."""

    status: Status = "running"
    entries: int = 0
    chain: int = 0
    fruitless: int = 0
    """How often it was resumed since something new was recorded, and its process died (J4)."""
    ended: float | None = None
    outcome: str = ""
    """What it left behind, or what it failed with, as the codec writes it; of large values where they are (J27)."""
    waiting: Waiting | None = None
    """What it waits for, if it was put away."""

    def as_text(self) -> str:
        """All of it, as JSON."""
        said = (self.status, self.entries, self.chain, self.fruitless, self.ended, self.outcome)
        if self.waiting is None:
            return _to_json(said)
        return _to_json((*said, attrs.astuple(self.waiting)))

    @classmethod
    def from_text(cls, text: str, where: str) -> State:
        """What `as_text` gave. Raises `JournalUnusable`."""
        said = _from_json(text, cls, where)
        waiting = said.get("waiting")
        if waiting is not None:
            try:
                due, signals, seen = waiting
                said["waiting"] = Waiting(due, tuple(signals), seen)
            except (ValueError, TypeError) as error:
                raise damaged(where, "what it waits for can't be read") from error
        return cls(**said)

    def checksum(self) -> int:
        """Of all of it."""
        return zlib.crc32(self.as_text().encode())


def _from_json(text: str, cls: type[attrs.AttrsInstance], where: str) -> dict[str, Any]:
    try:
        names = [field.name for field in attrs.fields(cls)]
        said = json.loads(text)
        if len(said) == len(names) - 1 and cls is State:
            names.pop()  # it waits for nothing
        return dict(zip(names, said, strict=True))
    except (ValueError, TypeError) as error:
        raise damaged(where, "what it was begun with, or how far it is, can't be read") from error


def _nothing_large(digest: str) -> str:
    raise damaged("What was read of a run", f"nobody knows where its large values are ({digest[:12]}…)")


@attrs.frozen
class Deed:
    """Something that was done to a run, and by whom (J28)."""

    what: str
    """Such as `started`, `resumed`, `signalled`."""
    at: float
    """When, in seconds since 1970."""
    by: str | None
    """Who says to have done it; None if nobody has said."""
    process: str
    """The process that did it."""
    detail: str = ""

    def chained(self, chain: int) -> int:
        """The checksum of this deed after one with that checksum."""
        return zlib.crc32(_to_json(attrs.astuple(self)).encode(), chain)


@attrs.frozen(kw_only=True)
class RunInfo:
    """A run in a journal, as far as it is told without reading its entries."""

    new: NewRun
    state: State
    owner: str | None = None
    """The process that has it now, or had it when it died; None if nobody has it."""
    has_died: bool = False
    """Whether that process is known to be gone, so that the run can be resumed at once."""
    fetch: Callable[[str], str] = attrs.field(default=_nothing_large, eq=False, repr=False)
    """How large values of it are read."""

    @property
    def id(self) -> str:
        """The name of the run."""
        return self.new.id

    @property
    def status(self) -> Status:
        """What has become of it."""
        return self.state.status


def checked(where: str, state: State, entries: Sequence[Entry]) -> None:
    """Make sure that these are the entries of this state. Raises `JournalUnusable`."""
    if len(entries) != state.entries or chain_of(entries) != state.chain:
        raise damaged(where, f"{len(entries)} entries do not fit the {state.entries} that were written")


def after(state: State, entries: Sequence[Entry], chain: int | None = None) -> State:
    """The state of a run once these entries are kept, with the last of their checksums if it is known."""
    return State(
        status=state.status,
        entries=state.entries + len(entries),
        chain=chain_of(entries, state.chain) if chain is None else chain,
        fruitless=0 if entries else state.fruitless,
        ended=state.ended,
        outcome=state.outcome,
        waiting=state.waiting,
    )


def pruned(state: State) -> State:
    """The state of a run of which only the name is left."""
    return State(status="pruned", ended=state.ended or time.time())


def damaged(where: str, what: str) -> JournalUnusable:
    """The error that what is read is not what was written."""
    return JournalUnusable(
        f"{where} is damaged: {what}. Nothing was changed. Restore it from a copy; what it holds can't be trusted."
    )
