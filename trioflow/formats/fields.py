"""The fields of an object in a document of another program: read by type, and what is not as expected is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from trioflow.errors import did_you_mean
from trioflow.formats.port import Notes

T = TypeVar("T")


class Fields:
    """An object of a document. What it has that is of another type is an error, what nobody has asked for a warning.

    `lenient`: keys are found whatever their case. `inside` are keys of objects in it in which fields may stand as well;
    those there that nobody asks for are not told. `names` are what keys are called in the document, where that differs.
    """

    def __init__(
        self,
        raw: Any,
        path: str,
        notes: Notes,
        *,
        lenient: bool = False,
        inside: Sequence[str] = (),
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self._names = names or {}
        self._notes = notes
        self._lenient = lenient
        self.raw: dict[str, Any] = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
        if not isinstance(raw, dict):
            notes.error("bad-value", path or "the document", f"Expected an object, got {kind(raw)}.")
        self._places = {self._key(name): (name, value) for name, value in self.raw.items()}
        if len(self._places) < len(self.raw):
            twice = [name for name in self.raw if self._places[self._key(name)][0] != name]
            notes.error("bad-value", path, f"Keys that differ in case only: {', '.join(map(repr, twice))}.")
        self._asked: set[str] = set()
        self._inner: dict[str, tuple[str, Any]] = {}
        for holder in inside:
            found = self.mapping(holder)
            where = self._places.get(self._key(holder), (holder, None))[0]
            self._inner |= {self._key(name): (f"{where}.{name}", value) for name, value in found.items()}

    def __contains__(self, name: str) -> bool:
        return self.take(name) is not None

    def at(self, name: str) -> str:
        """The path of a field."""
        place = self._places.get(self._key(name)) or self._inner.get(self._key(name)) or (name, None)
        written = self._names.get(place[0], place[0])
        return f"{self.path}.{written}" if self.path else written

    def take(self, name: str) -> Any:
        """The field as it is; None if it is not there."""
        key = self._key(name)
        self._asked.add(key)
        place = self._places.get(key) or self._inner.get(key)
        return place[1] if place is not None else None

    def text(self, name: str, default: str = "") -> str:
        """A text; a number is taken for one."""
        found = self.take(name)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
        return self._typed(name, found, str, default, "a text")

    def flag(self, name: str, default: bool) -> bool:
        """True or false; as a text, too."""
        found = self.take(name)
        if isinstance(found, str) and found.lower() in {"true", "false"}:
            return found.lower() == "true"
        return self._typed(name, found, bool, default, "true or false")

    def whole(self, name: str, default: int, *, least: int = 0) -> int:
        """A whole number; as a text, too."""
        found = self.take(name)
        if isinstance(found, str) and found.strip().lstrip("-").isdecimal():
            found = int(found)
        if isinstance(found, bool) or not isinstance(found, int | None):
            return self._wrong(name, found, "a whole number", default)
        if found is not None and found < least:
            return self._wrong(name, found, f"a whole number of {least} or more", default)
        return default if found is None else found

    def number(self, name: str, default: float) -> float:
        """A number."""
        found = self.take(name)
        if isinstance(found, bool):
            return self._wrong(name, found, "a number", default)
        return self._typed(name, found, (int, float), default, "a number")

    def mapping(self, name: str) -> dict[str, Any]:
        """An object; empty if it is not there."""
        found: dict[str, Any] = self._typed(name, self.take(name), dict, {}, "an object")
        return found

    def items(self, name: str) -> list[Any]:
        """A list; empty if it is not there."""
        found: list[Any] = self._typed(name, self.take(name), list, [], "a list")
        return found

    def choice(self, name: str, known: Iterable[str], default: str) -> str:
        """One of some words, in any case."""
        said = self.text(name, default)
        words = {each.lower(): each for each in known}
        if said.lower() not in words:
            near = did_you_mean(said, words.values())
            expected = f"one of {', '.join(words.values())}"
            self._notes.error("bad-value", self.at(name), f"Expected {expected}, got {said!r}.{near}")
            return default
        return words[said.lower()]

    def left(self) -> Iterator[tuple[str, Any]]:
        """The fields that nobody has asked for."""
        return ((name, value) for key, (name, value) in self._places.items() if key not in self._asked)

    def tell_left(self, what: str = "It is not known here, and left out.") -> dict[str, Any]:
        """Say of each field that nobody has asked for that it is left out; gives them."""
        found = dict(self.left())
        for name in found:
            self._notes.warning("unknown-field", self.at(name), what)
        return found

    def _key(self, name: str) -> str:
        return name.lower().replace("_", "") if self._lenient else name

    def _typed(self, name: str, found: Any, types: type[T] | tuple[type[T], ...], default: T, expected: str) -> T:
        if found is None:
            return default
        return found if isinstance(found, types) else self._wrong(name, found, expected, default)

    def _wrong(self, name: str, found: Any, expected: str, default: T) -> T:
        self._notes.error("bad-value", self.at(name), f"Expected {expected}, got {kind(found)}.")
        return default


def kind(value: Any) -> str:
    """What a value is, in a few words."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    written = repr(value)
    return written if len(written) < 60 else f"{written[:57]}…"


def short(value: Any) -> str:
    """A value as Python writes it, cut short, for a message."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
