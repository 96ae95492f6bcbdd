"""Large values of a journal: kept beside the records that hold them, each once, by the digest of its text (J27).

What is read refers to them, and fetches one only when somebody asks for what the record says. So a run with large
results is listed, checked and forked without reading them, and is resumed holding one of them at a time. Pure but
for the fetching, which is the store's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from trioflow.durable.codec import dump, parse
from trioflow.durable.records import Entry, NewRun, RunInfo, State, chain_of, checked, damaged

LIMIT = 65_536
"""Characters of text from which on a value is large."""

_BEGIN = '{"$blob":"'
_REFERENCE = re.compile(r'\{"\$blob":"([0-9a-f]{64})"\}')
"""Such text is nowhere else: in strings quotes are escaped, and keys that begin with a dollar are written otherwise."""

Fetch = Callable[[str], str]
Blobs = Mapping[str, str]
"""Texts by digest."""
NO_BLOBS: Blobs = {}


class LargeEntry(Entry):
    """An entry that refers to large values, which are fetched each time when its `data` are asked for."""

    fetch: Fetch

    @property
    def data(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - read-only, as the field is
        """The whole text."""
        return whole(self[3], self.fetch)

    def _replace(self, /, **changes: Any) -> Entry:  # type: ignore[override]
        return Entry(self.key, self.node, self.kind, self.data)._replace(**changes)


def lifted(text: str) -> tuple[str, dict[str, str]]:
    """A text that refers to the large values in it, and these by digest; such as hold none themselves."""
    if len(text) <= LIMIT:
        return text, {}
    blobs: dict[str, str] = {}
    slim, _, _ = _lift(parse(text), blobs)
    return dump(slim), blobs


def _lift(value: Any, blobs: dict[str, str]) -> tuple[Any, int, bool]:
    """A value as it is kept, about how long its text is, and whether it refers to a blob."""
    kind = type(value)
    refers = False
    if kind is str:
        size = len(value) + 2
    elif kind is list:
        size = 2
        for place, each in enumerate(value):
            value[place], length, held = _lift(each, blobs)
            size += length + 1
            refers = refers or held
    elif kind is dict:
        if len(value) == 1 and "$blob" in value:
            return value, 80, True
        size = 2
        for name, each in value.items():
            value[name], length, held = _lift(each, blobs)
            size += length + len(name) + 4
            refers = refers or held
    else:
        return value, 8, False
    if refers or size <= LIMIT:
        return value, size, refers
    text = dump(value)
    digest = digest_of(text)
    blobs[digest] = text
    return {"$blob": digest}, 80, True


def digest_of(text: str) -> str:
    """Under which a text is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def all_lifted(entries: Sequence[Entry]) -> tuple[Sequence[Entry], dict[str, str]]:
    """Entries as they are kept, and the large values in them."""
    if not any(len(entry[3]) > LIMIT or type(entry) is LargeEntry for entry in entries):
        return entries, {}
    blobs: dict[str, str] = {}
    kept: list[Entry] = []
    for entry in entries:
        text, found = lifted(entry[3])
        blobs.update(found)
        kept.append(Entry(entry.key, entry.node, entry.kind, text))
    return kept, blobs


def made_elsewhere(
    new: NewRun, state: State, entries: Iterable[Entry], blobs: Blobs
) -> tuple[State, list[Entry], dict[str, str]]:
    """A run that comes to a store as a whole, as it is kept there: its state, its entries, and its large values.

    Raises `JournalUnusable` if they do not belong together.
    """
    given = [*entries]
    checked(f"Run {new.id!r}", state, given)
    kept, found = all_lifted(given)
    outcome, more = lifted(state.outcome)
    for digest, text in blobs.items():
        as_written(digest, text, f"Run {new.id!r}")
    return attrs.evolve(state, chain=chain_of(kept), outcome=outcome), [*kept], {**blobs, **found, **more}


def as_read(entries: Sequence[Entry], fetch: Fetch) -> list[Entry]:
    """Entries as a store has them, such that their data are whole for whoever asks."""
    found = [*entries]
    for place, entry in enumerate(found):
        if _BEGIN in entry[3]:
            made = LargeEntry(*entry)
            made.fetch = fetch
            found[place] = made
    return found


def references(texts: Iterable[str]) -> set[str]:
    """The digests that these texts, as they are kept, refer to."""
    return {digest for text in texts if _BEGIN in text for digest in _REFERENCE.findall(text)}


def texts_of(entries: Iterable[Entry]) -> Iterable[str]:
    """Of entries: their texts as they are kept."""
    return (entry[3] for entry in entries)


def whole(text: str, fetch: Fetch) -> str:
    """A text with the large values that it refers to."""
    return _REFERENCE.sub(lambda found: fetch(found[1]), text) if _BEGIN in text else text


def outcome_of(info: RunInfo) -> str:
    """What a run came to, whole."""
    return whole(info.state.outcome, info.fetch)


def as_written(digest: str, text: str | None, where: str) -> str:
    """A large value as it was read. Raises `JournalUnusable` if it is not there, or not what was written."""
    if text is None:
        raise damaged(where, f"a large value is missing ({digest[:12]}…)")
    if digest_of(text) != digest:
        raise damaged(where, f"a large value is not what was written ({digest[:12]}…)")
    return text
