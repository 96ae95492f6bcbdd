"""Names that nearly are known ones: slips of the pen, in places where any name may stand."""

from __future__ import annotations

from collections.abc import Collection
from difflib import SequenceMatcher

_MOST = 200
"""So many unknown names of a document are looked at: nobody slips more often, and each takes its time."""


class Alike:
    """Finds which known name an unknown one of a document was meant to be."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._found: dict[tuple[str, str], str | None] = {}

    def near(self, name: str, known: Collection[str], kind: str = "") -> str | None:
        """The known name that is most like it; None if it is known itself, or like none. `kind` says what is known."""
        if name in known or len(name) < 2:
            return None
        key = (kind, name)
        if key not in self._found:
            if len(self._found) >= _MOST:
                return None
            alike = [each for each in known if self._is_like(name, each)]
            self._found[key] = max(alike, key=lambda each: (_likeness(name, each), each), default=None)
        return self._found[key]

    def _is_like(self, name: str, other: str) -> bool:
        return len(other) > 2 and abs(len(name) - len(other)) < 3 and _likeness(name, other) > self._least


def _likeness(name: str, other: str) -> float:
    return SequenceMatcher(None, name.lower(), other.lower()).ratio()
